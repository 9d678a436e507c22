"""What is to be written on one machine: files, and calls of the fixed shell helpers.

A plan is pure data. What only the machine knows (which NIC, its MAC address) stands in it as a
``Fact``; ``shell`` turns facts into shell variables that the helpers set.
"""

import re
from typing import Callable, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from cobbler_bridge.description import Description
from cobbler_bridge.network import Bond, Bridge, Device, Master, Nic, Vlan
from cobbler_bridge.problem import Problem
from cobbler_bridge.target import Target
from cobbler_bridge.values import NAME_CHARACTERS


class Fact(NamedTuple):
    """Something that only the machine knows.

    ``name`` is the shell variable that has it, ``shown`` what a reader of the plan sees.
    """

    name: str
    shown: str


Word = Union[str, Fact]
Text = Tuple[Word, ...]
Setting = Tuple[str, Union[Word, Text]]


class File(NamedTuple):
    """A file to be written whole. ``mode`` is its permission bits.

    ``does`` says what it is for, where a reader of the plan is not shown the content.
    """

    path: Text
    mode: int
    content: Text
    does: str = ""


class Call(NamedTuple):
    """A call of a helper in ``runtime/``; ``does`` says what it does for a reader of the plan."""

    helper: str
    arguments: Tuple[Word, ...]
    does: str


Step = Union[File, Call]


class Branch(NamedTuple):
    """What is done on one kind of machine.

    ``release`` is a pattern of the shell's ``case``, ``name`` the same for a reader of the plan.
    """

    release: str
    name: str
    steps: Tuple[Step, ...]


class Either(NamedTuple):
    """What only the machine can decide by its release; on others the network stays as it is."""

    branches: Tuple[Branch, ...]


# What a plan is made of
Stage = Union[Step, Either]


class Parts(NamedTuple):
    """What a backend, a firewall or a hypervisor adds to a plan.

    ``checks`` are calls that end the script before anything is written; ``helpers`` are the
    files of ``runtime/`` that the steps call.
    """

    helpers: Tuple[str, ...] = ()
    checks: Tuple[Call, ...] = ()
    steps: Tuple[Step, ...] = ()


class Plan(NamedTuple):
    """Everything to be written on one machine, in order, for the bridges described.

    ``unbridged`` says how guests get out where there is none: a value of bridge_xen.
    """

    subject: str
    title: str
    bridges: Tuple[Bridge, ...]
    helpers: Tuple[str, ...]
    steps: Tuple[Stage, ...]
    unbridged: str = ""


class Named(NamedTuple):
    """A device as the files name it, and what it is a port of.

    ``mac`` is the MAC address of the NIC below it, the first one of several.
    """

    device: Device
    name: Word
    mac: Optional[Word]
    master: Optional[Master]


# The kernel's, biosdevname's and systemd's names for Ethernet cards
_NEED = "need"
_NIC_NAME = re.compile(r"(eth[0-9]+|em[0-9]+|en[osxp][a-z0-9]+)\Z")

Writer = Callable[[Description, Target], Tuple[Parts, List[Problem]]]


def assignments(settings: Iterable[Setting]) -> Text:
    """Lines of NAME=VALUE, the form that ifcfg files and keyfiles share."""
    content: List[Word] = []
    known = ""
    for name, value in settings:
        known += name + "="
        # a fact is a tuple too
        for word in (value,) if isinstance(value, (str, Fact)) else value:
            if isinstance(word, str):
                known += word
            else:
                content += [known, word]
                known = ""
        known += "\n"
    return (*content, known)


def flat(steps: Iterable[Stage]) -> Iterator[Tuple[str, Step]]:
    """Every file and call, each with the kind of machine that it is for, if it is not for all."""
    for step in steps:
        if isinstance(step, Either):
            for branch in step.branches:
                yield from ((branch.name, each) for each in branch.steps)
        else:
            yield "", step


def plain(text: Text) -> str:
    """A text as a person reads it, with what the machine fills in by name."""
    return "".join(part.shown if isinstance(part, Fact) else part for part in text)


def named(description: Description) -> Tuple[Named, ...]:
    """Every device with the name that it will have, each behind those that it is made of."""
    bridges = [bridge.name for bridge in description.bridges]
    return tuple(
        Named(device, name_of(device, bridges), mac_of(device), master)
        for device, master in description.devices
    )


def need(tool: str, why: str, package: str) -> Call:
    """The call that ends a script where a program is missing and can't be installed."""
    does = "%s must be there, or is installed: %s" % (tool, why)
    return Call(_NEED, (tool, why, package), does)


def packages(steps: Iterable[Stage]) -> Tuple[str, ...]:
    """What has to be installed on every machine of this plan, each once."""
    needs = (step for step in steps if isinstance(step, Call) and step.helper == _NEED)
    return tuple(dict.fromkeys(str(step.arguments[2]) for step in needs))


def ways_out(description: Description) -> Tuple[Device, ...]:
    """The devices that give a default route of IPv4, first the one that is to be used.

    It is the one of the system's gateway, else the first bridge. Empty where there is only one.
    """
    found = [
        device
        for device, _ in description.devices
        if device.ipv4.method == "dhcp" or device.ipv4.gateway is not None
    ]

    def later(device: Device) -> Tuple[bool, bool]:
        its_own = str(device.ipv4.gateway) == description.gateway
        return not its_own, not isinstance(device, Bridge)

    return tuple(sorted(found, key=later)) if len(found) > 1 else ()


# The metric of the first of several default routes: below NetworkManager's own ones
FIRST_METRIC = 100


def find_nic(nic: Nic, role: str) -> Call:
    """The call that finds a NIC; ``role`` says what it is for."""
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


def name_of(device: Union[Device, str], bridges: Sequence[str]) -> Word:
    """The name that a device will have beside these bridges."""
    if isinstance(device, Nic):
        return _nic_name(device, bridges)
    if not isinstance(device, Vlan):
        return device if isinstance(device, str) else device.name
    parent = name_of(device.parent, bridges)
    if isinstance(parent, Fact):
        return Fact("vlan%d" % device.number, "%s.%d" % (parent.shown, device.tag))
    name = "%s.%d" % (parent, device.tag)
    return name if len(name) <= NAME_CHARACTERS else "vlan%d" % device.tag


def bond_options(bond: Bond, bridges: Sequence[str]) -> Tuple[Tuple[str, Word], ...]:
    """The options of a bond; a port's record named as primary becomes the name it will have."""
    names = {nic.interface: name_of(nic, bridges) for nic in bond.ports}
    return tuple(
        (option, names.get(value, value) if option == "primary" else value)
        for option, value in bond.options
    )


def _nic_name(nic: Nic, bridges: Sequence[str]) -> Word:
    if nic.choice.name is None:
        usual = ["p" + name for name in bridges if _NIC_NAME.match(name)]
        shown = usual[0] if len(usual) == 1 else "$port%d" % nic.number
        return Fact("port%d" % nic.number, shown)
    return "p" + nic.choice.name if nic.choice.name in bridges else nic.choice.name


def may_be_renamed(nic: Nic, bridges: Sequence[str]) -> bool:
    """Whether the machine may call the NIC otherwise than the files do."""
    name = nic.choice.name
    return name is None or name in bridges or (name[0] == "p" and name[1:] in bridges)


def mac_of(device: Union[Device, str]) -> Optional[Word]:
    """The MAC address of the (first) NIC that a device is made of, where there is one."""
    if isinstance(device, Nic):
        return device.choice.mac or Fact("mac%d" % device.number, "$mac%d" % device.number)
    if isinstance(device, (Bond, Bridge)):
        return mac_of(device.ports[0]) if device.ports else None
    return mac_of(device.parent) if isinstance(device, Vlan) else None


def names_now(device: Union[Device, str]) -> Tuple[Word, ...]:
    """The names that the installer may have used for a port: its own, and the NIC's."""
    if isinstance(device, Nic):
        return (Fact("nic%d" % device.number, "$nic%d" % device.number),)
    if isinstance(device, Vlan):
        return (name_of(device, ()), *names_now(device.parent))
    return (device if isinstance(device, str) else device.name,)
