"""A preseed of a real Cobbler's goes through what Debian's installer itself makes of it.

Everything of the installer is its initrd's: its debconf, busybox, wget, ``preseed_command`` and
``in-target``, and what it does after the late command. It runs beside Cobbler, and installs on a root
like this machine's, as far as it is from the end: the late command, and what comes behind it.
"""

import re
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from install_debian import LATE, preseed
from network_namespace import LAYER, RELEASES, Machine, must_be_unpacked
from real.server import TREE, Server
from real.test_ifupdown import DHCP, INTERFACES, OF_THE_INSTALLER, OURS

pytestmark = pytest.mark.releases

INSTALLER = RELEASES / "installer"
MAC = "52:54:00:99:00:01"
SEED = "/etc/preseed.cfg"
# as the installer has them when it has put the packages on the disk
MOUNT = """\
set -e
cd /installer
mkdir -p target dev proc sys run/lock
mount -t tmpfs tmpfs run
mount --bind /dev dev
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --bind / target
mount --bind /dev target/dev
mount -t tmpfs tmpfs target/installer
chroot . syslogd
"""
LOAD = (
    """\
set -e
export DEBIAN_FRONTEND=noninteractive
for each in /var/lib/dpkg/info/*.templates; do debconf-loadtemplate d-i "$each"; done
debconf-set-selections %s
"""
    % SEED
)
STEP = "DEBIAN_FRONTEND=text exec debconf -o d-i /usr/lib/finish-install.d/%s < /dev/null"


class Installer:
    """The installer near its end, with a card that has a lease."""

    def __init__(self, machine: Machine, server: Server) -> None:
        self._machine = machine
        self._server = server

    def prepare(self) -> None:
        machine = self._machine
        for path in ("NetworkManager", "netplan"):
            machine.run("rm", "-rf", "/usr/sbin/" + path)
        machine.run("sh", "-c", "rm -rf /etc/netplan /etc/udev/rules.d /var/lib/cobbler-bridge")
        machine.run("mkdir", "-p", "/etc/udev/rules.d", "/etc/systemd/system")
        machine.write("/etc/os-release", 'ID=debian\nVERSION_ID="12"\n')
        machine.write(INTERFACES, OF_THE_INSTALLER % DHCP)
        machine.wire("eth0", MAC, "far", "far0")
        machine.run("ip", "link", "set", "eth0", "up")
        machine.run("sh", "-c", MOUNT)

    def take(self, text: str) -> None:
        """Read a preseed."""
        self._machine.write("/installer" + SEED, text)
        self.run(LOAD)

    def run(self, script: str) -> str:
        """Run a script in the installer."""
        words = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "chroot", "/installer")
        return self._machine.run(*words, "/bin/sh", "-c", script)

    def finish(self) -> str:
        """The steps of its end that have to do with commands and the network, and its log."""
        for name in ("07preseed", "55netcfg-copy-config"):
            said = self.run(STEP % name)
            assert "Failed" not in said, said + self.log()
        return self.log()

    def log(self) -> str:
        return self.on_disk("/installer/var/log/messages")

    def on_disk(self, path: str) -> str:
        return self._machine.run("sh", "-c", '[ ! -e "$0" ] || cat "$0"', path)


@pytest.fixture
def installer(server: Server, tmp_path: Path) -> Iterator[Installer]:
    must_be_unpacked(INSTALLER)
    server.add(
        "distro",
        "debian",
        breed="debian",
        os_version="bullseye",
        arch="x86_64",
        kernel=TREE + "/vmlinuz",
        initrd=TREE + "/initrd.img",
        autoinstall_meta={"tree": "http://mirror/debian"},
    )
    sample = server.cobbler.path("/var/lib/cobbler/templates/sample.seed").read_text()
    server.add("profile", "hosts", distro="debian", autoinstall="sample.seed")
    server.edit("profile", "hosts", autoinstall_meta={"bridge": "br0", "bridge_firewall": "none"})
    server.add("system", "kvm1", profile="hosts", modify_interface={"macaddress-eth0": MAC})
    rendered = server.command("render", "--system", "kvm1").stdout
    server.cobbler.path("/var/lib/cobbler/templates/hosts.seed").write_text(
        preseed(sample, rendered)
    )
    server.edit("profile", "hosts", autoinstall="hosts.seed")
    layer = LAYER.with_name("layer-ifupdown")
    must_be_unpacked(layer)
    subprocess.run(["cp", "-a", str(layer), str(tmp_path / "layer")], check=True)
    subprocess.run(["cp", "-a", str(INSTALLER), str(tmp_path / "layer/installer")], check=True)
    with Machine(tmp_path / "layer", server.cobbler.command_inside()) as machine:
        found = Installer(machine, server)
        found.prepare()
        yield found
    server.remove("system", "kvm1")
    server.remove("profile", "hosts")
    server.remove("distro", "debian")


def test_the_documented_line_beside_cobblers_own(installer: Installer, server: Server) -> None:
    text = server.kickstart("kvm1")
    assert "\nd-i mirror/suite string bookworm\n" in text
    installer.take(text)
    log = installer.finish()
    assert "cobbler-bridge: port 1 of br0 is eth0 (%s)" % MAC in log
    assert "cobbler-bridge: wrote " + OURS in log
    assert "/sys is not there" not in log
    assert "iface br0 inet dhcp" in installer.on_disk(OURS)
    # the installer itself did not write it anew
    assert "eth0" not in installer.on_disk(INTERFACES)
    # it is to be proved at the first boot, and Cobbler's own script ran behind ours
    assert "port eth0" in installer.on_disk("/var/lib/cobbler-bridge/expected")
    assert re.search(r"kvm1 +br0 +\S+ +installed", server.command("show", "kvm1").stdout)


def test_a_refusal_is_in_the_log_and_the_installer_goes_on(
    installer: Installer, server: Server
) -> None:
    server.edit("profile", "hosts", autoinstall_meta={"bridge": "br0", "bridge_mtu": "tiny"})
    installer.take(server.kickstart("kvm1"))
    log = installer.finish()
    assert "bridge_mtu: 'tiny'" in log
    assert installer.on_disk(OURS) == ""
    assert "iface eth0 inet dhcp" in installer.on_disk(INTERFACES)


def test_a_plain_chroot_says_what_it_lacks(installer: Installer, server: Server) -> None:
    """What check warns of, as the installer has it."""
    url = re.findall("http://[^']*=cobbler_bridge_setup", server.kickstart("kvm1"))[0]
    installer.take("%s %s | chroot /target /bin/sh -s\n" % (LATE, url))
    assert "/sys is not there: in-target" in installer.finish()
    assert installer.on_disk(OURS) == ""
