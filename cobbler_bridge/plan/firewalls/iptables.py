"""The saved rules of iptables and ip6tables, in the format of iptables-save(8).

Bridged frames pass the FORWARD chain where br_netfilter is loaded, and Red Hat's default rules
reject them there. The saved rules are edited: in an install's chroot the running rules are the
installer's.
"""

import functools
from typing import List, Tuple

from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import Description
from cobbler_bridge.plan.plan import Call, Parts
from cobbler_bridge.plan.target import SavedRules, Target
from cobbler_bridge.problem import Problem

RULE = "-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT"


def _edited(path: str, settings: str, rule: str, does: str, how: str = "") -> Call:
    words = (path, rule, how, settings) if settings else (path, rule, how) if how else (path, rule)
    return Call("iptables_bridged", words, does)


def followed(saved: SavedRules) -> Tuple[Call, ...]:
    """What saved rules say of a port, said of its bridge, and no rule of ours."""
    does = "%s has rules of a port for its bridge too"
    return tuple(_edited(path, settings, "", does % path) for path, settings in saved.files)


def where_saved(target: Target) -> Parts:
    """The rule in the saved rules, where the machine has some."""
    return Parts() if target.saved_rules is None else _both(target.saved_rules)


@functools.lru_cache(maxsize=None)
def _both(saved: SavedRules, when: str = "where it is there", how: str = "") -> Parts:
    """The rule in both files; ``when`` and ``how`` are of the one for IPv4."""
    does = "%s is edited %s: " + RULE + ", before any rule that rejects"
    (ipv4, its), (ipv6, others) = saved.files
    first = _edited(ipv4, its, RULE, does % (ipv4, when), how)
    return Parts((), (first, _edited(ipv6, others, RULE, does % (ipv6, "where it is there"))))


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The rule in the saved rules, which are made if they aren't there."""
    if target.saved_rules is None:
        wrong = "nothing on %s loads saved rules" % target.name
        return Parts(), [Problem(description.subject, keys.FIREWALL.name, wrong, "another value")]
    return _both(target.saved_rules, "or made", "make"), []
