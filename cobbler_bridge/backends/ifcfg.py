"""The ifcfg files of the Red Hat family, for network-scripts and for NetworkManager.

The format is defined by sysconfig.txt of the initscripts package and, where NetworkManager
reads the files, by nm-settings-ifcfg-rh(5).
"""

import functools
from typing import Dict, List, NamedTuple, Optional, Tuple

from cobbler_bridge import keys
from cobbler_bridge.description import Bridge, Description
from cobbler_bridge.plan import (
    Call,
    File,
    Parts,
    Port,
    Setting,
    Step,
    Word,
    assignments,
    ports_of,
)
from cobbler_bridge.problem import Problem
from cobbler_bridge.target import Target
from cobbler_bridge.values import Ipv4

FOLDER = "/etc/sysconfig/network-scripts/"


class Reader(NamedTuple):
    """How the programs that read ifcfg files differ from release to release.

    ``tool`` is the program without which network-scripts can't build a bridge;
    ``networkmanager`` says whether the release's NetworkManager can have one, ``dashes``
    whether ifup finds a file with a dash in its device's part, ``ipv6_switch`` whether IPv6
    must be switched on for the whole machine.
    """

    tool: Optional[str]
    networkmanager: bool
    dashes: bool
    ipv6_switch: bool


READERS: Dict[int, Reader] = {
    5: Reader(tool="/usr/sbin/brctl", networkmanager=False, dashes=False, ipv6_switch=True),
    6: Reader(tool="/usr/sbin/brctl", networkmanager=False, dashes=True, ipv6_switch=False),
    7: Reader(tool="/usr/sbin/brctl", networkmanager=True, dashes=True, ipv6_switch=False),
    8: Reader(tool=None, networkmanager=True, dashes=True, ipv6_switch=False),
}

# What network-scripts take for a leftover of an editor or a package, and don't start
_IGNORED_ENDINGS = (".bak", ".orig", ".old", ".rej", ".rpmnew", ".rpmorig", ".rpmsave", "-range")
# ifup hands a device to ifup-NAME where there is one; NAME is the device's less its number
_OTHER_SCRIPTS = (
    "aliases bnep ctc ib ippp ipsec ipv6 ipx isdn iucv plip plusb post ppp routes sit sl tunnel "
    "wireless Team TeamPort"
).split()


_ROUTE = Call("ifcfg_route", (), "a GATEWAYDEV= in /etc/sysconfig/network names the bridge")
_IPV6 = Call("ifcfg_ipv6", (), "IPv6 is switched on in /etc/sysconfig/network")
ALONE = Call("ifcfg_alone", (), "ifcfg files of the same devices are set aside")


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The files of every bridge and its ports."""
    problems = [
        Problem(description.subject, keys.BRIDGE.name, wrong, "another name, for example br0")
        for bridge in description.bridges
        for wrong in _unusable(bridge.name)
    ]
    reader = READERS[target.release]
    steps: List[Step] = []
    for bridge in description.bridges:
        ports = ports_of(bridge)
        for port in ports:
            steps.append(_file(port.name, _port(bridge, port, reader)))
        name = bridge.name if reader.dashes else bridge.name.replace("-", "_")
        steps.append(_file(name, _bridge(description, bridge, ports, reader)))
        for port, choice in zip(ports, bridge.ports):
            if choice.name in (None, bridge.name):
                steps.append(_follow_rename(port.number))
        if bridge.ipv6.address is not None and reader.ipv6_switch:
            steps.append(_IPV6)
    steps.append(_ROUTE)
    steps.append(ALONE)
    return Parts(("ifcfg",), _checks(reader, target), tuple(steps)), problems


def _unusable(name: str) -> List[str]:
    """Why network-scripts could not start a bridge of this name."""
    if name.endswith(_IGNORED_ENDINGS):
        return ["%r ends like a file that network-scripts leave alone" % name]
    if name.rstrip("0123456789") in _OTHER_SCRIPTS:
        return ["%r is a name that network-scripts have a script of its own for" % name]
    return []


@functools.lru_cache(maxsize=None)
def _checks(reader: Reader, target: Target) -> Tuple[Call, ...]:
    if reader.tool is None:
        return ()
    why = "the network scripts of %s need it for a bridge: install bridge-utils" % target.name
    return (Call("need", (reader.tool, why), "%s must be there: %s" % (reader.tool, why)),)


@functools.lru_cache(maxsize=None)
def _follow_rename(number: int) -> Call:
    does = "udev's rules and modprobe.conf follow where port %d is renamed" % number
    return Call("ifcfg_follow_rename", (str(number),), does)


def _port(bridge: Bridge, port: Port, reader: Reader) -> List[Setting]:
    settings: List[Setting] = [
        ("DEVICE", port.name),
        ("ONBOOT", "yes"),
        ("BRIDGE", bridge.name),
        ("HWADDR", port.mac),
        ("TYPE", "Ethernet"),
        ("BOOTPROTO", "none"),
    ]
    return settings + _common(bridge, reader)


def _bridge(
    description: Description, bridge: Bridge, ports: Tuple[Port, ...], reader: Reader
) -> List[Setting]:
    settings: List[Setting] = [
        ("DEVICE", bridge.name),
        ("BOOTPROTO", "dhcp" if bridge.ipv4.method == "dhcp" else "none"),
        ("ONBOOT", "yes"),
        # network-scripts compare it to the letter
        ("TYPE", "Bridge"),
        ("STP", "on" if bridge.stp else "off"),
        # with STP network-scripts reckon with it, without STP old kernels wait for it
        ("DELAY", str(bridge.forward_delay)),
    ]
    if bridge.stp:
        # as EL 7 reckons: listening, learning, and the link itself
        settings.append(("LINKDELAY", str(2 * bridge.forward_delay + 7)))
    if bridge.mac == "port":
        settings.append(("MACADDR", ports[0].mac))
    elif bridge.mac != "none":
        settings.append(("MACADDR", bridge.mac))
    settings += _addresses(bridge.ipv4)
    settings += _ipv6(bridge)
    if bridge.addressed:
        settings += _names(description, bridge.ipv4)
    return settings + _common(bridge, reader)


def _addresses(ipv4: Ipv4) -> List[Setting]:
    if ipv4.method == "dhcp":
        # one lost race against the switch must not leave the host without an address
        return [("PERSISTENT_DHCLIENT", "yes")]
    if ipv4.address is None:
        return []
    settings: List[Setting] = [
        ("IPADDR", str(ipv4.address.ip)),
        ("NETMASK", str(ipv4.address.netmask)),
    ]
    if ipv4.gateway is not None:
        settings.append(("GATEWAY", str(ipv4.gateway)))
    return settings


def _ipv6(bridge: Bridge) -> List[Setting]:
    # as the installer's own file has it: without it NetworkManager leaves DHCPv6 alone, and router
    # advertisements to a kernel that ignores them where it forwards
    settings: List[Setting] = [("IPV6INIT", "yes")]
    if bridge.ipv6.address is None:
        return settings
    settings.append(("IPV6ADDR", str(bridge.ipv6.address)))
    if bridge.ipv6.gateway is not None:
        zone = "%%%s" % bridge.name if bridge.ipv6.gateway.is_link_local else ""
        settings.append(("IPV6_DEFAULTGW", "%s%s" % (bridge.ipv6.gateway, zone)))
        settings.append(("IPV6_AUTOCONF", "no"))
    return settings


def _names(description: Description, ipv4: Ipv4) -> List[Setting]:
    settings: List[Setting] = [
        ("DNS%d" % number, server) for number, server in enumerate(description.name_servers, 1)
    ]
    if settings and ipv4.method == "dhcp":
        settings.append(("PEERDNS", "no"))
    if description.search_domains:
        settings.append(("DOMAIN", '"%s"' % " ".join(description.search_domains)))
    return settings


def _common(bridge: Bridge, reader: Reader) -> List[Setting]:
    settings: List[Setting] = []
    if bridge.mtu is not None:
        settings.append(("MTU", str(bridge.mtu)))
    if not reader.networkmanager:
        settings.append(("NM_CONTROLLED", "no"))
    return settings


def _file(device: Word, settings: List[Setting]) -> File:
    return File((FOLDER + "ifcfg-", device), 0o644, assignments(settings))
