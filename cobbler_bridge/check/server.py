"""What is wrong with the Cobbler server itself."""

import os
import re
import time
from typing import Iterator, Optional

from cobbler_bridge import findings
from cobbler_bridge.check.site import Installed, Machine, Site
from cobbler_bridge.install import changes, this_cobbler
from cobbler_bridge.problem import Problem, shown

_ITSELF = re.compile(r"(localhost|127\.[0-9.]+|\[?::1\]?)(:[0-9]+)?\Z")
_INSTALL = "run cobbler-bridge install"


def settings(site: Site) -> Iterator[Problem]:
    """Settings that keep the pack from working."""
    server = str(site.settings.get("server", ""))
    if _ITSELF.match(server):
        wrong = "is %s: every machine looks for Cobbler on itself" % shown(server)
        right = "the address of this server for its machines"
        yield Problem("settings", "server", wrong, right, findings.SERVER_ITSELF)
    if not site.settings.get("run_install_triggers", True):
        wrong = "is off: Cobbler hears of no installation, and no guest is placed"
        right = "set it to true"
        yield Problem("settings", "run_install_triggers", wrong, right, findings.NO_TRIGGERS)
    allowed = site.settings.get(changes.WHITELIST)
    if site.imports_need_leave and isinstance(allowed, list) and changes.IMPORTED not in allowed:
        wrong = "has no %s: a template that imports it is not rendered" % changes.IMPORTED
        right = _INSTALL + ", and restart cobblerd"
        yield Problem("settings", changes.WHITELIST, wrong, right, findings.IMPORT_NOT_ALLOWED)


def files(site: Site) -> Iterator[Problem]:
    """Files of the pack that Cobbler has not, or has of another version."""
    for file in () if site.machine is None else site.machine.files:
        if file.wrong:
            yield Problem("server", file.path, file.wrong, _INSTALL, findings.NOT_INSTALLED)


def daemon(site: Site) -> Iterator[Problem]:
    """A cobblerd that was started before it could load the pack as it is now."""
    if site.machine is None or site.machine.started is None:
        return
    # what it loads, and keeps
    loaded = [file for file in site.machine.files if not file.wrong and _is_loaded(file.path)]
    if any(file.since > site.machine.started for file in loaded):
        wrong = "runs since before cobbler-bridge was installed, or another version of it"
        yield Problem("server", "cobblerd", wrong, "restart cobblerd", findings.OLD_DAEMON)


def _is_loaded(path: str) -> bool:
    return path.endswith((".py", ".settings"))


def look() -> Optional[Machine]:
    """This machine, if it is a Cobbler server."""
    try:
        wanted = changes.installing(this_cobbler.find()).changes
    except (this_cobbler.CannotInstallError, OSError):
        return None
    found = [_installed(change.path, change.same) for change in wanted]
    return Machine([*found, _installed(changes.__file__, True)], _started())


def _installed(path: str, same: bool) -> Installed:
    try:
        since = os.stat(path).st_mtime
    except OSError:
        return Installed(path, "is not installed", 0)
    return Installed(path, "" if same else "is not that of this version", since)


def _started() -> Optional[float]:
    """When cobblerd of this machine was started: the latest, should there be several."""
    try:
        with open("/proc/uptime", encoding="ascii") as file:
            boot = time.time() - float(file.read().split()[0])
        found = [_since(process) for process in filter(str.isdigit, os.listdir("/proc"))]
    except (OSError, ValueError, IndexError):
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    return max((boot + since / ticks for since in found if since is not None), default=None)


def _since(process: str) -> Optional[float]:
    """When a process was started, in ticks since the machine was; ``None`` if it isn't cobblerd."""
    try:
        with open("/proc/%s/cmdline" % process, "rb") as file:
            words = file.read().split(b"\0")
        if b"cobblerd" not in [os.path.basename(word) for word in words[:3]]:
            return None
        with open("/proc/%s/stat" % process, "rb") as file:
            # proc(5): the 22nd, counted behind the name in parentheses
            return float(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
