"""The script on a machine that systemd and NetworkManager run: proved, or put back, at once."""

import re
import threading
import time
from typing import Dict, Iterator

import pytest

from cobbler_bridge.snippet import bridge_setup
from network_namespace import Machine
from real import running
from real.test_firstboot_networkmanager import STATE
from real.test_firstboot_systemd import ASKED, RUNNING, UNIT, WEB, Booting
from real.test_layers import ADDRESS, BRIDGE, PORT, STATIC
from real.test_networkmanager import CONNECTIONS, DNSMASQ, GATEWAY, INSTALLERS
from systemd_machine import SystemdMachine
from waiting import wait_for

STARTED = "the network is started again"
SECOND_MAC = "52:54:00:99:00:02"
OTHER_GATEWAY = "10.98.0.1"
# behind its gateway is who is told
OTHER_NETWORK = """\
ip addr flush dev far0
ip addr add %s/32 dev lo
ip addr add %s/24 dev far1
""" % (GATEWAY, OTHER_GATEWAY)
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

    def files(self) -> Dict[str, str]:
        """What NetworkManager reads."""
        return {path.name: path.read_text() for path in self.machine.path(CONNECTIONS).iterdir()}

    def fill(self) -> None:
        """Not a byte more can be written."""
        said = self.machine.run("sh", "-c", "cat /dev/zero > /fill", check=False)
        assert "No space left" in said

    def switch_and_fill(self, **data: str) -> str:
        """The disk fills up when the network is started again, as somebody else writes."""

        begun = self.said().count(STARTED)

        def fill() -> None:
            assert wait_for(lambda: self.said().count(STARTED) > begun)
            self.fill()

        filling = threading.Thread(target=fill)
        filling.start()
        said = self.switch(**data)
        filling.join()
        return said


def _running(disk: str = "") -> Iterator[Running]:
    with Machine(disk=disk) as machine, SystemdMachine(machine) as system:
        running = Running(machine, system)
        running.install()
        yield running


@pytest.fixture
def host() -> Iterator[Running]:
    yield from _running()


@pytest.fixture
def small_host() -> Iterator[Running]:
    """It has a disk that fills up in a moment."""
    yield from _running("400m")


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


def test_a_guest_stays_plugged_in(host: Running) -> None:
    running.guests_stay(host)


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


@pytest.mark.thorough
def test_put_back_where_no_dhcp_server_answers(host: Running) -> None:
    """It answers again when the old network comes back, which has its address from there too."""
    host.machine.stop("dnsmasq")

    def answer_again() -> None:
        assert wait_for(lambda: "putting the old network back" in host.said())
        host.machine.start(*DNSMASQ, namespace="far")

    answering = threading.Thread(target=answer_again)
    answering.start()
    host.switch()
    answering.join()
    assert wait_for(lambda: "the old network is back" in host.said()), host.said()
    assert "not proved: br0 has no IPv4 address" in host.said()
    host.comes_up("eth0")
    host.has_failed()
    assert host.told_back() == ["br0_has_no_IPv4_address"]


def test_put_back_when_the_check_is_killed(host: Running) -> None:
    host.switch(bridge_ipv4="10.99.0.9/24,10.99.0.77")
    assert wait_for(lambda: "the network is started again" in host.said(), 20), host.said()
    # nobody would put anything back
    said = host.system.run("sh", "-c", "systemctl stop %s 2>&1" % UNIT, check=False)
    assert "Operation refused" in said, said
    host.system.run("systemctl", "kill", "-s", "KILL", UNIT)
    assert wait_for(lambda: "the old network is back" in host.said(), 90), host.said()
    host.comes_up("eth0")
    host.has_failed()
    assert host.told_back() == ["the_gateway_10.99.0.77_does_not_answer"]


def test_another_run_while_cobbler_does_not_answer(host: Running) -> None:
    """The check of the first one is still telling it."""
    host.machine.stop("python3")
    host.machine.start("python3", "-u", "-c", WEB, GATEWAY, "/nothing", ASKED, namespace="far")
    host.switch(bridge_ipv4=running.WRONG)
    assert "the old network is back" in host.said()
    assert host.switch().endswith("br0 is proved\n"), host.said()
    host.comes_up("br0")


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


@pytest.mark.thorough
def test_the_port_of_a_bridge_is_another_nic(host: Running) -> None:
    """Where nobody answers: the bridge of before is back, with its port and its guests."""
    host.machine.wire("eth1", SECOND_MAC, "far", "far1")
    host.machine.run("ip", "link", "set", "far1", "up", namespace="far")
    host.switch()
    assert wait_for(lambda: running.is_done(host)), host.said()
    before = host.files()
    host.machine.run("ip", "tuntap", "add", "dev", "vnet0", "mode", "tap")
    host.machine.run("ip", "link", "set", "dev", "vnet0", "up", "master", "br0")
    host.switch(bridge_port=SECOND_MAC)
    # that of before is no lease of this network
    assert wait_for(lambda: "the old network is back" in host.said()), host.said()
    assert "not proved: br0 has no IPv4 address" in host.said(), host.said()[-3000:]
    host.comes_up("br0")
    assert wait_for(lambda: host.ports("br0") == ["eth0", "vnet0"]), host.said()
    assert host.files() == before
    # where somebody does
    host.machine.stop("dnsmasq")
    host.machine.run("sh", "-e", "-c", OTHER_NETWORK, namespace="far")
    other = [word.replace("far0", "far1").replace("10.99.", "10.98.") for word in DNSMASQ]
    host.machine.start(*other, namespace="far")
    host.switch(bridge_port=SECOND_MAC)
    assert wait_for(lambda: running.is_done(host)), host.said()
    assert wait_for(lambda: host.default_routes() == [OTHER_GATEWAY + " br0"]), host.said()
    assert [each.split(".")[1] for each in host.addresses("br0")] == ["98"]
    assert host.ports("br0") == ["eth1", "vnet0"]


@pytest.mark.thorough
def test_a_disk_that_is_full(small_host: Running) -> None:
    """Nothing is begun; when there is space again, the same script does it."""
    host = small_host
    before = host.files()
    host.fill()
    host.write("/tmp/script", host.script())
    said = host.system.run("sh", "-c", "sh /tmp/script 2>&1")
    assert said.endswith("; the network stays as it is\n"), said
    assert (host.files(), host.said()) == (before, "")
    assert host.default_routes() == [GATEWAY + " eth0"]
    host.machine.path("/fill").unlink()
    assert RUNNING in host.switch()
    assert wait_for(lambda: "is proved after" in host.said()), host.said()
    host.comes_up("br0")


@pytest.mark.thorough
def test_a_disk_that_fills_up_while_it_is_switched(small_host: Running) -> None:
    host = small_host
    before = host.files()
    host.switch_and_fill(bridge_ipv4=running.WRONG)
    assert wait_for(lambda: running.is_done(host)), host.said()
    host.comes_up("eth0")
    assert host.files() == before
    assert not host.machine.path("/sys/class/net/br0").exists()
    # what is proved stays, and is known when there is space again
    host.machine.path("/fill").unlink()
    host.machine.stop("dnsmasq")

    def answer() -> None:
        assert wait_for(host.machine.path("/fill").exists)
        host.machine.start(*DNSMASQ, namespace="far")

    answering = threading.Thread(target=answer)
    answering.start()
    host.switch_and_fill(bridge_timeout="60")
    answering.join()
    assert wait_for(lambda: running.is_done(host)), host.said()
    host.comes_up("br0")
    host.machine.path("/fill").unlink()
    assert host.switch().endswith(("br0 is set up already\n", "br0 is proved\n"))


@pytest.mark.thorough
def test_the_nic_had_no_address_before(host: Running) -> None:
    """None is waited for when it is put back, and the machine is not started again for it."""
    host.machine.wire("eth1", SECOND_MAC, "far", "far1")
    host.machine.run("ip", "link", "set", "far1", "up", namespace="far")
    before = host.files()
    began = time.monotonic()
    host.switch(bridge_port=SECOND_MAC)
    assert "the old network is back" in host.said(), host.said()
    assert time.monotonic() - began < 50
    assert host.files() == before
    host.has_failed()
    host.comes_up("eth0")


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
