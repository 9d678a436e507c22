"""What becomes of a record by a signal, cell by cell; and that a full disk leaves files whole."""

import errno
import os
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

import pytest

from cobbler_bridge.placement.signals import (
    BACK,
    DRIFT,
    FIRSTBOOT,
    FORGOTTEN,
    KEPT,
    POST,
    PRE,
    REFUSED,
    SEEN,
    Known,
    Said,
    after,
    meant,
)
from cobbler_bridge.store import in_process, room
from cobbler_bridge.store.host_record import (
    APPLYING,
    BY_HAND,
    FAILED,
    INSTALLED,
    INSTALLING,
    ROLLED_BACK,
    STATES,
    VERIFIED,
    Record,
)
from cobbler_bridge.store.index import index_of
from cobbler_bridge.store.ledger import Entry, Ledger
from waiting import HANGS

# signal, state before: with a plan and to be installed, with a plan, without a plan and to be
# installed, without either
CELLS = [
    (PRE, None, INSTALLING, INSTALLING, KEPT, KEPT),
    (PRE, INSTALLING, INSTALLING, INSTALLING, FORGOTTEN, FORGOTTEN),
    (PRE, INSTALLED, INSTALLING, REFUSED, FORGOTTEN, REFUSED),
    (PRE, VERIFIED, INSTALLING, REFUSED, FORGOTTEN, REFUSED),
    (POST, None, INSTALLED, INSTALLED, KEPT, KEPT),
    (POST, INSTALLING, INSTALLED, INSTALLED, FORGOTTEN, FORGOTTEN),
    (POST, INSTALLED, INSTALLED, REFUSED, FORGOTTEN, REFUSED),
    (POST, VERIFIED, INSTALLED, REFUSED, FORGOTTEN, REFUSED),
    (FIRSTBOOT, None, VERIFIED, VERIFIED, REFUSED, REFUSED),
    (FIRSTBOOT, INSTALLING, VERIFIED, VERIFIED, REFUSED, REFUSED),
    (FIRSTBOOT, INSTALLED, VERIFIED, VERIFIED, VERIFIED, VERIFIED),
    (FIRSTBOOT, VERIFIED, KEPT, KEPT, KEPT, KEPT),
    (FIRSTBOOT, BY_HAND, KEPT, KEPT, KEPT, KEPT),
    (FIRSTBOOT, ROLLED_BACK, VERIFIED, VERIFIED, REFUSED, REFUSED),
    (FIRSTBOOT, APPLYING, VERIFIED, VERIFIED, REFUSED, REFUSED),
    (FIRSTBOOT, FAILED, VERIFIED, VERIFIED, REFUSED, REFUSED),
    (BACK, None, *[REFUSED] * 4),
    (BACK, INSTALLING, *[ROLLED_BACK] * 4),
    (BACK, INSTALLED, *[ROLLED_BACK] * 4),
    (BACK, VERIFIED, *[REFUSED] * 4),
    (BACK, BY_HAND, *[REFUSED] * 4),
    (BACK, ROLLED_BACK, *[ROLLED_BACK] * 4),
    (BACK, APPLYING, *[FAILED] * 4),
    (BACK, FAILED, *[FAILED] * 4),
]
for watch in (SEEN, DRIFT):
    CELLS += [
        (watch, None, VERIFIED, VERIFIED, REFUSED, REFUSED),
        (watch, INSTALLING, VERIFIED, VERIFIED, REFUSED, REFUSED),
        (watch, INSTALLED, *[VERIFIED] * 4),
        (watch, ROLLED_BACK, VERIFIED, VERIFIED, REFUSED, REFUSED),
        *((watch, state, *[KEPT] * 4) for state in (VERIFIED, BY_HAND, APPLYING, FAILED)),
    ]
for state in (ROLLED_BACK, BY_HAND, APPLYING, FAILED):
    CELLS += [
        (PRE, state, INSTALLING, REFUSED, FORGOTTEN, REFUSED),
        (
            POST,
            state,
            *([KEPT] * 2 if state == ROLLED_BACK else [INSTALLED, REFUSED]),
            FORGOTTEN,
            REFUSED,
        ),
    ]


@pytest.mark.parametrize(("signal", "state", "both", "planned", "to_install", "neither"), CELLS)
def test_each_cell(
    signal: str, state: Optional[str], both: str, planned: str, to_install: str, neither: str
) -> None:
    assert after(signal, Known(state, True, True)) == both
    assert after(signal, Known(state, True, False)) == planned
    assert after(signal, Known(state, False, True)) == to_install
    assert after(signal, Known(state, False, False)) == neither


def test_every_cell_is_here() -> None:
    every = {
        (signal, state)
        for signal in (PRE, POST, FIRSTBOOT, BACK, SEEN, DRIFT)
        for state in (None, *STATES)
    }
    assert {cell[:2] for cell in CELLS} == every
    assert len(CELLS) == len(every)


@pytest.mark.parametrize("state", STATES)
def test_an_installation_that_ends_at_the_first_boot(state: str) -> None:
    """What that boot has said already stays; the next installation begins with its own signal."""
    late = Known(state, True, True, ends_late=True)
    said = state in (VERIFIED, ROLLED_BACK)
    assert after(POST, late) == (KEPT if said else INSTALLED)
    assert after(POST, late._replace(to_install=False)) == (
        KEPT if said else INSTALLED if state == INSTALLING else REFUSED
    )
    # who proves nothing has said nothing of this installation
    assert after(POST, late._replace(proves=False)) == INSTALLED
    assert after(PRE, late) == INSTALLING


def test_who_proves_nothing_puts_nothing_back() -> None:
    assert after(BACK, Known(INSTALLED, True, False, proves=False)) == REFUSED


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("kvm1", Said(FIRSTBOOT, "kvm1")),
        ("kvm1,rolled-back", Said(BACK, "kvm1")),
        ("kvm1,rolled-back,", Said(BACK, "kvm1")),
        (
            "kvm1,rolled-back,the_gateway_192.0.2.1",
            Said(BACK, "kvm1", "the gateway 192.0.2.1"),
        ),
        ("kvm1,rolled-back,a,b\n\x1b[2J<b>", Said(BACK, "kvm1", "a b 2J b")),
        ("kvm1,rolled-back," + "x" * 10**6, Said(BACK, "kvm1", "x" * 200)),
        ("kvm1,noted,em2_has_no_link", Said(FIRSTBOOT, "kvm1", "em2 has no link")),
        ("kvm1,noted", Said(FIRSTBOOT, "kvm1")),
        ("kvm1,rolled-backx", Said(FIRSTBOOT, "kvm1,rolled-backx")),
        ("kvm1,other,rolled-back", Said(FIRSTBOOT, "kvm1,other,rolled-back")),
        ("kvm1,", Said(FIRSTBOOT, "kvm1,")),
        (None, Said(FIRSTBOOT, None)),
        (["kvm1,rolled-back"], Said(FIRSTBOOT, ["kvm1,rolled-back"])),
        ("kvm1,seen", Said(SEEN, "kvm1")),
        ("kvm1,seen,1-0f", Said(SEEN, "kvm1", digest="1-0f")),
        ("kvm1,seen,1-0f,and_more", Said(SEEN, "kvm1", digest="1-0f")),
        ("kvm1,seen,x", Said(SEEN, "kvm1")),
        ("kvm1,seen,1-0f\n", Said(SEEN, "kvm1")),
        (
            "kvm1,drift,file,1-0f,br0.nmconnection",
            Said(DRIFT, "kvm1", "br0.nmconnection", "file", "1-0f"),
        ),
        ("kvm1,drift,network", Said(DRIFT, "kvm1", "", "network")),
        ("kvm1,drift,network,,a,b<", Said(DRIFT, "kvm1", "a b", "network")),
        # which only the server's own data say
        *(
            (each, Said(FIRSTBOOT, each))
            for each in ("kvm1,drift", "kvm1,drift,unseen", "a,drift,description,1-0f")
        ),
    ],
)
def test_what_a_name_says(name: Any, found: Any) -> None:
    assert meant(FIRSTBOOT, name) == found
    for signal in (PRE, POST):
        assert meant(signal, name) == Said(signal, name)


class Item:
    """A system of Cobbler 3.2."""

    def __init__(self, name: str, meta: Any, address: str = "") -> None:
        self.name = name
        self.uid = name
        self.profile = ""
        self.autoinstall_meta = meta
        self.mtime = 1.0
        self.interfaces = {"eth0": {"ip_address": address, "ipv6_address": ""}}

    def get_parent(self) -> None:
        """Inherits nothing."""


class Systems:
    """A collection that counts how many of its items are looked at."""

    def __init__(self, items: List[Item]) -> None:
        self.listing = {item.name: item for item in items}
        self.looked = 0

    def __iter__(self) -> Iterator[Item]:
        for item in self.listing.values():
            self.looked += 1
            yield item


class Api:
    """As much of Cobbler 3.2's as the store looks at."""

    def __init__(self, items: List[Item]) -> None:
        self.all = Systems(items)

        self.above: List[Item] = []

    def systems(self) -> Systems:
        return self.all

    def profiles(self) -> List[Item]:
        return self.above

    def distros(self) -> List[Item]:
        return []

    images = distros

    def find_profile(self, name: str) -> Optional[Item]:
        return next((each for each in self.above if each.name == name), None)

    def find_system(self, name: str) -> Optional[Item]:
        self.all.looked += 1
        return self.all.listing.get(name)


@pytest.fixture
def api() -> Api:
    return Api([Item("s%d" % each, {}, "10.0.%d.%d" % divmod(each, 250)) for each in range(2000)])


def looked(api: Api, caller: Any) -> int:
    before = api.all.looked
    in_process.InProcess(api).systems_at(caller)
    return api.all.looked - before


def test_a_signal_looks_at_few_systems(api: Api) -> None:
    at = in_process.InProcess(api)
    assert at.systems_at("10.0.0.7") == ["s7"]
    callers: List[Any] = ["10.0.0.7", "10.0.0.250", "::ffff:10.0.1.9", "", None, "x" * 10**6]
    for caller in callers:
        assert looked(api, caller) <= 1, caller
    before = api.all.looked
    assert at.guests_of("s7") == []
    assert api.all.looked == before


@pytest.mark.parametrize("how", ["edited", "renamed", "removed", "added"])
def test_what_no_trigger_told(api: Api, how: str) -> None:
    at = in_process.InProcess(api)
    assert at.systems_at("10.0.0.7") == ["s7"]
    item = api.all.listing["s7"]
    if how == "edited":
        item.interfaces["eth0"]["ip_address"] = "10.9.9.9"
    elif how == "renamed":
        item.name = "new"
        api.all.listing["new"] = api.all.listing.pop("s7")
    elif how == "removed":
        del api.all.listing["s7"]
    else:
        api.all.listing["twin"] = Item("twin", {"bridge_ipv4": "10.0.0.7/24,10.0.0.1"})
    expected = {"edited": [], "renamed": ["new"], "removed": [], "added": ["s7", "twin"]}
    assert at.systems_at("10.0.0.7") == expected[how]
    assert looked(api, "10.0.0.8") <= 1


@pytest.mark.parametrize("how", ["edited", "renamed", "removed", "added", "profile"])
def test_guests_that_were_saved_past_the_triggers(api: Api, how: str) -> None:
    listing = api.all.listing
    listing["s7"].autoinstall_meta = {"bridge_host": "s1"}
    api.above = [Item("guests", {})]
    for name in ("s8", "s9"):
        listing[name].profile = "guests"
    assert index_of(api).of_saved("s1") == ["s7"]
    if how == "edited":
        listing["s3"].autoinstall_meta = {"bridge_host": "s1"}
        listing["s3"].mtime = 0.5
    elif how == "renamed":
        listing["s7"].name = "new"
        listing["new"] = listing.pop("s7")
    elif how == "removed":
        del listing["s7"]
    elif how == "added":
        listing["twin"] = Item("twin", {"bridge_host": "s1"})
    else:
        api.above[0].autoinstall_meta = {"bridge_host": "s1"}
        api.above[0].mtime = 2.0
    expected = {
        "edited": ["s3", "s7"],
        "renamed": ["new"],
        "removed": [],
        "added": ["s7", "twin"],
        "profile": ["s7", "s8", "s9"],
    }
    assert index_of(api).of_saved("s1") == expected[how]


def test_whoever_asks_cobbler_asks_one_index(api: Api) -> None:
    """Each object of Cobbler's API has the state of the first one."""
    same, other = Api.__new__(Api), Api([])
    same.__dict__ = vars(api)
    assert index_of(same) is index_of(api)
    assert index_of(other) is not index_of(api)


def test_a_name_is_never_a_pattern(api: Api) -> None:
    """Cobbler 4.0 would look through all of its systems, and give the first that matches."""
    at = in_process.InProcess(api)
    names: List[Any] = ["*", "s?", "s[1]", "~s.*", "", None, 5, ["s1"], {"s1": 1}, "s" * 300, b"s1"]
    for name in names:
        assert at.system(name) is None, name
        assert at.to_install(name) is False
        assert at.profile_meta(name) is None
    assert api.all.looked == 0


class Nic(NamedTuple):
    """An interface of Cobbler 4.0."""

    system_uid: str
    mtime: float


class Api40(Api):
    """As much of Cobbler 4.0's, whose interfaces are items of their own."""

    def __init__(self, nics: Dict[str, List[Nic]]) -> None:
        super().__init__([])
        self.nics = nics

    def network_interfaces(self) -> None:
        """That there is one says which Cobbler it is."""

    def find_network_interface(self, return_list: bool, name: str) -> List[Nic]:
        assert return_list
        return self.nics.get(name, [])

    def find_system(self, name: str = "", uid: str = "") -> Any:
        return None if uid == "gone" else Item("of " + uid, {})


def test_which_interface_was_saved() -> None:
    """A trigger is told its name, which every system may have."""
    nics = {"eth0": [Nic("a", 1.0), Nic("b", 3.0), Nic("gone", 2.0)], "eth1": [Nic("a", 2.0)]}
    at = in_process.InProcess(Api40(nics))
    assert at.interface_saved("eth0") == ["of b"]
    assert at.interface_saved("eth0") == []
    # two at once, and one of another name
    nics["eth0"] = [Nic("a", 5.0), Nic("b", 3.0), Nic("c", 4.0)]
    assert at.interface_saved("eth0") == ["of a", "of c"]
    assert at.interface_saved("eth1") == ["of a"]
    for name in ("eth2", "*", "e[t]h0", ""):
        assert at.interface_saved(name) == []
    assert in_process.InProcess(Api([])).interface_saved("eth0") == []


def test_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was remembered under its name is its own from then on."""
    monkeypatch.setattr("cobbler_bridge.store.ledger.FOLDER", str(tmp_path))
    record = Record(("br0",), VERIFIED, "")
    kvm1, web1 = Item("kvm1", {}), Item("web1", {})
    kvm1.uid, web1.uid = "new", "w"
    at = in_process.InProcess(Api([kvm1, web1]))
    Ledger().write(Entry("old", "kvm1", record))
    assert [at.take_back(name) for name in ("kvm1", "kvm1", "web1", "nobody")] == [
        True,
        False,
        False,
        False,
    ]
    (entry,) = Ledger().memory().entries
    assert entry == Entry("new", "kvm1", record)


FILES: Dict[str, bytes] = {"a.json": b"one", "b.json": b"x" * 100000}


@pytest.fixture
def files(tmp_path: Path) -> List[str]:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "a.json").chmod(0o640)
    return [str(tmp_path / name) for name in FILES]


def contents(folder: Path) -> Dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_written_stays(tmp_path: Path, files: List[str]) -> None:
    new = str(tmp_path / "new.json")
    with room.kept([*files, new]):
        for path in [*files, new]:
            Path(path).write_text("two")
    assert contents(tmp_path) == dict.fromkeys([*FILES, "new.json"], b"two")


def test_a_file_that_another_one_has_just_begun(tmp_path: Path) -> None:
    """A boot file of Cobbler's is empty for a moment."""
    path = tmp_path / "01-52-54-00-00-00-01"
    path.write_text("")
    with room.kept([str(path)]):
        path.write_text("two")
    assert contents(tmp_path) == {path.name: b"two"}


def test_what_fails_halfway_is_put_back(tmp_path: Path, files: List[str]) -> None:
    new = str(tmp_path / "new.json")

    def fails() -> None:
        with room.kept([*files, new]):
            for path in [*files, new]:
                Path(path).write_text("")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert contents(tmp_path) == FILES
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("call", ["tempfile.mkstemp", "os.fchown", "shutil.copymode"])
def test_without_room_nothing_is_touched(
    tmp_path: Path, files: List[str], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whatever fails before the block, in the middle of a copy too."""
    times = {path: os.stat(path).st_mtime_ns for path in files}

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(call, full)
    with pytest.raises(OSError, match="No space"), room.kept(files):
        pytest.fail("the block ran")
    assert contents(tmp_path) == FILES
    assert {path: os.stat(path).st_mtime_ns for path in files} == times


def test_really_full(tmp_path: Path) -> None:
    """A disk that takes a part of the copy, and then no more."""
    script = """
mount -t tmpfs -o size=300k tmpfs "$1"
cd "$1"
head -c 50000 /dev/urandom > a.json
cp a.json /tmp/a.json.$$
! cat /dev/zero > filling 2> /dev/null
truncate -s -"$2" filling
python3 -c '
import sys
sys.path.insert(0, sys.argv[1])
from cobbler_bridge.store import room
try:
    with room.kept(["a.json"]):
        open("a.json", "w").close()
except OSError as error:
    print(error)
' "$3"
cmp a.json /tmp/a.json.$$ && ls -A
rm /tmp/a.json.$$
"""
    words = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(tmp_path)]
    for left in (0, 4096, 40960, 65536):
        done = subprocess.run(
            [*words, str(left), str(Path(room.__file__).parents[2])],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=HANGS,
        )
        assert done.stdout == "[Errno 28] No space left on device\na.json\nfilling\n", left
