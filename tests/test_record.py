"""The word in which Cobbler remembers a host's bridges."""

import re
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobbler_bridge.keys import PLACED, RECORD
from cobbler_bridge.record import (
    INSTALLED,
    INSTALLING,
    STATES,
    VERIFIED,
    Record,
    placed_text,
    read,
    read_placed,
)
from cobbler_bridge.values import device_name
from cobbler_bridge.xen import UNBRIDGED

SINCE = "2026-01-31T12:00:00Z"


def usable(name: str) -> bool:
    try:
        return device_name(name) == name
    except ValueError:
        return False


NAMES = st.from_regex(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}", fullmatch=True).filter(usable)
TIMES = st.datetimes().map(lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ"))
BRIDGED = st.tuples(st.lists(NAMES, max_size=4).map(tuple), st.just(""))
ROUTED = st.tuples(st.just(()), st.sampled_from(UNBRIDGED))
RECORDS = st.builds(
    lambda how, state, since: Record(how[0], state, since, how[1]),
    BRIDGED | ROUTED,
    st.sampled_from(STATES),
    TIMES,
)


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert read(str(record)) == record


@given(RECORDS)
def test_a_record_needs_no_quotes_anywhere(record: Record) -> None:
    assert re.match(r"[A-Za-z0-9_.,:/-]+\Z", str(record))


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("br0/installed/" + SINCE, Record(("br0",), INSTALLED, SINCE)),
        ("br0,br1/verified/" + SINCE, Record(("br0", "br1"), VERIFIED, SINCE)),
        ("br0/installing/", Record(("br0",), INSTALLING, "")),
        ("/installed/" + SINCE, Record((), INSTALLED, SINCE)),
        ("br0,,br1,/installed/x", Record(("br0", "br1"), INSTALLED, "x")),
        ("xen:network-nat/installed/x", Record((), INSTALLED, "x", "network-nat")),
        # a bridge may have this name
        ("network-nat/installed/x", Record(("network-nat",), INSTALLED, "x")),
    ],
)
def test_a_record_written_by_hand(text: str, record: Record) -> None:
    assert read(text) == record


@pytest.mark.parametrize(
    "garbage",
    [
        None,
        7,
        True,
        "xen:/installed/x",
        "xen:network-bridge/installed/x",
        "xen:network-nat,br0/installed/x",
        "br0,xen:network-nat/installed/x",
        "",
        "/",
        "//",
        "br0",
        "br0/installed",
        "br0/INSTALLED/x",
        "br0/installed /x",
        "br0/gone/x",
        "br0/installed/x/y",
        "br0//x",
        "br0;reboot/installed/x",
        "$(reboot)/installed/x",
        "br0,-x/installed/x",
        "br0\n/installed/x",
        "br 0/installed/x",
        "lo/installed/x",
        "a" * 16 + "/installed/x",
        "a" * 1_000_000,
        "/" * 1_000_000,
        "~",
        ["br0/installed/x"],
        {"br0": "installed"},
        b"br0/installed/x",
    ],
)
def test_garbage_is_no_record(garbage: Any) -> None:
    assert read(garbage) is None


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    for each in (text, text + "/installed/x", "br0/%s/x" % text, "br0/installed/" + text):
        record = read(each)
        assert record is None or read(str(record)) == record


def test_the_documented_example_is_a_record() -> None:
    assert read(RECORD.example) == Record(("br0",), INSTALLED, SINCE)


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_a_note_is_read_as_it_was_written(placed: Dict[str, str]) -> None:
    text = placed_text(placed)
    assert read_placed(text) == placed
    assert text is None or re.match(r"[A-Za-z0-9_.,:%~-]+\Z", text)


@pytest.mark.parametrize("garbage", [None, 7, "", "none", ",", ":", ":br0", ["eth0:br0"], b"a:b"])
def test_garbage_is_no_note(garbage: Any) -> None:
    assert read_placed(garbage) == {}


def test_the_documented_note() -> None:
    assert read_placed(PLACED.example) == {"eth0": "br0", "eth1": "br1"}
    assert placed_text(read_placed(PLACED.example)) == PLACED.example
