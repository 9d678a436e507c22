"""A virtual machine: a kernel with VLANs and bonds, real NICs, and systemd and udev that boot it.

    with VirtualMachine(["52:54:00:00:00:01"]) as machine:
        machine.boot()
        machine.run("modprobe", "bonding")
        machine.boot()

The kernel is user-mode Linux, a program of this machine. Its root is a copy of what
``tools/layer.sh`` left in ``.venv/layer-virtual``, and stays from boot to boot. NetworkManager
reads its network's files, or what another layer has that lies on it; or the root is another release
(``tools/releases.sh``), with the kernel of that one. The other end of each NIC is a
port of its switch: the bridge ``far0`` in the network namespace ``far`` of the same machine. Needs
root.
"""

import shlex
import socket
import subprocess
from types import TracebackType
from typing import IO, Optional, Sequence, Type, cast

from network_namespace import LAYER, RELEASES, Machine, must_be_unpacked
from systemd_machine import MASKED
from waiting import HANGS

ROOT = LAYER.with_name("layer-virtual")
_KERNEL = "/tmp/root/usr/bin/linux.uml"
# the kernel finds its modules, and systemd a /run of its own
_BUILD = """\
set -e
cp -a "$1" "$2"
if [ -n "$4" ]; then
    cp -a "$4/usr/lib/uml" "$2/usr/lib"
    cp -a "$4/usr/bin/linux.uml" "$2/usr/bin"
    # the one that has a web server
    cp -a "$4/usr/bin/busybox" "$2/usr/local/bin"
fi
cd "$2"
rm -rf lib/modules var/run
ln -s /usr/lib/uml/modules lib/modules
ln -s /run var/run
# what a package's own script would do
[ -L usr/bin/awk ] || ln -s mawk usr/bin/awk
chroot . depmod "$(ls usr/lib/uml/modules)"
[ -z "$3" ] || { cp -a "$3/." . && rm usr/sbin/NetworkManager; }
"""
# carries out /command; the serial line has only when, and how it ended: more than its buffer holds
# is never read to its end
_AGENT = """\
exec 3<> /dev/ttyS0
stty raw -echo <&3
echo ready >&3
while read -r go <&3; do
    /bin/sh /command < /input > /output 2>&1 3>&-
    status=$?
    sync /output
    echo "$status" >&3
done
"""
# the far ends have addresses that nobody gave them
_SWITCH = """\
ip netns add far
ip -n far link set lo up
ip -n far link add far0 type bridge
ip -n far link set far0 up
for nic in $(grep -l '^02:' /sys/class/net/*/address | cut -d / -f 5); do
    ip link set "$nic" netns far name "wire-$nic"
    ip -n far link set "wire-$nic" master far0 up
done
[ ! -e /etc/far.sh ] || ip netns exec far sh /etc/far.sh
"""
_SERVICE = """\
[Unit]
DefaultDependencies=no
%s
[Service]
Type=%s
ExecStart=/bin/sh -c "%s"
RemainAfterExit=yes
KillMode=process
Environment=LC_ALL=C
"""
# what a package's own script would make
_USERS = "root:x:0:0::/root:/bin/sh\nmessagebus:x:100:100::/:/bin/false\nnobody:x:65534:65534::/:\n"
_GROUPS = (
    "root messagebus nogroup adm systemd-journal tty disk lp kmem dialout audio video cdrom"
    " tape kvm render input sgx utmp"
).split()
_FURTHER = "serial-getty@ttyS0.service systemd-timesyncd.service systemd-pstore.service".split()
_WANTED = "/etc/systemd/system/multi-user.target.wants/%s.service"


class VirtualMachine:
    """A machine that is switched off at first. The kernel calls its NICs eth0, eth1 and so on."""

    def __init__(
        self,
        macs: Sequence[str],
        layer: str = "",
        reader: str = "NetworkManager",
        release: str = "",
    ) -> None:
        """``reader`` is the service of the network's files, perhaps in a ``layer`` of its own.

        A ``release`` has its own users, and other readers beside that one.
        """
        self._macs = macs
        self._layer = LAYER.with_name(layer) if layer else None
        self._reader = reader
        self._root = RELEASES / release if release else ROOT
        self._outside = Machine()
        self._agent: "Optional[IO[bytes]]" = None

    def __enter__(self) -> "VirtualMachine":
        for layer in filter(None, (ROOT, self._root, self._layer)):
            must_be_unpacked(layer)
        self._outside.__enter__()
        try:
            self._build()
        except BaseException:
            self._outside.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if self._agent is not None:
            self._agent.close()
        self._outside.__exit__(kind, error, trace)

    def _build(self) -> None:
        # this machine's files are not the other's
        place = str(self._outside.path("/tmp/root"))
        of_release = str(ROOT) if self._root != ROOT else ""
        words = [str(self._root), place, str(self._layer or ""), of_release]
        subprocess.run(["sh", "-c", _BUILD, "sh", *words], check=True)
        self.write("/etc/machine-id", "%032x\n" % 1)
        if not of_release:
            self.write("/etc/passwd", _USERS)
            groups = ["%s:x:%d:" % (name, 100 * n) for n, name in enumerate(_GROUPS)]
            self.write("/etc/group", "\n".join(groups) + "\n")
        self.write("/etc/switch", _SWITCH)
        self.write("/etc/agent", _AGENT)
        early = "Before=systemd-udevd.service systemd-udev-trigger.service"
        self.unit("switch.service", _SERVICE % (early, "oneshot", ". /etc/switch"))
        self.unit("agent.service", _SERVICE % ("", "simple", ". /etc/agent"))
        for name in ("switch", "agent", self._reader):
            target = "/lib/systemd/system/" if name == self._reader else "../"
            self._link(target + name + ".service", _WANTED % name)
        for name in (*MASKED, *_FURTHER):
            self._link("/dev/null", "/etc/systemd/system/" + name)

    def _link(self, target: str, path: str) -> None:
        place = "/tmp/root" + path
        self._outside.run("mkdir", "-p", place.rpartition("/")[0])
        self._outside.run("ln", "-sf", target, place)

    def unit(self, name: str, text: str) -> None:
        """Write a unit file, or a part of one."""
        self.write("/etc/systemd/system/" + name, text)

    def write(self, path: str, text: str, mode: str = "644") -> None:
        """Write a file; also before it is switched on."""
        if self._agent is None:
            self._outside.write("/tmp/root" + path, text, mode)
        else:
            script = 'mkdir -p "${1%/*}" && cat > "$1" && chmod "$2" "$1"'
            self.run("sh", "-c", script, "sh", path, mode, text=text)

    def boot(self) -> None:
        """Switch it on, or take its power away for a moment; returns when it takes commands.

        Raises:
            AssertionError: it does not come up.
        """
        if self._agent is not None:
            self._agent.close()
            self._outside.stop("unshare", "KILL")
        words = "init=/lib/systemd/systemd net.ifnames=0 rootfstype=hostfs rw mem=512M quiet"
        words += " rootflags=/tmp/root con=null con0=null,fd:2 ssl=null ssl0=fd:0,fd:1"
        wires = [*self._macs, *("02:00:00:00:00:0%d" % each for each in range(len(self._macs)))]
        for number, mac in enumerate(wires):
            far = (number + len(self._macs)) % len(wires)
            # from one port of UDP to another
            words += " eth%d=ucast,%s,127.0.0.1,%d,%d" % (number, mac, 9000 + number, 9000 + far)
        ours, its = socket.socketpair()
        # in a namespace of its own: none of its processes outlives it
        pid = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
        self._outside.start(*pid, _KERNEL, *words.split(), channel=its)
        its.close()
        ours.settimeout(HANGS)
        self._agent = cast("IO[bytes]", ours.makefile("rwb"))
        # that one holds it
        ours.close()
        said = self._agent.readline()
        assert said == b"ready\n", (said, self.console())

    def run(self, *words: str, text: str = "", namespace: str = "", check: bool = True) -> str:
        """Run a command in it and return what it printed, on both channels.

        Raises:
            AssertionError: it failed and ``check`` is set.
        """
        assert self._agent is not None
        within = ["ip", "netns", "exec", namespace] if namespace else []
        command = " ".join(shlex.quote(word) for word in [*within, *words])
        root = self._outside.path("/tmp/root")
        (root / "command").write_text(command)
        (root / "input").write_text(text)
        self._agent.write(b"go\n")
        self._agent.flush()
        status = int(self._agent.readline())
        printed = (root / "output").read_text()
        assert not check or status == 0, (words, status, printed)
        return printed

    def lives(self) -> bool:
        """Whether its kernel has not ended."""
        return self._agent is not None and self._outside.running("unshare")

    def console(self) -> str:
        """What the kernel has said."""
        return self._outside.log("unshare")
