"""The triggers in the real cobblerd: what an installation and a guest's save leave on disk."""

import datetime
import json
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest

from private_cobbler import PrivateCobbler, change_settings
from real.server import COLLECTIONS, LEDGER, MINIMAL, Answer, Server
from real.shared import Shared
from waiting import HANGS

XENDS_BRIDGE = {"bridge_xen": "network-bridge", "bridge": "xenbr1"}


@pytest.fixture
def host(server: Server) -> Server:
    """A Cobbler with the host kvm1, which inherits bridge=br0 and is not installed."""
    server.profile("hosts", meta={"bridge": "br0"})
    server.system("kvm1", "hosts")
    server.mark()
    return server


def guest(server: Server, name: str = "web1", host: str = "kvm1", **how: Any) -> None:
    server.system(name, "rhel7", {"bridge_host": host}, **how)


def test_whole_life(host: Server) -> None:
    guest(host)
    assert host.state("kvm1") is None
    assert host.bridges("web1") == {"eth0": ""}

    assert host.trigger("pre", "kvm1") == Answer(200, "True")
    assert host.state("kvm1") == "br0/installing"
    assert host.bridges("kvm1") == {"eth0": ""}
    guest(host, "web2")
    assert host.bridges("web1") == {"eth0": ""}
    assert host.bridges("web2") == {"eth0": ""}

    assert host.trigger("post", "kvm1") == Answer(200, "True")
    assert host.state("kvm1") == "br0/installed"
    assert host.bridges("kvm1") == {"eth0": "br0"}
    assert host.bridges("web1") == {"eth0": "br0"}
    assert host.bridges("web2") == {"eth0": "br0"}

    # it is installed again: who is placed stays, who is new waits
    host.edit("system", "kvm1", netboot_enabled=True)
    assert host.trigger("pre", "kvm1") == Answer(200, "True")
    assert host.state("kvm1") == "br0/installing"
    guest(host, "web3")
    host.edit("system", "web1", comment="saved in the meantime")
    assert host.bridges("web1") == {"eth0": "br0"}
    assert host.bridges("web3") == {"eth0": ""}
    assert host.bridges("kvm1") == {"eth0": "br0"}
    assert host.trigger("post", "kvm1") == Answer(200, "True")
    assert host.bridges("web3") == {"eth0": "br0"}


def test_a_host_whose_xen_routes_its_guests(server: Server) -> None:
    server.profile("hosts", meta={"bridge_xen": "network-nat"})
    server.system("kvm1", "hosts")
    server.mark()
    guest(server)
    server.installed("kvm1")
    assert server.state("kvm1") == "network-nat/installed"
    assert server.bridges("kvm1") == {"eth0": ""}
    assert server.bridges("web1") == {"eth0": ""}

    # xend makes a bridge from now on, under a name that guests can have
    server.edit("profile", "hosts", autoinstall_meta=XENDS_BRIDGE)
    server.edit("profile", "hosts", distro="rhel6")
    server.reinstalled("kvm1")
    assert server.state("kvm1") == "xenbr1/installed"
    assert server.bridges("kvm1") == {"eth0": "xenbr1"}
    assert server.bridges("web1") == {"eth0": "xenbr1"}
    # the others' distro too
    server.edit("distro", "rhel7", os_version="rhel7")


def test_what_is_logged(host: Server) -> None:
    guest(host)
    host.installed("kvm1")
    before, after = (line.partition("20")[0] for line in host.said()[:2])
    assert before == "INFO | cobbler-bridge: host kvm1: br0, installing since "
    assert after == "INFO | cobbler-bridge: host kvm1: br0, installed since "
    assert host.said()[2:] == ["INFO | cobbler-bridge: guest web1 on host kvm1: {'eth0': 'br0'}"]


def test_the_records_format(host: Server) -> None:
    begin = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    host.installed("kvm1")
    end = datetime.datetime.now(datetime.timezone.utc)
    (path,) = host.ledger()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    record = host.record("kvm1")
    assert record is not None
    assert {**record, "since": ""} == {
        "bridges": ["br0"],
        "state": "installed",
        "since": "",
        "unbridged": "",
        "drift": "",
        "before": [],
        "reason": "",
        "seen": "",
    }
    since = datetime.datetime.strptime(record["since"] + "+0000", "%Y-%m-%dT%H:%M:%SZ%z")
    assert begin <= since <= end


def test_guest_added_later(host: Server) -> None:
    host.installed("kvm1")
    host.cobbler.run(
        ["cobbler", "system", "add", "--name=web1", "--profile=rhel7", "--interface=eth0"]
        + ["--mac=" + host.mac(), "--autoinstall-meta=bridge_host=kvm1"]
    )
    assert host.bridges("web1") == {"eth0": "br0"}
    # a NIC that comes later goes the same way
    host.edit("system", "web1", modify_interface={"macaddress-eth1": host.mac()})
    assert host.bridges("web1") == {"eth0": "br0", "eth1": "br0"}


def test_guest_that_gets_its_host_later(host: Server) -> None:
    host.installed("kvm1")
    host.system("web1")
    assert host.bridges("web1") == {"eth0": ""}
    host.edit("system", "web1", autoinstall_meta={"bridge_host": "kvm1"})
    assert host.bridges("web1") == {"eth0": "br0"}


def test_host_named_by_the_guests_profile_before_the_record(host: Server) -> None:
    host.profile("guests", meta={"bridge_host": "kvm1"})
    host.system("web1", "guests")
    host.system("web2", "guests", {"!bridge_host": "~"})
    host.installed("kvm1")
    assert host.bridges("web1") == {"eth0": "br0"}
    assert host.bridges("web2") == {"eth0": ""}


def test_host_named_by_the_guests_profile_after_the_record(host: Server) -> None:
    host.profile("guests")
    host.system("web1", "guests")
    host.system("web2", "guests", {"bridge_host": "elsewhere"})
    host.installed("kvm1")
    assert host.bridges("web1") == {"eth0": ""}
    host.cobbler.run(
        ["cobbler", "profile", "edit", "--name=guests", "--autoinstall-meta=bridge_host=kvm1"]
    )
    assert host.bridges("web1") == {"eth0": "br0"}
    assert host.bridges("web2") == {"eth0": ""}


def test_host_named_by_a_profile_above(host: Server) -> None:
    host.profile("guests")
    host.add("profile", "below", parent="guests")
    host.system("web1", "below")
    host.installed("kvm1")
    host.edit("profile", "guests", autoinstall_meta={"bridge_host": "kvm1"})
    assert host.bridges("web1") == {"eth0": "br0"}


def test_host_without_a_bridge_forgets(host: Server) -> None:
    guest(host)
    host.installed("kvm1")
    host.edit("profile", "hosts", autoinstall_meta={})
    host.mark()
    host.reinstalled("kvm1")
    assert host.state("kvm1") is None
    assert host.bridges("web1") == {"eth0": "br0"}
    assert host.said() == ["INFO | cobbler-bridge: host kvm1 has no bridge any more"]
    guest(host, "web2")
    assert host.bridges("web2") == {"eth0": ""}


def test_host_that_never_had_a_bridge_is_not_written(server: Server) -> None:
    server.system("plain")
    before = server.disk()
    server.mark()
    server.installed("plain")
    assert server.disk() == before
    assert server.said() == []


def test_what_somebody_set_on_a_host_stays(host: Server) -> None:
    """By hand before the installation: the very bridge, on an interface that is no port."""
    nics = {"macaddress-eth1": host.mac(), "virtbridge-eth1": "br0"}
    host.edit("system", "kvm1", modify_interface=nics)
    host.edit("system", "kvm1", autoinstall_meta={"bridge_port": "eth0"})
    host.installed("kvm1")
    assert host.bridges("kvm1") == {"eth0": "br0", "eth1": "br0"}
    host.edit("profile", "hosts", autoinstall_meta={"bridge": "br1"})
    host.reinstalled("kvm1")
    assert host.bridges("kvm1") == {"eth0": "br1", "eth1": "br0"}
    # with no bridge described any more nothing tells what is whose, whoever says that it begins
    host.edit("system", "kvm1", modify_interface={"virtbridge-eth1": "br1"})
    host.edit("profile", "hosts", autoinstall_meta={})
    host.edit("system", "kvm1", netboot_enabled=True)
    assert host.trigger("pre", "kvm1") == Answer(200, "True")
    assert host.state("kvm1") is None
    assert host.bridges("kvm1") == {"eth0": "br1", "eth1": "br1"}


def open_edit(server: Server, kind: str, name: str, field: str, value: Any) -> str:
    """Somebody changes a field and doesn't save yet; returns the handle."""
    handle = str(server.cobbler.rpc("get_%s_handle" % kind, name, server.cobbler.token))
    assert server.cobbler.rpc("modify_" + kind, handle, field, value, server.cobbler.token)
    return handle


def save(server: Server, kind: str, handle: str) -> None:
    assert server.cobbler.rpc("save_" + kind, handle, server.cobbler.token) is True


OPEN: List[Tuple[str, str, Any]] = [
    ("system", "autoinstall_meta", {"colour": "red"}),
    ("system", "autoinstall_meta", "<<inherit>>"),
    ("system", "netboot_enabled", True),
    ("profile", "autoinstall_meta", {}),
]


@pytest.mark.parametrize(("kind", "field", "value"), OPEN, ids=str)
def test_signals_while_an_edit_is_not_saved(
    host: Server, kind: str, field: str, value: object
) -> None:
    """They neither begin the record anew nor lose it."""
    guest(host)
    host.installed("kvm1")
    host.trigger("firstboot", "kvm1")
    record = host.record("kvm1")
    assert host.state("kvm1") == "br0/verified"
    handle = open_edit(host, kind, "kvm1" if kind == "system" else "hosts", field, value)
    for mode in ("post", "pre", "firstboot", "post"):
        host.trigger(mode, "kvm1")
        assert host.record("kvm1") == record, mode
    save(host, kind, handle)
    assert host.record("kvm1") == record


@pytest.mark.parametrize("kind", ["system", "profile"])
def test_a_host_that_installs_itself_while_an_edit_is_not_saved(host: Server, kind: str) -> None:
    """What it is installed with is not lost by an edit of which nobody has said that it is so."""
    if kind == "system":
        host.edit("profile", "hosts", autoinstall_meta={})
        host.edit("system", "kvm1", autoinstall_meta={"bridge": "br0"})
    host.trigger("pre", "kvm1")
    name = "kvm1" if kind == "system" else "hosts"
    handle = open_edit(host, kind, name, "autoinstall_meta", {})
    host.mark()
    before = host.disk()
    for mode in ("pre", "post"):
        host.trigger(mode, "kvm1")
    assert host.disk() == before
    assert [line for line in host.said() if "an edit that is not saved yet" in line] == host.said()
    assert host.state("kvm1") == "br0/installing"
    save(host, kind, handle)
    host.trigger("post", "kvm1")
    assert host.state("kvm1") is None


def test_an_address_that_only_an_edit_takes_away(host: Server) -> None:
    """Somebody else can't prove the bridge in the meantime, and the host itself can."""
    host.edit("system", "kvm1", autoinstall_meta={"bridge_ipv4": "192.0.2.10/24"})
    host.installed("kvm1")
    handle = open_edit(host, "system", "kvm1", "autoinstall_meta", {})
    for caller, state in (("198.51.100.1", "installed"), ("192.0.2.10", "verified")):
        host.cobbler.rpc("run_install_triggers", "firstboot", "system", "kvm1", caller)
        assert host.state("kvm1") == "br0/" + state
    save(host, "system", handle)
    assert host.state("kvm1") == "br0/verified"


def test_a_guests_note_while_an_edit_is_not_saved(host: Server) -> None:
    guest(host)
    host.installed("kvm1")
    more = {"macaddress-eth1": host.mac()}
    handle = open_edit(host, "system", "web1", "autoinstall_meta", {"bridge_host": "kvm1"})
    host.cobbler.rpc("modify_system", handle, "modify_interface", more, host.cobbler.token)
    host.edit("profile", "hosts", autoinstall_meta={"bridge": "br1"})
    host.reinstalled("kvm1")
    assert host.bridges("web1") == {"eth0": "br1", "eth1": "br1"}
    assert host.placed("web1") == {"eth0": "br1", "eth1": "br1"}
    save(host, "system", handle)
    assert host.placed("web1") == {"eth0": "br1", "eth1": "br1"}


def test_problems_clear_the_record(host: Server) -> None:
    guest(host)
    host.installed("kvm1")
    host.edit("profile", "hosts", autoinstall_meta={"bridge": "br 0", "bridge_stp": "yes"})
    host.mark()
    host.reinstalled("kvm1")
    assert host.state("kvm1") is None
    problems = [
        "WARNING | cobbler-bridge: no bridge: kvm1: bridge: 'br 0' has ' ' in it; it can be "
        "1 to 15 letters, digits, '_', '-' or '.', not beginning with '-', and not ., .., lo, all, "
        "default or none",
        "WARNING | cobbler-bridge: no bridge: kvm1: bridge_stp: 'yes' is none of the values it "
        "can have; it can be on or off",
    ]
    gone = ["INFO | cobbler-bridge: host kvm1 has no bridge any more"]
    # once when it begins and once when it is done
    assert host.said() == problems + gone + problems


def test_another_bridge_moves_who_was_placed(host: Server) -> None:
    guest(host)
    guest(host, "web3", more={"virtbridge-eth0": "br0"})
    host.installed("kvm1")
    host.edit("profile", "hosts", autoinstall_meta={"bridge": "br1"})
    host.reinstalled("kvm1")
    assert host.state("kvm1") == "br1/installed"
    assert host.bridges("web1") == {"eth0": "br1"}
    # by hand, before there was anything
    assert host.bridges("web3") == {"eth0": "br0"}
    guest(host, "web2")
    assert host.bridges("web2") == {"eth0": "br1"}


def test_set_by_hand_stays(host: Server) -> None:
    guest(host, nics=("eth0", "eth1"), more={"virtbridge-eth0": "br9"})
    host.edit("system", "kvm1", modify_interface={"virtbridge-eth0": "br8"})
    host.installed("kvm1")
    assert host.bridges("web1") == {"eth0": "br9", "eth1": "br0"}
    assert host.bridges("kvm1") == {"eth0": "br8"}
    host.edit("system", "web1", comment="saved")
    assert host.bridges("web1") == {"eth0": "br9", "eth1": "br0"}
    # and virbr0, which is nobody's default here
    guest(host, "web2", more={"virtbridge-eth0": "virbr0"})
    assert host.bridges("web2") == {"eth0": "virbr0"}


@pytest.mark.parametrize("value", ["", "<<inherit>>", "xenbr0"])
def test_unset(host: Server, value: str) -> None:
    guest(host, more={"virtbridge-eth0": value})
    host.edit("system", "kvm1", modify_interface={"virtbridge-eth0": value})
    stored = {"eth0": value or "<<inherit>>"}
    assert (host.bridges("web1"), host.bridges("kvm1")) == (stored, stored)
    host.installed("kvm1")
    assert host.bridges("web1") == {"eth0": "br0"}
    assert host.bridges("kvm1") == {"eth0": "br0"}


def test_unset_is_a_matter_of_the_setting() -> None:
    with PrivateCobbler({"default_virt_bridge": "virbr0"}) as cobbler:
        server = Server(cobbler)
        server.install()
        server.add_releases()
        server.system("kvm1", meta={"bridge": "br0"})
        server.installed("kvm1")
        guest(server, "web1", more={"virtbridge-eth0": "virbr0"})
        guest(server, "web2", more={"virtbridge-eth0": "xenbr0"})
        assert server.bridges("web1") == {"eth0": "br0"}
        assert server.bridges("web2") == {"eth0": "xenbr0"}
        # a name that somebody chose is a choice, be it everywhere's
        settings = cobbler.path("/etc/cobbler/settings.yaml")
        text = change_settings(settings.read_text(), {"default_virt_bridge": "br5"})
        settings.write_text(text)
        cobbler.restart()
        guest(server, "web3", more={"virtbridge-eth0": "br5"})
        assert server.bridges("web3") == {"eth0": "br5"}


def test_after_a_restart(host: Server) -> None:
    guest(host)
    guest(host, "web2", nics=("eth0", "eth1"), more={"virtbridge-eth1": "br9"})
    host.cobbler.restart()
    # what nobody set is <<inherit>> now
    host.edit("system", "web1", comment="saved")
    assert host.bridges("web1") == {"eth0": "<<inherit>>"}
    host.installed("kvm1")
    assert host.bridges("web1") == {"eth0": "br0"}
    assert host.bridges("web2") == {"eth0": "br0", "eth1": "br9"}
    before = host.disk()
    host.cobbler.restart()
    assert host.disk() == before
    assert host.state("kvm1") == "br0/installed"
    guest(host, "web3")
    assert host.bridges("web3") == {"eth0": "br0"}


def test_kinds_that_koan_makes_no_nic_of(host: Server) -> None:
    host.installed("kvm1")
    guest(
        host,
        nics=("bond0", "eth0", "eth1", "eth0.10"),
        more={
            "interfacetype-bond0": "bond",
            "interfacetype-eth0": "bond_slave",
            "interfacemaster-eth0": "bond0",
        },
    )
    assert host.bridges("web1") == {"bond0": "", "eth0": "br0", "eth1": "br0", "eth0.10": ""}


def test_the_port_alone_is_marked_on_the_host(server: Server) -> None:
    meta = {"bridge": "br0", "bridge_port": "eth1"}
    server.system("kvm1", meta=meta, nics=("eth0", "eth1", "eth2"))
    server.installed("kvm1")
    assert server.bridges("kvm1") == {"eth0": "", "eth1": "br0", "eth2": ""}
    assert server.meta("kvm1") == meta


def test_only_our_fields_are_written(host: Server) -> None:
    """The bytes on disk, but for the time of the last change and what is ours."""
    host.edit(
        "system",
        "kvm1",
        autoinstall_meta={"b": "2", "a": "1", "bridge_mtu": "9000"},
        kernel_options={"z": "1", "y": "~"},
        comment="eine Brücke",
        name_servers=["192.0.2.53"],
    )
    guest(host, nics=("eth1", "eth0"), more={"mtu-eth0": "1400", "virtbridge-eth0": "br9"})
    files = {name: host.file_of(name) for name in ("kvm1", "web1")}
    before = {name: file.read_text() for name, file in files.items()}
    host.installed("kvm1")
    for name, file in files.items():
        after = json.loads(file.read_text())
        expected = json.loads(before[name])
        assert after["mtime"] > expected["mtime"]
        expected["mtime"] = after["mtime"]
        if name == "kvm1":
            expected["interfaces"]["eth0"]["virt_bridge"] = "br0"
        else:
            expected["interfaces"]["eth1"]["virt_bridge"] = "br0"
        assert file.read_text() == json.dumps(expected)


def test_no_trigger_and_no_boot_file(host: Server) -> None:
    """What is written here concerns no boot file, and must not set off anybody's triggers."""
    guest(host)
    called = host.cobbler.path("/var/lib/cobbler/called")
    scripts = [
        host.cobbler.path("/var/lib/cobbler/triggers/%s/count" % kind)
        for kind in ("change", "add/system/post")
    ]
    for script in scripts:
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text('#!/bin/sh\necho "$1" >> /var/lib/cobbler/called\n')
        script.chmod(0o755)
    try:
        host.mark()
        host.installed("kvm1")
        assert not called.exists()
        assert "generating: " not in host.log()
        assert "sync_systems" not in host.log()
        # the same, where an administrator saves
        host.edit("system", "web1", comment="saved")
        assert called.read_text().split() == ["web1", "web1"]
        assert "generating: " in host.log()
    finally:
        for file in [called, *scripts]:
            file.unlink()


def test_inherited_variables_are_not_frozen(host: Server) -> None:
    host.template("colour", MINIMAL.replace("%post\n", "%post\necho $colour\n"))
    host.edit("profile", "hosts", autoinstall="/colour.ks")
    host.edit("profile", "hosts", autoinstall_meta={"bridge": "br0", "colour": "red"})
    host.edit("system", "kvm1", autoinstall_meta="<<inherit>>")
    host.installed("kvm1")
    assert host.meta("kvm1") == "<<inherit>>"
    host.edit("profile", "hosts", autoinstall_meta={"bridge": "br1", "colour": "blue"})
    kickstart = host.kickstart("kvm1")
    assert "\necho blue\n" in kickstart
    assert "bridge br1 on EL 7 (ifcfg), for kvm1" in kickstart
    host.edit("profile", "hosts", autoinstall_meta={"colour": "green"})
    host.reinstalled("kvm1")
    assert host.state("kvm1") is None
    assert "\necho green\n" in host.kickstart("kvm1")


def test_many_guests_at_once(host: Server) -> None:
    names = ["web%d" % number for number in range(12)]
    for name in names:
        guest(host, name)
    guest(host, "other", "kvm2")
    host.installed("kvm1")
    assert {name: host.bridges(name) for name in names} == dict.fromkeys(names, {"eth0": "br0"})
    assert host.bridges("other") == {"eth0": ""}


@pytest.fixture(params=["index made before", "index made after"])
def two_guests(host: Server, request: pytest.FixtureRequest) -> Server:
    """Two guests; the triggers know their names already, or look for the first time later."""
    if request.param == "index made before":
        host.installed("kvm1")
        host.edit("system", "kvm1", netboot_enabled=True)
        host.trigger("pre", "kvm1")
    else:
        host.cobbler.restart()
        host.trigger("pre", "kvm1")
    guest(host)
    guest(host, "web2")
    return host


def cobbler(server: Server, *words: str) -> None:
    server.cobbler.run(["cobbler", "system", *words])


def test_renamed_guest(two_guests: Server) -> None:
    cobbler(two_guests, "rename", "--name=web1", "--newname=www1")
    two_guests.installed("kvm1")
    assert two_guests.bridges("www1") == {"eth0": "br0"}
    assert two_guests.bridges("web2") == {"eth0": "br0"}


def test_renamed_guest_whose_name_went_to_another(two_guests: Server) -> None:
    cobbler(two_guests, "rename", "--name=web1", "--newname=www1")
    two_guests.system("web1")
    two_guests.installed("kvm1")
    assert two_guests.bridges("www1") == {"eth0": "br0"}
    assert two_guests.bridges("web1") == {"eth0": ""}


def test_removed_guest(two_guests: Server) -> None:
    cobbler(two_guests, "remove", "--name=web1")
    two_guests.mark()
    two_guests.installed("kvm1")
    assert two_guests.bridges("web2") == {"eth0": "br0"}
    assert not two_guests.file_of("web1").exists()
    assert not [line for line in two_guests.said() if "web1" in line or "failed" in line]


def test_copied_guest(two_guests: Server) -> None:
    words = ["--name=web1", "--newname=web3", "--interface=eth0", "--mac=" + two_guests.mac()]
    cobbler(two_guests, "copy", *words)
    # Cobbler's copy of a field that nobody set
    assert two_guests.bridges("web3") == {"eth0": "<<inherit>>"}
    two_guests.installed("kvm1")
    assert two_guests.bridges("web3") == {"eth0": "br0"}
    words = ["--name=web1", "--newname=web4", "--interface=eth0", "--mac=" + two_guests.mac()]
    cobbler(two_guests, "copy", *words)
    assert two_guests.bridges("web4") == {"eth0": "br0"}


def test_guest_that_changes_its_host(host: Server) -> None:
    host.system("kvm2", "rhel7", {"bridge": "br2"})
    host.installed("kvm1", "kvm2")
    host.trigger("pre", "kvm1")
    guest(host)
    host.edit("system", "web1", autoinstall_meta={"bridge_host": "kvm2"})
    assert host.bridges("web1") == {"eth0": "br2"}
    host.installed("kvm1")
    assert host.bridges("web1") == {"eth0": "br2"}


ODD: Dict[str, Tuple[str, str]] = {
    # what stands in the URL, and how the log shows it
    "unknown": ("nobody", "'nobody'"),
    "capitals": ("KVM1", "'KVM1'"),
    "substitution": ("$(id)", "'$(id)'"),
    "substitution, encoded": ("%24(touch%20reached)", "'$(touch reached)'"),
    "newline": ("a%0A2026%20-%20INFO%20|%20forged", r"'a\n2026 - INFO | forged'"),
    "terminal's command": ("a%C2%9B31m", r"'a\x9b31m'"),
    "quotes": ("%27%22%3B", "'\\'\";'"),
    "not UTF-8": ("%ff", "'\ufffd'"),
    "format": ("%25s%25(name)d", "'%s%(name)d'"),
    "inherit": ("<<inherit>>", "'<<inherit>>'"),
    "trailing space": ("kvm1%20", "'kvm1 '"),
    "ten thousand": ("x" * 10000, "'" + "x" * 59 + "… (10000 characters)"),
}
# Cobbler's web service makes something else of these before it calls a trigger
TURNED: Dict[str, str] = {
    "parent folder": "..%2f..%2fetc%2fpasswd",
    "parent folder of a name": "..%2Fkvm1",
    "zero": "%00",
    "what XML can't carry": "a%1B[31m",
    "no name": "",
}


def _without_log() -> Iterator[Server]:
    """The pack in a Cobbler without pre_log and post_log.

    These two refuse names that Cobbler does not know, and their error ends the row of triggers
    before ours or behind ours, as the disk lists them.
    """
    with PrivateCobbler() as private:
        server = Server(private)
        for name in ("pre_log", "post_log"):
            (private.path(private.package) / "modules/installation" / (name + ".py")).unlink()
        server.install()
        server.add_releases()
        server.system("kvm1", meta={"bridge": "br0"})
        server.installed("kvm1")
        yield server


@pytest.fixture(scope="module")
def _those_without_log() -> Iterator[Shared[Server]]:
    with Shared(_without_log, Server.answers) as shared:
        yield shared


@pytest.fixture
def without_log(_those_without_log: Shared[Server]) -> Iterator[Server]:
    with _those_without_log.lent() as server:
        yield server


@pytest.mark.parametrize("mode", ["pre", "post"])
@pytest.mark.parametrize(("name", "shown"), ODD.values(), ids=ODD)
def test_unknown_name(without_log: Server, name: str, shown: str, mode: str) -> None:
    before = without_log.disk()
    without_log.mark()
    assert without_log.trigger(mode, name) == Answer(200, "True")
    assert without_log.disk() == before
    assert without_log.said() == ["WARNING | cobbler-bridge: no system is called " + shown]


@pytest.mark.parametrize("name", TURNED.values(), ids=TURNED)
def test_name_that_cobbler_turns_into_another(without_log: Server, name: str) -> None:
    before = without_log.disk()
    without_log.mark()
    for mode in ("pre", "post"):
        without_log.trigger(mode, name)
    assert without_log.disk() == before
    assert set(without_log.said()) <= {"WARNING | cobbler-bridge: no system is called None"}


def test_profile_without_a_system(without_log: Server) -> None:
    without_log.profile("bare-metal", meta={"bridge": "br0"})
    before = without_log.disk()
    without_log.mark()
    for mode in ("pre", "post"):
        assert without_log.trigger(mode, "bare-metal", "profile") == Answer(200, "True")
    assert without_log.disk() == before
    assert without_log.said() == [
        "INFO | cobbler-bridge: profile 'bare-metal' was installed from '127.0.0.1', which is the "
        "address of no system: its bridge is not recorded; give one system of this profile that "
        "address with 'cobbler system edit --ip-address' to have it recorded"
    ]


def test_profile_without_a_bridge(without_log: Server) -> None:
    without_log.mark()
    assert without_log.trigger("post", "rhel7", "profile") == Answer(200, "True")
    assert without_log.said() == []


@pytest.mark.parametrize("name", ["nobody", "a%0Ab"])
def test_unknown_profile(without_log: Server, name: str) -> None:
    before = without_log.disk()
    without_log.mark()
    assert without_log.trigger("post", name, "profile") == Answer(200, "True")
    assert without_log.disk() == before
    assert without_log.said() == [
        "WARNING | cobbler-bridge: no profile is called '%s'" % name.replace("%0A", r"\n")
    ]


def test_answers_are_those_of_cobbler_alone(host: Server, fresh: Server) -> None:
    """With the pack every answer, good or bad, is the one that Cobbler gives without it."""
    fresh.add_releases()
    fresh.system("kvm1")
    names = [name for name, _ in ODD.values()] + list(TURNED.values()) + ["kvm1", "kvm1/"]
    for name in names:
        for mode in ("pre", "post"):
            assert host.trigger(mode, name) == fresh.trigger(mode, name), (mode, name)
    for path in ("post", "firstboot/system/kvm1", "first_boot/system/kvm1", "post/image/kvm1"):
        path = "/cblr/svc/op/trig/mode/" + path
        assert host.get(path) == fresh.get(path)


def test_other_modes_change_nothing(host: Server) -> None:
    before = host.disk()
    for mode in ("first_boot", "..", "post%20"):
        host.trigger(mode, "kvm1")
    assert host.disk() == before


def break_file(server: Server, name: str) -> Callable[[], None]:
    """Make Cobbler unable to save a system: a folder in its file's place; returns the repair."""
    file = server.file_of(name)
    kept = file.with_suffix(".kept")
    file.rename(kept)
    file.mkdir()

    def repair() -> None:
        file.rmdir()
        kept.rename(file)

    return repair


def break_folder(folder: Path) -> Callable[[], None]:
    """Put a file in a folder's place; returns the repair."""
    kept = folder.with_suffix(".kept")
    folder.rename(kept)
    folder.write_text("")

    def repair() -> None:
        folder.unlink()
        kept.rename(folder)

    return repair


def install_log(server: Server) -> List[str]:
    """Which installations Cobbler's own triggers logged: name, start or stop."""
    file = server.cobbler.path("/var/log/cobbler/install.log")
    lines = file.read_text().splitlines() if file.exists() else []
    return ["%s %s" % (line.split("\t")[1], line.split("\t")[3]) for line in lines]


@pytest.mark.parametrize("mode", ["pre", "post", "firstboot"])
@pytest.mark.parametrize("what", ["record", "system"])
def test_what_cannot_be_saved_is_not_answered_with_true(host: Server, mode: str, what: str) -> None:
    if (what, mode) == ("system", "pre"):
        pytest.skip("no interface is marked yet, and the system not saved")
    folder = host.cobbler.path(LEDGER)
    repair = break_file(host, "kvm1") if what == "system" else break_folder(folder)
    try:
        assert host.trigger(mode, "kvm1").status == 500
        # nor is it so in memory
        nics = host.cobbler.rpc("get_item", "system", "kvm1")["interfaces"]
        assert nics["eth0"]["virt_bridge"] in ("", "<<inherit>>")
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert what == "record" or files == [folder / ".moved"]
    finally:
        repair()
    (said,) = host.said()
    wrong = "IsADirectory" if what == "system" else ""
    assert said.startswith("ERROR | cobbler-bridge: %s of 'kvm1': not saved: %s" % (mode, wrong))
    # and when the disk is well again, so is everything
    host.installed("kvm1")
    assert (host.state("kvm1") or "").startswith("br0/")


def test_a_failure_inside_breaks_nothing(host: Server) -> None:
    """What is wrong with a system's data is not a reason to keep other triggers from running."""
    before = install_log(host)
    host.edit("system", "kvm1", autoinstall_meta={"bridge": ["a"], "bridge_ipv4": {"b": []}})
    assert host.trigger("post", "kvm1") == Answer(200, "True")
    assert install_log(host) == [*before, "kvm1 stop"]
    assert host.state("kvm1") is None


def test_one_guest_that_fails(host: Server) -> None:
    for name in ("web1", "web2", "web3"):
        guest(host, name)
    repair = break_file(host, "web2")
    try:
        assert host.trigger("post", "kvm1").status == 500
    finally:
        repair()
    # what the host did is true, whatever became of its guests
    assert host.state("kvm1") == "br0/installed"
    assert host.bridges("web1") == {"eth0": "br0"}
    assert host.bridges("web2") == {"eth0": ""}
    assert host.bridges("web3") == {"eth0": "br0"}
    first, second = (line for line in host.said() if line.startswith("ERROR"))
    assert first.startswith("ERROR | cobbler-bridge: guest web2 could not be placed: IsADirectory")
    assert second.endswith("post of 'kvm1': not saved: guests ['web2'] stay where they are")
    # it asks again
    assert host.trigger("firstboot", "kvm1") == Answer(200, "True")
    assert host.bridges("web2") == {"eth0": "br0"}


def test_what_somebody_writes_where_records_were_once(host: Server) -> None:
    """Nobody reads it, nobody takes it away."""
    host.edit("system", "kvm1", autoinstall_meta={"bridge_record": "br9/verified/x"})
    guest(host)
    assert host.bridges("web1") == {"eth0": ""}
    host.installed("kvm1")
    assert host.state("kvm1") == "br0/installed"
    assert host.bridges("web1") == {"eth0": "br0"}
    assert host.meta("kvm1") == {"bridge_record": "br9/verified/x"}


@pytest.mark.parametrize("text", ["", "{}", "[", '{"format": 2}', "\xff"])
def test_a_record_that_is_damaged(host: Server, text: str) -> None:
    """It costs this host its record, until it has another."""
    guest(host)
    host.system("kvm2", "hosts")
    host.installed("kvm1", "kvm2")
    path = next(each for each in host.ledger() if each.name.startswith("kvm1="))
    path.write_bytes(text.encode("latin-1"))
    assert "kvm1: record: what is remembered of it" in host.command("check", check=False).stdout
    assert re.search("kvm2 +br0 +eth0 +installed", host.command("show").stdout)
    host.installed("kvm1")
    assert host.state("kvm1") == "br0/installed"
    assert "can't be read" not in host.command("check", check=False).stdout


HOSTS = 8


def at_once(work: Callable[[int], None]) -> None:
    """Call ``work`` with each number below HOSTS, each in a thread of its own."""
    ready = threading.Barrier(HOSTS)

    def begin(number: int) -> None:
        ready.wait(HANGS)
        work(number)

    with ThreadPoolExecutor(HOSTS) as pool:
        for done in [pool.submit(begin, number) for number in range(HOSTS)]:
            done.result(HANGS)


def test_everything_at_once(host: Server) -> None:
    """Hosts finish and guests are saved at the same time."""
    guests = {
        "%s%d-%d" % (kind, number, each): number
        for number in range(HOSTS)
        for each in range(2)
        for kind in "gn"
    }
    for number in range(HOSTS):
        host.system("h%d" % number, "rhel7", {"bridge": "br%d" % number})
    for name, number in guests.items():
        if name.startswith("g"):
            guest(host, name, "h%d" % number)
    host.mark()

    def work(number: int) -> None:
        host.installed("h%d" % number)
        for each in range(2):
            host.edit("system", "g%d-%d" % (number, each), comment="saved")
            guest(host, "n%d-%d" % (number, each), "h%d" % number)
        host.installed("h%d" % number)

    at_once(work)
    for number in range(HOSTS):
        assert host.state("h%d" % number) == "br%d/installed" % number
    placed = {name: host.bridges(name) for name in guests}
    assert placed == {name: {"eth0": "br%d" % number} for name, number in guests.items()}
    assert not re.findall(r".*(?: - ERROR \| |Traceback|Exception).*", host.log())


def test_one_host_many_times_at_once(host: Server) -> None:
    for number in range(6):
        guest(host, "web%d" % number)
    at_once(lambda number: host.installed("kvm1"))
    host.installed("kvm1")
    assert host.state("kvm1") == "br0/installed"
    for number in range(6):
        assert host.bridges("web%d" % number) == {"eth0": "br0"}
    assert " - ERROR | " not in host.log()


def test_another_server_with_the_same_collections(host: Server, fresh: Server) -> None:
    """Records are files: a server that gets those too has everything."""
    guest(host)
    host.installed("kvm1")
    for folder in (
        "/var/www/cobbler/distro_mirror",
        "/var/lib/cobbler/templates",
        COLLECTIONS,
        LEDGER,
    ):
        target = fresh.cobbler.path(folder)
        shutil.copytree(host.cobbler.path(folder), target, dirs_exist_ok=True)
    fresh.install()
    assert fresh.command("show").stdout == host.command("show").stdout
    assert fresh.state("kvm1") == "br0/installed"
    fresh.system(
        "web2", meta={"bridge_host": "kvm1"}, more={"macaddress-eth0": "52:54:00:ff:00:01"}
    )
    assert fresh.bridges("web2") == {"eth0": "br0"}
