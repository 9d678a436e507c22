"""Every case, a second time, and after another start; thorough: under each of the three shells."""

import re
import shutil
from pathlib import Path
from typing import Any, Dict, List, Set

import pytest

import golden
import rewrite_cases
import scratch_machine as machine
from cobbler_bridge.snippet import bridge_setup
from golden import Case, Entry

EACH_TARGET = list(golden.each_target())
IDS = ["%s-%s" % (case.name, target) for case, target in EACH_TARGET]
RUN = machine.Run(0, "", "")
CASE = Case("made_up", "", ["rhel7"], {}, {"files": {"/etc/a b!": "its\r\nown"}})
USUAL = {"etc/usual": "usual\n"}


@pytest.mark.parametrize("shell", machine.SHELLS.values(), ids=machine.SHELLS)
@pytest.mark.parametrize(("case", "target"), EACH_TARGET, ids=IDS)
def test_case(case: Case, target: str, shell: List[str], tmp_path: Path, whole: bool) -> None:
    outcome = golden.carry_out(case, target, tmp_path, shell)
    expected = case.expected(target).read_bytes().decode("utf-8")
    assert golden.write(case, outcome, golden.usual()) == expected
    if case.later is None and not whole:
        return
    after = golden.read_tree(tmp_path)
    script = bridge_setup(case.data_of(target))
    ended = outcome.said.splitlines()[-1]
    # one that refuses changes nothing either
    refused = machine.Run(0, "", outcome.said.rpartition("exit status")[0]).refused
    again = machine.run(script, tmp_path, shell)
    assert golden.read_tree(tmp_path) == after, "a second run changes nothing"
    assert ("exit status %d" % again.status, again.refused) == (ended, refused), again.errors
    if case.later is not None:
        for part in ("sys", "proc"):
            shutil.rmtree(tmp_path / part)
        machine.build(tmp_path, case.later)
        later = machine.run(script, tmp_path, shell)
        assert golden.read_tree(tmp_path) == after, "nor does one after it was started again"
        assert ("exit status %d" % later.status, later.refused) == (ended, refused), later.errors


def test_there_is_no_other_file() -> None:
    there = {path for path in golden.CASES.rglob("*") if not path.is_dir()}
    of_cases = {golden.CASES / case.name / "case.yaml" for case in golden.cases()}
    assert there == {golden.USUAL, *of_cases, *(case.expected(each) for case, each in EACH_TARGET)}


@pytest.mark.parametrize("case", golden.cases(), ids=lambda case: str(case.name))
def test_a_case_says_why(case: Case) -> None:
    assert len(case.why.split()) > 4
    assert case.why.endswith(".")


def test_nothing_failed_on_the_way() -> None:
    """What a fault of ours leaves is no expectation, though it comes out the same each time."""
    found = {
        case.expected(target): faults(golden.expected(case, target)) for case, target in EACH_TARGET
    }
    assert {path: lines for path, lines in found.items() if lines} == {}


def faults(outcome: golden.Outcome) -> List[str]:
    """Lines that a mistake in the package or in a helper left in an outcome."""
    # a helper's own words begin as ours do; the shell's, and those of a program, don't
    ours = re.compile(r"cobbler-bridge: .+|exit status [01]")
    texts = [outcome.said, *(entry.text for entry in outcome.tree.values() if entry is not None)]
    lines = [line for line in outcome.said.splitlines() if not ours.fullmatch(line)]
    for text in texts:
        # the shipped programs look for what is not found, too
        if not text.startswith("#!"):
            lines += re.findall("(?m)^.*(?:failed on the server|not found|Traceback).*$", text)
    return lines


@pytest.mark.parametrize(
    "line",
    [
        "cobbler-bridge: hosts: bridge: cobbler-bridge failed on the server: KeyError",
        "bash: line 812: write_fiel: command not found",
        "dash: 812: write_fiel: not found",
        "sh: write_fiel: not found",
        "dash: 12: Syntax error: end of file unexpected",
        "dash: 12: nic1: parameter not set",
        "sed: -e expression #1, char 3: unterminated `s' command",
        "cat: /etc/none: No such file or directory",
        "mv: missing destination file operand",
        "exit status 127",
    ],
)
def test_a_fault_is_found(line: str) -> None:
    assert faults(golden.Outcome(line + "\nexit status 0\n", {})) != []


def test_a_fault_is_found_in_a_file() -> None:
    tree = {"etc/a": Entry("DEVICE=\nsh: jot: not found\n")}
    assert faults(golden.Outcome("exit status 0\n", tree)) == ["sh: jot: not found"]


def test_what_is_usual_is_so_in_many_cases() -> None:
    named: List[str] = []
    for case, target in EACH_TARGET:
        named += re.findall("(?m)^(.*?)(?: .*)? = as usual$", case.expected(target).read_text())
    assert {path for path in golden.usual() if named.count(path) < 10} == set()


# What may come out, and how it stands in an expected file
SHOWN: Dict[str, Any] = {
    "etc/own": (Entry("a\n\n b\n"), "etc/own\n    a\n\n     b\n"),
    "etc/empty": (Entry(""), "etc/empty\n"),
    "etc/blank": (Entry("\n"), "etc/blank\n\n"),
    "etc/unended": (
        Entry("etc/x removed\n\\"),
        "etc/unended\n    etc/x removed\n    \\\n\\ no newline at the end\n",
    ),
    "etc/strange": (Entry("\r\n\f\u2028\t"), None),
    "etc/secret": (Entry("s\n", 0o600), "etc/secret (mode 600)\n    s\n"),
    "etc/usual": (Entry("usual\n"), "etc/usual = as usual\n"),
    "etc/usual2": (Entry("usual\n"), "etc/usual2\n    usual\n"),
    "before/etc/a b": (Entry("its\r\nown", 0o755), "before/etc/a b (mode 755) = the machine's\n"),
    "before/etc/a": (Entry("its\r\nown"), None),
    "etc/link": (Entry("../own", is_link=True), "etc/link -> ../own\n"),
    "etc/gone": (None, "etc/gone removed\n"),
}


@pytest.mark.parametrize("path", SHOWN)
def test_what_comes_out_is_shown_exactly(path: str) -> None:
    entry, shown = SHOWN[path]
    outcome = golden.Outcome("exit status 0\n", {path: entry})
    text = golden.write(CASE, outcome, USUAL)
    assert text.startswith("said\n    exit status 0\n" + (shown or path))
    assert shown is None or text.endswith("exit status 0\n" + shown)
    assert golden.read(CASE, text, USUAL) == outcome


def test_a_path_that_cannot_be_shown_is_refused() -> None:
    for path in (
        "etc/a removed",
        "etc/a = shipped b",
        "etc/a = b",
        "etc/a (mode 600)",
        "etc/a -> b",
        " etc/a",
        "etc/a\nb",
        "said",
    ):
        with pytest.raises(AssertionError):
            golden.write(CASE, golden.Outcome("", {path: Entry("x")}), {})


def test_every_change_is_noticed() -> None:
    """The comparison can fail: by a file that changed, came, went, or became something else."""
    before = {"a": Entry("1"), "b": Entry("2"), "c": Entry("../a", is_link=True)}
    assert golden.outcome(before, before, RUN).tree == {}
    after: Dict[str, Entry]
    for path, entry in (
        ("a", Entry("3")),
        ("a", Entry("1", 0o600)),
        ("a", Entry("1", is_link=True)),
        ("c", Entry("../b", is_link=True)),
        ("d", Entry("")),
    ):
        after = dict(before, **{path: entry})
        assert golden.outcome(before, after, RUN).tree == {path: entry}
    after = {"a": Entry("1"), "c": before["c"]}
    assert golden.outcome(before, after, RUN).tree == {"b": None}


def test_the_tree_has_everything(tmp_path: Path) -> None:
    for path in ("etc/deep/file", "sys/class", "proc/net", "var/sys/file"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"a\r\n")
        (tmp_path / path).chmod(0o640)
    (tmp_path / "etc/dangling").symlink_to("/nowhere")
    (tmp_path / "etc/folder").symlink_to("deep")
    assert golden.read_tree(tmp_path) == {
        "etc/deep/file": Entry("a\r\n", 0o640),
        "var/sys/file": Entry("a\r\n", 0o640),
        "etc/dangling": Entry("/nowhere", is_link=True),
        "etc/folder": Entry("deep", is_link=True),
    }


def test_what_comes_with_the_package_is_named() -> None:
    """A shipped file that was changed on the way is shown whole."""
    case = golden.case("vlan_dhcp")
    path = "usr/libexec/cobbler-bridge/firstboot"
    entry = golden.expected(case, "rhel9").tree[path]
    assert entry is not None
    assert entry.text.startswith("#!")
    text = golden.write(case, golden.Outcome("", {path: entry}), {})
    assert text.endswith(" = shipped check of systemd, NetworkManager, systemd-networkd\n")
    changed = entry._replace(text=entry.text + "# one line more\n")
    text = golden.write(case, golden.Outcome("", {path: changed}), {})
    assert text.endswith("\n    # one line more\n")


def test_most_make_what_is_usual() -> None:
    path = golden.USUALLY_THE_SAME[0]
    trees: List[golden.Tree] = [{path: Entry(text)} for text in "abcb"] + [{path: None}, {}]
    assert golden.what_is_usual([golden.Outcome("", tree) for tree in trees]) == {path: "b"}


def test_cases_are_not_written_anew_where_nobody_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rewrite_cases, "write", None)
    monkeypatch.setenv("CI", "true")
    assert rewrite_cases.main([]) == 2
    assert capsys.readouterr().err == "CI shows what changed and never writes it\n"
    monkeypatch.delenv("CI")
    assert rewrite_cases.main(["vlan_dhcp", "none"]) == 2
    assert capsys.readouterr().err == "there is no case none\n"


DIFF = """\
diff --git a/tests/cases/one/rhel7.txt b/tests/cases/one/rhel7.txt
--- a/tests/cases/one/rhel7.txt
+++ b/tests/cases/one/rhel7.txt
@@ -3 +3 @@ etc/ifcfg-br0
-    DELAY=0
+    DELAY=2
@@ -9,2 +9 @@ etc/ifcfg-br1
-etc/gone
-    x
+etc/gone removed
diff --git a/tests/cases/two/rhel6.txt b/tests/cases/two/rhel6.txt
--- a/tests/cases/two/rhel6.txt
+++ b/tests/cases/two/rhel6.txt
@@ -30 +31 @@ etc/ifcfg-br1
-    DELAY=0
+    DELAY=2
"""


def test_each_distinct_change_is_shown_once() -> None:
    assert rewrite_cases.shown(rewrite_cases.hunks(DIFF)).splitlines() == [
        "",
        "=== 2 × in 2: one/rhel7, two/rhel6",
        "    etc/ifcfg-br0, etc/ifcfg-br1",
        "-    DELAY=0",
        "+    DELAY=2",
        "",
        "=== 1 × in 1: one/rhel7",
        "-etc/gone",
        "-    x",
        "+etc/gone removed",
        "",
        "3 changes, 2 of them distinct",
    ]


# edited where they are: more stands in them than what is ours
EDITED = (
    "etc/modprobe.conf",
    "etc/qemu/bridge.conf",
    "etc/resolv.conf",
    "etc/sysconfig/ip6tables",
    "etc/sysconfig/iptables",
    "etc/sysconfig/network",
    "etc/sysctl.conf",
    "etc/udev/rules.d/70-persistent-net.rules",
    "etc/xen/xend-config.sxp",
    "etc/xen/xl.conf",
)


def test_no_file_of_somebody_else_is_taken_for_ours_whole() -> None:
    changed: Set[str] = set()
    for case, target in golden.each_target():
        tree = golden.expected(case, target).tree
        changed.update(path for path, entry in tree.items() if entry is not None)
        entry = tree.get("var/lib/cobbler-bridge/written")
        ours = [] if entry is None else entry.text.splitlines()
        assert not {path.lstrip("/") for path in ours}.intersection(EDITED), case.name
    assert changed.issuperset(EDITED)
