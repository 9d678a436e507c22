"""The check at the first boot: what is installed for it, and what it must prove.

The check itself is ``host/firstboot.sh``, the same on every machine. It reads what it must prove
from a file of lines: ``url``, ``timeout`` (seconds) and ``rollback``; then for each bridge
``bridge NAME`` and ``port NAME`` for each port; ``device NAME`` for a VLAN that has addresses of
its own; behind either, ``ipv4`` and ``ipv6`` with ``none``, ``any``, or ``static ADDRESS/PREFIX
GATEWAY``; last ``nic NAME`` for each card, by its name before.
"""

import functools
from typing import Dict, List, NamedTuple, Optional, Tuple

from cobbler_bridge import shipped
from cobbler_bridge.description import Description
from cobbler_bridge.network import Device
from cobbler_bridge.plan import Call, File, Parts, Step, Text, Word, name_of
from cobbler_bridge.problem import Problem
from cobbler_bridge.target import Target

EXPECTED = "/var/lib/cobbler-bridge/expected"
SCRIPT = "/usr/libexec/cobbler-bridge/firstboot"


class Starter(NamedTuple):
    """What starts the check: a shipped file, its place and mode, and the links that enable it.

    ``target`` is what the links say.
    """

    shipped: str
    path: str
    mode: int
    target: str
    links: Tuple[str, ...]


_INIT = Starter(
    "firstboot.init",
    "/etc/rc.d/init.d/cobbler-bridge-firstboot",
    0o755,
    "../init.d/cobbler-bridge-firstboot",
    # chkconfig would make them, but not in an installer's chroot
    tuple("/etc/rc.d/rc%d.d/S99cobbler-bridge-firstboot" % level for level in (2, 3, 4, 5)),
)
_SYSTEMD = Starter(
    "firstboot.service",
    "/etc/systemd/system/cobbler-bridge-firstboot.service",
    0o644,
    "../cobbler-bridge-firstboot.service",
    ("/etc/systemd/system/multi-user.target.wants/cobbler-bridge-firstboot.service",),
)
# By release; every other one has systemd
_STARTERS: Dict[int, Starter] = {5: _INIT, 6: _INIT}

_NICS = Call("firstboot_nics", (), "the first boot also knows the names that the NICs have now")


def check(description: Description) -> Tuple[Step, ...]:
    """The check and what it must prove; nothing where none is wanted."""
    if not description.first_boot.verify:
        return ()
    return (
        File((EXPECTED,), 0o644, _expected(description)),
        _NICS,
        _shipped("firstboot.sh", SCRIPT, 0o755, "checks the bridge at the first boot"),
    )


def write(description: Description, target: Target) -> Tuple[Parts, List[Problem]]:
    """What starts the check on a target."""
    if not description.first_boot.verify:
        return Parts(), []
    starter = _STARTERS.get(target.release, _SYSTEMD)
    steps = (
        _shipped(starter.shipped, starter.path, starter.mode, "starts that check"),
        Call("link_files", (starter.target, *starter.links), "it is enabled"),
    )
    return Parts(("firstboot",), (), steps), []


@functools.lru_cache(maxsize=None)
def _shipped(name: str, path: str, mode: int, does: str) -> File:
    return File((path,), mode, (shipped.text("host", name),), "%s %s" % (path, does))


def _expected(description: Description) -> Text:
    check = description.first_boot
    # an STP port forwards nothing before it has listened and learned
    delays = [2 * bridge.forward_delay for bridge in description.bridges if bridge.stp]
    words: List[Word] = ["url %s\n" % check.url] if check.url else []
    words.append("timeout %d\n" % (check.timeout + max(delays, default=0)))
    words.append("rollback %s\n" % ("yes" if check.rollback else "no"))
    names = [bridge.name for bridge in description.bridges]
    for bridge in description.bridges:
        words.append("bridge %s\n" % bridge.name)
        for port in bridge.ports:
            words += ["port ", name_of(port, names), "\n"]
        words += _addresses(bridge)
    for vlan in description.vlans:
        words += ["device ", name_of(vlan, names), "\n", *_addresses(vlan)]
    return tuple(words)


def _addresses(device: Device) -> List[str]:
    """What must be there; router advertisements may come or not."""
    ipv4, ipv6 = device.ipv4, device.ipv6
    return [
        "ipv4 %s\n" % _address(ipv4.method, ("auto", "dhcp", "keep"), ipv4.address, ipv4.gateway),
        "ipv6 %s\n" % _address(ipv6.method, ("dhcp",), ipv6.address, ipv6.gateway),
    ]


def _address(
    method: str, leased: Tuple[str, ...], address: Optional[object], gateway: Optional[object]
) -> str:
    if address is not None:
        return "static %s%s" % (address, "" if gateway is None else " %s" % gateway)
    return "any" if method in leased else "none"
