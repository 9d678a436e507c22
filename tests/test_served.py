"""The page that cobblerd keeps: rewritten when something changes, and nobody waits for that."""

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, List

import pytest

from cobbler_bridge.install import manifest, served
from cobbler_bridge.show import page
from waiting import wait_for


class Kept:
    """A keeper of a page, with what it writes in place of what the command would."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.manifest, self.ledger = folder / "manifest", folder / "ledger"
        self.ledger.mkdir()
        self.place = str(folder / "index.html")
        self.install(self.place)
        self.written: List[str] = []
        self.error: List[Exception] = []
        self.go = threading.Event()
        self.go.set()
        for of, name, value in (
            (manifest, "MANIFEST", str(self.manifest)),
            (served, "LEDGER", str(self.ledger)),
            (served, "_SETTLES", 0.1),
            (served, "write", self.write),
        ):
            monkeypatch.setattr(of, name, value)
        self.keeper = served.Keeper()

    def install(self, place: str) -> None:
        """The page is kept there, or nowhere."""
        self.manifest.write_text(str(manifest.NOTHING._replace(page=place)))

    def write(self, place: str) -> None:
        """Note which page is written; wait where a test wants it to take its time."""
        self.written.append(place)
        self.go.wait()
        for error in self.error:
            raise error

    def is_idle(self) -> bool:
        """Whether nothing is to be written any more."""
        return self.keeper._thread is None


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    return Kept(tmp_path, monkeypatch)


def test_many_changes_are_one_page(kept: Kept) -> None:
    for _ in range(500):
        kept.keeper.saved()
    assert wait_for(kept.is_idle)
    assert kept.written == [kept.place]


def test_what_changes_while_it_is_written_is_on_the_next_one(kept: Kept) -> None:
    kept.go.clear()
    kept.keeper.saved()
    assert wait_for(lambda: kept.written)
    for _ in range(50):
        kept.keeper.saved()
    kept.go.set()
    assert wait_for(kept.is_idle)
    assert kept.written == [kept.place] * 2


def test_a_page_that_takes_long_is_not_written_all_the_time(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: List[float] = []
    clock = [1000.0]

    def write(place: str) -> None:
        kept.written.append(place)
        clock[0] += 20
        if len(kept.written) < 3:
            kept.keeper._wanted = True

    monkeypatch.setattr(served, "write", write)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", slept.append)
    kept.keeper._keep()
    assert slept == [0.1, 200, 200]


def test_a_signal_that_changes_nothing_writes_nothing(kept: Kept) -> None:
    kept.keeper.heard()
    assert wait_for(kept.is_idle)
    for _ in range(20):
        kept.keeper.heard()
    assert kept.is_idle()
    assert len(kept.written) == 1
    (kept.ledger / "kvm1=u1.json").write_text("{}")
    kept.keeper.heard()
    assert wait_for(kept.is_idle)
    assert len(kept.written) == 2


def test_what_fails_is_said_and_nothing_else(
    kept: Kept, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.error.append(OSError(28, "No space left on device", kept.place))
    kept.keeper.saved()
    assert wait_for(kept.is_idle)
    assert "the page is not written: [Errno 28] No space left on device" in caplog.text
    kept.error.clear()
    kept.keeper.saved()
    assert wait_for(kept.is_idle)
    assert len(kept.written) == 2

    def none(*_: Any, **__: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    kept.keeper.saved()
    assert "can't start new thread" in caplog.text
    assert kept.is_idle()


def test_without_a_page_nothing_is_done(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    kept.install("")
    kept.keeper.saved()
    kept.manifest.unlink()
    kept.keeper.saved()
    kept.keeper.heard()
    assert kept.is_idle()
    # taken away while it waits
    kept.install(kept.place)
    kept.keeper.saved()
    kept.install("")
    assert wait_for(kept.is_idle)
    assert kept.written == []
    assert caplog.text == ""


def test_a_page_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "index.html"
    place.write_bytes(served.FIRST)
    text = page.html([], [], 0)
    assert served.is_page(served.FIRST)
    assert served.is_page(text.encode())
    run = subprocess.run

    def instead(program: str) -> None:
        def called(command: List[str], **how: Any) -> Any:
            return run([sys.executable, "-c", program], **how)

        monkeypatch.setattr(subprocess, "run", called)

    instead("print('half', flush=True); raise SystemExit('no answer\\nfrom Cobbler')")
    with pytest.raises(OSError, match="no answer from Cobbler"):
        served.write(str(place))
    assert place.read_bytes() == served.FIRST
    instead("import time; time.sleep(99)")
    monkeypatch.setattr(served, "_TIMEOUT", 0.05)
    with pytest.raises(OSError, match="timed out"):
        served.write(str(place))
    monkeypatch.undo()
    # whoever installs meanwhile, or kills this, finds nothing beside
    instead("import os; print(os.listdir(%r))" % str(tmp_path))
    served.write(str(place))
    assert place.read_text() == "['index.html']\n"
    assert place.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [place]
