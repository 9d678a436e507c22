"""Makes a plan: description, target, backend, hypervisors and firewall put together. Pure."""

import itertools
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import Description, describe
from cobbler_bridge.description.network import Bond, Nic, Vlan
from cobbler_bridge.plan import firewalls, first_boot, koan_operator
from cobbler_bridge.plan.backends import BACKENDS
from cobbler_bridge.plan.families import Targets, targets_of
from cobbler_bridge.plan.firewalls import zones
from cobbler_bridge.plan.hypervisors import HYPERVISORS
from cobbler_bridge.plan.names import Named, name_of, named, renamed_nics
from cobbler_bridge.plan.plan import (
    Branch,
    Call,
    Either,
    Parts,
    Plan,
    Stage,
    Step,
    Writer,
    find_nic,
    plain,
)
from cobbler_bridge.plan.target import Candidate, Target
from cobbler_bridge.problem import Problem, shown

_NONE_RENAMED = Call("none_renamed", (), "no NIC has the bridge's name, for nothing renames it")


def make_plan(data: Mapping[str, Any]) -> Tuple[Optional[Plan], List[Problem]]:
    """Blended data to a plan, or ``None`` and every problem that stands in the way."""
    description, problems = describe(data)
    targets, unsupported = targets_of(data)
    problems = problems + ([] if unsupported is None else [unsupported])
    if description is None or problems:
        return None, problems
    return _plan(description, targets)


def _plan(description: Description, targets: Targets) -> Tuple[Optional[Plan], List[Problem]]:
    unbridged, remarks = description.xen.unbridged, description.remarks
    what = unbridged or "bridge " + " and ".join(bridge.name for bridge in description.bridges)
    steps: Tuple[Stage, ...]
    if targets.asked:
        steps, problems = _either(description, targets)
        title = what
    else:
        target = targets.candidates[0].target
        parts, problems = _parts(description, target)
        steps = (*parts.needs, *_begin(description), *parts.steps)
        by = "xend" if description.xen.makes_network else _backend(description, target)
        title = "%s on %s (%s)" % (what, target.name, by)
    if problems:
        return None, problems
    said = tuple(
        Call("say", (str(remark),), "the log says: %s" % str(remark)) for remark in remarks
    )
    steps = (*first_boot.refusal(description), *steps, *said)
    proved = first_boot.is_proved(description)
    bridges = description.bridges
    return Plan(description.subject, title, bridges, steps, unbridged, remarks, proved), []


def _backend(description: Description, target: Target) -> str:
    return target.backends[0] if description.backend == "auto" else description.backend


def _parts(
    description: Description, target: Target, several: bool = False
) -> Tuple[Parts, List[Problem]]:
    """What the backend, the hypervisors and the firewall add on a target, or on each of several."""
    backend = _backend(description, target)
    if backend not in target.backends:
        wrong = "%s is not what %s reads" % (shown(backend), target.name)
        right = "it can be " + " or ".join(("auto",) + target.backends)
        return Parts(), [Problem(description.subject, keys.BACKEND.name, wrong, right)]
    if backend not in BACKENDS:
        wrong = "%s reads %s, which is not supported yet" % (target.name, shown(backend))
        return Parts(), [Problem(description.subject, keys.BACKEND.name, wrong, "another target")]
    network = [] if description.xen.makes_network else [_renaming(BACKENDS[backend])]
    checks = [] if description.xen.makes_network else [first_boot.write]
    # among several what differs most comes first: what is behind it may be the same on all
    writers, more = network + list(HYPERVISORS), checks
    if not several:
        writers, more = checks + writers, []
    if description.bridges:
        more += [firewalls.write, zones.write, koan_operator.write]
    written = [writer(description, target) for writer in writers + more]
    proved = first_boot.is_proved(description)
    effects = () if proved else tuple(each.step for part, _ in written for each in part.effects)
    steps = sum((part.steps for part, _ in written[: len(writers)]), ()) + effects
    steps += sum((part.steps for part, _ in written[len(writers) :]), ())
    parts = Parts(needs=sum((part.needs for part, _ in written), ()), steps=steps)
    return parts, sum((found for _, found in written), [])


def _renaming(backend: Writer) -> Writer:
    """A format that gives no NIC another name: where one would need it, nothing is written."""

    def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
        parts, problems = backend(description, target)
        nics = renamed_nics(description)
        if parts.renames or problems or not nics:
            return parts, problems
        names = description.bridge_names
        if any(nic.choice.name in names for nic in nics):
            wrong = "nothing on %s renames a port that has the bridge's name" % target.name
            problem = Problem(description.subject, keys.BRIDGE.name, wrong, "another name")
            return Parts(), [problem]
        steps = (_NONE_RENAMED, *parts.steps)
        return parts._replace(steps=steps), problems

    return write


def _either(description: Description, targets: Targets) -> Tuple[Tuple[Stage, ...], List[Problem]]:
    """A branch for all that do the same; where one can't have what is asked for, it says so there.

    Returns the steps, and the problems if there are some everywhere.
    """
    possible = False
    alike: Dict[Tuple[Step, ...], List[Candidate]] = {}
    problems: List[Problem] = []
    readers = [
        each
        for each in targets.candidates
        if _backend(description, each.target) in each.target.backends
    ]
    for each in targets.candidates:
        parts, found = _parts(description, each.target, several=True)
        # where some machine reads what was asked for, it is no problem that others don't
        problems += found if each in readers or not readers else []
        why = tuple(Call("leave_alone", (str(problem),), str(problem)) for problem in found[:1])
        possible = possible or not found
        alike.setdefault(why or parts.needs + parts.steps, []).append(each)
    same = _same_end([steps for steps in alike if not _is_refusal(steps)])
    branches = [
        Branch(
            " | ".join(each.pattern for each in those),
            ", ".join(each.target.name for each in those),
            steps if _is_refusal(steps) else steps[: len(steps) - len(same)],
        )
        for steps, those in alike.items()
    ]
    decide = tuple(
        Call(helper, (), "%s finds out what the machine is" % helper) for helper in targets.asked
    )
    steps = (*decide, *_begin(description), Either(tuple(branches)), *same)
    return steps, [] if possible else problems


def _is_refusal(steps: Tuple[Step, ...]) -> bool:
    return len(steps) == 1 and isinstance(steps[0], Call) and steps[0].helper == "leave_alone"


def _same_end(branches: Sequence[Tuple[Step, ...]]) -> Tuple[Step, ...]:
    """The last steps that all of these have: they stand once, behind what differs."""
    turned = zip(*(reversed(steps) for steps in branches))
    alike = itertools.takewhile(lambda steps: len(set(steps)) == 1, turned)
    return tuple(reversed([steps[0] for steps in alike])) if len(branches) > 1 else ()


def _begin(description: Description) -> Tuple[Step, ...]:
    """What is the same on every target.

    Where xend makes the network, the hypervisor's part finds its NICs, and when it does is xend's
    own business.
    """
    if description.xen.makes_network:
        return ()
    # what it must prove is in place first: from then on the next boot knows what to do
    return (*find_devices(description), *first_boot.check(description))


def find_devices(description: Description) -> Tuple[Step, ...]:
    """Calls that find every NIC, and that say which devices are ours from now on."""
    bridges = description.bridge_names
    does = "the bridge is %s" % " and ".join(bridges)
    steps: List[Step] = [Call("bridges", tuple(bridges), does)]
    if description.macs:
        known = "a machine that runs is this one if it has %s" % " or ".join(description.macs)
        steps.append(Call("is_this_host", description.macs, known))
    devices = named(description)
    for each in devices:
        device, name = each.device, each.name
        if isinstance(device, Nic):
            steps.append(find_nic(device, _role(each, devices)))
        elif isinstance(device, Vlan):
            parent = name_of(device.parent, bridges)
            words = (str(device.number), parent, str(device.tag))
            steps.append(Call("vlan", words, "VLAN %d is %s" % (device.tag, plain((name,)))))
        elif isinstance(device, Bond):
            steps.append(Call("own", (device.name, "bond"), "the bond is %s" % device.name))
    return tuple(steps)


def _role(each: Named, devices: Sequence[Named]) -> str:
    """What a NIC is for: port 1 of br0, or the NIC of VLAN 10 below br0."""
    if each.master is None:
        above = [
            "VLAN %d%s" % (vlan.device.tag, " below " + vlan.master.name if vlan.master else "")
            for vlan in devices
            if isinstance(vlan.device, Vlan) and vlan.device.parent == each.device
        ]
        return "the NIC of %s" % " and ".join(above)
    return "port %d of %s" % (each.master.ports.index(each.device) + 1, each.master.name)
