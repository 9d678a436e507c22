"""Cobbler trigger: a host begins to install itself. Part of cobbler-bridge."""

from typing import Any, Sequence

from cobbler_bridge import events
from cobbler_bridge.placement import signals


def register() -> str:
    return "/var/lib/cobbler/triggers/install/pre/*"


def run(api: Any, args: Sequence[Any], logger: Any = None) -> int:
    return events.answer(signals.PRE, api, args)
