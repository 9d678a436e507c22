"""``record`` and ``place``."""

import argparse
import sys
from typing import Any

from cobbler_bridge.command import arguments, server
from cobbler_bridge.command.ending import PROBLEMS, WELL, WRONG_USAGE, FailError
from cobbler_bridge.placement import by_hand
from cobbler_bridge.problem import shown


def add(commands: Any) -> None:
    """Add both to the command."""
    sentence = "say by hand which bridges hosts have, and place their guests"
    example = "record kvm1 --bridge br0,br1"
    recording = arguments.add(commands, "record", _record, sentence, example)
    recording.add_argument(
        "hosts", metavar="HOST", type=arguments.name, nargs="+", help="these hosts; * and ?"
    )
    what = recording.add_mutually_exclusive_group()
    text = "these bridges, with commas between (default: those that are described)"
    what.add_argument("--bridge", metavar="NAME", help=text)
    what.add_argument("--clear", action="store_true", help="forget the hosts' bridges")

    sentence = "put guests on their hosts' bridges again"
    placing = arguments.add(commands, "place", _place, sentence, "place --host kvm1 --dry-run")
    placing.add_argument(
        "--host", metavar="HOST", type=arguments.name, help="only the guests of this host"
    )

    for command in (recording, placing):
        arguments.add_dry_run(command)
        arguments.add_user(command)
        arguments.add_server(command)


def _record(options: argparse.Namespace) -> int:
    try:
        bridges = () if options.bridge is None else by_hand.named(options.bridge)
    except ValueError as error:
        wrong = "--bridge: %s %s; names that bridge= can be, with commas between"
        raise FailError(WRONG_USAGE, wrong % (shown(options.bridge), error)) from error
    login = server.login_of(options.server, options.user, options.password_file, options.dry_run)
    if not options.dry_run and not server.is_own(options.server):
        raise FailError(WRONG_USAGE, server.ELSEWHERE)
    with server.reached(options.server, login, options.timeout) as cobbler:
        outcome = by_hand.record(cobbler, options.hosts, bridges, options.clear, options.dry_run)
    return _told(outcome, options.dry_run)


def _place(options: argparse.Namespace) -> int:
    with server.reached(
        options.server,
        server.login_of(options.server, options.user, options.password_file, options.dry_run),
        options.timeout,
    ) as cobbler:
        outcome = by_hand.place(cobbler, options.host, options.dry_run)
    return _told(outcome, options.dry_run)


def _told(outcome: by_hand.Outcome, dry_run: bool) -> int:
    for problem in outcome.problems:
        print(problem, file=sys.stderr)
    if outcome.moves or outcome.records or not outcome.problems:
        sys.stdout.write(by_hand.as_text(outcome, dry_run))
    return PROBLEMS if outcome.problems else WELL
