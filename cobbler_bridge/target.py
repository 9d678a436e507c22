"""Which operating systems a bridge can be written for, and what each reads by default."""

from typing import Any, Mapping, NamedTuple, Optional, Tuple

from cobbler_bridge.description import subject_of
from cobbler_bridge.problem import Problem, shown


class Target(NamedTuple):
    """An operating system being installed.

    ``backend`` is the format that it reads, a name in ``backends.BACKENDS``; ``release`` is the
    number that the format's own table of differences goes by.
    """

    name: str
    release: int
    backend: str


# (breed, os_version) as Cobbler's distro_signatures.json names them
TARGETS = {
    ("redhat", "rhel5"): Target("EL 5", 5, "ifcfg"),
    ("redhat", "rhel6"): Target("EL 6", 6, "ifcfg"),
    ("redhat", "cloudlinux6"): Target("EL 6", 6, "ifcfg"),
    ("redhat", "rhel7"): Target("EL 7", 7, "ifcfg"),
    ("redhat", "ovz7"): Target("EL 7", 7, "ifcfg"),
    ("redhat", "rhel8"): Target("EL 8", 8, "ifcfg"),
}


def target_of(data: Mapping[str, Any]) -> Tuple[Optional[Target], Optional[Problem]]:
    """The target that blended data are for, or the problem that there is none."""
    breed, os_version = str(data.get("breed") or ""), str(data.get("os_version") or "")
    target = TARGETS.get((breed, os_version))
    if target is not None:
        return target, None
    known = ", ".join(version for family, version in sorted(TARGETS) if family == "redhat")
    return None, Problem(
        subject_of(data),
        "os_version",
        "%s of breed %s is not supported yet" % (shown(os_version), shown(breed)),
        "supported with breed redhat: " + known,
    )
