"""A word for what is described, by which a host and Cobbler find out whether they mean the same.

It says nothing of the check itself, nor of whom the description is about. A field that has its
default counts for nothing: one that is new in a later version changes no digest.
"""

import hashlib
import json
from typing import Any

from cobbler_bridge.description.describe import Description, FirstBoot

# one more when the same description gets another digest: those of two kinds are not compared
_KIND = "1"
_LETTERS = 16
_ENCODER = json.JSONEncoder(sort_keys=True)


def digest(description: Description) -> str:
    """The digest of a description: letters, digits and a ``-``."""
    bare = description._replace(subject="", first_boot=FirstBoot(), remarks=(), macs=())
    text = _ENCODER.encode(_plain(bare))
    return "%s-%s" % (_KIND, hashlib.sha256(text.encode()).hexdigest()[:_LETTERS])


def differ(one: str, other: str) -> bool:
    """Whether two digests are of the same kind, and of different descriptions."""
    kinds = [each.partition("-")[0] for each in (one, other)]
    return kinds[0] == kinds[1] and one != other


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", None)
        if fields is None:
            return [_plain(each) for each in value]
        defaults = getattr(value, "_field_defaults", {})
        known = {
            name: _plain(each)
            for name, each in zip(fields, value)
            if name not in defaults or defaults[name] != each
        }
        return [type(value).__name__, known]
    return str(value)
