"""Anaconda's own commands for a bridge, judged by pykickstart as each release's anaconda does."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
from pykickstart.parser import KickstartParser
from pykickstart.version import makeVersion

import scratch_machine as machine
from cobbler_bridge.plan.anaconda import INCLUDED
from cobbler_bridge.snippet import bridge_network

RELEASES = {
    "rhel7": "RHEL7",
    "rhel8": "RHEL8",
    "rhel9": "RHEL9",
    "rhel10": "RHEL10",
    "fedora33": "F33",
    "fedora43": "F43",
}
MAC = "52:54:00:aa:00:0%d"
NICS = {"eth0": {"mac": MAC % 1}, "eth1": {"mac": MAC % 2, "link": False}}
STATIC = {
    "bridge_port": "eth1, " + MAC % 1,
    "bridge_ipv4": "192.0.2.10/24,192.0.2.1",
    "bridge_ipv6": "2001:db8::10/64,fe80::1",
    "bridge_mtu": "9000",
    "bridge_stp": "on",
    "bridge_opts": "priority=4096 ageing_time=60",
    "name_servers": ["192.0.2.53", "2001:db8::53"],
}
START = "network --device=br0 --bridgeslaves=%s --bridgeopts=%s --onboot=yes --activate "
COMMANDS = [
    ({}, START % ("eth0", "stp=no,forward-delay=0") + "--bootproto=dhcp --ipv6=auto\n"),
    (
        STATIC,
        START
        % ("eth1,eth0", "stp=yes,forward-delay=15,ageing-time=60,priority=4096")
        + "--bootproto=static --ip=192.0.2.10 --netmask=255.255.255.0 --gateway=192.0.2.1 "
        "--ipv6=2001:db8::10/64 --ipv6gateway=fe80::1 --mtu=9000 "
        "--nameserver=192.0.2.53,2001:db8::53\n",
    ),
    (
        {"bridge_ipv4": "none", "bridge_ipv6": "none"},
        START % ("eth0", "stp=no,forward-delay=0") + "--noipv4 --noipv6\n",
    ),
    (
        {"bridge_ipv6": "dhcp", "bridge_mac": "none"},
        START % ("eth0", "stp=no,forward-delay=0") + "--bootproto=dhcp --ipv6=dhcp\n",
    ),
]


def data_of(os_version: str, **more: Any) -> Dict[str, Any]:
    start = {"breed": "redhat", "os_version": os_version, "profile_name": "kvm-hosts"}
    return dict(start, **dict({"bridge": "br0"}, **more))


def parsed(text: str, release: str, missing: bool = True) -> Any:
    parser = KickstartParser(makeVersion(release), missingIncludeIsFatal=not missing)
    parser.readKickstartFromString(text)
    return parser.handler


def included(root: Path, script: str, **build: Any) -> str:
    """What the %pre script leaves for the kickstart to include."""
    machine.build(root, dict({"nics": NICS, "route": "eth0"}, **build))
    (root / "tmp").mkdir()
    run = machine.run(
        script.replace(": > " + INCLUDED, ": > %s%s" % (root, INCLUDED)), root, ["sh"]
    )
    assert run.output or run.errors
    return (root / INCLUDED.lstrip("/")).read_text(encoding="utf-8")


@pytest.mark.parametrize(("data", "command"), COMMANDS)
@pytest.mark.parametrize(("os_version", "release"), RELEASES.items())
def test_the_command(
    os_version: str, release: str, data: Dict[str, Any], command: str, tmp_path: Path
) -> None:
    text = bridge_network(data_of(os_version, **data))
    assert text.startswith("%%include %s\n%%pre\n" % INCLUDED)
    (script,) = parsed(text, release).scripts
    assert included(tmp_path, script.script) == command
    (network,) = parsed(command, release, missing=False).network.network
    assert network.device == "br0"
    assert network.bridgeslaves == command.split("--bridgeslaves=")[1].split()[0]
    assert network.bridgeopts == command.split("--bridgeopts=")[1].split()[0]


def test_a_nic_that_is_not_certain_leaves_the_network_to_the_installer(tmp_path: Path) -> None:
    (script,) = parsed(bridge_network(data_of("rhel9", bridge_port=MAC % 9)), "RHEL9").scripts
    assert included(tmp_path, script.script) == ""


def test_a_bridge_with_the_name_of_its_port_is_left_to_bridge_setup(tmp_path: Path) -> None:
    (script,) = parsed(bridge_network(data_of("rhel9", bridge="eth0")), "RHEL9").scripts
    assert included(tmp_path, script.script) == ""


BONDED = {
    "bond0": {
        "interface_type": "bond",
        "bonding_opts": "mode=1,miimon=50,primary=eth1",
        "mtu": "9000",
    },
    "eth1": {
        "interface_type": "bond_slave",
        "interface_master": "bond0",
        "mac_address": MAC % 2,
    },
    "eth0": {
        "interface_type": "bond_slave",
        "interface_master": "bond0",
        "mac_address": MAC % 1,
    },
}
BOND = (
    "network --device=bond0 --bondslaves=%s --bondopts=mode=1,miimon=50,primary=%s "
    "--onboot=yes --activate --noipv4 --noipv6 --mtu=9000\n"
)


@pytest.mark.parametrize("os_version", RELEASES)
def test_a_bridge_over_a_bond(os_version: str, tmp_path: Path) -> None:
    nics = {"em1": {"mac": MAC % 1}, "em2": {"mac": MAC % 2}}
    data = data_of(os_version, interfaces=BONDED, bridge_port="bond0")
    text = bridge_network(data)
    old = os_version in ("rhel7", "rhel8")
    if not old:
        (script,) = parsed(text, RELEASES[os_version]).scripts
        text = included(tmp_path, script.script, nics=nics)
    # theirs puts a bond under a bridge in no file that is included: the record's names must do
    names = ("eth0,eth1", "eth1") if old else ("em1,em2", "em2")
    assert text == BOND % names + (
        START % ("bond0", "stp=no,forward-delay=0") + "--bootproto=dhcp --ipv6=auto --mtu=9000\n"
    )
    bond, bridge = parsed(text, RELEASES[os_version], missing=False).network.network
    assert bond.bondslaves == names[0]
    assert bond.bondopts == "mode=1,miimon=50,primary=" + names[1]
    assert bridge.bridgeslaves == "bond0"


def test_the_options_of_a_bond_with_a_comma_inside() -> None:
    bond = {
        "interface_type": "bond",
        "bonding_opts": "arp_interval=9,arp_ip_target=1.1.1.1,1.1.1.2",
    }
    records = {**BONDED, "bond0": bond}
    text = bridge_network(data_of("rhel8", interfaces=records, bridge_port="bond0"))
    command = parsed(text, "RHEL8", missing=False).network.network[0]
    assert command.bondopts == "arp_interval=9;arp_ip_target=1.1.1.1,1.1.1.2"


def test_keyfiles_lose_nothing_without_stp() -> None:
    text = bridge_network(data_of("rhel9", bridge_opts="hello_time=3"))
    assert "--bridgeopts=stp=no,forward-delay=0,hello-time=3 " in text


def test_nothing_is_asked_for() -> None:
    assert bridge_network({"breed": "redhat", "os_version": "rhel9", "profile_name": "x"}) == ""


RECORDS = {
    "br0": {
        "interface_type": "bridge",
        "static": True,
        "ip_address": "192.0.2.10",
        "netmask": "255.255.255.0",
        "static_routes": ["198.51.100.0/24:192.0.2.1"],
        "ipv6_address": "2001:db8::10/64",
        "ipv6_secondaries": ["2001:db8::11/64"],
        "ipv6_static_routes": ["2001:db8:1::/64,2001:db8::1"],
    },
    "bond0": {"interface_type": "bonded_bridge_slave", "interface_master": "br0"},
    "eth0": {"interface_type": "bond_slave", "interface_master": "bond0"},
    "br0.10": {},
}


@pytest.mark.parametrize(
    ("os_version", "data", "reasons"),
    [
        ("rhel6", {}, ["os_version: anaconda of EL 6 knows no bridges"]),
        (
            "generic26",
            {},
            ["os_version: doesn't tell whether the release's anaconda knows bridges"],
        ),
        (
            "rhel9",
            {"bridge_mac": "02:00:00:00:00:01"},
            ["bridge_mac: anaconda takes none for a bridge"],
        ),
        (
            "rhel9",
            {"bridge_zone": "internal"},
            ["bridge_zone: anaconda takes none for a bridge"],
        ),
        (
            "rhel7",
            {"bridge_opts": "hello_time=3"},
            [
                "bridge_opts: without STP NetworkManager takes no hello_time from the ifcfg files "
                "of EL 7, and 3 would be lost on br0"
            ],
        ),
        (
            "rhel9",
            {"bridge_opts": "vlan_filtering=1"},
            ["bridge_opts: anaconda takes no vlan_filtering"],
        ),
        (
            "rhel9",
            {"bridge": "eth0", "bridge_port": "eth0"},
            ["bridge: anaconda gives no port another name"],
        ),
        (
            "rhel9",
            {"bridge_vlan": 7},
            ["bridge_port: anaconda knows no bridge but over NICs and bonds"],
        ),
        (
            "rhel8",
            {
                "bridge_port": "bond0",
                "interfaces": {**BONDED, "x;y": BONDED["eth0"], "eth0": {}},
            },
            [
                "bridge_port: anaconda of EL 8 puts a bond under a bridge only where each NIC's "
                "name is known"
            ],
        ),
        (
            "rhel9",
            {"bridge_ipv4": "keep"},
            ["bridge_ipv4: there is nothing to keep before the installation"],
        ),
        (
            "rhel9",
            {"name_servers_search": ["example.com"]},
            ["name_servers_search: anaconda takes none for a bridge"],
        ),
        (
            "rhel9",
            {"interfaces": RECORDS},
            [
                "interfaces: anaconda knows no VLAN over a bridge",
                "static_routes of br0: anaconda takes none",
                "ipv6_static_routes of br0: anaconda takes none",
                "interfaces: anaconda takes one address of a version for br0",
            ],
        ),
        ("rhel9", {"bridge_mtu": "@@x@@"}, ["bridge_mtu: '@ @x@ @' is not a whole number"]),
    ],
)
def test_what_cannot_be_said(os_version: str, data: Dict[str, Any], reasons: List[str]) -> None:
    text = bridge_network(data_of(os_version, **data))
    said = [line.split("kvm-hosts: ")[1].split("; ")[0] for line in text.splitlines()[1:]]
    assert said == reasons
    assert all(line.startswith("# ") for line in text.splitlines())
    assert parsed(text, "RHEL9", missing=False).network.network == []
