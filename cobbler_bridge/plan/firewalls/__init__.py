"""What lets guests' frames through a host's firewall: one module each, one line here each.

A firewall is a function of a description and a target, like a backend. See ``plan.Writer``.
"""

from typing import Dict, List, Tuple

from cobbler_bridge.description.describe import Description
from cobbler_bridge.plan.firewalls import automatic, followed, iptables, sysctl
from cobbler_bridge.plan.plan import Call, Parts, Writer
from cobbler_bridge.plan.target import Target
from cobbler_bridge.problem import Problem


def _none(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    return Parts(), []


FIREWALLS: Dict[str, Writer] = {
    "auto": automatic.write,
    "firewalld": sysctl.write,
    "iptables": iptables.write,
    "nftables": sysctl.write,
    "none": _none,
    "sysctl": sysctl.write,
}


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """What the firewall that was asked for gets, and what is said of ports, of their bridges."""
    parts, problems = FIREWALLS[description.firewall](description, target)
    inner = tuple(each.name for each in description.bridges if not each.ports and each.ipv4.address)
    if inner:
        does = "it is said where %s leads nowhere, as the host does not forward" % " and ".join(
            inner
        )
        parts = parts._replace(steps=(*parts.steps, Call("forwards", inner, does)))
    begin = () if description.xen.makes_network else followed.begin(description)
    if begin:
        steps = (*begin, *parts.steps, *followed.end(description, target))
        parts = parts._replace(steps=steps)
    return parts, problems
