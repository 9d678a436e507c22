"""What a machine that is not a Debian lacks is said, and skipped; continuous integration has it."""

import os
import shutil
from pathlib import Path
from typing import Any, Generator

import pytest

# a shell that emitted scripts are run in, what Cobbler runs, or a layer of tools/layer.sh
PROGRAMS = ("bash", "busybox", "dash", "rsync")


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
