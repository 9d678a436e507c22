"""A host that calls at its first boot, in the real cobblerd: who is believed, and what is kept."""

import functools
import http.client
import itertools
import threading
import time
from typing import Any, Callable, Dict, List, Sequence

import pytest

from private_cobbler import PrivateCobblerError
from real.server import Answer, Server
from waiting import HANGS

STATIC = {"ipaddress-eth0": "10.0.0.5", "netmask-eth0": "255.255.255.0", "static-eth0": True}
STATIC6 = {"ipv6address-eth0": "2001:db8::5", "ipv6prefix-eth0": "64", "static-eth0": True}
SECONDS = 6


@pytest.fixture
def host(server: Server) -> Server:
    """A Cobbler with the installed host kvm1 and a guest of it that came since."""
    server.profile("hosts", meta={"bridge": "br0"})
    server.system("kvm1", "hosts")
    server.installed("kvm1")
    server.mark()
    return server


def call(
    server: Server, name: str, address: Any, mode: str = "firstboot", kind: str = "system"
) -> None:
    """The call as the web application hands it on, from this address."""
    assert server.cobbler.rpc("run_install_triggers", mode, kind, name, address) is True


def test_a_proved_host(host: Server) -> None:
    installed = host.record("kvm1")
    assert installed is not None
    time.sleep(1.1)
    assert host.trigger("firstboot", "kvm1") == Answer(200, "True")
    assert host.state("kvm1") == "br0/verified"
    verified = host.record("kvm1")
    assert verified is not None
    assert verified["since"] == verified["seen"] > installed["since"]
    # the answer may have been lost
    assert host.trigger("firstboot", "kvm1") == Answer(200, "True")
    assert host.record("kvm1") == verified
    assert "verified" in host.command("show").stdout


def test_it_places_the_guests(host: Server) -> None:
    host.system("web1", "rhel7", {"bridge_host": "kvm1"}, more={"virtbridge-eth0": "br9"})
    host.edit("system", "web1", modify_interface={"virtbridge-eth0": "<<inherit>>"})
    assert host.trigger("firstboot", "kvm1") == Answer(200, "True")
    assert host.bridges("web1") == {"eth0": "br0"}


def test_what_show_says_before(host: Server) -> None:
    host.system("kvm2", "hosts", {"bridge_verify": "no"})
    host.installed("kvm2")
    first, second = host.command("show").stdout.splitlines()[1:]
    assert "installed, never verified" in first
    assert "never" not in second
    host.trigger("firstboot", "kvm1")
    assert "never" not in host.command("show").stdout


@pytest.mark.parametrize("lost", [["pre", "post"], ["post"]])
def test_a_signal_before_it_was_lost(host: Server, lost: List[str]) -> None:
    host.system("kvm2", "hosts")
    if "pre" not in lost:
        host.trigger("pre", "kvm2")
    assert host.trigger("firstboot", "kvm2") == Answer(200, "True")
    assert host.state("kvm2") == "br0/verified"


def test_a_host_without_a_bridge(host: Server) -> None:
    host.system("kvm2")
    before = host.disk()
    host.mark()
    assert host.trigger("firstboot", "kvm2") == Answer(200, "True")
    assert host.disk() == before
    assert host.said() == ["WARNING | cobbler-bridge: first boot of 'kvm2': it has no bridge"]


def test_a_reinstall_begins_anew(host: Server) -> None:
    host.system("web1", "rhel7", {"bridge_host": "kvm1"})
    host.trigger("firstboot", "kvm1")
    host.edit("system", "kvm1", netboot_enabled=True)
    host.trigger("pre", "kvm1")
    assert host.state("kvm1") == "br0/installing"
    assert host.bridges("web1") == {"eth0": "br0"}
    # as the last lines of a kickstart have it: from here on it is not to be installed
    assert host.get("/cblr/svc/op/nopxe/system/kvm1") == Answer(200, "True")
    host.trigger("post", "kvm1")
    assert host.state("kvm1") == "br0/installed"
    host.trigger("firstboot", "kvm1")
    assert host.state("kvm1") == "br0/verified"


@pytest.mark.parametrize("state", ["installed", "verified"])
def test_a_host_that_is_not_to_be_installed(host: Server, state: str) -> None:
    """Whatever became of its data meanwhile: a bridge, another, one that is refused, or none."""
    if state == "verified":
        host.trigger("firstboot", "kvm1")
    metas: List[Dict[str, str]] = [{"bridge": "br0"}, {"bridge": "br1"}, {"bridge": "b r"}, {}]
    for meta in metas:
        host.edit("profile", "hosts", autoinstall_meta=meta)
        before = host.disk()
        for mode in ("pre", "post"):
            host.mark()
            assert host.trigger(mode, "kvm1") == Answer(200, "True")
            assert host.said() == [
                "WARNING | cobbler-bridge: %s of 'kvm1': it is %s and not to be installed, its "
                "record stays as it is; to install it again say 'cobbler system edit --name=kvm1 "
                "--netboot-enabled=1', and if it was, 'cobbler-bridge record kvm1'" % (mode, state)
            ]
        assert host.disk() == before


@pytest.mark.parametrize("name", ["nobody", "..%2Fkvm1", "a%0Ab", "%24(id)"])
def test_nobody(host: Server, name: str) -> None:
    before = host.disk()
    host.trigger("firstboot", name)
    host.trigger("firstboot", name, "profile")
    assert host.disk() == before


@pytest.mark.parametrize(
    ("meta", "more", "address", "believed"),
    [
        ({}, {}, "10.0.0.5", True),
        ({}, {}, "", True),
        ({}, STATIC, "10.0.0.5", True),
        ({}, STATIC, "::ffff:10.0.0.5", True),
        ({}, STATIC, "10.0.0.6", False),
        ({}, STATIC, "", False),
        ({}, STATIC, None, False),
        ({}, STATIC, "10.0.0.5; reboot", False),
        # a router's advertisement may have given it
        ({}, STATIC, "2001:db8::7", True),
        ({}, STATIC6, "2001:DB8::5", True),
        ({}, STATIC6, "2001:db8::7", False),
        # a DHCP server's business
        ({}, dict(STATIC, **{"static-eth0": False}), "10.0.0.6", True),
        ({"bridge_ipv4": "10.0.0.7/24,10.0.0.1"}, {}, "10.0.0.7", True),
        ({"bridge_ipv4": "10.0.0.7/24,10.0.0.1"}, {}, "10.0.0.5", False),
        ({"bridge_ipv4": "dhcp"}, STATIC, "10.0.0.6", True),
    ],
)
def test_the_callers_address(
    server: Server, meta: Dict[str, str], more: Dict[str, Any], address: Any, believed: bool
) -> None:
    server.profile("hosts", meta={"bridge": "br0"})
    server.system("kvm1", "hosts", meta, more=more)
    server.installed("kvm1")
    assert server.state("kvm1") == "br0/installed"
    server.mark()
    call(server, "kvm1", address)
    assert server.state("kvm1") == "br0/" + ("verified" if believed else "installed")
    said = "WARNING | cobbler-bridge: first boot of kvm1: %r is none of its static addresses; " % (
        address or ""
    )
    assert [line.startswith(said) for line in server.said()] == [not believed]


def test_a_profile_install_finds_its_system(server: Server) -> None:
    server.profile("hosts", meta={"bridge": "br0"})
    reserved = {"ipaddress-eth0": "10.0.0.5"}
    server.system("kvm1", "hosts", more=reserved)
    server.system("kvm2", "hosts", {"bridge": "br7", "bridge_ipv4": "10.0.0.6/24"})
    for address, name, bridge in (("10.0.0.5", "kvm1", "br0"), ("10.0.0.6", "kvm2", "br7")):
        for mode, state in (
            ("pre", "installing"),
            ("post", "installed"),
            ("firstboot", "verified"),
        ):
            call(server, "hosts", address, mode, "profile")
            # its own bridge, whatever the profile has
            assert server.state(name) == "%s/%s" % (bridge, state)
    assert server.state("kvm1") == "br0/verified"


def test_a_profile_that_is_not_its_own(server: Server) -> None:
    """Neither a host that has another profile changes, nor one that will have one, nor a guest."""
    server.profile("above", meta={"bridge": "br9"})
    server.add("profile", "hosts", parent="above", autoinstall_meta={"bridge": "br0"})
    server.profile("others", meta={"bridge": "br8"})
    server.profile("plain")
    server.system("kvm1", "hosts", more={"ipaddress-eth0": "10.0.0.5"})
    server.system("web1", "plain", {"bridge_host": "kvm1"}, more={"ipaddress-eth0": "10.0.0.6"})
    modes = ("pre", "post", "firstboot")
    for state, of_its_own in zip((None, "installing", "installed", "verified"), ("", *modes)):
        if of_its_own:
            server.trigger(of_its_own, "kvm1")
        assert server.state("kvm1") == (state and "br0/" + state)
        before = server.disk()
        for mode, profile in itertools.product(modes, ("others", "above", "plain")):
            server.mark()
            call(server, profile, "10.0.0.5", mode, "profile")
            assert server.said() == [
                "WARNING | cobbler-bridge: profile '%s' was installed from '10.0.0.5', which is "
                "the address of 'kvm1': its own profile is 'hosts', and its record stays as it is"
                % profile
            ]
            call(server, profile, "10.0.0.6", mode, "profile")
        assert server.disk() == before


@pytest.mark.parametrize("mode", ["post", "firstboot"])
def test_a_profile_install_of_nobody_or_of_two(server: Server, mode: str) -> None:
    server.profile("hosts", meta={"bridge": "br0"})
    for name, profile in (("kvm1", "hosts"), ("kvm2", "rhel7")):
        # Cobbler refuses this, but for a setting
        server.system(name, profile, {"bridge_ipv4": "10.0.0.5/24"})
    before = server.disk()
    for address, owners in (
        ("10.0.0.5", "kvm1 and kvm2"),
        ("10.0.0.9", "no system"),
    ):
        server.mark()
        call(server, "hosts", address, mode, "profile")
        assert server.said() == [
            "INFO | cobbler-bridge: profile 'hosts' was installed from '%s', which is the address "
            "of %s: its bridge is not recorded; give one system of this profile that address with "
            "'cobbler system edit --ip-address' to have it recorded" % (address, owners)
        ]
    assert server.disk() == before


def test_an_address_that_moves(server: Server) -> None:
    """Edited, renamed, removed: the one that has it now."""
    server.profile("hosts", meta={"bridge": "br0"})
    server.system("kvm1", "hosts", more={"ipaddress-eth0": "10.0.0.5"})
    server.system("kvm2", "hosts")
    call(server, "hosts", "10.0.0.5", "pre", "profile")
    assert server.state("kvm1") == "br0/installing"
    server.edit("system", "kvm1", modify_interface={"ipaddress-eth0": "10.0.0.7"})
    server.edit("system", "kvm2", modify_interface={"ipaddress-eth0": "10.0.0.5"})
    call(server, "hosts", "10.0.0.5", "post", "profile")
    assert (server.state("kvm1"), server.state("kvm2")) == ("br0/installing", "br0/installed")
    server.cobbler.run(["cobbler", "system", "rename", "--name=kvm1", "--newname=www1"])
    call(server, "hosts", "10.0.0.7", "post", "profile")
    assert server.state("www1") == "br0/installed"
    server.remove("system", "kvm2")
    server.system("kvm3", "hosts", more={"ipaddress-eth0": "10.0.0.5"})
    call(server, "hosts", "10.0.0.5", "post", "profile")
    assert server.state("kvm3") == "br0/installed"


def calling(server: Server, name: str, answered: List[str], give_up: float) -> None:
    """As a host does it: again and again until the answer is the right one."""
    while time.monotonic() < give_up:
        try:
            if server.trigger("firstboot", name) == Answer(200, "True"):
                answered.append(name)
                return
        except (OSError, PrivateCobblerError, http.client.HTTPException):
            pass
        time.sleep(0.5)


def in_threads(
    calls: Sequence[Callable[[], None]], seconds: float, in_the_middle: Callable[[], None]
) -> None:
    """Begin these calls one after the other within a time, with something else halfway."""
    threads = []
    for number, each in enumerate(calls):
        if number == len(calls) // 2:
            in_the_middle()
        threads.append(threading.Thread(target=each))
        threads[-1].start()
        time.sleep(seconds / len(calls))
    for thread in threads:
        thread.join()


# in brackets: the shell's own command line has the word too
KILL = """
for each in /proc/[0-9]*; do
    ! grep -qs 'bin/[c]obblerd' "$each/cmdline" || kill -9 "${each##*/}"
done
"""


def kill_and_restart(server: Server) -> None:
    server.cobbler.run(["sh", "-c", KILL])
    with pytest.raises((OSError, PrivateCobblerError, http.client.HTTPException)):
        server.cobbler.rpc("ping")
    server.cobbler.restart()


def storm(server: Server, count: int, seconds: float) -> None:
    """Many hosts call within a time; cobblerd is killed in the middle and started again."""
    names = ["kvm%d" % number for number in range(count)]
    server.profile("hosts", meta={"bridge": "br0"})
    for name in names:
        server.system(name, "hosts")
        server.installed(name)
    answered: List[str] = []
    give_up = time.monotonic() + seconds + HANGS
    calls = [functools.partial(calling, server, name, answered, give_up) for name in names]
    begin = time.monotonic()
    restart = threading.Thread(target=kill_and_restart, args=(server,))
    in_threads(calls, seconds, restart.start)
    restart.join()
    print("%d hosts in %.1f s" % (len(answered), time.monotonic() - begin))
    assert sorted(answered) == sorted(names)
    assert {server.state(name) for name in names} == {"br0/verified"}
    # and what cobblerd would say after another start
    server.cobbler.restart()
    assert server.command("show").stdout.count(" verified ") == count


@pytest.mark.parametrize("count", [40, pytest.param(100, marks=pytest.mark.thorough)])
def test_many_hosts_while_cobblerd_is_killed(server: Server, count: int) -> None:
    storm(server, count, SECONDS)
