"""The script on a host that runs: the check is at work before the network's files change."""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from concurrent import futures
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

import pytest

import scratch_machine as machine
from cobbler_bridge import shipped
from cobbler_bridge.snippet import bridge_setup
from test_firstboot import (
    CHECK,
    COMMANDS,
    DATA,
    LOG,
    MAC,
    MACHINE,
    ON_EVERY_SHELL,
    STATE,
    Machine,
    parts,
)
from waiting import HANGS, wait_for

# systemd starts the check; NetworkManager makes what its files say
SYSTEMCTL = """
log
case "$*" in
"is-active NetworkManager.service") echo active ;;
is-active*) echo inactive; exit 3 ;;
"start cobbler-bridge-firstboot.service")
    [ ! -e "$R/no check" ] || exit 1
    [ ! -e "$R/no start" ] || exit 0
    cp -a "$R/etc/sysconfig" "$R/begun"
    {
        setsid %s "$R/usr/libexec/cobbler-bridge/firstboot" > "$R/log" &
        mkdir -p "$R/proc/$!"
        echo "$R/usr/libexec/cobbler-bridge/firstboot" > "$R/proc/$!/cmdline"
        wait
        rm -r "$R/proc/$!"
        touch "$R/ended"
    } > /dev/null 2>&1 < /dev/null & ;;
"restart NetworkManager.service")
    find "$R/etc" | grep /ifcfg- > "$R/read"
    if [ -e "$R/etc/sysconfig/network-scripts/ifcfg-br0" ]; then
        mkdir -p "$R/sys/class/net/br0/bridge" "$R/sys/class/net/br0/brif/eth0"
        cp "$R"/new/* "$R/ip"
    else
        cp "$R"/ip/old/* "$R/ip"
    fi ;;
esac
"""
# the script waits for the check, and only the check's own waits take time
SLEEP = """
/bin/sleep 0.2
grep -q firstboot /proc/$PPID/cmdline || exit 0
read -r up rest < "$R/proc/uptime"
echo "$((${up%.*} + 1)).00 0" > "$R/proc/uptime.$$"
/bin/mv "$R/proc/uptime.$$" "$R/proc/uptime"
"""


XEN = {
    "/etc/xen/xend-config.sxp": "(network-script network-bridge)\n(vif-script vif-bridge)\n",
    "/etc/xen/scripts/network-bridge!": "#!/bin/sh\n",
    "/etc/xen/scripts/network-route!": "#!/bin/sh\n",
    "/etc/xen/scripts/vif-bridge!": "#!/bin/sh\n",
    "/etc/xen/scripts/vif-route!": "#!/bin/sh\n",
}


class Running(Machine):
    """A scratch machine that runs with the installer's network."""

    def __init__(self, root: Path, sh: Sequence[str]) -> None:
        self.root, self.sh = root, list(sh)
        machine.build(root, MACHINE)
        (root / "proc/uptime").write_text("5.00 0\n")
        (root / "proc/1").mkdir()
        (root / "proc/1/root").symlink_to(root)
        (root / "proc/1/status").write_text("Name:\tsystemd\n")
        self.shows("4.addr.eth0", "    inet 10.0.0.7/24 scope global eth0\n")
        self.shows("old/4.addr.eth0", "    inet 10.0.0.7/24 scope global eth0\n")
        self.shows("../new/4.addr.br0", "    inet 10.0.0.9/24 scope global br0\n")
        self.shows("../new/4.route.br0", "default via 10.0.0.1 proto dhcp\n")
        self.shows("answers", "")
        self.old = self.etc()
        (root / "bin").mkdir()
        commands = dict(COMMANDS, sleep=SLEEP, systemctl=SYSTEMCTL % " ".join(sh))
        for name, text in commands.items():
            (root / "bin" / name).write_text("#!/bin/sh\n" + LOG + text + "\n")
            (root / "bin" / name).chmod(0o755)

    def script(self, **data: Any) -> machine.Run:
        """Run the script; a value that is None is not set."""
        wanted = {key: value for key, value in {**DATA, **data}.items() if value is not None}
        done = subprocess.run(
            [*self.sh, "-s"],
            input=machine.in_shell(bridge_setup(wanted), self.sh),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=dict(
                os.environ,
                BRIDGE_ROOT=str(self.root),
                PATH="%s:%s" % (self.root / "bin", os.environ["PATH"]),
            ),
            timeout=HANGS,
            check=False,
            start_new_session=True,
        )
        return machine.Run(done.returncode, done.stdout, done.stderr)

    def ends(self, words: str) -> str:
        """What the check has said, once it said this and has ended."""
        ended, log = self.root / "ended", self.root / "log"
        assert wait_for(lambda: ended.exists() and words in log.read_text()), log.read_text()
        return log.read_text()


@ON_EVERY_SHELL
def test_switched_and_proved(sh: List[str], tmp_path: Path) -> None:
    host = Running(tmp_path, sh)
    run = host.script()
    assert run.status == 0, run
    assert "it takes effect now: it is proved, or the old network put back" in run.output
    said = host.ends("Cobbler was told")
    assert "the network is started again, with the bridge br0\n" in said
    assert "br0 is proved after" in said
    assert host.calls("systemctl").count("restart NetworkManager.service") == 1
    assert "ifcfg-br0" in (tmp_path / "read").read_text()
    # again: nothing to do, nothing is started
    before = len(host.calls("systemctl"))
    assert host.script().output.endswith("br0 is set up already\n")
    assert len(host.calls("systemctl")) == before


@ON_EVERY_SHELL
def test_what_changes_is_ours_alone(sh: List[str], tmp_path: Path) -> None:
    """It is proved again, and nothing is started."""
    host = Running(tmp_path, sh)
    host.script()
    host.ends("Cobbler was told")
    run = host.script(bridge_timeout="60")
    assert (run.status, run.errors) == (0, "")
    assert run.output.endswith("br0 is proved\n")
    assert host.calls("systemctl").count("restart NetworkManager.service") == 1


@ON_EVERY_SHELL
def test_what_waits_to_be_proved_is_not_set_up(sh: List[str], tmp_path: Path) -> None:
    """The same script again, of a host that keeps what it could not prove."""
    host = Running(tmp_path, sh)
    (tmp_path / "ip/answers").unlink()
    for count in (1, 2):
        (tmp_path / "ended").unlink(missing_ok=True)
        run = host.script(bridge_rollback="no")
        assert "br0 is not proved" in run.errors, run
        assert "the bridge stays" in host.ends("not proved")
        assert host.calls("systemctl").count("start cobbler-bridge-firstboot.service") == count
    host.shows("answers", "")
    run = host.script(bridge_rollback="no")
    assert run.output.endswith("br0 is proved\n")
    assert host.calls("systemctl").count("restart NetworkManager.service") == 1


@ON_EVERY_SHELL
def test_a_check_that_was_ended_before_it_switched(sh: List[str], tmp_path: Path) -> None:
    """By somebody who stopped its unit: the same script goes on."""
    host = Running(tmp_path, sh)
    host.script(bridge_rollback="no")
    host.ends("Cobbler was told")
    state = host.root / STATE
    (state / "proved").rename(state / "expected")
    (state / "switch").write_text("yes\n")
    assert host.script(bridge_rollback="no").output.endswith("br0 is proved\n")
    assert host.calls("systemctl").count("restart NetworkManager.service") == 2


@ON_EVERY_SHELL
def test_a_switch_that_was_cut_off_knows_the_old_addresses(sh: List[str], tmp_path: Path) -> None:
    """When it begins again, nothing has them any more."""
    host = Running(tmp_path, sh)
    host.script(bridge_rollback="no", bridge_watch="yes", bridge_ipv4="10.0.0.9/24,10.0.0.1")
    host.ends("Cobbler was told")
    host.shows("4.addr.br0", "    inet 10.0.0.9/24 scope global br0\n")
    (tmp_path / "sys/class/net/eth0/master").symlink_to("../br0")
    (tmp_path / "proc/sys/kernel/random").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/random/boot_id").write_text("1\n")
    state = host.root / STATE
    (state / "proved").rename(state / "expected")
    for name, text in (
        ("switch", "yes\n"),
        ("noted", ""),
        ("addresses", "boot 1\naddress 4 10.0.0.8\non eth0\n"),
    ):
        (state / name).write_text(text)
    assert host.check().status == 0
    assert "-4 addr show dev br0 to 10.0.0.8" in host.calls("ip")
    assert "addr del 10.0.0.8/32 dev br0" in host.calls("ip")
    assert not {"noted", "addresses", "switch"} & set(host.state())


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("ipv4", "how_long"),
    [
        ("dhcp", "until a DHCP server has answered, or for up to 100 s where none does"),
        ("10.0.0.9/24", "for about 4 s an address, and for 30 s more where its switch has"),
    ],
)
def test_how_long_network_scripts_take(
    ipv4: str, how_long: str, sh: List[str], tmp_path: Path
) -> None:
    """Who is about to switch it hears it before."""
    host = Running(tmp_path, sh)
    assert "nobody reaches" not in host.script(bridge_ipv4=ipv4).output
    host = Running(tmp_path / "other", sh)
    machine.build(tmp_path / "files", {"files": {"/etc/rc.d/init.d/network!": "#!/bin/sh\n"}})
    shutil.copytree(str(tmp_path / "files/etc/rc.d"), str(host.root / "etc/rc.d"))
    said = host.script(bridge_ipv4=ipv4, bridge_ipv6="none").output
    words = "network-scripts take the network down first: nobody reaches this host " + how_long
    assert words in said
    assert said.index(words) < said.index("wrote")
    # nor where only the check is another one
    host.ends("Cobbler was told")
    said = host.script(bridge_ipv4=ipv4, bridge_ipv6="none", bridge_timeout="60").output
    assert "it takes effect now" in said
    assert "nobody reaches" not in said


@ON_EVERY_SHELL
def test_the_check_is_at_work_before_anything_changes(sh: List[str], tmp_path: Path) -> None:
    host = Running(tmp_path, sh)
    host.script()
    host.ends("Cobbler was told")
    begun = {
        "etc/sysconfig/" + path: text for path, text in machine.tree(tmp_path / "begun").items()
    }
    # what is to be put in place lies beside it already
    before = {path: text for path, text in begun.items() if ".cobbler-bridge." not in path}
    assert len(before) < len(begun)
    assert before == {path: host.old[path] for path in host.old if "/sysconfig/" in path}


@ON_EVERY_SHELL
def test_switched_and_put_back(sh: List[str], tmp_path: Path) -> None:
    host = Running(tmp_path, sh)
    (tmp_path / "ip/answers").unlink()
    assert host.script().status == 0
    host.ends("the old network is back")
    assert parts(host.etc()) == parts(host.old)
    assert "ifcfg-br0" not in (tmp_path / "read").read_text()


@ON_EVERY_SHELL
def test_a_reader_that_somebody_stops_meanwhile(sh: List[str], tmp_path: Path) -> None:
    """The old network needs it, and the machine is not started again for it."""
    host = Running(tmp_path, sh)
    is_active = '"is-active NetworkManager.service") echo active ;;'
    stopped = """
        "is-active NetworkManager.service")
            [ ! -e "$R/stopped" ] || { echo inactive; exit 3; }
            echo active ;;
        """
    systemctl = host.root / "bin/systemctl"
    text = systemctl.read_text()
    assert is_active in text
    text = text.replace(is_active, stopped)
    systemctl.write_text(text.replace('> "$R/read"', '> "$R/read"; touch "$R/stopped"'))
    host.shows("../new/4.addr.br0", "")
    (tmp_path / "ip/4.addr.eth0").unlink()
    host.script()
    assert "the old network is back" in host.ends("Cobbler was told")
    assert host.calls("systemctl").count("restart NetworkManager.service") == 2


@ON_EVERY_SHELL
def test_no_reader_runs(sh: List[str], tmp_path: Path) -> None:
    """Somebody has stopped it, and a boot starts it."""
    host = Running(tmp_path, sh)
    systemctl = host.root / "bin/systemctl"
    is_active = '"is-active NetworkManager.service") echo active ;;'
    enabled = '"-q is-enabled NetworkManager.service") ;;\n"-q is-enabled "*) exit 1 ;;'
    systemctl.write_text(systemctl.read_text().replace(is_active, enabled))
    assert host.script().output.endswith("br0 is proved\n")
    restarted = [call for call in host.calls("systemctl") if call.startswith("restart ")]
    assert restarted == ["restart NetworkManager.service"]


@ON_EVERY_SHELL
def test_nothing_would_read_the_files(sh: List[str], tmp_path: Path) -> None:
    """Nor would anything make the old network again."""
    host = Running(tmp_path, sh)
    systemctl = host.root / "bin/systemctl"
    is_active = '"is-active NetworkManager.service") echo active ;;'
    systemctl.write_text(systemctl.read_text().replace(is_active, '"-q is-enabled "*) exit 1 ;;'))
    run = host.script()
    assert "nothing that reads these files runs, nor does a start of the machine" in run.errors
    assert run.refused
    assert host.etc() == host.old
    assert not (host.root / STATE / "readers").exists()
    assert not [call for call in host.calls("systemctl") if "start" in call]


@ON_EVERY_SHELL
def test_nothing_is_put_on_a_bridge_that_is_not_made(sh: List[str], tmp_path: Path) -> None:
    """NetworkManager takes one with an address or a port for somebody else's, and lets it be."""
    host = Machine(tmp_path, sh)
    (tmp_path / STATE / "switch").write_text("yes br-home\n")
    (tmp_path / "proc/sys/kernel/random").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/random/boot_id").write_text("7f1c\n")
    net = tmp_path / "sys/class/net"
    for port in ("eth0", "vnet0"):
        (net / port / "brport").mkdir(parents=True)
        (net / port / "brport/bridge").symlink_to("../../br-home")
        (net / "br-home/brif" / port).mkdir(parents=True)
    (net / "br-home/bridge").mkdir()
    host.booted()
    (net / "br0/brif/eth0").rmdir()
    (tmp_path / "ip/4.addr.br0").rename(tmp_path / "address")
    host.shows("4.addr.br-home", "    inet 10.0.0.7/24 scope global br-home\n")
    # the kernel forgets what was in a bridge that is deleted
    ip = "log; [ -e $R/sys/class/net/br-home ] || rm -rf $R/sys/class/net/vnet0/brport\n"
    (tmp_path / "bin/ip").write_text("#!/bin/sh\n" + LOG + ip + COMMANDS["ip"])
    sleep = """
        log
        [ "$(grep -c ^sleep "$R/calls")" -lt 5 ] || mkdir -p "$R/sys/class/net/br0/brif/eth0"
        [ "$(grep -c ^sleep "$R/calls")" -lt 9 ] || cp "$R/address" "$R/ip/4.addr.br0"
        """
    (tmp_path / "bin/sleep").write_text("#!/bin/sh\n" + LOG + sleep + COMMANDS["sleep"])
    assert "is proved after" in host.check().output
    assert not (net / "br-home").exists()
    calls = (tmp_path / "calls").read_text().splitlines()
    for done in ("ip -4 addr show dev br0 to 10.0.0.7", "ip link set dev vnet0 master br0"):
        before = calls[: calls.index(done)]
        assert 5 <= sum(call.startswith("sleep") for call in before) < 9, done


@ON_EVERY_SHELL
def test_a_guest_whose_bridge_is_made_while_it_is_looked_for(sh: List[str], tmp_path: Path) -> None:
    """The bridge of before is there by when the old network is, and was not when guests were."""
    host = Machine(tmp_path, sh)
    host.booted()
    (tmp_path / "ip/answers").unlink()
    host.shows("4.addr.eth0", "    inet 10.0.0.7/24 scope global eth0\n")
    vnet0 = tmp_path / "sys/class/net/vnet0/brport"
    vnet0.mkdir(parents=True)
    (vnet0 / "bridge").symlink_to("../../br0")
    (vnet0 / "isolated").write_text("1\n")
    ip = """
        at=$R/sys/class/net
        [ -e "$at/br0" ] || rm -rf "$at/vnet0/brport"
        case "$*" in
        "-4 addr show dev eth0 "*)
            [ ! -e "$R/begun" ] || mkdir -p "$at/br0/bridge" "$at/br0/brif/eth0" ;;
        "link set dev vnet0 master br0") mkdir -p "$at/vnet0/brport" "$at/br0/brif/vnet0" ;;
        esac
        """
    (tmp_path / "bin/ip").write_text("#!/bin/sh\n" + LOG + ip + COMMANDS["ip"])
    systemctl = '[ "$*" != "restart NetworkManager.service" ] || touch "$R/begun"\n'
    text = "#!/bin/sh\n" + LOG + systemctl + COMMANDS["systemctl"]
    (tmp_path / "bin/systemctl").write_text(text)
    assert "the old network is back" in host.check().output
    # as far from other guests as before
    assert (vnet0 / "isolated").read_text() == "1\n"


@ON_EVERY_SHELL
def test_a_check_that_cannot_be_started(sh: List[str], tmp_path: Path) -> None:
    host = Running(tmp_path, sh)
    (tmp_path / "no check").touch()
    run = host.script()
    assert "the check can't be started; the network stays as it is" in run.errors
    assert host.etc() == host.old


@ON_EVERY_SHELL
def test_a_check_that_does_not_start(sh: List[str], tmp_path: Path) -> None:
    """Whatever an older one has left."""
    host = Running(tmp_path, sh)
    (tmp_path / "no start").touch()
    (tmp_path / STATE).mkdir(parents=True)
    (tmp_path / STATE / "check.pid").write_text("77\n")
    run = host.script()
    assert "the check does not start; the network stays as it is" in run.errors
    assert host.etc() == host.old


@ON_EVERY_SHELL
def test_a_nic_that_would_be_renamed(sh: List[str], tmp_path: Path) -> None:
    host = Running(tmp_path, sh)
    run = host.script(bridge="eth0")
    assert "eth0 would be renamed peth0, which a machine that runs can't do" in run.errors
    assert host.etc() == host.old
    assert host.calls("systemctl") == []


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("macs", "its_own"),
    [
        ([MAC], True),
        (["52:54:00:00:00:99", MAC.upper()], True),
        (["52:54:00:00:00:99"], False),
        (["52:54:00:00:00:98", "52:54:00:00:00:99"], False),
        ([], True),
    ],
)
def test_the_script_of_another_host(
    macs: List[str], its_own: bool, sh: List[str], tmp_path: Path
) -> None:
    """Whoever wrote this machine's name there: nothing is written, whatever port was asked for."""
    host = Running(tmp_path, sh)
    records = {"eth%d" % n: {"mac_address": mac} for n, mac in enumerate(macs)}
    run = host.script(interfaces=records, bridge_port="eth0")
    if its_own:
        assert "it takes effect now" in run.output, run
        host.ends("is proved after")
        return
    why = "none here is %s; there are eth0 (%s, a link); the network" % (" or ".join(macs), MAC)
    assert run.refused
    assert "this is another machine, or Cobbler has old MAC addresses: " + why in run.errors
    assert host.etc() == host.old
    assert host.calls("systemctl") == []


@ON_EVERY_SHELL
def test_a_new_mainboard_is_installed(sh: List[str], tmp_path: Path) -> None:
    """An installer's chroot is where somebody has it: Cobbler may know an older NIC."""
    host = Running(tmp_path, sh)
    (tmp_path / "proc/1/status").unlink()
    run = host.script(interfaces={"eth0": {"mac_address": "52:54:00:00:00:99"}})
    assert "wrote" in run.output, run


@contextlib.contextmanager
def in_use(path: Path) -> Iterator[None]:
    """As the script holds it while it runs."""
    path.mkdir(parents=True, exist_ok=True)
    held = os.open(str(path), os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


@ON_EVERY_SHELL
def test_another_run_of_the_script(sh: List[str], tmp_path: Path) -> None:
    host = Running(tmp_path, sh)
    begun = host.root / STATE / "new/files"
    with in_use(host.root / STATE):
        begun.mkdir(parents=True)
        run = host.script()
        assert run.status == 0
        assert run.errors == (
            "cobbler-bridge: another run of this script is at work: it goes on, and this one"
            " changes nothing\n"
        )
        assert host.etc() == host.old
        # the other one's
        assert begun.is_dir()
    assert "it takes effect now" in host.script().output
    assert "is proved after" in host.ends("Cobbler was told")


@ON_EVERY_SHELL
def test_two_at_once(sh: List[str], tmp_path: Path) -> None:
    host = Running(tmp_path, sh)
    with futures.ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: host.script(), range(3)))
    assert sum("it takes effect now" in run.output for run in runs) == 1
    for run in runs:
        if "it takes effect now" not in run.output:
            done = "is set up already" in run.output or "is at work" in run.errors
            assert done, run
    assert "is proved after" in host.ends("Cobbler was told")
    assert len(host.calls("curl")) == 1


@ON_EVERY_SHELL
@pytest.mark.parametrize("what", ["running", "putting back", "gone", "another's number"])
def test_the_check_of_an_earlier_run(what: str, sh: List[str], tmp_path: Path) -> None:
    host = Running(tmp_path, sh)
    state = tmp_path / STATE
    state.mkdir(parents=True)
    (state / "check.pid").write_text("77\n")
    if what != "gone":
        (tmp_path / "proc/77").mkdir()
        program = "httpd" if what == "another's number" else CHECK
        (tmp_path / "proc/77/cmdline").write_text("/bin/sh\0/%s\0" % program)
    if what == "putting back":
        (state / "laid").touch()
    run = host.script()
    if what in ("running", "putting back"):
        assert "the check of an earlier run " in run.errors
        assert run.refused
        assert host.etc() == host.old
        assert host.calls("systemctl") == []
    else:
        host.ends("Cobbler was told")


@ON_EVERY_SHELL
@pytest.mark.parametrize("program", ["dhclient", "httpd", "gone"])
def test_only_a_dhclient_of_the_port_is_ended(program: str, sh: List[str], tmp_path: Path) -> None:
    """Its pid file may be from another time, and its number another one's by now."""
    host = Running(tmp_path, sh)
    systemctl = tmp_path / "bin/systemctl"
    active = '"is-active network.service") echo active ;;\n"is-active NetworkManager.service")'
    told = systemctl.read_text().replace('"is-active NetworkManager.service")', active)
    systemctl.write_text(told.replace('"restart NetworkManager', '"restart network'))
    with subprocess.Popen(["sleep", "1000"]) as process:
        number = process.pid if program != "gone" else "../1"
        (tmp_path / "var/run").mkdir(parents=True)
        (tmp_path / "var/run/dhclient-eth0.pid").write_text("%s\n" % number)
        (tmp_path / ("proc/%d" % process.pid)).mkdir()
        (tmp_path / ("proc/%d/cmdline" % process.pid)).write_text("/sbin/%s\0-1\0" % program)
        assert host.script().status == 0
        host.ends("is proved after")
        ended = process.poll()
        process.kill()
    assert ended == (-15 if program == "dhclient" else None)
    assert "stop network.service" in host.calls("systemctl")


@ON_EVERY_SHELL
@pytest.mark.parametrize("signals", ["HUP", "INT", "TERM", "PIPE", "HUP TERM PIPE"])
def test_the_session_is_lost(signals: str, sh: List[str], tmp_path: Path) -> None:
    """Once the check is started, the script and the check go on."""
    host = Running(tmp_path, sh)
    systemctl = tmp_path / "bin/systemctl"
    # every process of the session gets it
    lost = "".join("kill -%s 0\n" % signal for signal in signals.split())
    starts = '[ "$*" != "start cobbler-bridge-firstboot.service" ] || {\n%s}\n' % lost
    systemctl.write_text(systemctl.read_text() + starts)
    assert "it takes effect now" in host.script().output
    assert "is proved after" in host.ends("Cobbler was told")


# where it comes, and to whom: to all that are there, or to the shell that waits for what we do
LOST = {
    "when files are put in place": ("mv", "0"),
    "when files are prepared": ("chmod", "$shell"),
}


@ON_EVERY_SHELL
@pytest.mark.parametrize("when", LOST)
def test_a_signal_ends_no_shell_before_its_work_has_ended(
    when: str, sh: List[str], tmp_path: Path
) -> None:
    host = Running(tmp_path, sh)
    program, whom = LOST[when]
    lost = '[ -e "$R/lost" ] || {\n    > "$R/lost"\n    read -r _ _ _ shell _ < /proc/$PPID/stat\n'
    lost += "".join("    kill -%s %s\n" % (each, whom) for each in "HUP INT TERM PIPE".split())
    wrapper = tmp_path / "bin" / program
    wrapper.write_text('#!/bin/sh\n%s%s}\nexec /bin/%s "$@"\n' % (LOG, lost, program))
    wrapper.chmod(0o755)
    run = host.script()
    assert "it takes effect now" in run.output
    assert run.errors == ""
    assert "is proved after" in host.ends("Cobbler was told")


@ON_EVERY_SHELL
@pytest.mark.parametrize(("timeout", "seconds"), [(10, 10), (70, 70), (None, 30)])
def test_the_time_that_it_may_take(
    timeout: Optional[int], seconds: int, sh: List[str], tmp_path: Path
) -> None:
    """Who waits for it waits less than for a first boot, where nobody chose otherwise."""
    host = Running(tmp_path, sh)
    (tmp_path / "ip/answers").unlink()
    (tmp_path / "bin/sleep").write_text((tmp_path / "bin/sleep").read_text().replace("0.2", "0.01"))
    run = host.script(bridge_timeout=timeout)
    assert run.status == 0
    assert "the old network is back: the gateway 10.0.0.1 does not answer" in run.errors
    host.ends("the old network is back")
    now = float((tmp_path / "proc/uptime").read_text().split()[0])
    # and what the script and the check wait for each other
    assert seconds <= now - 5 <= seconds + 12


@ON_EVERY_SHELL
@pytest.mark.parametrize(("ipv4", "seconds"), [("10.0.0.9/24,10.0.0.1", 75), ("dhcp", 30)])
def test_the_time_of_a_switch_that_takes_the_link(
    ipv4: str, seconds: int, sh: List[str], tmp_path: Path
) -> None:
    """With spanning tree the switch's port forwards 30 s after that; a DHCP client has waited."""
    host = Running(tmp_path, sh)
    systemctl = tmp_path / "bin/systemctl"
    systemctl.write_text(systemctl.read_text().replace("NetworkManager.service", "network.service"))
    (tmp_path / "ip/answers").unlink()
    (tmp_path / "bin/sleep").write_text((tmp_path / "bin/sleep").read_text().replace("0.2", "0.01"))
    assert host.script(os_version="rhel8", bridge_ipv4=ipv4, bridge_timeout=None).status == 0
    host.ends("the old network is back")
    now = float((tmp_path / "proc/uptime").read_text().split()[0])
    assert seconds <= now - 5 <= seconds + 12


@ON_EVERY_SHELL
def test_a_check_that_has_ended_is_not_waited_for(sh: List[str], tmp_path: Path) -> None:
    """Where it was killed it is, for its number is left."""
    host = Running(tmp_path, sh)
    (tmp_path / "ip/answers").unlink()
    (tmp_path / "bin/sleep").write_text("#!/bin/sh\n" + LOG + "log\n" + SLEEP)
    assert "br0 is not proved" in host.script(bridge_rollback="no").errors
    assert not (host.root / STATE / "check.pid").exists()
    # the script's own, and the check's for its 20 s
    assert len(host.calls("sleep")) < 140


def xend(mode: str, bridge: Optional[str]) -> Dict[str, Optional[str]]:
    """It makes the network itself: there is nothing to verify."""
    return {"bridge_xen": mode, "bridge": bridge, "bridge_verify": None, "bridge_timeout": None}


UNPROVED = "cobbler-bridge: nothing proves this: it takes effect when %s\n"
SERVICE = "the network's service or the machine is started again"
NMCLI = SERVICE + ", and with 'nmcli connection reload'"


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("os_version", "data", "when"),
    [
        ("rhel5", {}, SERVICE),
        ("rhel6", {}, SERVICE),
        ("rhel7", {}, NMCLI),
        ("rhel8", {}, NMCLI),
        ("rhel9", {}, NMCLI),
        ("rhel5", xend("network-route", None), "xend or the machine is started again"),
        ("rhel5", xend("network-bridge", "eth0"), "xend or the machine is started again"),
        ("rhel5", {"bridge_xen": "vif-bridge"}, SERVICE.replace("service", "service or xend")),
    ],
)
def test_nothing_proves_it(
    os_version: str, data: Dict[str, Optional[str]], when: str, sh: List[str], tmp_path: Path
) -> None:
    host = Running(tmp_path, sh)
    machine.build(tmp_path / "more", {"files": XEN})
    shutil.copytree(str(tmp_path / "more/etc/xen"), str(tmp_path / "etc/xen"))
    known = {"bridge_verify": "no", "bridge_watch": None, "os_version": os_version}
    run = host.script(**{**known, **data})
    assert (run.status, run.errors) == (0, "")
    assert run.output.endswith(UNPROVED % when)
    assert host.calls("systemctl") == []


# ---- what starts the check on EL 5 and 6


class Init:
    """The init script of a scratch root, whose check is this text."""

    def __init__(self, root: Path, sh: Sequence[str], check: str) -> None:
        self.root = root
        shell = " ".join(sh)
        (root / CHECK).parent.mkdir(parents=True)
        (root / CHECK).write_text('echo "$*" >> "%s/runs"\n' % root + check)
        (root / STATE).mkdir(parents=True)
        (root / STATE / "expected").touch()
        text = shipped.text("script/on_the_host", "firstboot.init")
        for before in ("state=", " "):
            for path in ("/var/lib", "/usr/libexec"):
                text = text.replace("%s%s/" % (before, path), "%s%s%s/" % (before, root, path))
        (root / "init").write_text(text.replace("/bin/sh ", shell + " "))
        (root / "bin").mkdir()
        commands = {
            "logger": "cat > '%s/log'; touch '%s/ended'" % (root, root),
            "runlevel": "cat '%s/runlevel'" % root,
            "sleep": ":",
        }
        for name, command in commands.items():
            (root / "bin" / name).write_text("#!/bin/sh\n%s\n" % command)
            (root / "bin" / name).chmod(0o755)
        (root / "runlevel").write_text("N 3\n")
        self.command = [*sh, str(root / "init")]

    def start(self, verb: str = "start") -> List[str]:
        """The words with which the check was called, once all has ended."""
        path = "%s:%s" % (self.root / "bin", os.environ["PATH"])
        environment = dict(os.environ, PATH=path)
        subprocess.run([*self.command, verb], env=environment, check=True, timeout=HANGS)
        assert verb != "start" or wait_for((self.root / "ended").exists)
        runs = self.root / "runs"
        return runs.read_text().splitlines() if runs.exists() else []


@ON_EVERY_SHELL
@pytest.mark.parametrize("signal", ["KILL", "TERM", "INT", "HUP"])
def test_started_again_by_the_init_script(signal: str, sh: List[str], tmp_path: Path) -> None:
    ends = "trap 'exit 130' INT; trap 'exit 143' TERM\n"
    # HUP is not heard
    ends += '[ $(grep -c "" "%s/runs") -gt 2 ] || kill -%s $$\n' % (tmp_path, signal)
    runs = Init(tmp_path, sh, ends).start()
    # nor INT, where a shell has what is behind it not hear it
    assert len(runs) == 3 or (signal in ("HUP", "INT") and len(runs) == 1)
    said = (tmp_path / "log").read_text()
    assert said.count("was ended by a signal") == len(runs) - 1


@ON_EVERY_SHELL
def test_the_init_script_gives_up(sh: List[str], tmp_path: Path) -> None:
    """But the network is started."""
    init = Init(tmp_path, sh, '[ "$1" = resume ] || kill -9 $$\n')
    assert init.start() == [""] * 5 + ["resume"]


@ON_EVERY_SHELL
@pytest.mark.parametrize("runlevel", ["0", "6"])
def test_the_machine_goes_down(runlevel: str, sh: List[str], tmp_path: Path) -> None:
    init = Init(tmp_path, sh, "kill -9 $$\n")
    (tmp_path / "runlevel").write_text("3 %s\n" % runlevel)
    assert init.start() == [""]


@ON_EVERY_SHELL
def test_the_init_script_leaves_what_ended_by_itself(sh: List[str], tmp_path: Path) -> None:
    assert Init(tmp_path, sh, "exit 1\n").start() == [""]
    assert Init(tmp_path / "stop", sh, "").start("stop") == []


@ON_EVERY_SHELL
def test_the_init_script_hears_signals_itself(sh: List[str], tmp_path: Path) -> None:
    """Those that all processes get, and a log that has ended."""
    ends = '[ $(grep -c "" "%s/runs") -gt 2 ] && exit\n' % tmp_path
    ends += "kill -TERM $PPID; kill -INT $PPID; kill -HUP $PPID; kill -PIPE $PPID; kill -9 $$\n"
    assert Init(tmp_path, sh, ends).start() == ["", "", ""]


@pytest.mark.parametrize(
    ("root", "name", "runs"),
    [
        (".", "systemd", True),
        (".", "init", True),
        # a container that a shell is the first process of
        (".", "sh", False),
        # an installer's chroot, where /proc is the installer's
        ("elsewhere", "systemd", False),
        (None, "systemd", False),
    ],
)
def test_what_runs(root: Optional[str], name: str, runs: bool, tmp_path: Path) -> None:
    host = Running(tmp_path, machine.SHELLS["dash"])
    (tmp_path / "proc/1/root").unlink()
    (tmp_path / "elsewhere").mkdir()
    if root is not None:
        (tmp_path / "proc/1/root").symlink_to(tmp_path / root)
    (tmp_path / "proc/1/status").write_text("Name:\t%s\n" % name)
    run = host.script()
    assert run.status == 0
    assert ("it takes effect now" in run.output) == runs
    assert ("at the next boot, which proves it" in run.output) == (not runs)
    if runs:
        host.ends("Cobbler was told")
    else:
        assert host.calls("systemctl") == []


def test_the_installer_is_not_what_it_installs(tmp_path: Path) -> None:
    host = Running(tmp_path, machine.SHELLS["dash"])
    (tmp_path / "mnt/sysimage/etc").mkdir(parents=True)
    run = host.script()
    assert "this is the installer and not what it installs" in run.errors
    assert run.refused
    assert host.etc() == host.old
    assert host.calls("systemctl") == []
    # a machine that doesn't run may have such a folder
    (tmp_path / "proc/1/root").unlink()
    assert "at the next boot, which proves it" in host.script().output


UBUNTU = {
    "nics": {
        "ens3": {"mac": MAC},
        "ens4": {"mac": "52:54:00:aa:00:02", "link": False},
    },
    "python": True,
    "files": {
        "/etc/os-release": 'ID=ubuntu\nVERSION_ID="24.04"\n',
        "/lib/systemd/system/systemd-networkd.service": "[Service]\n",
        "/usr/sbin/netplan!": "#!/bin/sh\n",
        "/etc/netplan/50-cloud-init.yaml": "network: {ethernets: {ens3: {dhcp4: true}}}\n",
        "/proc/1/status": "Name:\tsystemd\n",
    },
}
OF_INITRAMFS = "network: {ethernets: {%s: {dhcp4: true}}}\n"


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("card", "runs", "refused"),
    [("ens3", True, True), ("ens4", True, False), ("ens3", False, False)],
)
def test_what_an_initramfs_has_netplan_do(
    sh: List[str], card: str, runs: bool, refused: bool, tmp_path: Path
) -> None:
    """A file below /run is there again at each start; an installer's own is not the host's."""
    machine.build(tmp_path, UBUNTU)
    (tmp_path / "proc/1/root").symlink_to(tmp_path if runs else "/proc")
    early = tmp_path / "run/netplan" / (card + ".yaml")
    early.parent.mkdir(parents=True)
    early.write_text(OF_INITRAMFS % card)
    before = machine.tree(tmp_path)
    known = {"breed": "ubuntu", "os_version": "noble", "profile_name": "hosts", "bridge": "br0"}
    run = machine.run(bridge_setup({**known, "bridge_verify": "no"}), tmp_path, sh)
    assert run.refused == refused, run
    names = [path.name for path in sorted((tmp_path / "etc/netplan").iterdir())]
    assert early.read_text() == OF_INITRAMFS % card
    if refused:
        assert "/run/netplan/ens3.yaml has ens3 too, and each start writes it anew" in run.errors
        assert {path: before[path] for path in before if path.startswith("etc/")} == {
            path: text for path, text in machine.tree(tmp_path).items() if path.startswith("etc/")
        }
    else:
        assert names == ["90-cobbler-bridge.yaml"], run


# The script is killed when it calls a command for the time that is named
CUT = """#!/bin/sh
# not the check
! grep -q firstboot "/proc/$PPID/cmdline" || exec %s "$@"
count=$(cat "$BRIDGE_ROOT/cut")
echo $((count - 1)) > "$BRIDGE_ROOT/cut"
[ "$count" != 1 ] || kill -9 "$PPID"
exec %s "$@"
"""


@ON_EVERY_SHELL
def test_a_script_that_is_killed(sh: List[str], tmp_path: Path) -> None:
    """Between the files: the check that waits for it puts them back, without a start."""
    halves = 0
    for at in range(5, 40, 3):
        host = Running(tmp_path / str(at), sh)
        (host.root / "cut").write_text("%d\n" % at)
        (host.root / "bin/mv").write_text(CUT.replace("%s", str(shutil.which("mv"))))
        (host.root / "bin/mv").chmod(0o755)
        done = "it takes effect now" in host.script().output
        (host.root / "bin/mv").unlink()
        if done:
            host.ends("Cobbler was told")
            break
        halves += 1
        if (host.root / STATE / "switch").exists() and (host.root / "log").exists():
            host.ends("the old network is back")
        elif (host.root / CHECK).exists():
            host.check()
        assert parts(host.etc()) == parts(host.old)
    assert halves


@ON_EVERY_SHELL
def test_what_would_change(sh: List[str], tmp_path: Path) -> None:
    host = Running(tmp_path, sh)
    assert host.script(bridge_verify="no").status == 0
    kept = host.etc()
    script = bridge_setup({**DATA, "bridge_mtu": "1400"})
    (program,) = re.findall("(?s)<<'EOF3'.*?\n(.*)\nEOF3\n", script)
    said = subprocess.run(
        [*sh, "-s", "diff"],
        input=program.encode(),
        stdout=subprocess.PIPE,
        env=dict(os.environ, BRIDGE_ROOT=str(tmp_path)),
        timeout=HANGS,
        check=True,
    ).stdout.decode()
    assert "\n+++ /etc/sysconfig/network-scripts/ifcfg-br0\n" in said
    assert "\n+MTU=1400\n" in said
    assert host.etc() == kept


def test_a_module_that_is_no_more(tmp_path: Path) -> None:
    """After an update of the kernel, before the machine was started again."""
    host = Running(tmp_path, machine.SHELLS["dash"])
    (tmp_path / "bin/modprobe").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin/modprobe").chmod(0o755)
    before = host.etc()
    run = host.script()
    assert "has no module bridge: start the machine again first; the network stays" in run.errors
    assert host.etc() == before


@ON_EVERY_SHELL
@pytest.mark.parametrize(("name", "refused"), [("lan0", True), ("ens3", False)])
def test_a_card_that_gets_another_name_at_the_next_start(
    sh: List[str], name: str, refused: bool, tmp_path: Path
) -> None:
    """netplan gives it one that networkd would wait for until then."""
    machine.build(tmp_path, UBUNTU)
    (tmp_path / "proc/1/root").symlink_to(tmp_path)
    text = 'network: {ethernets: {nic: {match: {macaddress: "%s"}, set-name: %s}}}\n'
    installers = tmp_path / "etc/netplan/50-cloud-init.yaml"
    installers.write_text(text % (MAC, name))
    known = {"breed": "ubuntu", "os_version": "noble", "profile_name": "hosts", "bridge": "br0"}
    run = machine.run(bridge_setup({**known, "bridge_verify": "no"}), tmp_path, sh)
    assert run.refused == refused, run
    assert installers.exists() == refused
    assert ("calls ens3 lan0 from the next start on" in run.errors) == refused
