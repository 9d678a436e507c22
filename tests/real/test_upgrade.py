"""From version 0.1.0, which noted records and places among the variables: 200 hosts of it."""

import json
import time
from typing import Any, Dict, Iterator
from urllib.parse import quote

import pytest

from private_cobbler import PrivateCobbler
from real.server import Server

HOSTS = 200
SINCE = "2026-01-31T12:00:%02dZ"
# what 0.1.0 wrote, and what it says
NOTES = {
    "br0/verified/": (["br0"], "", "verified"),
    "br0,dmz/installed/": (["br0", "dmz"], "", "installed"),
    "br0/installing/": (["br0"], "", "installing"),
    "xen:network-nat/verified/": ([], "network-nat", "verified"),
}
BY_HAND = {"x": "1", "bridge_mtu": "9000"}


@pytest.fixture
def old() -> Iterator[Server]:
    """A Cobbler with what 0.1.0 left: hosts with a guest each."""
    with PrivateCobbler() as cobbler:
        server = Server(cobbler)
        server.add_releases()
        server.profile("hosts", meta={"bridge": "br0"})
        server.system("host", "hosts")
        server.system("guest", nics=("eth0", "a:b,c"))
        models = {name: server.stored(name) for name in ("host", "guest")}
        for name in models:
            server.remove("system", name)
        for number in range(HOSTS):
            note = list(NOTES)[number % len(NOTES)]
            record = {"bridge_record": note + SINCE % (number % 60), **BY_HAND}
            write(server, models["host"], "h%d" % number, number, record)
            nics = {"eth0": "br0", "a:b,c": "br0"} if NOTES[note][0] else {}
            placed = {"bridge_placed": ",".join("%s:%s" % (quote(n, ""), nics[n]) for n in nics)}
            meta = {**(placed if nics else {}), "bridge_host": "h%d" % number}
            write(server, models["guest"], "g%d" % number, HOSTS + number, meta, nics)
        server.install()
        yield server


def write(
    server: Server,
    model: Dict[str, Any],
    name: str,
    number: int,
    meta: Dict[str, str],
    virt_bridges: Dict[str, str] = {},  # noqa: B006
) -> None:
    """Write the file of a system, as Cobbler would."""
    interfaces = {
        nic: dict(
            fields,
            virt_bridge=virt_bridges.get(nic, fields["virt_bridge"]),
            mac_address="52:54:01:%02x:%02x:%02x" % (index, *divmod(number, 256)),
        )
        for index, (nic, fields) in enumerate(model["interfaces"].items())
    }
    uid = "%032x" % (number + 1)
    data = dict(model, name=name, uid=uid, autoinstall_meta=meta, interfaces=interfaces)
    server.file_of(name).write_text(json.dumps(data))


def listed(server: Server) -> Any:
    return json.loads(server.command("show", "--format", "json").stdout)


def test_nothing_is_lost(old: Server, capsys: pytest.CaptureFixture[str]) -> None:
    before = listed(old)
    assert len(before) == HOSTS
    began = time.monotonic()
    old.trigger("post", "nobody")
    took = time.monotonic() - began
    with capsys.disabled():
        print(" %d hosts and their guests in %.1f s" % (HOSTS, took))
    # everybody says the same, and it is said elsewhere now
    assert listed(old) == before
    entries = {each["name"]: each for each in (json.loads(p.read_text()) for p in old.ledger())}
    for number in range(HOSTS):
        host, guest = "h%d" % number, "g%d" % number
        bridges, unbridged, state = NOTES[list(NOTES)[number % len(NOTES)]]
        record = entries[host]["record"]
        assert [record["bridges"], record["unbridged"], record["state"]] == [
            bridges,
            unbridged,
            state,
        ]
        assert record["since"] == SINCE % (number % 60)
        placed = {"eth0": "br0", "a:b,c": "br0"} if bridges else {}
        assert entries.get(guest, {}).get("placed", {}) == placed
        assert old.meta(host) == BY_HAND
        assert old.meta(guest) == {"bridge_host": host}
    # once: what somebody writes there later is theirs, and is not read
    old.edit("system", "h0", autoinstall_meta={"bridge_record": "br9/verified/x"})
    old.cobbler.restart()
    old.trigger("post", "nobody")
    assert old.meta("h0") == {"bridge_record": "br9/verified/x"}
    assert listed(old) == before
    assert "h0: bridge_record: is not read any more" in old.command("check", check=False).stdout
