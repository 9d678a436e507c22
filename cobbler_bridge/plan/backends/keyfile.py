"""NetworkManager's keyfiles: what EL 9 and Fedora 33 write and EL 10 alone reads.

The format is defined by nm-settings-keyfile(5).
"""

import uuid
from typing import List, Optional, Tuple

from cobbler_bridge import addresses
from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import FIRST_METRIC, Description
from cobbler_bridge.description.network import (
    Bond,
    Bridge,
    Device,
    Nic,
    Vlan,
    addressed,
    hears_routers,
)
from cobbler_bridge.description.values import Route
from cobbler_bridge.plan.backends import rivals
from cobbler_bridge.plan.names import (
    Named,
    bond_options,
    mac_of,
    name_of,
    named,
    names_now,
    renamed_nics,
)
from cobbler_bridge.plan.plan import Call, File, Parts, Setting, Step, Text, assignments, plain
from cobbler_bridge.plan.target import Target
from cobbler_bridge.problem import Problem

FOLDER = rivals.KEYFILE_FOLDER
# so that a profile has the same UUID each time it is written
_NAMESPACE = uuid.UUID("0c2cbe1e-8f5b-5c0f-9b0e-6b7d6c1f8a52")
# above what an installer leaves, and again and again: nobody is there to try once more
_AUTOCONNECT: List[Setting] = [("autoconnect-priority", "100"), ("autoconnect-retries", "0")]
_HIDDEN = "%r begins with a dot, and NetworkManager reads no hidden file"

Section = Tuple[str, List[Setting]]


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The profiles of every device."""
    bridges = description.bridge_names
    steps: List[Step] = [*rivals.NETWORKMANAGER, rivals.layers(description)]
    for each in named(description):
        if not (isinstance(each.device, Nic) and each.device.left):
            steps += _profile(description, each)
    steps += [rivals.rename(nic.number) for nic in renamed_nics(description)]
    steps.append(rivals.ASIDE)
    problems = [
        Problem(description.subject, keys.BRIDGE.name, _HIDDEN % name, "another name")
        for name in bridges
        if name.startswith(".")
    ]
    return Parts((), tuple(steps), rivals.RESTARTED + rivals.RELOADED, renames=True), problems


def _profile(description: Description, each: Named) -> List[Step]:
    device = each.device
    kind = _KINDS[type(device)]
    sections = [
        ("connection", _connection(description, each, kind)),
        ("ethernet", _ethernet(device)),
    ]
    sections += _own_section(description, device)
    if each.master is None:
        sections.append(("ipv4", _ipv4(description, device)))
        sections.append(("ipv6", _ipv6(description, device)))
    return [_file((each.name,), sections), *_keep(each)]


_KINDS = {Nic: "ethernet", Bond: "bond", Vlan: "vlan", Bridge: "bridge"}


def _connection(description: Description, each: Named, kind: str) -> List[Setting]:
    # the name of a NIC is the machine's; its profile goes by its MAC address
    identity = (
        "NIC %d" % each.device.number if isinstance(each.device, Nic) else plain((each.name,))
    )
    name: Text = (each.name,)
    if each.master is not None:
        identity = "%s port %d" % (each.master.name, each.master.ports.index(each.device) + 1)
        name = (identity,)
    unique = str(uuid.uuid5(_NAMESPACE, "%s/%s" % (description.subject, identity)))
    settings: List[Setting] = [("id", name), ("uuid", unique), ("type", kind)]
    if not isinstance(each.device, Nic):
        settings.append(("interface-name", each.name))
    settings += _AUTOCONNECT
    if isinstance(each.device, (Bond, Bridge)):
        settings.append(("autoconnect-slaves", "1"))
    if isinstance(each.device, Bridge) and each.device.zone is not None:
        settings.append(("zone", each.device.zone))
    if each.master is not None:
        kind = "bond" if isinstance(each.master, Bond) else "bridge"
        settings += [("master", each.master.name), ("slave-type", kind)]
    return settings


def _ethernet(device: Device) -> List[Setting]:
    settings: List[Setting] = []
    if isinstance(device, Nic):
        # by its MAC address, whatever the NIC is called next
        settings.append(("mac-address", mac_of(device) or ""))
    elif isinstance(device, Bridge):
        mac = mac_of(device) if device.mac == "port" else device.mac
        if mac is not None and mac != "none":
            settings.append(("cloned-mac-address", mac))
    if device.mtu is not None:
        settings.append(("mtu", str(device.mtu)))
    return settings


def _own_section(description: Description, device: Device) -> List[Section]:
    """What only this type of device has."""
    if isinstance(device, Bond):
        return [("bond", list(bond_options(device, description.bridge_names)))]
    if isinstance(device, Vlan):
        parent = name_of(device.parent, description.bridge_names)
        return [("vlan", [("id", str(device.tag)), ("parent", parent)])]
    if not isinstance(device, Bridge):
        return []
    # NetworkManager's own default is STP with 15 seconds
    settings: List[Setting] = [
        ("stp", "true" if device.stp else "false"),
        ("forward-delay", str(device.forward_delay)),
    ]
    for name, value in device.options:
        text = ("false", "true")[value] if name in _SWITCHES else str(value)
        settings.append((name.replace("_", "-"), text))
    return [("bridge", settings)]


_SWITCHES = ("multicast_snooping", "vlan_filtering")


def _ipv4(description: Description, device: Device) -> List[Setting]:
    ipv4 = device.ipv4
    if ipv4.method == "keep":
        return []
    if ipv4.method == "none" and not ipv4.others:
        return [("method", "disabled")]
    settings: List[Setting] = [("method", "manual")]
    addresses = [str(other) for other in ipv4.others]
    if ipv4.leased:
        # by the MAC, as the installer asked: a server must not see a new machine
        settings = [("method", "auto"), ("dhcp-client-id", "mac")]
    elif ipv4.address is not None:
        addresses.insert(0, _with_gateway(ipv4.address, ipv4.gateway))
    settings += _numbered("address", addresses) + _routes(ipv4.routes)
    return settings + _default_route(description, device) + _names(description, device, 4)


def _default_route(description: Description, device: Device) -> List[Setting]:
    """Which of several is used: without a metric the one that is there first."""
    ranked = description.ways_out
    if device not in ranked:
        return []
    place = ranked.index(device)
    if device.ipv4.leased and place:
        return [("never-default", "true")]
    return [("route-metric", str(FIRST_METRIC + place))]


def _ipv6(description: Description, device: Device) -> List[Setting]:
    """Router advertisements, but where a gateway is given they would give a second one."""
    ipv6 = device.ipv6
    if ipv6.method == "keep":
        return []
    methods = {"none": "link-local", "dhcp": "dhcp"}
    method = methods.get(ipv6.method, "auto" if hears_routers(device) else "manual")
    addresses = [str(other) for other in ipv6.others]
    if ipv6.address is not None:
        addresses.insert(0, _with_gateway(ipv6.address, ipv6.gateway))
    settings: List[Setting] = [("method", method)]
    settings += _numbered("address", addresses) + _routes(ipv6.routes)
    return settings + _names(description, device, 6)


def _numbered(name: str, values: List[str]) -> List[Setting]:
    return [("%s%d" % (name, number), value) for number, value in enumerate(values, 1)]


def _routes(routes: Tuple[Route, ...]) -> List[Setting]:
    return _numbered("route", ["%s,%s" % route for route in routes])


def _with_gateway(address: object, gateway: Optional[object]) -> str:
    return str(address) if gateway is None else "%s,%s" % (address, gateway)


def _keep(each: Named) -> List[Step]:
    """What the machine's own profile for a device says, and ours does not, goes into ours."""
    device = each.device
    if not isinstance(device, Bridge):
        does = "what is the card's own business stays in the profile of %s" % plain((each.name,))
        return [Call("keyfile_port", (each.name, names_now(device)[0]), does)]
    if not device.ports:
        return []
    methods = rivals.asked((device.ipv4.method, device.ipv6.method))
    words = (device.name, *methods, *names_now(device.ports[0]))
    return [Call("keyfile_keep", words, rivals.KEEP)]


def _names(description: Description, device: Device, version: int) -> List[Setting]:
    """The name servers of one IP version; the search domains stand with IPv4 where there is any.

    NetworkManager refuses them where the version has no address.
    """
    disabled = device.ipv4.method == "none"
    if not addressed(device) or (disabled if version == 4 else device.ipv6.method == "none"):
        return []
    servers = [
        server
        for server in description.name_servers
        if addresses.address(server).version == version
    ]
    settings: List[Setting] = []
    if servers:
        settings.append(("dns", ";".join(servers) + ";"))
    if description.name_servers and device.ipv4.leased:
        settings.append(("ignore-auto-dns", "true"))
    if description.search_domains and version == (6 if disabled else 4):
        settings.append(("dns-search", ";".join(description.search_domains) + ";"))
    return settings


def _file(device: Text, sections: List[Section]) -> File:
    content: Text = ()
    for name, settings in sections:
        if settings:
            content += ("[%s]\n" % name, *assignments(settings), "\n")
    # NetworkManager takes no profile that others can read
    return File((FOLDER, *device, ".nmconnection"), 0o600, content[:-1])
