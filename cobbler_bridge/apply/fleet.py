"""Which hosts are switched, with which scripts, and what Cobbler remembers of it."""

import fnmatch
import json
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence
from urllib.parse import quote

from cobbler_bridge import table, typed
from cobbler_bridge.apply import over_ssh, waves
from cobbler_bridge.apply.waves import Job, Outcome
from cobbler_bridge.description import keys
from cobbler_bridge.placement import by_hand, recording, signals
from cobbler_bridge.plan.plan import Plan
from cobbler_bridge.problem import Problem, one_line, shown
from cobbler_bridge.script import render
from cobbler_bridge.store import host_record
from cobbler_bridge.store.inventory import System
from cobbler_bridge.store.over_xmlrpc import ItemError, XmlRpc

# how long a host may take to answer, in seconds; one that is switched proves its bridge or puts the
# old network back
_SECONDS = {
    waves.LOOK: 120,
    waves.DIFF: 120,
    waves.APPLY: 1200,
    waves.OUTCOME: 120,
    waves.UNDO: 300,
}
# what is no host's own script
_PROGRAMS = {waves.OUTCOME: over_ssh.OUTCOME, waves.UNDO: over_ssh.UNDO}


class Chosen(NamedTuple):
    """The hosts that are to be switched, what is planned for each, and what stands in the way."""

    jobs: List[Job]
    plans: Dict[str, Plan]
    problems: List[Problem]


def choose(store: XmlRpc, names: Sequence[str], profiles: Sequence[str]) -> Chosen:
    """Look up hosts by their names and by their profiles, all of which may be patterns.

    By a profile come those of its systems that have a bridge described and are no guests.
    """
    asked = [] if profiles else names
    systems = {system.name: system for system in store.systems(asked)}
    problems = by_hand.missing(names, systems)
    wanted = {name: True for pattern in names for name in fnmatch.filter(systems, pattern)}
    for system in systems.values():
        if system.host is None and any(fnmatch.fnmatchcase(system.profile, p) for p in profiles):
            wanted.setdefault(system.name, False)
    jobs, plans = [], {}
    for name in sorted(wanted):
        try:
            data = store.blended("system", name) or {}
        except ItemError as error:
            problems.append(error.problem)
            continue
        found: List[Problem] = []
        plan = recording.planned(data, found.append)
        if plan is None and not found and not wanted[name]:
            continue
        target = typed.text(data.get("hostname")) or name
        found += list(_hindrances(name, target, plan, found))
        problems += found
        if plan is not None and not found:
            plans[name] = plan
            jobs.append(Job(name, target, render.program(plan)))
    problems += _same_targets(jobs, store.names("system"))
    return Chosen(jobs, plans, problems)


def _hindrances(
    name: str, target: str, plan: Optional[Plan], found: Sequence[Problem]
) -> Iterator[Problem]:
    if plan is None:
        if not found:
            right = "set it, or its interface records"
            yield Problem(name, keys.BRIDGE.name, "is not set", right)
    elif not plan.proved:
        wrong = "is no: a host that runs is switched only where it proves its bridge"
        yield Problem(name, keys.VERIFY.name, wrong, "it can be yes")
    if not over_ssh.is_target(target):
        yield _no_target(name, target)


def _no_target(name: str, target: str) -> Problem:
    return Problem(name, "hostname", "%s is no name for ssh" % shown(target), "correct it")


def _same_targets(jobs: Sequence[Job], names: Sequence[str]) -> Iterator[Problem]:
    """One machine is one host: the script of another one would be wrong on it."""
    first = {name.lower(): name for name in names}
    for job in jobs:
        other = first.setdefault(job.target.lower(), job.host)
        if other != job.host:
            wrong = "is that of %s too: %s" % (one_line(other), shown(job.target))
            yield Problem(job.host, "hostname", wrong, "each host has a name of its own")


def asker(user: str) -> waves.Run:
    """What asks a host over ssh, as this user."""

    def ask(job: Job, word: str) -> over_ssh.Answer:
        program, words = job.program, [word]
        if word in _PROGRAMS:
            program, words = _PROGRAMS[word], [_in_url(job.host)]
        return over_ssh.run(job.target, user, program, words, _SECONDS[word])

    return ask


def _in_url(name: str) -> str:
    """A name as it stands in the URL by which its host tells Cobbler, for grep -E."""
    return quote(name, safe="", errors="replace").replace(".", "[.]")


def roll_out(
    store: XmlRpc,
    chosen: Chosen,
    size: int,
    stop_after: int,
    ask: waves.Run,
    stopped: waves.Stopped = waves.never,
) -> Iterator[Outcome]:
    """Switch the hosts and note what becomes of each; an outcome comes when it is known."""
    before: Dict[str, System] = {}

    def begin(jobs: Sequence[Job]) -> None:
        for system in _known(store, [job.host for job in jobs]).values():
            recording.apply(store, system)
            before[system.name] = system

    for outcome in waves.roll_out(chosen.jobs, size, stop_after, ask, begin, stopped):
        plan = chosen.plans[outcome.host]
        if outcome.host in before:
            _note(store, outcome, plan)
        elif outcome.outcome == waves.ALREADY:
            job = next(each for each in chosen.jobs if each.host == outcome.host)
            _heal(store, job, plan, ask)
        yield outcome


def _known(store: XmlRpc, names: Sequence[str]) -> Dict[str, System]:
    """The systems of these names; one may have been removed meanwhile."""
    if not names:
        return {}
    return {each.name: each for each in store.systems(names) if each.name in names}


def choose_proved(store: XmlRpc, names: Sequence[str]) -> Chosen:
    """Look up hosts that have proved a bridge, by names that may be patterns."""
    systems = {system.name: system for system in store.systems(names)}
    problems = by_hand.missing(names, systems)
    jobs = []
    for name in sorted({name for p in names for name in fnmatch.filter(systems, p)}):
        record = systems[name].record
        if record is None or not record.bridges:
            problems.append(Problem(name, "record", "has no bridge", "name a host that has one"))
            continue
        try:
            data = store.blended("system", name) or {}
        except ItemError as error:
            problems.append(error.problem)
            continue
        target = typed.text(data.get("hostname")) or name
        if not over_ssh.is_target(target):
            problems.append(_no_target(name, target))
        jobs.append(Job(name, target, ""))
    problems += _same_targets(jobs, store.names("system"))
    return Chosen(jobs, {}, problems)


def undo(
    store: XmlRpc, chosen: Chosen, ask: waves.Run, stopped: waves.Stopped = waves.never
) -> Iterator[Outcome]:
    """Have hosts put back what they had before their bridges, one by one and until one does not;
    Cobbler forgets the bridges of each that did."""
    for outcome in waves.one_by_one(chosen.jobs, ask, stopped):
        if outcome.outcome == waves.UNDONE:
            for host in _known(store, [outcome.host]).values():
                data = store.blended("system", host.name) or {}
                recording.clear_record(store, host, recording.planned(data, lambda problem: None))
        yield outcome


def _note(store: XmlRpc, outcome: Outcome, plan: Plan) -> None:
    """Have Cobbler remember what it has not heard from the host itself."""
    for host in _known(store, [outcome.host]).values():
        record = host.record
        if record is None or record.state != host_record.APPLYING:
            continue
        if outcome.outcome == waves.VERIFIED:
            _verify(store, host, plan)
        elif outcome.outcome == waves.FAILED:
            recording.fail(store, host, record, signals.reason_of(outcome.why))


def _heal(store: XmlRpc, job: Job, plan: Plan, ask: waves.Run) -> None:
    """Where nothing is to be done, what Cobbler remembers may still be from before."""
    for host in _known(store, [job.host]).values():
        state = None if host.record is None else host.record.state
        unsure = state in (None, host_record.APPLYING, host_record.FAILED)
        if unsure and ask(job, waves.OUTCOME).status == 0:
            _verify(store, host, plan)


def _verify(store: XmlRpc, host: System, plan: Plan) -> None:
    then = recording.record_of(plan, host_record.VERIFIED, host.record)
    recording.write_record(store, host, then._replace(seen=then.since), plan.bridges)
    by_hand.place(store, host.name, False)


def as_text(outcomes: Sequence[Outcome]) -> str:
    """A table of what became of each host, and a sum."""
    rows = [("HOST", "OUTCOME", "SECONDS", "")]
    for each in outcomes:
        seconds = "%.0f" % each.seconds if each.seconds else "-"
        rows.append((each.host, each.outcome, seconds, each.why))
    return table.text(rows) + _sum(outcomes) + "\n"


def _sum(outcomes: Sequence[Outcome]) -> str:
    counts: Dict[str, int] = {}
    for each in outcomes:
        counts[each.outcome] = counts.get(each.outcome, 0) + 1
    return ", ".join("%d %s" % (counts[kind], kind) for kind in sorted(counts)) or "no host"


def as_json(outcomes: Sequence[Outcome]) -> str:
    """The same for programs; the keys are part of the public interface."""
    rows = [dict(each._asdict(), seconds=round(each.seconds, 1)) for each in outcomes]
    return json.dumps(rows, indent=2) + "\n"
