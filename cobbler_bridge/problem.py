"""What is wrong with somebody's configuration, said so that it can be put right."""

from itertools import islice
from typing import Any, Dict, Iterable, NamedTuple

from cobbler_bridge import findings
from cobbler_bridge.findings import Kind

_SHOWN_CHARACTERS = 60
# of a value inside of others, how many of them are shown and how deep
_SHOWN_ITEMS, _SHOWN_DEPTH = 8, 3
_NUMBER_BITS = 256
_LINE_CHARACTERS = 1000


class _Fields(NamedTuple):
    subject: str
    field: str
    wrong: str
    right: str
    kind: Kind


class Problem(_Fields):
    """A finding about one field of one Cobbler object.

    ``subject`` is the system or profile, ``field`` the Cobbler field or template variable,
    ``wrong`` says what is wrong with it and ``right`` what would be right. Each is one line of
    printable text, whatever it was made of: a problem ends up in comments and on terminals.
    ``kind`` is which of all findings it is; most are about what somebody asks for and can't have.
    """

    __slots__ = ()

    def __new__(
        cls, subject: str, field: str, wrong: str, right: str, kind: Kind = findings.REFUSED
    ) -> "Problem":
        """Each text in one line."""
        return super().__new__(cls, line(subject), line(field), line(wrong), line(right), kind)

    @classmethod
    def _make(cls, iterable: Iterable[Any]) -> "Problem":  # type: ignore[override]
        """What ``_replace`` calls: past ``__new__`` it would take any text."""
        return cls(*iterable)

    def __str__(self) -> str:
        return "%s: %s: %s; %s" % self[:4]

    def as_data(self) -> Dict[str, str]:
        """The finding for JSON. The keys are part of the public interface."""
        return {
            "subject": self.subject,
            "field": self.field,
            "wrong": self.wrong,
            "right": self.right,
            "id": self.kind.id,
            "severity": self.kind.severity,
        }


def shown(value: Any) -> str:
    """A value as a message may show it: one line, printable, quoted, and cut when it is huge."""
    text = _shown(value, _SHOWN_DEPTH)
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    count = " (%d characters)" % len(value) if isinstance(value, str) else ""
    return "%s…%s" % (text[:_SHOWN_CHARACTERS], count)


def _shown(value: Any, depth: int) -> str:
    """The beginning of what ``repr`` gives, which takes its time over much and fails on depth."""
    if isinstance(value, (str, bytes)):
        return repr(value[: _SHOWN_CHARACTERS + 1])
    if isinstance(value, int):
        # Python refuses to write a huge one in decimal
        small = value.bit_length() <= _NUMBER_BITS
        return repr(value) if small else "<a number of %d bits>" % value.bit_length()
    if value is None or isinstance(value, float):
        return repr(value)
    if depth and isinstance(value, (list, tuple, dict)):
        texts = [_shown(each, depth - 1) for each in islice(value, _SHOWN_ITEMS)]
        if isinstance(value, dict):
            each_value = (_shown(each, depth - 1) for each in value.values())
            texts = ["%s: %s" % pair for pair in zip(texts, each_value)]
        texts += ["…"] * (len(value) > _SHOWN_ITEMS)
        return ("{%s}" if isinstance(value, dict) else "[%s]") % ", ".join(texts)
    return "<%s>" % type(value).__name__


def one_line(name: str) -> str:
    """A name in one line: Cobbler takes names of variables, even of systems, with a newline."""
    return name if name.isprintable() else repr(name)[1:-1]


def line(text: str) -> str:
    """A text in one printable line, which UTF-8 can carry, and cut when it is huge."""
    plain = one_line(text[: _LINE_CHARACTERS + 1])
    if len(plain) <= _LINE_CHARACTERS:
        return plain
    end = "… (%d characters)" % len(text)
    return plain[: _LINE_CHARACTERS - len(end)] + end
