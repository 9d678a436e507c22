"""Where this machine's Cobbler keeps what the pack is put into. Only looks."""

import ast
import fnmatch
import glob
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import Any, Dict, List, NamedTuple, Tuple

import yaml

from cobbler_bridge import shipped

SETTINGS = "/etc/cobbler/settings.yaml"
OWN_SETTINGS = "/etc/cobbler/settings.d/cobbler_bridge.settings"
VERSION = "/etc/cobbler/version"
# where the setting webdir is not set; the second is SUSE's
_WEB_FOLDERS = ("/var/www/cobbler", "/srv/www/cobbler")
# the first that is known to work, and the first that nobody has tried
SINCE, BEFORE = (3, 2, 2), (4, 1)
_SUPPORTED = "cobbler-bridge needs Cobbler 3.2.2 or later, 3.3 or 4.0"
_ELSEWHERE = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
# asked of another Python: where it has the two packages
_PROBE = """\
import importlib.util as u, json
print(json.dumps([s and list(s.submodule_search_locations or ()) for s in map(
    u.find_spec, ("cobbler", "cobbler_bridge"))]))
"""


class CannotInstallError(Exception):
    """Why nothing can be installed here, as one sentence that says what to do."""


class Cobbler(NamedTuple):
    """A Cobbler: its Python package's folder, its version, and its settings.

    ``settings`` are those of settings.yaml and of the files that it includes, without our own.
    """

    package: str
    version: Tuple[int, ...]
    settings: Dict[str, Any]

    @property
    def modules(self) -> str:
        """The folder for trigger modules."""
        return os.path.join(self.package, "modules", "cobbler_bridge")

    @property
    def snippets(self) -> str:
        """The folder for the snippet."""
        if self.has_template_items:
            return os.path.join(self.package, "data/templates/cheetah/autoinstall/snippets")
        return str(self.settings.get("autoinstall_snippets_dir") or "/var/lib/cobbler/snippets")

    @property
    def scripts(self) -> str:
        """The folder for scripts that are rendered for a machine."""
        return self.snippets if self.has_template_items else "/var/lib/cobbler/scripts"

    @property
    def templates(self) -> str:
        """The folder of the administrator's templates."""
        return str(self.settings.get("autoinstall_templates_dir") or "/var/lib/cobbler/templates")

    @property
    def page(self) -> str:
        """Where the page is kept: in a folder that the web server serves, and no sync empties."""
        folders = [str(self.settings.get("webdir") or ""), *_WEB_FOLDERS]
        served = next((each for each in folders if os.path.isdir(each)), _WEB_FOLDERS[0])
        return os.path.join(served, "pub", "cobbler_bridge", "index.html")

    @property
    def has_template_items(self) -> bool:
        """Whether snippets are items of the template collection, and not files of a folder."""
        return self.version >= (4, 0)

    @property
    def reads_own_settings(self) -> bool:
        """Whether a settings file of our own is read beside settings.yaml."""
        patterns = self.settings.get("include") or ()
        return self.version < (4, 0) and any(
            fnmatch.fnmatch(OWN_SETTINGS, str(pattern)) for pattern in patterns
        )


def find() -> Cobbler:
    """The Cobbler of this machine.

    Raises:
        CannotInstallError: there is none, it is too old or too new, or cobblerd runs on a Python
            that does not have this package.
    """
    package = _package()
    settings = _settings()
    version = _version(package)
    if not SINCE <= version < BEFORE:
        shown = ".".join(map(str, version))
        raise CannotInstallError("this is Cobbler %s; %s" % (shown, _SUPPORTED))
    return Cobbler(package, version, settings)


def _package() -> str:
    """The folder of Cobbler's package in cobblerd's Python, which must have this package too."""
    daemon = shutil.which("cobblerd") or shutil.which("cobblerd", path=_ELSEWHERE)
    python = _interpreter(daemon) if daemon else []
    cobbler, ours = _asked(python) if python else ([], [])
    if not cobbler:
        # a script that names no Python, or the wrong one, is started in some other way
        return _package_here()
    shown = " ".join(map(shlex.quote, python))
    if not ours:
        raise CannotInstallError(
            "cobblerd runs on %s, which has no cobbler-bridge; install it there, for example in "
            "the folder of its sources: %s -m pip install ." % (shown, python[0])
        )
    if not any(os.path.realpath(each) == os.path.realpath(shipped.PACKAGE) for each in ours):
        raise CannotInstallError(
            "cobblerd runs on %s, which has another cobbler-bridge; run this: "
            "%s -m cobbler_bridge install" % (shown, python[0])
        )
    return cobbler[0]


def _package_here() -> str:
    found = importlib.util.find_spec("cobbler")
    if found is None or not found.submodule_search_locations:
        raise CannotInstallError(
            "there is no Cobbler in %s, nor in the Python of a cobblerd; run this on the Cobbler "
            "server, as root" % sys.executable
        )
    return list(found.submodule_search_locations)[0]


def _interpreter(script: str) -> List[str]:
    """The command in the first line of a Python script; none where it is something else."""
    try:
        with open(script, "rb") as file:
            line = file.readline(512).decode("utf-8", "replace")
    except OSError:
        return []
    words = line[2:].split() if line.startswith("#!") else []
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if word != "-S"]
    return words if words and "python" in os.path.basename(words[0]) else []


def _asked(python: List[str]) -> Tuple[List[str], List[str]]:
    """Where another Python has Cobbler and this package, empty where it has not."""
    # what somebody set for a shell is not set for a service
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        said = subprocess.check_output(
            python + ["-c", _PROBE], cwd="/", env=env, stderr=subprocess.DEVNULL
        )
        cobbler, ours = json.loads(said.decode())
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        shown = " ".join(python)
        raise CannotInstallError("cobblerd runs on %s, which does not run" % shown) from error
    return cobbler or [], ours or []


def _version(package: str) -> Tuple[int, ...]:
    """The numbers of Cobbler's version; what a pre-release has behind them is left out."""
    for path, pattern in (
        (VERSION, r"^version *= *(\S+)"),
        (os.path.join(package, "_version.py"), r"^__version__ *= *(\S+)"),
    ):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found = re.search(pattern, file.read(), re.MULTILINE)
        except OSError:
            continue
        text = found.group(1) if found else ""
        if text[:1] in "'\"":
            text = str(ast.literal_eval(text)) if text else ""
        numbers = re.match(r"\d+(\.\d+)*", text)
        if numbers:
            return tuple(map(int, numbers.group().split(".")))
    raise CannotInstallError("%s says no version of Cobbler; %s" % (VERSION, _SUPPORTED))


def _settings() -> Dict[str, Any]:
    settings = _mapping(SETTINGS)
    for pattern in settings.get("include") or ():
        for path in sorted(glob.glob(str(pattern))):
            if path != OWN_SETTINGS:
                settings.update(_mapping(path))
    return settings


def _mapping(path: str) -> Dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            settings = yaml.safe_load(file)
    except OSError as error:
        raise CannotInstallError(
            "%s: %s; run this on the Cobbler server, as root" % (path, error.strerror)
        ) from error
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise CannotInstallError("%s: is no YAML: %s; correct it" % (path, reason)) from error
    if not isinstance(settings, dict):
        raise CannotInstallError("%s: is no YAML mapping; correct it" % path)
    return settings


def stale_since(path: str) -> bool:
    """Whether cobblerd runs, or ran, as it was before a file was written."""
    try:
        # cobblerd writes its secret anew whenever it starts
        return os.stat("/var/lib/cobbler/web.ss").st_mtime <= os.stat(path).st_mtime
    except OSError:
        return False
