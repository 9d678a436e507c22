"""The little that this package needs to know of Cobbler's systems, as plain data."""

from ipaddress import IPv6Address
from typing import Any, Dict, FrozenSet, Mapping, NamedTuple, Optional, Tuple

from cobbler_bridge import addresses, typed
from cobbler_bridge.addresses import Address
from cobbler_bridge.description import keys
from cobbler_bridge.description.xen_mode import MADE_BY_XEND
from cobbler_bridge.store.host_record import Record

# Cobbler's word for a field that nobody set
INHERITED = "<<inherit>>"


def address(text: Any) -> Optional[Address]:
    """An address that somebody wrote or that a call came from; ``None`` where it is none.

    A prefix, a zone and what comes behind a comma are left away, and an IPv4 address that is
    written as an IPv6 one is an IPv4 address.
    """
    plain = (typed.text(text) or "").partition(",")[0].partition("/")[0].partition("%")[0]
    try:
        found = addresses.address(plain)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return found if mapped is None else mapped


class Interface(NamedTuple):
    """An interface record. ``virt_bridge`` is the stored value, not the resolved one.

    ``addresses`` are its IPv4 and IPv6 address as they are written, ``static`` says whether the
    machine itself has them written down, ``master`` is the interface that it is a port of.
    """

    name: str
    kind: str
    virt_bridge: str
    addresses: Tuple[str, ...] = ()
    mac: str = ""
    master: str = ""
    static: bool = False


class System(NamedTuple):
    """A system. ``meta`` is its autoinstall_meta merged with all that it inherits, ``own_meta``
    what was set on the system itself; ``created`` is a time in seconds since 1970, ``template`` the
    file of its kickstart. ``record`` is what is remembered of this host's bridges, ``None`` for no
    host, ``noted`` the bridge that each interface of a guest was given. ``unreadable`` are the
    fields in which something of another type stands, which count as not set, and what is wrong with
    each."""

    name: str
    profile: str
    meta: Mapping[str, Any]
    own_meta: Mapping[str, Any]
    interfaces: Tuple[Interface, ...]
    created: float = 0
    template: str = ""
    unreadable: Tuple[Tuple[str, str], ...] = ()
    uid: str = ""
    record: Optional[Record] = None
    noted: Mapping[str, str] = {}

    @property
    def placed(self) -> Dict[str, str]:
        """The interfaces whose bridge is our choice, and that choice.

        One whose virt_bridge is another by now was set by hand since.
        """
        return {
            each.name: each.virt_bridge
            for each in self.interfaces
            if self.noted.get(each.name) == each.virt_bridge
        }

    @property
    def proves(self) -> bool:
        """Whether this host proves its bridge at its first boot; what xend makes is not proved."""
        by_xend = self.meta.get(keys.XEN.name) in MADE_BY_XEND
        return self.meta.get(keys.VERIFY.name) != "no" and not by_xend

    @property
    def watches(self) -> bool:
        """Whether this host, once its bridge is proved, tells Cobbler of it each day."""
        return self.proves and self.meta.get(keys.WATCH.name) != "no"

    @property
    def static_addresses(self) -> FrozenSet[Address]:
        """The addresses that the machine itself has written down."""
        texts = [self.meta.get(keys.IPV4.name), self.meta.get(keys.IPV6.name)]
        for each in self.interfaces:
            texts += each.addresses if each.static else ()
        return frozenset(found for found in map(address, texts) if found is not None)

    def may_call_from(self, caller: Any) -> bool:
        """Whether a call from this address can be this machine's.

        It is compared with the static addresses of its own kind: a machine with a static IPv4
        address may have an IPv6 address that a router gave it.
        """
        called = address(caller)
        if called is None:
            return not self.static_addresses
        wanted = self.meta.get((keys.IPV4 if called.version == 4 else keys.IPV6).name, "auto")
        if wanted != "auto" and address(wanted) is None:
            # the bridge does not have what the record has
            return True
        static = {each for each in self.static_addresses if each.version == called.version}
        return not static or called in static

    @property
    def host(self) -> Optional[str]:
        """The host that a guest names, ``None`` for a system that is no guest."""
        name = self.meta.get(keys.HOST.name)
        return name if isinstance(name, str) and name else None


class Profile(NamedTuple):
    """A profile, with what it inherits; ``virt_bridge`` is the stored value, ``unreadable`` as a
    system's."""

    name: str
    meta: Mapping[str, Any]
    template: str
    virt_bridge: str
    distro: str = ""
    unreadable: Tuple[Tuple[str, str], ...] = ()
