"""What an administrator asked for: Cobbler's blended data in, a typed description out.

``describe`` is pure. Where a system has an interface record of type bridge, its records are the
description (``records``); else the template variables are (``variables``). Everything that is
wrong is reported at once.
"""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from cobbler_bridge import keys, records, variables, xen
from cobbler_bridge.interfaces import BRIDGE_TYPE, Interfaces
from cobbler_bridge.network import Bridge, Placed, Vlan, devices
from cobbler_bridge.problem import Problem
from cobbler_bridge.reader import Reader, is_address, is_domain
from cobbler_bridge.xen import Xen

# Cobbler's own fields that a rendering reads, here and in ``target``
_FIELDS = [
    "system_name",
    "profile_name",
    "name",
    "breed",
    "os_version",
    "interfaces",
    "gateway",
    "name_servers",
    "name_servers_search",
]


class Description(NamedTuple):
    """Everything asked for on one system or profile; there may be guests without a bridge.

    ``vlans`` are VLANs that have addresses of their own, over something that is written anyway.
    """

    subject: str
    bridges: Tuple[Bridge, ...]
    vlans: Tuple[Vlan, ...]
    firewall: str
    backend: str
    name_servers: Tuple[str, ...]
    search_domains: Tuple[str, ...]
    xen: Xen = Xen()

    @property
    def devices(self) -> Tuple[Placed, ...]:
        """Every device once, each behind those that it is made of."""
        return devices(self.bridges, self.vlans)


def wants_bridge(data: Mapping[str, Any]) -> bool:
    """Whether anything is asked for at all: otherwise nothing is written."""
    if keys.BRIDGE.name in data or xen.wants_network(data):
        return True
    interfaces = data.get("interfaces")
    return isinstance(interfaces, dict) and any(
        str(record.get("interface_type") or "").lower() == BRIDGE_TYPE
        for record in interfaces.values()
    )


def relevant(data: Mapping[str, Any]) -> Dict[str, Any]:
    """The part of blended data that a rendering can depend on, in one order."""
    names = [name for name in data if keys.BRIDGE.name in name]
    return {name: data[name] for name in sorted(names) + _FIELDS if name in data}


def describe(data: Mapping[str, Any]) -> Tuple[Optional[Description], List[Problem]]:
    """Read the blended data of a system or profile, with autoinstall_meta at the top level.

    Returns the description, or ``None`` and every problem found.
    """
    reader = Reader(data)
    reader.refuse_unknown_keys()
    interfaces = Interfaces(reader)
    vlans: Tuple[Vlan, ...] = ()
    recorded = bool(interfaces.of_kind(BRIDGE_TYPE))
    if recorded:
        bridges, vlans = records.read(reader, interfaces)
    else:
        bridges = variables.read(reader, interfaces)
    asked = xen.read(reader, bridges, vlans, recorded)
    description = Description(
        subject=reader.subject,
        bridges=() if asked.unbridged else bridges,
        vlans=vlans,
        firewall=reader.get(keys.FIREWALL) or "auto",
        backend=reader.get(keys.BACKEND) or "auto",
        # one that is no address would make NetworkManager refuse the whole file
        name_servers=reader.words("name_servers", "IP address", is_address),
        search_domains=reader.words("name_servers_search", "domain", is_domain),
        xen=asked,
    )
    # a problem of a record may be met twice
    problems = list(dict.fromkeys(reader.problems))
    return (None if problems else description), problems
