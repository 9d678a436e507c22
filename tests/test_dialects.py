"""Blended data of every Cobbler read the same."""

from typing import Any, Dict

import pytest

from cobbler_bridge.store import versions

EMPTY = {"mac_address": "", "ip_address": "", "interface_type": "NA", "bridge_opts": ""}


def test_fields_that_4_0_nests() -> None:
    data = {
        "dns": {"name_servers": ["192.0.2.53"], "name_servers_search": ["example.org"]},
        "interfaces": {
            "eth0": {
                "mac_address": "52:54:00:00:00:01",
                "ipv4": {"address": "192.0.2.10", "netmask": "255.255.255.0", "mtu": "9000"},
                "ipv6": {"address": "2001:db8::10", "prefix": "64", "default_gateway": ""},
                "ipv6_default_gateway": "2001:db8::1",
                "dns": {"name": "kvm1.example.org", "common_names": []},
            }
        },
    }
    before = repr(data)
    known = versions.blended(data)
    assert repr(data) == before
    assert known["name_servers"] == ["192.0.2.53"]
    assert known["name_servers_search"] == ["example.org"]
    eth0 = known["interfaces"]["eth0"]
    expected = {
        "mac_address": "52:54:00:00:00:01",
        "ip_address": "192.0.2.10",
        "netmask": "255.255.255.0",
        "mtu": "9000",
        "ipv6_address": "2001:db8::10",
        "ipv6_prefix": "64",
        "ipv6_default_gateway": "2001:db8::1",
        "dns_name": "kvm1.example.org",
        "cnames": [],
    }
    assert {name: eth0[name] for name in expected} == expected


def test_fields_of_3_3_stay() -> None:
    data = {"name": "x", "interfaces": {"eth0": dict(EMPTY, mtu="")}, "name_servers": []}
    assert versions.blended(data) == data


@pytest.mark.parametrize(
    ("interfaces", "left"),
    [
        ({"default": EMPTY, "eth0": EMPTY}, ["eth0"]),
        ({"default": EMPTY}, ["default"]),
        ({"default": dict(EMPTY, mac_address="52:54:00:00:00:01"), "eth0": EMPTY}, None),
        ({"default": dict(EMPTY, ip_address="192.0.2.10"), "eth0": EMPTY}, None),
        ({"default": dict(EMPTY, interface_type="bond"), "eth0": EMPTY}, None),
        ({"default": "what", "eth0": EMPTY}, None),
    ],
)
def test_interface_that_nobody_asked_for(interfaces: Dict[str, Any], left: Any) -> None:
    data = {"interfaces": interfaces, "bridge_opts_default": "", "bridge_opts_eth0": ""}
    known = versions.blended(data)
    expected = list(interfaces) if left is None else left
    assert list(known["interfaces"]) == expected
    assert ("bridge_opts_default" in known) == ("default" in expected)
    assert "bridge_opts_eth0" in known


def test_variables_are_merged_as_cobbler_does() -> None:
    own: Any = {"a": "own", "!b": ""}
    profile = {"a": "profile", "b": "profile", "c": "profile"}
    distro = {"c": "distro", "d": "distro"}
    assert versions.merged([own, "<<inherit>>", profile, None, distro]) == {
        "a": "own",
        "c": "profile",
        "d": "distro",
    }
