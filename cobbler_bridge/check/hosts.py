"""What is wrong with hosts and their profiles: what they ask for, and what was recorded."""

import calendar
import time
from typing import Dict, Iterator, List, Optional, Set, Tuple

from cobbler_bridge import hosts as recording
from cobbler_bridge import keys
from cobbler_bridge.check.site import Planned, Site
from cobbler_bridge.inventory import System
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.record import INSTALLED, INSTALLING, VERIFIED, Record

# How long an installation may take, and the first boot after it, in seconds
_INSTALLATION = 24 * 3600
_FIRST_BOOT = 3600


def descriptions(site: Site) -> Iterator[Problem]:
    """What a host or a profile asks for and can't have; of a profile's problem, once."""
    for (kind, name), planned in site.planned.items():
        above: Set[Problem] = set()
        if kind == "system":
            profile = site.planned.get(("profile", site.systems[name].profile))
            above = (
                set()
                if profile is None
                else {each._replace(subject=name) for each in profile.problems}
            )
        for problem in planned.problems:
            if problem not in above:
                yield problem


def records(site: Site) -> Iterator[Problem]:
    """Records that are none, that tell of another bridge than is described, or of none proved."""
    originals = _originals(site)
    for system in site.systems.values():
        if system.own_meta.get(keys.RECORD.name) is None:
            continue
        problem = (
            _unreadable(system, originals.get(system.name))
            or _apart(site, system)
            or _unproved(site, system)
        )
        if problem is not None:
            yield problem


def _problem(system: System, wrong: str, right: str) -> Problem:
    return Problem(system.name, keys.RECORD.name, wrong, right)


def _originals(site: Site) -> Dict[str, str]:
    """The copies of hosts whose record came with them, and of which host each is one."""
    older: Dict[Tuple[str, str], List[System]] = {}
    found = {}
    hosts = [each for each in site.systems.values() if each.record is not None]
    for host in sorted(hosts, key=lambda each: each.created):
        text = str(host.own_meta[keys.RECORD.name])
        macs = sorted({each.mac for each in host.interfaces} - {""})
        # a copy has none, or the same ones
        for other in older.get((text, macs[0] if macs else ""), ()):
            if other.created < host.created and recording.is_copied(host, [other]):
                found[host.name] = other.name
                break
        for mac in ["", *macs]:
            older.setdefault((text, mac), []).append(host)
    return found


def _unreadable(system: System, original: Optional[str]) -> Optional[Problem]:
    anew = "install the host, or run cobbler-bridge record %s" % system.name
    if system.record is None:
        text = system.own_meta[keys.RECORD.name]
        return _problem(system, "%s is no record" % shown(text), anew)
    if original is not None:
        wrong = "is the record of %s, of which this is a copy" % shown(original)
        return _problem(system, wrong, anew)
    return None


def _apart(site: Site, system: System) -> Optional[Problem]:
    """The record and the description say different things."""
    assert system.record is not None
    planned = site.planned.get(("system", system.name), Planned(None, []))
    if planned.problems or system.record.state == INSTALLING:
        # the one is said already, and the other may be changed until it is done
        return None
    plan = planned.plan
    has = system.record
    wants = Record((), "", "") if plan is None else recording.record_of(plan, "", "")
    if (sorted(has.bridges), has.unbridged) == (sorted(wants.bridges), wants.unbridged):
        return None
    wrong = "the host has %s, and is described with %s" % (_said(has), _said(wants))
    return _problem(system, wrong, "install it again, or correct its description")


def _said(record: Record) -> str:
    return record.unbridged or " and ".join(record.bridges) or "no bridge"


def _unproved(site: Site, system: System) -> Optional[Problem]:
    """An installation that never ended, or a bridge that no first boot has proved."""
    assert system.record is not None
    since = _seconds(system.record.since)
    if since is None:
        return None
    if system.record.state == INSTALLING and site.now - since > _INSTALLATION:
        wrong = "the host began to install itself at %s and never said that it is done"
        right = "look at its console, or at whether its kickstart calls Cobbler's kickstart_done"
        return _problem(system, wrong % system.record.since, right)
    if system.proves and system.record.state == INSTALLED and site.now - since > _FIRST_BOOT:
        wrong = "the host is %s since %s, and no boot has proved its bridge"
        right = "look at its log: when it is %s, Cobbler hears of it" % VERIFIED
        return _problem(system, wrong % (INSTALLED, system.record.since), right)
    return None


def _seconds(since: str) -> Optional[float]:
    try:
        return calendar.timegm(time.strptime(since, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return None
