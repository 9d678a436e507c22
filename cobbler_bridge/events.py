"""What the triggers do: record a host's bridge, and put guests on it.

A trigger never breaks an installation: what went wrong is logged, and the answer is 0. There is one
exception: a host whose signal could not be saved is not told that it was.
"""

import logging
from typing import Any, Callable, Optional, Sequence

from cobbler_bridge.description.describe import describe, wants_bridge
from cobbler_bridge.description.digest import differ, digest
from cobbler_bridge.install.served import KEEPER
from cobbler_bridge.placement import recording, signals
from cobbler_bridge.placement.placer import Placer
from cobbler_bridge.plan import delivery
from cobbler_bridge.plan.plan import Plan
from cobbler_bridge.problem import Problem, one_line, shown
from cobbler_bridge.store.host_record import (
    DESCRIPTION,
    FAILED,
    INSTALLED,
    NETWORK,
    ROLLED_BACK,
    VERIFIED,
    Record,
)
from cobbler_bridge.store.in_process import InProcess, SaveError
from cobbler_bridge.store.inventory import System

_LOG = logging.getLogger(__name__)

_NO_SYSTEM = (
    "cobbler-bridge: profile %s was installed from %s, which is the address of %s: its bridge is "
    "not recorded; give one system of this profile that address with 'cobbler system edit "
    "--ip-address' to have it recorded"
)
_NOT_ITS_OWN = (
    "cobbler-bridge: profile %s was installed from %s, which is the address of %s: its own profile "
    "is %s, and its record stays as it is"
)
_NOT_TO_BE_INSTALLED = (
    "cobbler-bridge: %s of %s: it is %s and not to be installed, its record stays as it is; to "
    "install it again say 'cobbler system edit --name=%s --netboot-enabled=1', and if it was, "
    "'cobbler-bridge record %s'"
)
_NOT_BACK = (
    "cobbler-bridge: %s says that it has put its old network back, and is %s: its record stays as "
    "it is"
)
_NOT_FROM_THERE = (
    "cobbler-bridge: %s of %s: %s is none of its static addresses; its record stays as it is"
)
_OTHERWISE = (
    "cobbler-bridge: %s has proved its bridge, and is described otherwise by now: it is not "
    "recorded; correct its description, or say what it has with 'cobbler-bridge record %s --bridge'"
)
_NOT_SAVED = (
    "cobbler-bridge: %s of %s: it makes no bridge by an edit that is not saved yet: its record "
    "stays as it is"
)

# what a proved host's call is about
_WHAT = {signals.FIRSTBOOT: "first boot", signals.SEEN: "watch", signals.DRIFT: "watch"}

# more than any name or address has
_LONGEST = 300

Event = Callable[[InProcess, Sequence[Any]], None]


def run(event: Event, api: Any, args: Sequence[Any]) -> int:
    """Handle an event; always 0, for any other number would keep later triggers from running."""
    try:
        store = InProcess(api)
        store.move_notes()
        event(store, args)
    except SaveError as error:
        _LOG.error("cobbler-bridge: %s of %s: %s", event.__name__, shown(args), error)
    except Exception:
        _LOG.exception("cobbler-bridge: %s of %s failed", event.__name__, shown(args))
    KEEPER.saved()
    return 0


def answer(signal: str, api: Any, args: Sequence[Any]) -> int:
    """Handle a host's signal; not 0 where what it says could not be saved, so that Cobbler doesn't
    answer the host with True."""
    try:
        store = InProcess(api)
        store.move_notes()
        _heard(signal, store, args)
    except SaveError as error:
        _LOG.error("cobbler-bridge: %s of %s: not saved: %s", signal, _said(args[1]), error)
        return 1
    except Exception:
        _LOG.exception("cobbler-bridge: %s of %s failed", signal, [_said(each) for each in args])
    KEEPER.heard()
    return 0


def _heard(signal: str, store: InProcess, args: Sequence[Any]) -> None:
    """Do what a signal asks for, as far as the server's own data ask for it, too."""
    said = signals.meant(signal, args[1])
    signal = said.signal
    host = _sender(signal, store, args[0], said.name, _caller(args))
    if host is None:
        return
    to_install = store.to_install(host.name)
    known = signals.Known(
        _state(host), True, to_install, host.proves, _ends_late(store, host, signal)
    )
    then = signals.after(signal, known)
    if not _may_call(store, host, said, then, _caller(args)):
        return
    planned = None
    if then != signals.after(signal, known._replace(planned=False)):
        planned = recording.planned(store.blended("system", host.name) or {}, _no_bridge)
        then = signals.after(signal, known._replace(planned=planned is not None))
    if then == signals.REFUSED:
        _refuse(signal, host, known)
        return
    if then == signals.FORGOTTEN and not store.is_saved(host):
        _LOG.warning(_NOT_SAVED, signal, shown(host.name))
        return
    if then in (ROLLED_BACK, FAILED):
        _roll_back(store, host, then, said.reason)
        return
    if then == signals.KEPT and signal in (signals.SEEN, signals.DRIFT):
        _watch(store, host, said, _is_described(store, host, said, args[0]))
        return
    if known.state != INSTALLED and not _is_described(store, host, said, args[0]):
        # its bridges are not those of its data
        _LOG.warning(_OTHERWISE, one_line(host.name), one_line(host.name))
        return
    _become(store, host, planned, then)
    _note(store, host.name, said)
    if signal != signals.PRE and then != signals.FORGOTTEN and (planned or host.record):
        Placer(store).place_all(store.guests_of(host.name))
    _watch_healed(store, host, said)


def _ends_late(store: InProcess, host: System, signal: str) -> bool:
    """Whether the end of the installation is told at the first boot; blended only where that makes
    a difference."""
    if signal != signals.POST or _state(host) not in signals.AT_FIRST_BOOT:
        return False
    return delivery.ends_late(store.blended("system", host.name) or {})


def _may_call(store: InProcess, host: System, said: signals.Said, then: str, caller: str) -> bool:
    """Whether a signal counts from this address; a line of the log where it doesn't."""
    if not _proves(said.signal) or (said.drift == NETWORK and then == signals.KEPT):
        # who has put its old network back, or has lost its address, may have any other
        return True
    if store.as_saved(host).may_call_from(caller):
        return True
    words = _WHAT[said.signal], one_line(host.name), shown(caller)
    _LOG.warning(_NOT_FROM_THERE, *words)
    return False


def _roll_back(store: InProcess, host: System, then: str, reason: str) -> None:
    if host.record is not None and (_state(host), host.record.reason) != (then, reason):
        write = recording.fail if then == FAILED else recording.roll_back
        write(store, host, host.record, reason)


def _watch_healed(store: InProcess, host: System, said: signals.Said) -> None:
    """A record that was lost has the drift too."""
    healed = store.system(host.name) if said.drift else None
    if healed is not None:
        _watch(store, healed, said, True)


def _watch(store: InProcess, host: System, said: signals.Said, is_described: bool) -> None:
    if host.record is not None:
        drift = said.drift or ("" if is_described else DESCRIPTION)
        recording.hear(store, host, host.record, drift, said.reason)


def _proves(signal: str) -> bool:
    """Whether it comes from a host whose bridge is proved."""
    return signal in (signals.FIRSTBOOT, signals.SEEN, signals.DRIFT)


def _is_described(store: InProcess, host: System, said: signals.Said, kind: str) -> bool:
    """Whether Cobbler describes a host, or its profile (``kind``), as it was when it was proved."""
    if not said.digest:
        return True
    data = store.blended(kind, host.name if kind == "system" else host.profile) or {}
    description = describe(data)[0] if wants_bridge(data) else None
    if description is not None and not differ(digest(description), said.digest):
        return True
    # an edit that is not saved yet is nobody's decision
    return not store.is_saved(host)


def _state(host: System) -> Optional[str]:
    found = host.record
    # somebody may have written one that names no bridge
    return None if found is None or not found.names_something else found.state


def _become(store: InProcess, host: System, planned: Optional[Plan], then: str) -> None:
    """Give a host's record what follows from a signal."""
    if then == signals.KEPT:
        return
    if then == signals.FORGOTTEN:
        recording.clear_record(store, host, planned)
    elif then == VERIFIED and host.record is not None and _state(host) == INSTALLED:
        # what it was installed with, whatever its data say by now
        recording.verify(store, host, host.record)
    elif planned is not None:
        found = recording.record_of(planned, then, host.record)
        if then == VERIFIED:
            recording.write_record(store, host, found._replace(seen=found.since), planned.bridges)
        elif not _is_so(host, found):
            recording.write_record(store, host, found, planned.bridges)


def _note(store: InProcess, name: str, said: signals.Said) -> None:
    """What somebody should look at of a host that has proved its bridge."""
    host = store.system(name) if said.signal == signals.FIRSTBOOT else None
    if host is None or host.record is None or _state(host) != VERIFIED:
        return
    if host.record.reason != said.reason:
        recording.note(store, host, host.record, said.reason)


def _is_so(host: System, found: Record) -> bool:
    """Whether the record says it already, but for the time."""
    return host.record is not None and host.record._replace(since=found.since) == found


def _refuse(signal: str, host: System, known: signals.Known) -> None:
    name = one_line(host.name)
    if _proves(signal):
        _LOG.warning("cobbler-bridge: %s of %s: it has no bridge", _WHAT[signal], shown(host.name))
        return
    if signal == signals.BACK:
        _LOG.warning(_NOT_BACK, name, known.state or "not recorded")
        return
    _LOG.warning(_NOT_TO_BE_INSTALLED, signal, shown(host.name), known.state, name, name)


def _sender(signal: str, store: InProcess, kind: Any, name: Any, caller: str) -> Optional[System]:
    """The system that a signal is about, ``None`` where it is about none."""
    if kind == "profile":
        return _of_profile(signal, store, name, caller)
    host = store.system(name) if kind == "system" else None
    if host is None:
        _LOG.warning("cobbler-bridge: no system is called %s", _said(name))
    return host


def _of_profile(signal: str, store: InProcess, name: Any, caller: str) -> Optional[System]:
    """The one system at an address, if the profile is its own."""
    meta = store.profile_meta(name)
    if meta is None:
        _LOG.warning("cobbler-bridge: no profile is called %s", _said(name))
        return None
    found = store.systems_at(caller)
    if len(found) != 1:
        # most machines have no bridge, and each of them sends its signals
        if signal != signals.PRE and wants_bridge(meta):
            _LOG.info(_NO_SYSTEM, _said(name), _said(caller), _count(found))
        return None
    host = store.system(found[0])
    if host is None or host.profile != store.name_of("profile", name):
        own = "gone" if host is None else shown(host.profile)
        _LOG.warning(_NOT_ITS_OWN, _said(name), _said(caller), shown(found[0]), own)
        return None
    return host


def system_saved(store: InProcess, args: Sequence[Any]) -> None:
    """A system was saved: if it is a guest, its NICs belong on its host's bridge; if it is a host
    that was made again, its guests may have been made before it."""
    store.saved(args[0])
    placer = Placer(store)
    placer.place(args[0])
    if store.take_back(args[0]):
        placer.place_all(store.guests_of(args[0]))


def item_changed(store: InProcess, args: Sequence[Any]) -> None:
    """Any item was saved or removed; a profile may name the host of its systems, and an interface
    may be a guest's."""
    if not args:
        return
    store.saved(args[0])
    changed = store.profile_changed(args[0]) + store.interface_saved(args[0])
    Placer(store).place_all(dict.fromkeys(changed))


def _no_bridge(problem: Problem) -> None:
    _LOG.warning("cobbler-bridge: no bridge: %s", problem)


def _caller(args: Sequence[Any]) -> str:
    """The address that a call came from; a web server need not say it, and a caller may say what
    it likes."""
    caller = args[2] if len(args) > 2 else ""
    return caller if isinstance(caller, str) and len(caller) <= _LONGEST else ""


def _said(value: Any) -> str:
    """A part of a signal in one line, however huge or deep it is."""
    if value is None or isinstance(value, (int, float)):
        return shown(value)
    if not isinstance(value, str):
        return "a %s" % type(value).__name__
    if len(value) <= _LONGEST:
        return shown(value)
    return "%s… (%d characters)" % (repr(value[:60])[:60], len(value))


def _count(systems: Sequence[str]) -> str:
    return " and ".join(map(one_line, systems)) if systems else "no system"
