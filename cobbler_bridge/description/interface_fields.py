"""The interface records of a system: what Cobbler's own fields say about its NICs."""

import re
from collections import abc
from ipaddress import IPv4Interface, IPv6Interface
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar

from cobbler_bridge import addresses, typed
from cobbler_bridge.description import keys, values
from cobbler_bridge.description.blended_data import Reader
from cobbler_bridge.description.values import Ipv4, Ipv6, PortChoice, Route
from cobbler_bridge.problem import shown

T = TypeVar("T")

# Values of interface_type
NIC_TYPES = ("", "na")
BRIDGE_TYPE = "bridge"
BOND_TYPES = ("bond", "bonded_bridge_slave")
# the same without what kind_of leaves out: a NIC, alone or as a port
NIC_KINDS = ("", "bridge_slave", "bond_slave")
# what Cobbler itself calls the first interface of a system
DEFAULT = "default"
_VLAN_NAME = re.compile(r"([^:\n]+)\.([0-9]{1,9})\Z")
_ALIAS = re.compile(r"[A-Za-z0-9_.-]{1,15}\Z")


def kind_of(record: Any) -> str:
    """The interface_type of a record; ``na`` is empty too, and so is what is no text."""
    raw = record.get("interface_type") if isinstance(record, abc.Mapping) else None
    kind = (typed.text(raw) or "").strip().lower()
    return "" if kind in NIC_TYPES else kind


_NOTHING: Dict[str, str] = {}
_TEXTS = (
    "bonding_opts bridge_opts if_gateway interface_master interface_type ip_address "
    "ipv6_address ipv6_default_gateway ipv6_mtu ipv6_prefix mac_address mtu netmask"
).split()
_LISTS = ("ipv6_secondaries", "ipv6_static_routes", "static_routes")
_FLAGS = ("static",)
# Settings by which Cobbler's own DHCP server gives each record's address
_MANAGED = ("manage_dhcp", "manage_dhcp_v4")


def _stripped(value: Any) -> Optional[str]:
    found = typed.text(value)
    return None if found is None else found.strip()


class Interfaces:
    """The interface records of a system; empty for a profile.

    ``names`` are in order, and each field is of its type: what is of another one is a problem, and
    counts as not set.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._texts: Dict[str, Dict[str, str]] = {}
        self._lists: Dict[str, Dict[str, Tuple[str, ...]]] = {}
        self._flags: Dict[str, Dict[str, bool]] = {}
        self._kinds: Dict[str, str] = {}
        self._managed = set()
        for name, record in self._records():
            self._texts[name] = self._read(name, record, _TEXTS, _stripped, "a text")
            self._lists[name] = self._read(name, record, _LISTS, typed.words, "a list of texts")
            self._kinds[name] = kind_of(self._texts[name])
            self._flags[name] = self._read(name, record, _FLAGS, typed.flag, "true or false")
            if record.get("management") is True:
                self._managed.add(name)
        self.names = sorted(self._texts)
        self._vlans: Dict[str, List[str]] = {}
        for name in self.names:
            self._vlans.setdefault(self.parent(name) or "", []).append(name)

    def _records(self) -> List[Tuple[str, Mapping[str, Any]]]:
        raw = self.reader.data.get("interfaces")
        if not isinstance(raw, abc.Mapping):
            if typed.text(raw) != "":
                wrong = "%s is no mapping of names to records" % shown(raw)
                self.reader.problem("interfaces", wrong, "remove the variable of this name")
            return []
        found: List[Tuple[str, Mapping[str, Any]]] = []
        for name, record in raw.items():
            if isinstance(name, str) and isinstance(record, abc.Mapping):
                found.append((name, record))
            elif isinstance(name, str) and not record:
                found.append((name, {}))
            else:
                wrong = "%s of %s is no record of an interface" % (shown(record), shown(name))
                self.reader.problem("interfaces", wrong, "take it away")
        return found

    def _read(
        self,
        name: str,
        record: Mapping[str, Any],
        fields: Sequence[str],
        read: Callable[[Any], Optional[T]],
        what: str,
    ) -> Dict[str, T]:
        """The fields of one type; those that are not set are left out."""
        found: Dict[str, T] = {}
        for field in fields:
            raw = record.get(field)
            # most are not set
            if not raw:
                continue
            value = read(raw)
            if value is None:
                self.wrong(name, field, "%s is not %s" % (shown(raw), what), "correct it")
            elif value:
                found[field] = value
        return found

    def text(self, name: str, field: str) -> str:
        """A field of a record; empty where the record or the field isn't there."""
        return self._texts.get(name, _NOTHING).get(field, "")

    def words(self, name: str, field: str) -> Tuple[str, ...]:
        """A list field of a record."""
        return self._lists.get(name, {}).get(field, ())

    def has(self, name: str) -> bool:
        """Whether there is a record of this name."""
        return name in self._texts

    def kind(self, name: str) -> str:
        """The interface_type; ``na`` is empty too."""
        return self._kinds.get(name, "")

    def wrong(self, name: str, field: str, wrong: str, right: str) -> None:
        """A problem of one field of one record."""
        self.reader.problem("%s of %s" % (field, name), wrong, right)

    def of_kind(self, *kinds: str) -> List[str]:
        """The interfaces of these types, in the order of their names."""
        return [name for name in self.names if self._kinds[name] in kinds]

    def plain(self) -> List[str]:
        """The interfaces that stand for a NIC, in the order of their names."""
        return [name for name in self.of_kind("") if "." not in name and ":" not in name]

    def port(self, choice: PortChoice) -> Optional[str]:
        """The interface record of a port, where the record tells which it is."""
        if choice.name is not None:
            return choice.name if self.has(choice.name) else None
        if choice.mac is not None:
            owners = [n for n in self.names if self.mac(n) == choice.mac]
            return owners[0] if owners else None
        plain = self.plain()
        managed = [name for name in plain if name in self._managed]
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
        return [name for name in self.names if ":" not in name and self.is_static(name)]

    def is_static(self, name: str) -> bool:
        """Whether the interface has a static IPv4 address."""
        return self.has_static(name) and self.text(name, "ip_address") != ""

    def has_static(self, name: str) -> bool:
        """Whether the interface is not to ask a DHCP server."""
        return self._flags.get(name, {}).get("static", False)

    def vlan(self, name: str) -> Optional[Tuple[str, int]]:
        """The parent and the tag of a VLAN by its name; ``None`` for every other device."""
        match = _VLAN_NAME.match(name)
        return None if match is None else (match.group(1), int(match.group(2)))

    def parent(self, name: str) -> Optional[str]:
        """The device that a VLAN is one of; ``None`` for every other device."""
        vlan = self.vlan(name)
        return None if vlan is None else vlan[0]

    def vlans_over(self, name: str) -> List[str]:
        """The VLANs of a device, in the order of their names."""
        return self._vlans.get(name, []) if name else []

    def aliases(self, name: str) -> List[str]:
        """The interfaces NAME:… that are further addresses of this one."""
        return [each for each in self.names if each.startswith(name + ":")]

    def check_name(self, name: str) -> None:
        """The name of a record must be a device's; only a further address has a ":" in it."""
        device, colon, label = name.partition(":")
        # a VLAN whose whole name would be too long gets a shorter one
        parent = self.parent(device) or device
        if parent == DEFAULT:
            self._check_default(name)
            return
        try:
            values.device_name(parent)
        except ValueError as error:
            right = "it can be " + keys.BRIDGE.accepts
            self.reader.problem("interface %s" % shown(name), "the name %s" % error, right)
            return
        if not colon:
            return
        wrong = ""
        if self.kind(name):
            wrong = "a name with ':' is for a further address, and not for a %s" % self.kind(name)
        elif not self.has(device):
            wrong = "there is no interface %s whose further address it could be" % device
        elif not _ALIAS.match(label):
            wrong = "%s behind the ':' is no plain word" % shown(label)
        if wrong:
            right = "a name like eth0:1, beside an interface eth0"
            self.reader.problem("interface %s" % shown(name), wrong, right)

    def _check_default(self, name: str) -> None:
        """A NIC may have Cobbler's own name where its MAC address says which NIC it is."""
        if name == DEFAULT and self.kind(name) in NIC_KINDS and self.mac(name) is not None:
            return
        wrong = "is Cobbler's own name for one that was added without --interface, and no device's"
        mac = "give it its MAC address, or " if self.kind(DEFAULT) in NIC_KINDS else ""
        right = mac + "rename it: --interface=default --rename-interface=NAME"
        self.reader.problem("interface %s" % name, wrong, right)

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

        Without a static address it is DHCP, or none where the record says static; then the first of
        its further addresses is its own.
        """
        first, aliases = name, self.aliases(name)
        if self.has_static(name) and not self.text(name, "ip_address") and aliases:
            first, aliases = aliases[0], aliases[1:]
        others = [self._alias(alias) for alias in aliases]
        ipv4 = Ipv4("none" if self.has_static(name) else "dhcp")
        if self.has_static(name) and self.text(first, "ip_address"):
            ipv4 = self._address(first, name) or ipv4
        routes = self._routes(name, "static_routes", values.ipv4_route)
        networks = [each.network for each in [ipv4.address] + others if each is not None]
        # with DHCP nobody knows who is a neighbour
        if ipv4.method != "dhcp":
            self._check_gateways(name, "static_routes", routes, networks)
        return ipv4._replace(others=tuple(each for each in others if each), routes=routes)

    def _address(self, name: str, device: str) -> Optional[Ipv4]:
        """The static address of an interface record, with its netmask and the device's gateway."""
        prefix = self._prefix(name)
        if prefix is None:
            return None
        text = "%s/%d" % (self.text(name, "ip_address"), prefix)
        own = self.text(device, "if_gateway")
        gateway = own or self._system_gateway(device)
        field, what = "ip_address of %s" % name, shown(text)
        try:
            found = values.static_ipv4(text, None)
            field, what = (
                ("if_gateway of %s" % device if own else "gateway"),
                "%s of %s" % (what, name),
            )
            return values.static_ipv4(text, gateway) if gateway else found
        except ValueError as error:
            self.reader.problem(field, "%s %s" % (what, error), self._or_write(keys.IPV4))
            return None

    def remark_on_dhcp(self, name: str, bridge: str) -> None:
        """Say what the record knows of an address, where a DHCP server will be asked for one."""
        address, static = self.text(name, "ip_address"), self.has_static(name)
        managed = any(typed.flag(self.reader.data.get(key)) for key in _MANAGED)
        asks = "%s asks a DHCP server where the installer's own file has no static address"
        right = "set static=1, or write %s=dhcp" % keys.IPV4.name
        if address and not static and not managed:
            wrong = "is not set, and so %s is no static address: " % shown(address)
            self.reader.remark("static of %s" % name, wrong + asks % bridge, right)
        elif static and not address:
            right = "set ip_address, or write %s" % keys.IPV4.name
            self.reader.remark("static of %s" % name, "has no address: " + asks % bridge, right)
        elif not address and self.aliases(name):
            wrong = "only %s has an address: " % " and ".join(self.aliases(name)) + asks % bridge
            self.reader.remark("ip_address of %s" % name, wrong, right)

    def _or_write(self, key: "keys.Key[Any]") -> str:
        """What would be right in place of a wrong address; a bridge of the records has no other."""
        return "correct it" + ("" if self.of_kind(BRIDGE_TYPE) else ", or write %s" % key.name)

    def _alias(self, name: str) -> Optional[IPv4Interface]:
        if not self.text(name, "ip_address"):
            right = "set it: by its name this is a further address"
            self.wrong(name, "ip_address", "is not set", right)
            return None
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
        try:
            return addresses.netmask(netmask)
        except ValueError:
            wrong = "%s is not a netmask" % shown(netmask) if netmask else "is not set"
            right = "set the one of the static address %s" % self.text(name, "ip_address")
            self.wrong(name, "netmask", wrong, right)
            return None

    def _system_gateway(self, name: str) -> str:
        """The system's gateway, unless it is the neighbour of another interface only."""
        gateway = self.reader.text("gateway")
        neighbours = [each for each in self.static() if self._near(each, gateway)]
        return "" if neighbours and name not in neighbours else gateway

    def _near(self, name: str, gateway: str) -> bool:
        """Whether a gateway is in the network of an interface's static address."""
        address, netmask = self.text(name, "ip_address"), self.text(name, "netmask")
        try:
            own = addresses.ipv4_interface(address, addresses.netmask(netmask))
            return addresses.ipv4(gateway) in own.network
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
        gateway = self.text(name, "ipv6_default_gateway")
        field = "ipv6_address"
        try:
            found = values.static_ipv6(text, None)
            field = "ipv6_default_gateway"
            return values.static_ipv6(text, gateway) if gateway else found
        except ValueError as error:
            wrong = "%s %s" % (shown(text), error)
            self.wrong(name, field, wrong, self._or_write(keys.IPV6))
            return None

    def _ipv6_others(self, name: str) -> Tuple[IPv6Interface, ...]:
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
            gateway = addresses.address(route.gateway)
            if not gateway.is_link_local and not any(gateway in each for each in networks):
                wrong = "%s is no neighbour of the interface" % shown(route.gateway)
                self.wrong(name, field, wrong, "a gateway in the network of its address")


_ROUTE_EXAMPLES = {
    "static_routes": "198.51.100.0/24:192.0.2.1",
    "ipv6_static_routes": "2001:db8:1::/64,2001:db8::1",
}
