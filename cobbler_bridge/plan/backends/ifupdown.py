"""Debian's interfaces(5), which ifupdown reads, with the options of bridge-utils and ifenslave.

All of it stands in one file of interfaces.d, in the order in which it is brought up; the stanzas of
the same devices are taken out of every file that ifupdown reads beside it.
"""

import re
from typing import Iterator, List, Tuple

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
from cobbler_bridge.plan.plan import Call, Effect, File, Need, Parts, Step, Text, Word, plain
from cobbler_bridge.plan.target import Target
from cobbler_bridge.problem import Problem

# its name has nothing that source-directory would pass over
PATH = "/etc/network/interfaces.d/cobbler-bridge"
_COMMENT = "# cobbler-bridge: the bridge and what it is made of\n"
_READ = Call("ifupdown_stanzas", (), "the stanzas of every file that ifupdown reads are read")
_RANK = Call("rank_files", (), "each of them is ranked as ifupdown would take it at boot")
_ASIDE = "stanzas of the same devices are taken out of the other files"
_EFFECT = Effect("/etc/network/", "networking")
# What interfaces(5), bridge-utils or a shell would take for more than a name
_NAME = re.compile(r"(?!vlan[0-9]+\Z)[A-Za-z0-9_-]+\Z")
_WORDS = ("all", "none", "regex", "noregex")
_OPTIONS = {
    "ageing_time": "bridge_ageing",
    "hello_time": "bridge_hello",
    "max_age": "bridge_maxage",
    "priority": "bridge_bridgeprio",
}
# bridge-utils has no option for these, or passes over it
_IN_SYSFS = {
    "group_forward_mask": "group_fwd_mask",
    "multicast_snooping": "multicast_snooping",
    "vlan_filtering": "vlan_filtering",
}
# what ifenslave has the kernel told of a bond
_BOND_OPTIONS = (
    "active_slave ad_select arp_interval arp_ip_target arp_validate downdelay fail_over_mac "
    "lacp_rate miimon mode num_grat_arp num_unsol_na packets_per_slave primary primary_reselect "
    "tlb_dynamic_lb updelay use_carrier xmit_hash_policy"
).split()

Lines = List[Text]


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The one file, and what keeps other stanzas from working against it."""
    steps: List[Step] = [_READ, _RANK, rivals.layers(description)]
    steps.append(File((PATH,), 0o644, (_COMMENT, *_content(description))))
    for nic in renamed_nics(description):
        does = "NIC %d is renamed by a link file of udev, if it must be" % nic.number
        steps.append(Call("ifupdown_rename", (str(nic.number),), does))
    for each in named(description):
        if isinstance(each.device, Nic) and not each.device.left:
            does = "what is the card's own business stays with %s" % plain((each.name,))
            steps.append(Call("ifupdown_port", (each.name, names_now(each.device)[0]), does))
    steps += [_keep(bridge) for bridge in description.bridges if bridge.ports]
    steps += _names(description)
    steps += advertisements.write(description)
    steps.append(Call("ifupdown_aside", _recorded(description), _ASIDE))
    return Parts(_needs(description, target), tuple(steps), (_EFFECT,), renames=True), _problems(
        description
    )


def _recorded(description: Description) -> Tuple[str, ...]:
    """What Cobbler's records call the cards: its own snippet writes stanzas by these names."""
    nics = [device for device, _ in description.devices if isinstance(device, Nic)]
    return tuple(sorted({nic.interface for nic in nics if nic.interface and not nic.left}))


def _needs(description: Description, target: Target) -> Tuple[Need, ...]:
    why = "ifupdown needs it for a %s: install %s"
    needs = [
        Need("/sbin/brctl", why % ("bridge", "bridge-utils"), "bridge-utils", target.package_tool)
    ]
    if any(isinstance(device, Bond) for device, _ in description.devices):
        hook = "/etc/network/if-pre-up.d/ifenslave"
        needs.append(Need(hook, why % ("bond", "ifenslave"), "ifenslave", target.package_tool))
    if any(device.ipv6.method == "dhcp" for device, _ in description.devices):
        # of Debian 13's own client it makes no use there, and the bridge would not come up
        client = "isc-dhcp-client"
        why = "ifupdown asks for an IPv6 lease by nothing else: install " + client
        needs.append(Need("/sbin/dhclient", why, client, target.package_tool))
    return tuple(needs)


def _problems(description: Description) -> List[Problem]:
    problems = []
    subject = description.subject
    for each in named(description):
        device, name = each.device, each.name
        field = field_of(device)
        # a VLAN's is made here, and a dot in it makes it one
        own = isinstance(name, str) and not isinstance(device, Vlan)
        if own and (not _NAME.match(str(name)) or name in _WORDS):
            wrong = "ifupdown would take %r for something else than a name" % str(name)
            problems.append(Problem(subject, field, wrong, "letters, digits, - and _"))
        options = device.options if isinstance(device, Bond) else ()
        for option, _ in options:
            if option not in _BOND_OPTIONS:
                right = "it can have " + ", ".join(_BOND_OPTIONS)
                problems.append(Problem(subject, field, "ifenslave knows no " + option, right))
    for bridge in description.bridges:
        if bridge.zone is not None:
            wrong = "ifupdown tells firewalld no zone, which is asked for on %s" % bridge.name
            right = "remove it, and it is the port's"
            problems.append(Problem(subject, keys.ZONE.name, wrong, right))
    return problems


def _content(description: Description) -> Text:
    content: Text = ()
    # ifup takes them in this order, and a VLAN of a bridge needs that first
    for each in sorted(named(description), key=_is_of_bridge):
        if isinstance(each.device, Nic) and each.device.left:
            continue
        content += ("\nauto ", each.name, "\n")
        first, *others = _stanzas(description, each)
        for family, lines in (first, *others):
            content += ("iface ", each.name, " " + family + "\n")
            for line in lines:
                content += ("    ", *line, "\n")
    return content


def _is_of_bridge(each: Named) -> bool:
    return isinstance(each.device, Vlan) and isinstance(each.device.parent, str)


def _stanzas(description: Description, each: Named) -> Iterator[Tuple[str, Lines]]:
    """The first of them makes the device; each of the others has one more address."""
    device = each.device
    lines = _kind(description, device)
    if each.master is not None:
        yield "inet manual", lines + _mtu(each, option=True) + _no_ipv6(each)
        return
    yield from _ipv4(description, each, lines)
    yield from _ipv6(each)


def _kind(description: Description, device: Device) -> Lines:
    bridges = description.bridge_names
    if isinstance(device, Vlan):
        return [("vlan-raw-device ", name_of(device.parent, bridges))]
    if isinstance(device, Bond):
        ports: Text = ("bond-slaves",)
        for nic in device.ports:
            ports += (" ", name_of(nic, bridges))
        options: Lines = [
            ("bond-%s " % name.replace("_", "-"), value)
            for name, value in bond_options(device, bridges)
        ]
        return [ports, *options]
    if isinstance(device, Bridge):
        return _bridge(device, bridges)
    return []


def _bridge(bridge: Bridge, bridges: Tuple[str, ...]) -> Lines:
    ports: Text = ("bridge_ports",)
    for port in bridge.ports:
        ports += (" ", name_of(port, bridges))
    lines: Lines = [
        ports if bridge.ports else ("bridge_ports none",),
        ("bridge_stp %s" % ("on" if bridge.stp else "off"),),
        ("bridge_fd %d" % bridge.forward_delay,),
    ]
    if not bridge.forward_delay or not bridge.ports:
        # nothing keeps a frame back that there is to wait for
        lines.append(("bridge_maxwait 0",))
    mac = mac_of(bridge) if bridge.mac == "port" else bridge.mac
    if mac is not None and mac != "none":
        lines.append(("bridge_hw ", mac))
    for name, value in bridge.options:
        if name in _OPTIONS:
            lines.append((_OPTIONS[name] + " %d" % value,))
        else:
            words = (value, bridge.name, _IN_SYSFS[name])
            lines.append(("post-up echo %d > /sys/class/net/%s/bridge/%s || true" % words,))
    return lines


def _mtu(each: Named, option: bool) -> Lines:
    """The inet methods but dhcp have an option for it."""
    mtu = each.device.mtu
    if mtu is None:
        return []
    if option:
        return [("mtu %d" % mtu,)]
    return [("post-up ip link set dev ", each.name, " mtu %d" % mtu)]


def _no_ipv6(each: Named) -> Lines:
    """A port hears routers until the bridge has it, and would keep their route."""
    if not isinstance(each.master, Bridge):
        return []
    return [
        ("%s echo %d > /proc/sys/net/ipv6/conf/" % what, each.name, "/disable_ipv6 || true")
        for what in (("up", 1), ("post-down", 0))
    ]


def _ipv4(description: Description, each: Named, lines: Lines) -> Iterator[Tuple[str, Lines]]:
    device, ipv4 = each.device, each.device.ipv4
    method = "dhcp" if ipv4.leased or ipv4.method == "keep" else "manual"
    if ipv4.address is not None:
        method = "static"
        lines = [*lines, ("address %s" % ipv4.address,)]
        if ipv4.gateway is not None:
            lines.append(("gateway %s" % ipv4.gateway,))
    if device in description.ways_out:
        lines = [*lines, ("metric %d" % (FIRST_METRIC + description.ways_out.index(device)),)]
    if addressed(device):
        for option, values in (
            ("dns-nameservers", description.name_servers),
            ("dns-search", description.search_domains),
        ):
            lines = lines + ([("%s %s" % (option, " ".join(values)),)] if values else [])
    lines = lines + _mtu(each, option=method != "dhcp") + _routes(each, "ip", ipv4.routes)
    yield "inet " + method, lines
    for other in ipv4.others:
        yield "inet static", [("address %s" % other,)]


def _ipv6(each: Named) -> Iterator[Tuple[str, Lines]]:
    ipv6 = each.device.ipv6
    hears = hears_routers(each.device)
    heard: Lines = [("accept_ra %d" % (2 * hears),), ("autoconf %d" % hears,)]
    addresses = ([] if ipv6.address is None else [ipv6.address]) + list(ipv6.others)
    routes = _routes(each, "ip -6", ipv6.routes)
    if ipv6.method in ("auto", "keep"):
        yield "inet6 auto", routes
    elif ipv6.method == "dhcp":
        yield "inet6 dhcp", routes
    for number, address in enumerate(addresses):
        lines: Lines = [("address %s" % address,)]
        if not number and ipv6.gateway is not None:
            lines.append(("gateway %s" % ipv6.gateway,))
        more = routes if ipv6.method == "static" and not number else []
        yield "inet6 static", lines + (heard if ipv6.method != "dhcp" else [("autoconf 1",)]) + more


def _routes(each: Named, command: str, routes: Tuple[Tuple[object, object], ...]) -> Lines:
    return [
        ("up %s route replace %s via %s dev " % (command, net, via), each.name, " || true")
        for net, via in routes
    ]


def _keep(bridge: Bridge) -> Call:
    methods = rivals.asked((bridge.ipv4.method, bridge.ipv6.method))
    return Call("ifupdown_keep", (bridge.name, *methods, *names_now(bridge.ports[0])), rivals.KEEP)


def _names(description: Description) -> Iterator[Step]:
    """Name servers and domains for what holds them, which options of a stanza may not reach."""
    servers, domains = description.name_servers, description.search_domains
    devices: Tuple[Word, ...] = tuple(
        each.name
        for each in named(description)
        if each.device.ipv4.leased or each.device.ipv6.method == "dhcp"
    )
    if servers or domains:
        words = (" ".join(servers), " ".join(domains), *devices)
        does = "name servers and search domains stand where this machine has them"
        yield Call("ifupdown_names", words, does)
