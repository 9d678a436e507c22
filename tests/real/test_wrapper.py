"""koan-bridge on a host: what the real Koan then gives virt-install, and what it gives Koan."""

import subprocess
from pathlib import Path
from typing import Dict, List

import pytest

import koan_wrapper
import scratch_machine as machine
from koan_network import KoanError, koan_networks
from real.server import REPOSITORY, Server

NICS = ("bond0", "eth0", "eth0.7", "eth1", "eth10", "eth2")


@pytest.fixture
def wrapper(tmp_path: Path) -> Path:
    return koan_wrapper.write(tmp_path)


def networks(server: Server, wrapper: Path, bridges: str = "br0,br1", **what: str) -> List[str]:
    found = koan_networks(server.cobbler, wrapper=wrapper, bridges=bridges, **what)
    return [each.partition(",")[0][len("bridge=") :] for each in found]


def test_profile(server: Server, wrapper: Path) -> None:
    # with its cache, Cobbler sends no kickstart after a save until it is started again
    server.cobbler.restart()
    assert networks(server, wrapper, profile="rhel9") == ["br0"]
    assert networks(server, wrapper, profile="rhel9", virt_bridge="br7") == ["br7"]
    # where this is no host of ours, Koan does what it does
    assert networks(server, wrapper, "", profile="rhel9") == ["xenbr0"]
    server.profile("guests", "rhel9")
    server.edit("profile", "guests", virt_bridge="br1")
    server.cobbler.restart()
    assert networks(server, wrapper, profile="guests") == ["br1"]
    # no network at all: somebody's choice
    server.profile("alone", "rhel9")
    server.edit("profile", "alone", virt_bridge="none")
    server.cobbler.restart()
    assert networks(server, wrapper, profile="alone") == ["none"]
    # one that this host has not
    assert networks(server, wrapper, "br5", profile="guests") == ["br5"]


def test_system(server: Server, wrapper: Path) -> None:
    more = {"interfacetype-bond0": "bond", "virtbridge-eth10": "dmz"}
    server.system("web1", nics=NICS, more=more)
    server.cobbler.restart()
    plain = koan_networks(server.cobbler, "web1")
    assert [each.partition(",")[0] for each in plain].count("bridge=<<inherit>>") == 3
    # Koan's order is that of the names, and it skips the bond and the VLAN
    assert networks(server, wrapper, system="web1") == ["br0", "br0", "dmz", "br0"]
    assert networks(server, wrapper, system="web1", virt_bridge="br7") == ["br7"] * 4
    server.system("web2", nics=("eth0", "eth1"))
    server.edit("system", "web2", modify_interface={"virtbridge-eth1": "xenbr0"})
    assert networks(server, wrapper, system="web2") == ["br0", "br0"]
    server.system("web3", nics=("default",))
    assert networks(server, wrapper, system="web3") == ["br0"]
    server.add("system", "web4", profile="rhel9")
    server.cobbler.restart()
    assert networks(server, wrapper, system="web4") == ["br0"]
    # without an interface it has its profile's, and counts as that does
    for bridge, expected in (("br7", "br0"), ("br1", "br1"), ("none", "none")):
        server.profile("of-" + bridge, "rhel9")
        server.edit("profile", "of-" + bridge, virt_bridge=bridge)
        server.add("system", "on-" + bridge, profile="of-" + bridge)
        server.cobbler.restart()
        assert networks(server, wrapper, system="on-" + bridge) == [expected]


def test_placed_guests_are_left_alone(server: Server, wrapper: Path) -> None:
    server.system("kvm1", meta={"bridge": "br5"})
    server.system("web1", meta={"bridge_host": "kvm1"}, nics=("eth0", "eth1"))
    server.installed("kvm1")
    server.edit("system", "web1", modify_interface={"virtbridge-eth1": "virbr0"})
    assert networks(server, wrapper, "br5,br6", system="web1") == ["br5", "virbr0"]


def test_what_goes_wrong_is_said_by_koan(server: Server, wrapper: Path) -> None:
    with pytest.raises(KoanError, match="entries found"):
        networks(server, wrapper, system="nobody")


KOAN = """\
#!/bin/sh
printf '%s|' "$@"
"""


def called(wrapper: Path, shell: List[str], words: List[str], bridges: str = "br0,br1") -> str:
    """What a koan gets that needs no server to say so: the wrapper can't ask one either."""
    bin_ = wrapper.parent / "bin"
    bin_.mkdir(exist_ok=True)
    (bin_ / "koan").write_text(KOAN)
    (bin_ / "koan").chmod(0o755)
    env: Dict[str, str] = {"PATH": "%s:/usr/bin:/bin" % bin_, "COBBLER_BRIDGE": bridges}
    command = [*shell, str(wrapper), *words, "--server=127.0.0.1", "--port=1"]
    return subprocess.check_output(command, env=env, encoding="utf-8", timeout=60)


@pytest.mark.parametrize("shell", machine.SHELLS.values(), ids=machine.SHELLS)
@pytest.mark.parametrize(
    ("words", "bridge"),
    [
        (["--virt", "--profile=p"], "br0"),
        (["-v", "-p", "p"], "br0"),
        (["-vpp"], "br0"),
        (["--vir", "--prof", "p"], None),
        (["--virt", "--prof", "p"], "br0"),
        (["--virt", "--image=i"], "br0"),
        (["--virt", "--profile=p", "--kopts", "--virt-bridge=x"], "br0"),
        (["--virt", "--profile=p", "-k", "-B x"], "br0"),
        (["--virt", "--profile=p", "--virt-bridge=x"], None),
        (["--virt", "--profile=p", "--virt-bridge", "x"], None),
        (["--virt", "--profile=p", "--virt-br=x"], None),
        (["--virt", "--profile=p", "-Bx"], None),
        (["--virt", "--profile=p", "-B", "x"], None),
        (["-vBx", "-pp"], None),
        (["--replace-self", "--profile=p"], None),
        (["--list=systems"], None),
        (["--help"], None),
        ([], None),
        # nobody answers
        (["--virt", "--system=web1"], None),
        (["--virt", "--profile=a b;$(id)'\"\\"], "br0"),
    ],
)
def test_what_koan_gets(
    tmp_path: Path, words: List[str], bridge: "str | None", shell: List[str]
) -> None:
    wrapper = koan_wrapper.write(tmp_path)
    given = [] if bridge is None else ["--virt-bridge=" + bridge]
    expected = [*given, *words, "--server=127.0.0.1", "--port=1"]
    assert called(wrapper, shell, words) == "".join(word + "|" for word in expected)


def test_a_machine_without_koan(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    wrapper = koan_wrapper.write(tmp_path)
    done = subprocess.run(
        ["/bin/sh", str(wrapper), "--virt"],
        env={"PATH": str(tmp_path / "none")},
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (127, "koan-bridge: koan is not installed\n")


def test_what_the_lint_says(tmp_path: Path) -> None:
    wrapper = koan_wrapper.write(tmp_path)
    shellcheck = Path(REPOSITORY / ".venv/bin/shellcheck")
    subprocess.run([str(shellcheck), "-s", "sh", str(wrapper)], check=True)
