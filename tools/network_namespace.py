"""A throw-away machine: this one's files, nothing of its network, and packages that it has not.

    with Machine() as machine:
        machine.wire("eth0", "52:54:00:00:00:01", "far", "far0")
        machine.path("/etc/hostname").write_text("host\n")
        machine.run("sh", "-s", text="hostname $(cat /etc/hostname)")

Its root is an overlay of / whose upper side is in memory, with what ``tools/layer.sh`` left in
``.venv/layer`` added; /dev, /run and /tmp are its own; it has only the network devices that are
made in it. It ends with the process that began it. Needs root. One that is made ``beside`` a
private Cobbler has no network of its own, but that Cobbler's.
"""

import contextlib
import errno
import os
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Dict, List, Optional, Sequence, Type

from waiting import HANGS

LAYER = Path(__file__).resolve().parents[1] / ".venv/layer"
# other releases (tools/releases.sh), and the one whose files tests are to have in place of ours
RELEASES = LAYER.with_name("releases")
RELEASE = os.environ.get("RELEASE", "")
# mounts stay in the namespace and go with it; process 1 ends when its input is closed
_BEGIN = """\
set -e
mount -t tmpfs ${4:+-o "size=$4"} tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
cp -a "$2/." "$1/upper"
mount -t overlay -o "lowerdir=$3,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
cd "$1/root"
# guests of the machine that this one is made of are none of its
[ -e "$2/usr/lib/qemu" ] || rm -rf usr/lib/qemu
for folder in dev run tmp; do
    mount -t tmpfs -o mode=755 tmpfs "$folder"
done
mkdir old run/netns
for node in full null random tty urandom zero net/tun; do
    [ -e "/dev/$node" ] || continue
    mkdir -p "dev/${node%/*}" 2> /dev/null || :
    rm -rf "dev/$node"
    : > "dev/$node"
    mount --bind "/dev/$node" "dev/$node"
done
ln -s /proc/self/fd dev/fd
read -r id rest < /proc/self/stat
mount -t proc proc proc
mount -t sysfs sysfs sys
pivot_root . old
umount -l /old
rmdir /old
hostname throw-away
ip link set lo up
echo "$id"
# the shell waits for it, and for every process whose own parent has ended
cat
"""
_NAMESPACES = ("--mount", "--net", "--pid", "--uts", "--ipc")


class Machine:
    """A machine in namespaces of its own, and further ones on its wires."""

    def __init__(
        self, layer: Path = LAYER, beside: Sequence[str] = (), root: str = "/", disk: str = ""
    ) -> None:
        """``layer`` has the packages; ``beside`` is the command that enters a private Cobbler.

        ``root`` is whose files it has, ``disk`` how large its disk is, as a tmpfs has it.
        """
        self._layer = layer
        self._disk = disk
        self._root = root
        self._beside = list(beside)
        self._namespaces = [name for name in _NAMESPACES if name != "--net" or not beside]
        self._first: "Optional[subprocess.Popen[str]]" = None
        self._id = ""
        self._services: "Dict[str, subprocess.Popen[bytes]]" = {}

    def __enter__(self) -> "Machine":
        must_be_unpacked(self._layer)
        stage = tempfile.mkdtemp(prefix="machine-")
        words = ["sh", "-c", _BEGIN, "sh", stage, str(self._layer)]
        unshare = [*self._beside, "unshare", *self._namespaces, "--fork", "--kill-child"]
        self._first = subprocess.Popen(
            [*unshare, "--propagation=private", *words, self._root, self._disk],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=_environment(),
            start_new_session=True,
        )
        assert self._first.stdout is not None
        self._id = self._first.stdout.readline().strip()
        # the machine holds what was mounted there
        os.rmdir(stage)
        if not self._id:
            self.__exit__(None, None, None)
            raise OSError("no throw-away machine can be made here")
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        assert self._first is not None
        assert self._first.stdin is not None
        assert self._first.stdout is not None
        # process 1 takes all others with it
        self._first.stdin.close()
        self._first.stdout.close()
        self._first.wait(timeout=HANGS)
        for service in self._services.values():
            service.wait(timeout=HANGS)

    def path(self, path: str) -> Path:
        """A file of the machine; no part of its path may be an absolute symbolic link."""
        return Path("/proc", self._id, "root", path.lstrip("/"))

    def command(self, *words: str) -> List[str]:
        """What runs a command in it, of a caller that sees this machine's processes."""
        return self._command(words, "")

    def _command(self, words: "tuple[str, ...]", namespace: str) -> List[str]:
        within = ["ip", "netns", "exec", namespace] if namespace else []
        enter = [*self._beside, "nsenter", "--target", self._id, *self._namespaces, "--"]
        return [*enter, *within, *words]

    def write(self, path: str, text: str, mode: str = "644") -> None:
        """Write a file of the machine."""
        script = 'mkdir -p "${1%/*}" && cat > "$1" && chmod "$2" "$1"'
        self.run("sh", "-c", script, "sh", path, mode, text=text)

    def run(self, *words: str, text: str = "", namespace: str = "", check: bool = True) -> str:
        """Run a command and return what it printed, on both channels.

        Raises:
            AssertionError: it failed and ``check`` is set.
        """
        done = subprocess.run(
            self._command(words, namespace),
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=_environment(),
            timeout=HANGS,
            check=False,
        )
        assert not check or done.returncode == 0, (words, done.returncode, done.stdout)
        return done.stdout

    def start(
        self, *words: str, namespace: str = "", channel: "Optional[socket.socket]" = None
    ) -> None:
        """Start a program; what it says is in the file ``log`` returns.

        Its input and output are ``channel``, where there is one.
        """
        number = None if channel is None else channel.fileno()
        name = os.path.basename(words[0])
        # nsenter does not hand a signal on to the program
        noting = ("sh", "-c", 'echo $$ > "$0" && exec "$@"', "/tmp/%s.pid" % name)
        with open(self.path("/tmp/%s.log" % name), "wb") as log:
            self._services[name] = subprocess.Popen(
                self._command((*noting, *words), namespace),
                stdin=subprocess.DEVNULL if number is None else number,
                stdout=log if number is None else number,
                stderr=log,
                env=_environment(),
            )

    def stop(self, name: str, signal: str = "TERM") -> None:
        """End a program that ``start`` started, and wait until it has ended."""
        service = self._services.pop(name)
        self.run("sh", "-c", 'kill -"$1" "$(cat "$0")"', "/tmp/%s.pid" % name, signal)
        service.wait(timeout=HANGS)

    def running(self, name: str) -> bool:
        """Whether a program that ``start`` started has not ended by itself."""
        return self._services[name].poll() is None

    def lives(self) -> bool:
        """Whether the machine itself has not ended."""
        return self._first is not None and self._first.poll() is None

    def log(self, name: str) -> str:
        """What a program has said since its last start."""
        return self.path("/tmp/%s.log" % name).read_text()

    def wire(self, device: str, mac: str, namespace: str, far: str) -> None:
        """Add a NIC whose other end is the device ``far`` in a further network namespace."""
        with contextlib.suppress(AssertionError):
            self.run("ip", "netns", "add", namespace)
        end = ("peer", "name", far, "netns", namespace)
        self.run("ip", "link", "add", device, "address", mac, "type", "veth", *end)
        self.run("ip", "link", "set", "lo", "up", namespace=namespace)
        self.run("ip", "link", "set", far, "up", namespace=namespace)


def with_layer(name: str) -> Machine:
    """This machine with one of its layers, or the other release that the tests are to run on."""
    if not RELEASE:
        return Machine(LAYER.with_name(name))
    root = RELEASES / RELEASE
    must_be_unpacked(root)
    return Machine(RELEASES / "nothing", root=str(root))


def must_be_unpacked(layer: Path) -> None:
    """Raise ``FileNotFoundError`` where ``tools/layer.sh`` did not leave these packages."""
    if not layer.is_dir():
        what = "'sh tools/layer.sh' unpacks it, as root on a Debian"
        raise FileNotFoundError(errno.ENOENT, what, str(layer))


def _environment() -> Dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/root"}
