"""What ``cobbler-bridge set`` asks for, refuses, says and saves, without a Cobbler."""

import copy
from typing import Any, Dict, List, Mapping, Optional, Tuple
from xmlrpc.client import Fault

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobbler_bridge.check import setting
from cobbler_bridge.check.setting import Changes, Edit, Item
from cobbler_bridge.description import keys
from cobbler_bridge.store import versions, versions_over_xmlrpc

EL7 = {"breed": "redhat", "os_version": "rhel7", "name": "kvm1", "interfaces": {}}


class Store:
    """One item of each name, and what it inherits; remembers what is saved."""

    equals_stay = True

    def __init__(self, own: Mapping[str, Mapping[str, Any]], inherited: Mapping[str, Any]) -> None:
        self._own, self._inherited = own, inherited
        self.saved: List[Tuple[str, str, Changes]] = []

    def names(self, kind: str) -> List[str]:
        return sorted(self._own)

    def variables(self, kind: str, name: str) -> Any:
        return dict(self._own[name]), dict(self._inherited)

    def blended(self, kind: str, name: str) -> Dict[str, Any]:
        return {**EL7, "name": name, **versions.merged([self._own[name], self._inherited])}

    def edit(self, kind: str, name: str, changes: Changes) -> None:
        self.saved.append((kind, name, changes))


def look(store: Any, changes: Changes, *names: str) -> setting.Outcome:
    return setting.look(store, "system", names or ("*",), changes)


def save(store: Any, edits: List[Edit]) -> List[Edit]:
    return list(setting.save(store, edits))


def test_words_become_changes() -> None:
    words = ["bridge=br0", "bridge_opts=priority=1 max_age='2'", "bridge_host="]
    assert setting.wanted(words, ["bridge_mtu", "bridge_mtu"]) == {
        "bridge": "br0",
        "bridge_opts": "priority=1 max_age='2'",
        "bridge_host": "",
        "bridge_mtu": None,
    }


@pytest.mark.parametrize(
    ("words", "unset"),
    [
        ([], []),
        (["bridge"], []),
        (["=br0"], []),
        ([""], []),
        (["bridge=a", "bridge=b"], []),
        (["bridge=a", "bridge=a"], []),
        (["bridge=a"], ["bridge"]),
    ],
)
def test_wrong_usage(words: List[str], unset: List[str]) -> None:
    with pytest.raises(ValueError, match="KEY"):
        setting.wanted(words, unset)


@pytest.mark.parametrize("key", [*keys.HOST_KEYS, keys.HOST], ids=lambda key: str(key.name))
def test_each_variable_of_the_administrators_can_be_set(key: Any) -> None:
    assert setting.unusable("x", {key.name: key.example}) == []
    assert setting.unusable("x", {key.name: None}) == []


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        ("bridge_record", "br0/installed/x", "use cobbler-bridge record or place"),
        ("bridge_placed", None, "use cobbler-bridge record or place"),
        ("bridge_prt", "eth0", "did you mean bridge_port?"),
        ("BRIDGE_MTU", "9000", "did you mean bridge_mtu?"),
        ("mtu", "9000", "did you mean bridge_mtu?"),
        ("!bridge", None, "did you mean bridge?"),
        ("~bridge", "br0", "did you mean bridge?"),
        ("tree", "x", "it can be one of bridge, bridge_port,"),
        ("bridge", "br0;reboot", "it can be 1 to 15 letters"),
        ("bridge", "", "it can be 1 to 15 letters"),
        ("bridge_mtu", "big", "it can be a whole number"),
        ("bridge_opts", "max_age=20\npwn", "it can be key=value"),
        ("bridge_opts", "max_age=20\rpriority=1", "it can be key=value"),
        ("bridge_host", "kvm1\u202e", "it can be the name of a system"),
        ("bridge_host", "kvm1\udc80", "it can be the name of a system"),
        ("bridge_host", "kvm1\x9b", "it can be the name of a system"),
    ],
)
def test_unusable(key: str, value: Optional[str], right: str) -> None:
    (problem,) = setting.unusable("kvm1", {key: value})
    assert (problem.subject, problem.field) == ("kvm1", key)
    assert problem.right.startswith(right)
    assert str(problem).isprintable()


def test_patterns() -> None:
    names = ["kvm1", "kvm12", "web1", "kvm[1]", "a*"]
    found = setting.matching(names, ["kvm?", "*1", "kvm[1]", "a*", "none*", "KVM1"])
    assert {pattern: sorted(fits) for pattern, fits in found.items()} == {
        "kvm?": ["kvm1"],
        "*1": ["kvm1", "web1"],
        "kvm[1]": ["kvm[1]"],
        "a*": ["a*"],
        "none*": [],
        "KVM1": [],
    }


@pytest.mark.parametrize(
    ("own", "inherited", "wanted", "changes", "said"),
    [
        ({}, {}, "br0", {"bridge": "br0"}, ("-", "br0")),
        ({"bridge": "br0"}, {}, "br0", {}, None),
        ({}, {"bridge": "br0"}, "br0", {"bridge": "br0"}, ("inherited: br0", "br0")),
        ({"bridge": "br1"}, {"bridge": "br0"}, None, {"bridge": None}, ("br1", "inherited: br0")),
        ({}, {"bridge": "br0"}, None, {}, None),
        ({}, {}, None, {}, None),
        ({"bridge": None}, {}, "br0", {"bridge": "br0"}, ("without a value", "br0")),
        ({"bridge": ["a", "b"]}, {}, "br0", {"bridge": "br0"}, ("['a', 'b']", "br0")),
        ({"bridge": ""}, {}, None, {"bridge": None}, ("''", "-")),
        ({"bridge": 7}, {}, "7", {}, None),
        ({"bridge": True}, {}, "True", {"bridge": "True"}, ("True", "True")),
        ({"bridge": None}, {}, "None", {"bridge": "None"}, ("without a value", "None")),
        (
            {"!bridge": None},
            {"bridge": "br0"},
            "br1",
            {"bridge": "br1", "!bridge": None},
            ("taken away (!bridge)", "br1"),
        ),
        (
            {"!bridge": "~"},
            {"bridge": "br0"},
            None,
            {"!bridge": None},
            ("taken away (!bridge)", "inherited: br0"),
        ),
        (
            {"!bridge": None, "bridge": "br1"},
            {},
            "br1",
            {"!bridge": None},
            ("taken away (!bridge)", "br1"),
        ),
    ],
)
def test_what_changes(
    own: Dict[str, Any],
    inherited: Dict[str, Any],
    wanted: Optional[str],
    changes: Changes,
    said: Optional[Tuple[str, str]],
) -> None:
    item = Item("system", "kvm1", {**own, "colour": "red"}, inherited)
    edit = setting.edit_of(item, {"bridge": wanted}, equals_stay=True)
    assert edit == Edit(item, changes)
    text = setting.as_text([edit] if changes else [], dry_run=True)
    if said is None:
        assert text == "Nothing changes.\n"
    else:
        row = " ".join(text.splitlines()[1].split())
        assert row == "system kvm1 bridge %s %s" % said
        assert text.endswith("\nNothing was written.\n")
    # a second time there is nothing to do
    assert setting.edit_of(item.changed(changes), {"bridge": wanted}, True).changes == {}


@pytest.mark.parametrize(("own", "changes"), [({}, {}), ({"bridge": "br1"}, {"bridge": None})])
def test_where_cobbler_keeps_nothing_that_is_as_inherited(
    own: Dict[str, Any], changes: Changes
) -> None:
    item = Item("system", "kvm1", own, {"bridge": "br0"})
    assert setting.edit_of(item, {"bridge": "br0"}, equals_stay=False).changes == changes


def test_all_is_looked_at_before_anything_is_saved() -> None:
    store = Store({"kvm1": {}, "kvm2": {"bridge_stp": "on"}, "kvm3": {}}, {"bridge": "br0"})
    edits, problems = look(store, {"bridge_forward_delay": "0"})
    assert [(each.subject, each.field) for each in problems] == [("kvm2", "bridge_forward_delay")]
    assert len(edits) == 3
    assert store.saved == []
    edits, problems = look(store, {"bridge_forward_delay": "0"}, "kvm1", "kvm3", "kvm[1]")
    assert [each.subject for each in problems] == ["kvm[1]"]
    edits, problems = look(store, {"bridge_forward_delay": "0"}, "kvm1", "kvm3")
    assert problems == []
    assert save(store, edits) == edits
    assert store.saved == [
        ("system", name, {"bridge_forward_delay": "0"}) for name in ("kvm1", "kvm3")
    ]


@pytest.mark.parametrize(
    ("own", "changes", "fields"),
    [
        # what was wrong before, and what was of no account before
        ({"bridge": "br0", "bridge_mtu": "1"}, {"bridge_vlan": "10"}, []),
        ({"bridge_mtu": "1"}, {"bridge_vlan": "10"}, []),
        ({"bridge_mtu": "1"}, {"bridge": "br0"}, ["bridge_mtu"]),
        ({"bridge_mtu": "1"}, {"bridge": "br0", "bridge_mtu": None}, []),
        ({"bridge_ports": "eth0"}, {"bridge": "br0"}, ["bridge_ports"]),
        ({"bridge": "br0"}, {"bridge_backend": "keyfile"}, ["bridge_backend"]),
        ({"bridge": "br0"}, {"bridge_backend": "netplan"}, ["bridge_backend"]),
        ({"bridge": "br0", "bridge_stp": "on"}, {"bridge_forward_delay": "1"}, None),
        ({"bridge": "br0", "bridge_forward_delay": "1"}, {"bridge_stp": "on"}, None),
        ({"bridge": "br0", "bridge_mtu": "1"}, {"bridge": None}, []),
        ({"bridge_port": "eth0"}, {"bridge": "interface-with-15"}, None),
    ],
)
def test_only_new_problems_are_a_hindrance(
    own: Dict[str, Any], changes: Changes, fields: Optional[List[str]]
) -> None:
    _, problems = look(Store({"kvm1": own}, {}), changes)
    found = [each.field for each in problems]
    assert found == fields if fields is not None else found


def test_what_is_inherited_counts_again() -> None:
    store = Store({"kvm1": {"bridge_forward_delay": "9"}}, {"bridge_forward_delay": "1"})
    store._inherited = {"bridge": "br0", "bridge_stp": "on", "bridge_forward_delay": "1"}
    _, problems = look(store, {"bridge_forward_delay": None})
    assert [each.field for each in problems] == ["bridge_forward_delay"]


@pytest.mark.parametrize(
    ("host", "right"),
    [("kvm2", "did you mean 'kvm1'?"), ("nobody", "add that system first"), ("", "add that")],
)
def test_a_host_must_be_there(host: str, right: str) -> None:
    store = Store({"kvm1": {}, "web1": {}}, {})
    _, problems = look(store, {"bridge_host": host}, "web1")
    assert [each.right[: len(right)] for each in problems] == [right]
    assert look(store, {"bridge_host": "kvm1"}, "web1").problems == []
    assert look(store, {"bridge_host": None}, "web1").problems == []
    (problem,) = look(store, {"bridge_host": "kvm1"}).problems
    assert (problem.subject, problem.wrong) == ("kvm1", "'kvm1' is the guest itself")


class Cobbler:
    """What Cobbler's XML-RPC does with one item's variables, as its source says."""

    def __init__(self, own: Any, interfaces: Any) -> None:
        self.own, self._interfaces = own, interfaces

    def get_item(self, kind: str, name: str) -> Dict[str, Any]:
        item = {"name": name, "interfaces": self._interfaces, "autoinstall_meta": self.own}
        return dict(_strip_none(item))

    def get_blended_data(self, profile: str, system: str) -> Dict[str, Any]:
        return {"autoinstall_meta": _flat(self.own) if isinstance(self.own, dict) else ""}

    def get_item_handle(self, kind: str, name: str) -> str:
        return name

    def xapi_object_edit(self, kind: str, name: str, how: str, edit: Any, token: str) -> None:
        assert edit.pop("in_place")
        v2 = self.get_item(kind, name)["autoinstall_meta"]
        for key, value in edit["autoinstall_meta"].items():
            if key.startswith("~") and len(key) > 1:
                del v2[key[1:]]
            else:
                v2[key] = value
        self.own = v2

    def modify_item(self, kind: str, handle: str, field: Any, value: Any, token: str) -> None:
        self.own = copy.deepcopy(value)

    def save_item(self, *words: Any) -> None:
        pass


def _strip_none(data: Any) -> Any:
    if isinstance(data, list):
        return [_strip_none(each) for each in data]
    if isinstance(data, dict):
        return {str(key): _strip_none(value) for key, value in data.items()}
    return "~" if data is None else data


def _flat(meta: Mapping[str, Any]) -> str:
    text = ""
    for key, value in meta.items():
        for each in value if value and isinstance(value, list) else [value]:
            word = str(each).strip()
            quote = "'" if " " in word else ""
            text += key + ("=%s%s%s " % (quote, word, quote) if value else " ")
    return text


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("a=1 b='x y' c", {"a": "1", "b": "x y", "c": None}),
        ("a=1 a a=2=3", {"a": ["1", None, "2=3"]}),
        ("", {}),
        ("~", {}),
        ("<<inherit>>", {}),
    ],
)
def test_variables_that_cobbler_has_as_a_text(text: str, own: Dict[str, Any]) -> None:
    server = Cobbler(text, {"eth0": {}})
    versions_over_xmlrpc.Remote3(server).edit_meta("system", "kvm1", {"bridge": "br0"}, "token")
    assert server.own == {**own, "bridge": "br0"}


def test_a_text_that_nobody_can_read_is_not_lost() -> None:
    server = Cobbler("a='1", {})
    with pytest.raises(Fault, match=r"autoinstall_meta is .* No closing quotation"):
        versions_over_xmlrpc.Remote3(server).edit_meta("system", "kvm1", {"bridge": "br0"}, "token")
    assert server.own == "a='1"


NAMES = st.text("ab!~=*[]ü", min_size=1, max_size=4)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(-1, 1)
    | st.text("a'~ \n=", max_size=4)
)
VALUES: st.SearchStrategy[Any] = PLAIN | st.lists(st.none() | st.text("ab", max_size=3), max_size=3)
VALUES |= st.dictionaries(st.text("ab", min_size=1), st.none() | st.integers(), max_size=2)
CHANGES = st.dictionaries(
    st.sampled_from(["bridge", "!bridge", "bridge_opts"]),
    st.none() | st.text(max_size=3),
    min_size=1,
)


@pytest.mark.parametrize("remote", [versions_over_xmlrpc.Remote3, versions_over_xmlrpc.Remote40])
@given(
    st.dictionaries(NAMES | st.just("bridge"), VALUES) | st.sampled_from(["<<inherit>>", ""]),
    CHANGES,
    st.sampled_from(["profile", "system"]),
    st.sampled_from([{}, {"eth0": {}}]),
)
def test_the_others_stay_exactly(
    remote: Any, own: Any, changes: Changes, kind: str, interfaces: Any
) -> None:
    server = Cobbler(copy.deepcopy(own), interfaces)
    remote(server).edit_meta(kind, "kvm1", changes, "token")
    left = (
        {key: value for key, value in own.items() if key not in changes}
        if own and isinstance(own, dict)
        else {}
    )
    added = {key: value for key, value in changes.items() if value is not None}
    assert repr(sorted(server.own.items())) == repr(sorted({**left, **added}.items()))
