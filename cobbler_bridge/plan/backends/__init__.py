"""The formats of network configuration: one module each, one line here each.

A backend is a function of a description and a target that returns what is to be written, or
the problems that keep this format from saying it. See ``plan.Writer``.
"""

from typing import Dict, List, Tuple

from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import Description
from cobbler_bridge.plan.backends import ifcfg, ifupdown, keyfile, netplan, wicked
from cobbler_bridge.plan.plan import Parts, Writer
from cobbler_bridge.plan.target import DEBIAN, EL, FEDORA, SUSE, UBUNTU, Target
from cobbler_bridge.problem import Problem


def _read_by(writer: Writer, *families: str) -> Writer:
    """A format on the families whose readers it is written for, and refused on any other: a reader
    of the same name may take other words, and be started by something else."""

    def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
        if target.family in families:
            return writer(description, target)
        wrong = "it is not known how %s reads what would be written" % target.name
        return Parts(), [Problem(description.subject, keys.BACKEND.name, wrong, "another format")]

    return write


BACKENDS: Dict[str, Writer] = {
    "ifcfg": _read_by(ifcfg.write, EL),
    "ifupdown": _read_by(ifupdown.write, DEBIAN),
    "keyfile": _read_by(keyfile.write, EL, FEDORA, DEBIAN, SUSE),
    "netplan": _read_by(netplan.write, DEBIAN, UBUNTU),
    "wicked": _read_by(wicked.write, SUSE),
}
