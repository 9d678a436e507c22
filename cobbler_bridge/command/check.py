"""``check``."""

import argparse
from typing import Any

from cobbler_bridge import check
from cobbler_bridge.check.gather import gather
from cobbler_bridge.check.report import Report, as_data, as_junit, as_prometheus, as_text
from cobbler_bridge.check.site import Site
from cobbler_bridge.check.wanted import Wanted, missing
from cobbler_bridge.command import arguments, server
from cobbler_bridge.command.ending import PROBLEMS, WELL, FailError
from cobbler_bridge.command.output import as_json, has_colours, put
from cobbler_bridge.findings import SEVERITIES, WAITING
from cobbler_bridge.problem import shown


def add(commands: Any) -> None:
    """Add it to the command."""
    sentence = (
        "find what will not work, before it is tried; the status is 1 for errors and warnings"
    )
    example = "check --host kvm1 --severity warning"
    command = arguments.add(commands, "check", _check, sentence, example)
    command.add_argument(
        "names",
        metavar="NAME",
        type=arguments.name,
        nargs="*",
        help="only these systems and profiles; * and ?",
    )
    for kind, text in (
        ("host", "hosts and their guests"),
        ("profile", "profiles and their systems"),
    ):
        command.add_argument(
            "--" + kind,
            metavar="NAME",
            type=arguments.name,
            action="append",
            default=[],
            help="only these %s" % text,
        )
    command.add_argument(
        "--severity", choices=SEVERITIES, default=WAITING, help="leave out what is less bad"
    )
    formats = ("text", "json", "junit", "prometheus")
    text = "text: lines; json: for scripts; junit: for pipelines; prometheus: for node_exporter"
    command.add_argument("--format", choices=formats, default="text", help=text)
    command.add_argument("--output", metavar="FILE", help="write there, whole or not at all")
    command.add_argument("--quiet", action="store_true", help="say nothing if nothing was found")
    arguments.add_server(command)


def _check(options: argparse.Namespace) -> int:
    wanted = Wanted(options.names, options.host, options.profile)
    with server.reached(options.server, timeout=options.timeout) as cobbler:
        site = gather(cobbler, options.server is None, wanted)
    fits_nothing = missing(site, wanted)
    if fits_nothing:
        message = "no such system or profile: %s" % ", ".join(map(shown, fits_nothing))
        raise FailError(PROBLEMS, message)
    report = check.report(site, wanted, options.severity)
    if report.found or not options.quiet or options.format != "text":
        put(options.output, _report(report, site, options))
    return PROBLEMS if report.is_bad else WELL


def _report(report: Report, site: Site, options: argparse.Namespace) -> str:
    if options.format == "json":
        return as_json(as_data(report))
    if options.format == "junit":
        return as_junit(report)
    if options.format == "prometheus":
        return as_prometheus(report, site)
    return as_text(report, colours=options.output is None and has_colours())
