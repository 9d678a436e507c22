"""What is skipped where it can't be run, and which shell or Cobbler is a test's turn.

And the command, to run against a Cobbler that answers what a test wants."""

import collections
import os
import shutil
import zlib
from pathlib import Path
from typing import Any, Callable, Dict, Generator, Iterator, List, Optional, Tuple

import pytest

from cobbler_bridge import cli
from cobbler_bridge.command import server
from cobbler_bridge.store import ledger, wire
from hostile_cobbler import Cobbler
from scratch_machine import SHELLS

# a shell that emitted scripts are run in, what Cobbler runs, or a layer of tools/layer.sh
PROGRAMS = ("bash", "busybox", "dash", "rsync")
# what a test calls the shell that it is for, and the Cobbler
SHELL = ("sh", "shell", "shell_name")
COBBLER = "each_cobbler"
# under --quick, and the call of the command, and the release of a case
QUICKLY = ("each_call", "target")
# under --quick, one in so many of what else scripts are tried on; but each case
ONE_IN = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--quick`` is what ``make check`` takes."""
    text = "a test for each shell in the fastest, some a second time (default: in turn, all)"
    parser.addoption("--quick", action="store_true", help=text)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: List[pytest.Item], config: pytest.Config) -> None:
    """Of a test for each shell, or for each Cobbler, one is run; the others are thorough."""
    quick = config.getoption("--quick")
    alike: Dict[str, List[pytest.Item]] = collections.defaultdict(list)
    for item in items:
        name = _but_for_turns(item, [COBBLER, *QUICKLY] if quick else [COBBLER])
        if name is not None:
            alike[name].append(item)
    turns: "collections.Counter[str]" = collections.Counter()
    run: "collections.Counter[str]" = collections.Counter()
    for name, each in alike.items():
        among = [item for item in each if not item.get_closest_marker("thorough")]
        in_dash = [item for item in among if "dash" in _spec(item).id.split("-")]
        if in_dash and quick:
            among = in_dash
        turn = zlib.crc32(name.encode("utf-8"))
        given = _spec(each[0]).params
        if COBBLER in given:
            # there are few of them: one after the other in each file
            path = name.partition("::")[0]
            turn = turns[path]
            turns[path] += 1
        chosen = among[turn % len(among)] if among else None
        if quick and set(SHELL) & set(given) and "target" not in given:
            function = name.partition("-")[0]
            run[function] += 1
            if run[function] % ONE_IN != 1:
                chosen = None
        for item in each:
            if item is not chosen:
                item.add_marker(pytest.mark.thorough)


def _spec(item: pytest.Item) -> Any:
    return getattr(item, "callspec", None)


def _but_for_turns(item: pytest.Item, also: List[str]) -> Optional[str]:
    """What is the same in tests that take turns; None for a test that takes none."""
    spec = _spec(item)
    if spec is None or not {*SHELL, *also} & set(spec.params):
        return None
    rest = str(spec.id)
    for name in also:
        value = spec.params.get(name, "")
        rest = "-".join(rest.rsplit(getattr(value, "name", value), 1)) if value else rest
    parts = [part for part in rest.split("-") if part not in SHELLS]
    return "-".join([item.nodeid.partition("[")[0], *parts])


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether a test goes its whole way: one in five does, under ``--quick`` one in eight, and
    each that is thorough."""
    one_in = 8 if request.config.getoption("--quick") else 5
    thorough = request.node.get_closest_marker("thorough") is not None
    return thorough or zlib.crc32(request.node.nodeid.encode("utf-8")) % one_in == 0


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
