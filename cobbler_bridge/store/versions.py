"""What Cobbler's versions call differently: 3.2, 3.3 and 4.0, for ``store.py`` to see 3.3 only.

3.2 has plain attributes and interfaces that are dicts. 3.3 has properties that give what an item
inherits. 4.0 has interfaces as items of their own, refers to items by uid, and nests some fields.
"""

import json
import os
import time
from collections import abc
from typing import Any, Dict, Iterable, List, Mapping, Tuple

from cobbler_bridge import typed

Data = Dict[str, Any]


# 4.0's (group, field) and 3.3's field, of an interface and of a system
_INTERFACE_FIELDS = (
    ("ipv4", "address", "ip_address"),
    ("ipv4", "netmask", "netmask"),
    ("ipv4", "mtu", "mtu"),
    ("ipv4", "static_routes", "static_routes"),
    ("ipv6", "address", "ipv6_address"),
    ("ipv6", "prefix", "ipv6_prefix"),
    ("ipv6", "mtu", "ipv6_mtu"),
    ("ipv6", "default_gateway", "ipv6_default_gateway"),
    ("ipv6", "secondaries", "ipv6_secondaries"),
    ("ipv6", "static_routes", "ipv6_static_routes"),
    ("dns", "name", "dns_name"),
    ("dns", "common_names", "cnames"),
)


_SYSTEM_FIELDS = (
    ("dns", "name_servers", "name_servers"),
    ("dns", "name_servers_search", "name_servers_search"),
)
_GROUPS = frozenset(group for group, _, _ in _INTERFACE_FIELDS + _SYSTEM_FIELDS)


_PLACEHOLDER = "default"


# what somebody has said of an interface
_FILLED = ("mac_address", "ip_address", "ipv6_address", "interface_type", "interface_master")


_ADDRESSES = ("ip_address", "ipv6_address")


# where each of them has its objects, one a file, unless it has them in a database
_COLLECTIONS = "/var/lib/cobbler/collections"


# written with every save; one that is empty is an error to Cobbler
_MTIME = "/var/lib/cobbler/.mtime"


# in a name these make Cobbler 4.0 look through all of its items for what matches
_PATTERN = frozenset("*?[~")


# no name of a file is longer
_LONGEST = 255


def plain(data: Mapping[str, Any]) -> Data:
    """The fields of a system of any Cobbler as 3.3 calls them, its interfaces' too."""
    known = _flat(data, _SYSTEM_FIELDS)
    interfaces = known.get("interfaces")
    if isinstance(interfaces, abc.Mapping):
        known["interfaces"] = {
            name: _flat(fields, _INTERFACE_FIELDS) if isinstance(fields, abc.Mapping) else fields
            for name, fields in interfaces.items()
        }
    return known


def blended(data: Mapping[str, Any]) -> Data:
    """Blended data of any Cobbler as 3.3.10 gives them; the data themselves stay as they are.

    3.3.0 to 3.3.3 give every new system an interface ``default``, for nothing.
    """
    known = plain(data)
    interfaces = known.get("interfaces")
    if isinstance(interfaces, dict) and len(interfaces) > 1:
        fields = interfaces.get(_PLACEHOLDER)
        if isinstance(fields, abc.Mapping) and not _says_something(fields):
            del interfaces[_PLACEHOLDER]
            # Cobbler has the fields of interfaces at the top level too
            for name in fields:
                known.pop("%s_%s" % (name, _PLACEHOLDER), None)
    return known


def _says_something(fields: Mapping[str, Any]) -> bool:
    """Whether somebody has set anything that matters here on an interface."""
    texts = (typed.text(fields.get(name)) for name in _FILLED)
    return any(text is None or text.lower() not in ("", "na") for text in texts)


def _flat(fields: Mapping[str, Any], names: Tuple[Tuple[str, str, str], ...]) -> Data:
    known = dict(fields)
    # before 4.0 there is none
    if _GROUPS.isdisjoint(known):
        return known
    for group, field, name in names:
        nested = known.get(group)
        # 4.0.0b7 has some fields in both places
        if isinstance(nested, abc.Mapping) and field in nested and not known.get(name):
            known[name] = nested[field]
    return known


def merged(chain: List[Any]) -> Data:
    """The variables of an item, from its own and those of its parents, nearest first, as Cobbler
    merges them: ``!NAME`` takes an inherited one away. What is no dict counts as nothing."""
    found: Data = {}
    for own in reversed(chain):
        found.update(typed.fields(own))
        for name in [name for name in found if name.startswith("!")]:
            found.pop(name)
            found.pop(name[1:], None)
    return found


class Cobbler33:
    """The items of Cobbler 3.3, in process.

    ``has_interfaces_apart`` says whether an interface is saved by itself, by its own name.
    """

    has_interfaces_apart = False

    def __init__(self, api: Any) -> None:
        self.api = api

    def find(self, kind: str, name: str) -> Any:
        """A system or profile by its name, ``None`` where there is none; never by a pattern."""
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST or _PATTERN & set(name):
            return None
        # by keyword: the first argument is another one in 4.0
        return getattr(self.api, "find_" + kind)(name=name)

    def addresses(self, item: Any) -> Iterable[Any]:
        """The addresses that stand in a system's interfaces."""
        if not getattr(item, "inmemory", True):
            stored = plain(item.api.deserialize_item(item)).get("interfaces") or {}
            return [each.get(name) for each in stored.values() for name in _ADDRESSES]
        return [getattr(each, name) for each in item.interfaces.values() for name in _ADDRESSES]

    def saved_interfaces(self, name: str) -> Dict[str, float]:
        """The systems whose interface of this name is saved by itself, by uid, and when it was."""
        return {}

    def saved_at(self, item: Any) -> Any:
        """When an item was last saved, whoever did it; it is not loaded for that."""
        known = vars(item)
        return known.get("_mtime", known.get("mtime"))

    def find_uid(self, uid: str) -> Any:
        """A system by its uid, ``None`` where there is none."""
        return self.api.find_system(uid=uid)

    def own_meta(self, item: Any) -> Any:
        """What was set on the item itself: its property would give what it inherits too."""
        if not getattr(item, "inmemory", True):
            # with the setting lazy_start it is still on disk, and Cobbler may be about to load it
            return item.api.deserialize_item(item).get("autoinstall_meta")
        return vars(item)["_autoinstall_meta"]

    def stored(self, item: Any) -> Data:
        """An item as Cobbler has saved it. Raises whatever it does where it isn't there."""
        found: Data
        if hasattr(self.api, "deserialize_item"):
            found = self.api.deserialize_item(item)
        else:
            # until 3.3.4 there is nothing for one item, and all that it can load are files
            path = os.path.join(_COLLECTIONS, item.COLLECTION_TYPE + "s", item.name + ".json")
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        return found

    def load(self, item: Any) -> None:
        """Have an item in memory, before it is changed."""
        if not getattr(item, "inmemory", True):
            item.deserialize()

    def set_own_meta(self, item: Any, meta: Data) -> None:
        """Set the item's own variables."""
        # past the setter, which walks through every system for caches that depend on a
        # profile's variables; a system has no heirs, and saving clears its own cache
        vars(item)["_autoinstall_meta"] = meta

    def meta(self, item: Any) -> Data:
        """The item's variables with all that it inherits."""
        found: Data = item.autoinstall_meta
        return found

    def fields(self, item: Any) -> Data:
        """A system's own fields, its interfaces among them."""
        found: Data = item.to_dict()
        return found

    def told(self, item: Any) -> Data:
        """The same, for who has no way to look up what they refer to."""
        return self.fields(item)

    def told_above(self, item: Any) -> Data:
        """The fields of a profile, distro or image."""
        found: Data = item.to_dict()
        return found

    def profile_of(self, item: Any) -> Any:
        """The profile of a system, ``None`` for one of an image."""
        return self.api.find_profile(name=item.profile) if item.profile else None

    def reference(self, profile: Any) -> str:
        """What a system names its profile by."""
        return str(profile.name)

    def template(self, item: Any) -> str:
        """The file of an item's kickstart, as it is inherited; empty where there is none."""
        return str(item.autoinstall or "")

    def set_virt_bridge(self, item: Any, interface: str, bridge: str) -> None:
        """Set the virt_bridge of one interface of a system, to be saved with it."""
        item.interfaces[interface].virt_bridge = bridge

    def fields_of(self, item: Any, interfaces: Iterable[str]) -> List[Data]:
        """What a change of a system and of some of its interfaces changes in memory."""
        return [vars(item), *(vars(item.interfaces[name]) for name in interfaces)]

    def files_of(self, item: Any, interfaces: Iterable[str]) -> List[str]:
        """The files that saving the same writes, where Cobbler has files."""
        return [_MTIME, os.path.join(_COLLECTIONS, "systems", item.name + ".json")]

    def touch(self, item: Any) -> None:
        """Have Cobbler forget what it remembers of an item's fields."""
        # any property's setter does
        item.mtime = item.mtime

    def save(self, item: Any, interfaces: Iterable[str]) -> None:
        """Save a system, and these interfaces of it; no trigger runs, no boot file is written.

        Nothing else is written: Cobbler's own ``add`` saves the profile too (3.3.1 to 3.3.6), with
        the names of all that it has.
        """
        item.mtime = time.time()
        self._serialize(self.api.systems(), item)

    def _serialize(self, collection: Any, item: Any) -> None:
        collection.collection_mgr.serialize_item(collection, item)


class Cobbler32(Cobbler33):
    """The items of Cobbler 3.2: attributes without properties, interfaces without a class."""

    def load(self, item: Any) -> None:
        """Every item is in memory."""

    def own_meta(self, item: Any) -> Any:
        """The attribute is the item's own."""
        return item.autoinstall_meta

    def set_own_meta(self, item: Any, meta: Data) -> None:
        """The attribute is the item's own."""
        item.autoinstall_meta = meta

    def meta(self, item: Any) -> Data:
        """The attributes of all that the item inherits from."""
        chain = []
        while item is not None:
            chain.append(item.autoinstall_meta)
            item = item.get_parent()
        return merged(chain)

    def addresses(self, item: Any) -> Iterable[Any]:
        """Interfaces are dicts."""
        return [each.get(name) for each in item.interfaces.values() for name in _ADDRESSES]

    def set_virt_bridge(self, item: Any, interface: str, bridge: str) -> None:
        """The system has a method for it."""
        item.set_virt_bridge(bridge, interface)

    def fields_of(self, item: Any, interfaces: Iterable[str]) -> List[Data]:
        """Interfaces are dicts."""
        return [vars(item), *(item.interfaces[name] for name in interfaces)]

    def touch(self, item: Any) -> None:
        """No setter does it here."""
        type(item).remove_from_cache(item)

    def save(self, item: Any, interfaces: Iterable[str]) -> None:
        """Likewise."""
        self.touch(item)
        super().save(item, interfaces)


class Cobbler40(Cobbler33):
    """The items of Cobbler 4.0."""

    has_interfaces_apart = True

    def fields(self, item: Any) -> Data:
        """The interfaces are other items, and the profile is a uid."""
        interfaces = {name: each.to_dict() for name, each in item.interfaces.items()}
        found = plain(dict(item.to_dict(), interfaces=interfaces))
        profile = self.profile_of(item)
        return dict(found, profile="" if profile is None else profile.name)

    def told(self, item: Any) -> Data:
        """An image is named by its uid, and so is a template, which says where its file is."""
        image = self.api.find_image(uid=item.image) if item.image else None
        name = "" if image is None else image.name
        return dict(self.fields(item), image=name, autoinstall=self.template(item))

    def told_above(self, item: Any) -> Data:
        """Likewise."""
        template = "" if not hasattr(item, "autoinstall") else self.template(item)
        found: Data = dict(item.to_dict(), autoinstall=template)
        for field, kind in (("parent", "profile"), ("distro", "distro")):
            uid = found.get(field)
            known = getattr(self.api, "find_" + kind)(uid=uid) if uid else None
            found[field] = "" if known is None else known.name
        return found

    def profile_of(self, item: Any) -> Any:
        """A system refers to it by its uid."""
        return self.api.find_profile(uid=item.profile) if item.profile else None

    def reference(self, profile: Any) -> str:
        """Its uid."""
        return str(profile.uid)

    def saved_interfaces(self, name: str) -> Dict[str, float]:
        """The name is all that a trigger is told, and each system may have one."""
        if not name or _PATTERN & set(name):
            return {}
        found = self.api.find_network_interface(return_list=True, name=name) or ()
        return {each.system_uid: each.mtime for each in found}

    def template(self, item: Any) -> str:
        """A template is an item, which says where its file is."""
        return "" if item.autoinstall is None else str(item.autoinstall.uri.path)

    def addresses(self, item: Any) -> Iterable[Any]:
        """They are one level deeper."""
        interfaces = item.interfaces.values()
        return [text for each in interfaces for text in (each.ipv4.address, each.ipv6.address)]

    def files_of(self, item: Any, interfaces: Iterable[str]) -> List[str]:
        """An interface has a file of its own, and all are called by uid."""
        folder = os.path.join(_COLLECTIONS, "network_interfaces")
        uids = [item.interfaces[name].uid for name in interfaces]
        return [
            _MTIME,
            os.path.join(_COLLECTIONS, "systems", item.uid + ".json"),
            *(os.path.join(folder, uid + ".json") for uid in uids),
        ]

    def save(self, item: Any, interfaces: Iterable[str]) -> None:
        """Each interface is saved by itself."""
        collection = self.api.network_interfaces()
        for name in interfaces:
            found = item.interfaces[name]
            found.mtime = time.time()
            self._serialize(collection, found)
        super().save(item, interfaces)


def in_process(api: Any) -> Cobbler33:
    """What knows the items of this api."""
    if hasattr(api, "network_interfaces"):
        return Cobbler40(api)
    # there since 3.3, where the settings got a class of their own kind
    return Cobbler33(api) if hasattr(api, "find_menu") else Cobbler32(api)
