"""Writes the man page of ``cobbler-bridge`` from the command's own parser: ``make docs``."""

import os
import sys
from pathlib import Path
from unittest import mock

from argparse_manpage.manpage import Manpage

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cobbler_bridge import __version__, cli  # noqa: E402

PAGE = ROOT / "packaging/cobbler-bridge.8"
# what the parser doesn't say
MORE = ROOT / "packaging/cobbler-bridge.8.in"


# argparse breaks lines where the terminal ends, and man where its own does
@mock.patch.dict(os.environ, {"COLUMNS": "9999"})
def page() -> str:
    """The man page, in man(7)."""
    manual = Manpage(cli.parser())
    manual.section = 8
    manual.date = "January 1, 2026"
    manual.source = "cobbler-bridge " + __version__
    manual.manual = "System Administration"
    manual.description = "bridges on the hosts that Cobbler installs"
    manual.parse_include(str(MORE))
    return str(manual)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
