"""What is wrong with hosts and their profiles: what they ask for, and what was recorded."""

from typing import Iterator, Optional, Set

from cobbler_bridge import findings
from cobbler_bridge.check.site import Planned, Site
from cobbler_bridge.description import keys
from cobbler_bridge.description.interface_fields import NIC_TYPES
from cobbler_bridge.description.network import Bridge
from cobbler_bridge.findings import Kind
from cobbler_bridge.placement import recording
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.store.host_record import (
    APPLYING,
    BY_HAND,
    DESCRIPTION,
    FAILED,
    FILE,
    INSTALLED,
    INSTALLING,
    NETWORK,
    ROLLED_BACK,
    UNSEEN,
    VERIFIED,
    Record,
    seconds,
)
from cobbler_bridge.store.inventory import Interface, System
from cobbler_bridge.store.ledger import FOLDER

# How long an installation may take, and the first boot after it, in seconds
_INSTALLATION = 24 * 3600
_FIRST_BOOT = 3600
# The settings with which Cobbler writes the configuration of a DHCP server
_MANAGES_DHCP = ("manage_dhcp", "manage_dhcp_v4")
# by drift: what is wrong, and what would be right
_DRIFTED = {
    FILE: (
        "a file was changed on the host since its bridge was proved",
        "run its script again, or describe it as it is meant",
    ),
    NETWORK: (
        "the host's ports or addresses are not as they were proved",
        "look at the host, or describe it as it is meant and run its script again",
    ),
    DESCRIPTION: (
        "the host is described otherwise than when its bridge was proved",
        "run its script again or install it, or correct its description",
    ),
    UNSEEN: (
        "the host has not told since %s that its bridge works",
        "see that it runs and reaches this server, or set " + keys.WATCH.name + "=no",
    ),
}


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
        if planned.plan is not None:
            yield from (each._replace(subject=name) for each in planned.plan.remarks)


def unused_addresses(site: Site) -> Iterator[Problem]:
    """Addresses without static=1, of which no DHCP server hears either: the host asks one."""
    for (kind, name), planned in site.planned.items():
        # that it is DHCP was written out, or something else was
        asked = kind == "profile" or site.systems[name].meta.get(keys.IPV4.name, "auto") != "auto"
        for bridge in () if asked or planned.plan is None else planned.plan.bridges:
            if bridge.ipv4.leased:
                said = {each.field for each in planned.plan.remarks} if planned.plan else set()
                unused = _unused(site, site.systems[name], bridge)
                yield from (each for each in unused if each.field not in said)


def _unused(site: Site, system: System, bridge: Bridge) -> Iterator[Problem]:
    ports = [each for each in system.interfaces if each.name in bridge.port_interfaces]
    own = [each for each in system.interfaces if each.name == bridge.name] or ports
    # which NIC it will be only the machine knows
    for each in own or [each for each in system.interfaces if _is_nic(each)]:
        known = [shown(text) for text in each.addresses if ":" not in text]
        if each.static or not known:
            continue
        if not any(site.settings.get(field) for field in _MANAGES_DHCP):
            why = "with %s off Cobbler tells no DHCP server of" % _MANAGES_DHCP[0]
        elif not any(nic.mac for nic in system.interfaces):
            why = "without a mac_address Cobbler tells its DHCP server nothing of"
        else:
            continue
        wrong = "is not set: %s asks a DHCP server, and %s %s" % (bridge.name, why, known[0])
        right = "set it with --static=1, or clear ip_address, or write %s=dhcp" % keys.IPV4.name
        yield Problem(
            system.name, "static of %s" % each.name, wrong, right, findings.UNUSED_ADDRESS
        )


def _is_nic(interface: Interface) -> bool:
    return interface.kind in NIC_TYPES and not {".", ":"} & set(interface.name)


def fields(site: Site) -> Iterator[Problem]:
    """Cobbler's own fields in which something of another type stands, of hosts and of all others:
    for a host's it is in the words of its description, and said once."""
    for item in site.items:
        for field, wrong in item.unreadable:
            yield Problem(item.name, field, wrong, "correct it", findings.UNREADABLE_FIELD)


def records(site: Site) -> Iterator[Problem]:
    """Hosts that have no bridge although they should, whose bridge is another than is described, or
    that none has proved; and what is remembered of nobody knows whom."""
    for name in site.damaged:
        wrong = "what is remembered of it, in %s, can't be read" % FOLDER
        right = "run cobbler-bridge record, or place for a guest"
        yield _problem(name, wrong, right, findings.UNREADABLE_RECORD)
    for system in site.systems.values():
        if system.record is not None:
            apart = _lost(system) or _apart(site, system) or _unproved(site, system)
            drifted = _drifted(site, system, apart is not None)
            yield from filter(None, (apart, drifted or _noted(system)))


def notes(site: Site) -> Iterator[Problem]:
    """What version 0.1 noted among a system's variables, or somebody still writes there."""
    for system in site.systems.values() if site.moved else ():
        for name in keys.ONCE:
            if name in system.own_meta:
                right = "take it away; cobbler-bridge record says by hand what a host has"
                yield Problem(system.name, name, "is not read any more", right, findings.OLD_NOTE)


def _problem(name: str, wrong: str, right: str, kind: Kind) -> Problem:
    return Problem(name, "record", wrong, right, kind)


def _lost(system: System) -> Optional[Problem]:
    """A host that put its old network back, or could not be switched."""
    assert system.record is not None
    state, reason = system.record.state, system.record.reason
    if state not in (ROLLED_BACK, FAILED):
        return None
    wrong = "the host is %s since %s" % (state, system.record.since)
    right = "correct its description, and run its script again or install it"
    kind = findings.ROLLED_BACK if state == ROLLED_BACK else findings.FAILED
    return _problem(system.name, wrong + (reason and ": " + reason), right, kind)


def _apart(site: Site, system: System) -> Optional[Problem]:
    """The record and the description say different things."""
    assert system.record is not None
    planned = site.planned.get(("system", system.name), Planned(None, []))
    if planned.problems or system.record.state in (INSTALLING, BY_HAND, APPLYING):
        # the first is said already, another may be changed until it is done, and what was said by
        # hand may be of a host that is not described at all
        return None
    plan = planned.plan
    has = system.record
    wants = Record((), "", "") if plan is None else recording.record_of(plan, "", None)
    if has.has_same(wants):
        return None
    wrong = "the host has %s, and is described with %s" % (_said(has), _said(wants))
    right = "install it again, or correct its description"
    return _problem(system.name, wrong, right, findings.APART)


def _said(record: Record) -> str:
    return record.unbridged or " and ".join(record.bridges) or "no bridge"


def _unproved(site: Site, system: System) -> Optional[Problem]:
    """An installation that never ended, or a bridge that no first boot has proved."""
    assert system.record is not None
    since = seconds(system.record.since)
    if since is None:
        return None
    if system.record.state == INSTALLING and site.now - since > _INSTALLATION:
        wrong = "the host began to install itself at %s and never said that it is done"
        right = "look at its console, or at whether its kickstart calls Cobbler's autoinstall_done"
        return _problem(system.name, wrong % system.record.since, right, findings.NEVER_DONE)
    if system.record.state == APPLYING and site.now - since > _FIRST_BOOT:
        wrong = "the host is being switched since %s, and nobody has heard how it ended"
        right = "run cobbler-bridge apply %s again" % system.name
        return _problem(system.name, wrong % system.record.since, right, findings.NEVER_DONE)
    if system.proves and system.record.state == INSTALLED and site.now - since > _FIRST_BOOT:
        wrong = "the host is %s since %s, and no boot has proved its bridge"
        right = "look at its log: when it is %s, Cobbler hears of it" % VERIFIED
        return _problem(
            system.name, wrong % (INSTALLED, system.record.since), right, findings.UNPROVED
        )
    return None


def _noted(system: System) -> Optional[Problem]:
    """What a host said of a bridge that it has proved."""
    assert system.record is not None
    if system.record.state != VERIFIED or not system.record.reason or system.record.drift:
        return None
    wrong = "the host has proved its bridge, and says: %s" % system.record.reason
    right = "see to it; it is said until the host proves its bridge again"
    return _problem(system.name, wrong, right, findings.SAYS)


def _drifted(site: Site, system: System, is_apart: bool) -> Optional[Problem]:
    """A host that is not any more what it proved, or of which nothing is heard; that it is
    described otherwise may be said already."""
    assert system.record is not None
    drift = system.record.drifted(system.watches, site.now)
    if not drift or (drift == DESCRIPTION and is_apart):
        return None
    wrong, right = _DRIFTED[drift]
    if drift == UNSEEN:
        wrong %= system.record.seen
    elif system.record.reason and drift != DESCRIPTION:
        wrong += ": " + system.record.reason
    kind = findings.UNSEEN if drift == UNSEEN else findings.DRIFTED
    return _problem(system.name, wrong, right, kind)
