"""Writes what completes ``cobbler-bridge`` in bash and zsh from the command's own parser."""

import re
import sys
from pathlib import Path

import shtab

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cobbler_bridge import cli  # noqa: E402

FOLDER = ROOT / "packaging/completion"
# as each shell looks for them
NAMES = {"bash": "cobbler-bridge", "zsh": "_cobbler-bridge"}


def completion(shell: str) -> str:
    """The text for a shell, without what shtab says of where to put it."""
    text = shtab.complete(cli.parser(), shell)
    return re.sub(r"(?m)^# (Usage:|1\) .*|2\) .*|   source .*|See also: .*)\n", "", text)


if __name__ == "__main__":
    for shell, name in NAMES.items():
        (FOLDER / name).write_text(completion(shell), encoding="utf-8")
