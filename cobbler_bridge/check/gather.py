"""Gathers what the checks look at, from Cobbler and from its machine."""

import time
from typing import Any, Dict, Mapping, Optional

from cobbler_bridge import keys
from cobbler_bridge.check import server
from cobbler_bridge.check.site import Site, plan_all
from cobbler_bridge.description import relevant
from cobbler_bridge.guests import Blend, Placer
from cobbler_bridge.inventory import System
from cobbler_bridge.placement import Placement
from cobbler_bridge.store import XmlRpc


def gather(store: XmlRpc, here: bool) -> Site:
    """Everything that is looked at; ``here`` says that Cobbler's files are on this machine."""
    systems = {system.name: system for system in store.systems()}
    profiles = {profile.name: profile for profile in store.profiles()}
    settings = store.settings()
    blend = _blend(store, systems)
    placer = Placer(store, systems, blend)
    placements: Dict[str, Placement] = {
        name: placer.look(system) for name, system in systems.items() if system.host is not None
    }
    return Site(
        systems=systems,
        profiles=profiles,
        settings=settings,
        placements=placements,
        planned=plan_all(systems, profiles, blend),
        machine=server.look(settings) if here else None,
        now=time.time(),
        imports_need_leave=store.imports_need_leave,
    )


def _blend(store: XmlRpc, systems: Mapping[str, System]) -> Blend:
    """What gives blended data, and asks Cobbler once for all systems that are alike."""
    known: Dict[str, Dict[str, Any]] = {}

    def blend(kind: str, name: str) -> Optional[Dict[str, Any]]:
        if kind != "system":
            return store.blended(kind, name)
        alike = store.alike(name)
        if alike not in known:
            data = relevant(store.blended(kind, name) or {})
            # every variable, and what else has this word in it, is a system's own
            known[alike] = {field: data[field] for field in data if keys.BRIDGE.name not in field}
        return store.with_own(known[alike], systems[name])

    return blend
