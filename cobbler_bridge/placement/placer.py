"""Puts guests on their hosts' bridges: the same for the triggers and for the command."""

import logging
from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Tuple

from cobbler_bridge.description.describe import describe, wants_bridge
from cobbler_bridge.placement import which_bridge
from cobbler_bridge.placement.which_bridge import Offer, Placement
from cobbler_bridge.problem import shown
from cobbler_bridge.store.either import Store
from cobbler_bridge.store.in_process import InProcess, SaveError
from cobbler_bridge.store.inventory import System

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
        self._described: Dict[str, Tuple[Offer, ...]] = {}

    def look(self, guest: System) -> Placement:
        """What a guest's interfaces shall have, and why they can't be placed."""
        if guest.host is None:
            return which_bridge.place(guest, (), self._default)
        host = self._system(guest.host)
        problem = which_bridge.hindrance(guest, host)
        if host is None or problem is not None:
            found = which_bridge.place(guest, (), self._default)
            # what the problem asks for where a host has no bridges: each NIC was set by hand
            all_chosen = len(found.choices) == len(which_bridge.nics(guest)) > 0
            if problem is None or (
                all_chosen and host is not None and which_bridge.unbridged(host)
            ):
                return found
            return found._replace(problems=(problem,))
        return which_bridge.place(guest, self._offers(guest, host), self._default)

    def place(self, name: str) -> Optional[Placement]:
        """Place one guest, as it is now; ``None`` for what is no guest and never was."""
        assert isinstance(self._store, InProcess), "the triggers do it"
        guest = self._store.system(name)
        known = None if guest is None else guest.noted
        if guest is None or not (guest.host or guest.noted):
            return None
        if not guest.noted:
            guest = guest._replace(noted=self._of_copy(guest))
        found = self.look(guest)
        if found.changes or known != found.placed:
            self._store.write(guest._replace(noted=found.placed), found.changes)
        if found.changes:
            _LOG.info("cobbler-bridge: guest %s on host %s: %s", name, guest.host, found.changes)
        return found

    def place_all(self, names: Iterable[str]) -> None:
        """Place each of these; one that can't be placed keeps no other from its place.

        Raises ``SaveError`` when it has tried all, where some could not be saved.
        """
        unsaved = []
        for name in names:
            try:
                self.place(name)
            except SaveError as error:
                _LOG.error("cobbler-bridge: guest %s could not be placed: %s", name, error)
                unsaved.append(name)
            except Exception:
                _LOG.exception("cobbler-bridge: guest %s could not be placed", name)
        if unsaved:
            raise SaveError("guests %s stay where they are" % shown(unsaved))

    def _of_copy(self, guest: System) -> Dict[str, str]:
        """What of a guest came with a copy of another: Cobbler's copy has its values, and no MAC
        address."""
        host = self._system(guest.host or "")
        bridges = () if host is None or host.record is None else host.record.bridges
        return {
            each.name: each.virt_bridge
            for each in which_bridge.nics(guest)
            if not each.mac and each.virt_bridge in bridges
        }

    def _system(self, name: str) -> Optional[System]:
        if name not in self._systems and isinstance(self._store, InProcess):
            self._systems[name] = self._store.system(name)
        return self._systems.get(name)

    def _offers(self, guest: System, host: System) -> Sequence[Offer]:
        assert host.record is not None
        if not which_bridge.needs_description(guest, host.record):
            return [Offer(name) for name in host.record.bridges]
        if host.name not in self._described:
            data = self._blend("system", host.name) or {}
            description = describe(data)[0] if wants_bridge(data) else None
            self._described[host.name] = which_bridge.offers(host.record, description, data)
        return self._described[host.name]
