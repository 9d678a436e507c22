"""The page that ``show --format html`` writes: one file, all of it data or fixed text."""

import json
import re
from typing import Any

from cobbler_bridge.findings import ROLLED_BACK as KIND
from cobbler_bridge.problem import Problem
from cobbler_bridge.show import page
from cobbler_bridge.show.listing import BridgeRow, GuestRow, HostRow
from cobbler_bridge.store.host_record import ROLLED_BACK, VERIFIED

NOW = 1_800_000_000
SINCE = "2027-01-15T07:00:00Z"
NASTY = '</script><script>alert(1)</script>"&\u2028\x07'


def data_of(text: str) -> Any:
    (found,) = re.findall(
        r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL
    )
    return json.loads(found)


def test_what_is_on_it() -> None:
    guests = (GuestRow("web1", (("eth0", "br0"),)), GuestRow("web2", (("eth0", ""),)))
    rows = [
        HostRow("kvm1", (BridgeRow("br0", ("eth0",)),), VERIFIED, SINCE, guests, seen=SINCE),
        HostRow("kvm2", (), ROLLED_BACK, SINCE, (), reason="br0 has no link", drift="unseen"),
    ]
    found = [
        Problem("kvm2", "record", "the host is rolled back", "correct it", KIND),
        Problem("web1", "virt_bridge", "is not set", "set it", KIND),
        Problem("settings", "server", "is wrong", "another", KIND),
    ]
    data = data_of(page.html(rows, found, NOW))
    assert data["now"] == "2027-01-15T08:00:00Z"
    assert [each["subject"] for each in data["findings"]] == ["settings"]
    first, second = data["hosts"]
    assert first["ports"] == {"br0": ["eth0"]}
    assert [each["id"] for each in first["guests"][0]["findings"]] == ["rolled-back"]
    assert (first["sure"], second["sure"]) == (True, False)
    assert second["findings"][0]["severity"] == "error"
    assert second["drift"] == "silent"


def test_nothing_of_a_name_is_markup() -> None:
    row = HostRow(
        NASTY, (BridgeRow(NASTY),), VERIFIED, SINCE, (GuestRow(NASTY, ((NASTY, NASTY),)),)
    )
    text = page.html([row], [Problem(NASTY, NASTY, NASTY, NASTY)], NOW)
    assert text.count("<script") == page.html([], [], NOW).count("<script") == 2
    assert data_of(text)["hosts"][0]["host"] == NASTY


def test_it_needs_nothing_from_elsewhere() -> None:
    text = page.html([], [], NOW)
    assert re.findall(r"(?:src|href)=|https?:|@import|url\(|fetch\(|XMLHttp", text) == []
    assert "default-src 'none'" in text
    assert "innerHTML" not in text
