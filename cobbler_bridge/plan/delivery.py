"""The lines that have a machine fetch its script and run it, where no snippet can stand.

A preseed and user-data can't carry a script: the one is a line, in the other only the first line of
a snippet would be indented. And Cobbler's own late command gives it to a shell in a bare chroot,
without /proc and /sys, whose input is the script itself. Of AutoYaST's scripts only a chroot-script
that says chrooted runs in the target, which Cobbler's wrapper doesn't; Agama's take a URL.
"""

from typing import Any, List, Mapping, NamedTuple
from urllib.parse import quote

from cobbler_bridge import typed
from cobbler_bridge.description.blended_data import subject_of

# the script that Cobbler renders for a machine
SCRIPT = "cobbler_bridge_setup"
_FILE = "/var/tmp/" + SCRIPT
_URL = "http://%s/cblr/svc/op/script/%s/%s/?script=" + SCRIPT
_PRESEED = (
    "d-i preseed/late_command string wget -O /target{file} '{url}'; "
    "in-target sh {file} < /dev/null; true"
)
_USER_DATA = (
    "    - \"wget -O /target{file} '{url}' && curtin in-target -- sh {file} < /dev/null || true\""
)
_TOLD = "    - \"wget -O /dev/null '{told}' || true\""
_RUNCMD = "  - \"wget -O {file} '{url}' && sh {file} < /dev/null\""
# up to SLES 12 the network's files are written once more when the target has started
_AUTOYAST = (
    '<script><chrooted config:type="boolean">true</chrooted><filename>%s</filename>'
    "<interpreter>shell</interpreter><location>{url}</location></script>" % SCRIPT
)
_AUTOYAST_12 = "<script><filename>%s</filename><location>{url}</location></script>" % SCRIPT
_AGAMA = '{{"name": "%s", "chroot": true, "url": "{url}"}}' % SCRIPT
_DEBIAN = {
    "in a preseed, behind its other late commands": _PRESEED,
    "in user-data, below late-commands": _USER_DATA,
    "and so that Cobbler hears of the end of the installation": _TOLD,
    "on a machine that was installed from an image, below cloud-init's runcmd": _RUNCMD,
}
# By breed: what stands where
_LINES = {
    "debian": _DEBIAN,
    "ubuntu": _DEBIAN,
    "suse": {
        "in an AutoYaST profile of SLE 15 or Leap 15, in its chroot-scripts": _AUTOYAST,
        "in an AutoYaST profile of SLES 12, in its init-scripts, before others": _AUTOYAST_12,
        "in an Agama profile (SLE 16, Leap 16), in post of its scripts": _AGAMA,
    },
    # whose kickstarts carry the script
    "redhat": {},
    # whose installation file may be any
    "generic": {},
}
BREEDS = tuple(_LINES)
# whose installation ends only in the first boot, which tells Cobbler so
_ENDS_LATE = ("suse",)


class Line(NamedTuple):
    """A line of an installation file; ``where`` says of which, and where it stands there."""

    where: str
    line: str


def ends_late(data: Mapping[str, Any]) -> bool:
    """Whether the end of the installation is told at the first boot."""
    return typed.text(data.get("breed")) in _ENDS_LATE


def lines(data: Mapping[str, Any]) -> List[Line]:
    """What blended data of a machine that fetches its script need in its installation file."""
    breed, server = typed.text(data.get("breed")), typed.text(data.get("http_server"))
    found = _LINES.get(breed or "")
    if found is None or not server:
        return []
    kind = "system" if data.get("system_name") or "interfaces" in data else "profile"
    name = quote(subject_of(data), safe="")
    url = _URL % (server, kind, name)
    told = "http://%s/cblr/svc/op/trig/mode/post/%s/%s" % (server, kind, name)
    return [
        Line(where, text.format(file=_FILE, url=url, told=told)) for where, text in found.items()
    ]
