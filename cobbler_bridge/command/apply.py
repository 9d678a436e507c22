"""``apply`` and ``undo``."""

import argparse
import sys
from typing import Any, Iterable, List, Optional, Sequence

from cobbler_bridge.apply import fleet, waves
from cobbler_bridge.command import arguments, server
from cobbler_bridge.command.ending import PROBLEMS, WELL, WRONG_USAGE, FailError, refused
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
    undoing.add_argument("hosts", metavar="HOST", nargs="+", help="these hosts; * and ?")
    _add_ssh_user(undoing)
    arguments.add_server(undoing)


def _add_whom_to_apply(command: argparse.ArgumentParser) -> None:
    command.add_argument("hosts", metavar="HOST", nargs="*", help="these hosts; * and ?")
    command.add_argument(
        "--profile",
        metavar="NAME",
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
        rolling = fleet.roll_out(cobbler, chosen, options.wave, options.stop_after, ask)
        return _told(rolling, len(chosen.jobs), options.report)


def _undo(options: argparse.Namespace) -> int:
    if not server.is_own(options.server):
        raise FailError(WRONG_USAGE, server.ELSEWHERE)
    login = server.login_of(options.server)
    with server.reached(options.server, login, options.timeout) as cobbler:
        chosen = fleet.choose_proved(cobbler, options.hosts)
        if chosen.problems:
            return refused(chosen.problems)
        cobbler.log_in()
        undoing = fleet.undo(cobbler, chosen, fleet.asker(options.user))
        return _told(undoing, len(chosen.jobs), None)


def _told(each_ended: Iterable[waves.Outcome], of: int, path: Optional[str]) -> int:
    """Tell of each host as it ends, and of all at the end, or where it is interrupted."""
    outcomes: List[waves.Outcome] = []
    try:
        for each in each_ended:
            outcomes.append(each)
            if each.outcome != waves.UNTOUCHED:
                _say_outcome(each, len(outcomes), of)
    finally:
        _write_outcomes(outcomes, path)
    return WELL if all(each.outcome in waves.WELL for each in outcomes) else PROBLEMS


def _would_apply(jobs: Sequence[waves.Job], size: int, ask: waves.Run) -> int:
    status = WELL
    for answer, job in waves.ask_all(jobs, size, ask, waves.DIFF):
        print("# ---- %s ----" % one_line(job.host))
        for line in answer.said or ["nothing to do"]:
            print(one_line(line))
        if answer.status:
            status = PROBLEMS
    return status


def _say_outcome(outcome: waves.Outcome, ended: int, of: int) -> None:
    words = ended, of, outcome.host, outcome.outcome, outcome.why and ": " + outcome.why
    print(one_line("[%d/%d] %s: %s%s" % words), file=sys.stderr, flush=True)


def _write_outcomes(outcomes: Sequence[waves.Outcome], path: Optional[str]) -> None:
    sys.stdout.write(fleet.as_text(outcomes))
    if path is None:
        return
    text = fleet.as_json(outcomes) if path.endswith(".json") else fleet.as_text(outcomes)
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise FailError(PROBLEMS, "%s: %s" % (path, error.strerror)) from error
