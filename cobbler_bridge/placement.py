"""Which bridge each interface of a guest gets. Pure."""

import re
from typing import Dict

from cobbler_bridge.inventory import Interface, System
from cobbler_bridge.record import INSTALLING, Record

# Koan 3.0.1, virtinstall.py, _sanitize_nics: what it makes no NIC of
_NO_NIC_TYPES = ("bond", "bridge", "bonded_bridge_slave")
_VLAN_NAME = re.compile(r"[a-zA-Z0-9]+\.[0-9]+")

# Cobbler's own defaults: equal to the setting, nobody chose them
_SHIPPED_DEFAULTS = ("xenbr0", "virbr0")
INHERITED = "<<inherit>>"


def is_unset(virt_bridge: str, default: str) -> bool:
    """Whether nobody chose this value; ``default`` is the setting default_virt_bridge."""
    if virt_bridge in ("", INHERITED):
        return True
    return virt_bridge == default and virt_bridge in _SHIPPED_DEFAULTS


def is_nic(interface: Interface) -> bool:
    """Whether Koan makes a NIC of this interface."""
    if interface.kind in _NO_NIC_TYPES or ":" in interface.name:
        return False
    return not _VLAN_NAME.match(interface.name)


def place(guest: System, host: Record, default: str) -> Dict[str, str]:
    """The interfaces of a guest that get a bridge of its host, and which."""
    if host.state == INSTALLING or not host.bridges:
        return {}
    return {
        interface.name: host.bridges[0]
        for interface in guest.interfaces
        if is_nic(interface) and is_unset(interface.virt_bridge, default)
    }
