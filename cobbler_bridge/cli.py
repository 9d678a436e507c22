"""The command ``cobbler-bridge``."""

import argparse
import contextlib
import errno
import http.client
import json
import sys
import xmlrpc.client
from typing import Any, Dict, Iterator, List, NoReturn, Optional, Sequence, Tuple
from xml.parsers.expat import ExpatError

import yaml

from cobbler_bridge import (
    __version__,
    check,
    install,
    installed,
    operate,
    picture,
    places,
    shell,
    show,
)
from cobbler_bridge.check.gather import gather
from cobbler_bridge.description import wants_bridge
from cobbler_bridge.plan import File, Plan, flat, plain
from cobbler_bridge.planner import make_plan
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.reader import subject_of
from cobbler_bridge.store import Login, XmlRpc

WELL, PROBLEMS, WRONG_USAGE, NO_COBBLER = range(4)

# cobblerd writes it anew at each start; who can read it may do anything
_SECRET = "/var/lib/cobbler/web.ss"


_STAYS = (
    "What Cobbler remembers stays: 'cobbler-bridge record HOST --clear' takes a host's "
    "bridge_record away; a guest has its virt_bridge, which Koan goes on using, and bridge_placed "
    "in its autoinstall_meta: edit them with 'cobbler system edit'."
)
# what a URL can lead to that is wrong, or that belongs to another server than Cobbler's
_NO_ANSWER = (OSError, UnicodeError, http.client.HTTPException, xmlrpc.client.Error, ExpatError)


class _FailError(Exception):
    """Ends the command with one line on standard error and an exit status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Parser(argparse.ArgumentParser):
    """One line for wrong usage, as for every other error."""

    def error(self, message: str) -> NoReturn:
        raise _FailError(WRONG_USAGE, "%s (see %s --help)" % (message, self.prog))


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command; returns the exit status that the documentation lists."""
    _write_utf8()
    try:
        options = _parser().parse_args(arguments)
        return int(options.run(options))
    except _FailError as failure:
        print("cobbler-bridge: %s" % failure, file=sys.stderr)
        return failure.status
    except BrokenPipeError:
        # the reader has seen enough; Python would complain once more when it closes the stream
        sys.stderr.close()
        return WELL


def _write_utf8() -> None:
    """Any text can be printed, and a file gets the right bytes, whatever the locale says."""
    if sys.stdout.encoding.lower() != "utf-8":
        number = sys.stdout.fileno()
        sys.stdout = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - until the end


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="cobbler-bridge", description="Bridges on the hosts Cobbler installs.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    commands.required = True

    put = commands.add_parser("install", help="put snippets and triggers into this Cobbler")
    put.set_defaults(run=_install)
    take = commands.add_parser("uninstall", help="take them out again")
    take.set_defaults(run=_uninstall)
    for command in (put, take):
        command.add_argument("--dry-run", action="store_true", help="only say what would be done")
        command.add_argument("--restart", action="store_true", help="restart cobblerd if it must")

    render = commands.add_parser("render", help="show what would be written on a machine")
    one = render.add_mutually_exclusive_group(required=True)
    one.add_argument("--system", metavar="NAME")
    one.add_argument("--profile", metavar="NAME")
    render.add_argument("--format", choices=("sh", "files", "json"), default="files")
    render.set_defaults(run=_render)

    listing = commands.add_parser("show", help="list hosts, their bridges and their guests")
    listing.add_argument(
        "names", metavar="NAME", nargs="*", help="only these hosts or guests; * and ?"
    )
    listing.add_argument("--state", choices=show.ALL_STATES, help="only hosts in this state")
    listing.add_argument("--bridge", metavar="NAME", help="only hosts with this bridge")
    formats = ("text", "json", "yaml", "svg", "dot")
    listing.add_argument("--format", choices=formats, default="text")
    listing.set_defaults(run=_show)

    checking = commands.add_parser("check", help="find what will not work, before it is tried")
    checking.add_argument("names", metavar="NAME", nargs="*", help="only these systems, profiles")
    checking.add_argument("--format", choices=("text", "json"), default="text")
    checking.set_defaults(run=_check)

    recording = commands.add_parser("record", help="set a host's record, and place its guests")
    recording.add_argument("host", metavar="HOST")
    recording.add_argument("--clear", action="store_true", help="forget the host's bridges")
    recording.set_defaults(run=_record)

    placing = commands.add_parser("place", help="put guests on their hosts' bridges again")
    placing.add_argument("--host", metavar="HOST", help="only the guests of this host")
    placing.set_defaults(run=_place)

    for command in (recording, placing):
        command.add_argument("--dry-run", action="store_true", help="only say what would change")
        command.add_argument("--user", metavar="NAME", help="log in by this name")
        command.add_argument("--password-file", metavar="FILE", help="the file has its password")
    for command in (render, listing, checking, recording, placing):
        command.add_argument(
            "--server", metavar="URL", help="Cobbler's XML-RPC (default: this machine's cobblerd)"
        )
    return parser


def _install(options: argparse.Namespace) -> int:
    with _installing(), installed.alone():
        plan = install.installing(places.find())
        pending = install.must_restart(plan)
        if not options.dry_run:
            install.apply(plan)
    _say(plan)
    if plan.nothing_to_do and not pending:
        print("Everything is in place already.")
    else:
        _finish(options, pending, "load the triggers")
    return WELL


def _uninstall(options: argparse.Namespace) -> int:
    with _installing(), installed.alone():
        try:
            cobbler = places.find()
        except places.CannotInstallError:
            # what was installed is known, whatever has become of Cobbler
            cobbler = None
        plan = install.uninstalling(cobbler)
        pending = install.must_restart(plan)
        if not options.dry_run:
            install.apply(plan)
    _say(plan)
    if not plan.changes:
        print("Nothing of cobbler-bridge is in this Cobbler.")
        return WELL
    _finish(options, pending, "do without the triggers")
    print(_STAYS)
    return WELL


def _say(plan: install.Plan) -> None:
    for change in plan.changes:
        print("%s: %s" % (change.path, change.note))
    for remark in plan.remarks:
        print(remark)


def _finish(options: argparse.Namespace, pending: bool, purpose: str) -> None:
    if options.dry_run:
        print("Nothing was changed; without --dry-run this would be done.")
    elif pending and options.restart:
        with _installing():
            install.restart()
        print("cobblerd was restarted.")
    elif pending:
        print("Restart cobblerd to %s, for example: systemctl restart cobblerd" % purpose)


@contextlib.contextmanager
def _installing() -> Iterator[None]:
    """What keeps the pack from Cobbler, turned into one line."""
    try:
        yield
    except places.CannotInstallError as error:
        raise _FailError(NO_COBBLER, str(error)) from error
    except OSError as error:
        rights = error.errno in (errno.EACCES, errno.EPERM)
        right = "run this as root" if rights else "nothing was changed"
        message = "%s: %s; %s" % (error.filename, error.strerror, right)
        raise _FailError(NO_COBBLER, message) from error


def _render(options: argparse.Namespace) -> int:
    kind, name = ("system", options.system) if options.system else ("profile", options.profile)
    with _cobbler(options.server) as cobbler:
        data = cobbler.blended(kind, name)
    if data is None:
        raise _FailError(PROBLEMS, "Cobbler has no %s %s" % (kind, shown(name)))
    if not wants_bridge(data):
        print("cobbler-bridge: %s: bridge: is not set; nothing is written" % name, file=sys.stderr)
        return WELL
    planned, problems = make_plan(data)
    for problem in problems:
        print(problem, file=sys.stderr)
    if options.format == "json":
        _print_json(_as_data(subject_of(data), planned, problems))
    elif planned is not None:
        sys.stdout.write(shell.script(planned) if options.format == "sh" else shell.files(planned))
    elif options.format == "sh":
        sys.stdout.write(shell.refusal(subject_of(data), problems))
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
            if isinstance(step, File)
        ],
        "actions": [step.does for _, step in steps if not isinstance(step, File)],
        "problems": [dict(problem._asdict()) for problem in problems],
    }


def _show(options: argparse.Namespace) -> int:
    with _cobbler(options.server) as cobbler:
        rows = show.hosts(cobbler.systems())
    missing = show.missing(rows, options.names)
    if missing:
        raise _FailError(PROBLEMS, "no such host or guest: %s" % ", ".join(map(shown, missing)))
    rows = show.filtered(rows, show.Filter(options.names, options.state, options.bridge))
    if options.format == "json":
        _print_json(show.as_data(rows))
    elif options.format == "yaml":
        yaml.safe_dump(show.as_data(rows), sys.stdout, default_flow_style=False)
    else:
        writers = {"svg": picture.svg, "dot": picture.dot, "text": show.as_text}
        sys.stdout.write(writers[options.format](rows))
    return WELL


def _check(options: argparse.Namespace) -> int:
    with _cobbler(options.server) as cobbler:
        site = gather(cobbler, here=options.server is None)
    missing = sorted(set(options.names) - set(site.systems) - set(site.profiles))
    if missing:
        message = "no such system or profile: %s" % ", ".join(map(shown, missing))
        raise _FailError(PROBLEMS, message)
    found = check.problems(site, options.names)
    if options.format == "json":
        _print_json([dict(problem._asdict()) for problem in found])
    else:
        print("\n".join(map(str, found)) or "No problem was found.")
    return PROBLEMS if found else WELL


def _record(options: argparse.Namespace) -> int:
    with _cobbler(options.server, _login(options)) as cobbler:
        outcome = operate.record(cobbler, options.host, options.clear, options.dry_run)
    return _told(outcome, options.dry_run)


def _place(options: argparse.Namespace) -> int:
    with _cobbler(options.server, _login(options)) as cobbler:
        outcome = operate.place(cobbler, options.host, options.dry_run)
    return _told(outcome, options.dry_run)


def _told(outcome: operate.Outcome, dry_run: bool) -> int:
    for problem in outcome.problems:
        print(problem, file=sys.stderr)
    if outcome.moves or outcome.record or not outcome.problems:
        sys.stdout.write(operate.as_text(outcome, dry_run))
    return PROBLEMS if outcome.problems else WELL


def _login(options: argparse.Namespace) -> Login:
    """How to log in: by the secret that cobblerd keeps on its machine, or as was asked for."""

    def login() -> Tuple[str, str]:
        path = options.password_file or (_SECRET if options.user is None else None)
        if path is None:
            raise _FailError(WRONG_USAGE, "--user needs --password-file")
        try:
            with open(path, encoding="utf-8") as file:
                return options.user or "", file.read().rstrip("\n")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "is no text"
            right = "run this as root, or use --user and --password-file"
            raise _FailError(NO_COBBLER, "%s: %s; %s" % (path, reason, right)) from error

    return login


def _print_json(data: Any) -> None:
    print(json.dumps(data, indent=2))


@contextlib.contextmanager
def _cobbler(given: Optional[str], login: Optional[Login] = None) -> Iterator[XmlRpc]:
    """The way to cobblerd, with its failures turned into one line."""
    wanted = given or "http://127.0.0.1:%d" % _port()
    url = wanted if wanted.isprintable() else shown(wanted)
    try:
        yield _connection(wanted, login)
    except xmlrpc.client.Fault as error:
        reason = " ".join(error.faultString.split())
        raise _FailError(NO_COBBLER, "Cobbler at %s refused: %s" % (url, reason)) from error
    except _NO_ANSWER as error:
        message = "no answer from Cobbler at %s: %s" % (url, _reason(error))
        raise _FailError(NO_COBBLER, message) from error


def _connection(url: str, login: Optional[Login]) -> XmlRpc:
    try:
        return XmlRpc(url, login)
    except ValueError as error:
        raise OSError(str(error)) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, xmlrpc.client.ProtocolError):
        return "%d %s" % (error.errcode, error.errmsg)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _port() -> int:
    """The XML-RPC port in Cobbler's settings; Cobbler's own default where there are none."""
    try:
        with open(places.SETTINGS, encoding="utf-8") as file:
            return int(yaml.safe_load(file).get("xmlrpc_port", 25151))
    except (OSError, TypeError, ValueError, AttributeError, yaml.YAMLError):
        return 25151


def run() -> None:
    """The entry point of the console script."""
    sys.exit(main())


if __name__ == "__main__":
    run()
