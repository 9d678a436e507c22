"""What is the same for a machine that runs, whatever reads its network's files: who reaches it
while it is switched, and what is plugged into its bridge."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

from network_namespace import RELEASE, Machine
from real.test_firstboot_systemd import Booting
from waiting import wait_for

FAR_SIDE = Path(__file__).resolve().parents[2] / "tools/far_side.py"
PORT = 7
WRONG = "10.99.0.9/24,10.99.0.77"
RIGHT = "10.99.0.9/24,10.99.0.1"


def seen(
    machine: Machine, address: str, run: Callable[[], str], source: str = ""
) -> Tuple[str, Dict[str, Any]]:
    """What something said that is run, and what the far side saw of an address meanwhile, perhaps
    from an address of its own that is in no network of the host's."""
    # another release has not ours; a virtual environment may lie in a folder that is hidden
    python = "/usr/bin/python3" if RELEASE else os.path.realpath(sys.executable)
    text = "#!%s\n%s" % (python, FAR_SIDE.read_text())
    for name in ("far_side", "near_side"):
        if not machine.path("/usr/local/bin/" + name).exists():
            machine.write("/usr/local/bin/" + name, text, "755")
            if name == "near_side":
                machine.start("/usr/local/bin/near_side", str(PORT))
                assert wait_for(lambda: "begun" in machine.log("near_side"), 60)
    words = ["/usr/local/bin/far_side", address, str(PORT), *filter(None, [source])]
    machine.start(*words, namespace="far")
    begun = wait_for(lambda: "begun" in machine.log("far_side"), 60)
    assert begun, machine.log("far_side")
    said = run()
    machine.stop("far_side")
    far: Dict[str, Any] = json.loads(machine.log("far_side").splitlines()[-1])
    return said, far


def is_done(host: Booting) -> bool:
    """Whether the check has ended well, or has put the old network back."""
    return not host.machine.path("/var/lib/cobbler-bridge/expected").exists()


def old_address_is_reached(host: Any) -> None:
    """As long as nothing is proved, by those who knew it; then it is gone with all that it had."""
    (address,) = [each.split("/")[0] for each in host.addresses("eth0")]
    host.machine.run("ip", "addr", "add", "10.97.0.1/32", "dev", "lo", namespace="far")
    # behind the gateway that the host had, and will have no more
    said, far = seen(host.machine, address, lambda: host.switch(bridge_ipv4=WRONG), "10.97.0.1")
    # a proof that is waited for takes ten seconds and more
    assert far["sent"] > 1000, said
    assert far["outage"] < 5000, far
    assert far["session"]
    host.comes_up("eth0")
    assert (host.rules(), host.ports("br0")) == ([], [])
    said, far = seen(host.machine, address, lambda: host.switch(bridge_ipv4=RIGHT))
    assert wait_for(lambda: is_done(host)), host.said()
    assert host.addresses("br0") == [RIGHT.partition(",")[0]]
    assert (host.rules(), host.addresses("eth0")) == ([], [])


def guests_stay(host: Any) -> None:
    """A tap is in the bridge afterwards, whether another description is proved or put back, and is
    as far from other guests as before; the bridge and its port have the MTU that is described, and
    that of before where none is."""
    both = ("br0", "eth0")
    host.machine.run("ip", "link", "set", "dev", "eth0", "mtu", "1600")
    host.switch()
    assert wait_for(lambda: is_done(host)), host.said()
    host.machine.run("ip", "tuntap", "add", "dev", "vnet0", "mode", "tap")
    host.machine.run("ip", "link", "set", "dev", "vnet0", "up", "master", "br0")
    isolated = host.machine.path("/sys/class/net/vnet0/brport/isolated")
    isolated.write_text("1\n")
    # a tap that has less than its bridge lowers that, where NetworkManager has not set it
    had = [host.kernel(each, "mtu") for each in both]
    assert had in (["1500", "1600"], ["1600", "1600"]), had
    for mtu in ("1400", "", "1300"):
        host.switch(**({"bridge_mtu": mtu} if mtu else {}))
        assert wait_for(lambda: is_done(host)), host.said()
        assert sorted(host.ports("br0")) == ["eth0", "vnet0"]
        assert isolated.read_text() == "1\n"
        found = [host.kernel(each, "mtu") for each in both]
        assert found == ([mtu] * 2 if mtu else had), (found, had)
    host.machine.start("ip", "monitor", "link")
    host.switch(bridge_ipv4=WRONG, bridge_mtu="1450")
    assert wait_for(lambda: "the old network is back" in host.said()), host.said()
    assert wait_for(lambda: sorted(host.ports("br0")) == ["eth0", "vnet0"]), host.said()
    assert isolated.read_text() == "1\n"
    host.comes_up("br0")
    assert [host.kernel(each, "mtu") for each in both] == ["1300"] * 2
    host.machine.stop("ip")
    # a card may lose its link by each change
    assert set(re.findall(r" eth0\S* .* mtu (\d+) ", host.machine.log("ip"))) == {"1300", "1450"}
