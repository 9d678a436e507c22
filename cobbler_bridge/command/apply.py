"""``apply`` and ``undo``."""

import argparse
import contextlib
import signal
import sys
import time
from typing import Any, Dict, Iterator, List, Optional, Sequence

from cobbler_bridge.apply import fleet, waves
from cobbler_bridge.command import arguments, server
from cobbler_bridge.command.ending import (
    INTERRUPTED,
    PROBLEMS,
    WELL,
    WRONG_USAGE,
    FailError,
    refused,
)
from cobbler_bridge.command.output import put
from cobbler_bridge.problem import one_line


def add(commands: Any) -> None:
    """Add both to the command."""
    sentence = (
        "switch hosts that run, over ssh and in waves: each proves its bridge or keeps its network"
    )
    example = "apply --profile kvm-hosts --wave 10 --report rollout.json"
    applying = arguments.add(commands, "apply", _apply, sentence, example)
    _add_whom_to_apply(applying)
    _add_ssh_user(applying)
    arguments.add_dry_run(applying)
    arguments.add_server(applying)

    sentence = "have hosts put back the network that they had before their bridges"
    undoing = arguments.add(commands, "undo", _undo, sentence, "undo kvm1")
    undoing.add_argument(
        "hosts", metavar="HOST", type=arguments.name, nargs="+", help="these hosts; * and ?"
    )
    _add_ssh_user(undoing)
    arguments.add_server(undoing)


def _add_whom_to_apply(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "hosts", metavar="HOST", type=arguments.name, nargs="*", help="these hosts; * and ?"
    )
    command.add_argument(
        "--profile",
        metavar="NAME",
        type=arguments.name,
        action="append",
        default=[],
        help="the hosts of this profile; * and ?, and the option may be given again",
    )
    command.add_argument(
        "--wave",
        metavar="N",
        type=arguments.count,
        default=10,
        help="how many are switched at a time, after the first one alone (default: %(default)d)",
    )
    command.add_argument(
        "--stop-after",
        metavar="N",
        type=arguments.count,
        default=1,
        help="begin no wave once this many hosts did not end well (default: %(default)d)",
    )
    command.add_argument(
        "--report", metavar="FILE", help="write what became of each host there; JSON for *.json"
    )


def _add_ssh_user(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--user",
        metavar="NAME",
        type=arguments.name,
        default="root",
        help="the user on the hosts; one that isn't root has sudo (default: %(default)s)",
    )


def _apply(options: argparse.Namespace) -> int:
    if not options.hosts and not options.profile:
        raise FailError(
            WRONG_USAGE, "apply needs a HOST or --profile (see cobbler-bridge apply --help)"
        )
    if not options.dry_run and not server.is_own(options.server):
        raise FailError(WRONG_USAGE, server.ELSEWHERE)
    login = server.login_of(options.server)
    ask = fleet.asker(options.user)
    with server.reached(options.server, login, options.timeout) as cobbler:
        chosen = fleet.choose(cobbler, options.hosts, options.profile)
        if chosen.problems:
            # nothing is begun that is known to end badly
            return refused(chosen.problems)
        if options.dry_run:
            return _would_apply(chosen.jobs, options.wave, ask)
        if chosen.jobs:
            cobbler.log_in()
        with _Progress(len(chosen.jobs), options.report) as progress:
            limits = options.wave, options.stop_after
            progress.follow(fleet.roll_out(cobbler, chosen, *limits, ask, progress.stopped))
    return progress.status


def _undo(options: argparse.Namespace) -> int:
    if not server.is_own(options.server):
        raise FailError(WRONG_USAGE, server.ELSEWHERE)
    login = server.login_of(options.server)
    with server.reached(options.server, login, options.timeout) as cobbler:
        chosen = fleet.choose_proved(cobbler, options.hosts)
        if chosen.problems:
            return refused(chosen.problems)
        cobbler.log_in()
        with _Progress(len(chosen.jobs), None) as progress:
            ask = fleet.asker(options.user)
            progress.follow(fleet.undo(cobbler, chosen, ask, progress.stopped))
    return progress.status


def _would_apply(jobs: Sequence[waves.Job], size: int, ask: waves.Run) -> int:
    status = WELL
    for answer, job in waves.ask_all(jobs, size, ask, waves.DIFF):
        print("# ---- %s ----" % one_line(job.host))
        for line in answer.said or ["nothing to do"]:
            print(one_line(line))
        if answer.status:
            status = PROBLEMS
    return status


class _Progress:
    """What becomes of hosts, as it comes: a line each and a bar on a terminal, a report that is up
    to date whenever we are killed, and a table at the end.

    The first Ctrl-C, or SIGTERM, stops what is not begun; the next one ends us.
    """

    def __init__(self, number: int, report: Optional[str]) -> None:
        self.outcomes: List[waves.Outcome] = []
        self._number = number
        self._report = report
        self._written = 0.0
        self._stopped = False
        self._before: Dict[int, Any] = {}

    def __enter__(self) -> "_Progress":
        # before anything is begun: nobody wants to hear at the end that it can't be written
        self._write()
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *error: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        sys.stdout.write(fleet.as_text(self.outcomes))
        self._write()

    @property
    def status(self) -> int:
        """The command's."""
        well = all(each.outcome in waves.WELL for each in self.outcomes)
        return INTERRUPTED if self._stopped else WELL if well else PROBLEMS

    def stopped(self) -> bool:
        """Whether somebody wants no more hosts to be begun."""
        return self._stopped

    def _stop(self, number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        self._stopped = True
        words = (
            "no further host is begun, and those at work are waited for; once more to leave them"
        )
        print("\n" + words, file=sys.stderr, flush=True)

    def follow(self, outcomes: Iterator[waves.Outcome]) -> None:
        """Take them until there are no more."""
        self._bar()
        for each in outcomes:
            self.outcomes.append(each)
            if each.outcome != waves.UNTOUCHED:
                self._say(each)
            if time.monotonic() - self._written > 1:
                # hosts are at work, and what becomes of them is noted; the end says it
                with contextlib.suppress(FailError):
                    self._write()

    def _say(self, outcome: waves.Outcome) -> None:
        words = len(self.outcomes), self._number, outcome.host, outcome.outcome
        text = "[%d/%d] %s: %s" % words + (outcome.why and ": " + outcome.why)
        clear = "\r\033[K" if sys.stderr.isatty() else ""
        print(clear + one_line(text), file=sys.stderr, flush=True)
        self._bar()

    def _bar(self) -> None:
        ended = len(self.outcomes)
        if sys.stderr.isatty() and ended < self._number:
            full = ended * 30 // self._number
            words = "#" * full, "." * (30 - full), ended, self._number
            print("[%s%s] %d of %d " % words, end="", file=sys.stderr, flush=True)

    def _write(self) -> None:
        if self._report is None:
            return
        as_report = fleet.as_json if self._report.endswith(".json") else fleet.as_text
        put(self._report, as_report(self.outcomes), "--report ")
        self._written = time.monotonic()
