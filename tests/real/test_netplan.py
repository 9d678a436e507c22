"""Debian's own netplan and systemd-networkd bring up what a script wrote, on a machine that boots.

On the far end of its NIC are a DHCP server, a gateway, and a web server that answers as Cobbler
does. What the installer left, and the check at the first boot, are as on a host.
"""

import os
import re
from typing import Any, Iterator, List

import pytest

from cobbler_bridge.snippet import bridge_setup
from network_namespace import RELEASE, with_layer
from real import running, test_firstboot_systemd
from real.test_firstboot_networkmanager import CHECK, STATE, patient
from real.test_ifupdown import filtered_until_udev_has_seen
from real.test_networkmanager import DNSMASQ, GATEWAY, MAC, UDEV_RULE
from systemd_machine import SystemdMachine
from waiting import HANGS, wait_for

PLACE = "/etc/netplan/"
OURS = PLACE + "90-cobbler-bridge.yaml"
# as subiquity leaves it
INSTALLERS = """\
# This is the network config written by 'subiquity'
network:
  ethernets:
    eth0:
      dhcp4: true
    eth9:
      dhcp4: true
      optional: true
  version: 2
"""

# IPv6 of its own beside what a router advertises
BOTH = """\
network:
  version: 2
  ethernets:
    eth0:
      addresses: ["fd00:99::20/64"]
      routes: [{to: "::/0", via: "fd00:99::1"}]
"""

INSTALLERS_OF_NETWORKMANAGER = """\
network:
  version: 2
  renderer: NetworkManager
  ethernets:
    eth0: {dhcp4: true}
"""

if "CI" not in os.environ and os.geteuid() != 0:
    pytest.skip("only root can make a throw-away machine", allow_module_level=True)


class Booting(test_firstboot_systemd.Booting):
    """A machine with netplan, and what a test asks it."""

    def install(self) -> None:
        """What there is when the script runs: a NIC that is up, and the installer's file."""
        machine = self.machine
        machine.wire("eth0", MAC, "far", "far0")
        for address in (GATEWAY + "/24", "fd00:99::1/64"):
            machine.run("ip", "addr", "add", address, "dev", "far0", "nodad", namespace="far")
        # netplan's command looks for its library there
        machine.run("ldconfig")
        machine.run("sh", "-c", "rm -rf /etc/netplan /etc/cloud /etc/systemd/network " + STATE)
        machine.run("sh", "-c", "rm -rf /etc/issue.d /etc/motd.d; mkdir -p /etc/systemd/system")
        if not RELEASE:
            self.write("/etc/os-release", 'ID=debian\nVERSION_ID="12"\n')
        self.write(PLACE + "00-installer-config.yaml", INSTALLERS, 0o600)
        self.write("/etc/hostname", "kvm1\n")
        machine.start(*DNSMASQ, namespace="far")
        self.start_server()
        machine.run("ip", "link", "set", "eth0", "up")
        machine.run("ip", "addr", "add", "10.99.0.20/24", "dev", "eth0")
        machine.run("ip", "route", "add", "default", "via", GATEWAY, "dev", "eth0")

    def set_up(self, **data: Any) -> str:
        """Run the script for these data, as an install file does; what it said."""
        known = {"breed": "debian", "os_version": "bookworm", "bridge_firewall": "none", **data}
        known = {"http_server": GATEWAY, "bridge_timeout": str(int(HANGS)), **known}
        script = bridge_setup({"profile_name": "hosts", **known})
        said = self.machine.run("sh", "-s", text=script)
        assert " the network stays as it is" not in said, said
        if self.machine.path(CHECK).exists():
            patient(self.machine.path(CHECK))
        return said

    def comes_up(self, device: str) -> None:
        up = "%s %s" % (GATEWAY, device)
        come = wait_for(lambda: self.addresses(device) and up in self.default_routes())
        assert come, self.system.journal("systemd-networkd.service") + self.said()

    def files(self) -> List[str]:
        return sorted(path.name for path in self.machine.path(PLACE).iterdir())


@pytest.fixture
def host() -> Iterator[Booting]:
    with with_layer("layer-netplan") as machine, SystemdMachine(machine) as system:
        booting = Booting(machine, system)
        booting.install()
        yield booting


def test_dhcp(host: Booting) -> None:
    said = host.set_up(bridge="br0")
    assert "cobbler-bridge: what reads the network here is netplan\n" in said
    assert "cobbler-bridge: wrote %s\n" % OURS in said
    for start in ("first", "second"):
        host.boot()
        host.comes_up("br0")
        host.has_its_lease()
        if start == "first":
            assert wait_for(lambda: host.told() == 1), host.said()
            assert re.search("the bridge br0 is proved after [0-9]+ s", host.said())
            again = host.set_up(bridge="br0")
            assert again.endswith("cobbler-bridge: br0 is set up already\n")
    assert host.guest_gets_a_lease("br0")
    # by the gateway's router advertisement
    (address,) = wait_for(lambda: host.addresses("br0", 6))
    assert address.startswith("fd00:99::")


def test_the_old_network_comes_back(host: Booting) -> None:
    host.set_up(bridge="br0")
    host.gives_up()
    # all is well but the way out
    host.machine.run("ip", "addr", "del", GATEWAY + "/24", "dev", "far0", namespace="far")
    host.boot()
    assert wait_for(lambda: "putting the old network back" in host.said())
    host.machine.run("ip", "addr", "add", GATEWAY + "/24", "dev", "far0", namespace="far")
    assert wait_for(lambda: "the old network is back" in host.said()), host.said()
    for start in ("this", "the next"):
        host.comes_up("eth0")
        assert host.files() == ["00-installer-config.yaml"]
        assert host.machine.path(PLACE + "00-installer-config.yaml").read_text() == INSTALLERS
        assert not list(host.machine.path("/sys/class/net").glob("*/bridge"))
        assert host.told() == 0
        if start == "this":
            report = host.machine.path(STATE + "/report").read_text()
            assert re.search("systemd-networkd.*br0", report)
            host.boot()


STATIC = """\
network:
  version: 2
  ethernets:
    lan:
      match: {macaddress: "%s"}
      addresses: [10.99.0.10/24, "fd00:99::10/64"]
      routes:
      - to: 0.0.0.0/0
        via: %s
      nameservers: {addresses: [10.99.0.2], search: [example.org]}
""" % (MAC, GATEWAY)


def test_the_installers_address_is_kept(host: Booting) -> None:
    """Under the card's own id, with an option that netplan has no key for."""
    # networkd finds no veth by its address
    text = STATIC.replace('macaddress: "%s"' % MAC, "name: eth0")
    host.write(PLACE + "00-installer-config.yaml", text, 0o600)
    data = {"bridge": "br0", "bridge_stp": "on", "bridge_forward_delay": "2"}
    data["bridge_opts"] = "multicast_snooping=off,group_forward_mask=8,ageing_time=60"
    said = host.set_up(**data)
    assert "br0 keeps 10.99.0.10/24 and fd00:99::10/64, which eth0 has in " in said
    # the check itself was changed meanwhile
    assert "cobbler-bridge: wrote " not in host.set_up(**data)
    assert host.files() == ["90-cobbler-bridge.yaml"]
    host.boot()
    host.comes_up("br0")
    assert host.addresses("br0") == ["10.99.0.10/24"]
    assert wait_for(lambda: "fd00:99::10/64" in host.addresses("br0", 6))
    assert wait_for(lambda: host.told() == 1), host.said()
    assert host.ports("br0") == ["eth0"]
    assert host.leases() == {}
    kernel = {
        "stp_state": "1",
        "forward_delay": "200",
        "multicast_snooping": "0",
        "group_fwd_mask": "0x8",
        "ageing_time": "6000",
    }
    # for the time of a change of its tree the kernel ages by the delay
    assert wait_for(lambda: host.kernel("br0", "bridge/topology_change") == "0")
    assert {name: host.kernel("br0", "bridge/" + name) for name in kernel} == kernel
    asked = host.system.run("sh", "-c", "cat /run/systemd/network/10-netplan-br0.network")
    assert "DNS=10.99.0.2\nDomains=example.org\n" in asked


def test_a_host_that_runs(host: Booting) -> None:
    """It is switched at once, and what does not work is put back at once."""
    host.boot()
    host.comes_up("eth0")
    known = {"breed": "debian", "os_version": "bookworm", "profile_name": "hosts"}
    known.update(bridge_firewall="none", http_server=GATEWAY, bridge="br0")
    script = bridge_setup(
        {**known, "bridge_ipv4": "10.99.7.7/24,10.99.7.1", "bridge_timeout": "10"}
    )
    host.write("/script", script)
    # as an initramfs leaves it that had the network first: the file wins over all of /etc
    text = "network: {ethernets: {eth0: {dhcp4: true}}}"
    leaves = "mkdir -p /run/netplan && echo '%s' > /run/netplan/eth0.yaml" % text
    host.system.run("sh", "-c", leaves)
    said = host.system.run("sh", "-c", "sh /script 2>&1")
    assert "/run/netplan/eth0.yaml has eth0 too" in said
    assert host.files() == ["00-installer-config.yaml"]
    host.system.run("rm", "/run/netplan/eth0.yaml")
    said = host.system.run("sh", "/script")
    assert "it takes effect now: it is proved, or the old network put back" in said
    assert wait_for(lambda: "the old network is back" in host.said()), said + host.said()
    host.comes_up("eth0")
    host.has_failed()
    assert host.files() == ["00-installer-config.yaml"]
    assert host.told() == 0
    host.write("/script", bridge_setup({**known, "bridge_timeout": str(int(HANGS))}))
    said = host.system.run("sh", "/script")
    assert wait_for(lambda: host.told() == 1), said + host.said()
    host.comes_up("br0")
    assert host.addresses("eth0") == []
    assert host.ports("br0") == ["eth0"]


class Running(Booting):
    """One that was installed without a bridge, and runs."""

    installers = INSTALLERS

    def install(self) -> None:
        super().install()
        self.write(PLACE + "00-installer-config.yaml", self.installers, 0o600)
        self.boot()
        self.comes_up("eth0")

    def switch(self, **data: Any) -> str:
        known = {"breed": "debian", "os_version": "bookworm", "profile_name": "hosts"}
        known.update(bridge="br0", bridge_firewall="none", http_server=GATEWAY, bridge_timeout="10")
        self.write("/tmp/script", bridge_setup({**known, **data}))
        return self.system.run("sh", "/tmp/script")


@pytest.fixture
def running_host() -> Iterator[Running]:
    with with_layer("layer-netplan") as machine, SystemdMachine(machine) as system:
        host = Running(machine, system)
        host.install()
        yield host


def test_the_old_address_is_reached_meanwhile(running_host: Running) -> None:
    running.old_address_is_reached(running_host)


def test_a_guest_stays_plugged_in(running_host: Running) -> None:
    running.guests_stay(running_host)


def test_no_route_goes_by_a_port(running_host: Running) -> None:
    """The kernel leaves that of a static address where there was one by router advertisements too,
    and the router's, which is one of two."""
    host = running_host
    host.write(PLACE + "00-installer-config.yaml", BOTH, 0o600)
    host.boot()
    assert wait_for(lambda: "fe80:" in str(host.default_routes(6)))
    assert host.switch(bridge_ipv4="none", bridge_ipv6="keep").endswith("br0 is proved\n")
    routes = host.machine.run("ip", "-6", "route")
    assert " dev br0 " in routes
    assert " dev eth0 " not in routes


# as the installer of Ubuntu 24.04 leaves it: cloud-init is to write the network at the first start
OF_CLOUD_INIT = """\
network:
  ethernets:
    eth0: {dhcp4: true}
    eth9: {dhcp4: true, optional: true}
  version: 2
"""
CLOUD = "/etc/cloud/cloud.cfg.d/"
# what it asks nobody else for
DATASOURCE = """\
datasource: {None: {metadata: {instance-id: i-1}, userdata_raw: "#cloud-config\\n{}"}}
datasource_list: [None]
"""


@pytest.mark.releases
@pytest.mark.skipif(RELEASE != "ubuntu24.04", reason="cloud-init is in the root of Ubuntu 24.04")
@pytest.mark.parametrize("ours", [False, True])
def test_cloud_init_at_the_first_start(host: Booting, ours: bool) -> None:
    """Without the script it gives the card its lease; with it, it writes nothing."""
    host.machine.run("sh", "-c", "rm -f /etc/netplan/* /run/cloud-init; mkdir -p " + CLOUD)
    host.write(CLOUD[: -len("cloud.cfg.d/")] + "cloud.cfg", "system_info: {distro: ubuntu}\n")
    host.write(CLOUD + "90-installer-network.cfg", OF_CLOUD_INIT, 0o600)
    host.write(CLOUD + "99-installer.cfg", DATASOURCE, 0o600)
    if ours:
        host.set_up(bridge="br0")
    host.machine.run("cloud-init", "init", "--local")
    text = host.machine.path(PLACE + "50-cloud-init.yaml").read_text()
    assert ("eth0" in text, "eth9" in text) == (not ours, True)


@pytest.mark.releases
@pytest.mark.skipif(not RELEASE, reason="ufw is in the roots of other releases")
def test_guests_with_ufw_enabled(host: Booting) -> None:
    """Nothing is forwarded but what stays on the bridge."""
    host.machine.run("sed", "-i", "s/^ENABLED=.*/ENABLED=yes/", "/etc/ufw/ufw.conf")
    host.system.link("/lib/systemd/system/ufw.service", "multi-user.target.wants/ufw.service")
    host.set_up(bridge="br0", bridge_firewall="auto")
    host.boot()
    host.comes_up("br0")
    assert wait_for(lambda: host.told() == 1), host.said()
    ufw = "ufw.service"
    state = ("systemctl", "show", ufw, "-p", "ActiveState", "--value")
    assert wait_for(lambda: host.system.run(*state) == "active\n"), host.system.journal(ufw)
    rules = host.machine.run("iptables", "-S", "FORWARD")
    assert "-P FORWARD DROP" in rules
    filtered_until_udev_has_seen(host)


# in a virtual machine, where a kernel has the card, its NetworkManager has the lease on the bridge
@pytest.mark.skipif(RELEASE == "ubuntu20.04", reason="its udev does not see a namespace's devices")
def test_networkmanager(host: Booting) -> None:
    """What netplan writes for NetworkManager: the old network comes back, and then the bridge."""
    manager = "NetworkManager.service"
    host.system.link("/lib/systemd/system/" + manager, "multi-user.target.wants/" + manager)
    host.write(PLACE + "00-installer-config.yaml", INSTALLERS_OF_NETWORKMANAGER, 0o600)
    host.write("/etc/udev/rules.d/85-nm-unmanaged.rules", UDEV_RULE)
    host.set_up(bridge="br0")
    host.gives_up()
    host.machine.stop("dnsmasq")
    host.boot()
    assert wait_for(lambda: "putting the old network back" in host.said())
    host.machine.start(*DNSMASQ, namespace="far")
    assert wait_for(lambda: "the old network is back" in host.said()), host.said()
    host.comes_up("eth0")
    assert host.files() == ["00-installer-config.yaml"]
    assert host.told() == 0
    host.set_up(bridge="br0")
    host.boot()
    host.comes_up("br0")
    assert host.addresses("eth0") == []
    assert host.ports("br0") == ["eth0"]
    assert host.kernel("br0", "address") == MAC
    assert host.kernel("br0", "bridge/stp_state") == "0"
    assert wait_for(lambda: host.told() == 1), host.said()
    assert host.guest_gets_a_lease("br0")
    (address,) = wait_for(lambda: host.addresses("br0", 6))
    assert address.startswith("fd00:99::")
