"""What it costs to switch a host that runs: a part of ``make bench``.

A throw-away machine for each reader of network files is given a bridge, and its old network back,
in turns. A far side pings it each 10 ms and holds a TCP session all the while. The times are those
of one run: of the switch to the proof, of a description that is wrong to the old network, of
``undo``.
"""

import argparse
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from cobbler_bridge.apply import over_ssh  # noqa: E402
from cobbler_bridge.snippet import bridge_setup  # noqa: E402
from network_namespace import Machine, with_layer  # noqa: E402
from real import test_ifupdown, test_netplan, test_networkmanager, test_running_host  # noqa: E402
from real.running import seen  # noqa: E402
from real.test_firstboot_systemd import Booting  # noqa: E402
from systemd_machine import SystemdMachine  # noqa: E402
from waiting import wait_for  # noqa: E402

ADDRESS = "10.99.0.20"
GATEWAY = test_networkmanager.GATEWAY
STATIC = "%s/24,%s" % (ADDRESS, GATEWAY)
# of the far side, where nobody answers
WRONG = "%s/24,10.99.0.77" % ADDRESS
SECONDS = 10
STATE = "/var/lib/cobbler-bridge"

KEYFILE = test_networkmanager.INSTALLERS_PROFILE.replace(
    "[ipv4]\nmethod=auto", "[ipv4]\nmethod=manual\naddress1=" + STATIC
)
NETPLAN = """\
network:
  version: 2
  ethernets:
    eth0:
      addresses: [%s/24]
      routes: [{to: 0.0.0.0/0, via: %s}]
""" % (ADDRESS, GATEWAY)
STATIC = "auto eth0\niface eth0 inet static\n    address %s/24\n    gateway %s" % (
    ADDRESS,
    GATEWAY,
)


class Reader(NamedTuple):
    """What reads the network's files, and a machine that it runs."""

    name: str
    target: Dict[str, str]
    machine: Callable[[], Machine]
    host: Callable[[Machine, SystemdMachine, bool], Booting]


def _networkmanager(machine: Machine, system: SystemdMachine, lease: bool) -> Booting:
    class Host(test_running_host.Running):
        def prepare(self) -> None:
            if not lease:
                self.write(test_networkmanager.INSTALLERS, KEYFILE, 0o600)
            super().prepare()

    return Host(machine, system)


def _networkd(machine: Machine, system: SystemdMachine, lease: bool) -> Booting:
    host = test_netplan.Running(machine, system)
    host.installers = host.installers if lease else NETPLAN
    return host


def _ifupdown(machine: Machine, system: SystemdMachine, lease: bool) -> Booting:
    host = test_ifupdown.Running(machine, system)
    host.of_the_nic = test_ifupdown.BY_NETWORKING if lease else STATIC
    return host


READERS = (
    Reader("NetworkManager", {"breed": "redhat", "os_version": "rhel9"}, Machine, _networkmanager),
    Reader(
        "networkd",
        {"breed": "debian", "os_version": "bookworm"},
        lambda: with_layer("layer-netplan"),
        _networkd,
    ),
    Reader(
        "ifupdown",
        {"breed": "debian", "os_version": "bullseye"},
        lambda: with_layer("layer-ifupdown"),
        _ifupdown,
    ),
)


class Switch(NamedTuple):
    """One conversion: whether it ended as it should, its time in seconds, what the far side saw."""

    well: bool
    seconds: float
    far: Dict[str, Any]
    said: str = ""


class Rig:
    """A machine that is switched, and who looks at it."""

    def __init__(self, host: Booting, reader: Reader, lease: bool) -> None:
        self.host, self.reader, self.lease = host, reader, lease
        self.scripts = {
            name: self.script(ipv4) for name, ipv4 in (("right", STATIC), ("wrong", WRONG))
        }
        if lease:
            self.scripts["right"] = self.script("dhcp")
        host.machine.write("/tmp/undo", over_ssh.UNDO)

    def script(self, ipv4: str) -> str:
        """One for a bridge with this address."""
        known = {"profile_name": "hosts", "bridge": "br0", "bridge_firewall": "none"}
        known.update(http_server=GATEWAY, bridge_timeout=str(SECONDS), bridge_ipv4=ipv4)
        return bridge_setup({**known, **self.reader.target})

    def switch(self, which: str) -> Switch:
        """Run a script: the right one ends with a proof, the wrong one with the old network."""
        self.host.machine.write("/tmp/script", self.scripts[which])
        done = self._seen("sh", "/tmp/script")
        words = "is proved" if which == "right" else "the old network is back"
        return done._replace(well=words in done.said)

    def undo(self) -> Switch:
        """Have it put back what it had before."""
        done = self._seen("sh", "/tmp/undo", "hosts")
        return done._replace(well="the old network is back" in done.said)

    def _seen(self, *words: str) -> Switch:
        machine = self.host.machine
        device = "br0" if machine.path("/sys/class/net/br0").exists() else "eth0"
        assert wait_for(lambda: self.host.addresses(device), 60)
        (address,) = [each.split("/")[0] for each in self.host.addresses(device)]
        seconds = 0.0

        def run() -> str:
            nonlocal seconds
            began = time.monotonic()
            said = self.host.system.run("sh", "-c", '"$@" 2>&1', "sh", *words, check=False)
            seconds = time.monotonic() - began
            # what comes after it is seen too
            time.sleep(1)
            return said

        said, far = seen(machine, address, run)
        # nothing is begun before Cobbler was told
        waits = machine.path(STATE + "/expected")
        assert wait_for(lambda: not waits.exists(), 60), self.host.said()
        return Switch(False, seconds, far, said)


def measured(reader: Reader, count: int, lease: bool, verbose: bool) -> Dict[str, List[Switch]]:
    """Conversions of one machine, there and back; each tenth one is wrong before."""
    found: Dict[str, List[Switch]] = {"proof": [], "put back": [], "undo": []}
    with ExitStack() as stack:
        machine = stack.enter_context(reader.machine())
        system = stack.enter_context(SystemdMachine(machine))
        host = reader.host(machine, system, lease)
        host.install()
        rig = Rig(host, reader, lease)
        for number in range(count):
            runs: List[Sequence[Any]] = [("proof", rig.switch, "right"), ("undo", rig.undo)]
            if number % 10 == 0:
                runs.insert(0, ("put back", rig.switch, "wrong"))
            for kind, run, *words in runs:
                done = run(*words)
                found[kind].append(done)
                if verbose or not done.well:
                    print(
                        reader.name,
                        kind,
                        done.well,
                        "%.1f" % done.seconds,
                        done.far,
                        file=sys.stderr,
                    )
                if not done.well:
                    print(done.said, host.said(), file=sys.stderr)
    return found


def percentile(values: Sequence[float], of: int) -> float:
    """The smallest value that so many of a hundred are not above."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * of // 100) - 1)]


def row(name: str, kind: str, runs: Sequence[Switch]) -> str:
    """A line of the table."""
    outages = [each.far["outage"] for each in runs]
    return "  %-24s %-9s %3d of %-3d %6d %6d %6d %7d of %-3d %7.1f %6.1f" % (
        name,
        kind,
        sum(each.well for each in runs),
        len(runs),
        statistics.median(outages),
        percentile(outages, 99),
        max(outages),
        sum(each.far["session"] for each in runs),
        len(runs),
        statistics.median(each.seconds for each in runs),
        max(each.seconds for each in runs),
    )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--reader", choices=[each.name for each in READERS], action="append")
    parser.add_argument("--address", choices=["static", "lease"], action="append")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    print("Hosts that run, switched to a bridge and back; outage in ms as a far side sees it,")
    print("  which pings each 10 ms; the script's seconds, or those of undo")
    heading = ("", "", "well", "median", "p99", "most", "sessions", "seconds", "most")
    print("  %-24s %-9s %10s %6s %6s %6s %14s %7s %6s" % heading)
    for reader in READERS:
        if options.reader and reader.name not in options.reader:
            continue
        for address in options.address or ["static", "lease"]:
            found = measured(reader, options.count, address == "lease", options.verbose)
            for kind, runs in found.items():
                print(row("%s, %s" % (reader.name, address), kind, runs), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
