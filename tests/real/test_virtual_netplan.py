"""Bonds, VLANs and several bridges under another release's own netplan, in a virtual machine.

Its systemd-networkd brings them up, or its NetworkManager; the second start has them too.
"""

import re
from typing import Any, Iterator

import pytest

from network_namespace import RELEASE
from real import test_virtual_machine as virtual
from real.shared import Shared
from real.test_firstboot_networkmanager import STATE
from real.test_netplan import PLACE
from real.test_networkmanager import MAC
from real.test_virtual_machine import BONDING, BRIDGE, PORTS, SECOND_MAC
from virtual_machine import VirtualMachine

pytestmark = [
    pytest.mark.releases,
    pytest.mark.skipif("ubuntu" not in RELEASE, reason="RELEASE=ubuntu24.04 has netplan's readers"),
]
INSTALLERS = PLACE + "00-installer-config.yaml"
OF_THE_INSTALLER = "network:\n  version: 2\n  renderer: %s\n  ethernets:\n    eth0: {dhcp4: true}\n"


class Host(virtual.Host):
    """A machine whose network netplan writes."""

    def __init__(self, machine: VirtualMachine, renderer: str) -> None:
        super().__init__(machine)
        self.renderer = renderer

    def prepare(self) -> None:
        """Nothing but the installer's file; what netplan does not write for is not there."""
        self.machine.write("/etc/fstab", "")
        other = {"networkd": "NetworkManager"}.get(self.renderer, "systemd-networkd")
        self.machine.unit(other + ".service.d/none.conf", "[Unit]\nConditionPathExists=/none\n")
        only = "[main]\nno-auto-default=*\n"
        self.machine.write("/etc/NetworkManager/conf.d/only.conf", only)
        self.machine.write(INSTALLERS, OF_THE_INSTALLER % self.renderer, "600")

    def begin(self) -> None:
        """As it was installed, and started."""
        gone = "rm -rf %s* %s /etc/systemd/network/*" % (PLACE, STATE)
        self.machine.run("sh", "-c", gone)
        # whose rule leaves the NICs of an aggregate's switch alone
        self.machine.write("/etc/udev/rules.d/85-nm-unmanaged.rules", "")
        self.machine.write(INSTALLERS, OF_THE_INSTALLER % self.renderer, "600")

    def begins(self) -> None:
        self.boot()
        self.comes_up("eth0")

    def script(self, **data: Any) -> str:
        return super().script(**{"breed": "ubuntu", "os_version": "focal", **data})

    def is_proved(self, installers: str = "", **data: Any) -> None:
        """What the script wrote comes up at each start, and the second run has nothing to do."""
        self.begins()
        if installers:
            self.machine.write(INSTALLERS, installers, "600")
        said = self.set_up(**data)
        assert "what reads the network here is netplan\n" in said, said
        assert said.endswith("which proves it or puts the old network back\n"), said
        self.boot()
        assert re.search("proved after [0-9]+ s", self.check_ends("Cobbler was told"))
        assert self.set_up(**data).endswith("set up already\n")
        self.boot()


@pytest.fixture(scope="module", params=["networkd", "NetworkManager"])
def _shared(request: pytest.FixtureRequest) -> Iterator[Shared[Host]]:
    def make() -> Iterator[Host]:
        with VirtualMachine([MAC, SECOND_MAC], release=RELEASE) as machine:
            host = Host(machine, request.param)
            host.install()
            yield host

    with Shared(make, lambda host: host.machine.lives()) as shared:
        yield shared


@pytest.fixture
def host(_shared: Shared[Host]) -> Iterator[Host]:
    with _shared.lent() as host:
        host.begin()
        yield host


def test_three_bridges_of_a_bond(host: Host) -> None:
    """On the bond, on a VLAN of it, and one that no NIC is in."""
    port = {"interface_type": "bonded_bridge_slave", "interface_master": "br0", **BONDING}
    tagged = {"interface_type": "bridge_slave", "interface_master": "br1"}
    inner = {**BRIDGE, "static": True, "ip_address": "192.0.2.1", "netmask": "255.255.255.0"}
    records = {"br0": BRIDGE, "br1": {**BRIDGE, "static": True}, "br2": inner}
    records.update({"bond0": port, "bond0.30": tagged, **PORTS})
    host.is_proved(interfaces=records)
    host.comes_up("br0")
    devices = host.devices()
    assert {name: device.of for name, device in devices.items()} == {
        "br0": "",
        "br1": "",
        "br2": "",
        "bond0": "br0",
        "bond0.30": "br1",
        "eth0": "bond0",
        "eth1": "bond0",
    }
    (address,) = devices["br0"].addresses
    assert host.reached(address.partition("/")[0])
    assert devices["br2"].addresses == ["192.0.2.1/24"]
    assert sorted(name for name in devices if devices[name].addresses) == ["br0", "br2"]
    assert "active-backup" in host.machine.run("cat", "/proc/net/bonding/bond0")
    assert mac(host, "br0") == MAC


NAMED = OF_THE_INSTALLER.replace("eth0: {", "nic: {match: {%s}, set-name: lan0, ")


@pytest.mark.parametrize("match", ['macaddress: "%s"' % MAC, 'name: "*h0"'])
def test_a_card_that_gets_another_name(host: Host, match: str) -> None:
    """By the installer's file, at the start that proves the bridge."""
    host.is_proved(NAMED % (host.renderer, match), bridge="br0", bridge_port=MAC)
    host.comes_up("br0")
    devices = host.devices()
    (address,) = devices["br0"].addresses
    assert host.reached(address.partition("/")[0])
    assert devices["lan0"] == virtual.Device("br0", [])
    assert "eth0" not in devices
    assert mac(host, "br0") == MAC


BONDED = (
    """\
network:
  version: 2
  renderer: networkd
  ethernets: {eth0: {}, eth1: {}}
  bonds:
    bond0:
      interfaces: [eth0, eth1]
      macaddress: %s
      dhcp4: true
      parameters: {mode: active-backup, mii-monitor-interval: 100}
"""
    % MAC
)


def test_a_machine_that_runs_with_a_bond(host: Host) -> None:
    host.machine.write(INSTALLERS, BONDED, "600")
    host.boot()
    virtual.a_bond_comes_back(host)


def mac(host: Host, device: str) -> str:
    return host.machine.run("cat", "/sys/class/net/%s/address" % device).strip()
