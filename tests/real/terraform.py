"""Terraform's own binary, and a provider that does to Cobbler what its own one does.

Cobbler's provider is written in Go, and is to be had as a download only: this is what versions 5
(Cobbler 3) and 6 (Cobbler 4, whose interfaces are resources of their own) send and read back, with
the fields that matter here; 3.2, which neither speaks with, is spoken to as 3.3. It speaks
Terraform's plugin protocol, so what is planned, refreshed and found inconsistent is Terraform's own
word. What has interfaces as a map of attributes has them as blocks here: Terraform 1.0.3 panics at
such a map, and judges both in the same way.
"""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type, Union

import grpc
import msgpack

from private_cobbler import PrivateCobbler

Json = Dict[str, Any]
Field = Tuple[int, Union[int, str, bytes]]

ADDRESS = "registry.terraform.io/cobbler/cobbler"
HEAD = """\
terraform {
  required_providers {
    cobbler = { source = "cobbler/cobbler" }
  }
}
"""
INHERIT = "<<inherit>>"
TEXTS, LIST = ["map", "string"], ["list", "string"]
# what a plan has where only Cobbler knows
UNKNOWN = msgpack.ExtType(0, b"\0")
_HEALTHY = b"\x08\x01"
_SINGLE, _MAP = 1, 4


class Attribute(NamedTuple):
    """An attribute of a resource: its type as Terraform writes it, or ``nested`` ones. One that is
    not required is computed where the configuration has none, and stays as it was (``keeps``)."""

    kind: Any = "string"
    nesting: str = ""
    nested: Mapping[str, "Attribute"] = {}
    required: bool = False
    keeps: bool = True
    default: Optional[str] = None


def inherited(kind: Any) -> Attribute:
    """A value that may be inherited."""
    return Attribute(
        nesting="single", nested={"value": Attribute(kind, keeps=False), "inherited": FLAG}
    )


NAME, TEXT, FLAG = Attribute(required=True), Attribute(), Attribute("bool")
SYSTEM: Mapping[str, Attribute] = {
    "name": NAME,
    "profile": NAME,
    "autoinstall_meta": inherited(TEXTS),
    "kernel_options": inherited(TEXTS),
    **dict.fromkeys(("comment", "gateway", "hostname", "status"), TEXT),
    "name_servers": Attribute(LIST),
    "netboot_enabled": FLAG,
}
_NIC_TEXTS = "dhcp_tag dns_name bonding_opts bridge_opts interface_master ip_address ipv6_address"
NIC: Mapping[str, Attribute] = {
    **dict.fromkeys(_NIC_TEXTS.split(), TEXT),
    **dict.fromkeys(("ipv6_default_gateway", "mac_address", "netmask", "virt_bridge"), TEXT),
    **dict.fromkeys(("cnames", "ipv6_secondaries", "static_routes"), Attribute(LIST)),
    "management": FLAG,
    "static": FLAG,
    "interface_type": Attribute(default="na"),
}


class Resource:
    """What version 5 does with a system."""

    type_name = "cobbler_system"
    attributes: Mapping[str, Attribute] = {
        **SYSTEM,
        "mgmt_parameters": inherited(TEXTS),
        "interface": Attribute(nesting="map", nested=NIC),
    }
    replaces: Tuple[str, ...] = ("name",)

    def __init__(self, cobbler: PrivateCobbler) -> None:
        self.cobbler = cobbler

    def create(self, plan: Json) -> Optional[Json]:
        handle = self.call("new_system")
        self._write(handle, {**plan, "status": _said(plan["status"]) or "production"})
        self.rpc("save_system", handle, self.cobbler.token, "new")
        return self._interfaces(plan)

    def update(self, prior: Json, plan: Json) -> Optional[Json]:
        # an update has no save of its own: the interfaces' saves write it
        handle = self.handle("system", plan["name"])
        self._write(handle, plan)
        for name in set(prior["interface"] or {}) - set(plan["interface"] or {}):
            assert self.call("modify_system", handle, "delete_interface", name)
            self.rpc("save_system", handle, self.cobbler.token, "bypass")
        return self._interfaces(plan)

    def delete(self, prior: Json) -> None:
        self.call("remove_system", prior["name"])

    def read(self, state: Json) -> Optional[Json]:
        # not resolved, which the oldest can't say
        resolved = [] if self.version < (3, 3, 4) else [False]
        found = self.call("get_system", state["name"], False, *resolved)
        if found == "~":
            return None
        nics = {name: _read(NIC, fields) for name, fields in found["interfaces"].items()}
        return {**_read(self.attributes, found), "interface": nics}

    def _write(self, handle: str, plan: Json) -> None:
        # in the client's order, every field at each time
        first = ("name", "comment", "kernel_options", "autoinstall_meta", "mgmt_parameters")
        for name in (*first, *(name for name in SYSTEM if name not in first)):
            self._modify(handle, name, plan[name])

    def _modify(self, handle: str, name: str, value: Any) -> None:
        assert self.call("modify_system", handle, name, self.sent(name, value)) is True, name

    def sent(self, name: str, value: Any) -> Any:
        """What the client makes of an attribute."""
        attribute = self.attributes[name]
        if attribute.nesting:
            known = _known(value, {})
            # version 5 takes one that it doesn't know for inherited
            is_own = _known(known.get("inherited"), True) is False
            return (_known(known["value"], {})) if is_own else INHERIT
        return _sent(attribute, value)

    def _interfaces(self, plan: Json) -> Optional[Json]:
        for name, nic in _known(plan["interface"], {}).items():
            handle = self.handle("system", plan["name"])
            fields = {key: _sent(NIC[key], value) for key, value in nic.items()}
            # which it has no attribute for
            fields.update(connected_mode=False, mtu="", ipv6_prefix="")
            words = {"%s-%s" % (key, name): value for key, value in fields.items()}
            assert self.call("modify_system", handle, "modify_interface", words) is True
            self.rpc("save_system", handle, self.cobbler.token, "bypass")
        if self.version >= (3, 3):
            # with which version 5 begins; 3.2 does not get up again from it here
            self.rpc("sync", self.cobbler.token)
        return self.read(plan)

    @property
    def version(self) -> Tuple[int, ...]:
        return tuple(self.cobbler.rpc("extended_version")["version_tuple"])

    def handle(self, kind: str, name: str) -> str:
        """How Cobbler calls an item."""
        return str(self.rpc("get_item_handle", kind, name))

    def call(self, method: str, *arguments: Any) -> Any:
        """A call with the token last."""
        return self.rpc(method, *arguments, self.cobbler.token)

    def rpc(self, method: str, *arguments: Any) -> Any:
        return self.cobbler.rpc(method, *arguments)


class System40(Resource):
    """What version 6 does with a system."""

    attributes = {**SYSTEM, "uid": TEXT}

    def create(self, plan: Json) -> Optional[Json]:
        handle = self.call("new_system")
        self._write(handle, plan)
        assert self.call("save_system", handle, True, True, "new") is True
        self.rpc("sync", self.cobbler.token)
        return self.read(plan)

    def update(self, prior: Json, plan: Json) -> Optional[Json]:
        handle = self.handle("system", plan["name"])
        self._write(handle, plan)
        assert self.call("save_system", handle, True, True, "bypass") is True
        self.rpc("sync", self.cobbler.token)
        return self.read(plan)

    def delete(self, prior: Json) -> None:
        self.call("remove_system", self.handle("system", prior["name"]))

    def read(self, state: Json) -> Optional[Json]:
        if not self.rpc("has_item", "system", state["name"], self.cobbler.token):
            return None
        handle = self.handle("system", state["name"])
        found = self.call("get_system", handle, False, False)
        return _read(self.attributes, {**found, **found.get("dns", {}), **found.get("power", {})})

    def _write(self, handle: str, plan: Json) -> None:
        for name in ("name", "profile", "comment", "autoinstall_meta", "netboot_enabled"):
            value = self.sent(name, plan[name])
            assert self.call("modify_system", handle, [name], value) is True, name


class Interface40(Resource):
    """What version 6 does with an interface, which it saves by itself."""

    type_name = "cobbler_network_interface"
    attributes = {
        "name": NAME,
        "system": NAME,
        "mac_address": TEXT,
        "interface_type": Attribute(default="na"),
        "virt_bridge": inherited("string"),
    }
    replaces = ("name", "system")

    def create(self, plan: Json) -> Optional[Json]:
        handle = self.call("new_network_interface", plan["system"])
        return self._save(handle, plan, "new")

    def update(self, prior: Json, plan: Json) -> Optional[Json]:
        return self._save(self._handle(plan), plan, "bypass")

    def delete(self, prior: Json) -> None:
        handle = self._handle(prior)
        if handle:
            self.rpc("remove_network_interface", handle, self.cobbler.token, False)

    def read(self, state: Json) -> Optional[Json]:
        handle = self._handle(state)
        if not handle:
            return None
        found = self.call("get_network_interface", handle, False, False)
        return _read(self.attributes, {**found, "system": found["system_uid"]})

    def _handle(self, state: Json) -> str:
        if not self.rpc("has_item", "network_interface", state["name"], self.cobbler.token):
            return ""
        return self.handle("network_interface", state["name"])

    def _save(self, handle: str, plan: Json, mode: str) -> Optional[Json]:
        for name in ("name", "mac_address", "interface_type", "virt_bridge"):
            value = self.sent(name, plan[name])
            assert self.call("modify_network_interface", handle, [name], value) is True, name
        assert self.call("save_network_interface", handle, True, True, mode) is True
        return self.read(plan)


def _known(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None or value == UNKNOWN else value


def _said(value: Any) -> str:
    return str(_known(value, ""))


def _sent(attribute: Attribute, value: Any) -> Any:
    if attribute.kind == "bool":
        return bool(_known(value, False))
    if attribute.kind == LIST:
        return list(_known(value, []))
    return _known(value, "") or attribute.default or ""


def _read(attributes: Mapping[str, Attribute], fields: Mapping[str, Any]) -> Json:
    """The state of an item, by what Cobbler has of it."""
    found: Json = {}
    for name, attribute in attributes.items():
        value = fields.get(name)
        if attribute.nesting == "single":
            is_inherited = value == INHERIT
            own = None if is_inherited else value
            if attribute.nested["value"].kind == TEXTS and own is not None:
                own = {key: each if isinstance(each, str) else "" for key, each in own.items()}
            found[name] = {"value": own, "inherited": is_inherited}
        elif attribute.nesting:
            found[name] = None
        elif attribute.kind == "bool":
            found[name] = bool(value)
        elif attribute.kind == LIST:
            found[name] = [] if value in (None, "~", "") else list(value or ())
        else:
            found[name] = attribute.default or "" if value in (None, "~", "") else str(value)
    return found


class Provider:
    """Serves Terraform on a socket, while it is entered."""

    def __init__(self, cobbler: PrivateCobbler, folder: Path) -> None:
        self.cobbler, self.folder = cobbler, folder
        is_4 = Resource(cobbler).version >= (4,)
        kinds: List[Type[Resource]] = [System40, Interface40] if is_4 else [Resource]
        self._resources = {kind.type_name: kind(cobbler) for kind in kinds}
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(4))

    def __enter__(self) -> "Provider":
        self._server.add_generic_rpc_handlers((_Methods(self),))
        self._server.add_insecure_port("unix:%s" % self._socket)
        self._server.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._server.stop(None).wait()

    def terraform(self, *words: str, check: bool = True) -> str:
        """Run Terraform in the folder, inside the private Cobbler; what it says."""
        config = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": 1, "Test": True}
        at = {"Network": "unix", "String": str(self._socket)}
        env = {
            "TF_REATTACH_PROVIDERS": json.dumps({ADDRESS: {**config, "Addr": at}}),
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
        }
        done = self.cobbler.run(
            ["terraform", *words, "-no-color"], env=env, cwd=self.folder, check=False
        )
        said = done.stdout + done.stderr
        if check and done.returncode:
            raise AssertionError(said)
        return said

    def apply(self, configuration: str, *words: str, check: bool = True) -> str:
        """Apply a configuration; the last line of what Terraform says, or all where it fails."""
        (self.folder / "main.tf").write_text(HEAD + configuration)
        said = self.terraform("apply", "-auto-approve", "-input=false", *words, check=check)
        done = [line for line in said.splitlines() if line.startswith("Apply complete!")]
        return done[0] if done else said

    @property
    def _socket(self) -> Path:
        return self.folder / "provider"

    def get_provider_schema(self, request: bytes) -> bytes:
        empty = (2, b"")
        pairs: List[Field] = [(1, _message(empty))]
        for name, resource in self._resources.items():
            schema = _message((2, _block(resource.attributes)))
            pairs.append((2, _message((1, name), (2, schema))))
        return _message(*pairs)

    def upgrade_resource_state(self, request: bytes) -> bytes:
        fields = _fields(request)
        raw = _fields(fields[3])
        return _message((1, _message((2, raw[1]))))

    def read_resource(self, request: bytes) -> bytes:
        fields = _fields(request)
        return _message((1, _dynamic(self._of(fields).read(_value(fields[2])))))

    def plan_resource_change(self, request: bytes) -> bytes:
        fields = _fields(request)
        prior, proposed, config = (_value(fields[number]) for number in (2, 3, 4))
        if proposed is None:
            return _message((1, _dynamic(None)))
        resource = self._of(fields)
        plan = _plan(resource.attributes, config, prior, prior != proposed)
        changed = [each for each in resource.replaces if prior and prior[each] != plan[each]]
        paths: List[Field] = [(2, _message((1, _message((1, name))))) for name in changed]
        return _message((1, _dynamic(plan)), *paths)

    def apply_resource_change(self, request: bytes) -> bytes:
        fields = _fields(request)
        prior, plan, resource = _value(fields[2]), _value(fields[3]), self._of(fields)
        new = None
        try:
            # one at a time, as it does
            with self._lock:
                if plan is None:
                    resource.delete(prior)
                elif prior is None:
                    new = resource.create(plan)
                else:
                    new = resource.update(prior, plan)
        except Exception as error:
            return _message((1, _dynamic(prior)), (3, _message((1, 1), (2, repr(error)))))
        return _message((1, _dynamic(new)))

    def _of(self, fields: Mapping[int, bytes]) -> Resource:
        return self._resources[fields[1].decode()]


def _plan(attributes: Mapping[str, Attribute], config: Json, prior: Any, changed: bool) -> Json:
    """What an item shall have, as the provider's framework works it out: what the configuration has
    not stays as it was (``UseStateForUnknown``), or is unknown where it is new."""
    plan: Json = {}
    for name, attribute in attributes.items():
        asked, was = config.get(name), (prior or {}).get(name)
        if asked is None and attribute.default is not None:
            plan[name] = attribute.default
        elif asked is None:
            stays = was is not None and (attribute.keeps or not changed)
            plan[name] = was if stays else UNKNOWN
        elif attribute.nesting == "single":
            plan[name] = _plan(attribute.nested, asked, was, changed)
        elif attribute.nesting:
            plan[name] = {
                key: _plan(attribute.nested, each, (was or {}).get(key), changed)
                for key, each in asked.items()
            }
        else:
            plan[name] = asked
    return plan


class _Methods(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The methods of Terraform's protocol that do anything here, by their names."""

    def __init__(self, provider: Provider) -> None:
        self._known: Dict[str, Callable[[bytes], bytes]] = {
            "GetProviderSchema": provider.get_provider_schema,
            "UpgradeResourceState": provider.upgrade_resource_state,
            "ReadResource": provider.read_resource,
            "PlanResourceChange": provider.plan_resource_change,
            "ApplyResourceChange": provider.apply_resource_change,
            **dict.fromkeys(("ValidateProviderConfig", "ValidateResourceConfig"), _nothing),
            **dict.fromkeys(("ConfigureProvider", "StopProvider"), _nothing),
            "Check": lambda request: _HEALTHY,
        }

    def service(self, call: Any) -> Any:
        method = self._known.get(call.method.rpartition("/")[2])
        if method is None:
            return None
        known: Callable[[bytes], bytes] = method
        return grpc.unary_unary_rpc_method_handler(lambda request, _: known(request))


def _nothing(request: bytes) -> bytes:
    return b""


def _block(attributes: Mapping[str, Attribute]) -> bytes:
    pairs: List[Field] = []
    for name, attribute in attributes.items():
        if attribute.nesting == "map":
            pairs.append((3, _message((1, name), (2, _block(attribute.nested)), (3, _MAP))))
        else:
            pairs.append((2, _schema_of(name, attribute)))
    return _message(*pairs)


def _schema_of(name: str, attribute: Attribute) -> bytes:
    pairs: List[Field] = [(1, name)]
    if attribute.nesting:
        nested: List[Field] = [(1, _schema_of(*each)) for each in attribute.nested.items()]
        pairs.append((10, _message(*nested, (3, _SINGLE))))
    else:
        pairs.append((2, json.dumps(attribute.kind)))
    pairs += [(4, 1)] if attribute.required else [(5, 1), (6, 1)]
    return _message(*pairs)


def _dynamic(value: Any) -> bytes:
    return _message((1, msgpack.packb(value)))


def _value(dynamic: bytes) -> Any:
    return msgpack.unpackb(_fields(dynamic)[1], ext_hook=msgpack.ExtType)


def _message(*pairs: Field) -> bytes:
    """A message of protocol buffers."""
    text = b""
    for number, value in pairs:
        if isinstance(value, int):
            text += _varint(number << 3) + _varint(value)
        else:
            raw = value.encode() if isinstance(value, str) else value
            text += _varint(number << 3 | 2) + _varint(len(raw)) + raw
    return text


def _fields(text: bytes) -> Dict[int, bytes]:
    """The texts and messages of a message by their numbers; of many the last one."""
    found: Dict[int, bytes] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte, at = text[at], at + 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(text):
        key, size = varint(), varint()
        if key & 7 == 2:
            found[key >> 3] = text[at : at + size]
            at += size
    return found


def _varint(value: int) -> bytes:
    text = b""
    while value > 127:
        text, value = text + bytes([value & 127 | 128]), value >> 7
    return text + bytes([value])
