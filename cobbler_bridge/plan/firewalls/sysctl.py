"""Bridged frames kept away from every IP firewall: the kernel's bridge-nf-call settings, at 0.

This is what ``firewalld`` and ``nftables`` mean too. Neither has a rule that could do it safely:
an accept in a table of ours doesn't win over a reject in theirs, firewalld's direct rules are lost
with its nftables backend, and its zones would open the host as well. An administrator's own
``table bridge`` is no IP firewall and goes on filtering.

The settings exist only once the module that has them is loaded, and begin at 1. Where a boot reads
them before that, a rule of udev sets them when the module arrives.
"""

from typing import Dict, List, NamedTuple, Optional, Tuple

from cobbler_bridge import keys
from cobbler_bridge.description import Description
from cobbler_bridge.plan import Call, File, Parts, Step
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.target import Target


class System(NamedTuple):
    """What differs by release.

    ``modules`` are the names of the module that has the settings, as udev matches them; ``None``
    where the network script reads /etc/sysctl.conf once more when the bridges are up, and the
    first minor releases read nothing else. ``firewalls`` are the values of bridge_firewall that
    are there to be passed.
    """

    modules: Optional[str]
    firewalls: Tuple[str, ...]


# By release; every other one is as _NOW
_SYSTEMS: Dict[int, System] = {
    5: System(modules=None, firewalls=("sysctl",)),
    6: System(modules=None, firewalls=("sysctl",)),
    # up to 7.1 it is the bridge's own module
    7: System(modules="bridge|br_netfilter", firewalls=("firewalld", "nftables", "sysctl")),
}
_NOW = System(modules="br_netfilter", firewalls=("firewalld", "nftables", "sysctl"))

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
_RULE = (
    "# cobbler-bridge: the settings are there once this module is\n"
    'ACTION=="add", SUBSYSTEM=="module", KERNEL=="%s", RUN+="/usr/sbin/sysctl -e -q -p %s"\n'
)


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The settings, for whichever firewall was named."""
    system = _SYSTEMS.get(target.release, _NOW)
    if description.firewall not in system.firewalls:
        wrong = "%s has no %s" % (target.name, shown(description.firewall))
        right = "it can be " + " or ".join(("auto", "iptables", "none") + system.firewalls)
        return Parts(), [Problem(description.subject, keys.FIREWALL.name, wrong, right)]
    if system.modules is None:
        does = "%s has the bridge-nf-call settings at 0, added where it has not" % OLD_SETTINGS
        return Parts(("sysctl",), (), (Call("sysctl_conf", (OLD_SETTINGS,), does),)), []
    return Parts((), (), _files(system.modules)), []


def where_enabled(target: Target) -> Parts:
    """The settings, where a firewall is enabled that can't be edited, and nobody set them to 1."""
    system = _SYSTEMS.get(target.release, _NOW)
    units = tuple(name for name in system.firewalls if name != "sysctl")
    if system.modules is None or not units:
        return Parts()
    does = "these two are written only where %s is enabled and nobody wants frames filtered"
    words = ("%s.service" % name for name in units)
    where = Call("sysctl_where", (SETTINGS, UDEV_RULE, *words), does % " or ".join(units))
    return Parts(("sysctl",), (), (*_files(system.modules), where))


def _files(modules: str) -> Tuple[Step, ...]:
    return _SETTINGS, File((UDEV_RULE,), 0o644, (_RULE % (modules, SETTINGS),))
