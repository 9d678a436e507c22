"""What the triggers do: record a host's bridge, and put guests on it.

A trigger never breaks an installation: ``run`` logs what went wrong and returns 0.
"""

import logging
import time
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence

from cobbler_bridge import keys, placement
from cobbler_bridge.description import wants_bridge
from cobbler_bridge.network import Bridge
from cobbler_bridge.plan import Plan
from cobbler_bridge.planner import make_plan
from cobbler_bridge.problem import shown
from cobbler_bridge.record import INSTALLED, INSTALLING, VERIFIED, Record
from cobbler_bridge.store import InProcess

_LOG = logging.getLogger(__name__)

_NO_SYSTEM = (
    "cobbler-bridge: profile %s was installed from %s, which is the address of %s: its bridge is "
    "not recorded; give one system that address with 'cobbler system edit --ip-address' to have "
    "it recorded"
)

Event = Callable[[InProcess, Sequence[str]], None]


def run(event: Event, api: Any, args: Sequence[str]) -> int:
    """Handle an event; always 0, for any other number would keep later triggers from running."""
    try:
        event(InProcess(api), args)
    except Exception:
        _LOG.exception("cobbler-bridge: %s of %s failed", event.__name__, shown(args))
    return 0


def install_started(store: InProcess, args: Sequence[str]) -> None:
    """A host begins to install itself: its bridge, as it was, is gone."""
    _installing(store, args, INSTALLING)


def install_finished(store: InProcess, args: Sequence[str]) -> None:
    """A host has installed itself, with a bridge if its kickstart had the snippet."""
    name = _installing(store, args, INSTALLED)
    if name is not None:
        _place_all(store, store.guests_of(name))


def first_boot_proved(store: InProcess, args: Sequence[str]) -> None:
    """A host has proved its bridge at its first boot, or somebody says so."""
    kind, name, caller = args[0], args[1], _caller(args)
    if kind == "profile":
        systems = store.systems_at(caller)
        if len(systems) != 1:
            _LOG.info(_NO_SYSTEM, shown(name), shown(caller), _count(systems))
            return
        name = systems[0]
    host = store.system(name)
    record = None if host is None else host.record
    if host is None or record is None or record.state == INSTALLING:
        _LOG.warning("cobbler-bridge: first boot of %s: it is not installed", shown(name))
        return
    if not host.may_call_from(caller):
        _LOG.warning(
            "cobbler-bridge: first boot of %s: %s is none of its static addresses; its record "
            "stays as it is",
            name,
            shown(caller),
        )
        return
    if record.state != VERIFIED:
        _write(store, name, record._replace(state=VERIFIED, since=_now()), {})
    _place_all(store, store.guests_of(name))


def system_saved(store: InProcess, args: Sequence[str]) -> None:
    """A system was saved: if it is a guest, its NICs belong on its host's bridge."""
    store.saved(args[0])
    _place(store, args[0])


def item_changed(store: InProcess, args: Sequence[str]) -> None:
    """Any item was saved or removed; a profile may name the host of its systems."""
    if not args:
        return
    store.saved(args[0])
    _place_all(store, store.profile_changed(args[0]))


def _installing(store: InProcess, args: Sequence[str], state: str) -> Optional[str]:
    """Record what an install trigger tells; anybody on the network may have sent it.

    Returns the host, ``None`` where there is none or it has no bridge.
    """
    kind, name = args[0], args[1]
    data = store.blended(kind, name) if kind in ("system", "profile") else None
    if data is None:
        _LOG.warning("cobbler-bridge: no %s is called %s", kind, shown(name))
        return None
    planned = _planned(data)
    if kind == "profile":
        systems = store.systems_at(_caller(args))
        if len(systems) != 1:
            if planned is not None and state == INSTALLED:
                _LOG.info(_NO_SYSTEM, shown(name), shown(_caller(args)), _count(systems))
            return None
        name = systems[0]
    if planned is None:
        _clear_record(store, name)
        return None
    _write_record(store, name, planned, state)
    return name


def _caller(args: Sequence[str]) -> str:
    """The address that a call came from; a web server need not say it."""
    return str(args[2] or "") if len(args) > 2 else ""


def _count(systems: Sequence[str]) -> str:
    return " and ".join(systems) if systems else "no system"


def _planned(data: Mapping[str, Any]) -> Optional[Plan]:
    """What the host's kickstart sets up; nothing, with the reasons logged, where it refuses."""
    if not wants_bridge(data):
        return None
    planned, problems = make_plan(data)
    for problem in problems:
        _LOG.warning("cobbler-bridge: no bridge: %s", problem)
    return planned


def _write_record(store: InProcess, name: str, planned: Plan, state: str) -> None:
    bridges = tuple(bridge.name for bridge in planned.bridges)
    record = Record(bridges, state, _now(), planned.unbridged)
    ports = {} if state == INSTALLING else _port_bridges(store, name, planned.bridges)
    _write(store, name, record, ports)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _write(store: InProcess, name: str, record: Record, ports: Mapping[str, str]) -> None:
    store.write(name, ports, {keys.RECORD.name: str(record)})
    _LOG.info("cobbler-bridge: host %s: %s", name, record)


def _port_bridges(store: InProcess, name: str, bridges: Sequence[Bridge]) -> Mapping[str, str]:
    """The host's own interfaces that are ports and that nobody set by hand."""
    system = store.system(name)
    default = store.default_bridge()
    stored = {} if system is None else {each.name: each.virt_bridge for each in system.interfaces}
    return {
        port: bridge.name
        for bridge in bridges
        for port in bridge.port_interfaces
        if placement.is_unset(stored.get(port, ""), default)
    }


def _clear_record(store: InProcess, name: str) -> None:
    system = store.system(name)
    if system is not None and keys.RECORD.name in system.own_meta:
        store.write(name, {}, {keys.RECORD.name: None})
        _LOG.info("cobbler-bridge: host %s has no bridge any more", name)


def _place_all(store: InProcess, names: Iterable[str]) -> None:
    """Place each of these guests; one that can't be saved keeps no other from its place."""
    for name in names:
        try:
            _place(store, name)
        except Exception:
            _LOG.exception("cobbler-bridge: guest %s could not be placed", name)


def _place(store: InProcess, name: str) -> None:
    guest = store.system(name)
    host = None if guest is None or guest.host is None else store.system(guest.host)
    if guest is None or host is None or host.record is None:
        return
    bridges = placement.place(guest, host.record, store.default_bridge())
    if bridges:
        store.write(name, bridges, {})
        _LOG.info("cobbler-bridge: guest %s on host %s: %s", name, host.name, bridges)
