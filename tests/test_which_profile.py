"""Which of a machine's own profiles NetworkManager would take for the NIC: what is kept is its."""

from pathlib import Path
from typing import Any, Dict

import pytest

import scratch_machine as machine
from cobbler_bridge.snippet import bridge_setup

MAC = "52:54:00:aa:00:01"
FOLDER = "etc/NetworkManager/system-connections/"
PROFILE = """\
[connection]
uuid=%s
type=ethernet
autoconnect-priority=%d
%s
[ipv4]
method=manual
address1=%s/24
"""
FITS, PLAIN = "192.0.2.10", "192.0.2.20"
# what a profile has beside all that a plain one has, and whether it is for this NIC, em1 with the
# driver e1000e at pci-0000:01:00.0; by NetworkManager 1.42
MATCHES: Dict[str, Any] = {
    "nothing": ("", True),
    "by name": ("[match]\ninterface-name=em*;", True),
    "another name": ("[match]\ninterface-name=em2;", False),
    "not another name": ("[match]\ninterface-name=!em2;!em3", True),
    "not this name": ("[match]\ninterface-name=!em1;", False),
    "a name, and not this one": ("[match]\ninterface-name=em*;&!em1;", False),
    "a name, and another one": ("[match]\ninterface-name=em1;&em2;", False),
    "perhaps not another one": ("[match]\ninterface-name=|!em2;", True),
    "a dot is one": ("[match]\ninterface-name=e.1;", False),
    "any letter": ("[match]\ninterface-name=e?1;", True),
    "its driver": ("[match]\ndriver=virtio_net;e1000*;", True),
    "another driver": ("[match]\ndriver=mlx5_core", False),
    "its place": ("[match]\npath=pci-0000:01:*;", True),
    "another place": ("[match]\npath=pci-0000:02:00.0", False),
    "a word of the kernel's": ("[match]\nkernel-command-line=quiet;", True),
    "with a value": ("[match]\nkernel-command-line=root;", True),
    "with its value": ("[match]\nkernel-command-line=root=/dev/sda1;", True),
    "with another value": ("[match]\nkernel-command-line=root=/dev/sda;", False),
    "not a word of the kernel's": ("[match]\nkernel-command-line=!quiet;", False),
    "a name and another driver": ("[match]\ninterface-name=em1\ndriver=mlx5_core", False),
    "not for this card": ("[ethernet]\nmac-address-blacklist=52:54:00:AA:00:01;", False),
    "not for this card, as newer ones say": ("[ethernet]\nmac-address-denylist=" + MAC, False),
    "not for another card": ("[ethernet]\nmac-address-blacklist=52:54:00:AA:00:02;", True),
}


def _host(root: Path, files: Dict[str, str]) -> None:
    machine.build(root, {"nics": {"em1": {"mac": MAC}}, "route": "em1", "files": files})
    at = root / "sys/class/net/em1"
    (at / "device/driver").symlink_to("../../../../bus/pci/drivers/e1000e")
    (at / "ifindex").write_text("7\n")
    udev = root / "run/udev/data"
    udev.mkdir(parents=True)
    (udev / "n7").write_text("I:1\nE:ID_PATH=pci-0000:01:00.0\n")
    (root / "proc/cmdline").write_text("BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet\n")


def _kept(root: Path, shell: str, **asked: str) -> str:
    known = {"breed": "redhat", "os_version": "rhel9", "system_name": "kvm1", "bridge": "br0"}
    asked = {"bridge_ipv4": "keep", "bridge_firewall": "none", **asked}
    script = bridge_setup({**known, **asked})
    found = []
    for _ in range(2):
        run = machine.run(script, root, machine.SHELLS[shell])
        assert not run.errors
        text = (root / FOLDER / "br0.nmconnection").read_text()
        found += [line for line in text.splitlines() if line.startswith("address1=")]
    assert len(set(found)) == 1, "the second run keeps another"
    return found[0][len("address1=") : -len("/24")]


@pytest.mark.parametrize("name", MATCHES)
def test_which_profile_is_for_the_nic(name: str, tmp_path: Path) -> None:
    more, fits = MATCHES[name]
    files = {
        "/" + FOLDER + "a.nmconnection": PROFILE % ("u-1", 9, more, FITS),
        "/" + FOLDER + "b.nmconnection": PROFILE % ("u-2", 0, "", PLAIN),
    }
    _host(tmp_path, files)
    assert _kept(tmp_path, "dash") == (FITS if fits else PLAIN)


def test_a_profile_that_takes_the_place_of_a_package_s(tmp_path: Path) -> None:
    files = {
        "/usr/lib/NetworkManager/system-connections/em1.nmconnection": PROFILE
        % ("u-1", 9, "", PLAIN),
        "/" + FOLDER + "em1.nmconnection": PROFILE % ("u-1", 0, "", FITS),
    }
    _host(tmp_path, files)
    assert _kept(tmp_path, "busybox") == FITS


def test_a_profile_without_a_type_is_what_its_sections_say(tmp_path: Path) -> None:
    profile = PROFILE % ("u-1", 0, "[ethernet]\nmac-address=" + MAC.upper(), FITS)
    files = {"/" + FOLDER + "lan.nmconnection": profile.replace("type=ethernet\n", "")}
    _host(tmp_path, files)
    assert _kept(tmp_path, "bash") == FITS


def test_a_vlan_whose_nic_is_known_by_its_address(tmp_path: Path) -> None:
    more = "[vlan]\nid=7\n[ethernet]\nmac-address=" + MAC.upper()
    profile = PROFILE % ("u-1", 0, more, FITS)
    profile = profile.replace("type=ethernet", "type=vlan\ninterface-name=lan")
    _host(tmp_path, {"/" + FOLDER + "lan.nmconnection": profile})
    assert _kept(tmp_path, "dash", bridge_vlan="7") == FITS


@pytest.mark.parametrize(
    ("said", "known_by"),
    [
        ("Permanent address: " + MAC, MAC),
        ("Permanent address: 00:00:00:00:00:00", "02:00:00:00:00:09"),
        ("Permanent address: not set", "02:00:00:00:00:09"),
        ("", "02:00:00:00:00:09"),
    ],
)
def test_a_nic_is_known_by_the_address_that_it_has_when_it_starts(
    said: str, known_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = "[ethernet]\nmac-address=%s\ncloned-mac-address=02:00:00:00:00:09" % MAC
    root = tmp_path / "root"
    profile = PROFILE % ("u-1", 0, "interface-name=em1\n" + more, FITS)
    _host(root, {"/" + FOLDER + "em1.nmconnection": profile})
    (root / "sys/class/net/em1/address").write_text("02:00:00:00:00:09\n")
    (root / "sys/class/net/em1/addr_assign_type").write_text("3\n")
    ethtool = tmp_path / "bin/ethtool"
    ethtool.parent.mkdir()
    ethtool.write_text('#!/bin/sh\n[ "$1 $2" = "-P em1" ] && echo "%s"\n' % said)
    ethtool.chmod(0o755)
    monkeypatch.setenv("PATH", "%s:/usr/sbin:/usr/bin:/sbin:/bin" % ethtool.parent)
    assert _kept(root, "dash") == FITS
    port = (root / FOLDER / "em1.nmconnection").read_text().splitlines()
    assert "mac-address=" + known_by in port


def test_without_ethtool_ip_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    _host(
        root, {"/" + FOLDER + "em1.nmconnection": PROFILE % ("u-1", 0, "interface-name=em1", FITS)}
    )
    (root / "sys/class/net/em1/address").write_text("02:00:00:00:00:09\n")
    (root / "sys/class/net/em1/addr_assign_type").write_text("3\n")
    shows = "    link/ether 02:00:00:00:00:09 brd ff:ff:ff:ff:ff:ff permaddr %s"
    for name, text in {"ethtool": "exit 127", "ip": "echo '%s'" % (shows % MAC)}.items():
        (tmp_path / name).write_text("#!/bin/sh\n%s\n" % text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", "%s:/usr/sbin:/usr/bin:/sbin:/bin" % tmp_path)
    assert _kept(root, "dash") == FITS
    port = (root / FOLDER / "em1.nmconnection").read_text().splitlines()
    assert "mac-address=" + MAC in port
