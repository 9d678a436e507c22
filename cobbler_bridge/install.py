"""Puts the snippets and trigger modules where this machine's Cobbler looks for them.

A plan of changes first, then the changes: ``changes`` only looks, ``apply`` writes.
"""

import importlib.util
import os
import tempfile
from typing import Any, Dict, List, NamedTuple, Optional

import yaml

from cobbler_bridge import shipped

SETTINGS = "/etc/cobbler/settings.yaml"
OWN_SETTINGS = "/etc/cobbler/settings.d/cobbler_bridge.settings"
WHITELIST = "cheetah_import_whitelist"
IMPORTED = "cobbler_bridge.snippet"
MODULES = "cobbler_bridge"

_SETTINGS_TEXT = """\
# Written by "cobbler-bridge install". The snippets import %s, and Cobbler takes this
# list instead of the one in settings.yaml: run "cobbler-bridge install" again to follow a change.
"""


class CannotInstallError(Exception):
    """Why nothing can be installed here, as one sentence that says what to do."""


class Change(NamedTuple):
    """One file to be written; ``note`` says what is done and why, ``same`` that nothing is."""

    path: str
    content: str
    note: str
    same: bool


def changes() -> List[Change]:
    """Every file of the pack with what is to be done about it.

    Raises ``CannotInstallError`` where this Python has no Cobbler or Cobbler no settings.
    """
    settings = _settings()
    snippets = str(settings.get("autoinstall_snippets_dir") or "/var/lib/cobbler/snippets")
    found = [_snippet(snippets, name) for name in _names("snippets")]
    modules = os.path.join(_cobbler_package(), "modules", MODULES)
    for name in _names("triggers"):
        path = os.path.join(modules, name)
        found.append(_change(path, shipped.text("triggers", name)))
    found.extend(_whitelist(settings))
    return found


def apply(change: Change) -> None:
    """Write one file whole or not at all. Raises ``OSError``."""
    folder = os.path.dirname(change.path)
    os.makedirs(folder, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=folder, prefix=".cobbler-bridge-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(change.content)
        os.chmod(beside, 0o644)
        os.replace(beside, change.path)
    except OSError:
        os.unlink(beside)
        raise


def _names(folder: str) -> List[str]:
    return sorted(
        name for name in os.listdir(shipped.folder(folder)) if not name.startswith(("_", "."))
    )


def _settings() -> Dict[str, Any]:
    try:
        with open(SETTINGS, encoding="utf-8") as file:
            settings = yaml.safe_load(file)
    except OSError as error:
        raise CannotInstallError(
            "%s: %s; run this on the Cobbler server, as root" % (SETTINGS, error.strerror)
        ) from error
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise CannotInstallError("%s: is no YAML: %s; correct it" % (SETTINGS, reason)) from error
    if not isinstance(settings, dict):
        raise CannotInstallError("%s: is no YAML mapping; correct it" % SETTINGS)
    return settings


def _cobbler_package() -> str:
    found = importlib.util.find_spec("cobbler")
    if found is None or not found.submodule_search_locations:
        raise CannotInstallError(
            "this Python has no Cobbler; install cobbler-bridge for the Python that runs cobblerd"
        )
    return list(found.submodule_search_locations)[0]


def _snippet(folder: str, name: str) -> Change:
    """A snippet that differs from ours is somebody's own: it stays, and ours goes beside it."""
    path, content = os.path.join(folder, name), shipped.text("snippets", name)
    change = _change(path, content)
    if change.same or not os.path.exists(path):
        return change
    beside = _change(path + ".cobbler-bridge", content)
    return beside._replace(note=beside.note + ", because %s was changed and is kept" % path)


def _change(path: str, content: str) -> Change:
    there = _read(path)
    if there == content:
        return Change(path, content, "unchanged", True)
    return Change(path, content, "written" if there is None else "replaced", False)


def _read(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _whitelist(settings: Dict[str, Any]) -> List[Change]:
    """The setting that allows the snippets' import, as a settings file of our own."""
    listed = settings.get(WHITELIST)
    allowed = [str(each) for each in listed] if isinstance(listed, list) else []
    if IMPORTED in allowed:
        return []
    content = _SETTINGS_TEXT % IMPORTED + yaml.safe_dump(
        {WHITELIST: allowed + [IMPORTED]}, default_flow_style=False
    )
    return [_change(OWN_SETTINGS, content)]
