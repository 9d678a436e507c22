"""One item that is unlike the others costs its own line: all others are served as before."""

import json
from typing import Any, Dict, Iterator, List

import pytest

from real.server import Server
from real.versions import Server40, with_the_pack


@pytest.fixture(params=["3.3.10", "4.0.0b7"])
def each_cobbler(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def any_server(each_cobbler: str) -> Iterator[Server]:
    """A Cobbler with the pack, a host and a guest of it."""
    with with_the_pack(each_cobbler) as server:
        server.profile("hosts", meta={"bridge": "br0"})
        server.system("kvm1", "hosts")
        server.system("web1", meta={"bridge_host": "kvm1"})
        server.installed("kvm1")
        yield server


def found(server: Server) -> Dict[str, List[str]]:
    """What check finds wrong with items, by subjects."""
    done = server.command("check", "--format=json", check=False)
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr == ""
    wrong: Dict[str, List[str]] = {}
    for each in json.loads(done.stdout):
        if each["subject"] == "settings" or each["field"] == "autoinstall":
            continue
        wrong.setdefault(each["subject"], []).append("%(field)s: %(wrong)s" % each)
    return wrong


def add(server: Server, kind: str, *of: str, **fields: Any) -> str:
    """Add an item without Cobbler's sync, which 4.0.0b7 can't do for images; returns its handle."""
    rpc, token, is_4 = server.cobbler.rpc, server.cobbler.token, isinstance(server, Server40)
    handle = str(rpc("new_" + kind, *of, token))
    for field, value in fields.items():
        assert rpc("modify_" + kind, handle, [field] if is_4 else field, value, token) is True
    assert rpc("save_" + kind, handle, *([False, False, "bypass"] * is_4), token) is True
    return handle


def add_image(server: Server) -> None:
    """An image with a variable, and systems of it: a host, a guest, and one that is neither."""
    path = "/var/lib/cobbler/disk.img"
    server.cobbler.path(path).write_text("image")
    image = add(server, "image", name="disk", file=path, autoinstall_meta={"bridge_mtu": "1400"})
    for name, own in (("im", {"bridge": "br0"}), ("web2", {"bridge_host": "kvm1"}), ("plain", {})):
        if isinstance(server, Server40):
            system = add(server, "system", name=name, image=image, autoinstall_meta=own)
            fields = {"name": "eth0", "mac_address": server.mac()}
            add(server, "network_interface", system, **fields)
        else:
            nic = {"macaddress-eth0": server.mac()}
            add(
                server,
                "system",
                name=name,
                image="disk",
                autoinstall_meta=own,
                modify_interface=nic,
            )


def test_systems_of_an_image(any_server: Server) -> None:
    """They work as far as Cobbler can: 3.3.10 can't blend them, 4.0.0b7 can't save them."""
    server, is_4 = any_server, isinstance(any_server, Server40)
    before = found(server)
    add_image(server)
    others = found(server)
    mine = {each: others.pop(each) for each in ("im", "web2") if each in others}
    assert (before, others) == ({}, {})
    why = "supported" if is_4 else "Cobbler can't put its data together"
    assert any(why in wrong for wrong in mine["im"])

    show = server.command("show").stdout
    assert "im      br0        -      not installed" in show
    assert ("  web2  eth0: -" if is_4 else "  web2  eth0: br0") in show
    for words in (["render", "--system=im"], ["record", "im"]):
        assert why in one_problem(server, "im", *words)
    assert server.command("record", "im", "--clear").returncode == 0
    place = server.command("place", check=False)
    assert [line.partition(":")[0] for line in place.stderr.splitlines()] == ["web2"] * is_4

    # what no plan depends on, and what one may
    server.command("set", "--system", "web2", "--unset", "bridge_host", "--dry-run")
    done = server.command("set", "--system", "*", "bridge_timeout=60", check=False)
    assert done.returncode == 1
    named = {line.partition(":")[0] for line in done.stderr.splitlines()}
    assert named == ({"im"} if is_4 else {"im", "plain", "web2"})
    assert ("bridge_timeout" in (server.meta("kvm1") or {})) is False
    assert (
        server.command("set", "--system", "kvm1", "bridge_timeout=60", check=False).returncode
        == is_4
    )
    server.command("render", "--system=kvm1")


def one_problem(server: Server, subject: str, *words: str) -> str:
    """The one line that a command has to say, of this object."""
    done = server.command(*words, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith(subject + ": ")
    return done.stderr


def test_fields_of_another_type() -> None:
    """3.2.3 takes them over XML-RPC, and saves them."""
    with with_the_pack("3.2.3") as server:
        server.profile("hosts", meta={"bridge": "br0"})
        server.system("kvm1", "hosts")
        server.installed("kvm1")
        server.system("bad", more={"virtbridge-eth0": ["a"], "interfacemaster-eth0": {}})
        server.system("worse", "hosts", more={"interfacemaster-eth0": {"a": "b"}})
        server.profile("lists")
        server.edit("profile", "lists", virt_bridge=["a"])
        server.cobbler.restart()
        assert found(server) == {
            "bad": ["virt_bridge of eth0: ['a'] is not a text"],
            "lists": ["virt_bridge: ['a'] is not a text"],
            "worse": ["interface_master of eth0: {'a': 'b'} is not a text"],
        }
        show = server.command("show").stdout
        assert "kvm1   br0      eth0   installed" in show
        server.command("place")
        server.command("record", "kvm1")
        server.command("set", "--system", "kvm1", "bridge_mtu=9000")


ALIKE = """
from cobbler_bridge.check import gather
from cobbler_bridge.description.describe import relevant
from cobbler_bridge.store.over_xmlrpc import XmlRpc

store = XmlRpc("http://127.0.0.1:25151")
systems = {system.name: system for system in store.systems()}


def said(data):
    # nobody tells what nobody has set
    found = {name: value for name, value in relevant(data).items() if value}
    for name, each in found["interfaces"].items():
        found["interfaces"][name] = {field: value for field, value in each.items() if value}
    return found


for names in (sorted(systems), sorted(systems, reverse=True)):
    blend = gather._blend(store, systems)
    for name in names:
        shared, own = said(blend("system", name)), said(store.blended("system", name))
        assert shared == own, (name, shared, own)
print(len(systems))
"""
OWN: List[Dict[str, Any]] = [
    {},
    {"name_servers": 5},
    {"os_version": "rhel9"},
    {"bridge_backend": "keyfile"},
    {"breed": "debian", "bridge": "br7"},
    {"gateway": "192.0.2.1", "http_server": "192.0.2.9", "name_servers_search": ["x.example"]},
    {"interfaces": {"br5": {"interface_type": "bridge"}}},
    {"!bridge": "", "my_bridge": "x", "system_name": "y", "name": "z"},
    {"virt_bridge": "br9", "bridge_opts": "priority=1", "bridge_opts_eth0": "stp=on"},
]


def test_alike_systems_share_nothing_of_their_own(any_server: Server) -> None:
    """What check looks at is what render blends, whichever of them is asked for first."""
    for number, own in enumerate(OWN):
        nics = ("eth0", "servers")[: 1 + number % 2]
        static = {"virtbridge-eth0": "br%d" % number, "ipaddress-eth0": "192.0.2.%d" % (number + 9)}
        any_server.system("s%d" % number, "hosts", own, nics, static)
    # what XML-RPC can carry, and JSON too
    deep: Any = "x"
    for _ in range(40):
        deep = [deep]
    any_server.system("s", "hosts", {"not": float("nan"), "endless": float("inf"), "deep": deep})
    assert set(found(any_server)) <= {"s%d" % number for number in range(len(OWN))}
    done = any_server.cobbler.run(["python", "-c", ALIKE])
    assert int(done.stdout) == len(OWN) + 3


def test_a_text_that_xml_cannot_carry(any_server: Server) -> None:
    """Nobody can read Cobbler's answer then; the one line says whose file it is."""
    server = any_server
    path = server.file_of("web1")
    data = json.loads(path.read_text())
    data["comment"] = "x\ud800"
    path.write_text(json.dumps(data))
    server.cobbler.restart()
    # what others ask for is told without it
    assert "kvm1" in server.command("show").stdout
    done = server.command("render", "--system", "web1", check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "the answer is no XML-RPC" in done.stderr
    assert "'web1': correct its file" in done.stderr
