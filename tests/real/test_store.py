"""Cobbler's objects in process and over XML-RPC: the same tests on both ways."""

import json
import sys
from pathlib import Path
from typing import Any, Callable, List

import pytest

from real.server import Server

CALLS = str(Path(__file__).with_name("store_calls.py"))
Ask = Callable[..., List[Any]]


@pytest.fixture(params=["in process", "XML-RPC"])
def ask(server: Server, request: pytest.FixtureRequest) -> Ask:
    """Calls methods of the store and returns their answers; cobblerd starts again afterwards."""

    def call(*calls: List[Any]) -> List[Any]:
        command = [sys.executable, CALLS, request.param]
        done = server.cobbler.run(command, input=json.dumps(calls))
        server.cobbler.restart()
        answers: List[Any] = json.loads(done.stdout.splitlines()[-1])
        return answers

    return call


@pytest.fixture
def objects(server: Server) -> Server:
    """A host, a guest of its own word, one of its profile's, and one of neither."""
    server.system("kvm1", meta={"bridge": "br0", "bridge_record": "br0/installed/x"})
    server.profile("guests", meta={"bridge_host": "kvm1", "colour": "red"})
    more = {
        "virtbridge-eth1": "br9",
        "ipaddress-eth0": "192.0.2.7",
        "ipv6address-eth0": "2001:db8::7",
        "interfacetype-bond0": "bond",
        "virtbridge-bond0": "br8",
    }
    server.system("web1", meta={"bridge_host": "kvm1"}, nics=("eth0", "eth1"), more=more)
    server.system("web2", "guests", {"size": "2"})
    server.system("web3", "guests", {"!bridge_host": "~"})
    return server


def test_a_system(objects: Server, ask: Ask) -> None:
    one, none = ask(["system", "web1"], ["system", "nobody"])
    assert none is None
    name, profile, meta, own, interfaces, created, template = one
    assert template == "/minimal.ks"
    assert (name, profile, own["bridge_host"]) == ("web1", "rhel7", "kvm1")
    assert meta["tree"] == "http://127.0.0.1/cblr/links/tree"
    assert "tree" not in own
    assert created == objects.stored("web1")["ctime"]
    mac = {nic: f["mac_address"] for nic, f in objects.stored("web1")["interfaces"].items()}
    assert [each[0] for each in interfaces] == ["bond0", "eth0", "eth1"]
    assert interfaces[1][:5] == ["eth0", "na", "br0", ["192.0.2.7", "2001:db8::7"], mac["eth0"]]
    assert interfaces[2][:3] == ["eth1", "na", "br9"]
    assert interfaces[0][:2] == ["bond0", "bond"]


def test_guests_and_the_setting(objects: Server, ask: Ask) -> None:
    answers = ask(["guests_of", "kvm1"], ["guests_of", "nobody"], ["default_bridge"])
    assert answers == [["web1", "web2"], [], "xenbr0"]


def test_blended_data(objects: Server, ask: Ask) -> None:
    system, profile, none = ask(
        ["blended", "system", "web2"], ["blended", "profile", "guests"], ["blended", "system", "x"]
    )
    assert none is None
    assert (system["colour"], system["size"], system["name"]) == ("red", "2", "web2")
    assert list(system["interfaces"]) == ["eth0"]
    assert (profile["colour"], profile["name"]) == ("red", "guests")
    assert "size" not in profile


def test_only_what_is_ours_is_written(objects: Server, ask: Ask) -> None:
    """And no other object, over XML-RPC too, where Cobbler's triggers run."""
    objects.edit("system", "web1", comment="eine Brücke", kernel_options={"a": "1"})
    before = objects.disk()
    fields = objects.stored("web1")
    ask(["write", "web1", {"eth0": "br5"}, {"bridge_placed": "eth0:br5"}])
    after = objects.stored("web1")
    fields["interfaces"]["eth0"]["virt_bridge"] = after["interfaces"]["eth0"]["virt_bridge"]
    fields["autoinstall_meta"]["bridge_placed"] = after["autoinstall_meta"]["bridge_placed"]
    assert after.pop("mtime") > fields.pop("mtime")
    assert after == fields
    changed = {path for path, content in objects.disk().items() if before[path] != content}
    assert changed == {"systems/web1.json"}


def test_variables_that_come_and_go(objects: Server, ask: Ask) -> None:
    ask(["write", "kvm1", {}, {"bridge_record": "br1/installed/y", "bridge_placed": "eth0:br1"}])
    assert objects.meta("kvm1")["bridge_record"] == "br1/installed/y"
    ask(["write", "kvm1", {}, {"bridge_record": None}])
    objects.edit("system", "kvm1", comment="saved")
    assert objects.meta("kvm1") == {"bridge": "br0"}


@pytest.mark.parametrize("nics", [(), ("eth0",), ("eth0", "eth1", "eth2")])
def test_interfaces_are_neither_made_nor_lost(objects: Server, ask: Ask, nics: Any) -> None:
    objects.system("odd", nics=nics)
    objects.edit("system", "odd", autoinstall_meta="<<inherit>>")
    before = list(objects.stored("odd")["interfaces"])
    for state in "xy":
        ask(["write", "odd", {}, {"bridge_record": "br0/installed/" + state}])
        assert objects.meta("odd") == {"bridge_record": "br0/installed/" + state}
        assert list(objects.stored("odd")["interfaces"]) == before


def test_one_system_is_read_without_all_the_others(objects: Server) -> None:
    """Over XML-RPC, where all of them take seconds: for each guest that is placed."""
    script = (
        "import sys; sys.path.insert(0, %r)\n"
        "from store_calls import store\n"
        "at, asked = store('XML-RPC'), []\n"
        "items = at._items.items\n"
        "at._items.items = lambda kind: asked.append(kind) or items(kind)\n"
        "one = at.system('web2')\n"
        "at.write('web2', {'eth0': 'br7'}, {'size': '3'})\n"
        "print(*asked)\n"
        "assert at.system('nobody') is at.system('') is None\n"
        "assert one == {each.name: each for each in at.systems()}['web2']._replace(\n"
        "    own_meta=one.own_meta, meta=one.meta, interfaces=one.interfaces)\n"
        "assert one.meta['colour'] == 'red'\n"
    ) % str(Path(CALLS).parent)
    done = objects.cobbler.run([sys.executable, "-c", script])
    assert done.stdout.split() == ["distro", "profile"]


def test_an_edit_in_between_is_not_lost(objects: Server) -> None:
    """Over XML-RPC: what somebody else set after we had read is still there."""
    script = (
        "import sys; sys.path.insert(0, %r)\n"
        "from store_calls import store\n"
        "at, other = store('XML-RPC'), store('XML-RPC')\n"
        "at.system('web2')\n"
        "other.write('web2', {'eth0': 'br7'}, {'size': '3', 'more': '1'})\n"
        "at.write('web2', {}, {'bridge_placed': 'eth0:br7'})\n"
    ) % str(Path(CALLS).parent)
    objects.cobbler.run([sys.executable, "-c", script])
    assert objects.bridges("web2") == {"eth0": "br0"}, "ours, and so it is moved"
    expected = {"size": "3", "more": "1", "bridge_placed": "eth0:br0"}
    assert objects.meta("web2") == expected
