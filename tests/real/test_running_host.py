"""The script on a machine that systemd and NetworkManager run: proved, or put back, at once."""

import re
from typing import Iterator

import pytest

from cobbler_bridge.snippet import bridge_setup
from network_namespace import Machine
from real import running
from real.test_firstboot_networkmanager import STATE
from real.test_firstboot_systemd import RUNNING, Booting
from real.test_layers import ADDRESS, BRIDGE, PORT, STATIC
from real.test_networkmanager import CONNECTIONS, GATEWAY, INSTALLERS
from systemd_machine import SystemdMachine
from waiting import wait_for

IPTABLES = """\
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/iptables-nft-restore /etc/sysconfig/iptables
"""
RULES = """\
*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -i eth0 %s-j ACCEPT
COMMIT
"""
REACHES = """\
import errno, socket, sys
with socket.socket() as tcp:
    tcp.settimeout(2)
    print(tcp.connect_ex((sys.argv[1], 22)) in (0, errno.ECONNREFUSED), end="")
"""


class Running(Booting):
    """A machine that was installed without a bridge, and runs."""

    def prepare(self) -> None:
        """It runs before the script does."""
        self.boot()
        self.comes_up("eth0")

    def script(self, **data: str) -> str:
        known = {"breed": "redhat", "os_version": "rhel9", "profile_name": "hosts"}
        known.update(bridge="br0", bridge_firewall="none", http_server=GATEWAY, bridge_timeout="10")
        return bridge_setup({**known, **data})

    def switch(self, **data: str) -> str:
        self.write("/tmp/script", self.script(**data))
        return self.system.run("sh", "/tmp/script")


@pytest.fixture
def host() -> Iterator[Running]:
    with Machine() as machine, SystemdMachine(machine) as system:
        running = Running(machine, system)
        running.install()
        yield running


def test_proved(host: Running) -> None:
    assert RUNNING in host.switch()
    assert wait_for(lambda: host.told() == 1, 40), host.said()
    host.comes_up("br0")
    assert host.ports("br0") == ["eth0"]
    assert re.search("the bridge br0 is proved after [0-9]+ s", host.said())
    host.is_quiet()
    assert host.switch().endswith("br0 is set up already\n")
    assert host.told() == 1
    host.boot()
    host.comes_up("br0")


@pytest.mark.parametrize("reload", [False, True])
def test_put_back(reload: bool, host: Running) -> None:
    """A gateway that nobody has; somebody else has NetworkManager read its files in between."""
    before = {path.name for path in host.machine.path(CONNECTIONS).iterdir()}
    assert RUNNING in host.switch(bridge_ipv4="10.99.0.9/24,10.99.0.77")
    if reload:
        host.system.run("nmcli", "connection", "reload", check=False)
    assert wait_for(lambda: "the old network is back" in host.said(), 90), host.said()
    assert "the gateway 10.99.0.77 does not answer" in host.said()
    host.comes_up("eth0")
    assert {path.name for path in host.machine.path(CONNECTIONS).iterdir()} == before
    assert host.told() == 0
    host.has_failed()


def test_put_back_when_the_check_is_killed(host: Running) -> None:
    host.switch(bridge_ipv4="10.99.0.9/24,10.99.0.77")
    assert wait_for(lambda: "the network is started again" in host.said(), 20), host.said()
    host.system.run("systemctl", "kill", "-s", "KILL", "cobbler-bridge-firstboot.service")
    assert wait_for(lambda: "the old network is back" in host.said(), 90), host.said()
    host.comes_up("eth0")
    host.has_failed()
    assert host.told_back() == ["the_gateway_10.99.0.77_does_not_answer"]


@pytest.mark.parametrize(
    ("rule", "firewall", "device"),
    [
        ("", "auto", "br0"),
        # what is let in is no answer: the gateway's echo, and Cobbler's, stay outside, as before
        ("-p tcp --dport 22 ", "auto", "br0"),
        # nobody could reach it over the bridge
        ("", "none", "eth0"),
    ],
)
def test_rules_that_name_the_nic(rule: str, firewall: str, device: str, host: Running) -> None:
    host.write("/etc/systemd/system/iptables.service", IPTABLES)
    host.write("/etc/sysconfig/iptables", RULES % rule)
    host.system.run("systemctl", "daemon-reload")
    host.system.run("systemctl", "start", "iptables.service")

    def reached(over: str) -> bool:
        (address,) = (each.split("/")[0] for each in host.addresses(over) if "." in each)
        return host.machine.run("python3", "-c", REACHES, address, namespace="far") == "True"

    assert reached("eth0")
    host.switch(bridge_firewall=firewall)
    outcome = "is proved after" if device == "br0" else "the old network is back"
    assert wait_for(lambda: outcome in host.said(), 90), host.said()
    host.comes_up(device)
    assert reached(device)
    if device == "eth0":
        why = "the gateway %s answers no ping, and the server nothing over br0" % GATEWAY
        assert why in host.said()


def test_the_old_address_is_reached_meanwhile(host: Running) -> None:
    running.old_address_is_reached(host)


def test_one_of_two_ports_has_no_link(host: Running) -> None:
    host.machine.wire("eth1", "52:54:00:99:00:02", "far", "far1")
    host.machine.run("ip", "link", "set", "far1", "down", namespace="far")
    host.switch(bridge_port="eth0,eth1")
    assert wait_for(lambda: "is proved after" in host.said(), 40), host.said()
    assert "eth1 has no link" in host.said()
    host.comes_up("br0")
    host.is_quiet()
    assert host.machine.path(STATE + "/report").read_text() == "eth1 has no link\n"


def test_an_older_bridge_is_replaced(host: Running) -> None:
    """Its address follows; where the new one is not proved, the older one comes back."""
    host.machine.path(INSTALLERS).unlink()
    host.write(CONNECTIONS + "/br-home.nmconnection", BRIDGE + STATIC, 0o600)
    # as every NetworkManager has it
    port = PORT.replace("controller=", "master=").replace("port-type=", "slave-type=")
    host.write(CONNECTIONS + "/br-home_port.nmconnection", port, 0o600)
    host.system.run("nmcli", "connection", "reload")
    host.system.run("nmcli", "connection", "up", "br-home")
    host.system.run("nmcli", "connection", "up", "br-home port")
    host.comes_up("br-home")
    before = {path.name for path in host.machine.path(CONNECTIONS).iterdir()}
    said = host.switch(bridge_ipv4="10.99.0.9/24,10.99.0.77")
    assert "the bridge br-home of eth0 is taken over" in said
    assert wait_for(lambda: "the old network is back" in host.said(), 90), host.said()
    host.comes_up("br-home")
    assert wait_for(lambda: host.ports("br-home") == ["eth0"], 40), host.said()
    assert {path.name for path in host.machine.path(CONNECTIONS).iterdir()} == before
    assert RUNNING in host.switch(bridge_ipv4="keep")
    assert wait_for(lambda: host.told() == 1, 40), host.said()
    host.comes_up("br0")
    assert host.addresses("br0") == [ADDRESS]
    assert host.default_routes() == [GATEWAY + " br0"]
    assert not host.machine.path("/sys/class/net/br-home").exists()
