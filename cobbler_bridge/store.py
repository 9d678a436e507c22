"""The one module that knows Cobbler's API: inside cobblerd, and over XML-RPC."""

import threading
import weakref
import xmlrpc.client
from typing import Any, Dict, Iterable, List, Mapping, Optional, Set

from cobbler_bridge import dialects, keys
from cobbler_bridge.inventory import Interface, System

Data = Dict[str, Any]


class InProcess:
    """Cobbler's objects as a trigger sees them, inside cobblerd."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._items = dialects.in_process(api)

    def system(self, name: str) -> Optional[System]:
        """A system by its name, ``None`` where there is none."""
        item = self._find("system", name)
        return None if item is None else _system(self._items.fields(item), self._items.meta(item))

    def blended(self, kind: str, name: str) -> Optional[Data]:
        """The blended data of a system or profile (``kind``) as its kickstart's template sees
        them, ``None`` where there is none."""
        # Cobbler's own modules exist where cobblerd runs, and nowhere else
        from cobbler import utils

        item = self._find(kind, name)
        return None if item is None else _at_top_level(utils.blender(self._api, False, item))

    def default_bridge(self) -> str:
        """The setting default_virt_bridge."""
        return str(self._api.settings().default_virt_bridge)

    def write(
        self, name: str, virt_bridges: Mapping[str, str], meta: Mapping[str, Optional[str]]
    ) -> None:
        """Set the virt_bridge of interfaces, and own variables (``None`` removes one).

        Only these fields are written, on the item as it is now, and no trigger runs.
        """
        item = self._find("system", name)
        for interface, bridge in virt_bridges.items():
            self._items.set_virt_bridge(item, interface, bridge)
        if meta:
            before = _as_dict(self._items.own_meta(item))
            own = {key: value for key, value in before.items() if key not in meta}
            own.update({key: value for key, value in meta.items() if value is not None})
            self._items.set_own_meta(item, own)
        self._items.save(item)

    def guests_of(self, host: str) -> List[str]:
        """The systems that name this host, by name."""
        return _guests(self._api).of(host)

    def saved(self, name: str) -> None:
        """Take note of a system that was saved or removed."""
        _guests(self._api).update(name)

    def profile_changed(self, name: str) -> List[str]:
        """The guests whose host changed with this profile; none if it is no profile."""
        return _guests(self._api).rebuild() if self._find("profile", name) is not None else []

    def _find(self, kind: str, name: str) -> Any:
        # Cobbler takes a search without a name for a mistake of its caller
        return self._items.find(kind, name) if name else None


class XmlRpc:
    """Cobbler's objects over XML-RPC; reading needs no login.

    Raises ``OSError`` or ``xmlrpc.client.Error`` where cobblerd can't be reached or refuses.
    """

    def __init__(self, url: str) -> None:
        self._server: Any = xmlrpc.client.ServerProxy(url, allow_none=True)
        self._dialect: Optional[dialects.Remote3] = None

    @property
    def _items(self) -> dialects.Remote3:
        if self._dialect is None:
            self._dialect = dialects.over_xmlrpc(self._server)
        return self._dialect

    def blended(self, kind: str, name: str) -> Optional[Data]:
        """The blended data of a system or profile (``kind``), ``None`` where there is none."""
        data = self._items.blended(kind, name)
        return None if data is None else _at_top_level(data)

    def systems(self) -> List[System]:
        """Every system, in the order of their names."""
        parents = {
            kind: {item["name"]: item for item in self._items.items(kind)}
            for kind in ("distro", "profile")
        }
        return [
            _system(item, _merged(item, parents))
            for item in sorted(self._items.items("system"), key=lambda item: item["name"])
        ]


class _Guests:
    """Which systems name which host, so that a trigger needn't look at all of them.

    Kept up by the triggers; a system that came, went or was renamed without them is noticed by
    the count of names or by its missing name.
    """

    def __init__(self, api: Any) -> None:
        # weakly: the index is kept by its api, and must not keep it alive
        self._reference = weakref.ref(api)
        self._lock = threading.RLock()
        self._host_of: Dict[str, str] = {}
        self._guests: Dict[str, Set[str]] = {}
        self._names: Optional[Set[str]] = None

    @property
    def _api(self) -> Any:
        return self._reference()

    def of(self, host: str) -> List[str]:
        with self._lock:
            names = self._guests.get(host, set())
            known = -1 if self._names is None else len(self._names)
            if known != self._systems() or any(self._find(name) is None for name in names):
                self.rebuild()
            return sorted(self._guests.get(host, ()))

    def update(self, name: str) -> None:
        with self._lock:
            if self._names is None:
                return
            item = self._find(name)
            if item is None:
                self._names.discard(name)
            else:
                self._names.add(name)
            self._set(name, self._host(item, {}))

    def rebuild(self) -> List[str]:
        """Look at every system; the guests whose host is another than before."""
        with self._lock:
            before = self._host_of
            profiles: Dict[str, Any] = {}
            self._host_of, self._guests = {}, {}
            self._names = set()
            for item in self._api.systems():
                self._names.add(item.name)
                self._set(item.name, self._host(item, profiles))
            return [name for name, host in self._host_of.items() if before.get(name) != host]

    def _set(self, name: str, host: Any) -> None:
        old = self._host_of.pop(name, None)
        if old is not None:
            self._guests[old].discard(name)
        if isinstance(host, str) and host:
            self._host_of[name] = host
            self._guests.setdefault(host, set()).add(name)

    def _host(self, item: Any, profiles: Dict[str, Any]) -> Any:
        """The host that an item names; ``profiles`` remembers what each profile says."""
        if item is None:
            return None
        items = dialects.in_process(self._api)
        own = _as_dict(items.own_meta(item))
        if keys.HOST.name in own or "!" + keys.HOST.name in own:
            return own.get(keys.HOST.name)
        if item.profile not in profiles:
            profile = items.profile_of(item)
            meta = {} if profile is None else items.meta(profile)
            profiles[item.profile] = meta.get(keys.HOST.name)
        return profiles[item.profile]

    def _find(self, name: str) -> Any:
        return dialects.in_process(self._api).find("system", name)

    def _systems(self) -> int:
        return len(self._api.systems().listing)


_INDEXES: "weakref.WeakKeyDictionary[Any, _Guests]" = weakref.WeakKeyDictionary()


def _guests(api: Any) -> _Guests:
    return _INDEXES.setdefault(api, _Guests(api))


def _as_dict(value: Any) -> Data:
    """Variables that are not set, or inherited, are no dict."""
    return value if isinstance(value, dict) else {}


def _system(fields: Mapping[str, Any], meta: Mapping[str, Any]) -> System:
    own = fields.get("autoinstall_meta")
    return System(
        name=str(fields["name"]),
        profile=str(fields.get("profile") or ""),
        meta=meta,
        own_meta=own if isinstance(own, dict) else {},
        interfaces=tuple(_interfaces(fields.get("interfaces") or {})),
    )


def _interfaces(records: Mapping[str, Mapping[str, Any]]) -> Iterable[Interface]:
    for name in sorted(records):
        kind, virt_bridge = records[name].get("interface_type"), records[name].get("virt_bridge")
        yield Interface(name, str(kind or "").lower(), str(virt_bridge or ""))


def _at_top_level(data: Data) -> Data:
    """Blended data as a template sees them, each variable beside Cobbler's own fields."""
    data = dialects.blended(data)
    data.update(_as_dict(data.pop("autoinstall_meta", None)))
    return data


def _merged(item: Mapping[str, Any], parents: Mapping[str, Mapping[str, Any]]) -> Data:
    """The variables of a system with those of its profiles and distro, as Cobbler merges them."""
    chain = [item]
    profile = parents["profile"].get(item.get("profile") or "")
    while profile is not None and profile not in chain:
        chain.append(profile)
        upper = parents["profile"].get(profile.get("parent") or "")
        if upper is None:
            chain.append(parents["distro"].get(profile.get("distro") or "", {}))
        profile = upper
    return dialects.merged([each.get("autoinstall_meta") for each in chain])
