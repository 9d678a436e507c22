"""What is known of an operating system that a bridge is written for; ``families`` has them."""

from typing import Dict, Generic, List, Mapping, NamedTuple, Optional, Tuple, TypeVar

Row = TypeVar("Row")

# Families: what has its releases counted together
EL = "EL"
FEDORA = "Fedora"
DEBIAN = "Debian"
UBUNTU = "Ubuntu"
SUSE = "SUSE"
# Init systems: what starts the services of a host
SYSV = "sysv"
SYSTEMD = "systemd"
# Readers of the network's files
NETWORK_SCRIPTS = "network"
NETWORKMANAGER = "NetworkManager"
NETWORKD = "systemd-networkd"
IFUPDOWN = "networking"
NETPLAN = "netplan"
WICKED = "wicked"


class PackageTool(NamedTuple):
    """What installs packages: the path of a program, and its words before a package's name.

    ``refresh`` are words with which it is called before, where what it knows may be old.
    """

    path: str
    install: str
    refresh: str = ""


YUM = PackageTool("/usr/bin/yum", "-q -y install")
APT = PackageTool("/usr/bin/apt-get", "-q -y install", refresh="-q update")
# which asks whom it can't ask, without a word before what it is to do
ZYPPER = PackageTool("/usr/bin/zypper", "-q -n install")


class SavedRules(NamedTuple):
    """The files that the rules of iptables and of ip6tables are loaded from at boot.

    ``settings`` are for each the file in which SAVE_ON_STOP or SAVE_ON_RESTART has what loads it
    write the rules that run over it; nothing where there is none.
    """

    ipv4: str
    ipv6: str
    settings: Tuple[str, str]

    @property
    def paths(self) -> Tuple[str, str]:
        """Both."""
        return self.ipv4, self.ipv6

    @property
    def files(self) -> Tuple[Tuple[str, str], ...]:
        """Each with its settings."""
        return tuple(zip(self.paths, self.settings))


class Target(NamedTuple):
    """The operating system on a host.

    ``family`` and ``release`` say which it is, ``name`` says it to a person. ``backends`` are the
    formats that its programs read, names in ``backends.BACKENDS``, the one that it reads by
    default first. ``readers`` are the services that may read its network's files, in the order in
    which they are started, whichever of them does. ``init`` starts its services, ``package_tool``
    installs its packages, and ``saved_rules`` are where its firewall's rules lie: ``None`` where
    nothing loads such files. ``nftables`` are patterns of the files that nftables loads at boot,
    ``named_in`` of the family's own that may name a NIC and that nothing follows: the log says
    where one does.
    """

    family: str
    release: int
    backends: Tuple[str, ...]
    readers: Tuple[str, ...]
    init: str
    package_tool: PackageTool
    saved_rules: Optional[SavedRules]
    nftables: Tuple[str, ...]
    named_in: Tuple[str, ...]
    name: str


class Candidate(NamedTuple):
    """What a machine may turn out to be.

    ``pattern`` is one of the shell's case for what the helper ``release`` calls it.
    """

    pattern: str
    target: Target


class ByTarget(Generic[Row]):
    """What differs by release: a row holds from its release on, until the next of its family.

    A family without a row is not known to the table, nor is a release before the first one.
    """

    def __init__(self, rows: Mapping[Tuple[str, int], Row]) -> None:
        # of a family the newest first
        self._rows: Dict[str, List[Tuple[int, Row]]] = {}
        for (family, release), row in sorted(rows.items(), key=lambda each: each[0], reverse=True):
            self._rows.setdefault(family, []).append((release, row))

    def row(self, target: Target) -> Optional[Row]:
        """The row of a target, ``None`` where there is none."""
        rows = self._rows.get(target.family, ())
        return next((row for since, row in rows if since <= target.release), None)


class Family(NamedTuple):
    """What counts its releases together, or several that Cobbler and a machine tell apart alike.

    ``breeds`` are Cobbler's. ``targets`` are what an os_version of the first of them tells,
    ``machines`` what a machine may turn out to be where none does; ``asked`` are the helpers that
    find this out, in their order: they set ``release``. ``too_old`` is a pattern of os_version,
    ``known`` says all this to a person.
    """

    breeds: Tuple[str, ...]
    targets: Mapping[str, Target]
    machines: Tuple[Candidate, ...]
    asked: Tuple[str, ...]
    too_old: str
    known: str
