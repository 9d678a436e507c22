"""What is skipped where it can't be run, and which of three shells a test is run in.

And the command, to run against a Cobbler that answers what a test wants."""

import collections
import os
import shutil
import zlib
from pathlib import Path
from typing import Any, Callable, Dict, Generator, Iterator, List, Tuple

import pytest

from cobbler_bridge import cli
from cobbler_bridge.command import server
from cobbler_bridge.store import ledger, wire
from hostile_cobbler import Cobbler
from scratch_machine import SHELLS

# a shell that emitted scripts are run in, what Cobbler runs, or a layer of tools/layer.sh
PROGRAMS = ("bash", "busybox", "dash", "rsync")
# what a test calls the shell that it is for
SHELL = ("sh", "shell", "shell_name")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--quick`` is what ``make check`` takes."""
    text = "a test for each shell in the fastest, some a second time (default: in turn, all)"
    parser.addoption("--quick", action="store_true", help=text)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: List[pytest.Item], config: pytest.Config) -> None:
    """Of a test for each shell one is run; the others are thorough."""
    quick = config.getoption("--quick")
    alike: Dict[str, List[pytest.Item]] = collections.defaultdict(list)
    for item in items:
        spec = getattr(item, "callspec", None)
        if spec is not None and set(SHELL) & set(spec.params):
            others = [part for part in spec.id.split("-") if part not in SHELLS]
            alike["-".join([item.nodeid.partition("[")[0], *others])].append(item)
    for name, each in alike.items():
        in_dash = [item for item in each if "dash" in item.callspec.id.split("-")]  # type: ignore[attr-defined]
        among = in_dash if in_dash and quick else each
        chosen = among[zlib.crc32(name.encode("utf-8")) % len(among)]
        for item in each:
            if item is not chosen:
                item.add_marker(pytest.mark.thorough)


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether a test goes its whole way: under ``--quick`` one in eight does."""
    quick = request.config.getoption("--quick")
    return not quick or zlib.crc32(request.node.nodeid.encode("utf-8")) % 8 == 0


# as the pytest of Python 3.6 knows it
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, Any, None]:
    """A test that could not start one of these programs, or no machine without its packages."""
    report = (yield).get_result()
    error = None if call.excinfo is None else call.excinfo.value
    if "CI" not in os.environ and isinstance(error, FileNotFoundError):
        name = str(error.filename)
        if (name in PROGRAMS and not shutil.which(name)) or Path(name).name.startswith("layer"):
            report.outcome = "skipped"
            report.longrepr = (str(item.fspath), 0, "Skipped: there is no %s here" % name)


@pytest.fixture(scope="module")
def running() -> Iterator[Cobbler]:
    cobbler = Cobbler()
    yield cobbler
    cobbler.close()


@pytest.fixture
def cobbler(running: Cobbler, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cobbler:
    running.reset()
    monkeypatch.setattr(ledger, "FOLDER", str(tmp_path / "records"))
    # so that a test needs not send as much
    monkeypatch.setattr(wire, "LARGEST", 1 << 20)
    monkeypatch.setattr(wire, "_LONGEST", 1 << 18)
    return running


@pytest.fixture
def run(
    cobbler: Cobbler,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Tuple[int, str, str]]:
    """Runs the command against the fake server, as a user of it; records are this machine's."""
    password = tmp_path / "password"
    password.write_text("secret\n")

    def call(words: List[str], *more: str) -> Tuple[int, str, str]:
        arguments = [*words, "--server=" + cobbler.url, *more]
        monkeypatch.setattr(
            server, "_port", lambda: cobbler.port if words[0] == "record" else 25151
        )
        if words[0] in ("record", "place"):
            arguments += ["--user=admin", "--password-file=%s" % password]
        status = cli.main(arguments)
        out, err = capsys.readouterr()
        return status, out, err

    return call
