"""What Koan's operator finds on a host: its bridges in the login environment, and a wrapper.

Koan asks the server without saying which machine it runs on, so for a profile nobody but the host
itself knows the bridge. ``koan-bridge`` runs koan with it.
"""

from typing import List, Tuple

from cobbler_bridge.description.describe import Description
from cobbler_bridge.plan.plan import File, Parts, Shipped
from cobbler_bridge.plan.target import Target
from cobbler_bridge.problem import Problem

# beside those of Cobbler's own snippet koan_environment, which has COBBLER_SERVER
LOGIN = "/etc/profile.d/cobbler-bridge"
WRAPPER = "/usr/local/bin/koan-bridge"
# what Koan's own Python runs for it; beside it by ../lib
CHOOSER = "/usr/local/lib/cobbler-bridge/koan_bridge.py"
_WRAPPER = (
    Shipped((WRAPPER,), 0o755, "koan-bridge.sh", "%s runs koan with this host's bridges" % WRAPPER),
    Shipped((CHOOSER,), 0o644, "koan_bridge.py", "%s chooses them" % CHOOSER),
)


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """The same files on every target."""
    bridges = ",".join(bridge.name for bridge in description.bridges)
    login = "COBBLER_BRIDGE=%s\nexport COBBLER_BRIDGE\n" % bridges
    steps = (
        File((LOGIN + ".sh",), 0o644, (login,)),
        File((LOGIN + ".csh",), 0o644, ("setenv COBBLER_BRIDGE %s\n" % bridges,)),
        *_WRAPPER,
    )
    return Parts((), steps), []
