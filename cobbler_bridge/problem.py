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
        return "%s: %s: %s; %s" % (
            one_line(self.subject),
            one_line(self.field),
            self.wrong,
            self.right,
        )


def shown(value: Any) -> str:
    """A value as a message may show it: one line, printable, quoted, and cut when it is huge."""
    text = repr(value)
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    return "%s… (%d characters)" % (text[:_SHOWN_CHARACTERS], len(str(value)))


def one_line(name: str) -> str:
    """A name in one line: Cobbler takes names of variables, even of systems, with a newline."""
    return name if name.isprintable() else repr(name)[1:-1]
