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
    server.system("kvm1", meta={"bridge": "br0"})
    server.remember("kvm1")
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


def test_a_system(objects: Server) -> None:
    """Read in both ways, it is the same."""
    found = {}
    for way in ("in process", "XML-RPC"):
        script = (
            "import json, sys; sys.path.insert(0, %r)\n"
            "from store_calls import store\n"
            "at = store(%r)\n"
            "names = 'web1', 'kvm1'\n"
            "known = {} if hasattr(at, 'system') else {s.name: s for s in at.systems()}\n"
            "systems = [known[name] if known else at.system(name) for name in names]\n"
            "print('\\n' + json.dumps([s._asdict() for s in systems], default=dict))\n"
        ) % (str(Path(CALLS).parent), way)
        done = objects.cobbler.run([sys.executable, "-c", script])
        found[way] = json.loads(done.stdout.splitlines()[-1])
    web1, kvm1 = found["in process"]
    # a value that nobody set is read from disk as another one
    told = found["XML-RPC"][0]
    assert dict(told, meta=web1["meta"]) == web1
    # what nobody here reads is a digest there
    assert told["meta"]["bridge_host"] == "kvm1"
    assert told["meta"].keys() == web1["meta"].keys()
    assert "127.0.0.1" not in told["meta"]["tree"]
    assert found["XML-RPC"][1]["record"] == kvm1["record"]
    assert (web1["name"], web1["profile"], web1["template"]) == ("web1", "rhel7", "/minimal.ks")
    assert (web1["own_meta"], web1["unreadable"]) == ({"bridge_host": "kvm1"}, [])
    assert web1["meta"]["tree"] == "http://127.0.0.1/cblr/links/tree"
    mac = {nic: f["mac_address"] for nic, f in objects.stored("web1")["interfaces"].items()}
    interfaces = web1["interfaces"]
    assert [each[0] for each in interfaces] == ["bond0", "eth0", "eth1"]
    assert interfaces[1][:5] == ["eth0", "na", "br0", ["192.0.2.7", "2001:db8::7"], mac["eth0"]]
    assert interfaces[2][:3] == ["eth1", "na", "br9"]
    assert interfaces[0][:2] == ["bond0", "bond"]
    assert (web1["uid"], web1["noted"]) == (objects.uid("web1"), {"eth0": "br0"})
    assert kvm1["record"][:2] == [["br0"], "installed"]


def test_the_setting(objects: Server, ask: Ask) -> None:
    assert ask(["default_bridge"]) == ["xenbr0"]


def test_blended_data(objects: Server, ask: Ask) -> None:
    system, profile, none = ask(
        ["blended", "system", "web2"], ["blended", "profile", "guests"], ["blended", "system", "x"]
    )
    assert none is None
    assert (system["colour"], system["size"], system["name"]) == ("red", "2", "web2")
    assert list(system["interfaces"]) == ["eth0"]
    assert (profile["colour"], profile["name"]) == ("red", "guests")
    assert "size" not in profile


def test_an_edit_in_between_is_not_lost(objects: Server) -> None:
    """Over XML-RPC: what somebody else set after we had read is still there."""
    script = (
        "import sys; sys.path.insert(0, %r)\n"
        "from store_calls import store\n"
        "at, other = store('XML-RPC'), store('XML-RPC')\n"
        "at.systems()\n"
        "other.edit('system', 'web2', {'size': '3', 'more': '1'})\n"
        "at.edit('system', 'web2', {'colour': 'blue'})\n"
        "at.save('web2')\n"
    ) % str(Path(CALLS).parent)
    objects.cobbler.run([sys.executable, "-c", script])
    assert objects.bridges("web2") == {"eth0": "br0"}
    assert objects.meta("web2") == {"size": "3", "more": "1", "colour": "blue"}


WRITE = """
import json, sys
sys.path.insert(0, %r)
from store_calls import store
from cobbler_bridge.store.host_record import Record
from cobbler_bridge.store.ledger import Ledger
at = store(%r)
if %r == "XML-RPC":
    at._ledger = Ledger()
    system = {each.name: each for each in at.systems()}["web1"]
else:
    system = at.system("web1")
at.write(system._replace(record=Record(("br5",), "verified", "x"), noted={"eth0": "br5"}), %r)
"""


@pytest.mark.parametrize("way", ["in process", "XML-RPC"])
def test_only_what_is_ours_is_written(objects: Server, way: str) -> None:
    """And no other object, over XML-RPC too, where Cobbler's triggers run."""
    objects.edit("system", "web1", comment="eine Brücke", kernel_options={"a": "1"})
    before = objects.disk()
    fields = objects.stored("web1")
    for bridges in ({}, {"eth0": "br5"}):
        script = WRITE % (str(Path(CALLS).parent), way, way, bridges)
        objects.cobbler.run([sys.executable, "-c", script])
        if not bridges:
            assert objects.disk() == before
    after = objects.stored("web1")
    fields["interfaces"]["eth0"]["virt_bridge"] = after["interfaces"]["eth0"]["virt_bridge"]
    assert after.pop("mtime") > fields.pop("mtime")
    assert after == fields
    changed = {path for path, content in objects.disk().items() if before[path] != content}
    assert changed == {"systems/web1.json"}
    objects.cobbler.restart()
    assert objects.remembered("web1")["record"]["bridges"] == ["br5"]
