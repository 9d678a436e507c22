"""Packages of Debian and of Red Hat: built, installed, upgraded and removed beside a real Cobbler.

Each takes place on a throw-away machine where Cobbler 3.3.10 is laid out as a package would.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Dict, Iterator, List

import pytest

from cobbler_bridge import __version__
from network_namespace import Machine
from private_cobbler import _FOLDERS
from real.server import REPOSITORY
from waiting import wait_for

SITE = "/usr/lib/python3/dist-packages"
SNIPPET = "/var/lib/cobbler/snippets/bridge_setup"
TRIGGER = SITE + "/cobbler/modules/cobbler_bridge/change.py"
MANIFEST = "/var/lib/cobbler/cobbler_bridge.installed"
SOURCES = "/root/cobbler-bridge-%s" % __version__
NEWER = "99.1"
# what Cobbler imports, beside itself
LIBRARIES = "Cheetah distro dns magic netaddr schema requests certifi".split()
LIBRARIES += "charset_normalizer idna urllib3 netaddr".split()
PING = """\
import xmlrpc.client
print(xmlrpc.client.ServerProxy("http://127.0.0.1:25151").version())
"""
# no service manager runs there; this stands for it
SYSTEMCTL = """\
#!/bin/sh
echo "$*" >> /root/systemctl.log
"""
# what it says of where packages are, as the Python of EL 10 and Fedora
PYTHON_OF_FEDORA = """\
#!/bin/sh
echo "/usr${RPM_BUILD_ROOT-/local}" | sed 's,//*$,,; s,$,/lib/python3.99/site-packages,'
"""
SPEC = """\
Name: cobbler
Version: 3.3.10
Release: 1
Summary: Cobbler, as a package
License: GPL-2.0-or-later
BuildArch: noarch
%description
Cobbler.
%install
cp -a /root/cobbler/. %{buildroot}
%files
/etc/cobbler
/usr/bin/cobblerd
/var/lib/cobbler
/var/www/cobbler
"""


@pytest.fixture
def machine() -> Iterator[Machine]:
    """With the sources, and Cobbler's files in /root/cobbler, not yet installed."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a throw-away machine")
    with Machine(REPOSITORY / ".venv/layer-packages") as found:
        root = found.path("/root/cobbler")
        lay_out_cobbler(root)
        ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
        add_libraries(found.path(found.run("/usr/bin/python3", "-c", ask).strip()))
        listed = subprocess.check_output(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=str(REPOSITORY),
        )
        for name in filter(None, listed.decode().split("\0")):
            place = found.path(SOURCES) / name
            if (REPOSITORY / name).is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(REPOSITORY / name, place)
        found.run("rm", "-f", "/usr/bin/systemctl")
        found.path("/usr/bin/systemctl").write_text(SYSTEMCTL)
        found.path("/usr/bin/systemctl").chmod(0o755)
        yield found


def lay_out_cobbler(root: Path) -> None:
    """Cobbler of this environment, as a package has it."""
    here = Path(sysconfig.get_path("purelib"))
    ignored = shutil.ignore_patterns("__pycache__", "cobbler_bridge")
    shutil.copytree(here / "cobbler", root / SITE.lstrip("/") / "cobbler", ignore=ignored)
    for name in ("etc/cobbler", "var/lib/cobbler", "var/www/cobbler"):
        shutil.copytree(here / name, root / name)
    for folder in _FOLDERS:
        if folder.startswith(("/var/lib", "/var/www")):
            (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
    (root / "usr/bin").mkdir()
    script = (Path(sys.prefix) / "bin/cobblerd").read_text().partition("\n")[2]
    (root / "usr/bin/cobblerd").write_text("#!/usr/bin/python3 -s\n" + script)
    (root / "usr/bin/cobblerd").chmod(0o755)


def add_libraries(site: Path) -> None:
    """What Cobbler imports; other packages would have it."""
    here = Path(sysconfig.get_path("purelib"))
    site.mkdir(parents=True, exist_ok=True)
    for name in LIBRARIES:
        if (here / name).is_dir():
            shutil.copytree(here / name, site / name, dirs_exist_ok=True)
        else:
            shutil.copy(here / (name + ".py"), site)


def tree(machine: Machine) -> Dict[str, bytes]:
    """Every file that either package could have left, but for what programs write as they run."""
    found = {}
    for top in ("/etc/cobbler", "/usr/bin", "/usr/lib/python3", "/usr/share", "/var/lib/cobbler"):
        folder = machine.path(top)
        for path in folder.rglob("*"):
            name = os.path.join(top, str(path.relative_to(folder)))
            if re.search(r"/(web\.ss|\.mtime|lock)$|^/usr/share/(?!man/man8|doc/cobb)", name):
                continue
            if path.is_file() and not path.is_symlink() and "__pycache__" not in name:
                small = path.stat().st_size < 1_000_000
                found[name] = path.read_bytes() if small else b"large"
            elif path.is_dir() and "cobbler" in name:
                found[name] = b"folder"
    return found


def start(machine: Machine) -> str:
    """Start cobblerd, or start it again; what its log says since."""
    for folder in ("/var/log/cobbler/tasks", "/srv/tftpboot"):
        machine.path(folder).mkdir(parents=True, exist_ok=True)
    log = machine.path("/var/log/cobbler/cobbler.log")
    said = len(log.read_text()) if log.exists() else 0
    if "cobblerd" in machine._services:
        machine.stop("cobblerd")
    machine.start("/usr/bin/cobblerd", "-F")
    answered = wait_for(lambda: "3.31" in machine.run("python3", "-c", PING, check=False))
    assert answered, machine.log("cobblerd")
    return log.read_text()[said:]


def restarts(machine: Machine) -> List[str]:
    """What the service manager was asked for since this was asked last."""
    log = machine.path("/root/systemctl.log")
    found = log.read_text().splitlines() if log.exists() else []
    log.write_text("")
    return found


def works(machine: Machine) -> None:
    """The command runs, and a restarted cobblerd has loaded every trigger without a complaint."""
    said = start(machine)
    assert "module cobbler_bridge" not in said, said
    assert machine.path(SITE + "/cobbler/modules/cobbler_bridge/__pycache__").is_dir()
    assert machine.run("cobbler-bridge", "show").startswith("HOST ")
    assert machine.run("cobbler-bridge", "install").endswith("Everything is in place already.\n")
    assert machine.path("/usr/share/man/man8/cobbler-bridge.8.gz").is_file()


def newer(machine: Machine) -> None:
    """Let the sources be those of a later version with another snippet."""
    for path in ("cobbler_bridge/__init__.py", "packaging/cobbler-bridge.spec"):
        file = machine.path("%s/%s" % (SOURCES, path))
        file.write_text(file.read_text().replace(__version__, NEWER))
    snippet = machine.path(SOURCES + "/snippets/bridge_setup")
    snippet.write_text(snippet.read_text() + "## newer\n")


def comes_upgrades_and_goes(machine: Machine, put: "Dict[str, List[str]]") -> None:
    """``put`` has the commands that put in the first, a newer and no package."""
    start(machine)
    before = tree(machine)
    machine.run(*put["first"])
    works(machine)
    assert restarts(machine) == ["try-restart cobblerd.service"]
    shipped = machine.path(SNIPPET).read_text()

    # as it was, it is replaced
    machine.run(*put["newer"])
    assert machine.path(SNIPPET).read_text() == shipped + "## newer\n"
    assert '"version": "%s"' % NEWER in machine.path(MANIFEST).read_text()
    assert machine.run("cobbler-bridge", "--version") == NEWER + "\n"
    assert restarts(machine) == ["try-restart cobblerd.service"]
    works(machine)

    # changed, it stays
    machine.path(SNIPPET).write_text("# mine\n")
    machine.run(*put["again"])
    assert machine.path(SNIPPET).read_text() == "# mine\n"
    assert machine.path(SNIPPET + ".cobbler-bridge").read_text() == shipped + "## newer\n"
    restarts(machine)
    machine.run(*put["gone"])
    after = tree(machine)
    assert after.pop(SNIPPET) == b"# mine\n"
    assert after == before
    assert not machine.path(os.path.dirname(TRIGGER)).exists()
    assert not machine.path(SITE + "/cobbler_bridge").exists()
    assert restarts(machine) == ["try-restart cobblerd.service"]
    assert "cobbler_bridge" not in start(machine)


def cobbler_deb(machine: Machine) -> str:
    """Build the package of Cobbler; its path."""
    control = "Package: cobbler\nVersion: 3.3.10\nArchitecture: all\nMaintainer: x <x@localhost>\n"
    machine.path("/root/cobbler/DEBIAN").mkdir()
    machine.path("/root/cobbler/DEBIAN/control").write_text(control + "Description: Cobbler\n")
    machine.run("dpkg-deb", "-b", "/root/cobbler", "/root/cobbler.deb")
    return "/root/cobbler.deb"


def test_deb(machine: Machine) -> None:
    machine.run("dpkg", "-i", cobbler_deb(machine))
    build = "cd %s && sh packaging/build_deb.sh /root" % SOURCES
    machine.run("sh", "-c", build)
    newer(machine)
    machine.run("sh", "-c", build)
    install = ["dpkg", "-i", "/root/cobbler-bridge_%s_all.deb"]
    newest = [install[0], install[1], install[2] % NEWER]
    comes_upgrades_and_goes(
        machine,
        {
            "first": [install[0], install[1], install[2] % __version__],
            "newer": newest,
            "again": newest,
            "gone": ["dpkg", "-P", "cobbler-bridge"],
        },
    )


def test_rpm(machine: Machine) -> None:
    machine.path("/root/cobbler.spec").write_text(SPEC + SITE + "/*\n")
    # where this system's Python looks; an rpm of another system knows another place. And what is
    # installed here is not in the database of rpm.
    build = ["rpmbuild", "-bb", "--nodeps", "--define", "python3_sitelib " + SITE]
    machine.run(*build, "/root/cobbler.spec")
    packages = "/root/rpmbuild/RPMS/noarch/"
    machine.run("rpm", "-i", "--nodeps", packages + "cobbler-3.3.10-1.noarch.rpm")

    def build_ours(version: str) -> None:
        machine.path("/root/rpmbuild/SOURCES").mkdir(parents=True, exist_ok=True)
        name = "cobbler-bridge-" + version
        archive = "/root/rpmbuild/SOURCES/%s.tar.gz" % name
        move = "s,^[^/]*,%s," % name
        folder = os.path.basename(SOURCES)
        machine.run("tar", "-C", "/root", "--transform", move, "-czf", archive, folder)
        machine.run(*build, SOURCES + "/packaging/cobbler-bridge.spec")

    machine.path("/root/python3").write_text(PYTHON_OF_FEDORA)
    machine.path("/root/python3").chmod(0o755)
    spec = SOURCES + "/packaging/cobbler-bridge.spec"
    parsed = machine.run("rpmspec", "-P", "--define", "__python3 /root/python3", spec)
    assert " /usr/lib/python3.99/site-packages /root/python3\n" in parsed
    build_ours(__version__)
    newer(machine)
    build_ours(NEWER)
    install = ["rpm", "-U", "--nodeps"]
    ours = packages + "cobbler-bridge-%s-1.noarch.rpm"
    needed = machine.run("rpm", "-qpR", ours % __version__)
    assert "cobbler >= 3.2.2\n" in needed
    comes_upgrades_and_goes(
        machine,
        {
            "first": [*install, ours % __version__],
            "newer": [*install, ours % NEWER],
            "again": [*install, "--force", ours % NEWER],
            "gone": ["rpm", "-e", "cobbler-bridge"],
        },
    )


def test_a_package_before_cobbler(machine: Machine) -> None:
    """It can't be put in place yet, says so, and is there all the same."""
    machine.run("sh", "-c", "cd %s && sh packaging/build_deb.sh /root" % SOURCES)
    deb = "/root/cobbler-bridge_%s_all.deb" % __version__
    said = machine.run("dpkg", "--force-depends", "-i", deb)
    assert "cobbler-bridge: there is no Cobbler in /usr/bin/python3, " in said
    # Cobbler's package sets it off
    assert TRIGGER + ": written\n" in machine.run("dpkg", "-i", cobbler_deb(machine))
    assert machine.path(TRIGGER).is_file()
    machine.run("dpkg", "-P", "cobbler-bridge")
    assert not machine.path(TRIGGER).exists()


def test_man_page_is_clean(machine: Machine) -> None:
    """mandoc finds nothing, and prints every command."""
    page = SOURCES + "/packaging/cobbler-bridge.8"
    assert machine.run("mandoc", "-T", "lint", "-W", "warning", page) == ""
    # a letter over another one is bold, or underlined
    printed = re.sub(".\b", "", machine.run("mandoc", "-T", "ascii", page))
    for command in ("install", "uninstall", "render", "show"):
        assert "\nCOMMAND 'cobbler-bridge %s'\n" % command in printed


def test_wheel_and_sdist(tmp_path: Path) -> None:
    """The wheel holds what a package holds, and the sdist what a wheel is built from."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    sources = tmp_path / "sources"
    shutil.copytree(
        REPOSITORY, sources, ignore=shutil.ignore_patterns(".venv*", ".git", "build", "*.egg-info")
    )
    script = "from setuptools import build_meta as b; print(b.build_sdist('%s'))" % tmp_path
    subprocess.run(
        [sys.executable, "-c", script], cwd=str(sources), check=True, stdout=subprocess.DEVNULL
    )
    (sdist,) = tmp_path.glob("*.tar.gz")
    unpacked = tmp_path / "unpacked"
    shutil.unpack_archive(str(sdist), str(unpacked))
    (folder,) = unpacked.iterdir()
    wheels = ["wheel", "--no-deps", "-w", str(tmp_path), str(folder)]
    subprocess.run([*pip, *wheels], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = {name for name in archive.namelist() if ".dist-info/" not in name}
    lay_out = ["sh", "packaging/lay_out.sh", str(tmp_path / "root"), "/site", "/usr/bin/python3"]
    subprocess.run(lay_out, cwd=str(folder), check=True)
    site = tmp_path / "root/site"
    in_package = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    assert in_wheel == in_package
    assert len(in_wheel) > 40


def test_make_dist_without_dpkg(tmp_path: Path) -> None:
    """A system of rpms has no dpkg-deb; the rest is made."""
    clone = tmp_path / "sources"
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
    shutil.copy(REPOSITORY / "Makefile", clone)
    # an environment as it stands when the sources have been built once
    (clone / ".venv").symlink_to(sys.prefix)
    (tmp_path / "bin").mkdir()
    for name in "cat chmod command find git gzip mkdir rm sed sh tar".split():
        found = shutil.which(name)
        if found is not None:
            (tmp_path / "bin" / name).symlink_to(found)
    make = [str(shutil.which("make")), "-C", str(clone), "dist"]
    done = subprocess.run(
        make,
        env={**os.environ, "PATH": str(tmp_path / "bin")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    made = sorted(path.suffix for path in (clone / "dist").iterdir())
    assert made == [".gz", ".whl"]


def test_versions_are_the_same() -> None:
    spec = (REPOSITORY / "packaging/cobbler-bridge.spec").read_text()
    assert re.findall(r"^Version: +(.*)$", spec, re.MULTILINE) == [__version__]
