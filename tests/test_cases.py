"""Every folder of ``tests/cases``: what was written, and exactly what comes out on each target.

``case.yaml`` has ``why`` (one sentence), ``data`` (blended data), ``machine`` (see
``scratch_machine.build``), ``targets`` (values of os_version), and ``later`` where the machine
looks different after it was started again. Beside it, one folder a target holds the files that
the script wrote or changed, ``said`` what it printed and ``removed`` the files that went. Of a
file that is the same on every machine it only has the name, behind ``shipped:``.

``make cases`` writes the folders anew; look at the difference before you commit it.
"""

import os
import shutil
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import pytest
import yaml

import koan_wrapper
import scratch_machine as machine
from cobbler_bridge import shipped
from cobbler_bridge.snippet import bridge_setup

CASES = Path(__file__).parent / "cases"
WRAPPER = "usr/local/bin/koan-bridge"
ANEW = os.environ.get("CASES") == "anew"


def _cases() -> List[Tuple[str, str]]:
    found = []
    for path in sorted(CASES.glob("*/case.yaml")):
        found += [(path.parent.name, target) for target in _read(path.parent.name)["targets"]]
    return found


def _read(name: str) -> Dict[str, Any]:
    with open(CASES / name / "case.yaml", encoding="utf-8") as file:
        case: Dict[str, Any] = yaml.safe_load(file)
    return case


def _data(case: Mapping[str, Any], os_version: str) -> Dict[str, Any]:
    return dict({"breed": "redhat", "os_version": os_version}, **case["data"])


HOST_FILES = {
    shipped.text("host", name): "shipped: %s\n" % name
    for name in os.listdir(shipped.folder("host"))
}


def _tree(root: Path) -> Dict[str, str]:
    """The files of a root, those that come with the package by their name only."""
    return {path: HOST_FILES.get(text, text) for path, text in machine.tree(root).items()}


def _difference(before: Mapping[str, str], after: Mapping[str, str], run: machine.Run) -> Any:
    """What a run did to a root, as the files of a case's folder."""
    outcome = {path: text for path, text in after.items() if before.get(path) != text}
    # the same everywhere: what it does is another test's
    if outcome.get(WRAPPER) == koan_wrapper.text():
        del outcome[WRAPPER]
    gone = sorted(set(before) - set(after))
    if gone:
        outcome["removed"] = "".join(path + "\n" for path in gone)
    outcome["said"] = run.output + run.errors + "exit status %d\n" % run.status
    return outcome


@pytest.mark.parametrize("shell", machine.SHELLS.values(), ids=machine.SHELLS)
@pytest.mark.parametrize(("name", "target"), _cases())
def test_case(name: str, target: str, shell: List[str], tmp_path: Path) -> None:
    case = _read(name)
    machine.build(tmp_path, case["machine"])
    before = _tree(tmp_path)
    script = bridge_setup(_data(case, target))
    run = machine.run(script, tmp_path, shell)
    after = _tree(tmp_path)
    outcome = _difference(before, after, run)
    folder = CASES / name / target
    if ANEW:
        assert "CI" not in os.environ, "CI shows what changed and never writes it"
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in outcome.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    expected = {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert outcome == expected

    again = machine.run(script, tmp_path, shell)
    assert _tree(tmp_path) == after, "a second run changes nothing"
    assert again.status == run.status
    if "later" in case:
        for part in ("sys", "proc"):
            shutil.rmtree(tmp_path / part)
        machine.build(tmp_path, case["later"])
        later = machine.run(script, tmp_path, shell)
        assert _tree(tmp_path) == after, "nor does one after the machine was started again"
        assert later.status == run.status


def test_every_case_folder_is_used() -> None:
    there = {(path.parent.name, path.name) for path in CASES.glob("*/*") if path.is_dir()}
    assert there == set(_cases())


@pytest.mark.parametrize("name", sorted({name for name, _ in _cases()}))
def test_a_case_says_why(name: str) -> None:
    why = _read(name)["why"]
    assert len(why.split()) > 4
    assert why.endswith(".")


def test_a_changed_tree_is_noticed(tmp_path: Path) -> None:
    """The comparison above can fail: by a changed, an added and a missing file."""
    run = machine.Run(0, "", "")
    before = {"a": "1", "b": "2"}
    assert _difference(before, {"a": "1", "b": "3"}, run)["b"] == "3"
    assert _difference(before, {"a": "1", "b": "2", "c": "4"}, run)["c"] == "4"
    assert _difference(before, {"a": "1"}, run)["removed"] == "b\n"
