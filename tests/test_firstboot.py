"""The check at the first boot, on scratch machines whose commands only pretend.

Each test installs the check as an install file does, lets the machine look as after a boot, and
runs what was installed. ``tests/real`` does the same with real readers.
"""

import atexit
import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import pytest

import scratch_machine as machine
from cobbler_bridge.description.describe import describe
from cobbler_bridge.snippet import bridge_setup
from waiting import HANGS

ON_EVERY_SHELL = pytest.mark.parametrize("sh", machine.SHELLS.values(), ids=machine.SHELLS)
MAC = "52:54:00:aa:00:01"
STATE = "var/lib/cobbler-bridge"
CHECK = "usr/libexec/cobbler-bridge/firstboot"
SCRIPTS = "etc/sysconfig/network-scripts"
OTHER = SCRIPTS + "/ifcfg-Auto eth0"
DATA = {
    "breed": "redhat",
    "os_version": "rhel8",
    "profile_name": "hosts",
    "bridge": "br0",
    "bridge_timeout": "20",
    "http_server": "cobbler.example.org",
    # what goes on looking has its own tests, in test_watch.py
    "bridge_watch": "no",
}
URL = "http://cobbler.example.org/cblr/svc/op/trig/mode/firstboot/profile/hosts"
MACHINE: Mapping[str, Any] = {
    "nics": {"eth0": {"mac": MAC}},
    "files": {
        "/etc/issue": "EL 8\n",
        "/etc/motd": "",
        "/usr/sbin/brctl!": "",
        "/%s/ifcfg-eth0" % SCRIPTS: "DEVICE=eth0\nBOOTPROTO=dhcp\nONBOOT=yes\n",
        "/" + OTHER: "HWADDR=%s\n" % MAC,
        "/etc/sysconfig/network": "GATEWAYDEV=eth0\n",
        "/etc/sysconfig/iptables": "*filter\n-A FORWARD -j REJECT\nCOMMIT\n",
    },
}

# What the commands of a machine pretend. $BRIDGE_ROOT/ip has what ip shows, by its arguments;
# "old" beside it what ip shows once a reader has started again.
COMMANDS = {
    "sleep": """
        read -r up rest < "$R/proc/uptime"
        echo "$((${up%.*} + $1)).00 0" > "$R/proc/uptime"
        """,
    "ip": """
        log
        case "$*" in
        addr) echo 'inet 10.0.0.7/24' ;;
        "link del dev "*) rm -r "$R/sys/class/net/$4" ;;
        *" nomaster") rm -r "$R"/sys/class/net/*/brif/"$4" ;;
        "link set dev "*" name "*) mv "$R/sys/class/net/$4" "$R/sys/class/net/$6" ;;
        "addr flush "*) rm -f "$R/ip/"*".addr.$4" ;;
        -?" addr show dev "*) cat "$R/ip/${1#-}.addr.$5" ;;
        -?" route show") cat "$R/ip/${1#-}.route.all" ;;
        -?" route show dev "*) cat "$R/ip/${1#-}.route.$5" ;;
        -?" neigh show dev "*) cat "$R/ip/${1#-}.neigh.$5" ;;
        esac 2> /dev/null""",
    "ping": 'log; [ -e "$R/ip/answers" ]',
    "ping6": 'log; [ -e "$R/ip/answers" ]',
    "arping": 'log; [ -e "$R/ip/arping" ]',
    "curl": """
        log
        count=$(grep -c '^curl' "$R/calls")
        [ "$count" -le "$(cat "$R/busy" 2> /dev/null || echo 0)" ] || { echo True; exit 0; }
        echo 'the server is busy' >&2
        exit 22""",
    "systemctl": """
        log
        case "$*" in
        "is-active NetworkManager.service") echo active ;;
        is-active*) echo inactive; exit 3 ;;
        restart*) [ ! -d "$R/ip/old" ] || cp "$R"/ip/old/* "$R/ip" ;;
        esac""",
    "journalctl": "log; echo 'br0: something is wrong'",
    "reboot": "log",
    "sync": 'find "$R/etc" "$R/var/lib/cobbler-bridge" > "$R/synced"',
}
LOG = """R=$BRIDGE_ROOT
call="${0##*/} $*"
log() { printf '%s\\n' "$call" >> "$R/calls"; }
"""


def set_up(root: Path, sh: Sequence[str], data: Mapping[str, Any]) -> machine.Run:
    run = machine.run(bridge_setup(dict(DATA, **data)), root, sh)
    assert (run.status, run.errors) == (0, "")
    return run


@functools.lru_cache(maxsize=None)
def installed(sh: Tuple[str, ...], data: Tuple[Tuple[str, Any], ...]) -> Path:
    """A machine on which the script was run, to be copied."""
    root = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, str(root))
    machine.build(root, MACHINE)
    (root / "proc/uptime").write_text("5.00 0\n")
    set_up(root, sh, dict(data))
    return root


class Machine:
    """A scratch machine in the middle of its installation, and after its first start."""

    def __init__(self, root: Path, sh: Sequence[str], **data: Any) -> None:
        self.root = root
        self.sh = list(sh)
        has_more = root.exists() and any(root.iterdir())
        machine.build(root, MACHINE)
        (root / "proc/uptime").write_text("5.00 0\n")
        self.old = self.etc()
        if has_more:
            self.set_up(**data)
        else:
            model = installed(tuple(sh), tuple(sorted(data.items())))
            shutil.rmtree(str(root))
            shutil.copytree(str(model), str(root), symlinks=True)
        self.pretend()

    def pretend(self) -> None:
        """What the commands of a machine do."""
        bin_folder = self.root / "bin"
        bin_folder.mkdir()
        for name, text in COMMANDS.items():
            command = bin_folder / name
            command.write_text("#!/bin/sh\n" + LOG + text + "\n")
            command.chmod(0o755)

    @classmethod
    def like(cls, model: "Machine", root: Path) -> "Machine":
        """A copy of a machine."""
        host = cls.__new__(cls)
        shutil.copytree(str(model.root), str(root), symlinks=True)
        host.root, host.sh, host.old = root, model.sh, model.old
        return host

    def set_up(self, **data: Any) -> machine.Run:
        return set_up(self.root, self.sh, data)

    def etc(self) -> Dict[str, str]:
        found = machine.tree(self.root / "etc")
        return {"etc/" + path: text for path, text in found.items()}

    def others(self) -> Dict[str, str]:
        """What is there but for what starts the check, which stays where it has failed."""
        return {path: text for path, text in self.etc().items() if "firstboot" not in path}

    def state(self) -> List[str]:
        return sorted(path.name for path in (self.root / STATE).iterdir())

    def expected(self) -> List[str]:
        return (self.root / STATE / "expected").read_text().splitlines()

    def booted(self, bridge: str = "br0", port: str = "eth0") -> None:
        """What a boot makes of the files: the bridge with its port, and an address by DHCP."""
        net = self.root / "sys/class/net"
        if port != "eth0":
            (net / "eth0").rename(net / port)
        (net / bridge / "bridge").mkdir(parents=True)
        (net / bridge / "brif" / port).mkdir(parents=True)
        self.shows(
            "4.addr." + bridge, "    inet 10.0.0.9/24 brd 10.0.0.255 scope global %s\n" % bridge
        )
        self.shows("4.route." + bridge, "default via 10.0.0.1 proto dhcp\n10.0.0.0/24 scope link\n")
        self.shows("answers", "")
        self.shows("old/4.addr.eth0", "    inet 10.0.0.7/24 scope global eth0\n")

    def shows(self, name: str, text: str) -> None:
        (self.root / "ip" / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / "ip" / name).write_text(text)

    def check(self) -> machine.Run:
        """Run what was installed, as a boot does."""
        return self.check_with()

    def check_with(self, *words: str) -> machine.Run:
        done = subprocess.run(
            [*self.sh, str(self.root / CHECK), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            env={
                "BRIDGE_ROOT": str(self.root),
                "PATH": "%s:/usr/bin:/bin" % (self.root / "bin"),
            },
            timeout=HANGS,
            check=False,
        )
        return machine.Run(done.returncode, done.stdout, done.stderr)

    def calls(self, name: str) -> List[str]:
        """How a command was called."""
        if not (self.root / "calls").exists():
            return []
        lines = (self.root / "calls").read_text().splitlines()
        return [line.partition(" ")[2] for line in lines if line.split()[0] == name]

    def report(self) -> str:
        return (self.root / STATE / "report").read_text()

    def is_clean(self) -> bool:
        """Nothing waits to be proved or put back, and what has said so is all that is left."""
        left = [path for path in self.root.rglob("*firstboot*") if "kept" not in path.parts]
        left = [] if "rolled-back" in self.state() else left
        return not left and not set(self.state()) & {"expected", "changes", "before", "unfinished"}


@ON_EVERY_SHELL
def test_proved(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh)
    new = host.etc()
    host.booted()
    run = host.check()
    assert run == machine.Run(
        0,
        "cobbler-bridge: the bridge br0 is proved after 0 s\ncobbler-bridge: Cobbler was told\n",
        "",
    )
    assert [call.split()[-1] for call in host.calls("curl")] == [URL]
    assert host.is_clean()
    assert host.state() == ["kept", "ports", "proved", "script", "written"]
    own = {path for path in new if "firstboot" in path}
    assert host.etc() == {path: text for path, text in new.items() if path not in own}
    # the script once more: the bridge was proved, and nothing of it changes
    before = machine.tree(tmp_path)
    assert host.set_up().output.endswith("br0 is set up already\n")
    assert machine.tree(tmp_path) == before
    # another bridge is to be proved again
    host.set_up(bridge_mtu="9000")
    assert (tmp_path / CHECK).exists()
    assert not (tmp_path / STATE / "proved").exists()


def broken(host: Machine, how: str) -> None:
    net = host.root / "sys/class/net"
    if how == "no bridge":
        shutil.rmtree(str(net / "br0"))
    elif how == "no port":
        (net / "br0/brif/eth0").rmdir()
    elif how == "no link":
        (net / "eth0/carrier").write_text("0\n")
    elif how == "no address":
        host.shows("4.addr.br0", "")
    elif how == "an address of nobody's":
        host.shows("4.addr.br0", "    inet 169.254.7.7/16 scope global br0\n")
    elif how == "gateway dead":
        (host.root / "ip/answers").unlink()


NEXT = dict.fromkeys(["no bridge", "no port"], "what the last messages above complain of")
NEXT.update({"no link": "the cable, the switch"})
DESCRIBED = (
    "bridge_ipv4, bridge_ipv6 or bridge_vlan in Cobbler, the DHCP server, "
    "the VLAN of the switch's port"
)
NEXT.update(dict.fromkeys(["no address", "an address of nobody's", "gateway dead"], DESCRIBED))
NEXT = {how: "Next, correct what was missing: %s." % what for how, what in NEXT.items()}
BROKEN = {
    "no bridge": "there is no bridge br0; eth0 is not in br0",
    "no port": "eth0 is not in br0",
    "no link": "eth0 has no link",
    "no address": "br0 has no IPv4 address",
    "an address of nobody's": "br0 has no IPv4 address",
    "gateway dead": "the gateway 10.0.0.1 does not answer",
}


def told(host: Machine) -> List[str]:
    """Why Cobbler was told that the old network is back."""
    begin = URL + ",rolled-back,"
    urls = [call.split()[-1] for call in host.calls("curl")]
    assert all(re.fullmatch(r"[!-~]+", url) and url.startswith(begin) for url in urls), urls
    return [url[len(begin) :].replace("br0_eth0", "br0; eth0").replace("_", " ") for url in urls]


@ON_EVERY_SHELL
@pytest.mark.parametrize("how", BROKEN)
def test_not_proved(how: str, sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh)
    new = host.etc()
    host.booted()
    broken(host, how)
    run = host.check()
    assert run.status == 1
    why = BROKEN[how]
    assert "cobbler-bridge: not proved: %s; putting the old network back\n" % why in run.output
    back = "cobbler-bridge: the old network is back; see /var/lib/cobbler-bridge/report\n"
    assert run.output.endswith(back + "cobbler-bridge: Cobbler was told\n")
    after = host.others()
    line = "cobbler-bridge: the bridge br0 was not proved (%s); the old network is back; " % why
    for name in ("etc/issue", "etc/motd"):
        last = after[name].splitlines()[-1]
        assert last.startswith(line)
        after[name] = after[name].replace(last + "\n", "")
    assert after == host.old
    assert host.is_clean()
    assert told(host) == [why]
    assert host.calls("reboot") == []
    # also out of a bond below a VLAN that was the port
    assert "link set dev eth0 nomaster" in host.calls("ip")
    assert host.calls("systemctl")[-1] == "restart NetworkManager.service"
    report = host.report()
    for words in ("not proved: " + why, "bridge br0\nport eth0\n", "something is wrong", "inet 10"):
        assert words in report
    assert "http" not in report
    for path in set(new) - set(host.old):
        if "firstboot" not in path:
            assert "\nadded: /%s\n" % path in report
            # nothing is lost
            assert (tmp_path / STATE / "failed" / path).read_text() == new[path]
    assert "\nhad: /%s\n" % OTHER in report
    assert report.splitlines()[-6:-4] == ["", NEXT[how]]
    assert (
        "    cobbler-bridge render --profile hosts --format sh | ssh root@HOST sh\n" in report[-80:]
    )
    # what fails is seen at each boot, and said once
    run = host.check()
    assert (run.status, run.output.count("\n")) == (1, 1)
    assert "the old network is back since the bridge br0 was not proved" in run.output
    assert told(host) == [why]
    # the script that is kept is the one that was run, and begins anew
    script = tmp_path / STATE / "script"
    before = script.read_text()
    env = {"BRIDGE_ROOT": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run([*sh, str(script)], env=env, stdout=subprocess.DEVNULL, check=True)
    assert script.read_text() == before
    assert not {"rolled-back", "told"} & set(host.state())
    host.set_up()
    assert script.read_text() == before
    assert {path: text for path, text in host.etc().items() if "firstboot" in path or path in new}
    net = tmp_path / "sys/class/net"
    if (net / "br0").exists():
        shutil.rmtree(str(net / "br0"))
    (net / "eth0/carrier").write_text("1\n")
    host.booted()
    assert "is proved" in host.check().output
    # the message and the report were about another time
    assert host.etc()["etc/issue"] == host.old["etc/issue"]
    assert host.state() == ["kept", "ports", "proved", "script", "written"]


@ON_EVERY_SHELL
def test_the_server_is_away_when_the_old_network_is_back(sh: List[str], tmp_path: Path) -> None:
    """It is asked for a quarter of an hour, and at each boot until it knows."""
    host = Machine(tmp_path, sh)
    host.booted()
    broken(host, "no link")
    (tmp_path / "busy").write_text("1000\n")
    run = host.check()
    assert run.status == 1
    assert "Cobbler could not be told (" in run.output
    assert "next boot tries again" in run.output
    assert "rolled-back" in host.state()
    assert "told" not in host.state()
    assert set(told(host)) == {BROKEN["no link"]}
    asked = len(told(host))
    assert 20 < asked < 100
    # one that is ended goes on at the next boot
    (tmp_path / "busy").write_text("%d\n" % (asked + 2))
    run = host.check()
    assert run.status == 1
    assert run.output.endswith("cobbler-bridge: Cobbler was told\n")
    assert len(told(host)) == asked + 3
    host.check()
    assert len(told(host)) == asked + 3
    assert host.etc()["etc/sysconfig/network"] == host.old["etc/sysconfig/network"]


@ON_EVERY_SHELL
def test_it_waits(sh: List[str], tmp_path: Path) -> None:
    """Until all is there, as long as it may take; a route may come behind the address."""
    host = Machine(tmp_path, sh)
    host.booted()
    late = tmp_path / "late"
    (tmp_path / "ip/4.addr.br0").rename(late)
    sleep = tmp_path / "bin/sleep"
    move = '\n[ "${up%%.*}" -lt %d ] || [ ! -e "$R/late" ] || mv "$R/late" "$R/ip/4.addr.br0"\n'
    sleep.write_text(sleep.read_text() + move % 12)
    assert "is proved after 8 s" in host.check().output


@ON_EVERY_SHELL
@pytest.mark.parametrize(("began", "ends"), [("", 123), ("3\n", 35)])
def test_it_goes_on_waiting_where_it_was_cut_off(
    began: str, ends: int, sh: List[str], tmp_path: Path
) -> None:
    """Not once more for as long, nor, where a machine that runs was switched, as a boot does."""
    host = Machine(tmp_path, sh)
    expected = tmp_path / STATE / "expected"
    expected.write_text(expected.read_text().replace("timeout 20 always", "timeout 120"))
    host.booted()
    (tmp_path / "ip/answers").unlink()
    (tmp_path / "run").mkdir()
    if began:
        (tmp_path / "run/cobbler-bridge.began").write_text(began)
    assert "not proved: the gateway 10.0.0.1 does not answer" in host.check().output
    now = float((tmp_path / "proc/uptime").read_text().split()[0])
    assert ends - 5 <= now <= ends + 5
    assert not (tmp_path / "run/cobbler-bridge.began").exists()


@ON_EVERY_SHELL
def test_no_default_route(sh: List[str], tmp_path: Path) -> None:
    """The address is enough where there is no gateway; but a route may come a moment later."""
    host = Machine(tmp_path, sh)
    host.booted()
    host.shows("4.route.br0", "10.0.0.0/24 scope link\n")
    (tmp_path / "ip/answers").unlink()
    assert "is proved after 3 s" in host.check().output


@ON_EVERY_SHELL
@pytest.mark.parametrize(("status", "asked"), [(1, 3), (2, 4)])
def test_a_silent_gateway_is_given_up_in_time(
    status: int, asked: int, sh: List[str], tmp_path: Path
) -> None:
    """Each question takes 3 s; a ping that does not know how it was asked is asked otherwise."""
    host = Machine(tmp_path, sh, bridge_timeout="10")
    host.booted()
    slow = "log\n%s\nexit %d\n" % (COMMANDS["sleep"].replace("$1", "3"), status)
    (tmp_path / "bin/ping").write_text("#!/bin/sh\n" + LOG + slow)
    assert "not proved: the gateway 10.0.0.1 does not answer" in host.check().output
    assert len(host.calls("ping")) == asked


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("neighbours", "arping", "proved"),
    [
        ("10.0.0.1 lladdr 52:54:00:00:00:99 REACHABLE\n", False, True),
        ("10.0.0.1 lladdr 52:54:00:00:00:99 STALE\n", False, False),
        ("10.0.0.1  FAILED\n10.0.0.11 lladdr 52:54:00:00:00:99 REACHABLE\n", False, False),
        ("", True, True),
    ],
)
def test_a_gateway_that_answers_no_ping(
    neighbours: str, arping: bool, proved: bool, sh: List[str], tmp_path: Path
) -> None:
    host = Machine(tmp_path, sh)
    host.booted()
    (tmp_path / "ip/answers").unlink()
    host.shows("4.neigh.br0", neighbours)
    if arping:
        host.shows("arping", "")
    assert ("is proved" in host.check().output) == proved


NEIGHBOUR = "10.0.0.1 lladdr 52:54:00:00:00:99 REACHABLE\n"


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("way", "rules", "server", "proved"),
    [
        ("", "", "http_server", False),
        ("192.0.2.1 via 10.0.0.1 dev br0 src 10.0.0.9", "", "http_server", False),
        # it would be no answer over the bridge
        ("192.0.2.1 dev eth7 src 192.0.2.9", "", "http_server", True),
        ("", "", "", True),
        ("", "-A INPUT -p tcp -i br0 -m tcp --dport 22 -j ACCEPT", "http_server", True),
        ("", "-A INPUT -i br0 -j DROP", "http_server", False),
        ("", "-A INPUT -i eth0 -p tcp -j ACCEPT", "http_server", False),
        ("", 'iifname { "br0", "eth1" } tcp dport 22 accept', "http_server", True),
        ("", 'iifname "eth0" accept', "http_server", False),
    ],
)
def test_a_neighbour_alone(
    way: str, rules: str, server: str, proved: bool, sh: List[str], tmp_path: Path
) -> None:
    """A host that lets nobody in has neighbours too: something must answer, where it can."""
    host = Machine(tmp_path, sh, http_server="192.0.2.1" if server else "")
    host.booted()
    (tmp_path / "ip/answers").unlink()
    host.shows("4.neigh.br0", NEIGHBOUR)
    commands = {"curl": "exit 28", "iptables-save": "", "nft": ""}
    commands["nft" if "iifname" in rules else "iptables-save"] = "echo '%s'" % rules
    commands["ip"] = COMMANDS["ip"].replace("addr)", "'route get '*) echo '%s' ;;\naddr)" % way)
    for name, text in commands.items():
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n" + LOG + text + "\n")
        (tmp_path / "bin" / name).chmod(0o755)
    said = host.check().output
    assert ("is proved" in said) == proved
    why = "the gateway 10.0.0.1 answers no ping, and the server nothing over br0; putting the old"
    assert (why in said) == (not proved)


@ON_EVERY_SHELL
@pytest.mark.parametrize("server", ["[2001:db8::5]", "[2001:db8::5]:8080", "192.0.2.5:8080"])
def test_the_way_to_the_server(server: str, sh: List[str], tmp_path: Path) -> None:
    """By its address, however that stands in the URL."""
    host = Machine(tmp_path, sh, http_server=server)
    host.booted()
    (tmp_path / "ip/answers").unlink()
    host.shows("4.neigh.br0", NEIGHBOUR)
    way = "'route get 2001:db8::5' | 'route get 192.0.2.5') echo 'it dev eth7 src it' ;;\naddr)"
    commands = {"curl": "exit 28", "ip": COMMANDS["ip"].replace("addr)", way)}
    for name, text in commands.items():
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n" + LOG + text + "\n")
    assert "is proved" in host.check().output


@ON_EVERY_SHELL
def test_the_server_is_only_asked_where_it_matters(sh: List[str], tmp_path: Path) -> None:
    """And with a question that changes nothing there."""
    host = Machine(tmp_path, sh)
    host.booted()
    host.shows("4.neigh.br0", NEIGHBOUR)
    host.check()
    assert [call.split()[-1] for call in host.calls("curl")] == [URL]
    host.set_up(bridge_mtu="9000")
    (tmp_path / "ip/answers").unlink()
    assert "is proved" in host.check().output
    asked = "-g -s -m 10 --interface br0 http://cobbler.example.org/cblr/svc/op/index"
    assert host.calls("curl")[1] == asked


PORTS = {"bridge_port": "eth0,eth1"}


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("unplugged", "in_bridge", "missing"),
    [
        ([], ["eth0", "eth1"], ""),
        (["eth1"], ["eth0", "eth1"], ""),
        # as NetworkManager does it
        (["eth0"], ["eth1"], ""),
        ([], ["eth1"], "eth0 is not in br0"),
        (["eth0"], ["eth0"], "eth1 is not in br0"),
        (["eth0", "eth1"], ["eth0", "eth1"], "eth0 has no link; eth1 has no link"),
    ],
)
def test_a_port_without_a_link(
    unplugged: List[str], in_bridge: List[str], missing: str, sh: List[str], tmp_path: Path
) -> None:
    """One with a link is enough; the other one is named."""
    host = Machine.__new__(Machine)
    host.root, host.sh = tmp_path, list(sh)
    nics = {"eth0": {"mac": MAC}, "eth1": {"mac": MAC[:-1] + "2"}}
    machine.build(tmp_path, dict(MACHINE, nics=nics))
    (tmp_path / "proc/uptime").write_text("5.00 0\n")
    host.set_up(**PORTS)
    host.pretend()
    host.booted()
    net = tmp_path / "sys/class/net"
    (net / "br0/brif/eth0").rmdir()
    for port in in_bridge:
        (net / "br0/brif" / port).mkdir()
    for port in unplugged:
        (net / port / "carrier").write_text("0\n")
    run = host.check()
    assert ("is proved" in run.output) == (not missing)
    if missing:
        assert "not proved: %s; putting" % missing in run.output
    elif unplugged:
        assert "cobbler-bridge: %s has no link\n" % unplugged[0] in run.output
        assert host.report() == "%s has no link\n" % unplugged[0]
        # and Cobbler is told so
        assert host.calls("curl")[-1].split()[-1] == "%s,noted,%s_has_no_link" % (URL, unplugged[0])
        assert "is proved after 3 s" in run.output
    else:
        assert "report" not in host.state()


@ON_EVERY_SHELL
def test_what_is_not_followed_is_named(sh: List[str], tmp_path: Path) -> None:
    (tmp_path / "etc/rc.d").mkdir(parents=True)
    (tmp_path / "etc/rc.d/rc.local").write_text("ethtool -K eth0 tso off\n")
    host = Machine(tmp_path, sh)
    host.booted()
    named = "/etc/rc.d/rc.local names eth0, which is a port of br0 now"
    assert "cobbler-bridge: %s\n" % named in host.check().output
    assert host.report() == named + "\n"
    assert host.state() == ["kept", "ports", "proved", "report", "script", "written"]
    assert host.set_up().output.endswith("br0 is set up already\n")
    host.set_up(bridge_mtu="9000")
    broken(host, "no address")
    host.check()
    assert "\n%s\n" % named in host.report()


@ON_EVERY_SHELL
def test_the_old_rules_are_loaded_again(sh: List[str], tmp_path: Path) -> None:
    (tmp_path / "etc/sysctl.d").mkdir(parents=True)
    (tmp_path / "etc/sysctl.d/nics.conf").write_text("net.ipv4.conf.eth0.rp_filter = 0\n")
    host = Machine(tmp_path, sh)
    (tmp_path / "bin/sysctl").write_text("#!/bin/sh\n" + LOG + "log\n")
    (tmp_path / "bin/sysctl").chmod(0o755)
    host.booted()
    broken(host, "no address")
    host.check()
    restarts = [call for call in host.calls("systemctl") if "restart" in call]
    assert restarts == ["try-restart iptables.service", "restart NetworkManager.service"]
    assert host.calls("sysctl") == ["-e -q -p %s/etc/sysctl.d/nics.conf" % tmp_path]


@ON_EVERY_SHELL
def test_each_service_of_the_old_rules_loads_them_once(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh)
    changes = tmp_path / STATE / "changes"
    lines = changes.read_text().splitlines()[:-1]
    for name in ("iptables/rules.v4", "iptables/rules.v6", "nftables.conf", "nftables/site.nft"):
        for folder in (tmp_path, tmp_path / STATE / "before"):
            (folder / "etc" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "etc" / name).write_text("# of %s\n" % folder)
        lines.append("had /etc/" + name)
    changes.write_text("\n".join([*lines, "end %d" % len(lines)]) + "\n")
    host.booted()
    broken(host, "no address")
    host.check()
    restarts = [call.split()[1] for call in host.calls("systemctl") if "try-restart" in call]
    assert restarts == ["iptables.service", "netfilter-persistent.service", "nftables.service"]


@ON_EVERY_SHELL
def test_what_is_the_same_again_is_no_failure(sh: List[str], tmp_path: Path) -> None:
    """Of our files those are kept to be looked at that somebody has not put back already."""
    host = Machine(tmp_path, sh)
    (tmp_path / SCRIPTS / "ifcfg-eth0").write_text(host.old[SCRIPTS + "/ifcfg-eth0"])
    host.booted()
    broken(host, "no address")
    host.check()
    failed = tmp_path / STATE / "failed" / SCRIPTS
    assert [(failed / name).exists() for name in ("ifcfg-eth0", "ifcfg-br0")] == [False, True]


STATIC = {"bridge_ipv4": "10.0.0.9/24,10.0.0.1", "bridge_ipv6": "2001:db8::9/64,fe80::1"}


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("ipv4", "ipv6", "missing"),
    [
        ("10.0.0.9/24", "2001:db8::9/64 scope global", ""),
        ("10.0.0.8/24", "2001:db8::9/64 scope global", "br0 has not the address 10.0.0.9/24"),
        ("10.0.0.9/2", "2001:db8::9/64 scope global", "br0 has not the address 10.0.0.9/24"),
        ("10.0.0.9/24", "2001:db8::9/64 scope global tentative", "br0 has not the address 2001:"),
        ("10.0.0.9/24", "2001:db8::9/64 scope global dadfailed", "br0 has not the address 2001:"),
        ("10.0.0.9/24", "2001:db8::19/64 scope global", "br0 has not the address 2001:"),
    ],
)
def test_static_addresses(
    ipv4: str, ipv6: str, missing: str, sh: List[str], tmp_path: Path
) -> None:
    host = Machine(tmp_path, sh, **STATIC)
    host.booted()
    host.shows("4.addr.br0", "2: br0: <UP>\n    inet %s scope global br0\n" % ipv4)
    host.shows("6.addr.br0", "2: br0: <UP>\n    inet6 %s\n       valid_lft forever\n" % ipv6)
    run = host.check()
    assert ("is proved" in run.output) == (not missing)
    assert missing in run.output
    if not missing:
        assert host.calls("ping")[-1].endswith("-I br0 10.0.0.1")
        assert host.calls("ping6")[-1].endswith("-I br0 fe80::1")


@ON_EVERY_SHELL
def test_no_address_is_wanted(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh, bridge_ipv4="none")
    host.booted()
    host.shows("4.addr.br0", "")
    assert "is proved" in host.check().output


@ON_EVERY_SHELL
def test_a_renamed_port(sh: List[str], tmp_path: Path) -> None:
    """It gets its old name back, and so does what is written about it."""
    host = Machine(tmp_path, sh, bridge="eth0")
    assert "nic eth0" in host.expected()
    host.booted("eth0", "peth0")
    before = host.expected()
    host.set_up(bridge="eth0")
    assert host.expected() == before
    broken_address = tmp_path / "ip/4.addr.eth0"
    broken_address.write_text("")
    run = host.check()
    assert "not proved: eth0 has no IPv4 address" in run.output
    net = tmp_path / "sys/class/net"
    assert sorted(path.name for path in net.iterdir()) == ["eth0"]
    assert (net / "eth0/address").read_text() == MAC + "\n"
    assert host.others().keys() == host.old.keys()


@ON_EVERY_SHELL
def test_a_busy_server(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh)
    host.booted()
    (tmp_path / "busy").write_text("5")
    assert host.check().output.endswith("Cobbler was told\n")
    assert len(host.calls("curl")) == 6
    assert host.is_clean()


@ON_EVERY_SHELL
def test_a_server_that_is_away(sh: List[str], tmp_path: Path) -> None:
    """The proof stands; the next boot tells, whatever the bridge looks like then."""
    host = Machine(tmp_path, sh)
    host.booted()
    (tmp_path / "busy").write_text("999")
    run = host.check()
    assert "Cobbler could not be told (%s: the server is busy); the next boot" % URL in run.output
    assert 20 < len(host.calls("curl")) < 60
    assert not (tmp_path / STATE / "before").exists()
    (tmp_path / "busy").write_text("0")
    broken(host, "no address")
    assert host.check().output == (
        "cobbler-bridge: the bridge br0 was proved before\ncobbler-bridge: Cobbler was told\n"
    )
    assert host.is_clean()


@ON_EVERY_SHELL
def test_an_answer_that_is_no_success(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh)
    host.booted()
    (tmp_path / "bin/curl").write_text("#!/bin/sh\necho False\necho True\n")
    assert "Cobbler could not be told" in host.check().output


@ON_EVERY_SHELL
def test_nothing_is_put_back_where_nobody_wants_it(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh, bridge_rollback="no")
    new = host.others()
    host.booted()
    broken(host, "no address")
    for _ in ("first", "second"):
        run = host.check()
        assert "not proved: br0 has no IPv4 address; the bridge stays" in run.output
        after = host.others()
        assert after["etc/issue"].count("cobbler-bridge: ") == 1
        assert {path: after[path] for path in new if path not in ("etc/issue", "etc/motd")} == {
            path: new[path] for path in new if path not in ("etc/issue", "etc/motd")
        }
        assert host.calls("curl") == []
        assert "not proved" in host.report()
        assert [call for call in host.calls("systemctl") if "is-active" not in call] == []
    # it came up in the end
    host.shows("4.addr.br0", "    inet 10.0.0.9/24 scope global br0\n")
    assert "is proved" in host.check().output
    assert host.is_clean()
    assert host.etc()["etc/issue"] == "EL 8\n"


@ON_EVERY_SHELL
def test_where_there_are_folders_for_messages(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh)
    for kind in ("issue", "motd"):
        (tmp_path / "etc" / (kind + ".d")).mkdir()
    host.booted()
    broken(host, "no address")
    host.check()
    added = {path: text for path, text in host.others().items() if path not in host.old}
    assert sorted(added) == ["etc/issue.d/cobbler-bridge.issue", "etc/motd.d/cobbler-bridge.motd"]
    assert all("was not proved" in text for text in added.values())


@ON_EVERY_SHELL
def test_one_restart_where_the_old_network_does_not_come(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh)
    host.booted()
    shutil.rmtree(str(tmp_path / "ip/old"))
    broken(host, "no address")
    run = host.check()
    assert run.output.endswith("the machine is started again, once\n")
    assert len(host.calls("reboot")) == 1
    assert host.is_clean()


@ON_EVERY_SHELL
def test_the_old_network_may_be_on_a_vlan(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh)
    host.booted()
    old = tmp_path / "ip/old/4.addr.eth0"
    old.rename(old.with_name("4.addr.eth0.7"))
    (tmp_path / "sys/class/net/eth0/upper_eth0.7").symlink_to("../eth0.7")
    broken(host, "no address")
    assert "the old network is back; see" in host.check().output
    assert host.calls("reboot") == []


@ON_EVERY_SHELL
def test_a_card_that_refuses_its_mtu(sh: List[str], tmp_path: Path) -> None:
    """The bridge is proved, and Cobbler hears of it; where the card takes it, there is nothing."""
    host = Machine(tmp_path, sh, bridge_mtu="9000")
    assert host.expected()[-4:-2] == ["mtu eth0 9000", "mtu br0 9000"]
    host.booted()
    net = tmp_path / "sys/class/net"
    for device, mtu in (("eth0", "1500"), ("br0", "9000")):
        (net / device / "mtu").write_text(mtu + "\n")
    said = "eth0 has the MTU 1500, which is not the one that is described"
    run = host.check()
    assert "is proved" in run.output
    assert "cobbler-bridge: %s\n" % said in run.output
    assert host.report() == said + "\n"
    words = "eth0_has_the_MTU_1500_which_is_not_the_one_that_is_described"
    assert host.calls("curl")[-1].split()[-1] == "%s,noted,%s" % (URL, words)


@ON_EVERY_SHELL
def test_no_restart_without_a_link(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh)
    host.booted()
    shutil.rmtree(str(tmp_path / "ip/old"))
    for how in ("no address", "no link"):
        broken(host, how)
    assert "has no address; see" in host.check().output
    assert host.calls("reboot") == []


@ON_EVERY_SHELL
def test_the_old_files_are_on_the_disk_before_their_copies_go(
    sh: List[str], tmp_path: Path
) -> None:
    host = Machine(tmp_path, sh)
    host.booted()
    broken(host, "no address")
    host.check()
    synced = (tmp_path / "synced").read_text().splitlines()
    assert str(tmp_path / STATE / "before" / OTHER) in synced
    assert str(tmp_path / OTHER) in synced
    assert str(tmp_path / SCRIPTS / "ifcfg-br0") not in synced
    assert host.is_clean()


@ON_EVERY_SHELL
def test_the_state_before_the_first_run(sh: List[str], tmp_path: Path) -> None:
    """Several runs before the first boot: what comes back was there before all of them."""
    host = Machine(tmp_path, sh)
    host.set_up(bridge_mtu="9000")
    host.set_up(bridge="br1")
    host.booted("br1")
    broken(host, "no link")
    host.check()
    after = host.others()
    assert after.keys() == host.old.keys()
    assert {path for path in after if after[path] != host.old[path]} == {"etc/issue", "etc/motd"}


@ON_EVERY_SHELL
def test_a_file_that_is_set_aside_has_it_proved_again(sh: List[str], tmp_path: Path) -> None:
    """One that came after the bridge was proved, though nothing else changes."""
    host = Machine(tmp_path, sh)
    host.booted()
    assert "is proved after" in host.check().output
    (tmp_path / SCRIPTS / "ifcfg-rival").write_text("HWADDR=%s\n" % MAC)
    assert "it takes effect at the next boot, which proves it" in host.set_up().output
    assert "proved" not in host.state()
    assert "is proved after" in host.check().output


@ON_EVERY_SHELL
def test_what_an_older_check_laid_ready_goes(sh: List[str], tmp_path: Path) -> None:
    """One that was cut off; what it knew as ours belongs to another time."""
    host = Machine(tmp_path, sh)
    for name in ("old.ifcfg-eth0", "ours.ifcfg-br0", "ours.ifcfg-eth0"):
        (tmp_path / SCRIPTS / (".cobbler-bridge." + name)).write_text("DEVICE=stale\n")
    host.set_up(bridge_mtu="9000")
    assert list(tmp_path.rglob(".cobbler-bridge.*")) == []
    host.booted()
    broken(host, "no address")
    host.check()
    assert parts(host.etc()) == parts(host.old)


@ON_EVERY_SHELL
def test_what_a_run_left_that_lost_its_power_goes(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, sh)
    host.booted()
    host.check()
    folders = (SCRIPTS, "etc/systemd/system", "usr/libexec/cobbler-bridge")
    for name in ("ifcfg-eth0", "old.ifcfg-eth0"):
        for folder in folders:
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / (".cobbler-bridge." + name)).write_text("DEVICE=stale\n")
    assert "is set up already" in host.set_up().output
    assert list(tmp_path.rglob(".cobbler-bridge.*")) == []


@ON_EVERY_SHELL
def test_a_run_that_is_taken_back_leaves_the_earlier_ones_changes(
    sh: List[str], tmp_path: Path
) -> None:
    """That one still waits for its check, which may have to put the old network back."""
    host = Machine(tmp_path, sh)
    new, changes = parts(host.etc()), (tmp_path / STATE / "changes").read_text()
    fails = 'mv() { case "$*" in *ifcfg-br0) return 1 ;; esac; command mv "$@"; }\n'
    run = machine.run(bridge_setup(dict(DATA, bridge_mtu="9000")), tmp_path, sh, fails)
    assert run.refused
    assert parts(host.etc()) == new
    assert (tmp_path / STATE / "changes").read_text() == changes
    host.booted()
    broken(host, "no address")
    assert "the old network is back" in host.check().output
    assert parts(host.etc()) == parts(host.old)


# one file can't be put in place, and from then on another one can't be touched
HALF_WAY = """
half_way=
mv() {
    case "$half_way$*" in
    *ifcfg-br0) half_way=yes; return 1 ;;
    yes*ifcfg-eth0*) return 1 ;;
    esac
    command mv "$@"
}
rm() { case "$half_way$*" in yes*ifcfg-eth0*) return 1 ;; esac; command rm "$@"; }
ln() { case "$half_way$*" in yes*ifcfg-eth0*) return 1 ;; esac; command ln "$@"; }
cp() { case "$half_way$*" in yes*ifcfg-eth0*) return 1 ;; esac; command cp "$@"; }
"""


@ON_EVERY_SHELL
def test_what_cannot_be_taken_back_waits_for_the_check(sh: List[str], tmp_path: Path) -> None:
    host = Machine.__new__(Machine)
    host.root, host.sh = tmp_path, sh
    machine.build(tmp_path, MACHINE)
    (tmp_path / "proc/uptime").write_text("5.00 0\n")
    host.old = host.etc()
    host.pretend()
    run = machine.run(bridge_setup(DATA), tmp_path, sh, HALF_WAY)
    assert "what stood there can't be put back: /%s/ifcfg-eth0; the next" % SCRIPTS in run.errors
    assert parts(host.etc()) != parts(host.old)
    assert (tmp_path / CHECK).exists()
    assert (tmp_path / STATE / "expected").exists()
    host.check()
    assert parts(host.etc()) == parts(host.old)


@ON_EVERY_SHELL
def test_readers_that_init_starts(sh: List[str], tmp_path: Path) -> None:
    """Those that are installed, by their scripts; NetworkManager only where it runs."""
    host = Machine(tmp_path, sh, os_version="rhel6")
    folder = tmp_path / "etc/rc.d/init.d"
    starts = 'log; [ "$1" != start ] || cp "$R"/ip/old/* "$R/ip"'
    for path in (folder / "network", folder / "NetworkManager", folder / "iptables"):
        path.write_text("#!/bin/sh\n" + LOG + starts + "\n")
        path.chmod(0o755)
    (tmp_path / "bin/pidof").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin/pidof").chmod(0o755)
    host.booted()
    broken(host, "no address")
    assert host.check().output.endswith(
        "the old network is back; see /var/lib/cobbler-bridge/report\n"
        "cobbler-bridge: Cobbler was told\n"
    )
    assert host.calls("network") == ["stop", "start"]
    assert host.calls("iptables") == ["condrestart"]
    assert host.calls("NetworkManager") == []
    assert set(host.calls("systemctl")) <= {"daemon-reload"}
    assert host.is_clean()


STUCK = """#!/bin/sh
case "$* " in *"/network-scripts/ifcfg-eth0 "*) [ ! -e "$BRIDGE_ROOT/stuck" ] || exit 1 ;; esac
exec %s "$@"
"""


@ON_EVERY_SHELL
def test_a_file_that_cannot_be_put_back(sh: List[str], tmp_path: Path) -> None:
    """That is said, and the next start does it; nothing that it needs for that is gone."""
    host = Machine(tmp_path, sh)
    host.booted()
    broken(host, "no address")
    for name in ("cp", "ln", "mv", "rm"):
        (tmp_path / "bin" / name).write_text(STUCK % shutil.which(name))
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "stuck").touch()
    path = "/%s/ifcfg-eth0" % SCRIPTS
    new = host.etc()
    path = "/%s/ifcfg-eth0" % SCRIPTS
    why = "the old network can't be put back (%s) and the bridge stays" % path
    assert host.check().output.endswith(
        "cobbler-bridge: %s; the next boot tries again; see /var/lib/cobbler-bridge/report\n" % why
    )
    assert why in host.etc()["etc/issue"]
    assert "could not be put back: " + path in host.report()
    assert (tmp_path / CHECK).exists()
    assert parts(host.etc()) == parts(new)
    assert list(tmp_path.rglob(".cobbler-bridge.*")) == []
    # it is seen before the network is stopped
    assert host.calls("systemctl") == []
    (tmp_path / "stuck").unlink()
    # the next boot begins anew
    host.shows("4.addr.br0", "")
    assert "not proved: br0 has no IPv4 address; putting" in host.check().output
    after = host.others()
    assert {name for name in after if after[name] != host.old.get(name)} == {
        "etc/issue",
        "etc/motd",
    }
    assert after.keys() == host.old.keys()
    assert host.is_clean()


# Each of these commands, when it is called for the time that is named, ends all: a power loss.
CUT = """#!/bin/sh
count=$(cat "$BRIDGE_ROOT/cut" 2> /dev/null)
[ -z "$count" ] || echo $((count - 1)) > "$BRIDGE_ROOT/cut"
if [ "$count" = 1 ]; then
    kill -9 "$PPID"
    exit 1
fi
exec %s "$@"
"""
CUTTING = "cp ln mkdir mv rm".split()


def cut(host: Machine, at: Optional[int]) -> None:
    (host.root / "cut").write_text("" if at is None else "%d\n" % at)
    for name in CUTTING:
        (host.root / "bin" / name).write_text(CUT % shutil.which(name))
        (host.root / "bin" / name).chmod(0o755)


# at which calls, the first one and in which steps: together most of them
CUTS = {"bash": (4, 8), "busybox": (2, 6), "dash": (1, 2)}


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["put back", "proved"])
@pytest.mark.parametrize("shell_name", machine.SHELLS)
def test_a_check_that_is_cut_off(outcome: str, shell_name: str, tmp_path: Path) -> None:
    """Wherever that is, the next start ends it: all of the old, or all of the new."""
    model = Machine(tmp_path / "model", machine.SHELLS[shell_name])
    new = model.etc()
    model.booted()
    if outcome == "put back":
        broken(model, "no address")
    done, cuts, ends = 0, 0, int(outcome == "put back")
    first, step = CUTS[shell_name]
    for at in range(first, 200, step):
        host = Machine.like(model, tmp_path / str(at))
        cut(host, at)
        done = host.check().status
        cut(host, None)
        if (host.root / CHECK).exists() and (host.root / STATE / "expected").exists():
            assert host.check().status in (0, 1)
        after = host.others()
        kept = host.old if outcome == "put back" else new
        for name in ("etc/issue", "etc/motd"):
            lines = after[name].splitlines(keepends=True)
            after[name] = "".join(line for line in lines if "cobbler-bridge: " not in line)
        assert {path: text for path, text in after.items() if "firstboot" not in path} == {
            path: text for path, text in kept.items() if "firstboot" not in path
        }
        assert list(host.root.rglob(".cobbler-bridge.*")) == []
        if done == ends:
            break
        assert done == -9
        cuts += 1
    assert cuts > (20 if outcome == "put back" else 6) // step
    assert done == ends


@pytest.mark.slow
@pytest.mark.parametrize("shell_name", machine.SHELLS)
def test_an_installation_that_is_cut_off(shell_name: str, tmp_path: Path) -> None:
    """The script that puts the files in place: the next start finds the old ones or the new."""
    model = Machine(tmp_path / "model", machine.SHELLS[shell_name])
    new = model.etc()
    shutil.rmtree(str(tmp_path / "model/etc"))
    shutil.rmtree(str(tmp_path / "model/var"))
    shutil.rmtree(str(tmp_path / "model/usr"))
    machine.build(tmp_path / "model", {"files": MACHINE["files"]})
    halves = 0
    first, step = CUTS[shell_name]
    for at in range(first, 200, step):
        host = Machine.like(model, tmp_path / str(at))
        root = host.root
        cut(host, at)
        done = subprocess.run(
            [*host.sh, "-s"],
            input=bridge_setup(DATA),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={"BRIDGE_ROOT": str(root), "PATH": "%s:/usr/bin:/bin" % (root / "bin")},
            check=False,
        )
        cut(host, None)
        before = parts(host.etc())
        half = before not in (parts(host.old), parts(new))
        halves += half
        if (root / CHECK).exists():
            host.booted()
            assert host.check().status in (0, 1)
        assert parts(host.etc()) in (parts(host.old), parts(new))
        if "it takes effect at the next boot" in done.stdout:
            break
    assert halves >= 4 // step, "it was cut off between the files"
    assert parts(host.etc()) == parts(new)


def parts(etc: Mapping[str, str]) -> Dict[str, str]:
    """The network's part of a tree; the check and what it says to people are not."""
    return {
        path: text
        for path, text in etc.items()
        if "firstboot" not in path
        and ".cobbler-bridge." not in path
        and path not in ("etc/issue", "etc/motd")
    }


@ON_EVERY_SHELL
def test_a_full_disk(sh: List[str], tmp_path: Path) -> None:
    """Not a byte can be written: the old files come back all the same."""
    host = Machine(tmp_path, sh)
    host.booted()
    broken(host, "no link")
    full = tmp_path / "bin/full"
    full.write_text("#!/bin/sh\ntrap '' XFSZ\nulimit -f 0\nexec %s \"$@\"\n" % " ".join(sh))
    # time passes by a link: a file could not be written
    for number in range(30):
        (tmp_path / ("proc/t%d" % number)).write_text("%d.00 0\n" % (100 * number))
    (tmp_path / "proc/uptime").unlink()
    (tmp_path / "proc/uptime").symlink_to("t0")
    later = "at=$(readlink '%s')\nln -sf \"t$((${at#t} + 1))\" '%s'\n"
    uptime = tmp_path / "proc/uptime"
    (tmp_path / "bin/sleep").write_text("#!/bin/sh\n" + later % (uptime, uptime))
    full.chmod(0o755)
    host.sh = [str(full)]
    assert "the old network" in host.check().output
    assert host.others() == host.old
    assert host.is_clean()


def limited(host: Machine, *without: str) -> None:
    """The check sees only what a small machine has, and of that not these."""
    usual = "cat cp cut date grep head ln mkdir mv readlink rm sed tail tr true".split()
    for name in usual:
        (host.root / "bin" / name).symlink_to(str(shutil.which(name)))
    for name in without:
        (host.root / "bin" / name).unlink()
    script = host.root / CHECK
    text = script.read_text()
    line = "PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin\n"
    assert line in text
    script.write_text(text.replace(line, "PATH=%s\n" % (host.root / "bin")))


@ON_EVERY_SHELL
def test_without_ip(sh: List[str], tmp_path: Path) -> None:
    """Nothing is known, so nothing is changed."""
    host = Machine(tmp_path, [str(shutil.which(sh[0])), *sh[1:]])
    before = host.etc()
    host.booted()
    limited(host, "ip")
    run = host.check()
    assert "nothing can be proved and nothing is changed: there is no ip command" in run.output
    assert host.etc() == before


@ON_EVERY_SHELL
def test_without_anything_to_tell_with(sh: List[str], tmp_path: Path) -> None:
    host = Machine(tmp_path, [str(shutil.which(sh[0])), *sh[1:]])
    host.booted()
    limited(host, "curl", "ping", "arping")
    host.shows("4.neigh.br0", "10.0.0.1 lladdr 52:54:00:00:00:99 REACHABLE\n")
    run = host.check()
    assert "is proved" in run.output
    assert "there is no curl, wget or bash to tell it with" in run.output
    assert host.is_clean()


def expected(**data: Any) -> Tuple[bool, bool, int, str]:
    description, problems = describe(dict(DATA, **data))
    assert description is not None, problems
    check = description.first_boot
    return (check.verify, check.rollback, check.timeout, check.url)


def test_what_is_described() -> None:
    assert expected() == (True, True, 20, URL)
    assert expected(bridge_verify="no", bridge_rollback="no", bridge_timeout=300)[:3] == (
        False,
        False,
        300,
    )
    assert expected(http_server="")[3] == ""
    assert expected(http_server="[2001:db8::1]:8080", system_name="kvm1")[3] == (
        "http://[2001:db8::1]:8080/cblr/svc/op/trig/mode/firstboot/system/kvm1"
    )
    assert expected(profile_name="a b/c?d#e%f\n$g", system_name="")[3].endswith(
        "/firstboot/profile/a%20b%2Fc%3Fd%23e%25f%0A%24g"
    )
    # as the command gets a system's data
    assert "/firstboot/system/kvm2" in expected(profile_name="", name="kvm2", interfaces={})[3]


@pytest.mark.parametrize("server", ["a b", "a/b", "a;b", "a\nb", "$(id)", "a:b", "a@b", "%s"])
def test_a_server_that_cannot_be_called(server: str) -> None:
    description, problems = describe(dict(DATA, http_server=server))
    assert description is None
    assert [problem.field for problem in problems] == ["http_server"]


def test_the_time_that_stp_takes(tmp_path: Path) -> None:
    sh = machine.SHELLS["dash"]
    stp = {"bridge_stp": "on", "bridge_forward_delay": "15"}
    assert "timeout 50 always" in Machine(tmp_path / "1", sh, **stp).expected()
    assert "timeout 20 always" in Machine(tmp_path / "2", sh).expected()


@ON_EVERY_SHELL
@pytest.mark.parametrize("os_version", ["rhel6", "rhel8"])
def test_nothing_is_to_be_proved_any_more(os_version: str, sh: List[str], tmp_path: Path) -> None:
    """After the old network was put back: its check, which says so at each boot, goes."""
    host = Machine(tmp_path, sh, os_version=os_version)
    host.booted()
    broken(host, "gateway dead")
    assert host.check().status == 1
    check = (tmp_path / CHECK).read_text()
    host.set_up(bridge_verify="no", os_version=os_version)
    assert {"expected", "rolled-back", "told"} & set(host.state()) == set()
    assert not list((tmp_path / "etc").rglob("*firstboot*"))
    assert not (tmp_path / CHECK).exists()
    for name in ("etc/issue", "etc/motd"):
        assert host.etc()[name] == host.old[name]
    # one that was cut off before it
    (tmp_path / STATE / "rolled-back").write_text("x\n")
    (tmp_path / CHECK).parent.mkdir()
    (tmp_path / CHECK).write_text(check)
    said = host.set_up(bridge_verify="no", os_version=os_version).output
    assert said.endswith("br0 is set up already\n")
    assert "rolled-back" not in host.state()


@ON_EVERY_SHELL
def test_undone(sh: List[str], tmp_path: Path) -> None:
    """Of two descriptions that were proved one after the other, what stood before the first."""
    host = Machine(tmp_path, sh, bridge_watch="yes")
    host.booted()
    assert host.check().status == 0
    host.set_up(bridge_mtu="1400", bridge_watch="yes")
    assert host.check().status == 0
    assert host.etc() != host.old
    run = host.check_with("undo")
    assert (run.status, run.errors) == (0, ""), run
    assert "the old network is back" in run.output
    assert parts(host.etc()) == parts(host.old)
    assert not list((tmp_path / "etc").rglob("*firstboot*"))
    assert not (tmp_path / CHECK).exists()
    assert not {"undo", "rolled-back", "expected", "proved", "changes"} & set(host.state())


@ON_EVERY_SHELL
def test_an_old_network_that_does_not_come_up(sh: List[str], tmp_path: Path) -> None:
    """The bridge is there again, and goes on being looked at; another time it may be undone."""
    host = Machine(tmp_path, sh, bridge_watch="yes")
    host.booted()
    assert host.check().status == 0
    ours, written = host.etc(), (tmp_path / STATE / "written").read_text()
    shutil.rmtree(str(tmp_path / "ip/old"))
    run = host.check_with("undo")
    assert run.status == 1
    assert "the old network does not come up: the bridge br0 is there again" in run.output
    assert host.etc() == ours
    # another run of the script knows what is its own
    assert (tmp_path / STATE / "written").read_text() == written
    assert {"undo", "proved"} <= set(host.state())
    assert not {"expected", "rolled-back", "laid", "unfinished"} & set(host.state())
    assert (tmp_path / CHECK).exists()
    host.shows("old/4.addr.eth0", "    inet 10.0.0.7/24 scope global eth0\n")
    assert host.check_with("undo").status == 0
    assert parts(host.etc()) == parts(host.old)


def test_nothing_to_undo(tmp_path: Path) -> None:
    host = Machine(tmp_path, machine.SHELLS["dash"])
    assert host.check_with("undo") == machine.Run(
        1, "cobbler-bridge: nothing is kept that could be put back\n", ""
    )
