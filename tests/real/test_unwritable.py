"""The check where a file, or its whole folder, can't be written: one network is whole."""

import subprocess
from pathlib import Path

import pytest

import scratch_machine as machine
from test_firstboot import CHECK, SCRIPTS, Machine, parts
from test_firstboot_faults import is_running, unproved
from waiting import HANGS

# Neither to be written to, nor renamed or removed
HOW = {
    "mounted": 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99\n',
    # a link can't be
    "immutable": 'trap \'chattr -fR -i "$place"\' EXIT; chattr -fR +i "$1" || [ -d "$1" ]\n',
}
PLACES = [
    # the old network's
    SCRIPTS + "/ifcfg-eth0",
    "etc/sysconfig/network",
    # ours
    SCRIPTS + "/ifcfg-br0",
    # all of them
    SCRIPTS,
    "etc/sysconfig",
    "etc",
]


def check_beside(host: Machine, how: str, place: Path) -> machine.Run:
    text = 'place=$1\n%sshift\n"$@"' % HOW[how]
    words = ["unshare", "-m", "sh", "-c", text, "sh", str(place)]
    done = subprocess.run(
        [*words, *host.sh, str(host.root / CHECK)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        env={"BRIDGE_ROOT": str(host.root), "PATH": "%s:/usr/bin:/bin" % (host.root / "bin")},
        timeout=HANGS,
        check=False,
    )
    return machine.Run(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("shell_name", machine.SHELLS)
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("place", PLACES)
def test_read_only(place: str, how: str, shell_name: str, tmp_path: Path) -> None:
    host = unproved(tmp_path / "host", shell_name)
    new = parts(host.etc())
    assert (host.root / place).exists()
    run = check_beside(host, how, host.root / place)
    # whichever network is there, this is none that was proved
    assert run.status == 1
    after = parts(host.etc())
    assert after in (parts(host.old), new), run
    assert ("can't be put back" in run.output) == (after == new)
    assert is_running(host)
    # and once it can be written
    if after == new:
        host.shows("4.addr.br0", "")
        host.check()
    assert parts(host.etc()) == parts(host.old)
