"""Which of the tests that are for every shell, or every Cobbler, ``make test`` runs."""

from typing import Any, Dict, List, NamedTuple

import conftest
from scratch_machine import SHELLS


class Spec(NamedTuple):
    """What a test is given."""

    id: str
    params: Dict[str, Any]


class Item:
    """A test as pytest has collected it."""

    def __init__(self, name: str, case: str, **params: Any) -> None:
        self.nodeid = "tests/test_a.py::%s[%s]" % (name, case)
        self.callspec = Spec(case, params)
        self.marks: List[str] = []

    def add_marker(self, mark: Any) -> None:
        self.marks.append(mark.name)

    def get_closest_marker(self, name: str) -> Any:
        return name if name in self.marks else None


class Config:
    """Of pytest's, what is asked."""

    def __init__(self, quick: bool) -> None:
        self._quick = quick

    def getoption(self, name: str) -> bool:
        assert name == "--quick"
        return self._quick


def collected(items: List[Item], quick: bool) -> None:
    conftest.pytest_collection_modifyitems(items, Config(quick))  # type: ignore[arg-type]


def test_each_case_is_run_in_one_shell_and_each_shell_has_some() -> None:
    cases = ["a", "b-c", *("d-%d" % number for number in range(30))]
    items = [Item("test_a", "%s-%s" % (case, sh), sh=[sh]) for case in cases for sh in SHELLS]
    collected(items, quick=False)
    run: Dict[str, str] = {}
    for item in items:
        case, _, shell = item.callspec.id.rpartition("-")
        if not item.marks:
            assert case not in run
            run[case] = shell
        else:
            assert item.marks == ["thorough"]
    assert list(run) == cases
    assert set(run.values()) == set(SHELLS)


def test_what_is_for_one_shell_is_run_in_it() -> None:
    items = [Item("test_b", shell + "-x" + shell, shell_name=shell) for shell in SHELLS]
    items += [Item("test_c", shell, word=shell) for shell in SHELLS]
    collected(items, quick=False)
    assert [item.marks for item in items] == [[]] * len(items)


def test_quickly_each_case_is_run_in_dash_and_of_others_some() -> None:
    each = [(case, sh) for case in "abcd" for sh in SHELLS]
    items = [Item("test_a", "%s-rhel8-%s" % one, target="rhel8", sh=one[1]) for one in each]
    items += [Item("test_b", "%s-%s" % one, sh=one[1]) for one in each]
    items += [Item("test_c", shell + "-x" + shell, shell_name=shell) for shell in SHELLS]
    collected(items, quick=True)
    run = [item.callspec.id for item in items if not item.marks]
    cases = ["%s-rhel8-dash" % case for case in "abcd"]
    assert run == [*cases, "a-dash", "d-dash", "bash-xbash"]


def test_each_test_is_run_on_one_cobbler_and_each_cobbler_has_some() -> None:
    names = ["3.2.3", "3.2.3-python3.6", "4.0.0b7"]
    items = [
        Item("test_a", "%s-%d-b" % (name, number), each_cobbler=name)
        for number in range(30)
        for name in names
    ]
    for item in items[::3]:
        item.marks.append("thorough")
    collected(items, quick=False)
    run = [item.callspec.id.rsplit("-", 2)[:2] for item in items if not item.marks]
    assert [number for _, number in run] == [str(number) for number in range(30)]
    assert {name for name, _ in run} == set(names[1:])
