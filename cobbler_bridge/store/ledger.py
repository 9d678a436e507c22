"""What is remembered of systems: a file for each, beside Cobbler's collections and in none of them.

So nobody who writes a system, by whatever way, writes it. An entry is a system's by its uid: that
stays when it is renamed, and a copy has another. A system whose uid has no entry takes the one of
its name whose system is no more: removed and created again, or files restored, it has it back.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import tempfile
import threading
import time
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional
from urllib.parse import quote, unquote

from cobbler_bridge import typed
from cobbler_bridge.description import values
from cobbler_bridge.description.xen_mode import UNBRIDGED
from cobbler_bridge.problem import line
from cobbler_bridge.store.host_record import DRIFTS, STATES, Record

FOLDER = "/var/lib/cobbler/bridge_records"
_LOG = logging.getLogger(__name__)
_FORMAT = 1
_END = ".json"
# is there once nothing is left in autoinstall_meta of what version 0.1 noted there
_MOVED = ".moved"
# where entries are written before they count: who lists the others is not disturbed by it
_LAID = ".laid"
# of a name of a file, which may have 255
_PART = 100


class Entry(NamedTuple):
    """What is remembered of a system: its record where it is a host, and the bridge that each
    interface was given where it is a guest."""

    uid: str
    name: str
    record: Optional[Record] = None
    placed: Mapping[str, str] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remember."""
        return self.record is None and not self.placed


class Memory(NamedTuple):
    """All that is remembered; ``damaged`` names the systems whose file can't be read. ``moved``:
    whether what version 0.1 noted elsewhere doesn't count any more."""

    entries: List[Entry]
    damaged: List[str]
    moved: bool


class Ledger:
    """The files. Raises ``OSError`` where they can't be read or written."""

    def __init__(self, folder: Optional[str] = None) -> None:
        self.folder = FOLDER if folder is None else folder
        self._lock = threading.RLock()
        # as the folder was when it was last looked at: its files by uid and by name
        self._as_of = -1
        self._by_uid: Dict[str, str] = {}
        self._by_name: Dict[str, List[str]] = {}

    def find(self, uid: str, name: str, is_there: Callable[[str], bool]) -> Optional[Entry]:
        """The entry of a system; ``is_there`` says whether any system has a uid."""
        try:
            if uid:
                return self._read(_file_of(uid, name))
        except FileNotFoundError:
            pass
        except ValueError as error:
            _LOG.error("cobbler-bridge: %s: %s", self._path(_file_of(uid, name)), error)
            return None
        with self._lock:
            self._look()
            renamed = self._by_uid.get(_part(uid)) if uid else None
            files = [renamed] if renamed else list(self._by_name.get(_part(name), ()))
        found = [each for each in map(self._readable, files) if each is not None]
        if not renamed:
            found = [each for each in found if each.name == name and not is_there(each.uid)]
        return max(found, key=_age, default=None)

    def has(self, uid: str, name: str) -> bool:
        """Whether there is a file of a system, readable or not."""
        return bool(uid) and os.path.exists(self._path(_file_of(uid, name)))

    def memory(self) -> Memory:
        """Everything."""
        entries, damaged = [], []
        try:
            files = sorted(os.listdir(self.folder))
        except FileNotFoundError:
            files = []
        for file in files:
            if file.endswith(_END):
                try:
                    entries.append(self._read(file))
                except FileNotFoundError:
                    # another one has its place by now
                    continue
                except (OSError, ValueError):
                    damaged.append(unquote(file.partition("=")[0]))
        return Memory(entries, damaged, self.moved)

    @property
    def moved(self) -> bool:
        """Whether what version 0.1 noted elsewhere is all here."""
        return os.path.exists(self._path(_MOVED))

    def note_moved(self) -> None:
        """It is."""
        self._make()
        with open(self._path(_MOVED), "w", encoding="ascii"):
            pass

    def write(self, entry: Entry, before: Optional[Entry] = None) -> None:
        """Write an entry in the place of the one that ``find`` gave; an empty one goes."""
        with self.laid(entry, before):
            pass

    @contextlib.contextmanager
    def laid(self, entry: Entry, before: Optional[Entry] = None) -> Iterator[None]:
        """Have an entry on disk, that counts when the block is done; nothing changes if it
        raises. What comes after the block needs no room."""
        self._make()
        handle, laid = tempfile.mkstemp(dir=self._path(_LAID))
        try:
            with open(handle, "w", encoding="ascii") as file:
                file.write(json.dumps(_as_data(entry), sort_keys=True) + "\n")
                file.flush()
                os.fsync(handle)
            yield
            self._put(laid, entry, before)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(laid)

    def _put(self, laid: str, entry: Entry, before: Optional[Entry]) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            # other processes too
            fcntl.flock(folder, fcntl.LOCK_EX)
            with self._lock:
                was = os.fstat(folder).st_mtime_ns
                new = _file_of(entry.uid, entry.name)
                gone = {_file_of(before.uid, before.name)} if before is not None else set()
                if entry.is_empty:
                    gone.add(new)
                else:
                    os.replace(laid, self._path(new))
                    gone.discard(new)
                for file in gone:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(self._path(file))
                os.fsync(folder)
                # two changes within one tick of the clock are told apart
                now = max(was + 1, int(time.time() * 1e9))
                os.utime(self.folder, ns=(now, now))
                if self._as_of == was:
                    self._as_of = os.fstat(folder).st_mtime_ns
                    for file in gone:
                        self._forget(file)
                    if not entry.is_empty:
                        self._forget(new)
                        self._know(new)
        finally:
            os.close(folder)

    def _make(self) -> None:
        for folder in (self.folder, self._path(_LAID)):
            os.makedirs(folder, 0o700, exist_ok=True)

    def _look(self) -> None:
        """Know which files there are, also where another process wrote them."""
        try:
            now = os.stat(self.folder).st_mtime_ns
        except FileNotFoundError:
            now = 0
        if now == self._as_of:
            return
        self._by_uid, self._by_name = {}, {}
        for file in os.listdir(self.folder) if now else ():
            if file.endswith(_END):
                self._know(file)
        self._as_of = now

    def _know(self, file: str) -> None:
        name, _, uid = file[: -len(_END)].partition("=")
        self._by_uid[uid] = file
        self._by_name.setdefault(name, []).append(file)

    def _forget(self, file: str) -> None:
        name, _, uid = file[: -len(_END)].partition("=")
        if self._by_uid.get(uid) == file:
            del self._by_uid[uid]
        if file in self._by_name.get(name, ()):
            self._by_name[name].remove(file)

    def _path(self, file: str) -> str:
        return os.path.join(self.folder, file)

    def _readable(self, file: str) -> Optional[Entry]:
        try:
            return self._read(file)
        except (FileNotFoundError, ValueError):
            return None

    def _read(self, file: str) -> Entry:
        """Raises ``ValueError`` for what is no entry."""
        with open(self._path(file), encoding="ascii") as content:
            try:
                return _entry(json.load(content))
            except RecursionError as error:
                raise ValueError("is too deep") from error


def owners(entries: Iterable[Entry], uids: Mapping[str, str]) -> Dict[str, Entry]:
    """Which entry is which system's, by its name, as ``find`` would say it; ``uids`` are those of
    all systems, by their names."""
    known = {each.uid: each for each in entries}
    found = {name: known[uid] for name, uid in uids.items() if uid and uid in known}
    there = set(uids.values()) - {""}
    for entry in sorted(known.values(), key=_age, reverse=True):
        if entry.uid not in there and entry.name in uids:
            found.setdefault(entry.name, entry)
    return found


def _age(entry: Entry) -> str:
    return "" if entry.record is None else entry.record.since


def _part(text: str) -> str:
    """A part of a name of a file that is another one for every text."""
    part = quote(text, safe="", errors="surrogatepass")
    return part if len(part) <= _PART else "%" + hashlib.sha256(part.encode()).hexdigest()


def _file_of(uid: str, name: str) -> str:
    return "%s=%s%s" % (_part(name), _part(uid), _END)


def _as_data(entry: Entry) -> Dict[str, Any]:
    record = {} if entry.record is None else {"record": dict(entry.record._asdict())}
    placed = {"placed": dict(entry.placed)} if entry.placed else {}
    return {"format": _FORMAT, "uid": entry.uid, "name": entry.name, **record, **placed}


def _entry(data: Any) -> Entry:
    """Raises ``ValueError`` for what none of ours is."""
    fields = typed.fields(data)
    if fields.get("format") != _FORMAT:
        raise ValueError("is no entry, or of a newer cobbler-bridge")
    record = None if fields.get("record") is None else _record(typed.fields(fields["record"]))
    placed = typed.fields(fields.get("placed"))
    return Entry(
        _text(fields, "uid"),
        _text(fields, "name"),
        record,
        {nic: _text(placed, nic) for nic in placed},
    )


def _record(fields: Dict[str, Any]) -> Record:
    state, unbridged = _text(fields, "state"), _text(fields, "unbridged")
    if state not in STATES or unbridged not in ("", *UNBRIDGED):
        raise ValueError("%s or %s is unknown" % (line(state), line(unbridged)))
    drift = _text(fields, "drift")
    if drift not in ("", *DRIFTS):
        raise ValueError("%s is unknown" % line(drift))
    return Record(
        _names(fields, "bridges"),
        state,
        _text(fields, "since"),
        unbridged,
        _names(fields, "before"),
        _text(fields, "reason"),
        _text(fields, "seen"),
        drift,
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise ValueError("%s is no text" % line(name))
    return value


def _names(fields: Mapping[str, Any], name: str) -> Any:
    value = fields.get(name, [])
    if not isinstance(value, list):
        raise ValueError("%s is no list" % name)
    # a name from here ends up in a guest's virt_bridge, and so on Koan's command line
    return tuple(values.device_name(each) for each in map(str, value))


def as_data(memory: Memory) -> Dict[str, Any]:
    """All of it for JSON."""
    return {**memory._asdict(), "entries": [_as_data(each) for each in memory.entries]}


def memory_of(data: Mapping[str, Any]) -> Memory:
    """What ``as_data`` says; an empty memory for what was never that."""
    try:
        entries, damaged, moved = data["entries"], data["damaged"], data["moved"]
    except KeyError:
        return Memory([], [], False)
    found = []
    damaged = [str(each) for each in damaged] if isinstance(damaged, list) else []
    for each in entries if isinstance(entries, list) else ():
        try:
            found.append(_entry(each))
        except ValueError:
            damaged.append(str(typed.fields(each).get("name")))
    return Memory(found, damaged, moved is True)
