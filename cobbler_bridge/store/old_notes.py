"""What version 0.1 noted in autoinstall_meta: read until it is moved into the ledger, once.

A host had ``bridge_record=BRIDGES/STATE/SINCE``, a guest ``bridge_placed=NIC:BRIDGE,…``.
"""

from typing import Any, Dict, Mapping, Optional, Tuple
from urllib.parse import unquote

from cobbler_bridge.description import keys, values
from cobbler_bridge.description.xen_mode import UNBRIDGED
from cobbler_bridge.store.host_record import INSTALLED, INSTALLING, VERIFIED, Record

RECORD, PLACED = keys.ONCE
_XEN = "xen:"


def of(own_meta: Mapping[str, Any]) -> Tuple[Optional[Record], Dict[str, str]]:
    """The record of a host and what was placed on a guest, by its own variables."""
    return record(own_meta.get(RECORD)), placed(own_meta.get(PLACED))


def record(text: Any) -> Optional[Record]:
    """The record in a value; ``None`` where it is none."""
    parts = text.split("/") if isinstance(text, str) else []
    if len(parts) != 3 or parts[1] not in (INSTALLING, INSTALLED, VERIFIED):
        return None
    if parts[0] in [_XEN + mode for mode in UNBRIDGED]:
        return Record((), parts[1], parts[2], parts[0][len(_XEN) :])
    try:
        # a name from here ends up in a guest's virt_bridge, and so on Koan's command line
        bridges = tuple(values.device_name(name) for name in parts[0].split(",") if name)
    except ValueError:
        return None
    return Record(bridges, parts[1], parts[2])


def placed(text: Any) -> Dict[str, str]:
    """What was placed, interface to bridge; empty where it is no note."""
    found = {}
    for word in text.split(",") if isinstance(text, str) else []:
        interface, colon, bridge = word.partition(":")
        if colon and interface:
            found[unquote(interface)] = unquote(bridge)
    return found
