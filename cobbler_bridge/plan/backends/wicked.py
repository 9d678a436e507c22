"""The ifcfg files of SUSE, which wicked reads; they are not Red Hat's.

The format is defined by ifcfg(5), ifcfg-bridge(5), ifcfg-bonding(5), ifcfg-vlan(5), ifcfg-dhcp(5)
and routes(5) of the wicked package. What wicked does not understand it passes over in silence; for
a value that it does not take it leaves out the whole device, says so, and ends with status 0. So
each such value is a problem here.
"""

import re
from typing import Dict, Iterator, List, Optional, Tuple

from cobbler_bridge.description.describe import FIRST_METRIC, Description
from cobbler_bridge.description.network import Bond, Bridge, Device, Nic, Vlan, hears_routers
from cobbler_bridge.plan.backends import rivals
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
from cobbler_bridge.plan.plan import Call, Effect, File, Parts, Step, Text, Word, plain
from cobbler_bridge.plan.target import Target
from cobbler_bridge.problem import Problem

FOLDER = "/etc/sysconfig/network/"
# where wicked looks for what POST_UP_SCRIPT names
SCRIPTS = FOLDER + "scripts/"
_FILES = Call("wicked_files", (), "the ifcfg files that are there are read, and the routes")
_RANK = Call("rank_files", (), "each of them is ranked as wicked would take it at boot")
_TRIED = Call("wicked_tried", (), "wicked itself reads the whole, where it is there")
_EFFECT = Effect(FOLDER, "with 'wicked ifreload all'")
# wicked takes no other name, nor a file that ends as a leftover of something
_NAME = re.compile(r"(?!(?:all|default)\Z)[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
_IGNORED_ENDINGS = (".bak", ".old", ".orig", ".rpmnew", ".rpmorig", ".rpmsave", ".scpmbackup")
_OPTIONS = {
    "ageing_time": "BRIDGE_AGEINGTIME",
    "hello_time": "BRIDGE_HELLOTIME",
    "max_age": "BRIDGE_MAXAGE",
    "priority": "BRIDGE_PRIORITY",
}
# wicked has no key for these
_IN_SYSFS = {
    "group_forward_mask": "group_fwd_mask",
    "multicast_snooping": "multicast_snooping",
    "vlan_filtering": "vlan_filtering",
}

Settings = List[Tuple[str, Text]]


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The files of every device, and what else names the ports."""
    steps: List[Step] = [_FILES, _RANK, rivals.layers(description)]
    for each in named(description):
        if not (isinstance(each.device, Nic) and each.device.left):
            steps += _device(description, each)
    for nic in renamed_nics(description):
        does = "udev's rule gives NIC %d its new name, if it must have one" % nic.number
        steps.append(Call("wicked_rename", (str(nic.number),), does))
    for bridge in description.bridges:
        if bridge.ports:
            steps += _kept(bridge)
    if description.name_servers or description.search_domains:
        words = (" ".join(description.name_servers), " ".join(description.search_domains))
        does = "%sconfig has the name servers and search domains, which netconfig reads" % FOLDER
        steps.append(Call("wicked_names", words, does))
    steps += [rivals.ASIDE, _TRIED]
    return Parts((), tuple(steps), (_EFFECT,), renames=True), list(_problems(description))


def _problems(description: Description) -> Iterator[Problem]:
    subject = description.subject
    for each in named(description):
        device, name = each.device, each.name
        if isinstance(name, str) and not _may_be_called(name):
            wrong = "wicked takes no device of the name %r" % name
            right = "letters, digits, '_', '-' and '.', not ending like %s"
            right %= ", ".join(_IGNORED_ENDINGS)
            yield Problem(subject, field_of(device), wrong, right)
        if isinstance(device, Bond):
            for wrong, right in _bond_problems(dict(device.options)):
                wrong = "wicked would leave out the bond: " + wrong
                yield Problem(subject, field_of(device), wrong, right)


def _may_be_called(name: str) -> bool:
    return bool(_NAME.match(name)) and not name.endswith(_IGNORED_ENDINGS)


# What wicked knows of a bond's options (bonding.c, ni_bonding_set_option): the words of a value, or
# the range of a number
_WORDS: Dict[str, Tuple[str, ...]] = {
    "mode": ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad")
    + ("balance-tlb", "balance-alb"),
    "ad_select": ("stable", "bandwidth", "count"),
    "arp_all_targets": ("any", "all"),
    "arp_validate": ("none", "active", "backup", "all", "filter", "filter_active")
    + ("filter_backup",),
    "fail_over_mac": ("none", "active", "follow"),
    "lacp_rate": ("slow", "fast"),
    "primary_reselect": ("always", "better", "failure"),
    "xmit_hash_policy": ("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4"),
}
_MOST = 2**31 - 1
_NUMBERS: Dict[str, range] = {
    "ad_actor_sys_prio": range(1, 65536),
    "ad_user_port_key": range(1024),
    "all_slaves_active": range(2),
    "arp_interval": range(1, _MOST),
    "downdelay": range(_MOST),
    "lp_interval": range(1, _MOST),
    "miimon": range(1, _MOST),
    "min_links": range(_MOST),
    "num_grat_arp": range(256),
    "num_unsol_na": range(256),
    "packets_per_slave": range(65536),
    "resend_igmp": range(256),
    "tlb_dynamic_lb": range(2),
    "updelay": range(_MOST),
    "use_carrier": range(2),
}
_OTHERS = ("active_slave", "ad_actor_system", "arp_ip_target", "primary")
_ALB = ("balance-tlb", "balance-alb")
_BACKUP = ("active-backup",)
_LACP = ("802.3ad",)
# The modes in which it takes an option (ni_bonding_validate), but for a value that is the default
_MODES: Dict[str, Tuple[Tuple[str, ...], Tuple[str, ...]]] = {
    "active_slave": (_BACKUP + _ALB, ()),
    "ad_select": (_LACP, ("stable", "0")),
    "arp_validate": (_BACKUP, ("none", "0")),
    "fail_over_mac": (_BACKUP, ("none", "0")),
    "lacp_rate": (_LACP, ("slow", "0")),
    "min_links": (_LACP, ("0",)),
    "num_grat_arp": (_BACKUP, ("0", "1")),
    "num_unsol_na": (_BACKUP, ("0", "1")),
    "packets_per_slave": (("balance-rr",), ("1",)),
    "primary": (_BACKUP + _ALB, ()),
    "primary_reselect": (_BACKUP + _ALB, ("always", "0")),
    "resend_igmp": (("balance-rr",) + _BACKUP + _ALB, ("0", "1")),
    "tlb_dynamic_lb": (("balance-tlb",), ("1",)),
    "xmit_hash_policy": (("balance-xor",) + _LACP, ("layer2", "0")),
}


def _bond_problems(options: Dict[str, str]) -> Iterator[Tuple[str, str]]:
    """What of a bond wicked would not take, and what would be right."""
    known = sorted({*_WORDS, *_NUMBERS, *_OTHERS})
    mode = options.get("mode", "balance-rr")
    mode = _WORDS["mode"][int(mode)] if mode.isdigit() else mode
    for name, value in options.items():
        if name not in known:
            yield "it knows no " + name, "it can have " + ", ".join(known)
        elif name in _WORDS and value not in _WORDS[name] + _indices(_WORDS[name]):
            yield "%s=%s" % (name, value), "it can be " + ", ".join(_WORDS[name])
        elif name in _NUMBERS and not (value.isdigit() and int(value) in _NUMBERS[name]):
            numbers = _NUMBERS[name]
            yield "%s=%s" % (name, value), "it can be %d to %d" % (numbers[0], numbers[-1])
        elif name in _MODES and mode not in _MODES[name][0] and value not in _MODES[name][1]:
            wrong = "%s=%s with mode %s" % (name, value, mode)
            yield wrong, "leave it out, or one of the modes " + ", ".join(_MODES[name][0])
    yield from _watch_problems(options, mode)


def _watch_problems(options: Dict[str, str], mode: str) -> Iterator[Tuple[str, str]]:
    """Which of the ways of watching links go together."""
    if "arp_interval" in options or "arp_ip_target" in options:
        if "miimon" in options:
            yield "miimon beside arp_interval and arp_ip_target", "leave out the one or the others"
        elif mode in _LACP + _ALB:
            yield "arp_interval with mode " + mode, "miimon=100 in its place"
        elif not ("arp_interval" in options and "arp_ip_target" in options):
            yield "one of arp_interval and arp_ip_target without the other", "both"
        return
    for name in ("updelay", "downdelay"):
        delay, each = options.get(name, "0"), options.get("miimon", "")
        if delay.isdigit() and each.isdigit() and 0 < int(delay) < int(each):
            yield "%s=%s below miimon=%s" % (name, delay, each), "a multiple of miimon"


def _indices(words: Tuple[str, ...]) -> Tuple[str, ...]:
    return tuple(str(number) for number in range(len(words)))


def _device(description: Description, each: Named) -> Iterator[Step]:
    """The files of one device: its own, its routes, and what the kernel is told of it."""
    device = each.device
    settings = _kind(description, device)
    if device.mtu is not None:
        settings.append(("MTU", (str(device.mtu),)))
    if each.master is None:
        start: Settings = [("STARTMODE", ("auto",)), ("BOOTPROTO", (_protocol(device),))]
        settings += _dhcp(description, device) + _addresses(device)
    else:
        # wicked starts it with what it is a port of
        start = [("STARTMODE", ("hotplug",)), ("BOOTPROTO", ("none",))]
    content: Text = ()
    for name, value in start + settings:
        content += (name + "='", *value, "'\n")
    yield File((FOLDER + "ifcfg-", each.name), 0o644, content)
    if isinstance(device, Nic):
        does = "what is the card's own business stays in the file of %s" % plain((each.name,))
        yield Call("wicked_port", (each.name, names_now(device)[0]), does)
    yield from _routes(description, each)
    if each.master is None and _protocol(device) != "none":
        yield from _heard(each)
    if isinstance(device, Bridge):
        yield from _post_up(device)


def _heard(each: Named) -> Iterator[File]:
    """What the kernel makes of router advertisements, from the first moment."""
    method = each.device.ipv6.method
    if method == "keep":
        return
    # 2: also where the host forwards. Beside DHCPv6 they give the route, and no address
    hears = hears_routers(each.device) or method == "dhcp"
    settings = [("accept_ra", 2 * hears)] + ([("autoconf", 0)] if method == "dhcp" else [])
    content: Text = ()
    for name, value in settings:
        content += ("net/ipv6/conf/", each.name, "/%s = %d\n" % (name, value))
    yield File((FOLDER + "ifsysctl-", each.name), 0o644, content)


def _kind(description: Description, device: Device) -> Settings:
    bridges = description.bridge_names
    if isinstance(device, Vlan):
        parent = name_of(device.parent, bridges)
        return [("ETHERDEVICE", (parent,)), ("VLAN_ID", (str(device.tag),))]
    if isinstance(device, Bond):
        options: Text = ()
        for name, value in bond_options(device, bridges):
            options += (" " if options else "", name + "=", value)
        slaves: Settings = [
            ("BONDING_SLAVE_%d" % number, (name_of(nic, bridges),))
            for number, nic in enumerate(device.ports)
        ]
        return [("BONDING_MASTER", ("yes",)), *slaves, ("BONDING_MODULE_OPTS", options)]
    return _bridge(device, bridges) if isinstance(device, Bridge) else []


def _bridge(bridge: Bridge, bridges: Tuple[str, ...]) -> Settings:
    ports: Text = ()
    for port in bridge.ports:
        ports += (" " if ports else "", name_of(port, bridges))
    settings: Settings = [
        ("BRIDGE", ("yes",)),
        ("BRIDGE_PORTS", ports),
        ("BRIDGE_STP", ("on" if bridge.stp else "off",)),
        ("BRIDGE_FORWARDDELAY", (str(bridge.forward_delay),)),
    ]
    settings += [
        (_OPTIONS[name], (str(value),)) for name, value in bridge.options if name in _OPTIONS
    ]
    if not bridge.ports:
        # else it gets no address before it has one
        settings.append(("LINK_REQUIRED", ("no",)))
    mac = mac_of(bridge) if bridge.mac == "port" else bridge.mac
    if mac is not None and mac != "none":
        settings.append(("LLADDR", (mac,)))
    if bridge.zone is not None:
        settings.append(("ZONE", (bridge.zone,)))
    if _commands(bridge):
        settings.append(("POST_UP_SCRIPT", ("compat:suse:cobbler-bridge-" + bridge.name,)))
    return settings


def _commands(bridge: Bridge) -> List[str]:
    """For what wicked has no key."""
    command = "echo %d > /sys/class/net/%s/bridge/%s\n"
    return [
        command % (value, bridge.name, _IN_SYSFS[name])
        for name, value in bridge.options
        if name in _IN_SYSFS
    ]


def _post_up(bridge: Bridge) -> Iterator[File]:
    commands = _commands(bridge)
    if commands:
        text = "#!/bin/sh\n# cobbler-bridge: what wicked has no key for\n%sexit 0\n"
        path = SCRIPTS + "cobbler-bridge-" + bridge.name
        yield File((path,), 0o755, (text % "".join(commands),))


def _protocol(device: Device) -> str:
    """How addresses come; what is static is added to any of these but ``none``."""
    ipv4, ipv6 = device.ipv4, device.ipv6
    leased = ipv4.leased or ipv4.method == "keep"
    if ipv6.method == "dhcp":
        return "dhcp4+dhcp6" if leased else "dhcp6"
    if leased:
        # dhcp: with IPv6 where a router says so, as SUSE's installer writes it
        return "dhcp" if ipv6.method in ("auto", "keep") else "dhcp4"
    nothing = ipv4.address is None and not ipv4.others and ipv6.method == "none"
    return "none" if nothing else "static"


def _dhcp(description: Description, device: Device) -> Settings:
    settings: Settings = []
    if device in description.ways_out and device.ipv4.leased:
        if device == description.ways_out[0]:
            settings.append(("DHCLIENT_ROUTE_PRIORITY", (str(FIRST_METRIC),)))
        else:
            settings.append(("DHCLIENT_SET_DEFAULT_ROUTE", ("no",)))
    if device.ipv6.method == "dhcp":
        # whatever routers say
        settings.append(("DHCLIENT6_MODE", ("managed",)))
    if description.name_servers:
        # those of a lease would be added
        for key, leased in (
            ("DHCLIENT_UPDATE", device.ipv4.leased),
            ("DHCLIENT6_UPDATE", device.ipv6.method == "dhcp"),
        ):
            settings += [(key, ("default,-dns",))] if leased else []
    return settings


def _addresses(device: Device) -> Settings:
    given = [each for ip in (device.ipv4, device.ipv6) for each in (ip.address, *ip.others) if each]
    return [
        ("IPADDR" + ("_%d" % number if number else ""), (str(address),))
        for number, address in enumerate(given)
    ]


def _routes(description: Description, each: Named) -> Iterator[File]:
    device = each.device
    lines: List[Text] = []
    for ip in (device.ipv4, device.ipv6):
        if ip.gateway is not None:
            metric = _metric(description, device) if ip is device.ipv4 else None
            lines.append(("default %s - " % ip.gateway, each.name, metric or ""))
        lines += [("%s %s - " % route, each.name) for route in ip.routes]
    if lines:
        content: Text = ()
        for line in lines:
            content += (*line, "\n")
        yield File((FOLDER + "ifroute-", each.name), 0o644, content)


def _metric(description: Description, device: Device) -> Optional[str]:
    """Which of several is used."""
    ranked = description.ways_out
    return " metric %d" % (FIRST_METRIC + ranked.index(device)) if device in ranked else None


def _kept(bridge: Bridge) -> Iterator[Step]:
    methods = rivals.asked((bridge.ipv4.method, bridge.ipv6.method))
    port = bridge.ports[0]
    yield Call("wicked_keep", (bridge.name, *methods, *names_now(port)), rivals.KEEP)
    devices: Tuple[Word, ...] = tuple(names_now(each)[0] for each in bridge.ports)
    does = "routes of a port in %sroutes are the bridge's" % FOLDER
    yield Call("wicked_routes", (bridge.name, *devices), does)
    does = "netconfig takes from the lease of %s what it took from a port's" % bridge.name
    yield Call("wicked_policies", (bridge.name, *devices), does)
