"""What ``cobbler-bridge show`` says of hosts and guests."""

import calendar
import json
from typing import Any, Dict, Tuple

import pytest

from cobbler_bridge.show.listing import (
    BridgeRow,
    Filter,
    GuestRow,
    HostRow,
    as_data,
    as_text,
    filtered,
    hosts,
    missing,
)
from cobbler_bridge.store.host_record import BY_HAND, ROLLED_BACK, VERIFIED, Record
from cobbler_bridge.store.inventory import Interface, System
from noted import noted

SINCE = "2026-01-31T12:00:00Z"
NOW = calendar.timegm((2026, 1, 31, 12, 0, 0))
DAY = 24 * 3600
RECORD = {"bridge_record": "br0,br1/verified/" + SINCE}


def system(name: str, meta: Any = None, own: Any = None, **nics: str) -> System:
    interfaces = tuple(Interface(nic, "na", bridge) for nic, bridge in sorted(nics.items()))
    return noted(System(name, "profile", dict(meta or {}, **(own or {})), own or {}, interfaces))


def guest_of(host: str, name: str, **nics: str) -> System:
    return system(name, {"bridge_host": host}, **nics)


NO_HOSTS = (system("a"), system("b", {"bridge_port": "eth0"}, eth0="br7"))
SYSTEMS = (
    guest_of("kvm1", "web2", eth1="br7", eth0="br0"),
    system("kvm1", {"bridge": "br0"}, RECORD, eth0="br0"),
    guest_of("kvm1", "web1", eth0="<<inherit>>"),
    system("plain", eth0=""),
    system("kvm2", {"bridge": "lan"}),
    guest_of("gone", "web3"),
    guest_of("bare", "web4", eth0=""),
    system("bare"),
)


def test_no_hosts() -> None:
    for systems in ((), NO_HOSTS):
        rows = hosts(systems)
        assert rows == []
        assert as_data(rows) == []
        assert as_text(rows) == "HOST  BRIDGES  PORTS  STATE  SINCE\n"


def test_every_kind_of_host() -> None:
    assert hosts(iter(SYSTEMS)) == [
        HostRow("bare", (), "no bridge", "", (GuestRow("web4", (("eth0", ""),)),)),
        HostRow("gone", (), "no such system", "", (GuestRow("web3", ()),)),
        HostRow(
            "kvm1",
            (BridgeRow("br0", ("eth0",)), BridgeRow("br1")),
            "verified",
            SINCE,
            (
                GuestRow("web2", (("eth0", "br0"), ("eth1", "br7"))),
                GuestRow("web1", (("eth0", ""),)),
            ),
        ),
        HostRow("kvm2", (BridgeRow("lan"),), "not installed", "", ()),
    ]


def test_the_table() -> None:
    assert as_text(hosts(SYSTEMS)) == (
        "HOST    BRIDGES               PORTS   STATE           SINCE\n"
        "bare    -                     -       no bridge       -\n"
        "  web4  eth0: -\n"
        "gone    -                     -       no such system  -\n"
        "  web3  no NIC\n"
        "kvm1    br0,br1               eth0 -  verified        2026-01-31T12:00:00Z\n"
        "  web2  eth0: br0, eth1: br7\n"
        "  web1  eth0: -\n"
        "kvm2    lan                   -       not installed   -\n"
    )


def test_a_name_never_ends_a_line() -> None:
    """Nor does it speak to the terminal."""
    rows = [HostRow("kvm\n1", (BridgeRow("br\x1b[2J"),), "installed", "", ())]
    assert as_text(rows).splitlines()[1:] == ["kvm\\n1  br\\x1b[2J  -      installed  -"]


def test_the_data_for_scripts() -> None:
    data = as_data(hosts(SYSTEMS))
    assert data == json.loads(json.dumps(data)), "plain lists, mappings and texts"
    assert data[2] == {
        "host": "kvm1",
        "bridges": ["br0", "br1"],
        "ports": {"br0": ["eth0"], "br1": []},
        "state": "verified",
        "since": SINCE,
        "reason": "",
        "seen": "",
        "drift": "",
        "guests": [
            {"guest": "web2", "nics": {"eth0": "br0", "eth1": "br7"}},
            {"guest": "web1", "nics": {"eth0": ""}},
        ],
    }
    assert [row["host"] for row in data] == ["bare", "gone", "kvm1", "kvm2"]
    known = ["host", "bridges", "ports", "state", "since", "reason", "seen", "drift", "guests"]
    assert all(list(row) == known for row in data)


def test_a_host_whose_guests_have_no_bridge() -> None:
    routed = {"bridge_record": "xen:network-nat/installed/" + SINCE}
    planned = {"bridge_xen": "network-route"}
    rows = hosts([system("xen1", planned, routed), system("xen2", planned)])
    assert as_text(rows) == (
        "HOST  BRIDGES              PORTS  STATE          SINCE\n"
        "xen1  none: network-nat    -      installed      2026-01-31T12:00:00Z\n"
        "xen2  none: network-route  -      not installed  -\n"
    )
    assert [(row["xen"], row["bridges"]) for row in as_data(rows)] == [
        ("network-nat", []),
        ("network-route", []),
    ]


def test_a_host_that_put_its_old_network_back() -> None:
    record = Record(("br0",), ROLLED_BACK, SINCE, reason="no gateway answers", seen="s")
    rows = hosts([system("kvm1")._replace(record=record)])
    assert "  rolled back: no gateway answers  " in as_text(rows)
    (row,) = as_data(rows)
    assert (row["state"], row["reason"], row["seen"]) == ("rolled back", "no gateway answers", "s")


@pytest.mark.parametrize(
    ("drift", "reason", "said"),
    [
        ("file", "br0.nmconnection", "verified, a file changed: br0.nmconnection"),
        ("network", "eth0 is not in br0", "verified, not as proved: eth0 is not in br0"),
        ("description", "", "verified, described otherwise"),
        ("", "", "verified"),
    ],
)
def test_a_host_that_has_drifted(drift: str, reason: str, said: str) -> None:
    record = Record(("br0",), VERIFIED, SINCE, seen=SINCE, reason=reason, drift=drift)
    (row,) = hosts([system("kvm1")._replace(record=record)], NOW + 2 * DAY)
    assert "  %s  %s\n" % (said, SINCE) in as_text([row])
    assert (as_data([row])[0]["drift"], row.state) == (drift, "verified")


@pytest.mark.parametrize(
    ("meta", "state", "seen", "said"),
    [
        ({}, VERIFIED, SINCE, "verified, not seen since " + SINCE),
        # from before hosts said so
        ({}, VERIFIED, "", "verified"),
        ({}, BY_HAND, SINCE, "by hand"),
        ({"bridge_watch": "no"}, VERIFIED, SINCE, "verified"),
        ({"bridge_verify": "no"}, VERIFIED, SINCE, "verified"),
    ],
)
def test_a_host_that_is_silent(meta: Dict[str, str], state: str, seen: str, said: str) -> None:
    record = Record(("br0",), state, SINCE, seen=seen)
    silent = system("kvm1", meta)._replace(record=record)
    assert hosts([silent], NOW + 3 * DAY)[0].how == state
    assert hosts([silent], NOW + 3 * DAY + 1)[0].how == said
    assert record._replace(drift="file").drifted(True, NOW + 9 * DAY) == "file"


def test_only_nics_of_a_guest_are_shown() -> None:
    interfaces = (
        Interface("bond0", "bond", "br0"),
        Interface("eth0", "na", "br0"),
        Interface("eth0.7", "na", "br0"),
        Interface("eth0:1", "na", "br0"),
    )
    guest = System("web1", "guests", {"bridge_host": "kvm1"}, {}, interfaces)
    (row,) = hosts([guest])
    assert row.guests == (GuestRow("web1", (("eth0", "br0"),)),)


def test_a_record_says_more_than_the_variable() -> None:
    systems = {
        "own": system("kvm1", {"bridge": "br9"}, RECORD),
        "garbage": system("kvm1", {"bridge": "br9"}, {"bridge_record": "?"}),
        "inherited": system("kvm1", dict(RECORD, bridge="br9")),
    }
    rows: Dict[str, Tuple[Any, ...]] = {}
    for name, each in systems.items():
        (row,) = hosts([each])
        rows[name] = (tuple(bridge.name for bridge in row.bridges), row.state)
    assert rows == {
        "own": (("br0", "br1"), "verified"),
        "garbage": (("br9",), "not installed"),
        "inherited": (("br9",), "not installed"),
    }


def test_a_guest_that_is_a_host_too() -> None:
    nested = system("kvm2", {"bridge": "br0", "bridge_host": "kvm1"}, eth0="")
    rows = hosts([system("kvm1", {"bridge": "br0"}), nested])
    assert [(row.name, [guest.name for guest in row.guests]) for row in rows] == [
        ("kvm1", ["kvm2"]),
        ("kvm2", []),
    ]


def test_bridges_of_interface_records() -> None:
    interfaces = (
        Interface("eth0", "bridge_slave", "", master="lan"),
        Interface("eth1.20", "bridge_slave", "", master="lan"),
        Interface("eth2", "na", "dmz"),
        Interface("lan", "bridge", "dmz"),
        Interface("dmz", "bridge", ""),
    )
    (row,) = hosts([System("kvm1", "hosts", {}, {}, interfaces)])
    assert row.state == "not installed"
    assert row.bridges == (BridgeRow("lan", ("eth0", "eth1.20")), BridgeRow("dmz", ("eth2",)))
    # where a host is a guest, its interfaces say what it is plugged into
    nested = System("kvm1", "hosts", {"bridge": "br0", "bridge_host": "x"}, {}, interfaces[2:3])
    assert hosts([nested])[0].bridges == (BridgeRow("br0"),)


def names(**wanted: Any) -> Dict[str, Any]:
    rows = filtered(hosts(SYSTEMS), Filter(**wanted))
    return {row.name: [guest.name for guest in row.guests] for row in rows}


def test_filters() -> None:
    assert names() == {"bare": ["web4"], "gone": ["web3"], "kvm1": ["web2", "web1"], "kvm2": []}
    assert names(names=["kvm*"]) == {"kvm1": ["web2", "web1"], "kvm2": []}
    assert names(names=["web1", "web3"]) == {"gone": ["web3"], "kvm1": ["web1"]}
    assert names(names=["kvm1", "web1"]) == {"kvm1": ["web2", "web1"]}
    assert names(state="verified") == {"kvm1": ["web2", "web1"]}
    assert names(state="verified", names=["kvm2"]) == {}
    assert names(bridge="lan") == {"kvm2": []}
    rows = hosts(SYSTEMS)
    assert missing(rows, ["kvm1", "web?", "w*"]) == []
    assert missing(rows, ["plain", "KVM1", "x*"]) == ["KVM1", "plain", "x*"]
