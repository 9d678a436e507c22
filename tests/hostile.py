"""Values that nobody should write and that Cobbler carries, put into every field of its data."""

import copy
import itertools
from typing import Any, Dict, Iterator, List, Tuple

Data = Dict[str, Any]

# the program that must never run; see ``test_hostile.canary``
CANARY = "pwn"


def deep(levels: int) -> Any:
    value: Any = CANARY
    for _ in range(levels):
        value = [value]
    return value


TEXTS = (
    "br0\npwn\n",
    "\npwn",
    "br0:\npwn\n#",
    "br0:1",
    "br0.1\n",
    "br0." + "9" * 5000,
    "\npwn\n.5",
    "EOF\npwn\n: <<EOF\n",
    "x\nEOF\npwn\n",
    "fe80::1%x\nEOF\npwn\n: <<EOF\n",
    "192.0.2.1\npwn",
    "192.0.2.010",
    "\u0661.2.3.4",
    "2001:db8::1%eth0;pwn",
    "192.0.2.0/24:192.0.2.1\npwn",
    "br0\n%end\n%pre\npwn",
    "\x0c%end\n%pre\npwn\n%end",
    "\x85%end",
    "\u2028%end\u2028pwn",
    " %include /x",
    "$(pwn)",
    "`pwn`",
    "'\npwn\n'",
    '"\npwn\n"',
    ";pwn",
    "|pwn",
    "&pwn&",
    "> /x\npwn",
    "\\\npwn",
    "@@server@@",
    "]]>",
    "# *** ERROR ***",
    "\u009b2Jpwn",
    "\u202epwn",
    "\x1b[31mpwn",
    "\rpwn",
    "\0",
    "br0\0\npwn",
    "\ud800",
    "\udcff\npwn",
    "",
    " ",
    "~",
    "<<inherit>>",
    "-pwn",
    "../../pwn",
    "x" * 100_000,
    "\npwn" * 10_000,
)
OTHERS: Tuple[Any, ...] = (
    None,
    0,
    5,
    -1,
    10**5000,
    1.5,
    float("nan"),
    float("inf"),
    True,
    False,
    b"\npwn",
    [],
    ["\npwn"],
    ["br0", 5, None],
    [[["\npwn"]]],
    ["192.0.2.1", "\ud800"],
    {},
    {"\npwn": "\npwn"},
    {"eth0": "\npwn"},
    {"eth0": {"interface_type": ["bridge"]}},
    {5: 6, None: {}},
    {"a": {"b": {"c": deep(5)}}},
    deep(5000),
    object(),
)
VALUES: Tuple[Any, ...] = (*TEXTS, *OTHERS)

VARIABLES = (
    "bridge bridge_port bridge_ipv4 bridge_ipv6 bridge_vlan bridge_mtu bridge_mac bridge_stp "
    "bridge_forward_delay bridge_opts bridge_firewall bridge_zone bridge_backend bridge_xen "
    "bridge_xen_network_script bridge_xen_vif_script bridge_verify bridge_rollback bridge_timeout "
    "bridge_watch bridge_host bridge_record bridge_placed bridge_unknown"
).split()
FIELDS = (
    "system_name profile_name name breed os_version interfaces gateway name_servers "
    "name_servers_search http_server autoinstall_meta dns"
).split()
RECORD = (
    "interface_type interface_master mac_address mtu ip_address netmask if_gateway static "
    "static_routes ipv6_address ipv6_prefix ipv6_mtu ipv6_default_gateway ipv6_secondaries "
    "ipv6_static_routes bonding_opts bridge_opts management cnames dns_name virt_bridge ipv4 ipv6"
).split()

_COMMON = {
    "system_name": "kvm1",
    "profile_name": "hosts",
    "name": "kvm1",
    "gateway": "192.0.2.1",
    "name_servers": ["192.0.2.53"],
    "name_servers_search": ["example.org"],
    "http_server": "192.0.2.2",
}


def _nic(number: int, **more: Any) -> Data:
    return dict({"mac_address": "52:54:00:00:00:%02x" % number, "interface_type": ""}, **more)


_ADDRESS = {
    "ip_address": "192.0.2.10",
    "netmask": "255.255.255.0",
    "static": True,
    "ipv6_address": "2001:db8::10",
    "ipv6_prefix": "64",
    "mtu": "1500",
}


def by_variables(release: str) -> Data:
    """A host as variables describe it, over a bond."""
    interfaces = {
        "eth0": _nic(1, **_ADDRESS),
        "eth1": _nic(2, interface_type="bond_slave", interface_master="bond0"),
        "bond0": {"interface_type": "bond", "bonding_opts": "mode=1"},
    }
    return dict(_of(release), bridge="br0", bridge_port="eth0", interfaces=interfaces)


# one of each format
RELEASES = {
    "rhel7": {"breed": "redhat"},
    "rhel9": {"breed": "redhat"},
    "bullseye": {"breed": "debian", "bridge_backend": "ifupdown"},
    "jammy": {"breed": "ubuntu", "bridge_backend": "netplan"},
    "sles15sp6": {"breed": "suse", "bridge_backend": "wicked"},
}


def _of(release: str) -> Data:
    """What every host of a release has."""
    return {**_COMMON, "os_version": release, **RELEASES[release]}


def by_records(release: str) -> Data:
    """The same as interface records do, with a VLAN and a further address."""
    interfaces = {
        "br0": dict(_ADDRESS, interface_type="bridge", bridge_opts="stp=on"),
        "br0:1": {"ip_address": "198.51.100.10", "netmask": "255.255.255.0", "static": True},
        "br0.7": {"ip_address": "203.0.113.10", "netmask": "255.255.255.0", "static": True},
        "bond0": {"interface_type": "bonded_bridge_slave", "interface_master": "br0"},
        "eth0": _nic(1, interface_type="bond_slave", interface_master="bond0"),
        "eth1": _nic(2),
    }
    return dict(_of(release), interfaces=interfaces)


def hosts() -> List[Data]:
    """Both ways of describing a host, for a release of each format."""
    return [way(release) for way in (by_variables, by_records) for release in RELEASES]


def circles() -> Iterator[Data]:
    """Ports that lead nowhere, to themselves, or back."""
    types = (
        "bonded_bridge_slave",
        "bridge_slave",
        "bond_slave",
        "bond",
        "bridge",
        "bmc",
        "pwn",
        "",
    )
    for one, other in itertools.product(types, types):
        for master in ("", "a", "b", "c", "b.5", "a:1"):
            yield {
                "a": {"interface_type": one, "interface_master": master},
                "b": {"interface_type": other, "interface_master": "a"},
                "b.5": {"interface_master": "b", "interface_type": one},
            }


def all_data() -> Iterator[Data]:
    """Every value in every field, for every host, and interfaces of every name."""
    for host in hosts():
        for value in VALUES:
            for field in (*VARIABLES, *FIELDS):
                yield dict(host, **{field: value})
            for name in host["interfaces"]:
                for field in RECORD:
                    yield with_record(host, name, **{field: value})
                yield dict(host, interfaces=dict(host["interfaces"], **{name: value}))
            if isinstance(value, (str, int, bytes, type(None))):
                yield from _named(host, value)
        for interfaces in circles():
            for more in ({}, {"bridge": "br0", "bridge_port": "a"}, {"bridge": "a"}):
                yield dict(host, interfaces=dict(host["interfaces"], **interfaces), **more)


def _named(host: Data, name: Any) -> Iterator[Data]:
    yield {**host, name: "x"}
    yield {**host, "bridge_%s" % (name if isinstance(name, str) else "x"): "x"}
    for kind in ("bridge", "bridge_slave", "bond", "bond_slave", "bonded_bridge_slave", "bmc", ""):
        record = {"interface_type": kind, "interface_master": "br0", "mac_address": ""}
        yield dict(host, interfaces={**host["interfaces"], name: record})
        mac = "52:54:00:00:00:aa"
        found = {**host["interfaces"], name: dict(record, mac_address=mac)}
        yield dict(host, interfaces=found, bridge_port=mac)


def with_record(host: Data, name: str, **fields: Any) -> Data:
    """A host with other fields in one of its interface records."""
    changed = copy.copy(host)
    changed["interfaces"] = dict(
        host["interfaces"], **{name: dict(host["interfaces"][name], **fields)}
    )
    return changed
