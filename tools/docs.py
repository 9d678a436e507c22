"""Writes the parts of docs/ that the code declares: ``make docs``."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Tuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cobbler_bridge.description import keys  # noqa: E402
from cobbler_bridge.install import this_cobbler  # noqa: E402
from cobbler_bridge.install.limits import limits_of  # noqa: E402
from cobbler_bridge.plan.backends import BACKENDS  # noqa: E402
from cobbler_bridge.plan.families import KNOWN  # noqa: E402
from cobbler_bridge.plan.planner import make_plan  # noqa: E402
from cobbler_bridge.script import render  # noqa: E402
from cobbler_bridge.snippet import bridge_setup  # noqa: E402
from environments import PYTHONS, VERSIONS  # noqa: E402

COMPATIBILITY = ROOT / "docs" / "compatibility.md"
_WRITERS = {keys.BACKEND.name: BACKENDS}
README = ROOT / "README.md"
VARIABLES = ROOT / "docs" / "variables.md"
_INTRODUCTION = """\
# The variables

They stand in the `autoinstall_meta` of a distro, profile or system:

    cobbler-bridge set --profile kvm-hosts bridge=br0 bridge_opts="priority=4096 ageing_time=60"
    cobbler-bridge set --system 'kvm*' bridge_mtu=9000 --unset bridge_vlan

[`set`](command.md#set) changes these and no others. A system inherits what it does not set itself,
and a variable `!bridge` takes an inherited one away. A value that can't be used is refused before
anything is saved; one that was written in another way is refused before any file of a host is
touched: `cobbler-bridge render` shows it, and so does the install log.

This page is written by `make docs` from the declarations in `cobbler_bridge/description/keys.py`.

## On a host or its profile
"""
# the Python of continuous integration, whichever makes the page
THIS = "3.11"
_COMPATIBILITY = """\
# Compatibility

This page is written by `make docs` from the list that the tests run through.

## Cobbler

On each of these the same test goes the whole way: `install`, the kickstart of a system and of a
profile, the record of a host, the guest on its bridge, the real Koan, a restart, `uninstall`, and a
comparison of all files with those before. `install` refuses what is older than {2} or not older
than {3}, and says the limits too.

| Cobbler | tested on Python | what this Cobbler can't do |
|---|---|---|
{0}
Records and placements are text in Cobbler's own objects, so they are where those are. `cobbler
replicate` is shown to carry them to a second server. Cobbler's MongoDB serializer is not part of
the tests: no package that they can install has a MongoDB server.

## Python

cobbler-bridge needs Python 3.6 or later, PyYAML, and the Python that runs cobblerd. The tests that
need no Cobbler run on {1}, and every rendering is the same on all of them to the byte.

## Packages

The rpm and the deb are built, installed, upgraded over changed snippets and removed beside a
Cobbler 3.3.10 that is laid out as a package would, and nothing of them is left.
"""
_ON_A_GUEST = "\n## On a guest or its profile\n"
_RELEASES = """
## Supported releases

`os_version` as `cobbler distro edit --os-version` takes it: {}.
"""


def variables() -> str:
    """The page of every variable."""
    rows = [_INTRODUCTION]
    rows += [_row(key) for key in keys.HOST_KEYS]
    rows += [_ON_A_GUEST, _row(keys.HOST)]
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
    wanted = {"bridge": "br0", "profile_name": "kvm-hosts"}
    planned, _ = make_plan(dict(wanted, breed="redhat", os_version="rhel9"))
    return "" if planned is None else render.files(planned)


def _refused() -> str:
    wanted = {"bridge": "br0;reboot", "bridge_mtu": "1", "profile_name": "kvm-hosts"}
    script = bridge_setup(dict(wanted, breed="redhat", os_version="rhel8"))
    done = subprocess.run(
        ["sh", "-s"], input=script, stderr=subprocess.PIPE, encoding="utf-8", check=False
    )
    return done.stderr


def compatibility() -> str:
    """The page of every Cobbler and every Python that the tests run on."""
    rows = []
    for name in dict.fromkeys(version.cobbler for version in VERSIONS):
        pythons = [version.python or THIS for version in VERSIONS if version.cobbler == name]
        numbers = tuple(map(int, re.findall(r"\d+", name.partition("b")[0])))
        limits = "; ".join(limits_of(numbers)) or "–"
        rows.append("| %s | %s | %s |\n" % (name, ", ".join(sorted(pythons, key=_order)), limits))
    pythons = sorted({*PYTHONS, THIS}, key=_order)
    since, before = (".".join(map(str, each)) for each in (this_cobbler.SINCE, this_cobbler.BEFORE))
    return _COMPATIBILITY.format("".join(rows), ", ".join(pythons), since, before)


def _order(python: str) -> Tuple[int, ...]:
    return tuple(map(int, python.split(".")))


if __name__ == "__main__":
    COMPATIBILITY.write_text(compatibility(), encoding="utf-8")
    VARIABLES.write_text(variables(), encoding="utf-8")
    README.write_text(readme(), encoding="utf-8")
