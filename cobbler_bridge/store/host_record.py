"""Writes and clears what Cobbler remembers of a host: the same for the triggers and the command."""

import logging
import time
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Sequence

from cobbler_bridge import keys, placement
from cobbler_bridge.description import wants_bridge
from cobbler_bridge.inventory import System
from cobbler_bridge.network import Bridge
from cobbler_bridge.plan import Plan
from cobbler_bridge.planner import make_plan
from cobbler_bridge.problem import Problem
from cobbler_bridge.record import INSTALLING, VERIFIED, Record
from cobbler_bridge.store import Store

_LOG = logging.getLogger(__name__)


def planned(data: Mapping[str, Any], tell: Callable[[Problem], Any]) -> Optional[Plan]:
    """What a host's kickstart sets up; nothing where it refuses, and ``tell`` hears each reason."""
    if not wants_bridge(data):
        return None
    plan, problems = make_plan(data)
    for problem in problems:
        tell(problem)
    return plan


def write_record(store: Store, name: str, plan: Plan, state: str) -> Optional[Record]:
    """Record a host's bridges, and mark the interfaces that are their ports.

    ``None`` where there is no such host any more.
    """
    host = store.system(name)
    if host is None:
        return None
    found = record_of(plan, state, _now())
    # who has none yet waits until there is one
    default = None if state == INSTALLING else store.default_bridge()
    _write(store, name, found, _ports(host, plan.bridges, default))
    return found


def verify(store: Store, name: str, found: Record) -> None:
    """Note that a host has proved its bridges."""
    _write(store, name, found._replace(state=VERIFIED, since=_now()), {})


def _write(store: Store, name: str, found: Record, marked: Mapping[str, str]) -> None:
    store.write(name, marked, {keys.RECORD.name: str(found)})
    _LOG.info("cobbler-bridge: host %s: %s", name, found)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def record_of(plan: Plan, state: str, since: str) -> Record:
    """The record of a host that is as planned."""
    return Record(tuple(bridge.name for bridge in plan.bridges), state, since, plan.unbridged)


def _ports(host: System, bridges: Sequence[Bridge], default: Optional[str]) -> Dict[str, str]:
    """The host's own interfaces that are ports and that nobody set by hand.

    One with a bridge of the record before was marked with it. One without a value is marked where
    the setting's ``default`` is given. The interfaces of a host that is a guest itself say where it
    is plugged in.
    """
    if host.host is not None:
        return {}
    before = () if host.record is None else host.record.bridges
    stored = {each.name: each.virt_bridge for each in host.interfaces}

    def is_ours(virt_bridge: str) -> bool:
        unset = default is not None and placement.is_unset(virt_bridge, default)
        return unset or virt_bridge in before

    return {
        port: bridge.name
        for bridge in bridges
        for port in bridge.port_interfaces
        if is_ours(stored.get(port, ""))
    }


def is_copied(host: System, others: Iterable[System]) -> bool:
    """Whether a host's record came with a copy of one of ``others``, older and of equal record.

    Cobbler's copy has every variable, and no MAC address or the same ones.
    """
    macs = {each.mac for each in host.interfaces} - {""}
    return any(macs <= {each.mac for each in other.interfaces} for other in others)


def clear_record(store: Store, name: str) -> bool:
    """Forget a host's bridges and its ports' marks; whether there was anything to forget."""
    host = store.system(name)
    if host is None or keys.RECORD.name not in host.own_meta:
        return False
    recorded = () if host.record is None or host.host is not None else host.record.bridges
    # what Cobbler makes of an empty value is what it gives an interface that nobody set
    marked = {each.name: "" for each in host.interfaces if each.virt_bridge in recorded}
    store.write(name, marked, {keys.RECORD.name: None})
    _LOG.info("cobbler-bridge: host %s has no bridge any more", name)
    return True
