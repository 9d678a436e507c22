"""The snippet through Cobbler's own templar and web front, read by the real pykickstart, and run.

Cobbler's own samples are accepted by the handlers of all four releases as they stand; what is
run comes from a template whose %post has nothing but the snippet.
"""

import json
import re
import warnings
from pathlib import Path
from typing import Any, Dict, List, Mapping

import pytest
from pykickstart.constants import KS_SCRIPT_POST, KS_SCRIPT_PRE
from pykickstart.errors import KickstartError
from pykickstart.parser import KickstartParser
from pykickstart.version import makeVersion

import golden
import scratch_machine
from cobbler_bridge.snippet import bridge_network, bridge_setup
from real.server import MINIMAL, PACKAGES, RELEASES, Server, part

MAC = "52:54:00:aa:00:01"
SAMPLES = ("sample", "sample_legacy")
LINE = "$SNIPPET('bridge_setup')\n"
# the call stands behind what else writes network configuration, as our documentation wants it
BEFORE = "$SNIPPET('post_install_network_config')\n"
MACHINE = {
    "nics": {"eth0": {"mac": MAC}, "eth1": {"mac": "52:54:00:aa:00:02", "link": False}},
    "cmdline": "BOOTIF=01-" + MAC.replace(":", "-"),
    "files": {
        "/usr/sbin/brctl!": "",
        "/etc/sysconfig/network-scripts/ifcfg-eth0": "DEVICE=eth0\nONBOOT=yes\n",
        "/etc/sysconfig/iptables": "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j REJECT\nCOMMIT\n",
    },
}
# a system's record and variables, with what Cobbler must make of them for the snippet
META = {"bridge": "br0", "bridge_mtu": "1500", "bridge_stp": "on"}
RECORD = {
    "ipaddress-eth0": "192.0.2.10",
    "netmask-eth0": "255.255.255.0",
    "static-eth0": True,
    "macaddress-eth0": MAC,
}


STATIC = {
    "ifcfg": (
        "etc/sysconfig/network-scripts/ifcfg-br0",
        ("IPADDR=192.0.2.10", "GATEWAY=192.0.2.1", "DNS1=192.0.2.53", "MTU=1500"),
    ),
    "keyfile": (
        "etc/NetworkManager/system-connections/br0.nmconnection",
        ("address1=192.0.2.10/24,192.0.2.1", "dns=192.0.2.53;", "mtu=1500"),
    ),
}


def handled(kickstart: str, release: str, follow: bool = True) -> Any:
    """A kickstart as the release's own handler reads it.

    Without ``follow``, for Cobbler's samples: they include a file that their own %pre writes.
    """
    parser = KickstartParser(makeVersion(release.upper()), followIncludes=follow)
    with warnings.catch_warnings():
        # Cobbler's samples use commands that newer releases only call deprecated
        warnings.simplefilter("ignore")
        parser.readKickstartFromString(kickstart)
    return parser.handler


def parsed(kickstart: str, release: str, follow: bool = True) -> List[Any]:
    """The scripts of a kickstart, in order."""
    return list(handled(kickstart, release, follow).scripts)


def post_script(kickstart: str, release: str) -> str:
    """The one %post script of a kickstart from the minimal template."""
    scripts = parsed(kickstart, release)
    assert len(scripts) == 1
    assert scripts[0].inChroot
    return str(scripts[0].script)


def pure_data(release: str, subject: Mapping[str, str], **fields: Any) -> Dict[str, Any]:
    known = {"breed": "redhat", "os_version": release, "http_server": "127.0.0.1"}
    return dict(known, **subject, **META, **fields)


def run_everywhere(script: str, folder: Path) -> Dict[str, Any]:
    """How a script ends in each shell: status, what it printed, and every file."""
    outcome = {}
    for name, shell in scratch_machine.SHELLS.items():
        root = folder / name
        scratch_machine.build(root, MACHINE)
        outcome[name] = (scratch_machine.run(script, root, shell), scratch_machine.tree(root))
    return outcome


@pytest.mark.parametrize("release", RELEASES)
def test_system(server: Server, release: str, tmp_path: Path) -> None:
    server.system("kvm1", release, META, more=RECORD)
    server.edit("system", "kvm1", gateway="192.0.2.1", name_servers=["192.0.2.53"])
    script = post_script(server.kickstart("kvm1"), release)
    interface = {"mac_address": MAC, "ip_address": "192.0.2.10", "netmask": "255.255.255.0"}
    data = pure_data(
        release,
        {"system_name": "kvm1"},
        interfaces={"eth0": dict(interface, static=True)},
        gateway="192.0.2.1",
        name_servers=["192.0.2.53"],
    )
    outcome = run_everywhere(script, tmp_path / "cobbler")
    assert outcome == run_everywhere(bridge_setup(data), tmp_path / "pure")
    for run, tree in outcome.values():
        assert (run.status, run.errors) == (0, "")
        path, lines = STATIC["keyfile" if release == "rhel9" else "ifcfg"]
        for line in lines:
            assert line in tree[path].splitlines()


@pytest.mark.parametrize("release", RELEASES)
def test_profile(server: Server, release: str, tmp_path: Path) -> None:
    server.profile("hosts", release, META)
    script = post_script(server.kickstart("hosts", "profile"), release)
    data = pure_data(release, {"profile_name": "hosts"})
    outcome = run_everywhere(script, tmp_path / "cobbler")
    assert outcome == run_everywhere(bridge_setup(data), tmp_path / "pure")
    for run, tree in outcome.values():
        assert (run.status, run.errors) == (0, "")
        path, _ = STATIC["keyfile" if release == "rhel9" else "ifcfg"]
        line = "method=auto" if release == "rhel9" else "BOOTPROTO=dhcp"
        assert line in tree[path].splitlines()


RECORDED = ("records_everything", "records_bonded", "records_no_port", "records_refused")


@pytest.mark.parametrize("case", RECORDED)
def test_records(server: Server, case: str) -> None:
    """What Cobbler makes of the records is what the cases have."""
    data = dict(golden.case(case).data_of("rhel7"), http_server="127.0.0.1")
    interfaces = data["interfaces"]
    fields = {
        "%s-%s" % (field, name): value
        for name, record in interfaces.items()
        for field, value in (record or {"static": False}).items()
    }
    variables = {name: str(data[name]) for name in data if name.startswith("bridge")}
    server.system(data["system_name"], "rhel7", variables, nics=(), more=fields)
    plain = {
        name: data[name]
        for name in ("gateway", "name_servers", "name_servers_search")
        if name in data
    }
    if plain:
        server.edit("system", data["system_name"], **plain)
    assert part(server.kickstart(data["system_name"])) == bridge_setup(data)


@pytest.mark.parametrize("release", RELEASES)
def test_network_commands(server: Server, release: str) -> None:
    """The second snippet, in the command section, before the first one in %post."""
    text = MINIMAL.replace("%post", "$SNIPPET('bridge_network')\n%post", 1)
    server.template("commands", text)
    server.profile("hosts", release, META, template="commands")
    kickstart = server.kickstart("hosts", "profile")
    data = pure_data(release, {"profile_name": "hosts"})
    assert bridge_network(data) in kickstart
    scripts = parsed(kickstart, release, False)
    if release in ("rhel5", "rhel6"):
        assert "knows no bridges; take this snippet out" in kickstart
        assert len(scripts) == 1
    else:
        assert [script.type for script in scripts] == [KS_SCRIPT_PRE, KS_SCRIPT_POST]


@pytest.mark.parametrize("release", RELEASES)
def test_packages(server: Server, release: str) -> None:
    """The third snippet, in the packages section; pykickstart reads what it listed."""
    server.template("listed", MINIMAL.replace("%packages\n", PACKAGES))
    listed = {}
    for name, meta in (("hosts", META), ("plain", {}), ("wrong", {"bridge": "br%end"})):
        server.profile(name, release, meta, template="listed")
        kickstart = server.kickstart(name, "profile")
        listed[name] = handled(kickstart, release).packages.packageList
    wanted = ["bridge-utils"] if release in ("rhel5", "rhel6", "rhel7") else []
    assert listed == {"hosts": wanted, "plain": [], "wrong": []}
    # what is wrong stands as comments there
    (line,) = re.findall("(?m)^# cobbler-bridge: wrong: bridge: .*", kickstart)
    assert "'br%end' has '%' in it" in line


# RHEL 9 no longer knows commands that Cobbler's samples use
@pytest.mark.parametrize("release", RELEASES[:-1])
@pytest.mark.parametrize("sample", SAMPLES)
def test_cobblers_own_sample(server: Server, sample: str, release: str) -> None:
    text = server.cobbler.path("/var/lib/cobbler/templates/%s.ks" % sample).read_text()
    assert text.count(BEFORE) == 1
    server.template("with", text.replace(BEFORE, BEFORE + LINE))
    server.profile("hosts", release, META, template="with")
    server.system("kvm1", "hosts")
    for kind, name in (("system", "kvm1"), ("profile", "hosts")):
        kickstart = server.kickstart(name, kind)
        ours = part(kickstart)
        scripts = [str(each.script) for each in parsed(kickstart, release, False)]
        # %pre, %post --nochroot and %post: ours is in the last, whole
        assert [ours in script for script in scripts] == [False, False, True]
        done = server.command("render", "--%s=%s" % (kind, name), "--format=sh")
        assert done.stdout == ours
        assert done.stderr == ""


@pytest.mark.parametrize("sample", SAMPLES)
def test_unset_writes_nothing(server: Server, sample: str) -> None:
    text = server.cobbler.path("/var/lib/cobbler/templates/%s.ks" % sample).read_text()
    server.template("with", text.replace(BEFORE, BEFORE + LINE))
    server.template("without", text.replace(BEFORE, BEFORE + "\n"))
    server.profile("other", template="with")
    server.system("web1", "other")
    with_snippet = [server.kickstart("web1"), server.kickstart("other", "profile")]
    server.edit("profile", "other", autoinstall="/without.ks")
    assert [server.kickstart("web1"), server.kickstart("other", "profile")] == with_snippet
    done = server.command("render", "--system=web1", "--format=sh")
    assert (done.stdout, done.stderr) == (
        "",
        "cobbler-bridge: web1: bridge: is not set; nothing is written\n",
    )


def test_inherited_and_switched_off(server: Server) -> None:
    server.profile("hosts", meta=META)
    server.system("kvm1", "hosts")
    server.system("kvm2", "hosts")
    server.system("kvm3", "hosts", {"bridge": "br3"})
    command = ["cobbler", "system", "edit", "--name=kvm2", "--autoinstall-meta=!bridge"]
    server.cobbler.run(command)
    assert "bridge br0 on EL 7 (ifcfg), for kvm1" in part(server.kickstart("kvm1"))
    assert "cobbler-bridge" not in server.kickstart("kvm2")
    assert "bridge br3 on EL 7 (ifcfg), for kvm3" in part(server.kickstart("kvm3"))
    assert "is not set" in server.command("render", "--system=kvm2", "--format=sh").stderr


def test_inherited_from_the_distro(server: Server) -> None:
    server.add(
        "distro",
        "site",
        breed="redhat",
        os_version="rhel6",
        arch="x86_64",
        kernel="/var/www/cobbler/distro_mirror/tree/vmlinuz",
        initrd="/var/www/cobbler/distro_mirror/tree/initrd.img",
        autoinstall_meta={"tree": "http://127.0.0.1/cblr/links/tree", "bridge": "br7"},
    )
    server.profile("hosts", "site")
    server.system("kvm1", "hosts")
    try:
        assert "bridge br7 on EL 6 (ifcfg), for kvm1" in part(server.kickstart("kvm1"))
        assert server.command("render", "--system=kvm1", "--format=sh").stdout == part(
            server.kickstart("kvm1")
        )
    finally:
        server.remove_all()
        server.remove("distro", "site")


def test_rendering_again_gives_the_same_bytes(server: Server) -> None:
    server.system("kvm1", "rhel7", META, more=RECORD)
    first = server.kickstart("kvm1")
    assert server.kickstart("kvm1") == first
    server.cobbler.restart()
    assert server.kickstart("kvm1") == first


BAD_NAMES: Mapping[str, Any] = {
    "semicolon": "br0;reboot",
    "substitution": "$(id)",
    "backticks": "`id`",
    "quote": "a'b",
    "double quote": 'a"b',
    "end of a section": "br0\n%end\n%post\ntouch /reached\n",
    "include": "br0\n%include /etc/passwd",
    "Cobbler's own replacement": "@@x@@",
    "a known replacement": "@@system_name@@",
    "Cheetah": "$system_name",
    "Cheetah's directive": "br0\n#set $x = 1\n",
    "Cobbler's error": "# *** ERROR ***",
    "Cobbler's not found": "# system not found",
    "end of CDATA": "]]>",
    "umlaut": "brücke",
    "not in any code page": "橋\U0001f309",
    "sixteen characters": "a123456789012345",
    "ten thousand characters": "b" * 10000,
    "end of a here document": "br0\nEOF\n",
    "backslashes": "\\n\\\\",
    "per cent": "%s%d%%",
    "space": "br 0",
    "empty": "",
    "option": "-br0",
    "list": ["br0", "br1"],
    "mapping": {"a": "b"},
    "none": None,
    "true": True,
    "fraction": 1.5,
}
BAD_ELSEWHERE: Mapping[str, Mapping[str, Any]] = {
    "several": {"bridge": "br 0", "bridge_mtu": "12", "bridge_stp": "yes", "bridge_ipv4": "'"},
    "unknown variable": {"bridge": "br0", "bridge_prot": "eth0"},
    "strange variable": {"bridge": "br0", "bridge_'$(id)\n%end\n]]>@@x@@": "# *** ERROR ***"},
    "port": {"bridge": "br0", "bridge_port": "eth0,$(touch /reached)"},
}


def check_refusal(server: Server, system: str, release: str, folder: Path) -> List[str]:
    """Served, accepted, and touching nothing; returns the problems that it prints."""
    kickstart = server.kickstart(system)
    script = post_script(kickstart, release)
    done = server.command("render", "--system=" + system, "--format=sh", check=False)
    assert done.returncode == 1
    assert done.stdout == part(kickstart)
    # what Cobbler or an AutoYaST file would take for its own
    assert not [mark for mark in ("@@", "]]>", "# *** ERROR") if mark in done.stdout]
    problems: List[str] = done.stderr.splitlines()
    assert problems
    said = "".join("cobbler-bridge: %s\n" % line for line in problems)
    said += "cobbler-bridge: the network stays as it is\n"
    untouched = folder / "untouched"
    scratch_machine.build(untouched, MACHINE)
    for run, tree in run_everywhere(script, folder / "run").values():
        assert run == scratch_machine.Run(0, "", said)
        assert tree == scratch_machine.tree(untouched)
    return problems


@pytest.mark.parametrize("value", BAD_NAMES.values(), ids=BAD_NAMES)
def test_refused_name(server: Server, value: Any, tmp_path: Path) -> None:
    server.system("kvm1", "rhel7", {"bridge": value})
    problems = check_refusal(server, "kvm1", "rhel7", tmp_path)
    assert len(problems) == 1
    assert problems[0].startswith("kvm1: bridge: ")


@pytest.mark.parametrize("release", ["rhel5", "rhel8"])
@pytest.mark.parametrize("meta", BAD_ELSEWHERE.values(), ids=BAD_ELSEWHERE)
def test_refused_variables(
    server: Server, meta: Mapping[str, Any], release: str, tmp_path: Path
) -> None:
    server.system("kvm1", release, meta)
    problems = check_refusal(server, "kvm1", release, tmp_path)
    assert len(problems) == len(meta) - (1 if meta["bridge"] == "br0" else 0)


@pytest.mark.parametrize(
    ("meta", "problem"),
    [
        ("bridge=br0 bridge=br1", "is set 2 times: ['br0', 'br1']"),
        ("bridge", "has no value"),
        ("bridge='br 0'", "'br 0' has ' ' in it"),
        ("bridge=$(id)", "'$(id)' has '$' in it"),
        ("bridge=@@x@@", "'@@x@@' has '@' in it"),
    ],
)
def test_refused_on_the_command_line(
    server: Server, meta: str, problem: str, tmp_path: Path
) -> None:
    server.system("kvm1", "rhel7")
    server.cobbler.run(["cobbler", "system", "edit", "--name=kvm1", "--autoinstall-meta=" + meta])
    right = (
        "it can be 1 to 15 letters, digits, '_', '-' or '.', not beginning with '-', and not ., "
        ".., lo, all, default or none"
    )
    expected = ["kvm1: bridge: %s; %s" % (problem, right)]
    assert check_refusal(server, "kvm1", "rhel7", tmp_path) == expected


def test_refused_on_a_profile(server: Server, tmp_path: Path) -> None:
    server.profile("hosts", meta={"bridge": "br0;reboot"})
    script = post_script(server.kickstart("hosts", "profile"), "rhel7")
    done = server.command("render", "--profile=hosts", "--format=sh", check=False)
    assert (done.returncode, done.stdout) == (1, part(server.kickstart("hosts", "profile")))
    assert done.stderr.startswith("hosts: bridge: 'br0;reboot' has ';' in it; ")
    for run, _ in run_everywhere(script, tmp_path).values():
        assert run.errors.startswith("cobbler-bridge: " + done.stderr)
        assert run.status == 0


def test_the_rest_of_the_script_still_runs(server: Server, tmp_path: Path) -> None:
    """A refusal ends our part and nothing else: an installation goes on."""
    server.template("around", MINIMAL.replace(LINE, "echo before\n" + LINE + "echo after\n"))
    server.profile("hosts", meta={"bridge": "br 0"}, template="around")
    script = post_script(server.kickstart("hosts", "profile"), "rhel7")
    for run, _ in run_everywhere(script, tmp_path).values():
        assert (run.status, run.output) == (0, "before\nafter\n")


TOLD = {
    "bash": "trap 'exit 9' ERR\nset -eEuCf -o pipefail\nIFS=e\n",
    "dash": "set -euCf\nIFS=e\n",
    "busybox": "set -euCf\nIFS=e\n",
}


@pytest.mark.parametrize("bridge", ["br0", "br 0"])
def test_autoinstall_done_still_runs(server: Server, bridge: str, tmp_path: Path) -> None:
    """Cobbler's own snippet, which says that the installation is over, behind ours."""
    behind = LINE + "$SNIPPET('autoinstall_done')\n"
    server.template("done", MINIMAL.replace(LINE, behind))
    server.profile("hosts", "rhel8", {"bridge": bridge}, template="done")
    server.system("kvm1", "hosts")
    script = post_script(server.kickstart("kvm1"), "rhel8")
    calls = 'curl() { echo "curl $*"; }\nwget() { echo "wget $*"; }\n'
    for name, shell in scratch_machine.SHELLS.items():
        root = tmp_path / name
        scratch_machine.build(root, MACHINE)
        run = scratch_machine.run(TOLD[name] + calls + script, root, shell)
        assert (run.status, run.refused) == (0, bridge == "br 0"), run
        assert "/op/trig/mode/post/system/kvm1" in run.output
        written = (root / "etc/sysconfig/network-scripts/ifcfg-br0").exists()
        assert written == (bridge == "br0")


def test_system_name_that_ends_in_a_newline(server: Server, tmp_path: Path) -> None:
    """Cobbler takes such a name; in the script it may be no line of its own."""
    server.system("kvm1\n", "rhel7", {"bridge": "br0"})
    script = post_script(server.kickstart("kvm1%0A"), "rhel7")
    for run, _ in run_everywhere(script, tmp_path).values():
        assert (run.status, run.errors) == (0, "")


# Names and values that Cobbler takes over XML-RPC and that are lines of their own
HOSTILE: Mapping[str, Mapping[str, Any]] = {
    "a bridge's name": {"interfacetype-br0:\npwn\n#": "bridge"},
    "a bridge's name that is an alias's": {"interfacetype-br0:1": "bridge"},
    "a name that ends a here document": {"interfacetype-br0:\nEOF\npwn\n: <<EOF\n": "bridge"},
    "a name that ends the section": {"interfacetype-br0:\u2028%end\n%pre\npwn\n": "bridge"},
    "a bond's name": {"interfacetype-bond0\npwn": "bond"},
    "a VLAN's number": {"mtu-br0." + "9" * 5000: "1500"},
    "a master": {
        "interfacemaster-eth0": "br0\n%end\n%pre\npwn",
        "interfacetype-eth0": "bond_slave",
    },
    "no master": {"interfacetype-bond0": "bonded_bridge_slave"},
}
HOSTILE_META: Mapping[str, Any] = {
    "name servers": {"name_servers": ["fe80::1%x\nEOF\npwn\n: <<EOF\n"]},
    "a number of name servers": {"name_servers": 5},
    "interfaces": {"interfaces": {"eth0": "x"}},
    "secondaries": {"interfaces": {"eth0": {"ipv6_secondaries": 1}}},
    "its own name": {"system_name": ["\npwn"]},
    "a server": {"http_server": "192.0.2.1\npwn"},
}
ALL_THREE = PACKAGES.replace("%packages", "$SNIPPET('bridge_network')\n%packages", 1)


@pytest.mark.parametrize("name", [*HOSTILE, *HOSTILE_META])
def test_nothing_hostile_stands_on_a_line_of_its_own(
    server: Server, name: str, tmp_path: Path
) -> None:
    server.template("three", MINIMAL.replace("%packages\n", ALL_THREE))
    server.profile("hosts", "rhel9", template="three")
    meta = HOSTILE_META.get(name, {})
    fields = {"interfacetype-br0": "bridge", **HOSTILE.get(name, {})}
    for number, more in enumerate(({"bridge": "br0"}, {})):
        bridge = {} if more else fields
        records = {**HOSTILE.get(name, {}), **bridge}
        server.system("kvm%d" % number, "hosts", {**meta, **more}, more=records)
    server.system("good", "hosts", {"bridge": "br 0"})
    for system in ("kvm0", "kvm1"):
        kickstart = server.kickstart(system)
        assert "failed on the server" not in kickstart
        assert not [line for line in kickstart.splitlines() if line.strip().startswith("pwn")]
        # network commands stand in a section of their own, where they can be said
        scripts = parsed(kickstart, "rhel9", follow=False)
        assert len(scripts) <= 1 + kickstart.count("%pre\n")
        for script in scripts[-1:]:
            for run, _ in run_everywhere(str(script.script), tmp_path / system).values():
                assert "pwn: not found" not in run.errors
                assert "pwn: command not found" not in run.errors
    # what is wrong with one system costs the others nothing
    done = server.command("check", check=False)
    assert "good: bridge: 'br 0' has ' ' in it" in done.stdout
    assert done.stderr == ""
    assert {line.split(": ")[1] for line in done.stdout.splitlines()[:-1]} <= {
        *("kvm0", "kvm1", "good", "hosts", "server", "settings")
    }


def test_hostile_interfaces_of_a_system_without_a_bridge(server: Server) -> None:
    server.system("web1", "rhel7", {"interfaces": {"eth0": "x"}})
    assert "cobbler-bridge" not in server.kickstart("web1")


def test_unsupported_release(server: Server) -> None:
    server.system("kvm1", "rhel7", {"bridge": "br0"})
    server.edit("distro", "rhel7", os_version="fedora28")
    try:
        kickstart = server.kickstart("kvm1")
        done = server.command("render", "--system=kvm1", "--format=json", check=False)
    finally:
        server.edit("distro", "rhel7", os_version="rhel7")
    problems = json.loads(done.stdout)["problems"]
    assert [(each["subject"], each["field"]) for each in problems] == [("kvm1", "os_version")]
    assert problems[0]["wrong"] == "'fedora28' of breed 'redhat' is not supported"
    assert "bridge_setup() {" not in part(kickstart)


def test_an_error_of_the_templar_is_noticed(server: Server) -> None:
    """Cobbler serves it with status 200 too: that alone would show nothing."""
    server.template("broken", MINIMAL.replace(LINE, LINE + "@@no_such_name@@\n"))
    server.profile("hosts", template="broken")
    with pytest.raises(AssertionError, match="had errors that prevented it"):
        server.kickstart("hosts", "profile")


def test_a_broken_section_is_noticed(server: Server) -> None:
    """What the values above would do if they arrived as they stand."""
    for broken in ("%end\n%post", "%include /no/such/file"):
        server.template("broken", MINIMAL.replace(LINE, broken + "\n"))
        server.profile("hosts", template="broken")
        with pytest.raises((AssertionError, KickstartError)):
            post_script(server.kickstart("hosts", "profile"), "rhel7")
        server.remove_all()
