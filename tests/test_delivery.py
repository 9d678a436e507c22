"""The lines that have a machine fetch its script, where no snippet can stand."""

import json
import subprocess
from pathlib import Path
from typing import Any, Dict, List
from xml.etree import ElementTree

import pytest
import yaml

from cobbler_bridge.check import installation_files
from cobbler_bridge.plan import delivery
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.script import render
from cobbler_bridge.snippet import bridge_setup

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


@pytest.mark.parametrize("more", [{"breed": "redhat"}, {"http_server": ""}])
def test_others_have_none(more: Dict[str, str]) -> None:
    assert delivery.lines(dict(DATA, **more)) == []


def test_a_rendering_for_a_person_begins_with_them() -> None:
    plan, _ = make_plan(DATA)
    assert plan is not None
    text = render.files(plan, delivery.lines(DATA))
    assert "\n# in a preseed, behind its other late commands:\nd-i preseed/late_command" in text


AUTOYAST = """\
<?xml version="1.0"?>
<!DOCTYPE profile>
<profile xmlns="http://www.suse.com/1.0/yast2ns" xmlns:config="http://www.suse.com/1.0/configns">
  <scripts config:type="map">
    <%s config:type="list">%s</%s>
    <init-scripts config:type="list">
      <script><source><![CDATA[curl http://192.0.2.1/cblr/svc/op/trig/mode/post/system/kvm1]]></source></script>
    </init-scripts>
  </scripts>%s
</profile>
"""
OF_SUSE = dict(DATA, breed="suse", os_version="sles15sp6")
CHROOTED = (
    '<script><chrooted config:type="boolean">%s</chrooted>'
    "<source><![CDATA[\n%s]]></source></script>"
)
OF_THE_SAMPLE = "<dns><dhcp_resolv>false</dhcp_resolv><nameservers></nameservers></dns>"


def autoyast(script: str, where: str = "chroot-scripts", more: str = "") -> str:
    return AUTOYAST % (where, script, where, more)


def wrongs(text: str) -> List[str]:
    return [wrong for wrong, *_ in installation_files.wrongs(text, False, True)]


def test_an_element_for_autoyast() -> None:
    chroot_script, init_script, _ = lines(**OF_SUSE)
    assert wrongs(autoyast(chroot_script)) == []
    assert wrongs(autoyast(init_script, "post-scripts")) == []
    script = ElementTree.fromstring(autoyast(chroot_script).encode())[0][0][0]
    said = {each.tag.partition("}")[2]: each.text for each in script}
    assert said == {
        "chrooted": "true",
        "filename": "cobbler_bridge_setup",
        "interpreter": "shell",
        "location": URL,
    }


def test_the_snippet_itself_in_a_chroot_script() -> None:
    """Nothing in it ends the section of characters."""
    for value in ("]]>", "br0", "]]]>>", "a]]>b<"):
        text = bridge_setup({**OF_SUSE, "bridge": "br0", "name_servers_search": [value]})
        profile = autoyast(CHROOTED % ("true", text))
        assert wrongs(profile) == []
        script = ElementTree.fromstring(profile.encode())[0][0][0]
        assert script[1].text == "\n" + text


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("<profile xmlns='http://www.suse.com/1.0/yast2ns'>", "is no XML: no element found"),
        (autoyast("<script/>"), "has no chroot-script that runs cobbler_bridge_setup"),
        (
            autoyast(CHROOTED % ("false", "sh cobbler_bridge_setup")),
            "runs cobbler_bridge_setup in the installer, not in what it installs",
        ),
        (
            autoyast(CHROOTED % ("true", "cobbler_bridge_setup"), "pre-scripts"),
            "runs cobbler_bridge_setup in pre-scripts, which is the installer",
        ),
        (
            autoyast(CHROOTED % ("true", "cobbler_bridge_setup")).replace("mode/post", "mode/pre"),
            "doesn't tell Cobbler that it is installed",
        ),
        (
            autoyast(
                CHROOTED % ("true", "cobbler_bridge_setup"),
                more="<software><patterns><pattern>kvm_server</pattern></patterns></software>",
            ),
            "has 'kvm_server', for which YaST puts a bridge of its own over each NIC",
        ),
        (
            autoyast(
                CHROOTED % ("true", "cobbler_bridge_setup")
                + "<script><network_needed>true</network_needed></script>"
            ),
            "has <network_needed> in a script, which its schema does not know",
        ),
        (
            autoyast("<script><interpreter>shell</interpreter></script>", "init-scripts"),
            "has <interpreter> in an init-script, which its schema does not know",
        ),
        (
            autoyast("", more="<networking>%s</networking>" % OF_THE_SAMPLE),
            "has <dhcp_resolv> in dns, which its schema does not know",
        ),
        (
            autoyast("", more="<networking>%s</networking>" % OF_THE_SAMPLE),
            "has <nameservers> without one, which its schema does not allow",
        ),
    ],
)
def test_what_is_wrong_with_an_autoyast_profile(text: str, wrong: str) -> None:
    assert [each for each in wrongs(text) if each.startswith(wrong)], wrongs(text)


def test_a_profile_that_turns_yasts_own_bridge_off() -> None:
    software = "<software><packages><package>xen</package></packages></software>"
    off = "<networking><virt_bridge_proposal>%s</virt_bridge_proposal></networking>"
    script = CHROOTED % ("true", "cobbler_bridge_setup")
    assert wrongs(autoyast(script, more=software + off % "false")) == []
    assert len(wrongs(autoyast(script, more=software + off % "true"))) == 1


def agama(when: str = "post", late: str = "agama_late_default", **script: Any) -> str:
    scripts = {"post": [{"name": "post-install", "url": "http://192.0.2.1/?script=" + late}]}
    if script:
        scripts.setdefault(when, []).append(script)
    return json.dumps({"product": {"id": "openSUSE_Leap"}, "scripts": scripts})


def test_an_element_for_agama() -> None:
    script = json.loads(lines(**OF_SUSE)[2])
    assert script == {"name": "cobbler_bridge_setup", "chroot": True, "url": URL}
    assert wrongs(agama(**script)) == []
    assert wrongs(agama("init", **{"name": "a", "url": URL})) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"scripts": }', "is no JSON: Expecting value"),
        (agama(), "has no script in post that fetches cobbler_bridge_setup"),
        ('{"scripts": {"post": ["cobbler_bridge_setup"], "pre": 1}}', "has no script in post"),
        ("{}", "has no script in post"),
        (agama(name="a", url=URL, chroot=False), "runs cobbler_bridge_setup in the installer"),
        (agama("pre", name="a", url=URL), "runs cobbler_bridge_setup in the installer"),
        (agama(late="ours", name="a", url=URL), "doesn't tell Cobbler that it is installed"),
    ],
)
def test_what_is_wrong_with_an_agama_profile(text: str, wrong: str) -> None:
    assert [each for each in wrongs(text) if each.startswith(wrong)], wrongs(text)
