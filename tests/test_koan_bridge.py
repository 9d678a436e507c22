"""Which bridges Koan is given, by what the server says of a guest."""

from typing import Any, Dict, List, Optional

import pytest

from cobbler_bridge import shipped

PROGRAM: Dict[str, Any] = {}
# all but what it does when it is run
exec(shipped.text("script/on_the_host", "koan_bridge.py").partition("socket.setdef")[0], PROGRAM)

TWO = ["br0", "br1"]


def nic(bridge: Optional[str] = "", kind: str = "") -> Dict[str, Any]:
    return {"interface_type": kind, "virt_bridge": bridge}


class Server:
    """Says one thing of whatever it is asked for."""

    def __init__(self, data: Dict[str, Any], default: Optional[str]) -> None:
        self.data, self.default = data, default
        self.asked: List[str] = []

    def get_system_as_rendered(self, name: str) -> Dict[str, Any]:
        self.asked.append("system " + name)
        return self.data

    def get_profile_as_rendered(self, name: str) -> Dict[str, Any]:
        self.asked.append("profile " + name)
        return self.data

    def get_settings(self) -> Dict[str, Any]:
        return {"default_virt_bridge": self.default}


def chosen(
    monkeypatch: pytest.MonkeyPatch, server: Server, words: List[str], bridges: List[str]
) -> str:
    monkeypatch.setitem(PROGRAM, "connect", lambda options: server)
    return str(PROGRAM["choose"](PROGRAM["read"](words), bridges))


@pytest.mark.parametrize(
    ("interfaces", "expected"),
    [
        # all have their own: Koan finds out itself
        ({"eth0": nic("br1")}, ""),
        ({"eth0": nic("br1"), "eth1": nic("none")}, ""),
        ({"eth0": nic()}, "br0"),
        ({"eth0": nic(None)}, "br0"),
        ({"eth0": nic("<<inherit>>")}, "br0"),
        ({"eth0": {}}, "br0"),
        # in the order of their names
        ({"eth1": nic("br1"), "eth0": nic()}, "br0,br1"),
        ({"eth1": nic(), "eth0": nic("br1")}, "br1,br0"),
        # of what is no NIC Koan takes no notice, but counts it
        ({"bond0": nic("x", "bond"), "eth0": nic("br1"), "eth1": nic()}, "br0,br1,br0"),
        ({"br9": nic("x", "bridge"), "eth0": nic()}, "br0,br0"),
        ({"b": nic("x", "bonded_bridge_slave"), "eth0": nic()}, "br0,br0"),
        ({"eth0": nic(), "eth0.7": nic("x")}, "br0,br0"),
        ({"eth0": nic(), "eth0:1": nic("x")}, "br0,br0"),
        ({"eth0": nic(), "eth1": nic("x", "bond_slave")}, "br0,x"),
        ({"eth0": nic("br1"), "eth0.7": nic()}, ""),
        # it has no word for this
        ({"eth0": nic(), "eth1": nic("br1,br2")}, ""),
        # what a server gives that nobody set up
        ({"eth0": nic("xenbr0")}, ""),
    ],
)
def test_a_system(
    monkeypatch: pytest.MonkeyPatch, interfaces: Dict[str, Any], expected: str
) -> None:
    server = Server({"interfaces": interfaces, "virt_bridge": "x"}, "br7")
    assert chosen(monkeypatch, server, ["--virt", "--system=web1"], TWO) == expected
    assert server.asked == ["system web1"]


@pytest.mark.parametrize("default", ["xenbr0", "virbr0"])
def test_the_servers_own_default_is_no_choice(
    monkeypatch: pytest.MonkeyPatch, default: str
) -> None:
    data = {"interfaces": {"eth0": nic("xenbr0"), "eth1": nic("virbr0")}}
    expected = {"xenbr0": "br0,virbr0", "virbr0": "xenbr0,br0"}[default]
    assert chosen(monkeypatch, Server(data, default), ["-v", "-y", "web1"], TWO) == expected


@pytest.mark.parametrize(
    ("bridge", "expected"), [("br1", ""), ("none", ""), ("virbr0", "br0"), ("", "br0")]
)
@pytest.mark.parametrize("words", [["-v", "-y", "x"], ["-v", "-p", "x"]])
def test_a_guest_without_interfaces(
    monkeypatch: pytest.MonkeyPatch, words: List[str], bridge: str, expected: str
) -> None:
    server = Server({"virt_bridge": bridge}, "xenbr0")
    assert chosen(monkeypatch, server, words, TWO) == expected
    assert server.asked == ["profile x" if "-p" in words else "system x"]


@pytest.mark.parametrize("words", [["-v", "-y", "x", "-B", "br1"], ["-y", "x"], ["--list=systems"]])
def test_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, words: List[str]) -> None:
    server = Server({"virt_bridge": ""}, "xenbr0")
    assert chosen(monkeypatch, server, words, TWO) == ""
    assert chosen(monkeypatch, server, ["-v", "-y", "x"], [""]) == ""
    assert server.asked == []


def test_which_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that is named, else the one of the environment: with TLS, and then without."""
    tried: List[str] = []

    class Proxy:
        def __init__(self, url: str) -> None:
            self.url = url

        def ping(self) -> None:
            tried.append(self.url)
            if self.url.startswith("https"):
                raise OSError("nobody listens")

    class Rpc:
        ServerProxy = Proxy

    monkeypatch.setitem(PROGRAM, "rpc", Rpc)
    monkeypatch.setenv("COBBLER_SERVER", "cobbler")
    connect = PROGRAM["connect"]
    assert connect({}).url == "http://cobbler:80/cobbler_api"
    assert connect({"server": "other", "port": "81"}).url == "http://other:81/cobbler_api"
    assert tried == [
        "https://cobbler:443/cobbler_api",
        "http://cobbler:80/cobbler_api",
        "https://other:81/cobbler_api",
        "http://other:81/cobbler_api",
    ]
    monkeypatch.setattr(Proxy, "ping", lambda self: 1 // 0)
    with pytest.raises(ValueError, match="no server"):
        connect({})
