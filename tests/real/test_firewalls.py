"""Real firewalls on a throw-away host: a guest on the bridge gets its lease, or it does not.

The guest's DHCP server is on the far side of the host's port, so what it asks has to pass the
bridge. Every firewall here rejects that where bridged frames reach it: the first boot of a test
shows this, then the script runs, and the next boot applies what it wrote.
"""

import os
import shutil
import subprocess
from typing import Iterator, List, Set

import pytest

from cobbler_bridge.snippet import bridge_setup
from network_namespace import Machine
from real.shared import Shared
from real.test_networkmanager import BUS
from waiting import wait_for

GUEST_MAC = "52:54:00:99:00:42"
NF_CALL = "/proc/sys/net/bridge/bridge-nf-call-"
NF_CALLS = [NF_CALL + each for each in ("iptables", "ip6tables", "arptables")]
PROGRAMS = (
    "busybox dbus-daemon dnsmasq firewalld iptables-legacy-restore iptables-nft-restore nft sysctl"
).split()
DNSMASQ = (
    "dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=far0 --bind-dynamic"
    " --no-ping --no-hosts --no-resolv --user=root --pid-file= --dhcp-leasefile=/tmp/leases"
    " --log-facility=- --dhcp-range=10.99.0.50,10.99.0.150,255.255.255.0,1h"
).split()
# what the kernel sends to udev once the module is loaded; here it may be built in
MODULE_ADDED = """\
import socket, struct
fields = "add@/module/{0}", "ACTION=add", "DEVPATH=/module/{0}", "SUBSYSTEM=module"
event = "".join(field + chr(0) for field in fields).encode()
NETLINK_KOBJECT_UEVENT = 15
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT) as kernel:
    kernel.sendto(struct.pack("=IHHII", 16 + len(event), 16, 1, 1, 0) + event, (0, 0))
"""
SAVED_RULES = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
COMMIT
"""
NFT_DROP = """\
table inet filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
  }
}
"""
NFT_REJECT = NFT_DROP.replace("policy drop;", "policy accept; reject with icmpx admin-prohibited")
NFT_ACCEPT = """\
table inet ours {
  chain forward {
    type filter hook forward priority %s; accept
  }
}
"""
# what lets others in names the NIC, in the ways in which one writes it
SAVED_FOR_THE_NIC = """\
*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -o eth0 -s 192.0.2.0/24 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:NIC - [0:0]
-A INPUT -i lo -j ACCEPT
[0:0]\t-A INPUT  --in-interface eth0 -p tcp --dport 80 -m comment --comment "-i eth0 -j x" -j ACCEPT
-I INPUT 1 -i eth0 -p tcp --dport 81 -j ACCEPT
-A INPUT --in-int eth+ -j NIC
-A NIC ! -i eth0 -j DROP
-A NIC -p tcp --dport 82 -j ACCEPT
-A FORWARD\t-j REJECT
COMMIT
"""
# what is taken away again, and goes by its number
NUMBERED_FOR_THE_NIC = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i eth0 -p tcp -m tcp --dport 1 -j ACCEPT
-A INPUT -i eth9 -p tcp -m tcp --dport 2 -j DROP
-A INPUT -i eth0 -p tcp -m tcp --dport 3 -j ACCEPT
-I INPUT 3 -i eth0 -p tcp -m tcp --dport 4 -j DROP
-R INPUT 2 ! -i eth0 -p tcp -m tcp --dport 5 -j DROP
-D INPUT 1
-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT
-F FORWARD
-A FORWARD -i eth0 -p tcp -m tcp --dport 6 -j ACCEPT
-A FORWARD -i eth0 -p tcp -m tcp --dport 7 -j ACCEPT
-D FORWARD -i eth0 -p tcp -m tcp --dport 6 -j ACCEPT
COMMIT
"""
NFT_FOR_THE_NIC = """\
define outside = eth0
table inet filter {
  set nics { type ifname; elements = { "eth0", "eth9" }; }
  chain eighty { tcp dport 80 accept; }
  chain input {
    type filter hook input priority filter; policy drop;
    iif lo accept
    iif vmap { "eth0" : jump eighty,
      lo : accept
    }
    iif != "eth0" drop
    iifname $outside tcp dport 81 accept
    iif { eth0, lo } iifname @nics tcp dport 82 accept comment "eth0"
  }
}
"""
ZONE_OF_THE_NIC = """\
<?xml version="1.0" encoding="utf-8"?>
<zone target="ACCEPT">
  <short>Trusted</short>
  <interface name="eth0"/>
</zone>
"""
CONNECT = """\
import socket, sys
for port in sys.argv[1:]:
    with socket.socket() as tcp:
        tcp.settimeout(1)
        print(int(tcp.connect_ex(("10.99.0.9", int(port))) == 0), end="")
"""
LISTEN = """\
import signal, socket
listening = [socket.create_server(("10.99.0.9", port)) for port in (80, 81, 82)]
open("/tmp/listening", "w").close()
signal.pause()
"""
NFT_BRIDGE = NFT_DROP.replace("inet", "bridge")

LOADED = os.path.isdir("/proc/sys/net/bridge")
if "CI" not in os.environ:
    if os.geteuid() != 0:
        pytest.skip("only root can make a throw-away host", allow_module_level=True)
    if not LOADED:
        pytest.skip("this kernel has not loaded br_netfilter", allow_module_level=True)


class Host:
    """A host with br0, a port that leads to a DHCP server, and a guest."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.services: Set[str] = set()

    def lay(self) -> None:
        """The network as it is after a boot."""
        machine = self.machine
        missing = [each for each in PROGRAMS if not self.has(each)]
        if missing and "CI" not in os.environ:
            pytest.skip("sh tools/layer.sh brings " + ", ".join(missing))
        assert not missing
        # links that Debian makes when it installs the package
        for each in ("iptables", "ip6tables"):
            for what in ("", "-save", "-restore"):
                machine.run("ln", "-sf", each + "-nft" + what, "/usr/sbin/" + each + what)
        machine.wire("eth0", "52:54:00:99:00:01", "far", "far0")
        machine.run("ip", "addr", "add", "10.99.0.1/24", "dev", "far0", namespace="far")
        machine.run("ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0")
        machine.run("ip", "link", "set", "br0", "up")
        machine.run("ip", "link", "set", "eth0", "master", "br0", "up")
        machine.wire("vnet0", "52:54:00:99:00:43", "guest", "guest0")
        machine.run("ip", "link", "set", "guest0", "address", GUEST_MAC, namespace="guest")
        machine.run("ip", "link", "set", "vnet0", "master", "br0", "up")
        # the network scripts of EL 7 and before need one
        self.write("/usr/sbin/brctl", "")
        machine.path("/usr/sbin/brctl").chmod(0o755)
        machine.start(*DNSMASQ, namespace="far")
        # what a guest asks before is lost without any firewall
        assert wait_for(lambda: "DHCP, sockets bound" in machine.log("dnsmasq"))
        states = ["/sys/class/net/br0/brif/%s/state" % port for port in ("eth0", "vnet0")]
        assert wait_for(lambda: machine.run("cat", *states).split() == ["3", "3"])

    def reset(self) -> None:
        """No firewall, no file of ours, and a guest that has its lease."""
        machine = self.machine
        for service in ("firewalld", "dbus-daemon", "systemd-udevd"):
            if service in self.services:
                machine.stop(service)
        self.services.clear()
        for folder in (
            "firewalld/zones",
            "sysctl.d",
            "sysctl.conf",
            "sysconfig",
            "systemd/system",
            "udev",
        ):
            machine.run("rm", "-rf", "/etc/" + folder)
        machine.run("rm", "-rf", "/var/lib/cobbler-bridge", "/run/udev")
        machine.run("iptables-legacy-restore", text=SAVED_RULES.replace("-A", "#"))
        machine.run("nft", "flush", "ruleset")
        self.begin_filtering()
        assert self.lease(), machine.log("dnsmasq")

    def start(self, *words: str) -> None:
        self.services.add(os.path.basename(words[0]))
        self.machine.start(*words)

    def begin_filtering(self) -> None:
        """The settings as the kernel begins with them."""
        for path in NF_CALLS:
            assert self.machine.run("sh", "-c", 'echo 1 > "$0"; cat "$0"', path) == "1\n"

    def has(self, program: str) -> bool:
        return bool(self.machine.run("sh", "-c", 'command -v "$0"', program, check=False))

    def write(self, path: str, text: str) -> None:
        file = self.machine.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def enable(self, service: str) -> None:
        wants = self.machine.path("/etc/systemd/system/multi-user.target.wants")
        wants.mkdir(parents=True, exist_ok=True)
        (wants / service).symlink_to("/usr/lib/systemd/system/" + service)

    def install(self, os_version: str, firewall: str) -> None:
        """Run the script, as an install file does."""
        data = {"breed": "redhat", "os_version": os_version, "profile_name": "kvm-hosts"}
        data.update(bridge="br0", bridge_port="eth0", bridge_firewall=firewall)
        self.machine.run("sh", "-s", text=bridge_setup(data))

    def module_comes(self, name: str) -> None:
        """A boot that loads the module late: the settings begin at 1, then udev hears of it."""
        machine = self.machine
        self.begin_filtering()
        self.start("/lib/systemd/systemd-udevd")
        assert wait_for(machine.path("/run/udev/control").is_socket)
        machine.run("python3", "-c", MODULE_ADDED.format(name))
        assert wait_for(lambda: self.filtering() == ["0"] * 3), machine.log("systemd-udevd")

    def filtering(self) -> List[str]:
        return self.machine.run("cat", *NF_CALLS).split()

    def reached(self) -> str:
        """Which of three ports answer somebody outside: 1 for each that does."""
        machine = self.machine
        if not machine.path("/tmp/listening").exists():
            machine.run("ip", "addr", "add", "10.99.0.9/24", "dev", "br0")
            machine.start("python3", "-c", LISTEN)
            assert wait_for(machine.path("/tmp/listening").exists)
        return machine.run("python3", "-c", CONNECT, "80", "81", "82", namespace="far")

    def start_firewalld(self, backend: str) -> None:
        machine = self.machine
        self.write("/etc/bus.conf", BUS)
        machine.run("mkdir", "-p", "/run/dbus")
        self.start("dbus-daemon", "--nofork", "--nopidfile", "--config-file=/etc/bus.conf")
        chosen = "s/^FirewallBackend=.*/FirewallBackend=%s/" % backend
        machine.run("sed", "-i", chosen, "/etc/firewalld/firewalld.conf")
        there = "FirewallBackend=%s\n" % backend
        assert there in machine.path("/etc/firewalld/firewalld.conf").read_text()
        self.start("firewalld", "--nofork", "--nopid")
        self.firewalld_runs()

    def firewalld_runs(self) -> None:
        state = ("firewall-cmd", "--state")
        run = self.machine.run
        assert wait_for(lambda: run(*state, check=False) == "running\n"), run(*state, check=False)

    def lease(self, tries: int = 20) -> bool:
        """Whether the guest gets an address; the server's log and the guest agree."""
        asked = self.machine.log("dnsmasq").count("DHCPDISCOVER")
        ask = "busybox udhcpc -f -n -q -T 1 -A 0 -s /bin/true -i guest0 -t".split()
        said = self.machine.run(*ask, str(tries), namespace="guest", check=False)
        heard = self.machine.log("dnsmasq").count("DHCPDISCOVER") > asked
        # one that asks only once may have heard no answer in its time
        assert ("lease of 10.99.0." in said) == heard or tries == 1, said
        return heard

    def rejected(self) -> bool:
        return not self.lease(tries=1)


def _make() -> Iterator[Host]:
    assert shutil.which("unshare"), "there is no unshare: it is in util-linux"
    if not LOADED:
        # from then on a bridge of this machine would be filtered too: not on anybody's own
        subprocess.run(["modprobe", "br_netfilter"], check=True)
    with Machine() as machine:
        host = Host(machine)
        host.lay()
        yield host


@pytest.fixture(scope="module")
def _shared() -> Iterator[Shared[Host]]:
    with Shared(_make, lambda host: host.machine.lives()) as shared:
        yield shared


@pytest.fixture
def host(_shared: Shared[Host]) -> Iterator[Host]:
    with _shared.lent() as host:
        host.reset()
        yield host


@pytest.mark.parametrize("restore", ["iptables-legacy-restore", "iptables-nft-restore"])
def test_iptables(restore: str, host: Host) -> None:
    host.write("/etc/sysconfig/iptables", SAVED_RULES)
    host.machine.run(restore, "/etc/sysconfig/iptables")
    assert host.rejected()
    host.install("rhel6", "auto")
    host.machine.run(restore, "/etc/sysconfig/iptables")
    assert host.filtering() == ["1"] * 3
    assert host.lease()


def test_sysctl_of_el_6(host: Host) -> None:
    host.write("/etc/sysctl.conf", "net.ipv4.ip_forward = 0\n")
    host.machine.run("iptables-restore", text=SAVED_RULES)
    assert host.rejected()
    host.install("rhel6", "sysctl")
    # the last line of its network script's start
    host.machine.run("sysctl", "-e", "-p", "/etc/sysctl.conf")
    assert host.filtering() == ["0"] * 3
    assert host.lease()


@pytest.mark.parametrize(("os_version", "module"), [("rhel7", "bridge"), ("rhel8", "br_netfilter")])
def test_sysctl(os_version: str, module: str, host: Host) -> None:
    host.machine.run("iptables-restore", text=SAVED_RULES)
    assert host.rejected()
    host.install(os_version, "sysctl")
    host.module_comes(module)
    assert host.lease()


@pytest.mark.parametrize(
    ("rules", "firewall"), [(NFT_DROP, "auto"), (NFT_REJECT, "auto"), (NFT_DROP, "nftables")]
)
def test_nftables(rules: str, firewall: str, host: Host) -> None:
    host.write("/etc/sysconfig/nftables.conf", "flush ruleset\n" + rules)
    host.enable("nftables.service" if firewall == "auto" else "sshd.service")
    host.machine.run("nft", "-f", "/etc/sysconfig/nftables.conf")
    assert host.rejected()
    host.install("rhel9", firewall)
    host.machine.run("nft", "-f", "/etc/sysconfig/nftables.conf")
    host.module_comes("br_netfilter")
    assert host.lease()


def test_no_table_of_ours_would_do(host: Host) -> None:
    """Why nftables means the settings: what one table accepts, another still rejects."""
    for priority in ("filter - 10", "filter + 10"):
        rules = "flush ruleset\n" + NFT_DROP + NFT_ACCEPT % priority
        host.machine.run("nft", "-f", "-", text=rules)
        assert host.rejected()
    host.machine.run("nft", "delete", "table", "inet", "filter")
    assert host.lease()


def test_a_table_of_bridge_goes_on_filtering(host: Host) -> None:
    """Such a table is an administrator's own wish about bridged frames."""
    host.machine.run("nft", "-f", "-", text=NFT_BRIDGE)
    host.install("rhel9", "nftables")
    host.module_comes("br_netfilter")
    assert host.rejected()


@pytest.mark.parametrize(("backend", "os_version"), [("iptables", "rhel7"), ("nftables", "rhel9")])
def test_firewalld(backend: str, os_version: str, host: Host) -> None:
    host.enable("firewalld.service")
    host.start_firewalld(backend)
    assert host.rejected()
    host.install(os_version, "auto")
    host.module_comes("br_netfilter")
    assert host.lease()
    host.machine.run("firewall-cmd", "--reload")
    assert host.lease()
    host.machine.stop("firewalld")
    host.start("firewalld", "--nofork", "--nopid")
    host.firewalld_runs()
    assert host.filtering() == ["0"] * 3
    assert host.lease()
    host.machine.run("sysctl", "-w", "net.bridge.bridge-nf-call-iptables=1")
    assert host.rejected(), "firewalld still rejects what reaches it"


@pytest.mark.parametrize("restore", ["iptables-legacy-restore", "iptables-nft-restore"])
def test_iptables_that_name_the_nic(restore: str, host: Host) -> None:
    path = "/etc/sysconfig/iptables"
    assert host.reached() == "111"
    host.write(path, SAVED_FOR_THE_NIC)
    host.machine.run(restore, path)
    assert host.reached() == "000"
    host.install("rhel6", "auto")
    host.machine.run(restore, path)
    assert host.reached() == "111"
    assert host.lease()
    rules = host.machine.path(path).read_text()
    assert all(
        line in rules.splitlines() for line in SAVED_FOR_THE_NIC.splitlines() if "!" not in line
    )
    host.install("rhel6", "auto")
    assert host.machine.path(path).read_text() == rules


def test_iptables_by_number(host: Host) -> None:
    """What the kernel has for the bridge is what it had for the NIC, in that order."""

    def loaded() -> List[str]:
        # the other one of Debian 12 dies of a -R in such a file
        host.machine.run("iptables-legacy-restore", "/etc/sysconfig/iptables")
        listed = host.machine.run("iptables-legacy", "-S").splitlines()
        return [line for line in listed if line.startswith("-A")]

    host.write("/etc/sysconfig/iptables", NUMBERED_FOR_THE_NIC)
    before = [line.replace("eth0", "br0") for line in loaded()]
    host.install("rhel6", "auto")
    after = [line for line in loaded() if "eth0" not in line]
    assert [line for line in after if "physdev" not in line] == before
    bridged = "-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT"
    assert [line for line in after if "FORWARD" in line][0] == bridged
    assert host.lease()


def test_nftables_that_name_the_nic(host: Host) -> None:
    path = "/etc/sysconfig/nftables.conf"
    host.write(path, "flush ruleset\n" + NFT_FOR_THE_NIC)
    host.machine.run("nft", "-f", path)
    assert host.reached() == "000"
    host.install("rhel9", "auto")
    host.machine.run("nft", "-f", path)
    assert host.reached() == "111"
    rules = host.machine.path(path).read_text()
    host.install("rhel9", "auto")
    assert host.machine.path(path).read_text() == rules


def test_a_zone_that_names_the_nic(host: Host) -> None:
    host.write("/etc/firewalld/zones/trusted.xml", ZONE_OF_THE_NIC)
    host.start_firewalld("nftables")
    assert host.reached() == "000"
    host.machine.stop("firewalld")
    host.install("rhel9", "auto")
    host.start("firewalld", "--nofork", "--nopid")
    host.firewalld_runs()
    assert host.reached() == "111"
    assert "eth0 br0" in host.machine.run("firewall-cmd", "--zone=trusted", "--list-interfaces")
