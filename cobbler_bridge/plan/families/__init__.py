"""The families of operating systems: one module each, one line here each. See ``target.Family``."""

import re
from typing import Any, Mapping, NamedTuple, Optional, Tuple

from cobbler_bridge import typed
from cobbler_bridge.description.blended_data import subject_of
from cobbler_bridge.plan.families import debian, redhat, suse
from cobbler_bridge.plan.target import Candidate, Family, Target
from cobbler_bridge.problem import Problem, shown

FAMILIES: Tuple[Family, ...] = (
    redhat.FAMILY,
    debian.FAMILY,
    suse.FAMILY,
)

# each that there is a plan for
EVERY: Tuple[Target, ...] = tuple(
    target
    for family in FAMILIES
    for target in (*family.targets.values(), *(each.target for each in family.machines))
)
# the same for a person
KNOWN = "; ".join(family.known for family in FAMILIES)


class Targets(NamedTuple):
    """What a host may be, and the helpers that find out which of these it is."""

    candidates: Tuple[Candidate, ...]
    asked: Tuple[str, ...] = ()


def targets_of(data: Mapping[str, Any]) -> Tuple[Targets, Optional[Problem]]:
    """What blended data may be for, or the problem that there is nothing.

    One target; or all of the families of its breed where os_version doesn't tell, or is newer than
    what is known.
    """
    breed, os_version = typed.text(data.get("breed")), typed.text(data.get("os_version"))
    of_breed = [family for family in FAMILIES if breed in family.breeds]
    for family in of_breed:
        target = family.targets.get(os_version or "")
        if target is not None and breed == family.breeds[0]:
            return Targets((Candidate("*", target),)), None
    too_old = [each for each in of_breed if re.fullmatch(each.too_old, os_version or "")]
    if of_breed and os_version is not None and not too_old:
        machines = sum((family.machines for family in of_breed), ())
        asked = dict.fromkeys(helper for family in of_breed for helper in family.asked)
        return Targets(machines, tuple(asked)), None
    return Targets(()), Problem(
        subject_of(data),
        "os_version",
        "%s of breed %s is not supported" % (_shown(data, "os_version"), _shown(data, "breed")),
        "supported with " + KNOWN,
    )


def _shown(data: Mapping[str, Any], field: str) -> str:
    return shown(data.get(field) or "")
