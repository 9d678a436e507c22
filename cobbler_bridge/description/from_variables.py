"""A host's bridge as the template variables describe it, with what the port's record adds."""

from typing import List, Optional, Tuple, Union

from cobbler_bridge import typed
from cobbler_bridge.description import keys, values
from cobbler_bridge.description.blended_data import Reader
from cobbler_bridge.description.from_interface_records import MASTERS, Builder
from cobbler_bridge.description.interface_fields import BOND_TYPES, Interfaces
from cobbler_bridge.description.network import NO_IPV4, NO_IPV6, Bond, Bridge, Nic, Port, Vlan
from cobbler_bridge.description.values import Ipv4, Ipv6, PortChoice
from cobbler_bridge.problem import shown

# Fields of the port's interface record that would be lost with the move to the bridge
_LOST = ("ipv6_mtu",)


def read(reader: Reader, interfaces: Interfaces) -> Tuple[Bridge, ...]:
    """The one bridge that the variables ask for."""
    name = reader.get(keys.BRIDGE)
    choices = reader.get(keys.PORT) or (PortChoice(),)
    found = tuple(interfaces.port(choice) for choice in choices)
    first = found[0]
    stp = reader.get(keys.STP) or False
    ipv4, ipv6 = _ipv4(reader, interfaces, first), _ipv6(reader, interfaces, first)
    mtu = _mtu(reader, interfaces, first)
    bridge = Bridge(
        name=name or "",
        ports=_ports(reader, interfaces, choices, mtu, ipv4.method == "none"),
        ipv4=ipv4,
        ipv6=ipv6,
        mac=reader.get(keys.MAC) or "port",
        mtu=mtu,
        stp=stp,
        forward_delay=reader.forward_delay(
            reader.get(keys.FORWARD_DELAY), stp, keys.FORWARD_DELAY.name
        ),
        options=reader.get(keys.OPTIONS) or (),
        zone=reader.get(keys.ZONE),
    )
    if name is not None:
        _check_names(reader, name, choices)
        _check_records(interfaces, [each for each in found if each is not None])
    return (bridge,)


def _ports(
    reader: Reader,
    interfaces: Interfaces,
    choices: Tuple[PortChoice, ...],
    mtu: Optional[int],
    left: bool,
) -> Tuple[Port, ...]:
    """The ports, each on its VLAN where one is asked for; then they may keep their addresses."""
    tag = reader.get(keys.VLAN)
    builder = Builder(reader, interfaces)
    ports: List[Port] = []
    for number, choice in enumerate(choices, 1):
        record = interfaces.port(choice)
        if record is not None and interfaces.kind(record) in BOND_TYPES:
            below: Union[Nic, Bond] = builder.bond(record)._replace(
                mtu=mtu, ipv4=NO_IPV4, ipv6=NO_IPV6
            )
        else:
            mac = interfaces.mac(record)
            below = Nic(number, choice, record, mac, mtu, left=left and tag is not None)
        if tag is None:
            ports.append(below)
        else:
            ports.append(Vlan(number, tag, below, record, mtu))
    return tuple(ports)


def _ipv4(reader: Reader, interfaces: Interfaces, port: Optional[str]) -> Ipv4:
    ipv4 = reader.get(keys.IPV4) or Ipv4("auto")
    if ipv4.method != "auto":
        return ipv4
    if port is not None:
        recorded = interfaces.ipv4(port)
        if recorded.method == "static":
            return recorded
        # a NIC that Cobbler calls static without an address has none of its own
        interfaces.remark_on_dhcp(port, typed.text(reader.data.get(keys.BRIDGE.name)) or "")
        return recorded._replace(method="auto")
    static = interfaces.static()
    if static:
        reader.problem(
            keys.IPV4.name,
            "auto can't tell whether the bridge has the address of %s" % " or ".join(static),
            "name the port with %s, or write the address" % keys.PORT.name,
        )
    return Ipv4("auto")


def _ipv6(reader: Reader, interfaces: Interfaces, port: Optional[str]) -> Ipv6:
    """The variable, or the address that the port's record has, with its prefix and gateway."""
    ipv6 = reader.get(keys.IPV6) or Ipv6("auto")
    if ipv6.method != "auto" or port is None:
        return ipv6
    return interfaces.ipv6(port) or ipv6


def _mtu(reader: Reader, interfaces: Interfaces, port: Optional[str]) -> Optional[int]:
    """The variable, or the MTU that the port's record has: it would be lost otherwise."""
    if reader.is_set(keys.MTU) or port is None:
        return reader.get(keys.MTU)
    return interfaces.mtu(port)


def _check_names(reader: Reader, bridge: str, choices: Tuple[PortChoice, ...]) -> None:
    for choice in choices:
        if choice.name == bridge and len(bridge) == values.NAME_CHARACTERS:
            reader.problem(
                keys.BRIDGE.name,
                "%s is the port's own name, and p%s would have %d characters"
                % (shown(bridge), bridge, values.NAME_CHARACTERS + 1),
                "a name of at most %d characters, or one that is not the port's"
                % (values.NAME_CHARACTERS - 1),
            )
        if choice.name == "p" + bridge:
            reader.problem(
                keys.PORT.name,
                "%s is the name that the port gets" % shown(choice.name),
                "write the name that the machine gives it, %s" % bridge,
            )


def _check_records(interfaces: Interfaces, ports: List[str]) -> None:
    for port in ports:
        kind = interfaces.kind(port)
        if kind in MASTERS and kind not in BOND_TYPES:
            master = interfaces.text(port, "interface_master") or "something else"
            wrong = "%s is a port of %s already" % (port, master)
            right = (
                "%s=%s, or another" % (keys.PORT.name, master)
                if master in interfaces.names
                else ("another %s" % keys.PORT.name)
            )
            interfaces.wrong(port, "interface_type", wrong, right)
        elif kind and kind not in BOND_TYPES:
            wrong = "%s is of type %s, and a port is a NIC or a bond" % (port, kind)
            right = "name another interface with %s" % keys.PORT.name
            interfaces.wrong(port, "interface_type", wrong, right)
        for field in _LOST:
            if interfaces.text(port, field):
                wrong = "is not supported on a bridge, and would be lost"
                right = "clear it, or leave %s unset" % keys.BRIDGE.name
                interfaces.wrong(port, field, wrong, right)
