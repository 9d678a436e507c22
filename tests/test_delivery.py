"""The lines that have a Debian or Ubuntu machine fetch its script."""

import subprocess
from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml

from cobbler_bridge.check import installation_files
from cobbler_bridge.plan import delivery
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.script import render

DATA: Dict[str, Any] = {
    "system_name": "kvm 1's",
    "breed": "debian",
    "os_version": "bookworm",
    "http_server": "192.0.2.1:8080",
    "bridge": "br0",
    "bridge_firewall": "none",
}
URL = "http://192.0.2.1:8080/cblr/svc/op/script/system/kvm%201%27s/?script=cobbler_bridge_setup"
# what d-i and subiquity have, saying how they were called
PROGRAMS = """\
wget() { echo "wget $*"; : > "$2"; }
in_target() { echo "in-target $*"; read -r line || echo "no input"; false; }
curtin() { echo "curtin $*"; read -r line || echo "no input"; false; }
"""


def lines(**more: Any) -> List[str]:
    """For a preseed, for user-data both, and for a machine that runs."""
    return [each.line for each in delivery.lines(dict(DATA, **more))]


def run(command: str, tmp_path: Path) -> str:
    (tmp_path / "target/var/tmp").mkdir(parents=True)
    inside = PROGRAMS + command.replace("in-target sh", "in_target sh").replace(
        "curtin in_target", "curtin in-target"
    )
    inside = inside.replace("/target/", "%s/target/" % tmp_path)
    done = subprocess.run(
        ["sh", "-c", inside],
        input="an answer\n",
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    return done.stdout.replace(str(tmp_path), "")


def test_a_preseeds_line_ends_well_whatever_the_script_does(tmp_path: Path) -> None:
    line = lines()[0]
    head = "d-i preseed/late_command string "
    assert line.startswith(head)
    assert run(line[len(head) :], tmp_path).splitlines() == [
        "wget -O /target/var/tmp/cobbler_bridge_setup " + URL,
        "in-target sh /var/tmp/cobbler_bridge_setup",
        "no input",
    ]
    assert (
        installation_files.wrongs(line + "; wget -O- u | chroot /target sh -s", False, True) == []
    )


def test_a_line_of_user_data_is_a_string_that_ends_well(tmp_path: Path) -> None:
    found = lines(breed="ubuntu")
    text = "#cloud-config\nautoinstall:\n  late-commands:\n%s\n%s\n"
    text %= tuple(found[1:3])
    script, told = yaml.safe_load(text)["autoinstall"]["late-commands"]
    assert run(script, tmp_path).splitlines() == [
        "wget -O /target/var/tmp/cobbler_bridge_setup " + URL,
        "curtin in-target -- sh /var/tmp/cobbler_bridge_setup",
        "no input",
    ]
    assert "http://192.0.2.1:8080/cblr/svc/op/trig/mode/post/system/kvm%201%27s" in told
    assert installation_files.wrongs(text, False, True) == []


def test_a_machine_that_runs() -> None:
    text = "#cloud-config\nruncmd:\n%s\n" % lines()[3]
    (command,) = yaml.safe_load(text)["runcmd"]
    file = "/var/tmp/cobbler_bridge_setup"
    assert command == "wget -O %s '%s' && sh %s < /dev/null" % (file, URL, file)


@pytest.mark.parametrize("more", [{"breed": "redhat"}, {"http_server": ""}, {"breed": "suse"}])
def test_others_have_none(more: Dict[str, str]) -> None:
    assert delivery.lines(dict(DATA, **more)) == []


def test_a_rendering_for_a_person_begins_with_them() -> None:
    plan, _ = make_plan(DATA)
    assert plan is not None
    text = render.files(plan, delivery.lines(DATA))
    assert "\n# in a preseed, behind its other late commands:\nd-i preseed/late_command" in text
