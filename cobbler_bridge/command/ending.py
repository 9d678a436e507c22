"""How a call of the command ends: its exit status, and what is said of it."""

import sys
from typing import Iterable

from cobbler_bridge.problem import Problem

WELL, PROBLEMS, WRONG_USAGE, NO_COBBLER = range(4)
# as a shell says it
INTERRUPTED = 130


class FailError(Exception):
    """Ends the command with one line on standard error and an exit status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def refused(problems: Iterable[Problem]) -> int:
    """Say each problem on standard error; the exit status."""
    for problem in problems:
        print(problem, file=sys.stderr)
    return PROBLEMS
