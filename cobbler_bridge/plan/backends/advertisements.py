"""No router advertisements where none are wanted, for readers that switch them off too late.

They do it when the device is up, and the kernel may have heard one by then.
"""

from typing import List

from cobbler_bridge.description.describe import Description
from cobbler_bridge.description.network import Nic, hears_routers
from cobbler_bridge.plan.names import named
from cobbler_bridge.plan.plan import File, Step, Text

UDEV_RULES = "/etc/udev/rules.d/98-cobbler-bridge-ipv6.rules"
_COMMENT = "# cobbler-bridge: no router advertisements, from the beginning\n"
_BEGIN = 'ACTION=="add", SUBSYSTEM=="net", KERNEL=="'
_THEN = '", RUN+="/sbin/sysctl -w net/ipv6/conf/'
_END = '/accept_ra=0"\n'


def write(description: Description) -> List[Step]:
    """A rule of udev for each device that has addresses and hears no router."""
    content: Text = ()
    for each in named(description):
        unwanted = each.device.ipv6.method in ("none", "static") and not hears_routers(each.device)
        left = isinstance(each.device, Nic) and each.device.left
        if each.master is None and unwanted and not left:
            content += (_BEGIN, each.name, _THEN, each.name, _END)
    return [File((UDEV_RULES,), 0o644, (_COMMENT, *content))] if content else []
