"""Whether the kickstarts of hosts and profiles set up the bridge that they ask for.

What counts is what a machine gets: the text as Cobbler renders it.
"""

import functools
import itertools
import re
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Tuple

from cobbler_bridge import findings
from cobbler_bridge.check import installation_files
from cobbler_bridge.check.installation_files import Finding
from cobbler_bridge.check.site import Site
from cobbler_bridge.findings import Kind
from cobbler_bridge.plan.anaconda import INCLUDED
from cobbler_bridge.plan.plan import packages
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.script import render

SNIPPET = "bridge_setup"
_TARGET = "os_version"
_RIGHT = "put $SNIPPET('%s') at the end of its %%post section" % SNIPPET
# https://pykickstart.readthedocs.io/en/latest/kickstart-docs.html: how sections begin and end
_SECTION = re.compile(
    r"%(addon|anaconda|certificate|end|onerror|packages|post|pre-install|pre|traceback)\b(.*)"
)
_INTERPRETER = re.compile(r"--interpreter[= ]\s*[\"']?(\S+?)[\"']?(?=\s|$)")
_SHELLS = frozenset(("sh", "bash", "dash", "ksh", "busybox"))
# what Cobbler says in the place of a text, in every version
_FAILED = re.compile(r"# (?:This .*had errors that prevented it|\*\*\* ERROR \*\*\*)")
_NO_FILE = re.compile(r"# automatic installation file \S+ not found|# .* value missing or invalid")
_NO_SNIPPET = re.compile(r"(?m)^.*# Error: no snippet data for %s$" % SNIPPET)
_CALL = re.compile(r"(?m)^[^#\n]*/op/trig/mode/post/")
_EXIT = re.compile(r"exit\b")
# Cobbler's own snippet says so of itself
_RIVAL = "post_install_network_config"
_OF_THE_RIVAL = "# Start %s generated code" % _RIVAL
# where the readers of the network's configuration look, and what a command writes there
_PLACE = (
    r"(?:/etc/sysconfig/network-scripts/(?:ifcfg|route6?|rule6?)-"
    r"|/etc/NetworkManager/system-connections/)"
)
_OVERWRITES = re.compile(
    r"""(?x) >\s*["']?\S*? (?:{place}|ifcfg-)
    | \b(?:rm|tee)\b [^|;&\#]* \s\S*? {place}
    | \b(?:cp|mv|ln|install|rsync)\b [^|;&\#]* \s\S*? {place}\S* \s*(?:$|[;&|])
    | \b(?:sed|perl)\b [^|;&\#]* \s-\w*i [^|;&\#]* {place}
    | \bnmcli\b [^|;&\#]* \sc(?:on(?:nection)?)?\s+(?:a|m|d|cl|i)\w* """.format(place=_PLACE)
)


class Line(NamedTuple):
    """A line of a kickstart: the section that it stands in (``""`` in none), what is said behind
    that section's name, and which of them it is."""

    section: str
    options: str
    number: int
    text: str


def kickstarts(site: Site) -> Iterator[Problem]:
    """Hosts and profiles that ask for a bridge, and whose kickstart doesn't set it up.

    What all hosts of a profile have wrong, or the profile itself has, is said of the profile.
    """
    known = {each: _of(site, *each) for each in site.planned}
    hosts: Dict[str, List[Tuple[str, str]]] = {}
    for kind, name in known:
        if kind == "system":
            hosts.setdefault(site.systems[name].profile, []).append((kind, name))
    for (kind, name), found in known.items():
        if kind == "profile":
            yield from (Problem(name, *each) for each in found)
    for profile, of_it in hosts.items():
        said = known.get(("profile", profile), [])
        shared = set(known[of_it[0]]).intersection(*(known[each] for each in of_it))
        if site.is_part:
            # nobody knows what all of them have
            shared = set()
        if ("profile", profile) in known:
            yield from (Problem(profile, *each) for each in sorted(shared.difference(said)))
            said = [*said, *shared]
        for each in of_it:
            yield from (Problem(each[1], *words) for words in known[each] if words not in said)


def _of(site: Site, kind: str, name: str) -> List[Tuple[str, str, str, Kind]]:
    """What is wrong with a kickstart: field, what is wrong, what would be right, and its kind."""
    planned = site.planned[kind, name]
    if any(each.field == _TARGET for each in planned.problems):
        # said already, and no kickstart helps
        return []
    item = site.systems[name] if kind == "system" else site.profiles[name]
    if not item.template:
        return [
            ("autoinstall", "is not set: nothing sets up the bridge", _RIGHT, findings.NO_KICKSTART)
        ]
    text = site.rendered.get((kind, name))
    if text is None:
        return []
    needed = frozenset(() if planned.plan is None else packages(planned.plan.steps))
    told = bool(site.settings.get("run_install_triggers", True))
    template = shown(item.template)
    return [
        ("autoinstall", "%s %s" % (template, wrong), right, kind)
        for wrong, right, kind in _wrongs(text, needed, told)
    ]


@functools.lru_cache(maxsize=1024)
def _wrongs(text: str, needed: FrozenSet[str], told: bool) -> List[Finding]:
    """What is wrong with a text and what would be right."""
    if _NO_FILE.match(text):
        return [("is no file", "the name of a template", findings.NO_KICKSTART)]
    if _FAILED.match(text):
        return [
            (
                "can't be rendered",
                "correct it; cobbler.log says what is wrong",
                findings.NO_KICKSTART,
            )
        ]
    lines = _lines(text)
    if not any(line.section for line in lines):
        return installation_files.wrongs(text, any(map(_is_ours, text.splitlines())), told)
    found = [_script(lines), *_beside(lines)]
    if told and not _CALL.search(text):
        found.append(
            (
                "doesn't tell Cobbler that it is installed: its record stays at installing",
                "put $SNIPPET('autoinstall_done') (4.0: 'built-in-autoinstall_done') at the end of "
                "its last %post section",
                findings.NEVER_TELLS,
            )
        )
    there = {line.text.strip() for line in lines if line.section == "packages"}
    missing = sorted(needed - there)
    if missing and there:
        found.append(
            (
                "has no %s among its packages: the script asks for it when all is installed"
                % " ".join(missing),
                "put $SNIPPET('bridge_packages') into its %packages section",
                findings.NO_PACKAGE,
            )
        )
    return [each for each in found if each is not None]


def _script(lines: List[Line]) -> Optional[Finding]:
    """What is wrong with where our script stands."""
    begins = [
        place
        for place, line in enumerate(lines)
        if _is_ours(line.text) and _next(lines, place) == render.FIRST
        if not _is_of_network(lines, place)
    ]
    if not begins:
        if any(_NO_SNIPPET.match(line.text) for line in lines):
            wrong = "has $SNIPPET('%s'), and Cobbler has no such snippet" % SNIPPET
            return wrong, "run cobbler-bridge install", findings.SNIPPET_MISSING
        wrong = "as Cobbler renders it has no $SNIPPET('%s')" % SNIPPET
        return wrong, _RIGHT + "; in an #if, what it asks must hold", findings.NO_SNIPPET
    if any(not lines[place].text.startswith("# " + render.RULE) for place in begins):
        return (
            "has $SNIPPET('%s') behind something else on its line; behind a #, which is no comment "
            "for Cobbler, it runs" % SNIPPET,
            "a line of its own; ## in place of a #, or take it away",
            findings.MISPLACED,
        )
    good = [place for place in begins if _runs_it(lines[place])]
    if not good:
        wrong = "has $SNIPPET('%s') in %s" % (SNIPPET, _where(lines[begins[0]]))
        return wrong, _RIGHT, findings.MISPLACED
    last = lines[good[-1]]
    before = [line.text for line in lines[: good[-1]] if line.number == last.number]
    if any(map(_EXIT.match, before)):
        wrong = "has $SNIPPET('%s') behind an exit: it never runs" % SNIPPET
        return wrong, _RIGHT, findings.MISPLACED
    return _undone(lines, good[-1])


def _runs_it(line: Line) -> bool:
    """Whether what stands there is run by a shell, on the installed system."""
    interpreter = _INTERPRETER.search(line.options)
    return (
        line.section == "post"
        and "--nochroot" not in line.options
        and (interpreter is None or interpreter.group(1).rpartition("/")[2] in _SHELLS)
    )


def _where(line: Line) -> str:
    if not line.section:
        return "no section"
    return "its section %s" % shown("%" + line.section + line.options.rstrip())


def _undone(lines: List[Line], begin: int) -> Optional[Finding]:
    """What overwrites the bridge's files behind our script."""
    rest = itertools.dropwhile(lambda line: not _ends(line.text), lines[begin:])
    rival = False
    for line in rest:
        rival = rival or line.text.startswith(_OF_THE_RIVAL)
        if line.section != "post" or line.text.lstrip().startswith("#"):
            continue
        if _OVERWRITES.search(line.text):
            what = "$SNIPPET('%s')" % _RIVAL if rival else shown(line.text.strip())
            return (
                "has %s behind $SNIPPET('%s'), and it overwrites the bridge" % (what, SNIPPET),
                _RIGHT,
                findings.OVERWRITTEN,
            )
    return None


def _is_ours(text: str) -> bool:
    return "# " + render.RULE in text


def _ends(text: str) -> bool:
    return _is_ours(text) and text.endswith(render.LAST)


def _next(lines: List[Line], place: int) -> str:
    return "".join(line.text for line in lines[place + 1 : place + 2])


def _is_of_network(lines: List[Line], place: int) -> bool:
    """Whether a script is that of bridge_network, which makes a file for anaconda."""
    return place > 0 and lines[place - 1].text == ": > " + INCLUDED


def _beside(lines: List[Line]) -> Iterator[Finding]:
    """Network commands beside those of bridge_network."""
    if not any(line.text == "%include " + INCLUDED for line in lines):
        return
    for line in lines:
        words = line.text.split()
        if line.section or words[:1] != ["network"]:
            continue
        if not all(word.startswith(("--hostname", "--no-activate")) for word in words[1:]):
            yield (
                "has %s beside $SNIPPET('bridge_network')" % shown(line.text.strip()),
                "take it away: anaconda would give the NIC a network of its own",
                findings.SECOND_NETWORK,
            )
            return


def _lines(text: str) -> List[Line]:
    """The lines of a kickstart."""
    found: List[Line] = []
    section, options, number = "", "", 0
    for line in text.splitlines():
        begins = _SECTION.match(line)
        if begins is not None:
            section, options = begins.groups()
            number += 1
            if section == "end":
                section, options = "", ""
        found.append(Line(section, options, number, line))
    return found
