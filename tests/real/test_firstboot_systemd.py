"""The check at the first boot on a machine that systemd and NetworkManager really start.

The script is run as an install file does it, and then the machine boots, is cut off, boots again.
"""

import re
import time
from typing import Iterator

import pytest

from network_namespace import Machine, wait_for
from real.test_firstboot_networkmanager import CHECK, STATE, TRIGGER
from real.test_networkmanager import DNSMASQ, GATEWAY, Host
from systemd_machine import SystemdMachine

PROGRAMS = ("systemd", "system/NetworkManager.service", "system/dbus.service")
UNIT = "cobbler-bridge-firstboot.service"


class Booting(Host):
    """A machine with its script run, which boots."""

    def __init__(self, machine: Machine, system: SystemdMachine) -> None:
        super().__init__(machine)
        self.system = system

    def install(self) -> None:
        super().install()
        machine = self.machine
        machine.run("sh", "-c", "rm -rf /etc/issue.d /etc/motd.d; mkdir -p /etc/systemd/system")
        self.write("/tmp/www" + TRIGGER, "True\n")
        web = "busybox httpd -f -vv -p %s:80 -h /tmp/www" % GATEWAY
        machine.start(*web.split(), namespace="far")
        manager = "NetworkManager.service"
        self.system.link("/lib/systemd/system/" + manager, "multi-user.target.wants/" + manager)
        self.set_up(bridge="br0", http_server=GATEWAY, bridge_timeout="10")
        expected = machine.path(STATE + "/expected")
        expected.write_text(expected.read_text().replace("timeout 10\n", "timeout 6\n"))

    def boot(self) -> None:
        """Power on, from the state in which hardware is."""
        machine = self.machine
        self.system.power_off()
        for device in list(machine.path("/sys/class/net").iterdir()):
            if (device / "bridge").is_dir():
                machine.run("ip", "link", "del", device.name)
        machine.run("ip", "link", "set", self.nic, "down")
        machine.run("ip", "addr", "flush", "dev", self.nic)
        self.system.boot()

    def said(self) -> str:
        return self.system.journal(UNIT)

    def comes_up(self, device: str) -> None:
        up = "%s %s" % (GATEWAY, device)
        come = wait_for(lambda: self.addresses(device) and up in self.default_routes())
        assert come, self.system.journal("NetworkManager.service")

    def told(self) -> int:
        return self.machine.log("busybox").count("url:" + TRIGGER)

    def is_quiet(self) -> None:
        """Nothing of the check is left, and systemd has nothing to complain of."""
        self.machine.run(
            "sh",
            "-c",
            "! find /etc /usr/libexec /var/lib -xdev -path '*cobbler*firstboot*' | grep .",
        )
        assert wait_for(lambda: self.system.state() == "running")
        listed = self.system.run("systemctl", "list-unit-files", UNIT, check=False)
        assert "\n0 unit files listed" in listed


@pytest.fixture
def host() -> Iterator[Booting]:
    with Machine() as machine, SystemdMachine(machine) as system:
        missing = [
            name for name in PROGRAMS if not machine.path("/usr/lib/systemd/" + name).exists()
        ]
        assert not missing, "run 'sh tools/layer.sh': there is no %s" % missing
        booting = Booting(machine, system)
        booting.install()
        yield booting


def test_proved(host: Booting) -> None:
    host.boot()
    host.comes_up("br0")
    assert wait_for(lambda: host.told() == 1, 5)
    said = host.said()
    assert re.search("the bridge br0 is proved after [0-9] s", said)
    host.is_quiet()
    host.boot()
    host.comes_up("br0")
    assert host.said() == ""
    assert host.told() == 1


def test_when_it_begins(host: Booting) -> None:
    """Behind the network's service, and nothing of the boot waits for it."""
    host.machine.stop("dnsmasq")
    host.boot()
    assert wait_for(lambda: host.system.state() == "running", 5), host.system.run(
        "systemctl", "list-jobs"
    )
    shown = host.system.run("systemctl", "show", UNIT, "-p", "ActiveState,After,Result")
    assert "ActiveState=active" in shown
    (after,) = re.findall("^After=(.*)", shown, re.M)
    assert {"network.target", "NetworkManager.service"} <= set(after.split())
    times = [
        int(host.system.run("systemctl", "show", unit, "-p", when, "--value"))
        for unit, when in (
            ("NetworkManager.service", "ActiveEnterTimestampMonotonic"),
            (UNIT, "ExecMainStartTimestampMonotonic"),
        )
    ]
    assert 0 < times[0] <= times[1]
    verified = host.system.run("systemctl", "is-enabled", UNIT)
    assert verified == "enabled\n"


def test_the_old_network_comes_back(host: Booting) -> None:
    host.machine.stop("dnsmasq")
    host.boot()
    assert wait_for(lambda: "putting the old network back" in host.said(), 20)
    host.machine.start(*DNSMASQ, namespace="far")
    assert wait_for(lambda: "the old network is back" in host.said(), 60), host.said()
    host.comes_up("eth0")
    assert host.ports("br0") == []
    host.is_quiet()
    report = host.machine.path(STATE + "/report").read_text()
    # what NetworkManager said itself
    assert re.search("NetworkManager.*br0", report)
    host.boot()
    host.comes_up("eth0")
    assert host.told() == 0


@pytest.mark.parametrize("when", ["waiting", "putting back"])
def test_killed_without_another_start(host: Booting, when: str) -> None:
    host.machine.stop("dnsmasq")
    host.boot()
    if when == "waiting":
        shown = ("systemctl", "show", UNIT, "-p", "ActiveState")
        assert wait_for(lambda: host.system.run(*shown) == "ActiveState=active\n")
    else:
        # NetworkManager is being stopped, or is
        assert wait_for(host.machine.path(STATE + "/readers").exists, 20)
        time.sleep(0.5)
    host.system.run("systemctl", "kill", "-s", "KILL", UNIT)
    assert wait_for(lambda: "putting the old network back" in host.said(), 20), host.said()
    host.machine.start(*DNSMASQ, namespace="far")
    assert wait_for(lambda: "the old network is back" in host.said(), 60), host.said()
    host.comes_up("eth0")
    host.is_quiet()


def test_power_lost_while_it_is_put_back(host: Booting) -> None:
    host.machine.stop("dnsmasq")
    host.boot()
    unfinished = host.machine.path(STATE + "/unfinished")
    assert wait_for(unfinished.exists, 20)
    host.system.power_off()
    host.machine.start(*DNSMASQ, namespace="far")
    host.boot()
    assert wait_for(lambda: "the old network is back" in host.said(), 60), host.said()
    host.comes_up("eth0")
    host.is_quiet()
    host.boot()
    host.comes_up("eth0")


def test_one_restart_where_nothing_comes_back(host: Booting) -> None:
    host.machine.stop("dnsmasq")
    script = host.machine.path(CHECK)
    waits = "old_network_seconds=60"
    assert waits in script.read_text()
    script.write_text(script.read_text().replace(waits, "old_network_seconds=6"))
    host.boot()
    assert wait_for(lambda: not host.system.running(), 40), host.said()
    report = host.machine.path(STATE + "/report").read_text()
    assert "The machine is started again, once." in report
    host.machine.start(*DNSMASQ, namespace="far")
    host.boot()
    host.comes_up("eth0")
    host.is_quiet()
