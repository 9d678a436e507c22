"""Which bridges Koan is given, by what the server says of a guest."""

from pathlib import Path
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


FIRST = "this host's first: Cobbler has none for it"
OWN = "as Cobbler has it"


@pytest.mark.parametrize(
    ("bridge", "lines"),
    [
        ("", ["web1 eth0: br0, " + FIRST]),
        ("<<inherit>>", ["web1 eth0: br0, " + FIRST]),
        ("br1", ["web1 eth0: br1, " + OWN]),
        ("none", ["web1 eth0: none, " + OWN]),
        # what somebody else made: libvirt's own, say
        ("virbr0", ["web1 eth0: virbr0, " + OWN]),
        # koan takes them one after the other
        ("virbr0,br1", ["web1 eth0: virbr0,br1, " + OWN]),
        (
            "br9",
            [
                "web1 eth0: br9, " + OWN,
                "web1 eth0: br9 is no bridge here, its guest will not start; there is br0 and br1",
            ],
        ),
        # a card is none
        (
            "eth0",
            [
                "web1 eth0: eth0, " + OWN,
                "web1 eth0: eth0 is no bridge here, its guest will not start; there is br0 and br1",
            ],
        ),
        (
            "virbr0/.",
            [
                "web1 eth0: virbr0/., " + OWN,
                "web1 eth0: virbr0/. is no bridge here, its guest will not start; "
                "there is br0 and br1",
            ],
        ),
        (
            "../x\n\x1b[31m",
            [
                "web1 eth0: ../x??[31m, " + OWN,
                "web1 eth0: ../x??[31m is no bridge here, its guest will not start; "
                "there is br0 and br1",
            ],
        ),
    ],
)
def test_what_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    bridge: str,
    lines: List[str],
) -> None:
    (tmp_path / "virbr0").mkdir()
    (tmp_path / "eth0/device").mkdir(parents=True)
    monkeypatch.setitem(PROGRAM, "DEVICES", "%s/" % tmp_path)
    data = {"interfaces": {"eth0": nic(bridge), "bond0": nic("x", "bond")}}
    chosen(monkeypatch, Server(data, "xenbr0"), ["--virt", "--system=web1"], TWO)
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()) == ("", ["koan-bridge: " + each for each in lines])


@pytest.mark.parametrize(
    ("words", "bridges", "line"),
    [
        (["-y", "x"], TWO, ""),
        (["-v", "-y", "x"], [""], "no bridge of this host is known (COBBLER_BRIDGE); koan"),
        (["-v", "-y", "x", "-B", "br1"], TWO, "--virt-bridge: br1, as it is given\n"),
        (["-v", "-y", "x", "-B", "br9"], TWO, "--virt-bridge: br9 is no bridge here"),
        (["-v", "-p", "x"], TWO, "x: br0, this host's first: Cobbler has none of this host's\n"),
        (["-v", "-y", "x"], ["br7"], "x: br7, as Cobbler has it\n"),
    ],
)
def test_what_is_said_of_other_calls(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: List[str],
    bridges: List[str],
    line: str,
) -> None:
    chosen(monkeypatch, Server({"virt_bridge": "br7"}, "xenbr0"), words, bridges)
    said = capsys.readouterr().err
    assert "koan-bridge: " + line in said if line else not said


def test_koan_is_run_whatever_happens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def connect(options: Dict[str, str]) -> None:
        raise ValueError("no Cobbler answers at\nx")

    monkeypatch.setitem(PROGRAM, "connect", connect)
    monkeypatch.setenv("COBBLER_BRIDGE", "br0")
    monkeypatch.setattr("sys.argv", ["koan-bridge", "--virt", "--system=web1"])
    PROGRAM["main"]()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "koan-bridge: which bridge it is can't be found out (no Cobbler answers at?x); "
        "koan is run as it is\n"
    )
    # koan itself says what is wrong with its words
    monkeypatch.setattr("sys.argv", ["koan-bridge", "--virt", "--sytsem=web1"])
    PROGRAM["main"]()
    assert capsys.readouterr() == ("", "")


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
    with pytest.raises(ValueError, match="no Cobbler answers at cobbler"):
        connect({})
    monkeypatch.delenv("COBBLER_SERVER")
    with pytest.raises(ValueError, match="no Cobbler answers at --server or COBBLER_SERVER"):
        connect({})
