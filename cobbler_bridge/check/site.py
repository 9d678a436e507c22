"""What the checks look at: the inventory, the settings, and the machine where that is Cobbler's."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from cobbler_bridge.description.describe import wants_bridge
from cobbler_bridge.placement.placer import Blend
from cobbler_bridge.placement.which_bridge import Placement, is_to_have_bridge
from cobbler_bridge.plan.plan import Plan
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.problem import Problem
from cobbler_bridge.store.inventory import Profile, System


class Installed(NamedTuple):
    """A file of the pack. ``wrong`` says what is wrong with it, ``""`` where it is as it should be;
    ``since`` is when it was written, in seconds since 1970."""

    path: str
    wrong: str
    since: float


class Machine(NamedTuple):
    """The Cobbler server's own files.

    ``started`` is when cobblerd was, in seconds since 1970, ``None`` where it isn't found.
    """

    files: Sequence[Installed]
    started: Optional[float]


class Planned(NamedTuple):
    """What a host or profile is to have, or why it can't."""

    plan: Optional[Plan]
    problems: List[Problem]


class Site(NamedTuple):
    """Everything that is looked at, once.

    ``rendered`` are the install files of what is ``planned``, as Cobbler renders them.

    ``now`` is in seconds since 1970; ``imports_need_leave`` says whether this Cobbler has a setting
    that must list what the snippets import. ``damaged`` names systems of which nobody can read what
    is remembered; ``moved`` says that what version 0.1 noted among variables counts no more.
    ``is_part`` says that there are more systems.
    """

    systems: Mapping[str, System]
    profiles: Mapping[str, Profile]
    settings: Mapping[str, Any]
    placements: Mapping[str, Placement]
    planned: Mapping[Tuple[str, str], Planned]
    rendered: Mapping[Tuple[str, str], str]
    machine: Optional[Machine]
    now: float
    imports_need_leave: bool = True
    damaged: Sequence[str] = ()
    moved: bool = False
    is_part: bool = False

    @property
    def default(self) -> str:
        """The setting default_virt_bridge."""
        return str(self.settings.get("default_virt_bridge") or "")

    @property
    def items(self) -> List[Union[System, Profile]]:
        """The systems and the profiles."""
        return [*self.systems.values(), *self.profiles.values()]

    @property
    def guests(self) -> List[System]:
        """The systems that name a host."""
        return [system for system in self.systems.values() if system.host is not None]


def plan_all(
    systems: Mapping[str, System], profiles: Mapping[str, Profile], blend: Blend
) -> Dict[Tuple[str, str], Planned]:
    """What everything that asks for a bridge is to have, by its kind and its name."""
    wanted = [("profile", each.name) for each in profiles.values() if wants_bridge(each.meta)]
    wanted += [("system", each.name) for each in systems.values() if is_to_have_bridge(each)]
    found = {}
    for kind, name in wanted:
        data = blend(kind, name)
        plan, problems = (None, []) if data is None else make_plan(data)
        # a variable may stand in the place of its name
        found[kind, name] = Planned(plan, [each._replace(subject=name) for each in problems])
    return found
