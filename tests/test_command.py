"""What the command does with its options, against a Cobbler that answers what it is asked."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, List, Tuple
from xmlrpc.client import Fault

import pytest

from cobbler_bridge import cli
from cobbler_bridge.store.ledger import Memory
from cobbler_bridge.store.told import Told, as_text
from hostile_cobbler import Cobbler

Run = Callable[..., Tuple[int, str, str]]
METRICS = ("check", "--format=prometheus")


def test_what_check_finds_decides_its_status(run: Run, cobbler: Cobbler) -> None:
    status, out, err = run(["check", "web1"])
    assert (status, err) == (1, "")
    assert out.startswith("error: web1: virt_bridge of eth0: is not set; it can be br0: run ")
    assert out.endswith("1 error; 1 system looked at.\n")
    assert run(["check", "web*", "--quiet"])[:2] == (1, out)
    assert run(["check", "guests", "--quiet"])[:2] == (0, "")
    data = json.loads(run(["check", "--host=kvm1", "--format=json"])[1])
    assert {each["host"] for each in data} == {"", "kvm1"}
    # nobody has installed it
    del cobbler.answers.systems[0]["autoinstall_meta"]["bridge_record"]
    status, out, _ = run(["check", "web1"])
    assert (status, out.startswith("waiting: web1: bridge_host: Cobbler knows no ")) == (0, True)
    assert run(["check", "web1", "--severity=warning", "--quiet"])[:2] == (0, "")


def test_names_that_fit_nothing(run: Run) -> None:
    done = run(["check", "web1", "--host=x*", "--profile=y"])
    assert done == (1, "", "cobbler-bridge: no such system or profile: 'x*', 'y'\n")
    status, _, err = run(["check", "--severity=bad"])
    assert (status, "'error', 'warning', 'waiting'" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--hlep", "'--hlep'; did you mean --help? (see cobbler-bridge --help)"),
        ("--server", "arguments are required: COMMAND (see cobbler-bridge --help)"),
        ("show --user me", "show takes no '--user' (see cobbler-bridge show --help)"),
        ("-V", "there is no option '-V' (see cobbler-bridge --help)"),
        ("chek", "; did you mean check? (see cobbler-bridge --help)"),
        ("check --severity=errors", "; did you mean error? (see cobbler-bridge check --help)"),
        (
            "set --profiles hosts bridge=br0",
            "there is no option '--profiles'; did you mean --profile? "
            "(see cobbler-bridge set --help)",
        ),
        (
            "set --profile hosts --dryrun bridge=br0",
            "'--dryrun'; did you mean --dry-run? (see cobbler-bridge set --help)",
        ),
        (
            "set --profile hosts bridge br0",
            "bridge has no value; write bridge=VALUE (see cobbler-bridge set --help)",
        ),
        ("place kvm1", "cobbler-bridge place takes no 'kvm1' (see cobbler-bridge place --help)"),
        (
            "record kvm1 --bridge br/0",
            "--bridge: 'br/0' has '/' in it; names that bridge= can be, with commas between",
        ),
    ],
)
def test_what_was_meant(run: Run, words: str, said: str) -> None:
    status, out, err = run(words.split())
    assert (status, out) == (2, "")
    assert err.startswith("cobbler-bridge: ")
    assert err.endswith(said + "\n")


def test_options_may_stand_before_the_call(run: Run, cobbler: Cobbler) -> None:
    assert run(["--quiet", "check", "guests"]) == run(["check", "guests", "--quiet"])
    # a name that is a call stands behind it
    assert run(["--severity=error", "check", "show"])[2].endswith("profile: 'show'\n")
    status, out, err = run(["help", "set"])
    assert (status, err) == (0, "")
    assert out == run(["set", "--help"])[1]
    assert run(["help"])[1] == run(["--help"])[1]


def test_a_file_is_written_whole_or_stays(run: Run, cobbler: Cobbler, tmp_path: Path) -> None:
    path = tmp_path / "bridge.prom"
    assert run([*METRICS, "--output", str(path)])[:2] == (1, "")
    text = path.read_text()
    assert 'cobbler_bridge_findings{id="unplaced",severity="error"} 1\n' in text
    cobbler.answers.methods["get_items"] = None
    assert run([*METRICS, "--output", str(path)])[0] == 3
    assert path.read_text() == text
    assert list(tmp_path.glob("bridge*")) == [path]


@pytest.mark.parametrize("name", ["nobody/x", "."])
def test_a_file_that_cannot_be_written(run: Run, tmp_path: Path, name: str) -> None:
    status, out, err = run([*METRICS, "--output", str(tmp_path / name)])
    assert (status, out) == (2, "")
    assert err.startswith("cobbler-bridge: --output %s" % tmp_path)


@pytest.mark.parametrize("odd", [None, 5, "x", ["a"], {"a": ["b"]}, {"eth0": {"mac_address": [1]}}])
@pytest.mark.parametrize("field", ["alike", "interfaces", "autoinstall_meta", "profile", "ctime"])
def test_what_the_server_tells_of_one_system_is_taken_for_what_it_is(
    run: Run, cobbler: Cobbler, odd: Any, field: str
) -> None:
    """Only what is named is asked for; what its own part of the pack says wrong is no end."""
    host, guest = cobbler.answers.systems
    parents = {"profile": cobbler.answers.profiles, "distro": cobbler.answers.distros}
    said = Told(Memory([], [], False), [dict(host, **{field: odd}), guest], parents)
    cobbler.answers.methods["generate_script"] = lambda *_: as_text(said)
    for words in (["check", "kvm1"], ["show", "web1"], ["record", "kvm1", "--dry-run"]):
        status, out, err = run(words)
        assert status in (0, 1), (out, err)
    assert ("get_items", ("system",)) not in cobbler.calls


def test_a_summary(run: Run) -> None:
    status, out, _ = run(["show", "--summary"])
    assert (status, out) == (
        0,
        "STATE      HOSTS  GUESTS\ninstalled  1      1\nall        1      1\n",
    )
    data = json.loads(run(["show", "--summary", "--format=json"])[1])
    assert (data["hosts"]["installed"], data["hosts"]["failed"], data["guests"]) == (1, 0, 1)


def test_a_watch_ends_when_it_is_interrupted(
    run: Run, cobbler: Cobbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        cobbler.answers.systems[0]["name"] = "kvm9"
        if len(slept) > 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    status, out, _ = run(["show", "--watch", "7"])
    assert (status, slept) == (130, [7, 7])
    assert out.index("kvm1") < out.index("kvm9")


def test_a_watch_ends_when_nobody_reads_it(
    run: Run, cobbler: Cobbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", pytest.fail)
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run(["show", "--watch", "7"])[0] == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("127.0.0.1:1", "; it can be http://HOST/cobbler_api or https://HOST/cobbler_api\n"),
        ("ftp://x/", "; it can be http://HOST/cobbler_api or https://HOST/cobbler_api\n"),
        ("http://127.0.0.1:1", ": Connection refused\n"),
    ],
)
def test_what_a_server_is_not(capsys: pytest.CaptureFixture[str], url: str, said: str) -> None:
    assert cli.main(["show", "--server", url]) == 3
    assert capsys.readouterr().err.endswith(said)


def test_a_server_that_is_a_web_server(run: Run, cobbler: Cobbler) -> None:
    cobbler.wire = lambda write, _: write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
    status, _, err = run(["show"])
    assert (status, err.endswith("; did you mean %s/cobbler_api?\n" % cobbler.url)) == (3, True)


def test_a_password_that_is_none(run: Run, cobbler: Cobbler) -> None:
    def refuses(*_: Any) -> Any:
        raise Fault(1, "<class 'cobbler.cexceptions.CX'>:'login failed (admin)'")

    cobbler.answers.methods["login"] = refuses
    status, _, err = run(["place"])
    assert (status, err.endswith(": no user has this name and this password\n")) == (3, True)


def test_a_password_file_that_is_none(
    capsys: pytest.CaptureFixture[str], cobbler: Cobbler, tmp_path: Path
) -> None:
    words = ["--server", cobbler.url, "--user", "admin", "--password-file", str(tmp_path / "none")]
    assert cli.main(["place", "--host=kvm1", *words]) == 3
    err = capsys.readouterr().err
    assert "No such file or directory; --password-file names" in err
    assert not cobbler.calls


@pytest.mark.parametrize(
    "words",
    [
        ["render", "--system="],
        ["render", "--profile", ""],
        ["show", ""],
        ["show", "--bridge="],
        ["check", "--host="],
        ["set", "--system=", "bridge=br0"],
        ["record", ""],
        ["place", "--host="],
        ["apply", "--profile="],
        ["undo", "kvm1", "--user="],
        ["undo", ""],
    ],
)
def test_an_empty_name(capsys: pytest.CaptureFixture[str], words: List[str]) -> None:
    assert cli.main(words) == 2
    assert ": '' is no name (see cobbler-bridge " + words[0] in capsys.readouterr().err


def test_what_is_no_file_stays(run: Run, tmp_path: Path) -> None:
    """root's ``--output /dev/null`` puts no file there, nor in the place of ``/dev/stdout``."""
    pipe, link, told = (tmp_path / name for name in ("pipe", "link", "told"))
    os.mkfifo(pipe)
    link.symlink_to(told)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    for each in (pipe, link):
        assert run([*METRICS, "--output", str(each)])[:2] == (1, "")
    assert os.read(reader, 20) == b"# HELP cobbler_bridg"
    os.close(reader)
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert told.read_text().startswith("# HELP")
    assert not list(tmp_path.glob("*.*"))


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["check", "--help"]])
@pytest.mark.parametrize(
    ("end", "status"), [("| head -c1 >/dev/null", 0), (">&-", 0), (">/dev/full", 1), ("2>&-", 0)]
)
def test_output_that_goes_nowhere(words: List[str], end: str, status: int) -> None:
    command = [sys.executable, "-m", "cobbler_bridge", *words]
    shell = "%s %s" % (" ".join(command), end)
    done = subprocess.run(["sh", "-c", shell], stderr=subprocess.PIPE, encoding="utf-8")
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert ("No space left on device" in done.stderr) == (status == 1)


GIVEN_UP = """\
import os, signal, sys
signal.signal(signal.SIGINT, signal.%s)
class Loading:
    def find_spec(self, name, *more):
        if name == "cobbler_bridge.cli":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Loading())
sys.argv[1:] = ["--version"]
from cobbler_bridge.__main__ import run
run()
"""


@pytest.mark.parametrize(
    ("begun", "status"), [("default_int_handler", -signal.SIGINT), ("SIG_IGN", 0)]
)
def test_given_up_while_it_is_loaded(begun: str, status: int) -> None:
    """Not where whoever started it has it ignore this."""
    command = [sys.executable, "-c", GIVEN_UP % begun]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (status, b"")


def test_each_subcommand_has_an_example_that_it_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = re.findall("^    ([a-z]+) +", cli.parser().format_help(), re.MULTILINE)
    assert {"install", "show", "undo"} < set(names)
    for name in names:
        with pytest.raises(SystemExit):
            cli.parser().parse_args([name, "--help"])
        example = capsys.readouterr().out.rpartition("Example: cobbler-bridge ")[2]
        assert cli._parsed(shlex.split(example)).command == name
