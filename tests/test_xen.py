"""What Xen and qemu are told: from the variables to the files that they read."""

import re
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple, Union

import pytest

import scratch_machine as machine
from cobbler_bridge.description.describe import Description, describe, wants_bridge
from cobbler_bridge.description.xen_mode import MADE_BY_XEND, UNBRIDGED
from cobbler_bridge.plan.families.redhat import FAMILY as REDHAT
from cobbler_bridge.plan.hypervisors import xen as writer
from cobbler_bridge.plan.plan import Call, File, flat, plain
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.problem import Problem
from cobbler_bridge.script import carried
from cobbler_bridge.store.host_record import Record

ON_EVERY_SHELL = pytest.mark.parametrize("sh", machine.SHELLS.values(), ids=machine.SHELLS)
HOST = {"breed": "redhat", "os_version": "rhel5", "system_name": "xen1"}
MODES = ("network-bridge", "network-route", "network-nat", "vif-bridge")
NICS = {"eth0": {"mac": "52:54:00:aa:00:01"}}
XEND, XL, QEMU = "etc/xen/xend-config.sxp", "etc/xen/xl.conf", "etc/qemu/bridge.conf"

# An element of a file of xend's: a list, an atom or the text of a string
Element = Union[str, List[Any]]


def elements(text: str) -> List[Element]:
    """What xend makes of a file: the grammar of its sxp.py.

    Raises:
        ValueError: xend could not read it.
    """
    token = r"""(?P<skip>[ \t\n\v\f\r]+|\#[^\n]*)|(?P<mark>[()])"""
    token += r"""|(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    token += r"""|(?P<atom>[!-~][^ \t\n\v\f\r{}()<>\[\];#]*)"""
    found: List[Any] = []
    open_lists = [found]
    at = 0
    while at < len(text):
        match = re.compile(token, re.DOTALL).match(text, at)
        if match is None or match.group("atom") in ("'", '"'):
            raise ValueError("at %d" % at)
        at = match.end()
        if match.lastgroup == "string":
            open_lists[-1].append(match.group()[1:-1])
        elif match.lastgroup == "atom":
            open_lists[-1].append(match.group())
        elif match.group() == "(":
            open_lists[-1].append([])
            open_lists.append(open_lists[-1][-1])
        elif match.group() == ")":
            open_lists.pop()
            if not open_lists:
                raise ValueError("a list ends that never began")
    if len(open_lists) > 1:
        raise ValueError("a list does not end")
    return found


def taken(name: str, found: List[Element]) -> Tuple[Element, List[Element]]:
    """The list of this name that xend takes, which is the first, and the other elements."""
    first = next(each for each in found if isinstance(each, list) and each[:1] == [name])
    return first, [each for each in found if each is not first]


def edited(root: Path, sh: Sequence[str], path: str, before: bytes, call: str) -> machine.Run:
    """Run a helper on a file, and put what it prepared in place."""
    if not (root / "proc").exists():
        machine.build(root, {"nics": NICS})
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(before)
    (root / path).chmod(0o640)
    lines = ["bridges br0", "nic 1 port find_auto", call, "commit"]
    helpers = carried.text(carried.helpers().intersection(" ".join(lines).split()))
    return machine.run("\n".join([helpers, *lines]), root, sh)


NETWORK = "xend_config /%s network-script network-bridge vifnum=0 bridge=br0" % XEND
SET = ["network-script", "network-bridge vifnum=0 bridge=br0"]
READABLE = {
    "empty": "",
    "comments": "# (network-script a)\n#(network-script b)\n",
    "no end of line": "(a b)\n# (network-script a)",
    "several": "(network-script a)\n(network-script b)\n",
    "on one line": "(a b)(network-script x)(c d) # (network-script y)\n",
    "over lines": "(network-script\n  'x\n y' # a ) here\n)\n(c d)\n",
    "quotes": '(a \'it\\\'s (network-script\') (b "(network-script x)")\n(network-script\t"x")',
    "quoted name": "( 'network-script' x)\n(c d)",
    "a quote in an atom": "(a b'c) (network-script x)\n(d e')\n",
    "nested": "(a (network-script x))\n((network-script x) y)\n(b ((c)) d)\n",
    "line ends of Windows": "(a b)\r\n# (network-script a)\r\n(network-script x)\r\n(c d)\r\n",
    "longer names": "(network-scripts x)(network-script-x y)(my-network-script z)",
    "without a value": "(network-script)\n(a b)",
    "other marks": "(a {b}; c) (d [e]) (f ! g) (network-script h)",
    "a comment in an atom": "(a b#c)\n d) (network-script h#)\n)",
    "a comment in another language": "# für Gäste\n(network-script x) (a '\u00e9')\n",
}


@ON_EVERY_SHELL
@pytest.mark.parametrize("name", READABLE)
def test_xend_takes_what_was_written_and_all_else_stays(
    name: str, sh: List[str], tmp_path: Path
) -> None:
    before = READABLE[name]
    assert edited(tmp_path, sh, XEND, before.encode(), NETWORK).status == 0
    after = (tmp_path / XEND).read_bytes().decode()
    found, others = taken("network-script", elements(after))
    assert found == SET
    known = elements(before)
    if any(isinstance(each, list) and each[:1] == ["network-script"] for each in known):
        known = taken("network-script", known)[1]
    assert others == known
    assert before.count("\r") == after.count("\r")
    assert (tmp_path / XEND).stat().st_mode & 0o777 == 0o640


UNREADABLE = {
    "a list without an end": b"(network-script x\n(a b)\n",
    "an end without a list": b"(network-script x))\n",
    "a string without an end": b"(network-script 'x)\n",
    "another alphabet": b"\xc3\xa9 (network-script x)\n",
    "the end of a text": b"\x04(network-script x)\n",
    "NUL": b"(network-script x)\n# \0\n",
    # xend would take it for the setting
    "a bare word": b"network-script (network-script x)\n",
}


@ON_EVERY_SHELL
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_xend_could_not_read_is_left_alone(name: str, sh: List[str], tmp_path: Path) -> None:
    before = UNREADABLE[name]
    run = edited(tmp_path, sh, XEND, before, NETWORK)
    assert run.status == 1
    assert "the network stays as it is" in run.errors
    assert (tmp_path / XEND).read_bytes() == before


@pytest.mark.parametrize(
    "name", ["a list without an end", "an end without a list", "another alphabet"]
)
def test_the_grammar_of_these_tests_refuses_too(name: str) -> None:
    with pytest.raises(ValueError, match=r"at|list"):
        elements(UNREADABLE[name].decode())


BRIDGE = "xl_conf /%s vif.default.bridge defaultbridge br0" % XL


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'vif.default.bridge="br0"\n'),
        ("#a", '#a\nvif.default.bridge="br0"\n'),
        ("vif.default.bridge = 'x' # why\na=1\n", 'vif.default.bridge="br0"\na=1\n'),
        # the last one counts
        (
            'vif.default.bridge="x"\na=1\n vif.default.bridge="y";\n',
            'a=1\nvif.default.bridge="br0"\n',
        ),
        ('vif.default.bridge="br0"\n', 'vif.default.bridge="br0"\n'),
        ('vif.default.backend="0"\n', 'vif.default.backend="0"\nvif.default.bridge="br0"\n'),
    ],
)
def test_xl_conf(before: str, after: str, sh: List[str], tmp_path: Path) -> None:
    assert edited(tmp_path, sh, XL, before.encode(), BRIDGE).status == 0
    assert (tmp_path / XL).read_text() == after
    assert (tmp_path / XL).stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "before",
    ['a=1; vif.default.bridge="x"\n', "vif.default.bridge=\n", 'vif.default.bridge=["x"]\n'],
)
def test_a_strange_xl_conf_is_left_alone(before: str, tmp_path: Path) -> None:
    assert edited(tmp_path, machine.SHELLS["dash"], XL, before.encode(), BRIDGE).status == 1
    assert (tmp_path / XL).read_text() == before


ALLOW = "# cobbler-bridge: guests may have the bridge of this host\nallow br0\n"


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ALLOW),
        ("allow virbr0", "allow virbr0\n" + ALLOW),
        ("allow br00\n#allow br0\ndeny br1\n", "allow br00\n#allow br0\ndeny br1\n" + ALLOW),
        ("allow br0", "allow br0"),
        ("allow\tall\n", "allow\tall\n"),
        ("allow br0\ndeny all\n", "allow br0\ndeny all\n"),
    ],
)
def test_bridge_conf(before: str, after: str, sh: List[str], tmp_path: Path) -> None:
    call = "qemu_allow br0 /etc/none /etc/qemu"
    assert edited(tmp_path, sh, QEMU, before.encode(), call).status == 0
    assert (tmp_path / QEMU).read_text().rstrip("\n") == after.rstrip("\n")
    assert (tmp_path / QEMU).stat().st_mode & 0o777 == 0o640
    assert not (tmp_path / "etc/none").exists()


def problems_of(**data: Any) -> List[str]:
    return [str(each).partition(": ")[2] for each in make_plan(dict(HOST, **data))[1]]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("os_version", REDHAT.targets)
def test_every_release_has_it_or_says_why_not(mode: str, os_version: str) -> None:
    data = {"bridge_xen": mode, "os_version": os_version}
    if mode not in UNBRIDGED:
        data["bridge"] = "br0"
    planned, problems = make_plan(dict(HOST, **data))
    name = REDHAT.targets[os_version].name
    able = name in ("EL 5", "EL 6", "EL 7") or (name[0] == "F" and mode == "vif-bridge")
    assert (planned is not None) == able
    assert [problem.field for problem in problems] == ([] if able else ["bridge_xen"])
    if planned is not None:
        assert planned.unbridged == (mode if mode in UNBRIDGED else "")
        paths = [plain(step.path) for _, step in flat(planned.steps) if isinstance(step, File)]
        built = any("ifcfg-br0" in path or "br0.nmconnection" in path for path in paths)
        assert built == (mode == "vif-bridge")


def test_what_is_asked_for_without_a_bridge() -> None:
    assert not wants_bridge({"bridge_xen": "none"})
    assert not wants_bridge({"bridge_xen": "vif-bridge"})
    assert not wants_bridge({"bridge_xen": "network-bridge"})
    for mode in (*UNBRIDGED, "nat", "~", None, ["network-nat", "none"]):
        assert wants_bridge({"bridge_xen": mode})


@pytest.mark.parametrize("mode", MADE_BY_XEND)
def test_defaults_that_are_written_out_contradict_nothing(mode: str) -> None:
    data = {"bridge_stp": "off", "bridge_mac": "port", "bridge_backend": "auto", "bridge_xen": mode}
    if mode not in UNBRIDGED:
        data["bridge"] = "xenbr0"
    assert problems_of(bridge_firewall="none", bridge_ipv4="auto", **data) == []


def test_a_variant_for_a_host_without_xen() -> None:
    right = "is for a host with Xen; set bridge_xen too, or remove it"
    for name in ("bridge_xen_network_script", "bridge_xen_vif_script"):
        assert problems_of(bridge="br0", **{name: "site"}) == ["%s: %s" % (name, right)]


def test_a_network_script_that_nobody_would_call() -> None:
    data = {"bridge": "br0", "bridge_xen": "vif-bridge", "os_version": "fedora40"}
    assert problems_of(bridge_xen_network_script="site", **data) == [
        "bridge_xen_network_script: Fedora 40 has no xend, which would call it; remove it"
    ]


@pytest.mark.parametrize("name", ["", ".", "-x", "a b", "a'b", "a/b", "é", "x" * 65, "$x", "a\n"])
def test_names_that_are_no_scripts(name: str) -> None:
    (problem,) = problems_of(bridge="br0", bridge_xen="vif-bridge", bridge_xen_vif_script=name)
    assert problem.startswith("bridge_xen_vif_script: ")


def recorded(**bridge: Any) -> Dict[str, Any]:
    """Interface records of two bridges, one with further fields, that xend is to make."""
    interfaces = {
        "xenbr0": dict({"interface_type": "bridge"}, **bridge),
        "xenbr1": {"interface_type": "bridge"},
        "eth0": {"interface_type": "bridge_slave", "interface_master": "xenbr0"},
        "eth1": {"interface_type": "bridge_slave", "interface_master": "xenbr1"},
    }
    return dict(HOST, interfaces=interfaces, bridge_xen="network-bridge")


def two_bridges() -> Description:
    described, problems = describe(recorded())
    assert problems == []
    assert described is not None
    return described


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"static": True, "ip_address": "192.0.2.9", "netmask": "255.255.255.0"},
            "xend gives the bridge no address",
        ),
        ({"mtu": "9000"}, "xend gives the bridge no options, MTU or MAC address"),
        ({"bridge_opts": "stp=on"}, "xend gives the bridge no options, MTU or MAC address"),
        ({"bridge_opts": "max_age=9"}, "xend gives the bridge no options, MTU or MAC address"),
    ],
)
def test_what_a_record_asks_of_xend_in_vain(fields: Dict[str, Any], problem: str) -> None:
    _, problems = make_plan(recorded(**fields))
    assert [(each.field, each.wrong) for each in problems] == [
        ("interface_type of xenbr0", problem)
    ]


def test_records_of_bridges_beside_routed_guests() -> None:
    _, problems = make_plan(dict(recorded(), bridge_xen="network-nat"))
    assert [(each.field, each.wrong) for each in problems] == [
        ("interface_type of " + name, "the bridge would not exist with bridge_xen=network-nat")
        for name in ("xenbr0", "xenbr1")
    ]


def test_a_release_that_only_the_machine_tells() -> None:
    planned, problems = make_plan(dict(HOST, os_version="", bridge="br0", bridge_xen="vif-bridge"))
    assert problems == []
    assert planned is not None
    said = [(kind, step.does) for kind, step in flat(planned.steps) if isinstance(step, Call)]
    assert [kind for kind, does in said if "EL 8 has no Xen" in does] == ["EL 8"]
    assert {kind for kind, does in said if XEND in does} == {"EL 5", "EL 6", "EL 7"}


def test_several_bridges_of_xend() -> None:
    parts, problems = writer.write(two_bridges(), REDHAT.targets["rhel5"])
    assert problems == []
    (wrapper,) = [step for step in parts.steps if isinstance(step, File)]
    assert (plain(wrapper.path), wrapper.mode) == ("/etc/xen/scripts/network-cobbler-bridge", 0o755)
    said = [step.does for step in parts.steps if not isinstance(step, File)]
    assert "/%s is edited where it is there: (network-script network-cobbler-bridge)" % XEND in said


@ON_EVERY_SHELL
@pytest.mark.parametrize("failing", ["", "xenbr0", "xenbr1"])
def test_the_wrapper_makes_every_bridge(failing: str, sh: List[str], tmp_path: Path) -> None:
    parts, _ = writer.write(two_bridges(), REDHAT.targets["rhel5"])
    (wrapper,) = [step for step in parts.steps if isinstance(step, File)]
    script = tmp_path / "network-bridge"
    script.write_text(
        '#!/bin/sh\necho "$@"\ncase $* in *bridge=%s) exit 7 ;; esac\n' % (failing or "none")
    )
    script.chmod(0o755)
    text = plain(wrapper.content).replace("$nic1", "eth0").replace("$nic2", "eth1")
    run = machine.run(text.replace('$(dirname "$0")', str(tmp_path)), tmp_path, sh)
    assert run.output == "vifnum=0 netdev=eth0 bridge=xenbr0\nvifnum=1 netdev=eth1 bridge=xenbr1\n"
    assert run.status == (7 if failing else 0)


@pytest.mark.parametrize("mode", MADE_BY_XEND)
def test_two_ports_are_too_many_for_xend(mode: str) -> None:
    data = {"bridge": "xenbr0"} if mode == "network-bridge" else {}
    assert problems_of(bridge_xen=mode, bridge_port="eth0,eth1", **data) == [
        "bridge_port: %s takes one NIC, and no bond or VLAN; use bridge_xen=vif-bridge" % mode
    ]


@pytest.mark.parametrize("mode", MODES)
def test_a_record_for_every_mode(mode: str) -> None:
    data: Dict[str, Any] = {"bridge_xen": mode}
    if mode not in UNBRIDGED:
        data["bridge"] = "xenbr0"
    planned, _ = make_plan(dict(HOST, **data))
    assert planned is not None
    bridges = tuple(bridge.name for bridge in planned.bridges)
    record = Record(bridges, "installed", "", planned.unbridged)
    assert str(record) == (mode if mode in UNBRIDGED else "xenbr0") + ", installed"


def test_a_problem_is_a_sentence() -> None:
    assert all(
        isinstance(each, Problem) and each.wrong and each.right
        for each in make_plan(dict(HOST, bridge="b", bridge_xen="network-nat", bridge_mtu="9000"))[
            1
        ]
    )
