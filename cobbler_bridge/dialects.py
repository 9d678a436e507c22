"""What Cobbler's versions call differently: 3.2, 3.3 and 4.0, for ``store.py`` to see 3.3 only.

3.2 has plain attributes and interfaces that are dicts. 3.3 has properties that give what an item
inherits. 4.0 has interfaces as items of their own, refers to items by uid, and nests some fields.
"""

from typing import Any, Dict, List, Mapping, Optional, Tuple
from xmlrpc.client import Fault

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
_PLACEHOLDER = "default"
# what somebody has said of an interface
_FILLED = ("mac_address", "ip_address", "ipv6_address", "interface_type", "interface_master")
# the fields that say what an item inherits from, the nearest first, and its kind
_UPPER = (("profile", "profile"), ("parent", "profile"), ("distro", "distro"))


def plain(data: Mapping[str, Any]) -> Data:
    """The fields of a system of any Cobbler as 3.3 calls them, its interfaces' too."""
    known = _flat(data, _SYSTEM_FIELDS)
    interfaces = known.get("interfaces")
    if isinstance(interfaces, Mapping):
        known["interfaces"] = {
            name: _flat(fields, _INTERFACE_FIELDS) if isinstance(fields, Mapping) else fields
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
        if isinstance(fields, Mapping) and not _says_something(fields):
            del interfaces[_PLACEHOLDER]
            # Cobbler has the fields of interfaces at the top level too
            for name in fields:
                known.pop("%s_%s" % (name, _PLACEHOLDER), None)
    return known


def _says_something(fields: Mapping[str, Any]) -> bool:
    """Whether somebody has set anything that matters here on an interface."""
    return any(str(fields.get(name) or "").lower() not in ("", "na") for name in _FILLED)


def _flat(fields: Mapping[str, Any], names: Tuple[Tuple[str, str, str], ...]) -> Data:
    known = dict(fields)
    for group, field, name in names:
        nested = known.get(group)
        # 4.0.0b7 has some fields in both places
        if isinstance(nested, Mapping) and field in nested and not known.get(name):
            known[name] = nested[field]
    return known


def merged(chain: List[Any]) -> Data:
    """The variables of an item, from its own and those of its parents, nearest first, as Cobbler
    merges them: ``!NAME`` takes an inherited one away. What is no dict counts as nothing."""
    found: Data = {}
    for own in reversed(chain):
        found.update(own if isinstance(own, dict) else {})
        for name in [name for name in found if name.startswith("!")]:
            found.pop(name)
            found.pop(name[1:], None)
    return found


class Cobbler33:
    """The items of Cobbler 3.3, in process."""

    def __init__(self, api: Any) -> None:
        self.api = api

    def find(self, kind: str, name: str) -> Any:
        """A system or profile by its name, ``None`` where there is none."""
        # by keyword: the first argument is another one in 4.0
        return getattr(self.api, "find_" + kind)(name=name)

    def own_meta(self, item: Any) -> Any:
        """What was set on the item itself: its property would give what it inherits too."""
        if not getattr(item, "inmemory", True):
            # with the setting lazy_start it is still on disk, and Cobbler may be about to load it
            return item.api.deserialize_item(item).get("autoinstall_meta")
        return vars(item)["_autoinstall_meta"]

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

    def profile_of(self, item: Any) -> Any:
        """The profile of a system, ``None`` for one of an image."""
        return self.api.find_profile(name=item.profile) if item.profile else None

    def template(self, item: Any) -> str:
        """The file of an item's kickstart, as it is inherited; empty where there is none."""
        return str(item.autoinstall or "")

    def set_virt_bridge(self, item: Any, interface: str, bridge: str) -> None:
        """Set the virt_bridge of one interface of a system, to be saved with it."""
        item.interfaces[interface].virt_bridge = bridge

    def save(self, item: Any) -> None:
        """Save a system; no trigger runs and no boot file is written."""
        self.api.systems().add(item, save=True, with_triggers=False, with_sync=False)


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

    def set_virt_bridge(self, item: Any, interface: str, bridge: str) -> None:
        """The system has a method for it."""
        item.set_virt_bridge(bridge, interface)


class Cobbler40(Cobbler33):
    """The items of Cobbler 4.0."""

    def fields(self, item: Any) -> Data:
        """The interfaces are other items, and the profile is a uid."""
        interfaces = {name: each.to_dict() for name, each in item.interfaces.items()}
        found = plain(dict(item.to_dict(), interfaces=interfaces))
        profile = self.profile_of(item)
        return dict(found, profile="" if profile is None else profile.name)

    def profile_of(self, item: Any) -> Any:
        """A system refers to it by its uid."""
        return self.api.find_profile(uid=item.profile) if item.profile else None

    def template(self, item: Any) -> str:
        """A template is an item, which says where its file is."""
        return "" if item.autoinstall is None else str(item.autoinstall.uri.path)

    def set_virt_bridge(self, item: Any, interface: str, bridge: str) -> None:
        """The interface is saved by itself."""
        found = item.interfaces[interface]
        found.virt_bridge = bridge
        self.api.network_interfaces().add(found, save=True, with_triggers=False, with_sync=False)


def in_process(api: Any) -> Cobbler33:
    """What knows the items of this api."""
    if hasattr(api, "network_interfaces"):
        return Cobbler40(api)
    # there since 3.3, where the settings got a class of their own kind
    return Cobbler33(api) if hasattr(api, "find_menu") else Cobbler32(api)


class Remote3:
    """Cobbler 3.2 and 3.3 over XML-RPC; ``server`` is a proxy of xmlrpc.client.

    ``imports_need_leave`` says whether a setting must list what the snippets import.
    """

    imports_need_leave = True

    def __init__(self, server: Any) -> None:
        self.server = server

    def items(self, kind: str) -> List[Data]:
        """Every item of a kind, with its own fields."""
        found: List[Data] = self.server.get_items(kind)
        return found

    def system(self, name: str) -> Optional[Data]:
        """A system with its own fields as ``items`` has it, ``None`` where there is none."""
        if not name or not self.server.has_item("system", name):
            return None
        found: Data = self.server.get_item("system", name)
        return found

    def blended(self, kind: str, name: str) -> Optional[Data]:
        """Blended data of a system or profile with their autoinstall_meta one by one; ``None``
        where there is none."""
        if not self.server.has_item(kind, name):
            return None
        reference = self.reference(kind, name)
        profile, system = (reference, "") if kind == "profile" else ("", reference)
        data: Data = self.server.get_blended_data(profile, system)
        # blended data have the variables as one text over XML-RPC
        data["autoinstall_meta"] = self.meta(kind, reference)
        return data

    def reference(self, kind: str, name: str) -> str:
        """What calls for one item name it by."""
        return name

    def login(self, name: str, password: str) -> str:
        """A token; without a name the password is the shared secret."""
        try:
            return str(self.server.login(name, password))
        except Fault:
            if name:
                raise
            # 3.3.0 to 3.3.6 can't read their own secret, and take this for it (CVE-2024-47533)
            return str(self.server.login(name, -1))

    def set_virt_bridges(self, name: str, bridges: Mapping[str, str], token: str) -> None:
        """Set and save the virt_bridge of a system's interfaces."""
        # modify_interface does nothing in 3.3.0; this is what Cobbler's own command calls
        for interface, bridge in bridges.items():
            edit = {"interface": interface, "virt_bridge": bridge}
            self.server.xapi_object_edit("system", name, "edit", edit, token)

    def set_meta(self, name: str, variables: Mapping[str, str], token: str) -> None:
        """Join variables with a system's own, and save it."""
        fields = self.server.get_item("system", name)
        own, interfaces = fields["autoinstall_meta"], sorted(fields.get("interfaces") or ())
        if variables and isinstance(own, dict) and interfaces:
            # joined with the others by the server itself; an interface must be named, or some
            # number of them makes it add one
            edit = {"autoinstall_meta": variables, "in_place": True, "interface": interfaces[0]}
            self.server.xapi_object_edit("system", name, "edit", edit, token)
        elif variables:
            self._set_whole_meta(
                name, dict(own if isinstance(own, dict) else {}, **variables), token
            )

    def drop_meta(self, name: str, variables: Mapping[str, str], token: str) -> None:
        """Take variables of a system away that still have these values."""
        own = self.server.get_item("system", self.reference("system", name))["autoinstall_meta"]
        fields = own.items() if isinstance(own, dict) else ()
        left = {key: value for key, value in fields if variables.get(key) != value}
        if len(left) < len(fields):
            self._set_whole_meta(name, left, token)

    def _set_whole_meta(self, name: str, whole: Data, token: str) -> None:
        handle = self.server.get_system_handle(name, token)
        self.server.modify_system(handle, "autoinstall_meta", whole, token)
        self.server.save_system(handle, token)

    def meta(self, kind: str, reference: str) -> Data:
        """The variables of a system or profile with all that it inherits."""
        chain = []
        item = self.server.get_item(kind, reference)
        while isinstance(item, dict):
            chain.append(item.get("autoinstall_meta"))
            # a profile of a profile has a distro too
            upper = next(
                ((kind, item[field]) for field, kind in _UPPER if item.get(field)), ("", "")
            )
            item = self.server.get_item(*upper) if upper[1] else None
        return merged(chain)


class Remote40(Remote3):
    """Cobbler 4.0 over XML-RPC."""

    imports_need_leave = False

    def items(self, kind: str) -> List[Data]:
        """Names in place of uids, and the interfaces, which are other items."""
        found = super().items(kind)
        if kind not in ("system", "profile"):
            return found
        names = {
            item["uid"]: item["name"]
            for each in ("distro", "profile")
            for item in self.server.get_items(each)
        }
        for template in self.server.get_items("template"):
            names[template["uid"]] = template["uri"]["path"]
        interfaces: Dict[str, Data] = {}
        for each in self.server.get_items("network_interface"):
            interfaces.setdefault(each["system_uid"], {})[each["name"]] = each
        return [
            plain(
                dict(
                    item,
                    interfaces=interfaces.get(item["uid"], {}),
                    **{
                        up: names.get(item[up], item[up] if up == "autoinstall" else "")
                        for up in ("profile", "parent", "distro", "autoinstall")
                        if item.get(up)
                    },
                )
            )
            for item in found
        ]

    def system(self, name: str) -> Optional[Data]:
        """Its interfaces are among those of all systems."""
        return next((item for item in self.items("system") if item["name"] == name), None)

    def reference(self, kind: str, name: str) -> str:
        """The uid."""
        return str(self.server.get_item_handle(kind, name))

    def set_virt_bridges(self, name: str, bridges: Mapping[str, str], token: str) -> None:
        """Each interface is an item."""
        system = self.reference("system", name)
        for each in self.server.get_items("network_interface"):
            if each["system_uid"] == system and each["name"] in bridges:
                bridge, handle = bridges[each["name"]], each["uid"]
                self.server.modify_network_interface(handle, ["virt_bridge"], bridge, token)
                self.server.save_network_interface(handle, True, True, "bypass", token)

    def set_meta(self, name: str, variables: Mapping[str, str], token: str) -> None:
        """The whole is set; saved also for the triggers, which know systems and not interfaces."""
        own = self.server.get_item("system", self.reference("system", name))["autoinstall_meta"]
        whole = dict(own if isinstance(own, dict) else {}, **variables) if variables else own
        self._set_whole_meta(name, whole, token)

    def _set_whole_meta(self, name: str, whole: Data, token: str) -> None:
        handle = self.reference("system", name)
        self.server.modify_system(handle, ["autoinstall_meta"], whole, token)
        self.server.save_system(handle, True, True, "bypass", token)

    def meta(self, kind: str, reference: str) -> Data:
        """Cobbler merges them itself."""
        found: Data = self.server.get_item(kind, reference, False, True)["autoinstall_meta"]
        return found


def over_xmlrpc(server: Any) -> Remote3:
    """What knows the items of the Cobbler behind this proxy.

    Raises as the proxy does where it can't be reached or refuses.
    """
    version = server.extended_version()["version_tuple"]
    return Remote40(server) if version[0] >= 4 else Remote3(server)
