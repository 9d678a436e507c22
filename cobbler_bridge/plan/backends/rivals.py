"""Calls that keep other files of both formats from working against ours.

A NetworkManager that has the ifcfg plugin reads keyfiles too.
"""

from cobbler_bridge.plan import Call

IFCFG = Call("ifcfg_alone", (), "ifcfg files of the same devices are set aside")
KEYFILES = Call("keyfile_alone", (), "keyfiles of the same devices are set aside")


def rename(number: int) -> Call:
    """The link file that gives a NIC its new name; udev alone renames it on newer releases."""
    does = "NIC %d is renamed by a link file of udev, if it must be" % number
    return Call("keyfile_rename", (str(number),), does)
