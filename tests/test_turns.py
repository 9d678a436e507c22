"""Which of the tests that are for every shell ``make test`` runs."""

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


def test_each_case_is_run_in_one_shell_and_each_shell_has_some() -> None:
    cases = ["a", "b-c", *("d-%d" % number for number in range(30))]
    items = [Item("test_a", "%s-%s" % (case, sh), sh=[sh]) for case in cases for sh in SHELLS]
    conftest.pytest_collection_modifyitems(items)  # type: ignore[arg-type]
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
    conftest.pytest_collection_modifyitems(items)  # type: ignore[arg-type]
    assert [item.marks for item in items] == [[]] * len(items)
