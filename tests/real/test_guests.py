"""Every way a guest comes to be, in the real cobblerd: what the real Koan then gives virt-install.

``koan`` restarts cobblerd first, for values that were loaded from disk are others than those that
were just set.
"""

import re
from typing import Any, Dict, Iterator, List

import pytest

from koan_network import koan_networks
from private_cobbler import PrivateCobbler
from real.server import Server
from waiting import wait_for


@pytest.fixture
def hosts(server: Server) -> Server:
    """Two hosts, kvm1 with br1 and kvm2 with br2, that are not installed."""
    for number in "12":
        server.profile("hosts" + number, meta={"bridge": "br" + number})
        server.system("kvm" + number, "hosts" + number)
    server.mark()
    return server


def guest(server: Server, name: str = "web1", host: str = "kvm1", **how: Any) -> None:
    server.system(name, "rhel7", {"bridge_host": host}, **how)


def cobbler(server: Server, *words: str) -> None:
    server.cobbler.run(["cobbler", *words])


def koan(server: Server, system: str = "web1") -> List[str]:
    """The bridge of each NIC, in Koan's order."""
    server.load_again()
    networks = koan_networks(server.cobbler, system)
    return [network.partition(",")[0][len("bridge=") :] for network in networks]


def rename_bridge(server: Server, new: str, host: str = "1") -> None:
    """The host is installed again, with another bridge."""
    server.edit("profile", "hosts" + host, autoinstall_meta={"bridge": new})
    server.reinstalled("kvm" + host)


def test_host_recorded_before_and_after_the_guest(hosts: Server) -> None:
    guest(hosts, nics=("eth0", "eth10", "eth2"))
    assert koan(hosts) == ["<<inherit>>"] * 3
    hosts.installed("kvm1")
    guest(hosts, "web2")
    assert koan(hosts) == ["br1"] * 3
    assert koan(hosts, "web2") == ["br1"]


def test_guest_moved_to_another_host(hosts: Server) -> None:
    hosts.installed("kvm1", "kvm2")
    guest(hosts)
    hosts.cobbler.restart()
    # as it is typed: this replaces all variables of the guest
    cobbler(hosts, "system", "edit", "--name=web1", "--autoinstall-meta=bridge_host=kvm2")
    assert hosts.meta("web1") == {"bridge_host": "kvm2"}
    assert hosts.placed("web1") == {"eth0": "br2"}
    assert koan(hosts) == ["br2"]
    hosts.edit("system", "web1", autoinstall_meta={"bridge_host": "kvm1"})
    assert koan(hosts) == ["br1"]


def test_guest_that_has_no_host_for_a_while(hosts: Server) -> None:
    hosts.installed("kvm1", "kvm2")
    guest(hosts)
    hosts.edit("system", "web1", autoinstall_meta={})
    assert hosts.bridges("web1") == {"eth0": "br1"}
    hosts.edit("system", "web1", autoinstall_meta={"bridge_host": "kvm2"})
    assert koan(hosts) == ["br2"]


def test_host_reinstalled_with_another_bridge(hosts: Server) -> None:
    guest(hosts, nics=("eth0", "eth1"))
    hosts.installed("kvm1")
    hosts.edit("system", "web1", modify_interface={"virtbridge-eth1": "br9"})
    hosts.cobbler.restart()
    rename_bridge(hosts, "br3")
    assert hosts.bridges("kvm1") == {"eth0": "br3"}
    assert koan(hosts) == ["br3", "br9"]


def test_host_on_a_profile(hosts: Server) -> None:
    hosts.installed("kvm1", "kvm2")
    hosts.profile("guests", meta={"bridge_host": "kvm1"})
    hosts.system("web1", "guests")
    assert hosts.placed("web1") == {"eth0": "br1"}
    cobbler(hosts, "profile", "edit", "--name=guests", "--autoinstall-meta=bridge_host=kvm2")
    assert koan(hosts) == ["br2"]


def test_host_on_a_distro(hosts: Server) -> None:
    hosts.installed("kvm1")
    tree = hosts.stored("rhel8", "distro")["autoinstall_meta"]
    hosts.system("web1", "rhel8")
    hosts.cobbler.restart()
    try:
        # its profile has the same name, and another distro may have another
        hosts.edit("distro", "rhel8", autoinstall_meta={**tree, "bridge_host": "kvm1"})
        assert koan(hosts) == ["br1"]
    finally:
        hosts.edit("distro", "rhel8", autoinstall_meta=tree)


@pytest.mark.parametrize("when", ["before", "after"])
def test_guest_copied(hosts: Server, when: str) -> None:
    if when == "after":
        hosts.installed("kvm1")
    guest(hosts)
    mac = "--mac=" + hosts.mac()
    words = ["--name=web1", "--newname=web2", "--interface=eth0", mac]
    cobbler(hosts, "system", "copy", *words)
    if when == "before":
        hosts.installed("kvm1")
    assert koan(hosts, "web2") == ["br1"]
    # nobody chose the copy's bridge either: it follows its host, and goes to another
    rename_bridge(hosts, "br3")
    assert koan(hosts, "web2") == koan(hosts, "web1") == ["br3"]
    hosts.installed("kvm2")
    hosts.edit("system", "web2", autoinstall_meta={"bridge_host": "kvm2"})
    assert (koan(hosts, "web2"), koan(hosts, "web1")) == (["br2"], ["br3"])


def test_guest_renamed(hosts: Server) -> None:
    hosts.installed("kvm1")
    guest(hosts)
    cobbler(hosts, "system", "rename", "--name=web1", "--newname=www1")
    assert koan(hosts, "www1") == ["br1"]
    rename_bridge(hosts, "br3")
    assert koan(hosts, "www1") == ["br3"]


def test_interface_added_later(hosts: Server) -> None:
    hosts.installed("kvm1")
    guest(hosts)
    mac = "--mac=" + hosts.mac()
    cobbler(hosts, "system", "edit", "--name=web1", "--interface=eth1", mac)
    assert koan(hosts) == ["br1", "br1"]


def test_interface_that_was_taken_away_and_set_by_hand(hosts: Server) -> None:
    hosts.installed("kvm1")
    guest(hosts, nics=("eth0", "eth1"))
    cobbler(hosts, "system", "edit", "--name=web1", "--interface=eth1", "--delete-interface")
    assert hosts.placed("web1") == {"eth0": "br1"}
    more = ["--mac=" + hosts.mac(), "--virt-bridge=br1"]
    cobbler(hosts, "system", "edit", "--name=web1", "--interface=eth1", *more)
    rename_bridge(hosts, "br3")
    assert koan(hosts) == ["br3", "br1"]


def test_interface_that_was_renamed_counts_as_set_by_hand(hosts: Server) -> None:
    hosts.installed("kvm1")
    guest(hosts)
    words = ["--name=web1", "--interface=eth0", "--rename-interface=ens3"]
    cobbler(hosts, "system", "edit", *words)
    assert hosts.placed("web1") == {}
    rename_bridge(hosts, "br3")
    assert koan(hosts) == ["br1"]


def test_several_guests_at_once(hosts: Server) -> None:
    names = ["web%d" % number for number in range(5)]
    for number, name in enumerate(names):
        guest(hosts, name, "kvm%d" % (number % 2 + 1), nics=("eth0", "eth1"))
    hosts.cobbler.restart()
    hosts.installed("kvm1", "kvm2")
    found = [koan(hosts, name) for name in names[:2]]
    assert found == [["br1", "br1"], ["br2", "br2"]]
    placed = [hosts.bridges(name) for name in names]
    bridges = ["br1", "br2", "br1", "br2", "br1"]
    assert placed == [{"eth0": bridge, "eth1": bridge} for bridge in bridges]


def test_set_by_hand_before_there_was_a_record(hosts: Server) -> None:
    """Also where it is what we would have chosen."""
    guest(hosts, nics=("eth0", "eth1"), more={"virtbridge-eth0": "br1"})
    hosts.installed("kvm1")
    assert hosts.placed("web1") == {"eth1": "br1"}
    rename_bridge(hosts, "br3")
    assert koan(hosts) == ["br1", "br3"]


def test_set_by_hand_to_what_an_old_record_had(hosts: Server) -> None:
    guest(hosts)
    hosts.installed("kvm1")
    rename_bridge(hosts, "br3")
    cobbler(hosts, "system", "edit", "--name=web1", "--interface=eth0", "--virt-bridge=br1")
    assert hosts.placed("web1") == {}
    hosts.cobbler.restart()
    hosts.installed("kvm1")
    hosts.edit("system", "web1", comment="saved")
    assert koan(hosts) == ["br1"]
    rename_bridge(hosts, "br1")
    rename_bridge(hosts, "br4")
    assert koan(hosts) == ["br1"]


def test_set_by_hand_and_back_by_hand(hosts: Server) -> None:
    guest(hosts)
    hosts.installed("kvm1")
    for bridge in ("br9", "br1"):
        hosts.edit("system", "web1", modify_interface={"virtbridge-eth0": bridge})
    rename_bridge(hosts, "br3")
    assert koan(hosts) == ["br1"]
    # the choice is given back
    hosts.edit("system", "web1", modify_interface={"virtbridge-eth0": "<<inherit>>"})
    assert koan(hosts) == ["br3"]


def test_set_by_hand_as_the_host_is_changed(hosts: Server) -> None:
    hosts.installed("kvm1", "kvm2")
    guest(hosts)
    words = ["--autoinstall-meta=bridge_host=kvm2", "--interface=eth0", "--virt-bridge=br9"]
    cobbler(hosts, "system", "edit", "--name=web1", *words)
    assert hosts.meta("web1") == {"bridge_host": "kvm2"}
    assert koan(hosts) == ["br9"]


def test_record_outlives_an_edit_of_the_hosts_variables(hosts: Server) -> None:
    hosts.installed("kvm1")
    hosts.cobbler.restart()
    cobbler(hosts, "system", "edit", "--name=kvm1", "--autoinstall-meta=bridge=br5 x=1")
    assert hosts.state("kvm1") == "br1/installed"
    hosts.edit("system", "kvm1", autoinstall_meta="<<inherit>>")
    assert hosts.state("kvm1") == "br1/installed"
    assert hosts.meta("kvm1") == "<<inherit>>"
    guest(hosts)
    assert koan(hosts) == ["br1"]


def test_record_by_hand_places_guests(hosts: Server) -> None:
    """Of hosts of any system, many at once."""
    for number in (1, 2):
        guest(hosts, "web%d" % number, "kvm%d" % number)
    hosts.cobbler.restart()
    hosts.command("record", "kvm*", "--bridge=br7,br8")
    assert hosts.state("kvm1") == hosts.state("kvm2") == "br7,br8/by hand"
    assert (koan(hosts), koan(hosts, "web2")) == (["br7"], ["br7"])
    hosts.command("record", "kvm1", "--bridge=br8")
    record = hosts.record("kvm1")
    assert record is not None
    assert (record["bridges"], record["before"]) == (["br8"], ["br7"])
    assert (koan(hosts), koan(hosts, "web2")) == (["br8"], ["br7"])
    assert "kvm1: record" not in hosts.command("check", check=False).stdout
    # what an administrator vouches for is no host's to change, nor anybody's who calls
    for mode in ("pre", "post", "firstboot"):
        hosts.trigger(mode, "kvm1")
    hosts.trigger("firstboot", "kvm1,rolled-back,no_gateway")
    assert hosts.record("kvm1") == record
    # a verified one stays verified
    hosts.reinstalled("kvm1")
    hosts.trigger("firstboot", "kvm1")
    assert hosts.state("kvm1") == "br1/verified"
    record = hosts.record("kvm1")
    for more in ([], ["--bridge=br1"]):
        assert "nothing to do" in hosts.command("record", "kvm1", *more).stdout
    assert hosts.record("kvm1") == record


def test_rolled_back(hosts: Server) -> None:
    """A host says that it put its old network back, until it proves another bridge."""
    guest(hosts)
    hosts.installed("kvm1")
    assert hosts.trigger("firstboot", "kvm1,rolled-back,the_gateway_192.0.2.1_is_silent").text == (
        "True"
    )
    assert hosts.state("kvm1") == "br1/rolled back"
    why = "rolled back: the gateway 192.0.2.1 is silent"
    assert why in hosts.command("show").stdout
    said = hosts.command("check", check=False).stdout
    assert "the gateway 192.0.2.1 is silent; correct its description" in said
    assert "web1: bridge_host: 'kvm1' has put its old network back" in said
    guest(hosts, "web2")
    assert hosts.bridges("web2")["eth0"] in ("", "<<inherit>>")
    hosts.edit("profile", "hosts1", autoinstall_meta={"bridge": "br5"})
    hosts.trigger("post", "kvm1")
    assert hosts.state("kvm1") == "br1/rolled back"
    hosts.trigger("firstboot", "kvm1")
    assert hosts.state("kvm1") == "br5/verified"
    assert (koan(hosts), koan(hosts, "web2")) == (["br5"], ["br5"])
    # nobody says that of a host which has proved its bridge
    record = hosts.record("kvm1")
    hosts.mark()
    hosts.trigger("firstboot", "kvm1,rolled-back,x")
    hosts.trigger("firstboot", "hosts1,rolled-back,x", "profile")
    assert hosts.record("kvm1") == record
    assert "it has put its old network back, and is verified" in hosts.log()


def test_rolled_back_to_an_address_of_the_old_network(hosts: Server) -> None:
    """Its static address was wrong, or is not there: who puts the old network back has another."""
    static = {"ipaddress-eth0": "10.0.0.5", "netmask-eth0": "255.255.255.0", "static-eth0": True}
    hosts.system("kvm7", "hosts1", more=static)
    hosts.installed("kvm7")
    for name, state in (("kvm7", "installed"), ("kvm7,rolled-back,x", "rolled back")):
        hosts.cobbler.rpc("run_install_triggers", "firstboot", "system", name, "10.9.9.9")
        assert hosts.state("kvm7") == "br1/" + state


def test_a_port_without_a_link_is_noted(hosts: Server) -> None:
    """The bridge is proved, and the record says what of it somebody should look at."""
    hosts.installed("kvm1")
    hosts.trigger("firstboot", "kvm1,noted,em2_has_no_link")
    assert hosts.state("kvm1") == "br1/verified"
    assert "verified: em2 has no link" in hosts.command("show").stdout
    said = "kvm1: record: the host has proved its bridge, and says: em2 has no link"
    assert said in hosts.command("check", check=False).stdout
    hosts.trigger("firstboot", "kvm1,seen")
    assert "verified: em2 has no link" in hosts.command("show").stdout
    hosts.trigger("firstboot", "kvm1")
    assert hosts.state("kvm1") == "br1/verified"
    assert "no link" not in hosts.command("show").stdout


def test_copied_host_has_no_bridge_yet(hosts: Server) -> None:
    hosts.installed("kvm1")
    record = hosts.record("kvm1")
    cobbler(hosts, "system", "copy", "--name=kvm1", "--newname=kvm3")
    assert hosts.record("kvm3") is None
    words = ["--name=kvm1", "--newname=kvm4", "--interface=eth0", "--mac=" + hosts.mac()]
    cobbler(hosts, "system", "copy", *words)
    assert hosts.record("kvm4") is None
    guest(hosts, host="kvm4")
    assert koan(hosts) == ["<<inherit>>"]
    assert hosts.record("kvm1") == record
    hosts.installed("kvm4")
    assert koan(hosts) == ["br1"]


def test_renamed_host_keeps_its_record(hosts: Server) -> None:
    hosts.installed("kvm1")
    cobbler(hosts, "system", "rename", "--name=kvm1", "--newname=kvm9")
    assert hosts.state("kvm9") == "br1/installed"
    guest(hosts, host="kvm9")
    hosts.edit("system", "kvm9", comment="saved")
    assert hosts.state("kvm9") == "br1/installed"
    assert koan(hosts) == ["br1"]


def test_removed_and_created_again(hosts: Server) -> None:
    """As Terraform does it, which knows of no record."""
    guest(hosts)
    hosts.installed("kvm1")
    hosts.trigger("firstboot", "kvm1")
    record = hosts.record("kvm1")
    assert record is not None
    for name in ("web1", "kvm1"):
        hosts.remove("system", name)
    hosts.system("kvm1", "hosts1")
    guest(hosts)
    assert koan(hosts) == ["br1"]
    # once more, in the other order
    for name in ("kvm1", "web1"):
        hosts.remove("system", name)
    guest(hosts)
    hosts.system("kvm1", "hosts1")
    hosts.trigger("firstboot", "kvm1")
    assert koan(hosts) == ["br1"]
    shown = hosts.command("show").stdout
    assert re.search("^kvm1 +br1 +- +verified +%s$" % record["since"], shown, re.MULTILINE)
    hosts.reinstalled("kvm1")
    found = hosts.record("kvm1")
    assert found is not None
    assert found["seen"] == record["seen"]


def test_host_that_is_a_guest_itself(hosts: Server) -> None:
    hosts.installed("kvm1")
    hosts.system("nested", "hosts2", {"bridge_host": "kvm1"})
    hosts.installed("nested")
    assert hosts.state("nested") == "br2/installed"
    guest(hosts, host="nested")
    assert koan(hosts, "nested") == ["br1"]
    assert koan(hosts) == ["br2"]


def test_by_subnet_and_by_vlan_of_one_bridge(hosts: Server) -> None:
    """A record of several bridges, of which the host's description has one."""
    meta = {"bridge": "br1", "bridge_ipv4": "192.0.2.1/24"}
    hosts.edit("system", "kvm1", autoinstall_meta=meta)
    hosts.remember("kvm1", bridges=["br0", "br1"], state="verified")
    address = {"ipaddress-eth1": "192.0.2.7", "netmask-eth1": "255.255.255.0"}
    guest(hosts, nics=("eth0", "eth1"), more=address)
    assert koan(hosts) == ["br0", "br1"]
    hosts.mark()
    hosts.system("web2", meta={"bridge_host": "kvm1", "bridge_vlan": "30"})
    assert koan(hosts, "web2") == ["<<inherit>>"]


def rich_host(server: Server) -> None:
    """The host kvm3: lan by DHCP, dmz of a static address, and vlan20 without one; see Cobbler's
    own fields."""
    more = {
        "interfacetype-lan": "bridge",
        "interfacetype-dmz": "bridge",
        "ipaddress-dmz": "192.0.2.1",
        "netmask-dmz": "255.255.255.0",
        "ipv6address-dmz": "2001:db8::1",
        "ipv6prefix-dmz": "64",
        "static-dmz": True,
        "interfacetype-tagged": "bridge",
        "static-tagged": True,
    }
    for port, bridge in (("eth0", "lan"), ("eth1", "dmz"), ("eth2.20", "tagged")):
        more["interfacetype-" + port] = "bridge_slave"
        more["interfacemaster-" + port] = bridge
    nics = ("eth0", "eth1", "eth2", "eth2.20")
    server.system("kvm3", "rhel9", nics=nics, more=more)


def test_by_subnet_and_vlan(hosts: Server) -> None:
    rich_host(hosts)
    more = {
        "ipaddress-eth0": "192.0.2.77",
        "ipv6address-eth2": "2001:db8::77",
        "virtbridge-eth4": "lan",
    }
    nics = ("eth0", "eth1", "eth10", "eth2", "eth3", "eth4", "vlan20")
    guest(hosts, host="kvm3", nics=nics, more=more)
    hosts.system("web2", meta={"bridge_host": "kvm3", "bridge_vlan": "20"}, nics=("eth0", "eth1"))
    hosts.cobbler.restart()
    hosts.installed("kvm3")
    assert hosts.state("kvm3") == "dmz,lan,tagged/installed"
    assert koan(hosts) == ["dmz", "dmz", "dmz", "dmz", "dmz", "lan", "tagged"]
    assert koan(hosts, "web2") == ["tagged", "tagged"]
    # to a host that has one bridge only
    hosts.installed("kvm1")
    hosts.edit("system", "web2", autoinstall_meta={"bridge_host": "kvm1"})
    assert koan(hosts, "web2") == ["br1", "br1"]
    hosts.edit("system", "web1", modify_interface={"ipaddress-eth0": "203.0.113.7"})
    hosts.edit("system", "web2", autoinstall_meta={"bridge_host": "kvm3"})
    more = {"ipaddress-eth1": "192.0.2.78", "virtbridge-eth0": "tagged"}
    hosts.edit("system", "web2", modify_interface=more)
    assert koan(hosts, "web2") == ["tagged", "dmz"]


def test_no_bridge_to_be_on(hosts: Server) -> None:
    hosts.edit("system", "kvm1", autoinstall_meta={"bridge_xen": "network-nat"})
    hosts.remember("kvm2", bridges=[], unbridged="network-route")
    for number, name in enumerate(("kvm1", "kvm2", "nobody", "web3")):
        guest(hosts, "web%d" % number, name)
        assert hosts.bridges("web%d" % number) == {"eth0": ""}


def test_systems_of_images_are_no_hindrance(hosts: Server) -> None:
    hosts.cobbler.run(["cobbler", "image", "add", "--name=memtest", "--image-type=memdisk"])
    hosts.add("system", "odd", image="memtest", modify_interface={"macaddress-eth0": hosts.mac()})
    try:
        guest(hosts)
        hosts.cobbler.restart()
        hosts.installed("kvm1")
        assert koan(hosts) == ["br1"]
        assert " - ERROR | cobbler-bridge" not in hosts.log()
        assert hosts.command("show").returncode == 0
    finally:
        cobbler(hosts, "system", "remove", "--name=odd")
        cobbler(hosts, "image", "remove", "--name=memtest")


@pytest.fixture(params=[{"lazy_start": True}, {"cache_enabled": False}], ids=str)
def other(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A Cobbler with other settings, and the host kvm1."""
    with PrivateCobbler(request.param) as private:
        server = Server(private)
        server.install()
        server.add_releases()
        server.profile("hosts1", meta={"bridge": "br1"})
        server.system("kvm1", "hosts1")
        yield server


def events(server: Server) -> List[List[Any]]:
    """What Cobbler does in the background: time, name, state and who has read it."""
    return list(server.cobbler.rpc("get_events").values())


def test_with_other_settings(other: Server) -> None:
    guest(other)
    other.cobbler.restart()
    other.installed("kvm1")
    assert koan(other) == ["br1"]
    guest(other, "web2")
    other.cobbler.restart()
    # with lazy_start Cobbler loads its objects beside everything else, and fails if that meets
    assert wait_for(lambda: {each[2] for each in events(other)} <= {"complete"}), events(other)
    other.edit("system", "web2", autoinstall_meta={"bridge_host": "kvm1", "x": "1"})
    other.edit("system", "kvm1", autoinstall_meta={"y": "1"})
    assert other.state("kvm1") == "br1/installed"
    rename_bridge(other, "br3")
    assert koan(other) == koan(other, "web2") == ["br3"]
    assert " - ERROR | " not in other.log()


TABLE = """\
GUEST  NIC   HOST  NOW  THEN  WHY
web1   eth0  kvm1  -    br1   the host's first bridge
web1   eth1  kvm1  -    br1   the host's first bridge
"""


def test_record_and_place_by_hand(hosts: Server) -> None:
    guest(hosts, nics=("eth0", "eth1", "eth2"), more={"virtbridge-eth2": "br9"})
    hosts.cobbler.restart()
    before = hosts.disk()
    dry = hosts.command("record", "kvm1", "--dry-run").stdout
    assert re.match("HOST  NOW  THEN\nkvm1  -    br1, by hand since .*\n", dry)
    assert dry.endswith(TABLE + "Nothing was written.\n")
    assert (hosts.disk(), hosts.record("kvm1")) == (before, None)
    assert hosts.command("record", "kvm1").stdout.endswith("Z\n" + TABLE)
    assert hosts.state("kvm1") == "br1/by hand"
    assert hosts.bridges("kvm1") == {"eth0": "br1"}
    assert koan(hosts) == ["br1", "br1", "br9"]
    again = hosts.disk()
    assert hosts.command("place").stdout == "No guest's bridge changes.\n"
    assert hosts.disk() == again
    unchanged = "Z  -\nNo guest's bridge changes.\n"
    dry = hosts.command("record", "kvm1", "--clear", "--dry-run").stdout
    assert dry.endswith(unchanged + "Nothing was written.\n")
    assert hosts.state("kvm1") == "br1/by hand"
    assert hosts.command("record", "kvm1", "--clear").stdout.endswith(unchanged)
    assert hosts.record("kvm1") is None
    # its port is as if nobody had set it
    assert hosts.bridges("kvm1") != {"eth0": "br1"}
    assert hosts.bridges("web1") == {"eth0": "br1", "eth1": "br1", "eth2": "br9"}
    done = hosts.command("place", check=False)
    right = "install that host, or run cobbler-bridge record kvm1"
    line = "web1: bridge_host: Cobbler knows no bridge of 'kvm1'; %s\n" % right
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)


def test_place_after_a_change_that_no_trigger_saw(hosts: Server) -> None:
    hosts.installed("kvm1", "kvm2")
    for number in "12":
        guest(hosts, "web" + number, "kvm" + number)
    for name in ("web1", "web2"):
        stored = hosts.file_of(name)
        stored.write_text(stored.read_text().replace('"virt_bridge": "br', '"virt_bridge": "'))
        stored.write_text(stored.read_text().replace('"virt_bridge": "1"', '"virt_bridge": ""'))
        stored.write_text(stored.read_text().replace('"virt_bridge": "2"', '"virt_bridge": ""'))
    hosts.cobbler.restart()
    rows = hosts.command("place", "--host=kvm2", "--dry-run").stdout.splitlines()[1:]
    assert rows == ["web2   eth0  kvm2  -    br2   the host's first bridge", "Nothing was written."]
    assert hosts.command("place", "--host=kvm2").stdout.splitlines()[1:] == rows[:1]
    assert koan(hosts, "web2") == ["br2"]
    assert koan(hosts) == ["<<inherit>>"]
    assert hosts.command("place").returncode == 0
    assert koan(hosts) == ["br1"]


def test_record_that_is_cleared_by_hand_leaves_what_somebody_set(hosts: Server) -> None:
    nics = {"macaddress-eth1": hosts.mac(), "virtbridge-eth1": "br1"}
    hosts.edit("system", "kvm1", modify_interface=nics)
    hosts.edit("system", "kvm1", autoinstall_meta={"bridge_port": "eth0"})
    hosts.installed("kvm1")
    assert hosts.bridges("kvm1") == {"eth0": "br1", "eth1": "br1"}
    said = (
        "  -     virt_bridge stays on %s: it may be somebody's choice\nNo guest's bridge changes.\n"
    )
    done = hosts.command("record", "kvm1", "--clear")
    assert done.stdout.endswith(said % "eth1 (br1)")
    unset, by_hand = hosts.bridges("kvm1").values()
    assert unset in ("", "<<inherit>>")
    assert by_hand == "br1"
    # described no more: whose the values are is written nowhere
    hosts.command("record", "kvm1")
    hosts.edit("profile", "hosts1", autoinstall_meta={})
    hosts.edit("system", "kvm1", autoinstall_meta={})
    done = hosts.command("record", "kvm1", "--clear")
    assert done.stdout.endswith(said % "eth0 (br1), eth1 (br1)")
    assert hosts.bridges("kvm1") == {"eth0": "br1", "eth1": "br1"}
    assert hosts.record("kvm1") is None


NOBODY = (
    "nobody: system: there is none of this name; name one of those that 'cobbler system list' shows"
)


def test_what_cannot_be_recorded(hosts: Server) -> None:
    hosts.system("plain")
    hosts.system("wrong", meta={"bridge": "br 0"})
    lines: Dict[str, str] = {
        "nobody": NOBODY,
        "plain": "plain: bridge: is not set; set it, or its interface records, or name what it has "
        "with --bridge",
        "wrong": "wrong: bridge: 'br 0' has ' ' in it; it can be 1 to 15 letters, digits, '_', "
        "'-' or '.', not beginning with '-', and not ., .., lo, all, default or none",
    }
    before = hosts.disk()
    for name, line in lines.items():
        done = hosts.command("record", name, check=False)
        assert (done.returncode, done.stderr) == (1, line + "\n")
    done = hosts.command("place", "--host=nobody", check=False)
    assert done.stderr == NOBODY + "\n"
    assert hosts.disk() == before


def test_login(hosts: Server) -> None:
    password = hosts.cobbler.path("/var/lib/cobbler/password")
    password.write_text("wrong\n")
    words = ("record", "kvm1", "--user=cobbler")
    done = hosts.command(*words, "--password-file=/var/lib/cobbler/password", check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("cobbler-bridge: Cobbler at http://127.0.0.1:25151 refused: ")
    assert done.stderr.count("\n") == 1
    done = hosts.command(*words, check=False)
    assert done.stderr == "cobbler-bridge: --user needs --password-file\n"
    assert done.returncode == 2
    done = hosts.command(*words, "--password-file=/nowhere", check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("cobbler-bridge: /nowhere: No such file or directory; ")
    # the name and password that Cobbler's documentation begins with
    password.write_text("cobbler\n")
    assert hosts.command(*words, "--password-file=/var/lib/cobbler/password").returncode == 0
