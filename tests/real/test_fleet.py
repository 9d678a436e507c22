"""``cobbler-bridge apply`` to many hosts from a private Cobbler, whose ssh plays the hosts."""

import json
import re
from pathlib import Path
from typing import Dict, List

import pytest

from real.server import Server
from waiting import wait_for

# It has what OpenSSH's client is given. A host has its bridge when its script was carried out, and
# puts the old network back where that has the wrong gateway; by a file somebody has it send a
# signal to who called.
SSH = """\
#!/bin/sh
folder=${0%/*}
while [ "$1" != -- ]; do shift; done
host=$2 word=${3##* }
program=$(cat)
proved=$folder/$host.proved
echo "$host $word" >> "$folder/asked"
is=$(printf '%s' "$program" | cksum)
case $word in
look) [ "$(cat "$proved" 2> /dev/null)" = "$is" ] || echo /etc/x ;;
apply)
    if read -r signal 2> /dev/null < "$folder/$host.signal"; then
        rm "$folder/$host.signal"
        kill -"$signal" "$PPID"
        sleep 1
    fi
    case $program in
    *10.0.0.77*)
        echo "cobbler-bridge: the old network is back: the gateway 10.0.0.77 does not answer"
        exit 1
        ;;
    esac
    printf '%s' "$is" > "$proved"
    echo "cobbler-bridge: br0 is proved"
    ;;
*) [ -e "$proved" ] ;;
esac
"""
APPLY = 'PATH=$0:$PATH exec cobbler-bridge apply "$@"'
WRONG = {"bridge_ipv4": "10.0.0.9/24,10.0.0.77"}


class Fleet:
    """Hosts of a profile, and what they were asked."""

    def __init__(self, server: Server, folder: Path, number: int) -> None:
        self.server, self.folder = server, folder
        (folder / "ssh").write_text(SSH)
        (folder / "ssh").chmod(0o755)
        self.names = ["kvm%02d" % each for each in range(1, number + 1)]
        server.profile("hosts", "rhel9", {"bridge": "br0"})
        for name in self.names:
            server.system(name, "hosts")
        self.report = folder / "report.json"

    def apply(self, *words: str) -> int:
        """Switch them; returns the status."""
        (self.folder / "asked").write_text("")
        argv = ["sh", "-c", APPLY, str(self.folder), "--profile", "hosts"]
        argv += ["--report", str(self.report), *words]
        done = self.server.cobbler.run(argv, check=False)
        self.said = done.stdout + done.stderr
        return done.returncode

    def signal(self, name: str, signal: str) -> None:
        (self.folder / (name + ".signal")).write_text(signal + "\n")

    def asked(self, word: str) -> List[str]:
        lines = (self.folder / "asked").read_text().splitlines()
        return sorted(line.split()[0] for line in lines if line.endswith(" " + word))

    def outcomes(self) -> Dict[str, str]:
        """By the report."""
        return {each["host"]: each["outcome"] for each in json.loads(self.report.read_text())}

    def count(self) -> Dict[str, int]:
        kinds = list(self.outcomes().values())
        return {kind: kinds.count(kind) for kind in kinds}

    def states(self) -> Dict[str, int]:
        """By Cobbler."""
        states = [str(self.server.state(name)) for name in self.names]
        return {state: states.count(state) for state in states}


def test_the_23rd_of_40_is_wrong(server: Server, tmp_path: Path) -> None:
    fleet = Fleet(server, tmp_path, 40)
    server.edit("system", "kvm23", autoinstall_meta=WRONG)
    assert fleet.apply("--wave", "10") == 1
    assert fleet.count() == {"verified": 29, "failed": 1, "untouched": 10}
    outcomes = fleet.outcomes()
    assert {outcomes[name] for name in fleet.names[:20]} == {"verified"}
    assert outcomes["kvm23"] == "failed"
    assert {outcomes[name] for name in fleet.names[30:]} == {"untouched"}
    why = "the old network is back: the gateway 10.0.0.77 does not answer"
    assert re.search("^kvm23 +failed +[0-9]+ +%s$" % why, fleet.said, re.M), fleet.said
    assert re.search("^kvm31 +untouched +- +an earlier host did not end well$", fleet.said, re.M)
    assert fleet.said.count("] kvm") == 30
    # nobody asked them anything, and nothing is noted
    assert fleet.asked("look") == fleet.asked("apply") == fleet.names[:30]
    assert fleet.states() == {"br0/verified": 29, "/failed": 1, "None": 10}

    server.edit("system", "kvm23", autoinstall_meta={})
    assert fleet.apply("--wave", "10") == 0
    assert fleet.count() == {"nothing to do": 29, "verified": 11}
    # what is verified is asked, and not touched again
    assert fleet.asked("apply") == ["kvm23", *fleet.names[30:]]
    assert fleet.states() == {"br0/verified": 40}


@pytest.mark.parametrize("signal", ["INT", pytest.param("TERM", marks=pytest.mark.thorough)])
def test_stopped(signal: str, server: Server, tmp_path: Path) -> None:
    """What is at work is waited for and noted; the rest is untouched."""
    fleet = Fleet(server, tmp_path, 9)
    fleet.signal("kvm05", signal)
    assert fleet.apply("--wave", "3") == 130
    assert "no further host is begun" in fleet.said
    assert fleet.count() == {"verified": 6, "untouched": 3}
    assert re.search("^kvm07 +untouched +- +it was stopped$", fleet.said, re.M), fleet.said
    assert fleet.states() == {"br0/verified": 6, "None": 3}
    assert fleet.apply("--wave", "3") == 0
    assert fleet.count() == {"nothing to do": 6, "verified": 3}
    assert fleet.asked("apply") == fleet.names[6:]


def test_killed(server: Server, tmp_path: Path) -> None:
    """Hosts end what they have begun; what Cobbler has not heard it is told by the next run."""
    fleet = Fleet(server, tmp_path, 9)
    fleet.signal("kvm05", "KILL")
    assert fleet.apply("--wave", "3") not in (0, 1)
    done = (tmp_path / "kvm05.proved").exists
    assert wait_for(done)
    assert server.state("kvm05") == "/applying"
    # as far as it had come
    assert set(fleet.outcomes()) <= set(fleet.names[:6])
    assert fleet.apply("--wave", "3") == 0
    assert "kvm05" not in fleet.asked("apply")
    assert fleet.outcomes()["kvm05"] == "nothing to do"
    assert fleet.states() == {"br0/verified": 9}


def test_a_report_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    """Nothing is begun: nobody wants to hear it at the end."""
    fleet = Fleet(server, tmp_path, 1)
    fleet.report = tmp_path / "nowhere/report.json"
    assert fleet.apply() == 2
    assert "--report %s: No such file or directory" % fleet.report in fleet.said
    assert fleet.asked("look") == []
