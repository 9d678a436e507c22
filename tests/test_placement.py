"""Which interfaces of a guest get a bridge, and that a value set by hand never goes."""

import importlib
import ipaddress
import sys
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobbler_bridge import findings
from cobbler_bridge.description.describe import describe
from cobbler_bridge.placement.which_bridge import (
    Choice,
    Offer,
    Placement,
    hindrance,
    is_nic,
    is_unset,
    offers,
    place,
)
from cobbler_bridge.store.host_record import INSTALLED, ROLLED_BACK, Record
from cobbler_bridge.store.inventory import Interface, System
from noted import noted

BRIDGES = ("", "<<inherit>>", "xenbr0", "virbr0", "br0", "br7", " ", "XENBR0", "<<inherit>> ")


def guest(*interfaces: Tuple[str, str, str]) -> System:
    return System("web1", "guests", {}, {}, tuple(Interface(*each) for each in interfaces))


@pytest.mark.parametrize(
    ("virt_bridge", "default", "unset"),
    [
        ("", "xenbr0", True),
        ("", "", True),
        ("<<inherit>>", "br7", True),
        ("xenbr0", "xenbr0", True),
        ("virbr0", "virbr0", True),
        ("xenbr0", "virbr0", False),
        ("virbr0", "xenbr0", False),
        ("xenbr0", "", False),
        ("br7", "br7", False),
        ("br7", "xenbr0", False),
        ("br0", "xenbr0", False),
        (" ", "xenbr0", False),
        ("xenbr0 ", "xenbr0 ", False),
    ],
)
def test_whether_nobody_chose_a_bridge(virt_bridge: str, default: str, unset: bool) -> None:
    assert is_unset(virt_bridge, default) is unset


@pytest.mark.parametrize(
    ("name", "kind", "nic"),
    [
        ("eth0", "na", True),
        ("eth0", "", True),
        ("eth0", "bond_slave", True),
        ("eth0", "bridge_slave", True),
        ("eth0", "bmc", True),
        ("eth0", "infiniband", True),
        ("bond0", "bond", False),
        ("br0", "bridge", False),
        ("eth0", "bonded_bridge_slave", False),
        ("eth0.7", "na", False),
        ("eth0.7x", "na", False),
        ("eth-0.7", "na", True),
        ("eth0.x", "na", True),
        (".7", "na", True),
        ("eth0:1", "na", False),
        (":", "na", False),
        ("a b", "na", True),
    ],
)
def test_what_koan_makes_a_nic_of(name: str, kind: str, nic: bool) -> None:
    assert is_nic(Interface(name, kind, "")) is nic


@pytest.fixture(scope="module")
def virtinstall() -> Iterator[Any]:
    """Koan's own module, which asks for the version of virt-install when it is imported."""
    utils = pytest.importorskip("koan.utils", reason="Koan is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "subprocess_get_response", lambda *_, **__: (0, "1.0.0", ""))
        yield importlib.import_module("koan.virtinstall")
    # it remembers the answer
    del sys.modules["koan.virtinstall"]


@given(
    st.text("ab01.:-_ ", max_size=8),
    st.sampled_from(
        ["", "na", "bond", "bridge", "bond_slave", "bridge_slave", "bonded_bridge_slave", "bmc"]
    ),
)
def test_koan_itself_skips_the_same(virtinstall: Any, name: str, kind: str) -> None:
    record = {"interface_type": kind, "mac_address": "x", "virt_bridge": "br0"}
    nics = virtinstall._sanitize_nics({name: record}, None, "", None)
    assert is_nic(Interface(name, kind, "")) is bool(nics)


def offer(bridge: str, *networks: str, vlan: Optional[int] = None, described: bool = True) -> Offer:
    return Offer(bridge, tuple(map(ipaddress.ip_network, networks)), vlan, described)


HOST = (offer("br0"), offer("br1"))
# the first has no address, as on a host that gets it by DHCP
RICH = (
    offer("br0"),
    offer("br10", "192.0.2.0/24", "2001:db8:10::/64", vlan=10),
    offer("br20", "198.51.100.0/24", vlan=20),
    offer("br21", "198.51.100.64/26", vlan=21),
)


def nic(name: str, *addresses: str, bridge: str = "", kind: str = "na") -> Interface:
    return Interface(name, kind, bridge, addresses)


def with_nics(*nics: Interface, **meta: Any) -> System:
    own = {"bridge_placed": meta.pop("placed")} if "placed" in meta else {}
    return noted(System("web1", "guests", {"bridge_host": "kvm1", **meta, **own}, own, nics))


def chosen(system: System, host: Sequence[Offer] = RICH) -> Dict[str, str]:
    return place(system, host, "xenbr0").changes


def test_every_nic_that_nobody_placed_gets_the_first_bridge() -> None:
    interfaces = [("eth%d" % number, "na", bridge) for number, bridge in enumerate(BRIDGES)]
    skipped = [("eth0.7", "na", ""), ("eth0:1", "na", ""), ("bond0", "bond", "")]
    found = place(guest(*interfaces, *skipped), HOST, "xenbr0")
    assert found.changes == found.placed == {"eth0": "br0", "eth1": "br0", "eth2": "br0"}
    assert [each.interface for each in found.choices] == sorted(each[0] for each in interfaces)
    assert [each.why for each in found.choices[3:]] == ["set by hand"] * (len(BRIDGES) - 3)


def test_a_guest_of_no_interfaces() -> None:
    assert place(guest(), HOST, "xenbr0") == Placement((), {}, ())


def test_a_host_without_bridges_changes_nothing() -> None:
    system = with_nics(nic("eth0"), nic("eth1", bridge="br9"), placed="eth1:br9,eth2:br9")
    found = place(system, (), "xenbr0")
    assert (found.changes, found.placed) == ({}, {"eth1": "br9"})


@pytest.mark.parametrize(
    ("address", "bridge"),
    [
        ("192.0.2.7", "br10"),
        ("192.0.2.7/24", "br10"),
        ("2001:db8:10::7", "br10"),
        ("2001:DB8:10:0::7", "br10"),
        ("198.51.100.7", "br20"),
        # the smaller of two networks
        ("198.51.100.70", "br21"),
        ("203.0.113.7", "br0"),
        ("2001:db8:11::7", "br0"),
        ("nonsense", "br0"),
        ("", "br0"),
    ],
)
def test_by_subnet(address: str, bridge: str) -> None:
    assert chosen(with_nics(nic("eth0", address))) == {"eth0": bridge}


def test_each_nic_goes_by_its_own_address() -> None:
    nics = (nic("eth10", "192.0.2.9"), nic("eth2", "203.0.113.1", "2001:db8:10::1"), nic("eth3"))
    found = place(with_nics(*nics), RICH, "xenbr0")
    assert [(each.interface, each.bridge) for each in found.choices] == [
        ("eth10", "br10"),
        ("eth2", "br10"),
        ("eth3", "br0"),
    ]


@pytest.mark.parametrize("vlan", ["20", 20])
def test_by_vlan(vlan: object) -> None:
    system = with_nics(nic("eth0"), nic("vlan10"), nic("vlan0021"), bridge_vlan=vlan)
    assert chosen(system) == {"eth0": "br20", "vlan10": "br10", "vlan0021": "br21"}


def test_an_address_says_more_than_a_vlan() -> None:
    assert chosen(with_nics(nic("eth0", "192.0.2.7"), bridge_vlan="20")) == {"eth0": "br10"}
    # where two bridges share a network, the VLAN decides
    twins = (offer("br0", "192.0.2.0/24", vlan=1), offer("br1", "192.0.2.0/24", vlan=2))
    assert chosen(with_nics(nic("eth0", "192.0.2.7"), bridge_vlan="2"), twins) == {"eth0": "br1"}
    assert chosen(with_nics(nic("eth0", "192.0.2.7"), bridge_vlan="3"), twins) == {"eth0": "br0"}


@pytest.mark.parametrize(
    ("vlan", "wrong"),
    [
        ("30", "'kvm1' has no bridge on VLAN 30"),
        ("4095", "'4095' is too large, and a VLAN is a whole number from 1 to 4094"),
        ("lan", "'lan' is not a whole number, and a VLAN is a whole number from 1 to 4094"),
        (["20"], "\"['20']\" is not a whole number, and a VLAN is a whole number from 1 to 4094"),
    ],
)
def test_no_bridge_on_the_vlan(vlan: object, wrong: str) -> None:
    found = place(with_nics(nic("eth0"), nic("eth1", "192.0.2.7"), bridge_vlan=vlan), RICH, "")
    assert found.changes == {"eth1": "br10"}
    right = "correct bridge_vlan, or set virt_bridge by hand"
    (problem,) = found.problems
    assert problem[:4] == ("web1", "virt_bridge of eth0", wrong, right)
    assert problem.kind is findings.NO_VLAN


def test_an_interface_named_after_a_vlan_that_no_bridge_is_on() -> None:
    (problem,) = place(with_nics(nic("vlan30")), RICH, "").problems
    assert problem.wrong == "'kvm1' has no bridge on VLAN 30"
    assert problem.right == "correct the interface's name, or set virt_bridge by hand"


def test_the_vlan_of_a_host_is_about_its_own_bridge() -> None:
    nested = with_nics(nic("eth0"), bridge="br0", bridge_vlan="20")
    assert chosen(nested) == {"eth0": "br0"}


def test_what_was_placed_is_placed_again() -> None:
    system = with_nics(nic("eth0", bridge="br7"), nic("eth1", bridge="br7"), placed="eth0:br7")
    found = place(system, HOST, "xenbr0")
    assert (found.changes, found.placed) == ({"eth0": "br0"}, {"eth0": "br0"})
    assert found.choices[1] == Choice("eth1", "br7", "br7", "set by hand")


def test_what_was_set_by_hand_since_stays() -> None:
    system = with_nics(nic("eth0", bridge="br9"), placed="eth0:br0")
    assert place(system, HOST, "xenbr0") == Placement(
        (Choice("eth0", "br9", "br9", "set by hand"),), {}, ()
    )


def test_an_undescribed_host_moves_nobody_off_its_bridges() -> None:
    anew = (offer("br0", described=False), offer("br1", described=False))
    system = with_nics(nic("eth0", bridge="br1"), nic("eth1", bridge="br7"), nic("eth2"))
    system = system._replace(noted={"eth0": "br1", "eth1": "br7"})
    assert chosen(system, anew) == {"eth1": "br0", "eth2": "br0"}
    # where all is known, the place is what the data say
    assert chosen(system, HOST) == {"eth0": "br0", "eth1": "br0", "eth2": "br0"}


def host(record: str = "br0/installed/x", **meta: Any) -> System:
    return noted(System("kvm1", "hosts", meta, {"bridge_record": record}, ()))


@pytest.mark.parametrize(
    ("system", "wrong"),
    [
        (host(), None),
        (host("br0/verified/x"), None),
        (host(bridge_xen="network-bridge"), None),
        (None, "'kvm1' is no system"),
        (host("/installed/x"), "Cobbler knows no bridge of 'kvm1'"),
        (host("none"), "Cobbler knows no bridge of 'kvm1'"),
        (host("br0/installing/x"), "'kvm1' is being installed"),
        (
            host("xen:network-nat/installed/x"),
            "'kvm1' gives its guests no bridge, with bridge_xen=network-nat",
        ),
        (
            host("none", bridge_xen="network-route"),
            "'kvm1' gives its guests no bridge, with bridge_xen=network-route",
        ),
        (with_nics()._replace(name="web1"), "'kvm1' is the guest itself"),
    ],
)
def test_why_a_guest_cannot_be_placed(system: Optional[System], wrong: Optional[str]) -> None:
    problem = hindrance(with_nics(nic("eth0")), system)
    assert (None if problem is None else problem.wrong) == wrong
    assert problem is None or (problem.subject, problem.field) == ("web1", "bridge_host")


DATA = {
    "name": "kvm1",
    "bridge": "br0",
    "interfaces": {
        "eth0": {
            "ip_address": "192.0.2.10",
            "netmask": "255.255.255.0",
            "ipv6_address": "2001:db8::10",
            "ipv6_prefix": "64",
        }
    },
}


@pytest.mark.parametrize(
    ("more", "networks"),
    [
        # the address of a reservation tells the network of the lease
        ({}, ["2001:db8::/64", "192.0.2.0/24"]),
        ({"bridge_ipv4": "203.0.113.9/28"}, ["203.0.113.0/28", "2001:db8::/64"]),
        ({"bridge_ipv6": "2001:db8:7::9/64"}, ["2001:db8:7::/64", "192.0.2.0/24"]),
        ({"interfaces": {"eth0": {"ip_address": "192.0.2.10", "netmask": ""}}}, []),
        ({"interfaces": {}}, []),
    ],
)
def test_what_is_known_of_a_hosts_bridge(more: Dict[str, Any], networks: List[str]) -> None:
    data = {**DATA, **more}
    description, problems = describe(data)
    assert problems == []
    found = offers(Record(("br0", "br1"), INSTALLED, ""), description, data)
    assert [(each.bridge, each.described) for each in found] == [("br0", True), ("br1", False)]
    assert list(map(str, found[0].networks)) == networks
    assert offers(Record(("br0",), INSTALLED, ""), None, data) == (offer("br0", described=False),)


@given(
    st.dictionaries(
        st.text("eth01.:", min_size=1, max_size=6),
        st.tuples(st.sampled_from(["na", "", "bond", "bridge_slave"]), st.text(max_size=8)),
    ),
    st.sampled_from(["xenbr0", "virbr0", "br7", ""]),
)
def test_a_value_set_by_hand_stays(nics: Dict[str, Tuple[str, str]], default: str) -> None:
    system = guest(*((name, kind, bridge) for name, (kind, bridge) in nics.items()))
    for name in place(system, HOST, default).changes:
        assert nics[name][1] in {"", "<<inherit>>", default} - {"br7"}


def test_placing_twice_changes_nothing_more() -> None:
    before = guest(("eth0", "na", ""), ("eth1", "na", "br7"))
    placed = place(before, HOST, "xenbr0")
    after = guest(("eth0", "na", placed.changes["eth0"]), ("eth1", "na", "br7"))
    after = after._replace(noted=placed.placed)
    assert placed.changes == {"eth0": "br0"}
    again = place(after, HOST, "xenbr0")
    assert (again.changes, again.placed) == ({}, placed.placed)


@pytest.mark.parametrize(
    ("meta", "host"),
    [
        ({"bridge_host": "kvm1"}, "kvm1"),
        ({"bridge_host": ""}, None),
        ({"bridge_host": None}, None),
        ({"bridge_host": ["kvm1", "kvm2"]}, None),
        ({"bridge_host": 7}, None),
        ({}, None),
    ],
)
def test_the_host_that_a_guest_names(meta: Dict[str, object], host: object) -> None:
    assert System("web1", "guests", meta, {}, ()).host == host


def test_nobody_is_placed_on_a_host_that_put_its_old_network_back() -> None:
    rolled_back = host()._replace(record=Record(("br0",), ROLLED_BACK, "x", reason="no gateway"))
    problem = hindrance(with_nics(nic("eth0")), rolled_back)
    assert problem is not None
    assert problem.wrong == "'kvm1' has put its old network back and has no bridge"
