"""Every template variable of the pack, declared once.

The reader of Cobbler's data, the messages and the documentation all take a variable's name,
values, default and sentence from here.
"""

from typing import Any, Callable, Generic, Optional, Tuple, TypeVar

from cobbler_bridge.description import values

T = TypeVar("T")


class Key(Generic[T]):
    """A template variable: what may stand there, what is assumed, what it does.

    ``parse`` turns the text into a value and raises ``ValueError``. ``default`` is text too,
    read by the same parser; ``None`` means that the description works it out.
    """

    def __init__(
        self,
        name: str,
        accepts: str,
        default: Optional[str],
        sentence: str,
        example: str,
        parse: Callable[[str], T],
    ) -> None:
        self.name = name
        self.accepts = accepts
        self.default = default
        self.sentence = sentence
        self.example = example
        self.parse = parse
        # read once: every rendering asks for every default
        self.default_value = None if default is None else parse(default)


def _either(words: Tuple[str, ...]) -> str:
    return "%s or %s" % (", ".join(words[:-1]), words[-1])


BRIDGE = Key(
    "bridge",
    "1 to 15 letters, digits, '_', '-' or '.', not beginning with '-', and not %s or %s"
    % (", ".join(values.RESERVED_NAMES[:-1]), values.RESERVED_NAMES[-1]),
    None,
    "The bridge's name. Where it is its port's own name, the port is renamed, with a p before "
    "its name. Unset, and without an interface record of type bridge: nothing is written at all.",
    "br0",
    values.device_name,
)
PORT = Key(
    "bridge_port",
    "auto, or MAC addresses or device names with commas between",
    "auto",
    "The bridge's ports. auto: the NIC that the machine was installed through.",
    "52:54:00:12:34:56",
    values.ports,
)
IPV4 = Key(
    "bridge_ipv4",
    "auto, dhcp, keep, none, or ADDRESS/PREFIX with an optional ,GATEWAY",
    "auto",
    "The bridge's IPv4 address. auto: the system record's static address if it has one, else the "
    "static one that the machine's own file for the port has, else DHCP. keep: what the installer "
    "configured on the port moves to the bridge.",
    "192.0.2.10/24,192.0.2.1",
    values.ipv4,
)
IPV6 = Key(
    "bridge_ipv6",
    "auto, dhcp, keep, none, or ADDRESS/PREFIX with an optional ,GATEWAY",
    "auto",
    "The bridge's IPv6 address. auto: the system record's address if it has one, else the static "
    "one that the machine's own file for the port has, else router advertisements. Without a "
    "gateway, router advertisements give the route. none: a link-local "
    "address only. keep: what the installer configured on the port moves to the bridge.",
    "2001:db8::10/64,fe80::1",
    values.ipv6,
)
VLAN = Key(
    "bridge_vlan",
    "a whole number from 1 to 4094",
    None,
    "The bridge sits on this VLAN of its port. The port itself then has no address; with "
    "bridge_ipv4=none it keeps the one that the installer gave it.",
    "10",
    values.number(1, 4094),
)
MTU = Key(
    "bridge_mtu",
    "a whole number from 576 to 9216",
    None,
    "The MTU, in bytes, of the bridge and its ports. Unset: the record's, else the driver's.",
    "9000",
    values.number(576, 9216),
)
MAC = Key(
    "bridge_mac",
    "port, none, or a unicast MAC address of six bytes",
    "port",
    "The bridge's own MAC address. port: pinned to the first port's, so that DHCP "
    "reservations still match.",
    "port",
    values.bridge_mac,
)
STP = Key(
    "bridge_stp",
    "on or off",
    "off",
    "Whether the bridge takes part in the spanning tree protocol.",
    "on",
    values.on_off,
)
FORWARD_DELAY = Key(
    "bridge_forward_delay",
    "a whole number of seconds from 0 to 30, at least 2 with bridge_stp=on",
    None,
    "How long a new port listens before it forwards, in seconds. Unset: 0 with STP off, "
    "15 with STP on.",
    "4",
    values.number(0, 30),
)
OPTIONS = Key(
    "bridge_opts",
    "key=value with blanks or commas between: %s" % ", ".join(sorted(values.OPTIONS)),
    None,
    "Further options of the bridge; times are in seconds.",
    "priority=4096,ageing_time=60",
    values.options,
)
_FIREWALLS = ("auto", "iptables", "firewalld", "nftables", "sysctl", "none")
FIREWALL = Key(
    "bridge_firewall",
    _either(_FIREWALLS),
    "auto",
    "What lets the guests' frames through the host's firewall. iptables: a rule in the saved "
    "rules, which are made if need be. sysctl: the kernel keeps bridged frames away from every IP "
    "firewall; firewalld and nftables mean the same. auto: the rule where the machine has saved "
    "rules, and the settings where firewalld or nftables is enabled on it.",
    "iptables",
    values.choice(*_FIREWALLS),
)
ZONE = Key(
    "bridge_zone",
    "the name of a firewalld zone: 1 to %d letters, digits, '_' or '-', not beginning with '-'"
    % values.ZONE_CHARACTERS,
    None,
    "The bridge's zone of firewalld: what may reach the host itself over it. Unset: the zone "
    "of the first port that has one, else the default one. EL 5 and 6 have none.",
    "internal",
    values.zone,
)
_BACKENDS = ("auto", "ifcfg", "keyfile", "ifupdown", "netplan", "wicked")
BACKEND = Key(
    "bridge_backend",
    _either(_BACKENDS),
    "auto",
    "The format of the network configuration. auto: what the release reads.",
    "ifcfg",
    values.choice(*_BACKENDS),
)
_XEN_MODES = ("none", "network-bridge", "network-route", "network-nat", "vif-bridge")
XEN = Key(
    "bridge_xen",
    _either(_XEN_MODES),
    "none",
    "What a host's Xen is told. vif-bridge: guests use the bridge, which is built as everywhere. "
    "network-bridge: xend makes the bridge, under its name, when it starts. network-route and "
    "network-nat: xend routes the guests, and there is no bridge.",
    "vif-bridge",
    values.choice(*_XEN_MODES),
)
_SCRIPTS = "the name of a file in /etc/xen/scripts: letters, digits, '_', '-' or '.'"
XEN_NETWORK_SCRIPT = Key(
    "bridge_xen_network_script",
    _SCRIPTS,
    None,
    "A customized variant, which xend calls in place of the script that bridge_xen names, with the "
    "same arguments. Unset: xen's own; with vif-bridge none.",
    "network-bridge-site",
    values.script_name,
)
XEN_VIF_SCRIPT = Key(
    "bridge_xen_vif_script",
    _SCRIPTS,
    None,
    "A customized variant, which is called for each NIC of a guest in place of xen's own.",
    "vif-bridge-site",
    values.script_name,
)
VERIFY = Key(
    "bridge_verify",
    "yes or no",
    "yes",
    "Whether the host proves at its first boot that the bridge works, and tells Cobbler.",
    "no",
    values.choice("yes", "no"),
)
ROLLBACK = Key(
    "bridge_rollback",
    "yes or no",
    "yes",
    "Whether the first boot puts the old network back where the bridge does not come up.",
    "no",
    values.choice("yes", "no"),
)
TIMEOUT = Key(
    "bridge_timeout",
    "a whole number from 10 to 3600",
    "120",
    "How long the first boot may take to prove the bridge, in seconds from when the network was "
    "started; with bridge_stp=on, twice the forward delay more. Where it is not set, a host that "
    "is switched while it runs has 30.",
    "300",
    values.number(10, 3600),
)
WATCH = Key(
    "bridge_watch",
    "yes or no",
    "yes",
    "Whether a host that has proved its bridge looks at it at each boot and once a day, and tells "
    "Cobbler.",
    "no",
    values.choice("yes", "no"),
)
HOST = Key(
    "bridge_host",
    "the name of a system",
    None,
    "On a guest or its profile: the host system that the guest runs on.",
    "kvm1",
    str,
)
# written by version 0.1, and not read any more
ONCE = ("bridge_record", "bridge_placed")

HOST_KEYS: Tuple[Key[Any], ...] = (
    BRIDGE,
    PORT,
    IPV4,
    IPV6,
    VLAN,
    MTU,
    MAC,
    STP,
    FORWARD_DELAY,
    OPTIONS,
    FIREWALL,
    ZONE,
    BACKEND,
    XEN,
    XEN_NETWORK_SCRIPT,
    XEN_VIF_SCRIPT,
    VERIFY,
    ROLLBACK,
    TIMEOUT,
    WATCH,
)

NAMES: Tuple[str, ...] = (*(key.name for key in (*HOST_KEYS, HOST)), *ONCE)
