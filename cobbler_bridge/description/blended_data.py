"""Reads variables and Cobbler's own fields out of blended data, and collects what is wrong."""

import difflib
import ipaddress
import re
from typing import Any, Callable, List, Mapping, Optional, Tuple, TypeVar

from cobbler_bridge import keys
from cobbler_bridge.keys import Key
from cobbler_bridge.problem import Problem, shown

T = TypeVar("T")


def subject_of(data: Mapping[str, Any]) -> str:
    """The name of the system or profile that blended data belong to."""
    return str(data.get("system_name") or data.get("profile_name") or data.get("name") or "?")


class Reader:
    """Reads declared variables out of blended data and collects the problems."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.subject = subject_of(data)
        self.problems: List[Problem] = []

    def problem(self, field: str, wrong: str, right: str) -> None:
        """Note what is wrong with one field."""
        self.problems.append(Problem(self.subject, field, wrong, right))

    def get(self, key: "Key[T]") -> Optional[T]:
        """The value of a variable, its default where it is unset, ``None`` where it is wrong."""
        if key.name not in self.data:
            return key.default_value
        raw = self.data[key.name]
        text = _text(raw)
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
        fields_of_interfaces = [
            "bridge_opts_%s" % name for name in self.data.get("interfaces") or ()
        ]
        names = [name for name in self.data if name[:7] == "bridge_"]
        for name in sorted(set(names) - set(fields_of_interfaces)):
            if name not in keys.NAMES:
                near = difflib.get_close_matches(name.lower(), keys.NAMES, 1)
                right = "did you mean %s?" % near[0] if near else "remove it"
                self.problem(name, "is no variable of cobbler-bridge", right)

    def forward_delay(self, delay: Optional[int], stp: bool) -> int:
        """The forward delay in seconds, which the spanning tree protocol needs to be long."""
        if delay is None:
            return 15 if stp else 0
        # IEEE 802.1D allows 4 to 30; the kernel takes 2 and NetworkManager refuses less
        if stp and delay < 2:
            wrong = "%d is too short for the spanning tree protocol" % delay
            right = "it can be " + keys.FORWARD_DELAY.accepts
            self.problem(keys.FORWARD_DELAY.name, wrong, right)
        return delay

    def words(self, field: str, what: str, usable: Callable[[str], bool]) -> Tuple[str, ...]:
        """A list field of Cobbler's whose words end up in a configuration file."""
        raw = self.data.get(field) or []
        words = raw.split() if isinstance(raw, str) else [str(word) for word in raw]
        for word in words:
            if not usable(word):
                self.problem(field, "%s is no %s" % (shown(word), what), "correct it")
        return tuple(words)


_DOMAIN = re.compile(r"[A-Za-z0-9_.-]{1,253}\Z")


def is_domain(text: str) -> bool:
    """Whether a word can be a domain in a configuration file."""
    return _DOMAIN.match(text) is not None


def is_address(text: str) -> bool:
    """Whether a word is an IP address of either version."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _text(raw: Any) -> Optional[str]:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    # Cobbler's XML-RPC writes "~" for a variable without a value
    return raw if isinstance(raw, str) and raw != "~" else None


def _not_a_text(raw: Any) -> str:
    if raw is None or raw == "~":
        return "has no value"
    if isinstance(raw, (list, tuple)):
        return "is set %d times: %s" % (len(raw), shown(raw))
    return "%s is not a text" % shown(raw)
