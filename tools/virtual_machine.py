"""A virtual machine: a kernel with VLANs and bonds, real NICs, and systemd and udev that boot it.

    with VirtualMachine(["52:54:00:00:00:01"]) as machine:
        machine.boot()
        machine.run("modprobe", "bonding")
        machine.boot()

QEMU emulates a PC without the help of this one's processor, ten times slower than that is. Its root
is what ``tools/layer.sh`` left in ``.venv/layer-virtual``, on a disk that stays from boot to
boot. The other end of each NIC is a port of its switch: the bridge ``far0`` in the network
namespace ``far`` of the same machine. Needs root.
"""

import shlex
import socket
import subprocess
from types import TracebackType
from typing import IO, Optional, Sequence, Type, cast

from network_namespace import LAYER, Machine, wait_for
from systemd_machine import MASKED

ROOT = LAYER.with_name("layer-virtual")
QEMU = LAYER.with_name("layer-guests")
# of a command, and of a boot
_SECONDS = 300
# the disk, and what the kernel starts from: busybox and what finds the disk, and the NICs
_BUILD = """\
set -e
root=$1
cd "$2"
kernel=$(ls "$root/lib/modules")
chroot "$root" depmod "$kernel"
cp "$root/boot/vmlinuz-$kernel" kernel
truncate -s 1G disk
"$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/lib/x86_64-linux-gnu" \\
    "$root/sbin/mke2fs" -q -F -t ext4 -d "$root" disk
cd first
mkdir proc sys dev root
touch order
cp "$root/bin/busybox" .
modules='virtio_pci virtio_blk virtio_console virtio_net ext4'
chroot "$root" modprobe -S "$kernel" --show-depends -a $modules | while read -r what file rest; do
    [ "$what" != insmod ] || grep -qxF "${file##*/}" order || {
        echo "${file##*/}" >> order
        cp "$root$file" .
    }
done
"""
_PACK = """\
cd /tmp/first
find . | ./busybox cpio -o -H newc > /tmp/first.cpio
"""
_FIRST = """\
#!/busybox sh
busybox() { /busybox "$@"; }
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs dev /dev
while read -r module; do busybox insmod "/$module"; done < /order
until [ -b /dev/vda ]; do busybox sleep 0.1; done
busybox mount -t ext4 /dev/vda /root
if [ ! -e /root/etc/machine-id ]; then
    busybox rm -rf /root/var/run
    busybox cp -a /files/. /root
fi
for folder in proc sys dev; do busybox mount -o move "/$folder" "/root/$folder"; done
exec /busybox switch_root /root /lib/systemd/systemd --unit=multi-user.target
"""
# carries out commands: a line with the length of one and of its input, and then both
_AGENT = """\
until [ -e /dev/virtio-ports/agent ]; do sleep 0.2; done
exec 3<> /dev/virtio-ports/agent
echo ready >&3
while read -r command input <&3; do
    head -c "$command" <&3 > /run/command
    head -c "$input" <&3 > /run/input
    /bin/sh /run/command < /run/input > /run/output 2>&1 3>&-
    echo "$? $(stat -c %s /run/output)" >&3
    cat /run/output >&3
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

    def __init__(self, macs: Sequence[str]) -> None:
        self._macs = macs
        self._outside = Machine(QEMU)
        self._agent: "Optional[IO[bytes]]" = None

    def __enter__(self) -> "VirtualMachine":
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
        self._outside.write("/tmp/first/init", _FIRST, "755")
        # this machine's /tmp, where the root may be, is not the other's
        build = ["sh", "-c", _BUILD, "sh", str(ROOT), str(self._outside.path("/tmp"))]
        subprocess.run(build, check=True)
        self.write("/etc/machine-id", "%032x\n" % 1)
        self.write("/etc/passwd", _USERS)
        groups = ["%s:x:%d:" % (name, 100 * n) for n, name in enumerate(_GROUPS)]
        self.write("/etc/group", "\n".join(groups) + "\n")
        self.write("/etc/switch", _SWITCH)
        self.write("/etc/agent", _AGENT)
        early = "Before=systemd-udevd.service systemd-udev-trigger.service"
        self.unit("switch.service", _SERVICE % (early, "oneshot", ". /etc/switch"))
        self.unit("agent.service", _SERVICE % ("", "simple", ". /etc/agent"))
        for name in ("switch", "agent", "NetworkManager"):
            target = "/lib/systemd/system/" if name == "NetworkManager" else "../"
            self._link(target + name + ".service", _WANTED % name)
        self._link("/run", "/var/run")
        for name in (*MASKED, *_FURTHER):
            self._link("/dev/null", "/etc/systemd/system/" + name)

    def _link(self, target: str, path: str) -> None:
        place = "/tmp/first/files" + path
        self._outside.run("mkdir", "-p", place.rpartition("/")[0])
        self._outside.run("ln", "-s", target, place)

    def unit(self, name: str, text: str) -> None:
        """Write a unit file, or a part of one."""
        self.write("/etc/systemd/system/" + name, text)

    def write(self, path: str, text: str, mode: str = "644") -> None:
        """Write a file; also before it is switched on."""
        if self._agent is None:
            self._outside.write("/tmp/first/files" + path, text, mode)
        else:
            script = 'mkdir -p "${1%/*}" && cat > "$1" && chmod "$2" "$1"'
            self.run("sh", "-c", script, "sh", path, mode, text=text)

    def boot(self) -> None:
        """Switch it on, or take its power away for a moment; returns when it takes commands.

        Raises:
            AssertionError: it does not come up.
        """
        if self._agent is None:
            self._switch_on()
        else:
            self._reset()
        assert self._agent is not None
        said = self._agent.readline()
        assert said == b"ready\n", (said, self.console())

    def _switch_on(self) -> None:
        self._outside.run("sh", "-c", _PACK)
        words = "qemu-system-x86_64 -accel tcg,thread=multi -cpu qemu64 -smp 2 -m 1024 -nodefaults"
        words += " -display none -kernel /tmp/kernel -initrd /tmp/first.cpio"
        words += " -drive file=/tmp/disk,if=virtio,format=raw,cache=unsafe"
        words += " -qmp unix:/tmp/monitor,server=on,wait=off"
        words += " -serial file:/tmp/console -device virtio-serial-pci"
        words += " -chardev socket,id=agent,path=/tmp/agent,server=on,wait=off"
        words += " -device virtserialport,chardev=agent,name=agent"
        nic = " -netdev hubport,id=%s%d,hubid=%d -device virtio-net-pci,netdev=%s%d,mac=%s"
        for number, mac in enumerate(self._macs):
            words += nic % ("near", number, number, "near", number, mac)
        for number in range(len(self._macs)):
            words += nic % ("far", number, number, "far", number, "02:00:00:00:00:0%d" % number)
        kernel = "console=ttyS0 quiet net.ifnames=0 mitigations=off random.trust_cpu=on panic=-1"
        self._outside.start(*words.split(), "-append", kernel)
        place = self._outside.path("/tmp/agent")
        assert wait_for(place.exists), self.console()
        channel = socket.socket(socket.AF_UNIX)
        channel.settimeout(_SECONDS)
        channel.connect(str(place))
        self._agent = cast("IO[bytes]", channel.makefile("rwb"))
        # that one holds it
        channel.close()

    def _reset(self) -> None:
        with socket.socket(socket.AF_UNIX) as channel, channel.makefile("rw") as monitor:
            channel.connect(str(self._outside.path("/tmp/monitor")))
            for command in ("qmp_capabilities", "system_reset"):
                # its greeting, or its answer to the first one
                monitor.readline()
                monitor.write('{"execute": "%s"}\n' % command)
                monitor.flush()
            monitor.readline()

    def run(self, *words: str, text: str = "", namespace: str = "", check: bool = True) -> str:
        """Run a command in it and return what it printed, on both channels.

        Raises:
            AssertionError: it failed and ``check`` is set.
        """
        assert self._agent is not None
        within = ["ip", "netns", "exec", namespace] if namespace else []
        command = " ".join(shlex.quote(word) for word in [*within, *words]).encode()
        self._agent.write(
            b"%d %d\n%s%s" % (len(command), len(text.encode()), command, text.encode())
        )
        self._agent.flush()
        status, length = map(int, self._agent.readline().split())
        printed = self._agent.read(length).decode()
        assert not check or status == 0, (words, status, printed)
        return printed

    def console(self) -> str:
        """What the kernel and QEMU have said."""
        files = [
            self._outside.path("/tmp/" + name) for name in ("qemu-system-x86_64.log", "console")
        ]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())
