"""koan-bridge on a host: what the real Koan then gives virt-install."""

from pathlib import Path
from typing import List

import pytest

import koan_wrapper
from koan_network import KoanError, koan_networks
from real.server import Server

NICS = ("bond0", "eth0", "eth0.7", "eth1", "eth10", "eth2")


@pytest.fixture
def wrapper(tmp_path: Path) -> Path:
    return koan_wrapper.write(tmp_path)


def networks(server: Server, wrapper: Path, bridges: str = "br0,br1", **what: str) -> List[str]:
    found = koan_networks(server.cobbler, wrapper=wrapper, bridges=bridges, **what)
    return [each.partition(",")[0][len("bridge=") :] for each in found]


def test_profile(server: Server, wrapper: Path) -> None:
    # with its cache, Cobbler sends no kickstart after a save until it is started again
    server.cobbler.restart()
    assert networks(server, wrapper, profile="rhel9") == ["br0"]
    assert networks(server, wrapper, profile="rhel9", virt_bridge="br7") == ["br7"]
    # where this is no host of ours, Koan does what it does
    assert networks(server, wrapper, "", profile="rhel9") == ["xenbr0"]
    server.profile("guests", "rhel9")
    server.edit("profile", "guests", virt_bridge="br1")
    server.cobbler.restart()
    assert networks(server, wrapper, profile="guests") == ["br1"]
    # no network at all: somebody's choice
    server.profile("alone", "rhel9")
    server.edit("profile", "alone", virt_bridge="none")
    server.cobbler.restart()
    assert networks(server, wrapper, profile="alone") == ["none"]
    # one that this host has not
    assert networks(server, wrapper, "br5", profile="guests") == ["br5"]


def test_system(server: Server, wrapper: Path) -> None:
    more = {"interfacetype-bond0": "bond", "virtbridge-eth10": "dmz"}
    server.system("web1", nics=NICS, more=more)
    server.cobbler.restart()
    plain = koan_networks(server.cobbler, "web1")
    assert [each.partition(",")[0] for each in plain].count("bridge=<<inherit>>") == 3
    # Koan's order is that of the names, and it skips the bond and the VLAN
    assert networks(server, wrapper, system="web1") == ["br0", "br0", "dmz", "br0"]
    assert networks(server, wrapper, system="web1", virt_bridge="br7") == ["br7"] * 4
    server.system("web2", nics=("eth0", "eth1"))
    server.edit("system", "web2", modify_interface={"virtbridge-eth1": "xenbr0"})
    assert networks(server, wrapper, system="web2") == ["br0", "br0"]
    server.system("web3", nics=("default",))
    assert networks(server, wrapper, system="web3") == ["br0"]
    server.add("system", "web4", profile="rhel9")
    server.cobbler.restart()
    assert networks(server, wrapper, system="web4") == ["br0"]
    # without an interface it has its profile's, and counts as that does
    for bridge, expected in (("br7", "br0"), ("br1", "br1"), ("none", "none")):
        server.profile("of-" + bridge, "rhel9")
        server.edit("profile", "of-" + bridge, virt_bridge=bridge)
        server.add("system", "on-" + bridge, profile="of-" + bridge)
        server.cobbler.restart()
        assert networks(server, wrapper, system="on-" + bridge) == [expected]


def test_placed_guests_are_left_alone(server: Server, wrapper: Path) -> None:
    server.system("kvm1", meta={"bridge": "br5"})
    server.system("web1", meta={"bridge_host": "kvm1"}, nics=("eth0", "eth1"))
    server.installed("kvm1")
    server.edit("system", "web1", modify_interface={"virtbridge-eth1": "virbr0"})
    assert networks(server, wrapper, "br5,br6", system="web1") == ["br5", "virbr0"]


def test_what_goes_wrong_is_said_by_koan(server: Server, wrapper: Path) -> None:
    with pytest.raises(KoanError, match="entries found"):
        networks(server, wrapper, system="nobody")
