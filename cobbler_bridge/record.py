"""What Cobbler remembers of a host's bridges: one word in its autoinstall_meta.

The word is BRIDGES/STATE/SINCE, with commas between the bridges: it has no space, quote or
equals sign, so that Cobbler's own command line and files carry it as it is.
"""

from typing import Any, NamedTuple, Optional, Tuple

from cobbler_bridge import values

INSTALLING = "installing"
INSTALLED = "installed"
VERIFIED = "verified"
STATES = (INSTALLING, INSTALLED, VERIFIED)


class Record(NamedTuple):
    """The bridges of a host, in order; ``since`` is a time in UTC as ISO 8601 writes it."""

    bridges: Tuple[str, ...]
    state: str
    since: str

    def __str__(self) -> str:
        return "%s/%s/%s" % (",".join(self.bridges), self.state, self.since)


def read(text: Any) -> Optional[Record]:
    """The record in a value of autoinstall_meta; ``None`` where it is none."""
    parts = text.split("/") if isinstance(text, str) else []
    if len(parts) != 3 or parts[1] not in STATES:
        return None
    try:
        # a name from here ends up in a guest's virt_bridge, and so on Koan's command line
        bridges = tuple(values.device_name(name) for name in parts[0].split(",") if name)
    except ValueError:
        return None
    return Record(bridges, parts[1], parts[2])
