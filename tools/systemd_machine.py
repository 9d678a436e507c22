"""A throw-away machine that boots: systemd is its process 1, as often as a test wants.

    with Machine() as machine, SystemdMachine(machine) as system:
        system.boot()
        system.run("systemctl", "is-system-running")
        system.power_off()

The files are the machine's and stay from boot to boot, /run and the processes do not. It has a
control group of its own; the settings of the kernel that are everybody's can't be written.
"""

import os
from types import TracebackType
from typing import List, Optional, Type

from network_namespace import Machine
from waiting import wait_for

# what a machine without hardware has no use for, and what would reach beyond it
MASKED = (
    "systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service"
    " systemd-random-seed.service systemd-logind.service systemd-binfmt.service"
    " systemd-firstboot.service systemd-machine-id-commit.service systemd-repart.service"
    " systemd-update-utmp.service systemd-journal-flush.service kmod-static-nodes.service"
    " getty.target dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount"
    " sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount"
    " proc-sys-fs-binfmt_misc.automount NetworkManager-dispatcher.service"
    " NetworkManager-wait-online.service firewalld.service systemd-hostnamed.service"
    " dbus-org.freedesktop.hostname1.service dbus-org.freedesktop.login1.service"
    " nftables.service"
).split()
_TRIGGER = """\
[Service]
ExecStart=
# an older one fails where there is a device that it may not write to
ExecStart=-/usr/bin/udevadm trigger --action=add --subsystem-match=net
"""
# a group of its own first, of which the second namespace then sees nothing above
_BOOT = """\
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$1"
echo $$ > "/sys/fs/cgroup/$1/cgroup.procs"
umount /sys/fs/cgroup
exec unshare --cgroup --pid --fork --kill-child sh -c '
    mount -t proc proc /proc
    mount --bind /proc/sys /proc/sys
    mount -o remount,bind,ro /proc/sys
    mount --bind /proc/sys/net /proc/sys/net
    mount -o remount,bind,rw /proc/sys/net
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    export container=other
    exec /lib/systemd/systemd --unit=multi-user.target --log-target=journal'
"""
_CLEAR = """\
mount -t cgroup2 cgroup2 /mnt
for try in 1 2 3 4 5 6 7 8 9; do
    find "/mnt/$1".* -depth -type d -exec rmdir {} + 2> /dev/null && break
    sleep 0.2
done
umount /mnt
"""
# the one that is process 1 in a namespace below this one
_ENTER = """\
for each in /proc/[0-9]*; do
    read -r name < "$each/comm" || continue
    # of an earlier start nobody has collected the dead
    [ "$name" = systemd ] && ! grep -q "^State:.Z" "$each/status" &&
        grep -q '^NSpid:.*[[:space:]]1$' "$each/status" || continue
    exec nsenter --target "${each##*/}" --mount --pid --cgroup -- "$@"
done 2> /dev/null
echo 'it is not running' >&2
exit 1
"""


class SystemdMachine:
    """Boots a ``Machine``. Units are enabled by links below /etc/systemd/system."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._group = "machine-%d" % os.getpid()
        self._boots = 0
        self._on = False

    def __enter__(self) -> "SystemdMachine":
        run = self._machine.run
        run("rm", "-rf", "/etc/systemd/system", "/etc/fstab", "/usr/lib/tmpfiles.d/tmp.conf")
        run("sh", "-c", "rm -rf /etc/rc?.d /etc/init.d /var/log/journal; mkdir -p /var/log/journal")
        for unit in MASKED:
            self.link("/dev/null", unit)
        self.unit("systemd-udev-trigger.service.d/net.conf", _TRIGGER)
        self.write("/etc/machine-id", "%032x\n" % 1)
        # udev looks for groups that are not there: nobody answers while systemd is busy with itself
        run("rm", "-f", "/etc/nsswitch.conf")
        self.write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.power_off()
        self._machine.run("sh", "-c", _CLEAR, "sh", self._group, check=False)

    def write(self, path: str, text: str) -> None:
        """Write a file of the machine."""
        place = self._machine.path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def unit(self, name: str, text: str) -> None:
        """Write a unit file, or a part of one."""
        self.write("/etc/systemd/system/" + name, text)

    def link(self, target: str, name: str) -> None:
        """Make a link below /etc/systemd/system, which masks or enables a unit."""
        place = self._machine.path("/etc/systemd/system/" + name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    def boot(self) -> None:
        """Start the machine, in a new control group; returns when its systemd answers.

        Raises:
            AssertionError: it does not come up.
        """
        self._boots += 1
        self._on = True
        group = "%s.%d" % (self._group, self._boots)
        unshare = ("unshare", "--mount", "--fork", "--kill-child")
        self._machine.start(*unshare, "sh", "-c", _BOOT, "sh", group)
        states = ("starting", "running", "degraded")
        come = wait_for(lambda: self.state() in states, lives=self.running)
        assert come, self._machine.log("unshare")

    def running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._on and self._machine.running("unshare")

    def power_off(self) -> None:
        """Take its power away."""
        if self.running():
            self._machine.stop("unshare", "KILL")
        self._on = False

    def run(self, *words: str, check: bool = True) -> str:
        """Run a command in it and return what it printed."""
        return self._machine.run("sh", "-c", _ENTER, "sh", *words, check=check)

    def command(self, *words: str) -> List[str]:
        """What runs a command in it, of a caller that sees this machine's processes."""
        return self._machine.command("sh", "-c", _ENTER, "sh", *words)

    def state(self) -> str:
        """What ``systemctl is-system-running`` says."""
        return self.run("systemctl", "is-system-running", check=False).strip()

    def journal(self, unit: str) -> str:
        """What a unit has said since the last start."""
        return self.run("journalctl", "-b", "--no-pager", "-o", "cat", "-u", unit)
