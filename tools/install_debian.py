"""``make install-debian``: Debian's installer, from a Cobbler to a bridge that is proved.

A machine of QEMU's boots over the network from a private Cobbler that has this pack. Kernel and
initrd are those of Debian's package debian-installer-12-netboot-amd64, the preseed is Cobbler's own
sample.seed with the documented late_command line and the changes in ``CHANGES``, packages come from
the mirror that apt has here (mirror.py). The machine reaches nothing else. It is installed, boots,
and what it tells Cobbler is what ``cobbler-bridge show`` says.

Without KVM the processor is emulated, and it takes an hour or so. ``--log`` has what the machine said
on its serial line. Needs root, apt-get, and the packages qemu-system-x86 and ipxe-qemu.
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
from typing import IO, List, Optional

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
        self._disk = folder / "disk"
        with open(str(self._disk), "wb") as disk:
            disk.truncate(6 << 30)
        outside = ["nsenter", "--target", str(os.getpid()), "--net", "--"]
        outside += [sys.executable, mirror.__file__, mirror.of_apt()]
        boot = "http://%s/cblr/svc/op/ipxe/system/%s" % (SERVER, HOST)
        network = "user,mac=%s,model=virtio-net-pci,bootfile=%s" % (MAC, boot)
        network += ",guestfwd=tcp:%s:80-cmd:%s" % (PROXY, shlex.join(outside).replace(",", ",,"))
        self._words = cobbler.command_inside("--net")
        self._words += ["qemu-system-x86_64", "-accel", accel, "-smp", "2", "-m", "1024"]
        self._words += ["-machine", "pc,graphics=off", "-display", "none", "-no-reboot"]
        self._words += ["-serial", "stdio", "-boot", "n"]
        self._words += ["-drive", "file=%s,format=raw,if=virtio,cache=unsafe" % self._disk]
        self._words += ["-nic", network, "-monitor", "none"]
        self._process: "Optional[subprocess.Popen[bytes]]" = None
        self._seen = ""

    def start(self) -> None:
        """Switch it on."""
        self._seen = ""
        self._process = subprocess.Popen(
            self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
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


def preseed(sample: str, rendered: str) -> str:
    """Cobbler's sample with the line that ``render`` shows behind its own late command."""
    for old, new in CHANGES:
        assert sample.count(old) == 1, old
        sample = sample.replace(old, new)
    (ours,) = re.findall("(?m)^d-i preseed/late_command string (.*)", rendered)
    # it is the sample's last
    assert re.search(r"\n%s \\\n.*\\\n.*\n\Z" % LATE, sample)
    return "%s; %s\n" % (sample.rstrip("\n"), ours)


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
            "cobbler system add --name=%s --hostname=%s --profile=hosts --interface=eth0 --mac=%s --netboot-enabled=1"
            % (HOST, HOST, MAC)
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

    def install(self, machine: Qemu) -> None:
        """Debian's installer, until it starts the machine again."""
        machine.start()
        told = 0
        heard = ""
        # each of d-i's own steps, as it says them
        while machine.runs() or len(machine.seen()) > told:
            said = machine.seen()
            for line in said[told:].split("\n")[:-1]:
                told += len(line) + 1
                step = re.match(
                    "(Checking|Loading|Detecting|Partitions|Installing|Configuring|"
                    "Select and|Retrieving|Finishing|Preparing|Starting|Booting|iPXE)"
                    ".*[a-zA-Z]",
                    line.strip(),
                )
                text = step.group() if step else ""
                if text and text != heard:
                    heard = text
                    self._say("  " + text)
            self._show_state()
            time.sleep(20)
        if "Failed to run" in machine.seen():
            sys.exit("the installer stopped")

    _state = ""

    def _show_state(self) -> None:
        text = self._cobbler.run(["cobbler-bridge", "show", HOST], check=False).stdout
        if text != self._state and text.strip():
            self._state = text
            self._say("$ cobbler-bridge show %s" % HOST)
            self._say(text)

    def boot(self, machine: Qemu) -> None:
        """The first boot, until the bridge is proved; and what the machine shows."""
        machine.start()
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
            try:
                installation.install(machine)
                installation.boot(machine)
            finally:
                machine.off()


if __name__ == "__main__":
    main()
