"""What the server tells the command of systems: what the pack reads of them, as one JSON text.

Over XML-RPC a system is 7 to 20 KB, of which the command reads a few hundred bytes, and no call of
Cobbler's finds the guests of a host without looking at every system. So the server renders a script
that says both. What nobody here reads is a digest, which tells only what is equal.
"""

import hmac
import json
import os
from typing import Any, List, Mapping, NamedTuple, Optional

from cobbler_bridge import typed
from cobbler_bridge.description.describe import relevant
from cobbler_bridge.store import ledger
from cobbler_bridge.store.items import PARENTS, Data, of_interfaces
from cobbler_bridge.store.ledger import Memory

SCRIPT = "cobbler_bridge_records"
# what is read of a system itself, and of what it inherits from
_READ = ("name", "uid", "profile", "image", "ctime", "autoinstall")
_READ_ABOVE = ("name", "uid", "parent", "distro", "autoinstall", "virt_bridge")
# in which systems differ that are alike otherwise
_OWN_FIELDS = frozenset(
    "autoinstall_meta comment ctime hostname interfaces ks_meta mtime name uid".split()
)
# nobody finds what a short text was by trying all
_SALT = os.urandom(32)


def item(fields: Mapping[str, Any], own_meta: Any, is_host: bool) -> Data:
    """What is told of a system with these ``fields``; what makes it alike to others of a host."""
    found: Data = {name: fields[name] for name in _READ if fields.get(name)}
    found["autoinstall_meta"] = _meta(typed.fields(own_meta))
    interfaces = fields.get("interfaces")
    found["interfaces"] = (
        {name: _said(each) for name, each in interfaces.items()}
        if isinstance(interfaces, Mapping)
        else interfaces
    )
    found["alike"] = _digest(likeness(fields)) if is_host else ""
    return found


def above(fields: Mapping[str, Any], own_meta: Any) -> Data:
    """What is told of a profile, distro or image: not the names of all systems that it has."""
    found: Data = {name: fields[name] for name in _READ_ABOVE if fields.get(name)}
    return dict(found, autoinstall_meta=_meta(typed.fields(own_meta)))


def likeness(fields: Mapping[str, Any]) -> Optional[str]:
    """The same for systems whose blended data differ only by their names, their variables and their
    interfaces; ``None`` where there is no telling."""
    if fields.keys() & of_interfaces(typed.fields(fields.get("interfaces"))).keys():
        # an interface's field has the name of one of Cobbler's own
        return None
    return typed.identity(
        sorted((field, fields[field]) for field in fields if field not in _OWN_FIELDS)
    )


def _meta(own: Data) -> Data:
    read = relevant(own)
    return {name: own[name] if name in read else _digest(typed.identity(own[name])) for name in own}


def _said(record: Any) -> Any:
    if not isinstance(record, Mapping):
        return record
    return {name: value for name, value in record.items() if value}


def _digest(text: Optional[str]) -> str:
    told = (text or "").encode("utf-8", "surrogatepass")
    return hmac.new(_SALT, told, "sha256").hexdigest()[:24] if text else ""


class Told(NamedTuple):
    """``systems`` and what they inherit from: the items of each of its kinds; ``None`` where the
    server doesn't tell any. ``memory`` is of these systems."""

    memory: Memory
    systems: Optional[List[Data]]
    parents: Mapping[str, List[Data]] = {}


NOTHING = Told(Memory([], [], False), None)


def as_text(said: Told) -> str:
    """All of it as text in which no template's language finds anything."""
    whole = {**said._asdict(), **ledger.as_data(said.memory), "memory": None}
    text = json.dumps(whole, sort_keys=True, default=str)
    for sign in ("@", "$", "#", "::"):
        # which JSON itself has nowhere: they stand in texts
        text = text.replace(sign, "".join("\\u%04x" % ord(each) for each in sign))
    return text + "\n"


def parsed(text: str) -> Told:
    """What ``as_text`` says; nothing for what was never that."""
    try:
        data = typed.fields(json.loads(text))
    except (ValueError, RecursionError):
        data = {}
    memory, parents = ledger.memory_of(data), typed.fields(data.get("parents"))
    if not isinstance(data.get("systems"), list):
        return NOTHING._replace(memory=memory)
    above_them = {kind: _named(parents.get(kind)) for kind in PARENTS}
    return Told(memory, _named(data["systems"]), above_them)


def _named(items: Any) -> List[Data]:
    known = items if isinstance(items, list) else []
    return [each for each in known if isinstance(each, dict) and typed.text(each.get("name"))]
