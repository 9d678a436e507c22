"""What ``cobbler-bridge record`` and ``cobbler-bridge place`` do."""

from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from cobbler_bridge import hosts, keys, table
from cobbler_bridge.guests import Placer
from cobbler_bridge.inventory import INHERITED, System
from cobbler_bridge.placement import Choice
from cobbler_bridge.problem import Problem
from cobbler_bridge.record import INSTALLED
from cobbler_bridge.store import XmlRpc


class Move(NamedTuple):
    """One interface of a guest that gets another bridge."""

    guest: str
    host: str
    choice: Choice


class Outcome(NamedTuple):
    """What was done, or would be, what stood in the way, and a sentence on the host's record."""

    moves: List[Move]
    problems: List[Problem]
    record: str = ""


def place(store: XmlRpc, host: Optional[str], dry_run: bool) -> Outcome:
    """Place the guests of one host, or of all."""
    systems = {system.name: system for system in store.systems()}
    names = [name for name, system in systems.items() if system.host is not None]
    if host is not None:
        names = [name for name in names if systems[name].host == host]
        if not names and host not in systems:
            return _no_system(host)
    return _place(store, names, systems, dry_run)


def record(store: XmlRpc, host: str, clear: bool, dry_run: bool) -> Outcome:
    """Set a host's record as if it had just installed itself, or clear it; place its guests."""
    data = store.blended("system", host)
    if data is None:
        return _no_system(host)
    if clear:
        if not dry_run:
            hosts.clear_record(store, host)
        return Outcome([], [], "%s: no bridge any more" % host)
    problems: List[Problem] = []
    planned = hosts.planned(data, problems.append)
    if planned is None:
        right = "set it, or its interface records, before you record what they make"
        unset = Problem(host, keys.BRIDGE.name, "is not set", right)
        return Outcome([], problems or [unset])
    # as they are before: Cobbler's trigger places guests too
    systems = {system.name: system for system in store.systems()}
    if not dry_run:
        hosts.write_record(store, host, planned, INSTALLED)
    written = hosts.record_of(planned, INSTALLED, "")
    own = dict(systems[host].own_meta, **{keys.RECORD.name: str(written)})
    systems[host] = systems[host]._replace(own_meta=own)
    names = [name for name, system in systems.items() if system.host == host]
    has = ", ".join(written.bridges) or written.unbridged
    placed = _place(store, names, systems, dry_run)
    return placed._replace(record="%s: %s, installed" % (host, has))


def _no_system(host: str) -> Outcome:
    right = "name one of those that 'cobbler system list' shows"
    return Outcome([], [Problem(host, "system", "there is none of this name", right)])


def as_text(outcome: Outcome, dry_run: bool) -> str:
    """The moves as a table, and sentences."""
    said = outcome.record + "\n" if outcome.record else ""
    if not outcome.moves:
        said += "No guest's bridge changes.\n"
        return said + ("Nothing was written.\n" if outcome.record and dry_run else "")
    rows: List[Tuple[str, ...]] = [("GUEST", "NIC", "HOST", "NOW", "THEN", "WHY")]
    for guest, host, choice in outcome.moves:
        now = "-" if choice.now in ("", INHERITED) else choice.now
        rows.append((guest, choice.interface, host, now, choice.bridge, choice.why))
    return said + table.text(rows) + ("Nothing was written.\n" if dry_run else "")


def _place(
    store: XmlRpc, names: Iterable[str], systems: Dict[str, System], dry_run: bool
) -> Outcome:
    placer = Placer(store, systems)
    moves: List[Move] = []
    problems: List[Problem] = []
    for name in sorted(names):
        found = placer.look(systems[name])
        if found.changes and not dry_run:
            # as it is by now
            placer.place(name)
        problems += found.problems
        host = systems[name].host or ""
        moves += [Move(name, host, each) for each in found.choices if each.bridge != each.now]
    return Outcome(moves, problems)
