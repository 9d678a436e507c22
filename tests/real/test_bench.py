"""``make bench`` runs and prints its tables; its numbers are for people."""

import re
import subprocess
import sys

import pytest

from real.server import REPOSITORY
from waiting import HANGS

SCRIPT = "cobbler-bridge install > /dev/null && python tools/bench.py --rounds 1 --systems 60 70"
CALLS = (
    "Cobbler's save, file only",
    "Cobbler's save, boot files too",
    "install/pre",
    "install/post, one guest placed",
    "add/system/post, guest placed",
    "install/post, fifty guests placed",
    "a save, neither host nor guest",
    "forged: a verified host's post",
    "forged: its firstboot again",
    "forged: another profile's post",
    "forged: from nobody's address",
    "forged: a name nobody has",
    "forged: a name that is none",
)
NUMBER = r" +\d+\.\d\d"


@pytest.mark.thorough
def test_a_host_that_runs() -> None:
    words = "tools/bench_switch.py --count 1 --reader networkd --address static".split()
    done = subprocess.run(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=str(REPOSITORY),
        timeout=HANGS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for kind in ("proof", "put back", "undo"):
        row = r"  networkd, static +%s +1 of 1 +\d+ +\d+ +\d+ +1 of 1 +\d+\.\d +\d+\.\d" % kind
        assert re.search(row, done.stdout), done.stdout


def test_tables() -> None:
    command = [sys.executable, "tools/private_cobbler.py", "--", "sh", "-c", SCRIPT]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=str(REPOSITORY),
        timeout=HANGS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Rendering one system's kickstart (median of 1, in turns)"
    for name in ("bare", "bridge_setup", "post_install_network_config"):
        pattern = "  %s%s ms   adds +-?\\d+\\.\\d\\d ms" % (name, NUMBER)
        assert len([line for line in lines if re.fullmatch(pattern, line)]) == 1, name
    heading = lines.index("One call of a trigger in milliseconds (median of 1, in turns)")
    assert lines[heading + 1].split() == ["systems", "60", "70", "last", ":", "first"]
    for name in CALLS:
        pattern = "  %s%s" % (re.escape(name), NUMBER * 3)
        assert len([line for line in lines if re.fullmatch(pattern, line)]) == 1, name
    first = re.escape("  the first install/post of them all") + NUMBER * 2
    assert re.fullmatch(first, lines[-2])
    assert re.fullmatch(
        r"  the slowest trigger but for fifty takes \d+\.\d\d times Cobbler's own save", lines[-1]
    )
