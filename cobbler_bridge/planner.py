"""Makes a plan: description, target, backend and firewall put together. Pure."""

from typing import Any, List, Mapping, Optional, Set, Tuple

from cobbler_bridge import keys
from cobbler_bridge.backends import BACKENDS
from cobbler_bridge.description import Description, describe
from cobbler_bridge.firewalls import FIREWALLS
from cobbler_bridge.network import Bond, Nic, Vlan
from cobbler_bridge.plan import Call, Named, Parts, Plan, Step, name_of, named, plain
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.reader import subject_of
from cobbler_bridge.target import Target, target_of


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
    backend = target.backends[0] if description.backend == "auto" else description.backend
    if backend not in target.backends:
        wrong = "%s is not what %s reads" % (shown(backend), target.name)
        right = "it can be " + " or ".join(("auto",) + target.backends)
        return None, [Problem(description.subject, keys.BACKEND.name, wrong, right)]
    written = [
        BACKENDS[backend](description, target),
        FIREWALLS[description.firewall](description, target),
    ]
    parts: List[Parts] = [part for part, _ in written]
    problems: List[Problem] = sum((found for _, found in written), [])
    if problems:
        return None, problems
    names = " and ".join(bridge.name for bridge in description.bridges)
    steps: Tuple[Step, ...] = sum((part.checks for part in parts), ())
    steps += _find_devices(description)
    steps += sum((part.steps for part in parts), ())
    return (
        Plan(
            subject=description.subject,
            title="bridge %s on %s (%s)" % (names, target.name, backend),
            bridges=description.bridges,
            helpers=("common",) + sum((part.helpers for part in parts), ()),
            steps=steps,
        ),
        [],
    )


def _find_devices(description: Description) -> Tuple[Step, ...]:
    """Calls that find every NIC, and that say which devices are ours from now on."""
    bridges = [bridge.name for bridge in description.bridges]
    does = "the bridge is %s" % " and ".join(bridges)
    steps: List[Step] = [Call("bridges", tuple(bridges), does)]
    for each in named(description):
        device, name = each.device, each.name
        if isinstance(device, Nic):
            steps.append(_find_nic(device, _role(each)))
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


def _find_nic(nic: Nic, role: str) -> Step:
    choice = nic.choice
    if choice.mac is not None:
        how, who = ("mac", choice.mac), "the NIC with the address " + choice.mac
    elif choice.name is not None:
        how, who = ("name", choice.name), "the NIC " + choice.name
    elif nic.mac is not None:
        how, who = ("auto", nic.mac), "the NIC that Cobbler knows, " + nic.mac
    else:
        how, who = ("auto", ""), "the NIC that the machine was installed through"
    arguments = (str(nic.number), role, *(word for word in how if word))
    return Call("nic_left" if nic.left else "nic", arguments, "%s is %s" % (role, who))
