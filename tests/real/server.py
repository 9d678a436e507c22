"""A private Cobbler in the words of the tests: objects, requests, and what stands on its disk."""

import http.client
import json
import os
import re
import subprocess
import sysconfig
import xmlrpc.client
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple
from urllib.parse import quote

from private_cobbler import FIXED_PATHS, HTTP_PORT, PrivateCobbler, PrivateCobblerError

REPOSITORY = Path(__file__).resolve().parents[2]
COLLECTIONS = "/var/lib/cobbler/collections"
TEMPLATES = "/var/lib/cobbler/templates"
LEDGER = "/var/lib/cobbler/bridge_records"
TREE = "/var/www/cobbler/distro_mirror/tree"
RELEASES = ("rhel5", "rhel6", "rhel7", "rhel8", "rhel9")
BEGIN = "# ---- cobbler-bridge "
END = ": end of bridge_setup ----\n"
# in its packages section
PACKAGES = "%packages\n$SNIPPET('bridge_packages')\n"
# a kickstart that every release's handler accepts, with nothing but our part in its script
MINIMAL = """\
url --url=$tree
lang en_US.UTF-8
keyboard us
timezone UTC
rootpw --iscrypted x
bootloader --location=mbr
clearpart --all
autopart
reboot
%packages
%end
%post
$SNIPPET('bridge_setup')
%end
"""
# of which check has nothing to say
WHOLE = MINIMAL.replace("%packages\n", PACKAGES).replace(
    "_setup')\n", "_setup')\n$SNIPPET('autoinstall_done')\n"
)


class Answer(NamedTuple):
    """What the web front answered."""

    status: int
    text: str


class Server:
    """A running private Cobbler."""

    def __init__(self, cobbler: PrivateCobbler) -> None:
        self.cobbler = cobbler
        self._mark = 0
        self._macs = 0
        self._loaded: Set[Tuple[str, int]] = set()

    def answers(self) -> bool:
        """Whether it still does."""
        try:
            return bool(self.cobbler.rpc("ping")) and self.get("/cblr/").status > 0
        except (OSError, PrivateCobblerError, http.client.HTTPException, xmlrpc.client.Error):
            return False

    def install(self) -> None:
        """Install the pack with its own command, and start cobblerd again."""
        self.cobbler.run(["cobbler-bridge", "install"])
        self.cobbler.restart()

    def load_again(self) -> None:
        """Start cobblerd again, where it has written an object since the last time."""
        folder = self.cobbler.path(COLLECTIONS)
        if self._loaded != self._files(folder):
            self.cobbler.restart()
            self._loaded = self._files(folder)

    @staticmethod
    def _files(folder: Path) -> Set[Tuple[str, int]]:
        return {(str(path), path.stat().st_mtime_ns) for path in folder.rglob("*")}

    def add_releases(self) -> None:
        """A distro for each release, and a profile of the same name with a minimal kickstart."""
        tree = self.cobbler.path(TREE)
        tree.mkdir(parents=True)
        for name in ("vmlinuz", "initrd.img"):
            (tree / name).write_text(name)
        self.template("minimal", MINIMAL)
        known = self.cobbler.rpc("get_valid_os_versions_for_breed", "redhat")
        # the first 3.3 has no rhel9 among its signatures
        for release in [release for release in RELEASES if release in known]:
            self.add(
                "distro",
                release,
                breed="redhat",
                os_version=release,
                arch="x86_64",
                kernel=TREE + "/vmlinuz",
                initrd=TREE + "/initrd.img",
                autoinstall_meta={"tree": "http://127.0.0.1/cblr/links/tree"},
            )
            self.profile(release, release)

    def template(self, name: str, text: str) -> None:
        """Write a template; a profile names it NAME.ks."""
        self.cobbler.path("%s/%s.ks" % (TEMPLATES, name)).write_text(text)

    def add(self, kind: str, name: str, **fields: Any) -> None:
        """Add an object as the cobbler command does, over XML-RPC."""
        handle = self.cobbler.rpc("new_" + kind, self.cobbler.token)
        self._save(kind, handle, dict(name=name, **fields))

    def edit(self, kind: str, name: str, **fields: Any) -> None:
        """Edit an object and save it; without fields, only save it."""
        handle = self.cobbler.rpc("get_%s_handle" % kind, name, self.cobbler.token)
        self._save(kind, handle, fields)

    def _save(self, kind: str, handle: str, fields: Mapping[str, Any]) -> None:
        token = self.cobbler.token
        for field, value in fields.items():
            assert self.cobbler.rpc("modify_" + kind, handle, field, value, token) is True
        assert self.cobbler.rpc("save_" + kind, handle, token) is True

    def profile(
        self,
        name: str,
        distro: str = "rhel7",
        meta: Optional[Mapping[str, Any]] = None,
        template: str = "minimal",
    ) -> None:
        """Add a profile."""
        fields: Dict[str, Any] = {} if meta is None else {"autoinstall_meta": dict(meta)}
        self.add("profile", name, distro=distro, autoinstall="/%s.ks" % template, **fields)

    def system(
        self,
        name: str,
        profile: str = "rhel7",
        meta: Optional[Mapping[str, Any]] = None,
        nics: Sequence[str] = ("eth0",),
        more: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """Add a system; ``more`` are further fields of its interfaces, as ``mtu-eth0``."""
        fields: Dict[str, Any] = {} if meta is None else {"autoinstall_meta": dict(meta)}
        interfaces = {"macaddress-" + nic: self.mac() for nic in nics}
        self.add(
            "system",
            name,
            profile=profile,
            modify_interface={**interfaces, **(more or {})},
            **fields,
        )

    def mac(self) -> str:
        """A MAC address that nobody has."""
        self._macs += 1
        return "52:54:00:00:%02x:%02x" % divmod(self._macs, 256)

    def remove(self, kind: str, name: str) -> None:
        """Remove an object."""
        assert self.cobbler.rpc("remove_" + kind, name, self.cobbler.token) is True

    def remove_all(self) -> None:
        """Remove every system, and the profiles that a test added."""
        for name in self.names("system"):
            self.remove("system", name)
        # which would be those of the next ones of these names
        for path in self.ledger():
            path.unlink()
        for name in set(self.names("profile")) - set(RELEASES):
            self.remove("profile", name)

    def names(self, kind: str) -> List[str]:
        """The names of all objects of a kind."""
        return [item["name"] for item in self.cobbler.rpc("get_items", kind)]

    def get(self, path: str) -> Answer:
        """Fetch from the web front, exactly this path."""
        connection = http.client.HTTPConnection("127.0.0.1")
        connection.sock = self.cobbler.connect(HTTP_PORT)
        try:
            connection.putrequest("GET", path, skip_accept_encoding=True)
            connection.endheaders()
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())
        finally:
            connection.close()

    def kickstart(self, name: str, kind: str = "system") -> str:
        """The kickstart as a machine gets it."""
        answer = self.get("/cblr/svc/op/autoinstall/%s/%s" % (kind, name))
        assert answer.status == 200, answer.text
        # Cobbler's text for a failed rendering comes with status 200
        assert "had errors that prevented it" not in answer.text, answer.text
        return answer.text

    def trigger(self, mode: str, name: str, kind: str = "system") -> Answer:
        """Call as a kickstart does when it begins (``pre``) or is done (``post``)."""
        return self.get("/cblr/svc/op/trig/mode/%s/%s/%s" % (mode, kind, name))

    def installed(self, *names: str) -> None:
        """These hosts install themselves from beginning to end."""
        for name in names:
            for mode in ("pre", "post"):
                assert self.trigger(mode, name) == Answer(200, "True")

    def reinstalled(self, *names: str) -> None:
        """An administrator has these hosts install themselves again."""
        for name in names:
            self.edit("system", name, netboot_enabled=True)
            self.installed(name)

    def command(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run cobbler-bridge inside."""
        return self.cobbler.run(["cobbler-bridge", *arguments], check=check)

    def file_of(self, name: str, kind: str = "system") -> Path:
        """The file in which Cobbler keeps an object."""
        return self.cobbler.path("%s/%ss/%s.json" % (COLLECTIONS, kind, name))

    def stored(self, name: str, kind: str = "system") -> Dict[str, Any]:
        """An object as it stands on disk."""
        data: Dict[str, Any] = json.loads(self.file_of(name, kind).read_text())
        return data

    def bridges(self, name: str) -> Dict[str, str]:
        """The virt_bridge of each interface of a system, on disk."""
        interfaces = self.stored(name)["interfaces"]
        return {nic: fields["virt_bridge"] for nic, fields in interfaces.items()}

    def meta(self, name: str) -> Any:
        """A system's own autoinstall_meta, on disk."""
        return self.stored(name)["autoinstall_meta"]

    def state(self, name: str) -> Optional[str]:
        """A host's record without its time, ``None`` where there is none."""
        record = self.record(name)
        if record is None:
            return None
        return "%s/%s" % (",".join(record["bridges"]) or record["unbridged"], record["state"])

    def record(self, name: str) -> Optional[Dict[str, Any]]:
        """A host's record, ``None`` where there is none."""
        record: Optional[Dict[str, Any]] = self.remembered(name).get("record")
        return record

    def placed(self, name: str) -> Dict[str, str]:
        """What is remembered of a guest's interfaces."""
        placed: Dict[str, str] = self.remembered(name).get("placed", {})
        return placed

    def remembered(self, name: str) -> Dict[str, Any]:
        """All that is remembered of a system, by its uid."""
        uid = self.uid(name)
        entries = [json.loads(path.read_text()) for path in self.ledger()]
        return next((each for each in entries if each["uid"] == uid), {})

    def ledger(self) -> List[Path]:
        """The files of all that is remembered."""
        return sorted(self.cobbler.path(LEDGER).glob("*.json"))

    def remember(self, name: str, **record: Any) -> None:
        """Remember a record of a host, as a signal would."""
        words = {"bridges": ["br0"], "state": "installed", "since": "2026-01-31T12:00:00Z"}
        entry = {"format": 1, "uid": self.uid(name), "name": name, "record": {**words, **record}}
        folder = self.cobbler.path(LEDGER)
        folder.mkdir(mode=0o700, exist_ok=True)
        (
            folder / ("%s=%s.json" % (quote(name, safe=""), quote(self.uid(name), safe="")))
        ).write_text(json.dumps(entry))

    def uid(self, name: str) -> str:
        """The uid of a system."""
        items = self.cobbler.rpc("get_items", "system")
        return str(next(each["uid"] for each in items if each["name"] == name))

    def disk(self) -> Dict[str, bytes]:
        """Every object's file."""
        folder = self.cobbler.path(COLLECTIONS)
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }

    def files(self) -> Dict[str, Tuple[str, bytes, int]]:
        """Every file that Cobbler has, with kind, content and time of change, but for logs."""
        found = {}
        for top in [*FIXED_PATHS, str(self.cobbler.package)]:
            folder = self.cobbler.path(top)
            for path in folder.rglob("*"):
                name = os.path.join(top, str(path.relative_to(folder)))
                if "__pycache__" in name or name.startswith("/var/log") or path.is_dir():
                    continue
                content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
                kind = oct(path.lstat().st_mode)
                found[name] = (kind, content, path.lstat().st_mtime_ns)
        return found

    def folders(self) -> Set[str]:
        """Every folder that Cobbler has; no caches."""
        return {
            os.path.join(top, str(path.relative_to(self.cobbler.path(top))))
            for top in [*FIXED_PATHS, str(self.cobbler.package)]
            for path in self.cobbler.path(top).rglob("*")
            if path.is_dir() and "__pycache__" not in str(path)
        }

    def mark(self) -> None:
        """What ``said`` and ``log`` return begins here."""
        self._mark = len(self.cobbler.log())

    def log(self) -> str:
        """What cobbler.log has had added since the mark."""
        return self.cobbler.log()[self._mark :]

    def said(self) -> List[str]:
        """The lines that cobbler-bridge logged since the mark: level and text."""
        lines = re.findall(r" - ([A-Z]+ \| cobbler-bridge: .*)", self.log())
        return [str(line) for line in lines]


def part(kickstart: str) -> str:
    """The part of a kickstart that the snippet wrote."""
    begin = kickstart.index(BEGIN)
    return kickstart[begin : kickstart.index(END, begin) + len(END)]


def must_be_built() -> None:
    """cobblerd and the commands take the package from the environment: it must be this one."""
    site = Path(sysconfig.get_path("purelib"))
    pairs = {
        path: site / path.relative_to(REPOSITORY)
        if folder == "cobbler_bridge"
        else site / "cobbler_bridge" / path.relative_to(REPOSITORY)
        for folder in ("cobbler_bridge", "providers", "scripts", "snippets", "triggers")
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    old = [
        str(path)
        for path, built in pairs.items()
        if not built.is_file() or path.read_bytes() != built.read_bytes()
    ]
    assert not old, "run 'make .venv/package': it has not these as they are: %s" % old
