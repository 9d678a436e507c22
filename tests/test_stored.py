"""What counts of a system while somebody's edit of it is not saved yet: what stands on disk."""

import copy
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from cobbler_bridge.store import ledger, versions
from cobbler_bridge.store.host_record import INSTALLED, VERIFIED, Record
from cobbler_bridge.store.in_process import InProcess

RECORD = Record(("br0",), VERIFIED, "x")


class Item:
    """A system or profile of Cobbler 3.2."""

    autoinstall = ""

    def __init__(self, name: str, meta: Any, profile: str = "") -> None:
        self.name, self.uid, self.profile = name, "uid of " + name, profile
        self.autoinstall_meta = meta
        self.netboot_enabled = False
        self.interfaces: Dict[str, Dict[str, str]] = {}

    def to_dict(self) -> Dict[str, Any]:
        """All of it, as it is saved."""
        return copy.deepcopy(vars(self))

    def get_parent(self) -> None:
        """Inherits nothing."""


class Api:
    """As much of Cobbler as the store looks at, which counts how often one item is read."""

    def __init__(self, *items: Item) -> None:
        self.items = {item.name: item for item in items}
        self.disk = {item.name: item.to_dict() for item in items}
        self.read: List[str] = []

    def find_system(self, name: str) -> Optional[Item]:
        """By name."""
        return self.items.get(name)

    find_profile = find_system

    def systems(self) -> List[Item]:
        """Every item will do."""
        return list(self.items.values())

    def deserialize_item(self, item: Item) -> Dict[str, Any]:
        """As it is saved; an error where it isn't."""
        self.read.append(item.name)
        return dict(self.disk[item.name], inmemory=True)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr(ledger, "FOLDER", str(tmp_path))
    ledger.Ledger().write(ledger.Entry("uid of kvm1", "kvm1", RECORD))
    ledger.Ledger().note_moved()
    return Api(
        Item("kvm1", {"bridge": "br0"}, "hosts"),
        Item("web1", {"bridge_host": "kvm1"}, "hosts"),
        Item("hosts", {"colour": "red"}),
    )


@pytest.mark.parametrize("edited", [{}, {"x": "1"}, "<<inherit>>", None, ["a"]])
def test_what_an_edit_does_not_touch(api: Api, edited: object) -> None:
    api.items["kvm1"].autoinstall_meta = edited
    found = InProcess(api).system("kvm1")
    assert found is not None
    assert found.record == RECORD
    assert api.items["kvm1"].autoinstall_meta == edited


def test_no_item_is_read_for_it(api: Api) -> None:
    for name in ("kvm1", "web1", "nobody"):
        InProcess(api).system(name)
    assert api.read == []


@pytest.mark.parametrize("how", ["new", "another's", "unreadable", "no lock", "a list"])
def test_what_is_not_there(api: Api, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of the disk is as it is in memory then."""
    api.items["kvm1"].netboot_enabled = True
    if how == "new":
        del api.disk["kvm1"]
    elif how == "another's":
        api.disk["kvm1"]["uid"] = "another"
    else:

        def fails(item: Item) -> object:
            if how == "a list":
                return [item]
            raise SystemExit(7) if how == "no lock" else OSError(5, "Input/output error")

        monkeypatch.setattr(api, "deserialize_item", fails)
    assert InProcess(api).to_install("kvm1") is True


@pytest.mark.parametrize(
    ("disk", "memory"), [(False, True), (True, False), (True, True), (False, False)]
)
def test_what_is_to_be_installed(api: Api, disk: bool, memory: bool) -> None:
    api.disk["kvm1"]["netboot_enabled"] = disk
    api.items["kvm1"].netboot_enabled = memory
    assert InProcess(api).to_install("kvm1") is disk
    del api.disk["kvm1"]
    assert InProcess(api).to_install("kvm1") is memory


def is_saved(api: Api) -> bool:
    at = InProcess(api)
    found = at.system("kvm1")
    assert found is not None
    return at.is_saved(found)


def test_what_is_saved(api: Api) -> None:
    assert is_saved(api)
    host, profile = api.items["kvm1"], api.items["hosts"]
    host.interfaces["eth0"] = {"interface_type": "na"}
    assert not is_saved(api)
    api.disk["kvm1"] = host.to_dict()
    # no matter for its bridge
    host.interfaces["eth0"]["virt_bridge"] = "br9"
    assert is_saved(api)
    host.interfaces["eth0"]["interface_master"] = "br0"
    assert not is_saved(api)
    api.disk["kvm1"] = host.to_dict()
    host.autoinstall_meta = {}
    assert not is_saved(api)
    api.disk["kvm1"] = host.to_dict()
    host.profile = "web1"
    assert not is_saved(api)
    host.profile = "hosts"
    profile.autoinstall_meta = {}
    assert not is_saved(api)
    api.disk["hosts"] = profile.to_dict()
    assert is_saved(api)
    # nowhere else: a new one
    del api.disk["kvm1"]
    host.autoinstall_meta = {"bridge": "br0"}
    assert is_saved(api)


@pytest.mark.parametrize("where", ["own", "interface", "profile"])
def test_addresses_are_those_on_disk(api: Api, where: str) -> None:
    host, profile = api.items["kvm1"], api.items["hosts"]
    static = {"interface_type": "na", "ip_address": "192.0.2.10", "static": "1"}
    if where == "own":
        host.autoinstall_meta["bridge_ipv4"] = "192.0.2.10/24"
    elif where == "interface":
        host.interfaces["eth0"] = static
    else:
        profile.autoinstall_meta["bridge_ipv4"] = "192.0.2.10/24"
    api.disk["kvm1"] = host.to_dict()
    edits: List[Dict[str, str]] = [{}, {"bridge_ipv4": "198.51.100.1/24"}]
    for edited in edits:
        host.autoinstall_meta, host.interfaces = dict(edited), {}
        at = InProcess(api)
        found = at.system("kvm1")
        assert found is not None
        saved = at.as_saved(found)
        assert saved.record == found.record is not None
        assert saved.may_call_from("192.0.2.10")
        assert not saved.may_call_from("198.51.100.1")


# what version 0.1 left: on a host, a guest, both, in vain; and what somebody else wrote there
OLD: Dict[str, Any] = {
    "kvm2": {"bridge": "br1", "bridge_record": "br1/verified/x"},
    "web2": {"bridge_host": "kvm2", "bridge_placed": "eth0:br1"},
    "both": {"bridge_record": "br2/installed/y", "bridge_placed": "eth0:br0"},
    "vain": {"bridge_record": "nonsense", "colour": "red"},
}
LEFT = {
    "kvm2": {"bridge": "br1"},
    "web2": {"bridge_host": "kvm2"},
    "both": {},
    "vain": {"colour": "red"},
}


class Upgraded(Api):
    """A Cobbler 3.2 that version 0.1 was in, and that can save."""

    def __init__(self) -> None:
        super().__init__(*(Item(name, dict(meta)) for name, meta in OLD.items()))
        self.collection_mgr = self
        self.fails = ""

    def serialize_item(self, collection: object, item: Item) -> None:
        """As a full disk does, for one of them."""
        if item.name == self.fails:
            raise OSError(28, "No space left on device")
        self.disk[item.name] = item.to_dict()


@pytest.fixture
def upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upgraded:
    monkeypatch.setattr(ledger, "FOLDER", str(tmp_path / "records"))
    monkeypatch.setattr(versions.Cobbler32, "files_of", lambda *_: [])
    monkeypatch.setattr(versions.Cobbler32, "save", _save)
    monkeypatch.setattr(Item, "remove_from_cache", lambda item: None, raising=False)
    return Upgraded()


def _save(items: versions.Cobbler32, item: Item, interfaces: object) -> None:
    items.api.serialize_item(None, item)


def remembered() -> Dict[str, Any]:
    return {each.name: (each.record, each.placed) for each in ledger.Ledger().memory().entries}


MOVED: Dict[str, Any] = {
    "kvm2": (Record(("br1",), VERIFIED, "x"), {}),
    "web2": (None, {"eth0": "br1"}),
    "both": (Record(("br2",), INSTALLED, "y"), {"eth0": "br0"}),
}


def test_what_an_older_version_noted_is_moved_once(upgraded: Upgraded) -> None:
    at = InProcess(upgraded)
    found = at.system("kvm2")
    assert found is not None
    # it counts where it is
    assert found.record == MOVED["kvm2"][0]
    at.move_notes()
    assert remembered() == MOVED
    assert {name: item.autoinstall_meta for name, item in upgraded.items.items()} == LEFT
    assert {name: item["autoinstall_meta"] for name, item in upgraded.disk.items()} == LEFT
    # what somebody writes there from now on is theirs
    upgraded.items["vain"].autoinstall_meta = {"bridge_record": "br9/verified/x"}
    for each in (at, InProcess(Api(*upgraded.items.values()))):
        each.move_notes()
        found = each.system("vain")
        assert found is not None
        assert found.record is None
    assert upgraded.items["vain"].autoinstall_meta == {"bridge_record": "br9/verified/x"}


@pytest.mark.parametrize("name", OLD)
def test_a_disk_that_is_full_while_it_is_moved(upgraded: Upgraded, name: str) -> None:
    upgraded.fails = name
    at = InProcess(upgraded)
    at.move_notes()
    assert not ledger.Ledger().moved
    # nothing is lost, and of the others nothing is left
    assert upgraded.items[name].autoinstall_meta == OLD[name]
    assert upgraded.disk[name]["autoinstall_meta"] == OLD[name]
    assert remembered() == MOVED
    upgraded.fails = ""
    at.move_notes()
    assert remembered() == MOVED
    assert {name: item["autoinstall_meta"] for name, item in upgraded.disk.items()} == LEFT


def test_a_ledger_that_is_full_while_it_is_moved(
    upgraded: Upgraded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        InProcess(upgraded).move_notes()
    noted = {name: item["autoinstall_meta"] for name, item in upgraded.disk.items()}
    # which holds nothing
    assert noted == {**OLD, "vain": LEFT["vain"]}
    InProcess(upgraded).move_notes()
    assert remembered() == MOVED


def test_before_any_system_is_loaded_nothing_is_moved(upgraded: Upgraded) -> None:
    """Cobbler 4.0 runs triggers as it starts."""
    known = dict(upgraded.items)
    upgraded.items.clear()
    at = InProcess(upgraded)
    at.move_notes()
    upgraded.items.update(known)
    at.move_notes()
    assert remembered() == MOVED


def test_what_is_newer_than_what_was_noted_stays(upgraded: Upgraded) -> None:
    newer = Record(("br5",), VERIFIED, "z")
    ledger.Ledger().write(ledger.Entry("uid of kvm2", "kvm2", newer))
    InProcess(upgraded).move_notes()
    assert remembered()["kvm2"] == (newer, {})
    assert upgraded.items["kvm2"].autoinstall_meta == LEFT["kvm2"]
