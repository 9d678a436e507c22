"""``cobbler-bridge check`` on a real inventory: every planted mistake, nothing on a clean one."""

import json
import time
from typing import Any, Dict, Iterator, List, Optional

import pytest

from private_cobbler import PrivateCobbler, change_settings
from real.server import MINIMAL, REPOSITORY, WHOLE, Server
from real.test_guests import rich_host

# of a Cobbler that only this machine can reach
ITSELF = "settings: server: is '127.0.0.1': every machine looks for Cobbler on itself; "


@pytest.fixture
def clean(server: Server) -> Iterator[Server]:
    """Hosts of every kind, and guests of each, all as they should be."""
    server.template("minimal", WHOLE)
    server.profile("hosts", meta={"bridge": "br0"})
    for name in ("kvm1", "kvm2", "waiting"):
        server.system(name, "hosts")
    rich_host(server)
    server.installed("kvm1", "kvm2", "kvm3")
    server.profile("guests", meta={"bridge_host": "kvm1"})
    server.system("web1", "guests", nics=("eth0", "eth1"))
    server.system("web2", meta={"bridge_host": "kvm2"}, more={"virtbridge-eth0": "br0"})
    server.system("web3", meta={"bridge_host": "kvm3"}, more={"ipaddress-eth0": "192.0.2.9"})
    server.system("plain")
    yield server
    server.template("minimal", MINIMAL)


def check(server: Server, *arguments: str) -> Dict[str, List[str]]:
    """The fields that are wrong, by their objects; the status and both formats must agree.

    What only waits is left out.
    """
    text = server.command("check", "--severity=warning", *arguments, check=False)
    json_ = ("--severity=warning", "--format=json")
    done = server.command("check", *json_, *arguments, check=False)
    data: List[Dict[str, Any]] = json.loads(done.stdout)
    assert (text.returncode, done.returncode) == ((1, 1) if data else (0, 0))
    for each in data:
        assert "%(field)s: %(wrong)s; %(right)s [%(id)s]\n" % each in text.stdout
    assert text.stdout.endswith(" looked at.\n")
    assert text.stderr == done.stderr == ""
    if not arguments or arguments[0].startswith("--"):
        assert data.pop(0)["id"] == "server-itself"
    found: Dict[str, List[str]] = {}
    for each in data:
        found.setdefault(each["subject"], []).append(each["field"])
    return found


def test_clean(clean: Server) -> None:
    assert check(clean) == {}
    clean.cobbler.restart()
    before = clean.disk()
    assert check(clean) == {}
    assert clean.disk() == before


def test_planted(clean: Server) -> None:
    host = {"bridge_host": "kvm1"}
    clean.system("g1", meta={"bridge_host": "nobody"})
    clean.system("g2", meta={"bridge_host": "waiting"})
    clean.system("nat", meta={"bridge_xen": "network-nat"})
    clean.system("g3", meta={"bridge_host": "nat"})
    for number, bridge in enumerate(("br9", "virbr0", "eth0", "br0,model=e1000"), 4):
        clean.system("g%d" % number, meta=host, more={"virtbridge-eth0": bridge})
    # without an interface first, as many do
    words = ["cobbler", "system", "add", "--name=g8", "--profile=guests"]
    clean.cobbler.run(words)
    mac = "--mac=" + clean.mac()
    clean.cobbler.run(["cobbler", "system", "edit", "--name=g8", "--interface=eth0", mac])
    clean.system("g9", meta={"bridge_host": "kvm3", "bridge_vlan": "77"})
    # what no trigger saw
    stored = clean.file_of("web1")
    stored.write_text(stored.read_text().replace('"virt_bridge": "br0"', '"virt_bridge": ""', 1))
    clean.template("without", WHOLE.replace("$SNIPPET('bridge_setup')", "true"))
    clean.profile("bare", meta={"bridge": "br0"}, template="without")
    clean.profile("wrong", meta={"bridge": "br 0"})
    clean.edit("system", "kvm2", autoinstall_meta={"bridge": "br5"})
    clean.cobbler.restart()
    assert check(clean) == {
        "g1": ["bridge_host"],
        "g3": ["bridge_host"],
        "g4": ["virt_bridge of eth0"],
        "g5": ["virt_bridge of eth0"],
        "g6": ["virt_bridge of eth0"],
        "g7": ["virt_bridge of eth0"],
        "g8": ["interface default"],
        "g9": ["virt_bridge of eth0"],
        "web1": ["virt_bridge of eth0"],
        "bare": ["autoinstall"],
        "wrong": ["bridge"],
        "kvm2": ["record"],
    }
    assert list(check(clean, "g4", "kvm1", "bare")) == ["bare", "g4"]
    assert list(check(clean, "bare", "--host=kvm3")) == ["bare", "g9"]
    g2 = clean.command("check", "g2")
    assert g2.stdout.startswith("waiting: g2: bridge_host: Cobbler knows no bridge of 'waiting'; ")
    done = clean.command("check", "nobody", "g1", check=False)
    assert done.stderr == "cobbler-bridge: no such system or profile: 'nobody'\n"
    assert (done.returncode, done.stdout) == (1, "")
    # from elsewhere
    assert "bare" in check(clean, "--server=http://127.0.0.1/cobbler_api")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("%packages", "%packages", None),
        (
            "$SNIPPET('bridge_setup')",
            "#if $getVar('hostname', '') == 'nobody'\n$SNIPPET('bridge_setup')\n#end if",
            "as Cobbler renders it has no $SNIPPET('bridge_setup')",
        ),
        (
            "%post",
            "%post --interpreter=/usr/bin/python3",
            "in its section '%post --interpreter=/us",
        ),
        ("$SNIPPET('bridge_setup')", "#$SNIPPET('bridge_setup')", "behind something else"),
        ("$SNIPPET('autoinstall_done')", "true", "doesn't tell Cobbler"),
        (
            "$SNIPPET('autoinstall_done')",
            "$SNIPPET('autoinstall_done')\n$SNIPPET('post_install_network_config')",
            "has $SNIPPET('post_install_network_config') behind",
        ),
        ("%post", "%post\n$SNIPPET('post_install_network_config')", None),
        ("$SNIPPET('bridge_packages')", "@core", "has no bridge-utils among its packages"),
        ("lang en_US.UTF-8", "$SNIPPET('bridge_network')", None),
        (
            "lang en_US.UTF-8",
            "$SNIPPET('bridge_network')\nnetwork --bootproto=dhcp --device=eth0",
            "has 'network --bootproto=dhcp --device=eth0' beside $SNIPPET('bridge_network')",
        ),
        ("lang en_US.UTF-8", "#if 1", "can't be rendered"),
    ],
)
def test_the_kickstart_as_rendered(clean: Server, old: str, new: str, words: Optional[str]) -> None:
    assert old in WHOLE
    clean.template("minimal", WHOLE.replace(old, new))
    said = clean.command("check", check=False).stdout.splitlines()
    said = [line for line in said if ": autoinstall: " in line and " kvm3: " not in line]
    assert [line.split()[1] for line in said] == ["hosts:"] * (words is not None), said
    assert words is None or words in said[0]


def test_a_server_without_the_pack_and_with_half_of_it(fresh: Server) -> None:
    subjects = check(fresh)
    assert subjects["settings"] == ["cheetah_import_whitelist"]
    names = {field.rpartition("/")[2] for field in subjects["server"]}
    folders = [REPOSITORY / name for name in ("scripts", "snippets", "triggers")]
    assert {path.name for folder in folders for path in folder.iterdir() if path.is_file()} <= names
    # not a moment after cobblerd
    time.sleep(0.1)
    fresh.command("install")
    found = check(fresh)
    assert found["server"] == ["cobblerd"]
    fresh.cobbler.restart()
    assert check(fresh) == {}
    snippet = fresh.cobbler.path("/var/lib/cobbler/snippets/bridge_setup")
    snippet.unlink()
    assert check(fresh) == {"server": ["/var/lib/cobbler/snippets/bridge_setup"]}
    fresh.command("install")
    settings = fresh.cobbler.path("/etc/cobbler/settings.yaml")
    settings.write_text(change_settings(settings.read_text(), {"run_install_triggers": False}))
    fresh.cobbler.restart()
    assert check(fresh) == {"settings": ["run_install_triggers"]}


ALIKE = """
from cobbler_bridge.check import gather
from cobbler_bridge.description.describe import describe
from cobbler_bridge.store.over_xmlrpc import XmlRpc

store, asked = XmlRpc("http://127.0.0.1:25151"), []
systems = {system.name: system for system in store.systems()}
shared = store.shared
store.shared = lambda system: asked.append(system.name) or shared(system)
blend = gather._blend(store, systems)
for name in systems:
    assert describe(blend("system", name)) == describe(store.blended("system", name)), name
print(*asked)
"""


def test_what_alike_systems_are_asked_for_once(clean: Server) -> None:
    clean.edit("system", "kvm2", gateway="192.0.2.1", autoinstall_meta={"bridge_mtu": "9000"})
    more = {"ipaddress-eth0": "192.0.2.20", "netmask-eth0": "255.255.255.0", "static-eth0": True}
    clean.system("kvm4", "hosts", nics=("eth0", "eth1"), more=more)
    clean.system("kvm5", "hosts", {"!bridge": "", "bridge_vlan": "5"})
    clean.system("kvm6", "hosts", {"bridge": "br6", "bridge_port": "eth0"})
    clean.system("wrong", "hosts", {"bridge_prot": "eth0"})
    clean.edit("system", "wrong", name_servers=["192.0.2.53"], server="192.0.2.99")
    done = clean.cobbler.run(["python", "-c", ALIKE])
    asked = done.stdout.split()
    assert len(set(asked) & {"kvm1", "kvm4", "kvm5", "kvm6"}) == 1
    assert {"kvm2", "kvm3", "wrong"} <= set(asked)


def many(server: Server, number: int) -> None:
    """So many guests of kvm0 to kvm19, written to the disk."""
    data = server.stored("web")
    for each in range(number):
        data.update(name="w%d" % each, uid="%032x" % each)
        data["interfaces"]["eth0"]["mac_address"] = "52:54:01:00:%02x:%02x" % divmod(each, 256)
        data["autoinstall_meta"]["bridge_host"] = "kvm%d" % (each % 20)
        server.file_of("w%d" % each).write_text(json.dumps(data))
    server.cobbler.restart()


def timed(server: Server) -> float:
    """Seconds of one check; something else of this machine's may be in them."""
    begin = time.monotonic()
    assert check(server) == {}
    return time.monotonic() - begin


def test_a_large_inventory() -> None:
    """No check looks at all systems for each: four times as many take no sixteen times as long."""
    with PrivateCobbler() as private:
        server = Server(private)
        server.install()
        server.add_releases()
        server.template("minimal", WHOLE)
        server.profile("hosts", meta={"bridge": "br0"})
        hosts = ["kvm%d" % each for each in range(20)]
        for name in hosts:
            server.system(name, "hosts")
        server.installed(*hosts)
        server.system("web", meta={"bridge_host": "kvm0"})
        many(server, 250)
        few = min(timed(server) for _ in range(3))
        many(server, 1000)
        assert any(timed(server) < 8 * few for _ in range(3))
