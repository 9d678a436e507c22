"""Cobbler's own samples for SUSE with the documented element: what a machine gets of them.

Each is tried with the part of its installer's schema that our element stands in: AutoYaST's by jing
(``autoyast_scripts.rnc``), Agama's by jsonschema (``agama_scripts.schema.json``).
"""

import importlib
import json
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping
from xml.etree import ElementTree

import pytest

from network_namespace import LAYER, Machine
from real.server import TREE, Server, part

SCHEMA = Path(__file__).with_name("autoyast_scripts.rnc")
OF_AGAMA = json.loads(Path(__file__).with_name("agama_scripts.schema.json").read_text())
YAST = "{http://www.suse.com/1.0/yast2ns}"
# as docs/installation.md has it
ELEMENT = """\
    <chroot-scripts config:type="list">
      <script>
        <chrooted config:type="boolean">true</chrooted>
        <filename>bridge_setup</filename>
        <interpreter>shell</interpreter>
        <source><![CDATA[
$SNIPPET('bridge_setup')
]]></source>
      </script>
    </chroot-scripts>
"""
AGAMA = """\
      {
        "name": "bridge",
        "chroot": true,
        "url": "http://$http_server/cblr/svc/op/script/$what/$name/?script=cobbler_bridge_setup"
      },
"""
# where the template is Jinja's
AGAMA_40 = AGAMA.replace("$http_server", "{{ http_server }}").replace(
    "$what/$name", "{{ 'system' if system_name else 'profile' }}/{{ name }}"
)
DOCS = Path(__file__).parents[2] / "docs/installation.md"
HOST = "kvm1"


@pytest.fixture
def suse(server: Server) -> Iterator[Server]:
    """A Cobbler with a distro for each of SUSE's installers."""
    for distro, os_version in (("sle15", "sles15sp6"), ("leap16", "opensuse16.0")):
        files = {"kernel": TREE + "/vmlinuz", "initrd": TREE + "/initrd.img"}
        server.add("distro", distro, breed="suse", os_version=os_version, arch="x86_64", **files)
    yield server
    server.remove_all()
    for distro in ("sle15", "leap16"):
        server.remove("distro", distro)


def test_the_documentation_has_these() -> None:
    text = DOCS.read_text()
    assert [each for each in (ELEMENT, AGAMA, AGAMA_40) if each not in text] == []


def host(server: Server, distro: str, sample: str, before: str, element: str) -> str:
    """The profile that a host gets of a sample with an element, and nothing check would say."""
    text = server.cobbler.path("/var/lib/cobbler/templates/" + sample).read_text()
    assert text.count(before) == 1
    server.template("with", text.replace(before, before + element))
    server.profile("hosts", distro, {"bridge": "br0"}, template="with")
    server.system(HOST, "hosts")
    return server.kickstart(HOST)


def findings(server: Server) -> List[str]:
    said = server.command("check", check=False).stdout.splitlines()
    return [line.partition("with.ks' ")[2] for line in said if ": autoinstall: " in line]


def test_autoyast(suse: Server) -> None:
    profile = host(suse, "sle15", "sample_autoyast.xml", "  <scripts>\n", ELEMENT)
    scripts = ElementTree.fromstring(profile).find(YAST + "scripts")
    assert scripts is not None
    source = scripts.findtext("{0}chroot-scripts/{0}script/{0}source".format(YAST)) or ""
    assert part(source) == suse.command("render", "--system", HOST, "--format", "sh").stdout
    # what the sample itself has that AutoYaST stops at
    assert [each for each in findings(suse) if "schema" not in each] == []
    assert [each for each in findings(suse) if each.startswith("has <network_needed>")]
    kept = [each for each in scripts if each.tag == YAST + "chroot-scripts"]
    for each in list(scripts):
        if each not in kept:
            scripts.remove(each)
    assert jing(ElementTree.tostring(scripts, encoding="unicode")) == ""
    (chrooted,) = (each for each in kept[0].iter(YAST + "chrooted"))
    chrooted.text = "perhaps"
    wrong = 'must be equal to "false" or "true"'
    assert wrong in jing(ElementTree.tostring(scripts, encoding="unicode"))


def jing(scripts: str) -> str:
    """What it says of this element, if anything."""
    if "CI" not in os.environ and os.geteuid() != 0:
        pytest.skip("only root can make a throw-away machine")
    with Machine(LAYER.with_name("layer-jing")) as machine:
        machine.write("/tmp/scripts.xml", scripts)
        machine.write("/tmp/scripts.rnc", SCHEMA.read_text())
        said = machine.run("jing", "-c", "/tmp/scripts.rnc", "/tmp/scripts.xml", check=False)
        # of what comes with Java
        return "".join(line for line in said.splitlines(True) if not line.startswith("[warning]"))


def test_agama(suse: Server) -> None:
    profile = host(suse, "leap16", "sample_agama.json", '    "post": [\n', AGAMA)
    assert findings(suse) == []
    scripts: Dict[str, Any] = json.loads(profile)["scripts"]
    assert against_schema(scripts) == []
    ours: Dict[str, Any] = scripts["post"][0]
    assert (ours["name"], ours["chroot"]) == ("bridge", True)
    # the host part is the server's own
    path = "/" + ours["url"].split("/", 3)[3]
    script = suse.get(path).text
    assert script.startswith("#!/bin/sh\n")
    shown = suse.command("render", "--system", HOST, "--format", "sh").stdout
    assert part(script) == shown
    for wrong in ({"chroot": "yes"}, {"interpreter": "shell"}, {"content": "#!/bin/sh\n"}):
        assert against_schema({"post": [{**ours, **wrong}]}) != []


def against_schema(scripts: Mapping[str, Any]) -> List[str]:
    """What Agama's schema has against these."""
    pytest.importorskip("jsonschema", reason="jsonschema is for the newest Pythons only")
    validator = importlib.import_module("jsonschema").Draft201909Validator
    return [str(each.message) for each in validator(OF_AGAMA).iter_errors(scripts)]


def test_the_end_of_an_installation_behind_its_first_boot(suse: Server) -> None:
    """AutoYaST's init-scripts tell it when the host may have proved its bridge already."""
    suse.profile("hosts", "sle15", {"bridge": "br0"})
    suse.system(HOST, "hosts")
    suse.edit("system", HOST, netboot_enabled=True)
    for mode, state in (
        ("pre", "installing"),
        ("firstboot", "verified"),
        ("post", "verified"),
        ("pre", "installing"),
        ("post", "installed"),
        ("firstboot", "verified"),
    ):
        assert suse.trigger(mode, HOST).text == "True"
        assert suse.state(HOST) == "br0/" + state, mode
    suse.trigger("pre", HOST)
    suse.trigger("firstboot", HOST + ",rolled-back,no_gateway")
    suse.trigger("post", HOST)
    assert suse.state(HOST) == "br0/rolled back"
