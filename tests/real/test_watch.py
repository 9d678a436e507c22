"""What a host that has proved its bridge says each day, in the real cobblerd."""

import json
import time
from typing import Any, Dict

import pytest

from cobbler_bridge.description.describe import describe
from cobbler_bridge.description.digest import digest
from real.server import Server

STATIC = {"ipaddress-eth0": "10.0.0.5", "netmask-eth0": "255.255.255.0", "static-eth0": True}
SIGNALS = 40
CPU = """
import glob, os
ticks = 0
for path in glob.glob("/proc/[0-9]*"):
    if b"cobblerd" in open(path + "/cmdline", "rb").read():
        ticks += sum(map(int, open(path + "/stat").read().rpartition(")")[2].split()[11:13]))
print(ticks / os.sysconf("SC_CLK_TCK"))
"""


@pytest.fixture
def host(server: Server) -> Server:
    """A Cobbler with the verified host kvm1."""
    server.profile("hosts", meta={"bridge": "br0"})
    server.system("kvm1", "hosts")
    server.installed("kvm1")
    server.trigger("firstboot", "kvm1")
    assert server.state("kvm1") == "br0/verified"
    server.mark()
    return server


def proved_with(server: Server, name: str = "kvm1") -> str:
    """The digest in what is written on the host."""
    words = server.command("render", "--system", name, "--format", "sh").stdout.split()
    found = words[words.index("description") + 1]
    assert found.startswith("1-")
    return str(found)


def says(server: Server, *words: str, name: str = "kvm1") -> Dict[str, Any]:
    assert server.trigger("firstboot", ",".join((name, *words))).text == "True"
    return dict(server.record(name) or {})


def shown(server: Server, name: str = "kvm1") -> str:
    return next(
        line for line in server.command("show").stdout.splitlines() if line.startswith(name)
    )


def yesterday(server: Server, name: str = "kvm1", days: int = 1) -> None:
    """What is remembered is some days old."""
    (path,) = server.cobbler.path("/var/lib/cobbler/bridge_records").glob(name + "=*.json")
    entry = json.loads(path.read_text())
    then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86400))
    entry["record"].update(since=then, seen=then)
    path.write_text(json.dumps(entry))


def test_seen_once_a_day(host: Server) -> None:
    digest_ = proved_with(host)
    assert digest_ == described(host, "kvm1")
    first = says(host, "seen", digest_)
    time.sleep(1.1)
    assert says(host, "seen", digest_) == first
    yesterday(host)
    then = says(host, "seen", digest_)
    assert then["seen"] > then["since"]
    assert (then["state"], then["drift"]) == ("verified", "")
    assert host.said() == []


def test_what_the_host_says(host: Server) -> None:
    digest_ = proved_with(host)
    for word, reason, show, check in (
        ("file", "br0.nmconnection", "a file changed", "a file was changed on the host since"),
        ("network", "eth0_is_not_in_br0", "not as proved", "ports or addresses are not as they"),
    ):
        found = says(host, "drift", word, digest_, reason)
        assert (found["state"], found["drift"]) == ("verified", word)
        assert "verified, %s: %s" % (show, reason.replace("_", " ")) in shown(host)
        assert check in host.command("check", "kvm1", check=False).stdout
        assert says(host, "drift", word, digest_, reason) == found
    well = says(host, "seen", digest_)
    assert (well["drift"], well["reason"]) == ("", "")
    assert "verified  " in shown(host)
    for word in ("description", "unseen", "x", ""):
        assert says(host, "drift", word, digest_) == well


def test_another_description(host: Server) -> None:
    digest_ = proved_with(host)
    # that says nothing of the network
    host.edit("profile", "hosts", autoinstall_meta={"bridge": "br0", "bridge_timeout": "60"})
    assert says(host, "seen", digest_)["drift"] == ""
    for meta in ({"bridge": "br0", "bridge_mtu": "9000"}, {"bridge": "b r"}, {}):
        host.edit("profile", "hosts", autoinstall_meta=meta)
        assert says(host, "seen", digest_)["drift"] == "description"
        assert "verified, described otherwise" in shown(host)
    # what an edit has that isn't saved is nobody's decision
    host.edit("profile", "hosts", autoinstall_meta={"bridge": "br0"})
    assert says(host, "seen", digest_)["drift"] == ""
    # another kind of digest can't be compared
    assert says(host, "seen", "0-1234")["drift"] == ""


def test_silence(host: Server) -> None:
    yesterday(host, days=4)
    assert "verified, not seen since 20" in shown(host)
    said = host.command("check", "kvm1", check=False).stdout
    assert "kvm1: record: the host has not told since" in said
    says(host, "seen", proved_with(host))
    assert "not seen" not in shown(host)
    assert "not told" not in host.command("check", "kvm1", check=False).stdout


def test_a_lost_record_is_found_again(host: Server) -> None:
    host.system("web1", "rhel7", {"bridge_host": "kvm1"})
    digest_ = proved_with(host)
    host.command("record", "kvm1", "--clear")
    assert host.state("kvm1") is None
    # what it was proved with is not what is described
    says(host, "seen", "1-0123456789abcdef")
    assert host.state("kvm1") is None
    assert "described otherwise by now: it is not recorded" in host.log()
    found = says(host, "drift", "file", digest_, "br0")
    assert (found["state"], found["drift"], found["bridges"]) == ("verified", "file", ["br0"])
    host.command("record", "kvm1", "--clear")
    assert says(host, "seen", digest_)["state"] == "verified"
    assert host.bridges("web1") == {"eth0": "br0"}
    # a signal that began it anew, and was nobody's
    host.edit("system", "kvm1", netboot_enabled=True)
    host.trigger("pre", "kvm1")
    assert host.state("kvm1") == "br0/installing"
    assert says(host, "seen", digest_)["state"] == "verified"


def test_what_a_forged_one_can_do(host: Server) -> None:
    """From a wrong address: nothing but to say that the address is another."""
    host.system("kvm2", "hosts", more=STATIC)
    host.system("plain")
    host.installed("kvm2")

    def from_(address: str, name: str) -> None:
        host.cobbler.rpc("run_install_triggers", "firstboot", "system", name, address)

    for name in ("kvm2,seen", "kvm2,drift,network", "kvm2,drift,file"):
        from_("10.9.9.9", name)
        assert host.state("kvm2") == "br0/installed"
    from_("10.0.0.5", "kvm2,seen")
    assert host.state("kvm2") == "br0/verified"
    record = host.record("kvm2")
    for name in ("kvm2,seen", "kvm2,drift,file", "kvm2,seen,1-0123456789abcdef"):
        from_("10.9.9.9", name)
        assert host.record("kvm2") == record
    from_("10.9.9.9", "kvm2,drift,network,,other_address")
    found = host.record("kvm2")
    assert found is not None
    assert {**found, "drift": "", "reason": ""} == record
    # nobody gets a bridge by it
    for name in ("plain,seen", "plain,drift,file", "nobody,seen"):
        from_("10.0.0.5", name)
    assert host.record("plain") is None


def described(server: Server, name: str) -> str:
    """The digest of what Cobbler has of a system."""
    data = {**server.cobbler.rpc("get_blended_data", "", name), "bridge": "br0"}
    description, _ = describe(data)
    assert description is not None
    return digest(description)


def seconds(server: Server) -> float:
    """What cobblerd has had of a processor."""
    return float(server.cobbler.run(["python3", "-c", CPU]).stdout)


def test_what_it_costs(host: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """A day of 5,000 hosts takes less than 1 % of a core."""
    names = ["h%d" % number for number in range(SIGNALS)]
    for name in names:
        host.system(name, "hosts")
        host.cobbler.rpc("run_install_triggers", "firstboot", "system", name, "")
    digests = {}
    for name in names:
        yesterday(host, name)
        digests[name] = described(host, name)

    def all_say() -> float:
        began = seconds(host)
        for name in names:
            host.cobbler.rpc(
                "run_install_triggers",
                "firstboot",
                "system",
                "%s,seen,%s" % (name, digests[name]),
                "",
            )
        return (seconds(host) - began) / SIGNALS

    noted, again = all_say(), all_say()
    assert all(
        (host.record(name) or {})["seen"] > (host.record(name) or {})["since"] for name in names
    )
    with capsys.disabled():
        print(" %.1f ms of cobblerd's, %.1f ms where it was noted" % (noted * 1000, again * 1000))
    assert 5000 * noted < 0.01 * 86400
