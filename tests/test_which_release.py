"""What a machine says of itself is its release, and what is there reads its network."""

import fnmatch
from pathlib import Path
from typing import Dict, List, Optional

import pytest

import scratch_machine as machine
from cobbler_bridge import shipped
from cobbler_bridge.plan import families
from test_firstboot import ON_EVERY_SHELL
from test_functions_of_the_check import has

HELPERS = "script/helpers"
# what the script has besides
BEGIN = """
root=$BRIDGE_ROOT
say() { echo "$*"; }
runs() { return 1; }
leave_alone() { echo "left alone: $1"; exit 1; }
"""


def says(root: Path, sh: List[str], helper: str, call: str) -> str:
    """The last line that the call says."""
    run = machine.run(BEGIN + shipped.text(HELPERS, helper + ".sh") + call + "\n", root, sh)
    assert run.errors == ""
    return (run.output.splitlines() or [""])[-1]


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("os_release", "redhat_release", "release"),
    [
        ("ID=fedora\nVERSION_ID=41\n", "", "fedora41"),
        ("ID=rhel\nVERSION_ID=9.4\nID_LIKE=fedora\n", "", "el9"),
        ("ID=centos\nVERSION_ID=10\nID_LIKE='rhel fedora'\n", "", "el10"),
        # by one of these alone
        ("ID=scientific\nVERSION_ID=7.9\nID_LIKE=rhel\n", "", "el7"),
        ("ID=centos\nVERSION_ID=7\n", "", "el7"),
        ("ID=miracle\nVERSION_ID=8.10\nPLATFORM_ID=platform:el8\n", "", "el8"),
        # what is like Fedora is none
        ("ID=amzn\nVERSION_ID=2023\nID_LIKE=fedora\n", "", "amzn2023"),
        ("ID=debian\nVERSION_ID=12\n", "CentOS release 5.11\n", "debian12"),
        ("ID=debian\n", "", "debian"),
        ("", "CentOS release 5.11 (Final)\nof Red Hat 4\n", "el5"),
        ("", "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n", "el6"),
        ("", "Fedora release 14 (Laughlin)\n", "fedora14"),
        ("", "", ""),
    ],
)
def test_which_release(
    os_release: str, redhat_release: str, release: str, sh: List[str], tmp_path: Path
) -> None:
    for name, text in (("os-release", os_release), ("redhat-release", redhat_release)):
        if text:
            has(tmp_path, {"etc/" + name: text})
    assert says(tmp_path, sh, "release", 'release\necho "is $release"') == "is " + release


SERVICE = "->/usr/lib/systemd/system/%s.service"
WANTED = "etc/systemd/system/multi-user.target.wants/%s.service"
ALIAS = "etc/systemd/system/network.service"
WICKED, NM = {"usr/sbin/wicked": "!"}, {"usr/sbin/NetworkManager": "!"}


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("files", "reader"),
    [
        (WICKED, "wicked"),
        (NM, "NetworkManager"),
        ({**NM, **WICKED}, "wicked"),
        # what is enabled, also where the link leads nowhere in a chroot
        ({**NM, **WICKED, WANTED % "NetworkManager": SERVICE % "NetworkManager"}, "NetworkManager"),
        ({**NM, **WICKED, WANTED % "wicked": SERVICE % "wicked"}, "wicked"),
        ({WANTED % "wicked": "", WANTED % "NetworkManager": ""}, "NetworkManager"),
        ({WANTED % "wicked": "", WANTED % "systemd-networkd": ""}, "wicked"),
        # before that, what network.service is
        ({ALIAS: SERVICE % "wicked", WANTED % "NetworkManager": "", **NM}, "wicked"),
        ({ALIAS: SERVICE % "NetworkManager", **WICKED}, "NetworkManager"),
    ],
)
def test_what_reads_the_network_of_suse(
    files: Dict[str, str], reader: str, sh: List[str], tmp_path: Path
) -> None:
    has(tmp_path, {"sys/class/net": "/", **files})
    call = 'release=sles15.6\nsuse_reader\necho "is $release"'
    assert says(tmp_path, sh, "suse", call) == "is suse15/" + reader


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("reader", "release", "major"),
    [
        ("wicked", "sles12.5", "suse12"),
        ("wicked", "sled15.6", "suse15"),
        ("wicked", "sle_hpc15.5", "suse15"),
        ("wicked", "sles_sap12.5", "suse12"),
        ("wicked", "opensuse-leap15.6", "suse15"),
        ("wicked", "opensuse42.3", "suse12"),
        ("wicked", "opensuse-leap42.3", "suse12"),
        ("wicked", "opensuse13.2", "suse12"),
        ("wicked", "opensuse-tumbleweed20250101", "tumbleweed"),
        ("NetworkManager", "opensuse-tumbleweed", "tumbleweed"),
        ("NetworkManager", "sles16.0", "suse16"),
        ("NetworkManager", "sles12.5", None),
        ("systemd-networkd", "sles15.6", None),
        ("wicked", "sles11.4", None),
        ("wicked", "sled11.4", None),
        ("wicked", "opensuse11.4", None),
        ("wicked", "opensuse12.3", None),
        ("wicked", "opensuse13.1", None),
    ],
)
def test_which_suse(
    reader: str, release: str, major: Optional[str], sh: List[str], tmp_path: Path
) -> None:
    """One that is left alone, or exactly one that there is a plan for."""
    has(tmp_path, {"sys/class/net": "/", ALIAS: SERVICE % reader})
    call = 'release=%s\nsuse_reader\necho "is $release"' % release
    said = says(tmp_path, sh, "suse", call)
    if major is None:
        assert said.startswith("left alone: ")
    else:
        name = "%s/%s" % (major, reader)
        assert said == "is " + name
        assert len(fitting(name)) == 1


NETPLAN, IFUP = {"usr/sbin/netplan": "!"}, {"sbin/ifup": "!"}
LO, ETH0 = "auto lo\niface lo inet loopback\n", "iface eth0 inet dhcp\n"
INTERFACES = "etc/network/interfaces"


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("files", "reader"),
    [
        ({**NETPLAN, **IFUP, **NM, "etc/netplan/1.yaml": ""}, "netplan"),
        ({**NETPLAN, "lib/netplan/1.yaml": ""}, "netplan"),
        ({**NETPLAN, "etc/cloud/cloud.cfg.d/90-installer-network.cfg": ""}, "netplan"),
        # an installer's own, no file, and no program
        ({**NETPLAN, **IFUP, "run/netplan/1.yaml": ""}, "ifupdown"),
        ({**NETPLAN, **IFUP}, "ifupdown"),
        ({**IFUP, "etc/netplan/1.yaml": ""}, "ifupdown"),
        ({**NM, **IFUP}, "NetworkManager"),
        ({**NM, **IFUP, INTERFACES: LO}, "NetworkManager"),
        ({**NM, **IFUP, INTERFACES: LO + ETH0}, "ifupdown"),
        ({**NM, **IFUP, INTERFACES: LO, INTERFACES + ".d/eth0": ETH0}, "ifupdown"),
        ({**IFUP, "usr/share/ifupdown2": "/"}, None),
        ({**IFUP, "usr/libexec/ifupdown-ng": "/"}, None),
        ({}, None),
    ],
)
def test_what_reads_the_network_of_debian(
    files: Dict[str, str], reader: Optional[str], sh: List[str], tmp_path: Path
) -> None:
    has(tmp_path, {"sys/class/net": "/", **files})
    call = 'release=debian12\ndebian_reader\necho "is $release"'
    # its scripts are another init system's
    said = says(tmp_path, sh, "debian", call)
    assert said.startswith("left alone: what reads the network here is another init system")
    has(tmp_path, {"lib/systemd/system": "/"})
    said = says(tmp_path, sh, "debian", call)
    if reader is None:
        assert said.startswith("left alone: ")
    else:
        assert said == "is debian12/" + reader


def test_what_is_none_of_theirs_is_let_be(tmp_path: Path) -> None:
    for helper, release in (("suse", "el9"), ("suse", "slemicro6.0"), ("debian", "devuan5")):
        call = 'release=%s\n%s_reader\necho "is $release"' % (release, helper)
        assert says(tmp_path, machine.SHELLS["dash"], helper, call) == "is " + release


def fitting(name: str) -> List[str]:
    """The names of the targets whose pattern fits."""
    return [
        each.target.name
        for family in families.FAMILIES
        for each in family.machines
        if any(fnmatch.fnmatchcase(name, one) for one in each.pattern.split(" | "))
    ]


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("el4", []),
        ("el5", ["EL 5"]),
        ("el8", ["EL 8"]),
        ("el9", ["EL 9 and later"]),
        ("el10", ["EL 9 and later"]),
        ("fedora32", []),
        ("fedora33", ["Fedora 33 and later"]),
        ("fedora50", ["Fedora 33 and later"]),
        ("fedora100", ["Fedora 33 and later"]),
        ("debian9/ifupdown", []),
        ("debian10/ifupdown", ["debian with ifupdown"]),
        ("debian13/netplan", ["debian with netplan"]),
        ("debian12/NetworkManager", ["debian with NetworkManager"]),
        ("ubuntu16.04/netplan", []),
        ("ubuntu18.04/netplan", ["ubuntu with netplan"]),
        ("ubuntu24.04/netplan", ["ubuntu with netplan"]),
        ("ubuntu24.04/ifupdown", []),
        ("suse12/wicked", ["SUSE with wicked"]),
        ("suse12/NetworkManager", []),
        ("suse15/NetworkManager", ["SUSE with NetworkManager"]),
        ("tumbleweed/wicked", ["SUSE with wicked"]),
        ("tumbleweed/NetworkManager", ["SUSE with NetworkManager"]),
    ],
)
def test_each_has_one_plan_or_none(name: str, fits: List[str]) -> None:
    assert [each.lower() for each in fitting(name)] == [each.lower() for each in fits]
