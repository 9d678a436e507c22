"""VLANs and bonds under a real NetworkManager, and NICs that udev names, in a virtual machine.

The kernel of the machine that runs the tests may know none of it. The virtual one goes on from
test to test, so each begins with the network that the installer made. Its switch has VLAN 30.
"""

import json
import os
import re
from typing import Any, Dict, Iterator, List, NamedTuple

import pytest

from cobbler_bridge.snippet import bridge_setup
from real.shared import Shared
from real.test_firstboot_networkmanager import CHECK, STATE, TRIGGER
from real.test_firstboot_systemd import UNIT
from real.test_ifupdown import INTERFACES, OF_THE_INSTALLER
from real.test_networkmanager import (
    CONNECTIONS,
    DNSMASQ,
    GATEWAY,
    INSTALLERS,
    INSTALLERS_PROFILE,
    LINK,
    MAC,
    NETWORKMANAGER_CONF,
)
from virtual_machine import VirtualMachine
from waiting import HANGS, wait_for

if "CI" not in os.environ and os.geteuid() != 0:
    pytest.skip("only root can make a throw-away machine", allow_module_level=True)

SECOND_MAC = "52:54:00:99:00:02"
TAGGED_GATEWAY = "10.98.0.1"
FAR = """\
# who asks in one network hears nothing of the other one
echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore
ip addr add {gateway}/24 dev far0
ip link add link far0 name far0.30 type vlan id 30
ip addr add {tagged_gateway}/24 dev far0.30
ip link set far0.30 up
{untagged} < /dev/null > /run/dnsmasq.log 2>&1 &
{tagged} < /dev/null > /run/tagged.log 2>&1 &
busybox httpd -f -vv -p {gateway}:80 -h /var/www < /dev/null > /run/httpd.log 2>&1 &
busybox httpd -f -vv -p {tagged_gateway}:80 -h /var/www < /dev/null >> /run/httpd.log 2>&1 &
"""
UNTAGGED = " ".join(DNSMASQ)
TAGGED = UNTAGGED.replace("far0", "far0.30").replace("10.99.", "10.98.").replace("00:99:", "00:98:")
# what there is before the script has run, or after it was started again
CLEAR = """\
systemctl stop NetworkManager
for name in eth0.30 br0.30 bond0.30 bond0 br0; do ip link del "$name"; done 2> /dev/null
if [ -e /sys/class/net/peth0 ]; then
    ip link del eth0
    ip link set peth0 down
    ip link set peth0 name eth0
fi
for nic in eth0 eth1; do
    ip addr flush dev "$nic"
    ip link set "$nic" down
done
rm -rf /run/NetworkManager
"""
# only what there is a profile for, as on a server
CONF = NETWORKMANAGER_CONF.replace("[main]\n", "[main]\nno-auto-default=*\n")


class Device(NamedTuple):
    """What the kernel has: the device that it is a port of, or lies on, and the addresses."""

    of: str
    addresses: List[str]


class Host:
    """The machine as an installer leaves it, and what a test asks it."""

    def __init__(self, machine: VirtualMachine) -> None:
        self.machine = machine

    def install(self) -> None:
        machine = self.machine
        words = {"gateway": GATEWAY, "tagged_gateway": TAGGED_GATEWAY}
        machine.write("/etc/far.sh", FAR.format(untagged=UNTAGGED, tagged=TAGGED, **words))
        for path in (TRIGGER, TRIGGER.replace("/profile/", "/system/")):
            machine.write("/var/www" + path, "True\n")
        self.prepare()
        machine.boot()

    def prepare(self) -> None:
        """The files that an installer leaves."""
        self.machine.write("/etc/NetworkManager/NetworkManager.conf", CONF)
        self.machine.write(INSTALLERS, INSTALLERS_PROFILE, "600")

    def begin(self) -> None:
        """The installer's network, and nothing else."""
        remove = "rm -rf %s/* %s /etc/systemd/network" % (CONNECTIONS, STATE)
        self.machine.run("sh", "-c", CLEAR + remove)
        self.machine.write(INSTALLERS, INSTALLERS_PROFILE, "600")
        self.machine.run("systemctl", "start", "NetworkManager")
        self.comes_up("eth0")

    def set_up(self, **data: Any) -> str:
        """Run the script as an install file does, where init is another; what it said."""
        chroot = ("unshare", "--pid", "--fork", "--mount-proc")
        return self.machine.run(*chroot, "sh", "-s", text=self.script(**data))

    def switch(self, **data: Any) -> str:
        """Run the script on the machine as it runs, until the check has ended; what it said."""
        script = self.script(**data)
        said = self.machine.run("sh", "-s", text=script)
        # the look that follows a proof
        while "another run of this script is at work" in said:
            said = self.machine.run("sh", "-s", text=script)
        wait = "while [ -e %s/expected ]; do sleep 1; done" % STATE
        self.machine.run("timeout", str(HANGS), "sh", "-c", wait)
        return said

    def script(self, **data: Any) -> str:
        known = {"breed": "redhat", "os_version": "rhel9", "bridge_firewall": "none"}
        known["bridge_timeout"] = str(int(HANGS))
        known.update(profile_name="hosts", http_server=GATEWAY, **data)
        return bridge_setup(known)

    def start(self) -> None:
        """All that a boot does for the network, without one; then the check."""
        self.machine.run("sh", "-c", CLEAR + "systemctl start NetworkManager")
        said = self.machine.run(CHECK)
        assert re.search("is proved after [0-9]+ s\n.*Cobbler was told\n$", said, re.S), said
        shown = ("journalctl", "-b", "--no-pager", "-o", "cat", "-u", "NetworkManager")
        # of a file; that a port waits for its bond is a warning too
        complaints = re.findall("^<(?:warn|error)>.*keyfile: .*", self.machine.run(*shown), re.M)
        assert complaints == []

    def boot(self) -> None:
        """Its power fails and comes back, when all is on its disk."""
        self.machine.run("sync")
        self.machine.boot()

    def devices(self) -> Dict[str, Device]:
        """The devices that are up, but for the loopback."""
        found = {}
        shown = json.loads(self.machine.run("ip", "-j", "address", "show", "up"))
        # some print nothing of one that is not up, in its place
        for each in filter(None, shown):
            given = [
                "%s/%d" % (has["local"], has["prefixlen"])
                for has in each["addr_info"]
                if has["family"] == "inet"
            ]
            found[each["ifname"]] = Device(each.get("master", each.get("link", "")), given)
        del found["lo"]
        return found

    def default_routes(self) -> List[str]:
        """Each default route: its gateway and its device."""
        lines = self.machine.run("ip", "route", "show", "default").splitlines()
        return [" ".join(line.split()[2:5:2]) for line in lines]

    def comes_up(self, device: str, gateway: str = GATEWAY) -> None:
        """A device gets the default route."""
        come = wait_for(lambda: self.default_routes() == [gateway + " " + device])
        assert come, self.machine.run("journalctl", "-b", "--no-pager", "-n", "150")

    def reached(self, address: str) -> bool:
        """Whether the far side reaches an address."""
        ping = ("ping", "-c1", "-W60", address)
        return "1 received" in self.machine.run(*ping, namespace="far", check=False)

    def said(self) -> str:
        """What the check has said since the last start."""
        shown = ("journalctl", "-b", "--no-pager", "-o", "cat", "-u", UNIT)
        return self.machine.run(*shown)

    def check_ends(self, how: str) -> str:
        """What the check has said when its last words have come."""
        wait = "until journalctl -b -o cat -u %s | grep -qF '%s'; do sleep 1; done"
        self.machine.run("timeout", str(HANGS - 60), "sh", "-c", wait % (UNIT, how), check=False)
        said = self.said()
        assert how in said, said
        return said


def _make() -> Iterator[Host]:
    with VirtualMachine([MAC, SECOND_MAC]) as machine:
        host = Host(machine)
        host.install()
        yield host


@pytest.fixture(scope="module")
def _shared() -> Iterator[Shared[Host]]:
    with Shared(_make, lambda host: host.machine.lives()) as shared:
        yield shared


@pytest.fixture
def host(_shared: Shared[Host]) -> Iterator[Host]:
    with _shared.lent() as host:
        host.begin()
        yield host


def shape(host: Host, untagged: str, tagged: str = "") -> Dict[str, str]:
    """What each device that is up is a port of, or lies on; only these have an address each."""
    devices = host.devices()
    for device, gateway in ((untagged, GATEWAY), (tagged, TAGGED_GATEWAY)):
        if device:
            (address,) = devices[device].addresses
            assert address.startswith(gateway.rpartition(".")[0])
            assert host.reached(address.partition("/")[0])
    assert not [
        name for name in devices if name not in (untagged, tagged) and devices[name].addresses
    ]
    return {name: device.of for name, device in devices.items()}


BRIDGE = {"interface_type": "bridge"}
PORTS = {
    "eth0": {"interface_type": "bond_slave", "interface_master": "bond0", "mac_address": MAC},
    "eth1": {
        "interface_type": "bond_slave",
        "interface_master": "bond0",
        "mac_address": SECOND_MAC,
    },
}
BONDING = {"bonding_opts": "mode=active-backup miimon=100"}


def test_a_bond_as_port_and_a_vlan_over_the_bridge(host: Host) -> None:
    bond = {"interface_type": "bonded_bridge_slave", "interface_master": "br0", **BONDING}
    records = {"br0": BRIDGE, "bond0": bond, **PORTS, "br0.30": {"static": False}}
    host.set_up(os_version="rhel10", interfaces=records)
    host.start()
    assert shape(host, "br0", "br0.30") == {
        "br0": "",
        "br0.30": "br0",
        "bond0": "br0",
        "eth0": "bond0",
        "eth1": "bond0",
    }
    assert "active-backup" in host.machine.run("cat", "/proc/net/bonding/bond0")


@pytest.mark.thorough
def test_a_bridge_over_a_vlan_of_a_bond(host: Host) -> None:
    bond = {"interface_type": "bond", "static": True, **BONDING}
    vlan = {"interface_type": "bridge_slave", "interface_master": "br0"}
    host.set_up(interfaces={"br0": BRIDGE, "bond0.30": vlan, "bond0": bond, **PORTS})
    host.start()
    assert shape(host, "", "br0") == {
        "br0": "",
        "bond0.30": "br0",
        "bond0": "",
        "eth0": "bond0",
        "eth1": "bond0",
    }


@pytest.mark.thorough
def test_a_bridge_on_a_vlan(host: Host) -> None:
    host.set_up(bridge="br0", bridge_vlan="30")
    host.start()
    assert shape(host, "", "br0") == {"br0": "", "eth0.30": "br0", "eth0": "", "eth1": ""}


BOND = {"interface_type": "bond", "static": True, **BONDING}
ON_A_VLAN = {"interface_type": "bridge_slave", "interface_master": "br0"}
# the switch has no VLAN 20
WRONG = {"br0": BRIDGE, "bond0.20": ON_A_VLAN, "bond0": BOND, **PORTS}
RIGHT = {"br0": BRIDGE, "bond0.30": ON_A_VLAN, "bond0": BOND, **PORTS}
# what an installer made of two NICs
THE_BOND = """\
[connection]
id=bond0
uuid=6e2a1fd3-6a3c-3c7b-9c7e-2f1f6ec0a005
type=bond
interface-name=bond0

[bond]
miimon=100
mode=active-backup

[ipv4]
method=auto

[ipv6]
method=ignore
"""
OF_THE_BOND = """\
[connection]
id={nic}
uuid=6e2a1fd3-6a3c-3c7b-9c7e-2f1f6ec0a00{number}
type=ethernet
interface-name={nic}
master=bond0
slave-type=bond
"""
BOND_OF_IFUPDOWN = """\
auto bond0
iface bond0 inet static
    address 10.99.0.20/24
    gateway 10.99.0.1
    bond-slaves eth0 eth1
    bond-mode active-backup
    bond-miimon 100"""
UNBONDED = {"eth0": "bond0", "eth1": "bond0"}


class Debian(Host):
    """A machine whose network ifupdown reads."""

    def prepare(self) -> None:
        self.machine.write("/etc/os-release", 'ID=debian\nVERSION_ID="12"\n')
        self.machine.write("/etc/fstab", "")
        self.machine.write("/var/lib/dhcp/dhclient.leases", "")
        self.machine.write(INTERFACES, OF_THE_INSTALLER % BOND_OF_IFUPDOWN)

    def script(self, **data: Any) -> str:
        return super().script(**{"breed": "debian", "os_version": "bookworm", **data})


def a_bond_comes_back(host: Host) -> None:
    """The host's own, before any of ours, and the one in our bridge; no lease of another network
    is taken along."""
    own = {"bond0": "", **UNBONDED}
    in_bridge = {"br0": "", "bond0": "br0", **UNBONDED}
    port = {"interface_type": "bonded_bridge_slave", "interface_master": "br0", **BONDING}
    host.comes_up("bond0")
    assert shape(host, "bond0") == own
    for device, before in (("bond0", own), ("br0", in_bridge)):
        said = host.switch(interfaces=WRONG, bridge_timeout="30")
        assert "the old network is back: br0 has no IPv4 address" in said, said
        host.comes_up(device)
        assert shape(host, device) == before
        assert "active-backup" in host.machine.run("cat", "/proc/net/bonding/bond0")
        if device == "bond0":
            said = host.switch(interfaces={"br0": BRIDGE, "bond0": port, **PORTS})
            assert "br0 is proved" in said, said
            assert shape(host, "br0") == in_bridge
    said = host.switch(interfaces=RIGHT)
    assert "br0 is proved" in said, said
    host.comes_up("br0", TAGGED_GATEWAY)
    assert shape(host, "", "br0") == {"br0": "", "bond0.30": "br0", **own}


@pytest.mark.thorough
def test_a_machine_that_runs_with_a_bond_and_vlans(host: Host) -> None:
    machine = host.machine
    machine.run("sh", "-c", CLEAR + "rm " + INSTALLERS)
    machine.write(CONNECTIONS + "/bond0.nmconnection", THE_BOND, "600")
    for number, nic in enumerate(UNBONDED, 6):
        profile = OF_THE_BOND.format(nic=nic, number=number)
        machine.write("%s/%s.nmconnection" % (CONNECTIONS, nic), profile, "600")
    machine.run("systemctl", "start", "NetworkManager")
    a_bond_comes_back(host)


@pytest.mark.thorough
def test_a_machine_that_runs_with_a_bond_of_ifupdown() -> None:
    macs = [MAC, SECOND_MAC]
    with VirtualMachine(macs, "layer-ifupdown", "networking") as machine:
        host = Debian(machine)
        host.install()
        a_bond_comes_back(host)


LAN = """\
[connection]
id=lan
uuid=6e2a1fd3-6a3c-3c7b-9c7e-2f1f6ec0a004
type=vlan
interface-name=lan

[vlan]
id=30
parent=eth0

[ipv4]
method=manual
address1={address}/24,{gateway}
"""
MADE = """\
ip link add link eth0 name lan type vlan id 30
ip addr add {address}/24 dev lan
ip link set lan up
ip route del default
ip route add default via {gateway} dev lan
ip link set eth1 down
ip link add bond0 type bond
ip link set eth1 master bond0
"""


def test_what_an_installer_made_of_the_nics(host: Host) -> None:
    words = {"address": "10.98.0.20", "gateway": TAGGED_GATEWAY}
    host.machine.run("sh", "-e", "-c", MADE.format(**words))
    host.machine.write(CONNECTIONS + "/lan.nmconnection", LAN.format(**words), "600")
    said = host.set_up(bridge="br0", bridge_port=SECOND_MAC)
    assert "eth1 is in the bond bond0: interface records of the types bond and" in said
    said = host.set_up(bridge="br0")
    assert "eth0 has the VLAN lan, which has the default route: bridge_vlan=30 puts" in said
    said = host.set_up(bridge="br0", bridge_vlan="30", bridge_ipv4="keep")
    assert "the VLAN lan of eth0 is taken over" in said
    host.machine.run("ip", "link", "del", "lan")
    host.machine.run("ip", "link", "del", "bond0")
    host.start()
    assert shape(host, "", "br0") == {"br0": "", "eth0.30": "br0", "eth0": "", "eth1": ""}
    assert host.devices()["br0"].addresses == ["10.98.0.20/24"]
    assert host.default_routes() == [TAGGED_GATEWAY + " br0"]


@pytest.mark.thorough
def test_the_wrong_vlan(host: Host) -> None:
    """The switch has 30: the old network comes back, and is there at the next start too."""
    host.set_up(bridge="br0", bridge_vlan="20", bridge_timeout="10")
    host.boot()
    said = host.check_ends("see " + STATE + "/report")
    assert "not proved: br0 has no IPv4 address; putting the old network back" in said
    for start in ("first", "second"):
        host.comes_up("eth0")
        assert shape(host, "eth0") == {"eth0": "", "eth1": ""}
        if start == "first":
            report = host.machine.run("cat", STATE + "/report")
            for words in (
                "bridge br0\nport eth0.20\n",
                "ports of br0: eth0.20",
                "had: " + INSTALLERS,
            ):
                assert words in report
            assert re.search("eth0.20@eth0: <.*master br0 state UP", report)
            host.boot()
    # it is told at each start
    again = "the old network is back since the bridge br0 was not proved"
    assert "putting the old network back" not in host.check_ends(again)


def test_a_nic_that_udev_renames(host: Host) -> None:
    """The bridge has its name: by our link file, when the machine starts."""
    host.set_up(bridge="eth0")
    host.boot()
    assert "the bridge eth0 is proved after" in host.check_ends("Cobbler was told")
    assert shape(host, "eth0") == {"eth0": "", "peth0": "eth0", "eth1": ""}
    assert host.machine.run("cat", "/sys/class/net/eth0/address") == MAC + "\n"
    setup = ("udevadm", "info", "-q", "property", "/sys/class/net/peth0")
    assert "ID_NET_LINK_FILE=" + LINK in host.machine.run(*setup)
