"""What is skipped where it can't be run, and which of three shells a test is run in."""

import collections
import os
import shutil
import zlib
from pathlib import Path
from typing import Any, Dict, Generator, List

import pytest

from scratch_machine import SHELLS

# a shell that emitted scripts are run in, what Cobbler runs, or a layer of tools/layer.sh
PROGRAMS = ("bash", "busybox", "dash", "rsync")
# what a test calls the shell that it is for
SHELL = ("sh", "shell", "shell_name")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """Of a test for each shell one is run, in turn from test to test; the others are thorough."""
    alike: Dict[str, List[pytest.Item]] = collections.defaultdict(list)
    for item in items:
        spec = getattr(item, "callspec", None)
        if spec is not None and set(SHELL) & set(spec.params):
            others = [part for part in spec.id.split("-") if part not in SHELLS]
            alike["-".join([item.nodeid.partition("[")[0], *others])].append(item)
    for name, each in alike.items():
        turn = zlib.crc32(name.encode("utf-8")) % len(each)
        for item in each[:turn] + each[turn + 1 :]:
            item.add_marker(pytest.mark.thorough)


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
