"""Guests that the real Koan starts: with Debian's virt-install, libvirt and QEMU, on real bridges.

The machine where Koan is called stands in the network of a private Cobbler. A guest boots from the
network and finds nothing there; its taps are the ports of the bridges that it is on.
"""

import re
import sysconfig
from pathlib import Path
from typing import Dict, Iterator, Set

import pytest

import koan_wrapper
from network_namespace import LAYER, Machine, must_be_unpacked
from private_cobbler import PrivateCobbler
from real.server import Server
from real.shared import Shared
from real.test_guests import rich_host
from waiting import wait_for

GUESTS = LAYER.with_name("layer-guests")
BRIDGES = ("dmz", "lan", "tagged", "br9")
_QEMU = """\
user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
stdio_handler = "file"
"""
_KOAN = """\
#!/usr/bin/python3
import sys
sys.path.insert(0, "/koan")
from koan.app import main
sys.exit(main())
"""
# what the packages' own scripts would do, and a terminal for the guest's serial port
_PREPARE = """\
set -e
ldconfig
mkdir -p /dev/pts /var/lib/guests /var/log/libvirt /var/log/koan
mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts
ln -s pts/ptmx /dev/ptmx
echo libvirt-qemu:x:64055:64055::/:/bin/false >> /etc/passwd
printf '%s\\n' libvirt-qemu:x:64055: libvirt:x:64056: >> /etc/group
for bridge in "$@"; do
    ip link add "$bridge" type bridge
    ip link set "$bridge" up
done
libvirtd -d
"""
VIRT = {"virt_ram": 64, "virt_file_size": 1, "virt_type": "qemu", "virt_path": "/var/lib/guests"}


class KoanHost:
    """A host with bridges, libvirt and Koan, and the Cobbler that it asks."""

    def __init__(self, server: Server, machine: Machine) -> None:
        self.server = server
        self.machine = machine

    def prepare(self) -> None:
        """Bring Koan, and start libvirt."""
        self.machine.write("/etc/libvirt/qemu.conf", _QEMU)
        self.machine.write("/usr/local/bin/koan", _KOAN, "755")
        for path, text in koan_wrapper.FILES.items():
            self.machine.write(path, text, "755")
        site = Path(sysconfig.get_path("purelib"))
        for name in ("koan", "distro"):
            for file in (site / name).glob("*.py"):
                text = file.read_text(encoding="utf-8")
                self.machine.write("/koan/%s/%s" % (name, file.name), text)
        self.machine.run("sh", "-c", _PREPARE, "sh", *BRIDGES)
        assert wait_for(lambda: "Id" in self.virsh("list"))

    def lives(self) -> bool:
        """Whether Cobbler answers, and libvirt."""
        return self.server.answers() and self.machine.lives() and "Id" in self.virsh("list")

    def virsh(self, *words: str) -> str:
        return self.machine.run("virsh", "-c", "qemu:///system", *words, check=False)

    def koan(self, *words: str, command: str = "koan") -> str:
        """Make a guest that boots from the network; what Koan said."""
        call = ["/usr/local/bin/" + command, "--server=127.0.0.1", "--virt", "--virt-pxe-boot"]
        path = "PATH=/usr/local/bin:/usr/sbin:/usr/bin"
        return self.machine.run("env", path, *call, *words, check=False)

    def taps(self, name: str) -> Dict[str, str]:
        """The bridge of each tap of a guest as libvirt tells it; the kernel must say the same."""
        assert self.virsh("domstate", name).strip() == "running"
        found = {}
        for tap, bridge in re.findall(r"(vnet\d+) +bridge +(\S+)", self.virsh("domiflist", name)):
            assert tap in self.ports(bridge)
            found[tap] = bridge
        return found

    def ports(self, bridge: str) -> Set[str]:
        """The ports of a bridge, from the kernel."""
        return set(self.machine.run("ls", "/sys/class/net/%s/brif" % bridge).split())

    def bridges(self, name: str) -> "list[str]":
        """The bridges of a guest, in the order of its NICs."""
        found = list(self.taps(name).values())
        self.virsh("destroy", name)
        return found


def _make() -> Iterator[KoanHost]:
    must_be_unpacked(GUESTS)
    with PrivateCobbler() as private:
        server = Server(private)
        server.install()
        server.add_releases()
        server.profile("guests", "rhel9", {"bridge_host": "kvm3"})
        server.profile("loose", "rhel9")
        for profile in ("guests", "loose"):
            server.edit("profile", profile, **VIRT)
        rich_host(server)
        more = {"ipaddress-eth1": "192.0.2.9", "virtbridge-eth2": "br9"}
        server.system("web1", "guests", nics=("eth0", "eth1", "eth2", "eth3.7"), more=more)
        server.system(
            "web2",
            "loose",
            nics=("bond0", "eth0", "eth1"),
            more={
                "interfacetype-bond0": "bond",
                "virtbridge-eth1": "br9",
            },
        )
        server.installed("kvm3")
        server.cobbler.restart()
        with Machine(GUESTS, private.command_inside()) as machine:
            koan_host = KoanHost(server, machine)
            koan_host.prepare()
            yield koan_host


@pytest.fixture(scope="module")
def _shared() -> Iterator[Shared[KoanHost]]:
    with Shared(_make, KoanHost.lives) as shared:
        yield shared


@pytest.fixture
def host(_shared: Shared[KoanHost]) -> Iterator[KoanHost]:
    with _shared.lent() as host:
        yield host


def test_placed_guest(host: KoanHost) -> None:
    """The host's first bridge by name, the one of its address, and one set by hand."""
    host.koan("--system=web1")
    assert host.bridges("web1") == ["dmz", "dmz", "br9"]


def test_without_a_host_it_does_not_start(host: KoanHost) -> None:
    """What the pack is for; and that these tests can fail."""
    said = host.koan("--system=web2")
    assert "bridge=<<inherit>>,mac=" in said
    assert "ERROR" in said
    assert "running" not in host.virsh("domstate", "web2")


def test_guest_without_a_host_on_the_hosts_word(host: KoanHost) -> None:
    host.machine.write("/etc/profile.d/cobbler-bridge.sh", "COBBLER_BRIDGE=lan,dmz\n")
    host.koan("--system=web2", command="koan-bridge")
    assert host.bridges("web2") == ["lan", "br9"]


def test_profile_guest(host: KoanHost) -> None:
    host.machine.write("/etc/profile.d/cobbler-bridge.sh", "COBBLER_BRIDGE=lan,dmz\n")
    host.koan("--profile=loose", "--virt-name=extra", command="koan-bridge")
    assert host.bridges("extra") == ["lan"]
    host.koan("--profile=loose", "--virt-name=other", "-B", "tagged", command="koan-bridge")
    assert host.bridges("other") == ["tagged"]
