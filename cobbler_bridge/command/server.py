"""The way to Cobbler: which server, as whom, and one line where it doesn't answer."""

import contextlib
import http.client
import re
import sys
import threading
import xmlrpc.client
from typing import Iterator, Optional, Tuple

import yaml

from cobbler_bridge.command.ending import NO_COBBLER, WRONG_USAGE, FailError
from cobbler_bridge.install import manifest, this_cobbler
from cobbler_bridge.problem import shown
from cobbler_bridge.store import wire
from cobbler_bridge.store.ledger import Ledger
from cobbler_bridge.store.over_xmlrpc import Login, XmlRpc

# cobblerd writes it anew at each start; who can read it may do anything
_SECRET = "/var/lib/cobbler/web.ss"
# what a URL can lead to that is wrong, or that belongs to another server than Cobbler's
NO_ANSWER = (
    OSError,
    http.client.HTTPException,
    xmlrpc.client.ProtocolError,
    wire.AnswerError,
    MemoryError,
)
# of what a server says when it refuses
_SAID_CHARACTERS = 300
# of a URL: nobody's to read in a log
_PASSWORD = re.compile(r"//[^/?#]*@")
# after so long somebody wonders
_PROGRESS_SECONDS = 2.0
ELSEWHERE = (
    "records are files on the Cobbler server, which nobody writes from afar; run this command "
    "there, as root"
)


@contextlib.contextmanager
def reached(
    given: Optional[str], login: Optional[Login] = None, timeout: float = wire.TIMEOUT
) -> Iterator[XmlRpc]:
    """The way to cobblerd, with its failures turned into one line."""
    url = given or own_url()
    named = _PASSWORD.sub("//", url if url.isprintable() else shown(url))
    try:
        with _progress(named):
            cobbler = connection(url, login, timeout)
            yield cobbler
            if cobbler.has_written and manifest.recorded().page:
                # what is remembered is written past the triggers, which see to the page
                cobbler.wake()
    except xmlrpc.client.Fault as error:
        reason = " ".join(error.faultString.split())[:_SAID_CHARACTERS]
        if "login failed" in reason:
            reason = "no user has this name and this password"
        raise FailError(NO_COBBLER, "Cobbler at %s refused: %s" % (named, reason)) from error
    except NO_ANSWER as error:
        reason = _reason(error)[:_SAID_CHARACTERS] + _instead(url, error)
        place = getattr(error, "filename", None)
        if place:
            # what is remembered lies on this machine's disk
            raise FailError(NO_COBBLER, "%s: %s" % (place, reason)) from error
        message = "no answer from Cobbler at %s: %s" % (named, reason)
        raise FailError(NO_COBBLER, message) from error


def login_of(
    given: Optional[str],
    user: Optional[str] = None,
    path: Optional[str] = None,
    dry_run: bool = False,
) -> Login:
    """How to log in: by a user's password, or by the secret that cobblerd keeps on its machine.

    Who has that secret may do anything there: it goes to this machine's own cobblerd only.
    """
    if user is not None and not user:
        raise FailError(WRONG_USAGE, "--user needs a name")
    if (user is None) != (path is None):
        words = "--user needs --password-file", "--password-file needs --user"
        raise FailError(WRONG_USAGE, words[user is None])
    foreign = user is None and not is_own(given)
    refusal = FailError(
        WRONG_USAGE,
        "--server needs --user and --password-file: the secret of this machine's own Cobbler "
        "is sent to no other server",
    )
    if foreign and not dry_run:
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
            raise FailError(NO_COBBLER, "%s: %s; %s" % (path or _SECRET, reason, right)) from error

    if path is not None and not dry_run:
        # said also where it turns out that nothing is to be written
        known = login()
        return lambda: known
    return login


def own_url() -> str:
    """The cobblerd of this machine."""
    return "http://127.0.0.1:%d" % _port()


def is_own(url: Optional[str]) -> bool:
    """Whether this can be nobody but the cobblerd of this machine: a name may lead anywhere."""
    return not url or url.rstrip("/") == own_url()


def connection(url: str, login: Optional[Login], timeout: float) -> XmlRpc:
    """To call it; raises OSError for a URL that is none."""
    try:
        return XmlRpc(url, login, timeout, Ledger() if is_own(url) else None)
    except ValueError as error:
        raise OSError(str(error)) from error


def _port() -> int:
    """The XML-RPC port in Cobbler's settings; Cobbler's own default where there are none."""
    try:
        with open(this_cobbler.SETTINGS, encoding="utf-8") as file:
            return int(yaml.safe_load(file).get("xmlrpc_port", 25151))
    except (OSError, TypeError, ValueError, AttributeError, yaml.YAMLError):
        return 25151


def _instead(url: str, error: BaseException) -> str:
    """What would be right in place of a URL that is none, or a web server's and not Cobbler's."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("http", "https"):
        return "; it can be http://HOST/cobbler_api or https://HOST/cobbler_api"
    if not rest.partition("/")[2] and not isinstance(error, OSError):
        return "; did you mean %s/cobbler_api?" % url.rstrip("/")
    return ""


def _reason(error: BaseException) -> str:
    if isinstance(error, xmlrpc.client.ProtocolError):
        return "%d %s" % (error.errcode, error.errmsg)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


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
