"""What the machine turns out to have: saved rules of iptables, firewalld or nftables."""

from typing import List, Tuple

from cobbler_bridge.description import Description
from cobbler_bridge.firewalls import iptables, sysctl
from cobbler_bridge.plan import Parts
from cobbler_bridge.problem import Problem
from cobbler_bridge.target import Target


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The rule in the saved rules, and the settings for what has no rules that can be edited."""
    saved, enabled = iptables.WHERE_SAVED, sysctl.where_enabled(target)
    return Parts(saved.helpers + enabled.helpers, (), saved.steps + enabled.steps), []
