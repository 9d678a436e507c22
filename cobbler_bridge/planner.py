"""Makes a plan: description, target, backend and firewall put together. Pure."""

from typing import Any, List, Mapping, Optional, Tuple

from cobbler_bridge import keys
from cobbler_bridge.backends import BACKENDS
from cobbler_bridge.description import Bridge, Description, describe
from cobbler_bridge.firewalls import FIREWALLS
from cobbler_bridge.plan import Call, Parts, Plan, Step
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.target import Target, target_of


def make_plan(data: Mapping[str, Any]) -> Tuple[Optional[Plan], List[Problem]]:
    """Blended data to a plan, or ``None`` and every problem that stands in the way."""
    description, problems = describe(data)
    target, unsupported = target_of(data)
    if unsupported is not None:
        problems = problems + [unsupported]
    if description is None or target is None:
        return None, problems
    return _plan(description, target)


def _plan(description: Description, target: Target) -> Tuple[Optional[Plan], List[Problem]]:
    backend = target.backends[0] if description.backend == "auto" else description.backend
    problems: List[Problem] = []
    parts: List[Parts] = []
    for key, name, writers in (
        (keys.BACKEND, backend, BACKENDS),
        (keys.FIREWALL, description.firewall, FIREWALLS),
    ):
        if name not in writers:
            wrong = "%s is not supported yet" % shown(name)
            right = "it can be " + " or ".join(sorted({"auto", *writers}))
            problems.append(Problem(description.subject, key.name, wrong, right))
            continue
        if writers is BACKENDS and name not in target.backends:
            wrong = "%s is not what %s reads" % (shown(name), target.name)
            right = "it can be " + " or ".join(("auto",) + target.backends)
            problems.append(Problem(description.subject, key.name, wrong, right))
            continue
        part, found = writers[name](description, target)
        parts.append(part)
        problems.extend(found)
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
