"""A private Cobbler: cobblerd and its web server in namespaces of their own.

cobblerd comes from the running interpreter's virtual environment (requirements/cobbler.txt), or
from another one that has another version of Cobbler (tools/environments.py).
It sees folders of its own at Cobbler's fixed paths and a network with nothing but 127.0.0.1, so
several run at once, none touches the host, and nothing stays when the caller ends, however it ends.

    with PrivateCobbler(settings={"cache_enabled": False}) as cobbler:
        cobbler.run(["cobbler", "version"])
        cobbler.rpc("get_systems")

    python private_cobbler.py -- cobbler version

Needs Linux, util-linux (unshare, nsenter), GNU env, and root or unprivileged user namespaces.
"""

import argparse
import array
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import xmlrpc.client
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Type, Union

import yaml

from waiting import HANGS

XMLRPC_PORT = 25151
HTTP_PORT = 80
# Where cobblerd and koan read and write, whatever they are told.
FIXED_PATHS = (
    "/etc/cobbler",
    "/var/lib/cobbler",
    "/var/log/cobbler",
    "/var/www/cobbler",
    # the web folder of Cobbler 3.2, whose wheel was built on SUSE
    "/srv/www/cobbler",
    "/var/cache/cobbler",
    "/srv/tftpboot",
    # what Cobbler 4.0 calls it on Debian
    "/srv/tftp",
    "/var/log/koan",
)
# What cobblerd expects to exist and the wheel doesn't bring.
_COLLECTIONS = "distros profiles systems repos images mgmtclasses packages files menus"
_WEB_FOLDERS = (
    "distro_mirror images links rendered repo_mirror misc pub repo_profile repo_system localmirror"
)
_FOLDERS = (
    *(f"/var/lib/cobbler/collections/{name}" for name in _COLLECTIONS.split()),
    "/var/lib/cobbler/loaders",
    "/var/lib/cobbler/triggers",
    "/var/log/cobbler/tasks",
    *(f"/srv/tftpboot/{name}" for name in ("pxelinux.cfg", "grub", "images", "boot", "etc")),
    # Cobbler 3.2 makes them when it is told to sync
    *(f"/srv/tftpboot/grub/{name}" for name in ("system", "system_link")),
    *(f"/var/www/cobbler/{name}" for name in _WEB_FOLDERS.split()),
    *(f"/srv/www/cobbler/{name}" for name in _WEB_FOLDERS.split()),
)
# Cobbler 4.0 tells systemd that it is up, through a library that needs a compiler.
_SYSTEMD = """\
\"\"\"Stands in for systemd-python: nobody is told.\"\"\"


def notify(status):
    return False
"""
# it reads its settings a dozen times as it starts: half of that time otherwise
_QUICK_YAML = """\
import yaml

yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""


class PrivateCobblerError(Exception):
    """The private Cobbler can't be started or does not answer; the text says why."""


class CommandError(subprocess.CalledProcessError):
    """A command inside ended with another exit status than 0; the text has its last output."""

    def __str__(self) -> str:
        return f"{super().__str__()} {_last_lines(f'{self.stdout or str()}{self.stderr or str()}')}"


class PrivateCobbler:
    """One cobblerd with its own files and its own network.

    Args:
        settings: values for /etc/cobbler/settings.yaml in place of the shipped ones.
        directory: keep everything in this folder and leave it there afterwards; one that an
            earlier private Cobbler filled is used as it stands. Without it, a temporary folder.
        env: environment variables for cobblerd and for every command, e.g. PYTHONPATH.
        python: the interpreter of the virtual environment that has Cobbler; without it, the
            running one.

    Attributes:
        directory: the folder everything is kept in, None while nothing is.
    """

    def __init__(
        self,
        settings: Optional[Mapping[str, Any]] = None,
        directory: Optional[Union[str, Path]] = None,
        env: Optional[Mapping[str, str]] = None,
        python: Optional[Union[str, Path]] = None,
    ) -> None:
        self._python = os.path.abspath(python or sys.executable)
        self.directory = None if directory is None else Path(directory).absolute()
        self._kept = directory is not None
        self._settings = dict(settings or {})
        self._env = dict(env or {})
        self._package = _cobbler_package(self._python)
        self._private = [*FIXED_PATHS, str(self._package)]
        self._channel: Optional[socket.socket] = None
        self._channel_lock = threading.Lock()
        self._keeper: Optional["subprocess.Popen[bytes]"] = None
        self._inside = ""
        self._token: Optional[str] = None

    def __enter__(self) -> "PrivateCobbler":
        self.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.stop()

    def start(self, timeout: float = HANGS) -> None:
        """Start everything and return when cobblerd answers.

        Args:
            timeout: seconds to wait while cobblerd and its web server live.

        Raises:
            PrivateCobblerError: it does not come up, or this machine lacks what it needs.
        """
        if self._channel is not None:
            raise PrivateCobblerError("this private Cobbler is running already")
        for command in ("unshare", "nsenter"):
            if shutil.which(command) is None:
                raise PrivateCobblerError(f"the command {command} of util-linux is not installed")
        if not self._kept:
            self.directory = Path(tempfile.mkdtemp(prefix="cobbler-"))
        try:
            self._fill()
            self._spawn(timeout)
            self._wait_ready(timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process inside and remove the temporary folder; harmless when it's done."""
        if self._channel is not None:
            # The end of the channel is what the other processes wait for.
            self._channel.close()
            self._channel = None
        if self._keeper is not None:
            self._keeper.wait()
            self._keeper = None
        self._token = None
        if not self._kept and self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None

    def restart(self, timeout: float = HANGS) -> None:
        """End cobblerd and start it again on what it left on disk; the rest keeps running.

        Raises:
            PrivateCobblerError: it does not come up again.
        """
        self._token = None
        self._ask("restart")
        self._wait_ready(timeout)

    def run(
        self,
        argv: Sequence[str],
        check: bool = True,
        env: Optional[Mapping[str, str]] = None,
        input: Optional[str] = None,
        capture: bool = True,
        cwd: Optional[Union[str, Path]] = None,
        timeout: Optional[float] = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command inside; the virtual environment's commands come first on PATH.

        Args:
            argv: the command and its arguments.
            check: raise when its exit status is not 0.
            env: environment variables to add.
            input: text for its standard input; without it there is none.
            capture: return its output; otherwise it goes where this process's own goes.
            cwd: the folder to run it in; without it, this process's own.
            timeout: seconds it may take.

        Raises:
            CommandError: the exit status is not 0 and `check` is set.
            subprocess.TimeoutExpired: it took too long.
            PrivateCobblerError: nothing runs that a command could enter.
        """
        done = subprocess.run(
            [*self._enter(), "env", f"--chdir={cwd or os.getcwd()}", *argv],
            env={**self._environment(), **(env or {})},
            input=input,
            stdin=subprocess.DEVNULL if input is None and capture else None,
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.PIPE if capture else None,
            text=True,
            timeout=timeout,
        )
        if check and done.returncode != 0:
            raise CommandError(done.returncode, list(argv), done.stdout, done.stderr)
        return done

    def command_inside(self, *of: str) -> List[str]:
        """The words before a command that make it run inside, or ``of`` it only ``--net``, say.

        Raises:
            PrivateCobblerError: nothing runs that a command could enter.
        """
        return self._enter(*of)

    def connect(self, port: int) -> socket.socket:
        """Return a socket that is connected to 127.0.0.1:`port` inside.

        Raises:
            PrivateCobblerError: nothing answers there.
        """
        with self._channel_lock:
            channel = self._open_channel()
            try:
                channel.send(f"connect {port}".encode())
                size = array.array("i").itemsize
                answer, rights, _, _ = channel.recvmsg(1024, socket.CMSG_SPACE(size))
            except OSError as error:
                raise PrivateCobblerError(f"the private Cobbler does not answer: {error}") from None
        if not rights:
            raise PrivateCobblerError(answer.decode() or "the private Cobbler has ended")
        connection = socket.socket(fileno=array.array("i", rights[0][2][:size])[0])
        connection.settimeout(HANGS)
        return connection

    def rpc(self, method: str, *arguments: Any) -> Any:
        """Call an XML-RPC method of cobblerd from outside.

        Args:
            method: its name; `token` is what methods that change something want last.
            arguments: whatever XML-RPC can carry.

        Raises:
            xmlrpc.client.Fault: Cobbler refused; faultString says why.
            PrivateCobblerError: cobblerd does not answer.
        """
        server = xmlrpc.client.ServerProxy(
            "http://127.0.0.1/", transport=_Transport(self), allow_none=True
        )
        return getattr(server, method)(*arguments)

    @property
    def token(self) -> str:
        """A token with every right, from the shared secret; a new one after a restart."""
        if self._token is None:
            secret = self.path("/var/lib/cobbler/web.ss").read_text(encoding="utf-8")
            try:
                self._token = str(self.rpc("login", "", secret))
            except xmlrpc.client.Fault:
                # Cobbler 3.3.0 to 3.3.6 can't read its own secret, and takes this (CVE-2024-47533).
                self._token = str(self.rpc("login", "", -1))
        return self._token

    def log(self) -> str:
        """Return what /var/log/cobbler/cobbler.log says."""
        return self.path("/var/log/cobbler/cobbler.log").read_text(encoding="utf-8")

    def path(self, inside: Union[str, Path]) -> Path:
        """Return where the host has the file that stands at this absolute path inside.

        A symbolic link in a private folder still names a path inside: pass its target here again.
        """
        wanted = os.path.normpath(str(inside))
        for folder in self._private:
            if wanted == folder or wanted.startswith(folder + "/"):
                return self._folder() / "root" / wanted.lstrip("/")
        return Path(wanted)

    @property
    def package(self) -> Path:
        """The folder of the Python package `cobbler`, as it is called inside."""
        return self._package

    def _folder(self) -> Path:
        if self.directory is None:
            raise PrivateCobblerError("this private Cobbler is not running")
        return self.directory

    def _fill(self) -> None:
        folder = self._folder()
        root = folder / "root"
        for name in ("stage", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        data = self._package.parent
        for path in self._private:
            place = root / path.lstrip("/")
            if place.exists():
                continue
            shipped = self._package if path == str(self._package) else data / path.lstrip("/")
            if shipped.is_dir():
                shutil.copytree(shipped, place, symlinks=True)
            else:
                place.mkdir(parents=True)
        for path in _FOLDERS:
            (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        if not (root / "etc/cobbler/settings.yaml").exists():
            self._set_up(root)
        if self._settings:
            settings = root / "etc/cobbler/settings.yaml"
            text = change_settings(settings.read_text(encoding="utf-8"), self._settings)
            settings.write_text(text, encoding="utf-8")
        (folder / "start").mkdir(exist_ok=True)
        (folder / "start/sitecustomize.py").write_text(_QUICK_YAML, encoding="utf-8")

    def _set_up(self, root: Path) -> None:
        """Cobbler 4.0 has no data beside its package, and a command that writes them."""
        stand_in = self._folder() / "python/systemd"
        stand_in.mkdir(parents=True)
        (stand_in / "__init__.py").touch()
        (stand_in / "daemon.py").write_text(_SYSTEMD, encoding="utf-8")
        command = [self._python, str(self._bin() / "cobblerd"), "setup", f"--base-dir={root}"]
        done = subprocess.run(
            [*command, "--mode=core"],
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0:
            raise PrivateCobblerError("cobblerd setup failed: " + _last_lines(done.stdout))

    def _bin(self) -> Path:
        # not resolved: a virtual environment's interpreter is a link to another's
        return Path(self._python).parent

    def _environment(self) -> Dict[str, str]:
        # A proxy of the machine's is no use to anybody who has only 127.0.0.1.
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.lower().endswith("_proxy") and name != "PYTHONHOME"
        }
        env["PATH"] = os.pathsep.join(
            [str(self._bin()), "/usr/sbin:/usr/bin:/sbin:/bin", env.get("PATH", "")]
        )
        env["PYTHONPATH"] = str(self._folder() / "python")
        env["TMPDIR"] = str(self._folder() / "tmp")
        env["PYTHONUNBUFFERED"] = "1"
        env.update(self._env)
        return env

    def _spawn(self, timeout: float) -> None:
        folder = self._folder()
        tools = Path(__file__).resolve().parent
        unshare = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"]
        if os.geteuid() != 0:
            unshare.append("--map-root-user")
        plan = {
            "folder": str(folder),
            "remove": not self._kept,
            "private": self._private,
            "unshare": unshare,
            "commands": {
                "cobblerd": [
                    *("env", f"PYTHONPATH={folder}/start:{self._environment()['PYTHONPATH']}"),
                    *(self._python, str(self._bin() / "cobblerd"), "-F"),
                ],
                # nobody else is on its network
                "web_front": [self._python, str(tools / "web_front.py"), "--address", "0.0.0.0"],
            },
        }
        plan_file = folder / "plan.json"
        plan_file.write_text(json.dumps(plan), encoding="utf-8")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(timeout)
        self._channel = ours
        helper = [sys.executable, "-I", "-S", str(tools / "cobbler_namespace.py")]
        with theirs, open(folder / "namespace.out", "wb") as output:
            self._keeper = subprocess.Popen(
                [*helper, "keep", str(theirs.fileno()), str(plan_file)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                env=self._environment(),
                cwd="/",
                # Out of the terminal's reach: Ctrl-C must not end it before it has cleaned up.
                start_new_session=True,
            )
        try:
            self._inside = ours.recv(1024).decode().partition(" ")[2]
        except OSError:
            self._inside = ""
        if not self._inside:
            raise PrivateCobblerError(
                "the namespaces could not be made: " + _tail(folder / "namespace.out")
            )

    def _open_channel(self) -> socket.socket:
        if self._channel is None:
            raise PrivateCobblerError("this private Cobbler is not running")
        return self._channel

    def _ask(self, request: str) -> str:
        with self._channel_lock:
            channel = self._open_channel()
            try:
                channel.send(request.encode())
                return channel.recv(1024).decode() or "the private Cobbler has ended"
            except OSError as error:
                return f"the private Cobbler does not answer: {error}"

    def _wait_ready(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        for name, port in (("cobblerd", XMLRPC_PORT), ("web_front", HTTP_PORT)):
            while not self._answers(port):
                state = self._ask(f"state {name}")
                if time.monotonic() > deadline:
                    state = f"nothing answers on port {port} after {timeout:g} s"
                if state != "ok":
                    output = _tail(self._folder() / f"{name}.out")
                    raise PrivateCobblerError(f"{name} did not start: {state}: {output}")
                time.sleep(0.02)

    def _answers(self, port: int) -> bool:
        try:
            if port == XMLRPC_PORT:
                self.rpc("ping")
            else:
                self.connect(port).close()
        except (PrivateCobblerError, OSError, http.client.HTTPException):
            return False
        return True

    def _enter(self, *of: str) -> List[str]:
        self._open_channel()
        command = ["nsenter", "--target", self._inside, *(of or ("--mount", "--pid", "--net"))]
        if os.geteuid() != 0:
            command += ["--user", "--preserve-credentials"]
        return [*command, "--"]


class _Connection(http.client.HTTPConnection):
    def __init__(self, cobbler: PrivateCobbler) -> None:
        super().__init__("127.0.0.1", XMLRPC_PORT)
        self._cobbler = cobbler

    def connect(self) -> None:
        self.sock = self._cobbler.connect(XMLRPC_PORT)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, cobbler: PrivateCobbler) -> None:
        super().__init__()
        self._cobbler = cobbler

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        # kept where close() finds it, when cobblerd dies while it answers
        self._connection = host, _Connection(self._cobbler)
        return self._connection[1]


def change_settings(text: str, settings: Mapping[str, Any]) -> str:
    """Return the text of a settings.yaml with some values changed and its comments kept.

    Args:
        text: the file's text.
        settings: top-level keys and their new values.
    """
    wanted = {**yaml.safe_load(text), **settings}
    for key, value in settings.items():
        block = yaml.safe_dump({key: value}, default_flow_style=False)
        pattern = re.compile(rf"^{re.escape(key)}:.*\n(?:[ \t-].*\n)*", re.MULTILINE)
        if pattern.search(text):
            text = pattern.sub(lambda _, block=block: block, text, count=1)  # type: ignore[misc]
        else:
            text += "\n" + block
    # A layout the pattern doesn't foresee costs the comments, never a value.
    return text if yaml.safe_load(text) == wanted else yaml.safe_dump(wanted)


def _cobbler_package(python: str) -> Path:
    script = "import importlib.util as u; print(u.find_spec('cobbler').origin)"
    command = [python, "-I", "-c", script]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if done.returncode != 0:
        raise PrivateCobblerError(
            f"Cobbler is not installed for {python}; "
            "pip install --no-deps -r requirements/cobbler.txt does that"
        )
    return Path(done.stdout.strip()).parent


def _tail(file: Path) -> str:
    try:
        return _last_lines(file.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return "no output"


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-15:]) or "no output"


def main() -> int:
    """Start a private Cobbler, run a command or a shell inside, return its exit status."""
    parser = argparse.ArgumentParser(description="Run a command beside a private Cobbler.")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a value for settings.yaml, written as YAML",
    )
    parser.add_argument("--directory", help="keep everything in this folder")
    parser.add_argument("command", nargs="*", help="what to run (default: a shell)")
    options = parser.parse_args()
    settings = {}
    for item in options.set:
        key, _, value = item.partition("=")
        settings[key] = yaml.safe_load(value)
    command = options.command or [os.environ.get("SHELL", "/bin/sh")]
    try:
        with PrivateCobbler(settings, options.directory) as cobbler:
            # Ctrl-C is for the command; it decides what that means.
            signal.signal(signal.SIGINT, lambda *_: None)
            status = cobbler.run(command, check=False, capture=False).returncode
    except PrivateCobblerError as error:
        print(f"private_cobbler: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
