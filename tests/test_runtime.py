"""The fixed shell on machines where something fails: all of the new files, or all of the old."""

import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import pytest

import golden
import scratch_machine as machine
from cobbler_bridge.plan.families.redhat import FAMILY as REDHAT
from cobbler_bridge.plan.firewalls.iptables import RULE
from cobbler_bridge.script import carried, render
from cobbler_bridge.snippet import bridge_setup
from shell_faults import EVERY, how_many, spread

ON_EVERY_SHELL = pytest.mark.parametrize("sh", machine.SHELLS.values(), ids=machine.SHELLS)
MAC1, MAC2, MAC3 = ("52:54:00:aa:00:0%d" % number for number in (1, 2, 3))
ASIDE = "etc/sysconfig/network-scripts/ifcfg-Auto eth0"
STAYS = "; the network stays as it is\n"

# (mode, content) of each file
Tree = Dict[str, Tuple[int, bytes]]

MACHINE: Mapping[str, Any] = {
    "nics": {"eth0": {"mac": MAC1}, "eth1": {"mac": MAC2, "link": False}},
    "files": {
        "/usr/sbin/brctl!": "",
        "/etc/sysconfig/network-scripts/ifcfg-eth0": "DEVICE=eth0\nBOOTPROTO=dhcp\n",
        "/etc/sysconfig/network-scripts/ifcfg-eth1": "DEVICE=eth1\nONBOOT=no\n",
        "/" + ASIDE: "HWADDR=%s\nPASSWORD=x\n" % MAC1.upper(),
        "/etc/sysconfig/network-scripts/ifcfg-old": "DEVICE=eth0\n",
        "/etc/sysconfig/network": "NETWORKING=yes\nGATEWAYDEV=eth0\n",
        "/etc/sysconfig/iptables": "*filter\n-A FORWARD -j REJECT\nCOMMIT\n",
    },
}
DATA = {"breed": "redhat", "os_version": "rhel7", "profile_name": "hosts", "bridge": "br0"}
SCRIPT = bridge_setup(DATA)


def build(root: Path) -> None:
    machine.build(root, MACHINE)
    (root / ASIDE).chmod(0o600)


def enable(root: Path, service: str) -> None:
    """As systemctl enable does; the unit itself is in no scratch root."""
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / (service + ".service")).symlink_to("/nowhere/%s.service" % service)


def build_again(root: Path) -> None:
    """A host that was set up, and whose administrator changed every file since."""
    build(root)
    assert not machine.run(SCRIPT, root, machine.SHELLS["dash"]).refused
    folder = root / "etc/sysconfig/network-scripts"
    (folder / "ifcfg-br0").unlink()
    (folder / "ifcfg-eth0").write_text("DEVICE=eth0\n# by hand\n")
    (folder / "ifcfg-eth0").chmod(0o640)
    (folder / "ifcfg-old").write_text("DEVICE=eth0\n# another\n")
    (root / "etc/sysconfig/network").write_text("GATEWAYDEV=eth0\n")
    (root / "etc/sysconfig/iptables").write_text("*filter\n-A FORWARD -j DROP\nCOMMIT\n")
    enable(root, "firewalld")


STATES = {"first": build, "again": build_again}


def tree(root: Path, part: str = "etc") -> Tree:
    return {
        str(path.relative_to(root)): (path.stat().st_mode & 0o7777, path.read_bytes())
        for path in sorted((root / part).rglob("*"))
        if path.is_file()
    }


def leftovers(root: Path) -> List[Path]:
    return list(root.rglob(".cobbler-bridge.*"))


# Each call of a command that may fail is counted; one, or that one and all later ones, fail.
# A failing cp leaves half a file, as on a full disk.
FAULTS = """
fault() {
    fault_name=$1
    shift
    command printf '%s\\n' "$fault_name" >> "$FAULT_LOG"
    if [ "$fault_name" = "$FAULT_OF" ]; then
        fault_now=$(command grep -cx "$fault_name" "$FAULT_LOG")
        if [ "$fault_now" -eq "$FAULT_AT" ] || [ "$fault_now" -gt "$FAULT_UNTIL" ]; then
            if [ "$fault_name" = cp ]; then
                eval "fault_target=\\${$#}"
                command printf half > "$fault_target"
            fi
            return 1
        fi
    fi
    command "$fault_name" "$@"
}
for fault_each in mv cp rm mkdir chmod cat printf; do
    eval "$fault_each() { fault $fault_each \\"\\$@\\"; }"
done
"""
NEVER = 1_000_000
ENDS = ' || { [ $? -eq 1 ] && [ "${1:-}" != apply ]; }\n'


class Faulty:
    """A scratch machine that is rebuilt for each run, and what a run without a fault does."""

    def __init__(self, folder: Path, state: str, sh: Sequence[str]) -> None:
        self.root = folder / "root"
        self.sh = sh
        self._model = folder / "model"
        self._log = folder / "log"
        self._model.mkdir()
        STATES[state](self._model)
        self.old = tree(self._model)
        assert SCRIPT.count(ENDS) == 1
        assert self.run("none", 0, NEVER).status == 0
        self.new = tree(self.root)
        assert self.new != self.old
        self.calls = self._log.read_text().split()

    def run(self, command: str, at: int, until: int) -> machine.Run:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self._model, self.root, symlinks=True)
        self._log.write_text("")
        numbers = "FAULT_LOG=%s FAULT_OF=%s FAULT_AT=%d FAULT_UNTIL=%d\n"
        head = numbers % (render.quote(str(self._log)), command, at, until)
        status = self._log.with_name("status")
        # the section's is 0; what the script itself ended with, even if it couldn't say why
        script = SCRIPT.replace(ENDS, "; command printf %%s $? > %s\n" % status)
        status.write_text("1")
        run = machine.run(script, self.root, self.sh, head + FAULTS)
        assert run.status == 0
        return run._replace(status=int(status.read_text()))


def check_all_or_nothing(faulty: Faulty, run: machine.Run) -> None:
    assert leftovers(faulty.root) == []
    # one that lacks a helper ends before anything, and with 0
    if run.status == 0 and "there is no " not in run.errors:
        assert tree(faulty.root) == faulty.new
    else:
        assert run.status in (0, 1)
        assert run.errors.endswith(STAYS)
        assert tree(faulty.root) == faulty.old


@pytest.mark.slow
@how_many(6)
# every shell has these commands in the same way: two of them are tried in one shell only
@pytest.mark.parametrize(
    ("command", "shell_name", "state"),
    [(command, name, "again") for command in ("mv", "cp", "rm") for name in machine.SHELLS]
    + [(command, "dash", "first") for command in ("mv", "mkdir", "chmod")],
)
def test_one_call_that_fails(
    command: str, shell_name: str, state: str, wanted: int, tmp_path: Path
) -> None:
    faulty = Faulty(tmp_path, state, machine.SHELLS[shell_name])
    calls = faulty.calls.count(command)
    # most calls of rm are of what may be left lying
    every = spread(calls, wanted * (4 if command == "rm" else 1), len(command))
    refused = []
    for at in every:
        run = faulty.run(command, at, NEVER)
        check_all_or_nothing(faulty, run)
        if run.status:
            refused.append(at)
            assert run.errors.startswith("cobbler-bridge: ")
            assert run.errors.endswith(STAYS)
            assert run.errors.count("\n") == 1
    # the last mv only remembers the ports; an rm outside of /etc may leave something lying there
    expected = {"mv": [at for at in every if at < calls], "rm": refused}.get(command, every)
    assert refused == expected
    assert refused, "some call of %s was seen to fail" % command


@pytest.mark.slow
@how_many(6)
@ON_EVERY_SHELL
def test_a_disk_that_becomes_read_only_and_stays_so(
    sh: List[str], wanted: int, tmp_path: Path
) -> None:
    faulty = Faulty(tmp_path, "again", sh)
    for at in spread(faulty.calls.count("mv") - 1, wanted):
        run = faulty.run("mv", at, at)
        assert run.status == 1
        assert run.errors.endswith(STAYS)
        check_all_or_nothing(faulty, run)


@pytest.mark.slow
@how_many(10)
@pytest.mark.parametrize("command", ["cat", "printf"])
def test_one_line_that_is_not_written(command: str, wanted: int, tmp_path: Path) -> None:
    faulty = Faulty(tmp_path, "first", machine.SHELLS["dash"])
    statuses = set()
    for at in spread(faulty.calls.count(command), wanted):
        run = faulty.run(command, at, NEVER)
        check_all_or_nothing(faulty, run)
        statuses.add(run.status)
    assert statuses >= ({1} if wanted < EVERY else {0, 1})


def made_folder(root: Path, path: str) -> None:
    (root / path).mkdir(parents=True)
    (root / path / "file").write_text("x")


def made_file(root: Path, path: str) -> None:
    place = root / path
    shutil.rmtree(str(place), ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("x")


SCRIPTS_FOLDER = "etc/sysconfig/network-scripts"
CANT_BEGIN = "nothing can be written below {}/var/lib/cobbler-bridge"
IN_THE_WAY = [
    (made_file, "var", CANT_BEGIN),
    (made_file, "var/lib/cobbler-bridge", CANT_BEGIN),
    (made_folder, SCRIPTS_FOLDER + "/ifcfg-br0", "/" + SCRIPTS_FOLDER + "/ifcfg-br0 can't"),
    (made_file, SCRIPTS_FOLDER, "/" + SCRIPTS_FOLDER + "/ifcfg-eth0 can't be written"),
    (
        made_file,
        "var/lib/cobbler-bridge/kept/etc/sysconfig",
        "/" + SCRIPTS_FOLDER + "/ifcfg-eth0 can't be written",
    ),
]


@ON_EVERY_SHELL
@pytest.mark.parametrize(("make", "path", "why"), IN_THE_WAY)
def test_something_in_the_way(
    make: Any, path: str, why: str, sh: List[str], tmp_path: Path
) -> None:
    build(tmp_path)
    make(tmp_path, path)
    old = tree(tmp_path)
    run = machine.run(SCRIPT, tmp_path, sh)
    assert run.status == 0
    said = run.errors.splitlines(keepends=True)[-1]
    assert said.startswith("cobbler-bridge: " + why.format(tmp_path))
    assert said.endswith(STAYS)
    assert tree(tmp_path) == old
    assert leftovers(tmp_path) == []


@ON_EVERY_SHELL
def test_a_folder_that_nobody_may_write_to(sh: List[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="bridge") as folder:
        root = Path(folder)
        build(root)
        # root may write everywhere, so the script runs as somebody else
        user = 65534 if os.geteuid() == 0 else None
        if user is not None:
            for path in [root, *root.rglob("*")]:
                os.chown(str(path), user, user)
        (root / SCRIPTS_FOLDER).chmod(0o555)
        old = tree(root)
        try:
            done = subprocess.run(
                [*sh, "-s"],
                input=machine.in_shell(SCRIPT, sh),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                cwd="/",
                env=dict(os.environ, BRIDGE_ROOT=folder),
                user=user,
                check=False,
            )
            assert done.returncode == 0
            assert done.stderr.endswith("ifcfg-eth0 can't be written" + STAYS)
            assert tree(root) == old
            assert leftovers(root) == []
        finally:
            (root / SCRIPTS_FOLDER).chmod(0o755)


@ON_EVERY_SHELL
def test_what_stood_there_is_kept(sh: List[str], tmp_path: Path) -> None:
    build(tmp_path)
    old = tree(tmp_path)
    assert not machine.run(SCRIPT, tmp_path, sh).refused
    new = tree(tmp_path)
    changed = {path: each for path, each in old.items() if new.get(path) != each}
    kept = tree(tmp_path / "var/lib/cobbler-bridge/kept")
    assert kept == changed
    assert kept[ASIDE] == (0o600, b"HWADDR=%s\nPASSWORD=x\n" % MAC1.upper().encode())
    assert sorted(set(old) - set(new)) == [ASIDE, SCRIPTS_FOLDER + "/ifcfg-old"]


@ON_EVERY_SHELL
def test_what_was_kept_before_is_not_lost(sh: List[str], tmp_path: Path) -> None:
    build(tmp_path)
    path = SCRIPTS_FOLDER + "/ifcfg-eth0"
    texts = [(tmp_path / path).read_text(), "DEVICE=eth0\n# 1\n", "DEVICE=eth0\n# 2\n"]
    for text in (*texts, texts[1]):
        (tmp_path / path).write_text(text)
        assert not machine.run(SCRIPT, tmp_path, sh).refused
    kept = tree(tmp_path / "var/lib/cobbler-bridge/kept")
    assert [kept[path + again][1].decode() for again in ("", ".again", ".again.again")] == texts
    assert path + ".again.again.again" not in kept


@ON_EVERY_SHELL
def test_a_password_of_a_card_is_private(sh: List[str], tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / ASIDE).unlink()
    path = SCRIPTS_FOLDER + "/ifcfg-eth0"
    secret = b"IEEE_8021X_PASSWORD=secret\n"
    (tmp_path / path).write_bytes(b"DEVICE=eth0\n" + secret)
    for _ in range(2):
        assert not machine.run(SCRIPT, tmp_path, sh).refused
        assert tree(tmp_path)[path][0] == 0o600
        assert tree(tmp_path)[path][1].endswith(secret)
    assert tree(tmp_path)[SCRIPTS_FOLDER + "/ifcfg-br0"][0] == 0o644


@ON_EVERY_SHELL
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_saved_rules_are_private(mode: int, sh: List[str], tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "etc/sysconfig/iptables").chmod(mode)
    assert not machine.run(SCRIPT, tmp_path, sh).refused
    assert tree(tmp_path)["etc/sysconfig/iptables"][0] == 0o600
    made = tmp_path / "etc/sysconfig/ip6tables"
    assert not made.exists()


@ON_EVERY_SHELL
def test_a_private_umask_is_not_asked(sh: List[str], tmp_path: Path) -> None:
    machine.build(tmp_path, {"nics": {"eth0": {"mac": MAC1}}})
    script = bridge_setup(dict(DATA, os_version="rhel8"))
    assert not machine.run("umask 077\n" + script, tmp_path, sh).refused
    assert tree(tmp_path)[SCRIPTS_FOLDER + "/ifcfg-br0"][0] == 0o644
    assert (tmp_path / SCRIPTS_FOLDER).stat().st_mode & 0o7777 == 0o755


def found(root: Path, sh: Sequence[str], **data: Any) -> Tuple[str, str]:
    """The NIC that becomes port 1, or why none does."""
    # and nothing that only comes when it was found
    lean = dict(DATA, os_version="rhel8", bridge_verify="no", bridge_firewall="none")
    run = machine.run(bridge_setup(dict(lean, **data)), root, sh)
    port = [line for line in run.output.splitlines() if " port 1 of br0 is " in line]
    name = port[0].split(" is ")[1].split()[0] if port else ""
    assert (run.status, run.refused) == (0, not name)
    return name, run.errors


NICS = {"eth0": {"mac": MAC1}, "eth1": {"mac": MAC2}, "eth2": {"mac": MAC3}}
RECORD = {"eth7": {"interface_type": "na", "mac_address": MAC3.upper()}}


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("cmdline", "expected"),
    [
        ("ro BOOTIF=01-52-54-00-aa-00-02 quiet", "eth1"),
        ("BOOTIF=01-52-54-00-AA-00-02", "eth1"),
        ("BOOTIF=01-52-54-00-Aa-00-02", "eth1"),
        ("BOOTIF=01-52-54-00-aa-00-02 BOOTIF=01-52-54-00-aa-00-03", "eth1"),
        ("BOOTIF=01-52-54-00-aa-00-99", "eth0"),
        ("BOOTIF=01-$(reboot)", "eth0"),
        ("BOOTIF=", "eth0"),
        ("xBOOTIF=01-52-54-00-aa-00-02", "eth0"),
        ("", "eth0"),
    ],
)
def test_the_nic_that_was_started_from(
    cmdline: str, expected: str, sh: List[str], tmp_path: Path
) -> None:
    machine.build(tmp_path, {"nics": NICS, "cmdline": cmdline, "route": "eth0"})
    assert found(tmp_path, sh) == (expected, "")


# what the kernel was told, and the NIC: eth0 has the default route
TOLD: Dict[str, str] = {
    "BOOTIF=52:54:00:aa:00:02": "eth1",
    "BOOTIF=52-54-00-AA-00-02": "eth1",
    "BOOTIF=01:52:54:00:AA:00:02": "eth1",
    "bootif=01-52-54-00-aa-00-02": "eth1",
    "BOOTIF=20-52-54-00-aa-00-02": "eth0",
    "BOOTIF=52-54-00-aa-00": "eth0",
    "BOOTIF=01-52-54-00-aa-00-02 rd.bootif=0": "eth0",
    "ksdevice=eth1": "eth1",
    "ksdevice=52:54:00:AA:00:02": "eth1",
    "ksdevice=link": "eth0",
    "ksdevice=ibft": "eth2",
    "netcfg/choose_interface=eth1": "eth1",
    "interface=eth1 netcfg/choose_interface=auto": "eth1",
    "netcfg/choose_interface=auto url=http://192.0.2.1/eth1": "eth0",
    "ksdevice=bootif BOOTIF=01-52-54-00-aa-00-02": "eth1",
    "ksdevice=eth9 BOOTIF=01-52-54-00-aa-00-02": "eth1",
    "ksdevice=* BOOTIF=": "eth0",
    "ks.device=eth1 BOOTIF=01-52-54-00-aa-00-03": "eth1",
    "inst.ks.device=52-54-00-aa-00-02": "eth1",
    "ip=dhcp": "eth0",
    "ip=eth1:dhcp": "eth1",
    "ip=eth1:auto6:1500:52:54:00:aa:00:07 BOOTIF=01-52-54-00-aa-00-03": "eth1",
    "ip=52-54-00-aa-00-02:dhcp": "eth1",
    "ip=192.0.2.10::192.0.2.1:255.255.255.0:kvm1:eth1:none": "eth1",
    "ip=192.0.2.10::192.0.2.1:24:kvm1:eth1:none:192.0.2.53": "eth1",
    "ip=[2001:db8::10]::[2001:db8::1]:64:kvm1:eth1:none": "eth1",
    "ip=::::kvm1:eth1:dhcp": "eth1",
    "ip=192.0.2.10::192.0.2.1:255.255.255.0": "eth0",
    "ip=eth1:dhcp ip=eth2:dhcp": "eth0",
    "ip=eth1:dhcp ip=eth2:dhcp bootdev=eth1": "eth1",
    "ip=eth1:dhcp ip=eth2:dhcp BOOTDEV=eth2": "eth2",
    "ip=ibft rd.neednet=1": "eth2",
    "ip=lan:dhcp ifname=lan:52:54:00:aa:00:02": "eth1",
    "ip=eth1.7:dhcp vlan=eth1.7:eth1": "eth1",
    "ip=v7:dhcp vlan=v7:bond0 bond=bond0:eth1:mode=active-backup:9000": "eth1",
    "ip=bond0:dhcp bond=bond0:eth1,eth2": "eth0",
    "ip=home:dhcp bridge=home:eth1": "eth1",
    "ip=home:dhcp bridge=home:home": "eth0",
    "rd.route=198.51.100.0/24:192.0.2.1:eth1 rd.znet=qeth,0.0.1 ip=auto": "eth0",
}


@pytest.mark.parametrize(
    ("told", "sh"), list(zip(TOLD, itertools.cycle(machine.SHELLS.values()))), ids=str
)
def test_the_nic_that_the_installer_was_told_of(told: str, sh: List[str], tmp_path: Path) -> None:
    ibft = {"/sys/firmware/ibft/ethernet0/mac": MAC3 + "\n"}
    machine.build(tmp_path, {"nics": NICS, "cmdline": told, "route": "eth0", "files": ibft})
    assert found(tmp_path, sh) == (TOLD[told], "")


IPV6_DEFAULT = "0" * 32 + " 00 " + "0" * 32 + " 00 fe80" + "0" * 27 + "1 00000064 00000001 0"


@ON_EVERY_SHELL
def test_the_default_routes(sh: List[str], tmp_path: Path) -> None:
    """The first one that leads over a NIC; a tunnel's half of the world is none."""
    machine.build(tmp_path, {"nics": dict(NICS, tun0={"mac": MAC1, "hardware": False})})
    (tmp_path / "sys/class/net/tun0/tun_flags").write_text("0x1002\n")
    half = "%s\t00000000\t0100000A\t0003\t0\t0\t0\t%s\t0\t0\t0\n"
    ipv6 = IPV6_DEFAULT + " 00200200 lo\n" + IPV6_DEFAULT + " 00000003 eth2\n"
    (tmp_path / "proc/net/ipv6_route").write_text(ipv6)
    route = half % ("eth0", "00000080") + half % ("tun0", "00000000")
    (tmp_path / "proc/net/route").write_text("Iface\tDestination\n" + route)
    assert found(tmp_path, sh) == ("eth2", "")


THREE = "eth0 (%s, a link), eth1 (%s, a link), eth2 (%s, a link)" % (MAC1, MAC2, MAC3)
UNCERTAIN = (
    "cobbler-bridge: no NIC is certain to be port 1 of br0 (asked for: auto); there are %s"
    "; the network stays as it is\n"
)


@ON_EVERY_SHELL
def test_the_order_in_which_the_nic_is_looked_for(sh: List[str], tmp_path: Path) -> None:
    boot = "BOOTIF=01-" + MAC2.replace(":", "-")
    layouts: List[Tuple[Dict[str, Any], Dict[str, Any], str]] = [
        ({"nics": NICS, "cmdline": boot, "route": "eth0"}, {"interfaces": RECORD}, "eth2"),
        ({"nics": NICS, "cmdline": boot, "route": "eth0"}, {}, "eth1"),
        ({"nics": NICS, "route": "eth0"}, {}, "eth0"),
        ({"nics": {"eth1": NICS["eth1"]}}, {}, "eth1"),
        ({"nics": dict(NICS, eth0={"mac": MAC1, "link": False})}, {}, ""),
        (
            {"nics": {"eth0": {"mac": MAC1, "link": False}, "eth1": {"mac": MAC2}}},
            {},
            "eth1",
        ),
        ({"nics": {"eth0": NICS["eth0"], "eth1": {"mac": MAC2, "hardware": False}}}, {}, "eth0"),
    ]
    for number, (layout, data, expected) in enumerate(layouts):
        root = tmp_path / str(number)
        machine.build(root, layout)
        assert found(root, sh, **data)[0] == expected
    remembered = tmp_path / "0"
    (remembered / "var/lib/cobbler-bridge/ports").write_text("1 %s\n" % MAC1)
    assert found(remembered, sh, interfaces=RECORD)[0] == "eth0"
    uncertain = tmp_path / "9"
    machine.build(uncertain, {"nics": NICS})
    assert found(uncertain, sh) == ("", UNCERTAIN % THREE)


@ON_EVERY_SHELL
def test_a_carrier_that_cannot_be_read(sh: List[str], tmp_path: Path) -> None:
    """The kernel gives no carrier for a NIC that is down: reading fails."""
    machine.build(tmp_path, {"nics": {"eth0": {"mac": MAC1}, "eth1": {"mac": MAC2}}})
    for name in ("eth0", "eth1"):
        (tmp_path / "sys/class/net" / name / "carrier").unlink()
    (tmp_path / "sys/class/net/eth1/carrier").mkdir()
    said = "eth0 (%s, no link), eth1 (%s, no link)" % (MAC1, MAC2)
    assert found(tmp_path, sh) == ("", UNCERTAIN % said)
    (tmp_path / "sys/class/net/eth0/carrier").write_text("1\n")
    assert found(tmp_path, sh) == ("eth0", "")


@ON_EVERY_SHELL
def test_what_is_no_nic(sh: List[str], tmp_path: Path) -> None:
    others = ["bond0", "tun0", "wlan0", "wlan1", "ib0", "eth9.7", "usb0", "lo"]
    nics: Dict[str, Any] = {name: {"mac": MAC2, "hardware": False} for name in others}
    nics["ib0"] = {"mac": MAC3, "type": 32}
    nics["br1"] = {"mac": MAC3, "ports": ["eth0"]}
    machine.build(tmp_path, {"nics": dict(nics, eth0={"mac": MAC1, "hardware": False})})
    net = tmp_path / "sys/class/net"
    for mark in ("bond0/bonding", "wlan0/wireless", "wlan1/phy80211"):
        (net / mark).mkdir()
    (net / "tun0/tun_flags").write_text("0x1002\n")
    (net / "usb0/uevent").write_text("DEVTYPE=wwan\nINTERFACE=usb0\n")
    (tmp_path / "proc/net/vlan").mkdir()
    (tmp_path / "proc/net/vlan/eth9.7").write_text("")
    assert found(tmp_path, sh) == ("eth0", "")


STRANGE_NAMES = [
    "e$(>here)",
    "e`>here`",
    "a;reboot",
    "a'b",
    'a"b',
    "a\\b",
    "$nic",
    "%s",
    "\u00e9",
]


@ON_EVERY_SHELL
@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_a_nic_with_a_strange_name(name: str, sh: List[str], tmp_path: Path) -> None:
    machine.build(tmp_path, {"nics": {name: {"mac": MAC1}}, "files": {"/etc/x": "x"}})
    why = "cobbler-bridge: a NIC has the strange name '%s'" % name
    assert found(tmp_path, sh) == ("", why + STAYS)
    assert list(machine.tree(tmp_path)) == ["etc/x"]


@ON_EVERY_SHELL
def test_strange_names_beside_the_right_nic(sh: List[str], tmp_path: Path) -> None:
    nics: Dict[str, Any] = {name: {"mac": MAC2} for name in STRANGE_NAMES}
    machine.build(tmp_path, {"nics": dict(nics, eth0={"mac": MAC1})})
    assert found(tmp_path, sh, bridge_port=MAC1) == ("eth0", "")
    assert not Path("here").exists()


NOTE = "# cobbler-bridge: guests on a bridge are not filtered here\n"
OURS = NOTE + RULE + "\n"
HEAD = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
NAT = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j RETURN\nCOMMIT\n"
BRIDGED = "-A FORWARD -m physdev --physdev-is-bridged "
REJECT = "-A FORWARD -j REJECT --reject-with icmp-host-prohibited\n"
ADDED = "*filter\n:FORWARD ACCEPT [0:0]\n%s\nCOMMIT\n" % RULE

# what is there before the rule, and what comes behind it; None: nothing is added
RULES: Dict[str, Tuple[str, Any]] = {
    "rejecting": (HEAD, REJECT + "COMMIT\n"),
    "policy only": ("*filter\n:FORWARD DROP [0:0]\n", "COMMIT\n"),
    "other chains": (HEAD + "-A INPUT -j REJECT\n", "COMMIT\n"),
    "nat before": (NAT + HEAD, REJECT + "COMMIT\n"),
    "nat behind": (HEAD, REJECT + "COMMIT\n" + NAT),
    "mangle": ("*mangle\n-A FORWARD -j DROP\nCOMMIT\n" + HEAD, "COMMIT\n"),
    "with counters": (HEAD, "[3:144] -A FORWARD -j DROP\nCOMMIT\n"),
    "user chain": (HEAD, "-A FORWARD -j RH-Firewall-1-INPUT\nCOMMIT\n"),
    "goto": (HEAD, "-A FORWARD -g other\nCOMMIT\n"),
    "goto before ours": (HEAD, "-A FORWARD -g other\n" + BRIDGED + "-j ACCEPT\nCOMMIT\n"),
    "no target": (HEAD, "-A FORWARD -s 192.0.2.0/24\n" + REJECT + "COMMIT\n"),
    "too late": (HEAD, REJECT + BRIDGED + "-j ACCEPT\nCOMMIT\n"),
    "dropping bridged": (HEAD, BRIDGED + "-j DROP\nCOMMIT\n"),
    "negated": (
        HEAD,
        "-A FORWARD -m physdev ! --physdev-is-bridged -j ACCEPT\n" + REJECT + "COMMIT\n",
    ),
    "blanks": (HEAD, "\t-A  FORWARD -j\tREJECT\nCOMMIT\n"),
    "long options": (HEAD, "--append FORWARD --jump REJECT\nCOMMIT\n"),
    "shortened ones": (HEAD, "--app FORWARD --jump=REJECT\nCOMMIT\n"),
    "one piece": (HEAD, "-AFORWARD -jREJECT\nCOMMIT\n"),
    "of one bridge": (HEAD, BRIDGED + "-i br1 -j ACCEPT\n" + REJECT + "COMMIT\n"),
    "of one port": (HEAD, BRIDGED + "-p tcp --dport 22 -j ACCEPT\n" + REJECT + "COMMIT\n"),
    "of one port of a bridge": (HEAD, BRIDGED + "--physdev-in vnet0 -j ACCEPT\nCOMMIT\n"),
    "of some addresses": (HEAD, "-A FORWARD -s 10.0.0.0/8 " + BRIDGED[11:] + "-j ACCEPT\nCOMMIT\n"),
    "of a state": (HEAD, BRIDGED + "-m state --state NEW -j ACCEPT\n" + REJECT + "COMMIT\n"),
    "in a comment": (
        HEAD,
        '-A FORWARD -m comment --comment "-m physdev --physdev-is-bridged" -j ACCEPT\n'
        '-A FORWARD -m comment --comment "-j ACCEPT" -j DROP\nCOMMIT\n',
    ),
    "accepting others": (HEAD, "-A FORWARD -i eth9 -j ACCEPT\n" + REJECT + "COMMIT\n"),
    "similar chain": (HEAD + "-A FORWARDED -j DROP\n", "COMMIT\n"),
    "comment": (HEAD + "# -A FORWARD -j DROP\n", REJECT + "COMMIT\n"),
    "already": (HEAD + BRIDGED + "-j ACCEPT\n" + REJECT + "COMMIT\n", None),
    "already, counted": (HEAD + "[1:2] " + BRIDGED + "-j ACCEPT\nCOMMIT\n", None),
    "already, in other words": (
        HEAD + "  --append FORWARD --match physdev --physdev-is-bridged --jump ACCEPT\n"
        '-A FORWARD -m comment --comment "a \\"word\\" -j ACCEPT" -j DROP\nCOMMIT\n',
        None,
    ),
    "already, inserted": (
        HEAD + REJECT + BRIDGED.replace("-A", "-I") + "-j ACCEPT\nCOMMIT\n",
        None,
    ),
    "already, with a comment": (
        HEAD + BRIDGED + '-m comment --comment "x y" -j ACCEPT\n' + REJECT + "COMMIT\n",
        None,
    ),
    "already, behind a log": (
        HEAD + "-A FORWARD -j LOG --log-prefix x\n" + BRIDGED + "-j ACCEPT\nCOMMIT\n",
        None,
    ),
    "already, behind an accept": (
        HEAD + "-A FORWARD -i eth9 -j ACCEPT\n" + BRIDGED + "-j ACCEPT\n" + REJECT + "COMMIT\n",
        None,
    ),
}
# what is inserted comes before what is appended, wherever it stands
INSERTED = {
    "a drop": HEAD + "-I FORWARD -j DROP\n",
    "behind ours": HEAD + BRIDGED + "-j ACCEPT\n-I FORWARD 1 -j DROP\n",
    "in the second place": HEAD + REJECT + "-I FORWARD -p icmp -j ACCEPT\n-I FORWARD 2 -j DROP\n",
    "ours in the second place": HEAD
    + REJECT
    + BRIDGED.replace("-A FORWARD", "-I FORWARD 2")
    + "-j ACCEPT\n",
}
APPENDED = {"nat alone": NAT, "empty": "", "comments": "# nothing\n", "no newline": NAT[:-1]}

AWKS = {"bash": "", "dash": "", "busybox": 'awk() { busybox awk "$@"; }\n'}


def called(root: Path, shell_name: str, calls: Sequence[Sequence[str]]) -> machine.Run:
    """Helpers of firewalls, called one by one for a bridge and then put in place."""
    # a helper may be an argument of another one
    words = {word for call in calls for word in call} & carried.helpers()
    names = frozenset(words | {"bridges", "commit", "unproved"})
    text = "(\n" + AWKS[shell_name] + carried.text(names) + "bridges br0\n"
    for call in calls:
        text += " ".join(map(render.quote, call)) + "\n"
    return machine.run(text + "commit unproved\n)\n", root, machine.SHELLS[shell_name])


def edited(root: Path, shell_name: str, paths: Sequence[str], *how: str) -> machine.Run:
    return called(root, shell_name, [("iptables_bridged", path, RULE, *how) for path in paths])


@pytest.mark.parametrize("shell_name", machine.SHELLS)
def test_the_rule_in_the_saved_rules(shell_name: str, tmp_path: Path) -> None:
    before: Dict[str, str] = {}
    after: Dict[str, str] = {}
    for name, (first, rest) in RULES.items():
        before[name] = first + (rest or "")
        after[name] = before[name] if rest is None else first + OURS + rest
    for name, text in INSERTED.items():
        before[name] = text + "COMMIT\n"
        after[name] = text + OURS.replace("-A", "-I") + "COMMIT\n"
    for name in "policy only", "rejecting":
        first, rest = RULES[name]
        before["twice, " + name] = (first + rest) * 2
        after["twice, " + name] = (first + OURS + rest) * 2
    before["twice, once inserted"] = INSERTED["a drop"] + "COMMIT\n" + HEAD + REJECT + "COMMIT\n"
    after["twice, once inserted"] = after["a drop"] + HEAD + OURS + REJECT + "COMMIT\n"
    for name, text in APPENDED.items():
        before[name] = text
        after[name] = text + ("\n" if text[-1:] not in ("", "\n") else "") + ADDED
    machine.build(tmp_path, {"files": {"/etc/" + name: text for name, text in before.items()}})
    paths = ["/etc/" + name for name in before]

    run = edited(tmp_path, shell_name, paths)
    assert (run.status, run.errors) == (0, "")
    there = {name: (tmp_path / "etc" / name).read_text() for name in before}
    assert there == after

    run = edited(tmp_path, shell_name, paths)
    assert run.output == "cobbler-bridge: br0 is set up already\n"
    assert {name: (tmp_path / "etc" / name).read_text() for name in before} == after


@pytest.mark.parametrize("shell_name", machine.SHELLS)
def test_saved_rules_are_made_where_asked(shell_name: str, tmp_path: Path) -> None:
    path = "/etc/sysconfig/iptables"
    run = edited(tmp_path, shell_name, [path])
    assert run.status == 0
    assert not (tmp_path / path[1:]).exists()
    run = edited(tmp_path, shell_name, [path], "make")
    assert (run.status, run.errors) == (0, "")
    place = tmp_path / path[1:]
    made = HEAD + ":OUTPUT ACCEPT [0:0]\n" + OURS + "COMMIT\n"
    assert (place.read_text(), place.stat().st_mode & 0o7777) == (made, 0o600)


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("firewall", "command", "why"),
    [
        ("auto", "awk", "/etc/sysconfig/iptables can't be edited"),
        ("sysctl", "awk", "/etc/sysctl.conf can't be edited"),
        ("auto", "cat", "/etc/sysconfig/iptables can't be read"),
        ("sysctl", "cat", "/etc/sysctl.conf can't be read"),
    ],
)
def test_a_firewall_that_cannot_be_edited(
    firewall: str, command: str, why: str, sh: List[str], tmp_path: Path
) -> None:
    build(tmp_path)
    (tmp_path / "etc/sysctl.conf").write_text(OTHER)
    old = tree(tmp_path)
    # where it is told of this file; on what else there is it works
    fails = '%s() { case "$*" in *%s*) return 1 ;; *) command %s "$@" ;; esac; }\n'
    script = bridge_setup(dict(DATA, os_version="rhel6", bridge_firewall=firewall))
    run = machine.run(script, tmp_path, sh, fails % (command, why.split()[0], command))
    assert (run.status, run.errors) == (0, "cobbler-bridge: " + why + STAYS)
    assert tree(tmp_path) == old


@pytest.mark.parametrize("shell_name", machine.SHELLS)
def test_what_names_a_port(shell_name: str, tmp_path: Path) -> None:
    """By every awk what the case shows by one."""
    case = golden.case("rules_of_the_nic")
    text = case.expected("rhel9").read_text(encoding="utf-8")
    expected = golden.read(case, text, golden.usual()).tree
    machine.build(tmp_path, case.machine)
    calls = [
        ("nic", "1", "port 1 of br0", "find_name", "em1"),
        ("nic", "2", "port 2 of br0", "find_name", "em2"),
        # before a firewall, as in every plan
        ("rank_files",),
        ("follow", "br0", "em1", "em2"),
        ("iptables_bridged", "/etc/sysconfig/iptables", RULE),
        ("iptables_bridged", "/etc/sysconfig/ip6tables", RULE),
        ("follow_sysctl",),
        ("follow_zones", "br0"),
        ("follow_nftables", *REDHAT.targets["rhel9"].nftables),
        ("name_in", *REDHAT.targets["rhel9"].named_in),
        ("follow_rest",),
    ]
    run = called(tmp_path, shell_name, calls)
    assert (run.status, run.errors) == (0, "")
    assert run.output.count(" names em1, which is a port of br0 now\n") == 3
    files = [path.lstrip("/") for path in case.machine["files"] if path.startswith("/etc/")]
    changed = [path for path in files if path in expected]
    assert len(changed) == 6
    for path in changed:
        entry = expected[path]
        assert entry is not None
        assert (tmp_path / path).read_text() == entry.text, path


@pytest.mark.parametrize("shell_name", machine.SHELLS)
@pytest.mark.parametrize(
    ("line", "runs", "said"),
    [
        ('IPTABLES_SAVE_ON_STOP="yes"', True, True),
        ("IPTABLES_SAVE_ON_RESTART=yes", True, True),
        ('SAVE_ON_STOP="yes"', True, True),
        ('IPTABLES_SAVE_ON_STOP="no"', True, False),
        ('#IPTABLES_SAVE_ON_STOP="yes"', True, False),
        # what is started from an installation begins with our rules
        ('IPTABLES_SAVE_ON_STOP="yes"', False, False),
    ],
)
def test_rules_that_would_be_saved_over_ours(
    shell_name: str, line: str, runs: bool, said: bool, tmp_path: Path
) -> None:
    saved = REDHAT.targets["rhel6"].saved_rules
    assert saved
    machine.build(tmp_path, {"files": {saved.settings[0]: line + "\n"}})
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "proc/1/root").symlink_to(tmp_path if runs else "/proc")
    (tmp_path / "proc/1/status").write_text("Name:\tinit\n")
    call = ("iptables_bridged", saved.ipv4, RULE, "make", saved.settings[0])
    run = called(tmp_path, shell_name, [call])
    assert (tmp_path / saved.ipv4.lstrip("/")).is_file()
    assert ("by %s the rules that run are saved over " % saved.settings[0] in run.output) == said


NF_CALL = "net.bridge.bridge-nf-call-%s = 0\n"
SET = "".join(NF_CALL % each for each in ("iptables", "ip6tables", "arptables"))
OTHER = "net.ipv4.ip_forward = 1\n"
# what is there and what comes out; None: it stays
SETTINGS: Dict[str, Tuple[str, Any]] = {
    "empty": ("", NOTE + SET),
    "others": (OTHER, OTHER + NOTE + SET),
    "no newline": (OTHER[:-1], OTHER + NOTE + SET),
    "a comment": ("# " + SET, "# " + SET + NOTE + SET),
    "two of three": (SET.replace("arp", "x"), SET.replace("arp", "x") + NOTE + SET),
    "switched on": (SET.replace("0", "1"), SET.replace("0", "1") + NOTE + SET),
    "switched on later": (
        NOTE + SET + OTHER + "net/bridge/bridge-nf-call-iptables=1\n",
        OTHER + "net/bridge/bridge-nf-call-iptables=1\n" + NOTE + SET,
    ),
    "switched on before": (SET.replace("0", "1") + SET, None),
    "already": (SET + OTHER, None),
    "already, with slashes": ("  " + SET.replace("net.bridge.", "net/bridge/"), None),
    "already, close": (SET.replace(" ", ""), None),
    "ours": (NOTE + SET, None),
    "ours, more behind it": (NOTE + SET + OTHER, None),
}


@pytest.mark.parametrize("shell_name", machine.SHELLS)
def test_the_settings_of_sysctl_conf(shell_name: str, tmp_path: Path) -> None:
    after = {name: old if new is None else new for name, (old, new) in SETTINGS.items()}
    files = {"/etc/" + name: old for name, (old, _) in SETTINGS.items()}
    machine.build(tmp_path, {"files": files})
    calls = [("sysctl_conf", "/etc/" + name) for name in (*SETTINGS, "made")]
    run = called(tmp_path, shell_name, calls)
    assert (run.status, run.errors) == (0, "")
    after["made"] = NOTE + SET
    assert {name: (tmp_path / "etc" / name).read_text() for name in after} == after
    assert (tmp_path / "etc/made").stat().st_mode & 0o7777 == 0o644

    run = called(tmp_path, shell_name, calls)
    assert run.output == "cobbler-bridge: br0 is set up already\n"
    assert {name: (tmp_path / "etc" / name).read_text() for name in after} == after


# files that are there, services that are enabled, and the file that has the filtering on
WANTED: List[Tuple[Dict[str, str], List[str], str]] = [
    ({}, ["firewalld"], ""),
    ({}, ["nftables"], ""),
    ({}, ["firewalld", "nftables"], ""),
    ({"/etc/sysctl.conf": "# " + (NF_CALL % "iptables").replace("0", "1")}, ["nftables"], ""),
    ({"/etc/sysctl.conf": SET}, ["nftables"], ""),
    ({"/etc/sysctl.conf": "net.bridge.bridge-nf-call-iptables=1\n"}, ["nftables"], "sysctl.conf"),
    (
        {"/etc/sysctl.d/9.conf": OTHER, "/etc/sysctl.d/k.conf": SET.replace("0", "1")},
        ["nftables"],
        "sysctl.d/k.conf",
    ),
    ({"/etc/sysctl.d/k.off": SET.replace("0", "1")}, ["nftables"], ""),
]


@ON_EVERY_SHELL
def test_where_the_settings_are_written(sh: List[str], tmp_path: Path) -> None:
    script = bridge_setup(dict(DATA, os_version="rhel8"))
    ours = ["etc/sysctl.d/cobbler-bridge.conf", "etc/udev/rules.d/99-cobbler-bridge.rules"]
    said = "cobbler-bridge: /etc/%s has bridged frames filtered and is left as it is: "
    for number, (files, services, wanted) in enumerate(WANTED):
        root = tmp_path / str(number)
        machine.build(root, {"nics": {"eth0": {"mac": MAC1}}, "files": files})
        for service in ("sshd", "NetworkManager"):
            enable(root, service)
        assert not machine.run(script, root, sh).refused
        assert not any((root / path).exists() for path in ours)
        for service in services:
            enable(root, service)
        run = machine.run(script, root, sh)
        assert (run.status, run.errors) == (0, "")
        assert [(root / path).exists() for path in ours] == [not wanted, not wanted]
        if wanted:
            assert said % wanted in run.output
        else:
            assert "filtered" not in run.output
            assert (root / ours[0]).read_text() == NOTE + SET


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("os_version", "path"),
    [("rhel7", "sysconfig/network-scripts/%s"), ("rhel9", "NetworkManager/system-connections/%s")],
)
def test_what_an_earlier_run_wrote_goes(
    os_version: str, path: str, sh: List[str], tmp_path: Path
) -> None:
    """Another name of the bridge, and no route any more: the old files would work on."""
    machine.build(tmp_path, {"nics": {"eth0": {"mac": MAC1}}, "files": {"/usr/sbin/brctl!": ""}})
    record = {"eth0": {"mac_address": MAC1, "static_routes": ["198.51.100.0/24:192.0.2.1"]}}
    before = dict(DATA, os_version=os_version, interfaces=record)
    assert not machine.run(bridge_setup(before), tmp_path, sh).refused
    old = {name for name in tree(tmp_path) if "br0" in name}
    # a route in a file of its own, or in the bridge's
    assert len(old) == (2 if os_version == "rhel7" else 1)
    folder = tmp_path / "etc" / (path % "")
    (folder / "of-somebody").write_text("x\n")
    run = machine.run(bridge_setup(dict(DATA, os_version=os_version, bridge="br7")), tmp_path, sh)
    assert (run.status, run.errors) == (0, "")
    names = {name for name in tree(tmp_path) if path % "" in name}
    assert not [name for name in names if "br0" in name]
    assert [name for name in names if "br7" in name]
    assert (folder / "of-somebody").read_text() == "x\n"
    # beside what was there first, which is what "keep" reads
    kept = tree(tmp_path / "var/lib/cobbler-bridge/kept")
    assert {name for name in kept if "br0" in name} == {name + ".again" for name in old}


@ON_EVERY_SHELL
def test_two_devices_of_one_name(sh: List[str], tmp_path: Path) -> None:
    """Only the machine tells what the VLAN's NIC is called."""
    build(tmp_path)
    old = tree(tmp_path)
    data = dict(DATA, bridge="eth0.7", bridge_vlan="7", bridge_port=MAC1)
    run = machine.run(bridge_setup(data), tmp_path, sh)
    assert run.errors == "cobbler-bridge: there would be two devices eth0.7" + STAYS
    assert tree(tmp_path) == old


@ON_EVERY_SHELL
def test_what_a_run_that_was_cut_off_left_beside_a_place_is_not_put_back(
    sh: List[str], tmp_path: Path
) -> None:
    faulty = Faulty(tmp_path, "first", sh)
    stale = SCRIPTS_FOLDER + "/.cobbler-bridge.old.ifcfg-br0"
    (tmp_path / "model" / stale).write_text("DEVICE=stale\n")
    # the last one but the list of what was written
    run = faulty.run("mv", faulty.calls.count("mv") - 1, NEVER)
    assert run.status == 1
    assert tree(faulty.root) == faulty.old


LABELS = """root=%s new=%s
%s
sync() { echo synced; }
to_disk
labels
"""


@pytest.mark.parametrize("shell_name", machine.SHELLS)
@pytest.mark.parametrize(("root", "said"), [("", "synced\n/etc/a\n/etc/b\n"), ("/mnt", "")])
def test_what_is_done_on_the_machine_itself(
    root: str, said: str, shell_name: str, tmp_path: Path
) -> None:
    """And not where a root is only worked on: its files get labels, and a disk has them."""
    (tmp_path / "todo").write_text("/etc/a\n/etc/b\n")
    program = tmp_path / "restorecon"
    program.write_text('#!/bin/sh\necho "$1"\n[ $1 != /etc/a ]\n')
    program.chmod(0o755)
    (file,) = (each for each in carried.files() if each.name == "transaction.sh")
    texts = {each.name: each.text for each in file.helpers}
    assert "labels" in {each.name: each.calls for each in file.helpers}["commit"]
    helpers = (texts["to_disk"] + texts["labels"]).replace("/sbin/restorecon", str(program))
    script = LABELS % (root, tmp_path, helpers)
    run = subprocess.run(
        machine.SHELLS[shell_name],
        input=script,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    assert run.stdout == said


@ON_EVERY_SHELL
def test_a_copy_takes_the_place_of_what_a_run_that_was_cut_off_left(
    sh: List[str], tmp_path: Path
) -> None:
    """Be that the same file already, or a link to one of somebody else."""
    for name in ("from", "other"):
        (tmp_path / name).write_text(name)
    os.link(str(tmp_path / "from"), str(tmp_path / "same"))
    (tmp_path / "link").symlink_to("other")
    (file,) = (each for each in carried.files() if each.name == "shared.sh")
    script = "".join(each.text for each in file.helpers) + "copy from same && copy from link\n"
    subprocess.run(sh, input=script, cwd=str(tmp_path), encoding="utf-8", check=True)
    assert (tmp_path / "other").read_text() == "other"
    assert {(tmp_path / name).read_text() for name in ("from", "same", "link")} == {"from"}
    assert not (tmp_path / "link").is_symlink()
