"""Which host is switched when, what a host is asked, and what becomes of its record."""

import json
import os
import stat
import threading
import time
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Tuple

import pytest

from cobbler_bridge.apply import fleet, over_ssh, waves
from cobbler_bridge.apply.over_ssh import NO_SESSION, Answer
from cobbler_bridge.apply.waves import (
    ALREADY,
    APPLY,
    FAILED,
    LOOK,
    REFUSED,
    UNKNOWN,
    UNREACHABLE,
    UNTOUCHED,
    VERIFIED,
    Job,
    Outcome,
)
from cobbler_bridge.command import apply as command
from cobbler_bridge.command.ending import FailError
from waiting import HANGS


class Site:
    """Hosts that answer what they are told to, and what they were asked."""

    def __init__(self, count: int, **answers: Sequence[Answer]) -> None:
        self.jobs = [Job("kvm%02d" % number, "kvm%02d" % number, "") for number in range(count)]
        self.answers: Dict[str, List[Answer]] = {name: list(all_) for name, all_ in answers.items()}
        self.asked: List[Tuple[str, str]] = []
        self.begun: List[List[str]] = []

    def ask(self, job: Job, word: str) -> Answer:
        self.asked.append((job.host, word))
        left = self.answers.get(job.host)
        if left:
            return left.pop(0)
        return Answer(0, ["/etc/x"] if word == LOOK else ["cobbler-bridge: br0 is proved"])

    def begin(self, jobs: Sequence[Job]) -> None:
        self.begun.append([job.host for job in jobs])

    def roll_out(self, size: int = 10, stop_after: int = 1) -> Dict[str, Outcome]:
        found = waves.roll_out(self.jobs, size, stop_after, self.ask, self.begin)
        return {each.host: each for each in found}


CHANGES = Answer(0, ["/etc/x"])
BACK = Answer(
    1, ["cobbler-bridge: wrote /etc/x", "cobbler-bridge: the old network is back: silent"]
)


def of(outcomes: Dict[str, Outcome]) -> Dict[str, int]:
    kinds = [each.outcome for each in outcomes.values()]
    return {kind: kinds.count(kind) for kind in kinds}


def test_one_goes_alone_before_the_waves() -> None:
    site = Site(23)
    assert of(site.roll_out()) == {VERIFIED: 23}
    assert [len(each) for each in site.begun] == [1, 9, 10, 3]
    # none was switched that was not asked first
    for job in site.jobs:
        assert [word for host, word in site.asked if host == job.host] == [LOOK, APPLY]


def test_the_wave_of_a_failure_is_the_last() -> None:
    site = Site(40, kvm22=[CHANGES, BACK])
    found = site.roll_out()
    assert of(found) == {VERIFIED: 29, FAILED: 1, UNTOUCHED: 10}
    assert found["kvm22"].why == "the old network is back: silent"
    assert {each.outcome for name, each in found.items() if name < "kvm20"} == {VERIFIED}
    assert {each.outcome for name, each in found.items() if name >= "kvm30"} == {UNTOUCHED}
    assert not {host for host, _ in site.asked if host >= "kvm30"}


def test_a_wave_begins_together() -> None:
    """None waits for another one's end: each is at work before the first one has ended."""
    site = Site(14, kvm05=[CHANGES, BACK])
    ask = site.ask
    together = threading.Barrier(5)

    def ask_together(job: Job, word: str) -> Answer:
        if word == APPLY and job.host >= "kvm05":
            together.wait(HANGS)
        return ask(job, word)

    site.ask = ask_together  # type: ignore[method-assign]
    found = site.roll_out(5)
    assert of(found) == {VERIFIED: 9, FAILED: 1, UNTOUCHED: 4}
    assert {each.outcome for name, each in found.items() if name >= "kvm10"} == {UNTOUCHED}


def test_one_by_one_the_one_that_fails_is_the_last() -> None:
    site = Site(4, kvm01=[CHANGES, BACK])
    assert of(site.roll_out(1)) == {VERIFIED: 1, FAILED: 1, UNTOUCHED: 2}


def test_the_first_one_fails() -> None:
    site = Site(3, kvm00=[CHANGES, BACK])
    assert of(site.roll_out()) == {FAILED: 1, UNTOUCHED: 2}
    assert site.begun == [["kvm00"]]


@pytest.mark.parametrize(
    ("answer", "outcome", "why"),
    [
        (Answer(1, ["cobbler-bridge: there is no NIC"]), REFUSED, "there is no NIC"),
        (Answer(NO_SESSION, ["ssh: no route"]), UNREACHABLE, "ssh: no route"),
    ],
)
def test_who_is_not_to_be_switched_keeps_its_wave_from_it(
    answer: Answer, outcome: str, why: str
) -> None:
    site = Site(12, kvm03=[answer])
    found = site.roll_out(5)
    assert of(found) == {VERIFIED: 1, outcome: 1, UNTOUCHED: 10}
    assert found["kvm03"].why == why
    # more failures may be allowed
    site = Site(12, kvm03=[answer])
    assert of(site.roll_out(5, stop_after=2)) == {VERIFIED: 11, outcome: 1}


def test_what_is_there_already_is_not_switched() -> None:
    same = Answer(0, ["cobbler-bridge: br0 is set up already"])
    site = Site(2, kvm00=[same], kvm01=[Answer(0, [])])
    assert of(site.roll_out()) == {ALREADY: 2}
    assert {word for _, word in site.asked} == {LOOK}


def test_a_banner_is_nothing_to_do() -> None:
    """sshd's comes with what the host says."""
    banner = ["/*** Authorized use only ***/", "/  all is logged  /", "/__/"]
    site = Site(1, kvm00=[Answer(0, [*banner, "cobbler-bridge: br0 is set up already"])])
    assert of(site.roll_out()) == {ALREADY: 1}
    site = Site(1, kvm00=[Answer(0, [*banner, "/etc/NetworkManager/x/Wired 1.nmconnection"])])
    assert of(site.roll_out()) == {VERIFIED: 1}


def test_who_stops_asking_waits_for_those_that_were_asked() -> None:
    site = Site(40)
    ask, first = site.ask, threading.Event()

    def ask_slowly(job: Job, word: str) -> Answer:
        assert job.host < "kvm02" or first.wait(HANGS)
        return ask(job, word)

    answers = waves.ask_all(site.jobs, 2, ask_slowly, waves.DIFF)
    next(answers)
    threading.Timer(1, first.set).start()
    answers.close()  # type: ignore[attr-defined]
    assert len(site.asked) <= 4


def test_a_report_that_can_be_written_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was begun is followed to its end, and then it is said."""
    folder = tmp_path / "gone"
    folder.mkdir()
    followed: List[str] = []

    def outcomes() -> Iterator[Outcome]:
        folder.rename(tmp_path / "elsewhere")
        for name in ("kvm1", "kvm2"):
            followed.append(name)
            yield Outcome(name, VERIFIED)

    monkeypatch.setattr("time.monotonic", lambda: 100.0 * len(followed))
    ends = pytest.raises(FailError, match="No such file")
    with ends, command._Progress(2, str(folder / "report")) as progress:
        progress.follow(outcomes())
    assert followed == ["kvm1", "kvm2"]
    assert "2 verified" in capsys.readouterr().out


def test_a_session_that_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waves, "_PAUSE", 0)
    cut, done, not_yet = Answer(NO_SESSION, ["Connection reset"]), Answer(0, []), Answer(2, [])
    site = Site(2, kvm00=[CHANGES, cut, cut, not_yet, done, done], kvm01=[CHANGES, cut, BACK])
    found = site.roll_out()
    assert [each.outcome for each in found.values()] == [VERIFIED, FAILED]
    # it was proved before, and never heard of this
    site = Site(1, kvm00=[CHANGES, cut, done, CHANGES])
    found = site.roll_out()
    assert found["kvm00"][1:3] == (FAILED, "it was cut off before it began, and is as it was")
    # for good
    monkeypatch.setattr(waves, "_SETTLES", 0)
    site = Site(1, kvm00=[CHANGES, cut, cut])
    assert site.roll_out()["kvm00"].outcome == UNKNOWN


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("kvm1", True),
        ("kvm1.example.com", True),
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        ("-oProxyCommand=x", False),
        ("root@kvm1", False),
        ("ssh://kvm1", False),
        ("kvm1 x", False),
        ("kvm1\n", False),
        ("", False),
        ("localhost", False),
        ("127.0.0.1", False),
        ("::1", False),
    ],
)
def test_what_ssh_is_given(text: str, is_one: bool) -> None:
    assert over_ssh.is_target(text) == is_one


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ssh that runs the command here and notes how it was called."""
    program = tmp_path / "ssh"
    program.write_text(
        '#!/bin/sh\nprintf "%s\\n" "$@" > "$0.called"\nfor last; do :; done\n$last\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", "%s:%s" % (tmp_path, os.environ["PATH"]))
    return tmp_path / "ssh.called"


def test_a_program_over_ssh(ssh: Path) -> None:
    answer = over_ssh.run("kvm1", "root", 'echo "cobbler-bridge: $1"\n\necho; exit 3', ["diff"], 60)
    assert answer == Answer(3, ["cobbler-bridge: diff"])
    assert answer.last == "diff"
    called = ssh.read_text().splitlines()
    assert called[-4:] == ["root", "--", "kvm1", "sh -s -- diff"]
    assert "BatchMode=yes" in called
    over_ssh.run("kvm1", "admin", "", ["look"], 60)
    assert ssh.read_text().splitlines()[-1] == "sudo -n sh -s -- look"
    began = time.monotonic()
    assert over_ssh.run("kvm1", "root", "sleep 1000", [], 0.2).status == NO_SESSION
    # nor is what it has started waited for, on the oldest Python too
    assert time.monotonic() - began < HANGS


def test_what_a_host_says_is_cut(ssh: Path) -> None:
    said = over_ssh.run("kvm1", "root", "yes x | head -n 300000; printf '\\377\\033'", [], 60).said
    assert len(said) < 60000


def test_without_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    answer = over_ssh.run("kvm1", "root", "", [], 60)
    assert answer.status == NO_SESSION
    assert answer.last.startswith("ssh: No such file or directory")


def test_the_report() -> None:
    outcomes = [
        Outcome("kvm1", VERIFIED, "br0 is proved", 3.21),
        Outcome("kvm2", FAILED, "a\nb", 31.0),
        Outcome("kvm3", UNTOUCHED, "an earlier host did not end well"),
    ]
    assert fleet.as_text(outcomes) == (
        "HOST  OUTCOME    SECONDS\n"
        "kvm1  verified   3        br0 is proved\n"
        "kvm2  failed     31       a\\nb\n"
        "kvm3  untouched  -        an earlier host did not end well\n"
        "1 failed, 1 untouched, 1 verified\n"
    )
    assert json.loads(fleet.as_json(outcomes))[0] == {
        "host": "kvm1",
        "outcome": "verified",
        "why": "br0 is proved",
        "seconds": 3.2,
    }


def test_undone_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waves, "_PAUSE", 0)
    site = Site(3, kvm01=[Answer(1, ["cobbler-bridge: nothing is kept that could be put back"])])
    found = list(waves.one_by_one(site.jobs, site.ask))
    assert [each.outcome for each in found] == [waves.UNDONE, FAILED, UNTOUCHED]
    assert found[1].why == "nothing is kept that could be put back"
    assert site.asked == [("kvm00", waves.UNDO), ("kvm01", waves.UNDO)]
    cut = Answer(NO_SESSION, ["reset"])
    site = Site(2, kvm00=[cut, cut], kvm01=[cut, Answer(0, [])])
    assert next(waves.one_by_one(site.jobs[:1], site.ask)).outcome == UNKNOWN
    assert next(waves.one_by_one(site.jobs[1:], site.ask)).outcome == waves.UNDONE


@pytest.mark.parametrize(
    ("name", "found"),
    [("kvm1.x+y", "kvm1[.]x%2By"), ("kvm 1", "kvm%201"), ("\udc80", "%3F"), ("a|b", "a%7Cb")],
)
def test_a_name_in_the_url_of_a_host(name: str, found: str) -> None:
    """As its script has it, and it matches nothing else."""
    assert fleet._in_url(name) == found
