"""The bridges that qemu's bridge helper lets guests have which users without rights start.

The format of its bridge.conf is defined by qemu's qemu-bridge-helper.c.
"""

from typing import List, Tuple

from cobbler_bridge.description.describe import Description
from cobbler_bridge.plan.plan import Call, Parts
from cobbler_bridge.plan.target import Target
from cobbler_bridge.problem import Problem

# Red Hat's qemu-kvm, and qemu as Fedora and EPEL build it
FOLDERS = ("/etc/qemu-kvm", "/etc/qemu")


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """A line for each bridge, where qemu is; a host with Xen has guests of Xen."""
    if description.xen.mode != "none":
        return Parts(), []
    does = "bridge.conf has 'allow %%s' where one of these, or qemu, is there: %s" % ", ".join(
        FOLDERS
    )
    steps = tuple(
        Call("qemu_allow", (bridge.name, *FOLDERS), does % bridge.name)
        for bridge in description.bridges
    )
    return Parts((), steps), []
