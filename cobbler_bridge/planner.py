"""Makes a plan: description, target, backend and firewall put together. Pure."""

from typing import Any, List, Mapping, Optional, Set, Tuple

from cobbler_bridge import keys
from cobbler_bridge.backends import BACKENDS
from cobbler_bridge.description import Bridge, Description, describe, subject_of
from cobbler_bridge.firewalls import FIREWALLS
from cobbler_bridge.plan import Call, Parts, Plan, Step
from cobbler_bridge.problem import Problem, shown
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
    for bridge in description.bridges:
        steps += _find_ports(bridge)
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


def _find_ports(bridge: Bridge) -> Tuple[Step, ...]:
    steps: List[Step] = [Call("bridge", (bridge.name,), "the bridge is %s" % bridge.name)]
    for number, choice in enumerate(bridge.ports, 1):
        recorded = bridge.port_macs[number - 1]
        if choice.mac is not None:
            how, who = ("mac", choice.mac), "the NIC with the address " + choice.mac
        elif choice.name is not None:
            how, who = ("name", choice.name), "the NIC " + choice.name
        elif recorded is not None:
            how, who = ("auto", recorded), "the NIC that Cobbler knows, " + recorded
        else:
            how, who = ("auto", ""), "the NIC that the machine was installed through"
        arguments = (str(number),) + tuple(word for word in how if word)
        steps.append(Call("port", arguments, "port %d is %s" % (number, who)))
    return tuple(steps)
