"""What an administrator asked for: Cobbler's blended data in, a typed description out.

``describe`` is pure. It reads the template variables of ``keys`` and, for a system, the record
of the interface that becomes the port; it reports everything that is wrong at once.
"""

import difflib
import ipaddress
import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, TypeVar

from cobbler_bridge import keys, values
from cobbler_bridge.keys import Key
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.values import Ipv4, Ipv6, PortChoice

T = TypeVar("T")

# Cobbler's own fields that a rendering reads, here and in ``target``
_FIELDS = [
    "system_name",
    "profile_name",
    "name",
    "breed",
    "os_version",
    "interfaces",
    "gateway",
    "name_servers",
    "name_servers_search",
]
# Types of Cobbler interfaces that stand for a device of their own, not for a NIC
BRIDGE_TYPES = ("bridge",)
_PLAIN_TYPES = ("", "na")
_BYTE = re.compile(r"[0-9]{1,3}\Z")
# Fields of the port's interface record that would be lost with the move to the bridge
_LATER_FIELDS = ("static_routes", "ipv6_static_routes", "ipv6_secondaries", "ipv6_mtu")


class Bridge(NamedTuple):
    """A bridge: its ports in order, its addresses and its parameters.

    ``mac`` is ``port``, ``none`` or a MAC address; ``mtu`` is in bytes, ``forward_delay`` in
    seconds. ``port_interfaces`` names the record's interfaces that become ports, where the
    system's record tells; ``port_macs`` are the MAC addresses it has for them.
    """

    name: str
    ports: Tuple[PortChoice, ...]
    ipv4: Ipv4
    ipv6: Ipv6
    mac: str
    mtu: Optional[int]
    stp: bool
    forward_delay: int
    port_interfaces: Tuple[str, ...]
    port_macs: Tuple[Optional[str], ...]

    @property
    def addressed(self) -> bool:
        """Whether an address was asked for, and so name servers make sense."""
        return self.ipv4.method != "none" or self.ipv6.address is not None


class Description(NamedTuple):
    """Everything asked for on one system or profile."""

    subject: str
    bridges: Tuple[Bridge, ...]
    firewall: str
    backend: str
    name_servers: Tuple[str, ...]
    search_domains: Tuple[str, ...]


def subject_of(data: Mapping[str, Any]) -> str:
    """The name of the system or profile that blended data belong to."""
    return str(data.get("system_name") or data.get("profile_name") or data.get("name") or "?")


def wants_bridge(data: Mapping[str, Any]) -> bool:
    """Whether anything is asked for at all: without the variable, nothing is written."""
    return keys.BRIDGE.name in data


def relevant(data: Mapping[str, Any]) -> Dict[str, Any]:
    """The part of blended data that a rendering can depend on, in one order."""
    names = [name for name in data if keys.BRIDGE.name in name]
    return {name: data[name] for name in sorted(names) + _FIELDS if name in data}


def describe(data: Mapping[str, Any]) -> Tuple[Optional[Description], List[Problem]]:
    """Read the blended data of a system or profile, with autoinstall_meta at the top level.

    Returns the description, or ``None`` and every problem found.
    """
    reader = _Reader(data)
    reader.refuse_unknown_keys()
    name = reader.get(keys.BRIDGE)
    ports = reader.get(keys.PORT) or (PortChoice(),)
    interfaces = _Interfaces(data, reader)
    found = tuple(interfaces.port(choice) for choice in ports)
    first = found[0] if found else None
    stp = reader.get(keys.STP) or False
    bridge = Bridge(
        name=name or "",
        ports=ports,
        ipv4=_ipv4(reader, interfaces, first),
        ipv6=_ipv6(reader, interfaces, first),
        mac=reader.get(keys.MAC) or "port",
        mtu=_mtu(reader, interfaces, first),
        stp=stp,
        forward_delay=_forward_delay(reader, stp),
        port_interfaces=tuple(port for port in found if port is not None),
        port_macs=tuple(interfaces.mac(port) for port in found),
    )
    if name is not None:
        _check_names(reader, bridge)
        _check_interfaces(reader, interfaces, bridge)
    description = Description(
        subject=reader.subject,
        bridges=(bridge,),
        firewall=reader.get(keys.FIREWALL) or "auto",
        backend=reader.get(keys.BACKEND) or "auto",
        # one that is no address would make NetworkManager refuse the whole file
        name_servers=reader.words("name_servers", "IP address", _is_address),
        search_domains=reader.words("name_servers_search", "domain", _is_domain),
    )
    return (None if reader.problems else description), reader.problems


class _Reader:
    """Reads declared variables out of blended data and collects the problems."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.subject = subject_of(data)
        self.problems: List[Problem] = []

    def problem(self, field: str, wrong: str, right: str) -> None:
        self.problems.append(Problem(self.subject, field, wrong, right))

    def get(self, key: "Key[T]") -> Optional[T]:
        """The value of a variable, its default where it is unset, ``None`` where it is wrong."""
        if key.name not in self.data:
            return key.default_value
        raw = self.data[key.name]
        text = _text(raw)
        if text is None:
            self.problem(key.name, _not_a_text(raw), "it can be " + key.accepts)
            return None
        try:
            return key.parse(text)
        except ValueError as error:
            self.problem(key.name, "%s %s" % (shown(text), error), "it can be " + key.accepts)
            return None

    def is_set(self, key: "Key[Any]") -> bool:
        return key.name in self.data

    def refuse_unknown_keys(self) -> None:
        """A variable that we don't know is a mistake, and one that we will know isn't ignored."""
        # Cobbler puts the fields of interfaces at the top level too
        fields_of_interfaces = [
            "bridge_opts_%s" % name for name in self.data.get("interfaces") or ()
        ]
        names = [name for name in self.data if name[:7] == "bridge_"]
        for name in sorted(set(names) - set(fields_of_interfaces)):
            if name in keys.LATER_KEYS:
                self.problem(name, "is not supported yet", "remove it")
            elif name not in keys.NAMES:
                near = difflib.get_close_matches(name.lower(), keys.NAMES, 1)
                right = "did you mean %s?" % near[0] if near else "remove it"
                self.problem(name, "is no variable of cobbler-bridge", right)

    def words(self, field: str, what: str, usable: Callable[[str], bool]) -> Tuple[str, ...]:
        """A list field of Cobbler's whose words end up in a configuration file."""
        raw = self.data.get(field) or []
        words = raw.split() if isinstance(raw, str) else [str(word) for word in raw]
        for word in words:
            if not usable(word):
                self.problem(field, "%s is no %s" % (shown(word), what), "correct it")
        return tuple(words)


_DOMAIN = re.compile(r"[A-Za-z0-9_.-]{1,253}\Z")


def _is_domain(text: str) -> bool:
    return _DOMAIN.match(text) is not None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _text(raw: Any) -> Optional[str]:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    # Cobbler's XML-RPC writes "~" for a variable without a value
    return raw if isinstance(raw, str) and raw != "~" else None


def _not_a_text(raw: Any) -> str:
    if raw is None or raw == "~":
        return "has no value"
    if isinstance(raw, (list, tuple)):
        return "is set %d times: %s" % (len(raw), shown(raw))
    return "%s is not a text" % shown(raw)


class _Interfaces:
    """The interface records of a system; empty for a profile."""

    def __init__(self, data: Mapping[str, Any], reader: _Reader) -> None:
        records = data.get("interfaces")
        self.records: Dict[str, Mapping[str, Any]] = dict(records) if records else {}
        self.reader = reader

    def text(self, name: str, field: str) -> str:
        return str(self.records[name].get(field) or "").strip()

    def plain(self) -> List[str]:
        """The interfaces that stand for a NIC, in the order of their names."""
        return [
            name
            for name in sorted(self.records)
            if self.text(name, "interface_type").lower() in _PLAIN_TYPES
            and "." not in name
            and ":" not in name
        ]

    def port(self, choice: PortChoice) -> Optional[str]:
        """The interface record of a port, where the record tells which it is."""
        if choice.name is not None:
            return choice.name if choice.name in self.records else None
        if choice.mac is not None:
            owners = [n for n in sorted(self.records) if self.mac(n) == choice.mac]
            return owners[0] if owners else None
        plain = self.plain()
        managed = [name for name in plain if self.records[name].get("management") is True]
        for only in (plain, managed):
            if len(only) == 1:
                return only[0]
        return None

    def mac(self, name: Optional[str]) -> Optional[str]:
        """The MAC address in an interface record, if it has a usable one."""
        if name is None:
            return None
        try:
            return values.mac_address(self.text(name, "mac_address"))
        except ValueError:
            return None

    def static(self) -> List[str]:
        return [name for name in self.plain() if self.is_static(name)]

    def is_static(self, name: str) -> bool:
        return bool(self.records[name].get("static")) and self.text(name, "ip_address") != ""


def _ipv4(reader: _Reader, interfaces: _Interfaces, port: Optional[str]) -> Ipv4:
    ipv4 = reader.get(keys.IPV4) or Ipv4("auto")
    if ipv4.method != "auto":
        return ipv4
    if port is None:
        static = interfaces.static()
        if static:
            reader.problem(
                keys.IPV4.name,
                "auto can't tell whether the bridge has the address of %s" % " or ".join(static),
                "name the port with %s, or write the address" % keys.PORT.name,
            )
        return Ipv4("dhcp")
    if not interfaces.is_static(port):
        return Ipv4("dhcp")
    return _recorded_address(reader, interfaces, port)


def _ipv6(reader: _Reader, interfaces: _Interfaces, port: Optional[str]) -> Ipv6:
    """The variable, or the address that the port's record has, with its prefix and gateway."""
    ipv6 = reader.get(keys.IPV6) or Ipv6("auto")
    if ipv6.method != "auto" or port is None:
        return ipv6
    address, prefix = interfaces.text(port, "ipv6_address"), interfaces.text(port, "ipv6_prefix")
    if not address:
        return ipv6
    field = "ipv6_address of %s" % port
    if not prefix and "/" not in address:
        right = "set the one of the address %s" % shown(address)
        reader.problem("ipv6_prefix of %s" % port, "is not set", right)
        return ipv6
    text = address if "/" in address else "%s/%s" % (address, prefix)
    try:
        return values.static_ipv6(text, interfaces.text(port, "ipv6_default_gateway") or None)
    except ValueError as error:
        right = "correct the record, or write %s" % keys.IPV6.name
        reader.problem(field, "%s %s" % (shown(text), error), right)
        return ipv6


def _recorded_address(reader: _Reader, interfaces: _Interfaces, port: str) -> Ipv4:
    """The static address in a system's interface record, with its netmask and gateway."""
    address, netmask = interfaces.text(port, "ip_address"), interfaces.text(port, "netmask")
    gateway = interfaces.text(port, "if_gateway") or _system_gateway(reader, interfaces, port)
    prefix = _prefix(netmask)
    if prefix is None:
        wrong = "%s is not a netmask" % shown(netmask) if netmask else "is not set"
        reader.problem(
            "netmask of %s" % port, wrong, "set the one of the static address %s" % address
        )
        return Ipv4("dhcp")
    try:
        return values.static_ipv4("%s/%d" % (address, prefix), gateway or None)
    except ValueError as error:
        text = "%s/%d%s" % (address, prefix, gateway and "," + gateway)
        reader.problem(
            "ip_address of %s" % port,
            "%s %s" % (shown(text), error),
            "correct the record, or write %s" % keys.IPV4.name,
        )
        return Ipv4("dhcp")


def _system_gateway(reader: _Reader, interfaces: _Interfaces, port: str) -> str:
    """The system's gateway, unless it is the neighbour of another interface only."""
    gateway = str(reader.data.get("gateway") or "")
    neighbours = [name for name in interfaces.static() if _near(interfaces, name, gateway)]
    return "" if neighbours and port not in neighbours else gateway


def _near(interfaces: _Interfaces, name: str, gateway: str) -> bool:
    """Whether a gateway is in the network of an interface's static address."""
    prefix = _prefix(interfaces.text(name, "netmask"))
    address = "%s/%s" % (interfaces.text(name, "ip_address"), prefix)
    try:
        return ipaddress.IPv4Address(gateway) in ipaddress.IPv4Interface(address).network
    except ValueError:
        return False


def _prefix(netmask: str) -> Optional[int]:
    """255.255.255.0 → 24; ``None`` where it is no netmask."""
    parts = netmask.split(".")
    if len(parts) != 4 or not all(_BYTE.match(part) and int(part) < 256 for part in parts):
        return None
    bits = "".join("{:08b}".format(int(part)) for part in parts)
    return len(bits.rstrip("0")) if "01" not in bits and "1" in bits else None


def _mtu(reader: _Reader, interfaces: _Interfaces, port: Optional[str]) -> Optional[int]:
    """The variable, or the MTU that the port's record has: it would be lost otherwise."""
    if reader.is_set(keys.MTU) or port is None:
        return reader.get(keys.MTU)
    recorded = interfaces.text(port, "mtu")
    if not recorded:
        return None
    try:
        return keys.MTU.parse(recorded)
    except ValueError as error:
        field = "mtu of %s" % port
        reader.problem(field, "%s %s" % (shown(recorded), error), "it can be " + keys.MTU.accepts)
        return None


def _forward_delay(reader: _Reader, stp: bool) -> int:
    delay = reader.get(keys.FORWARD_DELAY)
    if delay is None:
        return 15 if stp else 0
    # IEEE 802.1D allows 4 to 30; the kernel takes 2 and NetworkManager refuses less
    if stp and delay < 2:
        reader.problem(
            keys.FORWARD_DELAY.name,
            "%d is too short for the spanning tree protocol" % delay,
            "it can be " + keys.FORWARD_DELAY.accepts,
        )
    return delay


def _check_names(reader: _Reader, bridge: Bridge) -> None:
    for choice in bridge.ports:
        if choice.name == bridge.name and len(bridge.name) == values.NAME_CHARACTERS:
            reader.problem(
                keys.BRIDGE.name,
                "%s is the port's own name, and p%s would have %d characters"
                % (shown(bridge.name), bridge.name, values.NAME_CHARACTERS + 1),
                "a name of at most %d characters, or one that is not the port's"
                % (values.NAME_CHARACTERS - 1),
            )
        if choice.name == "p" + bridge.name:
            reader.problem(
                keys.PORT.name,
                "%s is the name that the port gets" % shown(choice.name),
                "write the name that the machine gives it, %s" % bridge.name,
            )


def _check_interfaces(reader: _Reader, interfaces: _Interfaces, bridge: Bridge) -> None:
    for name in sorted(interfaces.records):
        if interfaces.text(name, "interface_type").lower() in BRIDGE_TYPES:
            reader.problem(
                "interface_type of %s" % name,
                "the record describes a bridge and so does %s" % keys.BRIDGE.name,
                "keep one of them",
            )
    for port in bridge.port_interfaces:
        kind = interfaces.text(port, "interface_type").lower()
        if kind not in _PLAIN_TYPES:
            field = "interface_type of %s" % port
            reader.problem(field, "a port of type %s is not supported yet" % kind, "another port")
        for field in _LATER_FIELDS:
            if interfaces.text(port, field) not in ("", "[]"):
                reader.problem(
                    "%s of %s" % (field, port),
                    "is not supported on a bridge yet, and would be lost",
                    "clear it, or leave %s unset" % keys.BRIDGE.name,
                )
