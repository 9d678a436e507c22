"""The command ``cobbler-bridge``."""

import argparse
import contextlib
import sys
from typing import List, Mapping, Optional, Sequence, Tuple

from cobbler_bridge import __version__
from cobbler_bridge.command import apply, check, install, record, render, set_variables, show
from cobbler_bridge.command.arguments import Parser
from cobbler_bridge.command.ending import INTERRUPTED, WELL, FailError, refused
from cobbler_bridge.command.output import Output
from cobbler_bridge.problem import one_line, shown
from cobbler_bridge.store.over_xmlrpc import ItemError


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command; returns the exit status that the documentation lists."""
    output = Output.standard()
    with contextlib.redirect_stdout(output):
        status = _run(arguments)
        return output.end(status)


def _run(arguments: Optional[Sequence[str]]) -> int:
    try:
        options = _parsed(arguments)
        return int(options.run(options))
    except SystemExit as end:
        # after --help and --version
        return int(end.code or WELL)
    except FailError as failure:
        print("cobbler-bridge: %s" % one_line(str(failure)), file=sys.stderr)
        return failure.status
    except ItemError as error:
        return refused([error.problem])
    except KeyboardInterrupt:
        return INTERRUPTED


def _parsed(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    """The options; what ``set`` is to set may stand on both sides of them."""
    reader, calls = _parser()
    words = _call_first(list(sys.argv[1:] if arguments is None else arguments), calls)
    call = calls.get(words[0], reader) if words else reader
    try:
        options, left = reader.parse_known_args(words)
    except FailError:
        # what is required is often there, behind an option that is none
        if call is not reader:
            call.refuse_unknown(words, calls.values())
        elif words and not any(words[0] in each.options() for each in calls.values()):
            reader.refuse_unknown(words[:1], ())
        raise
    call.refuse_unknown(left, calls.values())
    if left and options.run is not set_variables.run:
        call.error("%s takes no %s" % (call.prog, " ".join(map(shown, left))))
    if left:
        options.words += left
    return options


def _call_first(words: List[str], calls: Mapping[str, Parser]) -> List[str]:
    """Options may stand before the call too, and ``help`` is one word for ``--help``."""
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    if words and words[0].startswith("--"):
        for place, word in enumerate(words):
            if word in calls:
                return [word, *words[:place], *words[place + 1 :]]
    return words


def parser() -> argparse.ArgumentParser:
    """Every call of the command, with its options."""
    return _parser()[0]


def _parser() -> Tuple[Parser, Mapping[str, Parser]]:
    made = Parser(prog="cobbler-bridge", description="Bridges on the hosts Cobbler installs.")
    made.add_argument("--version", action="version", version=__version__)
    commands = made.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    commands.required = True
    for each in (install, set_variables, render, show, check, record, apply):
        each.add(commands)
    return made, commands.choices
