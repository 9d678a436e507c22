"""``render``."""

import argparse
import sys
from typing import Any, Dict, List, Optional

from cobbler_bridge.command import arguments, server
from cobbler_bridge.command.ending import PROBLEMS, WELL, FailError
from cobbler_bridge.command.output import as_json
from cobbler_bridge.description.blended_data import subject_of
from cobbler_bridge.description.describe import wants_bridge
from cobbler_bridge.plan import delivery
from cobbler_bridge.plan.plan import File, Plan, Program, Shipped, flat, plain
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.problem import Problem, one_line, shown
from cobbler_bridge.script import render

_UNSET = ": bridge: is not set; nothing is written"


def add(commands: Any) -> None:
    """Add it to the command."""
    sentence = "show what would be written on a machine"
    command = arguments.add(commands, "render", _render, sentence, "render kvm1")
    one = command.add_mutually_exclusive_group(required=True)
    one.add_argument("host", metavar="HOST", nargs="?", type=arguments.name, help="as --system")
    one.add_argument(
        "--system", metavar="NAME", type=arguments.name, help="what this system would get"
    )
    one.add_argument(
        "--profile",
        metavar="NAME",
        type=arguments.name,
        help="what a system of this profile would get",
    )
    text = "files: as a person reads it; sh: the script as it stands in the kickstart; json: both"
    command.add_argument("--format", choices=("files", "sh", "json"), default="files", help=text)
    arguments.add_server(command)


def _render(options: argparse.Namespace) -> int:
    system = options.host or options.system
    kind, name = ("system", system) if system else ("profile", options.profile)
    with server.reached(options.server, timeout=options.timeout) as cobbler:
        data = cobbler.blended(kind, name)
    if data is None:
        raise FailError(PROBLEMS, "Cobbler has no %s %s" % (kind, shown(name)))
    if not wants_bridge(data):
        print("cobbler-bridge: %s" % one_line(name + _UNSET), file=sys.stderr)
        return WELL
    planned, problems = make_plan(data)
    for problem in problems:
        print(problem, file=sys.stderr)
    if options.format == "json":
        sys.stdout.write(as_json(_as_data(subject_of(data), planned, problems)))
    elif planned is not None and options.format == "sh":
        sys.stdout.write(render.script(planned))
    elif planned is not None:
        sys.stdout.write(render.files(planned, delivery.lines(data)))
    elif options.format == "sh":
        sys.stdout.write(render.refusal(subject_of(data), problems))
    return WELL if planned is not None else PROBLEMS


def _as_data(subject: str, planned: Optional[Plan], problems: List[Problem]) -> Dict[str, Any]:
    """A rendering for scripts. The keys are part of the public interface."""
    steps = [] if planned is None else list(flat(planned.steps))
    return {
        "subject": subject,
        "title": "" if planned is None else planned.title,
        "files": [
            {
                "on": machine,
                "path": plain(step.path),
                "mode": "%o" % step.mode,
                "content": plain(step.content),
            }
            for machine, step in steps
            if isinstance(step, (File, Program, Shipped))
        ],
        "actions": [
            step.does for _, step in steps if not isinstance(step, (File, Program, Shipped))
        ],
        "problems": [problem.as_data() for problem in problems],
    }
