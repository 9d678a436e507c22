"""What is to be written on one machine: files, and calls of the fixed shell helpers.

A plan is pure data. What only the machine knows (which NIC, its MAC address) stands in it as a
``Fact``; ``shell`` turns facts into shell variables that the helpers set.
"""

import re
from typing import Callable, Iterable, List, NamedTuple, Tuple, Union

from cobbler_bridge.description import Bridge, Description
from cobbler_bridge.problem import Problem
from cobbler_bridge.target import Target
from cobbler_bridge.values import PortChoice


class Fact(NamedTuple):
    """Something that only the machine knows.

    ``name`` is the shell variable that has it, ``shown`` what a reader of the plan sees.
    """

    name: str
    shown: str


Word = Union[str, Fact]
Text = Tuple[Word, ...]
Setting = Tuple[str, Word]


class File(NamedTuple):
    """A file to be written whole. ``mode`` is its permission bits."""

    path: Text
    mode: int
    content: Text


class Call(NamedTuple):
    """A call of a helper in ``runtime/``; ``does`` says what it does for a reader of the plan."""

    helper: str
    arguments: Tuple[Word, ...]
    does: str


Step = Union[File, Call]


class Parts(NamedTuple):
    """What a backend or a firewall adds to a plan.

    ``checks`` are calls that end the script before anything is written; ``helpers`` are the
    files of ``runtime/`` that the steps call.
    """

    helpers: Tuple[str, ...] = ()
    checks: Tuple[Call, ...] = ()
    steps: Tuple[Step, ...] = ()


class Plan(NamedTuple):
    """Everything to be written on one machine, in order, for the bridges described."""

    subject: str
    title: str
    bridges: Tuple[Bridge, ...]
    helpers: Tuple[str, ...]
    steps: Tuple[Step, ...]


class Port(NamedTuple):
    """A port as the files name it: ``number`` counts from 1 in the order of the description."""

    number: int
    name: Word
    mac: Word


# The kernel's, biosdevname's and systemd's names for Ethernet cards
_NIC_NAME = re.compile(r"(eth[0-9]+|em[0-9]+|en[osxp][a-z0-9]+)\Z")

Writer = Callable[[Description, Target], Tuple[Parts, List[Problem]]]


def assignments(settings: Iterable[Setting]) -> Text:
    """Lines of NAME=VALUE, the form that ifcfg files and keyfiles share."""
    content: List[Word] = []
    known = ""
    for name, value in settings:
        known += name + "="
        if isinstance(value, str):
            known += value
        else:
            content += [known, value]
            known = ""
        known += "\n"
    return (*content, known)


def ports_of(bridge: Bridge) -> Tuple[Port, ...]:
    """The ports of a bridge with the names that they will have."""
    ports = []
    for number, choice in enumerate(bridge.ports, 1):
        mac = Fact("mac%d" % number, "$mac%d" % number)
        ports.append(Port(number, _port_name(bridge, choice, number), choice.mac or mac))
    return tuple(ports)


def _port_name(bridge: Bridge, choice: PortChoice, number: int) -> Word:
    if choice.name is None:
        usual = "p" + bridge.name if _NIC_NAME.match(bridge.name) else "$port%d" % number
        return Fact("port%d" % number, usual)
    return "p" + choice.name if choice.name == bridge.name else choice.name
