"""Which systems name a host, and which have an address, so that nobody looks at all of them."""

import threading
from typing import Any, Dict, List, Optional, Set, Tuple

from cobbler_bridge.addresses import Address
from cobbler_bridge.description import keys
from cobbler_bridge.store import versions
from cobbler_bridge.store.inventory import address
from cobbler_bridge.store.items import PARENTS, as_dict
from cobbler_bridge.store.ledger import Ledger

# where an api has it
_INDEX = "_index_of_cobbler_bridge"


class Index:
    """Which systems name which host and which have which address, so that no trigger and no signal
    needs to look at all of them.

    Kept up by the triggers; a system that came, went, was renamed or got another address without
    them is noticed by the count of names, or because it isn't what it was found for.
    """

    def __init__(self, api: Any) -> None:
        self._api = api
        self._lock = threading.RLock()
        self._host_of: Dict[str, str] = {}
        self._guests: Dict[str, Set[str]] = {}
        self._addresses: Dict[str, Set[Address]] = {}
        self._at: Dict[Address, Set[str]] = {}
        self._names: Optional[Set[str]] = None
        # when each system was saved, and what systems inherit from, as they were looked at
        self._saved: Dict[str, Any] = {}
        self._above: Dict[Tuple[str, str], Any] = {}
        # the host that each profile named when one was last saved
        self._profiles: Optional[Dict[str, Any]] = None
        # systems of a name that another one has, too
        self._doubles = 0
        # when one of the interfaces of a name was last saved, where these are items of their own
        self.interfaces: Dict[str, float] = {}
        self.ledger = Ledger()
        # nothing counts any more of what version 0.1 noted in autoinstall_meta
        self.moved = False

    def of(self, host: str) -> List[str]:
        """The systems that name a host."""
        with self._lock:
            names = self._guests.get(host, set())
            if self._is_old() or any(self._find(name) is None for name in names):
                self.rebuild()
            return sorted(self._guests.get(host, ()))

    def of_saved(self, host: str) -> List[str]:
        """The same with what was saved past the triggers: for who is asked and not told."""
        with self._lock:
            items = self._items
            above = _above(items, self._api)
            if self._is_old() or above != self._above:
                self.rebuild()
                self._above = above
            for item in self._api.systems():
                when = items.saved_at(item)
                if self._saved.get(item.name) != when:
                    self._saved[item.name] = when
                    self.update(item.name)
            return self.of(host)

    def at(self, wanted: Address) -> List[str]:
        """The systems that have an address."""
        with self._lock:
            names = self._at.get(wanted, set())
            if self._is_old() or any(wanted not in self._written(name) for name in names):
                self.rebuild()
            return sorted(self._at.get(wanted, ()))

    def update(self, name: str) -> None:
        """Look at one system again; or at all of them later, where it may be any's interface."""
        with self._lock:
            if self._names is None:
                return
            item = self._find(name)
            if item is not None:
                self._names.add(name)
            elif name in self._names:
                self._names.discard(name)
            elif self._items.has_interfaces_apart:
                self._names = None
                return
            self._set_host(name, None if item is None else host_of(self._items, item, {}))
            self._set_addresses(name, self._written(name))

    def rebuild(self) -> None:
        """Look at every system."""
        with self._lock:
            profiles: Dict[str, Any] = {}
            self._host_of, self._guests = {}, {}
            self._addresses, self._at = {}, {}
            self._names = set()
            self._saved = {}
            items = self._items
            for item in self._api.systems():
                self._names.add(item.name)
                self._saved[item.name] = items.saved_at(item)
                self._set_host(item.name, host_of(items, item, profiles))
                self._set_addresses(item.name, _written_on(items, item))
            self._doubles = self._count() - len(self._names)

    def inherited(self) -> List[str]:
        """The systems that inherit another host since the last time; the first time, those that
        inherit one."""
        with self._lock:
            items = self._items
            now = {items.reference(each): _host_in(items, each) for each in self._api.profiles()}
            before, self._profiles = self._profiles, now
            changed = {key for key in now if now[key] != (before or {}).get(key)}
            found = []
            for item in self._api.systems() if changed else ():
                if item.profile in changed and not _own_host(items, item):
                    found.append(item.name)
            for name in found:
                self.update(name)
            return found

    def _is_old(self) -> bool:
        return self._names is None or len(self._names) + self._doubles != self._count()

    def _set_host(self, name: str, host: Any) -> None:
        old = self._host_of.pop(name, None)
        if old is not None:
            self._guests[old].discard(name)
        if isinstance(host, str) and host:
            self._host_of[name] = host
            self._guests.setdefault(host, set()).add(name)

    def _set_addresses(self, name: str, found: Set[Address]) -> None:
        for each in self._addresses.pop(name, ()):
            self._at[each].discard(name)
        if found:
            self._addresses[name] = found
        for each in found:
            self._at.setdefault(each, set()).add(name)

    def _written(self, name: str) -> Set[Address]:
        item = self._find(name)
        return set() if item is None else _written_on(self._items, item)

    @property
    def _items(self) -> versions.Cobbler33:
        return versions.in_process(self._api)

    def _find(self, name: str) -> Any:
        return self._items.find("system", name)

    def _count(self) -> int:
        return len(self._api.systems().listing)


def host_of(items: versions.Cobbler33, item: Any, profiles: Dict[str, Any]) -> Any:
    """The host that an item names; ``profiles`` remembers what each profile says."""
    own = _own_host(items, item)
    if own:
        return own[0]
    if item.profile not in profiles:
        profile = items.profile_of(item)
        profiles[item.profile] = None if profile is None else _host_in(items, profile)
    return profiles[item.profile]


def _own_host(items: versions.Cobbler33, item: Any) -> Tuple[Any, ...]:
    """The host that a system names itself; nothing where it is inherited."""
    own = as_dict(items.own_meta(item))
    says = keys.HOST.name in own or "!" + keys.HOST.name in own
    return (own.get(keys.HOST.name),) if says else ()


def _host_in(items: versions.Cobbler33, profile: Any) -> Any:
    """The host that a profile names, with what it inherits."""
    return items.meta(profile).get(keys.HOST.name)


def _written_on(items: versions.Cobbler33, item: Any) -> Set[Address]:
    """The addresses that an item itself has, without a look at what it inherits."""
    own = as_dict(items.own_meta(item))
    texts = [own.get(keys.IPV4.name), own.get(keys.IPV6.name), *items.addresses(item)]
    found = (address(text) for text in texts if text)
    return {each for each in found if each is not None}


def _above(items: versions.Cobbler33, api: Any) -> Dict[Tuple[str, str], Any]:
    """When each item that a system may inherit from was saved."""
    found = [(kind, each) for kind in PARENTS for each in getattr(api, kind + "s")()]
    return {(kind, each.name): items.saved_at(each) for kind, each in found}


def index_of(api: Any) -> Index:
    """The one index of an api, and of all that share its state, as every one in cobblerd does."""
    state = vars(api)
    if _INDEX not in state:
        state.setdefault(_INDEX, Index(api))
    found: Index = state[_INDEX]
    return found
