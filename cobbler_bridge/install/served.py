"""Keeps the page where Cobbler's web server serves it, if ``install --page`` has put one there.

A trigger only says that something changed. A thread beside cobblerd's own waits a moment, so that
many changes give one page, and has the command write it. Whatever fails is a line of the log.
"""

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from typing import Optional

from cobbler_bridge.install import manifest
from cobbler_bridge.store.ledger import FOLDER as LEDGER

_LOG = logging.getLogger(__name__)

# what comes within so many seconds comes on one page
_SETTLES = 2.0
# pages take no more than one part in so many of the time
_SHARE = 10
# in seconds; the page of 50,000 systems takes some 15
_TIMEOUT = 900
# a page of ours has it near its beginning
_MARK = b'<meta name="generator" content="cobbler-bridge">'
FIRST = (
    b'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n%s\n'
    b'<meta http-equiv="refresh" content="10">\n<title>Bridges</title>\n'
    b"<p>This page is written soon after cobblerd has started.</p>\n</html>\n" % _MARK
)


def is_page(content: bytes) -> bool:
    """Whether this is a page that was written here."""
    return _MARK in content[:1000]


def write(place: str) -> None:
    """Write the page as all is now; it is there whole or as it was. Raises ``OSError``."""
    command = [sys.executable, "-m", "cobbler_bridge", "show", "--format", "html"]
    out = subprocess.PIPE
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=_TIMEOUT, cwd="/"
        )
    except subprocess.SubprocessError as error:
        raise OSError(0, str(error), place) from error
    if done.returncode != 0:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise OSError(0, said or "show ended with %d" % done.returncode, place)
    # who installs meanwhile would take the file for what an interrupted run has left
    with manifest.alone():
        handle, beside = tempfile.mkstemp(dir=os.path.dirname(place), prefix=manifest.READY)
        try:
            with open(handle, "wb") as file:
                file.write(done.stdout)
                # the web server is somebody else
                os.fchmod(handle, 0o644)
            os.replace(beside, place)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(beside)


class Keeper:
    """Has the page rewritten, soon and not too often. Nothing here raises."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._wanted = False
        self._not_before = 0.0
        # the manifest as it was read last, and the ledger as it was heard of
        self._as_of = -1
        self._page = ""
        self._heard = -1

    def saved(self) -> None:
        """Somebody changed an item."""
        try:
            if self._place():
                self._want()
        except Exception:
            _LOG.exception("cobbler-bridge: the page is not written")

    def heard(self) -> None:
        """A signal came, from whomever; what is remembered may have changed."""
        try:
            when = os.stat(LEDGER).st_mtime_ns if self._place() else self._heard
            if when != self._heard:
                self._heard = when
                self._want()
        except FileNotFoundError:
            return
        except Exception:
            _LOG.exception("cobbler-bridge: the page is not written")

    def _place(self) -> str:
        try:
            when = os.stat(manifest.MANIFEST).st_mtime_ns
        except FileNotFoundError:
            return ""
        if when != self._as_of:
            self._page, self._as_of = manifest.recorded().page, when
        return self._page

    def _want(self) -> None:
        with self._lock:
            self._wanted = True
            if self._thread is None:
                thread = threading.Thread(target=self._keep, daemon=True)
                thread.start()
                self._thread = thread

    def _keep(self) -> None:
        while True:
            time.sleep(max(_SETTLES, self._not_before - time.monotonic()))
            with self._lock:
                self._wanted = False
            began = time.monotonic()
            try:
                place = self._place()
                if place:
                    write(place)
            except Exception as error:
                _LOG.error("cobbler-bridge: the page is not written: %s", error)
            now = time.monotonic()
            self._not_before = now + _SHARE * (now - began)
            with self._lock:
                if not self._wanted:
                    self._thread = None
                    return


# cobblerd's
KEEPER = Keeper()
