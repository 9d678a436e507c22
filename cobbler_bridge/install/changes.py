"""Puts the pack into this machine's Cobbler, and takes it out again.

A plan of changes first, then the changes: ``installing`` and ``uninstalling`` only look,
``apply`` writes, all of a plan or nothing.
"""

import contextlib
import glob
import os
import shutil
import subprocess
from typing import Dict, Iterable, List, NamedTuple, Optional

import yaml

from cobbler_bridge import __version__, shipped
from cobbler_bridge.install import manifest, served
from cobbler_bridge.install.limits import limits_of
from cobbler_bridge.install.manifest import MANIFEST, Manifest
from cobbler_bridge.install.this_cobbler import (
    OWN_SETTINGS,
    SETTINGS,
    CannotInstallError,
    Cobbler,
    stale_since,
)
from cobbler_bridge.store.ledger import FOLDER

WHITELIST = "cheetah_import_whitelist"
IMPORTED = "cobbler_bridge.snippet"
# what ours is called beside a snippet that somebody changed
_BESIDE = ".cobbler-bridge"

_SETTINGS_TEXT = """\
# Written by "cobbler-bridge install". The snippets import %s, and Cobbler takes this
# list instead of the one in settings.yaml: run "cobbler-bridge install" again to follow a change.
"""


class Change(NamedTuple):
    """What is done with one file; ``content`` is ``None`` for one that goes, and ``note`` says
    what is done and why. ``same`` is set where nothing is done."""

    path: str
    content: Optional[bytes]
    note: str
    same: bool = False


class Changes(NamedTuple):
    """Changes, the manifest that is true after them (``None``: none is needed any more), the
    folders that go when they are empty, sentences for whoever asked for it, and whether what is
    remembered of hosts and guests goes too."""

    changes: List[Change]
    manifest: Optional[Manifest]
    folders: List[str]
    remarks: List[str]
    forgets: bool = False

    @property
    def nothing_to_do(self) -> bool:
        """Whether everything is as it should be; what an interrupted run left is in no place."""
        return (
            all(change.same or _is_laid_ready(change.path) for change in self.changes)
            and not self.forgets
            and (
                self.manifest == manifest.recorded()
                if self.manifest is not None
                else not os.path.exists(MANIFEST)
            )
        )


def installing(cobbler: Cobbler, page: Optional[bool] = None) -> Changes:
    """What ``install`` would do. ``page`` says whether the page is to be served, ``None`` that it
    is as it was. Raises ``OSError`` where a file can't be read."""
    before = manifest.recorded()
    place = cobbler.page if page or (page is None and before.page) else ""
    wanted = _wanted(cobbler, before)
    changes, ours = [], {}
    for path, content in wanted.items():
        change = _change(path, content, before)
        changes.append(change)
        if change.content == content:
            ours[change.path] = manifest.checksum(content)
        if path not in ours and path in before.files:
            # the administrator's own; an upgrade must still know that it was ours once
            ours[path] = before.files[path]
    past = sorted(set(before.files) - {change.path for change in changes} - set(wanted))
    changes += _removals(past, before, "nothing needs it any more")
    changes += _page(place, before.page)
    changes += _leftovers({*wanted, *before.files, *filter(None, (place, before.page))})
    # the triggers' folder is ours even where an interrupted run has made it
    paths = [*ours, *filter(None, [place])]
    known = {cobbler.modules, *before.folders, *manifest.missing_folders(paths)}
    folders = {each for each in known if any(path.startswith(each + os.sep) for path in paths)}
    after = Manifest(__version__, ours, tuple(sorted(folders)), place)
    return Changes(changes, after, _with_caches(known - folders), _remarks(cobbler))


def uninstalling(cobbler: Optional[Cobbler]) -> Changes:
    """What ``uninstall`` would do; ``cobbler`` is ``None`` where there is none any more."""
    before = manifest.recorded()
    places, page = {before.page} - {""}, before.page
    if cobbler is not None:
        wanted = _wanted(cobbler, before)
        # what is exactly ours is ours: an interrupted run did not come to its manifest
        files = {**before.files, **_exactly(wanted)}
        before = Manifest("", files, (cobbler.modules, *before.folders))
        places |= set(wanted)
    changes = _removals(before.files, before, "") + _page("", page)
    changes += _leftovers(places.union(before.files))
    remarks = [] if cobbler is None else _left(cobbler)
    forgets = os.path.lexists(FOLDER)
    if forgets:
        remarks = ["%s: removed, with what was recorded of hosts and guests" % FOLDER, *remarks]
    return Changes(changes, None, _with_caches(before.folders), remarks, forgets)


def apply(plan: Changes) -> None:
    """Do what the plan says. Raises ``OSError`` where that fails; then nothing is changed."""
    transaction = manifest.Transaction()
    try:
        for change in plan.changes:
            if not change.same:
                transaction.change(change.path, change.content)
        # last: what it says is true
        if plan.manifest is not None:
            if plan.manifest != manifest.recorded():
                transaction.change(MANIFEST, str(plan.manifest).encode())
        elif os.path.lexists(MANIFEST):
            transaction.change(MANIFEST, None)
        transaction.commit()
    finally:
        transaction.close()
    if plan.forgets:
        shutil.rmtree(FOLDER)
    for folder in plan.folders:
        # one that has something in it stays, and so does a link
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def must_restart(plan: Changes) -> bool:
    """Whether cobblerd has not seen what is done, or was done before; ask before ``apply``."""
    return not plan.nothing_to_do or (plan.manifest is not None and stale_since(MANIFEST))


def restart() -> None:
    """Start cobblerd again. Raises ``CannotInstallError`` where that can't be done or fails."""
    if os.path.isdir("/run/systemd/system") and shutil.which("systemctl"):
        command = ["systemctl", "restart", "cobblerd"]
    elif shutil.which("service"):
        command = ["service", "cobblerd", "restart"]
    else:
        raise CannotInstallError(
            "there is neither systemctl nor service; restart cobblerd yourself"
        )
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        said = " ".join(done.stdout.decode("utf-8", "replace").split())
        words = (" ".join(command), said or "no output")
        raise CannotInstallError("'%s' failed: %s; restart cobblerd yourself" % words)


def _names(folder: str) -> List[str]:
    return sorted(
        name for name in os.listdir(shipped.folder(folder)) if not name.startswith(("_", "."))
    )


def _wanted(cobbler: Cobbler, before: Manifest) -> Dict[str, bytes]:
    """Every file that is to be there, with its content, in the order in which it is said."""
    found = {
        os.path.join(cobbler.snippets, name): shipped.text("snippets", name)
        for name in _names("snippets")
    }
    for name in _names("scripts"):
        found[os.path.join(cobbler.scripts, name)] = shipped.text("scripts", name)
    for name in _names("triggers"):
        found[os.path.join(cobbler.modules, name)] = shipped.text("triggers", name)
    if cobbler.has_template_items:
        for name in _names("providers"):
            path = os.path.join(cobbler.package, "templates", name)
            found[path] = shipped.text("providers", name)
    wanted = {path: text.encode() for path, text in found.items()}
    settings = _own_settings(cobbler, before)
    if settings is not None:
        wanted[OWN_SETTINGS] = settings
    return wanted


def _own_settings(cobbler: Cobbler, before: Manifest) -> Optional[bytes]:
    """The setting that allows the snippets' import, as a settings file of our own.

    ``None`` where none is needed or none is read.
    """
    listed = cobbler.settings.get(WHITELIST)
    allowed = [str(each) for each in listed] if isinstance(listed, list) else []
    # some Cobblers write all that they have read into settings.yaml: ours too
    if not cobbler.reads_own_settings or (IMPORTED in allowed and OWN_SETTINGS not in before.files):
        return None
    content = _SETTINGS_TEXT % IMPORTED + yaml.safe_dump(
        {WHITELIST: [each for each in allowed if each != IMPORTED] + [IMPORTED]},
        default_flow_style=False,
    )
    return content.encode()


def _allows_import(settings: bytes) -> bool:
    """Whether a settings file does what ours is for."""
    try:
        listed = yaml.safe_load(settings)[WHITELIST]
        return IMPORTED in listed
    except (yaml.YAMLError, ValueError, TypeError, KeyError):
        return False


def _change(path: str, content: bytes, before: Manifest) -> Change:
    there = manifest.read(path)
    if there == content:
        return Change(path, content, "unchanged", True)
    if there is None:
        return Change(path, content, "written")
    if path == OWN_SETTINGS and not before.has_unchanged(path) and _allows_import(there):
        return Change(path, there, "kept, because it was changed", True)
    # a snippet that is not as we wrote it is somebody's own: it stays, and ours goes beside it
    if os.path.basename(path) in _names("snippets") and not before.has_unchanged(path):
        beside = _change(path + _BESIDE, content, before)
        return beside._replace(note=beside.note + ", because %s was changed and is kept" % path)
    return Change(path, content, "replaced")


def _page(place: str, before: str) -> List[Change]:
    """The page in its place, and none where it was before. Raises ``CannotInstallError`` where
    somebody else's is in its place."""
    found = []
    if place:
        there = manifest.read(place)
        if there is not None and not served.is_page(there):
            raise CannotInstallError("%s: is no page of cobbler-bridge; move it away" % place)
        note = "written, and again when something changes" if there is None else "kept up to date"
        found.append(Change(place, there or served.FIRST, note, there is not None))
    if before and before != place and os.path.lexists(before):
        ours = not os.path.islink(before) and served.is_page(manifest.read(before) or b"")
        note = "removed" if ours else "kept, because it was changed; remove it yourself"
        found.append(Change(before, None, note, not ours))
    return found


def _exactly(wanted: Dict[str, bytes]) -> Dict[str, str]:
    """Each file, with its checksum, that is there as ``install`` would write it now."""
    return {
        place: manifest.checksum(content)
        for path, content in wanted.items()
        for place in (path, path + _BESIDE)
        if manifest.read(place) == content
    }


def _removals(paths: Iterable[str], before: Manifest, why: str) -> List[Change]:
    """What was written goes, unless somebody changed it, and what Python made of it."""
    found, compiled = [], []
    for path in paths:
        if os.path.lexists(path) and not before.has_unchanged(path):
            found.append(
                Change(path, None, "kept, because it was changed; remove it yourself", True)
            )
            continue
        if os.path.lexists(path):
            found.append(Change(path, None, "removed" + (", because %s" % why if why else "")))
        folder, name = os.path.split(path)
        if name.endswith(".py"):
            cache = os.path.join(folder, "__pycache__", name[: -len(".py")] + ".*.pyc")
            compiled += [Change(each, None, "removed") for each in sorted(glob.glob(cache))]
    return found + compiled


def _is_laid_ready(path: str) -> bool:
    return os.path.basename(path).startswith(manifest.READY)


def _leftovers(paths: Iterable[str]) -> List[Change]:
    """What an interrupted run has laid ready in the folders of these files, and of the manifest."""
    folders = sorted({os.path.dirname(path) for path in (MANIFEST, *paths)})
    found = [path for folder in folders for path in sorted(manifest.laid_ready(folder))]
    return [Change(path, None, "removed, because an interrupted run left it") for path in found]


def _with_caches(folders: Iterable[str]) -> List[str]:
    """Folders that go when they are empty, the lower ones first."""
    caches = {os.path.join(folder, "__pycache__") for folder in folders}
    return sorted(caches.union(folders), reverse=True)


def _remarks(cobbler: Cobbler) -> List[str]:
    shown = "Cobbler " + ".".join(map(str, cobbler.version))
    found = ["%s: %s" % (shown, sentence) for sentence in limits_of(cobbler.version)]
    if not cobbler.reads_own_settings and not cobbler.has_template_items:
        found.append("%s: includes no files of settings.d; include %s" % (SETTINGS, OWN_SETTINGS))
    return found


def _left(cobbler: Cobbler) -> List[str]:
    """What speaks of the pack and is the administrator's to take away."""
    found = []
    for folder, _, names in os.walk(cobbler.templates):
        for path in sorted(os.path.join(folder, name) for name in names):
            content = manifest.read(path) if os.path.isfile(path) else None
            for name in _names("snippets") if content else ():
                if name.encode() in (content or b""):
                    found.append("%s: still asks for the snippet %s; take that out" % (path, name))
    listed = cobbler.settings.get(WHITELIST)
    if isinstance(listed, list) and IMPORTED in listed:
        found.append("%s: still names %s in %s; take that out" % (SETTINGS, IMPORTED, WHITELIST))
    return found
