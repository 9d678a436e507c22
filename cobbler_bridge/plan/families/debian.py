"""Debian and Ubuntu: only the machine tells which it is, and what reads its network.

Cobbler's own list of releases is old there, and many a site imports a release under the name of an
older one; and of one release some machines have ifupdown, some netplan, some NetworkManager.
"""

from cobbler_bridge.plan.target import (
    APT,
    DEBIAN,
    IFUPDOWN,
    NETPLAN,
    NETWORKD,
    NETWORKMANAGER,
    SYSTEMD,
    UBUNTU,
    Candidate,
    Family,
    SavedRules,
    Target,
)

# of iptables-persistent
_SAVED_RULES = SavedRules("/etc/iptables/rules.v4", "/etc/iptables/rules.v6", settings=("", ""))
_NFTABLES = ("/etc/nftables.conf", "/etc/nftables/*")
_NAMED_IN = ("/etc/default/isc-dhcp-server",)
_FIREWALLS = _SAVED_RULES, _NFTABLES, _NAMED_IN


# all that may run, for a failed one may have left devices
_READERS = (IFUPDOWN, NETWORKMANAGER, NETWORKD)


def _target(family: str, release: int, backend: str, reader: str) -> Target:
    name = "%s with %s" % (family, reader)
    readers = (*_READERS, NETPLAN) if backend == NETPLAN else _READERS
    return Target(family, release, (backend,), readers, SYSTEMD, APT, *_FIREWALLS, name)


FAMILY = Family(
    breeds=("debian", "ubuntu", "generic"),
    targets={},
    machines=(
        Candidate("debian1[0-9]/ifupdown", _target(DEBIAN, 10, "ifupdown", "ifupdown")),
        Candidate("debian1[0-9]/netplan", _target(DEBIAN, 10, "netplan", "netplan")),
        Candidate("debian1[0-9]/NetworkManager", _target(DEBIAN, 10, "keyfile", "NetworkManager")),
        Candidate(
            "ubuntu1[89].*/netplan | ubuntu2[0-9].*/netplan",
            _target(UBUNTU, 18, "netplan", "netplan"),
        ),
    ),
    asked=("release", "debian_reader"),
    too_old=r"(?!)",
    known="breeds debian and ubuntu: any, for the machine tells",
)
