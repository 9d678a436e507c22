"""A scratch root that looks like a machine in the middle of its installation."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence

from waiting import HANGS

SHELLS: Dict[str, List[str]] = {
    "bash": ["bash", "--posix"],
    "dash": ["dash"],
    "busybox": ["busybox", "sh"],
}
_STAYS = " the network stays as it is\n"
_CHILD = re.compile(r" /bin/sh (<<'.*\n)")


class Run(NamedTuple):
    """How a script ended and what it printed."""

    status: int
    output: str
    errors: str

    @property
    def refused(self) -> bool:
        """Whether it left the machine as it was, and said so last."""
        return self.errors.endswith(_STAYS)


def build(root: Path, machine: Mapping[str, Any]) -> None:
    """Lay out ``/sys``, ``/proc`` and the files that an installer left.

    ``machine`` has ``nics`` (name → mac, link, and hardware: False for a virtual device, ports
    for a bridge, bond: [NIC…], vlan: [DEVICE, TAG], on: [DEVICE…] for what is made of them in
    another way), ``route`` (the default route's device), ``cmdline``, ``python`` (whether there is
    a python3) and ``files``
    (path → content; a path that ends in ``!`` is executable, one that ends in ``@`` a symbolic link
    to what is said, a keyfile is its owner's alone).
    """
    for name, nic in (machine.get("nics") or {}).items():
        _device(root, name, nic, machine["nics"])
    for port in (root / "sys/class/net").glob("*/brif/*"):
        if (root / "sys/class/net" / port.name).is_dir():
            (root / "sys/class/net" / port.name / "brport").mkdir()
    proc = root / "proc/net"
    proc.mkdir(parents=True, exist_ok=True)
    routes = ["Iface\tDestination\tGateway \tFlags"]
    if machine.get("route"):
        routes.append("%s\t00000000\t0100000A\t0003" % machine["route"])
    (proc / "route").write_text("\n".join(routes) + "\n")
    (root / "proc/cmdline").write_text(machine.get("cmdline", "ro quiet") + "\n")
    files = dict(machine.get("files") or {})
    if machine.get("python"):
        files["/usr/bin/python3!"] = '#!/bin/sh\nexec %s "$@"\n' % sys.executable
    for path, content in files.items():
        target = root / path.rstrip("!@").lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("@"):
            target.symlink_to(content.strip())
            continue
        target.write_text(content)
        mode = 0o600 if "/system-connections/" in path else 0o644
        target.chmod(0o755 if path.endswith("!") else mode)


def _device(root: Path, name: str, nic: Mapping[str, Any], nics: Mapping[str, Any]) -> None:
    """A device as the kernel shows it."""
    at = root / "sys/class/net" / name
    at.mkdir(parents=True)
    (at / "address").write_text(nic["mac"] + "\n")
    (at / "type").write_text("%d\n" % nic.get("type", 1))
    (at / "carrier").write_text("%d\n" % nic.get("link", True))
    (at / "uevent").write_text("INTERFACE=%s\n" % name)
    if "ports" in nic:
        (at / "bridge").mkdir()
        for port in nic["ports"]:
            (at / "brif" / port).mkdir(parents=True)
    elif "bond" in nic:
        _bond(root, name, nic, nics)
    elif "vlan" in nic:
        _vlan(root, name, *nic["vlan"])
    elif nic.get("hardware", True) and "on" not in nic:
        (at / "device").mkdir()
    for below in nic.get("on", ()):
        (at / ("lower_" + below)).symlink_to("../" + below)


def _bond(root: Path, name: str, bond: Mapping[str, Any], nics: Mapping[str, Any]) -> None:
    """A bond as the kernel shows it: its ports have the address of the first."""
    at = root / "sys/class/net" / name / "bonding"
    at.mkdir()
    (at / "slaves").write_text(" ".join(bond["bond"]) + "\n")
    text = "Bonding Mode: load balancing (round-robin)\n"
    for port in bond["bond"]:
        own = "\nSlave Interface: %s\nMII Status: up\nPermanent HW addr: %s\n"
        text += own % (port, nics[port]["mac"])
    proc = root / "proc/net/bonding"
    proc.mkdir(parents=True, exist_ok=True)
    (proc / name).write_text(text)


def _vlan(root: Path, name: str, parent: str, tag: int) -> None:
    """A VLAN as the kernel shows it."""
    proc = root / "proc/net/vlan"
    proc.mkdir(parents=True, exist_ok=True)
    (proc / name).write_text(
        "%s  VID: %d\t REORDER_HDR: 1  dev->priv_flags: 1\nDevice: %s\n" % (name, tag, parent)
    )
    if not (proc / "config").exists():
        (proc / "config").write_text("VLAN Dev name\t | VLAN ID\nName-Type: VLAN_NAME_TYPE\n")
    with open(str(proc / "config"), "a", encoding="utf-8") as config:
        config.write("%-15s| %d  | %s\n" % (name, tag, parent))


def in_shell(script: str, shell: Sequence[str], inside: str = "") -> str:
    """An emitted script that has one of ``SHELLS`` in place of ``/bin/sh``.

    ``inside`` comes before all else that this shell reads.
    """
    # the section may have lost its PATH
    child = " %s " % " ".join([shutil.which(shell[0]) or shell[0], *shell[1:]])
    return _CHILD.sub(lambda match: child + match.group(1) + inside, script, count=1)


def run(script: str, root: Path, shell: Sequence[str], inside: str = "") -> Run:
    """Run an emitted script on a scratch root, in one of ``SHELLS``; see ``in_shell``."""
    done = subprocess.run(
        [*shell, "-s"],
        input=in_shell(script, shell, inside),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=dict(os.environ, BRIDGE_ROOT=str(root)),
        timeout=HANGS,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def tree(root: Path) -> Dict[str, str]:
    """Every file of a scratch root but the kernel's, with its content."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if not name.startswith(("sys/", "proc/")) and (path.is_file() or path.is_symlink()):
            found[name] = path.read_text() if path.exists() else "-> " + os.readlink(str(path))
    return found
