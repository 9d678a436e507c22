"""What the documentation says is what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import docs
from cobbler_bridge import cli
from cobbler_bridge.backends.ifcfg import READERS
from cobbler_bridge.target import TARGETS

PAGES = [docs.README, *sorted((docs.ROOT / "docs").glob("*.md"))]


def test_the_page_of_variables_is_what_the_code_declares() -> None:
    assert docs.VARIABLES.read_text(encoding="utf-8") == docs.variables()


def test_the_readme_shows_what_the_pack_prints() -> None:
    text = docs.README.read_text(encoding="utf-8")
    assert text == docs.readme()
    assert "HWADDR=$mac1" in text
    assert "'br0;reboot' has ';' in it" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_call_of_the_command_is_one_it_takes(page: Path) -> None:
    calls = re.findall(r"cobbler-bridge ([a-z]+)([^`|\n]*)", page.read_text(encoding="utf-8"))
    usage = cli._parser().format_help()
    for command, options in calls:
        # a sentence may begin with the name of the project
        if command in ("render", "show", "install", "check", "place", "record", "uninstall"):
            assert re.search(r"\b%s\b" % command, usage), command
            for option in re.findall(r"--[a-z-]+", options):
                assert option in _help_of(command), (command, option)


def _help_of(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cobbler_bridge.cli", command, "--help"],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=str(docs.ROOT),
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_every_supported_release_is_on_the_readme() -> None:
    releases = {target.release for target in TARGETS.values()}
    assert releases == set(READERS)
    text = docs.README.read_text(encoding="utf-8")
    assert "EL 5, 6, 7 and 8" in text
    assert releases == {5, 6, 7, 8}
