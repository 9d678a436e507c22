"""netplan's YAML: what Ubuntu reads since 17.10, and Debian where netplan.io is installed.

netplan writes the network of systemd-networkd or of NetworkManager from it; only the machine tells
which. Its program on the machine, ``on_the_host/netplan.py``, gives what is written here the ids
that the cards have in other files, takes them out of those, and has netplan try the whole.
"""

from typing import Dict, Iterator, List, Optional, Tuple, Union

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
from cobbler_bridge.description.values import BOND_MODES, Route
from cobbler_bridge.plan.backends import rivals
from cobbler_bridge.plan.names import Named, bond_options, mac_of, name_of, named, names_now
from cobbler_bridge.plan.plan import (
    Call,
    Effect,
    File,
    Need,
    Parts,
    Shipped,
    Step,
    Text,
    Word,
)
from cobbler_bridge.plan.target import Target
from cobbler_bridge.problem import Problem

FILE = "/etc/netplan/90-cobbler-bridge.yaml"
PROGRAM = "/usr/libexec/cobbler-bridge/netplan"
DROP_IN = "/etc/systemd/network/10-netplan-%s.netdev.d/cobbler-bridge.conf"

_PROGRAM = Shipped((PROGRAM,), 0o755, "netplan.py", "python3 of the machine reads netplan's files")
_FILES = Call("netplan_files", (), "netplan's files that are there are read")
_RANK = Call("rank_files", (), "each of them is ranked as its reader would take it at boot")
_WRITE = Call(
    "netplan_write",
    (),
    "the cards are taken out of other files, cloud-init writes none, and netplan tries the whole",
)
_EFFECTS = tuple(
    Effect(folder, "with 'netplan apply'") for folder in ("/etc/netplan/", "/etc/systemd/network/")
)

# A text of YAML; or what stands below a key, each line with its own
Value = Union[Text, "Block"]
Block = List[Tuple[Word, "Value"]]


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """One file with every device, and one for what netplan has no key for."""
    blocks: Dict[str, Block] = {}
    problems = list(_problems(description))
    for each in named(description):
        if not (isinstance(each.device, Nic) and each.device.left):
            blocks.setdefault(_SECTIONS[type(each.device)], []).append(
                (each.name, _device(description, each))
            )
    network: Block = [("version", ("2",)), *blocks.items()]
    content = ("# cobbler-bridge\nnetwork:\n", *_lines(network, "  "))
    steps: List[Step] = [_PROGRAM, _FILES, _RANK, rivals.layers(description)]
    steps.append(File((FILE,), 0o600, content))
    for bridge in description.bridges:
        steps += _networkd_alone(bridge)
        steps += _keep(bridge)
    steps += [_WRITE, rivals.ASIDE]
    why = "netplan needs it: install netplan.io"
    checks = (Need("/usr/sbin/netplan", why, "netplan.io", target.package_tool),)
    return Parts(checks, tuple(steps), _EFFECTS, renames=True), problems


_SECTIONS = {Nic: "ethernets", Bond: "bonds", Vlan: "vlans", Bridge: "bridges"}


def _lines(block: Block, indent: str) -> Iterator[Word]:
    """A block of YAML; what could be taken for more than a word is in quotes."""
    for key, value in block:
        yield from (indent, *(_quoted(key) if len(indent) == 4 else (key,)))
        if isinstance(value, list):
            yield ":\n"
            yield from _lines(value, indent + "  ")
        else:
            yield from (": ", *value, "\n")


def _quoted(word: Word) -> Text:
    return ('"', word, '"')


def _list(texts: List[Text]) -> Text:
    """In brackets."""
    words: Text = ("[",)
    for number, each in enumerate(texts):
        words += (", ",) * (number > 0) + each
    return (*words, "]")


def _device(description: Description, each: Named) -> Block:
    device = each.device
    block = _own(description, device)
    if device.mtu is not None:
        block.append(("mtu", (str(device.mtu),)))
    if each.master is not None:
        return [*block, ("dhcp4", ("false",)), ("dhcp6", ("false",)), ("link-local", ("[]",))]
    mac = mac_of(device)
    if isinstance(device, Bond) and mac is not None:
        # networkd invents one, which no reservation knows
        block.append(("macaddress", _quoted(mac)))
    if isinstance(device, Bridge) and (not device.ports or device.ipv4.method == "none"):
        # the rest of the boot waits for no address of it
        block.append(("optional", ("true",)))
    block += _ipv4(description, device) + _ipv6(device)
    given = [address for ip in (device.ipv4, device.ipv6) for address in (ip.address, *ip.others)]
    if any(given):
        block.append(("addresses", _list([_quoted(str(each)) for each in given if each])))
    return block + _routes(description, device) + _names(description, device)


def _own(description: Description, device: Device) -> Block:
    """What only this type of device has."""
    bridges = description.bridge_names
    if isinstance(device, Bond):
        options = [_bond_option(*option) for option in bond_options(device, bridges)]
        return [
            ("interfaces", _list([_quoted(name_of(nic, bridges)) for nic in device.ports])),
            ("parameters", [option for option in options if option is not None]),
        ]
    if isinstance(device, Vlan):
        parent = name_of(device.parent, bridges)
        return [("id", (str(device.tag),)), ("link", _quoted(parent))]
    return _bridge(device, bridges) if isinstance(device, Bridge) else []


def _bridge(device: Bridge, bridges: Tuple[str, ...]) -> Block:
    ports = [_quoted(name_of(port, bridges)) for port in device.ports]
    block: Block = [("interfaces", _list(ports))]
    mac = mac_of(device) if device.mac == "port" else device.mac
    if mac is not None and mac != "none":
        block.append(("macaddress", _quoted(mac)))
    parameters: Block = [
        ("stp", ("true" if device.stp else "false",)),
        ("forward-delay", (str(device.forward_delay),)),
    ]
    for name, value in device.options:
        if name not in _NETWORKD:
            parameters.append((name.replace("_", "-"), (str(value),)))
    return [*block, ("parameters", parameters)]


# What netplan has no key for, as networkd has it
_NETWORKD = {
    "group_forward_mask": "GroupForwardMask",
    "multicast_snooping": "MulticastSnooping",
    "vlan_filtering": "VLANFiltering",
}
# the kernel's names where netplan's are not the same with a dash
_BOND = {
    "miimon": "mii-monitor-interval",
    "updelay": "up-delay",
    "downdelay": "down-delay",
    "xmit_hash_policy": "transmit-hash-policy",
    "arp_ip_target": "arp-ip-targets",
    "fail_over_mac": "fail-over-mac-policy",
    "num_grat_arp": "gratuitous-arp",
    "num_unsol_na": "gratuitous-arp",
    "packets_per_slave": "packets-per-slave",
    "primary_reselect": "primary-reselect-policy",
    "lp_interval": "learn-packet-interval",
    **{
        name: name.replace("_", "-")
        for name in "mode lacp_rate ad_select arp_interval arp_validate arp_all_targets primary"
        " resend_igmp all_slaves_active min_links".split()
    },
}
# the kernel takes their numbers too
_BOND_WORDS = {
    "mode": BOND_MODES,
    "lacp_rate": ["slow", "fast"],
    "ad_select": ["stable", "bandwidth", "count"],
    "arp_validate": ["none", "active", "backup", "all"],
    "arp_all_targets": ["any", "all"],
    "fail_over_mac": ["none", "active", "follow"],
    "primary_reselect": ["always", "better", "failure"],
    "xmit_hash_policy": ["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4"],
    "all_slaves_active": ["false", "true"],
}


def _bond_option(name: str, value: Word) -> Optional[Tuple[Word, Value]]:
    if name not in _BOND:
        return None
    words = _BOND_WORDS.get(name, [])
    if isinstance(value, str) and value.isdigit() and int(value) < len(words):
        value = words[int(value)]
    if name == "arp_ip_target":
        return _BOND[name], _list([_quoted(each) for each in str(value).split(",")])
    return _BOND[name], _quoted(value)


def _ipv4(description: Description, device: Device) -> Block:
    ipv4 = device.ipv4
    if ipv4.method == "keep":
        return []
    block: Block = [("dhcp4", ("true" if ipv4.leased else "false",))]
    if ipv4.leased:
        # by the MAC, as the installer asked: a server must not see a new machine
        block.append(("dhcp-identifier", ("mac",)))
        overrides: Block = []
        if device in description.ways_out:
            overrides.append(("route-metric", (str(_metric(description, device)),)))
        if description.name_servers:
            overrides.append(("use-dns", ("false",)))
        # for networkd both versions have the same
        block += [("dhcp%d-overrides" % version, overrides) for version in (4, 6) if overrides]
    return block


def _ipv6(device: Device) -> Block:
    if device.ipv6.method == "keep":
        return []
    # NetworkManager hears no router but with dhcp6
    heard = "true" if device.ipv6.method == "dhcp" or hears_routers(device) else "false"
    return [("dhcp6", (heard,)), ("accept-ra", (heard,))]


def _metric(description: Description, device: Device) -> int:
    """Of several ways out the first is used."""
    return FIRST_METRIC + description.ways_out.index(device)


def _routes(description: Description, device: Device) -> Block:
    routes: List[Text] = []
    # the oldest netplan knows no word for it
    for everywhere, ip in (("0.0.0.0/0", device.ipv4), ("::/0", device.ipv6)):
        if ip.gateway is not None:
            route = _route(Route(everywhere, str(ip.gateway)))
            if ip is device.ipv4 and device in description.ways_out:
                route += (", metric: %d" % _metric(description, device),)
            routes.append(("{", *route, "}"))
        routes += [("{", *_route(each), "}") for each in ip.routes]
    return [("routes", _list(routes))] if routes else []


def _route(route: Route) -> Text:
    return ('to: "%s", via: "%s"' % route,)


def _names(description: Description, device: Device) -> Block:
    """Name servers and search domains, where the device has an address."""
    versions = {4} if device.ipv4.method != "none" else set()
    versions |= {6} if device.ipv6.method != "none" else set()
    servers = [
        _quoted(server)
        for server in description.name_servers
        if addresses.address(server).version in versions
    ]
    block: Block = [("addresses", _list(servers))] if servers else []
    if description.search_domains:
        domains = [_quoted(domain) for domain in description.search_domains]
        block.append(("search", _list(domains)))
    return [("nameservers", block)] if block and addressed(device) else []


def _networkd_alone(bridge: Bridge) -> Iterator[Step]:
    """What netplan has no key for; NetworkManager has none for it either."""
    asked = [option for option in bridge.options if option[0] in _NETWORKD]
    if not asked:
        return
    what = " and ".join(name for name, _ in asked)
    does = "%s is refused where NetworkManager renders the network" % what
    yield Call("netplan_networkd", (what,), does)
    lines = "".join(
        "%s=%s\n" % (_NETWORKD[name], value if name == "group_forward_mask" else _YES_NO[value])
        for name, value in asked
    )
    yield File((DROP_IN % bridge.name,), 0o644, ("[Bridge]\n" + lines,))


_YES_NO = ("no", "yes")


def _keep(bridge: Bridge) -> Iterator[Step]:
    """What the machine's own files say of the port."""
    methods = rivals.asked((bridge.ipv4.method, bridge.ipv6.method))
    if bridge.ports and methods != ("-", "-"):
        words = (bridge.name, *methods, *names_now(bridge.ports[0]))
        yield Call("netplan_keep", words, rivals.KEEP)


def _problems(description: Description) -> Iterator[Problem]:
    for bridge in description.bridges:
        if bridge.zone is not None:
            wrong = "netplan tells firewalld no zone, which is asked for on %s" % bridge.name
            right = "remove it, and it is the port's"
            yield Problem(description.subject, keys.ZONE.name, wrong, right)
    for each in named(description):
        if each.name == "renderer":
            wrong = "renderer is a word of netplan's among the devices"
            yield Problem(description.subject, keys.BRIDGE.name, wrong, "another name")
        if not isinstance(each.device, Bond):
            continue
        for name, _ in each.device.options:
            if name not in _BOND:
                wrong = "netplan has no %s for a bond" % name
                right = "it can have " + ", ".join(sorted(_BOND))
                field = "interface %s" % each.device.name
                yield Problem(description.subject, field, wrong, right)
