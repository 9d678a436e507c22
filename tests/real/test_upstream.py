"""The patches of docs/upstream still fit what PyPI has, and mend what they say."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Dict, List

import pytest

from environments import VERSIONS
from private_cobbler import PrivateCobbler
from real.server import REPOSITORY

UPSTREAM = REPOSITORY / "docs/upstream"
# main was here and 4.0.0b7 was not yet; koan 3.0.1 has other white space
NEWER = (
    "cobbler-main/snippet-imports",
    "koan-main/virt-bridge-inherit",
    "koan-main/virt-bridge-list",
)
# where a wheel has what is elsewhere in the sources
PLACES = {
    "cobbler": "cobbler",
    "koan": "koan",
    "var/lib/cobbler/snippets": "autoinstall_snippets",
}
# the fixtures that these tests take from Cobbler's own tests/conftest.py, which is in no wheel
FIXTURES = """\
import pytest
from cobbler.api import CobblerAPI
from cobbler.items.system import NetworkInterface


@pytest.fixture
def cobbler_api():
    api = CobblerAPI()
    for items in (api.systems(), api.profiles(), api.distros()):
        for item in list(items):
            items.remove(item.name, with_delete=True, with_triggers=False, with_sync=False)
    return api


@pytest.fixture
def create_distro(cobbler_api, tmp_path):
    def create():
        distro = cobbler_api.new_distro()
        distro.name = "distro"
        for name in ("vmlinuz", "initrd.img"):
            (tmp_path / name).touch()
        distro.kernel, distro.initrd = str(tmp_path / "vmlinuz"), str(tmp_path / "initrd.img")
        cobbler_api.add_distro(distro, with_triggers=False)
        return distro

    return create


@pytest.fixture
def create_profile(cobbler_api):
    def create(distro):
        profile = cobbler_api.new_profile()
        profile.name, profile.distro = "profile", distro
        cobbler_api.add_profile(profile, with_triggers=False)
        return profile

    return create


@pytest.fixture
def create_system(cobbler_api):
    def create(profile):
        system = cobbler_api.new_system()
        system.name, system.profile = "system", profile
        system.interfaces = {"default": NetworkInterface(cobbler_api, "system")}
        cobbler_api.add_system(system, with_triggers=False)
        return system

    return create
"""


def patches(folder: str) -> List[Path]:
    found = sorted((UPSTREAM / folder).glob("*.patch"))
    assert found, folder
    return found


def sources(site: Path, tree: Path) -> None:
    """The part of the sources that a wheel has."""
    for of_wheel, place in PLACES.items():
        if (site / of_wheel).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(site / of_wheel, tree / place, ignore=ignored)


def apply(patch: Path, tree: Path) -> None:
    # not in a wheel, and changed by one patch
    excluded = [
        "--exclude=tests/xmlrpcapi/*",
        "--exclude=tests/test_*",
        "--exclude=tests/*/built_in_*",
    ]
    done = subprocess.run(
        ["git", "apply", *excluded, str(patch)],
        cwd=tree,
        env={"PATH": "/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": str(tree.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert done.returncode == 0, (patch.name, done.stdout)


def site_of(name: str) -> Path:
    (version,) = [each for each in VERSIONS if each.name == name]
    version.must_be_made()
    (found,) = version.interpreter.parent.parent.glob("lib/python3*/site-packages")
    return found


@pytest.mark.parametrize("folder", ["cobbler-3.3.10", "cobbler-main", "koan-main"])
def test_each_patch_fits(folder: str, tmp_path: Path) -> None:
    site = {
        "cobbler-3.3.10": lambda: site_of("3.3.10"),
        "cobbler-main": lambda: site_of("4.0.0b7"),
        "koan-main": lambda: Path(sysconfig.get_path("purelib")),
    }[folder]()
    sources(site, tmp_path)
    for patch in patches(folder):
        if f"{folder}/{patch.stem}" not in NEWER:
            apply(patch, tmp_path)
    for program in tmp_path.rglob("*.py"):
        compile(program.read_text(encoding="utf-8"), program, "exec")


def outcome(cobbler: PrivateCobbler, tree: Path) -> Dict[str, str]:
    """What became of each file of tests; beside them stands no package that could be imported."""
    tests = sorted((tree / "tests/special_cases").glob("*_test.py"))
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"]
    done = cobbler.run([*command, *map(str, tests)], cwd=tree / "tests", check=False)
    found: Dict[str, str] = {}
    for word, name in re.findall(r"^(PASSED|FAILED|ERROR) .*?(\w+)_test\.py", done.stdout, re.M):
        found[name] = word if found.get(name, word) == word else "SOME"
    assert len(found) == len(tests), (done.stdout, done.stderr)
    return found


def test_each_patch_mends_what_its_test_says(tmp_path: Path) -> None:
    sources(Path(sysconfig.get_path("purelib")), tmp_path)
    for patch in patches("cobbler-3.3.10"):
        apply(patch, tmp_path)
    (tmp_path / "tests/conftest.py").write_text(FIXTURES, encoding="utf-8")
    (tmp_path / "tests/pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    with PrivateCobbler() as cobbler:
        before = outcome(cobbler, tmp_path)
        for place, inside in (
            ("cobbler", str(cobbler.package)),
            ("autoinstall_snippets", "/var/lib/cobbler/snippets"),
        ):
            shutil.copytree(tmp_path / place, cobbler.path(inside), dirs_exist_ok=True)
        after = outcome(cobbler, tmp_path)
    assert "PASSED" not in before.values(), before
    assert set(after.values()) == {"PASSED"}, after
