"""The one module that knows Cobbler's API: inside cobblerd, and over XML-RPC."""

import threading
import weakref
import xmlrpc.client
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
    Union,
)

from cobbler_bridge import dialects, keys
from cobbler_bridge.inventory import INHERITED, Address, Interface, Profile, System, address

Data = Dict[str, Any]
# gives a name and a password
Login = Callable[[], Tuple[str, str]]


# What a removed variable of ours is set to over XML-RPC, for one that is just not there any more
# was lost in somebody's edit, and comes back; the trigger then takes it away
GONE = "none"

# in which systems differ that are alike otherwise
_OWN_FIELDS = frozenset(
    "autoinstall_meta comment ctime hostname interfaces ks_meta mtime name uid".split()
)

_ADDRESS_FIELDS = ("ip_address", "ipv6_address")


class InProcess:
    """Cobbler's objects as a trigger sees them, inside cobblerd."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._items = dialects.in_process(api)

    def system(self, name: str) -> Optional[System]:
        """A system by its name, ``None`` where there is none."""
        item = self._find("system", name)
        return None if item is None else self._system(item)

    def systems_at(self, caller: Any) -> List[str]:
        """The systems that have an address written down, by name."""
        wanted = address(caller)
        if wanted is None:
            return []
        return sorted(each.name for each in self._api.systems() if wanted in self._written(each))

    def _written(self, item: Any) -> Set[Optional[Address]]:
        """The addresses that an item itself has, without a look at what it inherits."""
        own = self._own(item)
        texts = [own.get(keys.IPV4.name), own.get(keys.IPV6.name)]
        for record in self._items.fields(item).get("interfaces", {}).values():
            texts += [record.get(field) for field in _ADDRESS_FIELDS]
        return {address(text) for text in texts}

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
        self._items.load(item)
        for interface, bridge in virt_bridges.items():
            self._items.set_virt_bridge(item, interface, bridge)
        if meta:
            before = self._own(item)
            own = {key: value for key, value in before.items() if key not in meta}
            own.update({key: value for key, value in meta.items() if value is not None})
            self._items.set_own_meta(item, own)
        self._items.save(item)

    def keep(self, name: str, variables: Sequence[str]) -> Set[str]:
        """Put back own variables that an edit dropped and that still stand on disk, before the
        save: setting some variables on Cobbler's command line takes all others away.

        Returns those that the edit changes.
        """
        item = self._find("system", name)
        if item is None:
            # about to be saved for the first time
            return set(variables)
        own = self._own(item)
        stored = _stored_meta(self._api, item)
        kept = {each: stored[each] for each in variables if each in stored and each not in own}
        if kept:
            self._items.set_own_meta(item, {**own, **kept})
            # its dictionary may be remembered; any property's setter clears that
            item.mtime = item.mtime
        return {each for each in variables if each in own and own[each] != stored.get(each)}

    def note(self, name: str, new: bool) -> None:
        """Remember, until after the save, that a record comes with it, and whether it is new."""
        _guests(self._api).recorded[name] = new

    def noted(self, name: str) -> Optional[bool]:
        """What was noted, asked once; ``None`` where nothing was."""
        return _guests(self._api).recorded.pop(name, None)

    def same(self, system: System, variable: str) -> List[System]:
        """The older systems whose own variable has the same value as this one's."""
        value = system.own_meta.get(variable)
        items = [each for each in self._api.systems() if self._own(each).get(variable) == value]
        systems = [self._system(each) for each in items]
        return [each for each in systems if each.created < system.created]

    def guests_of(self, host: str) -> List[str]:
        """The systems that name this host, by name."""
        return _guests(self._api).of(host)

    def saved(self, name: str) -> None:
        """Take note of a system that was saved or removed."""
        _guests(self._api).update(name)

    def profile_changed(self, name: str) -> List[str]:
        """The guests whose host changed with this profile or distro; none if it is neither."""
        known = any(self._find(kind, name) is not None for kind in ("profile", "distro"))
        return _guests(self._api).rebuild() if known else []

    def _find(self, kind: str, name: str) -> Any:
        # Cobbler takes a search without a name for a mistake of its caller
        return self._items.find(kind, name) if name else None

    def _own(self, item: Any) -> Data:
        return _as_dict(self._items.own_meta(item))

    def _system(self, item: Any) -> System:
        items = self._items
        return _system(items.fields(item), items.meta(item), items.template(item))


class XmlRpc:
    """Cobbler's objects over XML-RPC; only writing needs a login, a name and a password.

    Raises ``OSError`` or ``xmlrpc.client.Error`` where cobblerd can't be reached or refuses.
    """

    def __init__(self, url: str, login: Optional[Login] = None) -> None:
        self._server: Any = xmlrpc.client.ServerProxy(url, allow_none=True)
        self._login = login
        self._known_token: Optional[str] = None
        self._known: Optional[dialects.Remote3] = None
        self._read: Dict[str, Data] = {}
        self._known_parents: Mapping[str, Mapping[str, Data]] = {}

    @property
    def _items(self) -> dialects.Remote3:
        if self._known is None:
            self._known = dialects.over_xmlrpc(self._server)
        return self._known

    @property
    def _token(self) -> str:
        if self._known_token is None:
            name, password = ("", "") if self._login is None else self._login()
            self._known_token = self._items.login(name, password)
        return self._known_token

    def system(self, name: str) -> Optional[System]:
        """A system by its name, ``None`` where there is none."""
        item = self._items.system(name)
        return None if item is None else self._as_system(item, self._parents())

    def default_bridge(self) -> str:
        """The setting default_virt_bridge."""
        return str(self.settings()["default_virt_bridge"])

    def guests_of(self, host: str) -> List[str]:
        """The systems that name this host, by name."""
        return [system.name for system in self.systems() if system.host == host]

    def write(
        self, name: str, virt_bridges: Mapping[str, str], meta: Mapping[str, Optional[str]]
    ) -> None:
        """Set the virt_bridge of interfaces, and own variables (``None`` removes one).

        Only these fields are written, on the item as it is now; Cobbler's triggers run.
        """
        self._items.set_virt_bridges(name, virt_bridges, self._token)
        variables = {key: GONE if value is None else value for key, value in meta.items()}
        if variables or virt_bridges:
            self._items.set_meta(name, variables, self._token)
        gone = {key: GONE for key, value in meta.items() if value is None}
        if gone:
            # where no trigger of ours has taken them away
            self._items.drop_meta(name, gone, self._token)

    def blended(self, kind: str, name: str) -> Optional[Data]:
        """The blended data of a system or profile (``kind``), ``None`` where there is none."""
        data = self._items.blended(kind, name)
        return None if data is None else _at_top_level(data)

    def systems(self) -> List[System]:
        """Every system, in the order of their names."""
        parents = self._parents()
        items = self._sorted("system")
        self._read = {str(item["name"]): item for item in items}
        return [self._as_system(item, parents) for item in items]

    def alike(self, name: str) -> str:
        """The same for all of ``systems`` whose blended data differ by ``with_own`` only."""
        item = self._read[name]
        return repr(sorted((field, item[field]) for field in item if field not in _OWN_FIELDS))

    def with_own(self, data: Mapping[str, Any], system: System) -> Data:
        """Blended data with the name, the variables and the interfaces of one of ``systems``."""
        own = {"autoinstall_meta": dict(system.meta), "name": system.name}
        interfaces = self._read[system.name].get("interfaces")
        return _at_top_level({**data, **own, "system_name": system.name, "interfaces": interfaces})

    def profiles(self) -> List[Profile]:
        """Every profile, in the order of their names."""
        parents = self._parents()
        return [
            Profile(
                name=str(item["name"]),
                meta=_merged(item, parents),
                template=_template(item, parents),
                virt_bridge=str(item.get("virt_bridge") or ""),
                distro=str(_chain(item, parents)[-1].get("name") or ""),
            )
            for item in self._sorted("profile")
        ]

    @property
    def imports_need_leave(self) -> bool:
        """Whether a setting must list what the snippets import."""
        return self._items.imports_need_leave

    def settings(self) -> Data:
        """Cobbler's settings."""
        settings: Data = self._server.get_settings()
        return settings

    def _as_system(self, item: Data, parents: Mapping[str, Mapping[str, Data]]) -> System:
        return _system(item, _merged(item, parents), _template(item, parents))

    def _sorted(self, kind: str) -> List[Data]:
        return sorted(self._items.items(kind), key=lambda item: str(item["name"]))

    def _parents(self) -> Mapping[str, Mapping[str, Data]]:
        """The distros and profiles by their names, as they were when they were first asked for."""
        if not self._known_parents:
            self._known_parents = {
                kind: {item["name"]: item for item in self._items.items(kind)}
                for kind in ("distro", "profile")
            }
        return self._known_parents


Store = Union[InProcess, XmlRpc]


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
        # being saved with another record than before: whether for the first time
        self.recorded: Dict[str, bool] = {}

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


def _stored_meta(api: Any, item: Any) -> Data:
    """What an item's own variables are on disk; nothing where it isn't there, or is another's."""
    try:
        stored = api.deserialize_item(item)
    except Exception:
        # whichever way Cobbler keeps its objects: a new one is nowhere yet
        return {}
    own = stored.get("autoinstall_meta") if stored.get("uid") == item.uid else None
    return own if isinstance(own, dict) else {}


def _system(fields: Mapping[str, Any], meta: Mapping[str, Any], template: str = "") -> System:
    own = fields.get("autoinstall_meta")
    return System(
        name=str(fields["name"]),
        profile=str(fields.get("profile") or ""),
        meta=meta,
        own_meta=own if isinstance(own, dict) else {},
        interfaces=tuple(_interfaces(fields.get("interfaces") or {})),
        created=float(fields.get("ctime") or 0),
        template=template,
    )


def _interfaces(records: Mapping[str, Mapping[str, Any]]) -> Iterable[Interface]:
    for name in sorted(records):
        fields = records[name]
        addresses = (str(fields.get(field) or "") for field in _ADDRESS_FIELDS)
        yield Interface(
            name,
            kind=str(fields.get("interface_type") or "").lower(),
            virt_bridge=str(fields.get("virt_bridge") or ""),
            addresses=tuple(each for each in addresses if each),
            mac=str(fields.get("mac_address") or ""),
            master=str(fields.get("interface_master") or ""),
            static=bool(fields.get("static")),
        )


def _at_top_level(data: Data) -> Data:
    """Blended data as a template sees them, each variable beside Cobbler's own fields."""
    data = dialects.blended(data)
    data.update(_as_dict(data.pop("autoinstall_meta", None)))
    return data


def _chain(
    item: Mapping[str, Any], parents: Mapping[str, Mapping[str, Any]]
) -> List[Mapping[str, Any]]:
    """A system or profile, the profiles that it inherits from, and their distro."""
    chain = [item]
    above = str(item.get("profile") or item.get("parent") or "")
    while above in parents["profile"] and parents["profile"][above] not in chain:
        chain.append(parents["profile"][above])
        above = str(chain[-1].get("parent") or "")
    return [*chain, parents["distro"].get(chain[-1].get("distro") or "", {})]


def _template(item: Mapping[str, Any], parents: Mapping[str, Mapping[str, Any]]) -> str:
    """The file of the kickstart, as it is inherited."""
    named = (each.get("autoinstall") for each in _chain(item, parents))
    return next((str(each) for each in named if each and each != INHERITED), "")


def _merged(item: Mapping[str, Any], parents: Mapping[str, Mapping[str, Any]]) -> Data:
    """The variables of a system or profile with what it inherits, as Cobbler merges them."""
    return dialects.merged([each.get("autoinstall_meta") for each in _chain(item, parents)])
