"""Where the command writes what it found."""

import contextlib
import errno
import json
import os
import sys
from typing import Any, Callable, Optional, TextIO

from cobbler_bridge.command.ending import PROBLEMS, WRONG_USAGE, FailError


class Output:
    """Standard output, which may be closed, full, or read by nobody any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._error: Optional[OSError] = None

    @property
    def is_lost(self) -> bool:
        """Whether nothing more can be written."""
        return self._error is not None

    @classmethod
    def standard(cls) -> "Output":
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


def put(path: Optional[str], text: str, option: str = "--output ") -> None:
    """Write to a file, which is there whole or as it was, or on standard output; to a device, a
    pipe, or what a link leads to as it comes."""
    if path is None:
        sys.stdout.write(text)
        return
    lays_beside = not os.path.lexists(path) or (os.path.isfile(path) and not os.path.islink(path))
    place = "%s.%d" % (path, os.getpid()) if lays_beside else path
    try:
        with open(place, "w", encoding="utf-8") as file:
            file.write(text)
        if lays_beside:
            os.replace(place, path)
    except OSError as error:
        if lays_beside:
            with contextlib.suppress(OSError):
                os.remove(place)
        message = "%s%s: %s" % (option, path, error.strerror)
        raise FailError(WRONG_USAGE, message) from error


def as_json(data: Any) -> str:
    """For a person too."""
    return json.dumps(data, indent=2) + "\n"


def has_colours() -> bool:
    """Whether somebody looks at it who wants colours: https://no-color.org."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain
