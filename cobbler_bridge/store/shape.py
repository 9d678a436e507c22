"""What Cobbler's answers must look like as a whole; what is of no use at all is refused.

A field of one item may hold anything: Cobbler takes a list or a mapping in the place of a text. Who
reads it does so by ``typed``, so that one bad item is no hindrance to the others.
"""

from typing import Any, Dict, List

from cobbler_bridge.problem import shown
from cobbler_bridge.store.wire import AnswerError

Data = Dict[str, Any]


def _wrong(what: str, value: Any, wanted: str) -> AnswerError:
    return AnswerError("%s: %s is no %s" % (what, shown(value), wanted))


def struct(value: Any, what: str) -> Data:
    """A struct; ``what`` is said of anything else."""
    if not isinstance(value, dict):
        raise _wrong(what, value, "struct")
    return value


def text(value: Any, what: str) -> str:
    """A text that says something."""
    if not isinstance(value, str) or not value:
        raise _wrong(what, value, "text")
    return value


def structs(value: Any, what: str) -> List[Data]:
    """A list of structs."""
    if not isinstance(value, list):
        raise _wrong(what, value, "list")
    return [struct(each, what) for each in value]


def texts(value: Any, what: str) -> List[str]:
    """A list of texts."""
    if not isinstance(value, list):
        raise _wrong(what, value, "list")
    return [text(each, what) for each in value]


def item(value: Any, what: str) -> Data:
    """An item of Cobbler's, which has a name."""
    fields = struct(value, what)
    text(fields.get("name"), what + ": name")
    return fields


def major(version: Any) -> int:
    """The first number of what extended_version answers."""
    numbers = struct(version, "extended_version").get("version_tuple")
    if not isinstance(numbers, list) or not numbers or not isinstance(numbers[0], int):
        raise _wrong("extended_version: version_tuple", numbers, "version")
    return int(numbers[0])
