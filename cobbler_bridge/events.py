"""What the triggers do: record a host's bridge, and put guests on it.

A trigger never breaks an installation: ``run`` logs what went wrong and returns 0.
"""

import logging
from typing import Any, Callable, Optional, Sequence

from cobbler_bridge import hosts, keys
from cobbler_bridge.guests import Placer
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.record import INSTALLED, INSTALLING, VERIFIED
from cobbler_bridge.store import GONE, InProcess

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
        Placer(store).place_all(store.guests_of(name))


def system_saving(store: InProcess, args: Sequence[str]) -> None:
    """A system is about to be saved: what we noted on it stays, whatever became of the rest."""
    if keys.RECORD.name in store.keep(args[0], (keys.RECORD.name, keys.PLACED.name)):
        store.note(args[0], new=store.system(args[0]) is None)


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
        hosts.verify(store, name, record)
    Placer(store).place_all(store.guests_of(name))


def system_saved(store: InProcess, args: Sequence[str]) -> None:
    """A system was saved: if it is a guest, its NICs belong on its host's bridge."""
    store.saved(args[0])
    placer = Placer(store)
    new = store.noted(args[0])
    if new is not None and _is_recorded(store, args[0], new):
        placer.place_all(store.guests_of(args[0]))
    placer.place(args[0])


def item_changed(store: InProcess, args: Sequence[str]) -> None:
    """Any item was saved or removed; a profile may name the host of its systems."""
    if not args:
        return
    store.saved(args[0])
    Placer(store).place_all(store.profile_changed(args[0]))


def _is_recorded(store: InProcess, name: str, new: bool) -> bool:
    """Whether a record that came with a save stays: a cleared one goes, and one of a copy."""
    host = store.system(name)
    if host is None or keys.RECORD.name not in host.own_meta:
        return False
    cleared = host.own_meta[keys.RECORD.name] == GONE
    if cleared or (new and hosts.is_copied(host, store.same(host, keys.RECORD.name))):
        store.write(name, {}, {keys.RECORD.name: None})
        return False
    return True


def _installing(store: InProcess, args: Sequence[str], state: str) -> Optional[str]:
    """Record what an install trigger tells; anybody on the network may have sent it.

    Returns the host, ``None`` where there is none or it has no bridge.
    """
    kind, name = args[0], args[1]
    data = store.blended(kind, name) if kind in ("system", "profile") else None
    if data is None:
        _LOG.warning("cobbler-bridge: no %s is called %s", kind, shown(name))
        return None
    planned = hosts.planned(data, _no_bridge)
    if kind == "profile":
        systems = store.systems_at(_caller(args))
        if len(systems) != 1:
            if planned is not None and state == INSTALLED:
                _LOG.info(_NO_SYSTEM, shown(name), shown(_caller(args)), _count(systems))
            return None
        name = systems[0]
    if planned is None:
        hosts.clear_record(store, name)
        return None
    hosts.write_record(store, name, planned, state)
    return name


def _no_bridge(problem: Problem) -> None:
    _LOG.warning("cobbler-bridge: no bridge: %s", problem)


def _caller(args: Sequence[str]) -> str:
    """The address that a call came from; a web server need not say it."""
    return str(args[2] or "") if len(args) > 2 else ""


def _count(systems: Sequence[str]) -> str:
    return " and ".join(systems) if systems else "no system"
