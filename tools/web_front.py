"""The web server in front of cobblerd, as Cobbler's own Apache configuration sets it up.

It needs nothing but the standard library and the Python that Cobbler is installed for:

    python web_front.py [--port 80]

`/cobbler_api` goes to cobblerd's XML-RPC port, `/cblr/svc/…` to Cobbler's WSGI application, and the
rest are files below /var/www/cobbler (/srv/www/cobbler on SUSE) and /srv/tftpboot/grub.
"""

import argparse
import http.client
import importlib
import importlib.util
import mimetypes
import os
import posixpath
import socketserver
import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Optional, Tuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.util import FileWrapper

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

XMLRPC_PORT = 25151
# Where Cobbler up to 3.3 has its WSGI application; 4.0 has it in its package.
SERVICES = [f"{folder}/cobbler/svc/services.py" for folder in ("/srv/www", "/var/www")]
WEB_FOLDER = os.path.dirname(os.path.dirname(next(filter(os.path.isfile, SERVICES), SERVICES[1])))
# The aliases of sites-available/cobbler.conf; the first that fits is taken.
FOLDERS: List[Tuple[str, str]] = [
    ("/cblr", WEB_FOLDER),
    ("/cobbler_track", WEB_FOLDER),
    ("/cobbler", WEB_FOLDER),
    ("/httpboot", "/srv/tftpboot/grub"),
    ("/images", "/srv/tftpboot/grub/images"),
]

_services: Optional["WSGIApplication"] = None
_services_lock = threading.Lock()


def services() -> "WSGIApplication":
    """Return Cobbler's own WSGI application, loaded at the first call.

    Raises:
        OSError: services.py can't be read.
    """
    global _services
    with _services_lock:
        if _services is None:
            application: Callable[..., Any] = _services_module().application
            _services = application
        return _services


def _services_module() -> Any:
    path = f"{WEB_FOLDER}/svc/services.py"
    if not os.path.isfile(path):
        return importlib.import_module("cobbler.services")
    spec = importlib.util.spec_from_file_location("cobbler_web_services", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def file_of(path: str) -> Optional[str]:
    """Return the file that a URL's path stands for, or None when no folder is served there."""
    path = posixpath.normpath(path)
    for prefix, folder in FOLDERS:
        if path == prefix or path.startswith(prefix + "/"):
            return folder + path[len(prefix) :]
    return None


def front(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer one request: the WSGI application that this server runs."""
    path = str(environ["PATH_INFO"]).encode("latin-1").decode("utf-8", "surrogateescape")
    if path == "/cobbler_api" or path.startswith("/cobbler_api/"):
        return _proxy(environ, start_response)
    if path.startswith("/cblr/svc/"):
        return services()(environ, start_response)
    name = file_of(path)
    if name is None or not os.path.isfile(name):
        return _plain(start_response, "404 Not Found", f"{path} was not found\n")
    try:
        content = open(name, "rb")  # noqa: SIM115 - the server closes what it has sent
    except OSError as error:
        return _plain(start_response, "403 Forbidden", f"{path}: {error.strerror}\n")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    size = str(os.fstat(content.fileno()).st_size)
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", size)])
    if environ["REQUEST_METHOD"] == "HEAD":
        content.close()
        return []
    return FileWrapper(content)


def _plain(start_response: "StartResponse", status: str, text: str) -> List[bytes]:
    body = text.encode("utf-8", "replace")
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]


def _proxy(environ: "WSGIEnvironment", start_response: "StartResponse") -> List[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    connection = http.client.HTTPConnection("127.0.0.1", XMLRPC_PORT)
    try:
        connection.request(
            environ["REQUEST_METHOD"], "/", body, {"Content-Type": environ["CONTENT_TYPE"]}
        )
        response = connection.getresponse()
        answer = response.read()
    except OSError as error:
        return _plain(start_response, "503 Service Unavailable", f"cobblerd: {error}\n")
    finally:
        connection.close()
    kind = response.getheader("Content-Type", "text/xml")
    start_response(
        f"{response.status} {response.reason}",
        [("Content-Type", kind), ("Content-Length", str(len(answer)))],
    )
    return [answer]


class _Handler(WSGIRequestHandler):
    def get_environ(self) -> Dict[str, Any]:
        environ: Dict[str, Any] = super().get_environ()
        # Apache hands on the request line's own words; Cobbler reads them from here.
        environ["REQUEST_URI"] = self.path
        # Cobbler 4.0 is told by gunicorn, which gets the path without this prefix.
        environ["RAW_URI"] = self.path[len("/cblr/svc") :]
        return environ

    def address_string(self) -> str:
        # The address and not its name: there is nobody to ask for the name.
        return str(self.client_address[0])


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        # As HTTPServer does it, without asking the resolver for this machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name = "127.0.0.1"
        self.server_port = self.server_address[1]
        self.setup_environ()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description="The web server in front of cobblerd.")
    parser.add_argument("--port", type=int, default=80, help="port (default 80)")
    parser.add_argument("--address", default="127.0.0.1", help="listen there (default 127.0.0.1)")
    options = parser.parse_args()
    with _Server((options.address, options.port), _Handler) as server:
        server.set_app(front)
        server.serve_forever()


if __name__ == "__main__":
    main()
