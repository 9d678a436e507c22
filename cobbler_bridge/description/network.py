"""What a host's network is made of: NICs, bonds, VLANs and bridges. Typed and immutable.

A device that is the port of another one stands inside it. ``interface`` is the name of the
interface record that describes a device, where a system's record tells; ``mtu`` is in bytes.
"""

from typing import Iterator, List, NamedTuple, Optional, Tuple, Union

from cobbler_bridge.description.values import Ipv4, Ipv6, Options, PortChoice

NO_IPV4 = Ipv4("none")
NO_IPV6 = Ipv6("none")
# A pattern: the kernel's, biosdevname's and systemd's names for Ethernet cards
CARD_NAMES = "eth[0-9]+|em[0-9]+|p[0-9]+p[0-9]+|en[osxp][a-z0-9]+"


class Nic(NamedTuple):
    """A network card; ``number`` counts from 1 in its description.

    ``mac`` is the MAC address that the record has for it. ``left`` says that its own
    configuration is not ours: only a VLAN of it is.
    """

    number: int
    choice: PortChoice
    interface: Optional[str] = None
    mac: Optional[str] = None
    mtu: Optional[int] = None
    ipv4: Ipv4 = NO_IPV4
    ipv6: Ipv6 = NO_IPV6
    left: bool = False


class Bond(NamedTuple):
    """A bond of NICs; ``options`` are the kernel's, see its bonding.txt."""

    name: str
    ports: Tuple[Nic, ...]
    options: Tuple[Tuple[str, str], ...]
    mtu: Optional[int] = None
    ipv4: Ipv4 = NO_IPV4
    ipv6: Ipv6 = NO_IPV6

    @property
    def interface(self) -> Optional[str]:
        """A bond is described by a record only."""
        return self.name


class Vlan(NamedTuple):
    """The VLAN ``tag`` of a NIC, of a bond, or of the bridge that ``parent`` names."""

    number: int
    tag: int
    parent: Union[Nic, Bond, str]
    interface: Optional[str] = None
    mtu: Optional[int] = None
    ipv4: Ipv4 = NO_IPV4
    ipv6: Ipv6 = NO_IPV6


Port = Union[Nic, Bond, Vlan]


class Bridge(NamedTuple):
    """A bridge: its ports in order, its addresses and its parameters.

    ``mac`` is ``port``, ``none`` or a MAC address; ``forward_delay`` is in seconds, as are the
    times among ``options``. ``zone`` is firewalld's, ``None`` for its ports'.
    """

    name: str
    ports: Tuple[Port, ...]
    ipv4: Ipv4
    ipv6: Ipv6
    mac: str
    mtu: Optional[int]
    stp: bool
    forward_delay: int
    options: Options = ()
    zone: Optional[str] = None

    @property
    def interface(self) -> Optional[str]:
        """A bridge's record has its name."""
        return self.name

    @property
    def port_interfaces(self) -> Tuple[str, ...]:
        """The interface records that become ports, where the system's record tells."""
        return tuple(port.interface for port in self.ports if port.interface is not None)

    @property
    def vlan(self) -> Optional[int]:
        """The VLAN that the bridge sits on."""
        tags = {port.tag if isinstance(port, Vlan) else None for port in self.ports}
        return tags.pop() if len(tags) == 1 else None


Device = Union[Nic, Bond, Vlan, Bridge]
# What a device may be a port of
Master = Union[Bond, Bridge]


class Attached(NamedTuple):
    """A device with what it is a port of."""

    device: Device
    master: Optional[Master]


def addressed(device: Device) -> bool:
    """Whether an address was asked for, and so name servers make sense."""
    return device.ipv4.method != "none" or device.ipv6.method in ("static", "dhcp", "keep")


def hears_routers(device: Device) -> bool:
    """Whether router advertisements are wanted: where no gateway is written out, and not from
    guests alone on a bridge that has no port and an address of its own."""
    ipv6 = device.ipv6
    inside = isinstance(device, Bridge) and not device.ports and ipv6.address is not None
    return ipv6.method in ("auto", "static") and ipv6.gateway is None and not inside


def devices(bridges: Tuple[Bridge, ...], vlans: Tuple[Vlan, ...]) -> Tuple[Attached, ...]:
    """Every device once, each behind those that it is made of."""
    found: List[Attached] = []
    for bridge in bridges:
        for port in bridge.ports:
            found += _below(port)
            found.append(Attached(port, bridge))
    for vlan in vlans:
        found += _below(vlan)
        found.append(Attached(vlan, None))
    found += [Attached(bridge, None) for bridge in bridges]
    # a NIC with VLANs may be the port of a bridge itself
    masters = {each.device: each.master for each in found if each.master is not None}
    once = dict.fromkeys(each.device for each in found)
    return tuple(Attached(device, masters.get(device)) for device in once)


def _below(device: Device) -> Iterator[Attached]:
    """What a device is made of."""
    if isinstance(device, Bond):
        for nic in device.ports:
            yield Attached(nic, device)
    elif isinstance(device, Vlan) and not isinstance(device.parent, str):
        yield from _below(device.parent)
        yield Attached(device.parent, None)
