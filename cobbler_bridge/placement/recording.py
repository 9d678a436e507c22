"""Writes and clears what Cobbler remembers of a host: the same for the triggers and the command."""

import logging
import time
from typing import Any, Callable, Dict, Mapping, Optional, Sequence

from cobbler_bridge.description.describe import wants_bridge
from cobbler_bridge.description.network import Bridge
from cobbler_bridge.placement import which_bridge
from cobbler_bridge.plan.plan import Plan
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.problem import Problem, one_line
from cobbler_bridge.store.either import Store
from cobbler_bridge.store.host_record import (
    APPLYING,
    FAILED,
    INSTALLING,
    ROLLED_BACK,
    SURE,
    VERIFIED,
    Record,
)
from cobbler_bridge.store.inventory import System

_LOG = logging.getLogger(__name__)


def planned(data: Mapping[str, Any], tell: Callable[[Problem], Any]) -> Optional[Plan]:
    """What a host's kickstart sets up; nothing where it refuses, and ``tell`` hears each reason."""
    if not wants_bridge(data):
        return None
    plan, problems = make_plan(data)
    for problem in problems:
        tell(problem)
    return plan


def write_record(store: Store, host: System, found: Record, bridges: Sequence[Bridge] = ()) -> None:
    """Record a host's bridges, and mark the interfaces that are their ports by its description."""
    # who has none yet waits until there is one
    default = None if found.state == INSTALLING else store.default_bridge()
    _write(store, host, found, _ports(host, bridges, default))


def verify(store: Store, host: System, found: Record) -> None:
    """Note that a host has proved its bridges."""
    now = _now()
    then = found._replace(state=VERIFIED, since=now, reason="", seen=now, drift="")
    _write(store, host, then, {})


def note(store: Store, host: System, found: Record, reason: str) -> None:
    """Note what somebody should look at of a host that has proved its bridges."""
    _write(store, host, found._replace(reason=reason), {})


def roll_back(store: Store, host: System, found: Record, reason: str) -> None:
    """Note that a host has put its old network back; since when stays where it only says why."""
    since = found.since if found.state == ROLLED_BACK else _now()
    then = found._replace(state=ROLLED_BACK, since=since, reason=reason, drift="")
    _write(store, host, then, {})


def apply(store: Store, host: System) -> None:
    """Note that a host that runs is being switched: its bridges stay those that it has."""
    found = host.record or Record((), APPLYING, "")
    _write(store, host, found._replace(state=APPLYING, since=_now(), reason="", drift=""), {})


def fail(store: Store, host: System, found: Record, reason: str) -> None:
    """Note that a host could not be switched, and has the network that it had."""
    since = found.since if found.state == FAILED else _now()
    _write(store, host, found._replace(state=FAILED, since=since, reason=reason, drift=""), {})


def hear(store: Store, host: System, found: Record, drift: str, reason: str) -> None:
    """Note that all is well on a proved host, once a day, or which drift it is."""
    now = _now()
    # why it could not be switched stays said, and what was noted of a bridge on which all is well
    if found.state not in SURE or not (drift or found.drift):
        reason = found.reason
    then = found._replace(drift=drift, reason=reason, seen=found.seen if drift else now)
    if (then.drift, then.reason) != (found.drift, found.reason):
        _LOG.info(
            "cobbler-bridge: host %s: %s",
            one_line(host.name),
            " ".join((drift or "well", reason)).strip(),
        )
    elif then.seen[: len("2026-01-31")] == found.seen[: len("2026-01-31")]:
        return
    store.write(host._replace(record=then), {})


def _write(store: Store, host: System, found: Record, marked: Mapping[str, str]) -> None:
    store.write(host._replace(record=found), marked)
    _LOG.info("cobbler-bridge: host %s: %s", one_line(host.name), found)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def record_of(plan: Plan, state: str, before: Optional[Record]) -> Record:
    """The record of a host that is as planned, from now on; ``before`` is the one that it had."""
    return named(tuple(bridge.name for bridge in plan.bridges), state, before, plan.unbridged)


def named(
    bridges: Sequence[str], state: str, before: Optional[Record], unbridged: str = ""
) -> Record:
    """The record of a host with these bridges, from now on."""
    once = () if before is None else before.before + before.bridges
    gone = tuple(name for name in dict.fromkeys(once) if name not in bridges)
    seen = "" if before is None else before.seen
    return Record(tuple(bridges), state, _now(), unbridged, gone, "", seen)


def _ports(host: System, bridges: Sequence[Bridge], default: Optional[str]) -> Dict[str, str]:
    """The host's own interfaces that are ports and that nobody set by hand.

    One that is marked already follows its bridge. One without a value is marked where the
    setting's ``default`` is given. The interfaces of a host that is a guest itself say where it is
    plugged in.
    """
    if host.host is not None:
        return {}
    stored = {each.name: each.virt_bridge for each in host.interfaces}
    ours = marks(host, bridges)

    def is_free(port: str) -> bool:
        unset = default is not None and which_bridge.is_unset(stored.get(port, ""), default)
        return unset or port in ours

    return {
        port: bridge.name for bridge in bridges for port in bridge.port_interfaces if is_free(port)
    }


def marks(host: System, bridges: Sequence[Bridge]) -> Dict[str, str]:
    """The host's interfaces that are marked with a bridge, and with which.

    No note says so: it is a port by the host's own description (``bridges``), and its value the
    recorded bridge that it is a port of, or one that the host had and that is described no more.
    Any other is somebody's choice, be it the name of a bridge of the host's.
    """
    if host.record is None or host.host is not None:
        return {}
    stored = {each.name: each.virt_bridge for each in host.interfaces}
    elsewhere = {bridge.name for bridge in bridges}
    return {
        port: stored[port]
        for bridge in bridges
        for port in bridge.port_interfaces
        if stored.get(port) in host.record.bridges and stored[port] not in elsewhere - {bridge.name}
    }


def clear_record(store: Store, host: System, plan: Optional[Plan]) -> None:
    """Forget a host's bridges and its ports' marks.

    Where its description makes no bridge any more (no ``plan``), nothing tells a mark from what
    somebody set, and every virt_bridge stays.
    """
    # what Cobbler makes of an empty value is what it gives an interface that nobody set
    unmarked = dict.fromkeys(marks(host, () if plan is None else plan.bridges), "")
    store.write(host._replace(record=None), unmarked)
    _LOG.info("cobbler-bridge: host %s has no bridge any more", one_line(host.name))


def left(host: System, plan: Optional[Plan]) -> Dict[str, str]:
    """The interfaces that have a recorded bridge still when the record is cleared, and which."""
    recorded = () if host.record is None or host.host is not None else host.record.bridges
    unmarked = marks(host, () if plan is None else plan.bridges)
    return {
        each.name: each.virt_bridge
        for each in host.interfaces
        if each.virt_bridge in recorded and each.name not in unmarked
    }
