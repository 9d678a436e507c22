"""What ``cobbler-bridge check`` makes of what it found: its lines, sums, formats, and each id."""

import json
import re
from pathlib import Path
from typing import List
from xml.etree import ElementTree

import pytest

from cobbler_bridge import check, findings
from cobbler_bridge.check.report import as_data, as_junit, as_prometheus, as_text
from cobbler_bridge.check.wanted import Wanted, missing
from cobbler_bridge.store.host_record import ROLLED_BACK, Record
from cobbler_bridge.store.inventory import Profile, System
from test_check import SINCE, guest, host, nic, site

ROOT = Path(__file__).resolve().parent.parent
LOST = Record(("br0",), ROLLED_BACK, SINCE, reason="br0 has no link")
# a roll-out: a host that waits, one that failed, one that is done, and their guests
PARTS = (
    host("kvm1", record=""),
    *(guest(nic(bridge=""), name="a%d" % number) for number in range(1, 6)),
    host("kvm2", record="")._replace(record=LOST),
    *(guest(nic(bridge=""), name="b%d" % number, of="kvm2") for number in range(1, 3)),
    host("kvm3"),
    guest(nic(), name="c1", of="kvm3"),
    guest(nic(bridge="virbr0"), name="c2", of="kvm3"),
)
PROFILE = Profile("hosts", {"bridge": "br0"}, "/hosts.ks", "<<inherit>>")
SITE = site(*PARTS, profiles=[PROFILE])
ROLLED = (
    "kvm2: record: the host is rolled back since %s: br0 has no link; correct its description, and "
    "run its script again or install it [rolled-back]\n" % SINCE
)
SUMS = "1 error, 1 warning, 7 waiting for 2 hosts; 12 systems and 1 profile looked at.\n"


def test_a_line_for_a_host_and_its_guests() -> None:
    report = check.report(SITE)
    assert (
        as_text(report)
        == (
            "error: "
            + ROLLED
            + "warning: c2: virt_bridge of eth0: 'virbr0' is libvirt's own network "
            "behind NAT: nobody can reach the guest; it can be br0; or set it to <<inherit>> to "
            "have it chosen [behind-nat]\n"
            "waiting: a1, a2, a3 and 2 more on kvm1: bridge_host: Cobbler knows no bridge of "
            "'kvm1'; install that host, or run cobbler-bridge record kvm1 [host-waited-for]\n"
            "waiting: b1, b2 on kvm2: bridge_host: 'kvm2' has put its old network back and has no "
            "bridge; correct that host, or set virt_bridge of the guest by hand [host-waited-for]\n"
        )
        + SUMS
    )
    assert report.is_bad
    assert as_text(report, colours=True).startswith("\033[31merror\033[0m: kvm2: record: ")


@pytest.mark.parametrize(
    ("wanted", "severity", "ids", "sums"),
    [
        (Wanted(), "error", ["rolled-back"], "1 error; 12 systems and 1 profile looked at.\n"),
        (Wanted(["a*", "kvm2"]), "waiting", ["rolled-back"] + ["host-waited-for"] * 5, None),
        (Wanted(hosts=["kvm3"]), "waiting", ["behind-nat"], "1 warning; 3 systems looked at.\n"),
        (Wanted(hosts=["kvm[12]"]), "warning", ["rolled-back"], None),
        (
            Wanted(profiles=["hosts"]),
            "waiting",
            ["rolled-back"],
            "1 error; 3 systems and 1 profile looked at.\n",
        ),
        (Wanted(["c1"]), "waiting", [], "No problem was found; 1 system looked at.\n"),
    ],
)
def test_what_is_wanted(wanted: Wanted, severity: str, ids: List[str], sums: str) -> None:
    report = check.report(SITE, wanted, severity)
    assert [each.kind.id for each in report.found] == ids
    assert report.is_bad == ({"rolled-back", "behind-nat"} & set(ids) != set())
    assert sums is None or as_text(report).endswith(sums)
    assert missing(SITE, wanted) == []


def test_what_nothing_is_called() -> None:
    wanted = Wanted(["kvm9", "a?"], ["a1*", "x"], ["hosts", "guests"])
    assert missing(SITE, wanted) == ["kvm9", "x", "guests"]


def test_a_cobbler_without_anything() -> None:
    said = as_text(check.report(site()))
    assert said == "No problem was found; Cobbler has no systems and no profiles.\n"
    plain = System("plain", "x", {}, {}, (nic(),), 1.0, "")
    assert as_text(check.report(site(plain))) == (
        "No problem was found; 1 system looked at, and none of them asks for a bridge.\n"
    )


def test_json() -> None:
    data = json.loads(json.dumps(as_data(check.report(SITE))))
    assert [each["id"] for each in data][:2] == ["rolled-back", "host-waited-for"]
    assert data[1] == {
        "subject": "a1",
        "field": "bridge_host",
        "wrong": "Cobbler knows no bridge of 'kvm1'",
        "right": "install that host, or run cobbler-bridge record kvm1",
        "id": "host-waited-for",
        "severity": "waiting",
        "host": "kvm1",
    }


def test_junit() -> None:
    suite = ElementTree.fromstring(as_junit(check.report(SITE)))
    assert suite.attrib == {
        "name": "cobbler-bridge check",
        **{"tests": "13", "failures": "2", "errors": "0", "skipped": "7"},
    }
    (rolled,) = suite.findall("testcase[@classname='kvm2']")
    assert rolled.get("name") == "rolled-back: record"
    failure = rolled.find("failure")
    assert failure is not None
    assert failure.get("type") == "error"
    assert ROLLED.startswith("kvm2: record: " + str(failure.get("message")))
    assert len(suite.findall("testcase[@classname='c1']")) == 1


def test_prometheus() -> None:
    """Prometheus' own reader takes it, and a series that has nothing to count is there."""
    # which is for newer Pythons only
    parser = pytest.importorskip("prometheus_client.parser")
    text = as_prometheus(check.report(SITE), SITE)
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["cobbler_bridge_findings", "host-waited-for", "waiting"] == 7
    assert samples["cobbler_bridge_findings", "error", "rolled-back"] == 1
    assert samples["cobbler_bridge_hosts", "rolled back"] == 1
    assert samples["cobbler_bridge_hosts", "not installed"] == 1
    assert samples["cobbler_bridge_checked_seconds",] == SITE.now
    assert sum(each[0] == "cobbler_bridge_findings" for each in samples) == len(findings.KINDS)


def test_names_that_are_no_text_of_one_line() -> None:
    """They neither begin a line, nor end an element."""
    name = 'x\n"><a&\x1b[1m'
    odd = guest(nic(bridge="br9"), name=name)
    report = check.report(site(host(), odd))
    assert as_text(report).count("\n") == 2
    suite = ElementTree.fromstring(as_junit(report))
    assert len(suite.findall("testcase")) == 2
    assert check.report(site(host(), odd), Wanted([name.replace("[", "[[]")])).found == report.found


def test_every_kind_is_explained_and_found_by_something() -> None:
    page = (ROOT / "docs/check.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| `([a-z-]+)` \| (\w+) \|", page)
    assert rows == [tuple(each) for each in sorted(findings.KINDS, key=rows.index)]
    assert len(rows) == len({each.id for each in findings.KINDS}) == len(findings.KINDS)
    sources = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "cobbler_bridge").rglob("*.py")
        if path.stem != "findings"
    ]
    for name, value in vars(findings).items():
        if isinstance(value, findings.Kind):
            assert any(re.search(r"findings\.%s\b" % name, each) for each in sources), name
