"""What the real Koan would put on a guest's network interfaces, without making a guest.

Koan 3.0.1 (requirements/koan.txt) runs unpatched inside a private Cobbler. Around it stand
recording stubs of what a virtualization host has: virt-install, qemu-img and the Python module
libvirt. From a test:

    koan_networks(cobbler, system="web1")       # ["bridge=br0,mac=52:54:00:…"]

and inside a private Cobbler:

    python koan_network.py --system web1
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, Optional

from cobbler_namespace import add_entries, own_mounts
from private_cobbler import PrivateCobbler

# Koan looks for this very file before it believes in virt_type qemu.
QEMU_IMG = "/usr/bin/qemu-img"
# Answers as virt-install 4.1 does; a real call leaves its arguments, each ended by a zero byte.
_VIRT_INSTALL = """\
#!/bin/sh
case "$1" in
--version) echo 4.1.0 ;;
--os-variant) printf '%s\\n' rhel6.0 rhel7.0 rhel8.0 rhel9.0 debian12 ubuntu22.04 sles15 ;;
*) printf '%s\\0' "$@" > "$KOAN_NETWORK_RECORD" ;;
esac
"""
_NOTHING = "#!/bin/sh\nexit 0\n"
# libvirt-python needs a compiler; Koan asks it for the capabilities and to switch autostart on.
_LIBVIRT = '''\
"""Stands in for libvirt-python: a connection to a host with plain QEMU."""


class _Domain:
    autostart = True

    def setAutostart(self, flag):
        pass


class _Connection:
    def getCapabilities(self):
        return "<capabilities><guest><arch><domain type='qemu'/></arch></guest></capabilities>"

    def listDefinedDomains(self):
        return []

    def lookupByName(self, name):
        return _Domain()


def open(name=None):
    return _Connection()


openReadOnly = open
'''


class KoanError(Exception):
    """Koan ended without calling virt-install.

    Attributes:
        output: everything Koan printed.
    """

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


def koan_networks(
    cobbler: PrivateCobbler,
    system: Optional[str] = None,
    profile: Optional[str] = None,
    virt_bridge: Optional[str] = None,
    wrapper: Optional[Path] = None,
    bridges: str = "",
) -> List[str]:
    """Return the value of each `--network` that Koan gives virt-install, in Koan's order.

    Args:
        cobbler: a running private Cobbler that has the object.
        system: the system to install; or
        profile: the profile to install.
        virt_bridge: for Koan's --virt-bridge.
        wrapper: a shell script that is called in the place of koan, and calls it.
        bridges: COBBLER_BRIDGE in the environment.

    Raises:
        KoanError: Koan refuses or breaks; the text is its own.
        CommandError: the helper inside broke.
    """
    arguments = _arguments(system, profile, virt_bridge)
    arguments += [] if wrapper is None else [f"--wrapper={wrapper}"]
    call = [sys.executable, str(Path(__file__).resolve()), "--json", *arguments]
    answer = json.loads(cobbler.run(call, env={"COBBLER_BRIDGE": bridges}).stdout)
    if "error" in answer:
        raise KoanError(answer["error"], answer["output"])
    networks: List[str] = answer["networks"]
    return networks


def run_koan(
    system: Optional[str] = None,
    profile: Optional[str] = None,
    virt_bridge: Optional[str] = None,
    wrapper: Optional[str] = None,
) -> List[str]:
    """Do what `koan_networks` does, in a process that already is inside.

    Changes the calling process's mount namespace: for a process that ends afterwards.

    Raises:
        KoanError: Koan refuses or breaks; the text is its own.
        OSError: a mount failed.
    """
    with tempfile.TemporaryDirectory(prefix="koan-") as name:
        folder = Path(name)
        env = _stub_host(folder)
        record = folder / "arguments"
        koan = [sys.executable, os.path.join(sys.prefix, "bin", "koan")]
        run = subprocess.run(
            [
                *(koan if wrapper is None else ["sh", wrapper]),
                "--virt",
                "--server=127.0.0.1",
                "--virt-type=qemu",
                f"--virt-path={folder / 'images'}",
                *_arguments(system, profile, virt_bridge),
            ],
            env={**env, "KOAN_NETWORK_RECORD": str(record)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if run.returncode != 0 or not record.exists():
            raise KoanError(_reason(run.stdout, run.returncode), run.stdout)
        recorded = os.fsdecode(record.read_bytes()).split("\0")[:-1]
    return [recorded[i + 1] for i, word in enumerate(recorded) if word == "--network"]


def _reason(output: str, status: int) -> str:
    # An exception Koan did not foresee: its class, its text, and then where it happened.
    unforeseen = re.findall(r"^<class '(.*)'>\n(.*)", output, re.MULTILINE)
    if unforeseen:
        return ": ".join(unforeseen[-1])
    lines = output.strip().splitlines()
    return lines[-1].strip() if lines else f"koan ended with status {status}"


def _arguments(
    system: Optional[str], profile: Optional[str], virt_bridge: Optional[str]
) -> List[str]:
    given = {"system": system, "profile": profile, "virt-bridge": virt_bridge}
    return [f"--{option}={value}" for option, value in given.items() if value is not None]


def _stub_host(folder: Path) -> Dict[str, str]:
    for name in ("bin", "python", "images", "stage"):
        (folder / name).mkdir()
    for name, text in (("virt-install", _VIRT_INSTALL), ("qemu-img", _NOTHING)):
        (folder / "bin" / name).write_text(text, encoding="utf-8")
        (folder / "bin" / name).chmod(0o755)
    (folder / "python/libvirt.py").write_text(_LIBVIRT, encoding="utf-8")
    if not os.path.exists(QEMU_IMG):
        own_mounts()
        addition = {os.path.basename(QEMU_IMG): folder / "bin/qemu-img"}
        add_entries(os.path.dirname(QEMU_IMG), addition, folder / "stage")
    return {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "python"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(folder),
    }


def main() -> int:
    """Print each `--network` value on a line of its own; 1 when Koan does not get that far."""
    parser = argparse.ArgumentParser(description="Show Koan's --network arguments for a guest.")
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("--system", help="the Cobbler system to install")
    either.add_argument("--profile", help="the Cobbler profile to install")
    parser.add_argument("--virt-bridge", help="handed on to Koan")
    parser.add_argument("--wrapper", help="a shell script to call in the place of koan")
    parser.add_argument("--json", action="store_true", help="networks or error and output as JSON")
    options = parser.parse_args()
    try:
        what = (options.system, options.profile, options.virt_bridge)
        networks = run_koan(*what, wrapper=options.wrapper)
    except KoanError as error:
        if options.json:
            print(json.dumps({"error": str(error), "output": error.output}))
            return 0
        print(f"{error.output}\nkoan_network: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"networks": networks}) if options.json else "\n".join(networks))
    return 0


if __name__ == "__main__":
    sys.exit(main())
