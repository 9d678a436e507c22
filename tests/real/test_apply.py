"""``cobbler-bridge apply`` from a private Cobbler, over the real ssh, to a machine that runs."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

from network_namespace import LAYER, Machine
from real.server import REPOSITORY, Server
from real.test_ansible import PROGRAM
from real.test_firstboot_systemd import ASKED
from real.test_networkmanager import CONNECTIONS, GATEWAY, MAC
from real.test_told import Relayed, describe
from systemd_machine import SystemdMachine
from waiting import HANGS, wait_for

SSHD = """\
HostKey /etc/ssh/host_key
AuthorizedKeysFile /etc/ssh/key.pub
StrictModes no
UsePAM no
PermitRootLogin yes
"""
SSH = """\
Host kvm1.example.com
    ProxyCommand %s
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
"""
# where root has a configuration of its own, that stays out of it
CLIENT = """\
#!/bin/sh
exec %s -F "$(dirname "$0")/config" -i "$(dirname "$0")/key" "$@"
"""
# who runs in Cobbler's namespaces sees no process of the machine's, but every file
SESSION = """\
#!%s
import os, socket, sys, threading
with socket.socket(socket.AF_UNIX) as session:
    session.connect(os.path.dirname(sys.argv[0]) + "/door")
    def send():
        while text := os.read(0, 65536):
            session.sendall(text)
        session.shutdown(socket.SHUT_WR)
    threading.Thread(target=send, daemon=True).start()
    while text := session.recv(65536):
        os.write(1, text)
"""


class Remote(Relayed):
    """A machine that the private Cobbler's own ssh reaches."""

    def let_in(self, folder: Path) -> None:
        """Has sshd answer whoever starts it for its session; the client's files lie in a folder."""
        self.folder = folder
        run = self.machine.run
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/host_key")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/key")
        self.write("/etc/ssh/sshd_config", SSHD)
        passwd = self.machine.path("/etc/passwd")
        passwd.write_text(passwd.read_text() + "sshd:x:990:990::/run/sshd:/usr/sbin/nologin\n")
        self.system.run("mkdir", "-p", "/run/sshd")
        (folder / "key").write_text(self.machine.path("/etc/ssh/key").read_text())
        (folder / "key").chmod(0o600)
        proxy = self.system.command("/usr/sbin/sshd", "-i", "-e", "-f", "/etc/ssh/sshd_config")
        (folder / "config").write_text(SSH % (folder / "session"))
        client = CLIENT % (shutil.which("ssh") or LAYER / "usr/bin/ssh")
        for name, text in {"ssh": client, "session": SESSION % sys.executable}.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.sessions: List["subprocess.Popen[bytes]"] = []
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(str(folder / "door"))
        self.door.listen()
        threading.Thread(target=self._let_in_each, args=[proxy], daemon=True).start()

    def _let_in_each(self, sshd: List[str]) -> None:
        """Give each session an sshd, until the door is closed."""
        with contextlib.suppress(OSError):
            while True:
                session = self.door.accept()[0]
                with session:
                    begun = subprocess.Popen(sshd, stdin=session.fileno(), stdout=session.fileno())
                    self.sessions.append(begun)

    def apply(self, *words: str) -> Tuple[int, str]:
        """Switch it; returns the status and all that was said."""
        return self.command("apply", "kvm1", *words)

    def command(self, *words: str) -> Tuple[int, str]:
        """Run cobbler-bridge on the server, and hear what the machine asks meanwhile."""
        command = 'PATH=$0:$PATH exec cobbler-bridge "$@"'
        argv = ["sh", "-c", command, str(self.folder), *words]
        done = self.asked_by(lambda: self.server.cobbler.run(argv, check=False))
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def host(server: Server, tmp_path: Path) -> Iterator[Remote]:
    with Machine() as machine, SystemdMachine(machine) as system:
        remote = Remote(machine, system)
        remote.server = server
        remote.install()
        machine.path(ASKED + "/relayed").touch()
        server.profile("hosts", "rhel9")
        server.system("kvm1", "hosts", more={"macaddress-eth0": MAC})
        server.edit("system", "kvm1", hostname="kvm1.example.com", server=GATEWAY)
        remote.let_in(tmp_path)
        with remote.door:
            yield remote
            # accept(2) goes on where it is only closed
            remote.door.shutdown(socket.SHUT_RDWR)
            for session in remote.sessions:
                session.wait(HANGS)


def test_from_the_first_look_to_the_proof(host: Remote, server: Server) -> None:
    server.system("web1", "rhel7", {"bridge_host": "kvm1"})
    # what can't be reached is not touched, and nothing is noted
    describe(server)
    server.edit("system", "kvm1", hostname="kvm9.example.com")
    status, said = host.apply()
    assert (status, server.state("kvm1")) == (1, None)
    assert "unreachable" in said
    server.edit("system", "kvm1", hostname="kvm1.example.com")

    # what would change, and nothing does
    before = {path.name for path in host.machine.path(CONNECTIONS).iterdir()}
    status, said = host.apply("--dry-run")
    assert status == 0, said
    assert "+++ /etc/NetworkManager/system-connections/br0.nmconnection\n" in said
    assert "\n+[bridge]\n" in said
    assert {path.name for path in host.machine.path(CONNECTIONS).iterdir()} == before
    assert server.state("kvm1") is None

    # a gateway that nobody has: the old network is back, and no guest is placed
    describe(server, bridge_ipv4="10.99.0.9/24,10.99.0.77")
    status, said = host.apply()
    assert status == 1
    assert "kvm1  failed" in said
    why = "the old network is back: the gateway 10.99.0.77 does not answer"
    assert why in said, said
    assert server.state("kvm1") == "/failed"
    assert "the gateway 10.99.0.77 does not answer" in server.command("show", "kvm1").stdout
    assert server.bridges("web1")["eth0"] in ("", "<<inherit>>")
    host.comes_up("eth0")

    # corrected
    describe(server)
    report = "/tmp/report.json"
    status, said = host.apply("--report", report)
    assert status == 0, said
    assert "kvm1  verified" in said
    assert server.state("kvm1") == "br0/verified"
    assert server.bridges("web1") == {"eth0": "br0"}
    (row,) = json.loads(server.cobbler.path(report).read_text())
    assert (row["host"], row["outcome"]) == ("kvm1", "verified")
    host.comes_up("br0")

    # again: it is asked, and not touched
    host.until(lambda: not host.machine.path("/var/lib/cobbler-bridge/expected").exists())
    invocation = ("systemctl", "show", "NetworkManager", "-p", "InvocationID")
    runs = host.system.run(*invocation)
    status, said = host.apply()
    assert (status, "kvm1  nothing to do" in said) == (0, True), said
    assert host.system.run(*invocation) == runs


def test_a_guest_stays_plugged_in(host: Remote, server: Server) -> None:
    """Its tap is in the bridge afterwards, whether the new description is proved or put back."""
    describe(server)
    before = {path.name for path in host.machine.path(CONNECTIONS).iterdir()}
    assert host.apply()[0] == 0
    host.comes_up("br0")
    host.until(lambda: not host.machine.path("/var/lib/cobbler-bridge/expected").exists())
    run = host.machine.run
    run("ip", "tuntap", "add", "dev", "vnet0", "mode", "tap")
    run("ip", "link", "set", "dev", "vnet0", "up", "master", "br0")
    describe(server, bridge_mtu="1400")
    assert host.apply()[0] == 0
    assert sorted(host.ports("br0")) == ["eth0", "vnet0"]
    host.until(lambda: not host.machine.path("/var/lib/cobbler-bridge/expected").exists())
    describe(server, bridge_ipv4="10.99.0.9/24,10.99.0.77")
    status, said = host.apply()
    assert status == 1, said
    assert wait_for(lambda: sorted(host.ports("br0")) == ["eth0", "vnet0"]), said
    assert server.state("kvm1") == "br0/failed"
    # what was proved before goes on being looked at
    assert host.machine.path("/var/lib/cobbler-bridge/proved").exists()

    # and what stood there before the first of them comes back
    status, said = host.command("undo", "kvm1")
    assert (status, "kvm1  undone" in said) == (0, True), said
    host.comes_up("eth0")
    assert not host.machine.path("/sys/class/net/br0").exists()
    assert {path.name for path in host.machine.path(CONNECTIONS).iterdir()} == before
    assert server.record("kvm1") is None
    host.is_quiet()


@pytest.mark.parametrize(
    "gateway", [GATEWAY, pytest.param("10.99.0.77", marks=pytest.mark.thorough)]
)
def test_the_session_is_cut(gateway: str, host: Remote, server: Server) -> None:
    """It goes on by itself, and who has lost it asks again."""
    describe(server, bridge_ipv4="10.99.0.9/24," + gateway)
    began = host.machine.path("/var/lib/cobbler-bridge/switch").exists

    def cut() -> None:
        assert wait_for(began)
        host.system.run("pkill", "-KILL", "sshd")

    cutting = threading.Thread(target=cut)
    cutting.start()
    status, said = host.apply()
    cutting.join()
    proved = gateway == GATEWAY
    assert (status, "kvm1  verified" in said) == (not proved, proved), said
    assert proved or "kvm1  failed" in said
    assert server.state("kvm1") == ("br0/verified" if proved else "/failed")
    host.comes_up("br0" if proved else "eth0")


def played(host: Remote) -> str:
    """Ansible carries out the playbook of the docs, over the real ssh; what it said."""
    page = (REPOSITORY / "docs/rollout.md").read_text()
    (playbook,) = re.findall("(?s)```yaml\n(.*?)```", page)
    folder = host.folder
    (folder / "play.yml").write_text(playbook.replace("cobbler.example.org", GATEWAY))
    ssh = "ansible_ssh_executable=%s\nansible_ssh_args=-o ControlMaster=no" % (folder / "ssh")
    names = "\n".join("%s ansible_host=%s.example.com" % (name, name) for name in ("kvm1", "kvm2"))
    (folder / "hosts").write_text("[hypervisors]\n%s\n[all:vars]\n%s\n" % (names, ssh))
    env = {
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOME": str(folder),
        "ANSIBLE_LOCAL_TEMP": str(folder),
        "ANSIBLE_HOST_KEY_CHECKING": "0",
        # the machine has no terminals
        "ANSIBLE_SSH_USETTY": "0",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "LC_ALL": "C.UTF-8",
    }
    argv = [str(PROGRAM), "-i", "hosts", "-u", "root", "play.yml"]
    done = host.asked_by(
        lambda: subprocess.run(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            cwd=str(folder),
            env=env,
            timeout=HANGS,
            check=False,
        )
    )
    return done.stdout


def recap(said: str) -> List[Tuple[str, int, int, int]]:
    """Each host that was played: its name, and how much was ok, changed and failed."""
    lines = re.findall(r"(?m)^(\w+) +: ok=(\d+) +changed=(\d+) .* failed=(\d+)", said)
    return [(name, *map(int, counts)) for name, *counts in lines]


@pytest.mark.thorough
def test_the_playbook(host: Remote, server: Server) -> None:
    describe(server, bridge_ipv4="10.99.0.9/24,10.99.0.77")
    said = played(host)
    # the canary: the other host was not asked
    assert recap(said) == [("kvm1", 0, 0, 1)], said
    why = "the old network is back: the gateway 10.99.0.77 does not answer"
    assert why in said, said
    host.comes_up("eth0")
    describe(server)
    said = played(host)
    # there is no machine behind the other one
    assert recap(said)[0] == ("kvm1", 1, 1, 0), said
    host.until(lambda: server.state("kvm1") == "br0/verified")
    host.comes_up("br0")
    said = played(host)
    assert recap(said)[0] == ("kvm1", 1, 0, 0), said
