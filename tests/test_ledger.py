"""What is remembered of systems: whose it is, that it is whole, and that others see it."""

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Dict, List, Set

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cobbler_bridge.description.values import device_name
from cobbler_bridge.description.xen_mode import UNBRIDGED
from cobbler_bridge.store import ledger as module
from cobbler_bridge.store.host_record import DRIFTS, INSTALLED, STATES, VERIFIED, Record
from cobbler_bridge.store.ledger import Entry, Ledger, Memory, owners
from cobbler_bridge.store.told import NOTHING, Told, as_text, parsed

RECORD = Record(("br0", "br1"), VERIFIED, "2026-01-31T12:00:00Z", "", ("old0",), "why", "seen")


def usable(name: str) -> bool:
    try:
        return device_name(name) == name
    except ValueError:
        return False


NAMES = st.from_regex(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}", fullmatch=True).filter(usable)
# also what no UTF-8 has: Cobbler's files may
TEXTS = st.text(st.characters(), max_size=300)
RECORDS = st.builds(
    Record,
    st.lists(NAMES, max_size=3).map(tuple),
    st.sampled_from(STATES),
    TEXTS,
    st.sampled_from(["", *UNBRIDGED]),
    st.lists(NAMES, max_size=3).map(tuple),
    TEXTS,
    TEXTS,
    st.sampled_from(["", *DRIFTS]),
)
ENTRIES = st.builds(
    Entry, TEXTS, TEXTS, st.none() | RECORDS, st.dictionaries(TEXTS, TEXTS, max_size=3)
).filter(lambda entry: not entry.is_empty)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No disk is waited for."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(str(tmp_path / "records"))


def there(*uids: str) -> Callable[[str], bool]:
    return set(uids).__contains__


def files(ledger: Ledger) -> Set[str]:
    assert os.listdir(os.path.join(ledger.folder, ".laid")) == []
    return set(os.listdir(ledger.folder)) - {".laid"}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ENTRIES)
def test_what_is_written_is_read(tmp_path: Path, entry: Entry) -> None:
    ledger = Ledger(str(tmp_path / "any"))
    ledger.write(entry)
    assert ledger.find(entry.uid, entry.name, there()) == entry
    assert Ledger(ledger.folder).find(entry.uid, entry.name, there()) == entry
    assert ledger.memory().entries == [entry]
    assert parsed(as_text(Told(Memory([entry], [], True), []))).memory == Memory([entry], [], True)
    ledger.write(Entry(entry.uid, entry.name), entry)
    assert ledger.memory() == Memory([], [], False)


def test_nothing_is_remembered(ledger: Ledger) -> None:
    assert ledger.find("u", "kvm1", there()) is None
    assert ledger.memory() == Memory([], [], False)
    # nor is anything made by looking
    assert not os.path.exists(ledger.folder)


def test_only_root_reads_it(ledger: Ledger) -> None:
    os.umask(os.umask(0))
    ledger.write(Entry("u", "kvm1", RECORD))
    assert stat.S_IMODE(os.stat(ledger.folder).st_mode) == 0o700
    (name,) = files(ledger)
    assert name == "kvm1=u.json"
    assert stat.S_IMODE(os.stat(os.path.join(ledger.folder, name)).st_mode) == 0o600


@pytest.mark.parametrize("first", [False, True], ids=["looked before", "new process"])
def test_a_renamed_system(ledger: Ledger, first: bool) -> None:
    old = Entry("u", "kvm1", RECORD)
    ledger.write(old)
    at = Ledger(ledger.folder) if first else ledger
    assert at.find("u", "kvm2", there("u")) == old
    # its name went to another one, which has no record of its own
    assert at.find("v", "kvm1", there("u", "v")) is None
    at.write(Entry("v", "kvm1", RECORD._replace(state=INSTALLED)))
    assert at.find("u", "kvm2", there("u", "v")) == old
    at.write(old._replace(name="kvm2"), old)
    assert files(at) == {"kvm2=u.json", "kvm1=v.json"}
    assert at.find("u", "kvm2", there("u", "v")) == old._replace(name="kvm2")


def test_a_copy_has_none(ledger: Ledger) -> None:
    ledger.write(Entry("u", "kvm1", RECORD))
    assert ledger.find("v", "kvm2", there("u", "v")) is None


def test_removed_and_created_again(ledger: Ledger) -> None:
    old = Entry("u", "kvm1", RECORD, {"eth0": "br9"})
    ledger.write(old)
    assert ledger.find("v", "kvm1", there("v")) == old
    # and the second time
    ledger.write(old._replace(uid="v"), old)
    assert files(ledger) == {"kvm1=v.json"}
    # files of yesterday, when its uid was the first one
    assert ledger.find("u", "kvm1", there("u")) == old._replace(uid="v")


def test_the_newest_of_several_that_are_gone(ledger: Ledger) -> None:
    entries = [
        Entry(uid, "kvm1", RECORD._replace(since=since))
        for uid, since in (("a", "2025"), ("b", "2026"), ("c", "2024"))
    ]
    for each in entries:
        ledger.write(each)
    assert ledger.find("v", "kvm1", there("v")) == entries[1]
    assert owners(entries, {"kvm1": "v"}) == {"kvm1": entries[1]}


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 99))),
    st.dictionaries(st.sampled_from("xyz"), st.sampled_from(["a", "b", "c", "d"]), max_size=3),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_find_the_same(tmp_path: Path, written: List[Any], uids: Dict[str, str]) -> None:
    if len(set(uids.values())) < len(uids):
        return
    ledger = Ledger(str(tmp_path / "both"))
    for each in ledger.memory().entries:
        ledger.write(Entry(each.uid, each.name), each)
    for uid, name, since in written:
        before = ledger.find(uid, name, there(*"abcd"))
        ledger.write(Entry(uid, name, RECORD._replace(since="%02d" % since)), before)
    entries = ledger.memory().entries
    # which of two of the same age is nobody's business
    if len({each.record and each.record.since for each in entries}) == len(entries):
        found = {name: ledger.find(uid, name, there(*uids.values())) for name, uid in uids.items()}
        owned = owners(entries, uids)
        assert {name: each for name, each in found.items() if each is not None} == owned


def test_what_another_process_writes_is_seen_at_once(ledger: Ledger) -> None:
    """In whatever moment: each of them tells the two of one tick of the clock apart."""
    other = Ledger(ledger.folder)
    for number in range(200):
        entry = Entry("u%d" % number, "kvm%d" % number, RECORD)
        other.write(entry)
        assert ledger.find(entry.uid, "renamed", there()) == entry
        ledger.write(Entry("v%d" % number, "w%d" % number, RECORD))
        other.write(entry._replace(name="x%d" % number), entry)
        assert ledger.find("z", "x%d" % number, there()) == entry._replace(name="x%d" % number)
        assert ledger.find("z", entry.name, there()) is None


def counted(monkeypatch: pytest.MonkeyPatch, name: str, calls: List[Any]) -> None:
    """Have the calls of a function counted."""
    real = open if name == "builtins.open" else os.listdir

    def call(*words: Any, **more: Any) -> Any:
        calls.append(words)
        return real(*words, **more)

    monkeypatch.setattr(name, call)


def test_a_lookup_reads_one_file(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        ledger.write(Entry("u%d" % number, "kvm%d" % number, RECORD))
    ledger.find("z", "z", there())
    opened: List[Any] = []
    listed: List[Any] = []
    counted(monkeypatch, "builtins.open", opened)
    counted(monkeypatch, "os.listdir", listed)
    ledger.find("u7", "kvm7", there())
    assert (len(opened), listed) == (1, [])
    # tried under its own name, then found under the other
    ledger.find("u7", "other", there())
    ledger.find("nobody", "nobody", there())
    assert (len(opened), listed) == (4, [])
    # nor after what was written here
    ledger.write(Entry("new", "new", RECORD))
    ledger.find("nobody", "nobody", there())
    assert listed == []


DAMAGED = [
    "",
    "[",
    "[]",
    "null",
    "{}",
    '{"format": 2}',
    '{"format": 1, "uid": 5}',
    '{"format": 1, "record": {"state": "unheard of"}}',
    '{"format": 1, "record": {"state": "verified", "bridges": ["br 0"]}}',
    '{"format": 1, "record": {"state": "verified", "bridges": "br0"}}',
    '{"format": 1, "record": {"state": "verified", "unbridged": "x"}}',
    '{"format": 1, "placed": {"eth0": []}}',
    "\xff",
    "[" * 100_000,
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_costs_one_system(ledger: Ledger, text: str) -> None:
    good, bad = Entry("u", "kvm1", RECORD), Entry("v", "kvm2", RECORD)
    ledger.write(good)
    ledger.write(bad)
    Path(ledger.folder, "kvm2=v.json").write_bytes(text.encode("latin-1"))
    assert ledger.find("v", "kvm2", there("u", "v")) is None
    assert ledger.find("v", "renamed", there("u", "v")) is None
    assert ledger.find("w", "kvm2", there("u", "w")) is None
    assert ledger.find("u", "kvm1", there("u", "v")) == good
    memory = ledger.memory()
    assert (memory.entries, memory.damaged) == ([good], ["kvm2"])
    ledger.write(bad)
    assert ledger.memory().damaged == []


@pytest.mark.parametrize("call", ["os.fsync", "os.replace", "fcntl.flock", "tempfile.mkstemp"])
def test_what_cannot_be_written_changes_nothing(
    ledger: Ledger, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Entry("u", "kvm1", RECORD)
    ledger.write(before)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(call, full)
        with pytest.raises(OSError, match="No space"):
            ledger.write(Entry("u", "kvm1", RECORD._replace(state=INSTALLED)), before)
    assert files(ledger) == {"kvm1=u.json"}
    assert ledger.find("u", "kvm1", there()) == before


def test_it_counts_when_the_block_is_done(ledger: Ledger) -> None:
    entry = Entry("u", "kvm1", RECORD)

    def fails() -> None:
        with ledger.laid(entry):
            assert ledger.find("u", "kvm1", there()) is None
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert files(ledger) == set()
    with ledger.laid(entry):
        pass
    assert ledger.find("u", "kvm1", there()) == entry


def test_who_is_killed_leaves_it_whole(ledger: Ledger) -> None:
    """At whatever call: it is as before, or as it shall be."""
    before = Entry("u", "kvm1", RECORD)
    ledger.write(before)
    script = """
import os, sys
from cobbler_bridge.store import ledger
from cobbler_bridge.store.host_record import Record
at, number = ledger.Ledger(sys.argv[1]), int(sys.argv[2])
def dying(*_):
    global number
    number -= 1
    if number == 0:
        os._exit(9)
sys.setprofile(dying)
old = at.find("u", "kvm1", lambda uid: True)
at.write(old._replace(name="kvm2"), old)
os._exit(0)
"""
    number, states = 0, set()
    while True:
        number += 97
        words = [sys.executable, "-c", script, ledger.folder, str(number)]
        status = subprocess.run(words, cwd=str(Path(module.__file__).parents[2])).returncode
        found = Ledger(ledger.folder).find("u", "kvm1", there("u"))
        assert found is not None
        assert found.record == RECORD
        states.add(found.name)
        if status == 0:
            break
        ledger.write(before, found)
    assert "kvm2" in states


def test_many_at_once(ledger: Ledger) -> None:
    def work(number: int) -> None:
        at = ledger if number % 2 else Ledger(ledger.folder)
        for each in range(20):
            entry = Entry("u%d-%d" % (number, each), "n", RECORD)
            at.write(entry)
            assert at.find(entry.uid, "n", there()) == entry

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.memory().entries) == 120
    assert ledger.find("u0-0", "other", there()) is not None


def test_that_it_is_moved_is_noted(ledger: Ledger) -> None:
    assert not ledger.moved
    ledger.note_moved()
    assert ledger.memory() == Memory([], [], True)


@pytest.mark.parametrize(
    "text", ["", "# script template not found", "[]", "{}", '{"entries": []}', "[" * 10**5, "null"]
)
def test_what_no_server_of_ours_says(text: str) -> None:
    assert parsed(text) == NOTHING


def test_what_a_server_says_in_part() -> None:
    text = json.loads(as_text(Told(Memory([Entry("u", "kvm1", RECORD)], ["a"], True), [])))
    text["entries"] += [5, {"format": 1, "name": "kvm2", "placed": {"x": 1}}]
    memory = parsed(json.dumps(text)).memory
    assert memory == Memory([Entry("u", "kvm1", RECORD)], ["a", "None", "kvm2"], True)


@given(TEXTS)
def test_no_language_of_templates_finds_anything(name: str) -> None:
    text = as_text(Told(Memory([Entry("u", name + "@@x@@$SNIPPET::a#set", RECORD)], [], True), []))
    assert not set("@$#") & set(text)
    assert "::" not in text
    assert max(text) < "\x80"
