"""Every Cobbler and every Python that the pack is tested on, in virtual environments of their own.

    python environments.py            make those of ``make test`` that are missing below .venv
    python environments.py --all      make those of ``make test-thorough`` too
    python environments.py --pythons  say which Pythons this machine has

The environment of this tool holds the pack and the Cobbler of requirements/cobbler.txt. Those of
other Cobblers see what it has, behind what is their own, or on another Python the pack alone; those
of Pythons have only test tools.
"""

import concurrent.futures
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import List, NamedTuple, Optional

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
            raise FileNotFoundError(
                f"run 'make .venv/all-versions': there is no Cobbler {self.name}"
            )


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
# one of each kind, on the oldest Python too; the others are like them
KINDS = ("3.2.3-python3.6", "3.3.10", "4.0.0b7")
# what a test needs of the others
USED = (*KINDS, "3.2.3", "3.3.3")
# the pure tests are run on these too: EL 8 and SLE 15 have 3.6, EL 9 has 3.9, EL 10 has 3.12
PYTHONS = ("3.6", "3.8", "3.9", "3.12", "3.13")


def find_python(version: str) -> Optional[str]:
    """A Python of this machine, on PATH or where pyenv keeps it; ``None`` where there is none."""
    candidates = [shutil.which(f"python{version}") or ""]
    candidates += map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for candidate in filter(None, candidates):
        # a shim on PATH may be there without its Python
        if subprocess.call([candidate, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return candidate
    return None


def pure_python(version: str) -> Path:
    """The interpreter of the environment for the pure tests on a Python."""
    return ENVIRONMENTS / f"python-{version}/bin/python"


def make_cobbler(version: Version) -> None:
    """Make the environment of a Cobbler, unless there is one that is as it should be.

    Raises:
        subprocess.CalledProcessError: pip failed; what it said went to standard error.
    """
    files = [f"python-{version.python}.txt"] if version.python else []
    files += [version.requirements] if version.requirements else []
    wanted = ["--no-deps", f"cobbler=={version.cobbler}"]
    if not _made(version.interpreter, version.python, wanted, files):
        return
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.check_output([str(version.interpreter), "-c", script], text=True).strip()
    seen = _pack_alone() if version.python else Path(sysconfig.get_path("purelib"))
    Path(site, "pack.pth").write_text(f"{seen}\n")
    command = version.interpreter.parent / "cobbler-bridge"
    command.write_text(COMMAND.format(python=version.interpreter))
    command.chmod(0o755)


def _pack_alone() -> Path:
    """A folder with the pack and nothing else of this environment, for another Python."""
    folder = ENVIRONMENTS / "pack"
    folder.mkdir(exist_ok=True)
    link = folder / "cobbler_bridge"
    if not link.is_symlink():
        link.symlink_to(Path(sysconfig.get_path("purelib"), "cobbler_bridge"))
    return folder


def make_python(version: str) -> None:
    """Make the environment of a Python; as for ``make_cobbler``."""
    _made(pure_python(version), version, [], ["pure.txt"])


def _made(interpreter: Path, version: str, wanted: List[str], files: List[str]) -> bool:
    """Whether an environment was made anew: not where it is there, or its Python is not."""
    folder = interpreter.parent.parent
    # the number changes with what is done below
    text = repr((2, sys.version, str(ROOT), version, wanted, COMMAND))
    text += "".join((ROOT / "requirements" / name).read_text() for name in files)
    stamp, made_of = folder / "made", hashlib.sha256(text.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == made_of:
        return False
    python = find_python(version) if version else sys.executable
    if python is None:
        print(f"There is no Python {version} on this machine: {folder.name} is not made.")
        return False
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(interpreter), "-m", "pip"]
    if version:
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
    else:
        # much faster, where the pip of this environment can serve another one
        subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
        pip = [sys.executable, "-m", "pip", "--python", str(interpreter)]
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    if version == "3.6":
        # the last one for it that knows the wheels of today
        subprocess.run([*pip, "-q", "install", "pip==21.3.1"], check=True, env=quiet)
    options = [word for name in files for word in ("-r", str(ROOT / "requirements" / name))]
    subprocess.run([*pip, "-q", "install", *wanted, *options], check=True, env=quiet)
    stamp.write_text(made_of)
    return True


def main() -> None:
    """Make what is missing, or say which Pythons there are."""
    if sys.argv[1:] == ["--pythons"]:
        for version in PYTHONS:
            print(version, find_python(version) or "is not here")
        return
    every = sys.argv[1:] == ["--all"]
    versions = [version for version in VERSIONS if every or version.name in USED]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        cobblers = pool.map(make_cobbler, versions)
        pythons = pool.map(make_python, PYTHONS if every else PYTHONS[:1])
        # a failure comes out here
        list(cobblers)
        list(pythons)


if __name__ == "__main__":
    main()
