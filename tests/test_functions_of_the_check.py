"""What single functions of the check do on a host, each called alone on a scratch root.

``test_firstboot`` runs the whole check; most of what is here it comes to on few hosts.
"""

from pathlib import Path
from typing import Dict, List, Optional

import pytest

import scratch_machine as machine
from cobbler_bridge import shipped
from test_firstboot import MAC, ON_EVERY_SHELL, STATE

PARTS = shipped.ON_A_HOST + "/firstboot"
# what is called of the machine, and what of the check, is written down
PRETENDED = "ip brctl wicked netconfig systemctl ifdown ifup kill init_script"
PRETENDED += " start_service stop_service restart_service"


def did(root: Path, sh: List[str], call: str, part: str = "systemd", **variables: str) -> List[str]:
    """What the call of a function has called, and last the status with which it has ended."""
    text = "".join(
        shipped.text(folder, name)
        for folder, name in (
            ("script/helpers", "shared.sh"),
            (PARTS, part + ".sh"),
            (shipped.ON_A_HOST, "firstboot.sh"),
        )
    )
    text = text[: text.rindex('\nmain "$@"\n') + 1]
    for name in PRETENDED.split():
        # its own part has it really
        if not part == name == "init_script":
            text += '%s() { echo "%s $*" >> "$root/calls"; }\n' % (name, name)
    text += "".join("%s='%s'\n" % variable for variable in variables.items())
    (root / STATE).mkdir(parents=True, exist_ok=True)
    (root / "calls").write_text("")
    run = machine.run(text + call + "\nstatus=$?\nexit $status\n", root, sh)
    assert run.errors == ""
    return [*(root / "calls").read_text().splitlines(), str(run.status)]


def has(root: Path, files: Dict[str, str]) -> None:
    """These files; a text of ``->`` and more is a link, of ``/`` a folder, of ``!`` a program."""
    for name, text in files.items():
        path = root / name
        (path if text == "/" else path.parent).mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            path.symlink_to(text[2:])
        elif text != "/":
            path.write_text(text)
            path.chmod(0o755 if text == "!" else 0o644)


NM = "run/NetworkManager/"
MADE_UP = NM + "system-connections/Wired connection %d.nmconnection"
IN_A_BOND = {
    "sys/class/net/eth0/master": "->../bond0",
    "sys/class/net/bond0/bonding": "/",
}


@ON_EVERY_SHELL
def test_a_bond_that_is_none_of_ours(sh: List[str], tmp_path: Path) -> None:
    """It goes before its ports get files of ours; where a proved bridge had the card, it stays."""
    assert did(tmp_path, sh, "holds_NetworkManager", "NetworkManager", nics="eth0") == ["1"]
    has(tmp_path, IN_A_BOND)
    assert did(tmp_path, sh, "holds_NetworkManager", "NetworkManager", nics="eth0") == ["0"]
    calls = did(tmp_path, sh, "free_NetworkManager", "NetworkManager", nics="eth0")
    assert calls[:-1] == ["ip link del dev bond0"]
    has(tmp_path, {STATE + "/proved.before": "nic eth0\n"})
    assert did(tmp_path, sh, "holds_NetworkManager", "NetworkManager", nics="eth0") == ["1"]
    assert did(tmp_path, sh, "free_NetworkManager", "NetworkManager", nics="eth0")[:-1] == []


@ON_EVERY_SHELL
def test_what_networkmanager_makes_up_for_a_nic(sh: List[str], tmp_path: Path) -> None:
    """It goes for our NICs when a host that runs is switched, and for all when that is undone."""
    for number, nic in ((1, "eth0"), (2, "eth9")):
        has(tmp_path, {MADE_UP % number: "[connection]\ninterface-name=%s\n" % nic})
    has(tmp_path, {NM + "devices/2": "x\n", NM + "system-connections/mine": "x\n"})
    assert did(tmp_path, sh, "holds_NetworkManager", "NetworkManager", nics="eth0") == ["0"]
    assert did(tmp_path, sh, "holds_NetworkManager", "NetworkManager", nics="eth1") == ["1"]
    did(tmp_path, sh, "free_NetworkManager", "NetworkManager", nics="eth0")
    left = {MADE_UP % 2, NM + "devices/2", NM + "system-connections/mine"}
    assert {path for path in machine.tree(tmp_path) if path.startswith("run/")} == left
    did(tmp_path, sh, "clear_NetworkManager", "NetworkManager")
    left = {NM + "system-connections/mine"}
    assert {path for path in machine.tree(tmp_path) if path.startswith("run/")} == left


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("file", "program", "ends"),
    [
        ("dhclient.eth0.pid", "/sbin/dhclient", True),
        ("dhclient6.eth0.pid", "/sbin/dhclient", True),
        ("dhcpcd-eth0.pid", "dhcpcd", True),
        ("dhcpcd/eth0-4.pid", "dhcpcd: eth0 [ip4]", True),
        ("dhcpcd/eth0-4.pid", "httpd", False),
        ("dhcpcd/eth1.pid", "dhcpcd", False),
    ],
)
def test_the_client_that_has_a_lease(
    file: str, program: str, ends: bool, sh: List[str], tmp_path: Path
) -> None:
    has(tmp_path, {"run/" + file: "77\n", "proc/77/cmdline": program + "\n"})
    calls = did(tmp_path, sh, "free_networking", "networking", nics="eth0")
    assert calls[:-1] == (["kill 77"] if ends else [])


@ON_EVERY_SHELL
def test_what_ifupdown_could_not_take_down(sh: List[str], tmp_path: Path) -> None:
    """Nothing of what is no more is left in its notes, and a port has IPv6 as others have."""
    names = ("br0", "br0.7", "eth0", "eth1", "bond9")
    kept = {"run/network/ifstate.lo": "lo\n", "run/dhcpcd/hook-state/resolv.conf/eth9.dhcp": "x\n"}
    gone = {"run/network/ifstate.%s" % name: name for name in names}
    gone.update({"run/dhcpcd/hook-state/resolv.conf/%s.ra" % name: "x\n" for name in names})
    state = "lo=lo\n" + "".join("%s=%s\n" % (name, name) for name in names) + "eth9=eth9\n"
    ipv6 = "proc/sys/net/ipv6/conf/%s/%s"
    has(tmp_path, {**kept, **gone, "run/network/ifstate": state})
    for key in ("disable_ipv6", "addr_gen_mode"):
        has(tmp_path, {ipv6 % ("default", key): "0\n", ipv6 % ("eth0", key): "1\n"})
    devices = {"bridges": " br0", "devices": " br0.7", "ports": " eth1", "bonds": " bond9"}
    did(tmp_path, sh, "clear_networking", "networking", nics=" eth0", **devices)
    left = {path: text for path, text in machine.tree(tmp_path).items() if path.startswith("run/")}
    assert left == {**kept, "run/network/ifstate": "lo=lo\neth9=eth9\n"}
    for key in ("disable_ipv6", "addr_gen_mode"):
        assert (tmp_path / (ipv6 % ("eth0", key))).read_text() == "0\n"


@ON_EVERY_SHELL
def test_what_ifupdown_would_make_anew(sh: List[str], tmp_path: Path) -> None:
    def holds() -> List[str]:
        return did(tmp_path, sh, "holds_networking", "networking", bridges="br0", ports="bond0")

    has(tmp_path, {"sys/class/net/bond0/address": "x\n"})
    assert holds() == ["1"]
    has(tmp_path, {"sys/class/net/bond0/bonding": "/"})
    assert holds() == ["0"]
    (tmp_path / "sys/class/net/bond0/bonding").rmdir()
    has(tmp_path, {"sys/class/net/br0": "/"})
    assert holds() == ["0"]


DUID = 'default-duid "\\000\\001";\n'


@ON_EVERY_SHELL
def test_who_a_dhclient_is(sh: List[str], tmp_path: Path) -> None:
    """The bridge's is who the card's was, but for one that is somebody already; no lease stays."""
    leases = "var/lib/dhcp/%s.%s.leases"
    has(tmp_path, {leases % ("dhclient", "eth0"): DUID + "lease {\n}\n"})
    has(tmp_path, {leases % ("dhclient6", "eth0"): "lease6 {\n}\n"})
    did(tmp_path, sh, "same_client br0", "networking", nics="eth0")
    found = {path: text for path, text in machine.tree(tmp_path).items() if "br0" in path}
    assert found == {leases % ("dhclient", "br0"): DUID}
    has(tmp_path, {leases % ("dhclient", "br0"): "lease {\n}\n" + DUID.replace("1", "2")})
    did(tmp_path, sh, "same_client br0", "networking", nics="eth0")
    has(tmp_path, {"sys/class/net/br0": "/"})
    calls = did(tmp_path, sh, "stop_networking", "networking", bridges=" br0")
    assert calls == ["ifdown --force br0", "stop_service networking", "0"]
    found = {path: text for path, text in machine.tree(tmp_path).items() if "br0" in path}
    assert found == {leases % ("dhclient", "br0"): DUID.replace("1", "2")}


STANZA = "iface br0 inet dhcp\n    bridge_ports eth0 eth1\n    bridge_hw %s\n" % MAC


@ON_EVERY_SHELL
def test_a_bridge_that_ifup_finds_there(sh: List[str], tmp_path: Path) -> None:
    """It is made only where each of its ports is there."""
    has(tmp_path, {"etc/network/interfaces.d/cobbler-bridge": STANZA})
    has(tmp_path, {"sys/class/net/eth0": "/"})
    assert did(tmp_path, sh, "make_bridge", "networking", bridge="br0")[:-1] == []
    has(tmp_path, {"sys/class/net/eth1": "/"})
    assert did(tmp_path, sh, "make_bridge", "networking", bridge="br0")[:-1] == [
        "ip link add name br0 address %s type bridge" % MAC,
        "ip link set dev br0 up",
        *("ip link set dev eth%d master br0 addrgenmode none" % number for number in (0, 1)),
    ]


@ON_EVERY_SHELL
def test_a_switch_by_ifupdown(sh: List[str], tmp_path: Path) -> None:
    has(tmp_path, {"proc/uptime": "5.00 0\n"})
    made = "same_client() { echo client of $1 >> $root/calls; }\nkill() { return 1; }\n"
    made += "make_bridge() { echo made $bridge >> $root/calls; }\n"
    call = made + "restart_networking 2> /dev/null"
    calls = did(tmp_path, sh, call, "networking", bridges="br0", nics="eth0")
    assert calls[:3] == ["client of br0", "made br0", "ip addr flush dev eth0"]
    assert "ifup -a --allow=hotplug" in calls


@ON_EVERY_SHELL
def test_a_script_of_init_that_is_killed(sh: List[str], tmp_path: Path) -> None:
    """It is called again, three times at most; one that only fails is not."""
    has(tmp_path, {"etc/rc.d/init.d/network": "!"})
    for ends, runs in (("kill -9 $$", 3), ("exit 1", 1)):
        text = '#!/bin/sh\necho "$1" >> "$BRIDGE_ROOT/calls"\n%s\n' % ends
        (tmp_path / "etc/rc.d/init.d/network").write_text(text)
        calls = did(tmp_path, sh, "init_script network stop 2> /dev/null", "init_script")
        assert calls[:-1] == ["stop"] * runs


@ON_EVERY_SHELL
def test_no_unit_of_ours_is_left(sh: List[str], tmp_path: Path) -> None:
    """Not even as one that has failed."""
    calls = ["systemctl daemon-reload", "systemctl reset-failed cobbler-bridge-*", "0"]
    assert did(tmp_path, sh, "no_units") == calls


@ON_EVERY_SHELL
def test_a_lease_of_networkd(sh: List[str], tmp_path: Path) -> None:
    leases = "run/systemd/netif/leases/"
    for number, device in (("2", "eth0"), ("3", "br-old"), ("4", "eth9")):
        has(tmp_path, {"sys/class/net/%s/ifindex" % device: number + "\n"})
    has(tmp_path, {leases + "4": "x\n"})
    for nics, moved in (("eth0", ""), ("", "br-old")):
        which = {"nics": nics, "moved": moved}
        file = tmp_path / leases / ("2" if nics else "3")
        assert did(tmp_path, sh, "holds_networkd", "systemd-networkd", **which) == ["1"]
        file.write_text("x\n")
        assert did(tmp_path, sh, "holds_networkd", "systemd-networkd", **which) == ["0"]
        did(tmp_path, sh, "free_networkd", "systemd-networkd", **which)
        assert [path.name for path in (tmp_path / leases).iterdir()] == ["4"]


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("call", "calls"),
    [
        (
            "stop_wicked",
            [
                "stop_service wicked",
                "wicked --systemd ifdown all",
                "wicked --systemd ifdown --delete br0",
            ],
        ),
        ("restart_wicked", ["start_service wicked", "wicked --systemd ifreload all"]),
        ("started_wicked", ["wicked --systemd ifreload all"]),
        ("make_wicked", ["netconfig update"]),
    ],
)
def test_wicked(call: str, calls: List[str], sh: List[str], tmp_path: Path) -> None:
    """What only differs from the files is made as they are; what a root is behind is deleted."""
    has(tmp_path, {"sys/class/net/br0": "/"})
    variables = {"bridges": "br0", "devices": "br0.7"}
    assert did(tmp_path, sh, call, "wicked", **variables) == [*calls, "0"]


@ON_EVERY_SHELL
def test_network_scripts_are_stopped_by_their_script(sh: List[str], tmp_path: Path) -> None:
    """systemd takes them for stopped where somebody called the script; without one, it is asked."""
    assert did(tmp_path, sh, "stop_network", "network") == ["stop_service network", "0"]
    has(tmp_path, {"etc/rc.d/init.d/network": "!"})
    assert did(tmp_path, sh, "stop_network", "network") == ["init_script network stop", "0"]


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("state", "is_enabled", "noted", "is_up"),
    [
        ("active", True, None, True),
        ("activating", True, None, True),
        ("failed", True, None, True),
        ("inactive", True, None, False),
        ("inactive", True, "wicked\n", False),
        ("inactive", True, "", True),
        ("inactive", False, "", False),
    ],
)
def test_a_reader_that_systemd_starts(
    state: str,
    is_enabled: bool,
    noted: Optional[str],
    is_up: bool,
    sh: List[str],
    tmp_path: Path,
) -> None:
    """A failed one may have left devices; where none could be noted, what a boot starts is up."""
    if noted is not None:
        has(tmp_path, {STATE + "/readers": noted})
    says = "systemctl() { case $1 in is-active) echo %s ;; *) return %d ;; esac; }\n"
    call = says % (state, not is_enabled) + "is_up networking"
    assert did(tmp_path, sh, call) == ["0" if is_up else "1"]


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("name", "installed", "runs", "is_up"),
    [
        ("network", True, False, True),
        ("network", False, True, False),
        ("NetworkManager", True, False, False),
        ("NetworkManager", True, True, True),
        ("NetworkManager", False, True, False),
    ],
)
def test_a_reader_that_init_starts(
    name: str, installed: bool, runs: bool, is_up: bool, sh: List[str], tmp_path: Path
) -> None:
    if installed:
        has(tmp_path, {"etc/rc.d/init.d/" + name: "!"})
    call = "pidof() { return %d; }\nis_up %s" % (not runs, name)
    assert did(tmp_path, sh, call, "sysv") == ["0" if is_up else "1"]


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("before", "after", "calls"),
    [
        ("", "mtu eth0 9000\nmtu br0 9000\n", ["eth0 9000", "br0 9000"]),
        # that of before; of a bridge that we made, its NIC's
        ("mtu eth0 9000\nmtu br0 9000\nwas eth0 1496\n", "", ["eth0 1496", "br0 1496"]),
        ("mtu br0 9000\n", "", ["br0 1500"]),
        ("mtu eth1 9000\nwas eth0 1496\nwas eth1 1400\n", "", ["eth0 1496", "eth1 1400"]),
        # once, as it is described now
        ("mtu eth0 9000\nwas eth0 1500\n", "mtu eth0 1400\n", ["eth0 1400"]),
    ],
)
def test_the_mtu_of_a_device_that_a_reader_knows(
    before: str, after: str, calls: List[str], sh: List[str], tmp_path: Path
) -> None:
    has(tmp_path, {"before": before, "after": after})
    call = 'other_mtu "$root/before" "$root/after"'
    found = did(tmp_path, sh, call)[:-1]
    assert found == ["ip link set dev %s mtu %s" % tuple(each.split()) for each in calls]


def plugged(name: str, bridge: str = "br0", **more: str) -> Dict[str, str]:
    net = "sys/class/net/"
    return {
        net + name + "/brport/bridge": "->../../" + bridge,
        net + name + "/brport/isolated": "1\n",
        net + bridge + "/brif/" + name: "/",
        **{net + name + "/" + what: text for what, text in more.items()},
    }


@ON_EVERY_SHELL
def test_guests_are_what_nobody_made_of_another_device(sh: List[str], tmp_path: Path) -> None:
    has(tmp_path, {**plugged("vnet0"), **plugged("eth9", device="/")})
    has(tmp_path, {**plugged("eth1.7", lower_eth1="/"), **plugged("eth0")})
    for _ in range(2):
        did(tmp_path, sh, "note_guests", ports=" eth0", nics="", devices="", nics_before="")
        assert (tmp_path / STATE / "guests").read_text() == "vnet0 br0 1\n"


@ON_EVERY_SHELL
def test_what_leaves_a_bridge(sh: List[str], tmp_path: Path) -> None:
    """A card, what is made of another device, and a NIC of before; no guest does."""
    has(tmp_path, {**plugged("vnet0"), **plugged("eth9", device="/"), **plugged("p1")})
    has(tmp_path, {**plugged("eth1.7", lower_eth1="/"), **plugged("eth0")})
    variables = {"bridges": " br0", "ports": " eth0", "nics_before": "p1 "}
    call = 'note_leaving\necho $leaving, $moved >> "$root/calls"\nleave_ports'
    assert did(tmp_path, sh, call, **variables)[:-1] == [
        "eth1.7 eth9 p1, br0 br0 br0",
        *("ip link set dev %s nomaster" % port for port in ("eth1.7", "eth9", "p1")),
        *["ip addr flush dev br0 dynamic"] * 3,
    ]


FILE = "/etc/network-file"
BEFORE = STATE + "/before" + FILE


@ON_EVERY_SHELL
def test_a_folder_where_an_old_file_is_to_be(sh: List[str], tmp_path: Path) -> None:
    """It is seen before the network is stopped, also where a check before was cut off."""
    has(tmp_path, {STATE + "/changes": "had %s\nend 1\n" % FILE, BEFORE: "old\n"})
    assert did(tmp_path, sh, "each_change lay_ready") == ["0"]
    has(tmp_path, {FILE[1:]: "/"})
    assert did(tmp_path, sh, "each_change lay_ready") == ["1"]
    has(tmp_path, {STATE + "/laid": ""})
    assert did(tmp_path, sh, "each_change lay_ready") == ["1"]


@ON_EVERY_SHELL
def test_an_old_file_whose_copy_is_no_more(sh: List[str], tmp_path: Path) -> None:
    has(tmp_path, {STATE + "/changes": "had %s\nend 1\n" % FILE, FILE[1:]: "ours\n"})
    assert did(tmp_path, sh, "each_change lay_ready") == ["1"]


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("there", "watch", "kept"),
    [
        ({}, "yes", "old\n"),
        # nothing stays that could put it back
        ({}, "no", None),
        # what stood before the first could not be kept
        ({"proved.before": "x\n"}, "yes", None),
        ({"proved.before": "x\n", "undo/changes": "end 0\n"}, "yes", "old\n"),
        # a list that is cut off
        ({"changes": "had %s\n" % FILE}, "yes", None),
        (
            {"undo/changes": "had %s\nend 1\n" % FILE, "undo/before" + FILE: "first\n"},
            "yes",
            "first\n",
        ),
    ],
)
def test_what_is_kept_to_undo(
    there: Dict[str, str], watch: str, kept: Optional[str], sh: List[str], tmp_path: Path
) -> None:
    has(tmp_path, {STATE + "/changes": "had %s\nend 1\n" % FILE, BEFORE: "old\n"})
    has(tmp_path, {"%s/%s" % (STATE, name): text for name, text in there.items()})
    did(tmp_path, sh, "keep_for_undo", watch=watch)
    found = tmp_path / STATE / "undo/before" / FILE[1:]
    assert (found.read_text() if found.exists() else None) == kept
    if kept is not None:
        changes = (tmp_path / STATE / "undo/changes").read_text()
        assert changes == "had %s\nend 1\n" % FILE


@ON_EVERY_SHELL
def test_the_bridge_of_before_goes_on_being_looked_at(sh: List[str], tmp_path: Path) -> None:
    """Once the old network, which is that bridge, is back."""
    has(tmp_path, {STATE + "/expected": "new\n", STATE + "/proved.before": "of before\n"})
    did(tmp_path, sh, "is_back")
    left = {path.name: path.read_text() for path in (tmp_path / STATE).iterdir()}
    assert left == {"rolled-back": "new\n", "proved": "of before\n"}


@ON_EVERY_SHELL
def test_devices_that_expected_should_have_named(sh: List[str], tmp_path: Path) -> None:
    """Our bridges and the cards in them; a guest's is no NIC, and another bridge is not ours."""
    has(tmp_path, {**plugged("vnet0"), **plugged("eth0", device="/")})
    has(tmp_path, plugged("eth1", "virbr0", device="/"))
    for bridge in ("br0", "virbr0"):
        has(tmp_path, {"sys/class/net/%s/bridge" % bridge: "/"})
    has(tmp_path, {STATE + "/changes": "added /etc/sysconfig/network-scripts/ifcfg-br0\nend 1\n"})
    call = 'find_devices\necho "$bridges,$nics" >> "$root/calls"'
    assert did(tmp_path, sh, call, bridges="", nics="")[:-1] == [" br0, eth0"]
