"""``install`` and ``uninstall``."""

import argparse
import contextlib
import errno
import time
import xmlrpc.client
from typing import Any, Iterator

from cobbler_bridge.command import arguments, server
from cobbler_bridge.command.ending import NO_COBBLER, WELL, FailError
from cobbler_bridge.install import changes, manifest, served, this_cobbler
from cobbler_bridge.store import wire

_STAYS = "Each virt_bridge stays, and Koan goes on using it: edit it with 'cobbler system edit'."
# that cobblerd may take until it answers
_STARTING_SECONDS = 20


def add(commands: Any) -> None:
    """Add both to the command."""
    sentence = "put snippets and triggers into this Cobbler"
    put = arguments.add(commands, "install", _install, sentence, "install --restart")
    sentence = "take them out again, and what is recorded; each virt_bridge stays"
    take = arguments.add(commands, "uninstall", _uninstall, sentence, "uninstall --dry-run")
    page = "keep the page of 'show --format html' where Cobbler's web server serves it, until"
    page += " --no-page; whoever may reach that server may read it"
    put.add_argument("--page", action="store_true", default=None, help=page)
    put.add_argument("--no-page", action="store_false", dest="page", help="take it away again")
    for command in (put, take):
        command.add_argument("--dry-run", action="store_true", help="only say what would be done")
        command.add_argument("--restart", action="store_true", help="restart cobblerd if it must")


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


def _write_page(place: str) -> None:
    """As all is now; where cobblerd doesn't answer, its triggers do it later."""
    with contextlib.suppress(OSError):
        served.write(place)


def _wake(seconds: float) -> None:
    """Have the triggers move what an older version noted, which the first signal does too."""
    until = time.monotonic() + seconds
    while True:
        try:
            server.connection(server.own_url(), None, wire.TIMEOUT).wake()
        except xmlrpc.client.Fault:
            return
        except server.NO_ANSWER:
            if time.monotonic() >= until:
                return
            time.sleep(0.2)
        else:
            return


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
        raise FailError(NO_COBBLER, str(error)) from error
    except OSError as error:
        rights = error.errno in (errno.EACCES, errno.EPERM)
        right = "run this as root" if rights else "nothing was changed"
        message = "%s: %s; %s" % (error.filename, error.strerror, right)
        raise FailError(NO_COBBLER, message) from error
