"""Whether an installation file that is no kickstart, as Cobbler renders it, has a host run its
script: a preseed, user-data, a profile of AutoYaST or of Agama. Pure."""

import json
import re
from typing import Any, Dict, Iterator, List, Tuple
from xml.etree import ElementTree

from cobbler_bridge import findings
from cobbler_bridge.findings import Kind
from cobbler_bridge.plan.delivery import SCRIPT
from cobbler_bridge.problem import shown
from cobbler_bridge.script import render

# What is wrong, what would be right, and which finding that is
Finding = Tuple[str, str, Kind]

_IS_PRESEED = re.compile(r"(?m)^[ \t]*d-i[ \t]")
_IS_USER_DATA = re.compile(r"(?m)^(#cloud-config\b|autoinstall:)")
_IS_AUTOYAST = re.compile(r"<profile\b[^>]*http://www\.suse\.com/1\.0/yast2ns")
_IS_AGAMA = re.compile(r"\s*\{")
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
    if _IS_AUTOYAST.search(text):
        return list(_autoyast(text, told))
    if _IS_AGAMA.match(text):
        return list(_agama(text, told))
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


_YAST = "{http://www.suse.com/1.0/yast2ns}"
_IN_INSTALLER = "runs %s in the installer, not in what it installs" % SCRIPT
# those that run in the target, or can
_IN_TARGET_SCRIPTS = ("chroot-scripts", "post-scripts", "init-scripts")
_CHROOTED = '<chrooted config:type="boolean">true</chrooted>'
# patterns and packages by which YaST puts a bridge of its own over each NIC
_VIRTUAL = re.compile(r"(kvm|xen)(_server|_tools)?\Z|qemu-kvm\Z|patterns-server-(kvm|xen)_server\Z")
_NO_PROPOSAL = (
    '<virt_bridge_proposal config:type="boolean">false</virt_bridge_proposal> in its networking'
)
# of AutoYaST's schema, by which a profile is tried since SLE 15 SP 3
_STOPS = "AutoYaST stops and asks"


def _autoyast(text: str, told: bool) -> Iterator[Finding]:
    try:
        profile = ElementTree.fromstring(text.lstrip().encode("utf-8"))
    except ElementTree.ParseError as error:
        yield "is no XML: %s" % error, "correct it", findings.UNREADABLE_FILE
        return
    ours = [
        (kind.tag[len(_YAST) :], script)
        for kind in profile.iterfind("%sscripts/*" % _YAST)
        for script in kind.iterfind(_YAST + "script")
        if _runs_ours(_said(script, "source") + _said(script, "location"))
    ]
    if not ours:
        wrong = "has no chroot-script that runs %s" % SCRIPT
        yield wrong, _RIGHT, findings.NOT_FETCHED
    elif not any(_is_in_target(kind, script) for kind, script in ours):
        kind, script = ours[0]
        if kind == "chroot-scripts":
            yield _IN_INSTALLER, _CHROOTED, findings.IN_INSTALLER
        else:
            wrong = "runs %s in %s, which is the installer" % (SCRIPT, kind)
            yield wrong, _RIGHT, findings.IN_INSTALLER
    if told and not _INSTALLED.search(text):
        wrong = "doesn't tell Cobbler that it is installed: its record stays at installing"
        right = "an init-script with $SNIPPET('autoinstall_done'), as in Cobbler's sample"
        yield wrong, right, findings.NEVER_TELLS
    yield from _own_bridge(profile)
    yield from _refused(profile)


def _said(element: "ElementTree.Element", name: str) -> str:
    return (element.findtext(_YAST + name) or "").strip()


def _runs_ours(text: str) -> bool:
    return SCRIPT in text or "# " + render.RULE in text


def _is_in_target(kind: str, script: "ElementTree.Element") -> bool:
    if kind == "chroot-scripts":
        return _said(script, "chrooted") == "true"
    return kind in _IN_TARGET_SCRIPTS


def _own_bridge(profile: "ElementTree.Element") -> Iterator[Finding]:
    """A bridge that YaST makes itself, where a hypervisor is to be installed."""
    software = profile.iterfind("%ssoftware/*/*" % _YAST)
    named = [each.text for each in software if _VIRTUAL.match((each.text or "").strip())]
    proposal = profile.find("%snetworking/%svirt_bridge_proposal" % (_YAST, _YAST))
    if named and (proposal is None or (proposal.text or "").strip() != "false"):
        wrong = "has %s, for which YaST puts a bridge of its own over each NIC"
        yield wrong % shown((named[0] or "").strip()), _NO_PROPOSAL, findings.OWN_BRIDGE


def _refused(profile: "ElementTree.Element") -> Iterator[Finding]:
    """What today's schema has no place for, and Cobbler's own snippets write."""
    wrong = "has <%s> in %s, which its schema does not know: %s"
    for path, where in (
        ("scripts/*/script/network_needed", "a script"),
        ("scripts/init-scripts/script/interpreter", "an init-script"),
        ("networking/dns/dhcp_resolv", "dns"),
    ):
        names = path.split("/")
        place = "/".join(name if name == "*" else _YAST + name for name in names)
        if profile.find(place) is not None:
            yield wrong % (names[-1], where, _STOPS), "leave it out", findings.NOT_IN_SCHEMA
    servers = profile.find("{0}networking/{0}dns/{0}nameservers".format(_YAST))
    if servers is not None and not len(servers):
        wrong = "has <nameservers> without one, which its schema does not allow: %s" % _STOPS
        yield wrong, "leave it out, or name_servers", findings.NOT_IN_SCHEMA


def _agama(text: str, told: bool) -> Iterator[Finding]:
    try:
        profile = json.loads(text)
    except ValueError as error:
        yield "is no JSON: %s" % error, "correct it", findings.UNREADABLE_FILE
        return
    found = list(_scripts(profile))
    ours = [
        (kind, script)
        for kind, script in found
        if _runs_ours(" ".join(str(script.get(key, "")) for key in ("url", "content", "body")))
    ]
    if not ours:
        yield "has no script in post that fetches %s" % SCRIPT, _RIGHT, findings.NOT_FETCHED
    elif not any(kind in ("post", "init") and script.get("chroot", True) for kind, script in ours):
        yield _IN_INSTALLER, _RIGHT, findings.IN_INSTALLER
    if told and not _INSTALLED.search(text) and "agama_late_default" not in text:
        wrong = "doesn't tell Cobbler that it is installed: its record stays at installing"
        right = "a script in post with the URL of agama_late_default, as in Cobbler's sample"
        yield wrong, right, findings.NEVER_TELLS


def _scripts(profile: Any) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Each script with when it runs; what is of another type is none."""
    kinds = profile.get("scripts") if isinstance(profile, dict) else None
    for kind, scripts in (kinds if isinstance(kinds, dict) else {}).items():
        for script in scripts if isinstance(scripts, list) else []:
            if isinstance(script, dict):
                yield kind, script
