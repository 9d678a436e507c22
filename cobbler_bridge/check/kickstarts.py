"""Whether the kickstarts of hosts and profiles set up the bridge that they ask for."""

import re
from typing import Iterator, List, Match, Optional, Sequence, Set, Tuple

from cobbler_bridge.check.site import Machine, Site
from cobbler_bridge.problem import Problem, shown

SNIPPET = "bridge_setup"
_TEMPLATES, _SNIPPETS = "autoinstall_templates_dir", "autoinstall_snippets_dir"
_INCLUDED = re.compile(r"""\$?\{?SNIPPET(?:::|\(\s*['"])([A-Za-z0-9_./-]+)(?:['"]\s*\)\}?)?""")
# Cheetah's comments
_COMMENT = re.compile(r"#\*.*?\*#|##[^\n]*", re.DOTALL)
# the wrapper for SUSE names the snippet in a variable
_NAMED = re.compile(r"""(?:SNIPPET::|['"])%s\b""" % SNIPPET)
# what Cobbler itself brings to write a system's network
_RIVAL = "post_install_network_config"
# https://pykickstart.readthedocs.io/en/latest/kickstart-docs.html: how sections begin and end
_SECTION = re.compile(
    r"%(addon|anaconda|certificate|end|onerror|packages|post|pre-install|pre|traceback)\b(.*)"
)
_POST, _OUTSIDE = "post", "post --nochroot"
_TARGET = "os_version"
_RIGHT = "put $SNIPPET('%s') at the end of its %%post section" % SNIPPET

# The kinds and names that a snippet may have a text of its own for, in Cobbler's order
Owners = Sequence[Tuple[str, str]]


def kickstarts(site: Site) -> Iterator[Problem]:
    """Hosts and profiles that ask for a bridge, and whose kickstart doesn't set it up."""
    if site.machine is None:
        return
    for name, template, owners in _wanted(site):
        problem = _kickstart(site.machine, name, template, owners)
        if problem is not None:
            yield problem


def _wanted(site: Site) -> Iterator[Tuple[str, str, Owners]]:
    """The kickstarts to look at: whose they are, their file, and their snippets' owners."""
    for (kind, name), planned in site.planned.items():
        if any(each.field == _TARGET for each in planned.problems):
            # said already, and no kickstart helps
            continue
        profile = site.profiles.get(site.systems[name].profile if kind == "system" else name)
        owners = [] if profile is None else [("profile", profile.name), ("distro", profile.distro)]
        if kind == "system":
            system = site.systems[name]
            if (
                profile is None
                or profile.template != system.template
                or ("profile", profile.name) not in site.planned
            ):
                yield name, system.template, [(kind, name), *owners]
            # else it is said of the profile
        elif profile is not None:
            yield name, profile.template, owners


def _kickstart(machine: Machine, name: str, template: str, owners: Owners) -> Optional[Problem]:
    if not template:
        return Problem(name, "autoinstall", "is not set: nothing sets up the bridge", _RIGHT)
    if "://" in template:
        # from elsewhere: nobody here can look
        return None
    text = machine.text(_TEMPLATES, template)
    if text is None:
        wrong = "%s is no file" % shown(template)
        return Problem(name, "autoinstall", wrong, "the name of a template")
    wrong, right = _wrong(_whole(machine, text, owners, set()))
    return Problem(name, "autoinstall", shown(template) + wrong, right) if wrong else None


def _whole(machine: Machine, text: str, owners: Owners, above: Set[str]) -> str:
    """A text without its comments, each snippet's text behind the name that includes it."""

    def included(match: "Match[str]") -> str:
        name = match.group(1)
        below = None if name in above or name == SNIPPET else _snippet(machine, name, owners)
        if below is None:
            return match.group()
        return "%s\n%s\n" % (match.group(), _whole(machine, below, owners, {*above, name}))

    return _INCLUDED.sub(included, _COMMENT.sub("", text))


def _snippet(machine: Machine, name: str, owners: Owners) -> Optional[str]:
    """A snippet's text, which a system, profile or distro may have one of its own of."""
    paths = ["per_%s/%s/%s" % (kind, name, owner) for kind, owner in owners]
    texts = (machine.text(_SNIPPETS, path) for path in [*paths, name])
    return next((text for text in texts if text is not None), None)


def _wrong(text: str) -> Tuple[str, str]:
    """What is wrong with a kickstart and what would be right, both empty where nothing is."""
    sections = _sections(text)
    places = [place for place, (_, line) in enumerate(sections) if _NAMED.search(line)]
    if not places:
        return " has no $SNIPPET('%s')" % SNIPPET, _RIGHT
    if all(section is None for section, _ in sections):
        # no kickstart, or one whose sections are written elsewhere
        return "", ""
    good = [place for place in places if sections[place][0] == _POST]
    if not good:
        where = sections[places[0]][0]
        words = "no section" if where is None else "its %%%s section" % where
        return " has $SNIPPET('%s') in %s" % (SNIPPET, words), _RIGHT
    rest = [line for section, line in sections[good[-1] + 1 :] if section == _POST]
    if any(_RIVAL in _INCLUDED.findall(line) for line in rest):
        return (
            " has $SNIPPET('%s') behind $SNIPPET('%s'), and it overwrites the bridge"
            % (_RIVAL, SNIPPET),
            _RIGHT,
        )
    return "", ""


def _sections(text: str) -> List[Tuple[Optional[str], str]]:
    """The lines of a kickstart, each with its section; ``None`` where it is in none."""
    section: Optional[str] = None
    found = []
    for line in text.splitlines():
        begins = _SECTION.match(line)
        if begins is not None:
            name, rest = begins.groups()
            section = None if name == "end" else name
            if name == _POST and "--nochroot" in rest:
                section = _OUTSIDE
        found.append((section, line))
    return found
