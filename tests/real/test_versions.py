"""The whole way, from ``install`` to ``uninstall``, the same for all; thorough: each Cobbler."""

import json
import shutil
from typing import Callable, Iterator, List
from xml.etree import ElementTree

import pytest

from cobbler_bridge.install.limits import limits_of
from environments import VERSIONS, Version
from koan_network import KoanError, koan_networks
from private_cobbler import PrivateCobbler
from real.server import COLLECTIONS, LEDGER, MINIMAL, TREE, WHOLE, Server, part
from real.test_suse_profiles import AGAMA, AGAMA_40
from real.versions import EACH, Server40, server_of
from waiting import wait_for

MODULES = "/modules/cobbler_bridge"
AUTOYAST = "<source><![CDATA[\n$SNIPPET('bridge_setup')\n]]></source>\n"
PAGE = "/cobbler/pub/cobbler_bridge/index.html"
# what the server's part of the pack tells of systems is what Cobbler tells
TOLD = """
from cobbler_bridge.check import gather
from cobbler_bridge.description.describe import relevant
from cobbler_bridge.store import told
from cobbler_bridge.store.ledger import Ledger
from cobbler_bridge.store.over_xmlrpc import XmlRpc

def look(names=()):
    store = XmlRpc("http://127.0.0.1:25151", own=Ledger())
    systems = {each.name: each for each in store.systems(names)}
    blend = gather._blend(store, systems)
    known = {}
    for name, each in systems.items():
        each = each._replace(meta=relevant(each.meta), own_meta=sorted(each.own_meta))
        known[name] = (each, relevant(blend("system", name)))
    return known, "part" if store.is_part else "all"

everything, _ = look()
part, how = look(["web1"])
script, told.SCRIPT = told.SCRIPT, "nobody_has_it"
fetched, all_ = look(["web1"])
assert {"kvm1", "web1"} <= part.keys()
for name in fetched:
    for known in (everything, part):
        if name in known:
            for here, there in zip(fetched[name][0], known[name][0]):
                assert here == there, (name, here, there)
assert everything.keys() == fetched.keys()
# nothing that stands there and is of no use
assert "s3cret" not in XmlRpc("http://127.0.0.1:25151")._items.script("system", "web1", script)
print(how, all_)
"""


@pytest.fixture(params=EACH)
def version(request: pytest.FixtureRequest) -> Version:
    """Each of them, where this machine has its Python."""
    found: Version = request.param
    found.must_be_made()
    return found


@pytest.fixture
def any_server(version: Version) -> Iterator[Server]:
    """A running one, as it comes."""
    with PrivateCobbler(python=version.interpreter) as cobbler:
        yield server_of(version, cobbler)


def limits(version: Version) -> str:
    """What the table says that this one can't do."""
    return " ".join(limits_of(tuple(map(int, version.cobbler.partition("b")[0].split(".")))))


def test_the_whole_way(version: Version, any_server: Server) -> None:
    server = any_server
    comes_and_goes(server)
    server.install()
    said = server.command("install").stdout
    assert said.count(": unchanged\n") >= 6
    assert said.endswith("Everything is in place already.\n")
    for sentence in limits_of(tuple(server.cobbler.rpc("extended_version")["version_tuple"])):
        assert sentence in said
    assert "Exception raised when loading module cobbler_bridge" not in server.cobbler.log()

    server.add_releases()
    server.template("packages", WHOLE)
    server.profile("hosts", meta={"bridge": "br0"}, template="packages")
    static = {"ipaddress-eth0": "192.0.2.10", "netmask-eth0": "255.255.255.0", "static-eth0": True}
    server.system("kvm1", "hosts", more=static)
    server.system("web1", meta={"bridge_host": "kvm1", "key": "s3cret"}, nics=("eth0", "eth1"))
    kickstarts_are_rendered(server)
    scripts_are_served(server)
    profiles_of_suse_are_rendered(server)
    edited_by_hand(version, server)

    page_is_kept(server)
    server.installed("kvm1")
    page_says(server, '"state":"installed"')
    guests_are_placed(server)
    edited_and_not_saved(version, server)
    server.cobbler.restart()
    guests_are_placed(server)
    koan_gets_it(version, server)
    command_writes(server)
    others_write(version, server)
    upgraded(server)
    assert "%s: removed" % LEDGER in server.command("uninstall", "--dry-run").stdout
    assert server.ledger() != []
    server.command("uninstall")
    assert not server.cobbler.path(LEDGER).exists()
    assert server.get(PAGE).status == 404
    server.cobbler.restart()
    assert "printf" not in server.kickstart("kvm1")
    assert server.bridges("web1")["eth0"] == "br0"


def test_a_template_of_the_administrators_own_wins() -> None:
    """With Cobbler 4.0, where snippets are template items with names."""
    (version,) = (each for each in VERSIONS if each.cobbler.startswith("4."))
    with PrivateCobbler(python=version.interpreter) as cobbler:
        server = server_of(version, cobbler)
        server.add_releases()
        server.profile("hosts", meta={"bridge": "br0"})
        server.template("bridge_setup", "# mine\n")
        server.install()
        assert "%post\n# mine\n" in server.kickstart("hosts", "profile")


def comes_and_goes(server: Server) -> None:
    """``uninstall`` leaves what was there before ``install``, to the byte."""
    before, folders = server.files(), server.folders()
    server.command("install", "--page")
    assert len(server.files()) >= len(before) + 7
    server.command("uninstall")
    assert server.files() == before
    assert server.folders() == folders


def page_is_kept(server: Server) -> None:
    """It is written at once where cobblerd answers, and an upgrade lets it stay."""
    assert server.get(PAGE).status == 404
    server.command("install", "--page")
    assert '"host":"kvm1"' in server.get(PAGE).text
    assert "index.html: kept up to date" in server.command("install").stdout
    # no sync takes it away
    assert "pub" in server.cobbler.rpc("get_settings")["webdir_whitelist"]


def page_says(server: Server, text: str) -> None:
    """Soon."""
    assert wait_for(lambda: text in server.get(PAGE).text), server.cobbler.log()


def scripts_are_served(server: Server) -> None:
    """What a preseed or user-data fetches: a program, and what a kickstart has."""
    text = part(server.kickstart("kvm1"))
    scripts = {"system/kvm1": text, "profile/hosts": "bridge_setup() {", "system/web1": ""}
    for of, script in scripts.items():
        answer = server.get("/cblr/svc/op/script/%s/?script=cobbler_bridge_setup" % of)
        assert answer.status == 200, answer.text
        assert answer.text.startswith("#!/bin/sh\n"), answer.text[:200]
        assert answer.text.endswith("\nexit 0\n")
        assert script in answer.text
    assert "bridge" not in answer.text


def profiles_of_suse_are_rendered(server: Server) -> None:
    """The script comes out of AutoYaST's section of characters as the command shows it, and of
    where Agama's profile says."""
    known = server.cobbler.rpc("get_valid_os_versions_for_breed", "suse")
    (os_version, *_) = (each for each in known if each.startswith("sles15"))
    files = {"kernel": TREE + "/vmlinuz", "initrd": TREE + "/initrd.img"}
    server.add("distro", "sle", breed="suse", os_version=os_version, arch="x86_64", **files)
    server.template("autoyast", AUTOYAST)
    server.profile("sle", "sle", {"bridge": "br0"}, template="autoyast")
    (source,) = ElementTree.fromstring(server.kickstart("sle", "profile")).itertext()
    shown = server.command("render", "--profile", "sle", "--format", "sh").stdout
    assert "bridge br0, for sle" in shown
    assert part(source) == shown
    text = '#set $what = "profile"\n' + AGAMA
    if isinstance(server, Server40):
        text = "#template=jinja\n" + AGAMA_40
        server.template("agama", text, "jinja")
    else:
        server.template("agama", text)
    server.edit("profile", "sle", autoinstall="/agama.ks")
    agama = json.loads(server.kickstart("sle", "profile").strip().rstrip(","))
    path = "/" + agama["url"].split("/", 3)[3]
    assert part(server.get(path).text) == shown
    server.remove("profile", "sle")
    server.remove("distro", "sle")


def kickstarts_are_rendered(server: Server) -> None:
    """The snippet's script stands in them, and it is what the command shows."""
    kickstart = server.kickstart("kvm1")
    assert "\n%packages\nbridge-utils\n" in kickstart
    script = part(kickstart)
    assert "IPADDR=192.0.2.10\n" in script
    rendered = server.command("render", "--system", "kvm1", "--format", "sh").stdout
    assert rendered == script
    profile = part(server.kickstart("hosts", "profile"))
    assert "BOOTPROTO=dhcp\n" in profile
    assert profile == server.command("render", "--profile", "hosts", "--format", "sh").stdout


def edited_by_hand(version: Version, server: Server) -> None:
    """Somebody chooses a bridge for one interface, with Cobbler's own command where it has one."""
    if version.cobbler.startswith("4."):
        server.edit("system", "web1", modify_interface={"virtbridge-eth1": "br9"})
        return
    # the script of 3.2.3 names another Python in its first line
    command = [str(version.interpreter), str(version.interpreter.parent / "cobbler")]
    edit = ["system", "edit", "--name=web1", "--interface=eth1", "--virt-bridge=br9"]
    server.cobbler.run([*command, *edit])


def edited_and_not_saved(version: Version, server: Server) -> None:
    """An open edit has dropped the record in memory: a signal finds it on disk, and so does the
    save."""
    # a new system of Cobbler 3.2 is to be installed
    server.edit("system", "kvm1", netboot_enabled=False)
    record, token = server.record("kvm1"), server.cobbler.token
    handle, field = server.cobbler.rpc("get_item_handle", "system", "kvm1"), "autoinstall_meta"
    words = [field] if version.cobbler.startswith("4.") else field
    assert server.cobbler.rpc("modify_system", handle, words, {}, token) is True
    for mode in ("post", "pre", "post"):
        server.trigger(mode, "kvm1")
    assert server.record("kvm1") == record
    server.edit("system", "kvm1")
    assert server.record("kvm1") == record
    assert server.meta("kvm1") == {}
    guests_are_placed(server)


def guests_are_placed(server: Server, state: str = "installed") -> None:
    """The record stands on the host, and the guest's free interfaces have its bridge."""
    assert server.state("kvm1") == "br0/" + state
    assert server.bridges("kvm1")["eth0"] == "br0"
    placed = server.bridges("web1")
    assert (placed["eth0"], placed["eth1"]) == ("br0", "br9")
    (host,) = json.loads(server.command("show", "--format", "json").stdout)
    assert (host["host"], host["bridges"], host["state"]) == ("kvm1", ["br0"], state)
    assert host["guests"][0]["nics"]["eth0"] == "br0"


def command_writes(server: Server) -> None:
    """By hand, over XML-RPC: a record goes and comes, a guest is placed."""
    server.command("record", "kvm1", "--clear")
    assert server.state("kvm1") is None
    assert server.bridges("kvm1")["eth0"] != "br0"
    server.edit("system", "web1", modify_interface={"virtbridge-eth0": "<<inherit>>"})
    assert server.bridges("web1")["eth0"] != "br0"
    server.command("record", "kvm1")
    guests_are_placed(server, "by hand")
    assert server.command("place").returncode == 0
    guests_are_placed(server, "by hand")
    # somebody elsewhere, and who can't read the files, sees the same
    shown = server.command("show", "--format=json").stdout
    url = "--server=http://127.0.0.1/cobbler_api"
    assert server.command("show", "--format=json", url).stdout == shown
    assert server.cobbler.run(["python", "-c", TOLD]).stdout.split() == ["part", "all"]
    done = server.command("check", check=False)
    assert done.returncode in (0, 1), done.stderr
    # set by install where it matters, and no matter elsewhere
    assert "cheetah_import_whitelist" not in done.stdout
    # of the kickstart as this Cobbler renders it
    assert ": autoinstall: " not in done.stdout
    ours = "$SNIPPET('bridge_setup')"
    server.template("without", MINIMAL.replace(ours, "#if 0\n%s\n#end if" % ours))
    server.edit("profile", "hosts", autoinstall="/without.ks")
    said = server.command("check", check=False).stdout
    assert "as Cobbler renders it has no $SNIPPET('bridge_setup')" in said
    server.edit("profile", "hosts", autoinstall="/packages.ks")
    assert "Traceback" not in done.stderr


def copied_and_renamed(server: Server, stays: Callable[[str], None]) -> None:
    """A copy of a host has no record; a host that is renamed has its own."""
    rpc, token = server.cobbler.rpc, server.cobbler.token
    rpc("copy_system", rpc("get_item_handle", "system", "kvm1"), "kvm2", token)
    assert server.record("kvm2") is None
    for old, new in (("kvm1", "kvm9"), ("kvm9", "kvm1")):
        rpc("rename_system", rpc("get_item_handle", "system", old), new, token)
        stays(new)
        server.command("check", check=False)


def others_write(version: Version, server: Server) -> None:
    """Tools that know of no record: records and places stay, and they read what they wrote."""
    is_4, token, rpc = version.cobbler.startswith("4."), server.cobbler.token, server.cobbler.rpc

    def handle(name: str) -> str:
        return str(rpc("get_item_handle", "system", name))

    def stays(host: str = "kvm1") -> None:
        shown = json.loads(server.command("show", host, "--format", "json").stdout)[0]
        assert [shown["bridges"], shown["state"], shown["since"]] == known
        assert server.bridges("web1")["eth0"] == "br0"

    record = server.record("kvm1")
    assert record is not None
    known = [record["bridges"], record["state"], record["since"]]
    # every variable at once, also past all triggers
    written = {"kvm1": {"x": "1"}, "web1": {"bridge_host": "kvm1", "y": "2"}}
    for name, meta in written.items():
        server.edit("system", name, autoinstall_meta=meta)
        if is_4:
            words = ["autoinstall_meta"]
            assert rpc("modify_system", handle(name), words, dict(meta, z="3"), token) is True
            assert rpc("save_system", handle(name), False, False, "bypass", token) is True
            assert rpc("modify_system", handle(name), words, meta, token) is True
            assert rpc("save_system", handle(name), False, False, "bypass", token) is True
        assert server.meta(name) == meta
    stays()
    # yesterday's files
    collections = server.cobbler.path(COLLECTIONS)
    shutil.copytree(collections, collections.with_name("kept"))
    # these copy and rename no system that has an address
    moves = version.cobbler not in {"3.3.%d" % number for number in range(5)}
    if moves:
        copied_and_renamed(server, stays)
    # removed and created again
    for name in ("web1", "kvm1", *["kvm2"] * moves):
        server.remove("system", name)
    server.system("kvm1", "hosts")
    server.system("web1", meta=written["web1"], nics=("eth0", "eth1"))
    server.edit("system", "kvm1", netboot_enabled=False)
    server.trigger("firstboot", "kvm1")
    assert server.meta("web1") == written["web1"]
    stays()
    # none of the uids is that of yesterday
    shutil.rmtree(collections)
    collections.with_name("kept").rename(collections)
    server.cobbler.restart()
    server.edit("system", "web1")
    stays()


def upgraded(server: Server) -> None:
    """What version 0.1 noted is moved by the first signal after the restart, or by install."""
    note = {"bridge_record": "br0/verified/2026-01-31T12:00:00Z", "x": "1"}
    placed = {"bridge_placed": "eth0:br0", "bridge_host": "kvm1"}
    for name, meta in (("kvm1", note), ("web1", placed)):
        path = server.file_of(name)
        stored = json.loads(path.read_text())
        path.write_text(json.dumps(dict(stored, autoinstall_meta=meta)))
    shutil.rmtree(server.cobbler.path(LEDGER))
    server.cobbler.restart()
    shown = server.command("show", "--format=json").stdout
    assert json.loads(shown)[0]["state"] == "verified"
    # what was killed as it wrote the page is no reason to restart cobblerd
    left = server.cobbler.path(LEDGER).with_name(".cobbler-bridge-killed")
    left.write_text("")
    said = server.command("install").stdout
    assert said.endswith("Everything is in place already.\n")
    assert not left.exists()
    assert server.meta("kvm1") == {"x": "1"}
    assert server.meta("web1") == {"bridge_host": "kvm1"}
    assert server.state("kvm1") == "br0/verified"
    assert server.placed("web1") == {"eth0": "br0"}
    assert server.command("show", "--format=json").stdout == shown


def koan_gets_it(version: Version, server: Server) -> None:
    """The real Koan gives virt-install these, where it can speak with this Cobbler."""
    if "Koan 3.0.1 finds no system" in limits(version):
        with pytest.raises(KoanError, match="No entry"):
            koan_networks(server.cobbler, "web1")
        return
    networks: List[str] = koan_networks(server.cobbler, "web1")
    assert [each.partition(",")[0] for each in networks if ",mac=" in each] == [
        "bridge=br0",
        "bridge=br9",
    ]
    # the one that nobody asked for
    more = [each for each in networks if ",mac=" not in each]
    assert more == (["bridge=br0"] if "interface 'default'" in limits(version) else [])
