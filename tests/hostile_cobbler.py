"""A Cobbler that says what a test wants, over a socket: well, wrong, or in no way at all."""

import contextlib
import copy
import gzip
import socketserver
import threading
import xmlrpc.client
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple
from xml.parsers.expat import ExpatError

# writes raw bytes on the connection, given what a well one would answer
Wire = Callable[[Callable[[bytes], Any], bytes], None]
# changes the answers of a well one, by their methods
Shape = Callable[["Answers"], None]


def interface(name: str, bridge: str, address: str = "") -> Dict[str, Any]:
    return {
        "name": name,
        "mac_address": "52:54:00:00:00:01",
        "ip_address": address,
        "ipv6_address": "",
        "interface_type": "na",
        "interface_master": "",
        "static": False,
        "virt_bridge": bridge,
    }


class Answers:
    """What a Cobbler knows and answers: a host kvm1, and a guest web1 that is not on its bridge.

    ``methods`` are answers that stand in place of what it would say.
    """

    def __init__(self, version: Tuple[int, ...] = (3, 3, 10)) -> None:
        self.version: Any = {"version": "3.3.10", "version_tuple": list(version)}
        self.distros: Any = [{"name": "rhel7", "uid": "d1", "autoinstall_meta": "<<inherit>>"}]
        self.profiles: Any = [self._profile("hosts", "p1"), self._profile("guests", "p2")]
        record = {"bridge": "br0", "bridge_record": "br0/installed/2026-01-31T12:00:00Z"}
        self.systems: Any = [
            self._system("kvm1", "hosts", record, interface("eth0", "br0")),
            self._system("web1", "guests", {"bridge_host": "kvm1"}, interface("eth0", "")),
        ]
        self.settings: Any = {"default_virt_bridge": "xenbr0"}
        self.methods: Dict[str, Any] = {}
        self.is_4 = version[0] == 4
        self.images: Any = []
        self.templates: Any = []
        self.interfaces: Any = []
        if self.is_4:
            self._as_4()

    @staticmethod
    def _profile(name: str, uid: str) -> Dict[str, Any]:
        fields = {"parent": "", "distro": "rhel7", "autoinstall": "/sample.ks", "ctime": 1.5}
        return dict(fields, name=name, uid=uid, autoinstall_meta={}, virt_bridge="xenbr0")

    @staticmethod
    def _system(name: str, profile: str, meta: Any, *interfaces: Any) -> Dict[str, Any]:
        return {
            "name": name,
            "uid": "s-" + name,
            "profile": profile,
            "autoinstall": "<<inherit>>",
            "autoinstall_meta": meta,
            "ctime": 2.5,
            "interfaces": {each["name"]: each for each in interfaces},
        }

    def _as_4(self) -> None:
        uids = {"rhel7": "d1", "hosts": "p1", "guests": "p2"}
        for profile in self.profiles:
            profile.update(distro="d1", autoinstall="t1")
        self.templates = [{"name": "sample", "uid": "t1", "uri": {"path": "sample.ks"}}]
        for system in self.systems:
            system["profile"] = uids[system["profile"]]
            for each in system.pop("interfaces").values():
                uid = "n-%s-%s" % (system["name"], each["name"])
                self.interfaces.append(dict(each, uid=uid, system_uid=system["uid"]))

    def __call__(self, method: str, params: Tuple[Any, ...]) -> Any:
        if method in self.methods:
            answer = self.methods[method]
            return answer(*params) if callable(answer) else answer
        return getattr(self, "_" + method)(*params)

    def _extended_version(self) -> Any:
        return self.version

    def _get_settings(self) -> Any:
        return self.settings

    def _get_items(self, kind: str) -> Any:
        name = "interfaces" if kind == "network_interface" else kind + "s"
        return getattr(self, name)

    def _get_item_names(self, kind: str) -> Any:
        items = self._get_items(kind)
        known = items if isinstance(items, list) else []
        return [each.get("name") for each in known if isinstance(each, dict)]

    def _find(self, kind: str, name: str) -> Optional[Any]:
        items = self._get_items(kind)
        for each in items if isinstance(items, list) else ():
            if isinstance(each, dict) and name in (each.get("name"), str(each.get("uid"))):
                return each
        return None

    def _has_item(self, kind: str, name: str) -> bool:
        return self._find(kind, name) is not None

    def _get_item(self, kind: str, name: str, _: bool = False, resolved: bool = False) -> Any:
        found: Any = self._find(kind, name) or "~"
        return dict(found, autoinstall=self.templates[0]) if resolved else found

    def _get_item_handle(self, kind: str, name: str) -> Any:
        found = self._find(kind, name)
        return str(found.get("uid", "")) if found else ""

    def _get_blended_data(self, profile: str, system: str) -> Any:
        name = system or profile
        item = self._find("system" if system else "profile", name)
        assert item is not None
        data = dict(item, breed="redhat", os_version="rhel7", http_server="192.0.2.1")
        data.update(autoinstall_meta="bridge=br0", system_name=item["name"])
        if self.is_4 and system:
            own = [each for each in self.interfaces if each.get("system_uid") == item["uid"]]
            data["interfaces"] = {each["name"]: each for each in own}
        return data

    def _generate_script(self, _profile: str, _system: str, name: str) -> Any:
        return '# script template "%s" not found' % name

    def _generate_profile_autoinstall(self, _name: str) -> Any:
        return "%post\n"

    def _generate_system_autoinstall(self, _name: str) -> Any:
        return "%post\n"

    def _generate_autoinstall(self, *_words: str) -> Any:
        return "%post\n"

    def _login(self, _name: str, _password: str) -> Any:
        return "token"

    def _written(self, *_: Any) -> bool:
        return True

    def _save_item(self, _kind: str, handle: str, *_: Any) -> bool:
        """As our triggers do: a guest that is saved is on the bridge of kvm1."""
        nics: Any = self.interfaces
        if not self.is_4:
            nics = list(((self._find("system", handle) or {}).get("interfaces") or {}).values())
        for each in nics:
            mine = isinstance(each, dict) and each.get("system_uid", handle) == handle
            if mine and each.get("virt_bridge") == "":
                each["virt_bridge"] = "br0"
        return True

    _xapi_object_edit = _modify_item = _written
    _modify_network_interface = _save_network_interface = _written


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        length = 0
        head = b""
        for line in self.rfile:
            head += line
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            if line in (b"\r\n", b"\n"):
                break
        body = self.rfile.read(length)
        server: Any = self.server
        # who asked may have gone
        with contextlib.suppress(OSError):
            server.owner.answer(head + body, body, self.wfile.write)


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def ok(body: bytes, *fields: str) -> bytes:
    """An HTTP answer that ends with its connection."""
    return ("\r\n".join(["HTTP/1.0 200 OK", *fields, "", ""])).encode() + body


class Cobbler:
    """The server; ``answers`` and ``wire`` may be changed while it runs."""

    def __init__(self) -> None:
        self.answers = Answers()
        self.wire: Optional[Wire] = None
        self.heard: List[bytes] = []
        self.calls: List[Tuple[str, Tuple[Any, ...]]] = []
        self._server = _TcpServer(("127.0.0.1", 0), _Handler)
        self._server.owner = self  # type: ignore[attr-defined]
        self.port = self._server.server_address[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset(self, version: Tuple[int, ...] = (3, 3, 10)) -> None:
        """Well again, and nothing was heard."""
        self.answers, self.wire = Answers(version), None
        self.heard, self.calls = [], []

    def answer(self, request: bytes, body: bytes, write: Callable[[bytes], Any]) -> None:
        if not body:
            # who asked speaks another language
            return
        self.heard.append(request)
        try:
            params, method = xmlrpc.client.loads(body)
            self.calls.append((str(method), params))
            value = self.answers(str(method), params)
        except ExpatError as error:
            fault = xmlrpc.client.Fault(1, str(error))
            text = xmlrpc.client.dumps(fault, methodresponse=True)
        except xmlrpc.client.Fault as fault:
            text = xmlrpc.client.dumps(fault, methodresponse=True)
        else:
            value = copy.deepcopy(value) if not isinstance(value, bytes) else value
            if isinstance(value, bytes):
                # the XML of a value
                text = RESPONSE % value.decode()
            else:
                text = xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True)
        if self.wire is None:
            write(ok(text.encode()))
        else:
            self.wire(write, text.encode())


RESPONSE = "<methodResponse><params><param><value>%s</value></param></params></methodResponse>"


def packed(body: bytes) -> bytes:
    return ok(gzip.compress(body), "Content-Encoding: gzip")


def endless(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece
