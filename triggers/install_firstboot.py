"""Cobbler trigger: a host says that its bridge works. Part of cobbler-bridge."""

from typing import Any, Sequence

from cobbler_bridge import events
from cobbler_bridge.placement import signals


def register() -> str:
    return "/var/lib/cobbler/triggers/install/firstboot/*"


def run(api: Any, args: Sequence[Any], logger: Any = None) -> int:
    return events.answer(signals.FIRSTBOOT, api, args)
