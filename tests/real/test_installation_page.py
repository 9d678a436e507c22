"""The commands of docs/installation.md and docs/records.md, run in their order."""

import re
import sys
from pathlib import Path

from real.server import REPOSITORY, Server

PAGE = REPOSITORY / "docs/installation.md"
KERNEL = "/var/www/cobbler/distro_mirror/el7"


def test_every_command(fresh: Server, tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) >= 5
    fresh.cobbler.path(KERNEL).mkdir(parents=True)
    for name in ("vmlinuz", "initrd.img"):
        (fresh.cobbler.path(KERNEL) / name).write_text(name)
    # there is no service manager here: it is done after the block
    (tmp_path / "systemctl").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "systemctl").chmod(0o755)
    search = {"PATH": "%s:%s/bin:/usr/sbin:/usr/bin:/sbin:/bin" % (tmp_path, sys.prefix)}
    before, said = fresh.files(), []
    for block in blocks:
        # it finds that this Cobbler is where only this machine can reach it, and nothing else
        block = block.replace("cobbler-bridge check\n", "cobbler-bridge check || [ $? -eq 1 ]\n")
        done = fresh.cobbler.run(["sh", "-e"], input=block, env=search)
        assert done.stderr == ""
        said.append(done.stdout)
        if "systemctl restart cobblerd" in block:
            fresh.cobbler.restart()
    assert "Restart cobblerd to load the triggers" in said[0]
    assert said[1].endswith("Everything is in place already.\n")
    changed, rendered = said[2].split("# bridge br0 on EL 7 (ifcfg), for kvm1\n")
    assert re.search("^profile +kvm-hosts +bridge +- +br0$", changed, re.M)
    assert "/ifcfg-br0 (mode 644)" in rendered
    assert re.match("(?s)error: settings: server: .* looked at\\.\nHOST ", said[3])
    assert re.search("^kvm1 +br0 .*not installed", said[3], re.M)
    assert "kvm-hosts.ks: still asks for the snippet bridge_setup; take that out" in said[4]
    left = [path for path in set(fresh.files()) - set(before) if "cobbler_bridge" in path]
    assert left == []


def test_the_whole_host_of_the_records(server: Server) -> None:
    """A bond, two VLANs and a bridge on each: what render says, and a guest on each bridge."""
    page = (REPOSITORY / "docs/records.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)
    server.profile("kvm-hosts", "rhel9")
    block = block.replace(
        "cobbler-bridge check kvm1\n", "cobbler-bridge check kvm1 || [ $? -eq 1 ]\n"
    )
    search = {"PATH": "%s/bin:/usr/sbin:/usr/bin:/sbin:/bin" % sys.prefix}
    done = server.cobbler.run(["sh", "-e"], input=block, env=search)
    assert done.stderr == ""
    assert "# bridge br10 and br20 on EL 9 (keyfile), for kvm1\n" in done.stdout
    for name in ("bond0", "br10", "br20", "bond0.10", "bond0.20"):
        assert "/%s.nmconnection (mode 600)" % name in done.stdout, name
    assert "address1=192.0.2.10/24,192.0.2.1" in done.stdout
    # Cobbler's own interface "default", which a system has that was added without one, is no error
    assert "error: " not in done.stdout
    server.system("web1", meta={"bridge_host": "kvm1"}, more={"ipaddress-eth0": "192.0.2.20"})
    server.system("web2", meta={"bridge_host": "kvm1", "bridge_vlan": "20"})
    server.installed("kvm1")
    assert [server.bridges(each) for each in ("web1", "web2")] == [
        {"eth0": "br10"},
        {"eth0": "br20"},
    ]
