"""Gathers what the checks look at, from Cobbler and from its machine."""

import time
from typing import Any, Dict, Mapping, Optional, Tuple

from cobbler_bridge import typed
from cobbler_bridge.check import server
from cobbler_bridge.check.site import Planned, Site, plan_all
from cobbler_bridge.check.wanted import EVERYTHING, Wanted
from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import relevant
from cobbler_bridge.placement.placer import Blend, Placer
from cobbler_bridge.placement.which_bridge import Placement
from cobbler_bridge.problem import Problem
from cobbler_bridge.store.inventory import System
from cobbler_bridge.store.over_xmlrpc import ItemError, XmlRpc


def gather(store: XmlRpc, here: bool, wanted: Wanted = EVERYTHING) -> Site:
    """What is looked at: all of it, or at least what is wanted; ``here`` says that Cobbler's files
    are on this machine."""
    names = () if wanted.profiles else (*wanted.names, *wanted.hosts)
    systems = {system.name: system for system in store.systems(names)}
    profiles = {profile.name: profile for profile in store.profiles()}
    settings = store.settings()
    refused: Dict[Tuple[str, str], Problem] = {}
    blend = _noting(_blend(store, systems), refused)
    placer = Placer(store, systems, blend)
    placements: Dict[str, Placement] = {
        name: placer.look(system) for name, system in systems.items() if system.host is not None
    }
    planned = plan_all(systems, profiles, blend)
    planned.update((item, Planned(None, [problem])) for item, problem in refused.items())
    return Site(
        systems=systems,
        profiles=profiles,
        settings=settings,
        placements=placements,
        planned=planned,
        rendered=_rendered(store, systems, planned),
        machine=server.look() if here else None,
        now=time.time(),
        imports_need_leave=store.imports_need_leave,
        damaged=store.damaged,
        moved=store.moved,
        is_part=store.is_part,
    )


def _rendered(
    store: XmlRpc, systems: Mapping[str, System], planned: Mapping[Tuple[str, str], Planned]
) -> Dict[Tuple[str, str], str]:
    """The install files as Cobbler renders them, once for all systems that differ in nothing but
    names, interfaces and variables of ours: no template has reason to ask for these."""
    known: Dict[str, str] = {}
    found = {}
    for kind, name in planned:
        alike = "profile " + name
        if kind == "system":
            own = systems[name].own_meta
            others = {key: own[key] for key in own if key not in keys.NAMES}
            alike = "%s %s" % (typed.identity(others), store.alike(name))
        try:
            if alike not in known:
                known[alike] = store.rendered(kind, name)
            found[kind, name] = known[alike]
        except ItemError:
            # of which it is said already, or cobbler.log has more
            continue
    return found


def _noting(blend: Blend, refused: Dict[Tuple[str, str], Problem]) -> Blend:
    """The same, where one item that Cobbler itself can't blend keeps no other from its check."""

    def blend_or_note(kind: str, name: str) -> Optional[Dict[str, Any]]:
        try:
            return blend(kind, name)
        except ItemError as error:
            refused[kind, name] = error.problem
            return None

    return blend_or_note


def _blend(store: XmlRpc, systems: Mapping[str, System]) -> Blend:
    """What gives blended data, and asks Cobbler once for all systems that are alike."""
    known: Dict[str, Dict[str, Any]] = {}

    def blend(kind: str, name: str) -> Optional[Dict[str, Any]]:
        if kind != "system":
            return store.blended(kind, name)
        alike = store.alike(name)
        if alike not in known:
            known[alike] = relevant(store.shared(systems[name]))
        return store.with_own(known[alike], systems[name])

    return blend
