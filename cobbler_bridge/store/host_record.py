"""What is remembered of a host's bridges."""

import calendar
import time
from typing import NamedTuple, Optional, Tuple

INSTALLING = "installing"
INSTALLED = "installed"
VERIFIED = "verified"
ROLLED_BACK = "rolled back"
BY_HAND = "by hand"
APPLYING = "applying"
FAILED = "failed"
STATES = (INSTALLING, INSTALLED, VERIFIED, ROLLED_BACK, BY_HAND, APPLYING, FAILED)
# a boot has proved the bridges, or an administrator vouches for them
SURE = (VERIFIED, BY_HAND)

# How a proved host may drift: what it says itself, what its data say of it, and that it is silent
FILE = "file"
NETWORK = "network"
DESCRIPTION = "description"
UNSEEN = "unseen"
# those that a record has
DRIFTS = (FILE, NETWORK, DESCRIPTION)
# a host that is watched tells once a day
UNSEEN_DAYS = 3


class Record(NamedTuple):
    """The bridges of a host, in order; times are UTC as ISO 8601 writes it, ``""`` where unknown.

    ``unbridged`` says how guests get out where there is no bridge: a value of bridge_xen.
    ``before`` are the names of bridges that it had once. ``reason`` says in the host's own words
    why it is rolled back or failed, what has drifted, or what of a proved bridge somebody should
    look at. ``seen`` is when it last said that all is well, ``drift`` one of ``DRIFTS`` where it
    says, or its data do, that it isn't.
    """

    bridges: Tuple[str, ...]
    state: str
    since: str
    unbridged: str = ""
    before: Tuple[str, ...] = ()
    reason: str = ""
    seen: str = ""
    drift: str = ""

    def __str__(self) -> str:
        what = ", ".join(self.bridges) or self.unbridged or "no bridge"
        return what + ", " + self.state + (self.since and " since " + self.since)

    def drifted(self, watches: bool, now: float) -> str:
        """Which drift there is, ``""`` for none; ``watches`` says whether the host is to be heard
        once a day, ``now`` is in seconds since 1970."""
        if self.drift or self.state != VERIFIED or not watches:
            return self.drift
        seen = seconds(self.seen)
        return UNSEEN if seen is not None and now - seen > UNSEEN_DAYS * 86400 else ""

    @property
    def names_something(self) -> bool:
        """Whether there is any bridge, or another way out for guests; a host that is switched while
        it runs may have had neither."""
        return bool(self.bridges or self.unbridged) or self.state in (APPLYING, FAILED)

    def has_same(self, other: "Record") -> bool:
        """Whether two records speak of the same bridges, in whatever order."""
        return (set(self.bridges), self.unbridged) == (set(other.bridges), other.unbridged)


def seconds(moment: str) -> Optional[float]:
    """A time of a record in seconds since 1970, ``None`` where it is none."""
    try:
        return calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return None
