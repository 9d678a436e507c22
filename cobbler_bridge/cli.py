"""The command ``cobbler-bridge``."""

import argparse
import contextlib
import errno
import http.client
import json
import os
import re
import sys
import threading
import time
import xmlrpc.client
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    NoReturn,
    Optional,
    Sequence,
    TextIO,
    Tuple,
)

import yaml

from cobbler_bridge import __version__, check
from cobbler_bridge.apply import fleet, waves
from cobbler_bridge.check import setting
from cobbler_bridge.check.gather import gather
from cobbler_bridge.check.report import Report, as_data, as_junit, as_prometheus, as_text
from cobbler_bridge.check.site import Site
from cobbler_bridge.check.wanted import Wanted, missing
from cobbler_bridge.description.blended_data import subject_of
from cobbler_bridge.description.describe import wants_bridge
from cobbler_bridge.findings import SEVERITIES, WAITING
from cobbler_bridge.install import changes, manifest, served, this_cobbler
from cobbler_bridge.placement import by_hand
from cobbler_bridge.plan import delivery
from cobbler_bridge.plan.plan import File, Plan, Program, Shipped, flat, plain
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.problem import Problem, one_line, shown
from cobbler_bridge.script import render
from cobbler_bridge.show import listing, page
from cobbler_bridge.store import wire
from cobbler_bridge.store.ledger import Ledger
from cobbler_bridge.store.over_xmlrpc import ItemError, Login, XmlRpc

WELL, PROBLEMS, WRONG_USAGE, NO_COBBLER = range(4)
_INTERRUPTED = 130

# cobblerd writes it anew at each start; who can read it may do anything
_SECRET = "/var/lib/cobbler/web.ss"


_STAYS = "Each virt_bridge stays, and Koan goes on using it: edit it with 'cobbler system edit'."
# what a URL can lead to that is wrong, or that belongs to another server than Cobbler's
_NO_ANSWER = (
    OSError,
    http.client.HTTPException,
    xmlrpc.client.ProtocolError,
    wire.AnswerError,
    MemoryError,
)
# of what a server says when it refuses
_SAID_CHARACTERS = 300
_LONGEST_TIMEOUT = 24 * 3600
_MOST_AT_A_TIME = 1000
# that cobblerd may take until it answers
_STARTING_SECONDS = 20
# of a URL: nobody's to read in a log
_PASSWORD = re.compile(r"//[^/?#]*@")


_ELSEWHERE = (
    "records are files on the Cobbler server, which nobody writes from afar; run this command "
    "there, as root"
)
_WATCH_SECONDS = 10
# ECMA-48: to the upper left, and nothing behind it
_CLEAR = "\033[H\033[2J"
# after so long somebody wonders
_PROGRESS_SECONDS = 2.0
_UNSET = ": bridge: is not set; nothing is written"


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
    output = _Output.standard()
    with contextlib.redirect_stdout(output):
        status = _run(arguments)
        return output.end(status)


class _Output:
    """Standard output, which may be closed, full, or read by nobody any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._error: Optional[OSError] = None

    @classmethod
    def standard(cls) -> "_Output":
        """Any text can be printed, and a file gets the right bytes, whatever the locale says."""
        if sys.stderr is None:
            sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end
        if sys.stdout is None:
            return cls(open(os.devnull, "w", encoding="utf-8"))
        if sys.stdout.encoding.lower() != "utf-8":
            number = sys.stdout.fileno()
            return cls(open(number, "w", encoding="utf-8", closefd=False))
        return cls(sys.stdout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write what can be written."""
        return self._trying(self._stream.write, text) or 0

    def flush(self) -> None:
        """Likewise."""
        self._trying(self._stream.flush)

    def end(self, status: int) -> int:
        """The exit status: another one where somebody wanted the output and has it in part."""
        self.flush()
        if self._error is None:
            return status
        # or Python would complain once more when it closes the stream
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        if self._error.errno == errno.EPIPE:
            return status
        message = "cobbler-bridge: standard output: %s" % self._error.strerror
        print(message, file=sys.stderr)
        return status or PROBLEMS

    def _trying(self, call: Callable[..., Any], *words: Any) -> Any:
        if self._error is None:
            try:
                return call(*words)
            except OSError as error:
                self._error = error
        return None


def _run(arguments: Optional[Sequence[str]]) -> int:
    try:
        options = _parsed(arguments)
        return int(options.run(options))
    except SystemExit as end:
        # after --help and --version
        return int(end.code or WELL)
    except _FailError as failure:
        print("cobbler-bridge: %s" % one_line(str(failure)), file=sys.stderr)
        return failure.status
    except ItemError as error:
        return _refused([error.problem])
    except KeyboardInterrupt:
        # as a shell says it
        return _INTERRUPTED


def _parsed(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    """The options; what ``set`` is to set may stand on both sides of them."""
    parser = _parser()
    options, left = parser.parse_known_args(arguments)
    if left and (options.run is not _set or any(word.startswith("-") for word in left)):
        parser.error("unrecognized arguments: %s" % " ".join(left))
    if left:
        options.words += left
    return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="cobbler-bridge", description="Bridges on the hosts Cobbler installs.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    commands.required = True

    _add_installing(_add(commands, "install"), _add(commands, "uninstall"))

    changing = _add(commands, "set")
    _add_what_to_set(changing)

    render = _add(commands, "render")
    one = render.add_mutually_exclusive_group(required=True)
    one.add_argument("--system", metavar="NAME", help="what this system would get")
    one.add_argument("--profile", metavar="NAME", help="what a system of this profile would get")
    text = "files: as a person reads it; sh: the script as it stands in the kickstart; json: both"
    render.add_argument("--format", choices=("files", "sh", "json"), default="files", help=text)
    render.set_defaults(run=_render)

    showing = _add(commands, "show")
    _add_what_to_show(showing)

    checking = _add(commands, "check")
    _add_what_to_check(checking)

    recording = _add(commands, "record")
    recording.add_argument("hosts", metavar="HOST", nargs="+", help="these hosts; * and ?")
    what = recording.add_mutually_exclusive_group()
    text = "these bridges, with commas between (default: those that are described)"
    what.add_argument("--bridge", metavar="NAME", help=text)
    what.add_argument("--clear", action="store_true", help="forget the hosts' bridges")
    recording.set_defaults(run=_record)

    placing = _add(commands, "place")
    placing.add_argument("--host", metavar="HOST", help="only the guests of this host")
    placing.set_defaults(run=_place)

    applying = _add(commands, "apply")
    _add_whom_to_apply(applying)
    undoing = _add(commands, "undo")
    undoing.add_argument("hosts", metavar="HOST", nargs="+", help="these hosts; * and ?")
    undoing.set_defaults(run=_undo)
    for command in (applying, undoing):
        _add_ssh_user(command)

    for command in (changing, recording, placing, applying):
        command.add_argument("--dry-run", action="store_true", help="only say what would change")
    for command in (changing, recording, placing):
        command.add_argument("--user", metavar="NAME", help="log in by this name")
        command.add_argument("--password-file", metavar="FILE", help="the file has its password")
    for command in (changing, render, showing, checking, recording, placing, applying, undoing):
        _add_server(command)
    return parser


def _add_installing(put: argparse.ArgumentParser, take: argparse.ArgumentParser) -> None:
    put.set_defaults(run=_install)
    take.set_defaults(run=_uninstall)
    page = "keep the page of 'show --format html' where Cobbler's web server serves it, until"
    page += " --no-page; whoever may reach that server may read it"
    put.add_argument("--page", action="store_true", default=None, help=page)
    put.add_argument("--no-page", action="store_false", dest="page", help="take it away again")
    for command in (put, take):
        command.add_argument("--dry-run", action="store_true", help="only say what would be done")
        command.add_argument("--restart", action="store_true", help="restart cobblerd if it must")


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
        type=_count,
        default=10,
        help="how many are switched at a time, after the first one alone (default: %(default)d)",
    )
    command.add_argument(
        "--stop-after",
        metavar="N",
        type=_count,
        default=1,
        help="begin no wave once this many hosts did not end well (default: %(default)d)",
    )
    command.add_argument(
        "--report", metavar="FILE", help="write what became of each host there; JSON for *.json"
    )
    command.set_defaults(run=_apply)


def _add_ssh_user(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--user",
        metavar="NAME",
        default="root",
        help="the user on the hosts; one that isn't root has sudo (default: %(default)s)",
    )


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 0 < number <= _MOST_AT_A_TIME:
        words = shown(text), _MOST_AT_A_TIME
        raise argparse.ArgumentTypeError("%s is no whole number from 1 to %d" % words)
    return number


# of each: a sentence, and an example
_ABOUT = {
    "install": ("put snippets and triggers into this Cobbler", "install --restart"),
    "uninstall": ("take them out again; records and each virt_bridge stay", "uninstall --dry-run"),
    "set": ("change variables, and no others", "set --profile kvm-hosts bridge=br0"),
    "render": ("show what would be written on a machine", "render --system kvm1"),
    "show": ("list hosts, their bridges and their guests", "show 'kvm*' --state 'rolled back'"),
    "check": (
        "find what will not work, before it is tried; the status is 1 for errors and warnings",
        "check --host kvm1 --severity warning",
    ),
    "record": (
        "say by hand which bridges hosts have, and place their guests",
        "record kvm1 --bridge br0,br1",
    ),
    "apply": (
        "switch hosts that run, over ssh and in waves: each proves its bridge or keeps its network",
        "apply --profile kvm-hosts --wave 10 --report rollout.json",
    ),
    "undo": ("have hosts put back the network that they had before their bridges", "undo kvm1"),
    "place": ("put guests on their hosts' bridges again", "place --host kvm1 --dry-run"),
}


def _add(commands: Any, name: str) -> argparse.ArgumentParser:
    sentence, example = _ABOUT[name]
    added: argparse.ArgumentParser = commands.add_parser(
        name,
        help=sentence,
        description=sentence[0].upper() + sentence[1:] + ".",
        epilog="Example: cobbler-bridge " + example,
    )
    return added


def _add_what_to_show(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "names", metavar="NAME", nargs="*", help="only these hosts or guests; * and ?"
    )
    command.add_argument("--state", choices=listing.ALL_STATES, help="only hosts in this state")
    command.add_argument("--bridge", metavar="NAME", help="only hosts with this bridge")
    command.add_argument("--summary", action="store_true", help="only how many are in which state")
    text = "once more each so many seconds, until it is interrupted (default: %d)" % _WATCH_SECONDS
    command.add_argument(
        "--watch", metavar="SECONDS", type=_seconds, nargs="?", const=_WATCH_SECONDS, help=text
    )
    formats = ("text", "json", "yaml", "html")
    text = "text: a table; json, yaml: for scripts; html: one page for a browser"
    command.add_argument("--format", choices=formats, default="text", help=text)
    command.add_argument("--output", metavar="FILE", help="write there, whole or not at all")
    command.set_defaults(run=_show)


def _add_what_to_set(command: argparse.ArgumentParser) -> None:
    named = command.add_mutually_exclusive_group(required=True)
    for kind in ("profile", "system"):
        text = "change these %ss; * and ?, and the option may be given again" % kind
        named.add_argument(
            "--" + kind, metavar="NAME", nargs="+", action="append", default=[], help=text
        )
    command.add_argument(
        "words", metavar="KEY=VALUE", nargs="*", help="what a variable of cobbler-bridge shall be"
    )
    unset = "take this variable away; one that is inherited then counts; may be given again"
    command.add_argument("--unset", metavar="KEY", action="append", default=[], help=unset)
    command.set_defaults(run=_set)


def _add_what_to_check(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "names", metavar="NAME", nargs="*", help="only these systems and profiles; * and ?"
    )
    for kind, text in (
        ("host", "hosts and their guests"),
        ("profile", "profiles and their systems"),
    ):
        command.add_argument(
            "--" + kind, metavar="NAME", action="append", default=[], help="only these %s" % text
        )
    command.add_argument(
        "--severity", choices=SEVERITIES, default=WAITING, help="leave out what is less bad"
    )
    formats = ("text", "json", "junit", "prometheus")
    text = "text: lines; json: for scripts; junit: for pipelines; prometheus: for node_exporter"
    command.add_argument("--format", choices=formats, default="text", help=text)
    command.add_argument("--output", metavar="FILE", help="write there, whole or not at all")
    command.add_argument("--quiet", action="store_true", help="say nothing if nothing was found")
    command.set_defaults(run=_check)


def _add_server(command: argparse.ArgumentParser) -> None:
    """Which Cobbler is spoken to, and for how long."""
    command.add_argument(
        "--server", metavar="URL", help="Cobbler's XML-RPC (default: this machine's cobblerd)"
    )
    command.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=wire.TIMEOUT,
        help="how long Cobbler may take for one answer (default: %(default)g)",
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _LONGEST_TIMEOUT:
        words = shown(text), _LONGEST_TIMEOUT
        raise argparse.ArgumentTypeError("%s is no number of seconds up to %d" % words)
    return seconds


def _install(options: argparse.Namespace) -> int:
    with _installing(), manifest.alone():
        plan = changes.installing(this_cobbler.find(), options.page)
        pending = changes.must_restart(plan)
        if not options.dry_run:
            changes.apply(plan)
    _say(plan)
    if plan.nothing_to_do and not pending:
        print("Everything is in place already.")
    else:
        _finish(options, pending, "load the triggers")
    if not options.dry_run and (options.restart or not pending):
        _wake(_STARTING_SECONDS if pending else 0)
    if not options.dry_run and plan.manifest is not None and plan.manifest.page:
        _write_page(plan.manifest.page)
    return WELL


def _write_page(place: str) -> None:
    """As all is now; where cobblerd doesn't answer, its triggers do it later."""
    with contextlib.suppress(OSError):
        served.write(place)


def _wake(seconds: float) -> None:
    """Have the triggers move what an older version noted, which the first signal does too."""
    until = time.monotonic() + seconds
    while True:
        try:
            _connection(_own_url(), None, wire.TIMEOUT).wake()
        except xmlrpc.client.Fault:
            return
        except _NO_ANSWER:
            if time.monotonic() >= until:
                return
            time.sleep(0.2)
        else:
            return


def _uninstall(options: argparse.Namespace) -> int:
    with _installing(), manifest.alone():
        try:
            cobbler = this_cobbler.find()
        except this_cobbler.CannotInstallError:
            # what was installed is known, whatever has become of Cobbler
            cobbler = None
        plan = changes.uninstalling(cobbler)
        pending = changes.must_restart(plan)
        if not options.dry_run:
            changes.apply(plan)
    _say(plan)
    if not plan.changes and not plan.forgets:
        print("Nothing of cobbler-bridge is in this Cobbler.")
        return WELL
    _finish(options, pending, "do without the triggers")
    print(_STAYS)
    return WELL


def _say(plan: changes.Changes) -> None:
    for change in plan.changes:
        print("%s: %s" % (change.path, change.note))
    for remark in plan.remarks:
        print(remark)


def _finish(options: argparse.Namespace, pending: bool, purpose: str) -> None:
    if options.dry_run:
        print("Nothing was changed; without --dry-run this would be done.")
    elif pending and options.restart:
        with _installing():
            changes.restart()
        print("cobblerd was restarted.")
    elif pending:
        print("Restart cobblerd to %s, for example: systemctl restart cobblerd" % purpose)


@contextlib.contextmanager
def _installing() -> Iterator[None]:
    """What keeps the pack from Cobbler, turned into one line."""
    try:
        yield
    except this_cobbler.CannotInstallError as error:
        raise _FailError(NO_COBBLER, str(error)) from error
    except OSError as error:
        rights = error.errno in (errno.EACCES, errno.EPERM)
        right = "run this as root" if rights else "nothing was changed"
        message = "%s: %s; %s" % (error.filename, error.strerror, right)
        raise _FailError(NO_COBBLER, message) from error


def _set(options: argparse.Namespace) -> int:
    kind = "profile" if options.profile else "system"
    # what stands behind names and has a "=" is no name: Cobbler allows none in one
    given = [word for words in options.profile or options.system for word in words]
    names = [word for word in given if "=" not in word]
    words = options.words + [word for word in given if "=" in word]
    try:
        changes = setting.wanted(words, options.unset)
        if not names:
            raise ValueError("--%s needs a NAME" % kind)
    except ValueError as error:
        message = "%s (see cobbler-bridge set --help)" % error
        raise _FailError(WRONG_USAGE, message) from error
    problems = setting.unusable(", ".join(names), changes)
    if problems:
        return _refused(problems)
    saved: List[setting.Edit] = []
    with _cobbler(options.server, _login(options), options.timeout) as cobbler:
        edits, problems = setting.look(cobbler, kind, names, changes)
        if problems:
            return _refused(problems)
        try:
            for edit in edits if options.dry_run else setting.save(cobbler, edits):
                saved.append(edit)
        finally:
            # where Cobbler refuses one, those before it are told
            if saved or not edits:
                sys.stdout.write(setting.as_text(saved, options.dry_run))
    return WELL


def _refused(problems: List[Problem]) -> int:
    for problem in problems:
        print(problem, file=sys.stderr)
    return PROBLEMS


def _render(options: argparse.Namespace) -> int:
    kind, name = ("system", options.system) if options.system else ("profile", options.profile)
    with _cobbler(options.server, timeout=options.timeout) as cobbler:
        data = cobbler.blended(kind, name)
    if data is None:
        raise _FailError(PROBLEMS, "Cobbler has no %s %s" % (kind, shown(name)))
    if not wants_bridge(data):
        print("cobbler-bridge: %s" % one_line(name + _UNSET), file=sys.stderr)
        return WELL
    planned, problems = make_plan(data)
    for problem in problems:
        print(problem, file=sys.stderr)
    if options.format == "json":
        sys.stdout.write(_as_json(_as_data(subject_of(data), planned, problems)))
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


def _show(options: argparse.Namespace) -> int:
    while True:
        text = _shown(options)
        clears = options.watch is not None and options.output is None and sys.stdout.isatty()
        _put(options.output, _CLEAR * clears + text)
        sys.stdout.flush()
        if options.watch is None:
            return WELL
        time.sleep(options.watch)


def _shown(options: argparse.Namespace) -> str:
    found: List[Problem] = []
    with _cobbler(options.server, timeout=options.timeout) as cobbler:
        if options.format == "html":
            site = gather(cobbler, options.server is None)
            rows, found = listing.hosts(site.systems.values(), site.now), check.problems(site)
        else:
            rows = listing.hosts(cobbler.systems(options.names))
    missing = listing.missing(rows, options.names)
    if missing:
        raise _FailError(PROBLEMS, "no such host or guest: %s" % ", ".join(map(shown, missing)))
    rows = listing.filtered(rows, listing.Filter(options.names, options.state, options.bridge))
    data: Any = listing.summary(rows) if options.summary else listing.as_data(rows)
    if options.format == "json":
        return _as_json(data)
    if options.format == "yaml":
        return str(yaml.safe_dump(data, default_flow_style=False))
    if options.format == "html":
        return page.html(rows, found, time.time())
    if options.summary:
        return listing.summary_text(rows)
    return listing.as_text(rows)


def _check(options: argparse.Namespace) -> int:
    wanted = Wanted(options.names, options.host, options.profile)
    with _cobbler(options.server, timeout=options.timeout) as cobbler:
        site = gather(cobbler, options.server is None, wanted)
    fits_nothing = missing(site, wanted)
    if fits_nothing:
        message = "no such system or profile: %s" % ", ".join(map(shown, fits_nothing))
        raise _FailError(PROBLEMS, message)
    report = check.report(site, wanted, options.severity)
    if report.found or not options.quiet or options.format != "text":
        _put(options.output, _report(report, site, options))
    return PROBLEMS if report.is_bad else WELL


def _report(report: Report, site: Site, options: argparse.Namespace) -> str:
    if options.format == "json":
        return _as_json(as_data(report))
    if options.format == "junit":
        return as_junit(report)
    if options.format == "prometheus":
        return as_prometheus(report, site)
    return as_text(report, colours=options.output is None and _has_colours())


def _has_colours() -> bool:
    """Whether somebody looks at it who wants colours: https://no-color.org."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def _put(path: Optional[str], text: str) -> None:
    """Write to a file, which is there whole or as it was, or on standard output."""
    if path is None:
        sys.stdout.write(text)
        return
    beside = "%s.%d" % (path, os.getpid())
    try:
        with open(beside, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.remove(beside)
        message = "--output %s: %s" % (path, error.strerror)
        raise _FailError(WRONG_USAGE, message) from error


def _record(options: argparse.Namespace) -> int:
    try:
        bridges = () if options.bridge is None else by_hand.named(options.bridge)
    except ValueError as error:
        raise _FailError(WRONG_USAGE, "--bridge: %s" % error) from error
    login = _login(options)
    if not options.dry_run and not _is_own(options.server):
        raise _FailError(WRONG_USAGE, _ELSEWHERE)
    with _cobbler(options.server, login, options.timeout) as cobbler:
        outcome = by_hand.record(cobbler, options.hosts, bridges, options.clear, options.dry_run)
    return _told(outcome, options.dry_run)


def _place(options: argparse.Namespace) -> int:
    with _cobbler(options.server, _login(options), options.timeout) as cobbler:
        outcome = by_hand.place(cobbler, options.host, options.dry_run)
    return _told(outcome, options.dry_run)


def _apply(options: argparse.Namespace) -> int:
    if not options.hosts and not options.profile:
        raise _FailError(
            WRONG_USAGE, "apply needs a HOST or --profile (see cobbler-bridge apply --help)"
        )
    if not options.dry_run and not _is_own(options.server):
        raise _FailError(WRONG_USAGE, _ELSEWHERE)
    # here a user is one of the hosts'
    login = _login(argparse.Namespace(**{**vars(options), "user": None, "password_file": None}))
    ask = fleet.asker(options.user)
    with _cobbler(options.server, login, options.timeout) as cobbler:
        chosen = fleet.choose(cobbler, options.hosts, options.profile)
        if chosen.problems:
            # nothing is begun that is known to end badly
            return _refused(chosen.problems)
        if options.dry_run:
            return _would_apply(chosen.jobs, options.wave, ask)
        if chosen.jobs:
            cobbler.log_in()
        outcomes: List[waves.Outcome] = []
        try:
            for each in fleet.roll_out(cobbler, chosen, options.wave, options.stop_after, ask):
                outcomes.append(each)
                if each.outcome != waves.UNTOUCHED:
                    _say_outcome(each, len(outcomes), len(chosen.jobs))
        finally:
            _write_outcomes(outcomes, options.report)
    return WELL if all(each.outcome in waves.WELL for each in outcomes) else PROBLEMS


def _undo(options: argparse.Namespace) -> int:
    if not _is_own(options.server):
        raise _FailError(WRONG_USAGE, _ELSEWHERE)
    login = _login(argparse.Namespace(**{**vars(options), "user": None, "password_file": None}))
    with _cobbler(options.server, login, options.timeout) as cobbler:
        chosen = fleet.choose_proved(cobbler, options.hosts)
        if chosen.problems:
            return _refused(chosen.problems)
        cobbler.log_in()
        outcomes: List[waves.Outcome] = []
        try:
            for each in fleet.undo(cobbler, chosen, fleet.asker(options.user)):
                outcomes.append(each)
                if each.outcome != waves.UNTOUCHED:
                    _say_outcome(each, len(outcomes), len(chosen.jobs))
        finally:
            _write_outcomes(outcomes, None)
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
        raise _FailError(PROBLEMS, "%s: %s" % (path, error.strerror)) from error


def _told(outcome: by_hand.Outcome, dry_run: bool) -> int:
    for problem in outcome.problems:
        print(problem, file=sys.stderr)
    if outcome.moves or outcome.records or not outcome.problems:
        sys.stdout.write(by_hand.as_text(outcome, dry_run))
    return PROBLEMS if outcome.problems else WELL


def _login(options: argparse.Namespace) -> Login:
    """How to log in: by a user's password, or by the secret that cobblerd keeps on its machine.

    Who has that secret may do anything there: it goes to this machine's own cobblerd only.
    """
    user, path = options.user, options.password_file
    if user is not None and not user:
        raise _FailError(WRONG_USAGE, "--user needs a name")
    if (user is None) != (path is None):
        words = "--user needs --password-file", "--password-file needs --user"
        raise _FailError(WRONG_USAGE, words[user is None])
    foreign = user is None and not _is_own(options.server)
    refusal = _FailError(
        WRONG_USAGE,
        "--server needs --user and --password-file: the secret of this machine's own Cobbler "
        "is sent to no other server",
    )
    if foreign and not options.dry_run:
        raise refusal

    def login() -> Tuple[str, str]:
        if foreign:
            raise refusal
        try:
            with open(path or _SECRET, encoding="utf-8") as file:
                return user or "", file.read().rstrip("\n")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "is no text"
            right = "run this as root, or use --user and --password-file"
            if path:
                right = "--password-file names a file with the password of %s" % shown(user)
            raise _FailError(NO_COBBLER, "%s: %s; %s" % (path or _SECRET, reason, right)) from error

    return login


def _as_json(data: Any) -> str:
    return json.dumps(data, indent=2) + "\n"


@contextlib.contextmanager
def _cobbler(
    given: Optional[str], login: Optional[Login] = None, timeout: float = wire.TIMEOUT
) -> Iterator[XmlRpc]:
    """The way to cobblerd, with its failures turned into one line."""
    url = given or _own_url()
    named = _PASSWORD.sub("//", url if url.isprintable() else shown(url))
    try:
        with _progress(named):
            cobbler = _connection(url, login, timeout)
            yield cobbler
            if cobbler.has_written and manifest.recorded().page:
                # what is remembered is written past the triggers, which see to the page
                cobbler.wake()
    except xmlrpc.client.Fault as error:
        reason = " ".join(error.faultString.split())[:_SAID_CHARACTERS]
        if "login failed" in reason:
            reason = "no user has this name and this password"
        raise _FailError(NO_COBBLER, "Cobbler at %s refused: %s" % (named, reason)) from error
    except _NO_ANSWER as error:
        reason = _reason(error)[:_SAID_CHARACTERS] + _instead(url, error)
        place = getattr(error, "filename", None)
        if place:
            # what is remembered lies on this machine's disk
            raise _FailError(NO_COBBLER, "%s: %s" % (place, reason)) from error
        message = "no answer from Cobbler at %s: %s" % (named, reason)
        raise _FailError(NO_COBBLER, message) from error


def _instead(url: str, error: BaseException) -> str:
    """What would be right in place of a URL that is none, or a web server's and not Cobbler's."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("http", "https"):
        return "; it can be http://HOST/cobbler_api or https://HOST/cobbler_api"
    if not rest.partition("/")[2] and not isinstance(error, OSError):
        return "; did you mean %s/cobbler_api?" % url.rstrip("/")
    return ""


@contextlib.contextmanager
def _progress(named: str) -> Iterator[None]:
    """Say what is waited for, to somebody who looks, where it takes long."""
    text = "cobbler-bridge: waiting for Cobbler at %s\n" % named
    timer = threading.Timer(_PROGRESS_SECONDS, lambda: sys.stderr.write(text))
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _own_url() -> str:
    return "http://127.0.0.1:%d" % _port()


def _is_own(url: Optional[str]) -> bool:
    """Whether this can be nobody but the cobblerd of this machine: a name may lead anywhere."""
    return not url or url.rstrip("/") == _own_url()


def _connection(url: str, login: Optional[Login], timeout: float) -> XmlRpc:
    try:
        return XmlRpc(url, login, timeout, Ledger() if _is_own(url) else None)
    except ValueError as error:
        raise OSError(str(error)) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, xmlrpc.client.ProtocolError):
        return "%d %s" % (error.errcode, error.errmsg)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _port() -> int:
    """The XML-RPC port in Cobbler's settings; Cobbler's own default where there are none."""
    try:
        with open(this_cobbler.SETTINGS, encoding="utf-8") as file:
            return int(yaml.safe_load(file).get("xmlrpc_port", 25151))
    except (OSError, TypeError, ValueError, AttributeError, yaml.YAMLError):
        return 25151


def run() -> None:
    """The entry point of the console script."""
    sys.exit(main())


if __name__ == "__main__":
    run()
