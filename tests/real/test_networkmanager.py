"""A real NetworkManager brings up what a script for EL 9 wrote, on a throw-away machine.

On the far end of its NIC are a DHCP server and a gateway. The installer's own profile stands there
before the script, and the NIC is up as it is while a machine installs itself.
"""

import os
import re
from typing import Any, Dict, Iterator, List, NamedTuple

import pytest

import golden
from cobbler_bridge.plan.koan_operator import CHOOSER, WRAPPER
from cobbler_bridge.snippet import bridge_setup
from network_namespace import Machine
from waiting import HANGS, wait_for

MAC = "52:54:00:99:00:01"
GUEST_MAC = "52:54:00:99:00:42"
GATEWAY = "10.99.0.1"
CONNECTIONS = "/etc/NetworkManager/system-connections"
INSTALLERS = CONNECTIONS + "/eth0.nmconnection"
# the kernel's number for the state of a port
FORWARDING = "3"
LINK = "/etc/systemd/network/70-cobbler-bridge-peth0.link"
PROGRAMS = "sbin/NetworkManager sbin/dnsmasq bin/dbus-daemon bin/busybox bin/udevadm".split()
# what Anaconda leaves on EL 9
INSTALLERS_PROFILE = """\
[connection]
id=eth0
uuid=6e2a1fd3-6a3c-3c7b-9c7e-2f1f6ec0a001
type=ethernet
autoconnect-priority=-999
interface-name=eth0

[ethernet]

[ipv4]
method=auto

[ipv6]
addr-gen-mode=eui64
method=auto

[proxy]
"""
NETWORKMANAGER_CONF = """\
[main]
plugins=keyfile
auth-polkit=root-only
"""
BUS = """\
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
"""
# each key that a script for DHCP writes and what NetworkManager makes of it
CONNECTION_KEYS = {
    "connection.autoconnect-priority": "100",
    "connection.autoconnect-retries": "0",
}
BRIDGE_KEYS = {
    **CONNECTION_KEYS,
    "connection.interface-name": "br0",
    "connection.autoconnect-slaves": "1",
    "802-3-ethernet.cloned-mac-address": MAC,
    "bridge.stp": "no",
    "bridge.forward-delay": "0",
    "ipv4.method": "auto",
    "ipv4.dhcp-client-id": "mac",
    "ipv6.method": "auto",
}
PORT_KEYS = {
    **CONNECTION_KEYS,
    "connection.master": "br0",
    "connection.slave-type": "bridge",
    "802-3-ethernet.mac-address": MAC,
}
# Debian's rule leaves a veth alone that is not called eth0; this has its name and takes its place
UDEV_RULE = 'SUBSYSTEM=="net", KERNEL=="vnet*", ENV{NM_UNMANAGED}="1"\n'
# a kernel without VLANs on bridges; no ModemManager, no firmware, no hostnamed
LACKING = "device .*: failed to read bridge setting 'vlan_|modem-manager: |hostname: "
DNSMASQ = (
    "dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=far0 --bind-dynamic"
    " --no-ping --no-hosts --no-resolv --user=root --pid-file= --dhcp-leasefile=/tmp/leases"
    " --log-facility=- --enable-ra --ra-param=far0,10 --dhcp-range=fd00:99::,ra-only,64,1h"
    " --dhcp-range=10.99.0.50,10.99.0.150,255.255.255.0,1h --dhcp-option=option:router,10.99.0.1"
    " --dhcp-option=option:dns-server,10.99.0.1"
).split()

if "CI" not in os.environ and os.geteuid() != 0:
    pytest.skip("only root can make a throw-away machine", allow_module_level=True)


class Lease(NamedTuple):
    mac: str
    address: str
    client_id: str


class Host:
    """A machine that has just been installed, and what a test asks it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.nic = "eth0"

    def install(self) -> None:
        """What there is when the script runs: a NIC that is up, and the installer's profile."""
        machine = self.machine
        machine.wire("eth0", MAC, "far", "far0")
        for address in (GATEWAY + "/24", "fd00:99::1/64"):
            machine.run("ip", "addr", "add", address, "dev", "far0", "nodad", namespace="far")
        machine.run("rm", "-rf", "/etc/NetworkManager", "/etc/sysconfig", "/etc/systemd/network")
        machine.run("rm", "-rf", "/etc/udev", "/var/lib/NetworkManager", "/etc/resolv.conf")
        machine.run("rm", "-rf", "/var/lib/cobbler-bridge")
        for folder in ("/var/lib/NetworkManager", "/run/dbus", "/etc/udev/rules.d"):
            machine.run("mkdir", "-p", folder)
        self.write(INSTALLERS, INSTALLERS_PROFILE, 0o600)
        self.write("/etc/NetworkManager/NetworkManager.conf", NETWORKMANAGER_CONF)
        self.write("/etc/udev/rules.d/85-nm-unmanaged.rules", UDEV_RULE)
        self.write("/etc/bus.conf", BUS)
        self.write("/etc/hostname", "kvm1\n")
        machine.start(*DNSMASQ, namespace="far")
        machine.start("dbus-daemon", "--nofork", "--nopidfile", "--config-file=/etc/bus.conf")
        machine.run("ip", "link", "set", "eth0", "up")
        machine.run("ip", "addr", "add", "10.99.0.20/24", "dev", "eth0")
        machine.run("ip", "route", "add", "default", "via", GATEWAY, "dev", "eth0")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.machine.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def set_up(self, **data: Any) -> str:
        """Run the script for these data, as an install file does; what it said."""
        # whatever firewall the root has from this machine: none runs in it
        known = {"breed": "redhat", "os_version": "rhel9", "bridge_firewall": "none", **data}
        return self.machine.run("sh", "-s", text=bridge_setup({"profile_name": "hosts", **known}))

    def boot(self) -> None:
        """Start again: nothing is left of the network but the NIC, then come the programs."""
        machine = self.machine
        for device in list(machine.path("/sys/class/net").iterdir()):
            if (device / "bridge").is_dir():
                machine.run("ip", "link", "del", device.name)
        machine.run("ip", "link", "set", self.nic, "down")
        machine.run("ip", "addr", "flush", "dev", self.nic)
        machine.run("rm", "-rf", "/run/NetworkManager")
        self.start_udev()
        machine.start("NetworkManager", "--debug", "--log-level=INFO")

    def start_udev(self) -> None:
        """The real udev, which NetworkManager waits for."""
        self.machine.run("rm", "-rf", "/run/udev")
        self.machine.start("/lib/systemd/systemd-udevd")
        socket = self.machine.path("/run/udev/control")
        assert wait_for(socket.is_socket)
        self.machine.run("udevadm", "trigger", "--action=add", "--subsystem-match=net")
        self.machine.run("udevadm", "settle", "--timeout=%d" % HANGS)

    def shut_down(self) -> None:
        for name in ("NetworkManager", "systemd-udevd"):
            self.machine.stop(name)

    def addresses(self, device: str, version: int = 4) -> List[str]:
        """The addresses of a device that others can reach."""
        shown = ("ip", "-%d" % version, "-o", "addr", "show", "dev", device, "scope", "global")
        lines = self.machine.run(*shown, check=False).splitlines()
        return [line.split()[3] for line in lines if " inet" in line and "tentative" not in line]

    def default_routes(self, version: int = 4) -> List[str]:
        """Each default route: its gateway and its device."""
        lines = self.machine.run("ip", "-%d" % version, "route", "show", "default").splitlines()
        return [" ".join(line.split()[2:5:2]) for line in lines]

    def comes_up(self, device: str) -> None:
        """A device gets its address and the default route."""
        up = "%s %s" % (GATEWAY, device)
        come = wait_for(lambda: self.addresses(device) and up in self.default_routes())
        assert come, self.machine.log("NetworkManager")

    def has_its_lease(self) -> None:
        """br0 has the address of the one lease, which is the port's, and the port has none."""
        (lease,) = self.leases().values()
        assert lease == Lease(MAC, lease.address, "01:" + MAC)
        assert self.addresses("br0") == [lease.address + "/24"]
        assert self.default_routes() == [GATEWAY + " br0"]
        assert self.addresses("eth0") == self.addresses("eth0", 6) == []
        assert self.ports("br0") == ["eth0"]
        assert self.kernel("br0", "bridge/stp_state") == "0"
        assert self.kernel("eth0", "brport/state") == FORWARDING
        assert self.kernel("br0", "address") == MAC

    def ports(self, bridge: str) -> List[str]:
        folder = self.machine.path("/sys/class/net/%s/brif" % bridge)
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def kernel(self, device: str, what: str) -> str:
        """What the kernel says about a device; nothing where there is none."""
        file = self.machine.path("/sys/class/net/%s/%s" % (device, what))
        return file.read_text().strip() if file.exists() else ""

    def leases(self) -> Dict[str, Lease]:
        """What the DHCP server gave, by address."""
        found = {}
        for line in self.machine.path("/tmp/leases").read_text().splitlines():
            words = line.split()
            if len(words) == 5 and words[2].startswith("10."):
                found[words[2]] = Lease(words[1], words[2], words[4])
        return found

    def guest_gets_a_lease(self, bridge: str) -> bool:
        """A guest's device is put in the bridge, and the guest asks for three seconds."""
        machine = self.machine
        machine.wire("vnet0", "52:54:00:99:00:43", "guest", "guest0")
        machine.run("ip", "link", "set", "guest0", "address", GUEST_MAC, namespace="guest")
        machine.run("ip", "link", "set", "vnet0", "master", bridge, "up")
        ask = "busybox udhcpc -f -n -q -t 3 -T 1 -s /bin/true -i guest0".split()
        said = machine.run(*ask, namespace="guest")
        machine.run("ip", "link", "del", "vnet0")
        given = [lease.address for lease in self.leases().values() if lease.mac == GUEST_MAC]
        return len(given) == 1 and "lease of %s obtained" % given[0] in said

    def reaches_the_gateway(self) -> bool:
        return "1 packets received" in self.machine.run("busybox", "ping", "-c1", "-W5", GATEWAY)

    def profiles(self) -> List[str]:
        """Each profile in use, as NetworkManager names it, and its device."""
        shown = ("nmcli", "-g", "NAME,DEVICE", "connection", "show", "--active")
        return sorted(line for line in self.machine.run(*shown).splitlines() if line != "lo:lo")

    def understood(self, profile: str, keys: str) -> List[str]:
        """The values that NetworkManager has for keys of a profile."""
        shown = ("nmcli", "-e", "no", "-g", keys, "connection", "show", profile)
        return self.machine.run(*shown).splitlines()

    def resolver(self) -> List[str]:
        lines = self.machine.path("/etc/resolv.conf").read_text().splitlines()
        return [line for line in lines if not line.startswith("#")]

    def warnings(self) -> List[str]:
        """What NetworkManager warns of, but for what this kernel and this machine lack."""
        assert self.machine.running("NetworkManager")
        log = self.machine.log("NetworkManager")
        assert "settings: Loaded settings plugin: keyfile" in log
        found = re.findall("^(?:<(?:warn|error)>|.*(?:CRITICAL|WARNING)).*", log, re.M)
        lines = [re.sub(r"^<\w+> +\[[0-9.]*\] ", "", line) for line in found]
        return [line for line in lines if not re.match(LACKING, line)]


@pytest.fixture
def host() -> Iterator[Host]:
    with Machine() as machine:
        missing = [name for name in PROGRAMS if not machine.path("/usr/" + name).exists()]
        assert not missing, "run 'sh tools/layer.sh': there is no %s" % missing
        host = Host(machine)
        host.install()
        yield host


def test_dhcp(host: Host) -> None:
    # a further profile of the installer that would win over any other
    further = INSTALLERS_PROFILE.replace("-999", "999").replace("6e2a", "7e2a")
    host.write(CONNECTIONS + "/Wired Connection.nmconnection", further, 0o600)
    said = host.set_up(bridge="br0")
    port = "cobbler-bridge: port 1 of br0 is eth0 (%s)\n" % MAC
    profiles = ["%s/%s.nmconnection" % (CONNECTIONS, name) for name in ("eth0", "br0")]
    koans = ["/etc/profile.d/cobbler-bridge.sh", "/etc/profile.d/cobbler-bridge.csh"]
    wrote = [*profiles, *koans, WRAPPER, CHOOSER]
    aside = "cobbler-bridge: set aside %s/Wired Connection.nmconnection\n" % CONNECTIONS
    when = "it takes effect at the next boot, which proves it or puts the old network back"
    written = "".join("cobbler-bridge: wrote %s\n" % path for path in wrote)
    assert said == port + written + aside + "cobbler-bridge: %s\n" % when
    for start in ("first", "second"):
        host.boot()
        host.comes_up("br0")
        host.has_its_lease()
        assert host.profiles() == ["br0 port 1:eth0", "br0:br0"]
        assert host.reaches_the_gateway()
        assert host.understood("br0", ",".join(BRIDGE_KEYS)) == list(BRIDGE_KEYS.values())
        assert host.understood("br0 port 1", ",".join(PORT_KEYS)) == list(PORT_KEYS.values())
        assert host.warnings() == []
        if start == "first":
            assert host.set_up(bridge="br0") == port + "cobbler-bridge: br0 is set up already\n"
            host.shut_down()
    assert host.guest_gets_a_lease("br0")
    assert host.ports("br0") == ["eth0"]
    # by the gateway's router advertisement
    (address,) = wait_for(lambda: host.addresses("br0", 6))
    assert address.startswith("fd00:99::")


# as NetworkManager writes what Agama asks it for; of a gateway one release says this, the next that
AGAMAS_PROFILE = """\
[connection]
id=Wired Connection
uuid=687e37af-4dee-4922-a1fd-e90459d8ff7a
type=ethernet
%s
[ipv4]
%s
dns=10.99.0.2;
dns-search=example.org;
method=manual

[ipv6]
addr-gen-mode=default
method=auto

[proxy]
"""
AGAMA = {
    "by its name": (
        "interface-name=eth0\n\n[ethernet]\n",
        "address1=10.99.0.40/24,%s" % GATEWAY,
    ),
    "by its address": (
        "\n[ethernet]\nmac-address=%s\n" % MAC.upper(),
        "address1=10.99.0.40/24\ngateway=%s" % GATEWAY,
    ),
}


@pytest.mark.parametrize("which", AGAMA)
def test_a_host_of_suse(host: Host, which: str) -> None:
    """Leap 16, whose installer copies its own profile: the bridge takes it over."""
    host.machine.run("rm", "-f", INSTALLERS)
    agamas = CONNECTIONS + "/Wired Connection.nmconnection"
    host.write(agamas, AGAMAS_PROFILE % AGAMA[which], 0o600)
    host.write("/etc/os-release", 'ID="opensuse-leap"\nVERSION_ID="16.0"\n')
    link = "/etc/systemd/system/network.service"
    host.machine.run("ln", "-sf", "/usr/lib/systemd/system/NetworkManager.service", link)
    said = host.set_up(breed="suse", os_version="opensuse16.0", bridge="br0")
    assert "what reads the network here is NetworkManager\n" in said
    assert "set aside %s\n" % agamas in said
    host.boot()
    host.comes_up("br0")
    assert host.addresses("br0") == ["10.99.0.40/24"]
    assert host.addresses("eth0") == []
    assert host.ports("br0") == ["eth0"]
    assert host.profiles() == ["br0 port 1:eth0", "br0:br0"]
    assert host.kernel("br0", "address") == MAC
    assert host.resolver() == ["search example.org", "nameserver 10.99.0.2"]
    assert host.guest_gets_a_lease("br0")
    assert host.warnings() == []


def test_static(host: Host) -> None:
    host.set_up(
        system_name="kvm1",
        bridge="br0",
        bridge_ipv6="fd00:99::10/64,fd00:99::1",
        gateway=GATEWAY,
        name_servers=["10.99.0.2", "fd00:99::2"],
        name_servers_search=["example.org"],
        interfaces={
            "eth0": {
                "interface_type": "na",
                "mac_address": MAC,
                "ip_address": "10.99.0.10",
                "netmask": "255.255.255.0",
                "static": True,
                "mtu": "9000",
            }
        },
    )
    host.boot()
    host.comes_up("br0")
    assert host.addresses("br0") == ["10.99.0.10/24"]
    assert host.default_routes() == [GATEWAY + " br0"]
    assert wait_for(lambda: host.addresses("br0", 6)) == ["fd00:99::10/64"]
    assert host.default_routes(6) == ["fd00:99::1 br0"]
    assert [host.kernel(device, "mtu") for device in ("br0", "eth0")] == ["9000", "9000"]
    assert host.ports("br0") == ["eth0"]
    assert host.addresses("eth0") == []
    assert host.resolver() == [
        "search example.org",
        "nameserver 10.99.0.2",
        "nameserver fd00:99::2",
    ]
    assert host.reaches_the_gateway()
    assert host.leases() == {}
    assert host.warnings() == []


def test_stp(host: Host) -> None:
    servers = ["10.99.0.2"]
    host.set_up(bridge="br0", bridge_stp="on", bridge_forward_delay="2", name_servers=servers)
    host.boot()
    host.comes_up("br0")
    assert host.kernel("br0", "bridge/stp_state") == "1"
    # in hundredths of a second
    assert host.kernel("br0", "bridge/forward_delay") == "200"
    assert host.kernel("eth0", "brport/state") == FORWARDING
    assert [lease.mac for lease in host.leases().values()] == [MAC]
    # the DHCP server has one of its own
    assert host.resolver() == ["nameserver 10.99.0.2"]
    assert host.warnings() == []


def test_what_a_keyfile_says_without_stp(host: Host) -> None:
    """All of it arrives, which an ifcfg file loses; and NetworkManager knows the zone."""
    host.set_up(
        bridge="br0",
        bridge_forward_delay="4",
        bridge_opts="hello_time=3 max_age=30 priority=4096",
        bridge_zone="internal",
    )
    host.boot()
    host.comes_up("br0")
    names = ("stp_state", "forward_delay", "hello_time", "max_age", "priority")
    found = [host.kernel("br0", "bridge/" + name) for name in names]
    assert found == ["0", "400", "300", "3000", "4096"]
    assert host.understood("br0", "connection.zone") == ["internal"]
    assert host.warnings() == []


def complaints(host: Host) -> List[str]:
    """What udev says against the link file when it names the NIC."""
    device = "/sys/class/net/" + host.nic
    said = host.machine.run("udevadm", "test-builtin", "net_setup_link", device)
    assert 'Parsed configuration file "%s"' % LINK in said
    return re.findall(re.escape(LINK) + ":(.*)", said)


def test_bridge_with_the_name_of_its_nic(host: Host) -> None:
    host.set_up(bridge="eth0")
    link = host.machine.path(LINK).read_text()
    assert complaints(host) == []
    host.write(LINK, link + "Colour=blue\n")
    (complaint,) = complaints(host)
    assert "'Colour'" in complaint

    # a veth has no permanent address: while udev names it, the file is for the one that it has
    permanent = "PermanentMACAddress=%s\n" % MAC
    assert permanent in link
    host.write(LINK, link.replace(permanent, "MACAddress=%s\n" % MAC))
    host.machine.run("ip", "link", "set", "eth0", "down")
    host.start_udev()
    assert host.kernel("peth0", "address") == MAC
    host.machine.stop("systemd-udevd")
    host.write(LINK, link)

    host.nic = "peth0"
    for start in ("first", "second"):
        host.boot()
        host.comes_up("eth0")
        (lease,) = host.leases().values()
        assert lease == Lease(MAC, lease.address, "01:" + MAC)
        assert host.addresses("eth0") == [lease.address + "/24"]
        assert host.addresses("peth0") == []
        assert host.ports("eth0") == ["peth0"]
        assert host.profiles() == ["eth0 port 1:peth0", "eth0:eth0"]
        assert host.default_routes() == [GATEWAY + " eth0"]
        assert host.kernel("eth0", "address") == MAC
        assert host.warnings() == []
        if start == "first":
            assert host.set_up(bridge="eth0").endswith("eth0 is set up already\n")
            host.shut_down()
    assert host.guest_gets_a_lease("eth0")


RECORDS: Dict[str, Dict[str, Any]] = {
    "br0": {"interface_type": "bridge"},
    "eth0": {"interface_type": "bridge_slave", "interface_master": "br0", "mac_address": MAC},
    "br1": {
        "interface_type": "bridge",
        "static": True,
        "ip_address": "10.98.0.10",
        "netmask": "255.255.255.0",
        "static_routes": ["198.51.100.0/24:10.98.0.1"],
        "ipv6_address": "fd00:98::10",
        "ipv6_prefix": "64",
        "ipv6_secondaries": ["fd00:98::11"],
        "ipv6_static_routes": ["fd00:97::/64,fd00:98::1"],
        "bridge_opts": "ageing_time=60 multicast_snooping=off group_forward_mask=16384",
    },
    "br1:1": {"ip_address": "10.98.0.11", "netmask": "255.255.255.0"},
    "eth1": {
        "interface_type": "bridge_slave",
        "interface_master": "br1",
        "mac_address": "52:54:00:99:00:02",
    },
    "inner": {
        "interface_type": "bridge",
        "static": True,
        "ip_address": "10.97.0.1",
        "netmask": "255.255.255.0",
    },
}


def test_records(host: Host) -> None:
    """Two bridges on two NICs, with every kind of address and route, and one without a port."""
    host.machine.wire("eth1", "52:54:00:99:00:02", "far2", "far1")
    said = host.set_up(system_name="kvm1", interfaces=RECORDS)
    for start in ("first", "second"):
        host.boot()
        host.comes_up("br0")
        wait_for(lambda: len(host.addresses("br1", 6)) == 2)
        assert host.addresses("br1") == ["10.98.0.10/24", "10.98.0.11/24"]
        assert sorted(host.addresses("br1", 6)) == ["fd00:98::10/64", "fd00:98::11/64"]
        assert host.addresses("inner") == ["10.97.0.1/24"]
        assert host.default_routes() == [GATEWAY + " br0"]
        route = host.machine.run("ip", "route", "show", "198.51.100.0/24")
        assert route.startswith("198.51.100.0/24 via 10.98.0.1 dev br1 ")
        route = host.machine.run("ip", "-6", "route", "show", "fd00:97::/64")
        assert route.startswith("fd00:97::/64 via fd00:98::1 dev br1 ")
        assert (host.ports("br0"), host.ports("br1")) == (["eth0"], ["eth1"])
        assert host.kernel("br1", "bridge/ageing_time") == "6000"
        assert host.kernel("br1", "bridge/multicast_snooping") == "0"
        assert host.kernel("br1", "bridge/group_fwd_mask") == "0x4000"
        assert host.warnings() == []
        if start == "first":
            again = host.set_up(system_name="kvm1", interfaces=RECORDS)
            *repeated, last = again.splitlines()
            assert last == "cobbler-bridge: br0 br1 inner is set up already"
            # the NICs, and that nothing lets the guests of the inner one out
            assert len(repeated) == 3
            assert "ip_forward is not 1" in repeated[2]
            assert set(repeated) <= set(said.splitlines())
            host.shut_down()


def test_keep(host: Host) -> None:
    """The installer's static profile moves to the bridge, whole."""
    profile = INSTALLERS_PROFILE.replace(
        "[ipv4]\nmethod=auto\n",
        "[ipv4]\naddress1=10.99.0.40/24,%s\nmethod=manual\nroute1=198.51.100.0/24,10.99.0.2\n"
        % GATEWAY,
    )
    host.write(INSTALLERS, profile, 0o600)
    for _ in range(2):
        host.set_up(bridge="br0", bridge_ipv4="keep", bridge_ipv6="keep")
    host.boot()
    host.comes_up("br0")
    assert host.addresses("br0") == ["10.99.0.40/24"]
    route = host.machine.run("ip", "route", "show", "198.51.100.0/24")
    assert route.startswith("198.51.100.0/24 via 10.99.0.2 dev br0 ")
    assert host.reaches_the_gateway()
    assert host.warnings() == []


def left_over(name: str, number: int, more: str = "", rest: str = "") -> str:
    """A profile that somebody left, by its name, with an address of its own."""
    return (
        "[connection]\nid=%s\nuuid=6e2a1fd3-6a3c-3c7b-9c7e-2f1f6ec0b00%d\ntype=ethernet\n%s\n"
        "%s[ipv4]\nmethod=manual\naddress1=10.99.0.%d/24,%s\n\n[ipv6]\nmethod=disabled\n"
        % (name, number, more, rest, number, GATEWAY)
    )


USED = "/var/lib/NetworkManager/timestamps"
# profiles that would take the NIC, and which one does
LEFT_OVER: Dict[str, Any] = {
    "autoconnect": (["interface-name=eth0\nautoconnect=false", "interface-name=eth0"], 2),
    "priority": (["interface-name=eth0", "autoconnect-priority=5", "autoconnect-priority=-1"], 2),
    "last use": (["interface-name=eth0", "interface-name=eth0", "interface-name=eth0"], 3),
    "pattern": (["interface-name=eth1", "\n[match]\ninterface-name=eth*;"], 2),
    "mac": (["interface-name=eth1", "\n[ethernet]\nmac-address=%s" % MAC.upper()], 2),
    "another mac": (["\n[ethernet]\nmac-address=52:54:00:99:00:77", "interface-name=eth0"], 2),
    "readable": (["interface-name=eth0\nautoconnect-priority=5", "interface-name=eth0"], 2),
}


@pytest.mark.parametrize("which", LEFT_OVER)
def test_the_profile_that_is_kept_is_the_one_in_use(host: Host, which: str) -> None:
    """What NetworkManager takes for the NIC, before there is a bridge, is what auto keeps."""
    profiles, number = LEFT_OVER[which]
    host.machine.run("sh", "-c", "rm -f %s/*" % CONNECTIONS)
    for place, more in enumerate(profiles, 1):
        mode = 0o644 if which == "readable" and place == 1 else 0o600
        path = "%s/p%d.nmconnection" % (CONNECTIONS, place)
        host.write(path, left_over("p%d" % place, place, more), mode)
    if which == "last use":
        unique = "6e2a1fd3-6a3c-3c7b-9c7e-2f1f6ec0b00%d=17000000%d0"
        used = "".join(unique % (each, each) + "\n" for each in (2, 3))
        host.write(USED, "[timestamps]\n" + used)
    address = "10.99.0.%d/24" % number
    host.boot()
    host.comes_up("eth0")
    assert host.addresses("eth0") == [address]
    assert host.profiles() == ["p%d:eth0" % number]
    host.shut_down()
    assert "br0 keeps %s, which eth0 has in " % address in host.set_up(bridge="br0")
    host.boot()
    host.comes_up("br0")
    assert host.addresses("br0") == [address]
    assert (host.ports("br0"), host.addresses("eth0")) == (["eth0"], [])


# where it lies, and what it says; it is for other cards too
FOR_MANY = {
    "everywhere": (CONNECTIONS, "autoconnect-priority=200\nmulti-connect=3"),
    "used": (CONNECTIONS, ""),
    "pattern": (CONNECTIONS, "autoconnect-priority=150\n\n[match]\ninterface-name=eth*;"),
    "shipped": ("/usr/lib/NetworkManager/system-connections", "interface-name=eth0"),
}


@pytest.mark.parametrize("which", FOR_MANY)
def test_a_profile_that_stays_loses_the_nic(host: Host, which: str) -> None:
    """At the first start and at the second, when NetworkManager knows it; it is there whole."""
    folder, more = FOR_MANY[which]
    corp = left_over("corp", 1, more).replace("method=manual\naddress1=", "method=auto\naddress1=")
    path = folder + "/corp.nmconnection"
    host.write(path, corp, 0o600)
    host.write(USED, "[timestamps]\n6e2a1fd3-6a3c-3c7b-9c7e-2f1f6ec0b001=1700000000\n")
    host.set_up(bridge="br0")
    for _ in range(2):
        host.boot()
        host.comes_up("br0")
        assert wait_for(lambda: host.profiles() == ["br0 port 1:eth0", "br0:br0"])
        assert host.addresses("eth0") == []
        host.shut_down()
    assert host.machine.path(path).read_text() == corp


# A bridge with the name of this machine's NIC, and devices that its kernel doesn't know
KEYFILE = CONNECTIONS[1:] + r"/[^/]*\.nmconnection"
NOT_MADE = "couldn't create the device|do-add-link"


def written_by_the_cases() -> Iterator[Dict[str, str]]:
    """The keyfiles of each case and target that has some, by their path."""
    for case, target in golden.each_target():
        tree = golden.expected(case, target).tree
        found = {
            path: entry.text
            for path, entry in tree.items()
            if entry is not None and re.fullmatch(KEYFILE, path)
        }
        if found:
            yield found


def test_every_keyfile_of_the_cases_is_understood(host: Host) -> None:
    """Bonds and VLANs too, which this kernel may not have: nothing is brought up here."""
    written = list(written_by_the_cases())
    assert len(written) > 20
    host.boot()
    assert wait_for(lambda: "startup complete" in host.machine.log("NetworkManager"))
    host.machine.run("nmcli", "networking", "off")
    for keyfiles in written:
        host.machine.run("sh", "-c", "rm -f %s/*" % CONNECTIONS)
        expected = []
        for path, text in keyfiles.items():
            host.write("/" + path, text, 0o600)
            kind = re.findall("^type=(.*)$", text, re.M)[0]
            kind = {"ethernet": "802-3-ethernet"}.get(kind, kind)
            expected.append("%s:%s" % (re.findall("^id=(.*)$", text, re.M)[0], kind))
        host.machine.run("nmcli", "connection", "reload")
        listed = host.machine.run("nmcli", "-g", "NAME,TYPE", "connection", "show").splitlines()
        assert sorted(line for line in listed if line != "lo:loopback") == sorted(expected), (
            keyfiles
        )
        found = [line for line in host.warnings() if not re.search(NOT_MADE, line)]
        assert found == [], keyfiles


def test_without_the_script(host: Host) -> None:
    """What is shown above does not come by itself."""
    host.boot()
    host.comes_up("eth0")
    assert [lease.mac for lease in host.leases().values()] == [MAC]
    assert host.profiles() == ["eth0:eth0"]
    assert not host.machine.path("/sys/class/net/br0").exists()


def test_a_profile_that_comes_later(host: Host) -> None:
    """One for the NIC, of higher priority: the bridge takes its port back."""
    host.set_up(bridge="br0")
    later = INSTALLERS_PROFILE.replace("-999", "999")
    host.write(CONNECTIONS + "/later.nmconnection", later, 0o600)
    host.boot()
    host.comes_up("br0")
    assert host.profiles() == ["br0 port 1:eth0", "br0:br0"]


def test_with_a_wrong_value(host: Host) -> None:
    """NetworkManager takes its default, and its warning is found."""
    host.set_up(bridge="br0")
    profile = host.machine.path(CONNECTIONS + "/br0.nmconnection")
    text = profile.read_text()
    assert "stp=false\n" in text
    profile.write_text(text.replace("stp=false\n", "stp=maybe\n"))
    host.boot()
    assert wait_for(lambda: "startup complete" in host.machine.log("NetworkManager"))
    wrong, refused = host.warnings()
    assert wrong.startswith("keyfile: bridge.stp: invalid setting: ")
    # the default is STP, for which the delay that is written is too short
    assert refused.endswith("bridge.forward-delay: value '0' is out of range <2-30>")
    assert host.ports("br0") == []


def test_with_an_unknown_key(host: Host) -> None:
    """NetworkManager says nothing: what it understood must be looked at."""
    host.set_up(bridge="br0")
    profile = host.machine.path(CONNECTIONS + "/br0.nmconnection")
    text = profile.read_text()
    assert "autoconnect-priority=100\n" in text
    profile.write_text(text.replace("autoconnect-priority", "autoconnect_priority"))
    host.boot()
    assert wait_for(lambda: "startup complete" in host.machine.log("NetworkManager"))
    assert host.warnings() == []
    assert host.understood("br0", "connection.autoconnect-priority") == ["0"]


def test_the_machine_is_thrown_away(host: Host) -> None:
    path = "/etc/NetworkManager/NetworkManager.conf"
    before = os.path.exists(path)
    assert host.machine.path(path).exists()
    assert host.machine.run("cat", path) == NETWORKMANAGER_CONF
    host.machine.path(path).unlink()
    host.machine.path("/etc/throw-away").touch()
    assert os.path.exists(path) == before
    assert not os.path.exists("/etc/throw-away")
    assert sorted(each.name for each in host.machine.path("/sys/class/net").iterdir()) == [
        "eth0",
        "lo",
    ]
