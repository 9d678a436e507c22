"""Which bridge each interface of a guest gets. Pure.

An interface gets the bridge of its host that fits: the one in whose network its address lies,
else the one on the VLAN that the guest names, else the host's first. Only an interface that nobody
set by hand: one that has no value of its own, or the value that the guest's note says is ours.
"""

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from cobbler_bridge import addresses, findings, typed
from cobbler_bridge.addresses import Network
from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import Description, wants_bridge
from cobbler_bridge.description.network import Bridge
from cobbler_bridge.description.xen_mode import UNBRIDGED
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.store.host_record import INSTALLING, ROLLED_BACK, Record
from cobbler_bridge.store.inventory import INHERITED, Interface, System

# Koan 3.0.1, virtinstall.py, _sanitize_nics: what it makes no NIC of
_NO_NIC_TYPES = ("bond", "bridge", "bonded_bridge_slave")
_VLAN_NAME = re.compile(r"[a-zA-Z0-9]+\.[0-9]+")

# Cobbler's own defaults: equal to the setting, nobody chose them
_SHIPPED_DEFAULTS = ("xenbr0", "virbr0")

VLAN = keys.VLAN.name
_VLANS = keys.VLAN.accepts
_NIC_OF_VLAN = re.compile(r"vlan([0-9]{1,4})\Z")


class Offer(NamedTuple):
    """A bridge that a host has, with its networks and its VLAN.

    ``described`` says whether these are known: not where the host's description has no such
    bridge any more.
    """

    bridge: str
    networks: Tuple[Network, ...] = ()
    vlan: Optional[int] = None
    described: bool = True


class Choice(NamedTuple):
    """What one interface has and what it shall have; the same where it stays."""

    interface: str
    now: str
    bridge: str
    why: str


class Placement(NamedTuple):
    """What becomes of a guest's interfaces, in Koan's order.

    ``placed`` are the interfaces whose bridge is our choice afterwards.
    """

    choices: Tuple[Choice, ...]
    placed: Dict[str, str]
    problems: Tuple[Problem, ...]

    @property
    def changes(self) -> Dict[str, str]:
        """The interfaces that get another bridge, and which."""
        return {each.interface: each.bridge for each in self.choices if each.bridge != each.now}


def is_unset(virt_bridge: str, default: str) -> bool:
    """Whether nobody chose this value; ``default`` is the setting default_virt_bridge."""
    if virt_bridge in ("", INHERITED):
        return True
    return virt_bridge == default and virt_bridge in _SHIPPED_DEFAULTS


def is_nic(interface: Interface) -> bool:
    """Whether Koan makes a NIC of this interface."""
    if interface.kind in _NO_NIC_TYPES or ":" in interface.name:
        return False
    return not _VLAN_NAME.match(interface.name)


def nics(system: System) -> List[Interface]:
    """The interfaces that Koan makes NICs of, in its order."""
    return [each for each in sorted(system.interfaces) if is_nic(each)]


def unbridged(host: System) -> str:
    """The bridge_xen of a host whose Xen routes its guests; ``""`` for every other."""
    if host.record is not None:
        return host.record.unbridged
    mode = host.meta.get(keys.XEN.name)
    return str(mode) if mode in UNBRIDGED else ""


def is_to_have_bridge(system: System) -> bool:
    """Whether a system asks for a bridge, or for what stands in its place."""
    records = {each.name: {"interface_type": each.kind} for each in system.interfaces}
    # a variable may stand in their place
    return wants_bridge({"interfaces": records, **system.meta})


def hindrance(guest: System, host: Optional[System]) -> Optional[Problem]:
    """Why nothing of a guest can be placed, ``None`` where it can be."""
    name = shown(guest.host)
    if host is None:
        right = "the name of the system that is its host"
        return Problem(
            guest.name, keys.HOST.name, "%s is no system" % name, right, findings.NO_HOST
        )
    if host.name == guest.name:
        right = "the name of the system that it runs on"
        return Problem(
            guest.name, keys.HOST.name, "%s is the guest itself" % name, right, findings.NO_HOST
        )
    mode = unbridged(host)
    if mode:
        words = (name, keys.XEN.name, mode)
        wrong = "%s gives its guests no bridge, with %s=%s" % words
        right = "another host, or set virt_bridge of the guest by hand"
        return Problem(guest.name, keys.HOST.name, wrong, right, findings.ROUTING_HOST)
    if host.record is None or not host.record.bridges:
        wrong = "Cobbler knows no bridge of %s" % name
        right = "install that host, or run cobbler-bridge record %s" % host.name
        kind = findings.HOST_WAITED_FOR if is_to_have_bridge(host) else findings.BRIDGELESS_HOST
        return Problem(guest.name, keys.HOST.name, wrong, right, kind)
    if host.record.state == ROLLED_BACK:
        right = "correct that host, or set virt_bridge of the guest by hand"
        wrong = "%s has put its old network back and has no bridge" % name
        return Problem(guest.name, keys.HOST.name, wrong, right, findings.HOST_WAITED_FOR)
    if host.record.state == INSTALLING:
        right = "wait until it is done"
        wrong = "%s is being installed" % name
        return Problem(guest.name, keys.HOST.name, wrong, right, findings.HOST_WAITED_FOR)
    return None


def needs_description(guest: System, host: Record) -> bool:
    """Whether more than the host's record decides where this guest goes."""
    return len(host.bridges) > 1 or any(_asked_vlan(guest, each) for each in nics(guest))


def offers(
    host: Record, description: Optional[Description], data: Mapping[str, Any]
) -> Tuple[Offer, ...]:
    """The bridges that a host has, with what its description and its blended data say of them."""
    described = {} if description is None else {each.name: each for each in description.bridges}
    found = []
    for name in host.bridges:
        bridge = described.get(name)
        if bridge is None:
            found.append(Offer(name, described=False))
        else:
            found.append(Offer(name, _networks(bridge, data), bridge.vlan))
    return tuple(found)


def _networks(bridge: Bridge, data: Mapping[str, Any]) -> Tuple[Network, ...]:
    """A bridge's networks: those of its addresses, else those that its records speak of."""
    own = [bridge.ipv4.address, *bridge.ipv4.others, bridge.ipv6.address, *bridge.ipv6.others]
    found = [address.network for address in own if address is not None]
    records = typed.fields(data.get("interfaces"))
    for name in (bridge.name, *bridge.port_interfaces):
        fields = typed.fields(records.get(name))
        for address, mask in (("ip_address", "netmask"), ("ipv6_address", "ipv6_prefix")):
            network = _network(typed.text(fields.get(address)), typed.text(fields.get(mask)))
            if network is not None and network.version not in {each.version for each in found}:
                found.append(network)
    return tuple(found)


def _network(address: Optional[str], mask: Optional[str]) -> Optional[Network]:
    host, slash, prefix = (address or "").partition("/")
    try:
        return addresses.interface(host, prefix if slash else mask or "").network
    except ValueError:
        return None


def place(guest: System, host: Sequence[Offer], default: str) -> Placement:
    """What each interface of a guest gets of its host's bridges.

    ``default`` is the setting default_virt_bridge; a host without bridges changes nothing.
    """
    placed = guest.placed
    choices: List[Choice] = []
    problems: List[Problem] = []
    for interface in nics(guest):
        now = interface.virt_bridge
        ours = placed.get(interface.name)
        if ours is None and not is_unset(now, default):
            choices.append(Choice(interface.name, now, now, "set by hand"))
            continue
        if not host:
            continue
        bridge, why = _fitting(guest, interface, host, ours)
        if bridge is None:
            field = "virt_bridge of %s" % interface.name
            named = _NIC_OF_VLAN.match(interface.name) is not None
            asks = "the interface's name" if named else VLAN
            right = "correct %s, or set virt_bridge by hand" % asks
            problems.append(Problem(guest.name, field, why, right, findings.NO_VLAN))
            choices.append(Choice(interface.name, now, now, why))
            continue
        choices.append(Choice(interface.name, now, bridge, why))
        placed[interface.name] = bridge
    return Placement(tuple(choices), placed, tuple(problems))


def _fitting(
    guest: System, interface: Interface, host: Sequence[Offer], ours: Optional[str]
) -> Tuple[Optional[str], str]:
    """The bridge for an interface and why; ``None`` and why not."""
    asked = _asked_vlan(guest, interface)
    near = _nearest(interface, host)
    if near:
        same = [offer for offer in near if asked is not None and str(offer.vlan) == asked]
        return (same or near)[0].bridge, "its address is in the bridge's network"
    if asked is not None:
        for offer in host:
            if offer.vlan is not None and str(offer.vlan) == asked:
                return offer.bridge, "the bridge is on VLAN %s" % asked
        return None, _no_vlan(guest, asked)
    if ours in {offer.bridge for offer in host} and not all(each.described for each in host):
        # the host is described anew and not installed yet: nothing says where it belongs better
        return ours, "it is there already"
    return host[0].bridge, "the host's first bridge"


def _no_vlan(guest: System, asked: str) -> str:
    try:
        keys.VLAN.parse(asked)
    except ValueError as error:
        return "%s %s, and a VLAN is %s" % (shown(asked), error, _VLANS)
    return "%s has no bridge on VLAN %s" % (shown(guest.host), asked)


def _asked_vlan(guest: System, interface: Interface) -> Optional[str]:
    """The VLAN that an interface belongs on, as it is written: its own name's, or the guest's."""
    named = _NIC_OF_VLAN.match(interface.name)
    if named is not None:
        return named.group(1).lstrip("0")
    asked = guest.meta.get(VLAN)
    # on a host it is about its own bridge
    text = typed.written(asked)
    return None if asked is None or keys.BRIDGE.name in guest.meta else text or shown(asked)


def _nearest(interface: Interface, host: Sequence[Offer]) -> List[Offer]:
    """The bridges in whose network an address lies; of networks in each other, the smallest."""
    found = []
    for text in interface.addresses:
        try:
            address = addresses.address(text.partition("/")[0])
        except ValueError:
            continue
        found += [
            (network.prefixlen, offer)
            for offer in host
            for network in offer.networks
            if network.version == address.version and address in network
        ]
    smallest = max((length for length, _ in found), default=0)
    return [offer for length, offer in found if length == smallest]
