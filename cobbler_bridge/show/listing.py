"""Hosts, their bridges and state, and the guests on each: what ``cobbler-bridge show`` prints."""

import fnmatch
import time
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from cobbler_bridge import table, typed
from cobbler_bridge.description import keys
from cobbler_bridge.description.interface_fields import BRIDGE_TYPE
from cobbler_bridge.description.xen_mode import UNBRIDGED
from cobbler_bridge.placement import which_bridge
from cobbler_bridge.problem import shown
from cobbler_bridge.store.host_record import (
    DESCRIPTION,
    FILE,
    INSTALLED,
    NETWORK,
    STATES,
    UNSEEN,
)
from cobbler_bridge.store.inventory import INHERITED, System

NOT_INSTALLED = "not installed"
NO_BRIDGE = "no bridge"
NO_SYSTEM = "no such system"
ALL_STATES = (*STATES, NOT_INSTALLED, NO_BRIDGE, NO_SYSTEM)
# each drift in a few words
DRIFTED = {
    FILE: "a file changed",
    NETWORK: "not as proved",
    DESCRIPTION: "described otherwise",
    UNSEEN: "not seen since %s",
}


class GuestRow(NamedTuple):
    """A guest: its NICs with the bridge stored for each, ``""`` where nobody chose one."""

    name: str
    nics: Tuple[Tuple[str, str], ...]


class BridgeRow(NamedTuple):
    """A bridge of a host, with the interface records that are its ports."""

    name: str
    ports: Tuple[str, ...] = ()


class HostRow(NamedTuple):
    """A system that has a bridge or is to have one; ``since`` is UTC, ``""`` where unknown.

    ``unbridged`` says how Xen lets guests out where there is no bridge: a value of bridge_xen.
    ``unproved`` is a host that was installed and should have proved its bridge since. ``reason``
    says why it is in this state, ``seen`` when it last said that all is well, ``drift`` in which
    way that is over.
    """

    name: str
    bridges: Tuple[BridgeRow, ...]
    state: str
    since: str
    guests: Tuple[GuestRow, ...]
    unbridged: str = ""
    unproved: bool = False
    reason: str = ""
    seen: str = ""
    drift: str = ""

    @property
    def how(self) -> str:
        """The state with all that is to be said of it, but since when."""
        words = drifted(self)
        state = self.state + ", never verified" * self.unproved + (words and ", " + words)
        return state + (self.reason and ": " + self.reason)


def drifted(row: HostRow) -> str:
    """Its drift in a few words, ``""`` for none."""
    words = DRIFTED.get(row.drift, "")
    return words % row.seen if row.drift == UNSEEN else words


class Filter(NamedTuple):
    """Which rows are wanted: names are shell patterns of hosts or guests."""

    names: Sequence[str] = ()
    state: Optional[str] = None
    bridge: Optional[str] = None


def hosts(systems: Iterable[System], now: Optional[float] = None) -> List[HostRow]:
    """Every host among the systems, and every system that a guest calls its host; ``now`` is in
    seconds since 1970, and this moment if it isn't given."""
    now = time.time() if now is None else now
    guests: Dict[str, List[GuestRow]] = {}
    rows = []
    known = {system.name: system for system in systems}
    for system in known.values():
        if system.host is not None:
            guests.setdefault(system.host, []).append(_guest(system))
    for name in sorted(set(known) | set(guests)):
        row = _host(known.get(name), name, tuple(guests.get(name, ())), now)
        if row is not None:
            rows.append(row)
    return rows


def missing(rows: Iterable[HostRow], names: Iterable[str]) -> List[str]:
    """The names that are no host's and no guest's."""
    known = {each for row in rows for each in (row.name, *(guest.name for guest in row.guests))}
    return sorted(name for name in set(names) if not fnmatch.filter(known, name))


def filtered(rows: Iterable[HostRow], wanted: Filter) -> List[HostRow]:
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


def _guest(system: System) -> GuestRow:
    return GuestRow(
        system.name,
        tuple(
            (each.name, "" if each.virt_bridge == INHERITED else each.virt_bridge)
            for each in system.interfaces
            if which_bridge.is_nic(each)
        ),
    )


def _host(
    system: Optional[System], name: str, guests: Tuple[GuestRow, ...], now: float
) -> Optional[HostRow]:
    if system is None:
        return HostRow(name, (), NO_SYSTEM, "", guests)
    record = system.record
    if record is not None:
        bridges = _bridges(system, record.bridges)
        waits = record.state == INSTALLED and system.proves
        return HostRow(
            name,
            bridges,
            record.state,
            record.since,
            guests,
            record.unbridged,
            waits,
            record.reason,
            record.seen,
            record.drifted(system.watches, now),
        )
    described = [each.name for each in system.interfaces if each.kind == BRIDGE_TYPE]
    if keys.BRIDGE.name in system.meta and not described:
        asked = system.meta[keys.BRIDGE.name]
        described = [typed.written(asked) or shown(asked)]
    if described:
        return HostRow(name, _bridges(system, described), NOT_INSTALLED, "", guests)
    mode = system.meta.get(keys.XEN.name)
    if mode in UNBRIDGED:
        return HostRow(name, (), NOT_INSTALLED, "", guests, mode)
    return HostRow(name, (), NO_BRIDGE, "", guests) if guests else None


def _bridges(system: System, names: Iterable[str]) -> Tuple[BridgeRow, ...]:
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
        found.append(BridgeRow(name, tuple(sorted(ports))))
    return tuple(found)


def as_data(rows: Sequence[HostRow]) -> List[Dict[str, Any]]:
    """The rows for JSON and YAML. The keys are part of the public interface."""
    return [
        {
            **({"xen": row.unbridged} if row.unbridged else {}),
            "host": row.name,
            "bridges": [bridge.name for bridge in row.bridges],
            "ports": {bridge.name: list(bridge.ports) for bridge in row.bridges},
            "state": row.state,
            "since": row.since,
            "reason": row.reason,
            "seen": row.seen,
            "drift": row.drift,
            "guests": [{"guest": guest.name, "nics": dict(guest.nics)} for guest in row.guests],
        }
        for row in rows
    ]


def summary(rows: Sequence[HostRow]) -> Dict[str, Any]:
    """How many hosts are in which state, and how many guests they have, for JSON and YAML; the
    keys are part of the public interface."""
    return {
        "hosts": {state: sum(row.state == state for row in rows) for state in ALL_STATES},
        "drifted": sum(bool(row.drift) for row in rows),
        "guests": sum(len(row.guests) for row in rows),
    }


def summary_text(rows: Sequence[HostRow]) -> str:
    """The same as a table: a line for each state that a host is in."""
    lines = [("STATE", "HOSTS", "GUESTS")]
    for how in (*ALL_STATES, "all"):
        found = [row for row in rows if how in (row.state, "all")]
        if found or how == "all":
            drifted = sum(bool(row.drift) for row in found)
            word = how + (drifted and how != "all" and ", %d drifted" % drifted or "")
            guests = sum(len(row.guests) for row in found)
            lines.append((word, "%d" % len(found), "%d" % guests))
    return table.text(lines)


def as_text(rows: Sequence[HostRow]) -> str:
    """A table: a line for each host, and one below it for each of its guests."""
    lines = [("HOST", "BRIDGES", "PORTS", "STATE", "SINCE")]
    for row in rows:
        bridges = ",".join(bridge.name for bridge in row.bridges)
        bridges = bridges or (row.unbridged and "none: " + row.unbridged)
        ports = " ".join(",".join(bridge.ports) or "-" for bridge in row.bridges)
        lines.append((row.name, bridges or "-", ports or "-", row.how, row.since or "-"))
        for guest in row.guests:
            nics = ", ".join("%s: %s" % (nic, bridge or "-") for nic, bridge in guest.nics)
            lines.append(("  " + guest.name, nics or "no NIC", "", "", ""))
    return table.text(lines)
