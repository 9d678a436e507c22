"""The shell text: every value arrives exactly, and nothing in it ends what carries it."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import golden
import scratch_machine as machine
from cobbler_bridge import snippet
from cobbler_bridge.plan.plan import Call, Fact, File, Plan, Step, Word
from cobbler_bridge.problem import Problem
from cobbler_bridge.script import carried, render
from cobbler_bridge.snippet import bridge_setup
from waiting import HANGS

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
# what UTF-8 can say; older versions of hypothesis have no word for it
ANY = st.text().map(lambda text: text.encode("utf-8", "ignore").decode())
TEXTS = (
    st.lists(st.one_of(st.sampled_from(STRANGE), ANY), max_size=6)
    .map("".join)
    .map(lambda text: text.replace("\0", ""))
)


def begins_with_percent(text: str) -> List[str]:
    """The lines that pykickstart may take for the begin or the end of a section."""
    return [line for line in text.splitlines() if line.lstrip().startswith("%")]


def marks_in(text: str) -> List[str]:
    return [mark for mark in MARKS if mark in text]


def raw(script: str, sh: Sequence[str]) -> bytes:
    """What a script prints, to the byte."""
    done = subprocess.run(
        [*sh, "-s"], input=script.encode(), stdout=subprocess.PIPE, timeout=HANGS, check=True
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
        script = "".join("printf '%%s\\000' %s\n" % render.quote(text) for text in texts)
        assert raw(script, sh) == "".join(text + "\0" for text in texts).encode()

    arrives()


@given(TEXTS)
@example("# *** ERROR ***@@]]>\n%end")
@example("@" * 1000)
@example("\n \n %end")
def test_a_quoted_word_ends_nothing(text: str) -> None:
    quoted = render.quote(text)
    assert marks_in(quoted) == []
    assert begins_with_percent(quoted) == []


def test_every_mark_is_tested() -> None:
    assert {mark for mark, _ in render._CUTS} == set(MARKS)


@pytest.mark.parametrize("text", ["br0", "/etc/sysconfig/network", "52:54:00:12:34:56", "a-b_c.1"])
def test_a_plain_word_needs_no_quotes(text: str) -> None:
    assert render.quote(text) == text


@pytest.mark.parametrize("text", ["\0", "a\0b", "\n\0'"])
def test_a_word_with_a_nul_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\Aa shell word can't hold a NUL character\Z"):
        render.quote(text)


def test_a_huge_word_is_quoted_in_a_moment() -> None:
    begin = time.perf_counter()
    for text in (
        "\n" * 1_000_000,
        "\n " * 500_000,
        "\n" + " " * 1_000_000,
        "@" * 1_000_000,
        "\n%" * 500_000,
        "'" * 300_000,
    ):
        assert marks_in(render.quote(text)) == []
    assert time.perf_counter() - begin < HANGS


def descriptions() -> List[Dict[str, Any]]:
    """The data of every case, and every kind of mistake."""
    found = [case.data_of(target) for case, target in golden.each_target()]
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


FRAME = """\
/usr/bin/env -i "PATH=${PATH-}" "BRIDGE_ROOT=${BRIDGE_ROOT-}" \\
    "http_proxy=${http_proxy-}" "https_proxy=${https_proxy-}" \\
    /bin/sh <<'%s' || (echo 'cobbler-bridge: the script did not run to its end' >&2) || :
"""


def inner(script: str) -> str:
    """What the shell of its own reads; the section's sees two comments and one command."""
    mark = script.split("<<'", 1)[1].split("'", 1)[0]
    before, frame, rest = script.partition(FRAME % mark)
    inside, end, after = rest.partition("\n%s\n" % mark)
    assert frame
    assert end
    assert not ("\n%s\n" % inside).count("\n%s\n" % mark)
    for part in (before, after):
        assert part.startswith("# ---- cobbler-bridge ")
        assert part.count("\n") == 1
    return inside + "\n"


def test_no_script_runs_more_than_it_shows() -> None:
    """The section's own shell runs one command, whatever a system is called."""
    assert all(map(inner, SCRIPTS))


@pytest.mark.parametrize(
    "text", ["", "EOF", "a\nEOF\nb", "EOF\nEOF2", "EOF2\n EOF\nEOFF", "\nEOF\n"]
)
def test_a_mark_is_no_line_of_the_text(text: str) -> None:
    mark = render.end_mark(text)
    assert mark not in text.split("\n")
    assert mark == render.end_mark(text)


@ON_EVERY_SHELL
def test_every_script_is_correct_shell(sh: List[str], tmp_path: Path) -> None:
    # one process reads them all: each as a function that nobody calls
    texts = [*SCRIPTS, *map(inner, SCRIPTS)]
    text = "".join("f%d() {\n%s}\n" % pair for pair in enumerate(texts)) + "echo read\n"
    assert raw(text, sh) == b"read\n"
    longest = tmp_path / "script"
    longest.write_text(inner(max(SCRIPTS, key=len)), encoding="utf-8")
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
    render._step.cache_clear()
    render._fixed.cache_clear()
    carried.text.cache_clear()
    carried.check.cache_clear()


@pytest.mark.slow
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


@pytest.mark.slow
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
    Call(
        "nic", ("1", "port 1 of br0", "find_auto"), "port 1 of br0 is the NIC of the installation"
    ),
)


def plan_of(*files: File, subject: str = "kvm1") -> Plan:
    return Plan(subject, "a bridge", (), PORTS + files)


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
    run = machine.run(render.script(plan_of(*files)), built(tmp_path), sh)
    assert (run.status, run.errors) == (0, "")
    for number, text in enumerate(contents):
        path = tmp_path / ("etc/f%d" % number)
        assert path.read_bytes() == text.encode()
        assert path.stat().st_mode & 0o7777 == 0o640


@ON_EVERY_SHELL
def test_what_is_ours_goes_whatever_its_format(sh: List[str], tmp_path: Path) -> None:
    """A file that was written whole, and is not any more; one that is edited in place stays."""
    machine.build(tmp_path, {"nics": {"eth0": {"mac": "52:54:00:aa:00:01"}}})
    etc = tmp_path / "etc"
    (etc / "made").mkdir(parents=True)
    (etc / "made/port").write_text("of somebody\n")
    (etc / "made/other").write_text("of somebody\n")
    (etc / "rules").write_text("*filter\nCOMMIT\n")
    edited = Call("iptables_bridged", ("/etc/rules", "-A FORWARD -j ACCEPT"), "edited")
    linked = Call("link_files", ("br0", "/etc/made/link"), "linked")
    first = [File(("/etc/made/" + name,), 0o644, (name + "\n",)) for name in ("br0", "port")]
    second = File(("/etc/made/br1",), 0o644, ("br1\n",))
    steps: Tuple[Tuple[Step, ...], ...] = ((*first, edited, linked), (second,))
    for each in steps:
        plan = Plan("kvm1", "a bridge", (), (*PORTS, *each))
        run = machine.run(render.script(plan), tmp_path, sh)
        assert (run.status, run.errors) == (0, "")
    assert sorted(path.name for path in (etc / "made").iterdir()) == ["br1", "other"]
    assert "-j ACCEPT" in (etc / "rules").read_text()
    kept = tmp_path / "var/lib/cobbler-bridge/kept/etc/made"
    assert (kept / "br0.again").read_text() == "br0\n"
    assert (kept / "port").read_text() == "of somebody\n"
    assert (kept / "port.again").read_text() == "port\n"
    for name in ("br0", "port", "link"):
        assert "cobbler-bridge: set aside /etc/made/%s\n" % name in run.output


@ON_EVERY_SHELL
def test_what_the_machine_finds_stands_in_path_and_content(sh: List[str], tmp_path: Path) -> None:
    name, mac = Fact("port1", "$port1"), Fact("mac1", "$mac1")
    content: Tuple[Word, ...] = ("A=", mac, "x_1\nB=", name, "$mac1\\", name, name, "\n")
    script = render.script(plan_of(File(("/etc/ifcfg-", name, "_1"), 0o644, content)))
    assert machine.run(script, built(tmp_path), sh).errors == ""
    text = (tmp_path / "etc/ifcfg-eth0_1").read_text()
    assert text == "A=52:54:00:aa:00:01x_1\nB=eth0$mac1\\eth0eth0\n"


@ON_EVERY_SHELL
def test_random_contents_arrive_exactly(sh: List[str], tmp_path: Path) -> None:
    root = built(tmp_path)

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.text("$`\\\"'{}()ax \t\n!*", max_size=30), min_size=1, max_size=10))
    def arrives(texts: List[str]) -> None:
        files = [File(("/etc/f%d" % n,), 0o644, (t + "\n",)) for n, t in enumerate(texts)]
        assert machine.run(render.script(plan_of(*files)), root, sh).errors == ""
        for number, text in enumerate(texts):
            assert (root / ("etc/f%d" % number)).read_text() == text + "\n"

    arrives()


@ON_EVERY_SHELL
def test_a_refusal_prints_every_problem_exactly(sh: List[str], tmp_path: Path) -> None:
    problems = [Problem("kvm1", "bridge", "is %s" % text, "x") for text in STRANGE]
    script = machine.in_shell(render.refusal("kvm1", problems), sh)
    assert begins_with_percent(script) == []
    assert marks_in(script) == []
    done = subprocess.run(
        [*sh, "-s"],
        input=("set -e\n" + script + "echo $?\n").encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=True,
    )
    said = ["cobbler-bridge: %s\n" % str(problem) for problem in problems]
    assert all(line.isprintable() for line in "".join(said).splitlines())
    assert done.stderr.decode() == "".join(said) + "cobbler-bridge: the network stays as it is\n"
    assert done.stdout == b"0\n", "what comes after the snippet still runs"


@given(st.text(), st.text())
def test_no_name_breaks_out_of_a_script(subject: str, field: str) -> None:
    refusal = render.refusal(subject, [Problem(subject, field, "is wrong", "correct it")])
    for script in (refusal, render.script(plan_of(subject=subject))):
        assert begins_with_percent(script) == []
        assert marks_in(script) == []
        assert inner(script)


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
        0,
        "",
        "cobbler-bridge: kvm1: bridge: cobbler-bridge failed on the server; "
        "report it with the text in cobbler.log\n"
        "cobbler-bridge: the network stays as it is\n",
    )
