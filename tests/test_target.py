"""A target is an identity: what differs by family or release is refused where it is not known."""

import os
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest

import golden
import scratch_machine as machine
from cobbler_bridge import shipped
from cobbler_bridge.description.describe import describe
from cobbler_bridge.plan import anaconda, delivery, families, first_boot, target
from cobbler_bridge.plan.backends import BACKENDS
from cobbler_bridge.plan.firewalls import FIREWALLS, sysctl
from cobbler_bridge.plan.plan import Call, File, Need, Plan, Shipped, flat, plain
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.plan.target import (
    EL,
    FEDORA,
    ByTarget,
    PackageTool,
)
from cobbler_bridge.problem import Problem
from cobbler_bridge.script import carried
from cobbler_bridge.script.render import quote, script
from strangers import OTHER, STRANGER, is_known

PARTS = shipped.ON_A_HOST + "/firstboot"


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Dict[str, Any]:
    """Blended data of a host whose family no table knows, with a format of its own."""
    return is_known(monkeypatch, STRANGER)


def _planned(data: Dict[str, Any], **more: Any) -> Plan:
    plan, problems = make_plan(dict(data, **more))
    assert plan is not None, problems
    return plan


def _refused(data: Dict[str, Any], **more: Any) -> List[Problem]:
    plan, problems = make_plan(dict(data, **more))
    assert plan is None
    return problems


def test_what_a_stranger_gets_is_its_own(stranger: Dict[str, Any]) -> None:
    plan = _planned(stranger)
    paths = [plain(step.path) for _, step in flat(plan.steps) if isinstance(step, (File, Shipped))]
    assert "/etc/thin/br0" in paths
    assert "/etc/systemd/system/cobbler-bridge-firstboot.service" in paths
    assert not [path for path in paths if "sysconfig" in path or "rc.d" in path]
    need = "need /sbin/tool 'the stranger needs it' tools /sbin/pkg '--quiet add' '--quiet fetch'\n"
    assert need in script(plan)


# what each is called with
INSTALLED_BY = {
    "/sbin/pkg": "--quiet fetch\n--quiet add tools\n",
    "/usr/bin/apt-get": "-q update\n-q -y install tools\n",
    "/usr/bin/yum": "-q -y install tools\n",
    "/usr/bin/zypper": "-q -n install tools\n",
}
_TOOLS = {each.package_tool: None for each in (*families.EVERY, STRANGER)}


@pytest.mark.parametrize("has_it", [True, False])
@pytest.mark.parametrize("tool", _TOOLS, ids=lambda tool: str(tool.path))
def test_a_package_tool_is_called_with_its_own_words(
    tool: PackageTool, has_it: bool, tmp_path: Path
) -> None:
    program, fake = tmp_path / "tool", tmp_path / "pkg"
    gives = 'cp "$0" %s' % program if has_it else "exit 104"
    fake.write_text('#!/bin/sh\necho "$*" >> %s.log\n%s\n' % (fake, gives))
    fake.chmod(0o755)
    need = Need(str(program), "it is needed", "tools", tool._replace(path=str(fake)))
    # it installs nothing below another root
    call = "root=\n%s\n" % " ".join(map(quote, need.words))
    helpers = carried.text(frozenset(["need"]))
    run = machine.run(helpers + call, tmp_path, machine.SHELLS["dash"])
    assert run.status == (0 if has_it else 1)
    assert has_it or "there is no %s: it is needed; the network stays" % program in run.errors
    assert Path(str(fake) + ".log").read_text() == INSTALLED_BY[tool.path]


def test_a_format_that_renames_no_nic_is_given_none(
    stranger: Dict[str, Any], tmp_path: Path
) -> None:
    (problem,) = _refused(stranger, bridge="eth0", bridge_port="eth0")
    assert (problem.field, problem.wrong) == (
        "bridge",
        "nothing on Stranger 6 renames a port that has the bridge's name",
    )
    nics = {"eth0": {"mac": "52:54:00:aa:00:01"}}
    machine.build(tmp_path, {"nics": nics, "files": {"/sbin/tool!": ""}})
    for name, refused in (("eth0", True), ("br0", False)):
        text = script(_planned(stranger, bridge=name))
        run = machine.run(text, tmp_path, machine.SHELLS["dash"])
        assert run.refused == refused, run
        assert ("eth0 would be renamed peth0, which nothing here does" in run.errors) == refused


# of Cobbler's distro_signatures.json: others can't be saved
BREEDS = "debian freebsd generic powerkvm redhat suse ubuntu unix vmware windows xen".split()


def test_every_family_has_a_breed_that_cobbler_has() -> None:
    assert {breed for each in families.FAMILIES for breed in each.breeds} <= set(BREEDS)


def test_every_breed_says_how_a_host_gets_its_script() -> None:
    """Where nothing does, a host can be told its own: it is known that nothing is known."""
    assert {breed for each in families.FAMILIES for breed in each.breeds} == set(delivery.BREEDS)


def test_saved_rules_lie_where_the_target_says(stranger: Dict[str, Any]) -> None:
    text = script(_planned(stranger, bridge_firewall="iptables"))
    assert "iptables_bridged /etc/iptables/rules.v4 " in text
    assert "iptables_bridged /etc/iptables/rules.v6 " in text
    assert "iptables_bridged /etc/sysconfig" not in text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bridge_firewall", "auto"),
        ("bridge_firewall", "sysctl"),
        ("bridge_firewall", "firewalld"),
        ("bridge_xen", "vif-bridge"),
        ("bridge_zone", "internal"),
    ],
)
def test_what_is_not_known_of_a_stranger_is_refused(
    stranger: Dict[str, Any], key: str, value: str
) -> None:
    problems = _refused(stranger, **{key: value})
    assert [problem.field for problem in problems] == [key]
    assert "it is not known " in problems[0].wrong
    assert "Stranger 6" in problems[0].wrong


@pytest.mark.parametrize("backend", ["ifcfg", "keyfile"])
def test_a_strangers_formats_are_those_of_its_row(stranger: Dict[str, Any], backend: str) -> None:
    (problem,) = _refused(stranger, bridge_backend=backend)
    assert str(problem).endswith(
        "'%s' is not what Stranger 6 reads; it can be auto or thin" % backend
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_format_whose_reader_is_another_ones_is_refused(
    backend: str, stranger: Dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until somebody has said that it is written for this family too."""
    reading = STRANGER._replace(backends=(backend,))
    is_known(monkeypatch, reading)
    (problem,) = _refused(stranger)
    assert problem.field == "bridge_backend"
    assert problem.wrong == "it is not known how Stranger 6 reads what would be written"


def test_another_init_system_starts_no_check(
    stranger: Dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    runit = STRANGER._replace(init="runit")
    is_known(monkeypatch, runit)
    (problem,) = _refused(stranger)
    assert (problem.field, problem.wrong) == (
        "bridge_verify",
        "no check is started on Stranger 6 by runit",
    )
    assert _planned(stranger, bridge_verify="no")


def test_a_target_without_saved_rules_has_none_made(
    stranger: Dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = STRANGER._replace(saved_rules=None)
    is_known(monkeypatch, bare)
    (problem,) = _refused(stranger, bridge_firewall="iptables")
    assert problem.wrong == "nothing on Stranger 6 loads saved rules"


def test_anaconda_installs_no_stranger(stranger: Dict[str, Any]) -> None:
    plan, problems = anaconda.plan_commands(stranger)
    assert plan is None
    assert [problem.wrong for problem in problems] == ["Stranger 6 is not installed by anaconda"]


@pytest.mark.parametrize(
    ("family", "release", "row"),
    [
        (EL, 4, None),
        (EL, 5, "old"),
        (EL, 6, "old"),
        (EL, 7, "new"),
        (EL, 12, "new"),
        (FEDORA, 40, None),
        ("Stranger", 6, None),
    ],
)
def test_a_row_holds_until_the_next_of_its_family(
    family: str, release: int, row: Optional[str]
) -> None:
    table = ByTarget({(EL, 5): "old", (EL, 7): "new", ("Other", 3): "other"})
    assert table.row(STRANGER._replace(family=family, release=release)) == row


@pytest.mark.parametrize(
    ("breed", "old", "asked"),
    [
        ("redhat", "rhel1 rhel4 fedora9 fedora16 fedora29 fedora32", "rhel11 fedora46 fedora100"),
        ("debian", "", "bullseye"),
        ("ubuntu", "", "noble"),
        (
            "suse",
            "sles10 sles11 sles11sp4 opensuse11.4 opensuse12.3 opensuse13.1 leapmicro6.0 slemicro5",
            "sles12 sles15sp6 opensuse13.2 opensuse15.6 opensuse42.3 opensusetumbleweed",
        ),
        # the machine tells, and no family's own names say what it is
        ("generic", "", "rhel8 generic26"),
    ],
)
def test_what_is_too_old_and_what_the_machine_tells(breed: str, old: str, asked: str) -> None:
    for os_version in old.split():
        found, problem = families.targets_of({"breed": breed, "os_version": os_version})
        assert problem is not None, os_version
        assert not found.candidates
    for os_version in asked.split():
        found, problem = families.targets_of({"breed": breed, "os_version": os_version})
        assert problem is None, os_version
        assert found.asked[0] == "release", os_version


def test_what_is_no_os_version_is_no_target() -> None:
    for data in ({"breed": "redhat", "os_version": ["rhel8"]}, {"breed": ["redhat"]}, {}):
        assert families.targets_of(data)[1] is not None


@pytest.mark.parametrize("os_version", [*families.redhat.FAMILY.targets])
def test_which_readers_may_run_on_a_release(os_version: str) -> None:
    """On EL 5 and 6 no systemd-networkd, and from EL 9 on no network-scripts."""
    name, release = re.findall(r"([a-z]+)(\d+)", os_version)[0]
    readers = families.redhat.FAMILY.targets[os_version].readers
    assert (target.NETWORK_SCRIPTS in readers) == (name != "fedora" and int(release) < 9)
    assert (target.NETWORKD in readers) == (int(release) > 6)
    assert target.NETWORKMANAGER in readers


def test_releases_that_do_the_same_share_a_branch() -> None:
    data = {"breed": "generic", "profile_name": "hosts", "bridge": "br0", "bridge_firewall": "none"}
    text = script(_planned(data))
    assert "el9 | el[1-9][0-9] | fedora3[3-9] | fedora[4-9][0-9] | fedora[1-9][0-9][0-9])" in text


# of a family, an init system or a format, and of nobody who isn't named after it
_OWN_PLACES = re.compile(
    r"sysconfig|/rc\.d/|init\.d|systemd|systemctl|udev|/etc/network/|netplan|iptables/"
)


@pytest.mark.parametrize("firewall", FIREWALLS)
@pytest.mark.parametrize("verify", ["yes", "no"])
def test_what_has_nothing_in_common_is_its_own_or_refused(
    stranger: Dict[str, Any], monkeypatch: pytest.MonkeyPatch, firewall: str, verify: str
) -> None:
    is_known(monkeypatch, OTHER)
    data = dict(stranger, bridge_firewall=firewall, bridge_verify=verify)
    plan, problems = make_plan(data)
    for problem in problems:
        assert problem.field in ("bridge_firewall", "bridge_verify")
        assert "Other 3" in problem.wrong
    assert (plan is None) == (verify == "yes" or firewall not in ("iptables", "none"))
    if plan is None:
        return
    steps = [step for _, step in flat(plan.steps)]
    said = "".join(
        " ".join([step.helper, *(plain((word,)) for word in step.arguments)]) + "\n"
        for step in steps
        if isinstance(step, Call)
    )
    assert not _OWN_PLACES.findall(said)
    paths = [plain(step.path) for step in steps if isinstance(step, (File, Shipped))]
    assert "/etc/thin/br0" in paths
    assert not _OWN_PLACES.findall(" ".join(paths))
    assert "/etc/thin/started/*" in said
    assert "/etc/thin/*.nft" in said


_READ = "it is not known how %s reads the bridge-nf-call settings"
_ASKED = "it is not known how runit says on %s whether nftables is enabled"


# whose row says what, what is asked for, and why it is refused
@pytest.mark.parametrize(
    ("whose", "kernel", "firewall", "wrong"),
    [
        (OTHER, sysctl.Kernel(None, ()), "auto", None),
        (OTHER, sysctl.Kernel(sysctl.UDEV, ("nftables",)), "auto", _ASKED % "Other 3"),
        (OTHER, sysctl.Kernel(sysctl.UDEV, ("nftables",)), "nftables", None),
        (STRANGER, sysctl.Kernel(sysctl.UDEV, ("nftables",)), "auto", None),
        (STRANGER, sysctl.Kernel(None, ("nftables",)), "auto", _READ % "Stranger 6"),
        (STRANGER, sysctl.Kernel(None, ("nftables",)), "nftables", _READ % "Stranger 6"),
    ],
)
def test_a_row_says_how_settings_are_read_and_services_enabled(
    whose: target.Target,
    kernel: sysctl.Kernel,
    firewall: str,
    wrong: Optional[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where nothing is known to read them none are written, nor where nobody says what runs."""
    data = is_known(monkeypatch, whose)
    row = (whose.family, whose.release)
    monkeypatch.setattr(sysctl, "_KERNELS", ByTarget({row: kernel}))
    plan, problems = make_plan(dict(data, bridge_firewall=firewall, bridge_verify="no"))
    assert [problem.wrong for problem in problems] == ([] if wrong is None else [wrong])
    assert plan is None or ("bridge-nf-call" in script(plan)) == (kernel.read is not None)


def test_a_family_without_a_check_has_none() -> None:
    """Nor do the tests look for one: they go through what there is."""
    assert not first_boot.has_check(OTHER)
    assert not first_boot.has_check(STRANGER._replace(init="runit"))
    assert not first_boot.has_check(STRANGER._replace(readers=(target.NETWORKD, "thinnet")))
    assert golden.checks((OTHER, STRANGER)) == {first_boot.program(STRANGER): STRANGER}


def test_every_part_of_the_check_is_there_and_stands_in_the_table() -> None:
    known = {"firstboot/" + each for each in (*first_boot.STARTERS, *first_boot.READERS)}
    there = {"firstboot/" + name[: -len(".sh")] for name in os.listdir(shipped.folder(PARTS))}
    assert known <= there
    parts = {part for each in golden.checks(families.EVERY) for part in each.parts}
    # some of them are what others need
    assert there <= known | parts


@pytest.mark.parametrize("init", first_boot.STARTERS)
def test_every_init_system_starts_the_check_at_once(init: str) -> None:
    first, daily = first_boot.STARTERS[init]
    assert first.starts
    assert first.links
    assert daily.links


@pytest.mark.parametrize("init", first_boot.STARTERS)
def test_what_starts_the_check_is_none_of_the_networks_and_goes(init: str, tmp_path: Path) -> None:
    """Or putting the old network back would end what does it, or leave what calls it."""
    starters = first_boot.STARTERS[init]
    paths = [path for each in starters for path in (*each.links, *(p for _, p in each.shipped))]
    for path in paths:
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    ours = "".join("is_ours %s || echo %s\n" % (path, path) for path in paths)
    call = "root=$BRIDGE_ROOT state=$root/state\n%s\nno_start\n%s" % (
        shipped.text(PARTS, init + ".sh"),
        ours,
    )
    run = machine.run(carried.text(frozenset(["is_ours"])) + call, tmp_path, machine.SHELLS["dash"])
    assert (run.output, run.errors) == ("", "")
    assert [path for path in paths if (tmp_path / path.lstrip("/")).exists()] == []


_CHECKED = {
    (backend, each.init, each.readers): each
    for each in filter(first_boot.has_check, families.EVERY)
    for backend in each.backends
}


@pytest.mark.parametrize("key", _CHECKED, ids=lambda key: " ".join((key[0], key[1], *key[2])))
def test_the_check_finds_the_bridge_of_every_format(
    key: Tuple[str, str, Tuple[str, ...]], tmp_path: Path
) -> None:
    """Where what it should prove is lost, by the files that the script wrote."""
    backend, target = key[0], _CHECKED[key]
    description, _ = describe({"profile_name": "hosts", "bridge": "br7", "bridge_port": "eth0"})
    assert description
    parts, problems = BACKENDS[backend](description, target)
    assert not problems
    state = tmp_path / "var/lib/cobbler-bridge"
    state.mkdir(parents=True)
    (tmp_path / "sys/class/net/br7/bridge").mkdir(parents=True)
    changes = ""
    for step in parts.steps:
        if isinstance(step, File):
            path = tmp_path / plain(step.path).lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(plain(step.content))
            changes += "added %s\n" % plain(step.path)
    (state / "changes").write_text(changes)
    text = shipped.text("script/on_the_host", "firstboot.sh")
    match = re.search(r"(?ms)^find_devices\(\) \{\n.*?^\}", text)
    assert match
    begin = (
        "root=$BRIDGE_ROOT\nstate=$root/var/lib/cobbler-bridge net=$root/sys/class/net bridges=\n"
    )
    call = '\nfind_devices\necho "$bridges"\n'
    run = machine.run(begin + match.group() + call, tmp_path, machine.SHELLS["dash"])
    assert (run.output, run.errors) == (" br7\n", "")


@pytest.mark.parametrize("init", first_boot.STARTERS)
def test_every_init_systems_part_has_the_same_functions(init: str) -> None:
    has, must = (
        set(re.findall(r"(?m)^(\w+)\(\) \{", shipped.text(PARTS, each + ".sh")))
        for each in (init, target.SYSTEMD)
    )
    assert has == must


def test_only_an_init_systems_part_calls_it() -> None:
    """What stops and starts a service is said there, for each init system."""
    files = [(PARTS, name) for name in os.listdir(shipped.folder(PARTS))]
    files += [(carried.FOLDER, each.name) for each in carried.files()]
    files.append((shipped.ON_A_HOST, "firstboot.sh"))
    called = re.compile(r"systemctl(?! reboot)|journalctl")
    calling = [file for file in files if called.search(shipped.text(*file))]
    assert calling == [(PARTS, "systemd.sh")]


# each once, with the rules and what loads them
RULES = sorted(
    {
        path.replace("*", "x")
        for each in filter(first_boot.has_check, families.EVERY)
        for path in (*(each.saved_rules.paths if each.saved_rules else ()), *each.nftables)
    }
)


@pytest.mark.parametrize("path", RULES)
def test_the_check_loads_the_rules_of_every_family(path: str, tmp_path: Path) -> None:
    text = shipped.text("script/on_the_host", "firstboot.sh")
    match = re.search(r"(?ms)^load_rule\(\) \{\n.*?^\}", text)
    assert match
    reload = "reload() { echo \"$1\" > '%s/unit'; }\n" % tmp_path
    call = "loaded= path=%s place=%s\nload_rule\n" % (path, path)
    run = machine.run(reload + match.group() + "\n" + call, tmp_path, machine.SHELLS["dash"])
    assert run.status == 0, run.errors
    assert (tmp_path / "unit").read_text()
