"""Which host is switched when, and what becomes of each: in waves, one host alone before them.

A wave is begun when the one before it has ended well. Pure but for what it is given to run.
"""

import re
import time
from concurrent import futures
from typing import Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, TypeVar

from cobbler_bridge.apply.over_ssh import NO_SESSION, Answer

T = TypeVar("T")

# what a host is asked
LOOK, DIFF, APPLY, OUTCOME, UNDO = "look", "diff", "apply", "outcome", "undo"

VERIFIED = "verified"
ALREADY = "nothing to do"
FAILED = "failed"
REFUSED = "refused"
UNREACHABLE = "unreachable"
UNKNOWN = "unknown"
UNTOUCHED = "untouched"
UNDONE = "undone"
WELL = (VERIFIED, ALREADY, UNDONE)
# from the last attempt to reach it on, a host has proved its bridge or put the old network back
_SETTLES = 900
# between two questions
_PAUSE = 5
# what LOOK says would change; a banner of sshd's may be drawn with slashes
_PATH = re.compile(r"/[a-z]+/\S")
# what OUTCOME ends with while nothing is proved
_NOT_YET = 2


class Job(NamedTuple):
    """A host and the script for it; ``target`` is its name for ssh."""

    host: str
    target: str
    program: str


class Outcome(NamedTuple):
    """What became of a host, why, and how many seconds it took."""

    host: str
    outcome: str
    why: str = ""
    seconds: float = 0


# asks a host
Run = Callable[[Job, str], Answer]
# hears of hosts that are about to be switched
Begin = Callable[[Sequence[Job]], None]
# whether no more are to be begun
Stopped = Callable[[], bool]


def never() -> bool:
    """Nobody stops it."""
    return False


def waves(jobs: Sequence[Job], size: int) -> Iterator[Sequence[Job]]:
    """The jobs in waves of a size; the first of the first wave goes alone."""
    yield jobs[:1]
    yield from filter(None, [jobs[1:size]])
    for first in range(size, len(jobs), size):
        yield jobs[first : first + size]


def roll_out(
    jobs: Sequence[Job],
    size: int,
    stop_after: int,
    run: Run,
    begin: Begin,
    stopped: Stopped = never,
) -> Iterator[Outcome]:
    """Switch hosts; no new wave is begun where ``stop_after`` hosts or more did not end well, or
    somebody has ``stopped`` it.

    A host is asked first what it would change, so that one that is as it should be is not touched,
    nor one that refuses. An outcome comes when it is known.
    """
    bad = 0
    left = list(jobs)
    for wave in waves(jobs, size):
        if bad >= stop_after or stopped():
            break
        left = left[len(wave) :]
        with futures.ThreadPoolExecutor(size) as pool:
            to_switch: List[Job] = []
            for outcome, job in _each(pool, wave, lambda job: _looked(job, run)):
                if outcome is None:
                    to_switch.append(job)
                else:
                    bad += outcome.outcome not in WELL
                    yield outcome
            if bad >= stop_after or stopped():
                left = to_switch + left
                break
            begin(to_switch)
            for outcome, _ in _each(pool, to_switch, lambda job: _switched(job, run)):
                assert outcome is not None
                bad += outcome.outcome not in WELL
                yield outcome
    for job in left:
        yield Outcome(job.host, UNTOUCHED, _why_not(bad >= stop_after))


def _why_not(bad: bool) -> str:
    return "an earlier host did not end well" if bad else "it was stopped"


def one_by_one(jobs: Sequence[Job], run: Run, stopped: Stopped = never) -> Iterator[Outcome]:
    """Have hosts put back what they had before, until one does not."""
    well = True
    for job in jobs:
        if not well or stopped():
            yield Outcome(job.host, UNTOUCHED, _why_not(not well))
            continue
        began = time.monotonic()
        answer = run(job, UNDO)
        if answer.status == NO_SESSION:
            # the network that it comes back with may be another one
            time.sleep(_PAUSE)
            answer = run(job, UNDO)
        seconds = time.monotonic() - began
        well = answer.status == 0
        bad = UNKNOWN if answer.status == NO_SESSION else FAILED
        yield Outcome(job.host, UNDONE if well else bad, answer.last, seconds)


def ask_all(jobs: Sequence[Job], size: int, run: Run, word: str) -> Iterator[Tuple[Answer, Job]]:
    """The answer of each host to a word, as it comes."""
    with futures.ThreadPoolExecutor(size) as pool:
        yield from _each(pool, jobs, lambda job: run(job, word))


def _each(
    pool: futures.Executor, jobs: Sequence[Job], what: Callable[[Job], T]
) -> Iterator[Tuple[T, Job]]:
    """What comes of each job, as it comes."""
    begun = {pool.submit(what, job): job for job in jobs}
    try:
        for done in futures.as_completed(begun):
            yield done.result(), begun[done]
    finally:
        # who stops it waits for those that are at work, and not for all
        for each in begun:
            each.cancel()


def _looked(job: Job, run: Run) -> Optional[Outcome]:
    """Why a host is not to be switched, ``None`` where it is."""
    began = time.monotonic()
    answer = run(job, LOOK)
    if answer.status == NO_SESSION:
        return Outcome(job.host, UNREACHABLE, answer.last, time.monotonic() - began)
    if answer.status:
        return Outcome(job.host, REFUSED, answer.last, time.monotonic() - began)
    changes = list(filter(_PATH.match, answer.said))
    return None if changes else Outcome(job.host, ALREADY, "", time.monotonic() - began)


def _switched(job: Job, run: Run) -> Outcome:
    began = time.monotonic()
    answer = run(job, APPLY)
    if answer.status == NO_SESSION:
        answer = _outcome(job, run)
    seconds = time.monotonic() - began
    if answer.status == NO_SESSION:
        why = "it can't be reached any more: %s" % answer.last
        return Outcome(job.host, UNKNOWN, why, seconds)
    return Outcome(job.host, FAILED if answer.status else VERIFIED, answer.last, seconds)


def _outcome(job: Job, run: Run) -> Answer:
    """What became of a host that was cut off: it goes on by itself, if it had begun."""
    until = time.monotonic() + _SETTLES
    while True:
        answer = run(job, OUTCOME)
        if answer.status not in (NO_SESSION, _NOT_YET) or time.monotonic() >= until:
            break
        time.sleep(_PAUSE)
    if answer.status == 0 and _looked(job, run) is None:
        return Answer(1, ["it was cut off before it began, and is as it was"])
    return answer
