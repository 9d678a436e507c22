"""The little that this package needs to know of Cobbler's systems, as plain data."""

from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from cobbler_bridge import keys, record
from cobbler_bridge.record import Record

# Cobbler's word for a field that nobody set
INHERITED = "<<inherit>>"


class Interface(NamedTuple):
    """An interface record. ``virt_bridge`` is the stored value, not the resolved one;
    ``addresses`` are its IPv4 and IPv6 address as they are written, ``master`` the interface that
    it is a port of."""

    name: str
    kind: str
    virt_bridge: str
    addresses: Tuple[str, ...] = ()
    mac: str = ""
    master: str = ""


class System(NamedTuple):
    """A system. ``meta`` is its autoinstall_meta merged with all that it inherits, ``own_meta``
    what was set on the system itself; ``created`` is a time in seconds since 1970, ``template`` the
    file of its kickstart."""

    name: str
    profile: str
    meta: Mapping[str, Any]
    own_meta: Mapping[str, Any]
    interfaces: Tuple[Interface, ...]
    created: float = 0
    template: str = ""

    @property
    def record(self) -> Optional[Record]:
        """What Cobbler remembers of this host's bridges, ``None`` for no host."""
        return record.read(self.own_meta.get(keys.RECORD.name))

    @property
    def placed(self) -> Dict[str, str]:
        """The interfaces whose bridge is our choice, and that choice.

        One whose virt_bridge is another by now was set by hand since.
        """
        noted = record.read_placed(self.own_meta.get(keys.PLACED.name))
        return {
            each.name: each.virt_bridge
            for each in self.interfaces
            if noted.get(each.name) == each.virt_bridge
        }

    @property
    def host(self) -> Optional[str]:
        """The host that a guest names, ``None`` for a system that is no guest."""
        name = self.meta.get(keys.HOST.name)
        return name if isinstance(name, str) and name else None


class Profile(NamedTuple):
    """A profile, with what it inherits; ``virt_bridge`` is the stored value."""

    name: str
    meta: Mapping[str, Any]
    template: str
    virt_bridge: str
