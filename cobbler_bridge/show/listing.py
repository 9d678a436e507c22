"""Hosts, their bridges and state, and the guests on each: what ``cobbler-bridge show`` prints."""

import fnmatch
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from cobbler_bridge import keys, placement, table
from cobbler_bridge.interfaces import BRIDGE_TYPE
from cobbler_bridge.inventory import INHERITED, System
from cobbler_bridge.record import INSTALLED, STATES
from cobbler_bridge.xen import UNBRIDGED

NOT_INSTALLED = "not installed"
NO_BRIDGE = "no bridge"
NO_SYSTEM = "no such system"
ALL_STATES = (*STATES, NOT_INSTALLED, NO_BRIDGE, NO_SYSTEM)


class Guest(NamedTuple):
    """A guest: its NICs with the bridge stored for each, ``""`` where nobody chose one."""

    name: str
    nics: Tuple[Tuple[str, str], ...]


class Bridge(NamedTuple):
    """A bridge of a host, with the interface records that are its ports."""

    name: str
    ports: Tuple[str, ...] = ()


class Host(NamedTuple):
    """A system that has a bridge or is to have one; ``since`` is UTC, ``""`` where unknown.

    ``unbridged`` says how Xen lets guests out where there is no bridge: a value of bridge_xen.
    ``unproved`` is a host that was installed and should have proved its bridge since.
    """

    name: str
    bridges: Tuple[Bridge, ...]
    state: str
    since: str
    guests: Tuple[Guest, ...]
    unbridged: str = ""
    unproved: bool = False


class Filter(NamedTuple):
    """Which rows are wanted: names are shell patterns of hosts or guests."""

    names: Sequence[str] = ()
    state: Optional[str] = None
    bridge: Optional[str] = None


def hosts(systems: Iterable[System]) -> List[Host]:
    """Every host among the systems, and every system that a guest calls its host."""
    guests: Dict[str, List[Guest]] = {}
    rows = []
    known = {system.name: system for system in systems}
    for system in known.values():
        if system.host is not None:
            guests.setdefault(system.host, []).append(_guest(system))
    for name in sorted(set(known) | set(guests)):
        row = _host(known.get(name), name, tuple(guests.get(name, ())))
        if row is not None:
            rows.append(row)
    return rows


def missing(rows: Iterable[Host], names: Iterable[str]) -> List[str]:
    """The names that are no host's and no guest's."""
    known = {each for row in rows for each in (row.name, *(guest.name for guest in row.guests))}
    return sorted(name for name in set(names) if not fnmatch.filter(known, name))


def filtered(rows: Iterable[Host], wanted: Filter) -> List[Host]:
    """The rows that are wanted; of a host that isn't, only the guests that are."""
    found = []
    for row in rows:
        if wanted.state not in (None, row.state):
            continue
        if wanted.bridge not in (None, *(bridge.name for bridge in row.bridges)):
            continue
        guests = tuple(guest for guest in row.guests if _matches(guest.name, wanted.names))
        if not wanted.names or _matches(row.name, wanted.names):
            found.append(row)
        elif guests:
            found.append(row._replace(guests=guests))
    return found


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _guest(system: System) -> Guest:
    return Guest(
        system.name,
        tuple(
            (each.name, "" if each.virt_bridge == INHERITED else each.virt_bridge)
            for each in system.interfaces
            if placement.is_nic(each)
        ),
    )


def _host(system: Optional[System], name: str, guests: Tuple[Guest, ...]) -> Optional[Host]:
    if system is None:
        return Host(name, (), NO_SYSTEM, "", guests)
    record = system.record
    if record is not None:
        bridges = _bridges(system, record.bridges)
        waits = record.state == INSTALLED and system.proves
        return Host(name, bridges, record.state, record.since, guests, record.unbridged, waits)
    described = [each.name for each in system.interfaces if each.kind == BRIDGE_TYPE]
    if keys.BRIDGE.name in system.meta and not described:
        described = [str(system.meta[keys.BRIDGE.name])]
    if described:
        return Host(name, _bridges(system, described), NOT_INSTALLED, "", guests)
    mode = system.meta.get(keys.XEN.name)
    if mode in UNBRIDGED:
        return Host(name, (), NOT_INSTALLED, "", guests, mode)
    return Host(name, (), NO_BRIDGE, "", guests) if guests else None


def _bridges(system: System, names: Iterable[str]) -> Tuple[Bridge, ...]:
    """Bridges with their ports: those that their records name, or that the triggers marked."""
    marked = (
        []
        if system.host is not None
        else [each for each in system.interfaces if not each.master and each.kind != BRIDGE_TYPE]
    )
    found = []
    for name in names:
        ports = [each.name for each in system.interfaces if each.master == name]
        ports += [each.name for each in marked if each.virt_bridge == name]
        found.append(Bridge(name, tuple(sorted(ports))))
    return tuple(found)


def as_data(rows: Sequence[Host]) -> List[Dict[str, Any]]:
    """The rows for JSON and YAML. The keys are part of the public interface."""
    return [
        {
            **({"xen": row.unbridged} if row.unbridged else {}),
            "host": row.name,
            "bridges": [bridge.name for bridge in row.bridges],
            "ports": {bridge.name: list(bridge.ports) for bridge in row.bridges},
            "state": row.state,
            "since": row.since,
            "guests": [{"guest": guest.name, "nics": dict(guest.nics)} for guest in row.guests],
        }
        for row in rows
    ]


def as_text(rows: Sequence[Host]) -> str:
    """A table: a line for each host, and one below it for each of its guests."""
    lines = [("HOST", "BRIDGES", "PORTS", "STATE", "SINCE")]
    for row in rows:
        bridges = ",".join(bridge.name for bridge in row.bridges)
        bridges = bridges or (row.unbridged and "none: " + row.unbridged)
        ports = " ".join(",".join(bridge.ports) or "-" for bridge in row.bridges)
        state = row.state + ", never verified" * row.unproved
        lines.append((row.name, bridges or "-", ports or "-", state, row.since or "-"))
        for guest in row.guests:
            nics = ", ".join("%s: %s" % (nic, bridge or "-") for nic, bridge in guest.nics)
            lines.append(("  " + guest.name, nics or "no NIC", "", "", ""))
    return table.text(lines)
