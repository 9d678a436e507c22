"""A site that has Terraform write its systems: what it wrote is what it reads back."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from real.server import Server
from real.terraform import Provider, Resource
from real.versions import with_the_pack

NOTHING = "Apply complete! Resources: 0 added, 0 changed, 0 destroyed."


class Site:
    """What stands in the configuration, and Terraform to apply it."""

    def __init__(self, server: Server, provider: Provider) -> None:
        self.server, self.provider = server, provider
        self.hosts = {"kvm1": {"bridge": "br0"}}
        self.guests = {name: {"bridge_host": "kvm1"} for name in ("web1", "web2")}
        self.comment = "by Terraform"
        self.bridge = ""
        self._macs: Dict[str, str] = {}
        self._is_4 = Resource(server.cobbler).version >= (4,)

    def configuration(self) -> str:
        text = ""
        for name, meta in {**self.hosts, **self.guests}.items():
            mac = self._macs.setdefault(name, self.server.mac())
            variables = ", ".join('%s = "%s"' % each for each in meta.items())
            profile = "rhel7"
            nic = 'mac_address = "%s"' % mac
            if self._is_4:
                profile = str(self.server.cobbler.rpc("get_item_handle", "profile", profile))
                rest = INTERFACE_40 % {"name": name, "nic": nic}
            else:
                nic += "\n" + self.bridge if name in self.guests else ""
                rest = '  interface "eth0" {\n%s\n  }\n}\n' % nic
            text += SYSTEM % (name, name, profile, self.comment, variables) + rest
        return text

    def apply(self, check: bool = True, replace: str = "") -> str:
        words = ["-replace=" + replace] if replace else []
        return self.provider.apply(self.configuration(), *words, check=check)

    def is_as_written(self) -> None:
        """Terraform has nothing to do, and Cobbler has what was written, and no note of ours."""
        assert self.apply() == NOTHING
        for name, meta in {**self.hosts, **self.guests}.items():
            assert self.server.meta(name) == meta

    def nics(self, name: str) -> str:
        (bridge,) = self.server.bridges(name).values()
        return bridge


SYSTEM = """\
resource "cobbler_system" "%s" {
  name    = "%s"
  profile = "%s"
  comment = "%s"
  autoinstall_meta = {
    inherited = false
    value     = { %s }
  }
"""
INTERFACE_40 = """\
}
resource "cobbler_network_interface" "%(name)s" {
  name   = "eth0-%(name)s"
  system = cobbler_system.%(name)s.uid
  %(nic)s
}
"""


def installs_itself(server: Server, name: str) -> None:
    server.installed(name)
    server.trigger("firstboot", name)


def shown(server: Server) -> Any:
    """Hosts and guests, as the command lists them."""
    (host,) = json.loads(server.command("show", "kvm1", "--format", "json").stdout)
    return host


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Site]:
    with Provider(server.cobbler, tmp_path) as provider:
        yield Site(server, provider)


def test_three_applies_and_what_comes_between(site: Site) -> None:
    server = site.server
    assert " 3 added, " in site.apply()
    site.is_as_written()
    # its own words, of what it has no part in
    installs_itself(server, "kvm1")
    assert server.state("kvm1") == "br0/verified"
    record = server.record("kvm1")
    assert [site.nics(name) for name in ("kvm1", "web1", "web2")] == ["br0"] * 3
    site.is_as_written()
    site.is_as_written()
    # every field is sent again, the bridges too: nobody chose them by that
    site.comment = "by Terraform, again"
    assert " 3 changed, " in site.apply()
    assert server.placed("web1") == {"eth0": "br0"}
    assert server.record("kvm1") == record
    # the host gets another bridge
    site.hosts = {"kvm1": {"bridge": "br1"}}
    assert " 1 changed, " in site.apply()
    server.reinstalled("kvm1")
    assert [site.nics(name) for name in ("kvm1", "web1", "web2")] == ["br1"] * 3
    site.is_as_written()
    # all is destroyed, and made again
    known = shown(server)
    # of the host's own interface nobody says any more that it is the port
    known["ports"] = {"br1": []}
    site.provider.terraform("destroy", "-auto-approve")
    assert server.names("system") == []
    assert " 3 added, " in site.apply()
    # and a guest has its place when it is made
    assert shown(server) == known
    assert known["bridges"] == ["br1"]
    site.is_as_written()


def test_a_guest_that_gets_another_host(site: Site) -> None:
    server = site.server
    site.hosts = {"kvm1": {"bridge": "br0"}, "kvm2": {"bridge": "dmz"}}
    site.guests = {"web1": {"bridge_host": "kvm1"}}
    site.apply()
    for name in site.hosts:
        installs_itself(server, name)
    site.is_as_written()
    # as it was is what it shall be, to Cobbler's provider, and that is no more so
    site.guests = {"web1": {"bridge_host": "kvm2"}}
    said = site.apply(check=False)
    assert 'virt_bridge: was cty.StringVal("br0"), but now\ncty.StringVal("dmz")' in said
    assert site.nics("web1") == "dmz"
    site.is_as_written()
    # made anew, nothing is expected of it
    site.guests = {"web1": {"bridge_host": "kvm1"}}
    assert " 1 added, 0 changed, 1 destroyed" in site.apply(replace="cobbler_system.web1")
    assert site.nics("web1") == "br0"
    site.is_as_written()
    # what the configuration says stays
    site.bridge = 'virt_bridge = "br9"'
    assert " 1 changed, " in site.apply()
    site.guests = {"web1": {"bridge_host": "kvm2"}}
    assert " 1 changed, " in site.apply()
    assert site.nics("web1") == "br9"
    site.is_as_written()


@pytest.mark.parametrize("cobbler", ["3.2.3", "4.0.0b7"])
def test_on_other_cobblers(cobbler: str, tmp_path: Path) -> None:
    with with_the_pack(cobbler) as server, Provider(server.cobbler, tmp_path) as provider:
        site = Site(server, provider)
        site.apply()
        site.is_as_written()
        installs_itself(server, "kvm1")
        assert server.state("kvm1") == "br0/verified"
        assert [site.nics(name) for name in ("kvm1", "web1", "web2")] == ["br0"] * 3
        site.is_as_written()
        known = shown(server)["guests"]
        provider.terraform("destroy", "-auto-approve")
        site.apply()
        assert shown(server)["guests"] == known
        site.is_as_written()
