"""Cobbler trigger: a host says that its bridge works. Part of cobbler-bridge."""

from typing import Any, Sequence

from cobbler_bridge import events


def register() -> str:
    return "/var/lib/cobbler/triggers/install/firstboot/*"


def run(api: Any, args: Sequence[str], logger: Any = None) -> int:
    return events.run(events.first_boot_proved, api, args)
