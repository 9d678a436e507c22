"""The little that this package needs to know of Cobbler's systems, as plain data."""

from typing import Any, Mapping, NamedTuple, Optional, Tuple

from cobbler_bridge import keys, record
from cobbler_bridge.record import Record


class Interface(NamedTuple):
    """An interface record. ``virt_bridge`` is the stored value, not the resolved one."""

    name: str
    kind: str
    virt_bridge: str


class System(NamedTuple):
    """A system. ``meta`` is its autoinstall_meta merged with all that it inherits, ``own_meta``
    what was set on the system itself."""

    name: str
    profile: str
    meta: Mapping[str, Any]
    own_meta: Mapping[str, Any]
    interfaces: Tuple[Interface, ...]

    @property
    def record(self) -> Optional[Record]:
        """What Cobbler remembers of this host's bridges, ``None`` for no host."""
        return record.read(self.own_meta.get(keys.RECORD.name))

    @property
    def host(self) -> Optional[str]:
        """The host that a guest names, ``None`` for a system that is no guest."""
        name = self.meta.get(keys.HOST.name)
        return name if isinstance(name, str) and name else None
