"""The whole way, from ``install`` to ``uninstall``, on each Cobbler: the same for all."""

import json
from typing import Iterator, List

import pytest

from cobbler_bridge.limits import limits_of
from environments import VERSIONS, Version
from koan_network import KoanError, koan_networks
from private_cobbler import PrivateCobbler
from real.server import MINIMAL, PACKAGES, Server, part
from real.versions import server_of

MODULES = "/modules/cobbler_bridge"


@pytest.fixture(params=VERSIONS, ids=lambda version: str(version.name))
def version(request: pytest.FixtureRequest) -> Version:
    """Each of them, where this machine has its Python."""
    found: Version = request.param
    found.must_be_made()
    return found


@pytest.fixture
def any_server(version: Version) -> Iterator[Server]:
    """A running one, as it comes."""
    with PrivateCobbler(python=version.interpreter) as cobbler:
        yield server_of(version, cobbler)


def limits(version: Version) -> str:
    """What the table says that this one can't do."""
    return " ".join(limits_of(tuple(map(int, version.cobbler.partition("b")[0].split(".")))))


def test_the_whole_way(version: Version, any_server: Server) -> None:
    server = any_server
    comes_and_goes(server)
    server.install()
    said = server.command("install").stdout
    assert said.count(": unchanged\n") >= 6
    assert said.endswith("Everything is in place already.\n")
    for sentence in limits_of(tuple(server.cobbler.rpc("extended_version")["version_tuple"])):
        assert sentence in said
    assert "Exception raised when loading module cobbler_bridge" not in server.cobbler.log()

    server.add_releases()
    server.template("packages", MINIMAL.replace("%packages\n", PACKAGES))
    server.profile("hosts", meta={"bridge": "br0"}, template="packages")
    static = {"ipaddress-eth0": "192.0.2.10", "netmask-eth0": "255.255.255.0", "static-eth0": True}
    server.system("kvm1", "hosts", more=static)
    server.system("web1", meta={"bridge_host": "kvm1"}, nics=("eth0", "eth1"))
    kickstarts_are_rendered(server)
    edited_by_hand(version, server)

    server.installed("kvm1")
    guests_are_placed(server)
    server.cobbler.restart()
    guests_are_placed(server)
    koan_gets_it(version, server)
    command_writes(server)
    server.command("uninstall")
    server.cobbler.restart()
    assert "printf" not in server.kickstart("kvm1")
    guests_are_placed(server, shown=True)
    # as uninstall says, with no trigger left that would help
    server.command("record", "kvm1", "--clear")
    assert "bridge_record" not in (server.meta("kvm1") or {})


def test_a_template_of_the_administrators_own_wins() -> None:
    """With Cobbler 4.0, where snippets are template items with names."""
    (version,) = (each for each in VERSIONS if each.cobbler.startswith("4."))
    with PrivateCobbler(python=version.interpreter) as cobbler:
        server = server_of(version, cobbler)
        server.add_releases()
        server.profile("hosts", meta={"bridge": "br0"})
        server.template("bridge_setup", "# mine\n")
        server.install()
        assert "%post\n# mine\n" in server.kickstart("hosts", "profile")


def comes_and_goes(server: Server) -> None:
    """``uninstall`` leaves what was there before ``install``, to the byte."""
    before, folders = server.files(), server.folders()
    server.command("install")
    assert len(server.files()) >= len(before) + 6
    server.command("uninstall")
    assert server.files() == before
    assert server.folders() == folders


def kickstarts_are_rendered(server: Server) -> None:
    """The snippet's script stands in them, and it is what the command shows."""
    kickstart = server.kickstart("kvm1")
    assert "\n%packages\nbridge-utils\n" in kickstart
    script = part(kickstart)
    assert "IPADDR=192.0.2.10\n" in script
    rendered = server.command("render", "--system", "kvm1", "--format", "sh").stdout
    assert rendered == script
    profile = part(server.kickstart("hosts", "profile"))
    assert "BOOTPROTO=dhcp\n" in profile
    assert profile == server.command("render", "--profile", "hosts", "--format", "sh").stdout


def edited_by_hand(version: Version, server: Server) -> None:
    """Somebody chooses a bridge for one interface, with Cobbler's own command where it has one."""
    if version.cobbler.startswith("4."):
        server.edit("system", "web1", modify_interface={"virtbridge-eth1": "br9"})
        return
    # the script of 3.2.3 names another Python in its first line
    command = [str(version.interpreter), str(version.interpreter.parent / "cobbler")]
    edit = ["system", "edit", "--name=web1", "--interface=eth1", "--virt-bridge=br9"]
    server.cobbler.run([*command, *edit])


def guests_are_placed(server: Server, shown: bool = True) -> None:
    """The record stands on the host, and the guest's free interfaces have its bridge."""
    assert server.state("kvm1") == "br0/installed"
    assert server.bridges("kvm1")["eth0"] == "br0"
    placed = server.bridges("web1")
    assert (placed["eth0"], placed["eth1"]) == ("br0", "br9")
    if shown:
        (host,) = json.loads(server.command("show", "--format", "json").stdout)
        assert (host["host"], host["bridges"], host["state"]) == ("kvm1", ["br0"], "installed")
        assert host["guests"][0]["nics"]["eth0"] == "br0"


def command_writes(server: Server) -> None:
    """By hand, over XML-RPC: a record goes and comes, a guest is placed."""
    server.command("record", "kvm1", "--clear")
    assert server.state("kvm1") is None
    assert server.bridges("kvm1")["eth0"] != "br0"
    server.edit("system", "web1", modify_interface={"virtbridge-eth0": "<<inherit>>"})
    assert server.bridges("web1")["eth0"] != "br0"
    server.command("record", "kvm1")
    guests_are_placed(server)
    assert server.command("place").returncode == 0
    guests_are_placed(server)
    done = server.command("check", check=False)
    assert done.returncode in (0, 1), done.stderr
    # set by install where it matters, and no matter elsewhere
    assert "cheetah_import_whitelist" not in done.stdout
    assert "Traceback" not in done.stderr


def koan_gets_it(version: Version, server: Server) -> None:
    """The real Koan gives virt-install these, where it can speak with this Cobbler."""
    if "Koan 3.0.1 finds no system" in limits(version):
        with pytest.raises(KoanError, match="No entry"):
            koan_networks(server.cobbler, "web1")
        return
    networks: List[str] = koan_networks(server.cobbler, "web1")
    assert [each.partition(",")[0] for each in networks if ",mac=" in each] == [
        "bridge=br0",
        "bridge=br9",
    ]
    # the one that nobody asked for
    more = [each for each in networks if ",mac=" not in each]
    assert more == (["bridge=br0"] if "interface 'default'" in limits(version) else [])
