"""``cobbler replicate``: a second Cobbler takes over records and placements as they are."""

import os
import socket
import subprocess
import threading
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Iterator

from koan_network import koan_networks
from private_cobbler import HTTP_PORT, PrivateCobbler
from real.server import COLLECTIONS, LEDGER, MINIMAL, TREE, Server

PORT = 8080
# two private Cobblers have no network in common, but a file system: from a port to a socket there
RELAY = """\
import socket, sys, threading
def pump(one, other):
    while True:
        data = one.recv(65536)
        if not data:
            break
        other.sendall(data)
    other.shutdown(socket.SHUT_WR)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("up", flush=True)
while True:
    near, _ = server.accept()
    far = socket.socket(socket.AF_UNIX)
    far.connect(sys.argv[2])
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""


def pump(one: socket.socket, other: socket.socket) -> None:
    """Hand on what one says to the other, until either has gone."""
    with suppress(OSError):
        while True:
            data = one.recv(65536)
            if not data:
                break
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


def both_ways(one: socket.socket, other: socket.socket) -> None:
    with one, other:
        back = threading.Thread(target=pump, args=(other, one), daemon=True)
        back.start()
        pump(one, other)
        back.join()


def hand_on(listening: socket.socket, master: PrivateCobbler) -> None:
    """Connect whoever comes to the web server of the master, until the socket is closed."""
    while True:
        try:
            near, _ = listening.accept()
        except OSError:
            return
        connection = (near, master.connect(HTTP_PORT))
        threading.Thread(target=both_ways, args=connection, daemon=True).start()


@contextmanager
def reached_by(master: PrivateCobbler, slave: PrivateCobbler, folder: Path) -> Iterator[None]:
    """The slave reaches the master's web server at 127.0.0.1, port 8080."""
    path = str(folder / "socket")
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(path)
        listening.listen(16)
        thread = threading.Thread(target=hand_on, args=(listening, master), daemon=True)
        thread.start()
        command = [*slave.command_inside(), "python3", "-c", RELAY, str(PORT), path]
        relay = subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ))
        assert relay.stdout is not None
        assert relay.stdout.readline() == b"up\n"
        try:
            yield
        finally:
            relay.terminate()
            relay.wait()
            relay.stdout.close()
            # wakes whoever accepts
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_replicated(server: Server, tmp_path: Path) -> None:
    server.system("kvm1", meta={"bridge": "br0"})
    server.system("web1", meta={"bridge_host": "kvm1"}, nics=("eth0", "eth1"))
    server.edit("system", "web1", modify_interface={"virtbridge-eth1": "br9"})
    server.installed("kvm1")
    with PrivateCobbler() as cobbler:
        slave = Server(cobbler)
        slave.install()
        # what rsync would bring
        cobbler.path(TREE).mkdir(parents=True)
        for name in ("vmlinuz", "initrd.img"):
            (cobbler.path(TREE) / name).write_text(name)
        slave.template("minimal", MINIMAL)
        master = ["--master=127.0.0.1", "--port=%d" % PORT]
        replicate = ["cobbler", "replicate", *master, "--sync-all", "--omit-data"]
        with reached_by(server.cobbler, cobbler, tmp_path):
            # Cobbler's own: a distro that was read from disk is handed out with too many keys
            server.cobbler.restart()
            failed = cobbler.run(replicate, check=False)
            assert failed.returncode == 1
            assert 'Attribute "remote_grub_kernel" could not be set!' in failed.stdout, failed
            for name in server.names("distro"):
                server.cobbler.run(["cobbler", "distro", "edit", "--name=" + name])
            cobbler.run(replicate)
        assert cobbler.path(COLLECTIONS + "/systems/kvm1.json").is_file(), cobbler.log()[-3000:]
        assert slave.meta("kvm1") == server.meta("kvm1")
        # Cobbler carries its own items only
        folders = ["%s/" % each.path(LEDGER) for each in (server.cobbler, cobbler)]
        subprocess.run(["rsync", "-a", "--delete", *folders], check=True)
        # and cobblerd sees it at once
        slave.mark()
        slave.trigger("post", "kvm1")
        assert "it is installed and not to be installed" in slave.said()[0]
        assert slave.command("show", "kvm1").stdout == server.command("show", "kvm1").stdout
        for name in ("kvm1", "web1"):
            assert slave.bridges(name) == server.bridges(name)
        assert slave.bridges("web1") == {"eth0": "br0", "eth1": "br9"}
        cobbler.restart()
        networks = [each.partition(",")[0] for each in koan_networks(cobbler, "web1")]
        assert networks == ["bridge=br0", "bridge=br9"]
        assert "cobbler-bridge: system" not in cobbler.log()
