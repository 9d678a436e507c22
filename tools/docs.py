"""Writes the parts of docs/ that the code declares: ``make docs``."""

import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cobbler_bridge import keys, shell  # noqa: E402 - the line above makes it importable
from cobbler_bridge.backends import BACKENDS  # noqa: E402
from cobbler_bridge.planner import make_plan  # noqa: E402
from cobbler_bridge.snippet import bridge_setup  # noqa: E402
from cobbler_bridge.target import KNOWN  # noqa: E402

_WRITERS = {keys.BACKEND.name: BACKENDS}
README = ROOT / "README.md"
VARIABLES = ROOT / "docs" / "variables.md"
_INTRODUCTION = """\
# The variables

Set them in the `autoinstall_meta` of a distro, profile or system; a system inherits what it does
not set itself, and `!bridge` takes an inherited variable away. A value that can't be used is
refused before any file is touched: `cobbler-bridge render` shows it, and so does the install log.

This page is written by `make docs` from the declarations in `cobbler_bridge/keys.py`.

## On a host or its profile
"""
_ON_A_GUEST = "\n## On a guest or its profile\n"
_ON_THE_RECORD = "\n## Written by the triggers\n"
_RELEASES = """
## Supported releases

`os_version` as `cobbler distro edit --os-version` takes it: {}.
"""


def variables() -> str:
    """The page of every variable."""
    rows = [_INTRODUCTION]
    rows += [_row(key) for key in keys.HOST_KEYS]
    rows += [_ON_A_GUEST, _row(keys.HOST), _ON_THE_RECORD]
    rows += [_row(keys.RECORD), _row(keys.PLACED)]
    return "".join(rows) + _RELEASES.format(KNOWN)


def _row(key: "keys.Key[Any]") -> str:
    accepts = key.accepts
    if key.name in _WRITERS:
        accepts = " or ".join(sorted({"auto", *_WRITERS[key.name]})) + " (others: not yet)"
    default = "" if key.default is None else " Default: `%s`." % key.default
    return "\n### `%s`\n\n%s\n\nValues: %s.%s Example: `%s=%s`\n" % (
        key.name,
        key.sentence,
        accepts,
        default,
        key.name,
        key.example,
    )


def readme() -> str:
    """README.md with what the pack really prints in its marked blocks."""
    text = README.read_text(encoding="utf-8")
    for name, output in (("render", _rendered()), ("refusal", _refused())):
        begin = text.index("```\n", text.index("<!-- make docs: %s -->" % name)) + 4
        text = text[:begin] + output + text[text.index("```", begin) :]
    return text


def _rendered() -> str:
    wanted = {"bridge": "eth0", "bridge_port": "eth0", "profile_name": "xen-hosts"}
    planned, _ = make_plan(dict(wanted, breed="redhat", os_version="rhel5"))
    return "" if planned is None else shell.files(planned)


def _refused() -> str:
    wanted = {"bridge": "br0;reboot", "bridge_mtu": "1", "profile_name": "kvm-hosts"}
    script = bridge_setup(dict(wanted, breed="redhat", os_version="rhel8"))
    done = subprocess.run(
        ["sh", "-s"], input=script, stderr=subprocess.PIPE, encoding="utf-8", check=False
    )
    return done.stderr


if __name__ == "__main__":
    VARIABLES.write_text(variables(), encoding="utf-8")
    README.write_text(readme(), encoding="utf-8")
