"""SLES, openSUSE Leap and Tumbleweed: only the machine tells what reads its network.

Cobbler's own list of releases ends before theirs does, and of SLE 15 and Leap 15 some machines have
wicked, some NetworkManager. SLES 11 and what is older has network scripts of its own; SLE Micro and
its kin have a system that nobody writes to.
"""

from cobbler_bridge.plan.target import (
    NETWORKMANAGER,
    SUSE,
    SYSTEMD,
    WICKED,
    ZYPPER,
    Candidate,
    Family,
    Target,
)

# all that may run, for a failed one may have left devices
_READERS = (WICKED, NETWORKMANAGER)
_NFTABLES = ("/etc/nftables.conf", "/etc/nftables/*")
_NAMED_IN = (
    "/etc/sysconfig/SuSEfirewall2",
    "/etc/sysconfig/dhc*",
    "/etc/sysconfig/network/ifsysctl-*",
)


def _target(release: int, backend: str, name: str) -> Target:
    return Target(
        SUSE, release, (backend,), _READERS, SYSTEMD, ZYPPER, None, _NFTABLES, _NAMED_IN, name
    )


FAMILY = Family(
    breeds=("suse", "generic"),
    targets={},
    machines=(
        Candidate(
            "suse1[2-9]/wicked | tumbleweed/wicked",
            _target(12, "wicked", "SUSE with wicked"),
        ),
        Candidate(
            "suse1[5-9]/NetworkManager | tumbleweed/NetworkManager",
            _target(15, "keyfile", "SUSE with NetworkManager"),
        ),
    ),
    asked=("release", "suse_reader"),
    too_old=r"sles1[01].*|opensuse1[12]\..*|opensuse13\.1|(leap|sle)micro.*",
    known="breed suse: SLES 12 and later, Leap and Tumbleweed, for the machine tells",
)
