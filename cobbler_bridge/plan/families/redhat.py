"""EL and what is built from it, and Fedora: os_version tells the release, and that what reads."""

from cobbler_bridge.plan.target import (
    EL,
    FEDORA,
    NETWORK_SCRIPTS,
    NETWORKD,
    NETWORKMANAGER,
    SYSTEMD,
    SYSV,
    YUM,
    Candidate,
    Family,
    SavedRules,
    Target,
)

_SAVED_RULES = SavedRules(
    "/etc/sysconfig/iptables",
    "/etc/sysconfig/ip6tables",
    settings=("/etc/sysconfig/iptables-config", "/etc/sysconfig/ip6tables-config"),
)
_NFTABLES = ("/etc/sysconfig/nftables.conf", "/etc/nftables/*")
_NAMED_IN = (
    "/etc/rc.d/rc.local",
    "/etc/sysconfig/arptables",
    "/etc/sysconfig/dhc*",
    "/etc/sysconfig/ebtables*",
    "/etc/sysconfig/network-scripts/ifcfg-ppp*",
    "/etc/sysconfig/static-routes*",
    "/etc/sysconfig/system-config-firewall",
    "/sbin/ifup-local",
)
_FIREWALLS = _SAVED_RULES, _NFTABLES, _NAMED_IN
_READERS = (NETWORK_SCRIPTS, NETWORKMANAGER, NETWORKD)


def _el(release: int, *backends: str, name: str = "") -> Target:
    init = SYSV if release < 7 else SYSTEMD
    readers = _READERS[: 2 if release < 7 else 3] if release < 9 else _READERS[1:]
    name = name or "EL %d" % release
    return Target(EL, release, backends, readers, init, YUM, *_FIREWALLS, name)


def _fedora(release: int, name: str = "") -> Target:
    # since 33 its installer writes keyfiles
    name = name or "Fedora %d" % release
    return Target(FEDORA, release, ("keyfile",), _READERS[1:], SYSTEMD, YUM, *_FIREWALLS, name)


# os_version as Cobbler's distro_signatures.json names them
_TARGETS = {
    "rhel5": _el(5, "ifcfg"),
    "rhel6": _el(6, "ifcfg"),
    "cloudlinux6": _el(6, "ifcfg"),
    "rhel7": _el(7, "ifcfg"),
    "ovz7": _el(7, "ifcfg"),
    "rhel8": _el(8, "ifcfg", "keyfile"),
    "rhel9": _el(9, "keyfile", "ifcfg"),
    "rhel10": _el(10, "keyfile"),
}
_FEDORAS = range(33, 46)
_TARGETS.update(("fedora%d" % release, _fedora(release)) for release in _FEDORAS)

FAMILY = Family(
    breeds=("redhat", "generic"),
    targets=_TARGETS,
    machines=(
        Candidate("el5", _TARGETS["rhel5"]),
        Candidate("el6", _TARGETS["rhel6"]),
        Candidate("el7", _TARGETS["rhel7"]),
        Candidate("el8", _TARGETS["rhel8"]),
        Candidate("el9 | el[1-9][0-9]", _el(9, "keyfile", name="EL 9 and later")),
        Candidate(
            "fedora3[3-9] | fedora[4-9][0-9] | fedora[1-9][0-9][0-9]",
            _fedora(33, name="Fedora 33 and later"),
        ),
    ),
    asked=("release",),
    too_old=r"rhel[1-4]|fedora([0-9]|[12][0-9]|3[0-2])",
    known="breed redhat: rhel5 to rhel10, fedora%d to fedora%d, cloudlinux6 and ovz7, and what is "
    "newer" % (_FEDORAS[0], _FEDORAS[-1]),
)
