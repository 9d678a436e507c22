"""Hosts, their bridges and state, and the guests on each: what ``cobbler-bridge show`` prints."""

from typing import Any, Dict, Iterable, List, NamedTuple, Sequence, Tuple

from cobbler_bridge import keys, placement
from cobbler_bridge.inventory import System
from cobbler_bridge.record import INSTALLED
from cobbler_bridge.xen import UNBRIDGED

NOT_INSTALLED = "not installed"


class Guest(NamedTuple):
    """A guest: its NICs with the bridge stored for each, ``""`` where nobody chose one."""

    name: str
    nics: Tuple[Tuple[str, str], ...]


class Host(NamedTuple):
    """A system that has a bridge or is to have one; ``since`` is UTC, ``""`` where unknown.

    ``unbridged`` says how Xen lets guests out where there is no bridge: a value of bridge_xen.
    ``unproved`` is a host that was installed and should have proved its bridge since.
    """

    name: str
    bridges: Tuple[str, ...]
    state: str
    since: str
    guests: Tuple[Guest, ...]
    unbridged: str = ""
    unproved: bool = False


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


def _guest(system: System) -> Guest:
    return Guest(
        system.name,
        tuple(
            (each.name, "" if each.virt_bridge == placement.INHERITED else each.virt_bridge)
            for each in system.interfaces
            if placement.is_nic(each)
        ),
    )


def _host(system: Any, name: str, guests: Tuple[Guest, ...]) -> Any:
    if system is None:
        return Host(name, (), "no such system", "", guests)
    record = system.record
    if record is not None:
        waits = record.state == INSTALLED and _proves(system)
        return Host(
            name, record.bridges, record.state, record.since, guests, record.unbridged, waits
        )
    bridge = system.meta.get(keys.BRIDGE.name)
    if bridge is not None:
        return Host(name, (str(bridge),), NOT_INSTALLED, "", guests)
    mode = system.meta.get(keys.XEN.name)
    if mode in UNBRIDGED:
        return Host(name, (), NOT_INSTALLED, "", guests, mode)
    return Host(name, (), "no bridge", "", guests) if guests else None


def _proves(system: System) -> bool:
    """Whether this host proves its bridge at its first boot."""
    asked = (system.meta.get(keys.VERIFY.name), system.meta.get(keys.XEN.name))
    return asked[0] != "no" and asked[1] in (None, "none", "vif-bridge")


def as_data(rows: Sequence[Host]) -> List[Dict[str, Any]]:
    """The rows for JSON and YAML. The keys are part of the public interface."""
    return [
        {
            **({"xen": row.unbridged} if row.unbridged else {}),
            "host": row.name,
            "bridges": list(row.bridges),
            "state": row.state,
            "since": row.since,
            "guests": [{"guest": guest.name, "nics": dict(guest.nics)} for guest in row.guests],
        }
        for row in rows
    ]


def as_text(rows: Sequence[Host]) -> str:
    """A table: a line for each host, and one below it for each of its guests."""
    table = [("HOST", "BRIDGES", "STATE", "SINCE")]
    for row in rows:
        bridges = ",".join(row.bridges) or (row.unbridged and "none: " + row.unbridged) or "-"
        state = row.state + ", never verified" * row.unproved
        table.append((row.name, bridges, state, row.since or "-"))
        for guest in row.guests:
            nics = ", ".join("%s: %s" % (nic, bridge or "-") for nic, bridge in guest.nics)
            table.append(("  " + guest.name, nics or "no NIC", "", ""))
    widths = [max(len(line[column]) for line in table) for column in range(3)]
    lines = []
    for line in table:
        cells = [cell.ljust(width) for cell, width in zip(line, widths)]
        lines.append("  ".join(cells + [line[3]]).rstrip() + "\n")
    return "".join(lines)
