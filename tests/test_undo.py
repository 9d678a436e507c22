"""What stood before the bridge is put back on request, also by one that is killed meanwhile."""

import shutil
from pathlib import Path

import pytest

import scratch_machine as machine
from test_firstboot import CHECK, STATE, Machine, parts

# the check is killed when it calls a command for the time that is named
KILLED = """#!/bin/sh
count=$(/bin/cat "$BRIDGE_ROOT/cut")
echo $((count - 1)) > "$BRIDGE_ROOT/cut"
[ "$count" != 1 ] || kill -9 "$PPID"
exec %s "$@"
"""


def proved(folder: Path) -> Machine:
    """A host that has proved its bridge, and goes on looking at it."""
    host = Machine(folder, machine.SHELLS["dash"], bridge_watch="yes")
    host.booted()
    assert host.check().status == 0
    return host


@pytest.mark.slow
@pytest.mark.parametrize("comes_up", [True, False])
@pytest.mark.parametrize("command", ["mv", "rm", "cp"])
def test_killed_at_each_call(command: str, comes_up: bool, tmp_path: Path) -> None:
    """The next boot goes on: the old network is there and nothing of ours, or the bridge is."""
    for at in range(1, 400, 6):
        host = proved(tmp_path / str(at))
        ours = host.etc()
        if not comes_up:
            shutil.rmtree(str(host.root / "ip/old"))
        (host.root / "cut").write_text("%d\n" % at)
        program = host.root / "bin" / command
        program.write_text(KILLED % shutil.which(command))
        program.chmod(0o755)
        killed = host.check_with("undo").status < 0
        program.unlink()
        if (host.root / CHECK).exists() and (killed or not comes_up):
            host.check()
        left = set(host.state()) & {"expected", "unfinished", "laid", "back", "undoing"}
        if parts(host.etc()) == parts(host.old):
            assert comes_up, at
            assert not left - {"undoing"}, (at, left)
            assert not (host.root / STATE / "proved").exists(), at
        else:
            assert host.etc() == ours, at
            assert not left, (at, left)
            assert (host.root / STATE / "proved").exists(), at
            assert (host.root / STATE / "undo/changes").exists(), at
        if int((host.root / "cut").read_text()) > 0:
            # there are no more calls
            break
    else:
        raise AssertionError("it was killed each time")
