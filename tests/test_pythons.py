"""The tests that need no Cobbler, on the oldest and the newest Python; thorough: on each."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from environments import PYTHONS, pure_python
from scratch_machine import SHELLS

ROOT = Path(__file__).parent.parent
# what has another subject than Python, or is run on this one by starting others
ELSEWHERE = {
    "test_anaconda.py": "pykickstart, which is for the newest Pythons only",
    "test_cases.py": "shells, on bytes that test_style.py compares between Pythons",
    "test_docs.py": "the documentation",
    "test_firstboot.py": "shells",
    "test_firstboot_faults.py": "shells",
    "test_pythons.py": "this",
    "test_running_host.py": "shells",
    "test_runtime.py": "shells",
    "test_undo.py": "shells",
    "test_section.py": "shells",
    "test_shell.py": "shells",
    "test_style.py": "tools for the newest Pythons only",
    "test_watch.py": "shells",
    "test_which_profile.py": "shells",
}
# nor of these files what a shell does: the text that it reads is the same on each Python
NO_SHELLS = " and ".join("not %s" % shell for shell in SHELLS)
# the oldest one; the newest is not much newer than the one that runs all tests
EACH = [
    pytest.param(each, marks=pytest.mark.thorough if number else [])
    for number, each in enumerate(PYTHONS)
]
FILES = sorted(path.name for path in (ROOT / "tests").glob("test_*.py"))


@pytest.mark.parametrize("version", EACH)
def test_pure_tests(version: str) -> None:
    python = pure_python(version)
    if not python.exists() and not os.environ.get("CI"):
        pytest.skip("no Python %s here, or not yet: make .venv/all-versions" % version)
    files = ["tests/" + name for name in FILES if name not in ELSEWHERE]
    options = ["-q", "--quick", "-p", "no:cacheprovider", "-k", NO_SHELLS]
    done = subprocess.run(
        [str(python), "-m", "pytest", *options, *files],
        cwd=str(ROOT),
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    passed = re.search(r"^(\d+) passed[, ]", done.stdout, re.MULTILINE)
    assert passed, done.stdout[-3000:]
    assert int(passed.group(1)) > 300


def test_what_runs_elsewhere_is_there() -> None:
    assert set(ELSEWHERE) <= set(FILES)
