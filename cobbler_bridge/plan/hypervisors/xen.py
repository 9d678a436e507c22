"""Xen's own configuration: xend-config.sxp of xend, and xl.conf of xl.

xend calls the network-script when it starts and when it stops, and the vif-script for each NIC of
a guest; their formats are defined by xend-config.sxp(5), xend's sxp.py and xl.conf(5). The files
are edited, as they hold much more than this.
"""

from typing import List, NamedTuple, Sequence, Tuple

from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import Description
from cobbler_bridge.description.network import Nic
from cobbler_bridge.description.xen_mode import (
    NETWORK_BRIDGE,
    NETWORK_ROUTE,
    UNBRIDGED,
    VIF_BRIDGE,
    Xen,
)
from cobbler_bridge.plan.plan import Call, Effect, Fact, File, Need, Parts, Step, Word, find_nic
from cobbler_bridge.plan.target import DEBIAN, EL, FEDORA, SUSE, UBUNTU, ByTarget, Target
from cobbler_bridge.problem import Problem

XEN = "/etc/xen/"
XEND = XEN + "xend-config.sxp"
XL = "/etc/xen/xl.conf"
SCRIPTS = "/etc/xen/scripts/"
# xend looks for a name below SCRIPTS and takes a path as it is
NO_SCRIPT = "/bin/true"
WRAPPER = "network-cobbler-bridge"
_BRCTL = "/usr/sbin/brctl"


class Tools(NamedTuple):
    """The programs that a release's Xen can have.

    ``early_settings`` says that the kernel's bridge-nf-call settings are read once, before xend
    makes a bridge, and so are lost on it.
    """

    xend: bool
    xl: bool
    early_settings: bool


_NONE = Tools(xend=False, xl=False, early_settings=False)
_TOOLS = ByTarget(
    {
        (EL, 5): Tools(xend=True, xl=False, early_settings=True),
        (EL, 6): Tools(xend=True, xl=True, early_settings=True),
        (EL, 7): Tools(xend=True, xl=True, early_settings=False),
        (EL, 8): _NONE,
        (FEDORA, 33): Tools(xend=False, xl=True, early_settings=False),
        (DEBIAN, 10): Tools(xend=False, xl=True, early_settings=False),
        (UBUNTU, 18): Tools(xend=False, xl=True, early_settings=False),
        (SUSE, 12): Tools(xend=False, xl=True, early_settings=False),
    }
)


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """What makes Xen use our bridge, or make its own network."""
    xen = description.xen
    if xen.mode == "none":
        return Parts(), []
    tools = _TOOLS.row(target)
    if tools is None:
        wrong = "it is not known what Xen on %s has" % target.name
        problem = Problem(description.subject, keys.XEN.name, wrong, "it can be none")
        return Parts(), [problem]
    problems = _unsupported(description, target, tools)
    if problems:
        return Parts(), problems
    names = description.bridge_names
    if xen.makes_network:
        found, network = _network(description)
    else:
        found, network = (), _xend("network-script", (xen.network_script or NO_SCRIPT,))
    edits: List[Step] = []
    if tools.xend:
        edits += [network, _xend("vif-script", _vif_script(xen, names))]
    if xen.mode == VIF_BRIDGE and tools.xl:
        edits.append(_xl("vif.default.bridge", "defaultbridge", names[0]))
        if xen.vif_script is not None:
            edits.append(_xl("vif.default.script", "vifscript", xen.vif_script))
    effects = (Effect(XEN, "xend"),)
    return Parts(_needs(description, target, tools), (*found, *edits), effects), []


def _unsupported(description: Description, target: Target, tools: Tools) -> List[Problem]:
    xen, subject = description.xen, description.subject
    if not (tools.xend or tools.xl):
        right = "it can be none; there is Xen for EL 5 to 7, Fedora, Debian, Ubuntu and SUSE"
        return [Problem(subject, keys.XEN.name, "%s has no Xen" % target.name, right)]
    problems = []
    right = "use %s=%s" % (keys.XEN.name, VIF_BRIDGE)
    if xen.makes_network and not tools.xend:
        wrong = "%s has no xend, which %s needs" % (target.name, xen.mode)
        problems.append(Problem(subject, keys.XEN.name, wrong, right))
    elif xen.network_script is not None and not tools.xend:
        wrong = "%s has no xend, which would call it" % target.name
        problems.append(Problem(subject, keys.XEN_NETWORK_SCRIPT.name, wrong, "remove it"))
    if xen.mode == NETWORK_BRIDGE and tools.early_settings and description.firewall == "sysctl":
        wrong = "'sysctl' is read on %s before xend makes the bridge" % target.name
        problems.append(Problem(subject, keys.FIREWALL.name, wrong, "iptables, or " + right))
    return problems


def _needs(description: Description, target: Target, tools: Tools) -> Tuple[Step, ...]:
    """Nothing is begun where Xen, or a script that was named, isn't there."""
    xen = description.xen
    known = [path for path, there in ((XEND, tools.xend), (XL, tools.xl)) if there]
    files = (XEND,) if xen.makes_network else tuple(known)
    checks: List[Step] = [_has("install xen", *files)]
    scripts = [xen.vif_script or _vif_name(xen)]
    if xen.network_script is not None or xen.makes_network:
        scripts.append(xen.network_script or xen.mode)
    for script in sorted(set(scripts)):
        checks.append(_has("Xen would call it", SCRIPTS + script))
    if xen.mode == NETWORK_BRIDGE:
        why = "network-bridge needs it: install bridge-utils"
        checks.append(Need(_BRCTL, why, "bridge-utils", target.package_tool))
    return tuple(checks)


def _has(why: str, *paths: str) -> Call:
    return Call("xen_has", (why, *paths), "%s must be there: %s" % (" or ".join(paths), why))


def _vif_name(xen: Xen) -> str:
    """Xen's own script for a guest's NIC that goes with a mode: vif-nat with network-nat."""
    return "vif-" + xen.mode.split("-")[1]


def _vif_script(xen: Xen, bridges: Sequence[str]) -> Tuple[Word, ...]:
    script: Tuple[Word, ...] = (xen.vif_script or _vif_name(xen),)
    if xen.mode == NETWORK_ROUTE:
        # whose address the guests see as their router
        return (*script, _netdev(1))
    # the one of a guest that names none
    return script if xen.unbridged else (*script, "bridge=" + bridges[0])


def _netdev(number: int) -> Fact:
    return Fact("netdev%d" % number, "netdev=$nic%d" % number)


def _network(description: Description) -> Tuple[Tuple[Step, ...], Step]:
    """How the NICs are found, and the line that has xend make the network."""
    xen = description.xen
    script = xen.network_script or xen.mode
    if xen.unbridged:
        nics = [] if xen.uplink is None else [(xen.mode, xen.uplink)]
        network = _xend("network-script", (script, _netdev(1)))
    else:
        nics = [
            (bridge.name, port)
            for bridge in description.bridges
            for port in bridge.ports
            if isinstance(port, Nic)
        ]
        network = _xend("network-script", _bridged(script, nics[0][1].number, nics[0][0]))
    names = " and ".join(name for name, _ in nics)
    about = Call("bridges", tuple(name for name, _ in nics), "xend makes %s" % names)
    steps: Tuple[Step, ...] = (about, *(_find(name, script, nic) for name, nic in nics))
    if len(nics) > 1:
        does = "%s%s must be able to make several bridges" % (SCRIPTS, script)
        steps += (Call("xend_several", (SCRIPTS + script,), does), _wrapper(script, nics))
        network = _xend("network-script", (WRAPPER,))
    return steps, network


def _find(network: str, script: str, nic: Nic) -> Step:
    found = find_nic(nic, "the uplink" if network in UNBRIDGED else "port 1 of %s" % network)
    return Call("xend_nic", (SCRIPTS + script, network, *found.arguments), found.does)


def _bridged(script: str, number: int, bridge: str) -> Tuple[Word, ...]:
    # until 3.1 it takes its veth by the number, and else by the one of the default route's NIC
    return (script, "vifnum=%d" % (number - 1), _netdev(number), "bridge=" + bridge)


def _wrapper(script: str, nics: List[Tuple[str, Nic]]) -> File:
    """A network script that makes every bridge; one that fails keeps no other from its place."""
    content: List[Word] = [
        "#!/bin/sh\n# cobbler-bridge: xend calls this with start or stop, and each of these makes "
        'a bridge\ndir=$(dirname "$0")\nstatus=0\n'
    ]
    for bridge, nic in nics:
        content.append('"$dir/%s" "$@"' % script)
        for argument in _bridged(script, nic.number, bridge)[1:]:
            content += [" ", argument]
        content.append(" || status=$?\n")
    return File((SCRIPTS + WRAPPER,), 0o755, (*content, "exit $status\n"))


def _xend(name: str, words: Tuple[Word, ...]) -> Call:
    said = " ".join(word.shown if isinstance(word, Fact) else word for word in words)
    said = "'%s'" % said if len(words) > 1 else said
    does = "%s is edited where it is there: (%s %s)" % (XEND, name, said)
    return Call("xend_config", (XEND, name, *words), does)


def _xl(name: str, before: str, value: str) -> Call:
    does = "%s is edited where it is there: %s=%s, which was %s until 4.2"
    return Call("xl_conf", (XL, name, before, value), does % (XL, name, '"%s"' % value, before))
