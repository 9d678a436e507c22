"""``make bench`` runs and prints its tables; its numbers are for people."""

import re
import subprocess
import sys

import pytest

from real.server import REPOSITORY
from waiting import HANGS

SCRIPT = "cobbler-bridge install > /dev/null && python tools/bench.py --rounds 2 --systems 60 70"
CALLS = (
    "Cobbler's save, file only",
    "Cobbler's save, boot files too",
    "install/pre",
    "install/post, one guest placed",
    "add/system/post, guest placed",
    "install/post, fifty guests placed",
    "the same, placed once before",
    "Cobbler's save of a profile",
    "the same, what our trigger adds",
    "a save, neither host nor guest",
    "forged: a verified host's post",
    "forged: its firstboot again",
    "forged: another profile's post",
    "forged: from nobody's address",
    "forged: a name nobody has",
    "forged: a name that is none",
)
SNIPPETS = (
    "bare",
    "one_line",
    "bridge_setup",
    "post_install_network_config",
    "bridge_setup, the second time",
)
LAST = (
    r"  the first install/post of them all +\d+\.\d\d +\d+\.\d\d",
    r"  the slowest trigger but for fifty takes \d+\.\d\d times Cobbler's own save",
    r"  fifty guests: \d+\.\d of Cobbler's saves with boot files, \d+\.\d later",
    r"  a profile's save takes \d+ % longer",
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
    for kind in ("a bridge by variables", "a bond and two bridges"):
        at = lines.index("Rendering %s: CPU, median of 1 systems" % kind) + 1
        for name, line in zip(SNIPPETS, lines[at:]):
            pattern = "  %s%s ms   adds +-?\\d+\\.\\d\\d ms, +-?\\d+\\.\\d\\d times %s"
            assert re.fullmatch(pattern % (name, NUMBER, SNIPPETS[3]), line)
    heading = lines.index("One call of a trigger in milliseconds (median of 5, in turns)")
    assert lines[heading + 1].split() == ["systems", "60", "70", "last", ":", "first"]
    for name in CALLS:
        pattern = "  %s%s" % (re.escape(name), NUMBER * 3)
        assert len([line for line in lines if re.fullmatch(pattern, line)]) == 1, name
    for pattern in LAST:
        line = lines[len(lines) - len(LAST) + LAST.index(pattern)]
        assert re.fullmatch(pattern, line), line
