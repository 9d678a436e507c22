"""Whatever a wrong or hostile server answers is one line, soon, and speaks to no terminal."""

import gzip
import json
import re
import socket
import time
import xmlrpc.client
import zlib
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple
from xmlrpc.client import Binary, DateTime, Fault

import pytest
import yaml

from cobbler_bridge import cli
from cobbler_bridge.command import server, show
from cobbler_bridge.store import ledger, wire
from hostile_cobbler import RESPONSE, Answers, Cobbler, Shape, Wire, endless, ok, packed
from waiting import HANGS

ESCAPES = "\x1b[2J\x1b]0;x\x07 \x9b31m \u202etxt \u2028 \r\n x \x7f \u200b"
# as much of them as XML can carry
NASTY = "x\x7f\x9b31m\u202etxt\u2028\r\n\tx\u200b"
COMMANDS = {
    "render": ["render", "--system=kvm1"],
    "profile": ["render", "--profile=hosts", "--format=json"],
    "show": ["show"],
    "check": ["check"],
    "record": ["record", "kvm1"],
    "place": ["place"],
}


Run = Callable[..., Tuple[int, str, str]]


def fails(done: Tuple[int, str, str]) -> None:
    status, out, err = done
    assert (status, out) == (3, ""), done
    assert err.startswith("cobbler-bridge: "), err
    assert len(err) < 1000
    assert err.endswith("\n")
    assert err[:-1].isprintable(), err


def sends(text: bytes) -> Wire:
    return lambda write, _: write(text)


def says(body: Any) -> Wire:
    data = body if isinstance(body, bytes) else body.encode()
    return sends(ok(data))


def value(text: str) -> Wire:
    return says(RESPONSE % text)


def forever(*pieces: bytes) -> Wire:
    def sending(write: Callable[[bytes], Any], _: bytes) -> None:
        write(pieces[0])
        for piece in endless(pieces[1]):
            write(piece)

    return sending


def slowly(pause: float) -> Wire:
    """A byte at a time, each soon enough for a limit that is none of the whole."""

    def sending(write: Callable[[bytes], Any], body: bytes) -> None:
        for each in ok(body):
            write(bytes([each]))
            time.sleep(pause)

    return sending


def silent(write: Callable[[bytes], Any], body: bytes) -> None:
    time.sleep(1)


def cut(write: Callable[[bytes], Any], body: bytes) -> None:
    write(ok(body, "Content-Length: %d" % len(body))[:-20])


def gzip_bomb(write: Callable[[bytes], Any], body: bytes) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    bomb = packer.compress(RESPONSE.encode()[:-40]) + packer.compress(b" " * (16 << 20))
    write(ok(bomb + packer.flush(), "Content-Encoding: gzip"))


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">%s]>' % "".join(
    '<!ENTITY a%d "%s">' % (i, ("&a%s;" % (i - 1 or "")) * 10) for i in range(1, 10)
)
HEAD = "<methodResponse><params><param><value>"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

WIRES: Dict[str, Wire] = {
    "nothing": sends(b""),
    "no HTTP": sends(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "half a status line": sends(b"HTTP/1.0 20"),
    "no status": sends(b"HTTP/1.0 \r\n\r\n"),
    "a status that is none": sends(b"HTTP/1.0 99999 OK\r\n\r\n"),
    "a redirect": sends(b"HTTP/1.0 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n"),
    "escapes in the status": sends(
        b"HTTP/1.0 500 \x1b[2J\x9b31m %s\r\n\r\n" % "\u202e".encode("utf-8")
    ),
    "a login page": says("<html><body>Please log in<br></body></html>"),
    "401": sends(b"HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n\r\n"),
    "503": sends(b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 9\r\n\r\n"),
    "an endless error": forever(b"HTTP/1.0 500 no\r\n\r\n", b"x" * 65536),
    "endless headers": forever(b"HTTP/1.0 200 OK\r\n", b"X-Y: z\r\n"),
    "an endless header": forever(b"HTTP/1.0 200 OK\r\nX-Y: ", b"z" * 65536),
    "endless continuation": forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a length that is none": sends(b"HTTP/1.0 200 OK\r\nContent-Length: many\r\n\r\n"),
    "a length of less than nothing": sends(b"HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n"),
    "chunks that are none": sends(CHUNKED + b"zz\r\nx\r\n"),
    "a chunk of 15 exabytes": sends(CHUNKED + b"dfffffffffffffff\r\nx"),
    "an endless body": forever(ok(HEAD.encode() + b"<string>"), b"x" * 65536),
    "an endless document": forever(ok(HEAD.encode() + b"<array><data>"), b"<value/>" * 8192),
    "an endless tag": forever(ok(b"<methodResponse "), b"a" * 65536),
    "an endless comment": forever(ok(b"<!--"), b"a" * 65536),
    "endless chunks": forever(CHUNKED, b"1\r\n \r\n" * 1000),
    "an empty body": says(b""),
    "cut off": cut,
    "no XML": says("{'a': 1}"),
    "escapes and no XML": says(ESCAPES),
    "no UTF-8": says(b"<methodResponse>\xff\xfe\x9b31m"),
    "another encoding": says("<?xml version='1.0' encoding='rot13'?><methodResponse/>"),
    "UTF-16": says((RESPONSE % "<int>1</int>").encode("utf-16")),
    "billion laughs": says(LAUGHS + RESPONSE % "&a9;"),
    "a document type": says("<!DOCTYPE x SYSTEM 'file:///etc/passwd'>" + RESPONSE % "x"),
    "an entity": value("&xxe;"),
    "a NUL": value("<string>&#0;</string>"),
    "a surrogate": value("<string>&#xD800;</string>"),
    "a call": says("<methodCall><methodName>login</methodName></methodCall>"),
    "no value": says("<methodResponse/>"),
    "no parameter": says("<methodResponse><params></params></methodResponse>"),
    "two values": says(
        "<methodResponse><params>%s</params></methodResponse>"
        % ("<param><value>x</value></param>" * 2)
    ),
    "deep lists": value("<array><data><value>" * 5000 + "</value></data></array>" * 5000),
    "deep structs": value(
        "<struct><member><name>a</name><value>" * 300 + "</value></member></struct>" * 300
    ),
    "deep nonsense": says("<a>" * 100_000),
    "an int of 5,000 digits": value("<int>%s</int>" % ("9" * 5000)),
    "an int that is none": value("<int>\u202ex</int>"),
    "a double that is too large": value("<double>1e999</double>"),
    "no number": value("<double>nan</double>"),
    "a boolean of 2": value("<boolean>2</boolean>"),
    "a date": value("<dateTime.iso8601>x</dateTime.iso8601>"),
    "base64": value("<base64>AAAA</base64>"),
    "a type of nobody's": value("<bigdecimal>1</bigdecimal>"),
    "a struct without names": value("<struct><member><value>x</value></member></struct>"),
    "a struct with a list as a name": value(
        "<struct><member><value><array><data/></array></value><value>x</value></member></struct>"
    ),
    "a fault without a reason": says(
        "<methodResponse><fault><value>x</value></fault></methodResponse>"
    ),
    "a fault of numbers": says(
        "<methodResponse><fault><value><struct><member><name>faultString</name><value><int>1</int>"
        "</value></member></struct></value></fault></methodResponse>"
    ),
    "a gzip bomb": gzip_bomb,
    "no gzip": sends(ok(b"x" * 100, "Content-Encoding: gzip")),
    "half a gzip": lambda write, body: write(packed(body)[:-30]),
    "a gzip in a gzip": lambda write, body: write(packed(gzip.compress(body))),
    "packed by another way": sends(ok(b"x", "Content-Encoding: br")),
    "a byte at a time": slowly(0.02),
    "silence": silent,
}


@pytest.mark.parametrize("each_call", sorted(COMMANDS))
@pytest.mark.parametrize("kind", sorted(WIRES))
def test_no_answer(run: Run, cobbler: Cobbler, kind: str, each_call: str) -> None:
    cobbler.wire = WIRES[kind]
    began = time.monotonic()
    slow = kind in ("a byte at a time", "silence", "endless continuation", "endless chunks")
    fails(run(COMMANDS[each_call], *["--timeout=0.2"] * slow))
    assert time.monotonic() - began < HANGS


def method(name: str, answer: Any) -> Shape:
    def change(answers: Answers) -> None:
        answers.methods[name] = answer

    return change


def every(kind: str, **fields: Any) -> Shape:
    """These fields on every item of a kind; ``None`` takes one away."""

    def change(answers: Answers) -> None:
        for item in getattr(answers, kind):
            for name, each in fields.items():
                item[name] = each
                if each is None:
                    del item[name]

    return change


def whole(kind: str, answer: Any) -> Shape:
    return lambda answers: setattr(answers, kind, answer)


def first(kind: str, item: Any) -> Shape:
    return lambda answers: getattr(answers, kind).insert(0, item)


def on_interfaces(**fields: Any) -> Shape:
    def change(answers: Answers) -> None:
        for system in answers.systems:
            for each in system["interfaces"].values():
                each.update(fields)

    return change


def variable(value: Any) -> Shape:
    """A variable of one more system, of ours by its name."""

    def change(answers: Answers) -> None:
        meta = {"bridge": "br0", "bridge_mtu": value}
        answers.systems.append(dict(answers.systems[0], name="bad", autoinstall_meta=meta))

    return change


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else "x"


def of_an_image(answers: Answers) -> None:
    answers.images = [{"name": "x", "autoinstall_meta": [1], "autoinstall": {}}]
    every("systems", profile="", image="x")(answers)


def chain(answers: Answers) -> None:
    """Thousands of profiles, one above the other."""
    for number in range(3000):
        above = "up%d" % (number + 1)
        answers.profiles.append(dict(answers.profiles[0], name="up%d" % number, parent=above))
    answers.profiles[0]["parent"] = "up0"


def circle(answers: Answers) -> None:
    answers.profiles[0]["parent"] = "guests"
    answers.profiles[1]["parent"] = "hosts"


ALL = frozenset(COMMANDS)
# which ask for all systems
LISTS = frozenset(["show", "check", "record", "place"])
# where no name leads to a system
NAMELESS = LISTS - {"record"}
BLENDS = frozenset(["render", "profile", "record", "check"])
# what is wrong with some items: it is theirs, and all others are served
NONE = None

# what is answered, and which commands can't do without
SHAPES: Dict[str, Tuple[Shape, Any]] = {
    "a refusal": (method("extended_version", lambda: fault("no")), ALL),
    "a refusal with escapes": (method("get_items", lambda _: fault(NASTY * 9999)), LISTS),
    "a refusal of HTML": (method("extended_version", lambda: fault("<p>\n" * 999)), ALL),
    "an empty refusal": (method("extended_version", lambda: fault("")), ALL),
    "no version": (whole("version", None), ALL),
    "a version that is a text": (whole("version", "3.3.10"), ALL),
    "a version without numbers": (whole("version", {"version": "3"}), ALL),
    "a version of nothing": (whole("version", {"version_tuple": []}), ALL),
    "a version of words": (whole("version", {"version_tuple": ["a"]}), ALL),
    "a version of structs": (whole("version", {"version_tuple": [{}]}), ALL),
    "systems that are none": (whole("systems", None), NAMELESS),
    "systems in a struct": (whole("systems", {"kvm1": {}}), NAMELESS),
    "a system that is a number": (first("systems", 5), LISTS),
    "a system that is a text": (whole("systems", "kvm1"), NAMELESS),
    "a system that is a list": (first("systems", []), LISTS),
    "a system without a name": (every("systems", name=None), NAMELESS),
    "a system with a number for a name": (first("systems", {"name": 5}), LISTS),
    "a system with a struct for a name": (first("systems", {"name": {}}), LISTS),
    "a system with no letter in its name": (first("systems", {"name": ""}), LISTS),
    "a system with two profiles": (every("systems", profile=["a", "b"]), NONE),
    "a system with a struct for a kickstart": (every("systems", autoinstall={"a": 1}), NONE),
    "a system of no time": (every("systems", ctime="yesterday"), NONE),
    "a system of many times": (every("systems", ctime=[1, 2]), NONE),
    "interfaces in a list": (every("systems", interfaces=[1, 2]), NONE),
    "interfaces in a text": (every("systems", interfaces="eth0"), NONE),
    "an interface that is a text": (every("systems", interfaces={"eth0": "x"}), NONE),
    "an interface that is nothing": (every("systems", interfaces={"eth0": []}), NONE),
    "a bridge that is a list": (on_interfaces(virt_bridge=["br0"]), NONE),
    "an address that is a struct": (on_interfaces(ip_address={"a": "b"}), NONE),
    "a MAC that is a list": (on_interfaces(mac_address=[1]), NONE),
    "a type that is a struct": (on_interfaces(interface_type={"a": 1}), NONE),
    "profiles that are none": (whole("profiles", 7), LISTS),
    "a profile that is a number": (first("profiles", 5), LISTS),
    "a profile without a name": (every("profiles", name=None), LISTS),
    "a profile with a list above": (every("profiles", parent=["x"]), NONE),
    "a profile of a struct": (every("profiles", distro={"x": 1}), NONE),
    "a profile with a list of bridges": (every("profiles", virt_bridge=["x"]), NONE),
    "distros that are none": (whole("distros", "x"), LISTS),
    "a distro without a name": (every("distros", name=None), LISTS),
    "a static address of a list": (on_interfaces(static=[1]), NONE),
    "a master that is a struct": (on_interfaces(interface_master={"a": 1}), NONE),
    "a system of an image that is a list": (every("systems", profile="", image=["x"]), NONE),
    "a system of an image": (every("systems", profile="", image="x"), NONE),
    "an image above": (of_an_image, NONE),
    "images that are none": (whole("images", 7), LISTS),
    "an image without a name": (whole("images", [{"file": "/x"}]), LISTS),
    "a refused blending": (method("get_blended_data", lambda *_: fault(NASTY * 99)), NONE),
    "a refused look at one": (method("has_item", lambda *_: fault(NASTY)), NONE),
    "a profile above itself": (every("profiles", parent="hosts"), ALL),
    "profiles in a circle": (circle, ALL),
    "thousands of profiles above each other": (chain, ALL),
    "a distro that is in a circle": (every("distros", parent="hosts"), ALL),
    "no settings": (whole("settings", None), frozenset(["check", "place", "record"])),
    "settings in a list": (whole("settings", [1]), frozenset(["check", "place", "record"])),
    "settings of nothing": (whole("settings", {}), frozenset()),
    "a setting that is a list": (whole("settings", {"default_virt_bridge": [1]}), frozenset()),
    "blended data of nothing": (method("get_blended_data", None), BLENDS),
    "blended data in a list": (method("get_blended_data", [1, 2]), BLENDS),
    "blended data in a text": (method("get_blended_data", "x"), BLENDS),
    "no blended data": (method("get_blended_data", {}), frozenset()),
    "blended interfaces in a list": (
        method("get_blended_data", {"interfaces": ["eth0"]}),
        NONE,
    ),
    "a blended interface that is none": (
        method("get_blended_data", {"interfaces": {"eth0": 5}}),
        NONE,
    ),
    "every item is a text": (method("get_item", "x"), frozenset(["render", "profile"])),
    "every item is nothing": (method("get_item", "~"), frozenset(["render", "profile"])),
    "every item is a number": (method("get_item", 5), frozenset(["render", "profile"])),
    "every item is without a name": (method("get_item", {}), frozenset(["render", "profile"])),
    "every item is a list": (method("get_item", [[]]), frozenset(["render", "profile"])),
    "there is nothing": (method("has_item", False), frozenset()),
    "there is something strange": (method("has_item", {"a": 1}), frozenset()),
    "variables that are a number": (every("systems", autoinstall_meta=5), frozenset()),
    "a variable that is no number": (variable(float("nan")), NONE),
    "a variable without an end": (variable(float("-inf")), NONE),
    "a variable that is a date": (variable(DateTime(0)), NONE),
    "a variable of bytes": (variable(Binary(b"\0")), NONE),
    "a variable of 300 lists in each other": (variable(nested(300)), NONE),
    "variables of profiles that are a list": (every("profiles", autoinstall_meta=[1]), frozenset()),
    "a token that is none": (method("login", None), frozenset(["place"])),
    "a token that is a struct": (method("login", {"a": 1}), frozenset(["place"])),
    "a refused login": (method("login", lambda *_: fault(NASTY)), frozenset(["place"])),
    # a line of the guest's own: others are placed
    "a refused write": (method("xapi_object_edit", lambda *_: fault(NASTY)), frozenset()),
    "the same system twice": (lambda answers: answers.systems.extend(answers.systems), frozenset()),
}


def fault(text: str) -> Any:
    raise Fault(1, text)


def unprintable(text: str) -> List[str]:
    return [line for line in text.split("\n") if not line.isprintable()]


@pytest.mark.parametrize("each_call", sorted(COMMANDS))
@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_answers_of_no_cobbler(run: Run, cobbler: Cobbler, kind: str, each_call: str) -> None:
    change, refused = SHAPES[kind]
    change(cobbler.answers)
    began = time.monotonic()
    status, out, err = run(COMMANDS[each_call])
    assert time.monotonic() - began < HANGS
    if refused is not None and each_call in refused:
        fails((status, out, err))
    assert status in ((0, 1) if refused is None else (0, 1, 3))
    assert unprintable(out + err) == []
    if status == 3:
        fails((status, out, err))


def test_a_well_one(run: Run, cobbler: Cobbler) -> None:
    """The fake is not what is wrong in the tests above."""
    for version in ((3, 3, 10), (4, 0, 0)):
        cobbler.reset(version)
        assert run(["render", "--system=kvm1"])[1].startswith("# bridge br0 on EL 7")
        assert run(["show"])[1].splitlines()[1].startswith("kvm1    br0      eth0   installed")
        status, out, _ = run(["check"])
        assert (status, "it can be br0: run cobbler-bridge place" in out) == (1, True)
        status, out, err = run(["place"])
        assert (status, err) == (0, "")
        assert "web1   eth0  kvm1  -    br0   the host's first bridge" in out
    cobbler.wire = lambda write, body: write(packed(body))
    assert run(["show"])[0] == 0
    writers = [name for name, _ in cobbler.calls if "login" in name or "save" in name]
    assert writers == ["login", "save_item"]


OF_4: Dict[str, Shape] = {
    "interfaces that are none": whole("interfaces", None),
    "an interface that is a number": first("interfaces", 5),
    "an interface without a name": every("interfaces", name=None),
    "templates that are none": whole("templates", 5),
    "a template that is a text": whole("templates", ["x"]),
    "an image without a name": whole("images", [{"uid": "i1"}]),
    "a profile in itself": every("profiles", parent="p1"),
}
ITEMS_OF_4: Dict[str, Shape] = {
    "an interface of no system": every("interfaces", system_uid=None),
    "an interface of many systems": every("interfaces", system_uid=["a"]),
    "an interface with a list of bridges": every("interfaces", virt_bridge=["br0"]),
    "an address that is a struct in a group": every("interfaces", ipv4={"address": {"a": 1}}),
    "an address in a group that is none": every("interfaces", ipv4=[5]),
    "a template without a place": every("templates", uri=None),
    "a template with a list for a place": every("templates", uri={"path": ["a"]}),
    "a template that nothing names": every("templates", uid=None),
    "a profile that nothing names": every("profiles", uid=None),
    "a profile that a list names": every("profiles", uid=["a"]),
    "a profile with a list above": every("profiles", parent=["a"]),
    "a system that a struct names": every("systems", uid={"a": 1}),
    "a system of a list of profiles": every("systems", profile=["p1"]),
    "a system of an image": every("systems", profile="", image="i1"),
    "a system of an image that is a struct": every("systems", profile="", image={"a": 1}),
}


@pytest.mark.parametrize("each_call", ["show", "check", "place"])
@pytest.mark.parametrize("kind", sorted(OF_4))
def test_answers_of_no_cobbler_4(run: Run, cobbler: Cobbler, kind: str, each_call: str) -> None:
    cobbler.reset((4, 0, 0))
    OF_4[kind](cobbler.answers)
    fails(run(COMMANDS[each_call]))


@pytest.mark.parametrize("each_call", ["show", "check"])
@pytest.mark.parametrize("kind", sorted(ITEMS_OF_4))
def test_bad_items_of_cobbler_4(run: Run, cobbler: Cobbler, kind: str, each_call: str) -> None:
    cobbler.reset((4, 0, 0))
    ITEMS_OF_4[kind](cobbler.answers)
    status, out, err = run(COMMANDS[each_call])
    assert status in (0, 1), err
    assert unprintable(out + err) == []


@pytest.mark.parametrize("text", ["\ud800", "\x1b", "\0", "\ufffe"])
@pytest.mark.parametrize("field", ["autoinstall_meta", "comment", "interfaces"])
def test_a_text_that_xml_cannot_carry(run: Run, cobbler: Cobbler, text: str, field: str) -> None:
    """Of an item's file: nobody can read Cobbler's answer then, and the line says whose it is."""
    cobbler.answers.systems[0]["autoinstall_meta"]["name"] = "not-its-own"
    answer = xmlrpc.client.dumps((cobbler.answers("get_items", ("system",)),), methodresponse=True)
    mark = "<name>uid</name>\n<value><string>s-web1"
    body = "<member><name>%s</name><value><string>%s</string></value></member>\n" % (field, text)
    assert mark in answer
    whole = answer.replace("<member>\n" + mark, body + "<member>\n" + mark)
    assert whole != answer
    bad = whole.encode("utf-8", "xmlcharrefreplace")

    def wire_of_it(write: Callable[[bytes], Any], good: bytes) -> None:
        write(ok(bad if b"s-web1" in good else good))

    cobbler.wire = wire_of_it
    status, out, err = run(["show"])
    fails((status, out, err))
    assert "the answer is no XML-RPC: " in err
    assert "; in what it says of 'web1': correct its file, which has a text that XML" in err


@pytest.mark.parametrize("name", ["handle", "meta"])
def test_blended_data_of_no_cobbler_4(run: Run, cobbler: Cobbler, name: str) -> None:
    cobbler.reset((4, 0, 0))
    wrong = {"get_item_handle": 5} if name == "handle" else {"get_item": "x"}
    cobbler.answers.methods.update(wrong)
    fails(run(COMMANDS["render"]))


@pytest.mark.parametrize("text", ["text", "json", "yaml", "html"])
def test_no_format_speaks_to_the_terminal(run: Run, cobbler: Cobbler, text: str) -> None:
    host, guest = cobbler.answers.systems
    host.update(name=NASTY)
    host["autoinstall_meta"]["bridge"] = NASTY
    host["autoinstall_meta"].pop("bridge_record")
    guest["autoinstall_meta"]["bridge_host"] = NASTY
    guest["interfaces"] = {NASTY: dict(guest["interfaces"]["eth0"], virt_bridge=NASTY)}
    gone = dict(guest, name="web2" + NASTY, autoinstall_meta={"bridge_host": "gone" + NASTY})
    cobbler.answers.systems.append(gone)
    status, out, err = run(["show", "--format", text])
    assert (status, err) == (0, "")
    assert unprintable(out) == []
    names = [NASTY, "gone" + NASTY]
    if text in ("json", "yaml"):
        found = json.loads(out) if text == "json" else yaml.safe_load(out)
        # XML makes one line feed of a carriage return before one
        wanted = [each.replace("\r\n", "\n") for each in names]
        assert sorted(row["host"] for row in found) == sorted(wanted)
    if text == "html":
        assert out.count("<script") == 2


@pytest.mark.parametrize("words", [["check"], ["check", "--format=json"], ["place"]])
def test_no_name_speaks_to_the_terminal(run: Run, cobbler: Cobbler, words: List[str]) -> None:
    host, guest = cobbler.answers.systems
    host.update(name=NASTY)
    guest.update(name=NASTY + "2")
    guest["autoinstall_meta"]["bridge_host"] = NASTY.replace("\r\n", "\n")
    guest["interfaces"] = {NASTY: dict(guest["interfaces"]["eth0"])}
    status, out, err = run(words, *["--dry-run"] * (words[0] == "place"))
    assert status in (0, 1)
    assert unprintable(out + err) == []


@pytest.mark.parametrize(
    "words",
    [
        ["render", "--system=\x1b[2J"],
        ["show", "\x9b31m"],
        ["check", "\u202ex"],
        ["record", "\x1b[2J"],
        ["place", "--host=\x1b[2J"],
        ["show", "--server=http://\x1b[2J"],
        ["show", "--server=http://127.0.0.1:1/\u202e"],
        ["show", "--state=\x1b"],
        ["show", "--timeout=\x1b"],
        ["\x1b[2J"],
    ],
)
def test_nor_does_what_is_asked_for(
    words: List[str], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    if any("--server" in word for word in words) or len(words) == 1:
        status = cli.main(words)
        out, err = capsys.readouterr()
    else:
        status, out, err = run(words)
    assert status in (1, 2, 3)
    assert err.count("\n") == 1
    assert unprintable(out + err) == []


def test_a_server_that_hangs_up(cobbler: Cobbler, run: Run) -> None:
    """A reset, in the middle of an answer."""

    def reset(write: Callable[[bytes], Any], body: bytes) -> None:
        write(ok(body[:50], "Content-Length: 1000"))
        sock = write.__self__._sock  # type: ignore[attr-defined]
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()

    cobbler.wire = reset
    for words in COMMANDS.values():
        fails(run(words))


def test_no_tls_behind_https(cobbler: Cobbler, capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["show", "--server=https://127.0.0.1:%d" % cobbler.port, "--timeout=0.3"])
    fails((status, *capsys.readouterr()))


def test_a_full_queue_of_connections(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody takes the connection: neither in clear nor with TLS it is waited for long."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        for scheme in ("http", "https"):
            url = "%s://127.0.0.1:%d" % (scheme, listening.getsockname()[1])
            began = time.monotonic()
            status = cli.main(["show", "--server=" + url, "--timeout=0.3"])
            out, err = capsys.readouterr()
            fails((status, out, err))
            assert err.endswith(": it took longer than 0.3 seconds\n")
            assert time.monotonic() - began < HANGS


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "x", "", "1e9", "5 minutes"])
def test_times_that_are_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "--timeout=" + text]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "is no number of seconds up to 86400" in err


def test_nobody_waits_for_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has waited long enough ends it by the keyboard."""

    def interrupted(_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(show, "_shown", interrupted)
    assert cli.main(["show"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_chain_that_somebody_has(run: Run, cobbler: Cobbler) -> None:
    """Ten profiles, one above the other, and a variable of the highest."""
    profiles = cobbler.answers.profiles
    for number in range(10):
        profiles.append(dict(profiles[0], name="up%d" % number, parent="up%d" % (number + 1)))
    profiles[-1].update(parent="", autoinstall_meta={"bridge": "br7"})
    profiles[0]["parent"] = "up0"
    cobbler.answers.systems[0]["autoinstall_meta"] = {}
    assert run(["show", "kvm1"])[1].splitlines()[1].startswith("kvm1    br7 ")
    assert run(["render", "--system=kvm1"])[1].startswith("# bridge br7 on EL 7")


def test_proxies_are_not_asked(run: Run, cobbler: Cobbler, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert run(["show"])[0] == 0


@pytest.fixture
def own(
    cobbler: Cobbler, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Tuple[int, bytes]]:
    """Runs the command on a machine whose Cobbler is the fake one; what was sent meanwhile."""
    secret = tmp_path / "web.ss"
    secret.write_text("the-shared-secret\n")
    monkeypatch.setattr(server, "_SECRET", str(secret))

    def call(*words: str, port: int = cobbler.port) -> Tuple[int, bytes]:
        monkeypatch.setattr(server, "_port", lambda: port)
        cobbler.heard.clear()
        return cli.main(list(words)), b"".join(cobbler.heard)

    return call


Own = Callable[..., Tuple[int, bytes]]


@pytest.mark.parametrize("words", [["record", "web1", "--clear"], ["place"], ["record", "kvm1"]])
def test_the_secret_goes_to_this_machine(own: Own, cobbler: Cobbler, words: List[str]) -> None:
    cobbler.answers.systems[1]["autoinstall_meta"]["bridge_record"] = "br0/installed/x"
    cobbler.answers.systems[0]["autoinstall_meta"]["bridge_record"] = "br9/installed/x"
    for more in ([], ["--server=" + cobbler.url], ["--server=%s/" % cobbler.url]):
        cobbler.answers.systems[1]["interfaces"]["eth0"]["virt_bridge"] = ""
        for entry in ledger.Ledger().memory().entries:
            ledger.Ledger().write(ledger.Entry(entry.uid, entry.name), entry)
        status, sent = own(*words, *more)
        assert b"the-shared-secret" in sent
        status, sent = own(*words, *more, "--dry-run")
        assert status == 0
        assert b"the-shared-secret" not in sent


@pytest.mark.parametrize(
    "url",
    [
        # a port that is not Cobbler's may lead anywhere
        "http://127.0.0.1:%(port)d",
        "http://localhost:%(port)d",
        "http://localhost:%(own)d",
        "http://[::1]:%(own)d",
        "http://[::ffff:127.0.0.1]:%(own)d",
        "http://127.1:%(own)d",
        "http://2130706433:%(own)d",
        "http://127.0.0.2:%(own)d",
        "http://0.0.0.0:%(own)d",
        "http://127.0.0.1.example.org:%(own)d",
        "http://127.0.0.1:%(own)d@192.0.2.1",
        "http://127.0.0.1:%(own)d@127.0.0.1:%(port)d",
        "http://user@127.0.0.1:%(own)d",
        "https://127.0.0.1:%(own)d",
        "http://127.0.0.1",
        "http://127.0.0.1:%(own)d/cobbler_api",
        "http://127.0.0.1:%(own)d0",
        "http://127.0.0.1:%(own)d?x",
        "http://127.0.0.1:%(own)d#x",
        "http://cobbler.example.org/cobbler_api",
        " http://127.0.0.1:%(own)d",
        "x",
    ],
)
@pytest.mark.parametrize("words", [["record", "kvm1"], ["record", "kvm1", "--clear"], ["place"]])
def test_the_secret_goes_to_nobody_else(
    own: Own, cobbler: Cobbler, words: List[str], url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is anything else sent before it is said."""
    server = url % {"port": cobbler.port, "own": 25151}
    status, sent = own(*words, "--server=" + server, port=25151)
    out, err = capsys.readouterr()
    assert (status, out, sent) == (2, "", b"")
    assert err == (
        "cobbler-bridge: --server needs --user and --password-file: the secret of this machine's "
        "own Cobbler is sent to no other server\n"
    )


def test_only_who_writes_logs_in(own: Own, cobbler: Cobbler, tmp_path: Path) -> None:
    """Elsewhere too: what is only looked at needs neither a name nor a password."""
    password = tmp_path / "password"
    password.write_text("of-the-user\n")
    dry = [["record", "kvm1", "--dry-run"], ["place", "--dry-run"], ["record", "kvm1", "--clear"]]
    for words in [*COMMANDS.values(), *dry]:
        writes = words[0] in ("record", "place") and "--dry-run" not in words
        user = ["--user=admin", "--password-file=%s" % password] if writes else []
        _, sent = own(*words, "--server=" + cobbler.url, *user, port=25151)
        assert b"the-shared-secret" not in sent
        assert (b"of-the-user" in sent) == (b"<methodName>login" in sent)
        assert writes or b"<methodName>login" not in sent


def test_no_other_word_is_tried_elsewhere(own: Own, cobbler: Cobbler, tmp_path: Path) -> None:
    """What logs in at some Cobblers that can't read their secret is for one's own only."""
    password = tmp_path / "password"
    password.write_text("wrong\n")
    cobbler.answers.methods["login"] = lambda *_: fault("login failed")
    words = ["place", "--server=" + cobbler.url]
    user = ["--user=admin", "--password-file=%s" % password]
    assert own(*words, *user, port=25151)[0] == 3
    assert [call for call in cobbler.calls if call[0] == "login"] == [("login", ("admin", "wrong"))]
    cobbler.calls.clear()
    assert own("place")[0] == 3
    assert [call for call in cobbler.calls if call[0] == "login"] == [
        ("login", ("", "the-shared-secret")),
        ("login", ("", -1)),
    ]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--user=x"], "--user needs --password-file"),
        (["--password-file=/etc/hostname"], "--password-file needs --user"),
        (["--user=", "--password-file=/etc/hostname"], "--user needs a name"),
        (["--user="], "--user needs a name"),
    ],
)
@pytest.mark.parametrize("command", [["record", "kvm1"], ["place", "--dry-run"]])
def test_half_a_login(
    own: Own, words: List[str], error: str, command: List[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert own(*command, *words) == (2, b"")
    assert capsys.readouterr().err == "cobbler-bridge: %s\n" % error


def test_nothing_is_sent_twice(run: Run, cobbler: Cobbler) -> None:
    """A connection that ends before its answer may have been a write that was done."""

    def ends(write: Callable[[bytes], Any], body: bytes) -> None:
        if b"edited" not in body:
            write(ok(body))

    cobbler.answers.methods["save_item"] = "edited"
    cobbler.wire = ends
    fails(run(["place"]))
    assert [name for name, _ in cobbler.calls].count("save_item") == 1


def test_a_limit_that_no_site_meets() -> None:
    """50,000 systems with two interfaces each, of 9 KB."""
    assert wire.LARGEST / 2 > 50_000 * 9_000
    assert wire.TIMEOUT >= 300


RECORDED = {
    "verified": "br0/verified/2026-01-31T12:00:00Z",
    "no time": "br0/verified/",
}


def entries() -> List[Any]:
    return sorted(ledger.Ledger().memory().entries, key=lambda each: each.name)


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize("kind", sorted(RECORDED))
def test_a_record_of_the_same_stays(run: Run, cobbler: Cobbler, kind: str, dry: Any) -> None:
    host, guest = cobbler.answers.systems
    host["autoinstall_meta"]["bridge_record"] = RECORDED[kind]
    guest["autoinstall_meta"]["bridge_placed"] = "eth0:br0"
    guest["interfaces"]["eth0"]["virt_bridge"] = "br0"
    for more in ([], ["--bridge=br0"]):
        status, out, err = run(["record", "kvm1", *more, *dry])
        assert (status, err) == (0, "")
        assert re.search("kvm1  br0, verified.*  br0, verified.*  nothing to do\n", out)
        assert out.endswith("No guest's bridge changes.\n" + "Nothing was written.\n" * len(dry))
    assert entries() == []
    assert {name for name, _ in cobbler.calls} <= {
        "extended_version",
        "generate_script",
        "get_blended_data",
        "get_item",
        "get_item_names",
        "get_items",
        "get_settings",
        "has_item",
    }


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("before", "said"),
    [
        (None, "-"),
        ("br9/verified/x", "br9, verified since x"),
        ("br0,br1/verified/x", "br0, br1, verified since x"),
        ("br0/installing/x", "br0, installing since x"),
        ("br0/installed/x", "br0, installed since x"),
        ("xen:network-nat/verified/x", "network-nat, verified since x"),
        ("/verified/x", "no bridge, verified since x"),
        ("no record", "-"),
    ],
)
def test_a_record_of_others_is_written(
    run: Run, cobbler: Cobbler, before: Any, said: str, dry: Any
) -> None:
    meta = cobbler.answers.systems[0]["autoinstall_meta"]
    meta.pop("bridge_record")
    if before is not None:
        meta["bridge_record"] = before
    # as one without our triggers
    cobbler.answers.methods["save_item"] = True
    status, out, err = run(["record", "kvm1", *dry])
    assert (status, "no trigger of cobbler-bridge" in err) == (0 if dry else 1, not dry)
    assert out.splitlines()[1].startswith("kvm1  %s  " % said)
    assert "  br0, by hand since 20" in out
    assert [(each.name, each.uid, each.record.bridges) for each in entries()] == (
        [] if dry else [("kvm1", "s-kvm1", ("br0",))]
    )
    assert "bridge_record" not in str(
        [words for name, words in cobbler.calls if name == "xapi_object_edit"]
    )


def test_many_hosts_of_any_system(run: Run, cobbler: Cobbler) -> None:
    cobbler.answers.systems[1]["autoinstall_meta"] = {}
    done = run(["record", "kvm*", "web1", "nobody*", "--bridge=lan,dmz"])
    assert done[0] == 1
    assert done[2].startswith("nobody*: system: there is none of this name; ")
    assert [line.split()[0] for line in done[1].splitlines()[:3]] == ["HOST", "kvm1", "web1"]
    assert [(each.name, each.record.bridges) for each in entries()] == [
        ("kvm1", ("lan", "dmz")),
        ("web1", ("lan", "dmz")),
    ]
    assert entries()[0].record.before == ("br0",)
    assert run(["record", "web1", "--clear"])[0] == 0
    assert [each.name for each in entries()] == ["kvm1"]


@pytest.mark.parametrize("names", ["", "br 0", "br0,", "-x", "lo"])
def test_no_name_of_a_bridge(run: Run, names: str) -> None:
    status, out, err = run(["record", "kvm1", "--bridge=" + names])
    assert (status, out) == (2, "")
    assert err.startswith("cobbler-bridge: --bridge: ")


def test_a_ledger_that_cannot_be_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    status, out, err = run(["record", "kvm1"])
    wrong = "kvm1: record: %s: No space left on device; run this as root, with room\n"
    assert (status, err) == (1, wrong % (tmp_path / "records"))


def test_records_are_not_written_from_afar(
    own: Own, cobbler: Cobbler, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    password = tmp_path / "password"
    password.write_text("x")
    words = ["record", "kvm1", "--server=" + cobbler.url, "--user=a"]
    assert own(*words, "--password-file=%s" % password, port=25151) == (2, b"")
    assert "run this command there" in capsys.readouterr().err


def test_a_system_that_goes_meanwhile(run: Run, cobbler: Cobbler) -> None:
    known = list(cobbler.answers.systems)
    cobbler.answers.methods["get_items"] = lambda kind: (
        known[1:] if kind == "system" else getattr(cobbler.answers, kind + "s")
    )
    status, out, err = run(["record", "kvm1"])
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("kvm1: system: there is none of this name")


def test_memory_is_bounded(run: Run, cobbler: Cobbler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is too little for an answer, it is one line too."""

    def failing(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(wire._Answer, "feed", failing)
    fails(run(["show"]))


@pytest.mark.parametrize("answer", [5, None, True, "kvm1", [{"a": 1}], {"a": 1}, [["kvm1"]]])
def test_names_of_no_cobbler(own: Own, cobbler: Cobbler, answer: Any) -> None:
    """``set`` asks for names alone, where one is a pattern."""
    cobbler.answers.methods["get_item_names"] = lambda *_: answer
    status, _ = own("set", "--system", "kvm*", "bridge_mtu=9000")
    assert status == 3


def test_a_password_in_a_url_is_shown_to_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "--server=http://user:hunter2@127.0.0.1:9/"]) == 3
    said = capsys.readouterr().err
    assert (
        said
        == "cobbler-bridge: no answer from Cobbler at http://127.0.0.1:9/: Connection refused\n"
    )
