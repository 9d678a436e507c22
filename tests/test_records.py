"""What the interface records of a system describe, and which of them can't be."""

import ipaddress
from typing import Any, Dict, List, Optional, Tuple

import pytest

from cobbler_bridge.description.describe import Description, describe, wants_bridge
from cobbler_bridge.description.network import Bond, Bridge, Nic, Vlan
from cobbler_bridge.description.values import Ipv4, Ipv6, PortChoice, Route
from cobbler_bridge.plan.names import name_of, named
from cobbler_bridge.plan.plan import Call, Fact, flat
from cobbler_bridge.plan.planner import make_plan

Records = Dict[str, Dict[str, Any]]
MAC = "52:54:00:aa:00:0%d"


def bridge(**fields: Any) -> Dict[str, Any]:
    return dict({"interface_type": "bridge"}, **fields)


def port(master: str, kind: str = "bridge_slave", **fields: Any) -> Dict[str, Any]:
    return dict({"interface_type": kind, "interface_master": master}, **fields)


def static(address: str, **fields: Any) -> Dict[str, Any]:
    return dict({"static": True, "ip_address": address, "netmask": "255.255.255.0"}, **fields)


def blended(interfaces: Records, **data: Any) -> Dict[str, Any]:
    start = {"system_name": "kvm1", "breed": "redhat", "os_version": "rhel8"}
    return dict(start, interfaces=interfaces, **data)


def described(interfaces: Records, **data: Any) -> Description:
    description, problems = describe(blended(interfaces, **data))
    assert problems == []
    assert description is not None
    return description


def problems_of(interfaces: Records, **data: Any) -> List[str]:
    description, problems = describe(blended(interfaces, **data))
    assert (description is None) == bool(problems)
    return [str(problem) for problem in problems]


ONE = {"br0": bridge(), "eth0": port("br0", mac_address=(MAC % 1).upper())}
NIC = Nic(1, PortChoice(mac=MAC % 1), "eth0", MAC % 1)


BONDED = dict(
    ONE,
    bond0={"interface_type": "bond"},
    eth1=port("bond0", "bond_slave", mac_address=MAC % 2),
)


def test_a_nic_that_its_mac_address_tells_may_have_cobblers_own_name() -> None:
    records = {"br0": bridge(), "default": port("br0", mac_address=MAC % 1)}
    (only,) = described(records).bridges
    assert only.ports == (NIC._replace(interface="default"),)
    assert described({**ONE, "default": {"mac_address": MAC % 2}}).bridges == described(ONE).bridges


def test_what_is_to_be_done_about_a_name_of_cobblers() -> None:
    rename = "rename it: --interface=default --rename-interface=NAME"
    found = problems_of(dict(ONE, default=port("br0")))
    assert found[0].endswith("; give it its MAC address, or " + rename)
    found = problems_of({"default": bridge(), "eth0": port("default")})
    assert found[0].endswith("no device's; " + rename)
    (found_twice,) = problems_of(dict(ONE, default={"mac_address": MAC % 1}))
    assert found_twice.endswith(
        "; take what is not meant away: --interface=default --delete-interface"
    )


def test_which_vlan_a_nic_is_for() -> None:
    records = {
        "br0": bridge(),
        "br1": bridge(static=True),
        "eth0.10": port("br0"),
        "eth0.20": port("br1"),
    }
    plan, _ = make_plan(blended(records))
    assert plan is not None
    calls = [step for _, step in flat(plan.steps) if isinstance(step, Call)]
    roles = [call.arguments[1] for call in calls if call.helper == "nic_left"]
    assert roles == ["the NIC of VLAN 10 below br0 and VLAN 20 below br1"]


def test_a_record_of_a_bridge_is_enough() -> None:
    assert wants_bridge(blended(ONE))
    assert not wants_bridge(blended({"eth0": {"interface_type": "na"}}))
    (only,) = described(ONE).bridges
    assert only == Bridge("br0", (NIC,), Ipv4("auto"), Ipv6("auto"), "port", None, False, 0)
    assert only.port_interfaces == ("eth0",)
    assert only.vlan is None


def test_the_bridges_come_in_the_order_of_their_names() -> None:
    records = dict(ONE, br1=bridge(), eth1=port("br1"))
    description = described(records)
    assert [each.name for each in description.bridges] == ["br0", "br1"]
    assert [device for device, _ in description.devices] == [
        NIC,
        Nic(2, PortChoice("eth1"), "eth1"),
        *description.bridges,
    ]


def test_a_bond_is_made_of_its_ports() -> None:
    records = {
        "br0": bridge(mtu="9000"),
        "bond0": port("br0", "bonded_bridge_slave", bonding_opts="mode=1 primary=eth0"),
        "eth1": port("bond0", "bond_slave"),
        "eth0": port("bond0", "bond_slave", mac_address=MAC % 1),
    }
    (only,) = described(records).bridges
    nics = (NIC._replace(mtu=9000), Nic(2, PortChoice("eth1"), "eth1", mtu=9000))
    options = (("mode", "1"), ("primary", "eth0"), ("miimon", "100"))
    assert only.ports == (Bond("bond0", nics, options, 9000),)
    assert only.port_interfaces == ("bond0",)


def test_a_vlan_of_a_bond_that_has_an_address_itself() -> None:
    records = {
        "br10": bridge(static=True),
        "bond0.10": port("br10"),
        "bond0": dict(static("192.0.2.10"), interface_type="bond", bonding_opts="miimon=50"),
        "eth0": port("bond0", "bond_slave"),
        "bond0.20": {},
        "bond1.30": {},
    }
    description = described(records)
    (only,) = description.bridges
    address = Ipv4("static", ipaddress.IPv4Interface("192.0.2.10/24"))
    bond = Bond(
        "bond0", (Nic(1, PortChoice("eth0"), "eth0"),), (("miimon", "50"),), None, address,
        Ipv6("auto"),
    )  # fmt: skip
    assert only.ports == (Vlan(1, 10, bond, "bond0.10"),)
    assert (only.ipv4, only.ipv6, only.vlan) == (Ipv4("none"), Ipv6("none"), 10)
    # one more of the bond that is written anyway; bond1 is the installer's
    assert description.vlans == (
        Vlan(2, 20, bond, "bond0.20", ipv4=Ipv4("dhcp"), ipv6=Ipv6("auto")),
    )


@pytest.mark.parametrize(
    ("record", "left", "method"),
    [
        (None, True, "none"),
        ({"static": True}, False, "none"),
        ({"static": False}, False, "dhcp"),
        (static("192.0.2.10"), False, "static"),
    ],
)
def test_the_nic_of_a_vlan(record: Optional[Dict[str, Any]], left: bool, method: str) -> None:
    records: Records = {"br10": bridge(static=True), "eth0.10": port("br10")}
    if record is not None:
        records["eth0"] = record
    ((vlan,),) = (each.ports for each in described(records).bridges)
    assert isinstance(vlan, Vlan)
    assert isinstance(vlan.parent, Nic)
    assert (vlan.parent.left, vlan.parent.ipv4.method) == (left, method)


def test_a_nic_that_is_a_port_and_has_a_vlan_is_one_nic() -> None:
    records = dict(ONE, br10=bridge(static=True), **{"eth0.10": port("br10")})
    description = described(records)
    nics = [(device, master) for device, master in description.devices if isinstance(device, Nic)]
    assert nics == [(NIC, description.bridges[0])]


def test_a_vlan_over_a_bridge() -> None:
    description = described(dict(ONE, **{"br0.20": static("192.0.2.20")}))
    (vlan,) = description.vlans
    assert (vlan.parent, vlan.tag, vlan.ipv4.method) == ("br0", 20, "static")


def test_every_address_and_route_of_a_record() -> None:
    records = {
        "br0": bridge(
            **static(
                "192.0.2.10",
                static_routes=["198.51.100.0/24:192.0.2.254"],
                ipv6_address="2001:db8::10",
                ipv6_prefix="64",
                ipv6_secondaries=["2001:db8::11/64", "2001:db8::12"],
                ipv6_default_gateway="fe80::1",
                ipv6_static_routes=["2001:db8:1::/48,2001:db8::2"],
            )
        ),
        "br0:1": {"ip_address": "192.0.2.11", "netmask": "255.255.255.0"},
        "eth0": port("br0"),
    }
    (only,) = described(records, gateway="192.0.2.1").bridges
    assert only.ipv4 == Ipv4(
        "static",
        ipaddress.IPv4Interface("192.0.2.10/24"),
        ipaddress.IPv4Address("192.0.2.1"),
        (ipaddress.IPv4Interface("192.0.2.11/24"),),
        (Route("198.51.100.0/24", "192.0.2.254"),),
    )
    assert only.ipv6 == Ipv6(
        "static",
        ipaddress.IPv6Interface("2001:db8::10/64"),
        ipaddress.IPv6Address("fe80::1"),
        (ipaddress.IPv6Interface("2001:db8::11/64"), ipaddress.IPv6Interface("2001:db8::12/64")),
        (Route("2001:db8:1::/48", "2001:db8::2"),),
    )


def test_the_systems_gateway_belongs_to_the_bridge_in_its_network() -> None:
    records = {
        "br0": bridge(**static("192.0.2.10")),
        "br1": bridge(**static("198.51.100.10")),
        "eth0": port("br0"),
        "eth1": port("br1"),
    }
    first, second = described(records, gateway="198.51.100.1").bridges
    assert (first.ipv4.gateway, str(second.ipv4.gateway)) == (None, "198.51.100.1")


@pytest.mark.parametrize(
    ("opts", "stp", "delay", "others"),
    [
        ("", False, 0, ()),
        ("STP=on", True, 15, ()),
        ("stp=yes delay=4", True, 4, ()),
        ("STP=no DELAY=0", False, 0, ()),
        (
            "stp=off,FORWARD_DELAY=2,prio=1,AGEING=9",
            False,
            2,
            (("ageing_time", 9), ("priority", 1)),
        ),
        ("multicast_snooping=off", False, 0, (("multicast_snooping", 0),)),
    ],
)
def test_bridge_opts(opts: str, stp: bool, delay: int, others: Tuple[Tuple[str, int], ...]) -> None:
    (only,) = described(dict(ONE, br0=bridge(bridge_opts=opts))).bridges
    assert (only.stp, only.forward_delay, only.options) == (stp, delay, others)


@pytest.mark.parametrize(
    "opts", ["stp", "stp=maybe", "delay=x", "delay=31", "x=1", "$(id)=1", "stp=on="]
)
def test_wrong_bridge_opts(opts: str) -> None:
    (problem,) = problems_of(dict(ONE, br0=bridge(bridge_opts=opts)))
    assert problem.startswith("kvm1: bridge_opts of br0: %r " % opts)


VARIABLES: Dict[str, Any] = {
    "bridge_mac": "none",
    "bridge_mtu": 1400,
    "bridge_stp": "on",
    "bridge_forward_delay": 5,
    "bridge_opts": "priority=7",
    "bridge_ipv6": "none",
}


def test_variables_say_what_the_records_do_not() -> None:
    (only,) = described(ONE, **VARIABLES).bridges
    assert (only.mac, only.mtu, only.stp, only.forward_delay) == ("none", 1400, True, 5)
    assert (only.options, only.ipv6) == ((("priority", 7),), Ipv6("none"))
    assert only.ports == (NIC._replace(mtu=1400),)


def test_variables_are_about_the_bridge_that_is_named() -> None:
    records = dict(ONE, br1=bridge(), eth1=port("br1"))
    first, second = described(records, bridge="br1", bridge_stp="on").bridges
    assert (first.stp, second.stp) == (False, True)


AGREES: Dict[str, Any] = {
    "bridge": "br0",
    "bridge_port": MAC % 1,
    "bridge_ipv4": "dhcp",
    "bridge_ipv6": "auto",
    "bridge_stp": "on",
    "bridge_mtu": "1400",
}


def test_variables_that_agree_are_no_problem() -> None:
    records = dict(ONE, br0=bridge(bridge_opts="stp=on", mtu=1400))
    assert problems_of(records, **AGREES) == []


CONTRADICTS = "kvm1: %s: %r contradicts %s; remove it, or change %s in the records"
FULL = {
    "br0": bridge(
        mac_address="02:00:00:00:00:01",
        mtu="1500",
        bridge_opts="stp=on forward_delay=4 priority=1",
        **static("192.0.2.10", ipv6_address="2001:db8::10/64")
    ),
    "eth0": port("br0"),
}  # fmt: skip
PORTS = "the interface records, in which the ports of br0 are eth0"
OPTS = "bridge_opts of br0: 'stp=on forward_delay=4 priority=1'"


@pytest.mark.parametrize(
    ("key", "value", "said", "field"),
    [
        ("bridge_port", "eth1", PORTS, "interface_master"),
        ("bridge_ipv4", "dhcp", "ip_address of br0: 192.0.2.10/24", "ip_address"),
        ("bridge_ipv4", "keep", "ip_address of br0: 192.0.2.10/24", "ip_address"),
        (
            "bridge_ipv4",
            "192.0.2.10/24,192.0.2.1",
            "ip_address of br0: 192.0.2.10/24",
            "ip_address",
        ),
        ("bridge_ipv6", "2001:db8::11/64", "ipv6_address of br0: 2001:db8::10/64", "ipv6_address"),
        ("bridge_ipv6", "none", "ipv6_address of br0: 2001:db8::10/64", "ipv6_address"),
        ("bridge_vlan", "10", PORTS, "the name of the port"),
        ("bridge_mtu", "1400", "mtu of br0: '1500'", "mtu"),
        ("bridge_mac", "port", "mac_address of br0: '02:00:00:00:00:01'", "mac_address"),
        ("bridge_stp", "off", OPTS, "bridge_opts"),
        ("bridge_forward_delay", "5", OPTS, "bridge_opts"),
        ("bridge_opts", "priority=2", OPTS, "bridge_opts"),
    ],
)
def test_a_variable_that_contradicts_the_record(
    key: str, value: str, said: str, field: str
) -> None:
    assert problems_of(FULL, **{key: value}) == [CONTRADICTS % (key, value, said, field)]


def test_a_variable_that_records_leave_no_room_for() -> None:
    assert problems_of(ONE, bridge_ipv4="192.0.2.10/24") == [
        CONTRADICTS % ("bridge_ipv4", "192.0.2.10/24", "ip_address of br0: dhcp", "ip_address")
    ]
    assert problems_of(ONE, bridge_ipv6="keep") == [
        "kvm1: bridge_ipv6: 'keep' is for a bridge that no interface record describes; "
        "another value"
    ]


def test_a_bridge_that_no_record_describes() -> None:
    assert problems_of(ONE, bridge="br9") == [
        "kvm1: bridge: 'br9' is none of the bridges that the interface records describe; "
        "remove it, or it can be br0"
    ]


NO_PORT = "the bridge has no port, and so no DHCP server to ask"


@pytest.mark.parametrize(
    ("records", "problem"),
    [
        ({"br0": bridge()}, "interface_type of br0: " + NO_PORT),
        (dict(ONE, eth1=port("br9")), "interface_master of eth1: there is no interface 'br9'"),
        (dict(ONE, eth1=port("")), "interface_master of eth1: is not set"),
        (dict(ONE, **{"br0:1": {"netmask": "x"}}), "ip_address of br0:1: is not set"),
        (dict(ONE, eth1=port("eth0")), "interface_master of eth1: eth0 is of type bridge_slave"),
        (dict(ONE, eth1=port("eth1")), "interface_master of eth1: eth1 is of type bridge_slave"),
        (
            dict(ONE, eth1=port("br0", "bond_slave")),
            "interface_master of eth1: br0 is of type bridge",
        ),
        (
            dict(ONE, eth1={"interface_master": "br0"}),
            "interface_type of eth1: na is no port, but its interface_master is br0",
        ),
        (
            dict(ONE, bond0={"interface_type": "bond", "interface_master": "br0"}),
            "interface_type of bond0: bond is no port, but its interface_master is br0",
        ),
        (
            dict(ONE, default=port("br0")),
            "interface default: is Cobbler's own name for one that was added without --interface, "
            "and no device's",
        ),
        (
            dict(ONE, **{"default.10": {}}),
            "interface default.10: is Cobbler's own name for one that was added without "
            "--interface, and no device's",
        ),
        (
            dict(ONE, default={"mac_address": MAC % 1}),
            "mac_address of eth0: default has the same one",
        ),
        (
            dict(BONDED, **{"bond0.10": port("bond0", "bond_slave", **static("192.0.2.9"))}),
            "interface_type of bond0.10: it is VLAN 10 of bond0, and no port of it",
        ),
        (
            dict(BONDED, **{"eth2.10": port("bond0", "bond_slave")}),
            "interface_type of eth2.10: it is VLAN 10 of eth2, and the ports of a bond are NICs",
        ),
        (
            dict(BONDED, **{"bond0.10": port("br0", "bonded_bridge_slave")}),
            "interface_type of bond0.10: it is VLAN 10 of bond0, and bonded_bridge_slave is the "
            "type of a bond",
        ),
        (
            dict(ONE, bond0=port("br0", "bonded_bridge_slave")),
            "interface_type of bond0: the bond has no port",
        ),
        (
            dict(ONE, eth1=port("br0", ip_address="192.0.2.9")),
            "ip_address of eth1: a port has no address",
        ),
        (
            dict(ONE, eth1=port("br0", ipv6_address="2001:db8::9")),
            "ipv6_address of eth1: a port has no address",
        ),
        (
            dict(ONE, eth1=port("br0", mac_address=MAC % 1)),
            "mac_address of eth1: eth0 has the same one",
        ),
        (
            dict(ONE, eth1=port("br0", mac_address="x")),
            "mac_address of eth1: 'x' is no unicast MAC address",
        ),
        (dict(ONE, **{"eth1.4095": port("br0")}), "name of eth1.4095: 4095 is no VLAN"),
        (
            dict(ONE, **{"br0.10": port("br0")}),
            "interface_master of br0.10: br0 leads back to br0.10",
        ),
        (
            dict(ONE, **{"a" * 16: port("br0")}),
            "interface 'aaaaaaaaaaaaaaaa': the name has 16 characters",
        ),
        (dict(ONE, **{"x\n%end": port("br0")}), "interface 'x\\n%end': the name has '\\n' in it"),
        (
            dict(ONE, br0=bridge(**static("192.0.2.10", if_gateway="198.51.100.1"))),
            "if_gateway of br0: '192.0.2.10/24' of br0 has a gateway 198.51.100.1 that is no "
            "neighbour in 192.0.2.0/24",
        ),
        (
            dict(ONE, br0=bridge(static_routes=["198.51.100.0/33:192.0.2.1"])),
            "static_routes of br0: '198.51.100.0/33:192.0.2.1' is no NETWORK/PREFIX with a gateway",
        ),
        (
            dict(ONE, br0=bridge(static=True, static_routes=["198.51.100.0/24:192.0.2.1"])),
            "static_routes of br0: '192.0.2.1' is no neighbour of the interface",
        ),
        (
            dict(ONE, br0=bridge(ipv6_static_routes=["2001:db8::/48;reboot"])),
            "ipv6_static_routes of br0: '2001:db8::/48;reboot' is no NETWORK/PREFIX with a gateway",
        ),
        (
            dict(ONE, br0=bridge(ipv6_secondaries=["2001:db8::11/64"])),
            "ipv6_secondaries of br0: has no ipv6_address beside it",
        ),
        (
            dict(ONE, br0=bridge(bridge_opts="stp=on delay=1")),
            "bridge_opts of br0: a forward delay of 1 is too short for the spanning tree protocol",
        ),
        (
            dict(ONE, **{"eth1.10": port("br0", mtu="9000"), "eth1": {"mtu": "1500"}}),
            "mtu of eth1: 9000 of eth1.10 is larger",
        ),
    ],
)
def test_what_can_not_be(records: Records, problem: str) -> None:
    found = problems_of(records)
    assert [each.partition("; ")[0] for each in found] == ["kvm1: " + problem]


def test_a_chain_that_comes_back() -> None:
    records = {
        "br0": bridge(static=True),
        "br1": bridge(static=True),
        "br0.10": port("br1"),
        "br1.20": port("br0"),
    }
    assert [each.partition("; ")[0] for each in problems_of(records)] == [
        "kvm1: interface_master of br0.10: br1 leads back to br0.10",
        "kvm1: interface_master of br1.20: br0 leads back to br1.20",
    ]


@pytest.mark.parametrize(
    ("os_version", "records", "problem"),
    [
        (
            "rhel6",
            dict(ONE, br10=bridge(static=True), **{"eth0.10": port("br10")}),
            "interface eth0.10: the kernel of EL 6 gives the VLAN's frames to br0; "
            "a VLAN over the bridge, br0.10",
        ),
        (
            "rhel5",
            {"br0": bridge(static=True), "br0.10": static("192.0.2.10")},
            "interface br0.10: network-scripts of EL 5 start the VLAN before the bridge; "
            "a NIC or bond as a port of br0",
        ),
    ],
)
def test_vlans_that_old_releases_can_not_have(
    os_version: str, records: Records, problem: str
) -> None:
    _, problems = make_plan(dict(blended(records), os_version=os_version))
    assert [str(each) for each in problems] == ["kvm1: " + problem]
    assert make_plan(dict(blended(records), os_version="rhel8"))[1] == []


def test_the_names_that_devices_get() -> None:
    records = {
        "br0": bridge(),
        "br1": bridge(static=True),
        "eth0.7": port("br0"),
        "enp130s0f1np1.77": port("br1"),
        "eth0": {"mac_address": MAC % 1},
    }
    names = [each.name for each in named(described(records))]
    assert names == [
        Fact("port1", "$port1"),
        Fact("vlan1", "$port1.7"),
        "enp130s0f1np1",
        "vlan77",
        "br0",
        "br1",
    ]
    assert name_of("br0.7", ()) == "br0.7"
