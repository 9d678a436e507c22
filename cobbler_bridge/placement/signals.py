"""What a host's signal makes of its record: a table, and nothing else.

Anybody on the network can send a signal. So it only says that something may have happened: what
becomes of the record follows from the record itself and from Cobbler's own data of that system.
"""

import re
from typing import Any, NamedTuple, Optional

from cobbler_bridge.store.host_record import (
    APPLYING,
    BY_HAND,
    FAILED,
    FILE,
    INSTALLED,
    INSTALLING,
    NETWORK,
    ROLLED_BACK,
    VERIFIED,
)

PRE = "pre"
POST = "post"
FIRSTBOOT = "firstboot"
# a firstboot of a name with one of these and more behind it, which no system's name can have: the
# old network is back; the bridge is proved, and somebody should look at something; all is well, or
# which drift it is
BACK = "rolled-back"
NOTED = "noted"
SEEN = "seen"
DRIFT = "drift"
_SUFFIX = re.compile(r"([^,]*),(%s)(?:,(.*))?\Z" % "|".join((BACK, NOTED, SEEN, DRIFT)), re.DOTALL)
# what a host may say of itself
_WORDS = (FILE, NETWORK)
_DIGEST = re.compile(r"[0-9a-f-]{1,60}\Z")
_NO_REASON = re.compile("[^A-Za-z0-9.:-]+")
_REASON_CHARACTERS = 200

# what becomes of a record, beside one of its states
KEPT = "kept"
FORGOTTEN = "forgotten"
# kept although something else was asked for: somebody should know
REFUSED = "refused"


class Known(NamedTuple):
    """What the server knows of the system: its record's state (``None`` without a record), whether
    its own data make a bridge, whether they say that it is to be installed (Cobbler's field
    netboot_enabled, which it turns off at the end of an installation), whether it proves its
    bridge at its first boot, and whether its installation ends only in that boot, as SUSE's does:
    then what the first boot said comes first, and the end of the installation tells nothing new."""

    state: Optional[str]
    planned: bool
    to_install: bool
    proves: bool = True
    ends_late: bool = False


# what a first boot makes of a record
AT_FIRST_BOOT = (VERIFIED, ROLLED_BACK)
# by a signal: what becomes of a system without a record, and of one that is installing, with a
# bridge in its own data, and without
_BEGUN = {
    PRE: (INSTALLING, INSTALLING, KEPT, FORGOTTEN),
    POST: (INSTALLED, INSTALLED, KEPT, FORGOTTEN),
    FIRSTBOOT: (VERIFIED, VERIFIED, REFUSED, REFUSED),
}


class Said(NamedTuple):
    """What a call says: which signal it is, of whom, the host's own ``reason``, which drift it is,
    and the digest of what the host was proved with."""

    signal: str
    name: Any
    reason: str = ""
    drift: str = ""
    digest: str = ""


def after(signal: str, known: Known) -> str:
    """What becomes of the record: a state, or KEPT, FORGOTTEN or REFUSED."""
    if signal == BACK:
        return _back(known)
    if signal in (SEEN, DRIFT):
        # what is proved already; who is being switched, or could not be, still has its old bridge
        if known.state in (VERIFIED, BY_HAND, APPLYING, FAILED):
            return KEPT
        signal = FIRSTBOOT
    if known.state in (None, INSTALLING):
        return _BEGUN[signal][(known.state is not None) + 2 * (not known.planned)]
    if signal == FIRSTBOOT:
        # what an administrator vouches for is not the host's to change; who had no bridge proves
        # one that is described by now
        stays = known.state in (VERIFIED, BY_HAND)
        return KEPT if stays else VERIFIED if known.planned or known.state == INSTALLED else REFUSED
    if signal == POST and known.proves and _is_known_better(known):
        return KEPT
    if not known.to_install:
        return REFUSED
    return _BEGUN[signal][1] if known.planned else FORGOTTEN


def _is_known_better(known: Known) -> bool:
    """Whether the end of the installation tells less than what was told before it."""
    if known.ends_late:
        return known.state in AT_FIRST_BOOT
    # its script has refused, or a boot has put the old network back
    return known.state == ROLLED_BACK and known.planned


def _back(known: Known) -> str:
    """Only a host that is about to prove its bridge can have put its old network back. One that
    was switched while it ran still has the bridge that it had, if it had one."""
    if known.state == ROLLED_BACK:
        return ROLLED_BACK
    if not known.proves or known.state in (None, VERIFIED, BY_HAND):
        return REFUSED
    return FAILED if known.state in (APPLYING, FAILED) else ROLLED_BACK


def reason_of(text: str) -> str:
    """What a host says of itself, as a record may hold it."""
    return _NO_REASON.sub(" ", text[:_REASON_CHARACTERS]).strip()


def meant(signal: str, name: Any) -> Said:
    """What a call of this name says."""
    found = _SUFFIX.match(name) if signal == FIRSTBOOT and isinstance(name, str) else None
    if found is None:
        return Said(signal, name)
    what, rest = found.group(2), found.group(3) or ""
    drift = digest = ""
    if what == DRIFT:
        drift, _, rest = rest.partition(",")
    if what in (SEEN, DRIFT):
        digest, _, rest = rest.partition(",")
    if drift not in (_WORDS if what == DRIFT else ("",)):
        return Said(signal, name)
    reason = "" if what == SEEN else reason_of(rest)
    digest = digest if _DIGEST.match(digest) else ""
    return Said(signal if what == NOTED else what, found.group(1), reason, drift, digest)
