"""Cobbler's objects as a trigger sees them, inside cobblerd."""

import contextlib
import logging
import threading
from typing import Any, Iterator, List, Mapping, Optional, Tuple

from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import wants_bridge
from cobbler_bridge.problem import one_line, shown
from cobbler_bridge.store import old_notes, room, told, versions
from cobbler_bridge.store.index import host_of, index_of
from cobbler_bridge.store.inventory import System, address
from cobbler_bridge.store.items import PARENTS, Data, as_dict, at_top_level, system_of
from cobbler_bridge.store.ledger import Entry, Ledger, Memory

_LOG = logging.getLogger(__name__)

# one save at a time: what one leaves behind that fails is put right before the next begins
_SAVING = threading.RLock()


class SaveError(Exception):
    """Something could not be saved; it is as before, in memory and on disk."""


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """What can't be saved, as ``SaveError``."""
    try:
        yield
    except SaveError:
        raise
    except (Exception, SystemExit) as error:
        # Cobbler exits where it can't make its lock
        raise SaveError("%s: %s" % (type(error).__name__, error)) from error


class InProcess:
    """Cobbler's objects as a trigger sees them, inside cobblerd."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._items = versions.in_process(api)

    def system(self, name: Any) -> Optional[System]:
        """A system by its name, ``None`` where there is none, or where it is no name."""
        item = self._find("system", name)
        return None if item is None else self._system(item)

    def systems_at(self, caller: Any) -> List[str]:
        """The systems that have an address written down, by name."""
        wanted = address(caller)
        return [] if wanted is None else index_of(self._api).at(wanted)

    def to_install(self, name: str) -> bool:
        """Whether Cobbler's own data say that this system is to be installed."""
        item = self._find("system", name)
        if item is None:
            return False
        self._items.load(item)
        # Cobbler turns it off, and saves, when the installation is done, before it is told so;
        # what an edit has that is not saved yet is nobody's decision
        return bool(self._stored(item).get("netboot_enabled", item.netboot_enabled))

    def as_saved(self, host: System) -> System:
        """A system as it is on disk, whatever an edit has that is not saved yet; as it is in memory
        where it is nowhere else, and its interfaces where these are items of their own."""
        item = self._find("system", host.name)
        stored = {} if item is None else self._stored(item)
        if not stored:
            return host
        profile = self._items.profile_of(item)
        inherited = {} if profile is None else self._items.meta(profile)
        meta = versions.merged([stored.get("autoinstall_meta"), inherited])
        found = system_of(versions.plain(stored), meta, host.template)
        if stored.get("profile") == item.profile:
            # which may be a uid
            found = found._replace(profile=host.profile)
        if self._items.has_interfaces_apart:
            found = found._replace(interfaces=host.interfaces)
        return found._replace(record=host.record, noted=host.noted)

    def is_saved(self, host: System) -> bool:
        """Whether the variables of a system and of its profile, and which of its interfaces is a
        port of which, are on disk as they are in memory."""
        saved, item = self.as_saved(host), self._find("system", host.name)
        if (saved.profile, saved.own_meta) != (host.profile, host.own_meta):
            return False
        if _masters(saved) != _masters(host):
            return False
        profile = None if item is None else self._items.profile_of(item)
        if profile is None:
            return True
        own = self._own(profile)
        return as_dict(self._stored(profile).get("autoinstall_meta", own)) == own

    def profile_meta(self, name: Any) -> Optional[Data]:
        """A profile's variables with what it inherits, ``None`` where there is no such profile."""
        item = self._find("profile", name)
        return None if item is None else as_dict(self._items.meta(item))

    def name_of(self, kind: str, name: Any) -> str:
        """The name of a system or profile as it is written; empty where there is none."""
        item = self._find(kind, name)
        return "" if item is None else str(item.name)

    def blended(self, kind: str, name: str) -> Optional[Data]:
        """The blended data of a system or profile (``kind``) as its kickstart's template sees
        them, ``None`` where there is none."""
        # Cobbler's own modules exist where cobblerd runs, and nowhere else
        from cobbler import utils

        item = self._find(kind, name)
        return None if item is None else at_top_level(utils.blender(self._api, False, item))

    def default_bridge(self) -> str:
        """The setting default_virt_bridge."""
        return str(self._api.settings().default_virt_bridge)

    def write(self, system: System, virt_bridges: Mapping[str, str]) -> None:
        """Remember a system's ``record`` and what is ``noted`` of it, and set the virt_bridge of
        interfaces: only these fields, on the item as it is now, and no trigger runs.

        Raises ``SaveError``, and then nothing is changed.
        """
        item = self._find("system", system.name)
        if item is None:
            raise SaveError("there is no system %s any more" % shown(system.name))
        with _SAVING, _refusing():
            before = self._entry(item, system.name)
            entry = Entry(str(item.uid), system.name, system.record, dict(system.noted))
            if entry == before or (before is None and entry.is_empty):
                self._set(item, virt_bridges)
                return
            with self._ledger.laid(entry, before):
                self._set(item, virt_bridges)

    def _set(self, item: Any, virt_bridges: Mapping[str, str]) -> None:
        if virt_bridges:
            with self._saved_whole(item, list(virt_bridges)):
                for interface, bridge in virt_bridges.items():
                    self._items.set_virt_bridge(item, interface, bridge)

    @contextlib.contextmanager
    def _saved_whole(self, item: Any, interfaces: List[str]) -> Iterator[None]:
        """Save an item, and these interfaces of it, as the block changes them; they are as before,
        in memory and on disk, where that fails."""
        self._items.load(item)
        touched = self._items.fields_of(item, interfaces)
        before = [dict(fields) for fields in touched]
        try:
            with room.kept(self._items.files_of(item, interfaces)):
                yield
                self._items.save(item, interfaces)
        except (Exception, SystemExit):
            # Cobbler exits where it can't make its lock
            for fields, old in zip(touched, before):
                fields.update(old)
            self._items.touch(item)
            raise

    def take_back(self, name: str) -> bool:
        """Make what is remembered of a system that is no more that of the one that has its name
        now; whether there was any.

        Raises ``SaveError``, and then nothing is changed.
        """
        item = self._find("system", name)
        entry = None if item is None else self._entry(item, str(item.name))
        if entry is None or entry.uid == str(item.uid):
            return False
        with _SAVING, _refusing():
            self._ledger.write(entry._replace(uid=str(item.uid), name=str(item.name)), entry)
        return True

    def move_notes(self) -> None:
        """Move what version 0.1 noted in autoinstall_meta into the ledger, once, and out of there.

        What is cut off or fails, the next call does again.
        """
        index, ledger = index_of(self._api), self._ledger
        if index.moved or ledger.moved:
            index.moved = True
            return
        systems = list(self._api.systems())
        if not systems:
            # Cobbler 4.0 runs triggers as it starts, before it has loaded any
            return
        noted = [each for each in systems if set(keys.ONCE) & set(self._own(each))]
        failed = False
        for item in noted:
            try:
                with _SAVING, _refusing():
                    self._move(item)
            except SaveError as error:
                failed = True
                _LOG.error("cobbler-bridge: %s: not moved: %s", one_line(str(item.name)), error)
        if not failed:
            with _refusing():
                ledger.note_moved()
            index.moved = True

    def _move(self, item: Any) -> None:
        # the entry first: what is cut off behind it is done again, and then it is there
        system = self._system(item)
        entry = Entry(system.uid, system.name, system.record, dict(system.noted))
        if self._entry(item, system.name) is None and not entry.is_empty:
            self._ledger.write(entry)
        own = self._own(item)
        with self._saved_whole(item, []):
            left = {key: own[key] for key in own if key not in keys.ONCE}
            self._items.set_own_meta(item, left)

    def told(self, name: str) -> str:
        """What the command is told: of all systems, or of those that have to do with one."""
        items, ledger = self._items, self._ledger
        if name:
            item = self._find("system", name)
            host = None if item is None else host_of(items, item, {})
            names = dict.fromkeys([name, host, *index_of(self._api).of_saved(name)])
            found = [self._find("system", each) for each in names if isinstance(each, str)]
            known = [each for each in found if each is not None]
            entries = {each.name: self._entry(each, each.name) for each in known}
            lost = [each for each in known if entries[each.name] is None]
            damaged = [each.name for each in lost if ledger.has(str(each.uid), each.name)]
            remembered = [each for each in entries.values() if each is not None]
            memory = Memory(remembered, damaged, ledger.moved)
        else:
            known, memory = list(self._api.systems()), ledger.memory()
        profiles: Data = {}
        systems = [self._told(each, profiles) for each in known]
        parents = {
            kind: [
                told.above(items.told_above(each), self._own(each))
                for each in getattr(self._api, kind + "s")()
            ]
            for kind in PARENTS
        }
        return told.as_text(told.Told(memory, systems, parents))

    def _told(self, item: Any, profiles: Data) -> Data:
        fields, own = self._items.told(item), self._own(item)
        if item.profile not in profiles:
            profile = self._items.profile_of(item)
            inherited = {} if profile is None else as_dict(self._items.meta(profile))
            profiles[item.profile] = wants_bridge(inherited)
        is_host = profiles[item.profile] or wants_bridge({**fields, **own})
        return told.item(fields, own, is_host)

    def guests_of(self, host: str) -> List[str]:
        """The systems that name this host, by name."""
        return index_of(self._api).of(host)

    def saved(self, name: str) -> None:
        """Take note of a system that was saved or removed."""
        index_of(self._api).update(name)

    def interface_saved(self, name: str) -> List[str]:
        """The systems whose interface of this name was saved by itself since the last time; where
        nothing is known of that, the one of the last save."""
        known = index_of(self._api).interfaces
        found = self._items.saved_interfaces(name)
        last = max(found.values(), default=0.0)
        since = known.get(name, last - 1e-6)
        if found:
            known[name] = last
        items = [self._items.find_uid(uid) for uid, when in found.items() if when > since]
        return [str(item.name) for item in items if item is not None]

    def profile_changed(self, name: str) -> List[str]:
        """The guests whose host changed with this profile or distro; none if it is neither."""
        known = any(self._find(kind, name) is not None for kind in ("profile", "distro"))
        return index_of(self._api).inherited() if known else []

    def _find(self, kind: str, name: str) -> Any:
        return self._items.find(kind, name)

    def _own(self, item: Any) -> Data:
        return as_dict(self._items.own_meta(item))

    @property
    def _ledger(self) -> Ledger:
        return index_of(self._api).ledger

    def _entry(self, item: Any, name: str) -> Optional[Entry]:
        try:
            return self._ledger.find(str(item.uid), name, self._is_there)
        except OSError as error:
            # what nobody can read can't be saved either, and nothing must follow from it
            raise SaveError("%s: %s" % (type(error).__name__, error)) from error

    def _is_there(self, uid: str) -> bool:
        return any(each.uid == uid for each in self._api.systems())

    def _system(self, item: Any) -> System:
        items = self._items
        found = system_of(items.fields(item), items.meta(item), items.template(item))
        entry = self._entry(item, found.name)
        if entry is not None:
            return found._replace(record=entry.record, noted=entry.placed)
        if index_of(self._api).moved or self._ledger.moved:
            return found
        record, placed = old_notes.of(found.own_meta)
        return found._replace(record=record, noted=placed)

    def _stored(self, item: Any) -> Data:
        """An item as it is on disk; nothing where it isn't there, or is another's."""
        try:
            stored = self._items.stored(item)
            return stored if stored.get("uid") == item.uid else {}
        except (Exception, SystemExit):
            # whichever way Cobbler keeps its objects: a new one is nowhere yet; and Cobbler exits
            # where it can't make its lock
            return {}


def of_cobblerd() -> InProcess:
    """The objects of the cobblerd that this is called in."""
    # Cobbler's own modules exist where cobblerd runs, and nowhere else
    from cobbler.api import CobblerAPI

    # each has the state of the first one
    return InProcess(CobblerAPI())


def _masters(system: System) -> List[Tuple[str, str, str]]:
    return [(each.name, each.kind, each.master) for each in system.interfaces]
