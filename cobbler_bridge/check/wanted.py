"""What of a site is looked at: all of it, or what somebody named."""

import fnmatch
from typing import Iterable, List, NamedTuple, Optional, Sequence, Set

from cobbler_bridge.check.site import Site


class Wanted(NamedTuple):
    """Systems and profiles by ``names``, ``hosts`` with their guests, ``profiles`` with their
    systems, each a pattern of the shell's; where none is given, all of it and the server."""

    names: Sequence[str] = ()
    hosts: Sequence[str] = ()
    profiles: Sequence[str] = ()


EVERYTHING = Wanted()


def missing(site: Site, wanted: Wanted) -> List[str]:
    """The patterns that fit nothing."""
    hosts = [*site.systems, *(each.host or "" for each in site.guests)]
    known = (
        (wanted.names, [*site.systems, *site.profiles]),
        (wanted.hosts, hosts),
        (wanted.profiles, list(site.profiles)),
    )
    return [each for patterns, names in known for each in patterns if not _fitting(names, [each])]


def chosen(site: Site, wanted: Wanted) -> Optional[Set[str]]:
    """The names of what is wanted; ``None`` for all of it and the server."""
    if not any(wanted):
        return None
    found = _fitting([*site.systems, *site.profiles], wanted.names)
    found |= _fitting(site.systems, wanted.hosts) | _fitting(site.profiles, wanted.profiles)
    hosts = _fitting({each.host or "" for each in site.guests}, wanted.hosts)
    profiles = _fitting(site.profiles, wanted.profiles)
    return found | {
        name
        for name, system in site.systems.items()
        if system.host in hosts or system.profile in profiles
    }


def _fitting(names: Iterable[str], patterns: Iterable[str]) -> Set[str]:
    return {name for pattern in patterns for name in fnmatch.filter(names, pattern)}
