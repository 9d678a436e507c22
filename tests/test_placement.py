"""Which interfaces of a guest get a bridge, and that a value set by hand never goes."""

import importlib
import sys
from typing import Any, Dict, Iterator, Mapping, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobbler_bridge.inventory import Interface, System
from cobbler_bridge.placement import is_nic, is_unset, place
from cobbler_bridge.record import INSTALLED, INSTALLING, VERIFIED, Record

HOST = Record(("br0", "br1"), INSTALLED, "2026-01-31T12:00:00Z")
BRIDGES = ("", "<<inherit>>", "xenbr0", "virbr0", "br0", "br7", " ", "XENBR0", "<<inherit>> ")


def guest(*interfaces: Tuple[str, str, str]) -> System:
    return System("web1", "guests", {}, {}, tuple(Interface(*each) for each in interfaces))


@pytest.mark.parametrize(
    ("virt_bridge", "default", "unset"),
    [
        ("", "xenbr0", True),
        ("", "", True),
        ("<<inherit>>", "br7", True),
        ("xenbr0", "xenbr0", True),
        ("virbr0", "virbr0", True),
        ("xenbr0", "virbr0", False),
        ("virbr0", "xenbr0", False),
        ("xenbr0", "", False),
        ("br7", "br7", False),
        ("br7", "xenbr0", False),
        ("br0", "xenbr0", False),
        (" ", "xenbr0", False),
        ("xenbr0 ", "xenbr0 ", False),
    ],
)
def test_whether_nobody_chose_a_bridge(virt_bridge: str, default: str, unset: bool) -> None:
    assert is_unset(virt_bridge, default) is unset


@pytest.mark.parametrize(
    ("name", "kind", "nic"),
    [
        ("eth0", "na", True),
        ("eth0", "", True),
        ("eth0", "bond_slave", True),
        ("eth0", "bridge_slave", True),
        ("eth0", "bmc", True),
        ("eth0", "infiniband", True),
        ("bond0", "bond", False),
        ("br0", "bridge", False),
        ("eth0", "bonded_bridge_slave", False),
        ("eth0.7", "na", False),
        ("eth0.7x", "na", False),
        ("eth-0.7", "na", True),
        ("eth0.x", "na", True),
        (".7", "na", True),
        ("eth0:1", "na", False),
        (":", "na", False),
        ("a b", "na", True),
    ],
)
def test_what_koan_makes_a_nic_of(name: str, kind: str, nic: bool) -> None:
    assert is_nic(Interface(name, kind, "")) is nic


@pytest.fixture(scope="module")
def virtinstall() -> Iterator[Any]:
    """Koan's own module, which asks for the version of virt-install when it is imported."""
    utils = pytest.importorskip("koan.utils", reason="Koan is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "subprocess_get_response", lambda *_, **__: (0, "1.0.0", ""))
        yield importlib.import_module("koan.virtinstall")
    # it remembers the answer
    del sys.modules["koan.virtinstall"]


@given(
    st.text("ab01.:-_ ", max_size=8),
    st.sampled_from(
        ["", "na", "bond", "bridge", "bond_slave", "bridge_slave", "bonded_bridge_slave", "bmc"]
    ),
)
def test_koan_itself_skips_the_same(virtinstall: Any, name: str, kind: str) -> None:
    record = {"interface_type": kind, "mac_address": "x", "virt_bridge": "br0"}
    nics = virtinstall._sanitize_nics({name: record}, None, "", None)
    assert is_nic(Interface(name, kind, "")) is bool(nics)


def test_every_nic_that_nobody_placed_gets_the_first_bridge() -> None:
    interfaces = [("eth%d" % number, "na", bridge) for number, bridge in enumerate(BRIDGES)]
    skipped = [("eth0.7", "na", ""), ("eth0:1", "na", ""), ("bond0", "bond", "")]
    assert place(guest(*interfaces, *skipped), HOST, "xenbr0") == {
        "eth0": "br0",
        "eth1": "br0",
        "eth2": "br0",
    }


def test_a_guest_of_no_interfaces() -> None:
    assert place(guest(), HOST, "xenbr0") == {}


@pytest.mark.parametrize(
    ("bridges", "state", "placed"),
    [
        (("br0",), INSTALLED, {"eth0": "br0"}),
        (("br0",), VERIFIED, {"eth0": "br0"}),
        (("br1", "br0"), VERIFIED, {"eth0": "br1"}),
        (("br0",), INSTALLING, {}),
        ((), INSTALLED, {}),
    ],
)
def test_only_a_host_that_has_its_bridge_gets_guests(
    bridges: Tuple[str, ...], state: str, placed: Mapping[str, str]
) -> None:
    assert place(guest(("eth0", "na", "")), Record(bridges, state, ""), "xenbr0") == placed


@given(
    st.dictionaries(
        st.text("eth01.:", min_size=1, max_size=6),
        st.tuples(st.sampled_from(["na", "", "bond", "bridge_slave"]), st.text(max_size=8)),
    ),
    st.sampled_from(["xenbr0", "virbr0", "br7", ""]),
)
def test_a_value_set_by_hand_stays(nics: Dict[str, Tuple[str, str]], default: str) -> None:
    system = guest(*((name, kind, bridge) for name, (kind, bridge) in nics.items()))
    for name in place(system, HOST, default):
        assert nics[name][1] in {"", "<<inherit>>", default} - {"br7"}


def test_placing_twice_changes_nothing_more() -> None:
    before = guest(("eth0", "na", ""), ("eth1", "na", "br7"))
    placed = place(before, HOST, "xenbr0")
    after = guest(("eth0", "na", placed["eth0"]), ("eth1", "na", "br7"))
    assert placed == {"eth0": "br0"}
    assert place(after, HOST, "xenbr0") == {}


@pytest.mark.parametrize(
    ("meta", "host"),
    [
        ({"bridge_host": "kvm1"}, "kvm1"),
        ({"bridge_host": ""}, None),
        ({"bridge_host": None}, None),
        ({"bridge_host": ["kvm1", "kvm2"]}, None),
        ({"bridge_host": 7}, None),
        ({}, None),
    ],
)
def test_the_host_that_a_guest_names(meta: Dict[str, object], host: object) -> None:
    assert System("web1", "guests", meta, {}, ()).host == host


def test_a_record_is_never_inherited() -> None:
    text = "br0/installed/2026-01-31T12:00:00Z"
    assert System("kvm2", "hosts", {"bridge_record": text}, {}, ()).record is None
    assert System("kvm1", "hosts", {}, {"bridge_record": text}, ()).record == Record(
        ("br0",), INSTALLED, "2026-01-31T12:00:00Z"
    )
