"""The wire to cobblerd: XML-RPC that takes only so long and reads only so much.

What answers is untrusted until it has proved to be Cobbler: it may be slow, endless or hostile.
Every call has a connection and a deadline of its own; nothing is sent twice, no redirect is
followed, and no proxy is asked. See http://xmlrpc.com/spec.md for what an answer is.
"""

import http.client
import io
import socket
import ssl
import time
import zlib
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Tuple
from xml.parsers import expat
from xmlrpc.client import Fault, ProtocolError, ServerProxy, Transport

from cobbler_bridge.problem import shown

# Seconds for one call, from the connection to the last byte that was read and understood
TIMEOUT = 300.0
# Of one answer, as it comes and as it is unpacked. A system is 7 to 20 KB: 50,000 are about 400 MB
LARGEST = 1 << 30
# Structs and lists in each other are of three elements each. Cobbler's own are less than ten; in a
# variable it takes some 400, which is as deep as Python's XML-RPC goes
_DEEPEST = 1500
_DIGITS = 40
# so many names of fields are kept once for all items
_FIELDS = 10_000
_PIECE = 1 << 16
# of one text or tag, in bytes
_LONGEST = 1 << 26
_BUFFER = 8192


class AnswerError(Exception):
    """What answered is not Cobbler, or not as any Cobbler answers; the text says what is wrong."""


class _Limits:
    """How long one call may take yet, and how large its answer may be."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._end = time.monotonic() + timeout

    def left(self) -> float:
        """The seconds that are left; raises ``OSError`` where none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.late()
        return left

    def late(self) -> OSError:
        """What is said of an answer that isn't there in time."""
        return OSError("it took longer than %g seconds" % self._timeout)

    @staticmethod
    def check_size(size: int) -> None:
        """Refuse an answer that is larger than it may be."""
        if size > LARGEST:
            raise AnswerError("the answer is larger than %d MiB" % (LARGEST >> 20))


class _Stream(io.RawIOBase):
    """What comes out of a socket, within the limits of its call."""

    def __init__(self, sock: socket.socket, limits: _Limits) -> None:
        super().__init__()
        self._sock = sock
        self._limits = limits
        self._size = 0
        # which keeps the socket open for as long as it is read
        self._raw: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for the next bytes, for as long as there is time."""
        self._sock.settimeout(self._limits.left())
        try:
            count = int(self._raw.readinto(buffer) or 0)
        except socket.timeout as error:
            raise self._limits.late() from error
        self._size += count
        self._limits.check_size(self._size)
        return count

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class _Socket:
    """As much of a socket as http.client uses."""

    def __init__(self, sock: socket.socket, limits: _Limits) -> None:
        self._sock = sock
        self._limits = limits

    def sendall(self, data: bytes) -> None:
        """Send everything, for as long as there is time."""
        for start in range(0, len(data), _PIECE):
            self._sock.settimeout(self._limits.left())
            try:
                self._sock.sendall(data[start : start + _PIECE])
            except socket.timeout as error:
                raise self._limits.late() from error

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What comes back."""
        return io.BufferedReader(_Stream(self._sock, self._limits))

    def close(self) -> None:
        """Close it, as soon as what comes back is closed too."""
        self._sock.close()


class _Connection(http.client.HTTPConnection):
    """A connection for one call."""

    def __init__(self, host: str, limits: _Limits) -> None:
        super().__init__(host)
        self._limits = limits

    def connect(self) -> None:
        """Connect within the time of the call."""
        try:
            self.sock: Any = _Socket(self._dialled(), self._limits)
        except socket.timeout as error:
            raise self._limits.late() from error

    def _dialled(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), self._limits.left())


class _SafeConnection(_Connection):
    """The same over TLS; the server's certificate must be one for its name."""

    default_port = http.client.HTTPS_PORT

    def _dialled(self) -> socket.socket:
        sock = super()._dialled()
        try:
            sock.settimeout(self._limits.left())
            context = ssl.create_default_context()
            return context.wrap_socket(sock, server_hostname=self.host)
        except BaseException:
            sock.close()
            raise


def _number(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError("a number of %d digits" % len(text))
    return int(text)


def _boolean(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("a boolean that is none")
    return text == "1"


# The types of values that Cobbler sends, and how their text is read. It takes any in a variable;
# nothing that this package reads is of the last two
_SCALARS: Dict[str, Callable[[str], Any]] = {
    "nil": lambda _: None,
    "string": str,
    "boolean": _boolean,
    "double": float,
    "int": _number,
    "i4": _number,
    "i8": _number,
    "dateTime.iso8601": str,
    "base64": str,
}
# which elements may stand in which
_INSIDE: Dict[str, FrozenSet[str]] = {
    "": frozenset(["methodResponse"]),
    "methodResponse": frozenset(["params", "fault"]),
    "params": frozenset(["param"]),
    "param": frozenset(["value"]),
    "fault": frozenset(["value"]),
    "value": frozenset(["array", "struct", *_SCALARS]),
    "array": frozenset(["data"]),
    "data": frozenset(["value"]),
    "struct": frozenset(["member"]),
    "member": frozenset(["name", "value"]),
}


class _Answer:
    """Builds the value that an answer has, from the elements of its XML."""

    def __init__(self, limits: _Limits) -> None:
        self._limits = limits
        self._size = 0
        self._path = [""]
        # the values that are done, and where each open list or struct begins
        self._values: List[Any] = []
        self._begins: List[int] = []
        self._text: List[str] = []
        # a value without a type is a text
        self._untyped = False
        self._is_fault = False
        self._names: Dict[str, str] = {}
        # whatever a document says of its own encoding: cobblerd writes this one
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.buffer_size = _BUFFER
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, data: bytes, final: bool = False) -> None:
        """Read on; raises ``AnswerError`` for what is no answer."""
        self._limits.left()
        self._size += len(data)
        self._limits.check_size(self._size)
        try:
            self._parser.Parse(data, final)
        except expat.ExpatError as error:
            words = error, self._whose()
            raise AnswerError("the answer is no XML-RPC: %s%s" % words) from error
        except ValueError as error:
            raise AnswerError("the answer is no XML-RPC: %s" % error) from error
        waiting = self._size - max(self._parser.CurrentByteIndex, 0)
        if not final and max(waiting, len(self._text) * _BUFFER) > _LONGEST:
            raise AnswerError("the answer has a text of more than %d MiB" % (_LONGEST >> 20))

    def _whose(self) -> str:
        """What would be right where an item has a text that XML can't carry, as Cobbler's own files
        may: nobody can read its answer then, and only its name leads there."""
        for begin, end in zip(self._begins, [*self._begins[1:], len(self._values)]):
            # of a struct that isn't done, names and values in turn
            inner = self._values[begin:end]
            named = [value for name, value in zip(inner[::2], inner[1::2]) if name == "name"]
            if named and isinstance(named[0], str):
                right = "correct its file, which has a text that XML can't carry"
                return "; in what it says of %s: %s" % (shown(named[0]), right)
        return ""

    def value(self) -> Any:
        """The value, when all was read; raises ``Fault`` where Cobbler refused."""
        self.feed(b"", final=True)
        if len(self._values) != 1:
            raise AnswerError("the answer is no XML-RPC: it has %d values" % len(self._values))
        value = self._values[0]
        if self._is_fault:
            reason = value.get("faultString") if isinstance(value, dict) else None
            if not isinstance(reason, str):
                raise AnswerError("the answer is a fault without a reason")
            raise Fault(0, reason)
        return value

    def _start(self, tag: str, _: Any) -> None:
        if tag not in _INSIDE.get(self._path[-1], ()):
            raise ValueError("<%s> in <%s>" % (tag[:30], self._path[-1]))
        if len(self._path) > _DEEPEST:
            raise ValueError("more than %d elements in each other" % _DEEPEST)
        self._path.append(tag)
        if tag in ("array", "struct"):
            self._begins.append(len(self._values))
        self._text = []
        self._untyped = tag == "value"

    def _data(self, text: str) -> None:
        self._text.append(text)

    def _end(self, tag: str) -> None:
        self._path.pop()
        read = _SCALARS.get(tag)
        if read is not None:
            self._values.append(read("".join(self._text)))
        elif tag == "value" and self._untyped:
            self._values.append("".join(self._text))
        elif tag == "name":
            self._values.append(self._once("".join(self._text)))
        elif tag in ("array", "struct"):
            begin = self._begins.pop()
            inner = self._values[begin:]
            self._values[begin:] = [inner if tag == "array" else _struct(inner)]
        elif tag == "fault":
            self._is_fault = True
        self._untyped = False

    def _once(self, name: str) -> str:
        if len(self._names) < _FIELDS:
            return self._names.setdefault(name, name)
        return self._names.get(name, name)

    @staticmethod
    def _doctype(*_: Any) -> None:
        # without one there are no entities that grow
        raise ValueError("it has a document type")


def _struct(inner: List[Any]) -> Dict[str, Any]:
    names, values = inner[::2], inner[1::2]
    if len(names) != len(values) or not all(isinstance(name, str) for name in names):
        raise ValueError("a struct that is none")
    return dict(zip(names, values))


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """What an answer has, unpacked, a piece at a time."""
    packing = (response.getheader("Content-Encoding") or "identity").strip().lower()
    if packing not in ("identity", "gzip"):
        raise AnswerError("the answer is packed by another way than gzip")
    # zlib's word for gzip
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
    for piece in iter(lambda: response.read(_PIECE), b""):
        if packing == "identity":
            yield piece
            continue
        while piece:
            try:
                yield unpacking.decompress(piece, _PIECE)
            except zlib.error as error:
                raise AnswerError("the answer is no gzip") from error
            piece = unpacking.unconsumed_tail


class _Transport(Transport):
    """Carries one call after the other."""

    def __init__(self, safe: bool, timeout: float) -> None:
        super().__init__()
        self._kind = _SafeConnection if safe else _Connection
        self._timeout = timeout

    def request(
        self, host: Any, handler: str, request_body: Any, verbose: bool = False
    ) -> Tuple[Any, ...]:
        """Send a call, and read its answer. Raises ``AnswerError``, ``Fault``, ``OSError``,
        ``http.client.HTTPException`` and ``ProtocolError``."""
        limits = _Limits(self._timeout)
        name, headers, _ = self.get_host_info(host)
        connection = self._kind(name, limits)
        fields = {
            "Content-Type": "text/xml",
            "User-Agent": "cobbler-bridge",
            "Accept-Encoding": "gzip",
        }
        try:
            fields.update(headers)
            _send(connection, handler, request_body, fields)
            with connection.getresponse() as response:
                if response.status != http.client.OK:
                    raise ProtocolError(host, response.status, response.reason, {})
                answer = _Answer(limits)
                for piece in _pieces(response):
                    answer.feed(piece)
                return (answer.value(),)
        finally:
            connection.close()


def _send(
    connection: http.client.HTTPConnection, handler: str, body: bytes, fields: Dict[str, str]
) -> None:
    try:
        connection.request("POST", handler, body, fields)
    except ValueError as error:
        # a name that is none; with Python 3.6 a certificate for another one too
        raise OSError(str(error)) from error


def server(url: str, timeout: float = TIMEOUT) -> Any:
    """What calls the methods of the cobblerd at a URL. Raises ``OSError`` and ``ValueError``."""
    safe = url.partition(":")[0].lower() == "https"
    return ServerProxy(url, transport=_Transport(safe, timeout), allow_none=True)
