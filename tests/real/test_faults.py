"""A switch to a bridge that can't be proved, which is cut off at any moment: a signal that nobody
hears, a power loss. The network of before comes back, and guests are plugged into their bridge."""

import random
import subprocess
import time
from typing import Iterator, Set

import pytest

from network_namespace import Machine
from real.running import WRONG, is_done
from real.test_firstboot_systemd import UNIT
from real.test_networkmanager import CONNECTIONS
from real.test_running_host import STARTED, Running
from systemd_machine import SystemdMachine
from waiting import HANGS, wait_for

# the shortest there is
TIMEOUT = "10"
TIMES = 25


@pytest.fixture
def host() -> Iterator[Running]:
    with Machine() as machine, SystemdMachine(machine) as system:
        running = Running(machine, system)
        running.install()
        yield running


def begin(host: Running) -> "subprocess.Popen[bytes]":
    """Have the script run, by somebody who may go."""
    host.write("/tmp/script", host.script(bridge_ipv4=WRONG, bridge_timeout=TIMEOUT))
    return subprocess.Popen(
        host.system.command("sh", "/tmp/script"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def whole(host: Running) -> float:
    """How many seconds it takes to the old network where nobody cuts it off."""
    began = time.monotonic()
    assert begin(host).wait(HANGS) == 0
    assert "the old network is back" in host.said(), host.said()
    assert wait_for(lambda: ended(host)), host.said()
    return time.monotonic() - began


def files(host: Running) -> Set[str]:
    """The profiles, with their text."""
    folder = host.machine.path(CONNECTIONS)
    return {path.name + path.read_text() for path in folder.iterdir()}


def ended(host: Running) -> bool:
    """Whether nothing is at work, and nothing waits for another start."""
    active = host.system.run("systemctl", "is-active", UNIT, check=False)
    return is_done(host) and "activating" not in active and active != "active\n"


@pytest.mark.thorough
def test_killed_at_any_moment(host: Running) -> None:
    """The check, the script, or both; a guest is in the bridge that is there before."""
    host.switch()
    assert wait_for(lambda: is_done(host)), host.said()
    host.machine.run("ip", "tuntap", "add", "dev", "vnet0", "mode", "tap")
    host.machine.run("ip", "link", "set", "dev", "vnet0", "up", "master", "br0")
    before = files(host)
    seconds = whole(host)
    for number in range(TIMES):
        script = begin(host)
        moment = random.uniform(0, seconds)
        time.sleep(moment)
        whom = random.choice(["check", "script", "both"])
        if whom != "script":
            host.system.run("systemctl", "kill", "-s", "KILL", UNIT, check=False)
        if whom != "check":
            host.system.run("pkill", "-KILL", "-f", "sh /tmp/script", check=False)
        case = "%d: %s after %.1f s" % (number, whom, moment)
        assert wait_for(lambda: ended(host)), case + host.said()
        script.wait(HANGS)
        assert files(host) == before, case
        host.comes_up("br0")
        assert wait_for(lambda: sorted(host.ports("br0")) == ["eth0", "vnet0"]), case + host.said()
        assert host.rules() == [], case


def test_killed_when_its_time_is_nearly_over(host: Running) -> None:
    """It has not all of its time once more."""
    script = begin(host)
    assert wait_for(lambda: STARTED in host.said())
    began = time.monotonic()
    time.sleep(7)
    host.system.run("systemctl", "kill", "-s", "KILL", UNIT)
    assert wait_for(lambda: "the old network is back" in host.said()), host.said()
    # once more would be 20 s and the pause before a start
    assert time.monotonic() - began < 18
    script.wait(HANGS)
    host.comes_up("eth0")


@pytest.mark.thorough
def test_power_lost_at_any_moment(host: Running) -> None:
    before = files(host)
    seconds = whole(host)
    for number in range(TIMES):
        script = begin(host)
        moment = random.uniform(0, seconds)
        time.sleep(moment)
        host.system.power_off()
        script.wait(HANGS)
        case = "%d: after %.1f s" % (number, moment)
        host.boot()
        assert wait_for(lambda: ended(host)), case + host.said()
        host.comes_up("eth0")
        assert files(host) == before, case
        assert not host.machine.path("/sys/class/net/br0").exists(), case
        assert host.rules() == [], case
