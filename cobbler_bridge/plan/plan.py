"""What is to be written on one machine: files, and calls of the fixed shell helpers.

A plan is pure data. What only the machine knows (which NIC, its MAC address) stands in it as a
``Fact``; ``shell`` turns facts into shell variables that the helpers set.
"""

from typing import Callable, Iterable, Iterator, List, NamedTuple, Tuple, Union

from cobbler_bridge import shipped
from cobbler_bridge.description.describe import Description
from cobbler_bridge.description.network import Bridge, Nic
from cobbler_bridge.plan.target import PackageTool, Target
from cobbler_bridge.problem import Problem


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
    """A file to be written whole. ``mode`` is its permission bits."""

    path: Text
    mode: int
    content: Text


class Shipped(NamedTuple):
    """A file that is the same on every machine: ``source`` of the package's folder ``on_the_host``.

    ``does`` says what it is for: a reader of the plan is not shown the content.
    """

    path: Text
    mode: int
    source: str
    does: str

    @property
    def content(self) -> Text:
        """The whole of it."""
        return (shipped.on_a_host(self.source),)


class Program(NamedTuple):
    """A program for a host that is assembled of parts, names of ``on_the_host`` without ``.sh``.

    ``does`` says what it is for.
    """

    path: Text
    mode: int
    parts: Tuple[str, ...]
    does: str

    @property
    def content(self) -> Text:
        """The whole of it."""
        return (shipped.program(self.parts),)


class Call(NamedTuple):
    """A call of a helper; ``does`` says what it does for a reader of the plan."""

    helper: str
    arguments: Tuple[Word, ...]
    does: str


class Need(NamedTuple):
    """A program without which nothing is begun; ``tool`` is asked for its ``package``.

    ``why`` says what needs it.
    """

    program: str
    why: str
    package: str
    tool: PackageTool

    @property
    def words(self) -> Tuple[str, ...]:
        """For the helper."""
        return ("need", self.program, self.why, self.package, *filter(None, self.tool))

    @property
    def does(self) -> str:
        """For a reader of the plan."""
        return "%s must be there, or is installed: %s" % (self.program, self.why)


Step = Union[File, Shipped, Program, Call, Need]


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


class Effect(NamedTuple):
    """When files take effect that nothing proves: at the start of ``what``, or ``with`` a command.

    ``folder`` is where the files are.
    """

    folder: str
    what: str

    @property
    def step(self) -> Call:
        """Has the script say it, where such a file changes."""
        does = "what changes below %s takes effect when it starts: %s" % self
        return Call("takes_effect", tuple(self), does)


class Parts(NamedTuple):
    """What a backend, a firewall or a hypervisor adds to a plan.

    ``needs`` are steps that end the script before anything is written. ``effects`` are when the
    files take effect, but for the next start of the machine. ``renames`` says that a NIC that bears
    a bridge's name gets the other one that the files have for it.
    """

    needs: Tuple[Step, ...] = ()
    steps: Tuple[Step, ...] = ()
    effects: Tuple[Effect, ...] = ()
    renames: bool = False


class Plan(NamedTuple):
    """Everything to be written on one machine, in order, for the bridges described.

    ``unbridged`` says how guests get out where there is none: a value of bridge_xen; ``remarks``
    are about what may not be meant; ``proved`` says whether a check proves it.
    """

    subject: str
    title: str
    bridges: Tuple[Bridge, ...]
    steps: Tuple[Stage, ...]
    unbridged: str = ""
    remarks: Tuple[Problem, ...] = ()
    proved: bool = False


Writer = Callable[[Description, Target], Tuple[Parts, List[Problem]]]


def assignments(settings: Iterable[Setting]) -> Text:
    """Lines of NAME=VALUE, the form that ifcfg files and keyfiles share."""
    content: List[Word] = []
    known = ""
    for name, value in settings:
        if isinstance(value, str):
            known += "%s=%s\n" % (name, value)
            continue
        known += name + "="
        # a fact is a tuple too
        for word in (value,) if isinstance(value, Fact) else value:
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


def packages(steps: Iterable[Stage]) -> Tuple[str, ...]:
    """What has to be installed on every machine of this plan, each once."""
    return tuple(dict.fromkeys(step.package for step in steps if isinstance(step, Need)))


def find_nic(nic: Nic, role: str) -> Call:
    """The call that finds a NIC; ``role`` says what it is for."""
    choice = nic.choice
    if choice.mac is not None:
        how, who = ("find_mac", choice.mac), "the NIC with the address " + choice.mac
    elif choice.name is not None:
        how, who = ("find_name", choice.name), "the NIC " + choice.name
    elif nic.mac is not None:
        how, who = ("find_auto", nic.mac), "the NIC that Cobbler knows, " + nic.mac
    else:
        how, who = ("find_auto", ""), "the NIC that the machine was installed through"
    arguments = (str(nic.number), role, *(word for word in how if word))
    return Call("nic_left" if nic.left else "nic", arguments, "%s is %s" % (role, who))
