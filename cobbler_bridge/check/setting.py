"""What ``cobbler-bridge set`` does: variables of profiles and systems change, and no others.

Everything is looked at before the first item is saved. A change is refused that brings an item a
problem which it does not have now; what was wrong before is ``cobbler-bridge check``'s to say.
"""

import difflib
import fnmatch
import re
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from cobbler_bridge import table
from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import wants_bridge
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.store import versions
from cobbler_bridge.store.over_xmlrpc import ItemError, XmlRpc

# what variables shall be, ``None`` for one that is taken away
Changes = Dict[str, Optional[str]]

_KEYS = {key.name: key for key in (*keys.HOST_KEYS, keys.HOST)}


class Item(NamedTuple):
    """A profile or system: its own variables, and those that it inherits."""

    kind: str
    name: str
    own: Mapping[str, Any]
    inherited: Mapping[str, Any]

    @property
    def meta(self) -> Dict[str, Any]:
        """The variables as they count."""
        return versions.merged([self.own, self.inherited])

    def changed(self, changes: Mapping[str, Optional[str]]) -> "Item":
        """The item as it will be."""
        own = {key: value for key, value in self.own.items() if key not in changes}
        own.update({key: value for key, value in changes.items() if value is not None})
        return self._replace(own=own)


class Edit(NamedTuple):
    """How an item changes: as few own variables as it takes."""

    item: Item
    changes: Changes


class Outcome(NamedTuple):
    """What will be saved; nothing at all where there are problems."""

    edits: List[Edit]
    problems: List[Problem]


def wanted(words: Sequence[str], unset: Sequence[str]) -> Changes:
    """What ``KEY=VALUE`` words and keys to unset ask for; raises ``ValueError`` for bad usage."""
    pairs = [word.partition("=") for word in words]
    for key, equals, _ in pairs:
        if not equals or not key:
            raise ValueError("%s is not KEY=VALUE" % shown(key + equals))
    changes: Changes = {key: value for key, _, value in pairs}
    changes.update(dict.fromkeys(unset))
    if not changes:
        raise ValueError("KEY=VALUE or --unset KEY is required")
    if len(changes) < len(pairs) + len(set(unset)):
        raise ValueError("each KEY can be given once")
    return changes


def unusable(subject: str, changes: Changes) -> List[Problem]:
    """Keys that are none of ours to set, and values that no item can have."""
    return [
        Problem(subject, key, *wrong)
        for key, value in changes.items()
        for wrong in [_unusable(key, value)]
        if wrong is not None
    ]


def _unusable(name: str, value: Optional[str]) -> Any:
    """What is wrong, and what would be right."""
    key = _KEYS.get(name)
    if key is None and name in keys.NAMES:
        return "is not read any more", "use cobbler-bridge record or place"
    if key is None:
        near = difflib.get_close_matches(name.lower(), list(_KEYS), 1)
        # the beginning may be left out, as in mtu=9000
        whole = "%s_%s" % (keys.BRIDGE.name, name.lower())
        near = [whole] if whole in _KEYS else near
        right = "did you mean %s?" % near[0] if near else "it can be one of " + ", ".join(_KEYS)
        return "is no variable of cobbler-bridge", right
    if value is None:
        return None
    try:
        if not value.isprintable():
            raise ValueError("can't be printed in one line")
        key.parse(value)
    except ValueError as error:
        return "%s %s" % (shown(value), error), "it can be " + key.accepts
    return None


# no pattern, and nothing that Cobbler takes for one
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+\Z")


def matching(known: Iterable[str], patterns: Iterable[str]) -> Dict[str, List[str]]:
    """The names that each pattern fits, with ``*`` and ``?``; a name as it stands fits itself."""
    found: Dict[str, List[str]] = {}
    names = set(known)
    for pattern in patterns:
        literal = pattern.replace("[", "[[]")
        fits = [name for name in names if fnmatch.fnmatchcase(name, literal)]
        found[pattern] = [pattern] if pattern in names else fits
    return found


def look(store: XmlRpc, kind: str, patterns: Sequence[str], changes: Changes) -> Outcome:
    """What is to be saved, after a look at all that would come of it."""
    # of many systems the names alone take their time
    plain = all(_PLAIN.match(pattern) for pattern in patterns)
    fits = matching(patterns if plain else store.names(kind), patterns)
    problems = [_missing(kind, pattern) for pattern in fits if not fits[pattern]]
    hosts = _hosts(store, changes)
    edits: List[Edit] = []
    for name in sorted({name for names in fits.values() for name in names}):
        try:
            found = store.variables(kind, name)
            if found is None:
                problems.append(_missing(kind, name))
                continue
            edit = edit_of(Item(kind, name, *found), changes, store.equals_stay)
            if edit.changes:
                edits.append(edit)
                problems += hostless(edit, hosts)
                if _named(edit) != [keys.HOST.name]:
                    # no plan depends on that; and 3.3.10 can't blend a guest that has an image
                    problems += new_problems(store.blended(kind, name) or {}, edit)
        except ItemError as error:
            problems.append(error.problem)
    return Outcome(edits, problems)


def _missing(kind: str, name: str) -> Problem:
    right = "name one of those that 'cobbler %s list' shows" % kind
    return Problem(name, kind, "there is none of this name", right)


def _hosts(store: XmlRpc, changes: Changes) -> List[str]:
    """The names that a guest's host can have, where somebody asks for one."""
    return [] if changes.get(keys.HOST.name) is None else store.names("system")


def edit_of(item: Item, wanted: Changes, equals_stay: bool) -> Edit:
    """What differs from what an item itself says now; ``!KEY`` is something that it says of KEY.

    Where ``equals_stay`` isn't so, Cobbler itself takes an own variable away that is as the
    inherited one.
    """
    changes: Changes = {}
    for key, value in wanted.items():
        if not equals_stay and value is not None and item.inherited.get(key) == value:
            value = None
        if value is None and key in item.own:
            changes[key] = None
        elif value is not None and not _is_text(item.own.get(key), value):
            changes[key] = value
        if "!" + key in item.own:
            changes["!" + key] = None
    return Edit(item, changes)


def _is_text(value: Any, text: str) -> bool:
    """Whether a value is this text, or the number that it is."""
    return isinstance(value, (str, int)) and not isinstance(value, bool) and str(value) == text


def hostless(edit: Edit, systems: Sequence[str]) -> List[Problem]:
    """A guest's new host that can't be one."""
    host = edit.changes.get(keys.HOST.name)
    if host is None:
        return []
    if host not in systems:
        near = difflib.get_close_matches(host, systems, 1)
        right = "did you mean %s?" % shown(near[0]) if near else "add that system first"
        return [Problem(edit.item.name, keys.HOST.name, "%s is no system" % shown(host), right)]
    if (edit.item.kind, edit.item.name) == ("system", host):
        wrong = "%s is the guest itself" % shown(host)
        right = "the name of the system that it runs on"
        return [Problem(host, keys.HOST.name, wrong, right)]
    return []


def new_problems(data: Mapping[str, Any], edit: Edit) -> List[Problem]:
    """What will be wrong with an item that is not now; ``data`` are its blended data now."""
    meta = edit.item.changed(edit.changes).meta
    then = {field: value for field, value in data.items() if field not in edit.changes}
    then.update({key: meta[key] for key in _named(edit) if key in meta})
    before = _problems(data)
    return [each for each in _problems(then) if each not in before]


def _named(edit: Edit) -> List[str]:
    """The variables that change, each once, whether or not it is written with ``!``."""
    return sorted({key.lstrip("!") for key in edit.changes})


def _problems(data: Mapping[str, Any]) -> List[Problem]:
    return make_plan(data)[1] if wants_bridge(data) else []


def save(store: XmlRpc, edits: Iterable[Edit]) -> Iterator[Edit]:
    """Save one after the other, as each is by then; gives each that is saved."""
    for edit in edits:
        store.edit(edit.item.kind, edit.item.name, edit.changes)
        yield edit


def as_text(edits: Sequence[Edit], dry_run: bool) -> str:
    """What changes, as a table."""
    if not edits:
        return "Nothing changes.\n"
    rows = [("KIND", "NAME", "VARIABLE", "NOW", "THEN")]
    for edit in edits:
        then = edit.item.changed(edit.changes)
        for key in _named(edit):
            now = _said(edit.item, key)
            rows.append((edit.item.kind, edit.item.name, key, now, _said(then, key)))
    return table.text(rows) + ("Nothing was written.\n" if dry_run else "")


def _said(item: Item, key: str) -> str:
    """The value of a variable, and where it comes from if it isn't the item's own."""
    if key not in item.meta:
        return "taken away (!%s)" % key if "!" + key in item.own else "-"
    if key in item.own:
        return _value(item.own[key])
    return "inherited: " + _value(item.inherited[key])


def _value(value: Any) -> str:
    if value is None:
        return "without a value"
    return value if isinstance(value, str) and value else shown(value)
