"""Two families that no table knows, with a format of their own, for what holds for all."""

from typing import Any, Dict

import pytest

from cobbler_bridge.description.describe import Description
from cobbler_bridge.description.network import Bond, Vlan
from cobbler_bridge.plan import families, target
from cobbler_bridge.plan.backends import BACKENDS
from cobbler_bridge.plan.names import field_of, named
from cobbler_bridge.plan.plan import File, Need, Parts, plain
from cobbler_bridge.plan.target import Family, PackageTool, SavedRules, Target
from cobbler_bridge.problem import Problem

# its number is one that Red Hat's tables have too
STRANGER = Target(
    family="Stranger",
    release=6,
    backends=("thin",),
    readers=(target.NETWORKD,),
    init=target.SYSTEMD,
    package_tool=PackageTool("/sbin/pkg", "--quiet add", refresh="--quiet fetch"),
    saved_rules=SavedRules("/etc/iptables/rules.v4", "/etc/iptables/rules.v6", ("", "")),
    nftables=("/etc/nftables.conf",),
    named_in=(),
    name="Stranger 6",
)
# and one that has nothing in common with any other
OTHER = Target(
    family="Other",
    release=3,
    backends=("thin",),
    readers=("thinnet",),
    init="runit",
    package_tool=PackageTool("/sbin/pkg", "add"),
    saved_rules=SavedRules("/etc/thin/rules", "/etc/thin/rules6", ("/etc/thin/rules.conf",) * 2),
    nftables=("/etc/thin/*.nft",),
    named_in=("/etc/thin/started/*",),
    name="Other 3",
)
DATA = {
    "breed": "strange",
    "os_version": "stranger6",
    "profile_name": "hosts",
    "bridge": "br0",
    "bridge_firewall": "none",
}
_FAMILIES = families.FAMILIES


def _thin(description: Description, target: Target) -> Any:
    """A file that says all that was asked for, but for bonds and VLANs, which it can't."""
    problems = [
        Problem(description.subject, field_of(device), "thin has no such device", "a NIC")
        for device, _ in description.devices
        if isinstance(device, (Bond, Vlan))
    ]
    name = description.bridges[0].name
    need = Need("/sbin/tool", "the stranger needs it", "tools", target.package_tool)
    content = ["%s\n" % plain((each.name,)) for each in named(description)]
    content += ["%r\n" % (value,) for value in description]
    return Parts((need,), (File(("/etc/thin/" + name,), 0o644, tuple(content)),)), problems


def is_known(monkeypatch: pytest.MonkeyPatch, stranger: Target) -> Dict[str, Any]:
    """Has ``DATA`` be of this target, until the test ends."""
    family = Family(("strange",), {"stranger6": stranger}, (), (), "(?!)", "breed strange")
    monkeypatch.setattr(families, "FAMILIES", (*_FAMILIES, family))
    monkeypatch.setitem(BACKENDS, "thin", _thin)
    return dict(DATA)
