"""Gathers what the checks look at, from Cobbler and from its machine."""

import time
from typing import Any, Dict, Optional

from cobbler_bridge.check import server
from cobbler_bridge.check.site import Site, plan_all
from cobbler_bridge.guests import Placer
from cobbler_bridge.placement import Placement
from cobbler_bridge.store import XmlRpc


def gather(store: XmlRpc, here: bool) -> Site:
    """Everything that is looked at; ``here`` says that Cobbler's files are on this machine."""
    systems = {system.name: system for system in store.systems()}
    profiles = {profile.name: profile for profile in store.profiles()}
    settings = store.settings()
    placer = Placer(store, systems)
    placements: Dict[str, Placement] = {
        name: placer.look(system) for name, system in systems.items() if system.host is not None
    }

    def blend(kind: str, name: str) -> Optional[Dict[str, Any]]:
        meta = systems[name].meta if kind == "system" else profiles[name].meta
        return store.blended(kind, name, meta)

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
