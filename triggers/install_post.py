"""Cobbler trigger: a host has installed itself. Part of cobbler-bridge."""

from typing import Any, Sequence

from cobbler_bridge import events


def register() -> str:
    return "/var/lib/cobbler/triggers/install/post/*"


def run(api: Any, args: Sequence[str], logger: Any = None) -> int:
    return events.run(events.install_finished, api, args)
