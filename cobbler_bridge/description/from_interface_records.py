"""A host's network as its interface records describe it, where one of them is a bridge.

The relations between the records are checked here, all of them at once: see cobbler's own
documentation of ``cobbler system edit`` for what interface_type and interface_master mean.
"""

from typing import Any, Dict, List, Optional, Set, Tuple, TypeVar

from cobbler_bridge.description import keys, values
from cobbler_bridge.description.blended_data import Reader
from cobbler_bridge.description.interface_fields import (
    BOND_TYPES,
    BRIDGE_TYPE,
    DEFAULT,
    NIC_KINDS,
    Interfaces,
)
from cobbler_bridge.description.keys import Key
from cobbler_bridge.description.network import NO_IPV6, Bond, Bridge, Nic, Port, Vlan
from cobbler_bridge.description.values import Ipv4, Ipv6, PortChoice
from cobbler_bridge.problem import shown

T = TypeVar("T")

# What may be the interface_master of each type that has one
MASTERS = {
    "bridge_slave": (BRIDGE_TYPE,),
    "bonded_bridge_slave": (BRIDGE_TYPE,),
    "bond_slave": BOND_TYPES,
}
_ADDRESSES = ("ip_address", "ipv6_address")


class Builder:
    """Makes devices of interface records; each NIC gets its number once."""

    def __init__(self, reader: Reader, interfaces: Interfaces) -> None:
        self.reader = reader
        self.interfaces = interfaces
        self._nics: Dict[str, Nic] = {}
        self._vlans = 0

    def port(self, name: str) -> Port:
        """A NIC, bond or VLAN that is a port, and so has no address."""
        if self.interfaces.kind(name) in BOND_TYPES:
            return self.bond(name)
        return self.vlan(name) if self.interfaces.vlan(name) is not None else self.nic(name)

    def nic(self, name: str) -> Nic:
        """A NIC by its record; without one its configuration is left as it is."""
        if name in self._nics:
            return self._nics[name]
        known = self.interfaces.has(name)
        mac = self.interfaces.mac(name)
        if self.interfaces.text(name, "mac_address") and mac is None:
            wrong = "%s is no unicast MAC address" % shown(
                self.interfaces.text(name, "mac_address")
            )
            right = "the NIC's own, six bytes like 52:54:00:12:34:56"
            self.interfaces.wrong(name, "mac_address", wrong, right)
        if mac is None:
            self.interfaces.check_name(name)
        ipv4, ipv6 = self._addresses(name)
        nic = Nic(
            number=len(self._nics) + 1,
            choice=PortChoice(mac=mac) if mac is not None else PortChoice(name=name),
            interface=name if known else None,
            mac=mac,
            mtu=self._mtu(name),
            ipv4=ipv4,
            ipv6=ipv6,
            left=not known,
        )
        self._nics[name] = nic
        return nic

    def bond(self, name: str) -> Bond:
        """A bond with the NICs whose interface_master it is."""
        self.interfaces.check_name(name)
        ports = _bond_ports(self.interfaces, name)
        if not ports:
            self.interfaces.wrong(name, "interface_type", "the bond has no port", _BOND_PORT % name)
        text = self.interfaces.text(name, "bonding_opts")
        try:
            options = values.bond_options(text)
        except ValueError as error:
            right = "for example mode=802.3ad miimon=100; the modes are " + " ".join(
                values.BOND_MODES
            )
            self.interfaces.wrong(name, "bonding_opts", "%s %s" % (shown(text), error), right)
            options = ()
        ipv4, ipv6 = self._addresses(name)
        nics = tuple(self.nic(port) for port in ports)
        return Bond(name, nics, options, self._mtu(name), ipv4, ipv6)

    def vlan(self, name: str) -> Vlan:
        """A VLAN by its name, PARENT.TAG."""
        parent, tag = self.interfaces.vlan(name) or (name, 0)
        if not 1 <= tag <= 4094:
            self.interfaces.wrong(
                name, "name", "%d is no VLAN" % tag, "a name with a number from 1 to 4094"
            )
        elif not name.endswith(".%d" % tag):
            self.interfaces.wrong(
                name, "name", "its VLAN begins with 0", "rename it %s.%d" % (parent, tag)
            )
        kind = self.interfaces.kind(parent)
        above: Any = parent
        if kind in BOND_TYPES:
            above = self.bond(parent)
        elif kind == "bond_slave":
            master = self.interfaces.text(parent, "interface_master")
            right = "a VLAN of the bond, %s.%d" % (master or "bond0", tag)
            self.interfaces.wrong(name, "name", "%s is the port of a bond" % parent, right)
        elif kind != BRIDGE_TYPE:
            above = self.nic(parent)
        self._vlans += 1
        ipv4, ipv6 = self._addresses(name)
        return Vlan(self._vlans, tag, above, name, self._mtu(name), ipv4, ipv6)

    def _addresses(self, name: str) -> Tuple[Ipv4, Ipv6]:
        """The addresses of a device; a port has none, and neither has what isn't described."""
        if not self.interfaces.has(name) or self.interfaces.kind(name) in MASTERS:
            return Ipv4("none"), NO_IPV6
        ipv4 = self.interfaces.ipv4(name)
        ipv6 = self.interfaces.ipv6(name)
        return ipv4, ipv6 or (NO_IPV6 if ipv4.method == "none" else Ipv6("auto"))

    def _mtu(self, name: str, seen: Tuple[str, ...] = ()) -> Optional[int]:
        """The device's own MTU, else that of what it is a port of and of its VLANs, else the
        variable; a VLAN's fits into its parent's. What was ``seen`` says nothing more: records
        may lead in a circle."""
        if name in seen:
            return None
        own, seen = self.interfaces.mtu(name), (*seen, name)
        vlans = self.interfaces.vlans_over(name)
        for vlan in vlans if own is not None else ():
            if (self.interfaces.mtu(vlan) or 0) > (own or 0):
                wrong = "%s of %s is larger" % (self.interfaces.text(vlan, "mtu"), vlan)
                self.interfaces.wrong(name, "mtu", wrong, "at least the VLAN's")
        if own is not None:
            return own
        wanted = [self._mtu(each, seen) for each in vlans]
        if self.interfaces.kind(name) in MASTERS:
            wanted.append(self._mtu(self.interfaces.text(name, "interface_master"), seen))
        known = [mtu for mtu in wanted if mtu is not None]
        return max(known) if known else self.reader.get(keys.MTU)


_BOND_PORT = "give a NIC the interface_type bond_slave and the interface_master %s"


def read(reader: Reader, interfaces: Interfaces) -> Tuple[Tuple[Bridge, ...], Tuple[Vlan, ...]]:
    """The bridges that the records describe, and the VLANs over what is written with them."""
    names = interfaces.of_kind(BRIDGE_TYPE)
    for each in interfaces.names:
        interfaces.check_name(each)
    if not _relations_hold(interfaces):
        for key in keys.HOST_KEYS:
            reader.get(key)
        return (), ()
    builder = Builder(reader, interfaces)
    meant = _meant(reader, names)
    bridges = tuple(_bridge(builder, name, name in meant) for name in names)
    return bridges, _vlans(builder, bridges)


def _meant(reader: Reader, names: List[str]) -> List[str]:
    """The bridges that the variables are about: the one that is named, else every one."""
    named = reader.get(keys.BRIDGE)
    if named is None:
        return names
    if named not in names:
        wrong = "%s is none of the bridges that the interface records describe" % shown(named)
        reader.problem(keys.BRIDGE.name, wrong, "remove it, or it can be " + " or ".join(names))
    return [named]


def _bridge(builder: Builder, name: str, meant: bool) -> Bridge:
    reader, interfaces = builder.reader, builder.interfaces
    chosen = _Chosen(reader, interfaces, name, meant)
    ports = tuple(builder.port(port) for port in _ports(interfaces, name))
    options = _options(interfaces, name)
    stp = chosen.either(keys.STP, options.stp, "bridge_opts") or False
    delay = chosen.either(keys.FORWARD_DELAY, options.forward_delay, "bridge_opts")
    more = chosen.either(keys.OPTIONS, options.others or None, "bridge_opts") or ()
    ipv4 = interfaces.ipv4(name)
    chosen.same_address(keys.IPV4, ipv4, "ip_address")
    wanted = reader.get(keys.IPV4) if meant else None
    if ipv4.method == "dhcp" and (wanted is None or wanted.method != "dhcp"):
        interfaces.remark_on_dhcp(name, name)
        ipv4 = ipv4._replace(method="auto")
    mac = interfaces.value(
        name, "mac_address", values.mac_address, "a unicast MAC address, or none"
    )
    bridge = Bridge(
        name=name,
        ports=ports,
        ipv4=ipv4,
        ipv6=chosen.ipv6(interfaces.ipv6(name), ipv4),
        mac=chosen.either(keys.MAC, mac, "mac_address") or "port",
        mtu=chosen.either(keys.MTU, interfaces.mtu(name), "mtu"),
        stp=stp,
        forward_delay=reader.forward_delay(
            delay,
            stp,
            keys.FORWARD_DELAY.name
            if options.forward_delay is None
            else "bridge_opts of %s" % name,
        ),
        options=more,
        # no field of a record says it
        zone=chosen.either(keys.ZONE, None, ""),
    )
    chosen.same_ports(bridge)
    _check_ports(interfaces, bridge)
    return bridge


class _Chosen:
    """The variables beside the record of one bridge: where both speak, they must agree."""

    def __init__(self, reader: Reader, interfaces: Interfaces, name: str, meant: bool) -> None:
        self.reader = reader
        self.interfaces = interfaces
        self.name = name
        self.meant = meant

    def either(self, key: "Key[T]", recorded: Optional[T], field: str) -> Optional[T]:
        """What the record says, else the variable."""
        if recorded is None:
            return self.reader.get(key) if self.meant else key.default_value
        if self.meant and self.reader.is_set(key):
            wanted = self.reader.get(key)
            if wanted is not None and wanted != recorded:
                self.contradiction(key, field)
        return recorded

    def contradiction(self, key: "Key[Any]", field: str) -> None:
        """A problem: a field of the record says something else."""
        text = self.interfaces.text(self.name, field)
        self._contradicts(key, "%s of %s: %s" % (field, self.name, shown(text)), field)

    def _contradicts(self, key: "Key[Any]", said: str, field: str) -> None:
        wrong = "%s contradicts %s" % (shown(self.reader.data[key.name]), said)
        self.reader.problem(key.name, wrong, "remove it, or change %s in the records" % field)

    def same_address(self, key: "Key[Any]", recorded: Any, field: str) -> None:
        """A variable's address must be the record's."""
        wanted = self.reader.get(key) if self.meant else None
        if wanted is None or wanted.method == "auto":
            return
        if wanted[:3] != recorded[:3]:
            said = [str(each) for each in recorded[1:3] if each is not None] or [recorded.method]
            self._contradicts(key, "%s of %s: %s" % (field, self.name, ",".join(said)), field)

    def ipv6(self, recorded: Optional[Ipv6], ipv4: Ipv4) -> Ipv6:
        """What the record says, else the variable: records know static addresses only.

        Without either it is router advertisements, and nothing where there is no IPv4.
        """
        wanted = self.reader.get(keys.IPV6) if self.meant else None
        if recorded is None:
            if wanted is not None and wanted.method == "keep":
                wrong = "'keep' is for a bridge that no interface record describes"
                self.reader.problem(keys.IPV6.name, wrong, "another value")
            chosen = self.meant and self.reader.is_set(keys.IPV6)
            return wanted or NO_IPV6 if chosen or ipv4.method != "none" else NO_IPV6
        if recorded.address is not None:
            self.same_address(keys.IPV6, recorded, "ipv6_address")
        return recorded

    def same_ports(self, bridge: Bridge) -> None:
        """Ports that a variable names, and their VLAN, must be the record's."""
        if not self.meant:
            return
        choices = self.reader.get(keys.PORT) or (PortChoice(),)
        found = {self.interfaces.port(choice) or choice.name for choice in choices}
        ports = " and ".join(bridge.port_interfaces) or "none"
        said = "the interface records, in which the ports of %s are %s" % (self.name, ports)
        if choices != (PortChoice(),) and found != set(bridge.port_interfaces):
            self._contradicts(keys.PORT, said, "interface_master")
        vlan = self.reader.get(keys.VLAN)
        if vlan is not None and vlan != bridge.vlan:
            self._contradicts(keys.VLAN, said, "the name of the port")


class _Options:
    """What a record's bridge_opts say; ``None`` for what they don't."""

    def __init__(self) -> None:
        self.stp: Optional[bool] = None
        self.forward_delay: Optional[int] = None
        self.others: values.Options = ()


def _options(interfaces: Interfaces, name: str) -> _Options:
    """bridge_opts as Cobbler's own snippet takes them: words as they stand in an ifcfg file."""
    found = _Options()
    text = interfaces.text(name, "bridge_opts")
    others: Dict[str, int] = {}
    try:
        for key, value in values.pairs(text):
            low = _OLD_NAMES.get(key.lower(), key.lower())
            if low == "stp":
                found.stp = bool(values.switch(value.lower()))
            elif low == "forward_delay":
                found.forward_delay = keys.FORWARD_DELAY.parse(value)
            elif low in values.OPTIONS:
                others[low] = values.option(low, value)
            else:
                raise ValueError("has an unknown option %s" % shown(key))
    except ValueError as error:
        right = "stp=on, forward_delay=4, or %s" % keys.OPTIONS.accepts
        interfaces.wrong(name, "bridge_opts", "%s %s" % (shown(text), error), right)
    found.others = tuple(sorted(others.items()))
    return found


# As ifcfg files and brctl name them
_OLD_NAMES = {
    "delay": "forward_delay",
    "forwarddelay": "forward_delay",
    "prio": "priority",
    "ageing": "ageing_time",
    "hello": "hello_time",
    "maxage": "max_age",
    "group_fwd_mask": "group_forward_mask",
}


def _ports(interfaces: Interfaces, bridge: str) -> List[str]:
    return [
        name
        for name in interfaces.of_kind("bridge_slave", "bonded_bridge_slave")
        if interfaces.text(name, "interface_master") == bridge
    ]


def _check_ports(interfaces: Interfaces, bridge: Bridge) -> None:
    """A bridge without a port reaches no DHCP server."""
    if bridge.ports:
        return
    right = (
        "give an interface the interface_master %s, or the bridge a static address" % bridge.name
    )
    if bridge.ipv4.leased:
        wrong = "the bridge has no port, and so no DHCP server to ask"
        interfaces.wrong(bridge.name, "interface_type", wrong, right)


def _vlans(builder: Builder, bridges: Tuple[Bridge, ...]) -> Tuple[Vlan, ...]:
    """VLANs of their own over the bridges, and over the bonds that are written with them."""
    interfaces = builder.interfaces
    parents = {bridge.name for bridge in bridges}
    for bridge in bridges:
        for port in bridge.ports:
            parents |= _written_with(port)
    return tuple(
        builder.vlan(name) for name in interfaces.of_kind("") if interfaces.parent(name) in parents
    )


def _written_with(port: Port) -> Set[str]:
    below = port.parent if isinstance(port, Vlan) else port
    if isinstance(below, str):
        return set()
    return {below.interface} if below.interface is not None else set()


def _relations_hold(interfaces: Interfaces) -> bool:
    """Whether each interface_master leads to what it should, and none in a circle."""
    before = len(interfaces.reader.problems)
    for name in interfaces.names:
        kind = interfaces.kind(name)
        master = interfaces.text(name, "interface_master")
        vlan = interfaces.vlan(name)
        if vlan is not None and (kind == "bond_slave" or _is_portless_bond(interfaces, name)):
            _check_vlan(interfaces, name, kind, *vlan)
        elif kind in MASTERS:
            _check_master(interfaces, name, master, MASTERS[kind])
            _check_port_has_no_address(interfaces, name)
        elif interfaces.has(master):
            _check_no_master(interfaces, name, master)
    if len(interfaces.reader.problems) == before:
        _check_circles(interfaces)
        _check_same_macs(interfaces)
    return len(interfaces.reader.problems) == before


def _check_master(interfaces: Interfaces, name: str, master: str, kinds: Tuple[str, ...]) -> None:
    field = "interface_master"
    right = "the name of an interface of type " + " or ".join(kinds)
    if not master:
        interfaces.wrong(name, field, "is not set", right)
    elif not interfaces.has(master):
        interfaces.wrong(name, field, "there is no interface %s" % shown(master), right)
    elif interfaces.kind(master) not in kinds:
        kind = interfaces.kind(master) or "na"
        fitting = [each for each, masters in MASTERS.items() if kind in masters]
        for each in fitting[:1]:
            right = "the interface_type %s, or " % each + right
        interfaces.wrong(name, field, "%s is of type %s" % (master, kind), right)


def _is_portless_bond(interfaces: Interfaces, name: str) -> bool:
    return interfaces.kind(name) in BOND_TYPES and not _bond_ports(interfaces, name)


def _bond_ports(interfaces: Interfaces, bond: str) -> List[str]:
    return [
        port
        for port in interfaces.of_kind("bond_slave")
        if interfaces.text(port, "interface_master") == bond
    ]


def _check_vlan(interfaces: Interfaces, name: str, kind: str, parent: str, tag: int) -> None:
    """A VLAN, by its name, of a type that is a bond's or that of a bond's port."""
    master = interfaces.text(name, "interface_master")
    if kind != "bond_slave":
        wrong = "it is VLAN %d of %s, and %s is the type of a bond" % (tag, parent, kind)
        right = "a VLAN that is a bridge's port is of type bridge_slave, any other one of type na"
    elif master in ("", parent):
        wrong = "it is VLAN %d of %s, and no port of it" % (tag, parent)
        right = "the type na and no interface_master: its name makes it a VLAN, with an address"
    else:
        wrong = "it is VLAN %d of %s, and the ports of a bond are NICs" % (tag, parent)
        right = "make %s the port of %s, and VLAN %d one of the bond: an interface %s.%d of type na"
        right %= (parent, master, tag, master, tag)
    interfaces.wrong(name, "interface_type", wrong, right)


def _check_no_master(interfaces: Interfaces, name: str, master: str) -> None:
    """A type that is no port, with a master none the less."""
    kind = interfaces.kind(name)
    fitting = [each for each, kinds in MASTERS.items() if interfaces.kind(master) in kinds]
    if kind == "bond":
        fitting = [each for each in fitting if each == "bonded_bridge_slave"]
    else:
        fitting = [each for each in fitting if each != "bonded_bridge_slave"]
    right = "the type %s, or clear interface_master" % (" or ".join(fitting) or "of a port")
    wrong = "%s is no port, but its interface_master is %s" % (kind or "na", master)
    interfaces.wrong(name, "interface_type", wrong, right)


def _check_port_has_no_address(interfaces: Interfaces, name: str) -> None:
    master = interfaces.text(name, "interface_master") or "its interface_master"
    right = "give the address to %s" % master
    for field in _ADDRESSES:
        if interfaces.text(name, field):
            interfaces.wrong(name, field, "a port has no address", right)
    for alias in interfaces.aliases(name):
        wrong = "%s is a port, and a port has no address" % name
        interfaces.wrong(alias, "ip_address", wrong, right)


def _check_circles(interfaces: Interfaces) -> None:
    """A port leads to its master, a VLAN to its parent: a chain that comes back never starts."""
    for start in interfaces.names:
        seen: List[str] = []
        waiting = _above(interfaces, start)
        while waiting:
            name = waiting.pop()
            if name == start:
                master = interfaces.text(start, "interface_master")
                if master:
                    wrong = "%s leads back to %s" % (master, start)
                    interfaces.wrong(
                        start, "interface_master", wrong, "a bridge outside of the circle"
                    )
                break
            if name not in seen:
                seen.append(name)
                waiting += _above(interfaces, name)


def _above(interfaces: Interfaces, name: str) -> List[str]:
    """What is made of an interface: what it is a port of, and its VLANs."""
    above = list(interfaces.vlans_over(name))
    if interfaces.kind(name) in MASTERS:
        above.append(interfaces.text(name, "interface_master"))
    return above


def _check_same_macs(interfaces: Interfaces) -> None:
    """Two records of one NIC would make it the port of two."""
    owners: Dict[str, str] = {}
    for name in interfaces.of_kind(*NIC_KINDS):
        mac = interfaces.mac(name)
        if mac is None or interfaces.vlan(name) is not None or ":" in name:
            continue
        if mac in owners:
            wrong = "%s has the same one" % owners[mac]
            right = "each NIC has its own"
            if DEFAULT in (name, owners[mac]):
                right = "take what is not meant away: --interface=default --delete-interface"
            interfaces.wrong(name, "mac_address", wrong, right)
        owners.setdefault(mac, name)
