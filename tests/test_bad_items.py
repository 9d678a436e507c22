"""Items that are unlike the others, and systems that are alike, behind a Cobbler of plain data."""

import copy
import itertools
from typing import Any, Dict, List
from xmlrpc.client import Fault

import pytest

from cobbler_bridge import check
from cobbler_bridge.check import setting
from cobbler_bridge.check.gather import _blend, gather
from cobbler_bridge.description.describe import relevant
from cobbler_bridge.placement import by_hand
from cobbler_bridge.show import listing
from cobbler_bridge.store import versions
from cobbler_bridge.store.items import above
from cobbler_bridge.store.over_xmlrpc import ItemError, XmlRpc

Data = Dict[str, Any]
ETH0 = {"mac_address": "52:54:00:00:00:01", "virt_bridge": "", "interface_type": "na"}


class Server:
    """Blends as Cobbler's utils.blender does; ``unblended`` are systems that it can't blend."""

    def __init__(self, *systems: Data, distro: Any = None) -> None:
        self.unblended: List[str] = []
        el7 = {"name": "el7", "breed": "redhat", "os_version": "rhel7", "autoinstall_meta": {}}
        hosts: Data = {"name": "hosts", "parent": "", "distro": "el7", "virt_bridge": "xenbr0"}
        hosts.update(autoinstall="/x.ks", autoinstall_meta={"bridge": "br0"}, name_servers=[])
        image = {"name": "disk", "file": "/x", "autoinstall_meta": {"bridge_mtu": "1400"}}
        self.items: Dict[str, List[Data]] = {
            "distro": [dict(el7, **(distro or {}))],
            "profile": [hosts],
            "image": [image],
            "system": list(systems),
        }

    def extended_version(self) -> Data:
        return {"version_tuple": [3, 3, 10]}

    def get_settings(self) -> Data:
        return {"default_virt_bridge": "xenbr0", "run_install_triggers": True}

    def get_items(self, kind: str) -> List[Data]:
        return copy.deepcopy(self.items[kind])

    def generate_script(self, profile: str, system: str, name: str) -> str:
        return '# script template "%s" not found' % name

    def generate_profile_autoinstall(self, name: str) -> str:
        return "# nothing that a machine could be installed with"

    generate_system_autoinstall = generate_profile_autoinstall

    def get_item_names(self, kind: str) -> List[str]:
        return [each["name"] for each in self.items[kind]]

    def get_item(self, kind: str, name: str) -> Any:
        return next((each for each in self.get_items(kind) if each["name"] == name), "~")

    def has_item(self, kind: str, name: str) -> bool:
        return bool(self.get_item(kind, name) != "~")

    def get_blended_data(self, profile: str, system: str) -> Data:
        if system in self.unblended:
            raise Fault(1, "<class 'TypeError'>:cannot marshal objects")
        item = self.get_item("system" if system else "profile", system or profile)
        chain = [item]
        while above(chain[-1]):
            chain.append(self.get_item(*(above(chain[-1]) or ("", ""))))
        data: Data = {"http_server": "192.0.2.2", "default_virt_bridge": "xenbr0"}
        for each in reversed(chain):
            data.update((field, each[field]) for field in each if each[field] != "<<inherit>>")
        for name, record in item.get("interfaces", {}).items():
            data.update(("%s_%s" % (field, name), record[field]) for field in record)
        if system:
            data.update(system_name=system, profile_name=item["profile"])
        return dict(data, autoinstall_meta="one text")


def system(name: str, own: Any = None, **more: Any) -> Data:
    fields: Data = {"autoinstall": "<<inherit>>", "ctime": 1.0, "gateway": "", "profile": "hosts"}
    interfaces = {"eth0": dict(ETH0)}
    fields.update(name=name, interfaces=interfaces, name_servers="<<inherit>>")
    return {"autoinstall_meta": own or {}, **fields, **more}


def store_of(server: Server) -> XmlRpc:
    store = XmlRpc("http://127.0.0.1:1")
    store._server = server
    return store


def store(*systems: Data, **more: Any) -> XmlRpc:
    return store_of(Server(*systems, **more))


def found(known: XmlRpc) -> Dict[str, List[str]]:
    wrong: Dict[str, List[str]] = {}
    for each in check.problems(gather(known, here=False)):
        wrong.setdefault(each.subject, []).append(each.field)
    return wrong


OWN: List[Data] = [
    {},
    {"name_servers": 5},
    {"name_servers": ["192.0.2.53"]},
    {"os_version": "rhel9"},
    {"os_version": "rhel9", "bridge_backend": "keyfile"},
    {"bridge_backend": "keyfile"},
    {"breed": "debian"},
    {"gateway": "192.0.2.1", "name_servers_search": ["x.example"]},
    {"http_server": "; reboot"},
    {"interfaces": {"br5": {"interface_type": "bridge"}}},
    {"interfaces": 7},
    {"!bridge": ""},
    {"!bridge": "", "interfaces": {"br5": {"interface_type": "bridge"}}},
    {"name": "z", "system_name": ["y"], "profile_name": 3},
    {"virt_bridge": "br9", "bridge_opts_eth0": "stp=on", "my_bridge": 1},
    {"autoinstall_meta": {"bridge": "br8"}, "bridge_mtu": "1"},
]
FIELDS: List[Data] = [
    {},
    {"interfaces": {"eth0": dict(ETH0, bridge_opts="stp=on"), "eth1": dict(ETH0)}},
    {"interfaces": {"br1": {"interface_type": "bridge"}}},
    {"interfaces": {"servers": {"name": "x", "virt_bridge": "br1"}}},
    {"interfaces": {}},
    {"gateway": "192.0.2.1"},
    {"name_servers": ["192.0.2.53"]},
    {"hostname": "x", "comment": "bridge", "ctime": 9.0, "uid": "7"},
]


def test_alike_systems_share_nothing_of_their_own() -> None:
    """What check looks at is what render blends, whichever of a pair is asked for first."""
    kinds = [dict(more, autoinstall_meta=own) for own in OWN for more in FIELDS]
    for first, second in itertools.product(kinds, kinds[:: len(FIELDS) + 1]):
        known = store(system("a", **first), system("b", **second))
        systems = {each.name: each for each in known.systems()}
        for names in ("ab", "ba"):
            blend = _blend(known, systems)
            for name in names:
                wanted = relevant(known.blended("system", name) or {})
                assert relevant(blend("system", name) or {}) == wanted


def test_nobody_is_blamed_for_another() -> None:
    assert found(store(system("a", {"name_servers": 5}), system("b"))) == {"a": ["name_servers"]}
    known = store(system("a", {"os_version": "rhel9"}), system("b", {"bridge_backend": "keyfile"}))
    assert found(known) == {"b": ["bridge_backend"]}


def test_a_variable_in_the_place_of_the_records() -> None:
    """It is what the kickstart sees, also where no other variable asks for a bridge."""
    records = {"interfaces": {"br5": {"interface_type": "bridge", "mtu": [1]}}, "!bridge": ""}
    assert "mtu of br5" in found(store(system("a", records)))["a"]


def images() -> Server:
    own = {"bridge": "br0", "bridge_record": "br0/installed/2026-01-31T12:00:00Z"}
    server = Server(
        system("kvm1"),
        system("im", own, profile="", image="disk"),
        system("gone", profile="", image="nobody's"),
        system("web1", {"bridge_host": "im", "!bridge": ""}),
    )
    server.unblended = ["im", "gone"]
    return server


def test_a_system_of_an_image() -> None:
    server = images()
    known = store_of(server)
    systems = {each.name: each for each in known.systems()}
    assert systems["im"].meta["bridge_mtu"] == "1400"
    assert set(found(known)) == {"im", "web1"}
    assert {each.name for each in listing.hosts(known.systems())} == {"kvm1", "im"}
    (problem,) = by_hand.record(known, ["im"], (), clear=False, dry_run=True).problems
    assert str(problem).startswith("im: system: Cobbler can't put its data together: ")
    assert by_hand.record(known, ["im"], (), clear=True, dry_run=True).problems == []
    assert [each.guest for each in by_hand.place(known, None, dry_run=True).moves] == ["web1"]
    assert by_hand.record(known, ["kvm1"], (), clear=False, dry_run=True).problems == []
    server.unblended = []
    assert "bridge_mtu" in (known.blended("system", "im") or {})


def test_a_guest_whose_host_cannot_be_blended_is_one_line() -> None:
    server = images()
    im, web1 = (server.items["system"][number]["autoinstall_meta"] for number in (1, 3))
    im["bridge_record"] = "br0,br1/installed/2026-01-31T12:00:00Z"
    server.items["system"].append(system("web2", web1))
    outcome = by_hand.place(store_of(server), None, dry_run=True)
    assert [each.subject for each in outcome.problems] == ["im"]


def test_what_cannot_be_looked_at_is_not_set() -> None:
    known = store_of(images())
    edits, problems = setting.look(known, "system", ["*"], {"bridge_mtu": "9000"})
    assert [each.subject for each in problems] == ["gone", "im"]
    assert [each.item.name for each in edits if each.item.name in ("kvm1", "web1")] == [
        "kvm1",
        "web1",
    ]
    outcome = setting.look(known, "system", ["gone"], {"bridge_host": "kvm1"})
    assert outcome.problems == []


def test_own_variables_that_nobody_can_read_are_of_their_item() -> None:
    known = store(system("a", "x='1"), system("kvm1"))
    _, problems = setting.look(known, "system", ["*"], {"bridge_mtu": "9000"})
    assert [each.subject for each in problems] == ["a"]


def test_a_refused_save_names_its_item() -> None:
    server: Any = Server(system("kvm1"))

    def refuse(*_: Any) -> None:
        raise Fault(1, "no space left")

    server.xapi_object_edit = refuse
    server.login = lambda *_: "token"
    with pytest.raises(ItemError, match=r"\Akvm1: system: Cobbler can't save it: no space left"):
        store_of(server).edit("system", "kvm1", {"bridge_mtu": "9000"})


VALUES: List[Any] = [["a"], {"a": "b"}, 1.5, True, [["a"]], {"a": {"b": []}}]


@pytest.mark.parametrize("field", ["virt_bridge", "mac_address", "interface_master", "ip_address"])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_field_of_another_type(field: str, value: Any) -> None:
    """It counts as not set, and is a line of its own, once."""
    bad = {"eth0": dict(ETH0, **{field: value})}
    for own in ({}, {"!bridge": ""}, {"!bridge": "", "bridge_host": "kvm1"}):
        server = Server(system("kvm1"), system("bad", own, interfaces=bad))
        problems = check.problems(gather(store_of(server), here=False))
        assert {each.subject for each in problems} == {"bad"}
        assert [each.field for each in problems].count("%s of eth0" % field) >= 1
        lines = [str(each) for each in problems]
        assert sorted(set(lines)) == sorted(lines)


def test_what_is_not_set_is_no_problem() -> None:
    empty: List[Any] = [[], {}, None, "", "~", 0, False]
    for value in empty:
        fields = dict.fromkeys(["virt_bridge", "interface_master", "ip_address", "static"], value)
        assert found(store(system("a", interfaces={"eth0": {**ETH0, **fields}}))) == {}


def test_a_profile_with_a_list_of_bridges() -> None:
    server = Server(system("kvm1"))
    server.items["profile"][0]["virt_bridge"] = ["a"]
    assert found(store_of(server)) == {"hosts": ["virt_bridge"]}


def test_what_names_nothing_is_above_nothing() -> None:
    wrong: List[Any] = [["hosts"], {"a": 1}, True, 1.5]
    for value in wrong:
        for field in ("profile", "image", "parent", "distro"):
            assert above({field: value}) is None
        server = Server(system("kvm1"), system("bad", {"bridge": "br0"}, profile=value))
        server.unblended = ["bad"]
        assert set(found(store_of(server))) == {"bad"}
    assert versions.merged([["x"], None]) == {}
