"""Every kind of finding: its id, which stays from version to version, and how bad it is. Declared
once, and explained in docs/check.md."""

from typing import NamedTuple

# will fail; may; there is nothing to do but wait
ERROR, WARNING, WAITING = SEVERITIES = ("error", "warning", "waiting")


class Kind(NamedTuple):
    """A kind of finding; ``severity`` is one of ``SEVERITIES``."""

    id: str
    severity: str


REFUSED = Kind("refused", ERROR)
REMARK = Kind("remark", WARNING)
UNUSED_ADDRESS = Kind("address-unused", WARNING)

ROLLED_BACK = Kind("rolled-back", ERROR)
FAILED = Kind("failed", ERROR)
NEVER_DONE = Kind("never-done", ERROR)
UNPROVED = Kind("unproved", WARNING)
APART = Kind("apart", WARNING)
SAYS = Kind("says", WARNING)
DRIFTED = Kind("drifted", WARNING)
UNSEEN = Kind("unseen", WARNING)
UNREADABLE_RECORD = Kind("record-unreadable", WARNING)
OLD_NOTE = Kind("old-note", WARNING)

NO_KICKSTART = Kind("no-kickstart", ERROR)
NO_SNIPPET = Kind("no-snippet", ERROR)
SNIPPET_MISSING = Kind("snippet-missing", ERROR)
MISPLACED = Kind("snippet-misplaced", ERROR)
OVERWRITTEN = Kind("overwritten", ERROR)
NEVER_TELLS = Kind("never-tells", WARNING)
NO_PACKAGE = Kind("no-package", WARNING)
SECOND_NETWORK = Kind("second-network", WARNING)
NOT_FETCHED = Kind("not-fetched", ERROR)
NOT_CARRIED = Kind("not-carried", ERROR)
LATE_TWICE = Kind("late-command-twice", ERROR)
BARE_CHROOT = Kind("bare-chroot", ERROR)
IN_INSTALLER = Kind("in-installer", ERROR)
OWN_BRIDGE = Kind("own-bridge", ERROR)
NOT_IN_SCHEMA = Kind("not-in-schema", WARNING)
UNREADABLE_FILE = Kind("file-unreadable", ERROR)

HOST_WAITED_FOR = Kind("host-waited-for", WAITING)
NO_HOST = Kind("no-host", ERROR)
UNREADABLE_HOST = Kind("host-unreadable", ERROR)
MISSPELT_HOST = Kind("host-misspelt", WARNING)
BRIDGELESS_HOST = Kind("host-without-bridge", ERROR)
ROUTING_HOST = Kind("host-routes", ERROR)
UNPLACED = Kind("unplaced", ERROR)
PLACED_BEFORE = Kind("placed-before", ERROR)
NO_VLAN = Kind("no-vlan", ERROR)
NO_BRIDGE = Kind("no-bridge", ERROR)
BEHIND_NAT = Kind("behind-nat", WARNING)
NETWORK_CARD = Kind("network-card", ERROR)
NO_NAME = Kind("no-name", ERROR)
STRAY_INTERFACE = Kind("stray-interface", WARNING)
MAC_TWICE = Kind("mac-twice", WARNING)
MANAGEMENT_CARD = Kind("management-card", WARNING)
NO_INTERFACE = Kind("no-interface", WARNING)

UNREADABLE_FIELD = Kind("field-unreadable", WARNING)
COBBLER_REFUSES = Kind("cobbler-refuses", ERROR)

SERVER_ITSELF = Kind("server-itself", ERROR)
NO_TRIGGERS = Kind("no-triggers", ERROR)
IMPORT_NOT_ALLOWED = Kind("import-not-allowed", WARNING)
NOT_INSTALLED = Kind("not-installed", ERROR)
OLD_DAEMON = Kind("old-daemon", ERROR)

KINDS = tuple(each for each in list(globals().values()) if isinstance(each, Kind))
