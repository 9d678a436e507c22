"""``cobbler-bridge set`` changes the variables that it names, no others; thorough: each Cobbler."""

import re
import subprocess
from typing import Any, Dict, Iterator, List

import pytest

from environments import Version
from real.server import TREE, Server
from real.versions import EACH, with_the_pack

# what an administrator has, and what only somebody who writes over XML-RPC has
OTHERS: Dict[str, Any] = {
    "tree": "http://127.0.0.1/a b?c=d&e='f'",
    "proxy": 'say "hello" to $you, #if @@it@@',
    "disk": "sda=10  sdb=20",
    "lines": "one\ntwo\ttabs\n",
    "nothing": "",
    "valueless": None,
    "tilde": "~",
    "size": 7,
    "ratio": 1.5,
    "on": True,
    "off": False,
    "several": ["a", None, "b c", "~x"],
    "nested": {"a": None, "b": [None, 1]},
    "nest": {"a": "~", "b": ["~", 1]},
    "Grüße": "Brücke ☃ 🌉",
    "key with blanks": "yes",
    "bridges": "of stone",
}


@pytest.fixture(scope="module", params=EACH)
def each_cobbler(request: pytest.FixtureRequest) -> Version:
    version: Version = request.param
    return version


@pytest.fixture(scope="module")
def _any(each_cobbler: Version) -> Iterator[Server]:
    """A running Cobbler with the pack."""
    with with_the_pack(each_cobbler.name) as server:
        yield server


@pytest.fixture
def any_server(_any: Server) -> Iterator[Server]:
    """Each of them without systems."""
    yield _any
    _any.remove_all()


def own(server: Server, kind: str, name: str) -> Any:
    return server.stored(name, kind)["autoinstall_meta"]


def table(done: "subprocess.CompletedProcess[str]") -> List[List[str]]:
    """The cells that change, a list for each line."""
    assert done.stderr == ""
    return [re.split("  +", line) for line in done.stdout.splitlines()[1:]]


def test_the_others_stay(any_server: Server) -> None:
    server = any_server
    server.profile("hosts", meta=OTHERS)
    server.system("kvm1", meta=OTHERS)
    server.system("bare", meta=OTHERS, nics=())
    items = ("profile", "hosts"), ("system", "kvm1"), ("system", "bare")
    for kind, name in items:
        before = server.stored(name, kind)
        server.command(
            "set", "--" + kind, name, "bridge=br0", "bridge_opts=ageing_time=60 priority=32768"
        )
        after = server.stored(name, kind)
        added = {"bridge": "br0", "bridge_opts": "ageing_time=60 priority=32768"}
        assert after["autoinstall_meta"] == {**OTHERS, **added}
        assert set(after["autoinstall_meta"]["nested"]) == set("ab")
        server.command("set", "--" + kind, name, "--unset", "bridge", "--unset=bridge_opts")
        after = server.stored(name, kind)
        assert own(server, kind, name) == OTHERS
        assert list(own(server, kind, name)) == list(OTHERS)
        assert after.pop("mtime") > before.pop("mtime")
        assert after == before
    server.cobbler.restart()
    for kind, name in items:
        server.command("set", "--" + kind, name, "bridge=br0")
        assert own(server, kind, name) == {**OTHERS, "bridge": "br0"}


@pytest.mark.parametrize("kind", ["profile", "system"])
def test_where_nothing_was_set(any_server: Server, kind: str) -> None:
    """Whatever this Cobbler calls it; and what is inherited stays inherited."""
    server = any_server
    server.profile("hosts", meta={"bridge": "br0", "colour": "red"})
    name = "rhel7" if kind == "profile" else "kvm1"
    states: List[Any] = [None, "<<inherit>>", {}, "a=1 b='x y'"]
    for step, unset in enumerate(states):
        if kind == "system":
            server.system("kvm1", "hosts")
        if unset is not None:
            server.edit(kind, name, autoinstall_meta=unset)
        there = own(server, kind, name)
        there = there if isinstance(there, dict) else {}
        assert set(there) == (set("ab") if step == 3 else set())
        server.command("set", "--" + kind, name, "bridge_mtu=9000")
        assert own(server, kind, name) == {**there, "bridge_mtu": "9000"}
        server.command("set", "--" + kind, name, "--unset", "bridge_mtu")
        if kind == "system":
            server.remove("system", "kvm1")


def test_the_whole_way(any_server: Server) -> None:
    """What is inherited and what is the item's own; guests are placed by the triggers."""
    server = any_server
    server.profile("hosts")
    server.system("kvm1", "hosts")
    server.system("kvm2", "hosts", meta={"colour": "red"})
    server.system("web1")
    done = server.command("set", "--profile", "hosts", "bridge=br0", "bridge_stp=on")
    assert table(done) == [
        ["profile", "hosts", "bridge", "-", "br0"],
        ["profile", "hosts", "bridge_stp", "-", "on"],
    ]
    server.installed("kvm1")
    assert server.state("kvm1") == "br0/installed"
    done = server.command("set", "bridge=br1", "bridge_stp=on", "--system", "kvm?")
    inherited_stp = [
        ["system", name, "bridge_stp", "inherited: on", "on"] for name in ("kvm1", "kvm2")
    ]
    rows = table(done)
    assert [row for row in rows if row[2] == "bridge"] == [
        ["system", "kvm1", "bridge", "inherited: br0", "br1"],
        ["system", "kvm2", "bridge", "inherited: br0", "br1"],
    ]
    # 4.0 has no own variables that are as the inherited ones
    assert [row for row in rows if row[2] != "bridge"] in ([], inherited_stp)
    assert server.meta("kvm2")["colour"] == "red"
    assert "tree" not in server.meta("kvm2")
    assert server.state("kvm1") == "br0/installed"
    before = server.disk()
    done = server.command("set", "bridge=br1", "bridge_stp=on", "--system", "kvm1", "kvm2")
    assert done.stdout == "Nothing changes.\n"
    assert server.disk() == before
    done = server.command("set", "--system", "kvm*", "--unset", "bridge", "--dry-run")
    assert done.stdout.endswith("\nNothing was written.\n")
    assert table(done)[0] == ["system", "kvm1", "bridge", "br1", "inherited: br0"]
    assert server.disk() == before
    server.command("set", "--system", "kvm*", "--unset", "bridge")
    assert "bridge" not in {**server.meta("kvm1"), **server.meta("kvm2")}
    server.command("set", "--system", "web1", "bridge_host=kvm1")
    assert server.bridges("web1")["eth0"] == "br0"
    guest_of_a_profile(server)
    an_edit_in_between_is_not_lost(server)


def guest_of_a_profile(server: Server) -> None:
    server.profile("guests", meta={"colour": "blue"})
    server.system("web2", "guests")
    server.command("set", "--profile", "guests", "bridge_host=kvm1")
    bridges = server.bridges("web2")
    assert bridges["eth0"] == "br0"
    # a new system of Cobbler 3.3.0 has an interface "default" too
    assert server.placed("web2") == bridges


def an_edit_in_between_is_not_lost(server: Server) -> None:
    """Of somebody else who saves when everything has been looked at."""
    script = (
        "from cobbler_bridge.check import setting\n"
        "from cobbler_bridge.store.over_xmlrpc import XmlRpc\n"
        "def login():\n"
        "    with open('/var/lib/cobbler/web.ss') as file:\n"
        "        return '', file.read()\n"
        "at, other = (XmlRpc('http://127.0.0.1:25151', login) for _ in range(2))\n"
        "for kind, name in (('system', 'kvm2'), ('profile', 'guests')):\n"
        "    edits = setting.look(at, kind, [name], {'bridge_mtu': '9000'}).edits\n"
        "    other.edit(kind, name, {'colour': 'green', 'bridge_stp': 'off', 'more': '1'})\n"
        "    list(setting.save(at, edits))\n"
    )
    server.cobbler.run(["python", "-c", script])
    added = {"colour": "green", "bridge_stp": "off", "more": "1", "bridge_mtu": "9000"}
    assert own(server, "system", "kvm2") == added
    assert own(server, "profile", "guests") == {"bridge_host": "kvm1", **added}


@pytest.fixture
def hosts(server: Server) -> Server:
    """Three hosts of a profile: the second has a static address, the last is wrong by itself."""
    server.profile("hosts", meta={"bridge": "br0"})
    server.system("kvm1", "hosts")
    server.system("kvm2", "hosts", meta={"bridge_stp": "on"})
    server.system("kvm3", "hosts", meta={"bridge_mtu": "1"})
    return server


def refused(server: Server, *arguments: str) -> List[str]:
    """The lines of error; nothing is saved, and nothing else is said."""
    before = server.disk()
    done = server.command("set", *arguments, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert server.disk() == before
    return done.stderr.splitlines()


def test_one_that_is_refused_keeps_all_from_being_saved(hosts: Server) -> None:
    lines = refused(hosts, "--system", "kvm*", "bridge_forward_delay=0")
    assert lines == [
        "kvm2: bridge_forward_delay: a forward delay of 0 is too short for the spanning tree "
        "protocol; at least 2, or no STP"
    ]
    # a profile's data, too; and what no item can have is found before any is looked at
    assert refused(hosts, "--profile", "hosts", "bridge_stp=on", "bridge_forward_delay=1")
    assert refused(
        hosts, "--profile=hosts", "bridge_mtu=1", "bridg=x", "--unset=bridge_placed"
    ) == [
        "hosts: bridge_mtu: '1' is too small; it can be a whole number from 576 to 9216",
        "hosts: bridg: is no variable of cobbler-bridge; did you mean bridge?",
        "hosts: bridge_placed: is not read any more; use cobbler-bridge record or place",
    ]
    assert refused(hosts, "--profile", "hosts", "bridge_backend=netplan") == [
        "hosts: bridge_backend: 'netplan' is not what EL 7 reads; it can be auto or ifcfg"
    ]


def test_what_was_wrong_before_is_no_hindrance(hosts: Server) -> None:
    hosts.command("set", "--system", "kvm3", "bridge_vlan=10")
    assert hosts.meta("kvm3") == {"bridge_mtu": "1", "bridge_vlan": "10"}
    hosts.command("set", "--system", "kvm3", "bridge_mtu=1500")
    assert hosts.meta("kvm3") == {"bridge_mtu": "1500", "bridge_vlan": "10"}


def test_names(hosts: Server) -> None:
    right = "name one of those that 'cobbler system list' shows"
    assert refused(hosts, "--system", "kvm1", "kvm[12]", "vm*", "bridge_mtu=9000") == [
        "kvm[12]: system: there is none of this name; " + right,
        "vm*: system: there is none of this name; " + right,
    ]
    assert refused(hosts, "--profile", "kvm1", "bridge_mtu=9000")
    done = hosts.command("set", "--system", "kvm1", "*2", "--system=kvm?", "bridge_vlan=7")
    assert [row[1] for row in table(done)] == ["kvm1", "kvm2", "kvm3"]


def test_a_guests_host(hosts: Server) -> None:
    hosts.system("web1")
    assert refused(hosts, "--system", "web1", "bridge_host=kvm11") == [
        "web1: bridge_host: 'kvm11' is no system; did you mean 'kvm1'?"
    ]
    assert refused(hosts, "--system", "web1", "bridge_host=") == [
        "web1: bridge_host: '' is no system; add that system first"
    ]
    assert refused(hosts, "--system", "kvm1", "bridge_host=kvm1") == [
        "kvm1: bridge_host: 'kvm1' is the guest itself; the name of the system that it runs on"
    ]


def test_a_guest_of_an_image(hosts: Server) -> None:
    """Whose data Cobbler 3.3.10 can't blend."""
    kernel = TREE + "/vmlinuz"
    hosts.add("image", "disk", file=kernel, autoinstall_meta={"bridge_host": "kvm2", "a": "1"})
    hosts.add("system", "web1", image="disk")
    try:
        done = hosts.command("set", "--system", "web1", "bridge_host=kvm1")
        assert table(done) == [["system", "web1", "bridge_host", "inherited: kvm2", "kvm1"]]
        assert hosts.meta("web1") == {"bridge_host": "kvm1"}
    finally:
        hosts.remove_all()
        hosts.cobbler.rpc("remove_image", "disk", hosts.cobbler.token)


def test_what_takes_an_inherited_variable_away(hosts: Server) -> None:
    hosts.edit("system", "kvm1", autoinstall_meta={"!bridge": None, "!bridge_mtu": None})
    done = hosts.command("set", "--system", "kvm1", "bridge=br5")
    assert table(done) == [["system", "kvm1", "bridge", "taken away (!bridge)", "br5"]]
    assert hosts.meta("kvm1") == {"!bridge_mtu": None, "bridge": "br5"}
    hosts.edit("system", "kvm1", autoinstall_meta={"!bridge": None})
    done = hosts.command("set", "--system", "kvm1", "--unset", "bridge")
    assert table(done) == [["system", "kvm1", "bridge", "taken away (!bridge)", "inherited: br0"]]
    assert hosts.meta("kvm1") == {}


def test_from_elsewhere(hosts: Server) -> None:
    """Without the secret of this machine, by a name and a password."""
    url = "--server=http://127.0.0.1/cobbler_api"
    password = hosts.cobbler.path("/var/lib/cobbler/password")
    password.write_text("wrong\n")
    words = ["set", "--system=kvm1", "bridge_mtu=9000", url]
    login = ["--user=cobbler", "--password-file=/var/lib/cobbler/password"]
    done = hosts.command(*words, *login, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    password.write_text("cobbler\n")
    hosts.command(*words, *login)
    assert hosts.meta("kvm1") == {"bridge_mtu": "9000"}


def test_wrong_usage(server: Server) -> None:
    for words in (["--system=a"], ["bridge=br0"], ["--system=a", "--unset=x", "x=1"]):
        done = server.command("set", *words, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1


def test_cobbler_refuses_the_second(fresh: Server) -> None:
    """Those before it are saved, and said."""
    fresh.install()
    fresh.add_releases()
    for name in ("kvm1", "kvm2", "kvm3"):
        fresh.system(name)
    remote = fresh.cobbler.path(fresh.cobbler.package / "remote.py")
    with remote.open("a") as file:
        file.write(
            "\n\nedit = CobblerXMLRPCInterface.xapi_object_edit\n"
            "def broken(self, kind, name, *rest):\n"
            "    if name == 'kvm2':\n        raise CX('not this one')\n"
            "    return edit(self, kind, name, *rest)\n"
            "CobblerXMLRPCInterface.xapi_object_edit = broken\n"
        )
    for name in ("kvm1", "kvm2", "kvm3"):
        fresh.edit("system", name, autoinstall_meta={"colour": "red"})
    fresh.cobbler.restart()
    done = fresh.command("set", "--system", "*", "bridge=br0", check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("kvm2: system: Cobbler can't save it: ")
    assert "not this one" in done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["NAME", "kvm1"]
    assert [fresh.meta(name).get("bridge") for name in ("kvm1", "kvm2", "kvm3")] == [
        "br0",
        None,
        None,
    ]
