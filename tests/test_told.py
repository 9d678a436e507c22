"""What the server tells of a system: what is read of it, and nothing that could be a secret."""

import json

from cobbler_bridge.store import told
from cobbler_bridge.store.ledger import Memory

FIELDS = {
    "name": "kvm1",
    "uid": "u1",
    "profile": "hosts",
    "ctime": 1.5,
    "mtime": 2.5,
    "kernel_options": {"root_password": "s3cret"},
    "gateway": "",
    "autoinstall_meta": {},
    "interfaces": {"eth0": {"name": "eth0", "mac_address": "x", "static": False, "cnames": []}},
}
META = {"bridge": "br0", "gateway": "192.0.2.1", "root_password": "s3cret", "Bridge-Host": "s3cret"}


def test_what_is_read_is_told_and_the_rest_is_a_digest() -> None:
    found = told.item(FIELDS, META, True)
    text = told.as_text(told.Told(Memory([], [], True), [found]))
    assert "s3cret" not in text
    assert json.loads(text)["systems"] == [found]
    assert found["interfaces"] == {"eth0": {"name": "eth0", "mac_address": "x"}}
    assert {name: found["autoinstall_meta"][name] for name in ("bridge", "gateway")} == {
        "bridge": "br0",
        "gateway": "192.0.2.1",
    }
    # a name that was meant to be ours is found by check
    assert found["autoinstall_meta"].keys() == META.keys()


def test_what_is_alike_has_the_same_digest() -> None:
    alike = told.item(FIELDS, META, True)["alike"]
    other = dict(FIELDS, name="kvm2", uid="u2", mtime=3, interfaces={})
    assert told.item(other, {"bridge": "br9"}, True)["alike"] == alike
    assert told.item(dict(FIELDS, gateway="192.0.2.9"), META, True)["alike"] != alike
    same = {"eth0": {"x": 1}}
    assert told.item(dict(FIELDS, x_eth0="", interfaces=same), META, True)["alike"] == ""
    assert told.item(FIELDS, META, False)["alike"] == ""


def test_fields_of_another_type_are_told_as_they_are() -> None:
    for interfaces in (None, "x", [1], {"eth0": 5}):
        assert told.item(dict(FIELDS, interfaces=interfaces), [1], True)["interfaces"] == interfaces
    assert told.item(FIELDS, "a=b", True)["autoinstall_meta"] == {}
