"""What the machine turns out to have: saved rules of iptables, firewalld or nftables."""

from typing import List, Tuple

from cobbler_bridge.description.describe import Description
from cobbler_bridge.plan.firewalls import iptables, sysctl
from cobbler_bridge.plan.plan import Parts
from cobbler_bridge.plan.target import Target
from cobbler_bridge.problem import Problem


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The rule in the saved rules, and the settings for what has no rules that can be edited."""
    saved = iptables.where_saved(target)
    enabled, problems = sysctl.where_enabled(description, target)
    return Parts((), saved.steps + enabled.steps), problems
