"""Zones of firewalld: a bridge's own file names its zone, and whatever reads it tells firewalld."""

from typing import List, Tuple

from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import Description
from cobbler_bridge.plan.firewalls import sysctl
from cobbler_bridge.plan.plan import Call, Parts, Step
from cobbler_bridge.plan.target import Target
from cobbler_bridge.problem import Problem


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """A word in the log where the machine has no such zone: it may get it later."""
    asked = dict.fromkeys(each.zone for each in description.bridges if each.zone is not None)
    there = sysctl.can_have(target, "firewalld")
    if asked and not there:
        wrong = "%s has no firewalld, whose zone it would be" % target.name
        if there is None:
            wrong = "it is not known whether %s has firewalld, whose zone it would be" % target.name
        return Parts(), [Problem(description.subject, keys.ZONE.name, wrong, "remove it")]
    does = "the log says so where firewalld has no zone %s here"
    steps: Tuple[Step, ...] = tuple(Call("zone_there", (zone,), does % zone) for zone in asked)
    return Parts((), steps), []
