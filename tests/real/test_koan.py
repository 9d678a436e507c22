"""What the real Koan gives virt-install for a guest, before and after its host is installed."""

import pytest

from koan_network import KoanError, koan_networks
from real.server import Server

NICS = ("eth0", "eth1", "eth10")


@pytest.fixture
def guests(server: Server) -> Server:
    """The host kvm1 and its guest web1, with three NICs, after a restart of cobblerd."""
    server.system("kvm1", meta={"bridge": "br0"})
    server.system("web1", meta={"bridge_host": "kvm1"}, nics=NICS)
    server.cobbler.restart()
    return server


def bridges(server: Server, *, virt_bridge: str = "", system: str = "web1") -> "list[str]":
    """The bridge of each NIC, in Koan's order; its MAC address must be the record's."""
    networks = koan_networks(server.cobbler, system, virt_bridge=virt_bridge or None)
    interfaces = server.stored(system)["interfaces"]
    macs = [fields["mac_address"] for _, fields in sorted(interfaces.items())]
    found = []
    for network in networks:
        bridge, _, mac = network.partition(",")
        assert bridge.startswith("bridge=")
        assert mac.partition("mac=")[2] in macs
        found.append(bridge[len("bridge=") :])
    return found


def test_before_and_after(guests: Server) -> None:
    # Cobbler's issue 3511: no bridge has this name
    assert bridges(guests) == ["<<inherit>>"] * 3
    guests.installed("kvm1")
    macs = [guests.stored("web1")["interfaces"][nic]["mac_address"] for nic in NICS]
    after = ["bridge=br0,mac=" + mac for mac in macs]
    assert koan_networks(guests.cobbler, "web1") == after
    guests.cobbler.restart()
    assert koan_networks(guests.cobbler, "web1") == after


def test_one_set_by_hand(guests: Server) -> None:
    guests.edit("system", "web1", modify_interface={"virtbridge-eth1": "br9"})
    guests.installed("kvm1")
    assert bridges(guests) == ["br0", "br9", "br0"]
    guests.cobbler.restart()
    assert bridges(guests) == ["br0", "br9", "br0"]


def test_virt_bridge_of_the_command_line_wins(guests: Server) -> None:
    guests.installed("kvm1")
    assert bridges(guests, virt_bridge="br7,br8,br9") == ["br7", "br8", "br9"]


def test_bond(guests: Server) -> None:
    """Koan makes NICs of a bond's parts and none of the bond; each part gets the bridge."""
    guests.system(
        "web2",
        meta={"bridge_host": "kvm1"},
        nics=("bond0", "eth0", "eth1", "eth2.7"),
        more={
            "interfacetype-bond0": "bond",
            "interfacetype-eth0": "bond_slave",
            "interfacemaster-eth0": "bond0",
            "interfacetype-eth1": "bond_slave",
            "interfacemaster-eth1": "bond0",
        },
    )
    guests.cobbler.restart()
    guests.installed("kvm1")
    assert bridges(guests, system="web2") == ["br0", "br0"]
    placed = {"bond0": "<<inherit>>", "eth0": "br0", "eth1": "br0", "eth2.7": "<<inherit>>"}
    assert guests.bridges("web2") == placed


def test_unknown_guest(guests: Server) -> None:
    """The helper can fail: Koan's own error comes out."""
    with pytest.raises(KoanError):
        koan_networks(guests.cobbler, "nobody")
