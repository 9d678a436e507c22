"""The interface records of a system: what Cobbler's own fields say about its NICs."""

import ipaddress
import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, TypeVar

from cobbler_bridge import keys, values
from cobbler_bridge.problem import shown
from cobbler_bridge.reader import Reader
from cobbler_bridge.values import Ipv4, Ipv6, PortChoice, Route

T = TypeVar("T")

# Values of interface_type
NIC_TYPES = ("", "na")
BRIDGE_TYPE = "bridge"
BOND_TYPES = ("bond", "bonded_bridge_slave")
_BYTE = re.compile(r"[0-9]{1,3}\Z")
_VLAN_NAME = re.compile(r"(.+)\.([0-9]+)\Z")


class Interfaces:
    """The interface records of a system; empty for a profile."""

    def __init__(self, reader: Reader) -> None:
        records = reader.data.get("interfaces")
        self.records: Dict[str, Mapping[str, Any]] = dict(records) if records else {}
        self.reader = reader

    def text(self, name: str, field: str) -> str:
        """A field of a record; empty where the record or the field isn't there."""
        return str(self.records.get(name, {}).get(field) or "").strip()

    def words(self, name: str, field: str) -> List[str]:
        """A list field of a record."""
        raw = self.records.get(name, {}).get(field) or []
        return raw.split() if isinstance(raw, str) else [str(word).strip() for word in raw]

    def kind(self, name: str) -> str:
        """The interface_type; ``na`` is empty too."""
        kind = self.text(name, "interface_type").lower()
        return "" if kind in NIC_TYPES else kind

    def wrong(self, name: str, field: str, wrong: str, right: str) -> None:
        """A problem of one field of one record."""
        self.reader.problem("%s of %s" % (field, name), wrong, right)

    def of_kind(self, *kinds: str) -> List[str]:
        """The interfaces of these types, in the order of their names."""
        return [name for name in sorted(self.records) if self.kind(name) in kinds]

    def plain(self) -> List[str]:
        """The interfaces that stand for a NIC, in the order of their names."""
        return [name for name in self.of_kind("") if "." not in name and ":" not in name]

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
        """The interfaces with a static IPv4 address."""
        return [name for name in sorted(self.records) if ":" not in name and self.is_static(name)]

    def is_static(self, name: str) -> bool:
        """Whether the interface has a static IPv4 address."""
        return self.has_static(name) and self.text(name, "ip_address") != ""

    def has_static(self, name: str) -> bool:
        """Whether the interface is not to ask a DHCP server."""
        return bool(self.records.get(name, {}).get("static"))

    def vlan(self, name: str) -> Optional[Tuple[str, int]]:
        """The parent and the tag of a VLAN by its name; ``None`` for every other device."""
        match = _VLAN_NAME.match(name)
        return None if match is None else (match.group(1), int(match.group(2)))

    def aliases(self, name: str) -> List[str]:
        """The interfaces NAME:… that are further addresses of this one."""
        return [each for each in sorted(self.records) if each.startswith(name + ":")]

    def value(self, name: str, field: str, parse: Callable[[str], T], right: str) -> Optional[T]:
        """A field of a record as a typed value; ``None`` where it is empty or wrong."""
        text = self.text(name, field)
        if not text:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.wrong(name, field, "%s %s" % (shown(text), error), right)
            return None

    def mtu(self, name: str) -> Optional[int]:
        """The MTU of a record, in bytes."""
        return self.value(name, "mtu", keys.MTU.parse, "it can be " + keys.MTU.accepts)

    def ipv4(self, name: str) -> Ipv4:
        """The IPv4 configuration of a record.

        Without a static address it is DHCP, or none where the record says static.
        """
        others = [self._alias(alias) for alias in self.aliases(name)]
        ipv4 = Ipv4("none" if self.has_static(name) else "dhcp")
        if self.is_static(name):
            ipv4 = self._address(name) or ipv4
        routes = self._routes(name, "static_routes", values.ipv4_route)
        networks = [each.network for each in [ipv4.address] + others if each is not None]
        # with DHCP nobody knows who is a neighbour
        if ipv4.method != "dhcp":
            self._check_gateways(name, "static_routes", routes, networks)
        return ipv4._replace(others=tuple(each for each in others if each), routes=routes)

    def _address(self, name: str) -> Optional[Ipv4]:
        """The static address of an interface record, with its netmask and gateway."""
        address = self.text(name, "ip_address")
        gateway = self.text(name, "if_gateway") or self._system_gateway(name)
        prefix = self._prefix(name)
        if prefix is None:
            return None
        try:
            return values.static_ipv4("%s/%d" % (address, prefix), gateway or None)
        except ValueError as error:
            text = "%s/%d%s" % (address, prefix, gateway and "," + gateway)
            right = "correct the record, or write %s" % keys.IPV4.name
            self.wrong(name, "ip_address", "%s %s" % (shown(text), error), right)
            return None

    def _alias(self, name: str) -> Optional[ipaddress.IPv4Interface]:
        prefix = self._prefix(name)
        address = "%s/%s" % (self.text(name, "ip_address"), prefix)
        if prefix is None:
            return None
        try:
            return values.static_ipv4(address, None).address
        except ValueError as error:
            self.wrong(name, "ip_address", "%s %s" % (shown(address), error), "correct the record")
            return None

    def _prefix(self, name: str) -> Optional[int]:
        netmask = self.text(name, "netmask")
        prefix = _prefix(netmask)
        if prefix is None:
            wrong = "%s is not a netmask" % shown(netmask) if netmask else "is not set"
            right = "set the one of the static address %s" % self.text(name, "ip_address")
            self.wrong(name, "netmask", wrong, right)
        return prefix

    def _system_gateway(self, name: str) -> str:
        """The system's gateway, unless it is the neighbour of another interface only."""
        gateway = str(self.reader.data.get("gateway") or "")
        neighbours = [each for each in self.static() if self._near(each, gateway)]
        return "" if neighbours and name not in neighbours else gateway

    def _near(self, name: str, gateway: str) -> bool:
        """Whether a gateway is in the network of an interface's static address."""
        prefix = _prefix(self.text(name, "netmask"))
        address = "%s/%s" % (self.text(name, "ip_address"), prefix)
        try:
            return ipaddress.IPv4Address(gateway) in ipaddress.IPv4Interface(address).network
        except ValueError:
            return False

    def ipv6(self, name: str) -> Optional[Ipv6]:
        """The IPv6 configuration of a record; ``None`` where it has none or a wrong one."""
        others, routes = (
            self._ipv6_others(name),
            self._routes(name, "ipv6_static_routes", values.ipv6_route),
        )
        found = self._ipv6_address(name)
        if found is None and not self.text(name, "ipv6_address"):
            if others:
                right = "set the first address there, or clear it"
                self.wrong(name, "ipv6_secondaries", "has no ipv6_address beside it", right)
            found = Ipv6("auto") if routes else None
        if found is None:
            return None
        networks = [each.network for each in (found.address, *others) if each is not None]
        self._check_gateways(name, "ipv6_static_routes", routes, networks)
        return found._replace(others=others, routes=routes)

    def _ipv6_address(self, name: str) -> Optional[Ipv6]:
        address, prefix = self.text(name, "ipv6_address"), self.text(name, "ipv6_prefix")
        if not address:
            return None
        if not prefix and "/" not in address:
            right = "set the one of the address %s" % shown(address)
            self.wrong(name, "ipv6_prefix", "is not set", right)
            return None
        text = address if "/" in address else "%s/%s" % (address, prefix)
        try:
            return values.static_ipv6(text, self.text(name, "ipv6_default_gateway") or None)
        except ValueError as error:
            right = "correct the record, or write %s" % keys.IPV6.name
            self.wrong(name, "ipv6_address", "%s %s" % (shown(text), error), right)
            return None

    def _ipv6_others(self, name: str) -> Tuple[ipaddress.IPv6Interface, ...]:
        prefix = self.text(name, "ipv6_prefix")
        found = []
        for word in self.words(name, "ipv6_secondaries"):
            text = word if "/" in word else "%s/%s" % (word, prefix or "64")
            try:
                found.append(values.static_ipv6(text, None).address)
            except ValueError as error:
                wrong = "%s %s" % (shown(word), error)
                self.wrong(name, "ipv6_secondaries", wrong, "correct the record")
        return tuple(each for each in found if each is not None)

    def _routes(self, name: str, field: str, parse: Callable[[str], Route]) -> Tuple[Route, ...]:
        found = []
        for word in self.words(name, field):
            try:
                found.append(parse(word))
            except ValueError as error:
                right = "for example " + _ROUTE_EXAMPLES[field]
                self.wrong(name, field, "%s %s" % (shown(word), error), right)
        return tuple(found)

    def _check_gateways(
        self, name: str, field: str, routes: Tuple[Route, ...], networks: List[Any]
    ) -> None:
        """The gateway of a route must be a neighbour."""
        for route in routes:
            gateway = ipaddress.ip_address(route.gateway)
            if not gateway.is_link_local and not any(gateway in each for each in networks):
                wrong = "%s is no neighbour of the interface" % shown(route.gateway)
                self.wrong(name, field, wrong, "a gateway in the network of its address")


_ROUTE_EXAMPLES = {
    "static_routes": "198.51.100.0/24:192.0.2.1",
    "ipv6_static_routes": "2001:db8:1::/64,2001:db8::1",
}


def _prefix(netmask: str) -> Optional[int]:
    """255.255.255.0 → 24; ``None`` where it is no netmask."""
    parts = netmask.split(".")
    if len(parts) != 4 or not all(_BYTE.match(part) and int(part) < 256 for part in parts):
        return None
    bits = "".join("{:08b}".format(int(part)) for part in parts)
    return len(bits.rstrip("0")) if "01" not in bits and "1" in bits else None
