"""Cobbler trigger: a system is about to be saved. Part of cobbler-bridge."""

from typing import Any, Sequence

from cobbler_bridge import events


def register() -> str:
    return "/var/lib/cobbler/triggers/add/system/pre/*"


def run(api: Any, args: Sequence[str], logger: Any = None) -> int:
    return events.run(events.system_saving, api, args)
