"""The shell text: every value arrives exactly, and nothing in it ends what carries it."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

import scratch_machine as machine
from cobbler_bridge import shell, snippet
from cobbler_bridge.plan import Call, Fact, File, Plan, Step, Word
from cobbler_bridge.problem import Problem
from cobbler_bridge.snippet import bridge_setup

CASES = Path(__file__).parent / "cases"
ROOT = Path(__file__).parent.parent
ON_EVERY_SHELL = pytest.mark.parametrize("sh", machine.SHELLS.values(), ids=machine.SHELLS)

# What an install file, Cobbler or its web service takes for its own
MARKS = (
    "@@",
    "]]>",
    "# *** ERROR ***",
    "# profile not found",
    "# system not found",
    "# object not found",
)
STRANGE = (
    *MARKS,
    "",
    "'",
    "''",
    '"',
    "\\",
    "\\\\'",
    "$(reboot)",
    "`reboot`",
    "${x}",
    "!!",
    "~",
    "*",
    "\r",
    "\n",
    "\r\n",
    "\n\n",
    "\t",
    "\f",
    "\x1b",
    "\x7f",
    "\u2028",
    "\n%end",
    "\n %end",
    "\n\t%include /x",
    "\r%end",
    "\x0c%end",
    "\x85%end",
    "%post",
    "@@@",
    "@@server@@",
    "]]]>>",
    "EOF",
    "\nEOF\n",
    "-n",
    "%s",
    "#",
    "$",
    "\u00e4\u20ac\U0001f600",
)
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(STRANGE), st.text(st.characters(codec="utf-8", exclude_characters="\0"))
    ),
    max_size=6,
).map("".join)


def begins_with_percent(text: str) -> List[str]:
    """The lines that pykickstart may take for the begin or the end of a section."""
    return [line for line in text.splitlines() if line.lstrip().startswith("%")]


def marks_in(text: str) -> List[str]:
    return [mark for mark in MARKS if mark in text]


def raw(script: str, sh: Sequence[str]) -> bytes:
    """What a script prints, to the byte."""
    done = subprocess.run(
        [*sh, "-s"], input=script.encode(), stdout=subprocess.PIPE, timeout=60, check=True
    )
    return done.stdout


@ON_EVERY_SHELL
def test_a_quoted_word_arrives_exactly(sh: List[str]) -> None:
    @settings(max_examples=50, deadline=None)
    @given(st.lists(TEXTS, min_size=1, max_size=30))
    @example(list(STRANGE))
    @example([a + b for a in STRANGE for b in STRANGE])
    @example(["".join(map(chr, range(1, 256))), "\n%" * 50_000])
    def arrives(texts: List[str]) -> None:
        script = "".join("printf '%%s\\000' %s\n" % shell.quote(text) for text in texts)
        assert raw(script, sh) == "".join(text + "\0" for text in texts).encode()

    arrives()


@given(TEXTS)
@example("# *** ERROR ***@@]]>\n%end")
@example("@" * 1000)
@example("\n \n %end")
def test_a_quoted_word_ends_nothing(text: str) -> None:
    quoted = shell.quote(text)
    assert marks_in(quoted) == []
    assert begins_with_percent(quoted) == []


def test_every_mark_is_tested() -> None:
    assert {mark for mark, _ in shell._CUTS} == set(MARKS)


@pytest.mark.parametrize("text", ["br0", "/etc/sysconfig/network", "52:54:00:12:34:56", "a-b_c.1"])
def test_a_plain_word_needs_no_quotes(text: str) -> None:
    assert shell.quote(text) == text


@pytest.mark.parametrize("text", ["\0", "a\0b", "\n\0'"])
def test_a_word_with_a_nul_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\Aa shell word can't hold a NUL character\Z"):
        shell.quote(text)


def test_a_huge_word_is_quoted_in_a_moment() -> None:
    begin = time.perf_counter()
    for text in ("\n" * 1_000_000, "@" * 1_000_000, "\n%" * 500_000, "'" * 300_000):
        assert marks_in(shell.quote(text)) == []
    assert time.perf_counter() - begin < 10


def descriptions() -> List[Dict[str, Any]]:
    """The data of every case, and every kind of mistake."""
    found: List[Dict[str, Any]] = []
    for path in sorted(CASES.glob("*/case.yaml")):
        case = yaml.safe_load(path.read_text(encoding="utf-8"))
        found += [
            dict({"breed": "redhat", "os_version": each}, **case["data"])
            for each in case["targets"]
        ]
    good = {"breed": "redhat", "os_version": "rhel7", "profile_name": "hosts", "bridge": "br0"}
    for text in STRANGE:
        found += [
            dict(good, **{name: text})
            for name in ("bridge", "bridge_port", "bridge_ipv4", "os_version", "profile_name")
        ]
        found += [dict(good, **{"bridge_" + text: "1"}), dict(good, name_servers=[text])]
        found.append(dict(good, interfaces={text: {"ip_address": text, "static": True}}))
    return found


SCRIPTS = sorted({bridge_setup(data) for data in descriptions()})


def test_there_are_scripts_of_both_kinds() -> None:
    assert sum("bridge_setup() {" in script for script in SCRIPTS) > 20
    assert sum("bridge_setup() {" not in script for script in SCRIPTS) > 100


def test_no_script_ends_what_carries_it() -> None:
    for script in SCRIPTS:
        assert begins_with_percent(script) == []
        assert marks_in(script) == []
        assert script.startswith("# ---- cobbler-bridge ")
        assert script.endswith(": end of bridge_setup ----\n")


def test_no_script_runs_more_than_it_shows() -> None:
    """Outside the brackets there are comments only, whatever a system is called."""
    for script in SCRIPTS:
        before, bracket, rest = script.partition("\n(\n")
        inside, end, after = rest.rpartition("\n)\n")
        assert bracket
        assert end
        assert inside
        for part in (before, after):
            assert [line for line in part.splitlines() if not line.startswith("#")] == []


@ON_EVERY_SHELL
def test_every_script_is_correct_shell(sh: List[str], tmp_path: Path) -> None:
    # one process reads them all: each as a function that nobody calls
    text = "".join("f%d() {\n%s}\n" % pair for pair in enumerate(SCRIPTS)) + "echo read\n"
    assert raw(text, sh) == b"read\n"
    longest = tmp_path / "script"
    longest.write_text(max(SCRIPTS, key=len), encoding="utf-8")
    done = subprocess.run([*sh, "-n", str(longest)], stderr=subprocess.PIPE, check=True)
    assert done.stderr == b""


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same data with every mapping in another order."""
    if not isinstance(value, dict):
        return value
    names = list(value)
    chance.shuffle(names)
    return {name: shuffled(value[name], chance) for name in names}


def forget() -> None:
    snippet._script.cache_clear()
    shell._step.cache_clear()
    shell._helpers.cache_clear()


def test_same_input_same_bytes() -> None:
    chance = random.Random(7)
    for data in descriptions():
        script = bridge_setup(data)
        forget()
        assert bridge_setup(shuffled(data, chance)) == script


PRINT_ALL = """
import hashlib, sys
sys.path[:0] = ["tests", "tools"]
from test_shell import SCRIPTS
print(hashlib.sha256("".join(SCRIPTS).encode()).hexdigest())
"""


def test_same_bytes_in_another_process() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", PRINT_ALL],
            cwd=str(ROOT),
            env=dict(os.environ, PYTHONHASHSEED=seed),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_fields_that_no_rendering_reads_change_nothing() -> None:
    data = {"breed": "redhat", "os_version": "rhel7", "profile_name": "hosts", "bridge": "br0"}
    other = dict(data, kernel="/x", comment="y", mgmt_parameters={"a": "b"}, server="192.0.2.1")
    assert bridge_setup(other) == bridge_setup(data)


PORTS: Tuple[Step, ...] = (
    Call("bridges", ("br0",), "the bridge is br0"),
    Call("nic", ("1", "port 1 of br0", "auto"), "port 1 of br0 is the NIC of the installation"),
)


def plan_of(*files: File, subject: str = "kvm1") -> Plan:
    return Plan(subject, "a bridge", (), ("common",), PORTS + files)


def built(root: Path) -> Path:
    machine.build(root, {"nics": {"eth0": {"mac": "52:54:00:aa:00:01"}}})
    return root


CONTENTS = (
    "$ $x ${x} $(id) $((1+1)) $mac1 $$ $",
    "`id` `` `",
    "\\ \\\\ \\\\\\ \\n \\$ \\` \\",
    "\\\nnext",
    "' \" '' \"\" '\"'",
    " leading, trailing \t",
    "\u00e4\u20ac\U0001f600",
    "* ? [a] ~ ! # ; & | < > ( ) { }",
    "\r",
    "EOF EOF",
    " EOF",
    "<<EOF",
    "",
    "\n\n",
)


@ON_EVERY_SHELL
def test_the_content_of_a_file_arrives_exactly(sh: List[str], tmp_path: Path) -> None:
    contents = [text + "\n" for text in CONTENTS] + ["\n".join(CONTENTS) + "\n"]
    files = [File(("/etc/f%d" % n,), 0o640, (text,)) for n, text in enumerate(contents)]
    run = machine.run(shell.script(plan_of(*files)), built(tmp_path), sh)
    assert (run.status, run.errors) == (0, "")
    for number, text in enumerate(contents):
        path = tmp_path / ("etc/f%d" % number)
        assert path.read_bytes() == text.encode()
        assert path.stat().st_mode & 0o7777 == 0o640


@ON_EVERY_SHELL
def test_what_the_machine_finds_stands_in_path_and_content(sh: List[str], tmp_path: Path) -> None:
    name, mac = Fact("port1", "$port1"), Fact("mac1", "$mac1")
    content: Tuple[Word, ...] = ("A=", mac, "x_1\nB=", name, "$mac1\\", name, name, "\n")
    script = shell.script(plan_of(File(("/etc/ifcfg-", name, "_1"), 0o644, content)))
    assert machine.run(script, built(tmp_path), sh).status == 0
    text = (tmp_path / "etc/ifcfg-eth0_1").read_text()
    assert text == "A=52:54:00:aa:00:01x_1\nB=eth0$mac1\\eth0eth0\n"


@ON_EVERY_SHELL
def test_random_contents_arrive_exactly(sh: List[str], tmp_path: Path) -> None:
    root = built(tmp_path)

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.text("$`\\\"'{}()ax \t\n!*", max_size=30), min_size=1, max_size=10))
    def arrives(texts: List[str]) -> None:
        files = [File(("/etc/f%d" % n,), 0o644, (t + "\n",)) for n, t in enumerate(texts)]
        assert machine.run(shell.script(plan_of(*files)), root, sh).status == 0
        for number, text in enumerate(texts):
            assert (root / ("etc/f%d" % number)).read_text() == text + "\n"

    arrives()


@ON_EVERY_SHELL
def test_a_refusal_prints_every_problem_exactly(sh: List[str], tmp_path: Path) -> None:
    problems = [Problem("kvm1", "bridge", "is %s" % text, "x") for text in STRANGE]
    script = shell.refusal("kvm1", problems)
    assert begins_with_percent(script) == []
    assert marks_in(script) == []
    done = subprocess.run(
        [*sh, "-s"],
        input=(script + "echo $?\n").encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=True,
    )
    said = ["cobbler-bridge: kvm1: bridge: is %s; x\n" % text for text in STRANGE]
    assert done.stderr.decode() == "".join(said) + "cobbler-bridge: the network stays as it is\n"
    assert done.stdout == b"1\n", "what comes after the snippet still runs"


@given(st.text(), st.text())
def test_no_name_breaks_out_of_a_script(subject: str, field: str) -> None:
    refusal = shell.refusal(subject, [Problem(subject, field, "is wrong", "correct it")])
    for script in (refusal, shell.script(plan_of(subject=subject))):
        assert begins_with_percent(script) == []
        assert marks_in(script) == []
        assert script.splitlines()[1] == "("


def test_nothing_is_written_where_nothing_is_asked_for() -> None:
    assert bridge_setup({"breed": "redhat", "os_version": "rhel7", "profile_name": "hosts"}) == ""


@ON_EVERY_SHELL
def test_a_failure_of_ours_is_a_refusal(sh: List[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(snippet, "make_plan", fail)
    forget()
    script = bridge_setup({"system_name": "kvm1", "bridge": "br0"})
    run = machine.run(script, Path("/nonexistent"), sh)
    assert run == machine.Run(
        1,
        "",
        "cobbler-bridge: kvm1: bridge: cobbler-bridge failed on the server; "
        "report it with the text in cobbler.log\n"
        "cobbler-bridge: the network stays as it is\n",
    )
