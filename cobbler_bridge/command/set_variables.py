"""``set``."""

import argparse
import sys
from typing import Any, List

from cobbler_bridge.check import setting
from cobbler_bridge.command import arguments, server
from cobbler_bridge.command.ending import WELL, WRONG_USAGE, FailError, refused
from cobbler_bridge.description import keys


def add(commands: Any) -> None:
    """Add it to the command."""
    example = "set --profile kvm-hosts bridge=br0"
    command = arguments.add(commands, "set", run, "change variables, and no others", example)
    named = command.add_mutually_exclusive_group(required=True)
    for kind in ("profile", "system"):
        text = "change these %ss; * and ?, and the option may be given again" % kind
        named.add_argument(
            "--" + kind,
            metavar="NAME",
            type=arguments.name,
            nargs="+",
            action="append",
            default=[],
            help=text,
        )
    command.add_argument(
        "words", metavar="KEY=VALUE", nargs="*", help="what a variable of cobbler-bridge shall be"
    )
    unset = "take this variable away; one that is inherited then counts; may be given again"
    command.add_argument("--unset", metavar="KEY", action="append", default=[], help=unset)
    arguments.add_dry_run(command)
    arguments.add_user(command)
    arguments.add_server(command)


def run(options: argparse.Namespace) -> int:
    """Carry it out; the exit status."""
    kind = "profile" if options.profile else "system"
    # what stands behind names and has a "=" is no name: Cobbler allows none in one
    given = [word for words in options.profile or options.system for word in words]
    names = [word for word in given if "=" not in word]
    words = options.words + [word for word in given if "=" in word]
    try:
        bare = [] if words or options.unset else [name for name in names if name in keys.NAMES]
        if bare:
            raise ValueError("%s has no value; write %s=VALUE" % (bare[0], bare[0]))
        changes = setting.wanted(words, options.unset)
        if not names:
            raise ValueError("--%s needs a NAME" % kind)
    except ValueError as error:
        message = "%s (see cobbler-bridge set --help)" % error
        raise FailError(WRONG_USAGE, message) from error
    problems = setting.unusable(", ".join(names), changes)
    if problems:
        return refused(problems)
    saved: List[setting.Edit] = []
    with server.reached(
        options.server,
        server.login_of(options.server, options.user, options.password_file, options.dry_run),
        options.timeout,
    ) as cobbler:
        edits, problems = setting.look(cobbler, kind, names, changes)
        if problems:
            return refused(problems)
        try:
            for edit in edits if options.dry_run else setting.save(cobbler, edits):
                saved.append(edit)
        finally:
            # where Cobbler refuses one, those before it are told
            if saved or not edits:
                sys.stdout.write(setting.as_text(saved, options.dry_run))
    return WELL
