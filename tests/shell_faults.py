"""What goes wrong at one call of a command: it fails, a signal comes, or the power goes.

The commands become functions of the shell under test, so that counting them starts no program.
"""

import shutil
from pathlib import Path
from typing import Dict, Iterator, List, Sequence

import pytest

import scratch_machine as machine

COMMANDS = "cp ln mkdir mv rm".split()
# What else a state of the files may lie between
WRITERS = [*COMMANDS, "printf", "sed", "cat"]
EVERY = 1_000_000
# $1 is the command; the function that stands for it has no name that a script has
_HEAD = """\
fault_at() {
    read -r fault_now < '%(log)s'
    fault_now=$((fault_now + 1))
    echo "$fault_now" > '%(log)s'
    echo "$1" >> '%(log)s.names'
    %(what)s
    command "$@"
}
"""
_FUNCTION = '%s() { fault_at %s "$@"; }\n'


class Faults:
    """What is put before a script; ``log`` counts the calls."""

    def __init__(self, folder: Path, commands: Sequence[str] = COMMANDS) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "count"
        self._names = folder / "count.names"
        self._snapshots = folder / "snapshots"
        self._commands = list(commands)

    def _functions(self, what: str) -> str:
        self._log.write_text("0\n")
        self._names.write_text("")
        head = _HEAD % {"log": self._log, "what": what}
        return head + "".join(_FUNCTION % (each, each) for each in self._commands)

    def counted(self) -> int:
        return int(self._log.read_text())

    def called(self) -> List[str]:
        """The commands, in their order."""
        return self._names.read_text().split()

    def nothing(self) -> str:
        return self._functions("")

    def failing(self, *at: int) -> str:
        """These calls fail."""
        return self._functions("case $fault_now in %s) return 1 ;; esac" % "|".join(map(str, at)))

    def failing_from(self, at: int) -> str:
        return self._functions('[ "$fault_now" -lt %d ] || return 1' % at)

    def signal(self, name: str, at: int) -> str:
        return self._functions('[ "$fault_now" -ne %d ] || kill -%s $$' % (at, name))

    def snapshots_of(self, root: Path, step: int = 1) -> str:
        """The files are copied before each call, or before every so many."""
        shutil.rmtree(str(self._snapshots), ignore_errors=True)
        self._snapshots.mkdir()
        copy = "command cp -a '%s' '%s'/$fault_now" % (root, self._snapshots)
        return self._functions("[ $((fault_now %% %d)) -ne %d ] || %s" % (step, 1 % step, copy))

    def snapshots(self) -> Iterator[Path]:
        """Those that differ from the one before, in their order."""
        before: Dict[str, str] = {}
        for folder in sorted(self._snapshots.iterdir(), key=lambda path: int(path.name)):
            tree = machine.tree(folder)
            for path in ("calls", "synced"):
                tree.pop(path, None)
            if tree != before:
                yield folder
            before = tree


def how_many(sample: int, every: int = EVERY) -> pytest.MarkDecorator:
    """A sample, and for ``make test-thorough`` all, or so many where there is no end of them."""
    each = pytest.param(every, marks=pytest.mark.thorough, id="each")
    return pytest.mark.parametrize("wanted", [pytest.param(sample, id="sample"), each])


def spread(count: int, wanted: int, offset: int = 0) -> List[int]:
    """Numbers from 1 to ``count``, evenly spread."""
    step = max(1, count // wanted)
    return list(range(1 + offset % step, count + 1, step))
