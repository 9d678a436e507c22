"""The ifcfg files of the Red Hat family, for network-scripts and for NetworkManager.

The format is defined by sysconfig.txt of the initscripts package and, where NetworkManager
reads the files, by nm-settings-ifcfg-rh(5).
"""

import functools
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from cobbler_bridge import keys, values
from cobbler_bridge.backends import rivals
from cobbler_bridge.description import Description
from cobbler_bridge.network import Bond, Bridge, Device, Nic, Vlan, addressed, hears_routers
from cobbler_bridge.plan import (
    FIRST_METRIC,
    Call,
    Fact,
    File,
    Named,
    Parts,
    Setting,
    Step,
    Text,
    Word,
    assignments,
    bond_options,
    mac_of,
    may_be_renamed,
    name_of,
    named,
    names_now,
    need,
    ways_out,
)
from cobbler_bridge.problem import Problem
from cobbler_bridge.target import Target
from cobbler_bridge.values import NAME_CHARACTERS, Ipv4

FOLDER = "/etc/sysconfig/network-scripts/"


class Reader(NamedTuple):
    """How the programs that read ifcfg files differ from release to release.

    ``tool`` is the program without which network-scripts can't build a bridge, ``vlan_tool``
    and ``dhcp6_tool`` those without which they build no VLAN and ask no DHCPv6 server.
    ``networkmanager`` says whether the release's NetworkManager can have a bridge, ``dashes``
    whether ifup finds a file with a dash in its device's part, ``ipv6_switch`` whether IPv6 must
    be switched on for the whole machine, ``aliases`` whether modprobe.conf must name a bond.
    ``options`` are the options of a bridge that the release's kernel and scripts know;
    ``old_options`` says that they have keys of their own, ``short_delay`` that the scripts take
    DELAY for hundredths of a second, ``keyfiles`` that the installer writes keyfiles, and that a
    link file alone renames a NIC. ``pairs`` says whether a gateway can be in a network of two:
    some readers take it for the broadcast address, and leave the default route out.
    """

    tool: Optional[str]
    vlan_tool: Optional[str]
    dhcp6_tool: Optional[str]
    networkmanager: bool
    dashes: bool
    ipv6_switch: bool
    aliases: bool
    options: Tuple[str, ...]
    old_options: bool
    short_delay: bool
    keyfiles: bool = False
    pairs: bool = True


_EARLY = ("ageing_time", "priority")
_EL6 = ("ageing_time", "hello_time", "max_age", "multicast_snooping", "priority")
_ALL = tuple(sorted(values.OPTIONS))
_BRCTL = "/usr/sbin/brctl"
READERS: Dict[int, Reader] = {
    5: Reader(
        _BRCTL,
        "/sbin/vconfig",
        "/sbin/dhcp6c",
        networkmanager=False,
        dashes=False,
        ipv6_switch=True,
        aliases=True,
        options=_EARLY,
        old_options=True,
        short_delay=False,
        pairs=False,
    ),
    6: Reader(_BRCTL, None, None, False, True, False, False, _EL6, False, False),
    7: Reader(_BRCTL, None, None, True, True, False, False, _ALL, False, False, pairs=False),
    8: Reader(None, None, None, True, True, False, False, _ALL, False, True),
    9: Reader(None, None, None, True, True, False, False, _ALL, False, True, keyfiles=True),
}

# What network-scripts take for a leftover of an editor or a package, and don't start
_IGNORED_ENDINGS = (".bak", ".orig", ".old", ".rej", ".rpmnew", ".rpmorig", ".rpmsave", "-range")
# ifup hands a device to ifup-NAME where there is one; NAME is the device's less its number
_OTHER_SCRIPTS = (
    "aliases bnep ctc ib ippp ipsec ipv6 ipx isdn iucv plip plusb post ppp routes sit sl tunnel "
    "wireless Team TeamPort"
).split()
# NetworkManager has some endings more
_IGNORED_BY_NETWORKMANAGER = (".augnew", ".augtmp")
# What "ip link add NAME" takes for something else than a name, the first ones abbreviated too
_IP_ABBREVIATED = (
    "address addrgenmode alias broadcast dynamic help link-netnsid master nomaster numrxqueues "
    "numtxqueues txqlen txqueuelen type"
).split()
_IP_WORDS = (
    "add all allmulticast arp brd carrier dev down gro_max_size group gso_max_segs gso_max_size "
    "index mode mtu multicast name netns parentdev promisc protodown qlen state trailers up vf vrf "
    "xdp xdpdrv xdpgeneric xdpoffload"
).split()

_IPV6 = Call("ifcfg_ipv6", (), "IPv6 is switched on in /etc/sysconfig/network")
_READER = Call("ifcfg_reader", (), "the program that will read the files is found, for its units")
# Two zeros where network-scripts will read a time in hundredths of a second, else nothing
_CENTI = Fact("centi", "")
# The forward delay for scripts that would take DELAY in that unit; NetworkManager knows no such
# option, and for it this is empty
_DELAY = Fact("delay", "")
_RESOLVER = "/etc/resolv.conf has the %s, where it is there"
_TIMES = ("ageing_time", "hello_time", "max_age")


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The files of every device."""
    reader = READERS[target.release]
    devices = named(description)
    problems = _problems(description, devices, reader, target)
    bridges = [bridge.name for bridge in description.bridges]
    steps: List[Step] = []
    if reader.networkmanager and any(_has_times(bridge, reader) for bridge in description.bridges):
        steps.append(_READER)
    for each in devices:
        if not _left(each.device):
            steps += _device(description, each, reader)
    for device, _ in description.devices:
        if isinstance(device, Nic) and not device.left and may_be_renamed(device, bridges):
            follow = rivals.rename if reader.keyfiles else _follow_rename
            steps.append(follow(device.number))
        elif isinstance(device, Bond) and reader.aliases:
            does = "/etc/modprobe.conf says that %s is a bond" % device.name
            steps.append(Call("ifcfg_bond", (device.name,), does))
    if reader.ipv6_switch and any(
        each.device.ipv6.method in ("static", "dhcp") for each in devices
    ):
        steps.append(_IPV6)
    if not reader.networkmanager:
        steps += _resolver(description)
    steps += [_route(bridge) for bridge in description.bridges]
    steps += _no_advertisements(devices)
    steps.append(rivals.IFCFG)
    helpers: Tuple[str, ...] = ("ifcfg",)
    if reader.keyfiles:
        steps.append(rivals.KEYFILES)
        helpers += ("keyfile",)
    return Parts(helpers, _checks(description, reader, target), tuple(steps)), problems


def _no_advertisements(devices: Tuple[Named, ...]) -> List[Step]:
    """network-scripts switch router advertisements off when the kernel has heard one already."""
    content: Text = ()
    for each in devices:
        unwanted = each.device.ipv6.method in ("none", "static") and not hears_routers(each.device)
        if each.master is None and unwanted and not _left(each.device):
            content += (_BEGIN, each.name, _THEN, each.name, _END)
    return [File((UDEV_RULES,), 0o644, (_COMMENT, *content))] if content else []


UDEV_RULES = "/etc/udev/rules.d/98-cobbler-bridge-ipv6.rules"
_COMMENT = "# cobbler-bridge: no router advertisements, from the beginning\n"
_BEGIN = 'ACTION=="add", SUBSYSTEM=="net", KERNEL=="'
_THEN = '", RUN+="/sbin/sysctl -w net/ipv6/conf/'
_END = '/accept_ra=0"\n'


def _resolver(description: Description) -> Iterator[Step]:
    """Names as they will stand at the end, for scripts that would leave out some of them."""
    servers = tuple("nameserver " + server for server in description.name_servers)
    if servers:
        yield Call("ifcfg_resolv", ("nameserver", *servers), _RESOLVER % "name servers")
    if description.search_domains:
        search = "search " + " ".join(description.search_domains)
        yield Call("ifcfg_resolv", ("search|domain", search), _RESOLVER % "search domains")


def _left(device: Device) -> bool:
    return isinstance(device, Nic) and device.left


def _problems(
    description: Description, devices: Tuple[Named, ...], reader: Reader, target: Target
) -> List[Problem]:
    problems = [
        Problem(description.subject, keys.BRIDGE.name, wrong, "another name, for example br0")
        for each in devices
        if isinstance(each.name, str)
        for wrong in _unusable(each.name, reader)
    ]
    for bridge in description.bridges:
        for option, _ in bridge.options:
            if option not in reader.options:
                wrong = "%s has no %s" % (target.name, option)
                right = "it can have " + ", ".join(reader.options)
                problems.append(Problem(description.subject, keys.OPTIONS.name, wrong, right))
    for each in devices:
        problems += _lost_addresses(description, each, reader, target)
    if not reader.networkmanager:
        problems += _old_vlans(description, target)
    if reader.keyfiles:
        problems += _kept_keyfiles(description, target)
    return problems


def _lost_addresses(
    description: Description, each: Named, reader: Reader, target: Target
) -> Iterator[Problem]:
    """What the kernel would refuse when the reader asks for it, and the host would miss."""
    name, ipv4 = str(each.name), each.device.ipv4
    field = "interface %s" % name
    last = "%s:%d" % (name, len(ipv4.others))
    if ipv4.others and isinstance(each.name, str) and len(last) > NAME_CHARACTERS:
        wrong = "its further addresses are aliases, and %s has %d characters" % (last, len(last))
        right = "a name of at most %d" % (len(name) - len(last) + NAME_CHARACTERS)
        yield Problem(description.subject, field, wrong, right)
    pair = ipv4.address is not None and ipv4.address.network.prefixlen == 31
    if pair and ipv4.gateway is not None and not reader.pairs:
        wrong = "a gateway in a network of two addresses gets no route on %s" % target.name
        yield Problem(description.subject, field, wrong, "a prefix of at most 30")


def _kept_keyfiles(description: Description, target: Target) -> Iterator[Problem]:
    """What can't be kept, for its lines would mean nothing in an ifcfg file."""
    for bridge in description.bridges:
        for key, method in ((keys.IPV4, bridge.ipv4.method), (keys.IPV6, bridge.ipv6.method)):
            if method == "keep":
                wrong = "the installer of %s writes keyfiles, not ifcfg files" % target.name
                right = "another value, or %s=keyfile" % keys.BACKEND.name
                yield Problem(description.subject, key.name, wrong, right)


def _old_vlans(description: Description, target: Target) -> Iterator[Problem]:
    """VLANs that come up nowhere but with NetworkManager and newer kernels."""
    bridges = {bridge.name: bridge for bridge in description.bridges}
    masters = dict(description.devices)
    for device, _ in description.devices:
        if not isinstance(device, Vlan):
            continue
        field = "interface %s" % device.interface if device.interface else keys.VLAN.name
        if isinstance(device.parent, str):
            ports = bridges[device.parent].ports
            if all(isinstance(port, Vlan) for port in ports):
                wrong = "network-scripts of %s start the VLAN before the bridge" % target.name
                right = "a NIC or bond as a port of %s" % device.parent
                yield Problem(description.subject, field, wrong, right)
        elif isinstance(masters.get(device.parent), Bridge):
            bridge = masters[device.parent]
            name = bridge.name if isinstance(bridge, Bridge) else ""
            wrong = "the kernel of %s gives the VLAN's frames to %s" % (target.name, name)
            right = "a VLAN over the bridge, %s.%d" % (name, device.tag)
            yield Problem(description.subject, field, wrong, right)


def _unusable(name: str, reader: Reader) -> List[str]:
    """Why a reader could not start a device of this name."""
    if name.endswith(_IGNORED_ENDINGS):
        return ["%r ends like a file that network-scripts leave alone" % name]
    if name.rstrip("0123456789") in _OTHER_SCRIPTS:
        return ["%r is a name that network-scripts have a script of its own for" % name]
    if reader.networkmanager and name.endswith(_IGNORED_BY_NETWORKMANAGER):
        return ["%r ends like a file that NetworkManager leaves alone" % name]
    if reader.tool is None and (
        name in _IP_WORDS or any(word.startswith(name) for word in _IP_ABBREVIATED)
    ):
        return ["%r is a word of the ip command, with which network-scripts make a bridge" % name]
    return []


def _checks(description: Description, reader: Reader, target: Target) -> Tuple[Call, ...]:
    devices = [device for device, _ in description.devices]
    vlans = any(isinstance(device, Vlan) for device in devices)
    dhcp6 = any(device.ipv6.method == "dhcp" for device in devices)
    return tuple(
        _need(tool, package, what, target.name)
        for tool, package, what in (
            (reader.tool, "bridge-utils", "bridge"),
            (reader.vlan_tool if vlans else None, "vconfig", "VLAN"),
            (reader.dhcp6_tool if dhcp6 else None, "dhcpv6-client", "DHCPv6 address"),
        )
        if tool is not None
    )


@functools.lru_cache(maxsize=None)
def _need(tool: str, package: str, what: str, target: str) -> Call:
    why = "the network scripts of %s need it for a %s: install %s" % (target, what, package)
    return need(tool, why, package)


@functools.lru_cache(maxsize=None)
def _follow_rename(number: int) -> Call:
    does = "udev's rules and modprobe.conf follow where NIC %d is renamed" % number
    return Call("ifcfg_follow_rename", (str(number),), does)


def _route(bridge: Bridge) -> Call:
    below = [port for port in bridge.ports if isinstance(port, Nic)]
    numbers = tuple(str(nic.number) for nic in below)
    does = "a GATEWAYDEV= in /etc/sysconfig/network names %s, if it named its port" % bridge.name
    return Call("ifcfg_route", (bridge.name, *numbers), does)


def _device(description: Description, each: Named, reader: Reader) -> List[Step]:
    """The files of one device: its own, those of further addresses, and those of its routes."""
    device, master = each.device, each.master
    settings: List[Setting] = [("DEVICE", each.name)]
    if master is None:
        settings += _protocol(device) + [("ONBOOT", "yes")]
    elif isinstance(master, Bond):
        settings += [("ONBOOT", "yes"), ("MASTER", master.name), ("SLAVE", "yes")]
    else:
        settings += [("ONBOOT", "yes"), ("BRIDGE", master.name)]
    settings += _kind(description, device, reader)
    if master is None:
        settings += _ip(description, each, reader) + _default_route(description, device, reader)
    else:
        settings.append(("BOOTPROTO", "none"))
    if device.mtu is not None:
        settings.append(("MTU", str(device.mtu)))
    dashed = isinstance(each.name, str) and not reader.dashes
    name = str(each.name).replace("-", "_") if dashed else each.name
    return [
        *_delay(device, reader),
        _file((name,), settings, reader),
        *_aliases(each, reader),
        *_routes(each),
        *_keep(each, name),
    ]


def _delay(device: Device, reader: Reader) -> List[Step]:
    if not isinstance(device, Bridge) or not _wants_delay(device, reader):
        return []
    does = "network-scripts, if they are what reads the file, get the forward delay in their unit"
    return [Call("ifcfg_delay", (str(device.forward_delay),), does)]


def _protocol(device: Device) -> List[Setting]:
    if device.ipv4.method == "keep":
        return []
    return [("BOOTPROTO", "dhcp" if device.ipv4.method == "dhcp" else "none")]


def _kind(description: Description, device: Device, reader: Reader) -> List[Setting]:
    if isinstance(device, Nic):
        return [("HWADDR", mac_of(device) or ""), ("TYPE", "Ethernet")]
    if isinstance(device, Bond):
        options: Text = ()
        for name, value in bond_options(device, [bridge.name for bridge in description.bridges]):
            options += (" " if options else "", name + "=", value)
        # the first two for NetworkManager, the last for both
        return [
            ("TYPE", "Bond"),
            ("BONDING_MASTER", "yes"),
            ("BONDING_OPTS", ('"', *options, '"')),
        ]
    if isinstance(device, Vlan):
        bridges = [bridge.name for bridge in description.bridges]
        parent = name_of(device.parent, bridges)
        return [
            ("TYPE", "Vlan"),
            ("VLAN", "yes"),
            ("PHYSDEV", parent),
            ("VLAN_ID", str(device.tag)),
        ]
    return _bridge(device, reader)


def _file(device: Text, settings: List[Setting], reader: Reader) -> File:
    if not reader.networkmanager:
        settings = settings + [("NM_CONTROLLED", "no")]
    return File((FOLDER + "ifcfg-", *device), 0o644, assignments(settings))


def _bridge(bridge: Bridge, reader: Reader) -> List[Setting]:
    settings: List[Setting] = [
        # network-scripts compare it to the letter
        ("TYPE", "Bridge"),
        ("STP", "on" if bridge.stp else "off"),
        # with STP network-scripts reckon with it, without STP old kernels wait for it
        ("DELAY", str(bridge.forward_delay)),
    ]
    if bridge.stp:
        # as EL 7 reckons: listening, learning, and the link itself
        settings.append(("LINKDELAY", str(2 * bridge.forward_delay + 7)))
    settings += _options(bridge, reader)
    mac = mac_of(bridge) if bridge.mac == "port" else bridge.mac
    if mac is not None and mac != "none":
        settings.append(("MACADDR", mac))
    return settings


def _has_times(bridge: Bridge, reader: Reader) -> bool:
    return _wants_delay(bridge, reader) or any(name in _TIMES for name, _ in bridge.options)


def _wants_delay(bridge: Bridge, reader: Reader) -> bool:
    return bridge.forward_delay > 0 and reader.short_delay


def _options(bridge: Bridge, reader: Reader) -> List[Setting]:
    if reader.old_options:
        return [
            (_OLD_KEYS[name], str(value)) for name, value in bridge.options if name in _OLD_KEYS
        ]
    # network-scripts write the kernel's own unit, NetworkManager reads seconds
    unit = _CENTI if reader.networkmanager else "00"
    words: List[Text] = []
    for name, value in bridge.options:
        word = "%s=%d" % (_KERNEL_NAMES.get(name, name), value)
        words.append((word, unit) if name in _TIMES else (word,))
    text: Text = (_DELAY,) if _wants_delay(bridge, reader) else ()
    for number, pair in enumerate(words):
        text += (" ", *pair) if number else pair
    return [("BRIDGING_OPTS", ('"', *text, '"'))] if text else []


_OLD_KEYS = {"ageing_time": "AGEING", "priority": "PRIO"}
_KERNEL_NAMES = {"group_forward_mask": "group_fwd_mask"}


def _ip(description: Description, each: Named, reader: Reader) -> List[Setting]:
    """The settings of both IP versions, for what is no port."""
    device = each.device
    settings = _ipv4(device.ipv4) + _ipv6(device, each.name)
    if addressed(device) and device.ipv4.method != "keep":
        settings += _names(description, device.ipv4)
        if description.search_domains and not reader.networkmanager:
            # dhclient's own script reads nothing else
            settings.append(("SEARCH", _quoted(description.search_domains)))
    return settings


def _ipv4(ipv4: Ipv4) -> List[Setting]:
    if ipv4.method == "dhcp":
        # one lost race against the switch must not leave the host without an address
        return [("PERSISTENT_DHCLIENT", "yes")]
    if ipv4.address is None:
        return []
    settings: List[Setting] = [
        ("IPADDR", str(ipv4.address.ip)),
        ("NETMASK", str(ipv4.address.netmask)),
    ]
    if ipv4.gateway is not None:
        settings.append(("GATEWAY", str(ipv4.gateway)))
    return settings


def _default_route(description: Description, device: Device, reader: Reader) -> List[Setting]:
    """Which of several is used: network-scripts would take the last, NetworkManager the first."""
    ranked = ways_out(description)
    if device not in ranked:
        return []
    place = ranked.index(device)
    if device.ipv4.method == "dhcp" and place:
        # dhclient's script knows no metric, and EL 5 the second key only
        bridges = [bridge.name for bridge in description.bridges]
        first = name_of(ranked[0], bridges)
        return [("DEFROUTE", "no")] + ([] if reader.networkmanager else [("GATEWAYDEV", first)])
    metric = str(FIRST_METRIC + place)
    settings: List[Setting] = [("IPV4_ROUTE_METRIC", metric)] if reader.networkmanager else []
    return settings + ([("METRIC", metric)] if device.ipv4.gateway is not None else [])


def _ipv6(device: Device, name: Word) -> List[Setting]:
    ipv6 = device.ipv6
    if ipv6.method == "keep":
        return []
    # as the installer's own file has it: without it NetworkManager leaves DHCPv6 alone, and router
    # advertisements to a kernel that ignores them where it forwards
    settings: List[Setting] = [("IPV6INIT", "yes")]
    if ipv6.address is not None:
        settings.append(("IPV6ADDR", str(ipv6.address)))
    if ipv6.others:
        settings.append(("IPV6ADDR_SECONDARIES", '"%s"' % " ".join(map(str, ipv6.others))))
    if ipv6.gateway is not None:
        zone: Text = ("%", name) if ipv6.gateway.is_link_local else ()
        settings.append(("IPV6_DEFAULTGW", (str(ipv6.gateway), *zone)))
    if not hears_routers(device):
        settings.append(("IPV6_AUTOCONF", "no"))
    if ipv6.method == "dhcp":
        settings.append(("DHCPV6C", "yes"))
    return settings


def _names(description: Description, ipv4: Ipv4) -> List[Setting]:
    settings: List[Setting] = [
        ("DNS%d" % number, server) for number, server in enumerate(description.name_servers, 1)
    ]
    if settings and ipv4.method == "dhcp":
        # without the second one network-scripts leave our servers out as well
        settings += [("PEERDNS", "no"), ("RESOLV_MODS", "yes")]
    if description.search_domains:
        settings.append(("DOMAIN", _quoted(description.search_domains)))
    return settings


def _quoted(words: Tuple[str, ...]) -> str:
    return '"%s"' % " ".join(words)


def _aliases(each: Named, reader: Reader) -> List[Step]:
    """Further IPv4 addresses: EL 5 and 6 know them as aliases only, and all others too."""
    steps: List[Step] = []
    for number, address in enumerate(each.device.ipv4.others, 1):
        device: Text = (each.name, ":%d" % number)
        settings: List[Setting] = [
            ("DEVICE", device),
            ("ONPARENT", "yes"),
            ("BOOTPROTO", "none"),
            ("IPADDR", str(address.ip)),
            ("NETMASK", str(address.netmask)),
        ]
        steps.append(_file(device, settings, reader))
    return steps


def _routes(each: Named) -> List[Step]:
    steps: List[Step] = []
    for kind, routes in (("route-", each.device.ipv4.routes), ("route6-", each.device.ipv6.routes)):
        content: Text = ()
        for route in routes:
            content += ("%s via %s dev " % route, each.name, "\n")
        if routes:
            steps.append(File((FOLDER + kind, each.name), 0o644, content))
    return steps


def _keep(each: Named, name: Word) -> List[Step]:
    """What the installer configured on the port goes into the file of the bridge."""
    methods = (("4", each.device.ipv4.method), ("6", each.device.ipv6.method))
    versions = [version for version, method in methods if method == "keep"]
    if not versions or not isinstance(each.device, Bridge):
        return []
    does = "the IPv%s settings of the installer's file for the port are added to it"
    words = (each.name, (FOLDER + "ifcfg-%s") % name, "".join(versions))
    sources = names_now(each.device.ports[0])
    return [Call("ifcfg_keep", (*words, *sources), does % " and IPv".join(versions))]
