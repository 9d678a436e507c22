"""What a host's Xen makes of the bridge, and which other variables that leaves no room for."""

from typing import Any, List, Mapping, NamedTuple, Optional, Tuple

from cobbler_bridge import typed
from cobbler_bridge.description import keys
from cobbler_bridge.description.blended_data import Reader
from cobbler_bridge.description.network import Bridge, Nic, Vlan
from cobbler_bridge.problem import Problem, shown

NETWORK_BRIDGE = "network-bridge"
NETWORK_ROUTE = "network-route"
VIF_BRIDGE = "vif-bridge"
# the guests' frames are routed: there is no bridge
UNBRIDGED = (NETWORK_ROUTE, "network-nat")
# xend makes the network when it starts, and nothing of ours does
MADE_BY_XEND = (NETWORK_BRIDGE, *UNBRIDGED)

# what still means something where xend makes the network
_XENDS_OWN = (
    keys.BRIDGE,
    keys.PORT,
    keys.FIREWALL,
    keys.XEN,
    keys.XEN_NETWORK_SCRIPT,
    keys.XEN_VIF_SCRIPT,
)


class Xen(NamedTuple):
    """What was asked of Xen: ``mode`` is a value of bridge_xen.

    The scripts are names of customized variants, ``None`` for xen's own. ``uplink`` is the NIC
    that routed guests go out through.
    """

    mode: str = "none"
    network_script: Optional[str] = None
    vif_script: Optional[str] = None
    uplink: Optional[Nic] = None

    @property
    def makes_network(self) -> bool:
        """Whether xend makes the host's network for guests, bridge or not."""
        return self.mode in MADE_BY_XEND

    @property
    def unbridged(self) -> str:
        """The word for a host without a bridge, empty where it has one."""
        return self.mode if self.mode in UNBRIDGED else ""


def wants_network(data: Mapping[str, Any]) -> bool:
    """Whether Xen is asked for in a way that needs no bridge, or can't be understood."""
    mode = data.get(keys.XEN.name, keys.XEN.default)
    return mode not in (keys.XEN.default, NETWORK_BRIDGE, VIF_BRIDGE)


def read(
    reader: Reader, bridges: Tuple[Bridge, ...], vlans: Tuple[Vlan, ...], recorded: bool
) -> Xen:
    """What the variables ask of Xen, for the bridges that variables or records describe."""
    xen = Xen(
        mode=reader.get(keys.XEN) or "none",
        network_script=reader.get(keys.XEN_NETWORK_SCRIPT),
        vif_script=reader.get(keys.XEN_VIF_SCRIPT),
    )
    reader.problems += contradictions(reader.data, reader.subject, xen)
    if not xen.makes_network:
        return xen
    right = "use %s=%s" % (keys.XEN.name, VIF_BRIDGE)
    for bridge in bridges:
        field = "interface_type of %s" % bridge.name if recorded else keys.PORT.name
        for wrong in _not_xends(xen, bridge, recorded):
            reader.problem(field, wrong, right)
    for vlan in vlans:
        reader.problem("interfaces", "xend makes no VLAN, as %d is one" % vlan.tag, right)
    first = bridges[0].ports[:1] if xen.unbridged else ()
    return xen._replace(uplink=first[0]) if first and isinstance(first[0], Nic) else xen


def _not_xends(xen: Xen, bridge: Bridge, recorded: bool) -> List[str]:
    """What xend would not do for a bridge; what a NIC's record has stays on that NIC."""
    why = []
    if recorded and xen.unbridged:
        why.append("the bridge would not exist with %s=%s" % (keys.XEN.name, xen.mode))
    elif len(bridge.ports) != 1 or not isinstance(bridge.ports[0], Nic):
        why.append("%s takes one NIC, and no bond or VLAN" % xen.mode)
    if recorded and (bridge.ipv4.address is not None or bridge.ipv6.address is not None):
        why.append("xend gives the bridge no address")
    own_mac = bridge.mac not in ("port", "none")
    if recorded and (bridge.options or bridge.stp or bridge.mtu is not None or own_mac):
        why.append("xend gives the bridge no options, MTU or MAC address")
    return why


def contradictions(data: Mapping[str, Any], subject: str, xen: Xen) -> List[Problem]:
    """The variables that are set and that this mode could only ignore."""
    problems = []
    if xen.mode == "none":
        for key in (keys.XEN_NETWORK_SCRIPT, keys.XEN_VIF_SCRIPT):
            if key.name in data:
                right = "set %s too, or remove it" % keys.XEN.name
                problems.append(Problem(subject, key.name, "is for a host with Xen", right))
    if xen.makes_network:
        why = "has no effect with %s=%s: xend makes the network" % (keys.XEN.name, xen.mode)
        right = "remove it, or use %s=%s" % (keys.XEN.name, VIF_BRIDGE)
        for key in keys.HOST_KEYS:
            # what the installer configured stays as it is
            same = typed.written(data.get(key.name, "keep")) in ("keep", key.default)
            if key not in _XENDS_OWN and not same:
                problems.append(Problem(subject, key.name, why, right))
    if xen.unbridged:
        problems += _unbridged(data, subject, xen)
    return problems


def _unbridged(data: Mapping[str, Any], subject: str, xen: Xen) -> List[Problem]:
    """A bridge beside routed guests, and what bridged frames need."""
    problems = []
    routed = "with %s=%s" % (keys.XEN.name, xen.mode)
    if keys.BRIDGE.name in data:
        wrong = "%s would not exist %s" % (shown(data[keys.BRIDGE.name]), routed)
        right = "remove it, or use %s=%s" % (keys.XEN.name, VIF_BRIDGE)
        problems.append(Problem(subject, keys.BRIDGE.name, wrong, right))
    if data.get(keys.FIREWALL.name, "none") not in ("none", keys.FIREWALL.default):
        wrong = "has no effect %s: it is about bridged frames" % routed
        problems.append(Problem(subject, keys.FIREWALL.name, wrong, "remove it"))
    return problems
