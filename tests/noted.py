"""Systems of the tests, with what is remembered of them written among their own variables."""

from cobbler_bridge.store import old_notes
from cobbler_bridge.store.inventory import System


def noted(system: System) -> System:
    """A system of which is remembered what version 0.1 noted there."""
    record, placed = old_notes.of(system.own_meta)
    return system._replace(record=record, noted=placed)
