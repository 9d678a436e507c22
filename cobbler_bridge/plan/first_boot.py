"""The check at the first boot: what is installed for it, and what it must prove.

The check itself is ``firstboot.sh`` of ``script/on_the_host``, behind parts of ``check``: for what
starts services on a target, for each reader of its network's files, and for what goes on looking.
It reads what it must prove from a file of lines: ``url``, ``description`` (its digest), ``timeout``
(seconds, and ``always`` where a host that runs has as long), ``rollback``, and ``watch no`` where
nothing goes on looking; then for each bridge ``bridge NAME`` and ``port NAME`` for each port;
``device NAME`` for a VLAN that has addresses of its own; behind either, ``ipv4`` and ``ipv6`` with
``none``, ``any``, or ``static ADDRESS/PREFIX GATEWAY``; then ``nic NAME`` for each card, by its
name before; and ``end`` with the number of lines before it.
"""

from typing import Dict, List, NamedTuple, Optional, Tuple

from cobbler_bridge import shipped
from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import Description
from cobbler_bridge.description.digest import digest
from cobbler_bridge.description.network import Device
from cobbler_bridge.plan.names import name_of
from cobbler_bridge.plan.plan import Call, File, Parts, Program, Shipped, Step, Text, Word
from cobbler_bridge.plan.target import (
    IFUPDOWN,
    NETPLAN,
    NETWORK_SCRIPTS,
    NETWORKD,
    NETWORKMANAGER,
    SYSTEMD,
    SYSV,
    WICKED,
    Target,
)
from cobbler_bridge.problem import Problem

EXPECTED = "/var/lib/cobbler-bridge/expected"
KEPT = "/var/lib/cobbler-bridge/script"
SCRIPT = "/usr/libexec/cobbler-bridge/firstboot"
# of script/on_the_host; its parts are named as init systems and readers are
_PART = "firstboot/%s"
# The readers that the check can stop and start anew; of init systems these are in STARTERS
READERS = (NETWORK_SCRIPTS, NETWORKMANAGER, NETWORKD, IFUPDOWN, NETPLAN, WICKED)


class Starter(NamedTuple):
    """What starts the check: shipped files, each with its place, all with one mode, and the links
    that enable it.

    ``leads`` is where the links lead. ``starts`` is the shell command that starts it at once, where
    something must: $root is the root.
    """

    shipped: Tuple[Tuple[str, str], ...]
    mode: int
    leads: str
    links: Tuple[str, ...]
    starts: str = ""

    @property
    def steps(self) -> Tuple[Step, ...]:
        """What puts them in place."""
        steps: List[Step] = [
            Shipped((path,), self.mode, name, "%s starts that check" % path)
            for name, path in self.shipped
        ]
        steps.append(Call("link_files", (self.leads, *self.links), "it is enabled"))
        if self.starts:
            does = "on a machine that runs it begins at once"
            steps.append(Call("check_starts", (self.starts,), does))
        return tuple(steps)


_INIT = Starter(
    (("firstboot.init", "/etc/rc.d/init.d/cobbler-bridge-firstboot"),),
    0o755,
    "../init.d/cobbler-bridge-firstboot",
    # chkconfig would make them, but not in an installer's chroot
    tuple("/etc/rc.d/rc%d.d/S99cobbler-bridge-firstboot" % level for level in (2, 3, 4, 5)),
    # what it starts hears signals
    '(trap - HUP INT TERM PIPE && exec "$root/etc/rc.d/init.d/cobbler-bridge-firstboot" start)',
)
_SYSTEMD = Starter(
    (("firstboot.service", "/etc/systemd/system/cobbler-bridge-firstboot.service"),),
    0o644,
    "../cobbler-bridge-firstboot.service",
    ("/etc/systemd/system/multi-user.target.wants/cobbler-bridge-firstboot.service",),
    # an earlier check may be telling Cobbler how it ended
    "systemctl daemon-reload && { systemctl kill -s KILL cobbler-bridge-firstboot.service;"
    " systemctl start cobbler-bridge-firstboot.service; }",
)
# once a day, cron; at a boot it is the same as before
_CRON = Starter(
    (),
    0o755,
    "../rc.d/init.d/cobbler-bridge-firstboot",
    ("/etc/cron.daily/cobbler-bridge-firstboot",),
)
_TIMER = Starter(
    tuple(
        ("watch." + kind, "/etc/systemd/system/cobbler-bridge-watch." + kind)
        for kind in ("service", "timer")
    ),
    0o644,
    "../cobbler-bridge-watch.timer",
    ("/etc/systemd/system/timers.target.wants/cobbler-bridge-watch.timer",),
)
# By init system: for the first boot, and for each day after it
STARTERS: Dict[str, Tuple[Starter, Starter]] = {SYSV: (_INIT, _CRON), SYSTEMD: (_SYSTEMD, _TIMER)}

_KEEP = Call("keep_script", (KEPT,), "this script is kept as %s" % KEPT)
_NICS = Call("firstboot_nics", (), "the first boot also knows the names that the NICs have now")


def is_proved(description: Description) -> bool:
    """Whether a check proves what is written; what xend makes comes when xend starts."""
    return description.first_boot.verify and not description.xen.makes_network


def refusal(description: Description) -> Tuple[Step, ...]:
    """How Cobbler hears that a host which was to prove its bridge has been left alone."""
    if not is_proved(description) or not description.first_boot.url:
        return ()
    does = "Cobbler is told why, where an installation leaves the network as it is"
    return (Call("tells", (description.first_boot.url,), does),)


def check(description: Description) -> Tuple[Step, ...]:
    """What the check must prove; nothing where none is wanted."""
    if not description.first_boot.verify:
        return ()
    return File((EXPECTED,), 0o644, _expected(description)), _NICS, _KEEP


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The check on a target, and what starts it."""
    if not description.first_boot.verify:
        return Parts(), []
    starters = STARTERS.get(target.init)
    if starters is None:
        wrong = "no check is started on %s by %s" % (target.name, target.init)
        right = "it can be no, and then nothing is proved"
        return Parts(), [Problem(description.subject, keys.VERIFY.name, wrong, right)]
    for reader in target.readers:
        if reader not in READERS:
            wrong = "it is not known how a check on %s has %s start anew" % (target.name, reader)
            right = "it can be no, and then nothing is proved"
            return Parts(), [Problem(description.subject, keys.VERIFY.name, wrong, right)]
    first, daily = starters
    watch = daily.steps if description.first_boot.watch else ()
    return Parts((), (program(target), *first.steps, *watch)), []


def has_check(target: Target) -> bool:
    """Whether the check has a part for what starts services, and one for each reader."""
    return target.init in STARTERS and set(target.readers) <= set(READERS)


def program(target: Target) -> Program:
    """The check, of the parts that a target needs; it must have one."""
    parts = [_PART % part for part in (target.init, *target.readers)]
    does = "%s checks the bridge at the first boot" % SCRIPT
    return Program((SCRIPT,), 0o755, shipped.with_needs((*parts, "firstboot")), does)


def _expected(description: Description) -> Text:
    check = description.first_boot
    # an STP port forwards nothing before it has listened and learned
    delays = [2 * bridge.forward_delay for bridge in description.bridges if bridge.stp]
    words: List[Word] = ["url %s\n" % check.url] if check.url else []
    words.append("description %s\n" % digest(description))
    words += [] if check.watch else ["watch no\n"]
    always = " always" if check.always else ""
    words.append("timeout %d%s\n" % (check.timeout + max(delays, default=0), always))
    words.append("rollback %s\n" % ("yes" if check.rollback else "no"))
    names = description.bridge_names
    for bridge in description.bridges:
        words.append("bridge %s\n" % bridge.name)
        for port in bridge.ports:
            words += ["port ", name_of(port, names), "\n"]
        words += _addresses(bridge)
    for vlan in description.vlans:
        words += ["device ", name_of(vlan, names), "\n", *_addresses(vlan)]
    for device, _ in description.devices:
        if device.mtu is not None and not getattr(device, "left", False):
            words += ["mtu ", name_of(device, names), " %d\n" % device.mtu]
    return tuple(words)


def _addresses(device: Device) -> List[str]:
    """What must be there; router advertisements may come or not, where there is more than them."""
    ipv4, ipv6 = device.ipv4, device.ipv6
    leased6 = ("dhcp", "keep") if ipv4.method == "none" else ("dhcp",)
    return [
        "ipv4 %s\n" % _address(ipv4.method, ("auto", "dhcp", "keep"), ipv4.address, ipv4.gateway),
        "ipv6 %s\n" % _address(ipv6.method, leased6, ipv6.address, ipv6.gateway),
    ]


def _address(
    method: str, leased: Tuple[str, ...], address: Optional[object], gateway: Optional[object]
) -> str:
    if address is not None:
        return "static %s%s" % (address, "" if gateway is None else " %s" % gateway)
    return "any" if method in leased else "none"
