"""Makes a plan: description, target, backend, hypervisors and firewall put together. Pure."""

from typing import Any, List, Mapping, Optional, Set, Tuple

from cobbler_bridge import firstboot, keys, koan
from cobbler_bridge.backends import BACKENDS
from cobbler_bridge.description import Description, describe
from cobbler_bridge.firewalls import FIREWALLS
from cobbler_bridge.hypervisors import HYPERVISORS
from cobbler_bridge.network import Bond, Nic, Vlan
from cobbler_bridge.plan import (
    Branch,
    Call,
    Either,
    Named,
    Parts,
    Plan,
    Stage,
    Step,
    find_nic,
    name_of,
    named,
    plain,
)
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.reader import subject_of
from cobbler_bridge.target import ON_THE_MACHINE, UNKNOWN, Target, target_of


def make_plan(data: Mapping[str, Any]) -> Tuple[Optional[Plan], List[Problem]]:
    """Blended data to a plan, or ``None`` and every problem that stands in the way."""
    description, problems = describe(data)
    target, unsupported = target_of(data)
    problems = problems + ([] if unsupported is None else [unsupported])
    problems += _unsupported(data, keys.BACKEND, set(BACKENDS))
    if description is None or target is None or problems:
        return None, problems
    return _plan(description, target)


def _unsupported(data: Mapping[str, Any], key: "keys.Key[str]", names: Set[str]) -> List[Problem]:
    """A format that is known by name, and that nothing here writes yet."""
    name = data.get(key.name)
    if not isinstance(name, str) or name in names | {"auto"}:
        return []
    try:
        key.parse(name)
    except ValueError:
        # said with the description
        return []
    right = "it can be " + " or ".join(sorted(names | {"auto"}))
    return [Problem(subject_of(data), key.name, "%s is not supported yet" % shown(name), right)]


def _plan(description: Description, target: Target) -> Tuple[Optional[Plan], List[Problem]]:
    unbridged = description.xen.unbridged
    what = unbridged or "bridge " + " and ".join(bridge.name for bridge in description.bridges)
    steps: Tuple[Stage, ...]
    if target is UNKNOWN:
        helpers, steps, problems = _either(description)
        title = what
    else:
        parts, problems = _parts(description, target)
        helpers = parts.helpers
        steps = (*parts.checks, *_begin(description), *parts.steps)
        by = "xend" if description.xen.makes_network else _backend(description, target)
        title = "%s on %s (%s)" % (what, target.name, by)
    if problems:
        return None, problems
    helpers = tuple(dict.fromkeys(("common", *helpers)))
    return Plan(description.subject, title, description.bridges, helpers, steps, unbridged), []


def _backend(description: Description, target: Target) -> str:
    return target.backends[0] if description.backend == "auto" else description.backend


def _parts(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """What the backend, the hypervisors and the firewall add on a target."""
    backend = _backend(description, target)
    if backend not in target.backends:
        wrong = "%s is not what %s reads" % (shown(backend), target.name)
        right = "it can be " + " or ".join(("auto",) + target.backends)
        return Parts(), [Problem(description.subject, keys.BACKEND.name, wrong, right)]
    writers = [] if description.xen.makes_network else [firstboot.write, BACKENDS[backend]]
    writers += HYPERVISORS
    if description.bridges:
        writers += [FIREWALLS[description.firewall], koan.write]
    written = [writer(description, target) for writer in writers]
    parts = Parts(
        helpers=sum((part.helpers for part, _ in written), ()),
        checks=sum((part.checks for part, _ in written), ()),
        steps=sum((part.steps for part, _ in written), ()),
    )
    return parts, sum((found for _, found in written), [])


def _either(description: Description) -> Tuple[Tuple[str, ...], Tuple[Stage, ...], List[Problem]]:
    """A branch for each release; where one can't have what is asked for, it says so there.

    Returns the helpers, the steps, and the problems if there are some everywhere.
    """
    helpers: Tuple[str, ...] = ("release",)
    branches: List[Branch] = []
    problems: List[Problem] = []
    for release, target in ON_THE_MACHINE:
        parts, found = _parts(description, target)
        problems += found
        if found:
            why = tuple(Call("leave_alone", (str(each),), str(each)) for each in found[:1])
            branches.append(Branch(release, target.name, why))
            continue
        helpers += parts.helpers
        branches.append(Branch(release, target.name, parts.checks + parts.steps))
    everywhere = len(helpers) == 1
    decide = Call("release", (), "the release is what /etc/os-release or /etc/redhat-release says")
    steps = (decide, *_begin(description), Either(tuple(branches)))
    return helpers, steps, problems if everywhere else []


def _begin(description: Description) -> Tuple[Step, ...]:
    """What is the same on every target.

    Where xend makes the network, the hypervisor's part finds its NICs, and when it does is xend's
    own business.
    """
    if description.xen.makes_network:
        return ()
    # the check is in place first: from then on the next boot knows what to do
    return (*find_devices(description), *firstboot.check(description))


def find_devices(description: Description) -> Tuple[Step, ...]:
    """Calls that find every NIC, and that say which devices are ours from now on."""
    bridges = [bridge.name for bridge in description.bridges]
    does = "the bridge is %s" % " and ".join(bridges)
    steps: List[Step] = [Call("bridges", tuple(bridges), does)]
    for each in named(description):
        device, name = each.device, each.name
        if isinstance(device, Nic):
            steps.append(find_nic(device, _role(each)))
        elif isinstance(device, Vlan):
            parent = name_of(device.parent, bridges)
            words = (str(device.number), parent, str(device.tag))
            steps.append(Call("vlan", words, "VLAN %d is %s" % (device.tag, plain((name,)))))
        elif isinstance(device, Bond):
            steps.append(Call("own", (device.name,), "the bond is %s" % device.name))
    return tuple(steps)


def _role(each: Named) -> str:
    """What a NIC is for: port 1 of br0."""
    if each.master is None:
        return "the NIC of a VLAN"
    return "port %d of %s" % (each.master.ports.index(each.device) + 1, each.master.name)
