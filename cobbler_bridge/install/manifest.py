"""What ``install`` has put where, remembered by checksum; and several files written as one."""

import contextlib
import fcntl
import glob
import hashlib
import json
import os
import shutil
import tempfile
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

MANIFEST = "/var/lib/cobbler/cobbler_bridge.installed"
# what begins so was laid ready beside its place
READY = ".cobbler-bridge-"


class Manifest(NamedTuple):
    """What was installed: the version of this package, each file with the SHA-256 of what was
    written (hexadecimal), the folders that were made for them, and where the page is kept, which
    is written anew from time to time."""

    version: str
    files: Dict[str, str]
    folders: Tuple[str, ...]
    page: str = ""

    def has_unchanged(self, path: str) -> bool:
        """Whether a file is as it was written, and no link to somebody's own."""
        content = None if os.path.islink(path) else read(path)
        return content is not None and self.files.get(path) == checksum(content)

    def __str__(self) -> str:
        return json.dumps(self._asdict(), indent=1, sort_keys=True) + "\n"


NOTHING = Manifest("", {}, ())


def recorded() -> Manifest:
    """What stands in the manifest; nothing where there is none or it can't be understood."""
    content = read(MANIFEST)
    try:
        found = json.loads((content or b"").decode())
        files = {str(path): str(digest) for path, digest in found["files"].items()}
        folders = tuple(map(str, found["folders"]))
        return Manifest(str(found["version"]), files, folders, str(found.get("page", "")))
    except (ValueError, TypeError, KeyError, AttributeError):
        return NOTHING


def read(path: str) -> Optional[bytes]:
    """A file's content, ``None`` where there is none. Raises ``OSError``."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def checksum(content: bytes) -> str:
    """The SHA-256 of a content, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def missing_folders(paths: List[str]) -> List[str]:
    """The folders that must be made for these files, the upper ones first."""
    found = set()
    for path in paths:
        folder = os.path.dirname(path)
        while not os.path.isdir(folder):
            found.add(folder)
            folder = os.path.dirname(folder)
    return sorted(found)


def laid_ready(folder: str) -> List[str]:
    """The files that an interrupted transaction left in a folder."""
    return glob.glob(os.path.join(glob.escape(folder), READY + "*"))


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Nobody else installs meanwhile: a lock on the manifest's folder, which leaves no trace.

    Waits for whoever has it. Without it where the folder is missing or its file system has none.
    """
    folder = -1
    try:
        folder = os.open(os.path.dirname(MANIFEST), os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
    except OSError:
        pass
    try:
        yield
    finally:
        if folder >= 0:
            os.close(folder)


class Transaction:
    """Writes and removes files so that all of it is done or, if something fails, nothing.

    ``change`` lays a file ready beside its place and only ``commit`` puts it there; whatever has
    happened, ``close`` leaves no file of its own behind. Each raises ``OSError``, whose
    ``filename`` is the file that was to be changed.
    """

    def __init__(self) -> None:
        # place, what is to stand there, what stood there
        self._steps: List[Tuple[str, Optional[str], Optional[str]]] = []
        self._made: List[str] = []
        self._laid: List[str] = []
        self._done = 0
        self._committed = False

    def change(self, path: str, content: Optional[bytes]) -> None:
        """Let a file have this content, or be gone with ``None``."""
        try:
            for folder in missing_folders([path]) if content is not None else ():
                os.mkdir(folder)
                self._made.append(folder)
                os.chmod(folder, 0o755)
            before, after = self._beside(path, read(path)), self._beside(path, content)
            self._steps.append((path, after, before))
            if before is not None:
                shutil.copystat(path, before)
                shutil.chown(before, os.stat(path).st_uid, os.stat(path).st_gid)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from error

    def _beside(self, path: str, content: Optional[bytes]) -> Optional[str]:
        """A copy of a content in the same folder, readable for all."""
        if content is None:
            return None
        handle, beside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=READY)
        self._laid.append(beside)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        os.chmod(beside, 0o644)
        return beside

    def commit(self) -> None:
        """Put every file in its place."""
        for path, after, _ in self._steps:
            try:
                if after is not None:
                    os.replace(after, path)
                elif os.path.lexists(path):
                    os.unlink(path)
            except OSError as error:
                raise OSError(error.errno, error.strerror, path) from error
            self._done += 1
        self._committed = True

    def close(self) -> None:
        """Undo what was not done to the end, and remove the copies."""
        if not self._committed:
            for path, _, before in reversed(self._steps[: self._done]):
                if before is not None:
                    os.replace(before, path)
                else:
                    os.unlink(path)
        for beside in filter(os.path.lexists, self._laid):
            # all is done or undone by now; what stays is found by the next run
            with contextlib.suppress(OSError):
                os.unlink(beside)
        for folder in reversed(self._made if not self._committed else ()):
            os.rmdir(folder)
