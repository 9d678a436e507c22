"""Reads the values that an administrator writes: text in, a typed value out.

Each function takes the text of one value and raises ``ValueError`` with the rest of a sentence
that begins with the value ("… has 16 characters"). What would be right is said by the key's
declaration in ``keys``.
"""

import re
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Callable, Dict, NamedTuple, Optional, Tuple

from cobbler_bridge import addresses
from cobbler_bridge.problem import shown

# linux/if.h: IFNAMSIZ is 16, with the closing NUL
NAME_CHARACTERS = 15
# what network-scripts, udev, sysctl and Koan's unquoted command line all take as it stands
_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*\Z")
RESERVED_NAMES = (".", "..", "lo", "all", "default", "none")
_MAC = re.compile(r"([0-9A-Fa-f]{2})(?:[:-]([0-9A-Fa-f]{2})){5}\Z")
# firewalld's: a chain of iptables has the zone's name in its own
ZONE_CHARACTERS = 17
_ZONE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*\Z")
_SCRIPT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")
_NUMBER = re.compile(r"[0-9]{1,9}\Z")


class PortChoice(NamedTuple):
    """How one port is found: by MAC address, by device name, or (neither) by the install."""

    name: Optional[str] = None
    mac: Optional[str] = None


class Route(NamedTuple):
    """A static route: where to, in CIDR notation, and the neighbour that leads there."""

    network: str
    gateway: str


class Ipv4(NamedTuple):
    """The IPv4 configuration of a device.

    ``method`` is ``auto`` (a static address of the installer's is kept, else it is DHCP), ``dhcp``,
    ``keep`` (what the installer configured), ``none`` or ``static``; only ``static`` has an
    ``address`` and may have a ``gateway``. ``others`` are further addresses.
    """

    method: str
    address: Optional[IPv4Interface] = None
    gateway: Optional[IPv4Address] = None
    others: Tuple[IPv4Interface, ...] = ()
    routes: Tuple[Route, ...] = ()

    @property
    def leased(self) -> bool:
        """Whether a DHCP server is asked, unless the machine's own files say a static address."""
        return self.method in ("auto", "dhcp")


class Ipv6(NamedTuple):
    """The IPv6 configuration of a device.

    ``method`` is ``auto`` (router advertisements), ``dhcp``, ``keep``, ``none`` (a link-local
    address only) or ``static``; only ``static`` has an ``address`` and may have a ``gateway``,
    which may be a link-local one. Without a gateway, router advertisements give the route.
    ``others`` are further addresses.
    """

    method: str
    address: Optional[IPv6Interface] = None
    gateway: Optional[IPv6Address] = None
    others: Tuple[IPv6Interface, ...] = ()
    routes: Tuple[Route, ...] = ()


# The options of a bridge by name, in the order of their names; times in seconds
Options = Tuple[Tuple[str, int], ...]


def device_name(text: str) -> str:
    """A network device's name, as it may stand in a path, a rule and a command line."""
    if not text:
        raise ValueError("is empty")
    if len(text) > NAME_CHARACTERS:
        raise ValueError("has %d characters" % len(text))
    if text.startswith("-"):
        raise ValueError("begins with -")
    if not _NAME.match(text):
        strange = next(letter for letter in text if not _NAME.match(letter) and letter != "-")
        raise ValueError("has %r in it" % strange)
    if text in RESERVED_NAMES:
        raise ValueError("is a reserved word")
    return text


def mac_address(text: str) -> str:
    """A unicast MAC address, in lower case with colons."""
    if not _MAC.match(text):
        raise ValueError("is not six bytes in hexadecimal")
    mac = text.lower().replace("-", ":")
    if int(mac[:2], 16) & 1:
        raise ValueError("is a multicast address")
    if mac == "00:00:00:00:00:00":
        raise ValueError("is no card's address")
    return mac


def ports(text: str) -> Tuple[PortChoice, ...]:
    """The ports of a bridge: ``auto``, or MAC addresses and device names with commas between."""
    if text == "auto":
        return (PortChoice(),)
    choices = tuple(_port(part.strip(" ")) for part in text.split(","))
    if len(set(choices)) < len(choices):
        raise ValueError("names a port twice")
    return choices


def _port(text: str) -> PortChoice:
    if text == "auto":
        raise ValueError("has auto beside other ports")
    if ":" in text or _MAC.match(text):
        return PortChoice(mac=mac_address(text))
    try:
        return PortChoice(name=device_name(text))
    except ValueError as error:
        raise ValueError("has a port %s that %s" % (shown(text), error)) from None


def ipv4(text: str) -> Ipv4:
    """``auto``, ``dhcp``, ``keep``, ``none``, or ADDRESS/PREFIX with an optional ,GATEWAY."""
    if text in ("auto", "dhcp", "keep", "none"):
        return Ipv4(text)
    address, comma, gateway = text.partition(",")
    return static_ipv4(address, gateway if comma else None)


def static_ipv4(address: str, gateway: Optional[str]) -> Ipv4:
    """A static address as ADDRESS/PREFIX and its gateway, which must be in the same network."""
    host, prefix = _split(address, 31)
    interface = addresses.ipv4_interface(host, prefix)
    if interface.ip.is_loopback or interface.ip.is_multicast or interface.ip.is_unspecified:
        raise ValueError("is not an address that a host can have")
    if interface.ip in _no_hosts(interface):
        raise ValueError("is its network's own or broadcast address")
    return Ipv4("static", interface, None if gateway is None else _router(interface, gateway))


def _split(address: str, longest: int) -> Tuple[str, int]:
    """ADDRESS/PREFIX taken apart, with a prefix that leaves a network as short as that."""
    host, slash, text = address.partition("/")
    if not slash:
        raise ValueError("has no /PREFIX")
    try:
        prefix = addresses.prefix(text)
    except ValueError:
        prefix = 0
    if not 1 <= prefix <= longest:
        raise ValueError("has a prefix that is not a number from 1 to %d" % longest)
    return host, prefix


def _no_hosts(interface: IPv4Interface) -> Tuple[IPv4Address, ...]:
    """The addresses of a network that no host in it has; a network of two has none."""
    network = interface.network
    return (network.network_address, network.broadcast_address) if network.prefixlen < 31 else ()


def _router(interface: IPv4Interface, gateway: str) -> IPv4Address:
    try:
        router = addresses.ipv4(gateway)
    except ValueError as error:
        raise ValueError("has a gateway %s that %s" % (shown(gateway), error)) from None
    network = interface.network
    if router not in network or router in (interface.ip, *_no_hosts(interface)):
        raise ValueError("has a gateway %s that is no neighbour in %s" % (router, network))
    return router


def ipv6(text: str) -> Ipv6:
    """``auto``, ``dhcp``, ``keep``, ``none``, or ADDRESS/PREFIX with an optional ,GATEWAY."""
    if text in ("auto", "dhcp", "keep", "none"):
        return Ipv6(text)
    address, comma, gateway = text.partition(",")
    return static_ipv6(address, gateway if comma else None)


def static_ipv6(address: str, gateway: Optional[str]) -> Ipv6:
    """A static address as ADDRESS/PREFIX and its gateway, in the same network or link-local."""
    host, prefix = _split(address, 128)
    interface = addresses.ipv6_interface(host, prefix)
    own = interface.ip
    if own.is_loopback or own.is_multicast or own.is_unspecified or own.is_link_local:
        raise ValueError("is not an address that a host can have")
    if gateway is None:
        return Ipv6("static", interface)
    try:
        router = addresses.ipv6(gateway)
    except ValueError as error:
        raise ValueError("has a gateway %s that %s" % (shown(gateway), error)) from None
    if not router.is_link_local and (router not in interface.network or router == own):
        network = interface.network
        raise ValueError("has a gateway %s that is no neighbour in %s" % (router, network))
    return Ipv6("static", interface, router)


def script_name(text: str) -> str:
    """The name of a file in xen's folder of scripts, as it may stand in xend's configuration."""
    if "/" in text:
        raise ValueError("is a path")
    if not _SCRIPT.match(text):
        raise ValueError("is no plain file name")
    return text


def zone(text: str) -> str:
    """The name of a firewalld zone, as it may stand in a file of any format."""
    if len(text) > ZONE_CHARACTERS:
        raise ValueError("has %d characters" % len(text))
    if not _ZONE.match(text):
        raise ValueError("is no plain word")
    return text


def bridge_mac(text: str) -> str:
    """``port``, ``none`` or a MAC address."""
    return text if text in ("port", "none") else mac_address(text)


def on_off(text: str) -> bool:
    """``on`` or ``off``."""
    return choice("on", "off")(text) == "on"


def number(lowest: int, highest: int) -> Callable[[str], int]:
    """A reader of whole numbers from ``lowest`` to ``highest``, both included."""

    def read(text: str) -> int:
        if not _NUMBER.match(text):
            raise ValueError("is not a whole number")
        if not lowest <= int(text) <= highest:
            raise ValueError("is too small" if int(text) < lowest else "is too large")
        return int(text)

    return read


def choice(*words: str) -> Callable[[str], str]:
    """A reader of one of ``words``."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError("is none of the values it can have")
        return text

    return read


def _mask(text: str) -> int:
    """A group_forward_mask; the kernel forwards no STP, pause or LACP frames (bits 0 to 2)."""
    mask = int(text, 16) if _HEXADECIMAL.match(text) else number(0, 0xFFFF)(text)
    if mask & 7:
        raise ValueError("has one of the three lowest bits, which the kernel refuses")
    return mask


def switch(text: str) -> int:
    """1 for on, yes and true, 0 for their opposites."""
    if text not in _SWITCH:
        raise ValueError("is neither on nor off")
    return _SWITCH[text]


_HEXADECIMAL = re.compile(r"0[xX][0-9A-Fa-f]{1,4}\Z")
_SWITCH = {"on": 1, "yes": 1, "true": 1, "1": 1, "off": 0, "no": 0, "false": 0, "0": 0}
# what each can be: the kernel's own limits, and NetworkManager's
OPTIONS: Dict[str, Callable[[str], int]] = {
    "ageing_time": number(0, 1000000),
    "group_forward_mask": _mask,
    "hello_time": number(1, 10),
    "max_age": number(6, 40),
    "multicast_snooping": switch,
    "priority": number(0, 65535),
    "vlan_filtering": switch,
}


# what stands among the options elsewhere, and has a variable here
_OWN_VARIABLES = {"stp": "stp", "forward_delay": "forward_delay", "delay": "forward_delay"}


def pairs(text: str) -> Tuple[Tuple[str, str], ...]:
    """Pairs of key=value, with blanks or commas between."""
    found = []
    for word in text.replace(",", " ").split():
        name, equals, value = word.partition("=")
        if not equals or not name or not value:
            raise ValueError("has %s, which is no key=value" % shown(word))
        found.append((name, value))
    return tuple(found)


def options(text: str) -> Options:
    """The options of a bridge, in the order of their names."""
    found: Dict[str, int] = {}
    for name, value in pairs(text):
        if name in _OWN_VARIABLES:
            raise ValueError("has %s, which is bridge_%s" % (shown(name), _OWN_VARIABLES[name]))
        if name not in OPTIONS:
            raise ValueError("has an unknown option %s" % shown(name))
        if name in found:
            raise ValueError("sets %s twice" % name)
        found[name] = option(name, value)
    if not found:
        raise ValueError("is empty")
    return tuple(sorted(found.items()))


def option(name: str, value: str) -> int:
    """The value of one option of a bridge."""
    try:
        return OPTIONS[name](value)
    except ValueError as error:
        raise ValueError("has %s=%s, which %s" % (name, shown(value), error)) from None


_BOND_OPTION = re.compile(r"[a-z_]{1,32}\Z")
# a comma ends an option only where another one begins: the addresses of a target have them inside
_BETWEEN_BOND_OPTIONS = re.compile(r"\s|,(?=[A-Za-z_]+=)")
_BOND_VALUE = re.compile(r"[A-Za-z0-9_.:,+-]{1,128}\Z")
BOND_MODES = (
    "balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb balance-alb"
).split()


def bond_options(text: str) -> Tuple[Tuple[str, str], ...]:
    """The options of a bond as the kernel's bonding.txt names them, blanks or commas between.

    Without an option that watches the links, they are watched every 100 ms.
    """
    found = []
    words = (word.strip(",") for word in _BETWEEN_BOND_OPTIONS.split(text))
    for word in filter(None, words):
        name, _, value = word.partition("=")
        if "," in value and not name.endswith("_target"):
            raise ValueError("has %s, with a comma that no option follows" % shown(word))
        if not _BOND_OPTION.match(name) or not _BOND_VALUE.match(value):
            raise ValueError("has %s, which is no option of a bond" % shown(word))
        if name == "mode" and value not in BOND_MODES + list("0123456"):
            raise ValueError("has an unknown mode %s" % shown(value))
        found.append((name, value))
    names = [name for name, _ in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError("has %s twice" % name)
    if not any(name in ("miimon", "arp_interval") for name, _ in found):
        found.append(("miimon", "100"))
    return tuple(found)


def ipv4_route(text: str) -> Route:
    """NETWORK/PREFIX:GATEWAY, as Cobbler's static_routes has it."""
    network, _, gateway = text.partition(":")
    return _route(network, gateway, 4)


def ipv6_route(text: str) -> Route:
    """NETWORK/PREFIX,GATEWAY, as Cobbler's ipv6_static_routes has it."""
    network, _, gateway = text.partition(",")
    return _route(network, gateway, 6)


def _route(network: str, gateway: str, version: int) -> Route:
    wrong = "is no NETWORK/PREFIX with a gateway"
    try:
        leads_to, through = addresses.network(network), addresses.address(gateway)
    except ValueError:
        raise ValueError(wrong) from None
    if (leads_to.version, through.version) != (version, version):
        raise ValueError(wrong)
    return Route(str(leads_to), str(through))
