"""Calls that keep other files of both formats from working against ours.

A NetworkManager that has the ifcfg plugin reads keyfiles too, and so do our searches.
"""

from typing import Tuple

from cobbler_bridge.description.describe import Description
from cobbler_bridge.plan.plan import Call, Effect

# where the two formats lie
IFCFG_FOLDER = "/etc/sysconfig/network-scripts/"
KEYFILE_FOLDER = "/etc/NetworkManager/system-connections/"
RESTARTED = tuple(
    Effect(folder, "the network's service") for folder in (IFCFG_FOLDER, KEYFILE_FOLDER)
)
# by a NetworkManager that looks at them
RELOADED = tuple(
    Effect(folder, "with 'nmcli connection reload'") for folder in (IFCFG_FOLDER, KEYFILE_FOLDER)
)
_RANK = Call("rank_files", (), "each of them is ranked as its reader would take it at boot")
_IFCFG = Call("ifcfg_files", (), "the ifcfg files that are there are read")
# The files that are looked at, before any is written, by what reads ours: network-scripts, or
# NetworkManager beside them, or NetworkManager alone
SCRIPTS = (_IFCFG, _RANK)
EITHER = (_IFCFG, Call("ifcfg_rivals", (), "and keyfiles, if NetworkManager is the reader"), _RANK)
NETWORKMANAGER = (_IFCFG, Call("keyfile_files", (), "and the keyfiles"), _RANK)
KEEP = "what the machine's own file for the port says is added to it, as keep and auto mean it"
ASIDE = Call("rivals", (), "other files of the same devices are set aside")


def layers(description: Description, beside: bool = True) -> Call:
    """What was made of the NICs, by the kernel and the files, is taken over, or nothing is done.

    ``beside`` says whether a VLAN of a bridge's port still gets its frames.
    """
    taken = "yes" if description.has_way_out else "no"
    does = "a bridge, bond or VLAN that was made of the NICs is taken over, or nothing is done"
    return Call("layers", (taken if beside else "never",), does)


def rename(number: int) -> Call:
    """The link file that gives a NIC its new name; udev alone renames it on newer releases."""
    does = "NIC %d is renamed by a link file of udev, if it must be" % number
    return Call("keyfile_rename", (str(number),), does)


def asked(methods: Tuple[str, str]) -> Tuple[str, str]:
    """What a machine's own files may add to a bridge, for IPv4 and IPv6: see ``may_keep``."""
    first, second = (method if method in ("auto", "keep") else "-" for method in methods)
    return first, second
