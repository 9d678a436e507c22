"""The real ifupdown of Debian brings up what the script wrote, on a throw-away machine that boots.

Its networking.service, dhclient and bridge-utils are Debian's own, systemd starts them; the check
at the first boot proves the bridge, or has ifupdown put the old network back.
"""

import re
import time
from typing import Any, Iterator

import pytest

from cobbler_bridge.plan.firewalls.sysctl import UDEV_RULE
from cobbler_bridge.snippet import bridge_setup
from network_namespace import RELEASE, with_layer
from real import running as running_machine
from real.test_firstboot_networkmanager import CHECK, STATE, patient
from real.test_firstboot_systemd import Booting
from real.test_networkmanager import DNSMASQ, GATEWAY, MAC
from systemd_machine import SystemdMachine
from waiting import HANGS, wait_for

INTERFACES = "/etc/network/interfaces"
OURS = "/etc/network/interfaces.d/cobbler-bridge"
OF_THE_INSTALLER = """\
# This file describes the network interfaces available on your system
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

# The primary network interface
%s
"""
DHCP = "allow-hotplug eth0\niface eth0 inet dhcp"
STATIC = """\
auto eth0
iface eth0 inet static
    address 10.99.0.20/24
    gateway 10.99.0.1
    up ip route add 198.51.100.0/24 via 10.99.0.9 dev eth0
iface eth0 inet6 static
    address fd00:99::20/64
    gateway fd00:99::1"""
ENABLE_UFW = """\
set -e
for each in iptables iptables-restore ip6tables ip6tables-restore; do
    ln -sf xtables-nft-multi "/usr/sbin/$each"
done
cd /usr/share/ufw
cp iptables/*.rules /etc/ufw
cp *.init /etc/ufw
sed s/ENABLED=no/ENABLED=yes/ ufw.conf > /etc/ufw/ufw.conf
"""
OS_RELEASE = 'ID=debian\nVERSION_ID="12"\n'


class Debian(Booting):
    """A machine as Debian's installer leaves it, whose script is run and which boots."""

    of_the_nic = DHCP
    data: Any = {}
    ufw = False
    # what the script said
    says = ""

    def install(self) -> None:
        machine = self.machine
        machine.wire("eth0", MAC, "far", "far0")
        for address in (GATEWAY + "/24", "fd00:99::1/64"):
            machine.run("ip", "addr", "add", address, "dev", "far0", "nodad", namespace="far")
        gone = "/etc/udev/rules.d /etc/systemd/network /etc/resolv.conf /etc/NetworkManager"
        gone += " /etc/dhcp/dhclient-enter-hooks.d /var/lib/dhcp /etc/netplan " + STATE
        machine.run("rm", "-rf", *gone.split())
        # no program of this machine that would read the network instead
        machine.run("rm", "-rf", "/usr/sbin/NetworkManager", "/usr/sbin/netplan", "/etc/issue.d")
        machine.run("mkdir", "-p", "/etc/udev/rules.d", "/var/lib/dhcp", "/etc/network/if-up.d")
        machine.run("mkdir", "-p", "/etc/dhcp/dhclient-enter-hooks.d")
        # its package asks a systemd-resolved that may not be there
        machine.run("rm", "-f", "/etc/network/if-up.d/resolved", "/etc/network/if-down.d/resolved")
        if not RELEASE:
            self.write("/etc/os-release", OS_RELEASE)
        # dhclient's script looks for a root on the network there
        self.write("/etc/fstab", "")
        self.write("/etc/resolv.conf", "nameserver 10.99.0.1\n")
        self.write(INTERFACES, OF_THE_INSTALLER % self.of_the_nic)
        machine.start(*DNSMASQ, namespace="far")
        self.start_server()
        for wanted in ("multi-user.target.wants/", "network-online.target.wants/"):
            unit = "networking.service"
            self.system.link("/lib/systemd/system/" + unit, wanted + unit)
        machine.run("ip", "link", "set", "eth0", "up")
        machine.run("ip", "addr", "add", "10.99.0.20/24", "dev", "eth0")
        machine.run("ip", "route", "add", "default", "via", GATEWAY, "dev", "eth0")
        if self.ufw:
            self.enable_ufw()
        self.prepare()

    def enable_ufw(self) -> None:
        """As its package and ``ufw enable`` leave it."""
        self.machine.run("sh", "-c", ENABLE_UFW)
        self.system.link("/lib/systemd/system/ufw.service", "multi-user.target.wants/ufw.service")

    def prepare(self) -> None:
        known = {"bridge_timeout": str(int(HANGS)), **self.data}
        self.says = self.set_up(**known)
        if self.machine.path(CHECK).exists():
            patient(self.machine.path(CHECK))

    def set_up(self, **data: Any) -> str:
        known = {"breed": "debian", "os_version": "bullseye", "profile_name": "hosts"}
        known.update(bridge="br0", bridge_firewall="none", http_server=GATEWAY)
        return self.machine.run("sh", "-s", text=bridge_setup({**known, **data}))

    def comes_up(self, device: str) -> None:
        up = "%s %s" % (GATEWAY, device)
        come = wait_for(lambda: self.addresses(device) and up in self.default_routes())
        assert come, self.system.run("journalctl", "-b", "-n", "60", "--no-pager")


def _host(request: pytest.FixtureRequest) -> Iterator[Debian]:
    of_the_nic, data, *ufw = getattr(request, "param", (DHCP, {}))
    with with_layer("layer-ifupdown") as machine, SystemdMachine(machine) as system:
        host = Debian(machine, system)
        host.of_the_nic, host.data, host.ufw = of_the_nic, data, bool(ufw)
        host.install()
        yield host


host = pytest.fixture(_host)


def test_a_lease(host: Debian) -> None:
    installers = host.machine.path(INTERFACES).read_text()
    assert "eth0" not in installers
    assert "iface lo inet loopback" in installers
    for start in ("first", "second"):
        host.boot()
        host.comes_up("br0")
        assert host.addresses("eth0") == host.addresses("eth0", 6) == [], start
        # no router is heard by it, not even before the bridge has it
        hears = host.machine.run("cat", "/proc/sys/net/ipv6/conf/eth0/disable_ipv6")
        assert hears == "1\n"
        assert host.ports("br0") == ["eth0"]
        assert host.kernel("br0", "address") == MAC
        assert host.default_routes() == [GATEWAY + " br0"]
        assert wait_for(lambda: host.told() == 1)
        assert host.guest_gets_a_lease("br0")
        assert wait_for(lambda: host.addresses("br0", 6) != [])
    said = host.set_up(bridge_timeout=str(int(HANGS)))
    assert said.endswith("br0 is set up already\n")


@pytest.mark.parametrize("host", [(STATIC, {"bridge_ipv4": "keep"})], indirect=True)
def test_what_the_installer_configured(host: Debian) -> None:
    host.boot()
    host.comes_up("br0")
    assert host.addresses("br0") == ["10.99.0.20/24"]
    assert wait_for(lambda: "fd00:99::20/64" in host.addresses("br0", 6))
    assert host.default_routes(6) == ["fd00:99::1 br0"]
    routes = host.machine.run("ip", "route", "show", "198.51.100.0/24")
    assert routes.split() == "198.51.100.0/24 via 10.99.0.9 dev br0".split()
    assert wait_for(lambda: host.told() == 1), host.said()
    host.is_quiet()


OPTIONS = {
    "bridge_opts": "ageing_time=60 multicast_snooping=off priority=4096",
    "bridge_ipv4": "10.99.0.9/24,10.99.0.1",
    "bridge_ipv6": "none",
    "bridge_mtu": "1400",
    "bridge_mac": "52:54:00:99:00:07",
    "name_servers": ["10.99.0.53"],
    "name_servers_search": ["example.org"],
}


@pytest.mark.parametrize("host", [(DHCP, OPTIONS)], indirect=True)
def test_what_was_asked_for(host: Debian) -> None:
    host.boot()
    host.comes_up("br0")
    assert host.addresses("br0") == ["10.99.0.9/24"]
    for what, value in (
        ("address", "52:54:00:99:00:07"),
        ("mtu", "1400"),
        ("bridge/ageing_time", "6000"),
        ("bridge/multicast_snooping", "0"),
        ("bridge/priority", "4096"),
        ("bridge/forward_delay", "0"),
        ("bridge/stp_state", "0"),
    ):
        assert host.kernel("br0", what) == value, what
    assert host.kernel("eth0", "mtu") == "1400"
    assert host.machine.path("/etc/resolv.conf").read_text() == (
        "nameserver 10.99.0.53\nsearch example.org\n"
    )
    accepts = ("cat", "/proc/sys/net/ipv6/conf/br0/accept_ra")
    assert wait_for(lambda: host.machine.run(*accepts) == "0\n")
    assert wait_for(lambda: host.told() == 1), host.said()


NAMED = {"name_servers": ["10.99.0.53"], "name_servers_search": ["example.org"]}


@pytest.mark.parametrize("host", [(DHCP, NAMED)], indirect=True)
def test_a_lease_brings_no_other_names(host: Debian) -> None:
    host.boot()
    host.comes_up("br0")
    assert wait_for(lambda: host.told() == 1), host.said()
    assert sorted(host.resolver()) == ["nameserver 10.99.0.53", "search example.org"]


# no udev of a throw-away machine tells systemd of a NIC at the second start
BY_NETWORKING = DHCP.replace("allow-hotplug", "auto")


@pytest.mark.parametrize("host", [(BY_NETWORKING, {})], indirect=True)
def test_the_old_network_comes_back(host: Debian) -> None:
    # networking.service, for which the check waits, waits for it
    host.write("/etc/dhcp/dhclient.conf", "timeout 5;\n")
    host.machine.stop("dnsmasq")
    host.gives_up()
    host.boot()
    assert wait_for(lambda: "putting the old network back" in host.said())
    host.machine.start(*DNSMASQ, namespace="far")
    assert wait_for(lambda: "the old network is back" in host.said()), host.said()
    host.comes_up("eth0")
    # which bridge-utils has taken from the port
    assert wait_for(lambda: host.addresses("eth0", 6) != [])
    assert not host.machine.path("/sys/class/net/br0").exists()
    assert host.machine.path(INTERFACES).read_text() == OF_THE_INSTALLER % BY_NETWORKING
    assert not host.machine.path(OURS).exists()
    host.has_failed()
    report = host.machine.path(STATE + "/report").read_text()
    # what ifupdown and its client said themselves
    assert re.search("(ifup|dhclient|dhcpcd).*br0", report)
    host.boot()
    host.comes_up("eth0")
    assert host.told() == 0


# ifupdown reads nothing at all where a stanza comes before the one that it inherits from
INHERITING = """\
auto eth0
iface office inet static
    netmask 255.255.255.0
    gateway 10.99.0.1
iface eth0 inherits office
    address 10.99.0.20"""


@pytest.mark.parametrize("host", [(INHERITING, {})], indirect=True)
def test_what_a_stanza_inherits(host: Debian) -> None:
    host.boot()
    host.comes_up("br0")
    assert host.addresses("br0") == ["10.99.0.20/24"]
    assert wait_for(lambda: host.told() == 1), host.said()


@pytest.mark.parametrize("host", [(DHCP, {"bridge_ipv6": "dhcp"})], indirect=True)
def test_without_a_client_for_ipv6(host: Debian) -> None:
    """Of Debian 13, whose own is not asked for it."""
    asks = host.machine.path("/sbin/dhclient").exists()
    assert (OURS in host.says) == asks
    assert ("install isc-dhcp-client; the network stays as it is" in host.says) != asks


FILTERED = "/proc/sys/net/bridge/bridge-nf-call-iptables"


@pytest.mark.parametrize("host", [(DHCP, {"bridge_firewall": "auto"}, "ufw")], indirect=True)
def test_guests_with_ufw_enabled(host: Debian) -> None:
    host.boot()
    host.comes_up("br0")
    assert wait_for(lambda: host.told() == 1), host.said()
    rules = host.machine.run("iptables", "-S", "FORWARD")
    assert "-P FORWARD DROP" in rules
    filtered_until_udev_has_seen(host)


def filtered_until_udev_has_seen(host: Booting) -> None:
    """A guest's frames, as the module begins, and then by what udev has done when it comes."""
    host.machine.run("sh", "-c", "echo 1 > " + FILTERED)
    with pytest.raises(AssertionError, match="no lease"):
        host.guest_gets_a_lease("br0")
    host.machine.run("ip", "link", "del", "vnet0")
    (rule,) = re.findall('RUN\\+="([^"]*)"', host.machine.path(UDEV_RULE).read_text())
    host.machine.run(*rule.split())
    assert host.guest_gets_a_lease("br0")


class Running(Debian):
    """One that was installed without a bridge, and runs."""

    def prepare(self) -> None:
        self.boot()
        self.comes_up("eth0")

    def switch(self, **data: Any) -> str:
        known = {"breed": "debian", "os_version": "bullseye", "profile_name": "hosts"}
        known.update(bridge="br0", bridge_firewall="none", http_server=GATEWAY, bridge_timeout="20")
        self.write("/tmp/script", bridge_setup({**known, **data}))
        return self.system.run("sh", "/tmp/script")


@pytest.fixture
def running() -> Iterator[Running]:
    with with_layer("layer-ifupdown") as machine, SystemdMachine(machine) as system:
        host = Running(machine, system)
        host.of_the_nic = BY_NETWORKING
        host.install()
        yield host


def test_a_machine_that_runs(running: Running) -> None:
    host = running
    assert "it takes effect now" in host.switch()
    host.comes_up("br0")
    assert wait_for(lambda: host.told() == 1), host.said()
    assert host.addresses("eth0") == []
    clients = host.machine.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert not re.search("dhclient [^/]*eth0", clients)
    assert host.guest_gets_a_lease("br0")
    host.is_quiet()


def test_a_machine_that_runs_is_put_back(running: Running) -> None:
    host = running
    host.switch(bridge_ipv4="10.99.0.9/24,10.99.0.77", bridge_timeout="10")
    assert wait_for(lambda: "the old network is back" in host.said()), host.said()
    host.comes_up("eth0")
    assert not host.machine.path("/sys/class/net/br0").exists()
    host.has_failed()
    assert host.told() == 0
    assert host.told_back() == ["the_gateway_10.99.0.77_does_not_answer"]


@pytest.mark.thorough
def test_a_machine_that_runs_where_no_dhcp_server_answers() -> None:
    """Its client would wait for a minute, and the old network with it."""
    with with_layer("layer-ifupdown") as machine, SystemdMachine(machine) as system:
        host = Running(machine, system)
        host.of_the_nic = STATIC
        host.install()
        machine.stop("dnsmasq")
        began = time.monotonic()
        host.switch(bridge_ipv4="dhcp", bridge_ipv6="none", bridge_timeout="10")
        assert time.monotonic() - began < 45
        assert "not proved: br0 has no IPv4 address" in host.said()
        assert wait_for(lambda: "the old network is back" in host.said()), host.said()
        host.comes_up("eth0")
        assert not machine.path("/sys/class/net/br0").exists()
        clients = machine.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
        assert "dhclient" not in clients


@pytest.mark.thorough
def test_the_old_address_is_reached_meanwhile(running: Running) -> None:
    running_machine.old_address_is_reached(running)


@pytest.mark.thorough
def test_a_guest_stays_plugged_in(running: Running) -> None:
    running_machine.guests_stay(running)
