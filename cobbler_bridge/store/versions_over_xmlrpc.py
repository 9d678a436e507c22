"""What Cobbler's versions call differently over XML-RPC, for ``over_xmlrpc`` to see 3.3 only."""

import re
import shlex
from typing import Any, Dict, List, Mapping, Optional, Tuple
from xmlrpc.client import Fault

from cobbler_bridge import typed
from cobbler_bridge.problem import shown
from cobbler_bridge.store import shape
from cobbler_bridge.store.inventory import INHERITED
from cobbler_bridge.store.items import PARENTS, above, as_dict, lineage, text_of
from cobbler_bridge.store.versions import Data, merged, plain

# what Cobbler makes of None where it answers over XML-RPC
_NONE = "~"


def _changed(own: Data, changes: Mapping[str, Optional[str]]) -> Data:
    """Variables with some set, and those away that shall have ``None``."""
    left = {key: value for key, value in own.items() if changes.get(key, "") is not None}
    left.update({key: value for key, value in changes.items() if value is not None})
    return left


def _as_variables(own: Any) -> Data:
    """Own variables that are no dict: none, or a text that 3.2 has read from its file as it is.

    It is read as Cobbler would read it, with a list where a variable stands there several times.
    """
    found: Data = {}
    if not isinstance(own, str) or own in (INHERITED, _NONE):
        return found
    try:
        words = shlex.split(own)
    except ValueError as error:
        raise Fault(1, "autoinstall_meta is %s: %s" % (shown(own), error)) from error
    for word in words:
        key, equals, value = word.partition("=")
        found.setdefault(key, []).append(value if equals else None)
    return {key: values if len(values) > 1 else values[0] for key, values in found.items()}


def _valueless(value: Any) -> Any:
    """A value as it is if each ``~`` in it stands for none."""
    if isinstance(value, list):
        return [_valueless(each) for each in value]
    if isinstance(value, dict):
        return {key: _valueless(each) for key, each in value.items()}
    return None if value == _NONE else value


def _has_none_as_text(key: str, value: Any, words: str) -> bool:
    """Whether it really is ``~`` in the text that Cobbler makes of all variables."""
    word = str(value) if isinstance(value, dict) else _NONE
    return re.search(r"(^| )%s='?%s'?( |$)" % (re.escape(key), re.escape(word)), words) is not None


class Remote3:
    """Cobbler 3.2 and 3.3 over XML-RPC; ``server`` is a proxy of xmlrpc.client.

    ``imports_need_leave`` says whether a setting must list what the snippets import,
    ``equals_stay`` whether an item can have a variable of its own that is as the inherited one.
    """

    imports_need_leave = True
    equals_stay = True

    def __init__(self, server: Any) -> None:
        self.server = server

    def items(self, kind: str) -> List[Data]:
        """Every item of a kind, with its own fields."""
        return [shape.item(each, kind) for each in self.listed(kind)]

    def listed(self, kind: str) -> List[Data]:
        """The same as this Cobbler has them."""
        return shape.structs(self.server.get_items(kind), "%ss" % kind)

    def _item(self, kind: str, reference: str) -> Data:
        return shape.item(self.server.get_item(kind, reference), kind)

    def blended(self, kind: str, name: str) -> Optional[Data]:
        """Blended data of a system or profile with their autoinstall_meta one by one; ``None``
        where there is none."""
        if not self.server.has_item(kind, name):
            return None
        reference = self.reference(kind, name)
        data = self._blended(kind, reference)
        # blended data have the variables as one text over XML-RPC
        data["autoinstall_meta"] = self.meta(kind, reference)
        return data

    def blended_fields(self, kind: str, name: str) -> Optional[Data]:
        """The same, but for autoinstall_meta, which is as this Cobbler says it."""
        if not self.server.has_item(kind, name):
            return None
        return self._blended(kind, self.reference(kind, name))

    def _blended(self, kind: str, reference: str) -> Data:
        profile, system = (reference, "") if kind == "profile" else ("", reference)
        answer = self.server.get_blended_data(profile, system)
        return shape.struct(answer, "the blended data of %s %s" % (kind, shown(reference)))

    def reference(self, kind: str, name: str) -> str:
        """What calls for one item name it by."""
        return name

    def login(self, name: str, password: str) -> str:
        """A token; without a name the password is this machine's own secret."""
        try:
            token = self.server.login(name, password)
        except Fault:
            if name:
                raise
            # 3.3.0 to 3.3.6 can't read their own secret, and take this for it (CVE-2024-47533)
            token = self.server.login(name, -1)
        return shape.text(token, "login")

    def set_virt_bridges(self, name: str, bridges: Mapping[str, str], token: str) -> None:
        """Set and save the virt_bridge of a system's interfaces."""
        # modify_interface does nothing in 3.3.0; this is what Cobbler's own command calls
        for interface, bridge in bridges.items():
            edit = {"interface": interface, "virt_bridge": bridge}
            self.server.xapi_object_edit("system", name, "edit", edit, token)

    def save(self, kind: str, name: str, token: str) -> None:
        """Save an item as it is; triggers run."""
        self.server.save_item(kind, self.server.get_item_handle(kind, name), token)

    def script(self, kind: str, name: str, script: str) -> str:
        """A script that the server renders for a system or profile."""
        reference = self.reference(kind, name)
        words = (reference, "") if kind == "profile" else ("", reference)
        return shape.text(self.server.generate_script(*words, script), "generate_script")

    def rendered(self, kind: str, name: str) -> str:
        """The install file that the server renders for a system or profile."""
        of_this_kind = getattr(self.server, "generate_%s_autoinstall" % kind)
        return shape.text(of_this_kind(name), "the install file of %s" % shown(name))

    def edit_meta(
        self, kind: str, name: str, changes: Mapping[str, Optional[str]], token: str
    ) -> None:
        """Set some of the own variables of a system or profile, as it is by now, and save it.

        ``None`` takes one away; the others stay as they are.
        """
        item = self._item(kind, self.reference(kind, name))
        own = self._own(kind, name, item)
        if not self._edit_in_place(kind, item, own, changes, token):
            self._set_whole_meta(kind, name, _changed(own, changes), token)

    def _edit_in_place(
        self,
        kind: str,
        item: Data,
        own: Data,
        changes: Mapping[str, Optional[str]],
        token: str,
    ) -> bool:
        """Have the server itself join the changes with the other variables, where it can."""
        told = item.get("autoinstall_meta")
        interfaces = sorted(typed.fields(item.get("interfaces")))
        if not isinstance(told, dict) or (kind == "system" and not interfaces):
            return False
        # the server takes its own answer for the others, so what that has wrong is told too
        edit: Data = {key: value for key, value in own.items() if value != told[key]}
        if any(key.startswith("~") for key in edit):
            return False
        edit.update({"~" + key: "" for key in changes if changes[key] is None and key in own})
        edit.update({key: value for key, value in changes.items() if value is not None})
        whole: Data = {"autoinstall_meta": edit, "in_place": True}
        if kind == "system":
            # an interface must be named, or some number of them makes it add one
            whole["interface"] = interfaces[0]
        self.server.xapi_object_edit(kind, item["name"], "edit", whole, token)
        return True

    def _set_whole_meta(self, kind: str, name: str, whole: Data, token: str) -> None:
        handle = self.server.get_item_handle(kind, name)
        self.server.modify_item(kind, handle, "autoinstall_meta", whole, token)
        self.save(kind, name, token)

    def variables(self, kind: str, name: str) -> Optional[Tuple[Data, Data]]:
        """The own variables of a system or profile, and those that it inherits; ``None`` where
        there is none."""
        if not self.server.has_item(kind, name):
            return None
        item = self._item(kind, self.reference(kind, name))
        return self._own(kind, name, item), self._inherited(item)

    def _inherited(self, item: Data) -> Data:
        """The variables that an item inherits; of what is above it and isn't there, none."""
        above_it = lineage(item, self._known)[1:]
        return merged([each.get("autoinstall_meta") for each in above_it])

    def _own(self, kind: str, name: str, item: Data) -> Data:
        """The own variables exactly: over XML-RPC one without a value has the value ``~``."""
        own = item.get("autoinstall_meta")
        if not isinstance(own, dict):
            return _as_variables(own)
        doubtful = {key: _valueless(value) for key, value in own.items()}
        doubtful = {key: value for key, value in doubtful.items() if value != own[key]}
        if not doubtful:
            return own
        # written as one text, a variable without a value is a name alone; get_item would give that
        # text too, but leaves it in the server's memory of the item
        words = str(self._blended(kind, self.reference(kind, name))["autoinstall_meta"])
        return {
            key: value
            if key not in doubtful or _has_none_as_text(key, value, words)
            # or else it has none
            else doubtful[key]
            for key, value in own.items()
        }

    def meta(self, kind: str, reference: str) -> Data:
        """The variables of a system or profile with all that it inherits."""
        item = self._item(kind, reference)
        return merged([each.get("autoinstall_meta") for each in lineage(item, self._known)])

    def _known(self, kind: str, name: str) -> Optional[Data]:
        """An item that another one names, ``None`` where there is none."""
        answer = self.server.get_item(kind, name)
        # Cobbler's word for nothing
        return None if answer in (None, "~") else shape.item(answer, kind)


class Remote40(Remote3):
    """Cobbler 4.0 over XML-RPC."""

    imports_need_leave = False
    equals_stay = False

    def items(self, kind: str) -> List[Data]:
        """Names in place of uids, and the interfaces, which are other items."""
        if kind not in ("system", "profile"):
            return super().items(kind)
        names = {
            text_of(item, "uid"): item["name"]
            for each in PARENTS
            for item in super(Remote40, self).items(each)
        }
        for template in self.listed("template"):
            path = text_of(typed.fields(template.get("uri")), "path")
            names[text_of(template, "uid")] = path
        interfaces: Dict[str, Data] = {}
        for each in super().items("network_interface"):
            interfaces.setdefault(text_of(each, "system_uid"), {})[each["name"]] = each
        return [self._named(item, kind, names, interfaces) for item in super().items(kind)]

    @staticmethod
    def _named(item: Data, kind: str, names: Data, interfaces: Mapping[str, Data]) -> Data:
        above = {
            up: names.get(text_of(item, up), item[up] if up == "autoinstall" else "")
            for up in ("profile", "image", "parent", "distro", "autoinstall")
            if text_of(item, up)
        }
        own = interfaces.get(text_of(item, "uid"), {})
        return plain(dict(item, interfaces=own, **above))

    def reference(self, kind: str, name: str) -> str:
        """The uid."""
        return shape.text(self.server.get_item_handle(kind, name), "get_item_handle")

    def set_virt_bridges(self, name: str, bridges: Mapping[str, str], token: str) -> None:
        """Each interface is an item."""
        system = self.reference("system", name)
        for each in super().items("network_interface"):
            if each.get("system_uid") == system and each["name"] in bridges:
                bridge = bridges[each["name"]]
                handle = shape.text(each.get("uid"), "network_interface: uid")
                self.server.modify_network_interface(handle, ["virt_bridge"], bridge, token)
                self.server.save_network_interface(handle, True, True, "bypass", token)

    def rendered(self, kind: str, name: str) -> str:
        """There is one method for both; of cloud-init's files it is told which."""
        answer = self.server.generate_autoinstall(
            self.reference(kind, name), kind, "uid", "", "user-data"
        )
        return shape.text(answer, "the install file of %s" % shown(name))

    def save(self, kind: str, name: str, token: str) -> None:
        """Only with these words triggers run."""
        self.server.save_item(kind, self.reference(kind, name), True, True, "bypass", token)

    def _edit_in_place(
        self,
        kind: str,
        item: Data,
        own: Data,
        changes: Mapping[str, Optional[str]],
        token: str,
    ) -> bool:
        """The server has nothing that would."""
        return False

    def _set_whole_meta(self, kind: str, name: str, whole: Data, token: str) -> None:
        handle = self.reference(kind, name)
        self.server.modify_item(kind, handle, ["autoinstall_meta"], whole, token)
        self.save(kind, name, token)

    def _inherited(self, item: Data) -> Data:
        upper = above(item)
        there = upper is not None and self._known(*upper) is not None
        return self.meta(*upper) if upper is not None and there else {}

    def meta(self, kind: str, reference: str) -> Data:
        """Cobbler merges them itself."""
        # resolved: other fields are whole items in it
        item = shape.struct(self.server.get_item(kind, reference, False, True), kind)
        return as_dict(item.get("autoinstall_meta"))


def over_xmlrpc(server: Any) -> Remote3:
    """What knows the items of the Cobbler behind this proxy.

    Raises as the proxy does where it can't be reached or refuses.
    """
    major = shape.major(server.extended_version())
    return Remote40(server) if major >= 4 else Remote3(server)
