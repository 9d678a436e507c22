"""Every version of Cobbler that the pack is tested on, each in a virtual environment of its own.

    python cobbler_versions.py            make the environments below .venv, where they are missing
    python cobbler_versions.py --pythons  the Pythons of this machine

The environment of this tool holds the pack and the Cobbler of requirements/cobbler.txt; the others
see what it has, behind what is their own.
"""

import concurrent.futures
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".venv"
COMMAND = """\
#!{python}
import sys
from cobbler_bridge.cli import main
sys.exit(main())
"""


class Version(NamedTuple):
    """A Cobbler of PyPI, the Python it runs on ("3.6"; empty for this one), what it needs more."""

    cobbler: str
    python: str = ""
    requirements: str = ""

    @property
    def name(self) -> str:
        """What tests and folders call it."""
        return self.cobbler + (f"-python{self.python}" if self.python else "")

    @property
    def interpreter(self) -> Path:
        """The Python of its environment."""
        return ENVIRONMENTS / f"cobbler-{self.name}/bin/python"

    def must_be_made(self) -> None:
        """Raise ``FileNotFoundError`` where there is no environment with this version."""
        if not (self.interpreter.parent.parent / "made").is_file():
            raise FileNotFoundError(f"run 'make .venv/versions': there is no Cobbler {self.name}")


# 3.3.8 is not on PyPI; the latest 3.3 is the one of requirements/cobbler.txt
VERSIONS = (
    Version("3.2.3", requirements="cobbler-3.2.txt"),
    Version("3.2.3", "3.6", "cobbler-3.2.txt"),
    Version("3.3.0"),
    Version("3.3.1"),
    Version("3.3.2"),
    Version("3.3.3"),
    Version("3.3.4"),
    Version("3.3.5"),
    Version("3.3.6"),
    Version("3.3.7"),
    Version("3.3.9"),
    Version("3.3.10"),
    Version("3.3.10", "3.6"),
    Version("4.0.0b7", requirements="cobbler-4.0.txt"),
)
# those that the pack is for, and that its pure tests are run on
PYTHONS = ("3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")


def find_python(version: str) -> Optional[str]:
    """A Python of this machine, on PATH or where pyenv keeps it; ``None`` where there is none."""
    candidates = [shutil.which(f"python{version}") or ""]
    candidates += map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for candidate in filter(None, candidates):
        # a shim on PATH may be there without its Python
        if subprocess.call([candidate, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return candidate
    return None


def make(version: Version) -> None:
    """Make an environment, unless there is one that is as it should be.

    Raises:
        subprocess.CalledProcessError: pip failed; what it said went to standard error.
    """
    folder = version.interpreter.parent.parent
    stamp = folder / "made"
    wanted = _wanted(version)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    python = find_python(version.python) if version.python else sys.executable
    if python is None:
        print(f"There is no Python {version.python} for Cobbler {version.cobbler} here.")
        return
    shutil.rmtree(folder, ignore_errors=True)
    without_pip = [] if version.python else ["--without-pip"]
    subprocess.run([python, "-m", "venv", *without_pip, str(folder)], check=True)
    files = [f"python-{version.python}.txt"] if version.python else []
    files += [version.requirements] if version.requirements else []
    _pip(version, f"cobbler=={version.cobbler}", *_options(files))
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.check_output([str(version.interpreter), "-c", script], text=True).strip()
    Path(site, "pack.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = folder / "bin/cobbler-bridge"
    command.write_text(COMMAND.format(python=version.interpreter))
    command.chmod(0o755)
    stamp.write_text(wanted)


def _options(files: List[str]) -> List[str]:
    return [word for name in files for word in ("-r", str(ROOT / "requirements" / name))]


def _pip(version: Version, *arguments: str) -> None:
    pip = [str(version.interpreter), "-m", "pip"]
    if version.python:
        # the last one for Python 3.6 that knows the wheels of today
        subprocess.run([*pip, "-q", "install", "pip==21.3.1"], check=True, env=_quiet())
    else:
        pip = [sys.executable, "-m", "pip", "--python", str(version.interpreter)]
    subprocess.run([*pip, "-q", "install", "--no-deps", *arguments], check=True, env=_quiet())


def _quiet() -> Dict[str, str]:
    return {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}


def _wanted(version: Version) -> str:
    """Changes with everything that the environment depends on."""
    text = repr(version) + sys.version + COMMAND + str(ROOT)
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        text += path.read_text(encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    """Make what is missing, or say which Pythons there are."""
    if sys.argv[1:] == ["--pythons"]:
        for version in PYTHONS:
            print(version, find_python(version) or "is not here")
        return
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(make, VERSIONS))


if __name__ == "__main__":
    main()
