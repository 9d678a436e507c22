"""What an installer made of the NIC, in a real kernel: taken over before the machine starts again.

The programs and the far end are those of ``test_networkmanager``.
"""

from typing import Iterator

import pytest

from network_namespace import Machine
from real.test_networkmanager import CONNECTIONS, GATEWAY, INSTALLERS, MAC, Host

ADDRESS = "10.99.0.20/24"
STATIC = "\n[ipv4]\nmethod=manual\naddress1=%s,%s\n" % (ADDRESS, GATEWAY)
BRIDGE = """\
[connection]
id=br-home
uuid=6e2a1fd3-6a3c-3c7b-9c7e-2f1f6ec0a002
type=bridge
interface-name=br-home
autoconnect-slaves=1

[bridge]
stp=false
"""
PORT = """\
[connection]
id=br-home port
uuid=6e2a1fd3-6a3c-3c7b-9c7e-2f1f6ec0a003
type=ethernet
interface-name=eth0
controller=6e2a1fd3-6a3c-3c7b-9c7e-2f1f6ec0a002
port-type=bridge
"""


class Layered(Host):
    """A machine whose installer made a bridge of its own."""

    def make_bridge(self) -> None:
        run = self.machine.run
        run("ip", "link", "add", "br-home", "address", MAC, "type", "bridge")
        run("ip", "addr", "flush", "dev", "eth0")
        run("ip", "link", "set", "eth0", "master", "br-home")
        run("ip", "link", "set", "br-home", "up")
        run("ip", "addr", "add", ADDRESS, "dev", "br-home")
        run("ip", "route", "add", "default", "via", GATEWAY, "dev", "br-home")
        self.machine.path(INSTALLERS).unlink()
        self.write(CONNECTIONS + "/br-home.nmconnection", BRIDGE + STATIC, 0o600)
        self.write(CONNECTIONS + "/br-home_port.nmconnection", PORT, 0o600)


@pytest.fixture
def host() -> Iterator[Layered]:
    with Machine() as machine:
        host = Layered(machine)
        host.install()
        yield host


def test_an_installers_bridge(host: Layered) -> None:
    host.make_bridge()
    said = host.set_up(bridge="br0", bridge_ipv4="keep")
    assert "cobbler-bridge: the bridge br-home of eth0 is taken over\n" in said
    for start in ("first", "second"):
        host.boot()
        host.comes_up("br0")
        assert host.addresses("br0") == [ADDRESS]
        assert host.default_routes() == [GATEWAY + " br0"]
        assert host.ports("br0") == ["eth0"]
        assert not host.machine.path("/sys/class/net/br-home").exists()
        assert host.profiles() == ["br0 port 1:eth0", "br0:br0"]
        assert host.reaches_the_gateway()
        if start == "first":
            again = host.set_up(bridge="br0", bridge_ipv4="keep")
            assert again.endswith("cobbler-bridge: br0 is set up already\n")
            host.shut_down()


def test_what_stays(host: Layered) -> None:
    """A macvlan, which keeps a NIC from any bridge; a guest in the installer's bridge."""
    run = host.machine.run
    run("ip", "link", "add", "mv0", "link", "eth0", "type", "macvlan")
    said = host.set_up(bridge="br0")
    assert "cobbler-bridge: eth0 is part of mv0: nothing here describes" in said
    run("ip", "link", "del", "mv0")
    host.make_bridge()
    host.machine.wire("vnet0", "52:54:00:99:00:43", "guest", "guest0")
    run("ip", "link", "set", "vnet0", "master", "br-home")
    said = host.set_up(bridge="br0", bridge_port=MAC)
    assert "eth0 is in the bridge br-home, which has the default route, together with vnet0" in said
    assert said.endswith("; the network stays as it is\n")
    assert host.addresses("br-home") == [ADDRESS]
