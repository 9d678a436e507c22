"""Whether a preseed or user-data, as Cobbler renders it, has a host fetch its script. Pure."""

import re
from typing import List, Tuple

from cobbler_bridge import findings
from cobbler_bridge.findings import Kind
from cobbler_bridge.plan.delivery import SCRIPT

# What is wrong, what would be right, and which finding that is
Finding = Tuple[str, str, Kind]

_IS_PRESEED = re.compile(r"(?m)^[ \t]*d-i[ \t]")
_IS_USER_DATA = re.compile(r"(?m)^(#cloud-config\b|autoinstall:)")
# a line goes on behind a backslash
_LATE = re.compile(r"(?m)^[ \t]*d-i[ \t]+preseed/late_command[ \t]+string[ \t]*((?:\\\n|.)*)")
_COMMENT = re.compile(r"(?m)^[ \t]*#.*")
# a shell in the target without what in-target and curtin mount there
_BARE = re.compile(r"%s[^;&\n]*\|[^;&\n]*\bchroot\b|(?<!-)\bchroot\b[^;&\n]*%s" % (SCRIPT, SCRIPT))
_IN_TARGET = re.compile(r"\bin-target\b[^;&\n]*%s" % SCRIPT)
# Cobbler's own late commands, which write ifupdown's file anew
_UNDONE = re.compile(r"(?s)script=%s\b.*script=(\S*preseed_late_default)\b" % SCRIPT)
_INSTALLED = re.compile(r"op/trig/mode/post/")
_RIGHT = "the line that 'cobbler-bridge render' shows for it"


def wrongs(text: str, has_script: bool, told: bool) -> List[Finding]:
    """What is wrong with a text that is no kickstart; nothing where it is something else.

    ``has_script`` says that the script itself stands in it, ``told`` that Cobbler hears of the end
    of an installation.
    """
    if _IS_PRESEED.search(text):
        return _preseed(_COMMENT.sub("", text), has_script)
    if _IS_USER_DATA.search(text):
        return _user_data(_COMMENT.sub("", text), has_script, told)
    return []


def _preseed(text: str, has_script: bool) -> List[Finding]:
    if has_script:
        wrong = "has $SNIPPET('bridge_setup'), and a preseed can't carry a script"
        return [(wrong, _RIGHT, findings.NOT_CARRIED)]
    late: List[str] = _LATE.findall(text)
    if len(late) > 1:
        wrong = "has preseed/late_command %d times, and the last one replaces the others"
        right = "one line with the commands of all, ';' between them"
        return [(wrong % len(late), right, findings.LATE_TWICE)]
    found = _fetched("".join(late), "preseed/late_command")
    for script in _UNDONE.findall("".join(late)):
        wrong = "runs %s before %s, which writes /etc/network/interfaces anew" % (SCRIPT, script)
        found.append((wrong, "the commands for ours behind all others", findings.OVERWRITTEN))
    return found


def _user_data(text: str, has_script: bool, told: bool) -> List[Finding]:
    if has_script:
        wrong = "has $SNIPPET('bridge_setup') in YAML, where its first line alone is indented"
        return [(wrong, _RIGHT, findings.NOT_CARRIED)]
    found = _fetched(text, "late command")
    if told and not _INSTALLED.search(text):
        wrong = "doesn't tell Cobbler that it is installed: its record stays at installing"
        right = "the late command for it that 'cobbler-bridge render' shows"
        found.append((wrong, right, findings.NEVER_TELLS))
    return found


def _fetched(text: str, where: str) -> List[Finding]:
    if SCRIPT not in text:
        return [("has no %s that fetches %s" % (where, SCRIPT), _RIGHT, findings.NOT_FETCHED)]
    if _BARE.search(text) and not _IN_TARGET.search(text):
        wrong = "runs %s in a bare chroot, which has no /proc and no /sys" % SCRIPT
        return [(wrong, _RIGHT, findings.BARE_CHROOT)]
    return []
