"""The one module that knows Cobbler's API: inside cobblerd, and over XML-RPC."""

import threading
import weakref
import xmlrpc.client
from typing import Any, Dict, Iterable, List, Mapping, Optional, Set

from cobbler_bridge import keys
from cobbler_bridge.inventory import Address, Interface, System, address

Data = Dict[str, Any]

_ADDRESS_FIELDS = ("ip_address", "ipv6_address")


class InProcess:
    """Cobbler's objects as a trigger sees them, inside cobblerd."""

    def __init__(self, api: Any) -> None:
        self._api = api

    def system(self, name: str) -> Optional[System]:
        """A system by its name, ``None`` where there is none."""
        item = self._find("system", name)
        return None if item is None else _system(_fields(item), item.autoinstall_meta)

    def systems_at(self, caller: Any) -> List[str]:
        """The systems that have an address written down, by name."""
        wanted = address(caller)
        if wanted is None:
            return []
        return sorted(item.name for item in self._api.systems() if wanted in _written(item))

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
        item = self._api.find_system(name)
        for interface, bridge in virt_bridges.items():
            item.interfaces[interface].virt_bridge = bridge
        if meta:
            own = {key: value for key, value in _own_meta(item).items() if key not in meta}
            own.update({key: value for key, value in meta.items() if value is not None})
            # past the setter, which walks through every system for caches that depend on a
            # profile's variables; a system has no heirs, and saving clears its own cache
            vars(item)["_autoinstall_meta"] = own
        self._api.systems().add(item, save=True, with_triggers=False, with_sync=False)

    def guests_of(self, host: str) -> List[str]:
        """The systems that name this host, by name."""
        return _guests(self._api).of(host)

    def saved(self, name: str) -> None:
        """Take note of a system that was saved or removed."""
        _guests(self._api).update(name)

    def profile_changed(self, name: str) -> List[str]:
        """The guests whose host changed with this profile; none if it is no profile."""
        return _guests(self._api).rebuild() if self._api.find_profile(name) is not None else []

    def _find(self, kind: str, name: str) -> Any:
        find = self._api.find_profile if kind == "profile" else self._api.find_system
        # Cobbler takes a search without a name for a mistake of its caller
        return find(name) if name else None


class XmlRpc:
    """Cobbler's objects over XML-RPC; reading needs no login.

    Raises ``OSError`` or ``xmlrpc.client.Error`` where cobblerd can't be reached or refuses.
    """

    def __init__(self, url: str) -> None:
        self._server: Any = xmlrpc.client.ServerProxy(url, allow_none=True)

    def blended(self, kind: str, name: str) -> Optional[Data]:
        """The blended data of a system or profile (``kind``), ``None`` where there is none."""
        if not self._server.has_item(kind, name):
            return None
        profile, system = (name, "") if kind == "profile" else ("", name)
        data = self._server.get_blended_data(profile, system)
        # blended data have the variables as one text over XML-RPC; this has them one by one
        data["autoinstall_meta"] = self._server.get_item(kind, name, False, True)[
            "autoinstall_meta"
        ]
        return _at_top_level(data)

    def systems(self) -> List[System]:
        """Every system, in the order of their names."""
        parents = {
            kind: {item["name"]: item for item in self._server.get_items(kind)}
            for kind in ("distro", "profile")
        }
        return [
            _system(item, _merged(item, parents))
            for item in sorted(self._server.get_items("system"), key=lambda item: item["name"])
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
        own = _own_meta(item)
        if keys.HOST.name in own or "!" + keys.HOST.name in own:
            return own.get(keys.HOST.name)
        if item.profile not in profiles:
            profile = self._api.find_profile(item.profile)
            meta = {} if profile is None else profile.autoinstall_meta
            profiles[item.profile] = meta.get(keys.HOST.name)
        return profiles[item.profile]

    def _find(self, name: str) -> Any:
        return self._api.find_system(name)

    def _systems(self) -> int:
        return len(self._api.systems().listing)


_INDEXES: "weakref.WeakKeyDictionary[Any, _Guests]" = weakref.WeakKeyDictionary()


def _guests(api: Any) -> _Guests:
    return _INDEXES.setdefault(api, _Guests(api))


def _own_meta(item: Any) -> Data:
    """What was set on the item itself: its property would give what it inherits too."""
    own = vars(item)["_autoinstall_meta"]
    return own if isinstance(own, dict) else {}


def _written(item: Any) -> Set[Optional[Address]]:
    """The addresses that an item itself has, without a look at what it inherits."""
    own = _own_meta(item)
    texts = [own.get(keys.IPV4.name), own.get(keys.IPV6.name)]
    for interface in item.interfaces.values():
        texts += [getattr(interface, field) for field in _ADDRESS_FIELDS]
    return {address(text) for text in texts}


def _fields(item: Any) -> Data:
    fields: Data = item.to_dict()
    return fields


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
        fields = records[name]
        yield Interface(
            name,
            str(fields.get("interface_type") or "").lower(),
            str(fields.get("virt_bridge") or ""),
            tuple(str(fields.get(field) or "") for field in _ADDRESS_FIELDS),
            bool(fields.get("static")),
        )


def _at_top_level(data: Data) -> Data:
    """Blended data as a template sees them, each variable beside Cobbler's own fields."""
    meta = data.pop("autoinstall_meta", None)
    data.update(meta if isinstance(meta, dict) else {})
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
    merged: Data = {}
    for each in reversed(chain):
        own = each.get("autoinstall_meta")
        merged.update(own if isinstance(own, dict) else {})
        for name in [name for name in merged if name.startswith("!")]:
            merged.pop(name)
            merged.pop(name[1:], None)
    return merged
