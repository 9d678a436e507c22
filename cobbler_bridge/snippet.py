"""What the snippets call: blended data in, the text for the install file out."""

import functools
import logging
from typing import Any, Callable, Dict, Mapping, Sequence, Tuple

from cobbler_bridge import typed
from cobbler_bridge.description.blended_data import subject_of
from cobbler_bridge.description.describe import relevant, wants_bridge
from cobbler_bridge.plan import anaconda
from cobbler_bridge.plan.plan import packages
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.problem import Problem
from cobbler_bridge.script import render
from cobbler_bridge.store import in_process, versions

_LOG = logging.getLogger(__name__)
_NO_COMMANDS = "no network commands"
_NO_PACKAGES = "no packages"


def bridge_setup(data: Mapping[str, Any]) -> str:
    """The script that sets up the bridge of a system or profile; nothing where none is asked for.

    ``data`` are Cobbler's blended data with autoinstall_meta at the top level, as a template
    sees them. Never raises: half a script in an install file would be worse than none.
    """
    return _safely(lambda known: "".join(_script(known)), data, render.refusal)


def bridge_network(data: Mapping[str, Any]) -> str:
    """The same in anaconda's own commands, or a comment that says why they can't say it."""
    return _safely(_commands, data, functools.partial(render.comments, _NO_COMMANDS))


def bridge_packages(data: Mapping[str, Any]) -> str:
    """The packages that the bridge needs, a line each, or comments that say why there are none."""
    return _safely(_packages, data, functools.partial(render.comments, _NO_PACKAGES))


def bridge_records(system: str = "") -> str:
    """What Cobbler and the pack remember of hosts and guests, for the command: of all systems, or
    of one, the host that it names, and the guests that name it."""
    try:
        return in_process.of_cobblerd().told(system)
    except Exception:
        _LOG.exception("cobbler-bridge: no records")
        return ""


class _Input:
    """Data that compare by what they say, so that a rendering can be remembered by them."""

    def __init__(self, data: Dict[str, Any]) -> None:
        self.data = data
        self._said = typed.identity(data)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, _Input) and self._said is not None and self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)


def _safely(
    write: Callable[[_Input], str],
    data: Mapping[str, Any],
    refuse: Callable[[str, Sequence[Problem]], str],
) -> str:
    try:
        if not wants_bridge(data):
            return ""
        return write(_Input(relevant(versions.blended(data))))
    except Exception:
        subject = subject_of(data)
        _LOG.exception("cobbler-bridge: no bridge for %r", subject)
        report = "report it with the text in cobbler.log"
        problem = Problem(subject, "bridge", "cobbler-bridge failed on the server", report)
        return refuse(subject, [problem])


# every host of a profile, and each host several times in one installation, asks for the same
@functools.lru_cache(maxsize=128)
def _script(known: _Input) -> Tuple[str, ...]:
    planned, problems = make_plan(known.data)
    if planned is not None:
        # in parts: most of their text is the same one for all hosts of a profile
        return render.script_parts(planned)
    return (render.refusal(subject_of(known.data), problems),)


@functools.lru_cache(maxsize=128)
def _commands(known: _Input) -> str:
    planned, problems = anaconda.plan_commands(known.data)
    if planned is None:
        return render.comments(_NO_COMMANDS, subject_of(known.data), problems)
    if isinstance(planned, str):
        return planned
    # the file must be there, whatever the script finds
    script = ": > %s\n%s" % (anaconda.INCLUDED, render.script(planned))
    return "%%include %s\n%%pre\n%s%%end\n" % (anaconda.INCLUDED, script)


@functools.lru_cache(maxsize=128)
def _packages(known: _Input) -> str:
    planned, problems = make_plan(known.data)
    if planned is None:
        return render.comments(_NO_PACKAGES, subject_of(known.data), problems)
    return "".join(name + "\n" for name in packages(planned.steps))
