"""The parts of a private Cobbler that run in processes of their own; see private_cobbler.py.

`keep` runs on the host, outside the namespaces: it starts unshare(1) and, when the process that
wanted the private Cobbler ends in whatever way, ends everything and removes the folder. `inside`
is process 1 of the namespaces: it mounts, starts cobblerd and the web server, and answers requests.

The two and the caller share one socket pair. A request is a word and an optional argument; its
answer starts with "ok" or says what went wrong. Both read the plan, a JSON file, first.
"""

import array
import contextlib
import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Dict, List, Mapping, Optional, Sequence

MS_BIND = 0x1000
MS_REC = 0x4000
MS_MOVE = 0x2000
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
# what has not ended by then is made to
SECONDS_TO_END = 60

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Call mount(2).

    Raises:
        OSError: the kernel refused.
    """
    arguments = [os.fsencode(word) for word in (source, target, kind)]
    if _libc.mount(*arguments, ctypes.c_ulong(flags), os.fsencode(data)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def own_mounts() -> None:
    """Give this process a mount namespace of its own.

    Raises:
        OSError: the kernel refused.
    """
    clone_newns = 0x20000
    if _libc.unshare(clone_newns) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "unshare")
    ms_private = 0x40000
    mount("none", "/", flags=MS_REC | ms_private)


def add_entries(parent: str, additions: Mapping[str, Path], stage: Path) -> None:
    """Make entries appear in an existing folder without writing to the real one.

    A tmpfs with the folder's own entries bound into it takes the folder's place.

    Args:
        parent: the folder.
        additions: name of the new entry and the file or folder to show there; a name may have
            several parts ("www/cobbler").
        stage: an empty folder to build on; it is empty again afterwards.

    Raises:
        OSError: a mount failed.
    """
    mode = os.stat(parent).st_mode & 0o7777
    mount("tmpfs", str(stage), "tmpfs", data=f"mode={mode:o}")
    for entry in os.scandir(parent):
        place = stage / entry.name
        if entry.is_symlink():
            # Copied, since a relative one only means the same thing in the same folder.
            place.symlink_to(os.readlink(entry.path))
        else:
            _show(Path(entry.path), place)
    for name, content in additions.items():
        place = stage / name
        place.parent.mkdir(parents=True, exist_ok=True)
        _show(content, place)
    # Moved and not bound: no way to the real folder may stay below the stage.
    mount(str(stage), parent, flags=MS_MOVE)


def _show(content: Path, place: Path) -> None:
    if content.is_dir():
        place.mkdir(exist_ok=True)
    else:
        place.touch()
    mount(str(content), str(place), flags=MS_BIND | MS_REC)


def show_private(paths: Sequence[str], root: Path, stage: Path) -> None:
    """Mount the folders below `root` at their places, existing on the host or not.

    Args:
        paths: absolute paths, each of which exists below `root`.
        root: where the private folders stand, each under its whole path.
        stage: an empty folder to build on.

    Raises:
        OSError: a mount failed.
    """
    missing: Dict[str, Dict[str, Path]] = {}
    for path in paths:
        content = root / path.lstrip("/")
        if os.path.isdir(path):
            mount(str(content), path, flags=MS_BIND)
            continue
        parent = os.path.dirname(path)
        while not os.path.isdir(parent):
            parent = os.path.dirname(parent)
        missing.setdefault(parent, {})[os.path.relpath(path, parent)] = content
    # Shorter paths first: what replaces /var must not hide what replaces /var/lib.
    for parent in sorted(missing, key=len):
        add_entries(parent, missing[parent], stage)


def raise_loopback() -> None:
    """Switch the interface `lo` of this network namespace on.

    Raises:
        OSError: the kernel refused.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


class _Services:
    """The processes that run inside, by name."""

    def __init__(self, folder: Path, commands: Mapping[str, List[str]]) -> None:
        self._folder = folder
        self._commands = commands
        self._ids: Dict[str, int] = {}
        signal.signal(signal.SIGCHLD, self._reap)

    def _reap(self, number: int, frame: Optional[FrameType]) -> None:
        # Process 1 inherits every orphan and has to collect them all.
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    return
            except ChildProcessError:
                return

    def start(self, name: str) -> None:
        with open(self._folder / f"{name}.out", "ab") as output:
            process = subprocess.Popen(
                self._commands[name],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
            )
        self._ids[name] = process.pid
        # Popen must not wait for a process that `_reap` collects.
        process.returncode = 0

    def running(self, name: str) -> bool:
        try:
            os.kill(self._ids[name], 0)
        except ProcessLookupError:
            return False
        return True

    def stop(self, name: str) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.running(name):
                os.kill(self._ids[name], number)
            deadline = time.monotonic() + SECONDS_TO_END
            while self.running(name) and time.monotonic() < deadline:
                time.sleep(0.005)


def inside(channel: socket.socket, plan: Mapping[str, object]) -> None:
    """Be process 1 of the namespaces until the other side closes the channel.

    Args:
        channel: where requests come from.
        plan: "folder" (the temporary folder), "private" (the paths to show from it) and
            "commands" (name and arguments of each process to start).

    Raises:
        OSError: a mount failed.
    """
    # The host's /proc is still mounted here, so this is the number the host knows us by.
    identity = os.readlink("/proc/self")
    folder = Path(str(plan["folder"]))
    private = plan["private"]
    commands = plan["commands"]
    assert isinstance(private, list)
    assert isinstance(commands, dict)
    raise_loopback()
    show_private(private, folder / "root", folder / "stage")
    # A container may forbid it; only ps(1) would see the difference.
    with contextlib.suppress(PermissionError):
        mount("proc", "/proc", "proc")
    services = _Services(folder, commands)
    for name in commands:
        services.start(name)
    channel.send(f"ok {identity}".encode())
    while True:
        request = channel.recv(256).decode().split()
        if not request:
            return
        if request[0] == "connect":
            _answer_connect(channel, int(request[1]))
        elif request[0] == "restart":
            services.stop("cobblerd")
            services.start("cobblerd")
            channel.send(b"ok")
        else:
            running = services.running(request[1])
            channel.send(b"ok" if running else f"{request[1]} has ended".encode())


def _answer_connect(channel: socket.socket, port: int) -> None:
    # A socket stays in the namespace it was made in, whoever holds it later.
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            rights = array.array("i", [connection.fileno()])
            channel.sendmsg([b"ok"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    except OSError as error:
        channel.send(f"nothing answers on port {port}: {error}".encode())


def keep(channel: socket.socket, plan: Mapping[str, object], plan_file: str) -> None:
    """Run the namespaces until the other side closes the channel, then clean up.

    Args:
        channel: shared with process 1; only its end is looked at here.
        plan: as for `inside`, and "unshare" (that command) and "remove" (whether the folder goes).
        plan_file: the file the plan was read from.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    # What is left of the namespaces becomes our child, so that we can wait for its end.
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    command = plan["unshare"]
    assert isinstance(command, list)
    try:
        _run_until_hangup(command, channel, plan_file)
    finally:
        try:
            while True:
                os.wait()
        except ChildProcessError:
            pass
        if plan["remove"]:
            shutil.rmtree(str(plan["folder"]), ignore_errors=True)


def _run_until_hangup(command: List[str], channel: socket.socket, plan_file: str) -> None:
    this = [sys.executable, "-I", "-S", __file__]
    process = subprocess.Popen(
        [*command, *this, "inside", str(channel.fileno()), plan_file],
        pass_fds=[channel.fileno()],
        preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),
    )
    try:
        poll = select.poll()
        # No event asked for: only the end of the other side is reported.
        poll.register(channel, 0)
        while not poll.poll(300) and process.poll() is None:
            pass
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
    finally:
        # --kill-child takes process 1 with it, and process 1 everything else.
        process.kill()


def main() -> None:
    """Be the part that the first argument names, with this channel and this plan."""
    part, number, plan_file = sys.argv[1:]
    channel = socket.socket(fileno=int(number))
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    if part == "inside":
        inside(channel, plan)
    else:
        keep(channel, plan, plan_file)


if __name__ == "__main__":
    main()
