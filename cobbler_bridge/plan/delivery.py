"""The lines that have a machine fetch its script and run it, where no snippet can stand.

A preseed and user-data can't carry a script: the one is a line, in the other only the first line of
a snippet would be indented. And Cobbler's own late command gives it to a shell in a bare chroot,
without /proc and /sys, whose input is the script itself.
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


class Line(NamedTuple):
    """A line of an installation file; ``where`` says of which, and where it stands there."""

    where: str
    line: str


def lines(data: Mapping[str, Any]) -> List[Line]:
    """What blended data of a Debian or Ubuntu machine need in its installation file."""
    breed, server = typed.text(data.get("breed")), typed.text(data.get("http_server"))
    if breed not in ("debian", "ubuntu") or not server:
        return []
    kind = "system" if data.get("system_name") or "interfaces" in data else "profile"
    name = quote(subject_of(data), safe="")
    url = _URL % (server, kind, name)
    told = "http://%s/cblr/svc/op/trig/mode/post/%s/%s" % (server, kind, name)
    found = {
        "in a preseed, behind its other late commands": _PRESEED,
        "in user-data, below late-commands": _USER_DATA,
        "and so that Cobbler hears of the end of the installation": _TOLD,
        "on a machine that was installed from an image, below cloud-init's runcmd": _RUNCMD,
    }
    return [
        Line(where, text.format(file=_FILE, url=url, told=told)) for where, text in found.items()
    ]
