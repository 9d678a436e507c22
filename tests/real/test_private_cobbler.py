"""The private Cobbler of the tests and the demonstration: it starts fast and leaves nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import List, Set

import pytest

from private_cobbler import FIXED_PATHS, CommandError, PrivateCobbler, PrivateCobblerError
from real.server import REPOSITORY, Server
from waiting import HANGS, wait_for

TOOLS = REPOSITORY / "tools"
# says that it is up, then waits for somebody to end it
HOLDING = """\
import sys, time
sys.path.insert(0, sys.argv[1])
from private_cobbler import PrivateCobbler
with PrivateCobbler() as cobbler:
    print("up", flush=True)
    time.sleep(600)
"""


def processes(word: str) -> List[str]:
    """The processes with this word in their arguments or their environment, but for this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        try:
            said = (folder / "cmdline").read_bytes() + b" " + (folder / "environ").read_bytes()
        except OSError:
            continue
        if word.encode() in said:
            found.append("%s: %r" % (folder.name, (folder / "cmdline").read_bytes()))
    return found


class Machine:
    """What a private Cobbler could leave on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mounts = self.mounts()
        self._there = self.there()

    def mounts(self) -> Set[str]:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        return {line for line in lines if "cobbler" in line or str(self.folder) in line}

    def there(self) -> Set[str]:
        return {path for path in FIXED_PATHS if os.path.lexists(path)}

    def clean(self) -> bool:
        """Whether nothing is left: no process, no file, no mount, none of Cobbler's folders."""
        return (
            not processes(str(self.folder))
            and not list(self.folder.iterdir())
            and self.mounts() == self._mounts
            and self.there() == self._there
        )

    def left(self) -> str:
        """What there is, for a message."""
        files = [str(path) for path in self.folder.iterdir()]
        return "processes %s, files %s" % (processes(str(self.folder)), files)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A temporary folder of this test's own, in which everything must take place."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return Machine(folder)


def _hear() -> None:
    """As in the foreground: what runs in a shell's background starts deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(machine: Machine, *command: str) -> "subprocess.Popen[str]":
    """Start a command that holds a private Cobbler, in a process group of its own."""
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=str(REPOSITORY),
        env=dict(os.environ, TMPDIR=str(machine.folder), PYTHONUNBUFFERED="1"),
        start_new_session=True,
        preexec_fn=_hear,
    )


def read_until(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError("ended without saying %r" % word)


def test_starts_and_leaves_nothing(machine: Machine) -> None:
    with PrivateCobbler() as cobbler:
        assert cobbler.rpc("version") == 3.31
        assert "3.3.10" in cobbler.run(["cobbler", "version"]).stdout
        # what the checks below look for is there while it runs
        assert not machine.clean()
        assert processes(str(machine.folder))
        assert list(machine.folder.iterdir())
    assert machine.clean(), machine.left()


def test_two_at_once(machine: Machine) -> None:
    command = ["cobbler", "menu", "list"]
    with PrivateCobbler() as one, PrivateCobbler() as two:
        Server(one).add("menu", "first")
        Server(two).add("menu", "second")
        assert one.run(command).stdout.split() == ["first"]
        assert two.run(command).stdout.split() == ["second"]
        one.stop()
        assert two.run(command).stdout.split() == ["second"]
        with pytest.raises(PrivateCobblerError, match="is not running"):
            one.rpc("version")
    assert machine.clean(), machine.left()


def test_failure_inside_cleans_up_too(machine: Machine) -> None:
    with pytest.raises(CommandError) as caught, PrivateCobbler() as cobbler:
        cobbler.run(["cobbler", "system", "remove", "--name=nobody"])
    assert caught.value.returncode != 0
    assert machine.clean(), machine.left()


def test_cobblerd_that_does_not_start(machine: Machine) -> None:
    cobbler = PrivateCobbler({"xmlrpc_port": "no number"})
    with pytest.raises(PrivateCobblerError, match="cobblerd did not start"):
        cobbler.start()
    assert machine.clean(), machine.left()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_whoever_holds_it_is_ended(machine: Machine, number: signal.Signals) -> None:
    """One process gets the signal: nobody but the system can tell the others."""
    with start(machine, sys.executable, "-c", HOLDING, str(TOOLS)) as process:
        read_until(process, "up")
        assert processes(str(machine.folder))
        process.send_signal(number)
        process.wait(HANGS)
        assert process.returncode != 0
    assert wait_for(machine.clean), machine.left()


def test_kept_folder(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    for names in ([], ["kept"]):
        with PrivateCobbler(directory=folder) as cobbler:
            server = Server(cobbler)
            assert server.names("menu") == names
            if not names:
                server.add("menu", "kept")
    assert machine.clean(), machine.left()
    assert not processes(str(folder))


def test_command_line(machine: Machine) -> None:
    script = [sys.executable, str(TOOLS / "private_cobbler.py")]
    settings = "/etc/cobbler/settings.yaml"
    for words, status, output in (
        (["--", "sh", "-c", "echo inside; exit 7"], 7, "inside\n"),
        (
            ["--set", "default_virt_bridge=br5", "grep", "^default_virt_bridge:", settings],
            0,
            "default_virt_bridge: br5\n",
        ),
    ):
        done = subprocess.run([*script, *words], stdout=subprocess.PIPE, text=True, timeout=HANGS)
        assert done.returncode == status
        assert done.stdout == output
    assert machine.clean(), machine.left()


def test_demonstration_that_is_interrupted(machine: Machine) -> None:
    """Ctrl-C goes to every process of the terminal at once."""
    with start(machine, sys.executable, str(TOOLS / "demo.py")) as process:
        read_until(process, "2. ")
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=HANGS)
    assert process.returncode == 130
    assert errors == "\nInterrupted; nothing of it is left on this machine.\n"
    assert wait_for(machine.clean), machine.left()
