"""What version 0.1 noted among variables: what of it is read."""

from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobbler_bridge.store.host_record import INSTALLED, INSTALLING, VERIFIED, Record
from cobbler_bridge.store.old_notes import of, placed, record

SINCE = "2026-01-31T12:00:00Z"


@pytest.mark.parametrize(
    ("text", "found"),
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
def test_a_record(text: str, found: Record) -> None:
    assert record(text) == found


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
    assert record(garbage) is None


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    for each in (text, text + "/installed/x", "br0/%s/x" % text, "br0/installed/" + text):
        found = record(each)
        assert found is None or found.state in (INSTALLING, INSTALLED, VERIFIED)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("eth0:br0,eth1:br1", {"eth0": "br0", "eth1": "br1"}),
        ("a%3Ab%2C:br0", {"a:b,": "br0"}),
        (None, {}),
        (7, {}),
        ("", {}),
        ("none", {}),
        (",", {}),
        (":br0", {}),
        (["eth0:br0"], {}),
        (b"a:b", {}),
    ],
)
def test_a_note(text: Any, found: Dict[str, str]) -> None:
    assert placed(text) == found


def test_both() -> None:
    own = {"bridge_record": "br0/installed/x", "bridge_placed": "eth0:br1"}
    assert of(own) == (Record(("br0",), INSTALLED, "x"), {"eth0": "br1"})
    assert of({}) == (None, {})
