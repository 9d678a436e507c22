"""The rules by which wicked reads its files, as checks of files that were written.

Each function is a rule and says in its docstring what wicked does with a file that breaks it; what
it yields is where it is broken. They were taken from wicked 0.6.80 (client/suse/compat-suse.c,
src/bridge.c, src/bonding.c) and its manual pages. wicked comes with no package of the systems that
tests run on, so what it would say is said here.
"""

import ipaddress
import re
from typing import Callable, Dict, Iterator, List, Mapping, NamedTuple, Tuple

FOLDER = "etc/sysconfig/network/"
_ASSIGNMENT = re.compile(r"([A-Z][A-Za-z0-9_]*)=(?:'([^'\n]*)'|\"([^\"\n]*)\"|([^'\"\s]*))\Z")


class Files(NamedTuple):
    """What lies in /etc/sysconfig/network: settings by device, routes by device, all by name."""

    devices: Dict[str, Dict[str, str]]
    routes: Dict[str, List[List[str]]]
    texts: Dict[str, str]


def files(tree: Mapping[str, str]) -> Files:
    """The files of wicked among those of a machine, by path; a line that is none is its own key."""
    texts = {path[len(FOLDER) :]: text for path, text in tree.items() if path.startswith(FOLDER)}
    devices: Dict[str, Dict[str, str]] = {}
    routes: Dict[str, List[List[str]]] = {}
    for name, text in texts.items():
        kind, _, device = name.partition("-")
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if kind == "ifcfg":
            devices[device] = {}
            for line in lines:
                found = _ASSIGNMENT.match(line)
                key = line if found is None else found.group(1)
                value = "" if found is None else next(filter(None, found.groups()[1:]), "")
                devices[device][key] = value
        elif kind == "ifroute":
            routes[device] = [line.split() for line in lines]
    return Files(devices, routes, texts)


def lines_are_assignments(those: Files) -> Iterator[str]:
    """A line that is no NAME='VALUE' is passed over in silence."""
    for device, settings in those.devices.items():
        yield from (
            "%s: %s" % (device, key) for key in settings if not key.replace("_", "a").isalnum()
        )


# of ifcfg(5), ifcfg-bridge(5), ifcfg-bonding(5), ifcfg-vlan(5), ifcfg-dhcp(5)
_KEYS = re.compile(
    r"(STARTMODE|BOOTPROTO|MTU|LLADDR|ZONE|FIREWALL|LINK_REQUIRED|(PRE|POST)_(UP|DOWN)_SCRIPT"
    r"|BRIDGE(_PORTS|_STP|_FORWARDDELAY|_AGEINGTIME|_HELLOTIME|_MAXAGE|_PRIORITY)?"
    r"|BONDING_MASTER|BONDING_SLAVE_[0-9]+|BONDING_MODULE_OPTS|ETHERDEVICE|VLAN_ID"
    r"|(IPADDR|NETMASK|PREFIXLEN|BROADCAST|LABEL|SCOPE|IP_OPTIONS|REMOTE_IPADDR)(_[A-Za-z0-9]+)?"
    r"|DHCLIENT6?_[A-Z_]+|ETHTOOL_OPTIONS[A-Za-z0-9_]*|CHECK_DUPLICATE_IP|SEND_GRATUITOUS_ARP"
    r"|AUTO6_[A-Z_]+)\Z"
)


def keys_are_known(those: Files) -> Iterator[str]:
    """A key that it doesn't know is passed over in silence."""
    for device, settings in those.devices.items():
        yield from ("%s: %s" % (device, key) for key in settings if not _KEYS.match(key))


def names_are_taken(those: Files) -> Iterator[str]:
    """A name with another character, or a file that ends like a leftover, is no device at all."""
    for device in those.devices:
        good = re.match(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}\Z", device)
        ending = re.search(r"(~|\.(old|bak|orig|scpmbackup|rpmnew|rpmsave|rpmorig))\Z", device)
        if not good or ending or device in ("all", "default"):
            yield device


def devices_start(those: Files) -> Iterator[str]:
    """Without STARTMODE, or with another word, a device is started by hand only; with nfsroot it is
    not taken down either."""
    ports = _ports(those)
    for device, settings in those.devices.items():
        mode = settings.get("STARTMODE")
        if mode not in ("hotplug" if device in ports else "auto", "nfsroot"):
            yield "%s: STARTMODE %s" % (device, mode)


def protocols_are_known(those: Files) -> Iterator[str]:
    """An unknown part of BOOTPROTO is left out; what is static goes with all of them but none."""
    for device, settings in those.devices.items():
        proto = settings.get("BOOTPROTO", "")
        parts = proto.split("+")
        unknown = set(parts) - {"dhcp", "dhcp4", "dhcp6", "auto6", "autoip"}
        if proto not in ("none", "static") and unknown:
            yield "%s: BOOTPROTO %s" % (device, proto)
        if proto == "none" and any(key.startswith("IPADDR") for key in settings):
            yield "%s: an address beside BOOTPROTO none" % device


def ports_have_no_address(those: Files) -> Iterator[str]:
    """A port's addresses are ignored: what is said of them would be lost."""
    for port in _ports(those):
        settings = those.devices.get(port, {"BOOTPROTO": "none"})
        if settings["BOOTPROTO"] != "none" or any(key.startswith("IPADDR") for key in settings):
            yield port


def ports_are_one_masters(those: Files) -> Iterator[str]:
    """A port that two devices name is broken, and belongs to the first."""
    named: List[str] = [port for each in those.devices.values() for port in _ports_of(each)]
    yield from sorted({port for port in named if named.count(port) > 1})


def bridges_are_taken(those: Files) -> Iterator[str]:
    """For a value that it can't read, or out of its range, it leaves out the whole bridge."""
    for device, settings in those.devices.items():
        if settings.get("BRIDGE") != "yes":
            continue
        stp = settings.get("BRIDGE_STP")
        if stp not in ("on", "off", "yes", "no"):
            yield "%s: BRIDGE_STP %s" % (device, stp)
        with_stp = stp in ("on", "yes")
        for key, least, most in (
            ("BRIDGE_FORWARDDELAY", 2 if with_stp else 0, 30),
            ("BRIDGE_HELLOTIME", 1 if with_stp else 0, 10),
            ("BRIDGE_MAXAGE", 6 if with_stp else 0, 60),
            ("BRIDGE_AGEINGTIME", 0, (2**32 - 1) // 100),
            ("BRIDGE_PRIORITY", 0, 65535),
        ):
            value = settings.get(key, str(least))
            if not value.isdigit() or not least <= int(value) <= most:
                yield "%s: %s %s" % (device, key, value)


def delay_is_said(those: Files) -> Iterator[str]:
    """Without it the kernel's 15 seconds hold, and a guest's first frames are lost."""
    for device, settings in those.devices.items():
        if settings.get("BRIDGE") == "yes" and "BRIDGE_FORWARDDELAY" not in settings:
            yield device


def bridges_without_port_wait_for_no_link(those: Files) -> Iterator[str]:
    """Without LINK_REQUIRED='no' a bridge that has no port never gets its address."""
    for device, settings in those.devices.items():
        alone = settings.get("BRIDGE") == "yes" and not settings.get("BRIDGE_PORTS")
        if alone and settings.get("LINK_REQUIRED") != "no":
            yield device


def devices_are_of_one_kind(those: Files) -> Iterator[str]:
    """What is a bridge, a bond or a VLAN at once is left out."""
    for device, settings in those.devices.items():
        if len({"BRIDGE", "BONDING_MASTER", "ETHERDEVICE"} & set(settings)) > 1:
            yield device


def hardware_addresses_are_read(those: Files) -> Iterator[str]:
    """For an LLADDR that it can't read it leaves out the device."""
    for device, settings in those.devices.items():
        mac = settings.get("LLADDR", "52:54:00:00:00:01")
        if not re.match(r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}\Z", mac):
            yield "%s: LLADDR %s" % (device, mac)


def addresses_have_a_prefix(those: Files) -> Iterator[str]:
    """An address without one, and without NETMASK or PREFIXLEN, is alone in its network."""
    for device, settings in those.devices.items():
        for key, value in settings.items():
            if not key.startswith("IPADDR"):
                continue
            suffix = key[len("IPADDR") :]
            prefix = settings.get("PREFIXLEN" + suffix) or settings.get("NETMASK" + suffix)
            try:
                ipaddress.ip_interface(value if "/" in value else "%s/%s" % (value, prefix))
            except ValueError:
                yield "%s: %s %s" % (device, key, value)


def mtu_is_a_number(those: Files) -> Iterator[str]:
    """A word is passed over, and the device has the kernel's own."""
    for device, settings in those.devices.items():
        if not settings.get("MTU", "1500").isdigit():
            yield device


def vlans_have_a_tag(those: Files) -> Iterator[str]:
    """For a VLAN_ID out of its range, or a VLAN over itself, it leaves out the VLAN."""
    for device, settings in those.devices.items():
        if "ETHERDEVICE" in settings:
            tag = settings.get("VLAN_ID", "")
            if not tag.isdigit() or not 1 <= int(tag) <= 4094 or settings["ETHERDEVICE"] == device:
                yield "%s: VLAN_ID %s" % (device, tag)


def what_is_below_is_there(those: Files) -> Iterator[str]:
    """For what a VLAN lies on it makes up a file, which is started when the card comes."""
    for device, settings in those.devices.items():
        below = settings.get("ETHERDEVICE")
        # a NIC that is left has a file of the installer's, where it has one
        if below and below not in those.devices and not re.match(r"(eth|en|em|p)", below):
            yield "%s: %s" % (device, below)


def bonds_watch_their_links(those: Files) -> Iterator[str]:
    """A bond without miimon, or without arp_interval and its targets, is left out."""
    for device, settings in those.devices.items():
        if "BONDING_MASTER" not in settings:
            continue
        options = dict(word.split("=", 1) for word in settings["BONDING_MODULE_OPTS"].split())
        by_mii = int(options.get("miimon", "0")) > 0
        by_arp = int(options.get("arp_interval", "0")) > 0 and bool(options.get("arp_ip_target"))
        if by_mii == by_arp or not any(key.startswith("BONDING_SLAVE") for key in settings):
            yield device


def routes_have_four_words(those: Files) -> Iterator[str]:
    """NETWORK GATEWAY MASK DEVICE and options, or hops; a foreign device is passed over, and so is
    the same network with the same metric a second time."""
    for device, routes in those.routes.items():
        seen: List[Tuple[str, ...]] = []
        for words in routes:
            net, gateway = words[0], words[1] if len(words) > 1 else "-"
            if gateway == "-" and "nexthop" in words:
                words, hops = words[: words.index("nexthop")], words[words.index("nexthop") :]
                gateway = hops[hops.index("via") + 1] if "via" in hops else gateway
                named = [hops[n + 1] for n, word in enumerate(hops) if word == "dev"]
                yield from (
                    "%s: a hop over %s" % (device, each) for each in named if each != device
                )
            try:
                version = ipaddress.ip_address(gateway).version
                if net != "default":
                    same = ipaddress.ip_network(net).version == version
                    assert same
            except (ValueError, AssertionError):
                yield "%s: %s" % (device, " ".join(words))
                continue
            if words[3:4] not in ([], ["-"], [device]) or len(words[4:]) % 2:
                yield "%s: %s" % (device, " ".join(words))
            mark = (str(version), net, *words[4:])
            if mark in seen:
                yield "%s: a second route to %s" % (device, net)
            seen.append(mark)


def routes_have_a_device(those: Files) -> Iterator[str]:
    """A file of routes is read for a device with a file, which is no port."""
    for device in those.routes:
        if device not in those.devices or device in _ports(those):
            yield device


def scripts_are_there(those: Files) -> Iterator[str]:
    """A script that is named and not there fails, and what it sets is not set."""
    for device, settings in those.devices.items():
        for word in settings.get("POST_UP_SCRIPT", "").split():
            name = word[len("compat:suse:") :]
            is_name = word.startswith("compat:suse:") and "/" not in name and ":" not in name
            ours = name.startswith("cobbler-bridge-")
            if not is_name or (ours and "scripts/" + name not in those.texts):
                yield "%s: %s" % (device, word)


def settings_name_their_device(those: Files) -> Iterator[str]:
    """In ifsysctl-DEVICE another device's settings are not read; a dot in a name needs slashes."""
    for name, text in those.texts.items():
        kind, _, device = name.partition("-")
        if kind == "ifsysctl":
            pattern = r"net/ipv6/conf/%s/(accept_ra|autoconf) = [012]" % re.escape(device)
            yield from (line for line in text.splitlines() if not re.fullmatch(pattern, line))


def _ports_of(settings: Mapping[str, str]) -> List[str]:
    bonded = [value for key, value in settings.items() if key.startswith("BONDING_SLAVE_")]
    return bonded + settings.get("BRIDGE_PORTS", "").split()


def _ports(those: Files) -> List[str]:
    return [port for each in those.devices.values() for port in _ports_of(each)]


RULES: Tuple[Callable[[Files], Iterator[str]], ...] = (
    addresses_have_a_prefix,
    bonds_watch_their_links,
    bridges_are_taken,
    bridges_without_port_wait_for_no_link,
    delay_is_said,
    devices_are_of_one_kind,
    devices_start,
    hardware_addresses_are_read,
    keys_are_known,
    lines_are_assignments,
    mtu_is_a_number,
    names_are_taken,
    ports_are_one_masters,
    ports_have_no_address,
    protocols_are_known,
    routes_have_a_device,
    routes_have_four_words,
    scripts_are_there,
    settings_name_their_device,
    vlans_have_a_tag,
    what_is_below_is_there,
)


def broken(tree: Mapping[str, str]) -> List[str]:
    """Each rule that files break, with where."""
    those = files(tree)
    return ["%s: %s" % (rule.__name__, each) for rule in RULES for each in rule(those)]
