"""A scratch root that looks like a machine in the middle of its installation."""

import os
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence

SHELLS: Dict[str, List[str]] = {
    "bash": ["bash", "--posix"],
    "dash": ["dash"],
    "busybox": ["busybox", "sh"],
}


class Run(NamedTuple):
    """How a script ended and what it printed."""

    status: int
    output: str
    errors: str


def build(root: Path, machine: Mapping[str, Any]) -> None:
    """Lay out ``/sys``, ``/proc`` and the files that an installer left.

    ``machine`` has ``nics`` (name → mac, link, and hardware: False for a virtual device, ports
    for a bridge), ``route`` (the default route's device), ``cmdline`` and ``files``
    (path → content; a path that ends in ``!`` is executable).
    """
    for name, nic in (machine.get("nics") or {}).items():
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
        elif nic.get("hardware", True):
            (at / "device").mkdir()
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
    for path, content in (machine.get("files") or {}).items():
        target = root / path.rstrip("!").lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
        target.chmod(0o755 if path.endswith("!") else 0o644)


def run(script: str, root: Path, shell: Sequence[str]) -> Run:
    """Run an emitted script on a scratch root, in one of ``SHELLS``."""
    done = subprocess.run(
        [*shell, "-s"],
        input=script,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=dict(os.environ, BRIDGE_ROOT=str(root)),
        timeout=60,
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
