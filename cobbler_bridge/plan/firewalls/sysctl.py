"""Bridged frames kept away from every IP firewall: the kernel's bridge-nf-call settings, at 0.

This is what ``firewalld`` and ``nftables`` mean too. Neither has a rule that could do it safely:
an accept in a table of ours doesn't win over a reject in theirs, firewalld's direct rules are lost
with its nftables backend, and its zones would open the host as well. An administrator's own
``table bridge`` is no IP firewall and goes on filtering.

The settings exist only once the module that has them is loaded, and begin at 1. Where a boot reads
them before that, a rule of udev sets them when the module arrives.
"""

from typing import List, NamedTuple, Optional, Tuple

from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import Description
from cobbler_bridge.plan.plan import Call, File, Parts, Step
from cobbler_bridge.plan.target import DEBIAN, EL, FEDORA, SUSE, SYSTEMD, UBUNTU, ByTarget, Target
from cobbler_bridge.problem import Problem, shown


class Kernel(NamedTuple):
    """What differs by release.

    ``read`` is how a boot reads the settings when a bridge is there: one of ``AGAIN`` and ``UDEV``;
    ``None`` where nothing is known that does, and then none are written. ``firewalls`` are the
    values of bridge_firewall that are there to be passed; ``others`` are further services that
    filter what is forwarded. ``modules`` are the names of the module that has the settings, as
    udev matches them.
    """

    read: Optional[str]
    firewalls: Tuple[str, ...]
    others: Tuple[str, ...] = ("docker",)
    modules: str = "br_netfilter"


# The network script reads OLD_SETTINGS once more when the bridges are up; the first minor releases
# read nothing else
AGAIN = "again"
# a rule of udev reads SETTINGS when the module is there
UDEV = "udev"
# Where a link says that a service is enabled, by init system, and what it is called
_ENABLED = {SYSTEMD: ("/etc/systemd/system/*", "%s.service")}

_NOW = Kernel(UDEV, firewalls=("firewalld", "nftables", "sysctl"))
# ufw has no value of its own: it is one of those that auto finds
_DEBIAN = _NOW._replace(others=("docker", "ufw"))
# up to SLES 12 SP 1 it is the bridge's own module
_SUSE = Kernel(UDEV, _NOW.firewalls, ("docker", "SuSEfirewall2"), "bridge|br_netfilter")
_KERNELS = ByTarget(
    {
        (EL, 5): Kernel(AGAIN, firewalls=("sysctl",)),
        # up to 7.1 it is the bridge's own module
        (EL, 7): _NOW._replace(modules="bridge|br_netfilter"),
        (EL, 8): _NOW,
        (FEDORA, 33): _NOW,
        (DEBIAN, 10): _DEBIAN,
        (UBUNTU, 18): _DEBIAN,
        (SUSE, 12): _SUSE,
    }
)

OLD_SETTINGS = "/etc/sysctl.conf"
# behind every name that begins with a number, as the last one wins
SETTINGS = "/etc/sysctl.d/cobbler-bridge.conf"
UDEV_RULE = "/etc/udev/rules.d/99-cobbler-bridge.rules"
_SETTINGS = File(
    (SETTINGS,),
    0o644,
    (
        "# cobbler-bridge: guests on a bridge are not filtered here\n"
        "net.bridge.bridge-nf-call-iptables = 0\n"
        "net.bridge.bridge-nf-call-ip6tables = 0\n"
        "net.bridge.bridge-nf-call-arptables = 0\n",
    ),
)
# its path is this one also where /sbin is a folder of its own: SLES 12 and 15, Debian 10
_RULE = (
    "# cobbler-bridge: the settings are there once this module is\n"
    'ACTION=="add", SUBSYSTEM=="module", KERNEL=="%s", RUN+="/sbin/sysctl -e -q -p %s"\n'
)


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The settings, for whichever firewall was named."""
    kernel = _KERNELS.row(target)
    if kernel is None or kernel.read is None:
        return Parts(), [_unknown(description, target)]
    if description.firewall not in kernel.firewalls:
        wrong = "%s has no %s" % (target.name, shown(description.firewall))
        right = "it can be " + " or ".join(("auto", "iptables", "none") + kernel.firewalls)
        return Parts(), [Problem(description.subject, keys.FIREWALL.name, wrong, right)]
    if kernel.read == AGAIN:
        does = "%s has the bridge-nf-call settings at 0, added where it has not" % OLD_SETTINGS
        return Parts((), (Call("sysctl_conf", (OLD_SETTINGS,), does),)), []
    return Parts((), _files(kernel.modules)), []


def can_have(target: Target, firewall: str) -> Optional[bool]:
    """Whether a target has a firewall, by its value of bridge_firewall; ``None``: not known."""
    kernel = _KERNELS.row(target)
    return None if kernel is None else firewall in kernel.firewalls


def _unknown(description: Description, target: Target) -> Problem:
    wrong = "it is not known how %s reads the bridge-nf-call settings" % target.name
    right = "it can be %snone" % ("" if target.saved_rules is None else "iptables or ")
    return Problem(description.subject, keys.FIREWALL.name, wrong, right)


def where_enabled(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The settings, where a firewall is enabled that can't be edited, and nobody set them to 1."""
    kernel = _KERNELS.row(target)
    if kernel is None:
        return Parts(), [_unknown(description, target)]
    units = tuple(name for name in kernel.firewalls if name != "sysctl")
    if not units:
        return Parts(), []
    if kernel.read != UDEV:
        return Parts(), [_unknown(description, target)]
    if target.init not in _ENABLED:
        wrong = "it is not known how %s says on %s whether %s is enabled"
        wrong %= (target.init, target.name, units[0])
        right = "it can be %s or none" % units[0]
        return Parts(), [Problem(description.subject, keys.FIREWALL.name, wrong, right)]
    does = "these two are written only where %s is enabled and nobody wants frames filtered"
    # Docker has FORWARD drop what it does not know, in rules that it makes when it starts
    names = (*units, *kernel.others)
    folders, unit = _ENABLED[target.init]
    words = (folders, *(unit % name for name in names))
    shown_names = "%s or %s" % (", ".join(names[:-1]), names[-1])
    where = Call("sysctl_where", (SETTINGS, UDEV_RULE, *words), does % shown_names)
    return Parts((), (*_files(kernel.modules), where)), []


def _files(modules: str) -> Tuple[Step, ...]:
    return _SETTINGS, File((UDEV_RULE,), 0o644, (_RULE % (modules, SETTINGS),))
