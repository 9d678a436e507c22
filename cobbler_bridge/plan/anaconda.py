"""The bridge in anaconda's own words: ``network`` commands for a kickstart's command section.

The format is defined by pykickstart's documentation of ``network``; ``--bridgeopts`` takes
NetworkManager's names of the options. What it can't say is a problem, and then nothing is said:
the script of ``bridge_setup`` says everything.

The commands come from a %pre section, which finds the NICs; but anaconda of EL 7 (since 7.3) and 8
puts a bond under a bridge only where dracut reads it, in the kickstart itself.
"""

from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from cobbler_bridge.description import keys, values
from cobbler_bridge.description.blended_data import subject_of
from cobbler_bridge.description.describe import Description, describe
from cobbler_bridge.description.network import Bond, Bridge, Nic, Port
from cobbler_bridge.plan.backends import ifcfg
from cobbler_bridge.plan.families import Targets, targets_of
from cobbler_bridge.plan.names import bond_options, names_now
from cobbler_bridge.plan.plan import File, Plan, Text, Word, plain
from cobbler_bridge.plan.planner import find_devices
from cobbler_bridge.plan.target import EL, FEDORA, ByTarget, Target
from cobbler_bridge.problem import Problem

INCLUDED = "/tmp/cobbler-bridge.network"
# what --bridgeopts takes
_OPTIONS = ("ageing_time", "hello_time", "max_age", "priority")


class Knows(NamedTuple):
    """What a release's anaconda knows.

    ``bridges`` says whether it knows any, ``included_bonds`` whether it puts a bond under one that
    an included file names, ``keyfiles`` whether the network that it leaves is in keyfiles, and not
    in ifcfg files.
    """

    bridges: bool = True
    included_bonds: bool = True
    keyfiles: bool = True


# other families have other installers
_KNOWS = ByTarget(
    {
        (EL, 5): Knows(bridges=False),
        (EL, 7): Knows(included_bonds=False, keyfiles=False),
        (EL, 9): Knows(),
        (FEDORA, 33): Knows(),
    }
)
_INSTEAD = "take this snippet out: bridge_setup in %post does it"

Why = List[Tuple[str, str]]


def plan_commands(data: Mapping[str, Any]) -> Tuple[Union[Plan, str, None], List[Problem]]:
    """A plan whose only file is what the kickstart includes, or why anaconda can't be told.

    The commands themselves where they must stand in the kickstart.
    """
    description, problems = describe(data)
    targets, unsupported = targets_of(data)
    problems = problems + ([] if unsupported is None else [unsupported])
    if description is None or problems:
        return None, problems
    subject = subject_of(data)
    why = _unsaid(description, targets)
    problems = [Problem(subject, field, wrong, _INSTEAD) for field, wrong in why]
    target = targets.candidates[0].target
    known = _KNOWS.row(target)
    if known is not None and known.bridges and not known.keyfiles:
        problems += ifcfg.lost_without_stp(description, target)
    if problems:
        return None, problems
    bridges = tuple(map(_with_ports_left, description.bridges))
    left = description._replace(bridges=bridges)
    written = _must_stand(description, target)
    content: Text = ()
    for bridge in left.bridges:
        for bond in bridge.ports:
            if isinstance(bond, Bond):
                content += (*_bond(left, bond, written), "\n")
        content += (*_command(left, bridge, written), "\n")
    if written:
        return plain(content), []
    names = " and ".join(bridge.name for bridge in left.bridges)
    steps = (*find_devices(left), File((INCLUDED,), 0o644, content))
    return Plan(subject, "network of %s" % names, left.bridges, steps), []


def _with_ports_left(bridge: Bridge) -> Bridge:
    """The NICs keep their names: anaconda renames none."""
    ports: List[Port] = []
    for port in bridge.ports:
        if isinstance(port, Bond):
            nics = tuple(nic._replace(left=True) for nic in port.ports)
            ports.append(port._replace(ports=nics))
        elif isinstance(port, Nic):
            ports.append(port._replace(left=True))
    return bridge._replace(ports=tuple(ports))


def _must_stand(description: Description, target: Target) -> bool:
    """Whether anaconda would not understand the commands in a file that it includes."""
    known = _KNOWS.row(target)
    if known is None or known.included_bonds:
        return False
    return any(isinstance(port, Bond) for each in description.bridges for port in each.ports)


def _nics(bridge: Bridge) -> List[Nic]:
    found: List[Nic] = []
    for port in bridge.ports:
        found += port.ports if isinstance(port, Bond) else [port] if isinstance(port, Nic) else []
    return found


def _unsaid(description: Description, targets: Targets) -> Why:
    """What can't be said in ``network`` commands."""
    why: Why = []
    target = targets.candidates[0].target
    known = _KNOWS.row(target)
    if known is not None and targets.asked:
        why.append(("os_version", "doesn't tell whether the release's anaconda knows bridges"))
    elif known is None:
        why.append(("os_version", "%s is not installed by anaconda" % target.name))
    elif not known.bridges:
        why.append(("os_version", "anaconda of %s knows no bridges" % target.name))
    if description.xen.makes_network:
        why.append((keys.XEN.name, "xend makes the network, long after anaconda"))
    if description.vlans:
        why.append(("interfaces", "anaconda knows no VLAN over a bridge"))
    if description.search_domains:
        why.append(("name_servers_search", "anaconda takes none for a bridge"))
    for bridge in description.bridges:
        why += _unsaid_of(bridge)
    nics = [nic for bridge in description.bridges for nic in _nics(bridge)]
    if _must_stand(description, target) and not all(map(_name, nics)):
        wrong = "anaconda of %s puts a bond under a bridge only where each NIC's name is known"
        why.append((keys.PORT.name, wrong % target.name))
    return why


def _unsaid_of(bridge: Bridge) -> Why:
    why: Why = []
    if not bridge.ports or not all(isinstance(port, (Nic, Bond)) for port in bridge.ports):
        why.append((keys.PORT.name, "anaconda knows no bridge but over NICs and bonds"))
    if bridge.name in [nic.choice.name for nic in _nics(bridge)]:
        why.append((keys.BRIDGE.name, "anaconda gives no port another name"))
    own_mac = bridge.mac not in ("port", "none")
    for key, wanted in ((keys.MAC, own_mac), (keys.ZONE, bridge.zone is not None)):
        if wanted:
            why.append((key.name, "anaconda takes none for a bridge"))
    for name, _ in bridge.options:
        if name not in _OPTIONS:
            why.append((keys.OPTIONS.name, "anaconda takes no %s" % name))
    return why + _unsaid_addresses(bridge)


def _unsaid_addresses(bridge: Bridge) -> Why:
    why: Why = []
    versions = ((keys.IPV4, bridge.ipv4, ""), (keys.IPV6, bridge.ipv6, "ipv6_"))
    for key, ip, prefix in versions:
        if ip.method == "keep":
            why.append((key.name, "there is nothing to keep before the installation"))
        if ip.routes:
            why.append((prefix + "static_routes of %s" % bridge.name, "anaconda takes none"))
        if ip.others:
            wrong = "anaconda takes one address of a version for %s" % bridge.name
            why.append(("interfaces", wrong))
    return why


def _name(nic: Nic) -> Optional[str]:
    """What the record, or the variable, says that the machine calls a NIC."""
    try:
        return values.device_name(nic.choice.name or nic.interface or "")
    except ValueError:
        # the record goes by its MAC address, and may have any name
        return None


def _listed(ports: Sequence[Port], written: bool) -> List[Word]:
    """The names of ports with commas between; where they are ``written``, nothing is looked up."""
    words: List[Word] = []
    for port in ports:
        known = _name(port) if written and isinstance(port, Nic) else None
        words += [",", known or names_now(port)[0]]
    return words[1:]


def _bond(description: Description, bond: Bond, written: bool) -> Text:
    options = bond.options if written else bond_options(bond, description.bridge_names)
    # a comma may stand in a value
    between = ";" if any("," in value for _, value in bond.options) else ","
    words: List[Word] = [" --bondopts="]
    for number, (name, value) in enumerate(options):
        words += [between * bool(number) + name + "=", value]
    words.append(" --onboot=yes --activate --noipv4 --noipv6")
    if bond.mtu is not None:
        words.append(" --mtu=%d" % bond.mtu)
    return ("network --device=%s --bondslaves=" % bond.name, *_listed(bond.ports, written), *words)


def _command(description: Description, bridge: Bridge, written: bool) -> Text:
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
    return (start, *_listed(bridge.ports, written), "".join(words))


def _ipv4(bridge: Bridge) -> List[str]:
    ipv4 = bridge.ipv4
    if ipv4.address is None:
        return ["--bootproto=dhcp"] if ipv4.leased else ["--noipv4"]
    words = ["--bootproto=static", "--ip=%s" % ipv4.address.ip]
    words.append("--netmask=%s" % ipv4.address.netmask)
    return words + ([] if ipv4.gateway is None else ["--gateway=%s" % ipv4.gateway])


def _ipv6(bridge: Bridge) -> List[str]:
    ipv6 = bridge.ipv6
    if ipv6.address is None:
        return ["--noipv6"] if ipv6.method == "none" else ["--ipv6=%s" % ipv6.method]
    words = ["--ipv6=%s" % ipv6.address]
    return words + ([] if ipv6.gateway is None else ["--ipv6gateway=%s" % ipv6.gateway])
