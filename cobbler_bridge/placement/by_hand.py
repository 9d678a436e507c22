"""What ``cobbler-bridge record`` and ``cobbler-bridge place`` do."""

import fnmatch
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union
from xmlrpc.client import Fault

from cobbler_bridge import table
from cobbler_bridge.description import keys, values
from cobbler_bridge.placement import recording
from cobbler_bridge.placement.placer import Placer
from cobbler_bridge.placement.which_bridge import Choice
from cobbler_bridge.plan.plan import Plan
from cobbler_bridge.problem import Problem
from cobbler_bridge.store.host_record import BY_HAND, SURE, Record
from cobbler_bridge.store.inventory import INHERITED, System
from cobbler_bridge.store.over_xmlrpc import ItemError, XmlRpc
from cobbler_bridge.store.wire import AnswerError


class Move(NamedTuple):
    """One interface of a guest that gets another bridge."""

    guest: str
    host: str
    choice: Choice


class Said(NamedTuple):
    """A host that was asked to be recorded: its record now and then, a word to it, and what of its
    description tells its ports."""

    host: str
    now: Optional[Record]
    then: Optional[Record]
    why: str
    plan: Optional[Plan]


class Outcome(NamedTuple):
    """What was done, or would be, what stood in the way, and what became of each host's record."""

    moves: List[Move]
    problems: List[Problem]
    records: Sequence[Said] = ()


def place(store: XmlRpc, host: Optional[str], dry_run: bool) -> Outcome:
    """Place the guests of one host, or of all."""
    systems = {system.name: system for system in store.systems([] if host is None else [host])}
    names = [name for name, system in systems.items() if system.host is not None]
    if host is not None:
        names = [name for name in names if systems[name].host == host]
        if not names and host not in systems:
            return _no_system(host)
    return _place(store, names, systems, dry_run)


def named(text: str) -> Tuple[str, ...]:
    """Names of bridges with commas between; raises ``ValueError`` where one is none."""
    found = [each.strip() for each in text.split(",")]
    return tuple(dict.fromkeys(values.device_name(each) for each in found))


def record(
    store: XmlRpc, hosts: Sequence[str], bridges: Sequence[str], clear: bool, dry_run: bool
) -> Outcome:
    """Record what hosts have by hand: ``bridges``, or what is described; or clear their records.
    Then place their guests. ``hosts`` may be patterns.

    A verified host with these bridges already stays verified.
    """
    systems = {system.name: system for system in store.systems(hosts)}
    said: List[Said] = []
    problems = missing(hosts, systems)
    for name in sorted(systems):
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in hosts):
            continue
        host = systems[name]
        try:
            found = _cleared(store, host) if clear else _recorded(store, host, bridges)
        except ItemError as error:
            problems.append(error.problem)
            continue
        if not isinstance(found, Said):
            problems += found
            continue
        if found.then != found.now and not dry_run:
            store.log_in()
            try:
                _write(store, host, found)
            except ItemError as error:
                problems.append(error.problem)
                continue
            except Fault as error:
                # one that can't be saved keeps no other from its record
                problems.append(_refused(name, error))
        said.append(found)
        systems[name] = host._replace(record=found.then)
    recorded = set() if clear else {each.host for each in said}
    names = [name for name, system in systems.items() if system.host in recorded]
    placed = _place(store, names, systems, dry_run)
    return Outcome(placed.moves, problems + placed.problems, said)


def _write(store: XmlRpc, host: System, found: Said) -> None:
    if found.then is None:
        recording.clear_record(store, host, found.plan)
    else:
        recording.write_record(
            store, host, found.then, () if found.plan is None else found.plan.bridges
        )


def missing(hosts: Sequence[str], systems: Mapping[str, System]) -> List[Problem]:
    """A problem for each name or pattern that no system has."""
    return [
        problem
        for pattern in hosts
        if not any(fnmatch.fnmatchcase(name, pattern) for name in systems)
        for problem in _no_system(pattern).problems
    ]


def _recorded(store: XmlRpc, host: System, bridges: Sequence[str]) -> Union[Said, List[Problem]]:
    """What a host's record becomes, or why it can't be told."""
    had, plan = host.record, None
    if bridges:
        then = recording.named(bridges, BY_HAND, had)
    else:
        problems: List[Problem] = []
        plan = recording.planned(store.blended("system", host.name) or {}, problems.append)
        if plan is None:
            right = "set it, or its interface records, or name what it has with --bridge"
            return problems or [Problem(host.name, keys.BRIDGE.name, "is not set", right)]
        then = recording.record_of(plan, BY_HAND, had)
    if had is not None and had.state in SURE and had.has_same(then):
        return Said(host.name, had, had, "nothing to do", None)
    return Said(host.name, had, then, "", plan)


def _cleared(store: XmlRpc, host: System) -> Said:
    """That a host's record goes, and which interfaces have one of its bridges then."""
    try:
        data = store.blended("system", host.name) or {}
    except (Fault, AnswerError, ItemError):
        # a record can be cleared whatever is wrong with the host's own data
        data = {}
    plan = recording.planned(data, lambda problem: None)
    stays = ["%s (%s)" % each for each in sorted(recording.left(host, plan).items())]
    why = "virt_bridge stays on %s: it may be somebody's choice" % ", ".join(stays)
    return Said(host.name, host.record, None, why if stays else "", plan)


def _no_system(host: str) -> Outcome:
    right = "name one of those that 'cobbler system list' shows"
    return Outcome([], [Problem(host, "system", "there is none of this name", right)])


def _refused(name: str, error: Fault) -> Problem:
    wrong = "Cobbler refused: %s" % error.faultString
    return Problem(name, "virt_bridge", wrong, "correct the system; cobbler.log has more")


def as_text(outcome: Outcome, dry_run: bool) -> str:
    """The records and the moves as tables."""
    said = ""
    if outcome.records:
        lines: List[Tuple[str, ...]] = [("HOST", "NOW", "THEN", "")]
        for each in outcome.records:
            words = ["-" if found is None else str(found) for found in (each.now, each.then)]
            lines.append((each.host, *words, each.why))
        said = table.text(lines)
    if not outcome.moves:
        said += "No guest's bridge changes.\n"
        return said + ("Nothing was written.\n" if outcome.records and dry_run else "")
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
        try:
            found = placer.look(systems[name])
        except ItemError as error:
            # of the host: its other guests say the same
            problems += [error.problem] if error.problem not in problems else []
            continue
        problems += found.problems
        if found.changes and not dry_run:
            store.log_in()
            try:
                # the triggers place it, as it is by then
                store.save(name)
            except Fault as error:
                # one that can't be saved keeps no other from its place
                problems.append(_refused(name, error))
                continue
        host = systems[name].host or ""
        moves += [Move(name, host, each) for each in found.choices if each.bridge != each.now]
    if moves and not dry_run:
        problems += _unplaced(moves, {system.name: system for system in store.systems()})
    return Outcome(moves, problems)


def _unplaced(moves: Iterable[Move], systems: Mapping[str, System]) -> Iterable[Problem]:
    """Guests that were saved and not placed, for want of our triggers."""
    for name, _, choice in moves:
        there = (
            {each.name: each.virt_bridge for each in systems[name].interfaces}
            if name in systems
            else {}
        )
        if there.get(choice.interface, choice.bridge) == choice.now != choice.bridge:
            wrong = "was saved, and no trigger of cobbler-bridge has put it on %s" % choice.bridge
            right = "run cobbler-bridge install, and restart cobblerd; cobbler.log may have more"
            yield Problem(name, "virt_bridge of %s" % choice.interface, wrong, right)
