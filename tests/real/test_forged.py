"""Forged signals, over HTTP and XML-RPC: nothing comes of them that the server's data don't say."""

import contextlib
import itertools
import re
import xmlrpc.client
from typing import Any, Dict, Iterator, List, Optional
from urllib.parse import quote

import pytest

from private_cobbler import PrivateCobbler
from real.server import Answer, Server

MODES = ("pre", "post", "firstboot")
STATIC = {"netmask-eth0": "255.255.255.0", "static-eth0": True}
ADDRESSES = {
    "verified": "10.0.0.1",
    "installed": "10.0.0.2",
    "web1": "10.0.0.4",
    "plain": "10.0.0.5",
}
NAMES: List[Any] = [
    *["verified", "installed", "web1", "web2", "plain", "hosts", "others", "guests", "nothing"],
    *["rhel7", "nobody", "*", "~.*", "verifie?", "VERIFIED", "", "../systems/verified", "a\nb"],
    *["x" * 100000, None, True, 5, 1.5, [], ["verified"], {"name": "verified"}, [[[["a"]]]]],
]
CALLERS: List[Any] = [
    *["10.0.0.4", "10.0.0.5", "10.0.0.99", "::ffff:10.0.0.5", "", None, "x" * 100000, "10.0.0.1;a"],
    *[["10.0.0.1"], {"a": "10.0.0.1"}, 167772161],
]


@pytest.fixture(scope="module")
def settled() -> Iterator[Server]:
    """Hosts that are installed and proved, and their guests; all that could change is edited.

    Without Cobbler's own triggers that refuse unknown names before ours are asked.
    """
    with PrivateCobbler() as private:
        server = Server(private)
        for name in ("pre_log", "post_log"):
            (private.path(private.package) / "modules/installation" / (name + ".py")).unlink()
        server.install()
        server.add_releases()
        for profile, meta in {
            "hosts": {"bridge": "br0"},
            "others": {"bridge": "br8"},
            "guests": {"bridge_host": "verified"},
            "nothing": {},
        }.items():
            server.profile(profile, meta=meta)
        for name in ("verified", "installed"):
            more = dict(STATIC, **{"ipaddress-eth0": ADDRESSES[name]})
            server.system(name, "hosts", more=more)
        server.system("web1", "guests", more={"ipaddress-eth0": ADDRESSES["web1"]})
        server.system("web2", "nothing", {"bridge_host": "installed"})
        server.system("plain", "nothing", more={"ipaddress-eth0": ADDRESSES["plain"]})
        server.installed("verified", "installed")
        private.rpc("run_install_triggers", "firstboot", "system", "verified", "10.0.0.1")
        assert server.state("verified") == "br0/verified"
        assert server.bridges("web1") == server.bridges("web2") == {"eth0": "br0"}
        # a signal that counted would take this up
        server.edit("profile", "hosts", autoinstall_meta={"bridge": "br7"})
        yield server


def forge(server: Server, mode: str, kind: str, name: Any, caller: Any) -> None:
    """Whatever Cobbler and its own triggers say to it."""
    with contextlib.suppress(xmlrpc.client.Fault, xmlrpc.client.ProtocolError):
        server.cobbler.rpc("run_install_triggers", mode, kind, name, caller)


def test_over_xmlrpc(settled: Server) -> None:
    before = settled.disk()
    ledger = [path.read_bytes() for path in settled.ledger()]
    settled.mark()
    count = 0
    for mode, kind, name, caller in itertools.product(MODES, ("system", "profile"), NAMES, CALLERS):
        forge(settled, mode, kind, name, caller)
        count += 1
    assert count > 1000
    assert settled.disk() == before
    assert [path.read_bytes() for path in settled.ledger()] == ledger
    assert "Traceback" not in settled.log()
    assert "failed" not in "".join(settled.said())


def test_over_http(settled: Server) -> None:
    before = settled.disk()
    for mode, kind, name in itertools.product(MODES, ("system", "profile"), NAMES[:18]):
        if isinstance(name, str) and name:
            settled.trigger(mode, quote(name, safe=""), kind)
    assert settled.disk() == before


@pytest.mark.parametrize("state", [None, "installing"])
@pytest.mark.parametrize("mode", MODES)
def test_what_the_data_ask_for(settled: Server, state: Optional[str], mode: str) -> None:
    """A host that is about to be installed: its own bridge, by whatever signal."""
    settled.system("new", "hosts", {"bridge": "br5"}, more={"ipaddress-eth0": "10.0.0.9"})
    try:
        if state is not None:
            settled.trigger("pre", "new")
        rest: Dict[str, bytes] = settled.disk()
        for profile in ("others", "guests", "nothing", "rhel7"):
            forge(settled, mode, "profile", profile, "10.0.0.9")
        assert settled.disk() == rest
        assert settled.trigger(mode, "new") == Answer(200, "True")
        states = {"pre": "installing", "post": "installed", "firstboot": "verified"}
        assert settled.state("new") == "br5/" + states[mode]
        del rest["systems/new.json"]
        assert {name: settled.disk()[name] for name in rest} == rest
    finally:
        settled.remove("system", "new")
        # or else the next one of this name has its record
        for path in settled.ledger():
            if path.name.startswith("new="):
                path.unlink()


REASONS = [
    "\r\n2026-01-01 - INFO | root is mine",
    "$(reboot)`reboot`;reboot&",
    "</text><script>alert(1)</script>",
    "@@server@@ SNIPPET::x #include $tree",
    "%0a%00%2e%2e/\u2028\u202e\ud7ff💥",
    "a" * 100000,
    ",,seen,drift,file",
    "",
]


def test_hostile_reasons(settled: Server) -> None:
    """What somebody writes behind a name is shown, and is letters and digits by then."""
    server = settled
    proved = dict(server.record("verified") or {})
    for reason in REASONS:
        server.mark()
        for words in ("rolled-back,", "drift,file,1-00,", "drift,network,,", "seen,", "noted,", ""):
            for name in ("verified", "installed", "web1", "plain", "nobody", "*"):
                # an address that is nobody's
                forge(server, "firstboot", "system", "%s,%s%s" % (name, words, reason), "10.9.9.9")
        record = dict(server.record("installed") or {})
        assert record["state"] == "rolled back"
        assert re.fullmatch("[A-Za-z0-9.: -]{0,200}", record["reason"])
        # anybody may say so; nothing else of it changes
        drifted = dict(server.record("verified") or {})
        assert drifted["drift"] == "network"
        assert {**drifted, "drift": "", "reason": ""} == proved
        assert [server.record(name) for name in ("web1", "plain")] == [None, None]
        assert "root is mine" not in re.findall("(?m)^2026-01-01.*", server.log())
        assert "Traceback" not in server.log()
        if "<" not in reason:
            continue
        for asked in (["show"], ["show", "--format", "svg"], ["check"]):
            said = server.command(*asked, check=False)
            assert "<script>" not in said.stdout
            assert all(line.isprintable() for line in (said.stdout + said.stderr).split("\n"))
        # as it is told elsewhere
        afar = server.command("show", "--server=http://127.0.0.1/cobbler_api").stdout
        assert afar == server.command("show").stdout
