"""Keeps files whole that somebody else writes anew: Cobbler empties a file before it writes it.

On a full disk that leaves an empty file, with which cobblerd does not start again.
"""

import contextlib
import os
import shutil
import tempfile
from typing import Iterable, Iterator, List, Tuple

# more than the names of bridges can add to an item's file
_MORE = 64 * 1024


@contextlib.contextmanager
def kept(paths: Iterable[str]) -> Iterator[None]:
    """Have room for these files, which the block writes; they are as before if it raises.

    Raises ``OSError`` before anything is touched where there is no room, or no writing.
    """
    there = [os.path.realpath(path) for path in paths]
    new = [path for path in there if not os.path.exists(path)]
    copies: List[Tuple[str, str]] = []
    try:
        for path in there:
            if path not in new:
                _copy(path, copies)
        # from here on every copy is whole
        try:
            yield
        except BaseException:
            _put_back(copies, new)
            raise
    finally:
        for copy, _ in copies:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(copy)


def _put_back(copies: List[Tuple[str, str]], new: List[str]) -> None:
    for copy, path in copies:
        # needs no room, unlike writing the old content again
        os.replace(copy, path)
    for path in new:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _copy(path: str, copies: List[Tuple[str, str]]) -> None:
    """Copy a file beside itself, with room to spare; the copy is noted before it is whole."""
    # Cobbler reads whatever ends with .json
    handle, copy = tempfile.mkstemp(prefix=".cobbler-bridge-", dir=os.path.dirname(path))
    with open(handle, "wb") as file:
        copies.append((copy, path))
        with open(path, "rb") as before:
            content = before.read()
        file.write(content)
        file.flush()
        # what is written anew may be indented, which doubles it
        more = _MORE if path.endswith(".json") else 0
        # of an empty boot file, which another one may be about to write, there is nothing to double
        if content or more:
            os.posix_fallocate(handle, 0, 2 * len(content) + more)
        file.truncate(len(content))
        whose = os.stat(path)
        os.fchown(handle, whose.st_uid, whose.st_gid)
    shutil.copymode(path, copy)
