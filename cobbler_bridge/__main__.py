"""The command as a program: what ``cobbler-bridge`` and ``python -m cobbler_bridge`` start."""

import signal
import sys


def run() -> None:
    """The entry point of the console script."""
    waits = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if waits:
        # who gives up while it is being loaded is shown no traceback
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from cobbler_bridge.cli import main

    if waits:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())


if __name__ == "__main__":
    run()
