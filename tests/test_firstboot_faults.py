"""The script and the check where something fails, a signal comes or files are damaged.

Whatever it is and whenever it comes, the files of one network are whole in the end. The tests
marked ``thorough`` are about every call; the others about a sample of them.
"""

import atexit
import functools
import random
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

import pytest

import scratch_machine as machine
from cobbler_bridge.snippet import bridge_setup
from shell_faults import COMMANDS, EVERY, WRITERS, Faults, how_many, spread
from test_firstboot import CHECK, DATA, LOG, MAC, MACHINE, STATE, Machine, broken, parts

pytestmark = pytest.mark.slow
ON_EACH_SHELL = pytest.mark.parametrize("shell_name", machine.SHELLS)


class Target(NamedTuple):
    """A machine, its data beside ``DATA``, and what further commands pretend."""

    machine: Mapping[str, Any]
    data: Mapping[str, Any]
    commands: Mapping[str, str]


TARGETS = {
    "redhat": Target(MACHINE, {}, {}),
    "wicked": Target(
        {
            "nics": {"eth0": {"mac": MAC}},
            "files": {
                "/etc/issue": "SLES 15\n",
                "/etc/motd": "",
                "/etc/os-release": 'ID="sles"\nVERSION_ID="15.6"\n',
                "/etc/systemd/system/network.service@": "/usr/lib/systemd/system/wicked.service",
                "/etc/sysconfig/network/config": 'NETCONFIG_DNS_POLICY="STATIC eth0"\n',
                "/etc/sysconfig/network/ifcfg-eth0": "BOOTPROTO='dhcp'\nSTARTMODE='auto'\n",
                "/etc/sysconfig/network/ifcfg-lo": "STARTMODE='auto'\n",
                # it is set aside: the bridge gets what it has
                "/etc/sysconfig/network/ifroute-eth0": "192.0.2.0/24 10.0.0.3\n",
                "/etc/sysconfig/network/routes": "198.51.100.0/24 10.0.0.2 - eth0\n",
            },
        },
        {"breed": "suse", "os_version": "sles15sp6"},
        {
            "systemctl": """
                log
                case "$*" in
                "is-active wicked.service") echo active ;;
                is-active*) echo inactive; exit 3 ;;
                esac""",
            "wicked": """
                log
                case "$*" in
                *" ifreload all") [ ! -d "$R/ip/old" ] || cp "$R"/ip/old/* "$R/ip" ;;
                *" --delete "*) rm -rf "$R/sys/class/net/$4" ;;
                esac""",
            "netconfig": "log",
        },
    ),
}
ON_EACH_TARGET = pytest.mark.parametrize("target", TARGETS)
WICKED_WHERE_THOROUGH = pytest.mark.parametrize(
    "target", ["redhat", pytest.param("wicked", marks=pytest.mark.thorough)]
)


def script_of(target: str, **data: Any) -> str:
    return bridge_setup({**DATA, **TARGETS[target].data, **data})


def set_up(host: Machine, target: str) -> None:
    host.set_up(**{**TARGETS[target].data, "bridge_mtu": "9000"})


@functools.lru_cache(maxsize=None)
def started(shell_name: str, target: str = "redhat") -> Machine:
    """A host that was started with its bridge; to be copied."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, str(folder))
    model = fresh(folder, machine.SHELLS[shell_name], target).machine
    model.set_up(**TARGETS[target].data)
    model.booted()
    quick(model)
    return model


def unproved(folder: Path, shell_name: str, target: str = "redhat") -> Machine:
    """The bridge has no address."""
    host = Machine.like(started(shell_name, target), folder)
    broken(host, "no address")
    return host


def quick(host: Machine) -> None:
    """It is soon seen that nothing is proved."""
    expected = host.root / STATE / "expected"
    expected.write_text(expected.read_text().replace("timeout 20 always\n", "timeout 1 always\n"))


# how many calls a check has, by shell, target and commands: the hosts are all alike
_calls: Dict[Tuple[str, ...], int] = {}


class Checks:
    """A host whose bridge has no address for each fault."""

    def __init__(
        self, folder: Path, shell_name: str, target: str, commands: Sequence[str] = COMMANDS
    ) -> None:
        self.faults = Faults(folder / "faults", commands)
        self.model = unproved(folder / "model", shell_name, target)
        self.old, self.new = parts(self.model.old), parts(self.model.etc())
        self._folder = folder
        key = (shell_name, target, *commands)
        if key not in _calls:
            host = self.host()
            assert self.check(host, self.faults.nothing()).status == 1
            assert parts(host.etc()) == self.old
            _calls[key] = self.faults.counted()
        self.count = _calls[key]

    def host(self) -> Machine:
        shutil.rmtree(str(self._folder / "host"), ignore_errors=True)
        return Machine.like(self.model, self._folder / "host")

    def check(self, host: Machine, fault: str) -> machine.Run:
        """Run the check with a fault; what is left of it has none."""
        script = host.root / CHECK
        text = script.read_text()
        script.write_text(fault + text)
        run = host.check()
        if script.exists():
            script.write_text(text)
        return run

    def ends(self, host: Machine, why: object) -> None:
        """The next boot puts back what was not yet put back; that the bridge has no address."""
        if (host.root / CHECK).exists():
            if (host.root / "sys/class/net/br0").exists():
                host.shows("4.addr.br0", "")
            assert host.check().status == 1, why
        assert parts(host.etc()) == self.old, why
        assert is_running(host), why


def is_running(host: Machine) -> bool:
    """The network was started, where it was stopped."""
    last: Dict[str, str] = {}
    for call in host.calls("systemctl"):
        verb, _, unit = call.partition(" ")
        if verb in ("stop", "start", "restart"):
            last[unit] = verb
    # which makes again what it was told to take down
    remade = host.calls("wicked")[-1:] in ([], ["--systemd ifreload all"])
    return remade and "stop" not in last.values()


@how_many(6)
@ON_EACH_TARGET
@ON_EACH_SHELL
def test_one_call_that_fails(target: str, shell_name: str, wanted: int, tmp_path: Path) -> None:
    """All of the old files, or all of the bridge's; and the network is started."""
    checks = Checks(tmp_path, shell_name, target)
    assert checks.count > 50
    for at in spread(checks.count, wanted, len(shell_name)):
        host = checks.host()
        run = checks.check(host, checks.faults.failing(at))
        assert run.status == 1
        after = parts(host.etc())
        assert after in (checks.old, checks.new), (at, run.output)
        assert is_running(host)
        assert (after == checks.new) == ("can't be put back" in run.output), (at, run.output)
        if after == checks.new:
            checks.ends(host, at)


@how_many(6, 400)
@WICKED_WHERE_THOROUGH
@ON_EACH_SHELL
def test_two_calls_that_fail(target: str, shell_name: str, wanted: int, tmp_path: Path) -> None:
    checks = Checks(tmp_path, shell_name, target)
    chosen = random.Random(shell_name)
    for _ in range(wanted):
        first = chosen.randrange(1, checks.count + 1)
        second = first + chosen.choice([1, 1, 2, 3, chosen.randrange(1, 40)])
        host = checks.host()
        run = checks.check(host, checks.faults.failing(first, second))
        after = parts(host.etc())
        assert after in (checks.old, checks.new), (first, second, run.output)
        assert is_running(host)
        checks.ends(host, (first, second))


@how_many(5)
@WICKED_WHERE_THOROUGH
@ON_EACH_SHELL
def test_a_disk_that_fails_from_one_moment_on(
    target: str, shell_name: str, wanted: int, tmp_path: Path
) -> None:
    """Half of each may be there then, which is said; the next boot ends it."""
    checks = Checks(tmp_path, shell_name, target)
    for at in spread(checks.count, wanted, len(shell_name)):
        host = checks.host()
        run = checks.check(host, checks.faults.failing_from(at))
        assert is_running(host)
        if parts(host.etc()) not in (checks.old, checks.new):
            assert "nor can the bridge" in run.output, at
        checks.ends(host, at)


@how_many(3)
@WICKED_WHERE_THOROUGH
@ON_EACH_SHELL
@pytest.mark.parametrize("signal", ["TERM", "INT", "HUP", "KILL"])
def test_a_signal(signal: str, target: str, shell_name: str, wanted: int, tmp_path: Path) -> None:
    """Whenever it comes, what was stopped is started, and what starts the check is told to."""
    checks = Checks(tmp_path, shell_name, target, [*WRITERS, "grep", "ip", "readlink", "systemctl"])
    statuses = {1, {"TERM": 143, "INT": 130, "HUP": 129, "KILL": -9}[signal]}
    seen = set()
    for at in spread(checks.count, wanted, len(shell_name + signal)):
        host = checks.host()
        run = checks.check(host, checks.faults.signal(signal, at))
        assert run.status in statuses, at
        seen.add(run.status)
        if signal != "KILL":
            # at once, without any other start
            assert is_running(host), at
        if run.status != 1 and (host.root / CHECK).exists():
            # as what started it does
            host.check_with("resume")
            assert is_running(host), at
            if (host.root / STATE / "laid").exists():
                assert parts(host.etc()) == checks.old, at
        checks.ends(host, at)
        if not (host.root / STATE / "expected").exists():
            assert list(host.root.rglob(".cobbler-bridge.*")) == [], at
    assert seen == statuses or wanted < EVERY


@how_many(6, 400)
@WICKED_WHERE_THOROUGH
@ON_EACH_SHELL
def test_a_kill_and_then_a_call_that_fails(
    target: str, shell_name: str, wanted: int, tmp_path: Path
) -> None:
    """Neither network has a file of the other one then."""
    checks = Checks(tmp_path, shell_name, target)
    chosen = random.Random(shell_name)
    for _ in range(wanted):
        first, second = (chosen.randrange(1, checks.count + 1) for _ in "12")
        host = checks.host()
        checks.check(host, checks.faults.signal("KILL", first))
        if not (host.root / CHECK).exists() or not (host.root / STATE / "expected").exists():
            continue
        run = checks.check(host, checks.faults.failing(second))
        after = parts(host.etc())
        assert after in (checks.old, checks.new), (first, second, run.output)
        assert is_running(host)
        checks.ends(host, (first, second))


@ON_EACH_SHELL
def test_a_kill_half_way_back_and_then_a_full_disk(shell_name: str, tmp_path: Path) -> None:
    """All of the bridge's files are there again."""
    checks = Checks(tmp_path, shell_name, "redhat")
    for first in range(checks.count // 3, checks.count):
        host = checks.host()
        checks.check(host, checks.faults.signal("KILL", first))
        if parts(host.etc()) not in (checks.old, checks.new):
            break
    run = checks.check(host, checks.faults.failing(2))
    assert parts(host.etc()) == checks.new, run.output
    assert is_running(host)
    checks.ends(host, first)


# ---- the power goes


class Start(NamedTuple):
    """A machine before the script, and what may be there in the end."""

    machine: Machine
    ends: Tuple[Dict[str, str], ...]


def fresh(folder: Path, sh: List[str], target: str) -> Start:
    host = Machine.__new__(Machine)
    host.root, host.sh = folder, sh
    machine.build(folder, TARGETS[target].machine)
    (folder / "proc/uptime").write_text("5.00 0\n")
    host.old = host.etc()
    host.pretend()
    for name, text in TARGETS[target].commands.items():
        command = folder / "bin" / name
        command.write_text("#!/bin/sh\n" + LOG + text + "\n")
        command.chmod(0o755)
    return Start(host, (parts(host.old),))


def installed(folder: Path, sh: List[str], target: str) -> Start:
    """The script ran, and the machine was not yet started."""
    host = fresh(folder, sh, target).machine
    set_up(host, target)
    return Start(host, (parts(host.old), parts(host.etc())))


def proved(folder: Path, sh: List[str], target: str) -> Start:
    host = fresh(folder, sh, target).machine
    set_up(host, target)
    host.booted()
    assert "Cobbler was told" in host.check().output
    return Start(host, (parts(host.etc()),))


def boots(host: Machine, root: Path) -> Machine:
    """The machine as its files have it; the check decides."""
    again = Machine.like(host, root)
    if not (root / "sys/class/net/br0").exists():
        again.booted()
    if (root / CHECK).exists() and (root / STATE / "expected").exists():
        assert again.check().status in (0, 1)
    return again


def frozen(host: Machine, faults: Faults, wanted: int) -> Iterator[Machine]:
    """What there was at each moment of what just ran, started again."""
    states = list(faults.snapshots())
    for number in spread(len(states), wanted):
        like = Machine.__new__(Machine)
        like.root, like.sh, like.old = states[number - 1], host.sh, host.old
        root = host.root.with_name("boot")
        shutil.rmtree(str(root), ignore_errors=True)
        yield boots(like, root)


def step(wanted: int) -> int:
    """A sample is taken of some twenty moments: each costs a copy of the machine."""
    return 1 if wanted == EVERY else 8


@how_many(5)
@WICKED_WHERE_THOROUGH
@ON_EACH_SHELL
@pytest.mark.parametrize("start", [fresh, installed, proved])
def test_the_power_goes_while_the_script_runs(
    start: Callable[[Path, List[str], str], Start],
    target: str,
    shell_name: str,
    wanted: int,
    tmp_path: Path,
) -> None:
    host, ends = start(tmp_path / "host", machine.SHELLS[shell_name], target)
    faults = Faults(tmp_path / "faults", WRITERS)
    shot = faults.snapshots_of(host.root, step(wanted))
    run = machine.run(script_of(target), host.root, host.sh, shot)
    assert (run.status, run.errors) == (0, "")
    ends = (*ends, parts(host.etc()))
    found = [parts(after.etc()) for after in frozen(host, faults, wanted)]
    assert all(each in ends for each in found)
    assert found[0] in ends[:-1]
    assert found[-1] == ends[-1] or wanted < EVERY
    assert len(found) >= 5


@how_many(5)
@WICKED_WHERE_THOROUGH
@ON_EACH_SHELL
@pytest.mark.parametrize("outcome", ["put back", "proved"])
def test_the_power_goes_while_the_check_runs(
    outcome: str, target: str, shell_name: str, wanted: int, tmp_path: Path
) -> None:
    host = Machine.like(started(shell_name, target), tmp_path / "host")
    ends = parts(host.etc())
    if outcome == "put back":
        broken(host, "no address")
        ends = parts(host.old)
    faults = Faults(tmp_path / "faults", WRITERS)
    script = host.root / CHECK
    text = script.read_text()
    script.write_text(faults.snapshots_of(host.root, step(wanted)) + text)
    assert host.check().status == (outcome == "put back")
    for folder in faults.snapshots():
        if (folder / CHECK).exists():
            (folder / CHECK).write_text(text)
    for after in frozen(host, faults, wanted):
        assert parts(after.etc()) == ends


# ---- the script takes back what it did


class Scripts:
    """Runs of the script on a machine for each fault."""

    def __init__(self, folder: Path, shell_name: str, target: str) -> None:
        self.faults = Faults(folder / "faults")
        self._start = fresh(folder / "model", machine.SHELLS[shell_name], target).machine
        self._script = script_of(target)
        self._folder = folder
        self.old = parts(self._start.old)
        host, run = self.run(self.faults.nothing())
        assert run.errors == ""
        self.new = parts(host.etc())
        self.calls = self.faults.called()
        self.count = len(self.calls)

    def run(self, fault: str) -> Tuple[Machine, machine.Run]:
        shutil.rmtree(str(self._folder / "host"), ignore_errors=True)
        host = Machine.like(self._start, self._folder / "host")
        run = machine.run(self._script, host.root, host.sh, fault)
        assert run.status == 0
        return host, run

    def is_whole(self, host: Machine, run: machine.Run, why: object) -> None:
        """One of the two, or it is said, and the next boot puts it back."""
        after = parts(host.etc())
        if run.refused:
            assert after == self.old, why
        elif run.errors:
            if after != self.new:
                assert run.errors.endswith("; the next boot tries again\n"), (why, run)
            host.booted()
            host.check()
            assert parts(host.etc()) in (self.old, self.new), (why, run)
        else:
            assert after == self.new, why

    def takes_back(self, *names: str) -> Iterator[int]:
        """The calls whose failing has the script take back what it did, the last ones first."""
        for at in (at for at in range(self.count, 0, -1) if self.calls[at - 1] in names):
            _, run = self.run(self.faults.failing(at))
            if "can't be put in place" in run.errors or "can't be set aside" in run.errors:
                yield at


@how_many(10)
@WICKED_WHERE_THOROUGH
@ON_EACH_SHELL
def test_one_call_of_the_script_that_fails(
    target: str, shell_name: str, wanted: int, tmp_path: Path
) -> None:
    scripts = Scripts(tmp_path, shell_name, target)
    for at in spread(scripts.count, wanted, len(shell_name)):
        host, run = scripts.run(scripts.faults.failing(at))
        scripts.is_whole(host, run, at)


@how_many(6)
@WICKED_WHERE_THOROUGH
@ON_EACH_SHELL
def test_a_call_that_fails_while_the_script_takes_back(
    target: str, shell_name: str, wanted: int, tmp_path: Path
) -> None:
    scripts = Scripts(tmp_path, shell_name, target)
    tried = 0
    for at in scripts.takes_back("mv", *["rm"] * (wanted == EVERY)):
        last = scripts.faults.counted()
        for second in (at + each for each in spread(last - at, wanted, len(shell_name))):
            host, run = scripts.run(scripts.faults.failing(at, second))
            scripts.is_whole(host, run, (at, second))
            tried += 1
        # the last one has the most to take back
        if wanted < EVERY:
            break
    assert tried >= 5


DAMAGED: Dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "no end": lambda text: text[: text.index("end ")],
    "cut in a line": lambda text: text[:-2],
    "cut in the middle": lambda text: text[: len(text) // 2],
    "the second half": lambda text: text[len(text) // 2 :],
    "another line": lambda text: text.replace("end ", "x\nend "),
    "more behind": lambda text: text + "bridge br1\n",
    "another end": lambda text: text + "end %d\n" % text.count("\n"),
    "no bridge": lambda text: text.replace("bridge br0\n", ""),
    "a name": lambda text: text.replace("bridge br0\n", "bridge ../br0\n"),
    "a number": lambda text: text.replace("timeout 1 always\n", "timeout 2x\n"),
    "a word": lambda text: text.replace("rollback yes\n", "rollback maybe\n"),
    "an address": lambda text: text.replace("ipv4 any\n", "ipv4 static $(id)\n"),
    "zeros": lambda text: "\0" * len(text),
}


@ON_EACH_SHELL
@pytest.mark.parametrize("how", DAMAGED)
@pytest.mark.parametrize("answers", [True, False])
def test_damaged_expected(answers: bool, how: str, shell_name: str, tmp_path: Path) -> None:
    """Nothing is proved; a host that reaches a gateway is let be, another gets its old network."""
    host = Machine.like(started(shell_name), tmp_path / "host")
    new = parts(host.etc())
    host.shows("4.route.all", "default via 10.0.0.1 dev br0 proto dhcp\n")
    if not answers:
        broken(host, "gateway dead")
    expected = host.root / STATE / "expected"
    damaged = DAMAGED[how](expected.read_text())
    expected.write_text(damaged)
    run = host.check()
    assert "expected is damaged" in run.output
    assert "is proved after" not in run.output
    assert run.status == 1
    told = host.calls("curl")
    if answers:
        assert told == []
        assert "the bridge stays, and the next boot looks again" in run.output
        assert parts(host.etc()) == new
    else:
        # by a line that is whole; without one no server is known
        assert len(told) == len(re.findall("(?m)^url .*\n", damaged))
        assert all(",rolled-back," in each for each in told)
        assert parts(host.etc()) == parts(host.old)
        assert not (host.root / "sys/class/net/br0").exists()
        # nor at any later boot
        again = host.check()
        assert (again.status, host.calls("curl")) == (1, told)
        assert "the old network is back since the bridge" in again.output


@ON_EACH_SHELL
@pytest.mark.parametrize(
    "damage",
    [
        "",
        "added /a\n",
        "end 0\n",
        "added /a\nend 1\nend 1\n",
        "added /a\nend 2\n",
        "had a\nend 1\n",
        "\0\0",
    ],
)
def test_damaged_changes(damage: str, shell_name: str, tmp_path: Path) -> None:
    """Half of the old network is none: the bridge stays, and it is said."""
    host = unproved(tmp_path / "host", shell_name)
    new = parts(host.etc())
    (host.root / STATE / "changes").write_text(damage)
    assert "the bridge stays, and the next boot looks again" in host.check().output
    assert parts(host.etc()) == new
    # neither when it was interrupted
    (host.root / STATE / "unfinished").write_text("")
    assert "can't be put back (what is noted in /var" in host.check().output
    assert parts(host.etc()) == new
    assert is_running(host)


@ON_EACH_SHELL
@pytest.mark.parametrize(
    ("answer", "counts", "said"),
    [
        ("True", True, ""),
        ("True\\n", True, ""),
        ("True\\r", True, ""),
        ("True\\r\\nmore", True, ""),
        ("Trueish", False, "Trueish"),
        ("True ", False, "True "),
        ("false\\033[2J\\007\\233m\\nTrue", False, "false?[2J??m"),
        ("", False, ""),
        ("$(printf %05000d 0)", False, "0" * 300),
    ],
)
def test_what_the_server_answers(
    answer: str, counts: bool, said: str, shell_name: str, tmp_path: Path
) -> None:
    host = Machine.like(started(shell_name), tmp_path / "host")
    (host.root / "bin/curl").write_text('#!/bin/sh\nprintf "%s"\n' % answer)
    run = host.check()
    assert ("Cobbler was told" in run.output) == counts
    if not counts:
        assert "firstboot/profile/hosts: %s); the next boot" % said in run.output
    assert run.output.isprintable() or run.output.replace("\n", "").isprintable()


@ON_EACH_SHELL
def test_a_server_that_answers_for_ever(shell_name: str, tmp_path: Path) -> None:
    host = Machine.like(started(shell_name), tmp_path / "host")
    (host.root / "bin/curl").write_text("#!/bin/sh\nexec tr '\\0' x < /dev/zero\n")
    (host.root / "bin/sleep").write_text(
        "#!/bin/sh\necho 99999.0 0 > '%s/proc/uptime'\n" % host.root
    )
    run = host.check()
    assert "Cobbler could not be told" in run.output
    assert len(run.output) < 1000
