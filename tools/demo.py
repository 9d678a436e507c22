"""``make demo``: a profile says bridge=br0, and a guest's NIC lands on it.

Everything happens in a private Cobbler and a scratch root; nothing stays when it ends.
"""

import os
import shutil
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import List, Mapping

import scratch_machine
from koan_network import koan_networks
from private_cobbler import PrivateCobbler, PrivateCobblerError

MAC = "52:54:00:aa:00:01"
SERVER = "http://127.0.0.1/cblr/svc/op"
TEMPLATES = "/var/lib/cobbler/templates"
TREE = "/var/www/cobbler/distro_mirror/el7"
FETCH = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode(), end='')"
END = ": end of bridge_setup ----\n"
END_OF_DESCRIPTION = "# What follows is the same in every script."
# What an EL 7 machine looks like in its %post section, as far as the script looks
MACHINE: Mapping[str, object] = {
    "nics": {"eth0": {"mac": MAC}, "eth1": {"mac": "52:54:00:aa:00:02", "link": False}},
    "cmdline": "initrd=initrd.img BOOTIF=01-" + MAC.replace(":", "-"),
    "files": {
        "/usr/sbin/brctl!": "",
        "/etc/sysconfig/network-scripts/ifcfg-eth0": (
            "DEVICE=eth0\nBOOTPROTO=dhcp\nONBOOT=yes\nHWADDR=%s\n" % MAC.upper()
        ),
        "/etc/sysconfig/iptables": (
            "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
            "-A FORWARD -j REJECT --reject-with icmp-host-prohibited\nCOMMIT\n"
        ),
    },
}


class Stage:
    """What the audience sees: headings, commands and what they print."""

    def __init__(self) -> None:
        self._colour = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._step = 0

    def heading(self, text: str) -> None:
        """A step begins."""
        self._step += 1
        print("\n" + self._painted("1;36", "%d. %s" % (self._step, text)))

    def command(self, text: str) -> None:
        """A command, as somebody would type it."""
        print(self._painted("1", "$ " + text))

    def output(self, text: str) -> None:
        """What a command printed."""
        print(textwrap.indent(text.rstrip("\n"), "  "))

    def result(self, text: str) -> None:
        """What the step has shown."""
        print(self._painted("32", "→ " + text))

    def _painted(self, colour: str, text: str) -> str:
        return "\033[%sm%s\033[0m" % (colour, text) if self._colour else text


class Demonstration:
    """The steps, in order, on one running private Cobbler."""

    def __init__(self, cobbler: PrivateCobbler, stage: Stage) -> None:
        self._cobbler = cobbler
        self._stage = stage

    def install_the_pack(self) -> None:
        """The first of the README's two commands."""
        self._stage.heading("The pack goes into Cobbler 3.3.10, and cobblerd starts again")
        self._show(["cobbler-bridge", "install"])
        self._cobbler.restart()

    def make_a_host_and_a_guest(self) -> None:
        """Objects as an administrator makes them, and the second of the README's commands."""
        self._stage.heading("A profile for hosts says bridge=br0")
        tree = self._cobbler.path(TREE)
        tree.mkdir(parents=True)
        for name in ("vmlinuz", "initrd.img"):
            (tree / name).write_text("stands in for a real one\n")
        template = self._cobbler.path(TEMPLATES + "/kvm-hosts.ks")
        sample = self._cobbler.path(TEMPLATES + "/sample.ks").read_text()
        line = "$SNIPPET('post_install_network_config')\n"
        template.write_text(sample.replace(line, line + "$SNIPPET('bridge_setup')\n"))
        for command in (
            "distro add --name=el7 --breed=redhat --os-version=rhel7 --arch=x86_64"
            " --kernel={0}/vmlinuz --initrd={0}/initrd.img"
            " --autoinstall-meta=tree=http://127.0.0.1/cblr/links/el7".format(TREE),
            "profile add --name=kvm-hosts --distro=el7 --autoinstall=kvm-hosts.ks",
            "profile add --name=guests --distro=el7 --autoinstall=/sample.ks --virt-type=qemu",
            "system add --name=kvm1 --profile=kvm-hosts --interface=eth0 --mac=%s" % MAC,
            "system add --name=web1 --profile=guests --interface=eth0 --mac=52:54:00:bb:00:01",
        ):
            self._show(["cobbler"] + command.split())
        for command in ("--profile kvm-hosts bridge=br0", "--system web1 bridge_host=kvm1"):
            self._show(["cobbler-bridge", "set"] + command.split())
        self._stage.result("kvm-hosts.ks is Cobbler's sample.ks with $SNIPPET('bridge_setup')")

    def koan(self, when: str) -> str:
        """What the real Koan gives virt-install for the guest."""
        self._stage.heading(when)
        self._stage.command("koan --server=127.0.0.1 --virt --system=web1")
        network = " ".join("--network " + each for each in koan_networks(self._cobbler, "web1"))
        self._stage.output("virt-install … " + network)
        return network

    def kickstart(self) -> str:
        """The part of the kickstart that sets up the bridge, as the machine gets it."""
        self._stage.heading("The host's kickstart, as the machine gets it: the bridge's part")
        text = self._get("autoinstall/system/kvm1", show=False)
        begin = text.index("# ---- cobbler-bridge")
        script = text[begin : text.index(END, begin) + len(END)]
        self._stage.output(script[: script.index(END_OF_DESCRIPTION)] + "…")
        return script

    def run_in_a_scratch_root(self, script: str, root: Path) -> None:
        """What the script leaves on a machine like EL 7."""
        self._stage.heading("The same script, run on a scratch root that looks like EL 7")
        scratch_machine.build(root, MACHINE)
        before = scratch_machine.tree(root)
        run = scratch_machine.run(script, root, ["sh"])
        self._stage.output(run.output + run.errors)
        for path, text in scratch_machine.tree(root).items():
            # what starts the check at the first boot is the same on every machine
            if path.startswith("etc/") and "firstboot" not in path and before.get(path) != text:
                self._stage.command("cat /" + path)
                self._stage.output(text)

    def play_the_installation(self) -> None:
        """The calls of a kickstart when it begins and when it is done, and of the first boot."""
        self._stage.heading("kvm1 installs itself, and its first boot proves the bridge")
        for mode in ("pre", "post", "firstboot"):
            self._get("trig/mode/%s/system/kvm1" % mode)
        self._show(["cobbler-bridge", "show"])

    def _show(self, arguments: List[str]) -> None:
        self._stage.command(" ".join(arguments))
        done = self._cobbler.run(arguments)
        if done.stdout.strip():
            self._stage.output(done.stdout.replace(sys.prefix, "…"))

    def _get(self, operation: str, show: bool = True) -> str:
        """Fetch as a machine does; Python stands in where there is no curl."""
        url = "%s/%s" % (SERVER, operation)
        self._stage.command("curl -s %s" % url)
        python = [sys.executable, "-c", FETCH]
        text = self._cobbler.run(
            [*(["curl", "-sf"] if shutil.which("curl") else python), url]
        ).stdout
        if show:
            self._stage.output(text)
        return text


def main() -> int:
    """Show it all; 0 when the guest's NIC ended on the host's bridge."""
    begin = time.monotonic()
    stage = Stage()
    with PrivateCobbler() as cobbler, tempfile.TemporaryDirectory() as root:
        show = Demonstration(cobbler, stage)
        show.install_the_pack()
        show.make_a_host_and_a_guest()
        # what nobody set is stored as <<inherit>> once Cobbler has read its own files again
        cobbler.restart()
        before = show.koan("Before: Koan is given whatever stands on the guest's NIC")
        stage.result("no bridge of that name is on any host")
        show.run_in_a_scratch_root(show.kickstart(), Path(root))
        show.play_the_installation()
        after = show.koan("After: Koan is given the host's bridge")
    well = "bridge=br0," in after and "bridge=br0," not in before
    stage.result("web1 is on br0 of kvm1" if well else "web1 is not where it should be")
    print("\n%.0f seconds; nothing of it is left on this machine." % (time.monotonic() - begin))
    return 0 if well else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nInterrupted; nothing of it is left on this machine.", file=sys.stderr)
        sys.exit(130)
    except PrivateCobblerError as error:
        sys.exit("demo: %s" % error)
