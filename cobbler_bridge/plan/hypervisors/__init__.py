"""What else a host's hypervisor must know of the bridge: one module each, one line here each.

A hypervisor is a function of a description and a target, like a backend. See ``plan.Writer``.
"""

from typing import Tuple

from cobbler_bridge.plan.hypervisors import qemu, xen
from cobbler_bridge.plan.plan import Writer

HYPERVISORS: Tuple[Writer, ...] = (xen.write, qemu.write)
