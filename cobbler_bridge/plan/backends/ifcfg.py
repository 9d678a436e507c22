"""The ifcfg files of the Red Hat family, for network-scripts and for NetworkManager.

The format is defined by sysconfig.txt of the initscripts package and, where NetworkManager
reads the files, by nm-settings-ifcfg-rh(5).
"""

import functools
from typing import Iterator, List, NamedTuple, Optional, Tuple

from cobbler_bridge import addresses
from cobbler_bridge.description import keys, values
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
from cobbler_bridge.description.values import NAME_CHARACTERS, Ipv4
from cobbler_bridge.plan.backends import advertisements, rivals
from cobbler_bridge.plan.names import (
    Named,
    bond_options,
    field_of,
    mac_of,
    name_of,
    named,
    names_now,
    renamed_nics,
)
from cobbler_bridge.plan.plan import (
    Call,
    Fact,
    File,
    Need,
    Parts,
    Setting,
    Step,
    Text,
    Word,
    assignments,
    plain,
)
from cobbler_bridge.plan.target import EL, ByTarget, Target
from cobbler_bridge.problem import Problem

FOLDER = rivals.IFCFG_FOLDER


class Reading(NamedTuple):
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

    tool: Optional[str] = None
    vlan_tool: Optional[str] = None
    dhcp6_tool: Optional[str] = None
    networkmanager: bool = True
    dashes: bool = True
    ipv6_switch: bool = False
    aliases: bool = False
    options: Tuple[str, ...] = tuple(sorted(values.OPTIONS))
    old_options: bool = False
    short_delay: bool = False
    keyfiles: bool = False
    pairs: bool = True


_BRCTL = "/usr/sbin/brctl"
READINGS: ByTarget[Reading] = ByTarget(
    {
        (EL, 5): Reading(
            tool=_BRCTL,
            vlan_tool="/sbin/vconfig",
            dhcp6_tool="/sbin/dhcp6c",
            networkmanager=False,
            dashes=False,
            ipv6_switch=True,
            aliases=True,
            options=("ageing_time", "priority"),
            old_options=True,
            pairs=False,
        ),
        (EL, 6): Reading(
            tool=_BRCTL,
            networkmanager=False,
            options=("ageing_time", "hello_time", "max_age", "multicast_snooping", "priority"),
        ),
        (EL, 7): Reading(tool=_BRCTL, pairs=False),
        (EL, 8): Reading(short_delay=True),
        (EL, 9): Reading(short_delay=True, keyfiles=True),
    }
)

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
    """The files of every device, as the target's reading takes them."""
    reading = READINGS.row(target)
    if reading is None:
        wrong = "it is not known how %s reads ifcfg files" % target.name
        return Parts(), [Problem(description.subject, keys.BACKEND.name, wrong, "another format")]
    return _parts(description, target, reading), _problems(description, target, reading)


def _parts(description: Description, target: Target, reading: Reading) -> Parts:
    devices = named(description)
    steps: List[Step] = [*(rivals.EITHER if reading.networkmanager else rivals.SCRIPTS)]
    steps.append(rivals.layers(description, reading.networkmanager))
    if reading.networkmanager and any(
        _has_times(bridge, reading) for bridge in description.bridges
    ):
        steps.append(_READER)
    for each in devices:
        if not _left(each.device):
            steps += _device(description, each, reading)
    renamed = renamed_nics(description)
    for device, _ in description.devices:
        if isinstance(device, Nic) and device in renamed:
            follow = rivals.rename if reading.keyfiles else _follow_rename
            steps.append(follow(device.number))
        elif isinstance(device, Bond) and reading.aliases:
            does = "/etc/modprobe.conf says that %s is a bond" % device.name
            steps.append(Call("ifcfg_bond", (device.name,), does))
    if reading.ipv6_switch and any(
        each.device.ipv6.method in ("static", "dhcp") for each in devices
    ):
        steps.append(_IPV6)
    if not reading.networkmanager:
        steps += _resolver(description)
    steps += [_route(bridge) for bridge in description.bridges]
    steps += advertisements.write(description)
    steps.append(rivals.ASIDE)
    effects = rivals.RESTARTED + (rivals.RELOADED if reading.networkmanager else ())
    return Parts(_needs(description, reading, target), tuple(steps), effects, renames=True)


def _resolver(description: Description) -> Iterator[Step]:
    """Names as they will stand at the end, for scripts that would leave out some of them."""
    servers = tuple("nameserver " + server for server in description.name_servers)
    if servers:
        yield Call("resolv_conf", ("nameserver", *servers), _RESOLVER % "name servers")
    if description.search_domains:
        search = "search " + " ".join(description.search_domains)
        yield Call("resolv_conf", ("search|domain", search), _RESOLVER % "search domains")


def _left(device: Device) -> bool:
    return isinstance(device, Nic) and device.left


def _problems(description: Description, target: Target, reading: Reading) -> List[Problem]:
    devices = named(description)
    problems = [
        Problem(description.subject, field_of(each.device), wrong, "another name")
        for each in devices
        if isinstance(each.name, str)
        for wrong in _unusable(each.name, reading)
    ]
    for bridge in description.bridges:
        for option, _ in bridge.options:
            if option not in reading.options:
                wrong = "%s has no %s, which is asked for on %s"
                wrong %= (target.name, option, bridge.name)
                right = "it can have " + ", ".join(reading.options)
                problems.append(Problem(description.subject, keys.OPTIONS.name, wrong, right))
    if reading.networkmanager:
        problems += lost_without_stp(description, target)
    for each in devices:
        problems += _lost_addresses(description, each, reading, target)
    if not reading.networkmanager:
        problems += _old_vlans(description, target)
    if reading.keyfiles:
        problems += _kept_keyfiles(description, target)
    return problems


def lost_without_stp(description: Description, target: Target) -> Iterator[Problem]:
    """What NetworkManager leaves out of an ifcfg file with STP off, and so has its own default.

    Whether it is what reads the file is not known before the machine is; the kernels of its
    releases make nothing of these without STP.
    """
    right = "leave it out, which is the same without STP, or %s=on" % keys.STP.name
    if "keyfile" in target.backends:
        right += ", or %s=keyfile" % keys.BACKEND.name
    for bridge in description.bridges:
        asked = [(keys.OPTIONS.name, *option) for option in bridge.options]
        # none is no time to wait for NetworkManager either
        delay = bridge.forward_delay or _STP_DEFAULTS["forward_delay"]
        asked.append((keys.FORWARD_DELAY.name, "forward_delay", delay))
        for field, name, value in asked:
            if not bridge.stp and _STP_DEFAULTS.get(name, value) != value:
                wrong = "without STP NetworkManager takes no %s from the ifcfg files of %s, and %s"
                wrong %= (name, target.name, "%d would be lost on %s" % (value, bridge.name))
                yield Problem(description.subject, field, wrong, right)


# the kernel's, and NetworkManager's
_STP_DEFAULTS = {"forward_delay": 15, "hello_time": 2, "max_age": 20, "priority": 32768}


def _lost_addresses(
    description: Description, each: Named, reading: Reading, target: Target
) -> Iterator[Problem]:
    """What the kernel would refuse when the reading asks for it, and the host would miss."""
    name, ipv4 = str(each.name), each.device.ipv4
    field = "interface %s" % name
    last = "%s:%d" % (name, len(ipv4.others))
    if ipv4.others and isinstance(each.name, str) and len(last) > NAME_CHARACTERS:
        wrong = "its further addresses are aliases, and %s has %d characters" % (last, len(last))
        right = "a name of at most %d" % (len(name) - len(last) + NAME_CHARACTERS)
        yield Problem(description.subject, field, wrong, right)
    pair = ipv4.address is not None and ipv4.address.network.prefixlen == 31
    if pair and ipv4.gateway is not None and not reading.pairs:
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


def _unusable(name: str, reading: Reading) -> List[str]:
    """Why a reading could not start a device of this name."""
    if name.endswith(_IGNORED_ENDINGS):
        return ["%r ends like a file that network-scripts leave alone" % name]
    if name.rstrip("0123456789") in _OTHER_SCRIPTS:
        return ["%r is a name that network-scripts have a script of its own for" % name]
    if reading.networkmanager and name.endswith(_IGNORED_BY_NETWORKMANAGER):
        return ["%r ends like a file that NetworkManager leaves alone" % name]
    if reading.tool is None and (
        name in _IP_WORDS or any(word.startswith(name) for word in _IP_ABBREVIATED)
    ):
        return ["%r is a word of the ip command, with which network-scripts make a bridge" % name]
    return []


def _needs(description: Description, reading: Reading, target: Target) -> Tuple[Need, ...]:
    devices = [device for device, _ in description.devices]
    vlans = any(isinstance(device, Vlan) for device in devices)
    dhcp6 = any(device.ipv6.method == "dhcp" for device in devices)
    return tuple(
        _need(tool, package, what, target)
        for tool, package, what in (
            (reading.tool, "bridge-utils", "bridge"),
            (reading.vlan_tool if vlans else None, "vconfig", "VLAN"),
            (reading.dhcp6_tool if dhcp6 else None, "dhcpv6-client", "DHCPv6 address"),
        )
        if tool is not None
    )


@functools.lru_cache(maxsize=None)
def _need(tool: str, package: str, what: str, target: Target) -> Need:
    why = "the network scripts of %s need it for a %s: install %s" % (target.name, what, package)
    return Need(tool, why, package, target.package_tool)


@functools.lru_cache(maxsize=None)
def _follow_rename(number: int) -> Call:
    does = "udev's rules and modprobe.conf follow where NIC %d is renamed" % number
    return Call("ifcfg_follow_rename", (str(number),), does)


def _route(bridge: Bridge) -> Call:
    words = (bridge.name, *(names_now(port)[0] for port in bridge.ports))
    does = "a default route in /etc/sysconfig/network names %s, if it named its port" % bridge.name
    return Call("ifcfg_route", words, does)


def _device(description: Description, each: Named, reading: Reading) -> List[Step]:
    """The files of one device: its own, those of further addresses, and those of its routes."""
    device, master = each.device, each.master
    settings: List[Setting] = [("DEVICE", each.name)]
    if master is None:
        settings += _protocol(device) + [("ONBOOT", "yes")]
    elif isinstance(master, Bond):
        settings += [("ONBOOT", "yes"), ("MASTER", master.name), ("SLAVE", "yes")]
    else:
        settings += [("ONBOOT", "yes"), ("BRIDGE", master.name)]
    settings += _kind(description, device, reading)
    if master is None:
        settings += _ip(description, each, reading) + _default_route(description, device, reading)
    else:
        settings.append(("BOOTPROTO", "none"))
    if reading.networkmanager:
        settings += _autoconnect(device)
    if device.mtu is not None:
        settings.append(("MTU", str(device.mtu)))
    dashed = isinstance(each.name, str) and not reading.dashes
    name = str(each.name).replace("-", "_") if dashed else each.name
    return [
        *_delay(device, reading),
        _file((name,), settings, reading),
        *_aliases(each, reading),
        *_routes(each),
        *_keep(each, name),
    ]


def _autoconnect(device: Device) -> List[Setting]:
    """NetworkManager takes a NIC by another profile, if that was used or has a priority.

    After four leases that it doesn't get, it would ask for none for five minutes.
    """
    priority = [("AUTOCONNECT_PRIORITY", "100"), ("AUTOCONNECT_RETRIES", "0")]
    ports = [("AUTOCONNECT_SLAVES", "yes")] if isinstance(device, (Bond, Bridge)) else []
    return [*priority, *ports]


def _delay(device: Device, reading: Reading) -> List[Step]:
    if not isinstance(device, Bridge) or not _wants_delay(device, reading):
        return []
    does = "network-scripts, if they are what reads the file, get the forward delay in their unit"
    return [Call("ifcfg_delay", (str(device.forward_delay),), does)]


def _protocol(device: Device) -> List[Setting]:
    if device.ipv4.method == "keep":
        return []
    return [("BOOTPROTO", "dhcp" if device.ipv4.leased else "none")]


def _kind(description: Description, device: Device, reading: Reading) -> List[Setting]:
    if isinstance(device, Nic):
        return [("HWADDR", mac_of(device) or ""), ("TYPE", "Ethernet")]
    if isinstance(device, Bond):
        options: Text = ()
        for name, value in bond_options(device, description.bridge_names):
            options += (" " if options else "", name + "=", value)
        # the first two for NetworkManager, the last for both
        return [
            ("TYPE", "Bond"),
            ("BONDING_MASTER", "yes"),
            ("BONDING_OPTS", ('"', *options, '"')),
        ]
    if isinstance(device, Vlan):
        parent = name_of(device.parent, description.bridge_names)
        return [
            ("TYPE", "Vlan"),
            ("VLAN", "yes"),
            ("PHYSDEV", parent),
            ("VLAN_ID", str(device.tag)),
        ]
    return _bridge(device, reading)


def _file(device: Text, settings: List[Setting], reading: Reading) -> File:
    if not reading.networkmanager:
        settings = settings + [("NM_CONTROLLED", "no")]
    return File((FOLDER + "ifcfg-", *device), 0o644, assignments(settings))


def _bridge(bridge: Bridge, reading: Reading) -> List[Setting]:
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
    settings += _options(bridge, reading)
    mac = mac_of(bridge) if bridge.mac == "port" else bridge.mac
    if mac is not None and mac != "none":
        settings.append(("MACADDR", mac))
    if bridge.zone is not None:
        settings.append(("ZONE", bridge.zone))
    return settings


def _has_times(bridge: Bridge, reading: Reading) -> bool:
    return _wants_delay(bridge, reading) or any(name in _TIMES for name, _ in bridge.options)


def _wants_delay(bridge: Bridge, reading: Reading) -> bool:
    return bridge.forward_delay > 0 and reading.short_delay


def _options(bridge: Bridge, reading: Reading) -> List[Setting]:
    if reading.old_options:
        return [
            (_OLD_KEYS[name], str(value)) for name, value in bridge.options if name in _OLD_KEYS
        ]
    # network-scripts write the kernel's own unit, NetworkManager reads seconds
    unit = _CENTI if reading.networkmanager else "00"
    words: List[Text] = []
    for name, value in bridge.options:
        word = "%s=%d" % (_KERNEL_NAMES.get(name, name), value)
        words.append((word, unit) if name in _TIMES else (word,))
    text: Text = (_DELAY,) if _wants_delay(bridge, reading) else ()
    for number, pair in enumerate(words):
        text += (" ", *pair) if number else pair
    return [("BRIDGING_OPTS", ('"', *text, '"'))] if text else []


_OLD_KEYS = {"ageing_time": "AGEING", "priority": "PRIO"}
_KERNEL_NAMES = {"group_forward_mask": "group_fwd_mask"}


def _ip(description: Description, each: Named, reading: Reading) -> List[Setting]:
    """The settings of both IP versions, for what is no port."""
    device = each.device
    settings = _ipv4(device.ipv4) + _ipv6(device, each.name)
    if addressed(device) and device.ipv4.method != "keep":
        settings += _names(description, device, reading)
        if description.search_domains and not reading.networkmanager:
            # dhclient's own script reads nothing else
            settings.append(("SEARCH", _quoted(description.search_domains)))
    return settings


def _ipv4(ipv4: Ipv4) -> List[Setting]:
    if ipv4.leased:
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


def _default_route(description: Description, device: Device, reading: Reading) -> List[Setting]:
    """Which of several is used: network-scripts would take the last, NetworkManager the first."""
    ranked = description.ways_out
    if device not in ranked:
        return [("DEFROUTE", "no")] if _is_led_astray(description, device, reading) else []
    place = ranked.index(device)
    if device.ipv4.leased and place:
        # dhclient's script knows no metric, and EL 5 the second key only
        first = name_of(ranked[0], description.bridge_names)
        return [("DEFROUTE", "no")] + ([] if reading.networkmanager else [("GATEWAYDEV", first)])
    metric = str(FIRST_METRIC + place)
    settings: List[Setting] = [("IPV4_ROUTE_METRIC", metric)] if reading.networkmanager else []
    return settings + ([("METRIC", metric)] if device.ipv4.gateway is not None else [])


def _is_led_astray(description: Description, device: Device, reading: Reading) -> bool:
    """Whether NetworkManager would give it the GATEWAY of all that has none of its own."""
    ipv4 = device.ipv4
    own = any(route.network.endswith("/0") for route in ipv4.routes)
    if not reading.networkmanager or ipv4.address is None or ipv4.gateway is not None or own:
        return False
    others = [other.ipv4 for other, _ in description.devices if other != device]
    return any(
        other.leased or other.gateway is not None or other.method == "keep" for other in others
    )


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


def _names(description: Description, device: Device, reading: Reading) -> List[Setting]:
    # NetworkManager refuses a file with name servers of an IPv6 that it doesn't have
    refused = reading.networkmanager and device.ipv6.method == "none"
    servers = [
        server
        for server in description.name_servers
        if not refused or addresses.address(server).version == 4
    ]
    settings: List[Setting] = [
        ("DNS%d" % number, server) for number, server in enumerate(servers, 1)
    ]
    if settings and device.ipv4.leased:
        # without the second one network-scripts leave our servers out as well
        settings += [("PEERDNS", "no"), ("RESOLV_MODS", "yes")]
        if reading.networkmanager and device.ipv6.method not in ("keep", "none"):
            # those of router advertisements too
            settings.append(("IPV6_PEERDNS", "no"))
    if description.search_domains:
        settings.append(("DOMAIN", _quoted(description.search_domains)))
    return settings


def _quoted(words: Tuple[str, ...]) -> str:
    return '"%s"' % " ".join(words)


def _aliases(each: Named, reading: Reading) -> List[Step]:
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
        steps.append(_file(device, settings, reading))
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
    """What the machine's own file for a device says, and ours does not, goes into ours."""
    device = each.device
    if not isinstance(device, Bridge):
        does = "what is the card's own business stays in the file of %s" % plain((each.name,))
        return [Call("ifcfg_port", (name, names_now(device)[0], each.name), does)]
    if not device.ports:
        return []
    methods = rivals.asked((device.ipv4.method, device.ipv6.method))
    words = (device.name, name, *methods, *names_now(device.ports[0]))
    return [Call("ifcfg_keep", words, rivals.KEEP)]
