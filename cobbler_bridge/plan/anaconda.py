"""The bridge in anaconda's own words: ``network`` commands for a kickstart's command section.

The format is defined by pykickstart's documentation of ``network``; ``--bridgeopts`` takes
NetworkManager's names of the options. What it can't say is a problem, and then nothing is said:
the script of ``bridge_setup`` says everything.
"""

from typing import Any, List, Mapping, Optional, Tuple

from cobbler_bridge import keys
from cobbler_bridge.description import Description, describe
from cobbler_bridge.network import Bridge, Nic
from cobbler_bridge.plan import File, Plan, Text, Word, names_now
from cobbler_bridge.planner import find_devices
from cobbler_bridge.problem import Problem
from cobbler_bridge.reader import subject_of
from cobbler_bridge.target import UNKNOWN, Target, target_of

INCLUDED = "/tmp/cobbler-bridge.network"
# what --bridgeopts takes
_OPTIONS = ("ageing_time", "hello_time", "max_age", "priority")
_FIRST_RELEASE = 7
_INSTEAD = "take this snippet out: bridge_setup in %post does it"

Why = List[Tuple[str, str]]


def make_plan(data: Mapping[str, Any]) -> Tuple[Optional[Plan], List[Problem]]:
    """A plan whose only file is what the kickstart includes, or why anaconda can't be told."""
    description, problems = describe(data)
    target, unsupported = target_of(data)
    problems = problems + ([] if unsupported is None else [unsupported])
    if description is None or target is None or problems:
        return None, problems
    subject = subject_of(data)
    why = _unsaid(description, target)
    if why:
        return None, [Problem(subject, field, wrong, _INSTEAD) for field, wrong in why]
    bridges = tuple(map(_with_ports_left, description.bridges))
    left = description._replace(bridges=bridges)
    content: Text = ()
    for bridge in left.bridges:
        content += (*_command(left, bridge), "\n")
    names = " and ".join(bridge.name for bridge in left.bridges)
    steps = (*find_devices(left), File((INCLUDED,), 0o644, content))
    return Plan(subject, "network of %s" % names, left.bridges, ("common",), steps), []


def _with_ports_left(bridge: Bridge) -> Bridge:
    """The NICs keep their names: anaconda renames none."""
    nics = (port._replace(left=True) for port in bridge.ports if isinstance(port, Nic))
    return bridge._replace(ports=tuple(nics))


def _unsaid(description: Description, target: Target) -> Why:
    """What can't be said in ``network`` commands."""
    why: Why = []
    if target is UNKNOWN:
        why.append(("os_version", "doesn't tell whether the release's anaconda knows bridges"))
    elif target.release < _FIRST_RELEASE:
        why.append(("os_version", "anaconda of %s knows no bridges" % target.name))
    if description.xen.makes_network:
        why.append((keys.XEN.name, "xend makes the network, long after anaconda"))
    if description.vlans:
        why.append(("interfaces", "anaconda knows no VLAN over a bridge"))
    if description.search_domains:
        why.append(("name_servers_search", "anaconda takes none for a bridge"))
    for bridge in description.bridges:
        why += _unsaid_of(bridge)
    return why


def _unsaid_of(bridge: Bridge) -> Why:
    why: Why = []
    if not bridge.ports or not all(isinstance(port, Nic) for port in bridge.ports):
        why.append((keys.PORT.name, "anaconda knows no bridge but over NICs"))
    names = [port.choice.name for port in bridge.ports if isinstance(port, Nic)]
    if bridge.name in names:
        why.append((keys.BRIDGE.name, "anaconda gives no port another name"))
    if "keep" in (bridge.ipv4.method, bridge.ipv6.method):
        why.append((keys.IPV4.name, "there is nothing to keep before the installation"))
    if bridge.mac not in ("port", "none"):
        why.append((keys.MAC.name, "anaconda takes none for a bridge"))
    for ip, field in ((bridge.ipv4, "static_routes"), (bridge.ipv6, "ipv6_static_routes")):
        if ip.routes:
            why.append((field, "anaconda takes none"))
        if ip.others:
            why.append(("interfaces", "anaconda takes one address of a version"))
    for name, _ in bridge.options:
        if name not in _OPTIONS:
            why.append((keys.OPTIONS.name, "anaconda takes no %s" % name))
    return why


def _command(description: Description, bridge: Bridge) -> Text:
    ports: List[Word] = []
    for port in bridge.ports:
        ports += [",", names_now(port)[0]]
    stp = "yes" if bridge.stp else "no"
    options = ["stp=%s" % stp, "forward-delay=%d" % bridge.forward_delay]
    options += ["%s=%d" % (name.replace("_", "-"), value) for name, value in bridge.options]
    words = [" --bridgeopts=%s" % ",".join(options), " --onboot=yes", " --activate"]
    words += [" " + word for word in _ipv4(bridge) + _ipv6(bridge)]
    if bridge.mtu is not None:
        words.append(" --mtu=%d" % bridge.mtu)
    if description.name_servers:
        words.append(" --nameserver=%s" % ",".join(description.name_servers))
    start = "network --device=%s --bridgeslaves=" % bridge.name
    return (start, *ports[1:], "".join(words))


def _ipv4(bridge: Bridge) -> List[str]:
    ipv4 = bridge.ipv4
    if ipv4.address is None:
        return ["--bootproto=dhcp"] if ipv4.method == "dhcp" else ["--noipv4"]
    words = ["--bootproto=static", "--ip=%s" % ipv4.address.ip]
    words.append("--netmask=%s" % ipv4.address.netmask)
    return words + ([] if ipv4.gateway is None else ["--gateway=%s" % ipv4.gateway])


def _ipv6(bridge: Bridge) -> List[str]:
    ipv6 = bridge.ipv6
    if ipv6.address is None:
        return ["--noipv6"] if ipv6.method == "none" else ["--ipv6=%s" % ipv6.method]
    words = ["--ipv6=%s" % ipv6.address]
    return words + ([] if ipv6.gateway is None else ["--ipv6gateway=%s" % ipv6.gateway])
