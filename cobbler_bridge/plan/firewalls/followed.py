"""What a host says of a device that becomes a port: from then on it holds for the bridge.

A packet that comes by a bridge comes by no port, so a rule for the NIC lets nobody in any more,
and a setting of the NIC does nothing. The files are the administrator's: what holds for the
bridge is added beside what is there; only a rule that says "not by the NIC" is changed itself.
"""

from typing import Dict, Iterator, List, Tuple, Union

from cobbler_bridge.description.describe import Description
from cobbler_bridge.description.network import NO_IPV4, NO_IPV6, Bond, Nic, Port, Vlan
from cobbler_bridge.plan.firewalls import iptables, sysctl
from cobbler_bridge.plan.names import names_now
from cobbler_bridge.plan.plan import Call, Step, Word
from cobbler_bridge.plan.target import Target

_ZONES = "/etc/firewalld/zones/*.xml"
_REST = Call("follow_rest", (), "other files that name a port are named in the log")
_SETTINGS = Call("follow_sysctl", (), "settings of a port in /etc/sysctl* are the bridge's too")


def begin(description: Description) -> Tuple[Step, ...]:
    """Which devices' rules and settings are each bridge's from now on."""
    return tuple(
        Call(
            "follow",
            (bridge, *devices),
            "what holds for %s holds for %s" % (" and ".join(map(_shown, devices)), bridge),
        )
        for bridge, devices in _followed(description).items()
    )


def end(description: Description, target: Target) -> Tuple[Step, ...]:
    """What follows, behind the firewall's own steps; with ``none`` its files are only read."""
    saved = target.saved_rules
    # what differs by family comes first: what is behind it may be the same on all
    if description.firewall == "none":
        rules = (*(saved.paths if saved else ()), *target.nftables, _ZONES)
        return _named_in((*rules, *target.named_in)), _SETTINGS, _REST
    steps: List[Step] = []
    if saved and description.firewall not in ("auto", "iptables"):
        steps += iptables.followed(saved)
    if target.nftables and sysctl.can_have(target, "nftables") is not False:
        does = "nftables' files name the bridge beside its port"
        steps.append(Call("follow_nftables", target.nftables, does))
    steps += [_named_in(target.named_in)] if target.named_in else []
    steps.append(_SETTINGS)
    unzoned = tuple(each.name for each in description.bridges if each.zone is None)
    if unzoned and sysctl.can_have(target, "firewalld") is not False:
        does = "firewalld's files have %s in the zone of its port"
        steps.append(Call("follow_zones", unzoned, does % " and ".join(unzoned)))
    return (*steps, _REST)


def _named_in(patterns: Tuple[str, ...]) -> Call:
    return Call("name_in", patterns, "the log says where a file that its family has names a port")


def _shown(word: Word) -> str:
    return word if isinstance(word, str) else word.shown


def _followed(description: Description) -> Dict[str, Tuple[Word, ...]]:
    """Each bridge's devices, by the names that they have before; one that is below several
    bridges is the one's of which it is a port, else the one's that gives the default route."""
    ways_out = [each.name for each in description.ways_out if each in description.bridges]
    bridges = sorted(description.bridges, key=lambda each: each.name not in ways_out[:1])
    ports = [(bridge.name, port) for bridge in bridges for port in bridge.ports]
    below = [(name, device) for name, port in ports for device in _below(port)]
    taken: List[Tuple[str, Union[Nic, Bond, Vlan]]] = []
    for name, device in ports + below:
        if device not in [each for _, each in taken]:
            taken.append((name, device))
    return {
        bridge.name: words
        for bridge in description.bridges
        for words in [tuple(names_now(each)[0] for name, each in taken if name == bridge.name)]
        if words
    }


def _below(port: Port) -> Iterator[Union[Nic, Bond]]:
    """What a port is made of, but for what keeps its own network."""
    if isinstance(port, Bond):
        yield from port.ports
    elif isinstance(port, Vlan) and not isinstance(port.parent, str):
        parent = port.parent
        if not getattr(parent, "left", False) and (parent.ipv4, parent.ipv6) == (NO_IPV4, NO_IPV6):
            yield parent
            yield from _below(parent)
