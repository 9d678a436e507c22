"""What a description takes from the variables and what from a system's own records."""

import ipaddress
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest

from cobbler_bridge.description import keys
from cobbler_bridge.description.blended_data import subject_of
from cobbler_bridge.description.describe import Description, describe, relevant, wants_bridge
from cobbler_bridge.description.network import Bridge, Nic
from cobbler_bridge.description.values import Ipv4, Ipv6, PortChoice
from cobbler_bridge.plan.families.redhat import FAMILY as REDHAT
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.problem import Problem

SNIPPETS = Path(__file__).parent.parent / "snippets"
MAC1, MAC2, MAC3 = ("52:54:00:aa:00:0%d" % number for number in (1, 2, 3))
DHCP = Ipv4("dhcp")
AUTO = Ipv4("auto")

Records = Dict[str, Dict[str, Any]]


def blended(interfaces: Any = None, **data: Any) -> Dict[str, Any]:
    start: Dict[str, Any] = {"system_name": "kvm1", "bridge": "br0"}
    if interfaces is not None:
        start["interfaces"] = interfaces
    return dict(start, **data)


def described(interfaces: Any = None, **data: Any) -> Description:
    description, problems = describe(blended(interfaces, **data))
    assert problems == []
    assert description is not None
    return description


def bridge_of(interfaces: Any = None, **data: Any) -> Bridge:
    (bridge,) = described(interfaces, **data).bridges
    return bridge


def problems_of(interfaces: Any = None, **data: Any) -> List[str]:
    description, problems = describe(blended(interfaces, **data))
    assert (description is None) == bool(problems)
    return [str(problem) for problem in problems]


def static(address: str, mac: str = MAC1, **fields: Any) -> Dict[str, Any]:
    record = {"mac_address": mac, "ip_address": address, "netmask": "255.255.255.0"}
    return dict(record, static=True, interface_type="na", **fields)


def ipv4(text: str, gateway: Optional[str] = None) -> Ipv4:
    router = None if gateway is None else ipaddress.IPv4Address(gateway)
    return Ipv4("static", ipaddress.IPv4Interface(text), router)


def test_the_defaults() -> None:
    assert described() == Description(
        subject="kvm1",
        bridges=(
            Bridge(
                name="br0",
                ports=(Nic(1, PortChoice()),),
                ipv4=AUTO,
                ipv6=Ipv6("auto"),
                mac="port",
                mtu=None,
                stp=False,
                forward_delay=0,
            ),
        ),
        vlans=(),
        firewall="auto",
        backend="auto",
        name_servers=(),
        search_domains=(),
    )


def test_everything_written_out() -> None:
    description = described(
        bridge="lan",
        bridge_port="eth1, %s" % MAC1.upper(),
        bridge_ipv4="198.51.100.9/23,198.51.101.254",
        bridge_ipv6="2001:db8::9/64,fe80::1",
        bridge_mac="02-00-00-00-00-07",
        bridge_mtu="1400",
        bridge_stp="on",
        bridge_forward_delay="4",
        bridge_firewall="none",
        bridge_backend="ifcfg",
        name_servers=["192.0.2.1", "2001:db8::1"],
        name_servers_search="example.com lan.example.com",
    )
    assert description == Description(
        subject="kvm1",
        bridges=(
            Bridge(
                name="lan",
                ports=(
                    Nic(1, PortChoice("eth1"), mtu=1400),
                    Nic(2, PortChoice(mac=MAC1), mtu=1400),
                ),
                ipv4=ipv4("198.51.100.9/23", "198.51.101.254"),
                ipv6=Ipv6(
                    "static",
                    ipaddress.IPv6Interface("2001:db8::9/64"),
                    ipaddress.IPv6Address("fe80::1"),
                ),
                mac="02:00:00:00:00:07",
                mtu=1400,
                stp=True,
                forward_delay=4,
            ),
        ),
        vlans=(),
        firewall="none",
        backend="ifcfg",
        name_servers=("192.0.2.1", "2001:db8::1"),
        search_domains=("example.com", "lan.example.com"),
    )


ONE = {"eth0": static("192.0.2.10")}
TWO = {"eth0": static("192.0.2.10"), "eth1": static("198.51.100.9", MAC2)}
MANAGED = {"eth0": TWO["eth0"], "eth1": dict(TWO["eth1"], management=True)}
NO_NICS = {
    "bond0": {"interface_type": "bond", "management": True},
    "eth0": {"interface_type": "bond_slave"},
    "eth0.7": {"interface_type": "na", "management": True},
    "eth0:1": {"interface_type": "na"},
    "eth1": {"interface_type": "NA", "mac_address": MAC2},
}


@pytest.mark.parametrize(
    ("interfaces", "port", "found", "macs"),
    [
        (None, "auto", (), (None,)),
        ({}, "auto", (), (None,)),
        (ONE, "auto", ("eth0",), (MAC1,)),
        (MANAGED, "auto", ("eth1",), (MAC2,)),
        ({"eth0": {}, "eth1": {}}, "auto", (), (None,)),
        ({"eth0": {"management": True}, "eth1": {"management": True}}, "auto", (), (None,)),
        ({"eth0": {"management": "yes"}, "eth1": {}}, "auto", (), (None,)),
        (NO_NICS, "auto", ("eth1",), (MAC2,)),
        (TWO, "eth1", ("eth1",), (MAC2,)),
        (TWO, "eth1,eth0", ("eth1", "eth0"), (MAC2, MAC1)),
        (TWO, "ens3", (), (None,)),
        (TWO, "ens3,eth1", ("eth1",), (None, MAC2)),
        (TWO, MAC2, ("eth1",), (MAC2,)),
        (TWO, MAC2.upper().replace(":", "-"), ("eth1",), (MAC2,)),
        (TWO, MAC3, (), (None,)),
        ({"eth0": {"mac_address": MAC1.upper()}}, "auto", ("eth0",), (MAC1,)),
        ({"eth0": {"mac_address": "random"}}, "auto", ("eth0",), (None,)),
        ({"eth0": {"mac_address": None}}, "eth0", ("eth0",), (None,)),
    ],
)
def test_which_record_is_the_port(
    interfaces: Records, port: str, found: Tuple[str, ...], macs: Tuple[Optional[str], ...]
) -> None:
    bridge = bridge_of(interfaces, bridge_port=port, bridge_ipv4="dhcp")
    assert bridge.port_interfaces == found
    assert tuple(getattr(port, "mac", None) for port in bridge.ports) == macs


@pytest.mark.parametrize(
    ("interfaces", "data", "expected"),
    [
        (ONE, {}, ipv4("192.0.2.10/24")),
        (ONE, {"bridge_ipv4": "auto"}, ipv4("192.0.2.10/24")),
        (ONE, {"gateway": "192.0.2.1"}, ipv4("192.0.2.10/24", "192.0.2.1")),
        (
            {"eth0": static("192.0.2.10", if_gateway="192.0.2.254")},
            {"gateway": "192.0.2.1"},
            ipv4("192.0.2.10/24", "192.0.2.254"),
        ),
        (
            {"eth0": static(" 192.0.2.10 ", netmask=" 255.255.254.0 ")},
            {"gateway": ""},
            ipv4("192.0.2.10/23"),
        ),
        (ONE, {"bridge_ipv4": "dhcp"}, DHCP),
        (ONE, {"bridge_ipv4": "none"}, Ipv4("none")),
        (ONE, {"bridge_ipv4": "192.0.2.7/25", "gateway": "192.0.2.1"}, ipv4("192.0.2.7/25")),
        ({"eth0": dict(ONE["eth0"], static=False)}, {}, AUTO),
        ({"eth0": dict(ONE["eth0"], ip_address="")}, {}, AUTO),
        # an address that only a further one has
        (
            {"eth0": {"static": True}, "eth0:0": static("192.0.2.10")},
            {"gateway": "192.0.2.1"},
            ipv4("192.0.2.10/24", "192.0.2.1"),
        ),
        (MANAGED, {}, ipv4("198.51.100.9/24")),
        (TWO, {"bridge_port": "eth0"}, ipv4("192.0.2.10/24")),
        (TWO, {"bridge_port": "eth1,eth0"}, ipv4("198.51.100.9/24")),
        # the system's gateway is another interface's neighbour, or the port's own
        (MANAGED, {"gateway": "192.0.2.1"}, ipv4("198.51.100.9/24")),
        (MANAGED, {"gateway": "198.51.100.1"}, ipv4("198.51.100.9/24", "198.51.100.1")),
        (
            {"eth0": static("192.0.2.10"), "eth1": static("192.0.2.11", MAC2, management=True)},
            {"gateway": "192.0.2.1"},
            ipv4("192.0.2.11/24", "192.0.2.1"),
        ),
    ],
)
def test_the_address_of_the_record(
    interfaces: Records, data: Dict[str, str], expected: Ipv4
) -> None:
    assert bridge_of(interfaces, **data).ipv4 == expected


NETMASK = "kvm1: netmask of eth0: %s; set the one of the static address 192.0.2.10"
ADDRESS = "kvm1: ip_address of eth0: %s; correct it, or write bridge_ipv4"
FAR = "kvm1: %s: '192.0.2.10/24' of eth0 has a gateway %s; correct it, or write bridge_ipv4"
NO_NEIGHBOUR = "198.51.100.1 that is no neighbour in 192.0.2.0/24"


@pytest.mark.parametrize(
    ("fields", "gateway", "problem"),
    [
        ({"netmask": ""}, "", NETMASK % "is not set"),
        ({"netmask": None}, "", NETMASK % "is not set"),
        ({"netmask": "255.255.0.255"}, "", NETMASK % "'255.255.0.255' is not a netmask"),
        ({"netmask": "0.0.0.0"}, "", NETMASK % "'0.0.0.0' is not a netmask"),
        ({"netmask": "255.255.255"}, "", NETMASK % "'255.255.255' is not a netmask"),
        ({"netmask": "255.255.256.0"}, "", NETMASK % "'255.255.256.0' is not a netmask"),
        ({"netmask": "24"}, "", NETMASK % "'24' is not a netmask"),
        ({"netmask": "255.255.255.\u00b2"}, "", NETMASK % "'255.255.255.\u00b2' is not a netmask"),
        (
            {"netmask": "\u0662\u0665\u0665.255.255.0"},
            "",
            NETMASK % "'\u0662\u0665\u0665.255.255.0' is not a netmask",
        ),
        (
            {"netmask": "255.255.255.255"},
            "",
            ADDRESS % "'192.0.2.10/32' has a prefix that is not a number from 1 to 31",
        ),
        (
            {},
            "198.51.100.1",
            FAR % ("gateway", NO_NEIGHBOUR),
        ),
        (
            {"if_gateway": "198.51.100.1"},
            "192.0.2.1",
            FAR % ("if_gateway of eth0", NO_NEIGHBOUR),
        ),
        (
            {"if_gateway": "gw\n%end"},
            "",
            FAR % ("if_gateway of eth0", "'gw\\n%end' that is not an IPv4 address"),
        ),
    ],
)
def test_a_record_whose_address_is_wrong(
    fields: Dict[str, Any], gateway: str, problem: str
) -> None:
    record = {"eth0": dict(static("192.0.2.10"), **fields)}
    assert problems_of(record, gateway=gateway) == [problem]
    assert problems_of(record, gateway=gateway, bridge_ipv4="dhcp") == []


def test_every_netmask() -> None:
    for prefix in range(1, 32):
        network = ipaddress.IPv4Network("128.0.0.0/%d" % prefix)
        record = {"eth0": static("128.0.0.1", netmask=str(network.netmask))}
        assert bridge_of(record).ipv4 == ipv4("128.0.0.1/%d" % prefix)


def test_auto_does_not_guess_between_static_addresses() -> None:
    assert problems_of(TWO) == [
        "kvm1: bridge_ipv4: auto can't tell whether the bridge has the address of eth0 or eth1; "
        "name the port with bridge_port, or write the address"
    ]
    assert bridge_of({"eth0": {}, "eth1": {}}).ipv4 == AUTO


ASKS = "br0 asks a DHCP server where the installer's own file has no static address; %s"
SET = "set static=1, or write bridge_ipv4=dhcp"


@pytest.mark.parametrize(
    ("interfaces", "data", "remarks"),
    [
        (ONE, {}, []),
        ({"eth0": {}}, {}, []),
        (
            {"eth0": dict(ONE["eth0"], static=False)},
            {},
            [
                "kvm1: static of eth0: is not set, and so '192.0.2.10' is no static address: "
                + ASKS % SET
            ],
        ),
        # Cobbler's own DHCP server gives it
        ({"eth0": dict(ONE["eth0"], static=False)}, {"manage_dhcp": True}, []),
        ({"eth0": dict(ONE["eth0"], static=False)}, {"manage_dhcp_v4": "1"}, []),
        ({"eth0": dict(ONE["eth0"], static=False)}, {"bridge_ipv4": "dhcp"}, []),
        (
            {"eth0": dict(ONE["eth0"], ip_address="")},
            {},
            [
                "kvm1: static of eth0: has no address: "
                + ASKS % "set ip_address, or write bridge_ipv4"
            ],
        ),
        (
            {"eth0": {}, "eth0:0": static("192.0.2.10")},
            {},
            ["kvm1: ip_address of eth0: only eth0:0 has an address: " + ASKS % SET],
        ),
    ],
)
def test_what_is_known_of_an_address_is_said(
    interfaces: Records, data: Dict[str, Any], remarks: List[str]
) -> None:
    found = described(interfaces=interfaces, **data).remarks
    assert [str(each) for each in found] == remarks


@pytest.mark.parametrize(
    ("recorded", "data", "mtu"),
    [
        ("9000", {}, 9000),
        (9000, {}, 9000),
        ("", {}, None),
        (None, {}, None),
        ("9000", {"bridge_mtu": "1400"}, 1400),
        ("575", {"bridge_mtu": "1400"}, 1400),
    ],
)
def test_the_mtu_of_the_record(recorded: Any, data: Dict[str, str], mtu: Optional[int]) -> None:
    assert bridge_of({"eth0": {"mtu": recorded}}, **data).mtu == mtu


def test_a_wrong_mtu_in_the_record() -> None:
    assert problems_of({"eth0": {"mtu": "65536"}}) == [
        "kvm1: mtu of eth0: '65536' is too large; it can be a whole number from 576 to 9216"
    ]


@pytest.mark.parametrize(
    ("data", "stp", "delay"),
    [
        ({}, False, 0),
        ({"bridge_stp": "off"}, False, 0),
        ({"bridge_stp": "on"}, True, 15),
        ({"bridge_stp": "on", "bridge_forward_delay": "2"}, True, 2),
        ({"bridge_stp": "off", "bridge_forward_delay": "1"}, False, 1),
        ({"bridge_forward_delay": "30"}, False, 30),
    ],
)
def test_spanning_tree(data: Dict[str, str], stp: bool, delay: int) -> None:
    bridge = bridge_of(**data)
    assert (bridge.stp, bridge.forward_delay) == (stp, delay)


@pytest.mark.parametrize("delay", ["0", "1"])
def test_spanning_tree_needs_time(delay: str) -> None:
    assert problems_of(bridge_stp="on", bridge_forward_delay=delay) == [
        "kvm1: bridge_forward_delay: a forward delay of %s is too short for the spanning tree "
        "protocol; at least 2, or no STP" % delay
    ]


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("bridge_prot", "did you mean bridge_port?"),
        ("bridge_ports", "did you mean bridge_port?"),
        ("bridge_ip4", "did you mean bridge_ipv4?"),
        ("bridge_MTU", "did you mean bridge_mtu?"),
        ("bridge_xenscript", "did you mean bridge_xen_vif_script?"),
        ("bridge_qqqqqqqqqqqqqqqqqqqq", "remove it"),
        ("bridge_%s" % ("q" * 200), "remove it"),
    ],
)
def test_an_unknown_variable_is_refused(name: str, right: str) -> None:
    expected = "kvm1: %s: is no variable of cobbler-bridge; %s" % (name, right)
    assert problems_of(**{name: "eth0"}) == [expected]


def test_the_fields_of_interfaces_are_no_variables() -> None:
    fields = {"bridge_opts_eth0": "ageing_time=20", "bridge_opts_eth1": ""}
    assert described({"eth0": {}, "eth1": {}}, bridge_port="eth0", **fields) == described(
        {"eth0": {}, "eth1": {}}, bridge_port="eth0"
    )
    assert problems_of({"eth0": {}}, **fields) == [
        "kvm1: bridge_opts_eth1: is no variable of cobbler-bridge; did you mean bridge_opts?"
    ]
    assert bridge_of({"eth0": {}}, bridge_opts="ageing_time=20").options == (("ageing_time", 20),)


def test_the_variables_of_guests_and_records_are_no_mistakes() -> None:
    assert described(bridge_host="kvm2", bridge_record="br0/installed/x") == described()


def test_every_problem_at_once() -> None:
    interfaces = {
        "eth0": {
            "interface_type": "bond_slave",
            "static": True,
            "ipv6_secondaries": ["2001:db8::1"],
            "static_routes": ["192.0.2.0/24:198.51.100.1"],
            "ipv6_static_routes": [],
            "ipv6_mtu": "1400",
        },
    }
    problems = problems_of(
        interfaces,
        bridge_port="eth0",
        bridge_mac="x",
        bridge_mtu="1",
        bridge_stp="maybe",
        bridge_vlan="0",
        bridge_prot="eth0",
        bridge_opts="x",
        name_servers=["192.0.2.1\n%end"],
        name_servers_search="a|b",
    )
    fields = [problem.split(": ")[1] for problem in problems]
    assert sorted(fields) == [
        "bridge_mac",
        "bridge_mtu",
        "bridge_opts",
        "bridge_prot",
        "bridge_stp",
        "bridge_vlan",
        "interface_type of eth0",
        "ipv6_mtu of eth0",
        "ipv6_secondaries of eth0",
        "name_servers",
        "name_servers_search",
        "static_routes of eth0",
    ]
    for problem in problems:
        assert re.match(r"kvm1: [a-z0-9_ ]+: [^;\n]+; [^;\n]+\Z", problem), problem


@pytest.mark.parametrize(
    ("bridge", "port", "problem"),
    [
        (
            "a" * 15,
            "a" * 15,
            "kvm1: bridge: 'aaaaaaaaaaaaaaa' is the port's own name, and paaaaaaaaaaaaaaa would "
            "have 16 characters; a name of at most 14 characters, or one that is not the port's",
        ),
        (
            "eth0",
            "peth0",
            "kvm1: bridge_port: 'peth0' is the name that the port gets; write the name that the "
            "machine gives it, eth0",
        ),
    ],
)
def test_names_that_would_clash(bridge: str, port: str, problem: str) -> None:
    assert problems_of(bridge=bridge, bridge_port=port) == [problem]


def test_names_that_are_just_right() -> None:
    assert bridge_of(bridge="a" * 14, bridge_port="a" * 14).ports == (Nic(1, PortChoice("a" * 14)),)
    assert bridge_of(bridge="a" * 15, bridge_port="eth0").name == "a" * 15


@pytest.mark.parametrize("value", ["br0", "", None, "~", "-x"])
def test_a_bridge_is_wanted_where_the_variable_is_set(value: Any) -> None:
    assert wants_bridge({"bridge": value})
    assert not wants_bridge({"bridge_port": value, "virt_bridge": "br0"})


@pytest.mark.parametrize(
    ("data", "subject"),
    [
        ({"system_name": "kvm1", "profile_name": "hosts", "name": "x"}, "kvm1"),
        ({"system_name": "", "profile_name": "hosts", "name": "x"}, "hosts"),
        ({"name": "x"}, "x"),
        ({}, "?"),
    ],
)
def test_the_subject(data: Dict[str, str], subject: str) -> None:
    assert subject_of(data) == subject


def test_a_problem_is_one_line() -> None:
    assert str(Problem("kvm1", "bridge", "is empty", "br0")) == "kvm1: bridge: is empty; br0"
    odd = str(Problem("kvm1\n", "bridge_\u2028x", "is wrong", "remove it"))
    assert odd == "kvm1\\n: bridge_\\u2028x: is wrong; remove it"


def test_what_no_rendering_reads_is_left_out() -> None:
    data = blended(
        {"eth0": {}},
        bridge_opts_eth0="",
        gateway="192.0.2.1",
        kernel="/x",
        virt_type="kvm",
        breed="redhat",
        os_version="rhel7",
    )
    kept = relevant(data)
    assert describe(kept) == describe(data)
    assert make_plan(kept) == make_plan(data)
    assert not {"kernel", "virt_type"} & set(kept)


# docs: the public interface; what is missing here is missing for the administrator
DOCUMENTED = """
bridge bridge_port bridge_ipv4 bridge_ipv6 bridge_vlan bridge_mtu bridge_mac bridge_stp
bridge_forward_delay bridge_opts bridge_backend bridge_firewall bridge_zone bridge_xen
bridge_xen_network_script bridge_xen_vif_script bridge_verify bridge_rollback bridge_timeout
bridge_watch bridge_host
"""


def test_every_documented_variable_is_declared_once() -> None:
    assert sorted(keys.NAMES) == sorted(DOCUMENTED.split() + ["bridge_placed", "bridge_record"])


def test_a_declaration_is_whole() -> None:
    for key in (*keys.HOST_KEYS, keys.HOST):
        assert key.accepts
        assert key.example
        assert key.sentence.endswith(".")


@pytest.mark.parametrize("name", ["bridge_setup", "bridge_packages"])
def test_the_snippet_says_which_variables_it_reads(name: str) -> None:
    header = [line for line in (SNIPPETS / name).read_text().splitlines() if line[:2] == "##"]
    assert header[0].startswith("## %s: " % name)
    reads = " ".join(line[3:] for line in header).partition("Reads: ")[2].partition(";")[0]
    assert sorted(reads.split()) == sorted(key.name for key in keys.HOST_KEYS)


def test_the_problems_of_every_stage_are_said_at_once() -> None:
    data = {
        "profile_name": "hosts",
        "breed": "redhat",
        "os_version": "rhel4",
        "bridge": "br 0",
        "bridge_backend": "netctl",
        "bridge_firewall": "none",
    }
    planned, problems = make_plan(data)
    assert planned is None
    assert [problem.field for problem in problems] == ["bridge", "bridge_backend", "os_version"]


def test_a_format_that_the_release_does_not_read_is_refused() -> None:
    data = {"profile_name": "hosts", "breed": "redhat", "bridge": "br0"}
    for os_version, backend in (("rhel7", "keyfile"), ("rhel10", "ifcfg"), ("fedora40", "ifcfg")):
        planned, problems = make_plan(dict(data, os_version=os_version, bridge_backend=backend))
        assert planned is None
        name = REDHAT.targets[os_version].name
        assert problems[0].wrong == "'%s' is not what %s reads" % (backend, name)


# each was tried on the programs that would read it: on those named here it never came up
@pytest.mark.parametrize(
    ("os_version", "name", "wrong"),
    [
        ("rhel8", "br", "'br' is a word of the ip command"),
        ("rhel8", "txqueue", "'txqueue' is a word of the ip command"),
        ("rhel8", "up", "'up' is a word of the ip command"),
        ("rhel7", "br.augtmp", "'br.augtmp' ends like a file that NetworkManager leaves alone"),
        ("rhel7", "br.augnew", "'br.augnew' ends like a file that NetworkManager leaves alone"),
        *(
            ("rhel6", "br" + ending, "'br%s' ends like a file that network-scripts leave" % ending)
            for ending in ".bak .orig .old .rej .rpmnew .rpmorig .rpmsave -range".split()
        ),
        ("rhel6", "sit0", "'sit0' is a name that network-scripts have a script of its own for"),
        ("rhel9", ".br", "'.br' begins with a dot, and NetworkManager reads no hidden file"),
        ("rhel7", "br", None),
        ("rhel9", "br", None),
        ("rhel8", "brd0", None),
        ("rhel6", "br.augnew", None),
        ("rhel7", ".br", None),
    ],
)
def test_a_name_that_a_reader_takes_for_something_else(
    os_version: str, name: str, wrong: Optional[str]
) -> None:
    data = {"profile_name": "hosts", "breed": "redhat", "bridge": name, "os_version": os_version}
    planned, problems = make_plan(data)
    assert (planned is None) == (wrong is not None)
    said = [(problem.field, problem.wrong) for problem in problems]
    assert [field for field, _ in said] == ([] if wrong is None else ["bridge"])
    assert all(sentence.startswith(str(wrong)) for _, sentence in said)


def test_the_releases_of_fedora_differ_in_their_name_only() -> None:
    data = {"profile_name": "hosts", "breed": "redhat", "bridge": "br0"}
    steps = set()
    for release in range(33, 46):
        planned, _ = make_plan(dict(data, os_version="fedora%d" % release))
        assert planned is not None
        steps.add(planned.steps)
    assert len(steps) == 1


@pytest.mark.parametrize(
    ("record", "address", "gateway"),
    [
        ({"ipv6_address": "2001:db8::1", "ipv6_prefix": "64"}, "2001:db8::1/64", None),
        ({"ipv6_address": "2001:db8::1/48"}, "2001:db8::1/48", None),
        (
            {
                "ipv6_address": "2001:db8::1",
                "ipv6_prefix": "64",
                "ipv6_default_gateway": "fe80::1",
            },
            "2001:db8::1/64",
            "fe80::1",
        ),
    ],
)
def test_the_ipv6_address_of_the_record(
    record: Dict[str, str], address: str, gateway: Optional[str]
) -> None:
    ipv6 = described({"eth0": record}).bridges[0].ipv6
    assert ipv6.method == "static"
    assert ipv6.address == ipaddress.IPv6Interface(address)
    assert ipv6.gateway == (None if gateway is None else ipaddress.IPv6Address(gateway))


def test_the_variable_comes_before_the_records_ipv6_address() -> None:
    record = {"ipv6_address": "2001:db8::1", "ipv6_prefix": "64"}
    ipv6 = described({"eth0": record}, bridge_ipv6="2001:db8:1::2/64").bridges[0].ipv6
    assert ipv6.address == ipaddress.IPv6Interface("2001:db8:1::2/64")


def test_without_an_ipv6_address_router_advertisements() -> None:
    assert described({"eth0": {}}).bridges[0].ipv6 == Ipv6("auto")
    assert described().bridges[0].ipv6 == Ipv6("auto")


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (
            {"ipv6_address": "2001:db8::1"},
            "kvm1: ipv6_prefix of eth0: is not set; set the one of the address '2001:db8::1'",
        ),
        (
            {"ipv6_address": "fe80::1", "ipv6_prefix": "64"},
            "kvm1: ipv6_address of eth0: 'fe80::1/64' is not an address that a host can have; "
            "correct it, or write bridge_ipv6",
        ),
    ],
)
def test_a_records_ipv6_address_that_is_no_use(record: Dict[str, str], problem: str) -> None:
    assert problems_of({"eth0": record}) == [problem]


@pytest.mark.parametrize(
    ("port", "kind", "master", "said"),
    [
        ("eth0", "bond_slave", "bond0", "eth0 is a port of bond0 already; bridge_port=bond0"),
        ("eth0", "bridge_slave", "br9", "eth0 is a port of br9 already; another bridge_port"),
        ("ib0", "infiniband", "", "ib0 is of type infiniband, and a port is a NIC or a bond; "),
    ],
)
def test_a_port_that_is_no_nic_of_its_own(port: str, kind: str, master: str, said: str) -> None:
    records = {port: {"interface_type": kind, "interface_master": master}, "bond0": {}}
    (problem,) = problems_of(records, bridge_port=port)
    assert problem.startswith("kvm1: interface_type of %s: %s" % (port, said))
