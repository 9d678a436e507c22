"""NetworkManager's keyfiles: what EL 9 and Fedora 33 write and EL 10 alone reads.

The format is defined by nm-settings-keyfile(5).
"""

import ipaddress
import uuid
from typing import List, Optional, Tuple

from cobbler_bridge.backends import ifcfg
from cobbler_bridge.description import Bridge, Description
from cobbler_bridge.plan import (
    Call,
    File,
    Parts,
    Port,
    Setting,
    Step,
    Text,
    Word,
    assignments,
    ports_of,
)
from cobbler_bridge.problem import Problem
from cobbler_bridge.target import Target

FOLDER = "/etc/NetworkManager/system-connections/"
# so that a profile has the same UUID each time it is written
_NAMESPACE = uuid.UUID("0c2cbe1e-8f5b-5c0f-9b0e-6b7d6c1f8a52")
# above what an installer leaves, and again and again: nobody is there to try once more
_AUTOCONNECT: List[Setting] = [("autoconnect-priority", "100"), ("autoconnect-retries", "0")]
_ALONE = Call("keyfile_alone", (), "keyfiles of the same devices are set aside")

Section = Tuple[str, List[Setting]]


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The profiles of every bridge and its ports."""
    steps: List[Step] = []
    for bridge in description.bridges:
        ports = ports_of(bridge)
        for port in ports:
            steps.append(_file(port.name, _port(description, bridge, port)))
        steps.append(_file(bridge.name, _bridge(description, bridge, ports)))
        for port, choice in zip(ports, bridge.ports):
            if choice.name in (None, bridge.name):
                does = "port %d is renamed by a link file of udev, if it must be" % port.number
                steps.append(Call("keyfile_rename", (str(port.number),), does))
    steps += [_ALONE, ifcfg.ALONE]
    return Parts(("keyfile", "ifcfg"), (), tuple(steps)), []


def _connection(description: Description, name: str, kind: str) -> List[Setting]:
    identity = uuid.uuid5(_NAMESPACE, "%s/%s" % (description.subject, name))
    return [("id", name), ("uuid", str(identity)), ("type", kind)]


def _port(description: Description, bridge: Bridge, port: Port) -> List[Section]:
    connection = _connection(description, "%s port %d" % (bridge.name, port.number), "ethernet")
    connection += _AUTOCONNECT + [("master", bridge.name), ("slave-type", "bridge")]
    # by its MAC address, whatever the NIC is called next
    return [("connection", connection), ("ethernet", [("mac-address", port.mac), *_mtu(bridge)])]


def _bridge(description: Description, bridge: Bridge, ports: Tuple[Port, ...]) -> List[Section]:
    connection = _connection(description, bridge.name, "bridge")
    connection += [("interface-name", bridge.name), *_AUTOCONNECT, ("autoconnect-slaves", "1")]
    ethernet: List[Setting] = []
    if bridge.mac == "port":
        ethernet.append(("cloned-mac-address", ports[0].mac))
    elif bridge.mac != "none":
        ethernet.append(("cloned-mac-address", bridge.mac))
    # NetworkManager's own default is STP with 15 seconds
    options: List[Setting] = [
        ("stp", "true" if bridge.stp else "false"),
        ("forward-delay", str(bridge.forward_delay)),
    ]
    return [
        ("connection", connection),
        ("ethernet", ethernet + _mtu(bridge)),
        ("bridge", options),
        ("ipv4", _ipv4(description, bridge)),
        ("ipv6", _ipv6(description, bridge)),
    ]


def _mtu(bridge: Bridge) -> List[Setting]:
    return [] if bridge.mtu is None else [("mtu", str(bridge.mtu))]


def _ipv4(description: Description, bridge: Bridge) -> List[Setting]:
    if bridge.ipv4.method == "none":
        return [("method", "disabled")]
    if bridge.ipv4.address is None:
        # by the MAC, as the installer asked: a server must not see a new machine
        settings: List[Setting] = [("method", "auto"), ("dhcp-client-id", "mac")]
    else:
        address = _with_gateway(bridge.ipv4.address, bridge.ipv4.gateway)
        settings = [("method", "manual"), ("address1", address)]
    return settings + _names(description, bridge, 4)


def _ipv6(description: Description, bridge: Bridge) -> List[Setting]:
    """Router advertisements, but where a gateway is given: they would give a second one."""
    address, gateway = bridge.ipv6.address, bridge.ipv6.gateway
    settings: List[Setting] = [("method", "auto" if gateway is None else "manual")]
    if address is not None:
        settings.append(("address1", _with_gateway(address, gateway)))
    return settings + _names(description, bridge, 6)


def _with_gateway(address: object, gateway: Optional[object]) -> str:
    return str(address) if gateway is None else "%s,%s" % (address, gateway)


def _names(description: Description, bridge: Bridge, version: int) -> List[Setting]:
    """The name servers of one IP version; the search domains stand with IPv4 where there is any.

    NetworkManager refuses them where the version has no address.
    """
    disabled = bridge.ipv4.method == "none"
    if not bridge.addressed or (version == 4 and disabled):
        return []
    servers = [
        server
        for server in description.name_servers
        if ipaddress.ip_address(server).version == version
    ]
    settings: List[Setting] = []
    if servers:
        settings.append(("dns", ";".join(servers) + ";"))
    if description.name_servers and bridge.ipv4.method == "dhcp":
        settings.append(("ignore-auto-dns", "true"))
    if description.search_domains and version == (6 if disabled else 4):
        settings.append(("dns-search", ";".join(description.search_domains) + ";"))
    return settings


def _file(device: Word, sections: List[Section]) -> File:
    content: Text = ()
    for name, settings in sections:
        if settings:
            content += ("[%s]\n" % name, *assignments(settings), "\n")
    # NetworkManager takes no profile that others can read
    return File((FOLDER, device, ".nmconnection"), 0o600, content[:-1])
