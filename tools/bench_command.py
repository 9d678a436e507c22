"""What the command costs, with cobblerd, on a Cobbler of many systems: a part of ``make bench``.

A tenth of the systems are hosts, the others their guests. CPU of both processes together, and the
most memory that the command had; ``get_systems`` alone is Cobbler's own price of knowing them all.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from private_cobbler import PrivateCobbler  # noqa: E402
from real.server import WHOLE, Server  # noqa: E402

COMMANDS = (
    ["show", "kvm7"],
    ["render", "--system=kvm7", "--format=sh"],
    ["check", "kvm7"],
    ["check", "web7"],
    ["check", "--host=kvm7"],
    ["record", "kvm7", "--dry-run"],
    ["place", "--host=kvm7", "--dry-run"],
    ["set", "--system=kvm7", "bridge_mtu=9000", "--dry-run"],
    ["show"],
    ["check"],
)
GET_SYSTEMS = "import xmlrpc.client as x; x.ServerProxy('http://127.0.0.1:25151').get_systems()"
# runs inside, beside cobblerd: a command's seconds of CPU, cobblerd's, and the command's kilobytes
PROBE = """
import json, os, resource, subprocess, sys
from cobbler_bridge.check.server import _since

(daemon,) = [each for each in filter(str.isdigit, os.listdir("/proc")) if _since(each) is not None]

def used():
    with open("/proc/%s/stat" % daemon) as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

before = used()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
own = resource.getrusage(resource.RUSAGE_CHILDREN)
words = own.ru_utime + own.ru_stime, used() - before, own.ru_maxrss
json.dump(words, sys.stdout)
"""


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with PrivateCobbler() as private:
        server = Server(private)
        server.install()
        server.add_releases()
        server.template("minimal", WHOLE)
        server.profile("hosts", meta={"bridge": "br0"})
        server.profile("guests")
        server.system("kvm0", "hosts")
        server.installed("kvm0")
        server.system("web0", "guests", meta={"bridge_host": "kvm0"})
        fill(server, options.systems)
        private.restart()
        table(private, options.systems, options.rounds)
    return 0


def table(private: PrivateCobbler, systems: int, rounds: int) -> None:
    """A row for each command."""
    title = "%d systems, seconds of CPU" % systems
    print("%-46s %8s %8s %8s %8s" % (title, "command", "cobblerd", "together", "MB"))
    calls = {" ".join(words): ["cobbler-bridge", *words] for words in COMMANDS}
    for name, words in [("get_systems alone", ["python", "-c", GET_SYSTEMS]), *calls.items()]:
        often = 1 if len(words) == 2 or words[0] == "python" else rounds
        own, daemon, kilobytes = min(measured(private, words) for _ in range(often))
        row = (name, own, daemon, own + daemon, kilobytes / 1024)
        print("  %-44s %8.2f %8.2f %8.2f %8.0f" % row, flush=True)


def measured(private: PrivateCobbler, words: List[str]) -> List[float]:
    """Seconds of CPU of a command and of cobblerd, and its kilobytes."""
    found: List[float] = json.loads(private.run(["python", "-c", PROBE, *words]).stdout)
    return found


def fill(server: Server, number: int) -> None:
    """So many systems, and what is remembered of each, on the disk."""
    folder, ledger = server.file_of("kvm0").parent, server.ledger()[0].parent
    samples = {name: server.stored(name) for name in ("kvm0", "web0")}
    entries = {
        path.name.partition("=")[0]: json.loads(path.read_text()) for path in server.ledger()
    }
    for each in range(1, number):
        host = each // 10
        of, name = ("kvm0", "kvm%d" % host) if each % 10 == 0 else ("web0", "web%d" % each)
        mac = "52:54:01:%02x:%02x:%02x" % (each >> 16, each >> 8 & 255, each & 255)
        nic = dict(samples[of]["interfaces"]["eth0"], mac_address=mac)
        data = dict(samples[of], name=name, uid="%032x" % each, interfaces={"eth0": nic})
        if of == "web0":
            data["autoinstall_meta"] = {"bridge_host": "kvm%d" % host}
        (folder / (name + ".json")).write_text(json.dumps(data))
        entry = dict(entries[of], name=name, uid=data["uid"])
        (ledger / ("%s=%s.json" % (name, data["uid"]))).write_text(json.dumps(entry))


if __name__ == "__main__":
    raise SystemExit(main())
