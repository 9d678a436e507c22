"""A host and Cobbler, from one end to the other: what becomes of the bridge stands in the record.

The host is a throw-away machine that systemd and NetworkManager run; its calls go to a private
Cobbler, whatever this answers.
"""

import re
from concurrent import futures
from typing import Callable, Iterator, TypeVar
from urllib.parse import unquote

import pytest

from network_namespace import Machine
from real.server import Server
from real.test_firstboot_networkmanager import CHECK, STATE
from real.test_firstboot_systemd import ASKED, WATCH, at_once
from real.test_networkmanager import CONNECTIONS, GATEWAY, MAC
from real.test_running_host import Running
from systemd_machine import SystemdMachine
from waiting import wait_for

ADDRESS = "10.99.0.9/24," + GATEWAY

T = TypeVar("T")


class Relayed(Running):
    """A machine whose calls are asked of a private Cobbler."""

    server: Server

    def relay(self) -> None:
        """Ask what waits to be asked."""
        for question in self.machine.path(ASKED).glob("*.ask"):
            path = question.read_text()
            question.unlink()
            part = question.with_suffix(".part")
            part.write_text(self.answer(path))
            part.rename(question.with_suffix(".answer"))

    def answer(self, path: str) -> str:
        """What Cobbler answers; its web server tells cobblerd where a signal comes from."""
        found = re.fullmatch(".*/op/trig/mode/([^/]+)/([^/]+)/([^/]+)/?", path)
        if found is None:
            return self.server.get(path).text
        words = map(unquote, found.groups())
        came_from = (self.addresses("br0") or self.addresses("eth0"))[0].partition("/")[0]
        return str(self.server.cobbler.rpc("run_install_triggers", *words, came_from))

    def until(self, come: Callable[[], bool]) -> None:
        """Wait for something, and ask meanwhile."""

        def asked() -> bool:
            self.relay()
            return come()

        assert wait_for(asked), self.said() + self.system.journal(WATCH)

    def asked_by(self, run: Callable[[], T]) -> T:
        """Hear what the machine asks as long as something runs that waits for it."""
        with futures.ThreadPoolExecutor() as pool:
            running = pool.submit(run)
            self.until(running.done)
            return running.result()

    def looks(self) -> str:
        """The drift that is noted when it has looked at its bridge again."""
        state = ("systemctl", "show", WATCH, "-p", "ActiveState,InvocationID")
        before = self.system.run(*state)
        at_once(self.machine.path(CHECK))
        self.system.run("systemctl", "start", "--no-block", WATCH)

        def has_looked() -> bool:
            now = self.system.run(*state)
            return now != before and "ActiveState=inactive\n" in now

        self.until(has_looked)
        return str((self.server.record("kvm1") or {})["drift"])


@pytest.fixture
def host(server: Server) -> Iterator[Relayed]:
    with Machine() as machine, SystemdMachine(machine) as system:
        relayed = Relayed(machine, system)
        relayed.server = server
        relayed.install()
        machine.path(ASKED + "/relayed").touch()
        yield relayed


def describe(server: Server, **meta: str) -> None:
    known = {"bridge": "br0", "bridge_firewall": "none", "bridge_timeout": "10", **meta}
    server.edit("system", "kvm1", autoinstall_meta=known)


def switch(host: Relayed, server: Server) -> str:
    """Run the script that Cobbler has for this host, on it."""
    text = server.command("render", "--system", "kvm1", "--format", "sh").stdout
    host.write("/tmp/script", text.replace("http://127.0.0.1/", "http://%s/" % GATEWAY))
    return host.asked_by(lambda: host.system.run("sh", "/tmp/script"))


def addressed(host: Relayed, address: str) -> None:
    """Give the bridge this address and no other."""
    run = host.system.run
    run("nmcli", "device", "set", "br0", "managed", "no")
    run("ip", "-4", "addr", "flush", "dev", "br0")
    run("ip", "addr", "add", address, "dev", "br0")
    run("ip", "route", "replace", "default", "via", GATEWAY, "dev", "br0")


def shown(server: Server) -> str:
    return server.command("show", "kvm1").stdout.splitlines()[1]


def test_from_one_end_to_the_other(host: Relayed, server: Server) -> None:
    server.profile("hosts", "rhel9")
    server.system("kvm1", "hosts", more={"macaddress-eth0": MAC})
    describe(server, bridge_ipv4="10.99.0.9/24,10.99.0.77")
    server.installed("kvm1")
    switch(host, server)
    # a wrong gateway: the old network comes back, and everybody knows it
    host.until(lambda: server.state("kvm1") == "br0/rolled back")
    host.until(host.machine.path(STATE + "/told").exists)
    why = "the gateway 10.99.0.77 does not answer"
    assert "rolled back: " + why in shown(server)
    assert why in server.command("check", "kvm1", check=False).stdout
    assert why in server.command("show", "--format", "html").stdout
    host.has_failed()
    server.system("web1", "rhel7", {"bridge_host": "kvm1"})
    assert server.bridges("web1")["eth0"] in ("", "<<inherit>>")
    # corrected as the report says
    describe(server, bridge_ipv4=ADDRESS)
    switch(host, server)
    host.until(lambda: server.state("kvm1") == "br0/verified")
    host.until(lambda: not host.machine.path(STATE + "/expected").exists())
    host.is_quiet()
    assert server.bridges("web1") == {"eth0": "br0"}

    assert host.looks() == ""
    # a file, and another description
    file = host.machine.path(CONNECTIONS + "/br0.nmconnection")
    text = file.read_text()
    file.write_text(text.replace("stp=false", "stp=true"))
    assert host.looks() == "file"
    assert "verified, a file changed: br0.nmconnection" in shown(server)
    file.write_text(text)
    assert host.looks() == ""
    # an address, behind the back of what reads the files
    addressed(host, "10.99.0.60/24")
    assert host.looks() == "network"
    why = "verified, not as proved: br0 has not the address 10.99.0.9"
    assert why in shown(server)
    assert "ports or addresses are not as they" in server.command("check", check=False).stdout
    addressed(host, "10.99.0.9/24")
    assert host.looks() == ""
    assert "not as proved" not in shown(server)
    describe(server, bridge_ipv4=ADDRESS, bridge_mtu="1400")
    assert host.looks() == "description"
    assert "verified, described otherwise" in shown(server)
    describe(server, bridge_ipv4=ADDRESS)
    # a record that was lost
    server.command("record", "kvm1", "--clear")
    assert server.state("kvm1") is None
    assert host.looks() == ""
    assert server.state("kvm1") == "br0/verified"
