"""Reads variables and Cobbler's own fields out of blended data, and collects what is wrong."""

import difflib
import re
from typing import Any, Callable, List, Mapping, Optional, Tuple, TypeVar

from cobbler_bridge import addresses, findings, typed
from cobbler_bridge.description import keys
from cobbler_bridge.description.keys import Key
from cobbler_bridge.problem import Problem, shown

T = TypeVar("T")

_NAMES = ("system_name", "profile_name", "name")
# no variable has a longer name, and a comparison takes its time
_NAME_CHARACTERS = 60


def subject_of(data: Mapping[str, Any]) -> str:
    """The name of the system or profile that blended data belong to."""
    names = (typed.text(data.get(field)) for field in _NAMES)
    return next(filter(None, names), "?")


class Reader:
    """Reads declared variables out of blended data and collects the problems."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.subject = subject_of(data)
        self.problems: List[Problem] = []
        self.remarks: List[Problem] = []

    def problem(self, field: str, wrong: str, right: str) -> None:
        """Note what is wrong with one field."""
        self.problems.append(Problem(self.subject, field, wrong, right))

    def remark(self, field: str, wrong: str, right: str) -> None:
        """Note what may not be meant, and stands in nobody's way."""
        self.remarks.append(Problem(self.subject, field, wrong, right, findings.REMARK))

    def get(self, key: "Key[T]") -> Optional[T]:
        """The value of a variable, its default where it is unset, ``None`` where it is wrong."""
        if key.name not in self.data:
            return key.default_value
        raw = self.data[key.name]
        text = typed.written(raw)
        if text is None:
            self.problem(key.name, _not_a_text(raw), "it can be " + key.accepts)
            return None
        try:
            return key.parse(text)
        except ValueError as error:
            self.problem(key.name, "%s %s" % (shown(text), error), "it can be " + key.accepts)
            return None

    def is_set(self, key: "Key[Any]") -> bool:
        """Whether somebody wrote the variable, its default included."""
        return key.name in self.data

    def refuse_unknown_keys(self) -> None:
        """A variable that we don't know is a mistake."""
        # Cobbler puts the fields of interfaces at the top level too
        interfaces = typed.fields(self.data.get("interfaces"))
        fields_of_interfaces = ["bridge_opts_" + name for name in interfaces]
        names = [name for name in self.data if isinstance(name, str) and name[:7] == "bridge_"]
        for name in sorted(set(names) - set(fields_of_interfaces)):
            if name not in keys.NAMES:
                known = name[:_NAME_CHARACTERS].lower()
                near = difflib.get_close_matches(known, keys.NAMES, 1)
                right = "did you mean %s?" % near[0] if near else "remove it"
                self.problem(name, "is no variable of cobbler-bridge", right)

    def refuse_strange_names(self) -> None:
        """A name of the system or profile that is no text, or that no file can hold."""
        for field in _NAMES:
            name = self.text(field)
            try:
                name.encode()
            except UnicodeEncodeError:
                self.problem(field, "%s can't be written as UTF-8" % shown(name), "another name")

    def text(self, field: str) -> str:
        """A field of Cobbler's own; empty where it is not set, or wrong."""
        found = typed.text(self.data.get(field))
        if found is None:
            self.problem(field, "%s is not a text" % shown(self.data[field]), "correct it")
        return found or ""

    def forward_delay(self, delay: Optional[int], stp: bool, field: str) -> int:
        """The forward delay in seconds, which the spanning tree protocol needs to be long.

        ``field`` is where it stands.
        """
        if delay is None:
            return 15 if stp else 0
        # IEEE 802.1D allows 4 to 30; the kernel takes 2 and NetworkManager refuses less
        if stp and delay < 2:
            wrong = "a forward delay of %d is too short for the spanning tree protocol" % delay
            self.problem(field, wrong, "at least 2, or no STP")
        return delay

    def words(self, field: str, what: str, usable: Callable[[str], bool]) -> Tuple[str, ...]:
        """A list field of Cobbler's whose words end up in a configuration file."""
        raw = self.data.get(field)
        words = typed.words(raw)
        if words is None:
            self.problem(field, "%s is no list of texts" % shown(raw), "correct it")
        for word in words or ():
            if not usable(word):
                self.problem(field, "%s is no %s" % (shown(word), what), "correct it")
        return words or ()


_DOMAIN = re.compile(r"[A-Za-z0-9_.-]{1,253}\Z")


def is_domain(text: str) -> bool:
    """Whether a word can be a domain in a configuration file."""
    return _DOMAIN.match(text) is not None


def is_address(text: str) -> bool:
    """Whether a word is an IP address of either version."""
    try:
        addresses.address(text)
    except ValueError:
        return False
    return True


def _not_a_text(raw: Any) -> str:
    if raw is None or raw == typed.UNSET:
        return "has no value"
    if isinstance(raw, (list, tuple)):
        return "is set %d times: %s" % (len(raw), shown(raw))
    return "%s is not a text" % shown(raw)
