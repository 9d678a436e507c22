"""The check at the first boot on a machine that systemd and NetworkManager really start.

The script is run as an install file does it, and then the machine boots, is cut off, boots again.
"""

import re
import time
from pathlib import Path
from typing import Iterator, List

import pytest

from network_namespace import Machine
from real.test_firstboot_networkmanager import CHECK, STATE, TRIGGER, patient
from real.test_networkmanager import DNSMASQ, GATEWAY, Host
from systemd_machine import SystemdMachine
from waiting import HANGS, wait_for

RUNNING = "it takes effect now: it is proved, or the old network put back"
PROGRAMS = ("systemd", "system/NetworkManager.service", "system/dbus.service")
UNIT = "cobbler-bridge-firstboot.service"
WATCH = "cobbler-bridge-watch.service"


# On the far side, what answers as Cobbler's web server does: True, or what somebody lays beside the
# question who finds it in a folder
ASKED = "/tmp/asked"
WEB = """\
import http.server, os, sys, time
address, trigger, asked = sys.argv[1:]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("url:" + self.path)
        answer = "True"
        if os.path.exists(asked + "/relayed"):
            question = "%s/%f" % (asked, time.time())
            with open(question + ".part", "w") as file:
                file.write(self.path)
            os.rename(question + ".part", question + ".ask")
            while not os.path.exists(question + ".answer"):
                time.sleep(0.1)
            with open(question + ".answer") as file:
                answer = file.read()
        known = self.path.startswith(trigger) or os.path.exists(asked + "/relayed")
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(answer.encode() + b"\\n")
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer((address, 80), Handler).serve_forever()
"""


def at_once(check: Path) -> None:
    """Let a watch not wait until others have looked: this machine has run for long."""
    text, count = re.subn("(?m)^watch_seconds=.*", "watch_seconds=1", check.read_text())
    assert count == 1
    check.write_text(text)


class Booting(Host):
    """A machine with its script run, which boots."""

    def __init__(self, machine: Machine, system: SystemdMachine) -> None:
        super().__init__(machine)
        self.system = system

    def install(self) -> None:
        super().install()
        machine = self.machine
        machine.run("sh", "-c", "rm -rf /etc/issue.d /etc/motd.d; mkdir -p /etc/systemd/system")
        self.start_server()
        manager = "NetworkManager.service"
        self.system.link("/lib/systemd/system/" + manager, "multi-user.target.wants/" + manager)
        self.prepare()

    def start_server(self) -> None:
        """What answers as Cobbler's web server does."""
        self.machine.run("mkdir", "-p", ASKED)
        words = ("python3", "-u", "-c", WEB, GATEWAY, TRIGGER, ASKED)
        self.machine.start(*words, namespace="far")

    def prepare(self) -> None:
        """Run the script as an install file does."""
        self.set_up(bridge="br0", http_server=GATEWAY, bridge_timeout=str(int(HANGS)))
        patient(self.machine.path(CHECK))

    def gives_up(self) -> None:
        """A check that starts waits for six seconds."""
        expected = self.machine.path(STATE + "/expected")
        text = expected.read_text()
        assert "\ntimeout %d" % HANGS in text
        expected.write_text(text.replace("\ntimeout %d" % HANGS, "\ntimeout 6"))

    def boot(self) -> None:
        """Power on, from the state in which hardware is."""
        machine = self.machine
        self.system.power_off()
        for device in list(machine.path("/sys/class/net").iterdir()):
            if (device / "bridge").is_dir():
                # what has lost its power may have been about to take it down
                machine.run("ip", "link", "del", device.name, check=False)
        machine.run("ip", "link", "set", self.nic, "down")
        machine.run("ip", "addr", "flush", "dev", self.nic)
        self.system.boot()

    def said(self) -> str:
        return self.system.journal(UNIT)

    def comes_up(self, device: str) -> None:
        up = "%s %s" % (GATEWAY, device)
        come = wait_for(lambda: self.addresses(device) and up in self.default_routes())
        assert come, self.system.journal("NetworkManager.service")

    def rules(self) -> List[str]:
        """Those by which an old address is kept, and their routes."""
        run = self.machine.run
        rules = [each for each in run("ip", "rule").splitlines() if "7760" in each]
        return rules + run("ip", "route", "show", "table", "all").split("table 7760")[1:]

    def told(self) -> int:
        return len(re.findall("url:" + TRIGGER + r"\s", self.machine.log("python3")))

    def is_quiet(self) -> None:
        """Nothing waits to be proved, and systemd has nothing to complain of."""
        # it says how it ended, and then the disk has it before anything goes
        expected = self.machine.path(STATE + "/expected")
        assert wait_for(lambda: not expected.exists())
        assert wait_for(lambda: self.system.state() == "running")

    def has_failed(self) -> None:
        """The old network is back, Cobbler was told why, and who looks sees it."""
        assert wait_for(self.machine.path(STATE + "/told").exists), self.said()
        assert wait_for(lambda: self.system.state() == "degraded"), self.said()
        failed = self.system.run("systemctl", "--failed", "--no-legend", "--plain")
        assert [line.split()[0] for line in failed.splitlines()] == [UNIT]

    def told_back(self) -> List[str]:
        """Why Cobbler was told that the old network is back."""
        found = re.findall(TRIGGER + ",rolled-back,(\\S*)", self.machine.log("python3"))
        return [str(each) for each in found]


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
    assert wait_for(lambda: host.told() == 1)
    said = host.said()
    assert re.search("the bridge br0 is proved after [0-9]+ s", said)
    host.is_quiet()
    host.boot()
    host.comes_up("br0")
    assert "cobbler-bridge: " not in host.said()
    assert host.told() == 1
    timers = host.system.run("systemctl", "list-timers", "--all", "--no-legend")
    assert WATCH in timers
    at_once(host.machine.path(CHECK))
    host.system.run("systemctl", "start", WATCH)
    assert "Cobbler was told" in host.system.journal(WATCH)
    asked = host.machine.log("python3").splitlines()[-1]
    assert re.fullmatch("url:%s,seen,1-[0-9a-f]{16}" % TRIGGER, asked)
    host.is_quiet()


def test_when_it_begins(host: Booting) -> None:
    """Behind the network's service, and nothing of the boot waits for it."""
    host.machine.stop("dnsmasq")
    host.boot()
    come = wait_for(lambda: host.system.state() == "running")
    assert come, host.system.run("systemctl", "list-jobs")
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
    host.gives_up()
    host.boot()
    assert wait_for(lambda: "putting the old network back" in host.said())
    host.machine.start(*DNSMASQ, namespace="far")
    assert wait_for(lambda: "the old network is back" in host.said()), host.said()
    host.comes_up("eth0")
    assert host.ports("br0") == []
    host.has_failed()
    assert host.told_back() == ["br0_has_no_IPv4_address"]
    report = host.machine.path(STATE + "/report").read_text()
    # what NetworkManager said itself
    assert re.search("NetworkManager.*br0", report)
    assert report.endswith(
        "    cobbler-bridge render --profile hosts --format sh | ssh root@HOST sh\n"
    )
    # it is seen until the script is run again, and said once
    host.boot()
    host.comes_up("eth0")
    host.has_failed()
    assert (host.told(), len(host.told_back())) == (0, 1)
    assert RUNNING in host.system.run("sh", STATE + "/script")
    assert wait_for(lambda: host.told() == 1), host.said()
    host.comes_up("br0")
    host.is_quiet()


@pytest.mark.parametrize("when", ["waiting", "putting back"])
def test_killed_without_another_start(host: Booting, when: str) -> None:
    host.machine.stop("dnsmasq")
    if when == "putting back":
        host.gives_up()
    host.boot()
    if when == "waiting":
        shown = ("systemctl", "show", UNIT, "-p", "ActiveState")
        assert wait_for(lambda: host.system.run(*shown) == "ActiveState=active\n")
        # the one that is started in its place
        host.gives_up()
    else:
        # NetworkManager is being stopped, or is
        assert wait_for(host.machine.path(STATE + "/readers").exists)
        time.sleep(0.5)
    host.system.run("systemctl", "kill", "-s", "KILL", UNIT)
    assert wait_for(lambda: "putting the old network back" in host.said()), host.said()
    host.machine.start(*DNSMASQ, namespace="far")
    assert wait_for(lambda: "the old network is back" in host.said()), host.said()
    host.comes_up("eth0")
    host.has_failed()


def test_power_lost_while_it_is_put_back(host: Booting) -> None:
    host.machine.stop("dnsmasq")
    host.gives_up()
    host.boot()
    unfinished = host.machine.path(STATE + "/unfinished")
    assert wait_for(unfinished.exists)
    host.system.power_off()
    host.machine.start(*DNSMASQ, namespace="far")
    # it may have been put back before the power went, which a journal that is gone has said
    expected = host.machine.path(STATE + "/expected")
    host.boot()
    back = "the old network is back"
    assert wait_for(lambda: back in host.said() or not expected.exists()), host.said()
    host.comes_up("eth0")
    host.has_failed()
    host.boot()
    host.comes_up("eth0")


def test_the_number_of_an_earlier_check_is_given_again(host: Booting) -> None:
    """What a check that power cut off left of itself: soon a program of ours has that number."""
    host.write(STATE + "/expected", "bridge br0\nport eth0\ntimeout 1\nrollback no\nend 4\n")
    alone = "echo %d > " + STATE + "/check.pid; exec " + CHECK
    for number in range(2, 7):
        words = ("unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", alone % number)
        assert "not proved" in host.machine.run(*words, check=False), number


def test_one_restart_where_nothing_comes_back(host: Booting) -> None:
    host.machine.stop("dnsmasq")
    host.gives_up()
    script = host.machine.path(CHECK)
    waits = "old_network_seconds=%d" % HANGS
    assert waits in script.read_text()
    script.write_text(script.read_text().replace(waits, "old_network_seconds=6"))
    host.boot()
    assert wait_for(lambda: not host.system.running()), host.said()
    report = host.machine.path(STATE + "/report").read_text()
    assert "The machine is started again, once." in report
    host.machine.start(*DNSMASQ, namespace="far")
    host.boot()
    host.comes_up("eth0")
    host.has_failed()
