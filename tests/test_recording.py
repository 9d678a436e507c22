"""What a record and its end do to the interfaces of a host: somebody's own choice stays."""

from typing import Any, Dict, List, Mapping, Optional, Tuple

import pytest

from cobbler_bridge.description import keys
from cobbler_bridge.placement import recording
from cobbler_bridge.plan.plan import Plan
from cobbler_bridge.store.host_record import INSTALLED, INSTALLING, VERIFIED, Record
from cobbler_bridge.store.inventory import INHERITED, Interface, System
from noted import noted

PORTS = ("eth0",)
RECORD = "br0/installed/x"
TWO = "dmz,lan/verified/x"


class Store:
    """One system, and what is written on it."""

    def __init__(self, host: System) -> None:
        self.host = host
        self.written: List[Tuple[Dict[str, str], Optional[Record]]] = []

    def default_bridge(self) -> str:
        """As Cobbler ships it."""
        return "xenbr0"

    def write(self, system: System, virt_bridges: Mapping[str, str]) -> None:
        """Remember it."""
        self.written.append((dict(virt_bridges), system.record))


def host(
    values: Mapping[str, str], record: Optional[str] = RECORD, meta: Optional[Dict[str, Any]] = None
) -> System:
    own = {} if record is None else {"bridge_record": record}
    nics = tuple(Interface(name, "na", bridge) for name, bridge in values.items())
    return noted(System("kvm1", "hosts", meta or {}, own, nics))


def plan(**ports: Tuple[str, ...]) -> Plan:
    """Bridges and their ports, as interface records describe them."""
    records: Dict[str, Dict[str, Any]] = {}
    for bridge, names in ports.items():
        records[bridge] = {"interface_type": "bridge", "static": True}
        for name in names:
            records[name] = {"interface_type": "bridge_slave", "interface_master": bridge}
    data = {"system_name": "kvm1", "breed": "redhat", "os_version": "rhel8", "interfaces": records}
    found = recording.planned(data, print)
    assert found is not None
    return found


def recorded(store: Any, found: Plan, state: str) -> None:
    record = recording.record_of(found, state, store.host.record)
    recording.write_record(store, store.host, record, found.bridges)


# the values of the interfaces, the record, what is described: what becomes of the values
CLEARED = {
    "the port's mark": ({"eth0": "br0"}, RECORD, {"br0": ("eth0",)}, {"eth0": ""}),
    "another NIC, by hand": (
        {"eth0": "br0", "eth1": "br0"},
        RECORD,
        {"br0": ("eth0",)},
        {"eth0": ""},
    ),
    "the bridge's own record": ({"br0": "br0"}, RECORD, {"br0": ("eth0",)}, {}),
    "a VLAN beside the port": ({"eth0.5": "br0"}, RECORD, {"br0": ("eth0",)}, {}),
    "not a port any more": ({"eth0": "br0", "eth1": ""}, RECORD, {"br0": ("eth1",)}, {}),
    "one that was never recorded": ({"eth0": "br9"}, RECORD, {"br0": ("eth0",)}, {}),
    "nobody's": ({"eth0": INHERITED}, RECORD, {"br0": ("eth0",)}, {}),
    "another bridge of the host, by hand": (
        {"eth0": "dmz", "eth1": "lan"},
        TWO,
        {"dmz": ("eth1",), "lan": ("eth0",)},
        {},
    ),
    "described with another name by now": (
        {"eth0": "br0"},
        RECORD,
        {"br5": ("eth0",)},
        {"eth0": ""},
    ),
    "no record": ({"eth0": "br0"}, "br0/nonsense", {"br0": ("eth0",)}, {}),
    "described no more": ({"eth0": "br0", "eth1": "br0"}, RECORD, {}, {}),
}


@pytest.mark.parametrize(("values", "record", "ports", "written"), CLEARED.values(), ids=CLEARED)
def test_what_is_cleared(
    values: Dict[str, str], record: str, ports: Dict[str, Any], written: Dict[str, str]
) -> None:
    store: Any = Store(host(values, record))
    recording.clear_record(store, store.host, plan(**ports) if ports else None)
    assert store.written == [(written, None)]


def test_what_stays_is_named() -> None:
    values = {"eth0": "br0", "eth1": "br0", "eth2": "br9", "eth3": ""}
    assert recording.left(host(values), plan(br0=PORTS)) == {"eth1": "br0"}
    assert recording.left(host(values), None) == {"eth0": "br0", "eth1": "br0"}
    assert recording.left(host(values, None), None) == {}


# likewise, with a record of another bridge; what is written as it is installed anew
MARKED = {
    "the port's mark follows": ({"eth0": "br0"}, RECORD, {"br1": ("eth0",)}, {"eth0": "br1"}),
    "another NIC, by hand": (
        {"eth0": "br0", "eth1": "br0"},
        RECORD,
        {"br1": ("eth0",)},
        {"eth0": "br1"},
    ),
    "never recorded, by hand": ({"eth0": "br8"}, RECORD, {"br1": ("eth0",)}, {}),
    "of before the first record, by hand": ({"eth0": "br0"}, None, {"br0": ("eth0",)}, {}),
    "nobody's": ({"eth0": INHERITED}, None, {"br0": ("eth0",)}, {"eth0": "br0"}),
    "another bridge of the host, by hand": (
        {"eth0": "dmz", "eth1": "dmz"},
        TWO,
        {"dmz": ("eth1",), "lan": ("eth0",)},
        {"eth1": "dmz"},
    ),
}


@pytest.mark.parametrize(("values", "record", "ports", "written"), MARKED.values(), ids=MARKED)
def test_what_is_marked(
    values: Dict[str, str],
    record: Optional[str],
    ports: Dict[str, Any],
    written: Dict[str, str],
) -> None:
    store: Any = Store(host(values, record))
    recorded(store, plan(**ports), INSTALLED)
    assert [marked for marked, _ in store.written] == [written]


def test_what_nobody_set_waits_until_the_host_is_installed() -> None:
    store: Any = Store(host({"eth0": ""}, None))
    recorded(store, plan(br0=PORTS), INSTALLING)
    assert [marked for marked, _ in store.written] == [{}]


def test_a_host_that_is_a_guest_keeps_its_bridges() -> None:
    guest = host({"eth0": "br0"}, meta={keys.HOST.name: "kvm0"})
    store: Any = Store(guest)
    recording.clear_record(store, guest, plan(br0=PORTS))
    recorded(store, plan(br1=PORTS), INSTALLED)
    assert [marked for marked, _ in store.written] == [{}, {}]
    assert recording.left(guest, None) == {}


def test_what_a_host_had_once_is_known() -> None:
    first = recording.named(("br0", "br1"), INSTALLED, None)
    assert first.before == ()
    second = recording.named(("br2", "br1"), VERIFIED, first._replace(seen="s"))
    assert (second.bridges, second.before, second.seen) == (("br2", "br1"), ("br0",), "s")
    third = recording.named(("br0",), INSTALLED, second)
    assert third.before == ("br2", "br1")
