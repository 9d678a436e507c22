"""The saved rules of iptables and ip6tables, in the format of iptables-save(8).

Bridged frames pass the FORWARD chain where br_netfilter is loaded, and Red Hat's default rules
reject them there. The saved rules are edited: in an install's chroot the running rules are the
installer's.
"""

from typing import List, Tuple

from cobbler_bridge.description import Description
from cobbler_bridge.plan import Call, Parts
from cobbler_bridge.problem import Problem
from cobbler_bridge.target import Target

RULE = "-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT"
IPV4_RULES = "/etc/sysconfig/iptables"
IPV6_RULES = "/etc/sysconfig/ip6tables"


def _edited(path: str, when: str, *how: str) -> Call:
    does = "%s is edited %s: %s, before any rule that rejects" % (path, when, RULE)
    return Call("iptables_bridged", (path, RULE) + how, does)


_IPV6 = _edited(IPV6_RULES, "where it is there")
_MADE = Parts(("iptables",), (), (_edited(IPV4_RULES, "or made", "make"), _IPV6))
# The rule in the saved rules, where the machine has some
WHERE_SAVED = Parts(("iptables",), (), (_edited(IPV4_RULES, "where it is there"), _IPV6))


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The rule in the saved rules, which are made if they aren't there."""
    return _MADE, []
