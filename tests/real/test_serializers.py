"""Cobbler that keeps its items elsewhere than in files: records and places are beside them."""

import json

import yaml

from environments import VERSIONS
from private_cobbler import PrivateCobbler
from real.server import COLLECTIONS, Server
from real.versions import server_of


def as_it_shall_be(server: Server) -> None:
    (host,) = json.loads(server.command("show", "--format", "json").stdout)
    assert (host["host"], host["bridges"], host["state"]) == ("kvm1", ["br0"], "verified")
    assert host["guests"] == [{"guest": "web1", "nics": {"eth0": "br0", "eth1": "br9"}}]


def test_sqlite() -> None:
    (version,) = (each for each in VERSIONS if each.name == "4.0.0b7")
    version.must_be_made()
    with PrivateCobbler(python=version.interpreter) as cobbler:
        settings = cobbler.path("/etc/cobbler/settings.yaml")
        known = yaml.safe_load(settings.read_text())
        known["modules"]["serializers"]["module"] = "serializers.sqlite"
        settings.write_text(yaml.safe_dump(known))
        cobbler.restart()
        server = server_of(version, cobbler)
        server.install()
        server.add_releases()
        server.profile("hosts", meta={"bridge": "br0"})
        server.system("kvm1", "hosts")
        server.system("web1", meta={"bridge_host": "kvm1"}, nics=("eth0", "eth1"))
        server.edit("system", "web1", modify_interface={"virtbridge-eth1": "br9"})
        server.installed("kvm1")
        server.trigger("firstboot", "kvm1")
        as_it_shall_be(server)
        # all of it is on the disk
        assert not list(cobbler.path(COLLECTIONS + "/systems").glob("*"))
        cobbler.restart()
        as_it_shall_be(server)
        # an edit that is not saved takes nothing away, and one that is loses no record
        handle = cobbler.rpc("get_item_handle", "system", "kvm1")
        words = ["autoinstall_meta"], {"bridge": "b r"}
        assert cobbler.rpc("modify_system", handle, *words, cobbler.token) is True
        for mode in ("pre", "post"):
            server.trigger(mode, "kvm1")
        server.edit("system", "kvm1", autoinstall_meta={})
        as_it_shall_be(server)
        assert "ERROR | cobbler-bridge" not in cobbler.log()
