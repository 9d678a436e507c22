"""What is wrong with guests: where they are placed, and what Koan makes of their interfaces."""

import difflib
import functools
import re
from typing import Dict, Iterator, Optional, Tuple

from cobbler_bridge import findings
from cobbler_bridge.check.site import Site
from cobbler_bridge.description import keys, values
from cobbler_bridge.description.blended_data import Reader
from cobbler_bridge.description.network import CARD_NAMES
from cobbler_bridge.findings import Kind
from cobbler_bridge.placement import which_bridge
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.store.inventory import INHERITED, Interface, System

# libvirt's own, behind NAT: a guest gets out, and nobody gets to it
_BEHIND_NAT = re.compile(r"virbr[0-9]+\Z")
_NIC_NAME = re.compile(r"(p?(%s)|bond[0-9]+)(\.[0-9]+)?\Z" % CARD_NAMES)
_PLACE = "run cobbler-bridge place"
# bridge_hots is, bridge_ports and bridge_hostname are not
_LIKE = 0.85


def placements(site: Site) -> Iterator[Problem]:
    """Guests that have no place, or another than their host gives them."""
    for guest in site.guests:
        host = site.systems.get(guest.host or "")
        found = site.placements[guest.name]
        yield from found.problems
        if host is None or host.record is None or which_bridge.unbridged(host) or found.problems:
            continue
        stored = {each.name: each for each in guest.interfaces}
        for choice in found.choices:
            if choice.bridge != choice.now:
                wrong, kind = _misplaced(choice.now, site.default)
                right = "it can be %s: %s" % (choice.bridge, _PLACE)
                yield Problem(guest.name, _field(choice.interface), wrong, right, kind)
            elif choice.interface not in guest.placed:
                problem = _by_hand(guest, stored[choice.interface], host)
                if problem is not None:
                    yield problem


def _misplaced(now: str, default: str) -> Tuple[str, Kind]:
    if now == INHERITED:
        wrong = "is %s, which Koan would pass on as it stands" % INHERITED
    elif which_bridge.is_unset(now, default):
        wrong = "is not set" if not now else "is Cobbler's own default, %s" % shown(now)
    else:
        wrong = "is %s, which was placed and does not fit any more" % shown(now)
        return wrong, findings.PLACED_BEFORE
    return wrong, findings.UNPLACED


def _by_hand(guest: System, interface: Interface, host: System) -> Optional[Problem]:
    """What is wrong with a value that somebody set by hand."""
    bridges = () if host.record is None else host.record.bridges
    bridge, field = interface.virt_bridge, _field(interface.name)
    if bridge in bridges or _is_no_name(bridge):
        return None
    right = "it can be %s; or set it to %s to have it chosen" % (" or ".join(bridges), INHERITED)
    kind = findings.NO_BRIDGE
    if _BEHIND_NAT.match(bridge):
        wrong = "%s is libvirt's own network behind NAT: nobody can reach the guest" % shown(bridge)
        kind = findings.BEHIND_NAT
    elif bridge in {each.name for each in host.interfaces} or _NIC_NAME.match(bridge):
        wrong = "%s is a network card of %s, and no bridge" % (shown(bridge), shown(host.name))
        kind = findings.NETWORK_CARD
    elif host.record is not None and bridge in host.record.before:
        wrong = "%s has no bridge %s any more" % (shown(host.name), shown(bridge))
    else:
        wrong = "%s has no bridge %s" % (shown(host.name), shown(bridge))
    return Problem(guest.name, field, wrong, right, kind)


def variables(site: Site) -> Iterator[Problem]:
    """What was to name a host and names none, on whatever it was written."""
    written = [("system", each.name, each.own_meta) for each in site.systems.values()]
    written += [("profile", each.name, each.meta) for each in site.profiles.values()]
    for kind, name, meta in written:
        reader = Reader({"name": name, **meta})
        if not isinstance(meta.get(keys.HOST.name, ""), str):
            reader.get(keys.HOST)
        yield from (found._replace(kind=findings.UNREADABLE_HOST) for found in reader.problems)
        if (kind, name) not in site.planned:
            # on a host each unknown variable is a problem already
            for each in meta:
                if each not in keys.NAMES and each[:1] != "!" and _is_meant(each):
                    right = "did you mean %s?" % keys.HOST.name
                    wrong = "is no variable of cobbler-bridge"
                    yield Problem(name, each, wrong, right, findings.MISSPELT_HOST)


@functools.lru_cache(maxsize=None)
def _is_meant(variable: str) -> bool:
    """Whether a name is bridge_host, but for a letter or two."""
    if len(variable) > 2 * len(keys.HOST.name):
        return False
    letters, meant = (re.sub("[^a-z]", "", each.lower()) for each in (variable, keys.HOST.name))
    matcher = difflib.SequenceMatcher(None, letters, meant)
    # which looks at no letter of a name that is far too long
    return matcher.real_quick_ratio() > _LIKE and matcher.ratio() > _LIKE


def interfaces(site: Site) -> Iterator[Problem]:
    """Interfaces of which Koan makes more NICs, or others, than somebody wanted."""
    for guest in site.guests:
        nics = which_bridge.nics(guest)
        if not nics:
            wrong = "there is none, and Koan makes a NIC on the virt_bridge of its profile"
            right = "add one, with its MAC address"
            yield Problem(guest.name, "interfaces", wrong, right, findings.NO_INTERFACE)
        # what "cobbler system add" without --interface leaves
        if len(nics) > 1 and any(each.name == "default" and not each.mac for each in nics):
            wrong = "has no MAC address, and Koan makes a NIC of it beside the others"
            right = "take it away with --interface=default --delete-interface"
            yield Problem(guest.name, "interface default", wrong, right, findings.STRAY_INTERFACE)
        for each in nics:
            if each.kind == "bmc":
                wrong = "is a management card, and Koan makes a NIC of it"
                right = "a guest has none: take it away"
                field = "interface_type of %s" % each.name
                yield Problem(guest.name, field, wrong, right, findings.MANAGEMENT_CARD)
        yield from _twice(guest)


def _twice(guest: System) -> Iterator[Problem]:
    """Interfaces with one MAC address, of which Koan makes several NICs."""
    owners: Dict[str, str] = {}
    for each in which_bridge.nics(guest):
        mac = each.mac.lower()
        if mac and mac != "random":
            first = owners.setdefault(mac, each.name)
            if first != each.name:
                wrong = "is that of %s too, and Koan makes two NICs of them" % first
                right = "a name like %s.20 or %s:1 is no NIC of its own" % (first, first)
                field = "mac_address of %s" % each.name
                yield Problem(guest.name, field, wrong, right, findings.MAC_TWICE)


def names(site: Site) -> Iterator[Problem]:
    """Values that Koan would hand to virt-install as something else than a name."""
    for system in site.systems.values():
        for each in which_bridge.nics(system):
            if _is_no_name(each.virt_bridge):
                yield _no_name(system.name, _field(each.name), each.virt_bridge)
    for profile in site.profiles.values():
        # none: a guest without a network, which only a profile can have
        if profile.virt_bridge != "none" and _is_no_name(profile.virt_bridge):
            yield _no_name(profile.name, "virt_bridge", profile.virt_bridge)


def _is_no_name(bridge: str) -> bool:
    return bridge not in ("", INHERITED) and _reason(bridge) is not None


def _reason(bridge: str) -> Optional[str]:
    try:
        values.device_name(bridge)
    except ValueError as error:
        return str(error)
    return None


def _no_name(subject: str, field: str, bridge: str) -> Problem:
    wrong = "%s %s: Koan would pass it on as it stands" % (shown(bridge), _reason(bridge))
    return Problem(subject, field, wrong, "the name of a bridge", findings.NO_NAME)


def _field(interface: str) -> str:
    return "virt_bridge of %s" % interface
