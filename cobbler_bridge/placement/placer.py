"""Puts guests on their hosts' bridges: the same for the triggers and for the command."""

import logging
from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Tuple

from cobbler_bridge import keys, placement, record
from cobbler_bridge.description import describe, wants_bridge
from cobbler_bridge.inventory import System
from cobbler_bridge.placement import Offer, Placement
from cobbler_bridge.store import Store

_LOG = logging.getLogger(__name__)

# gives the blended data of an item by its kind and name
Blend = Callable[[str, str], Optional[Dict[str, Any]]]


class Placer:
    """Places guests one after the other; what it has learnt of a host is not asked for again.

    ``systems`` are those known already, by name; ``blend`` gives blended data in Cobbler's stead.
    """

    def __init__(
        self,
        store: Store,
        systems: Optional[Dict[str, System]] = None,
        blend: Optional[Blend] = None,
    ) -> None:
        self._store = store
        self._blend = blend or store.blended
        self._default = store.default_bridge()
        self._systems: Dict[str, Optional[System]] = dict(systems or {})
        self._whole = systems is not None
        self._described: Dict[str, Tuple[Offer, ...]] = {}

    def look(self, guest: System) -> Placement:
        """What a guest's interfaces shall have, and why they can't be placed."""
        if guest.host is None:
            return placement.place(guest, (), self._default)
        host = self._system(guest.host)
        problem = placement.hindrance(guest, host)
        if host is None or problem is not None:
            found = placement.place(guest, (), self._default)
            # what the problem asks for where a host has no bridges: each NIC was set by hand
            all_chosen = len(found.choices) == len(placement.nics(guest)) > 0
            if problem is None or (all_chosen and host is not None and placement.unbridged(host)):
                return found
            return found._replace(problems=(problem,))
        return placement.place(guest, self._offers(guest, host), self._default)

    def place(self, name: str) -> Optional[Placement]:
        """Place one guest, as it is now; ``None`` for what is no guest and never was."""
        guest = self._store.system(name)
        if guest is None or not (guest.host or keys.PLACED.name in guest.own_meta):
            return None
        found = self.look(guest)
        note = record.placed_text(found.placed)
        if found.changes or guest.own_meta.get(keys.PLACED.name) != note:
            self._store.write(name, found.changes, {keys.PLACED.name: note})
        if found.changes:
            _LOG.info("cobbler-bridge: guest %s on host %s: %s", name, guest.host, found.changes)
        return found

    def place_all(self, names: Iterable[str]) -> None:
        """Place each of these; one that can't be saved keeps no other from its place."""
        for name in names:
            try:
                self.place(name)
            except Exception:
                _LOG.exception("cobbler-bridge: guest %s could not be placed", name)

    def _system(self, name: str) -> Optional[System]:
        if name not in self._systems and not self._whole:
            self._systems[name] = self._store.system(name)
        return self._systems.get(name)

    def _offers(self, guest: System, host: System) -> Sequence[Offer]:
        assert host.record is not None
        if not placement.needs_description(guest, host.record):
            return [Offer(name) for name in host.record.bridges]
        if host.name not in self._described:
            data = self._blend("system", host.name) or {}
            description = describe(data)[0] if wants_bridge(data) else None
            self._described[host.name] = placement.offers(host.record, description, data)
        return self._described[host.name]
