"""Cobbler's objects over XML-RPC, as the command sees them."""

import contextlib
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
)
from xmlrpc.client import Fault

from cobbler_bridge import findings, typed
from cobbler_bridge.problem import Problem
from cobbler_bridge.store import ledger, old_notes, shape, told, versions_over_xmlrpc, wire
from cobbler_bridge.store.inventory import Profile, System
from cobbler_bridge.store.items import (
    PARENTS,
    Data,
    at_top_level,
    distro_of,
    merged_of,
    of_interfaces,
    system_of,
    template_of,
    text_of,
    unreadable_words,
)

# gives a name and a password
Login = Callable[[], Tuple[str, str]]


# what is read of a profile that is one word
_PROFILE_WORDS = ("parent", "distro", "autoinstall", "virt_bridge")


# items for which the server is asked to tell what is remembered
_TRIED = 3


class ItemError(Exception):
    """Cobbler refuses something of one item, and perhaps of no other."""

    def __init__(
        self, kind: str, name: str, wrong: str, right: str = "correct it; cobbler.log has more"
    ) -> None:
        self.problem = Problem(name, kind, wrong, right, findings.COBBLER_REFUSES)
        super().__init__(str(self.problem))


@contextlib.contextmanager
def _naming(kind: str, name: str, what: str = "put its data together") -> Iterator[None]:
    """Have a refusal name the item that it is about, and ``what`` Cobbler can't do."""
    try:
        yield
    except Fault as error:
        raise ItemError(kind, name, "Cobbler can't %s: %s" % (what, error.faultString)) from error
    except RecursionError as error:
        raise ItemError(kind, name, "a variable has too many lists in each other") from error


class XmlRpc:
    """Cobbler's objects over XML-RPC; only writing needs a login, a name and a password.

    A login without a name is by the secret of the cobblerd of this machine: the caller sees to it
    that it goes to no other. Raises what ``wire`` does where cobblerd can't be reached or refuses,
    and ``AnswerError`` for what no Cobbler would answer.
    """

    def __init__(
        self,
        url: str,
        login: Optional[Login] = None,
        timeout: float = wire.TIMEOUT,
        own: Optional[ledger.Ledger] = None,
    ) -> None:
        """``own`` is the ledger of this machine's Cobbler, where that is the one."""
        self._server = wire.server(url, timeout)
        self._login = login
        self._ledger = own
        # of ``systems``
        self._remembered: Dict[str, ledger.Entry] = {}
        self.damaged: List[str] = []
        self.moved = False
        # whether ``systems`` gave less than all
        self.is_part = False
        # whether anything that is remembered was changed
        self.has_written = False
        self._known_token: Optional[str] = None
        self._known: Optional[versions_over_xmlrpc.Remote3] = None
        self._read: Dict[str, Data] = {}
        self._known_parents: Mapping[str, Mapping[str, Data]] = {}

    @property
    def _items(self) -> versions_over_xmlrpc.Remote3:
        if self._known is None:
            self._known = versions_over_xmlrpc.over_xmlrpc(self._server)
        return self._known

    def log_in(self) -> None:
        """Log in, which writing does of itself: for a caller to whom a refusal is the end."""
        assert self._token

    @property
    def _token(self) -> str:
        if self._known_token is None:
            name, password = ("", "") if self._login is None else self._login()
            self._known_token = self._items.login(name, password)
        return self._known_token

    def default_bridge(self) -> str:
        """The setting default_virt_bridge."""
        return str(self.settings().get("default_virt_bridge") or "")

    def write(self, system: System, virt_bridges: Mapping[str, str]) -> None:
        """Remember a system's ``record`` and what is ``noted`` of it, and set the virt_bridge of
        interfaces: only these fields, on the item as it is now; Cobbler's triggers run.

        Raises ``ItemError`` where the ledger can't be written.
        """
        assert self._ledger is not None, "another machine's"
        entry = ledger.Entry(system.uid, system.name, system.record, dict(system.noted))
        self.log_in()
        try:
            self._ledger.write(entry, self._remembered.get(system.name))
        except OSError as error:
            wrong = "%s: %s" % (self._ledger.folder, error.strerror)
            raise ItemError("record", system.name, wrong, "run this as root, with room") from error
        self.has_written = True
        if virt_bridges:
            self._items.set_virt_bridges(system.name, virt_bridges, self._token)

    def wake(self) -> None:
        """Run the triggers of a signal that is about nobody: they see to what is remembered."""
        self._server.run_install_triggers("firstboot", "system", "", "")

    def save(self, name: str) -> None:
        """Save a system as it is, for the triggers, which place it."""
        self._items.save("system", name, self._token)

    def names(self, kind: str) -> List[str]:
        """The names of all systems or profiles."""
        return sorted(shape.texts(self._server.get_item_names(kind), "the names of %ss" % kind))

    def variables(self, kind: str, name: str) -> Optional[Tuple[Data, Data]]:
        """The own variables of a system or profile, and those that it inherits; ``None`` where
        there is none. Raises ``ItemError``."""
        items = self._items
        with _naming(kind, name):
            return items.variables(kind, name)

    def edit(self, kind: str, name: str, changes: Mapping[str, Optional[str]]) -> None:
        """Set some of the own variables of a system or profile; ``None`` takes one away.

        Only these are written, on the item as it is now; Cobbler's triggers run. Raises
        ``ItemError``.
        """
        items, token = self._items, self._token
        with _naming(kind, name, "save it"):
            items.edit_meta(kind, name, changes, token)

    def blended(self, kind: str, name: str) -> Optional[Data]:
        """The blended data of a system or profile (``kind``), ``None`` where there is none.

        Raises ``ItemError``.
        """
        items = self._items
        with _naming(kind, name):
            data = items.blended(kind, name)
        return None if data is None else at_top_level(data)

    def rendered(self, kind: str, name: str) -> str:
        """The install file of a system or profile (``kind``) as a machine gets it; what Cobbler
        says instead where it can't render it. Raises ``ItemError``."""
        with _naming(kind, name, "render its install file"):
            return self._items.rendered(kind, name)

    def systems(self, names: Sequence[str] = ()) -> List[System]:
        """Every system, in the order of their names; or at least those of these names, the hosts
        that they name, and their guests. A pattern may fit any."""
        patterns = any(set("*?[") & set(each) for each in names)
        said = self._told_of(names) if names and not patterns else told.NOTHING
        self.is_part = said.systems is not None
        if said.systems is None:
            said = self._told_of_all()
        items = said.systems
        if items is None:
            items, said = self._items.items("system"), told.Told(self._memory(), None)
        else:
            self._know_parents(said.parents)
        parents = self._parents()
        items = sorted(items, key=lambda item: text_of(item, "name"))
        self._read = {text_of(item, "name"): item for item in items}
        return self._knowing([self._as_system(item, parents) for item in items], said.memory)

    def _told_of_all(self) -> told.Told:
        """What the server's own part of the pack tells, where it has one."""
        names: List[str] = []
        with contextlib.suppress(Fault, wire.AnswerError):
            names = self.names("profile")[:_TRIED]
        # which is the same for every item: one will do of which nothing is wrong
        for name in names:
            with contextlib.suppress(Fault, wire.AnswerError):
                return told.parsed(self._items.script("profile", name, told.SCRIPT))
        return told.NOTHING

    def _told_of(self, names: Sequence[str]) -> told.Told:
        """The same of some systems; nothing where it doesn't know one of them."""
        entries: Dict[str, ledger.Entry] = {}
        damaged: Set[str] = set()
        found: Dict[str, Data] = {}
        said = told.NOTHING
        for name in names:
            try:
                said = told.parsed(self._items.script("system", name, told.SCRIPT))
            except (Fault, wire.AnswerError):
                return told.NOTHING
            found.update((text_of(each, "name"), each) for each in said.systems or ())
            if name not in found:
                return told.NOTHING
            entries.update((each.uid, each) for each in said.memory.entries)
            damaged.update(said.memory.damaged)
        memory = ledger.Memory(list(entries.values()), sorted(damaged), said.memory.moved)
        return told.Told(memory, list(found.values()), said.parents)

    def _knowing(self, systems: List[System], memory: ledger.Memory) -> List[System]:
        """Systems with what is remembered of each."""
        self.damaged, self.moved = memory.damaged, memory.moved
        uids = {each.name: each.uid for each in systems}
        self._remembered = ledger.owners(memory.entries, uids)
        found = []
        for each in systems:
            entry = self._remembered.get(each.name)
            if entry is not None:
                each = each._replace(record=entry.record, noted=entry.placed)
            elif not memory.moved:
                record, placed = old_notes.of(each.own_meta)
                each = each._replace(record=record, noted=placed)
            found.append(each)
        return found

    def _memory(self) -> ledger.Memory:
        """Of this machine by its files, where they can be read, or else as the server tells it."""
        with contextlib.suppress(PermissionError):
            if self._ledger is not None:
                return self._ledger.memory()
        # which is the same for every item: one will do of which nothing is wrong
        items = [("profile", name) for name in list(self._parents()["profile"])[:_TRIED]]
        items += [("system", name) for name in list(self._read)[:_TRIED]]
        for kind, name in items:
            with contextlib.suppress(Fault, wire.AnswerError):
                return told.parsed(self._items.script(kind, name, told.SCRIPT)).memory
        return told.NOTHING.memory

    def alike(self, name: str) -> str:
        """The same for all of ``systems`` whose blended data differ by ``with_own`` only."""
        item = self._read[name]
        known = typed.text(item["alike"]) if "alike" in item else told.likeness(item)
        return known or "=" + name

    def shared(self, system: System) -> Data:
        """What blended data have of Cobbler's own, the same for all systems that are alike: nothing
        that comes of a system's name, its variables or its interfaces. Raises ``ItemError``."""
        items = self._items
        with _naming("system", system.name):
            data = items.blended_fields("system", system.name) or {}
        own = self._laid_over(system)
        return at_top_level({field: data[field] for field in data if field not in own})

    def with_own(self, data: Mapping[str, Any], system: System) -> Data:
        """What is ``shared`` with the name, the variables and the interfaces of one of
        ``systems``: its blended data."""
        return at_top_level({**data, **self._laid_over(system)})

    def _laid_over(self, system: System) -> Data:
        interfaces = self._read[system.name].get("interfaces")
        return {
            **of_interfaces(typed.fields(interfaces)),
            "autoinstall_meta": dict(system.meta),
            "name": system.name,
            "system_name": system.name,
            "interfaces": interfaces,
        }

    def profiles(self) -> List[Profile]:
        """Every profile, in the order of their names."""
        parents = self._parents()
        return [
            Profile(
                name=text_of(item, "name"),
                meta=merged_of(item, parents),
                template=template_of(item, parents),
                virt_bridge=text_of(item, "virt_bridge"),
                distro=distro_of(item, parents),
                unreadable=tuple(unreadable_words(item, _PROFILE_WORDS)),
            )
            for _, item in sorted(parents["profile"].items())
        ]

    @property
    def imports_need_leave(self) -> bool:
        """Whether a setting must list what the snippets import."""
        return self._items.imports_need_leave

    @property
    def equals_stay(self) -> bool:
        """Whether an item can have a variable of its own that is as the inherited one."""
        return self._items.equals_stay

    def settings(self) -> Data:
        """Cobbler's settings."""
        return shape.struct(self._server.get_settings(), "the settings")

    def _as_system(self, item: Data, parents: Mapping[str, Mapping[str, Data]]) -> System:
        return system_of(item, merged_of(item, parents), template_of(item, parents))

    def _parents(self) -> Mapping[str, Mapping[str, Data]]:
        """What systems and profiles inherit from, by name, as it was when it was asked for."""
        if not self._known_parents:
            self._know_parents({kind: self._items.items(kind) for kind in PARENTS})
        return self._known_parents

    def _know_parents(self, items: Mapping[str, List[Data]]) -> None:
        self._known_parents = {
            kind: {text_of(item, "name"): item for item in items[kind]} for kind in PARENTS
        }
