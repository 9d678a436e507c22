"""What the documentation says is what the code does."""

import contextlib
import functools
import io
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import List

import pytest

import completion
import docs
import man
from cobbler_bridge import cli
from cobbler_bridge.install import manifest, this_cobbler
from cobbler_bridge.plan.backends.ifcfg import READINGS
from cobbler_bridge.plan.families import EVERY
from cobbler_bridge.plan.families.redhat import FAMILY as REDHAT

# what Python or the system says
PYTHONS_OWN = ("No module named 'cobbler_bridge'", "Permission denied", "Connection refused")
# what differs from case to case
CASE = r"cobbler_bridge\.…|…|PYTHON|PATH|NAME|cobbler_bridge\.snippet|bridge_setup|bridge=|[:;] "
PAGES = [docs.README, *sorted((docs.ROOT / "docs").glob("*.md"))]


def test_the_page_of_variables_is_what_the_code_declares() -> None:
    assert docs.VARIABLES.read_text(encoding="utf-8") == docs.variables()


def test_the_page_of_compatibility_is_what_the_tests_run_through() -> None:
    assert docs.COMPATIBILITY.read_text(encoding="utf-8") == docs.compatibility()


def test_the_documentation_builds(tmp_path: Path) -> None:
    """Each warning is an error: a link or an anchor that leads nowhere, a page in no list."""
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(
        [*mkdocs, "-f", str(docs.ROOT / "mkdocs.yml"), "-d", str(tmp_path / "site")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout
    for page in (docs.ROOT / "docs").glob("*.md"):
        name = "index.html" if page.stem == "README" else page.stem + "/index.html"
        assert (tmp_path / "site" / name).is_file(), page


_CONTRIBUTING = (docs.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
_SELECTS = re.findall(r"\.venv/bin/python -m (pytest [^`|]*-k [^`|]*)`", _CONTRIBUTING)


@pytest.mark.parametrize("command", _SELECTS)
def test_a_command_of_contributing_finds_its_tests(command: str) -> None:
    words = [sys.executable, "-m", *shlex.split(command), "--collect-only", "-q"]
    done = subprocess.run(words, cwd=str(docs.ROOT), stdout=subprocess.PIPE, check=False)
    assert done.returncode != pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout


def test_what_is_said_to_be_seen_is_said_somewhere() -> None:
    """Each text of the first column of troubleshooting.md is in our code, Cobbler's or Koan's."""
    site = Path(sysconfig.get_path("purelib"))
    sources = [docs.ROOT / "cobbler_bridge", site / "cobbler", site / "koan"]
    files = [path for top in sources for path in top.rglob("*") if path.suffix in (".py", ".sh")]
    said = "".join(path.read_text(encoding="utf-8") for path in files)
    # as a text stands that goes on in the next line of the source
    said = re.sub(r'"\n\s*"', "", said)
    page = (docs.ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    texts = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (.*?) \|", page, re.MULTILINE)))
    checked = 0
    for text in texts:
        for piece in re.split(CASE, text):
            if len(piece.strip()) > 12 and piece not in PYTHONS_OWN:
                assert piece.strip() in said, (text, piece)
                checked += 1
    assert checked > 10


def test_every_module_is_in_the_page_of_the_inside() -> None:
    page = (docs.ROOT / "docs/inside.md").read_text(encoding="utf-8")
    known = re.findall(r"[a-z_0-9]+(?:\.py|/)", page)
    package = docs.ROOT / "cobbler_bridge"
    names = [path.name for path in package.glob("*.py") if path.stem != "__init__"]
    names += [path.name + "/" for path in package.iterdir() if (path / "__init__.py").is_file()]
    assert sorted(set(names) - set(known)) == []


def test_every_page_is_in_both_lists() -> None:
    for pages in ("README.md", "docs/README.md"):
        text = (docs.ROOT / pages).read_text(encoding="utf-8")
        for page in (docs.ROOT / "docs").glob("*.md"):
            assert page.stem == "README" or page.name + ")" in text, (pages, page)


def test_the_man_page_is_what_the_command_says() -> None:
    assert man.PAGE.read_text(encoding="utf-8") == man.page()
    for path in (this_cobbler.SETTINGS, this_cobbler.OWN_SETTINGS, manifest.MANIFEST):
        assert "\n.I %s\n" % path in man.page()


@pytest.mark.parametrize("shell", completion.NAMES)
def test_the_completion_is_what_the_command_says(shell: str) -> None:
    path = completion.FOLDER / completion.NAMES[shell]
    assert path.read_text(encoding="utf-8") == completion.completion(shell)


def test_zsh_is_told_of_blanks_files_and_equals_signs() -> None:
    text = (completion.FOLDER / completion.NAMES["zsh"]).read_text(encoding="utf-8")
    for option in ("state=[", "output=[", "format=["):
        assert '"--' + option in text
    assert ":(installing installed verified rolled\\ back by\\ hand " in text
    assert "]:FILE:_files" in text


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ch", ["check"]),
        ("check --sev", ["--severity"]),
        ("check --severity ", ["error", "warning", "waiting"]),
        ("show --format h", ["html"]),
        # of states with a blank bash would make several words
        ("show --state ", ["installing", "installed", "verified", "applying", "failed"]),
        ("check --output READ", ["README.md"]),
        # bash takes the sign for a word
        ("check --format = j", ["json", "junit"]),
        ("check --format =", ["text", "json", "junit", "prometheus"]),
        ("check --output = READ", ["README.md"]),
        ("check --format = json --sev", ["--severity"]),
    ],
)
def test_bash_completes(words: str, found: List[str]) -> None:
    """As bash calls it for what stands on a line."""
    script = """
    . packaging/completion/cobbler-bridge
    COMP_WORDS=(cobbler-bridge); IFS=' '
    for word in $1; do COMP_WORDS+=("$word"); done
    case $1 in *" ") COMP_WORDS+=("") ;; esac
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _cobbler_bridge
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "-c", script, "bash", words],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=str(docs.ROOT),
        check=True,
    )
    assert done.stdout.split() == found


def test_the_readme_shows_what_the_pack_prints() -> None:
    text = docs.README.read_text(encoding="utf-8")
    assert text == docs.readme()
    assert "cloned-mac-address=$mac1" in text
    assert "'br0;reboot' has ';' in it" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_call_of_the_command_is_one_it_takes(page: Path) -> None:
    calls = re.findall(r"cobbler-bridge ([a-z]+)([^`|\n]*)", page.read_text(encoding="utf-8"))
    usage = cli.parser().format_help()
    for command, options in calls:
        # a sentence may begin with the name of the project
        if command in ("render", "show", "install", "check", "place", "record", "set", "uninstall"):
            assert re.search(r"\b%s\b" % command, usage), command
            for option in re.findall(r"--[a-z-]+", options):
                assert option in _help_of(command), (command, option)


@functools.lru_cache(maxsize=None)
def _help_of(command: str) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), pytest.raises(SystemExit):
        cli.parser().parse_args([command, "--help"])
    return said.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_the_releases_on_the_readme_are_the_supported_ones() -> None:
    names = {target.name for target in REDHAT.targets.values()}
    fedoras = {"Fedora %d" % release for release in range(33, 46)}
    assert names == {"EL %d" % release for release in range(5, 11)} | fedoras
    text = docs.README.read_text(encoding="utf-8")
    assert "EL 5 to 10 and Fedora 33 to 45" in text
    assert "rhel5 to rhel10, fedora33 to fedora45, cloudlinux6 and ovz7" in REDHAT.known


def test_every_release_that_reads_ifcfg_has_its_row() -> None:
    assert all(READINGS.row(each) for each in EVERY if "ifcfg" in each.backends)
