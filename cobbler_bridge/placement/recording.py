"""What Cobbler remembers of a host's bridges and of a placed guest: a word in its autoinstall_meta.

A host's record is BRIDGES/STATE/SINCE, with commas between the bridges. A host whose Xen routes its
guests has no bridge: there BRIDGES is xen:MODE, which can be no bridge's name. A guest's note of
what was placed is NIC:BRIDGE, with commas between. Neither has a space, quote or equals sign, so
that Cobbler's own command line and files carry it as it is.
"""

from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import quote, unquote

from cobbler_bridge import values
from cobbler_bridge.xen import UNBRIDGED

INSTALLING = "installing"
INSTALLED = "installed"
VERIFIED = "verified"
STATES = (INSTALLING, INSTALLED, VERIFIED)
_XEN = "xen:"


class Record(NamedTuple):
    """The bridges of a host, in order; ``since`` is a time in UTC as ISO 8601 writes it.

    ``unbridged`` says how guests get out where there is no bridge: a value of bridge_xen.
    """

    bridges: Tuple[str, ...]
    state: str
    since: str
    unbridged: str = ""

    def __str__(self) -> str:
        bridges = _XEN + self.unbridged if self.unbridged else ",".join(self.bridges)
        return "%s/%s/%s" % (bridges, self.state, self.since)


def read(text: Any) -> Optional[Record]:
    """The record in a value of autoinstall_meta; ``None`` where it is none."""
    parts = text.split("/") if isinstance(text, str) else []
    if len(parts) != 3 or parts[1] not in STATES:
        return None
    if parts[0] in [_XEN + mode for mode in UNBRIDGED]:
        return Record((), parts[1], parts[2], parts[0][len(_XEN) :])
    try:
        # a name from here ends up in a guest's virt_bridge, and so on Koan's command line
        bridges = tuple(values.device_name(name) for name in parts[0].split(",") if name)
    except ValueError:
        return None
    return Record(bridges, parts[1], parts[2])


def read_placed(text: Any) -> Dict[str, str]:
    """The note of what was placed, interface to bridge; empty where it is none."""
    placed = {}
    for word in text.split(",") if isinstance(text, str) else []:
        interface, colon, bridge = word.partition(":")
        if colon and interface:
            placed[unquote(interface)] = unquote(bridge)
    return placed


def placed_text(placed: Mapping[str, str]) -> Optional[str]:
    """The note as it is written, ``None`` where there is nothing to note."""
    words = (
        "%s:%s" % (quote(interface, safe=""), quote(placed[interface], safe=""))
        for interface in sorted(placed)
    )
    return ",".join(words) or None
