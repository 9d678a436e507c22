"""What lets guests' frames through a host's firewall: one module each, one line here each.

A firewall is a function of a description and a target, like a backend. See ``plan.Writer``.
"""

from typing import Dict, List, Tuple

from cobbler_bridge.description import Description
from cobbler_bridge.firewalls import automatic, iptables, sysctl
from cobbler_bridge.plan import Parts, Writer
from cobbler_bridge.problem import Problem
from cobbler_bridge.target import Target


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
