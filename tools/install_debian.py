"""``make install-debian``: Debian's installer, from a Cobbler to a bridge that is proved.

A machine of QEMU's boots over the network from a private Cobbler that has this pack. Kernel and
initrd are those of Debian's package debian-installer-12-netboot-amd64, the preseed is Cobbler's own
sample.seed with the documented late_command line and the changes in ``CHANGES``, packages come from
the mirror that apt has here (mirror.py). The machine reaches nothing else. It is installed, boots,
and what it tells Cobbler is what ``cobbler-bridge show`` says.

Where that mirror has only packages, and not the parts that the installer loads, the installer goes
as far as that; mmdebstrap then unpacks what it would have, and the late command is run by the
programs of the installer's initrd (``FromPackages``).

Without KVM the processor is emulated, and it takes an hour or so. ``--log`` has what the machine
said on its serial line. Needs root, apt-get, and the packages qemu-system-x86, ipxe-qemu,
mmdebstrap, cpio and e2fsprogs.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, List, Optional, Sequence

import mirror
from private_cobbler import PrivateCobbler

HOST, MAC = "kvm1", "52:54:00:12:00:01"
# the far side of its NIC is the network of the private Cobbler, where only that one answers
SERVER, PROXY = "10.0.2.2", "10.0.2.100"
PACKAGE = "debian-installer-12-netboot-amd64"
IMAGES = "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64"
TREE = "/var/www/cobbler/distro_mirror/debian12"
TEMPLATES = "/var/lib/cobbler/templates"
MESSAGE = "cobbler-bridge: "
PROMPT = "%s:~# " % HOST
# what differs from Cobbler's sample.seed: a line of its own, and what stands in its place
CHANGES = (
    ("d-i mirror/http/hostname string $http_server\n", "d-i mirror/http/hostname string mirror\n"),
    ("d-i mirror/http/proxy string\n", "d-i mirror/http/proxy string http://%s\n" % PROXY),
    # Cobbler's own list of releases ends before this one
    ("# d-i mirror/suite string precise\n", "d-i mirror/suite string bookworm\n"),
    # no mirror but that one
    (
        "# d-i apt-setup/services-select multiselect security\n",
        "d-i apt-setup/services-select multiselect\n",
    ),
    # less to unpack: an emulated processor is slow
    ("tasksel tasksel/first multiselect standard\n", "tasksel tasksel/first multiselect\n"),
    (
        "string ntp ssh wget\n",
        "string wget bridge-utils\nd-i base-installer/install-recommends boolean false\n",
    ),
)
LATE = "d-i preseed/late_command string wget -O-"
# at the end of an installation: the installer's files, in $1, have its target, in $2, below them
AT_ITS_END = """\
set -e
cd "$1"
mkdir -p target dev proc sys run/lock
mount -t tmpfs tmpfs run
mount --bind /dev dev
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --bind "$2" target
mount --bind /dev target/dev
chroot . syslogd
"""
# the answers of the preseed $1
LOAD = """\
set -e
export DEBIAN_FRONTEND=noninteractive
for each in /var/lib/dpkg/info/*.templates; do debconf-loadtemplate d-i "$each"; done
debconf-set-selections "$1"
"""
# one of its last steps
STEP = "DEBIAN_FRONTEND=text exec debconf -o d-i /usr/lib/finish-install.d/$1 < /dev/null"
STEPS = ("07preseed", "55netcfg-copy-config")
# what d-i's other parts leave, where it has them from packages
LEFT = """\
set -e
echo %s > "$1/etc/hostname"
printf '127.0.0.1\\tlocalhost\\n127.0.1.1\\t%s\\n' > "$1/etc/hosts"
echo '/dev/vda / ext4 errors=remount-ro 0 1' > "$1/etc/fstab"
cat > "$1/etc/network/interfaces" << 'END'
# This file describes the network interfaces available on your system
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

# The primary network interface
allow-hotplug ens3
iface ens3 inet dhcp
END
echo root:cobbler | chroot "$1" chpasswd
mkdir -p "$1/var/log/installer"
""" % (HOST, HOST)
# the network of the private Cobbler as the machine has it, and its card
NETWORK = """\
set -e
ip addr add %s/24 dev lo
ip link add ens3 address %s type veth peer name far
ip link set far up
ip link set ens3 up
""" % (SERVER, MAC)
BASE = "linux-image-amd64,ifupdown,isc-dhcp-client,bridge-utils,wget,e2fsprogs"


class Transcript:
    """What happened, with the time since the beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Print it; each of its lines has the time."""
        seconds = int(time.monotonic() - self._began)
        with self._lock:
            for line in text.rstrip("\n").split("\n"):
                print("%02d:%02d  %s" % (seconds // 60, seconds % 60, line), flush=True)


class Qemu:
    """The machine, whose disk stays from start to start."""

    def __init__(self, cobbler: PrivateCobbler, folder: Path, accel: str, log: Path) -> None:
        self._log = log
        self.disk = folder / "disk"
        with open(str(self.disk), "wb") as disk:
            disk.truncate(6 << 30)
        outside = ["nsenter", "--target", str(os.getpid()), "--net", "--"]
        outside += [sys.executable, mirror.__file__, mirror.of_apt()]
        # the installer would take a URL from the DHCP server for that of its preseed
        (folder / "tftp").mkdir(exist_ok=True)
        boot = "#!ipxe\nchain http://%s/cblr/svc/op/ipxe/system/%s\n" % (SERVER, HOST)
        (folder / "tftp/boot.ipxe").write_text(boot)
        network = "user,mac=%s,model=virtio-net-pci,bootfile=boot.ipxe" % MAC
        network += ",tftp=%s" % (folder / "tftp")
        network += ",guestfwd=tcp:%s:80-cmd:%s" % (PROXY, shlex.join(outside).replace(",", ",,"))
        self._words = cobbler.command_inside("--net")
        self._words += ["qemu-system-x86_64", "-accel", accel, "-smp", "2", "-m", "1024"]
        self._words += ["-machine", "pc,graphics=off", "-display", "none", "-no-reboot"]
        self._words += ["-serial", "stdio", "-boot", "n"]
        self._words += ["-drive", "file=%s,format=raw,if=virtio,cache=unsafe" % self.disk]
        self._words += ["-nic", network, "-monitor", "none"]
        self._process: "Optional[subprocess.Popen[bytes]]" = None
        self._seen = ""

    def start(self, more: Sequence[str] = ()) -> None:
        """Switch it on; ``more`` are further words for QEMU."""
        self._seen = ""
        self._process = subprocess.Popen(
            [*self._words, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._process.stdout is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def _read(self, output: "IO[bytes]") -> None:
        with open(str(self._log), "ab") as log:
            for part in iter(lambda: os.read(output.fileno(), 4096), b""):
                log.write(part)
                log.flush()
                self._seen += part.decode("utf-8", "replace").replace("\r", "")

    def seen(self) -> str:
        """What it has said since its start."""
        return re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", self._seen)

    def runs(self) -> bool:
        """Whether it is on: it goes off instead of starting again."""
        assert self._process is not None
        return self._process.poll() is None

    def type(self, text: str) -> None:
        """Type on its serial line."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def await_text(self, *texts: str, begin: int = 0, seconds: float = 1800) -> int:
        """Wait until it has said one of these behind a place; which.

        Raises:
            SystemExit: it went off, or said nothing new for that many seconds.
        """
        size, since = 0, time.monotonic()
        while True:
            runs, said = self.runs(), self.seen()
            for number, text in enumerate(texts):
                if text in said[begin:]:
                    return number
            if len(said) != size:
                size, since = len(said), time.monotonic()
            if not runs or time.monotonic() - since > seconds:
                sys.exit("%s did not come; the last that was said:\n%s" % (texts, said[-2000:]))
            time.sleep(1)

    def ask(self, command: str) -> str:
        """Run a command in the shell that waits on its serial line, and return what it printed."""
        begin = len(self.seen())
        self.type(command + "\n")
        self.await_text(PROMPT, begin=begin)
        return self.seen()[begin:].partition("\n")[2].rpartition("\n")[0] + "\n"

    def off(self) -> None:
        """Take its power away."""
        if self._process is not None and self.runs():
            self._process.kill()
            self._process.wait()


def unpack(folder: Path) -> Path:
    """The folder with the installer's kernel and initrd, from Debian's package."""
    options = ["-o", "APT::Sandbox::User=root"]
    subprocess.run(["apt-get", "-qq", *options, "download", PACKAGE], cwd=str(folder), check=True)
    (package,) = folder.glob(PACKAGE + "_*.deb")
    subprocess.run(["dpkg-deb", "-x", str(package), str(folder / "unpacked")], check=True)
    package.unlink()
    return folder / "unpacked" / IMAGES


class FromPackages:
    """The way to an installed disk where the mirror has none of the installer's parts.

    mmdebstrap unpacks what the installer would, and the end of the installation, which is the late
    command and what follows it, is done by the programs of the installer's own initrd.
    """

    def __init__(self, cobbler: PrivateCobbler, folder: Path, transcript: Transcript) -> None:
        self._cobbler = cobbler
        self._target = folder / "target"
        self._installer = folder / "installer"
        self._say = transcript.say

    def unpack(self, images: Path) -> None:
        """The packages, and the programs of the installer."""
        tar = str(self._target) + ".tar"
        if not os.path.exists(tar):
            words = ["mmdebstrap", "--quiet", "--variant=important", "--include=" + BASE]
            subprocess.run([*words, "bookworm", tar], check=True)
        self._target.mkdir()
        subprocess.run(["tar", "-x", "-C", str(self._target), "-f", tar], check=True)
        version = (self._target / "etc/debian_version").read_text().strip()
        self._say("Debian %s is unpacked" % version)
        self._installer.mkdir()
        with subprocess.Popen(["zcat", str(images / "initrd.gz")], stdout=subprocess.PIPE) as zcat:
            words = ["cpio", "-idm", "--quiet"]
            subprocess.run(words, stdin=zcat.stdout, cwd=str(self._installer), check=True)

    def finish(self) -> None:
        """The preseed's late command, and what the installer does to the network behind it."""
        script = "set -e\n%s\nsh -c '%s' sh %s\n" % (
            NETWORK,
            LEFT.replace("'", "'\\''"),
            self._target,
        )
        script += "set -- %s %s\n%s" % (self._installer, self._target, AT_ITS_END)
        url = "http://%s/cblr/svc/op/autoinstall/system/%s" % (SERVER, HOST)
        inside = "export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
        inside += "wget -q -O /preseed.cfg %s\nset -- /preseed.cfg\n%s" % (url, LOAD)
        for step in STEPS:
            inside += "( set -- %s\n%s )\n" % (step, STEP)
        script += "exec chroot . /bin/sh -c '%s'\n" % inside.replace("'", "'\\''")
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
        done = subprocess.run(
            [*self._cobbler.command_inside(), *unshare],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        log = (self._installer / "var/log/messages").read_text()
        (self._target / "var/log/installer/syslog").write_text(log)
        for line in log.splitlines():
            if MESSAGE in line:
                self._say(MESSAGE + line.partition(MESSAGE)[2])
        if done.returncode or "Failed to run" in done.stdout:
            sys.exit("the installer stopped: %s\n%s" % (done.stdout, log[-2000:]))

    def onto(self, disk: Path) -> List[str]:
        """Put it on a disk; the words for QEMU to start it."""
        subprocess.run(
            ["mke2fs", "-q", "-t", "ext4", "-d", str(self._target), str(disk)], check=True
        )
        words = ["-append", "root=/dev/vda ro quiet console=ttyS0"]
        for option, name in (("-kernel", "vmlinuz"), ("-initrd", "initrd.img")):
            (found,) = (self._target / "boot").glob(name + "-*")
            words += [option, str(found)]
        return words


def preseed(sample: str, rendered: str) -> str:
    """Cobbler's sample with the line that ``render`` shows behind its own late command."""
    for old, new in CHANGES:
        assert sample.count(old) == 1, old
        sample = sample.replace(old, new)
    (ours,) = re.findall("(?m)^d-i preseed/late_command string (.*)", rendered)
    # it is the sample's last
    assert re.search(r"\n%s \\\n.*\\\n.*\n\Z" % LATE, sample)
    return "%s; %s\n" % (sample.rstrip("\n"), ours)


# what the installer says that it is at, and where it goes on no more
_STEP = re.compile(
    "(Checking|Loading|Detecting|Partitions|Installing|Configuring|Select and|Retrieving|Finishing"
    "|Preparing|Booting|iPXE [0-9]|http).*[a-zA-Z]"
)
_NO_PARTS = "failed to download a file from the mirror"
_ASKS = "Prompt: '?' for help"


class Installation:
    """The way from an empty disk to a bridge that is proved."""

    def __init__(self, cobbler: PrivateCobbler, transcript: Transcript) -> None:
        self._cobbler = cobbler
        self._say = transcript.say

    def _run(self, command: str) -> str:
        self._say("$ " + command)
        done = self._cobbler.run(shlex.split(command))
        text = done.stdout.replace(sys.prefix, "…")
        if text.strip():
            self._say(text)
        return text

    def set_up(self, images: Path) -> None:
        """What an administrator does."""
        self._cobbler.run(["cobbler-bridge", "install"])
        self._cobbler.restart()
        tree = self._cobbler.path(TREE)
        tree.mkdir(parents=True)
        for name in ("linux", "initrd.gz"):
            shutil.copyfile(str(images / name), str(tree / name))
        self._run(
            "cobbler distro add --name=debian12 --breed=debian --os-version=bullseye --arch=x86_64"
            " --kernel=%s/linux --initrd=%s/initrd.gz --boot-loaders=ipxe"
            " --autoinstall-meta=tree=http://mirror/debian"
            " --kernel-options='DEBIAN_FRONTEND=text console=ttyS0'" % (TREE, TREE)
        )
        self._run(
            "cobbler profile add --name=hosts --distro=debian12 --autoinstall=sample.seed"
            " --server=" + SERVER
        )
        self._run(
            "cobbler system add --name=%s --hostname=%s --profile=hosts --netboot-enabled=1"
            " --interface=eth0 --mac=%s" % (HOST, HOST, MAC)
        )
        self._run("cobbler-bridge set --profile hosts bridge=br0")
        rendered = self._cobbler.run(["cobbler-bridge", "render", "--system", HOST]).stdout
        self._say(re.findall("(?m)^d-i preseed/late_command .*", rendered)[0])
        sample = self._cobbler.path(TEMPLATES + "/sample.seed").read_text()
        self._cobbler.path(TEMPLATES + "/hosts.seed").write_text(preseed(sample, rendered))
        self._run("cobbler profile edit --name=hosts --autoinstall=hosts.seed")
        self._cobbler.run(["cobbler", "sync"])
        # what a machine's own boot program fetches there
        link = self._cobbler.path("/srv/tftpboot/grub/images")
        if not link.exists():
            link.symlink_to("../images")

    def install(self, machine: Qemu) -> bool:
        """Debian's installer, until it starts the machine again.

        Returns:
            False where the mirror has not the parts that it loads.
        """
        machine.start()
        told = 0
        heard = ""
        while machine.runs() or len(machine.seen()) > told:
            said = machine.seen()
            for line in said[told:].split("\n")[:-1]:
                told += len(line) + 1
                step = _STEP.match(line.strip())
                if step and step.group() != heard:
                    heard = step.group()
                    self._say("  " + heard)
            self._show_state()
            if _NO_PARTS in said:
                machine.off()
                return False
            if _ASKS in said:
                sys.exit("the installer asks:\n" + said[-1000:])
            time.sleep(10)
        return True

    _state = ""

    def _show_state(self) -> None:
        text = self._cobbler.run(["cobbler-bridge", "show", HOST], check=False).stdout
        if text != self._state and text.strip():
            self._state = text
            self._say("$ cobbler-bridge show %s" % HOST)
            self._say(text)

    def boot(self, machine: Qemu, words: Sequence[str]) -> None:
        """The first boot, until the bridge is proved; and what the machine shows."""
        self._say("%s boots" % HOST)
        machine.start(words)
        machine.await_text(HOST + " login: ")
        self._say("%s login:" % HOST)
        until = time.monotonic() + 1200
        while "verified" not in self._state and time.monotonic() < until and machine.runs():
            self._show_state()
            time.sleep(2)
        machine.type("root\n")
        machine.await_text("Password: ")
        machine.type("cobbler\n")
        machine.await_text(PROMPT)
        machine.ask("export SYSTEMD_PAGER= SYSTEMD_COLORS=0; stty cols 200")
        for command in (
            "cat /etc/debian_version",
            "ip -br link",
            "ip -br -4 addr",
            "ip -4 route",
            "bridge link",
            "cat /etc/network/interfaces.d/cobbler-bridge",
            "grep 'cobbler-bridge: ' /var/log/installer/syslog | sed 's/.*cobbler-bridge: //'",
            "journalctl --no-pager -o cat -u cobbler-bridge-firstboot",
            "systemctl is-system-running",
        ):
            self._say("%s# %s" % (HOST, command))
            self._say(machine.ask(command))
        machine.off()
        if "verified" not in self._state:
            sys.exit("the bridge was not proved")


def main() -> None:
    """Do it all."""
    parser = argparse.ArgumentParser(description="Installs Debian 12 from a private Cobbler.")
    parser.add_argument("--accel", default="tcg,thread=multi,tb-size=512", help="QEMU's -accel")
    parser.add_argument("--log", type=Path, default=Path("install-debian.log"))
    parser.add_argument("--folder", type=Path, help="keep the disk there")
    options = parser.parse_args()
    options.log.write_bytes(b"")
    transcript = Transcript()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        images = unpack(Path(temporary))
        with PrivateCobbler() as cobbler:
            installation = Installation(cobbler, transcript)
            installation.set_up(images)
            machine = Qemu(cobbler, folder, options.accel, options.log)
            words: List[str] = []
            try:
                if not installation.install(machine):
                    transcript.say(
                        "The mirror has not the installer's parts: mmdebstrap unpacks it"
                    )
                    way = FromPackages(cobbler, folder, transcript)
                    way.unpack(images)
                    way.finish()
                    words = way.onto(machine.disk)
                installation.boot(machine, words)
            finally:
                machine.off()


if __name__ == "__main__":
    main()
