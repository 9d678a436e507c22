"""Cobbler trigger: a system was saved. Part of cobbler-bridge."""

from typing import Any, Sequence

from cobbler_bridge import events


def register() -> str:
    return "/var/lib/cobbler/triggers/add/system/post/*"


def run(api: Any, args: Sequence[str], logger: Any = None) -> int:
    return events.run(events.system_saved, api, args)
