"""Calls of the store inside a private Cobbler, in process or over XML-RPC: JSON in, JSON out.

The first word is the way; standard input has a list of calls, each a list of the method's name and
its arguments. A write in process is the only thing that may run then: cobblerd must be restarted
before anybody asks it again.
"""

import json
import sys
from typing import Any

from cobbler_bridge.store.in_process import InProcess
from cobbler_bridge.store.over_xmlrpc import XmlRpc


def store(way: str) -> Any:
    """One of the two ways to Cobbler's objects."""
    if way == "XML-RPC":
        with open("/var/lib/cobbler/web.ss", encoding="utf-8") as file:
            secret = file.read()
        return XmlRpc("http://127.0.0.1:25151", lambda: ("", secret))
    from cobbler.api import CobblerAPI

    return InProcess(CobblerAPI(is_cobblerd=True))


def main() -> None:
    """Print the answers as a list."""
    at = store(sys.argv[1])
    answers = [getattr(at, method)(*words) for method, *words in json.load(sys.stdin)]
    # Cobbler's own objects answer with tuples and dicts of theirs
    sys.stdout.write("\n" + json.dumps(answers, default=dict) + "\n")


if __name__ == "__main__":
    main()
