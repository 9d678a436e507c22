"""The formats of network configuration: one module each, one line here each.

A backend is a function of a description and a target that returns what is to be written, or
the problems that keep this format from saying it. See ``plan.Writer``.
"""

from typing import Dict

from cobbler_bridge.plan.backends import ifcfg, ifupdown, keyfile, netplan, wicked
from cobbler_bridge.plan.plan import Writer

BACKENDS: Dict[str, Writer] = {
    "ifcfg": ifcfg.write,
    "ifupdown": ifupdown.write,
    "keyfile": keyfile.write,
    "netplan": netplan.write,
    "wicked": wicked.write,
}
