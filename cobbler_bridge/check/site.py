"""What the checks look at: the inventory, the settings, and the machine where that is Cobbler's."""

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from cobbler_bridge.description import wants_bridge
from cobbler_bridge.guests import Blend
from cobbler_bridge.inventory import Profile, System
from cobbler_bridge.placement import Placement
from cobbler_bridge.plan import Plan
from cobbler_bridge.planner import make_plan
from cobbler_bridge.problem import Problem


class Installed(NamedTuple):
    """A file of the pack. ``wrong`` says what is wrong with it, ``""`` where it is as it should be;
    ``since`` is when it was written, in seconds since 1970."""

    path: str
    wrong: str
    since: float


class Machine(NamedTuple):
    """The Cobbler server's own files.

    ``text`` gives a file below the setting that holds its folder, ``None`` where there is none;
    ``started`` is when cobblerd was, in seconds since 1970, ``None`` where it isn't found.
    """

    text: Callable[[str, str], Optional[str]]
    files: Sequence[Installed]
    started: Optional[float]


class Planned(NamedTuple):
    """What a host or profile is to have, or why it can't."""

    plan: Optional[Plan]
    problems: List[Problem]


class Site(NamedTuple):
    """Everything that is looked at, once.

    ``now`` is in seconds since 1970; ``imports_need_leave`` says whether this Cobbler has a setting
    that must list what the snippets import.
    """

    systems: Mapping[str, System]
    profiles: Mapping[str, Profile]
    settings: Mapping[str, Any]
    placements: Mapping[str, Placement]
    planned: Mapping[Tuple[str, str], Planned]
    machine: Optional[Machine]
    now: float
    imports_need_leave: bool = True

    @property
    def default(self) -> str:
        """The setting default_virt_bridge."""
        return str(self.settings.get("default_virt_bridge") or "")

    @property
    def guests(self) -> List[System]:
        """The systems that name a host."""
        return [system for system in self.systems.values() if system.host is not None]


def plan_all(
    systems: Mapping[str, System], profiles: Mapping[str, Profile], blend: Blend
) -> Dict[Tuple[str, str], Planned]:
    """What everything that asks for a bridge is to have, by its kind and its name."""
    wanted = [("profile", each.name) for each in profiles.values() if wants_bridge(each.meta)]
    wanted += [("system", each.name) for each in systems.values() if _wants(each)]
    found = {}
    for kind, name in wanted:
        found[kind, name] = Planned(*make_plan(blend(kind, name) or {}))
    return found


def _wants(system: System) -> bool:
    records = {each.name: {"interface_type": each.kind} for each in system.interfaces}
    return wants_bridge({**system.meta, "interfaces": records})
