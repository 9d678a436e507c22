"""Cobbler trigger: any item was saved or removed. Part of cobbler-bridge."""

from typing import Any, Sequence

from cobbler_bridge import events


def register() -> str:
    return "/var/lib/cobbler/triggers/change/*"


def run(api: Any, args: Sequence[str], logger: Any = None) -> int:
    return events.run(events.item_changed, api, args)
