"""The words of ``server.Server`` for the Cobblers that have other ones than 3.3."""

import contextlib
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Type

import pytest

from environments import KINDS, VERSIONS, Version
from private_cobbler import PrivateCobbler
from real.server import COLLECTIONS, Server

Json = Dict[str, Any]
# for what is tried on every Cobbler
EACH = [
    pytest.param(each, id=each.name, marks=[] if each.name in KINDS else pytest.mark.thorough)
    for each in VERSIONS
]


class Server40(Server):
    """Cobbler 4.0: items are called by uid, interfaces and templates are items."""

    def template(self, name: str, text: str, kind: str = "cheetah") -> None:
        """A file, and the item that says where it is."""
        # which is what it calls its own
        super().template(name, text.replace("'autoinstall_done'", "'built-in-autoinstall_done'"))
        self.add(
            "template",
            name,
            template_type=kind,
            **{"uri.schema": "file", "uri.path": name + ".ks", "tags": ["kickstart"]},
        )

    def add(self, kind: str, name: str, **fields: Any) -> None:
        """Template, distro and profile are given by name here."""
        self._add(kind, [], name, fields)

    def _add(self, kind: str, of: Sequence[str], name: str, fields: Mapping[str, Any]) -> None:
        handle = self.cobbler.rpc("new_" + kind, *of, self.cobbler.token)
        self._save(kind, handle, {"name": name, **fields})

    def edit(self, kind: str, name: str, **fields: Any) -> None:
        self._save(kind, self._uid(kind, name), fields)

    def _save(self, kind: str, handle: str, fields: Mapping[str, Any]) -> None:
        token = self.cobbler.token
        for field, value in fields.items():
            if field == "modify_interface":
                continue
            if field in ("distro", "profile"):
                value = self._uid(field, value)
            if field == "autoinstall":
                value = self._uid("template", Path(value).stem)
            words = field.split(".")
            assert self.cobbler.rpc("modify_" + kind, handle, words, value, token) is True
        assert self.cobbler.rpc("save_" + kind, handle, True, True, "bypass", token) is True
        # the order of the command, too: the interfaces' system must be there
        for name, more in _by_interface(
            fields.get("modify_interface") or {}, _INTERFACE_WORDS_40
        ).items():
            self._interface(handle, name, more)
        if "modify_interface" in fields:
            assert self.cobbler.rpc("save_system", handle, True, True, "bypass", token) is True

    def remove(self, kind: str, name: str) -> None:
        """It takes the uid, and answers False to a name."""
        super().remove(kind, self._uid(kind, name))

    def _interface(self, system: str, name: str, fields: Mapping[str, Any]) -> None:
        for each in self.cobbler.rpc("get_items", "network_interface"):
            if (each["system_uid"], each["name"]) == (system, name):
                self._save("network_interface", each["uid"], fields)
                return
        self._add("network_interface", [system], name, fields)

    def _uid(self, kind: str, name: str) -> str:
        return str(self.cobbler.rpc("get_item_handle", kind, name))

    def file_of(self, name: str, kind: str = "system") -> Path:
        """The file is called by the uid."""
        return self.cobbler.path("%s/%ss/%s.json" % (COLLECTIONS, kind, self._uid(kind, name)))

    def bridges(self, name: str) -> Dict[str, str]:
        """Each interface has a file."""
        folder = self.cobbler.path(COLLECTIONS + "/network_interfaces")
        found: List[Json] = [json.loads(path.read_text()) for path in folder.glob("*.json")]
        uid = self._uid("system", name)
        return {each["name"]: each["virt_bridge"] for each in found if each["system_uid"] == uid}

    def macs(self, name: str) -> List[str]:
        """As they are saved."""
        uid = self._uid("system", name)
        items = self.cobbler.rpc("get_items", "network_interface")
        mine = [each for each in items if each["system_uid"] == uid]
        return [each["mac_address"] for each in sorted(mine, key=lambda each: str(each["name"]))]


class Server330(Server):
    """Cobbler 3.3.0: modify_interface of its XML-RPC changes nothing."""

    def _save(self, kind: str, handle: str, fields: Mapping[str, Any]) -> None:
        rest = dict(fields)
        words = rest.pop("modify_interface", None)
        if words is not None:
            there = self.cobbler.rpc("get_item", kind, fields["name"]) if "name" in fields else {}
            known = there.get("interfaces") if isinstance(there, dict) else None
            rest["interfaces"] = {
                name: {**(known or {}).get(name, {}), **more}
                for name, more in _by_interface(words, _INTERFACE_WORDS_330).items()
            }
        super()._save(kind, handle, rest)


# fields of 3.3's "FIELD-INTERFACE" words, and others'
_INTERFACE_WORDS_330 = {
    "macaddress": "mac_address",
    "virtbridge": "virt_bridge",
    "ipaddress": "ip_address",
    "netmask": "netmask",
    "static": "static",
}
_INTERFACE_WORDS_40 = dict(_INTERFACE_WORDS_330, ipaddress="ipv4.address", netmask="ipv4.netmask")


def _by_interface(words: Mapping[str, Any], known: Mapping[str, str]) -> Dict[str, Json]:
    found: Dict[str, Json] = {}
    for word, value in words.items():
        field, _, name = word.partition("-")
        found.setdefault(name, {})[known[field]] = value
    return found


def server_of(version: Version, cobbler: PrivateCobbler) -> Server:
    """The right words for a Cobbler."""
    kinds: Dict[str, Type[Server]] = {"3.3.0": Server330, "4.0.0b7": Server40}
    return kinds.get(version.cobbler, Server)(cobbler)


@contextlib.contextmanager
def with_the_pack(name: str) -> Iterator[Server]:
    """A running Cobbler of ``environments.VERSIONS``, by its name, with the pack and no system."""
    (version,) = (each for each in VERSIONS if each.name == name)
    version.must_be_made()
    with PrivateCobbler(python=version.interpreter) as cobbler:
        server = server_of(version, cobbler)
        server.install()
        server.add_releases()
        yield server
