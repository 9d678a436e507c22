"""Which operating systems a bridge can be written for, and what each reads by default."""

import re
from typing import Any, Mapping, NamedTuple, Optional, Tuple

from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.reader import subject_of


class Target(NamedTuple):
    """An operating system being installed.

    ``backends`` are the formats that it can read, names in ``backends.BACKENDS``, the one that
    it reads by default first; ``release`` is the number that a format's own table of differences
    goes by.
    """

    name: str
    release: int
    backends: Tuple[str, ...]


# (breed, os_version) as Cobbler's distro_signatures.json names them
TARGETS = {
    ("redhat", "rhel5"): Target("EL 5", 5, ("ifcfg",)),
    ("redhat", "rhel6"): Target("EL 6", 6, ("ifcfg",)),
    ("redhat", "cloudlinux6"): Target("EL 6", 6, ("ifcfg",)),
    ("redhat", "rhel7"): Target("EL 7", 7, ("ifcfg",)),
    ("redhat", "ovz7"): Target("EL 7", 7, ("ifcfg",)),
    ("redhat", "rhel8"): Target("EL 8", 8, ("ifcfg", "keyfile")),
    ("redhat", "rhel9"): Target("EL 9", 9, ("keyfile", "ifcfg")),
    ("redhat", "rhel10"): Target("EL 10", 10, ("keyfile",)),
}
# since Fedora 33 its installer writes keyfiles
_FEDORAS = range(33, 46)
TARGETS.update(
    (("redhat", "fedora%d" % release), Target("Fedora %d" % release, release, ("keyfile",)))
    for release in _FEDORAS
)

# What a machine may turn out to be where os_version doesn't tell: as ``release`` in
# runtime/release.sh names it, in a pattern of the shell's case
ON_THE_MACHINE = (
    ("el5", TARGETS["redhat", "rhel5"]),
    ("el6", TARGETS["redhat", "rhel6"]),
    ("el7", TARGETS["redhat", "rhel7"]),
    ("el8", TARGETS["redhat", "rhel8"]),
    (
        "el9 | el[1-9][0-9] | fedora3[3-9] | fedora[4-9][0-9] | fedora[1-9][0-9][0-9]",
        Target("EL 9, Fedora 33 and later", 9, ("keyfile",)),
    ),
)
UNKNOWN = Target("what the machine turns out to be", 0, ("ifcfg", "keyfile"))
_BREEDS = ("redhat", "generic")
_TOO_OLD = re.compile(r"(rhel[1-4]|fedora([0-9]|[12][0-9]|3[0-2]))\Z")

# the same for a person
KNOWN = "rhel5 to rhel10, fedora%d to fedora%d, cloudlinux6 and ovz7" % (
    _FEDORAS[0],
    _FEDORAS[-1],
)


def target_of(data: Mapping[str, Any]) -> Tuple[Optional[Target], Optional[Problem]]:
    """The target that blended data are for, or the problem that there is none.

    Where os_version doesn't tell, or is newer than what is known, it is ``UNKNOWN``.
    """
    breed, os_version = str(data.get("breed") or ""), str(data.get("os_version") or "")
    target = TARGETS.get((breed, os_version))
    if target is not None:
        return target, None
    if breed in _BREEDS and not _TOO_OLD.match(os_version):
        return UNKNOWN, None
    return None, Problem(
        subject_of(data),
        "os_version",
        "%s of breed %s is not supported" % (shown(os_version), shown(breed)),
        "supported with breed redhat: %s, and what is newer" % KNOWN,
    )
