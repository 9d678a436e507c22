"""What an administrator asked for: Cobbler's blended data in, a typed description out.

``describe`` is pure. Where a system has an interface record of type bridge, its records are the
description (``records``); else the template variables are (``variables``). Everything that is
wrong is reported at once.
"""

import functools
import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, TypeVar
from urllib.parse import quote

from cobbler_bridge import addresses, typed
from cobbler_bridge.description import from_interface_records, from_variables, keys, xen_mode
from cobbler_bridge.description.blended_data import Reader, is_address, is_domain
from cobbler_bridge.description.interface_fields import BRIDGE_TYPE, Interfaces, kind_of
from cobbler_bridge.description.network import Attached, Bridge, Device, Vlan, devices
from cobbler_bridge.description.xen_mode import Xen
from cobbler_bridge.problem import Problem, shown

T = TypeVar("T")

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
    "manage_dhcp",
    "manage_dhcp_v4",
]

# a host's name or address, in brackets where it is IPv6, and perhaps a port
_SERVER = re.compile(r"(?:([A-Za-z0-9_][A-Za-z0-9._-]{0,252})|\[([^]]+)\])(?::[0-9]{1,5})?\Z")
_DIGITS = frozenset("0123456789.")
# The metric of the first of several ways out: below NetworkManager's own ones
FIRST_METRIC = 100


class FirstBoot(NamedTuple):
    """The check at the first boot: whether it is done and may put the old network back.

    ``timeout`` is in seconds; where somebody chose it (``always``) a host that runs has as long.
    ``watch`` says whether the host goes on looking; ``url`` tells Cobbler that the bridge was
    proved, ``""`` where blended data name no server.
    """

    verify: bool = True
    rollback: bool = True
    timeout: int = 120
    url: str = ""
    watch: bool = True
    always: bool = False


class _Asked(NamedTuple):
    """The fields of a description; only what is derived of one can keep what it has worked out.

    ``vlans`` are VLANs that have addresses of their own, over something that is written anyway.
    ``gateway`` is the system's own, as Cobbler has it. ``remarks`` are about what may not be meant.
    ``macs`` are all MAC addresses that its records have, by which the machine is known.
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
    remarks: Tuple[Problem, ...] = ()
    macs: Tuple[str, ...] = ()


def once(work: Callable[["Description"], T]) -> Callable[["Description"], T]:
    """What a description keeps when it was worked out of it: every part of a plan asks for it."""

    @functools.wraps(work)
    def kept(description: "Description") -> T:
        known = vars(description)
        if work.__name__ not in known:
            known[work.__name__] = work(description)
        found: T = known[work.__name__]
        return found

    return kept


class Description(_Asked):
    """Everything asked for on one system or profile; there may be guests without a bridge."""

    @property
    @once
    def devices(self) -> Tuple[Attached, ...]:
        """Every device once, each behind those that it is made of."""
        return devices(self.bridges, self.vlans)

    @property
    @once
    def bridge_names(self) -> Tuple[str, ...]:
        """The names of the bridges, in their order."""
        return tuple(bridge.name for bridge in self.bridges)

    @property
    def has_way_out(self) -> bool:
        """Whether a device that is described may give a default route."""
        return any(
            device.ipv4.method in ("auto", "dhcp", "keep")
            or device.ipv4.gateway is not None
            or device.ipv6.method == "keep"
            or device.ipv6.gateway is not None
            for device, _ in self.devices
        )

    @property
    @once
    def ways_out(self) -> Tuple[Device, ...]:
        """The devices that give a default route of IPv4, first the one that is to be used.

        It is the one of the system's gateway, else the first bridge. Empty where there is only one.
        """
        found = [
            device
            for device, _ in self.devices
            if device.ipv4.leased or device.ipv4.gateway is not None
        ]

        def later(device: Device) -> Tuple[bool, bool]:
            its_own = str(device.ipv4.gateway) == self.gateway
            return not its_own, not isinstance(device, Bridge)

        return tuple(sorted(found, key=later)) if len(found) > 1 else ()


def wants_bridge(data: Mapping[str, Any]) -> bool:
    """Whether anything is asked for at all: otherwise nothing is written."""
    if keys.BRIDGE.name in data or xen_mode.wants_network(data):
        return True
    records_of_it = typed.fields(data.get("interfaces")).values()
    return any(kind_of(each) == BRIDGE_TYPE for each in records_of_it)


def relevant(data: Mapping[str, Any]) -> Dict[str, Any]:
    """The part of blended data that a rendering can depend on, in one order."""
    ours = keys.BRIDGE.name
    names = [name for name in data if isinstance(name, str) and ours in name]
    return {name: data[name] for name in sorted(names) + _FIELDS if name in data}


def describe(data: Mapping[str, Any]) -> Tuple[Optional[Description], List[Problem]]:
    """Read the blended data of a system or profile, with autoinstall_meta at the top level.

    Returns the description, or ``None`` and every problem found.
    """
    reader = Reader(data)
    reader.refuse_unknown_keys()
    reader.refuse_strange_names()
    interfaces = Interfaces(reader)
    vlans: Tuple[Vlan, ...] = ()
    recorded = bool(interfaces.of_kind(BRIDGE_TYPE))
    if recorded:
        bridges, vlans = from_interface_records.read(reader, interfaces)
    else:
        bridges = from_variables.read(reader, interfaces)
    asked = xen_mode.read(reader, bridges, vlans, recorded)
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
        gateway=reader.text("gateway"),
        remarks=tuple(dict.fromkeys(reader.remarks)),
        macs=tuple(sorted({mac for mac in map(interfaces.mac, interfaces.names) if mac})),
    )
    # a problem of a record may be met twice
    problems = list(dict.fromkeys(reader.problems))
    return (None if problems else description), problems


def _first_boot(reader: Reader) -> FirstBoot:
    server = reader.text("http_server")
    if server and not _is_server(server):
        right = "set Cobbler's server to a name or an address"
        reader.problem("http_server", "%s can't be called at the first boot" % shown(server), right)
    # only a system's data have interfaces; the command gets them without system_name
    is_system = reader.data.get("system_name") or "interfaces" in reader.data
    words = (
        server,
        "system" if is_system else "profile",
        quote(reader.subject, safe="", errors="replace"),
    )
    return FirstBoot(
        verify=reader.get(keys.VERIFY) != "no",
        rollback=reader.get(keys.ROLLBACK) != "no",
        timeout=reader.get(keys.TIMEOUT) or 0,
        url="http://%s/cblr/svc/op/trig/mode/firstboot/%s/%s" % words if server else "",
        watch=reader.get(keys.WATCH) != "no",
        always=reader.is_set(keys.TIMEOUT),
    )


def _is_server(text: str) -> bool:
    """Whether a host can call a server of this name or address."""
    match = _SERVER.match(text)
    if match is None:
        return False
    name, ipv6 = match.groups()
    try:
        if ipv6 is not None:
            addresses.ipv6(ipv6)
        elif _DIGITS.issuperset(name):
            addresses.ipv4(name)
    except ValueError:
        return False
    return True
