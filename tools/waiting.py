"""How long others are waited for: a limit is for what hangs, never for what is only slow.

The quiet case is as fast as its cause, and on a machine that is busy with other things only what
has stopped altogether is given up. Something that may never come is looked for in another way:
whether its process still runs, or by a word that it says when it is done.
"""

import time
from typing import Callable, TypeVar

# seconds after which nothing comes any more
HANGS = 300.0
_Result = TypeVar("_Result")


def wait_for(
    what: Callable[[], _Result], seconds: float = HANGS, lives: Callable[[], bool] = lambda: True
) -> _Result:
    """What a call returns once that is true, at the end of the time, or when nothing ``lives``."""
    end = time.monotonic() + seconds
    while True:
        living = lives() and time.monotonic() < end
        found = what()
        if found or not living:
            return found
        time.sleep(0.05)
