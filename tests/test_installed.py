"""Several files written as one, and what is remembered of them."""

import errno
import os
from pathlib import Path
from typing import Dict

import pytest

from cobbler_bridge.install import manifest
from cobbler_bridge.install.manifest import Manifest, Transaction


def tree(folder: Path) -> Dict[str, str]:
    """Every file below a folder with its content, and every folder."""
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else "folder"
        for path in folder.rglob("*")
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "old").write_text("old\n")
    (tmp_path / "gone").write_text("gone\n")
    (tmp_path / "gone").chmod(0o600)
    return tmp_path


def changes(transaction: Transaction, folder: Path) -> None:
    transaction.change(str(folder / "old"), b"new\n")
    transaction.change(str(folder / "gone"), None)
    transaction.change(str(folder / "a/b/made"), b"made\n")


def test_all_is_done(folder: Path) -> None:
    transaction = Transaction()
    changes(transaction, folder)
    assert (folder / "old").read_text() == "old\n"
    transaction.commit()
    transaction.close()
    made = {"a": "folder", "a/b": "folder", "a/b/made": "made\n"}
    assert tree(folder) == {"old": "new\n", **made}
    assert oct((folder / "a/b/made").stat().st_mode) == "0o100644"


def test_nothing_is_done_before_the_end(folder: Path) -> None:
    before = tree(folder)
    transaction = Transaction()
    changes(transaction, folder)
    transaction.close()
    assert tree(folder) == before


def test_a_failure_in_the_middle_undoes_the_beginning(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, times = tree(folder), (folder / "gone").stat().st_mtime_ns
    transaction = Transaction()
    changes(transaction, folder)
    # somebody takes the place while the files are made ready
    (folder / "a/b/made").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        transaction.commit()
    assert caught.value.filename == str(folder / "a/b/made")
    (folder / "a/b/made").rmdir()
    transaction.close()
    assert tree(folder) == before
    assert (folder / "gone").stat().st_mtime_ns == times
    assert oct((folder / "gone").stat().st_mode) == "0o100600"


def test_what_can_not_be_written_is_named(folder: Path) -> None:
    before = tree(folder)
    transaction = Transaction()
    with pytest.raises(FileExistsError) as caught:
        transaction.change(str(folder / "old/below/it"), b"x")
    assert caught.value.filename == str(folder / "old/below/it")
    transaction.close()
    assert tree(folder) == before


@pytest.mark.parametrize("fails", ["fsync", "chmod"])
def test_a_full_disk_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """What was begun goes too."""
    before = tree(folder)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    transaction = Transaction()
    monkeypatch.setattr(os, fails, full)
    with pytest.raises(OSError, match="No space left") as caught:
        transaction.change(str(folder / "old"), b"new\n")
    assert caught.value.filename == str(folder / "old")
    transaction.close()
    assert tree(folder) == before


def test_a_copy_that_stays_is_no_failure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is done; the next run finds it."""

    def failing(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    transaction = Transaction()
    transaction.change(str(folder / "old"), b"new\n")
    transaction.commit()
    monkeypatch.setattr(os, "unlink", failing)
    transaction.close()
    assert (folder / "old").read_text() == "new\n"
    (left,) = manifest.laid_ready(str(folder))
    assert Path(left).read_text() == "old\n"


def test_folders_that_are_missing(folder: Path) -> None:
    paths = [str(folder / name) for name in ("x/y/1", "x/2", "old", "z/3")]
    assert manifest.missing_folders(paths) == [str(folder / name) for name in ("x", "x/y", "z")]


def test_manifest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder / "manifest"
    monkeypatch.setattr(manifest, "MANIFEST", str(place))
    assert manifest.recorded() == manifest.NOTHING
    old = str(folder / "old")
    known = Manifest("1.2", {old: manifest.checksum(b"old\n")}, (str(folder),))
    place.write_text(str(known))
    assert manifest.recorded() == known
    assert known.has_unchanged(old)
    (folder / "old").write_text("changed\n")
    assert not known.has_unchanged(old)
    assert not known.has_unchanged(str(folder / "gone"))
    # a link to the same is somebody's own
    (folder / "elsewhere").write_text("old\n")
    (folder / "old").unlink()
    os.symlink(str(folder / "elsewhere"), old)
    assert not known.has_unchanged(old)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 1}', '{"version": "1", "files": [], "folders": []}', "\x00"],
)
def test_manifest_that_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    place = folder / "manifest"
    monkeypatch.setattr(manifest, "MANIFEST", str(place))
    place.write_text(text)
    assert manifest.recorded() == manifest.NOTHING
