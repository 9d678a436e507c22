"""What an item of Cobbler says, as plain data: its own fields, and what it inherits."""

from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Set, Tuple

from cobbler_bridge import typed
from cobbler_bridge.problem import shown
from cobbler_bridge.store import versions
from cobbler_bridge.store.inventory import INHERITED, Interface, System
from cobbler_bridge.store.wire import AnswerError

Data = Dict[str, Any]


ADDRESS_FIELDS = ("ip_address", "ipv6_address")


def as_dict(value: Any) -> Data:
    """Variables that are not set, or inherited, are no dict."""
    return value if isinstance(value, dict) else {}


def system_of(fields: Mapping[str, Any], meta: Mapping[str, Any], template: str = "") -> System:
    """A system, from its own fields and its variables with all that it inherits."""
    return System(
        name=text_of(fields, "name"),
        profile=text_of(fields, "profile"),
        meta=meta,
        own_meta=typed.fields(fields.get("autoinstall_meta")),
        interfaces=tuple(_interfaces(typed.fields(fields.get("interfaces")))),
        created=typed.seconds(fields.get("ctime")),
        template=template,
        unreadable=tuple(_unreadable(fields)),
        uid=text_of(fields, "uid"),
    )


# what is read of a system and of an interface that is one word
_WORDS = ("profile", "image", "autoinstall")
_INTERFACE_WORDS = (
    "interface_type",
    "virt_bridge",
    *ADDRESS_FIELDS,
    "mac_address",
    "interface_master",
)


def unreadable_words(
    fields: Mapping[str, Any], names: Iterable[str], of: str = ""
) -> Iterable[Tuple[str, str]]:
    """The fields in which something else stands than one word, and what is wrong with each."""
    for name in names:
        if typed.text(fields.get(name)) is None:
            yield name + of, "%s is not a text" % shown(fields[name])


def _unreadable(fields: Mapping[str, Any]) -> Iterable[Tuple[str, str]]:
    """What of a system can't be read, and counts as not set; in the words of ``description``."""
    yield from unreadable_words(fields, _WORDS)
    records = fields.get("interfaces") or {}
    if not isinstance(records, Mapping):
        yield "interfaces", "%s is no mapping of names to records" % shown(records)
    for name, record in typed.fields(records).items():
        if record and not isinstance(record, Mapping):
            words = shown(record), shown(name)
            yield "interfaces", "%s of %s is no record of an interface" % words
        of, known = " of " + name, typed.fields(record)
        yield from unreadable_words(known, _INTERFACE_WORDS, of)
        if typed.flag(known.get("static")) is None:
            yield "static" + of, "%s is not true or false" % shown(known["static"])


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """A field of an item; one that is no text is the same as one that is not set."""
    return typed.text(fields.get(name)) or ""


def _interfaces(records: Mapping[str, Any]) -> Iterable[Interface]:
    for name in sorted(records):
        fields = typed.fields(records[name])
        addresses = (text_of(fields, field) for field in ADDRESS_FIELDS)
        yield Interface(
            name,
            kind=text_of(fields, "interface_type").lower(),
            virt_bridge=text_of(fields, "virt_bridge"),
            addresses=tuple(each for each in addresses if each),
            mac=text_of(fields, "mac_address"),
            master=text_of(fields, "interface_master"),
            static=typed.flag(fields.get("static")) or False,
        )


def at_top_level(data: Data) -> Data:
    """Blended data as a template sees them, each variable beside Cobbler's own fields."""
    data = versions.blended(data)
    data.update(as_dict(data.pop("autoinstall_meta", None)))
    return data


def of_interfaces(records: Mapping[str, Any]) -> Data:
    """The fields of interfaces as blended data have them too, each beside Cobbler's own fields."""
    return {
        "%s_%s" % (field, name): value
        for name, record in records.items()
        for field, value in typed.fields(record).items()
    }


# the fields that say what an item inherits from, the nearest first, and its kind
_UPPER = (
    ("profile", "profile"),
    ("image", "image"),
    ("parent", "profile"),
    ("distro", "distro"),
)


# the kinds of items that systems and profiles inherit from
PARENTS = tuple(sorted({kind for _, kind in _UPPER}))


# more than anybody has of profiles that inherit from each other
_GENERATIONS = 100


def above(item: Mapping[str, Any]) -> Optional[Tuple[str, str]]:
    """The kind and the name of what an item inherits from; a profile of a profile has a distro
    too."""
    named = ((kind, text_of(item, field)) for field, kind in _UPPER)
    return next((each for each in named if each[1]), None)


def lineage(
    item: Mapping[str, Any], find: Callable[[str, str], Optional[Mapping[str, Any]]]
) -> List[Mapping[str, Any]]:
    """A system or profile, the profiles that it inherits from, and their distro, or its image, the
    nearest first.

    ``find`` gives an item by its kind and name. A circle, in which Cobbler itself would go round
    without end, is refused.
    """
    chain = [item]
    seen: Set[Tuple[str, str]] = set()
    while True:
        upper = above(chain[-1])
        parent = None if upper is None else find(*upper)
        if upper is None or parent is None:
            return chain
        if upper in seen or len(seen) > _GENERATIONS:
            words = upper[0], shown(upper[1]), _GENERATIONS
            raise AnswerError("%s %s inherits from itself, or from more than %d" % words)
        seen.add(upper)
        chain.append(parent)


def lineage_of(
    item: Mapping[str, Any], parents: Mapping[str, Mapping[str, Any]]
) -> List[Mapping[str, Any]]:
    """An item and all that it inherits from, the nearest first."""
    return lineage(item, lambda kind, name: parents.get(kind, {}).get(name))


def distro_of(item: Mapping[str, Any], parents: Mapping[str, Mapping[str, Any]]) -> str:
    """The distro's name, as it is inherited."""
    named = (text_of(each, "distro") for each in reversed(lineage_of(item, parents)))
    return next(filter(None, named), "")


def template_of(item: Mapping[str, Any], parents: Mapping[str, Mapping[str, Any]]) -> str:
    """The file of the kickstart, as it is inherited."""
    named = (text_of(each, "autoinstall") for each in lineage_of(item, parents))
    return next((each for each in named if each and each != INHERITED), "")


def merged_of(item: Mapping[str, Any], parents: Mapping[str, Mapping[str, Any]]) -> Data:
    """The variables of a system or profile with what it inherits, as Cobbler merges them."""
    return versions.merged([each.get("autoinstall_meta") for each in lineage_of(item, parents)])
