"""Cobbler trigger: a host begins to install itself. Part of cobbler-bridge."""

from typing import Any, Sequence

from cobbler_bridge import events


def register() -> str:
    return "/var/lib/cobbler/triggers/install/pre/*"


def run(api: Any, args: Sequence[str], logger: Any = None) -> int:
    return events.run(events.install_started, api, args)
