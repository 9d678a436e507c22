"""What is wrong with somebody's configuration, said so that it can be put right."""

from typing import Any, NamedTuple

_SHOWN_CHARACTERS = 60


class Problem(NamedTuple):
    """A finding about one field of one Cobbler object.

    ``subject`` is the system or profile, ``field`` the Cobbler field or template variable,
    ``wrong`` says what is wrong with it and ``right`` what would be right.
    """

    subject: str
    field: str
    wrong: str
    right: str

    def __str__(self) -> str:
        return "%s: %s: %s; %s" % (self.subject, self.field, self.wrong, self.right)


def shown(value: Any) -> str:
    """A value as a message may show it: one line, printable, quoted, and cut when it is huge."""
    text = repr(value)
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    return "%s… (%d characters)" % (text[:_SHOWN_CHARACTERS], len(str(value)))
