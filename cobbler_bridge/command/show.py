"""``show``."""

import argparse
import sys
import time
from typing import Any, List

import yaml

from cobbler_bridge import check
from cobbler_bridge.check.gather import gather
from cobbler_bridge.command import arguments, server
from cobbler_bridge.command.ending import PROBLEMS, WELL, FailError
from cobbler_bridge.command.output import as_json, put
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.show import listing, page

_WATCH_SECONDS = 10
# ECMA-48: to the upper left, and nothing behind it
_CLEAR = "\033[H\033[2J"


def add(commands: Any) -> None:
    """Add it to the command."""
    sentence = "list hosts, their bridges and their guests"
    example = "show 'kvm*' --state 'rolled back'"
    command = arguments.add(commands, "show", _show, sentence, example)
    command.add_argument(
        "names",
        metavar="NAME",
        type=arguments.name,
        nargs="*",
        help="only these hosts or guests; * and ?",
    )
    command.add_argument("--state", choices=listing.ALL_STATES, help="only hosts in this state")
    command.add_argument(
        "--bridge", metavar="NAME", type=arguments.name, help="only hosts with this bridge"
    )
    command.add_argument("--summary", action="store_true", help="only how many are in which state")
    text = "once more each so many seconds, until it is interrupted (default: %d)" % _WATCH_SECONDS
    command.add_argument(
        "--watch",
        metavar="SECONDS",
        type=arguments.seconds,
        nargs="?",
        const=_WATCH_SECONDS,
        help=text,
    )
    formats = ("text", "json", "yaml", "html")
    text = "text: a table; json, yaml: for scripts; html: one page for a browser"
    command.add_argument("--format", choices=formats, default="text", help=text)
    command.add_argument("--output", metavar="FILE", help="write there, whole or not at all")
    arguments.add_server(command)


def _show(options: argparse.Namespace) -> int:
    while True:
        text = _shown(options)
        clears = options.watch is not None and options.output is None and sys.stdout.isatty()
        put(options.output, _CLEAR * clears + text)
        sys.stdout.flush()
        if options.watch is None or getattr(sys.stdout, "is_lost", False):
            return WELL
        time.sleep(options.watch)


def _shown(options: argparse.Namespace) -> str:
    found: List[Problem] = []
    with server.reached(options.server, timeout=options.timeout) as cobbler:
        if options.format == "html":
            site = gather(cobbler, options.server is None)
            rows, found = listing.hosts(site.systems.values(), site.now), check.problems(site)
        else:
            rows = listing.hosts(cobbler.systems(options.names))
    missing = listing.missing(rows, options.names)
    if missing:
        raise FailError(PROBLEMS, "no such host or guest: %s" % ", ".join(map(shown, missing)))
    rows = listing.filtered(rows, listing.Filter(options.names, options.state, options.bridge))
    data: Any = listing.summary(rows) if options.summary else listing.as_data(rows)
    if options.format == "json":
        return as_json(data)
    if options.format == "yaml":
        return str(yaml.safe_dump(data, default_flow_style=False))
    if options.format == "html":
        return page.html(rows, found, time.time())
    if options.summary:
        return listing.summary_text(rows)
    return listing.as_text(rows)
