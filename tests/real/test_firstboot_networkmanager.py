"""The check at the first boot under a real NetworkManager, on a throw-away machine.

Only what starts and stops services pretends: there is no systemd on that machine. On the far end
of the NIC are a DHCP server, a gateway, and a web server that answers as Cobbler does.
"""

import re
import time
from pathlib import Path
from typing import Iterator

import pytest

from network_namespace import Machine
from real import test_networkmanager as networkmanager
from real.test_networkmanager import CONNECTIONS, DNSMASQ, GATEWAY, Host
from waiting import HANGS, wait_for

CHECK = "/usr/libexec/cobbler-bridge/firstboot"
STATE = "/var/lib/cobbler-bridge"
TRIGGER = "/cblr/svc/op/trig/mode/firstboot/profile/hosts"
# the NetworkManager of the machine as a service; each start has a log of its own
SYSTEMCTL = """\
#!/bin/sh
pid=$(cat /tmp/networkmanager.pid 2> /dev/null)
# process 1 of this machine collects no dead ones
runs() { [ -n "$pid" ] && grep -qs '^State:.[^Z]' "/proc/$pid/status"; }
stop() {
    ! runs || kill "$pid"
    while runs; do sleep 0.1; done
}
case "$*" in
"is-active NetworkManager.service") runs && echo active ;;
is-active*) exit 3 ;;
"stop NetworkManager.service") stop ;;
"restart NetworkManager.service")
    stop
    ulimit -f unlimited
    NetworkManager --debug --log-level=INFO > /tmp/NetworkManager.log 2>&1 &
    echo $! > /tmp/networkmanager.pid ;;
esac
"""
# what the check waits for the old network, where it puts it back
FULL = "trap '' XFSZ; ulimit -S -f 0; exec " + CHECK


def patient(check: Path) -> None:
    """Let a check wait for the old network as long as it takes, and not for a server that never
    hears that it is back."""
    text = check.read_text()
    for name, seconds in (("old_network_seconds", HANGS), ("telling_seconds", 5)):
        text, count = re.subn("(?m)^%s=.*" % name, "%s=%d" % (name, seconds), text)
        assert count == 1, name
    check.write_text(text)


class Booted(Host):
    """A machine whose script installed the check as well."""

    def install(self) -> None:
        super().install()
        for command, text in (
            ("systemctl", SYSTEMCTL),
            ("reboot", "#!/bin/sh\ntouch /tmp/rebooted\n"),
        ):
            self.machine.run("rm", "-f", "/usr/bin/" + command, "/usr/sbin/" + command)
            self.write("/usr/bin/" + command, text, 0o755)
        self.machine.run("rm", "-f", "/usr/bin/journalctl")
        self.write("/tmp/www" + TRIGGER, "True\n")
        web = "busybox httpd -f -vv -p 80 -h /tmp/www"
        self.machine.start(*web.split(), namespace="far")

    def prepare(self, gives_up: bool = False, **data: str) -> None:
        """Run the script: a check that has all the time, or one that soon gives up."""
        timeout = "10" if gives_up else str(int(HANGS))
        known = {"http_server": GATEWAY, "bridge_timeout": timeout, "bridge": "br0", **data}
        self.set_up(**known)
        patient(self.machine.path(CHECK))
        if not gives_up:
            return
        # shorter than anybody may ask for
        expected = self.machine.path(STATE + "/expected")
        text = expected.read_text()
        assert "timeout 10 always\n" in text
        expected.write_text(text.replace("timeout 10 always\n", "timeout 5\n"))

    def start_networkmanager(self) -> None:
        self.machine.run("systemctl", "restart", "NetworkManager.service")

    def boot(self) -> None:
        """Start again; the check is what a boot starts last."""
        machine = self.machine
        machine.run("systemctl", "stop", "NetworkManager.service")
        for device in list(machine.path("/sys/class/net").iterdir()):
            if (device / "bridge").is_dir():
                machine.run("ip", "link", "del", device.name)
        machine.run("ip", "link", "set", self.nic, "down")
        machine.run("ip", "addr", "flush", "dev", self.nic)
        machine.run("rm", "-rf", "/run/NetworkManager")
        if "systemd-udevd" not in machine._services:
            self.start_udev()
        self.start_networkmanager()

    def begin(self, *words: str) -> None:
        self.machine.start(*(words or (CHECK,)))
        self._check = (words or (CHECK,))[0].rpartition("/")[2]

    def ends(self) -> str:
        """What the check said until its end."""
        assert wait_for(lambda: not self.machine.running(self._check)), self.said()
        said = self.said()
        assert re.findall("^(?!cobbler-bridge: ).+", said, re.M) == [], "no command fails aloud"
        return said

    def said(self) -> str:
        return self.machine.log(self._check)

    def told(self) -> int:
        """How often Cobbler was told."""
        return len(re.findall("url:%s(?!,)" % TRIGGER, self.machine.log("busybox")))

    def checks(self) -> bool:
        """Whether something waits to be proved."""
        places = ("expected", "changes", "unfinished")
        return any(self.machine.path(STATE + "/" + place).exists() for place in places)

    def has_the_old_network(self) -> None:
        """The installer's profile is what NetworkManager uses, and nothing else is there."""
        self.comes_up("eth0")
        assert self.profiles() == ["eth0:eth0"]
        assert not list(self.machine.path("/sys/class/net").glob("*/bridge"))
        (profile,) = self.machine.path(CONNECTIONS).iterdir()
        assert profile.read_text() == networkmanager.INSTALLERS_PROFILE
        assert profile.stat().st_mode & 0o777 == 0o600

    def has_the_old_network_for_good(self) -> None:
        """Now and after another start."""
        self.has_the_old_network()
        assert self.told() == 0
        assert not self.checks()
        report = self.machine.path(STATE + "/report").read_text()
        for words in ("\nport ", "NetworkManager", "had: " + networkmanager.INSTALLERS):
            assert words in report
        assert "cobbler-bridge: the bridge" in self.machine.path("/etc/issue").read_text()
        self.nic = "eth0"
        self.boot()
        self.has_the_old_network()


@pytest.fixture
def host() -> Iterator[Booted]:
    with Machine() as machine:
        machine.run("rm", "-rf", "/etc/issue.d", "/etc/motd.d", "/var/log/messages")
        machine.run("sh", "-c", "mkdir -p /etc /var/log; echo NetworkManager > /var/log/messages")
        booted = Booted(machine)
        booted.install()
        yield booted


def test_proved(host: Booted) -> None:
    host.prepare()
    host.boot()
    host.begin()
    host.comes_up("br0")
    begin = time.monotonic()
    assert "br0 is proved after " in host.ends()
    # at once, and not when its time is over
    assert time.monotonic() - begin < HANGS / 2
    assert host.said().endswith("Cobbler was told\n")
    assert host.told() == 1
    assert not host.checks()
    host.boot()
    host.comes_up("br0")
    assert host.ports("br0") == ["eth0"]


def test_static(host: Booted) -> None:
    host.prepare(bridge_ipv4="10.99.0.9/24,%s" % GATEWAY, bridge_ipv6="fd00:99::9/64,fd00:99::1")
    host.boot()
    host.begin()
    assert "br0 is proved after " in host.ends()
    assert host.told() == 1


def test_cable_out(host: Booted) -> None:
    host.prepare(gives_up=True)
    far = ("ip", "link", "set", "far0")
    host.machine.run(*far, "down", namespace="far")
    host.boot()
    host.begin()
    said = host.ends()
    assert "eth0 has no link" in said
    assert "put back and has no address" in said
    assert not host.machine.path("/tmp/rebooted").exists()
    host.machine.run(*far, "up", namespace="far")
    host.has_the_old_network_for_good()


def dhcp_again(host: Booted, *more: str) -> None:
    host.machine.start(*DNSMASQ, *more, namespace="far")


def test_dhcp_silent(host: Booted) -> None:
    host.prepare(gives_up=True)
    host.machine.stop("dnsmasq")
    host.boot()
    host.begin()
    assert wait_for(lambda: "putting the old network back" in host.said())
    dhcp_again(host)
    said = host.ends()
    assert "br0 has no IPv4 address" in said
    assert "the old network is back" in said
    assert not host.machine.path("/tmp/rebooted").exists()
    host.has_the_old_network_for_good()


def test_a_gateway_that_is_dead(host: Booted) -> None:
    host.prepare(gives_up=True)
    host.machine.stop("dnsmasq")
    dhcp_again(host, "--dhcp-option=option:router,10.99.0.77")
    host.boot()
    host.begin()
    assert "the gateway 10.99.0.77 does not answer" in host.ends()
    host.machine.stop("dnsmasq")
    dhcp_again(host)
    host.boot()
    host.has_the_old_network_for_good()


def test_wrong_port(host: Booted) -> None:
    """The profile of the port fits no NIC, and NetworkManager makes one of its own."""
    host.prepare(gives_up=True)
    port = host.machine.path(networkmanager.INSTALLERS)
    port.write_text(port.read_text().replace(networkmanager.MAC, "52:54:00:99:00:99"))
    host.boot()
    host.begin()
    said = host.ends()
    assert "eth0 is not in br0" in said
    assert "the old network is back" in said
    host.has_the_old_network_for_good()
    changed = host.machine.path(STATE + "/failed" + networkmanager.INSTALLERS)
    assert "52:54:00:99:00:99" in changed.read_text()


def test_a_port_that_was_renamed(host: Booted) -> None:
    host.prepare(gives_up=True, bridge="eth0")
    host.machine.run("ip", "link", "set", "eth0", "down")
    host.machine.run("ip", "link", "set", "eth0", "name", "peth0")
    host.nic = "peth0"
    host.machine.stop("dnsmasq")
    host.boot()
    host.begin()
    assert wait_for(lambda: "putting the old network back" in host.said())
    dhcp_again(host)
    said = host.ends()
    assert "eth0 has no IPv4 address" in said
    assert "the old network is back" in said
    assert not host.machine.path(networkmanager.LINK).exists()
    host.has_the_old_network_for_good()


@pytest.mark.parametrize("when", ["waiting", "putting back"])
def test_killed_in_the_middle(host: Booted, when: str) -> None:
    host.prepare(gives_up=when == "putting back")
    host.machine.stop("dnsmasq")
    host.boot()
    host.begin()
    unfinished = host.machine.path(STATE + "/unfinished")
    if when == "waiting":
        time.sleep(2)
    else:
        assert wait_for(unfinished.exists)
    host.machine.run("sh", "-c", "kill -9 $(cat /tmp/firstboot.pid)")
    assert wait_for(lambda: not host.machine.running("firstboot"))
    assert host.checks()
    dhcp_again(host)
    if when == "waiting":
        # nothing was wrong but the DHCP server
        host.boot()
        host.begin()
        assert "br0 is proved after " in host.ends()
        host.boot()
        host.comes_up("br0")
        return
    host.boot()
    host.begin()
    said = host.ends()
    assert "(interrupted); putting the old network back" in said
    assert "the old network is back" in said
    host.has_the_old_network_for_good()


def test_an_installation_that_was_cut_off(host: Booted) -> None:
    """The power went when the port's file was in place and the bridge's was not."""
    host.prepare()
    host.machine.path(CONNECTIONS + "/br0.nmconnection").unlink()
    host.write(STATE + "/unfinished", "")
    host.boot()
    host.begin()
    said = host.ends()
    assert "the files of the bridge were not all put in place (interrupted)" in said
    assert "the old network is back" in said
    host.has_the_old_network_for_good()


def test_a_full_disk(host: Booted) -> None:
    host.prepare(gives_up=True)
    host.machine.stop("dnsmasq")
    host.boot()
    host.begin("/bin/sh", "-c", FULL)
    assert wait_for(lambda: not list(host.machine.path(CONNECTIONS).glob("br0.*")))
    dhcp_again(host)
    assert wait_for(lambda: not host.machine.running("sh"))
    host.has_the_old_network()
    assert not host.checks()


@pytest.mark.parametrize("server", [GATEWAY, "[fd00:99::1]", "[fd00:99::1]:80"])
def test_nothing_tells_but_a_shell(host: Booted, server: str) -> None:
    """A machine with neither curl nor wget."""
    host.prepare(http_server=server)
    host.machine.run("rm", "-f", "/usr/bin/curl", "/usr/bin/wget")
    host.boot()
    host.begin()
    assert host.ends().endswith("Cobbler was told\n")
    assert host.told() == 1
