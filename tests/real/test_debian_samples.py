"""Cobbler's own samples for Debian and Ubuntu with the documented lines: what a machine gets.

The commands are run as they come out of Cobbler, with wget fetching from it; what an installer has
beside it pretends: ``in-target``, ``curtin`` and ``chroot``.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml

import scratch_machine as machine
from environments import VERSIONS, Version
from private_cobbler import PrivateCobbler
from real.server import TEMPLATES, TREE, Server
from real.versions import Server40, server_of

DOCS = Path(__file__).parents[2] / "docs/installation.md"
# as it has them
PRESEED = "(?m)^d-i preseed/late_command string (wget .*)"
USER_DATA = '(?m)^    - "wget .*"$'
# Cobbler before 4.0 has none of its own
OF_USER_DATA = "#cloud-config\nautoinstall:\n  version: 1\n  late-commands:\n%s\n"
# of subiquity's schema, by which its installer tries what it is given before it does anything, what
# holds for a late command
LATE_COMMANDS: Dict[str, Any] = {
    "type": "object",
    "required": ["version", "late-commands"],
    "properties": {
        "version": {"type": "integer", "minimum": 1, "maximum": 1},
        "late-commands": {
            "type": "array",
            "items": {"type": ["string", "array"], "items": {"type": "string"}},
        },
    },
}
MACS = {"debian": "52:54:00:aa:00:01", "ubuntu": "52:54:00:aa:00:02"}
DEBIAN: Dict[str, Any] = {
    "nics": {"ens3": {"mac": MACS["debian"]}},
    "files": {
        "/etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
        "/lib/systemd/system/networking.service": "[Service]\n",
        "/sbin/ifup!": "#!/bin/sh\n",
        "/sbin/brctl!": "#!/bin/sh\n",
        "/etc/network/interfaces": "source /etc/network/interfaces.d/*\n\nauto lo\n"
        "iface lo inet loopback\n\nallow-hotplug ens3\niface ens3 inet dhcp\n",
    },
}
UBUNTU: Dict[str, Any] = {
    "nics": {"ens3": {"mac": MACS["ubuntu"]}},
    "python": True,
    "files": {
        "/etc/os-release": 'ID=ubuntu\nVERSION_ID="24.04"\n',
        "/lib/systemd/system/systemd-networkd.service": "[Service]\n",
        "/usr/sbin/netplan!": "#!/bin/sh\n",
        "/etc/netplan/00-installer-config.yaml": "network: {ethernets: {ens3: {dhcp4: true}}}\n",
    },
}
# what the installers have, on a target below $TARGET
PROGRAMS = {
    "wget": 'exec busybox wget "$@"',
    "in-target": 'BRIDGE_ROOT=$TARGET exec "$1" "$TARGET$2"',
    "curtin": 'BRIDGE_ROOT=$TARGET exec "$3" "$TARGET$4"',
    "chroot": 'cat > "$TARGET.late"',
}


class Installation:
    """A machine that is about to run late commands."""

    def __init__(self, server: Server, place: Path, target: Dict[str, Any]) -> None:
        self._server = server
        self.target = place / "target"
        machine.build(self.target, target)
        (self.target / "var/tmp").mkdir(parents=True)
        (place / "bin").mkdir()
        for name, text in PROGRAMS.items():
            (place / "bin" / name).write_text("#!/bin/sh\n%s\n" % text)
            (place / "bin" / name).chmod(0o755)
        path = "%s:%s" % (place / "bin", os.environ["PATH"])
        self._env = {"PATH": path, "TARGET": str(self.target)}

    def runs(self, command: str) -> str:
        """Run a command, whose status has to be 0; what it printed."""
        here = command.replace(" /target", " %s" % self.target)
        done = self._server.cobbler.run(["sh", "-c", "exec 2>&1; " + here], env=self._env)
        return done.stdout


@pytest.fixture(params=["3.3.10", "4.0.0b7"])
def version(request: pytest.FixtureRequest) -> Version:
    found = next(each for each in VERSIONS if each.cobbler == request.param)
    found.must_be_made()
    return found


def test_what_they_have_a_machine_do(version: Version, tmp_path: Path) -> None:
    # which is wget here
    subprocess.run(["busybox", "true"], check=True)
    with PrivateCobbler(python=version.interpreter) as cobbler:
        server = server_of(version, cobbler)
        server.install()
        for name in ("vmlinuz", "initrd.img"):
            path = cobbler.path(TREE) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        preseed(server, tmp_path / "debian")
        user_data(server, tmp_path / "ubuntu")


def template(server: Server, name: str, text: str, tag: str) -> None:
    server.template(name, text)
    if isinstance(server, Server40):
        server.edit("template", name, tags=[tag])


def host(server: Server, breed: str, os_version: str) -> str:
    """A host whose profile has a template of the breed's name."""
    files = {"kernel": TREE + "/vmlinuz", "initrd": TREE + "/initrd.img"}
    meta = {"tree": "http://mirror/" + breed}
    words = {"arch": "x86_64", "autoinstall_meta": meta, **files}
    server.add("distro", breed, breed=breed, os_version=os_version, **words)
    server.profile(breed, breed, {"bridge": "br0"}, template=breed)
    name = "of-" + breed
    server.system(name, breed, more={"macaddress-eth0": MACS[breed]})
    return name


def shown(server: Server, name: str, pattern: str) -> List[str]:
    found: List[str] = re.findall(pattern, server.command("render", "--system", name).stdout)
    return found


def findings(server: Server) -> List[str]:
    said = server.command("check", check=False).stdout.splitlines()
    return [line for line in said if ": autoinstall: " in line]


def preseed(server: Server, place: Path) -> None:
    sample = server.cobbler.path(TEMPLATES + "/sample.seed")
    if isinstance(server, Server40):
        items = server.cobbler.rpc("get_items", "template")
        (uri,) = (each["uri"] for each in items if each["name"] == "built-in-sample.seed")
        sample = Path(uri["path"])
    (ours,) = re.findall(PRESEED, DOCS.read_text())
    template(server, "debian", "%s; %s\n" % (sample.read_text().rstrip("\n"), ours), "preseed")
    name = host(server, "debian", "bullseye")
    assert findings(server) == []
    # as debconf has a line that goes on in the next one
    text = re.sub(r"\s*\\\n\s*", " ", server.kickstart(name))
    (late,) = re.findall("(?m)^d-i preseed/late_command string (.*)", text)
    theirs, _, rest = late.partition("; ")
    assert theirs.endswith("?script=preseed_late_default | chroot /target /bin/sh -s")
    assert [rest] == shown(server, name, PRESEED)
    if shutil.which("debconf-set-selections"):
        subprocess.run(["debconf-set-selections", "-c"], input=text.encode(), check=True)
    installation = Installation(server, place, DEBIAN)
    said = installation.runs(late)
    assert "cobbler-bridge: wrote /etc/network/interfaces.d/cobbler-bridge\n" in said, said
    assert said.endswith(
        "it takes effect at the next boot, which proves it or puts the old network back\n"
    )
    written = installation.target / "etc/network/interfaces.d/cobbler-bridge"
    assert "\niface br0 inet dhcp\n    bridge_ports ens3\n" in written.read_text()


def user_data(server: Server, place: Path) -> None:
    lines: List[str] = re.findall(USER_DATA, DOCS.read_text())
    template(server, "ubuntu", OF_USER_DATA % "\n".join(lines), "user-data")
    name = host(server, "ubuntu", "focal")
    commands = [yaml.safe_load(line)[0] for line in shown(server, name, USER_DATA)]
    path = "/cblr/svc/op/autoinstall/system/%s/" % name
    if isinstance(server, Server40):
        # its own has them by a variable
        meta = {
            "bridge": "br0",
            "cloud_init_user_data_modules": ["ubuntu-autoinstall"],
            "cloud_init_ubuntu_autoinstall": {"version": 1, "late-commands": commands},
        }
        server.edit("profile", "ubuntu", autoinstall="built-in-user-data", autoinstall_meta=meta)
        path += "file/built-in-user-data/subfile/"
    text = server.get(path + "user-data").text
    assert text.startswith("#cloud-config\n")
    installs = yaml.safe_load(text)["autoinstall"]
    jsonschema = pytest.importorskip("jsonschema", reason="it is for the newest Pythons only")
    jsonschema.validate(installs, LATE_COMMANDS)
    late = installs["late-commands"]
    assert (len(lines), late) == (2, commands)
    assert findings(server) == []
    installation = Installation(server, place, UBUNTU)
    said = installation.runs(late[0])
    assert "cobbler-bridge: wrote /etc/netplan/90-cobbler-bridge.yaml\n" in said, said
    assert server.state(name) is None
    installation.runs(late[1])
    assert server.state(name) == "br0/installed"
