"""What an administrator asked for: Cobbler's blended data in, a typed description out.

``describe`` is pure. Where a system has an interface record of type bridge, its records are the
description (``records``); else the template variables are (``variables``). Everything that is
wrong is reported at once.
"""

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import quote

from cobbler_bridge import keys, records, variables, xen
from cobbler_bridge.interfaces import BRIDGE_TYPE, Interfaces
from cobbler_bridge.network import Bridge, Placed, Vlan, devices
from cobbler_bridge.problem import Problem, shown
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
    "http_server",
]

# a host's name or address, in brackets where it is IPv6, and perhaps a port
_SERVER = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?\Z")


class FirstBoot(NamedTuple):
    """The check at the first boot: whether it is done and may put the old network back.

    ``timeout`` is in seconds; ``url`` tells Cobbler that the bridge was proved, ``""`` where
    blended data name no server.
    """

    verify: bool = True
    rollback: bool = True
    timeout: int = 120
    url: str = ""


class Description(NamedTuple):
    """Everything asked for on one system or profile; there may be guests without a bridge.

    ``vlans`` are VLANs that have addresses of their own, over something that is written anyway.
    ``gateway`` is the system's own, as Cobbler has it.
    """

    subject: str
    bridges: Tuple[Bridge, ...]
    vlans: Tuple[Vlan, ...]
    firewall: str
    backend: str
    name_servers: Tuple[str, ...]
    search_domains: Tuple[str, ...]
    xen: Xen = Xen()
    first_boot: FirstBoot = FirstBoot()
    gateway: str = ""

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
        first_boot=_first_boot(reader),
        gateway=str(data.get("gateway") or ""),
    )
    # a problem of a record may be met twice
    problems = list(dict.fromkeys(reader.problems))
    return (None if problems else description), problems


def _first_boot(reader: Reader) -> FirstBoot:
    server = str(reader.data.get("http_server") or "")
    if server and not _SERVER.match(server):
        right = "set Cobbler's server to a name or an address"
        reader.problem("http_server", "%s can't be called at the first boot" % shown(server), right)
    # only a system's data have interfaces; the command gets them without system_name
    is_system = reader.data.get("system_name") or "interfaces" in reader.data
    words = (server, "system" if is_system else "profile", quote(reader.subject, safe=""))
    return FirstBoot(
        verify=reader.get(keys.VERIFY) != "no",
        rollback=reader.get(keys.ROLLBACK) != "no",
        timeout=reader.get(keys.TIMEOUT) or 0,
        url="http://%s/cblr/svc/op/trig/mode/firstboot/%s/%s" % words if server else "",
    )
