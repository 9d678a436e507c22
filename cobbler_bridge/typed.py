"""What Cobbler's data carry, read as the type that is meant.

A field may hold anything: Cobbler's files and XML-RPC take numbers, lists and mappings, in each
other too, where a text is meant, and variables stand in place of Cobbler's own fields. Each
function returns ``None`` for what can't be meant, and raises for nothing.
"""

from collections import abc
from typing import Any, Dict, Optional, Tuple

# Cobbler's XML-RPC writes it for a field without a value
UNSET = "~"
_NUMBER_BITS = 64
_FLAGS = {"": False, "0": False, "1": True, "false": False, "true": True}


def written(value: Any) -> Optional[str]:
    """A text, or a number as it is written; ``None`` for what has no value too."""
    if isinstance(value, int) and not isinstance(value, bool):
        # Python refuses to write a huge one in decimal
        return "%d" % value if value.bit_length() <= _NUMBER_BITS else None
    return value if isinstance(value, str) and value != UNSET else None


def text(value: Any) -> Optional[str]:
    """The same for a field, which is empty where it is not set."""
    return written(value) if value and value != UNSET else ""


def words(value: Any) -> Optional[Tuple[str, ...]]:
    """A list of texts, or a text with blanks between."""
    if isinstance(value, (list, tuple)):
        found = [each.strip() for each in map(text, value) if each is not None]
        return tuple(found) if len(found) == len(value) else None
    known = text(value)
    return None if known is None else tuple(known.split())


def flag(value: Any) -> Optional[bool]:
    """Whether something is so; not where the field is not set."""
    if isinstance(value, bool):
        return value
    known = text(value)
    return None if known is None else _FLAGS.get(known.lower())


def fields(value: Any) -> Dict[str, Any]:
    """A mapping by names; nothing for what is none."""
    named = value.items() if isinstance(value, abc.Mapping) else ()
    return {name: each for name, each in named if isinstance(name, str)}


def seconds(value: Any) -> float:
    """A time in seconds since 1970, 0 where it isn't known."""
    known = isinstance(value, (int, float)) and 0 <= value < 1e12
    return float(value) if known else 0.0


def identity(value: Any) -> Optional[str]:
    """The same for equal data and for no others; ``None`` where they are too deep or too large
    to be told from others."""
    try:
        return repr(value)
    except (RecursionError, ValueError):
        return None
