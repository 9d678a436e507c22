"""What was made of the NIC before the bridge: taken over, left, or the network stays as it is."""

import itertools
from pathlib import Path
from typing import Any, Dict, Mapping, NamedTuple

import pytest

import scratch_machine as machine
from cobbler_bridge.snippet import bridge_setup

MAC1, MAC2 = "52:54:00:aa:00:01", "52:54:00:aa:00:02"
IFCFG = "etc/sysconfig/network-scripts/ifcfg-"
KEYFILE = "etc/NetworkManager/system-connections/%s.nmconnection"
NICS: Mapping[str, Any] = {"em1": {"mac": MAC1}, "em2": {"mac": MAC2, "link": False}}
STATIC = "BOOTPROTO=none\nIPADDR=192.0.2.10\nPREFIX=24\nGATEWAY=192.0.2.1\n"
PORT = "DEVICE=em1\nBOOTPROTO=none\nONBOOT=yes\n"
BOND = {
    "em1": "DEVICE=em1\nMASTER=bond0\nSLAVE=yes\n",
    "bond0": "DEVICE=bond0\nTYPE=Bond\nBONDING_MASTER=yes\n" + STATIC,
}
OVS = {
    "em1": "DEVICE=em1\nDEVICETYPE=ovs\nTYPE=OVSPort\nOVS_BRIDGE=br-ex\nONBOOT=yes\n",
    "br-ex": "DEVICE=br-ex\nDEVICETYPE=ovs\nTYPE=OVSBridge\nONBOOT=yes\n" + STATIC,
}
DESCRIBES_BOND = (
    ": interface records of the types bond and bond_slave describe it, and then bridge_port=bond0"
)
BRIDGE_RECORDS = {
    "br0": {"interface_type": "bridge"},
    "bond1": {"interface_type": "bonded_bridge_slave", "interface_master": "br0"},
    "em1": {"interface_type": "bond_slave", "interface_master": "bond1"},
    "em2": {"interface_type": "bond_slave", "interface_master": "bond1", "mac_address": MAC2},
}


class Layout(NamedTuple):
    """What the kernel has beside the NICs, the files, and what was asked for."""

    made: Mapping[str, Any] = {}
    route: str = "em1"
    ifcfg: Mapping[str, str] = {}
    keyfiles: Mapping[str, str] = {}
    asked: Mapping[str, Any] = {}
    target: str = "rhel7"

    def build(self, root: Path) -> None:
        files: Dict[str, str] = {"/usr/sbin/brctl!": "", "/sbin/vconfig!": ""}
        files.update(("/" + IFCFG + name, text) for name, text in self.ifcfg.items())
        files.update(("/" + KEYFILE % name, text) for name, text in self.keyfiles.items())
        nics = {**NICS, **{name: {"mac": MAC1, **each} for name, each in self.made.items()}}
        machine.build(root, {"nics": nics, "route": self.route, "files": files})
        if "wlan0" in nics:
            (root / "sys/class/net/wlan0/wireless").mkdir()

    @property
    def script(self) -> str:
        known = {"breed": "redhat", "os_version": self.target, "system_name": "kvm1"}
        return bridge_setup({**known, "bridge": "br0", "bridge_firewall": "none", **self.asked})


def configured(root: Path) -> Dict[str, str]:
    """The network's files, by what they are for."""
    return {
        name.rsplit("/", 1)[1].replace("ifcfg-", "").replace(".nmconnection", ""): text
        for name, text in machine.tree(root / "etc").items()
        if name.startswith(("sysconfig/network-scripts/", "NetworkManager/"))
    }


def run_twice(root: Path, layout: Layout, shell: str, whole: bool) -> machine.Run:
    """The first run; the second one, of a whole test, changes nothing and ends alike."""
    layout.build(root)
    script, words = layout.script, machine.SHELLS[shell]
    first = machine.run(script, root, words)
    if not whole:
        return first
    after = machine.tree(root)
    second = machine.run(script, root, words)
    assert machine.tree(root) == after
    assert (second.refused, second.errors) == (first.refused, first.errors)
    return first


def profile(**sections: str) -> str:
    """A keyfile."""
    return "".join("[%s]\n%s\n" % each for each in sections.items())


# what is asked for, and how the sentence begins that says why not
REFUSED: Dict[str, Any] = {
    "a bond of one port": (
        Layout({"bond0": {"bond": ["em1"]}}, "bond0", BOND),
        "em1 is in the bond bond0, which has the default route" + DESCRIBES_BOND,
    ),
    "a bond of one port, by the NIC": (
        Layout({"bond0": {"bond": ["em1"]}}, "", BOND, asked={"bridge_port": MAC1}),
        "em1 is in the bond bond0, which has the default route" + DESCRIBES_BOND,
    ),
    "a bond of the files alone": (
        Layout({}, "em1", BOND),
        "em1 is in the bond bond0, which has the default route" + DESCRIBES_BOND,
    ),
    "a bond of two": (
        Layout({"bond0": {"bond": ["em1", "em2"]}}, "bond0"),
        "the default route goes over the bond bond0, which is made of em1 em2" + DESCRIBES_BOND,
    ),
    "a bond by its name": (
        Layout({"bond0": {"bond": ["em1", "em2"]}}, "bond0", asked={"bridge_port": "bond0"}),
        "bond0 is a bond and no NIC" + DESCRIBES_BOND,
    ),
    "a VLAN by its name": (
        Layout({"em1.1301": {"vlan": ["em1", 1301]}}, "", asked={"bridge_port": "em1.1301"}),
        "em1.1301 is a VLAN and no NIC: bridge_vlan=1301 puts the bridge there;",
    ),
    "a bridge by its name": (
        Layout({"br-home": {"ports": ["em1"]}}, "", asked={"bridge_port": "br-home"}),
        "br-home is a bridge and no NIC: bridge=br-home keeps it, or",
    ),
    "a VLAN under the default route": (
        Layout({"em1.1301": {"vlan": ["em1", 1301]}}, "em1.1301"),
        "em1 has the VLAN em1.1301, which has the default route: "
        "bridge_vlan=1301 puts the bridge there, bridge_ipv4=none beside it",
    ),
    "another VLAN than that": (
        Layout({"lan": {"vlan": ["em1", 1301]}}, "lan", asked={"bridge_vlan": 20}),
        "em1 has the VLAN lan, which has the default route: bridge_vlan=1301 puts",
    ),
    "a VLAN of the files alone": (
        Layout(
            {},
            "",
            {"em1": PORT, "lan": "DEVICE=lan\nVLAN=yes\nPHYSDEV=em1\nVLAN_ID=7\n" + STATIC},
            asked={"bridge_port": "em1"},
        ),
        "em1 has the VLAN lan, which has the default route: bridge_vlan=7 puts the bridge there",
    ),
    "a VLAN of the keyfiles alone": (
        Layout(
            {},
            "",
            {},
            {
                "em1": profile(
                    connection="id=em1\nuuid=u-1\ntype=ethernet\ninterface-name=em1",
                    ipv4="method=disabled",
                ),
                "lan": profile(
                    connection="id=lan\nuuid=u-2\ntype=vlan\ninterface-name=lan",
                    vlan="id=7\nparent=u-1",
                    ipv4="method=auto",
                ),
            },
            asked={"bridge_port": "em1"},
            target="rhel10",
        ),
        "em1 has the VLAN lan, which has the default route: bridge_vlan=7 puts the bridge there",
    ),
    "a VLAN beside which nothing gets its frames": (
        Layout(
            {"em1.7": {"vlan": ["em1", 7]}}, "em1.7", asked={"bridge_ipv4": "none"}, target="rhel6"
        ),
        "em1 has the VLAN em1.7, which has the default route: bridge_vlan=7 puts the bridge there;",
    ),
    "a VLAN over a bond": (
        Layout({"bond0": {"bond": ["em1"]}, "bond0.7": {"vlan": ["bond0", 7]}}, "bond0.7"),
        "em1 is in the bond bond0, which has the default route" + DESCRIBES_BOND,
    ),
    "a bond over a VLAN": (
        Layout({"em1.7": {"vlan": ["em1", 7]}, "bond0": {"bond": ["em1.7"]}}, "bond0"),
        "em1 has the VLAN em1.7, which has the default route: bridge_vlan=7 puts",
    ),
    "and with that VLAN": (
        Layout(
            {"em1.7": {"vlan": ["em1", 7]}, "bond0": {"bond": ["em1.7"]}},
            "bond0",
            asked={"bridge_vlan": 7},
        ),
        "em1.7 is in the bond bond0, which has the default route" + DESCRIBES_BOND,
    ),
    "a bridge over a VLAN": (
        Layout({"em1.7": {"vlan": ["em1", 7]}, "br-home": {"ports": ["em1.7"]}}, "br-home"),
        "em1 has the VLAN em1.7, which has the default route: bridge_vlan=7 puts",
    ),
    "a team": (
        Layout({"team0": {"on": ["em1"]}}, "team0"),
        "em1 is part of team0, which has the default route: nothing here describes a device of its",
    ),
    "a team of the keyfiles alone": (
        Layout(
            {},
            "",
            {},
            {
                "team0": profile(
                    connection="uuid=u-1\ntype=team\ninterface-name=team0", ipv4="method=auto"
                ),
                "em1": profile(
                    connection="uuid=u-2\ntype=ethernet\ninterface-name=em1\ncontroller=u-1\nport-type=team"
                ),
            },
            asked={"bridge_port": "em1"},
            target="rhel9",
        ),
        "em1 is part of team0, which has the default route: nothing here describes a device of its",
    ),
    "a VLAN of a bond that is described": (
        Layout(
            {"bond1": {"bond": ["em1", "em2"]}, "bond1.7": {"vlan": ["bond1", 7]}},
            "bond1.7",
            asked={"interfaces": BRIDGE_RECORDS},
        ),
        "bond1 has the VLAN bond1.7, which has the default route: an interface record bond1.7",
    ),
    "a wireless card": (
        Layout({"wlan0": {"hardware": False}}, "wlan0", asked={"bridge_port": "wlan0"}),
        "wlan0 is a wireless card and no NIC: nothing here describes a device of its kind; take",
    ),
    "Open vSwitch": (
        Layout(
            {
                "ovs-system": {"on": ["em1"]},
                "br-ex": {"hardware": False},
            },
            "br-ex",
            OVS,
        ),
        "em1 is part of ovs-system: nothing here describes a device of its kind; take",
    ),
    "Open vSwitch of the files alone": (
        Layout({}, "", OVS, asked={"bridge_port": "em1"}),
        "em1 is part of br-ex, which has the default route: nothing here describes a device of its",
    ),
    "Open vSwitch of the keyfiles alone": (
        Layout(
            {},
            "",
            {},
            {
                "em1": profile(
                    connection="uuid=u-2\ntype=ethernet\ninterface-name=em1\nmaster=br-ex\n"
                    "slave-type=ovs-port"
                )
            },
            asked={"bridge_port": "em1"},
            target="rhel9",
        ),
        "em1 is part of br-ex: nothing here describes a device of its kind; take it away, or name",
    ),
    "a macvlan of the files alone": (
        Layout(
            {},
            "",
            {"em1": PORT, "mv0": "DEVICE=mv0\nTYPE=MacVLAN\nPHYSDEV=em1\n" + STATIC},
            asked={"bridge_port": "em1"},
        ),
        "em1 is part of mv0, which has the default route: nothing here describes a device of its",
    ),
    "a macvlan of the keyfiles alone": (
        Layout(
            {},
            "",
            {},
            {
                "mv": profile(
                    connection="uuid=u-1\ntype=macvlan\ninterface-name=mv0",
                    macvlan="parent=em1\nmode=2",
                    ipv4="method=auto",
                )
            },
            asked={"bridge_port": "em1"},
            target="rhel10",
        ),
        "em1 is part of mv0, which has the default route: nothing here describes a device of its",
    ),
    "a macvlan": (
        Layout({"mv0": {"on": ["em1"]}}, "em1"),
        "em1 is part of mv0: nothing here describes a device of its kind; take it away, or name",
    ),
    "a bridge with a guest": (
        Layout({"br-home": {"ports": ["em1", "vnet0"]}, "vnet0": {"hardware": False}}, "br-home"),
        "em1 is in the bridge br-home, which has the default route, together with vnet0: "
        "bridge=br-home keeps it, or bridge_port= names all its ports",
    ),
    "a bridge with two NICs": (
        Layout({"br-home": {"ports": ["em1", "em2"]}}, "br-home"),
        "the default route goes over the bridge br-home, which is made of em1 em2: bridge=br-home",
    ),
}


@pytest.mark.parametrize(("name", "shell"), list(zip(REFUSED, itertools.cycle(machine.SHELLS))))
def test_what_can_not_be_said_stays(name: str, shell: str, tmp_path: Path, whole: bool) -> None:
    layout, why = REFUSED[name]
    run = run_twice(tmp_path, layout, shell, whole)
    assert run.errors.startswith("cobbler-bridge: " + why), run
    assert run.refused
    assert run.errors.count("\n") == 1
    before = tmp_path / "before"
    layout.build(before)
    assert configured(tmp_path) == configured(before)


HOME = {
    "em1": "DEVICE=em1\nBRIDGE=br-home\nONBOOT=yes\n",
    "br-home": "DEVICE=br-home\nTYPE=Bridge\nONBOOT=yes\n" + STATIC,
}
HOME_KEYFILES = {
    "em1": profile(
        connection="uuid=u-2\ntype=ethernet\ninterface-name=em1\ncontroller=u-1\nport-type=bridge"
    ),
    "home": profile(
        connection="uuid=u-1\ntype=bridge\ninterface-name=br-home",
        ipv4="method=manual\naddress1=192.0.2.10/24,192.0.2.1",
    ),
}
LAN = {"em1": PORT, "lan": "DEVICE=lan\nVLAN=yes\nPHYSDEV=em1\nVLAN_ID=7\nONBOOT=yes\n" + STATIC}
KEEP = {"bridge_ipv4": "keep"}
BR_HOME = {"br-home": {"ports": ["em1"]}}
VLAN7 = {"lan": {"vlan": ["em1", 7]}}
# what is asked for, and the devices that have files afterwards
TAKEN: Dict[str, Any] = {
    "the installer's own bridge": (Layout(BR_HOME, "br-home", HOME), "br0 em1"),
    "with its address": (Layout(BR_HOME, "br-home", HOME, asked=KEEP), "br0 em1"),
    "of the files alone": (Layout({}, "", HOME, asked={**KEEP, "bridge_port": "em1"}), "br0 em1"),
    "in keyfiles": (
        Layout(BR_HOME, "br-home", {}, HOME_KEYFILES, KEEP, "rhel10"),
        "br0 em1",
    ),
    "in keyfiles alone": (
        Layout({}, "", {}, HOME_KEYFILES, {**KEEP, "bridge_port": "em1"}, "rhel9"),
        "br0 em1",
    ),
    "of the same name": (
        Layout(
            {"br0": {"ports": ["em1"]}},
            "br0",
            {"em1": "DEVICE=em1\nBRIDGE=br0\n", "br0": "DEVICE=br0\nTYPE=Bridge\n" + STATIC},
            asked=KEEP,
        ),
        "br0 em1",
    ),
    "a VLAN of another name": (
        Layout(VLAN7, "lan", LAN, asked={"bridge_vlan": 7, **KEEP}),
        "br0 em1 em1.7",
    ),
    "a bridge over a VLAN": (
        Layout(
            {"em1.7": {"vlan": ["em1", 7]}, "br-home": {"ports": ["em1.7"]}},
            "br-home",
            {**HOME, "em1": PORT, "em1.7": "DEVICE=em1.7\nVLAN=yes\nBRIDGE=br-home\n"},
            asked={"bridge_vlan": 7, **KEEP},
        ),
        "br0 em1 em1.7",
    ),
    "beside a file of the NIC that is left over": (
        Layout(
            BR_HOME,
            "br-home",
            {
                "em1": "DEVICE=em1\nBOOTPROTO=dhcp\nONBOOT=no\n",
                "home-port": "HWADDR=%s\nBRIDGE=br-home\nONBOOT=yes\n" % MAC1.upper(),
                "br-home": HOME["br-home"],
            },
            asked=KEEP,
        ),
        "br0 em1",
    ),
    "by the kernel alone": (
        Layout(BR_HOME, "br-home", {"em1": "DEVICE=em1\nBOOTPROTO=dhcp\n"}),
        "br0 em1",
    ),
    "two ports": (
        Layout(
            {"br-home": {"ports": ["em1", "em2"]}},
            "br-home",
            {**HOME, "em2": "DEVICE=em2\nBRIDGE=br-home\n"},
            asked={"bridge_port": "em1,em2", **KEEP},
        ),
        "br0 em1 em2",
    ),
    "a bond of another name": (
        Layout(
            {"bond0": {"bond": ["em1", "em2"]}},
            "bond0",
            {**BOND, "em2": "DEVICE=em2\nMASTER=bond0\n"},
            asked={"interfaces": BRIDGE_RECORDS},
        ),
        "bond1 br0 em1 em2",
    ),
}
KEPT = {"IPADDR=192.0.2.10", "address1=192.0.2.10/24,192.0.2.1"}


@pytest.mark.parametrize(("name", "shell"), list(zip(TAKEN, itertools.cycle(machine.SHELLS))))
def test_what_is_taken_over_has_no_file_any_more(
    name: str, shell: str, tmp_path: Path, whole: bool
) -> None:
    layout, devices = TAKEN[name]
    run = run_twice(tmp_path, layout, shell, whole)
    assert not run.errors, run
    found = configured(tmp_path)
    assert " ".join(sorted(found)) == devices
    if layout.asked.get("bridge_ipv4") == "keep":
        assert KEPT.intersection(found["br0"].splitlines()), found["br0"]
    # and where it is not there any more, for the machine was started again
    again = machine.tree(tmp_path)
    for part in ("bonding", "vlan"):
        for path in (tmp_path / "proc/net" / part).glob("*"):
            path.unlink()
    for name in layout.made:
        at = tmp_path / "sys/class/net" / name
        at.rename(tmp_path / "sys" / name)
    assert not machine.run(layout.script, tmp_path, machine.SHELLS[shell]).errors
    assert machine.tree(tmp_path) == again


STAYS = ("lan", "br-home")
# what is no business of ours
LEFT = {
    "libvirt's": Layout({"virbr0": {"ports": ["virbr0-nic"]}, "virbr0-nic": {"hardware": False}}),
    "Docker's": Layout({"docker0": {"ports": ["veth1"]}, "veth1": {"hardware": False}}),
    "a VLAN without the default route": Layout(
        VLAN7,
        "em1",
        {
            "em1": "DEVICE=em1\nBOOTPROTO=dhcp\n",
            "lan": LAN["lan"].replace("GATEWAY=192.0.2.1\n", ""),
        },
    ),
    "a wireless card that has the default route": Layout({"wlan0": {"hardware": False}}, "wlan0"),
    "a VLAN that asks a DHCP server of its own": Layout(
        VLAN7,
        "em1",
        {
            "em1": "DEVICE=em1\nBOOTPROTO=dhcp\n",
            "lan": "DEVICE=lan\nVLAN=yes\nPHYSDEV=em1\nVLAN_ID=7\nBOOTPROTO=dhcp\n",
        },
    ),
    "a guest's own device on the bridge": Layout(
        {"br0": {"ports": ["em1", "vnet0"]}, "vnet0": {"hardware": False}, "tap0": {"on": ["br0"]}},
        "br0",
        {"em1": "DEVICE=em1\nBRIDGE=br0\n", "br0": "DEVICE=br0\nTYPE=Bridge\nBOOTPROTO=dhcp\n"},
        asked={"bridge_port": "em1"},
    ),
    "a bridge over another NIC": Layout({"br9": {"ports": ["em2"]}}, asked={"bridge_port": "em1"}),
    "the default route beside a bridge without an address": Layout(
        VLAN7, "lan", LAN, asked={"bridge_ipv4": "none"}
    ),
    "a bridge beside a VLAN without an address": Layout(
        BR_HOME, "br-home", HOME, asked={"bridge_ipv4": "none", "bridge_vlan": 7}
    ),
}


@pytest.mark.parametrize(("name", "shell"), list(zip(LEFT, itertools.cycle(machine.SHELLS))))
def test_what_is_left(name: str, shell: str, tmp_path: Path, whole: bool) -> None:
    run = run_twice(tmp_path, LEFT[name], shell, whole)
    assert not run.errors, run
    assert "taken over" not in run.output
    kept = {(each, text) for each, text in LEFT[name].ifcfg.items() if each in STAYS}
    assert kept <= configured(tmp_path).items()
