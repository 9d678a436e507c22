"""Whatever stands in Cobbler's data: nothing raises, nothing of it runs, nothing ends a section."""

import functools
import importlib
import json
import os
import random
import re
import subprocess
import time
import xmlrpc.client
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hostile
import scratch_machine as machine
from cobbler_bridge import addresses, check
from cobbler_bridge.check.gather import gather
from cobbler_bridge.description.describe import describe
from cobbler_bridge.placement import by_hand
from cobbler_bridge.plan.plan import Fact, File, Word
from cobbler_bridge.problem import Problem, shown
from cobbler_bridge.script import render
from cobbler_bridge.show import listing, page
from cobbler_bridge.snippet import bridge_network, bridge_packages, bridge_setup
from cobbler_bridge.store.over_xmlrpc import XmlRpc
from test_shell import begins_with_percent, built, marks_in, plan_of
from waiting import HANGS

SNIPPETS: Dict[str, Callable[[hostile.Data], str]] = {
    "setup": bridge_setup,
    "network": bridge_network,
    "packages": bridge_packages,
}
OURS = ["%include /tmp/cobbler-bridge.network", "%pre", "%end"]
# of the whole, which is some 50,000: what a test can do in its time
SAMPLE = 300
ROOT = Path(__file__).parent.parent


@functools.lru_cache(maxsize=None)
def every() -> List[hostile.Data]:
    return list(hostile.all_data())


def sample(count: int) -> List[hostile.Data]:
    chosen: List[hostile.Data] = random.Random(10).sample(every(), count)
    return chosen


def examine(kind: str, text: str) -> None:
    """What must be true of whatever a snippet gives."""
    text.encode()
    assert "failed on the server" not in text
    assert marks_in(text) == []
    sections = begins_with_percent(text)
    assert sections == (OURS if kind == "network" and sections else [])
    for line in text.splitlines():
        assert not line.lstrip().startswith(hostile.CANARY)


def test_hostile_data_end_nothing_and_start_no_line() -> None:
    for data in sample(SAMPLE):
        for kind, snippet in SNIPPETS.items():
            examine(kind, snippet(data))


@pytest.mark.parametrize(
    ("interfaces", "wrong"),
    [
        ({"br0:\npwn\n#": {"interface_type": "bridge"}}, "for a further address, and not for a"),
        ({"br0:1": {"interface_type": "bridge"}}, "for a further address, and not for a bridge"),
        ({"eth0:1": {"interface_type": "bmc"}}, "for a further address, and not for a bmc"),
        ({"eth7:1": {}}, "there is no interface eth7 whose further address it could be"),
        ({"eth1:1\n": {}}, "'1\\n' behind the ':' is no plain word"),
        ({"eth1:1:2": {}}, "'1:2' behind the ':' is no plain word"),
        ({"eth1:": {}}, "'' behind the ':' is no plain word"),
        ({":1": {}}, "the name is empty"),
        ({"ipmi 0": {"interface_type": "bmc"}}, "the name has ' ' in it"),
        ({"br0.1\n": {}}, "the name has '\\n' in it"),
        ({"br0." + "9" * 5000: {}}, "the name has 5004 characters"),
        ({"\npwn.5": {}}, "the name has '\\n' in it"),
        ({"br0.007": {}}, "its VLAN begins with 0"),
        ({"\ud800": {}}, "the name has '\\ud800' in it"),
        ({5: {}}, "{} of 5 is no record of an interface"),
        ({"eth1": "x"}, "'x' of 'eth1' is no record of an interface"),
        ({"eth1": {"mac_address": ["x"]}}, "mac_address of eth1: ['x'] is not a text"),
        ({"eth1": {"static": "pwn"}}, "static of eth1: 'pwn' is not true or false"),
        ({"eth0:1": {"ip_address": "192.0.2.9"}}, "eth0 is a port, and a port has no address"),
    ],
)
def test_what_a_record_must_be(interfaces: hostile.Data, wrong: str) -> None:
    host = hostile.by_records("rhel9")
    _, problems = describe(dict(host, interfaces={**host["interfaces"], **interfaces}))
    assert wrong in "\n".join(map(str, problems))


def test_a_bond_that_a_mac_address_names_is_no_line_of_its_own() -> None:
    bond = {"interface_type": "bond", "mac_address": "52:54:00:00:00:aa"}
    host = dict(hostile.by_variables("rhel7"), bridge_port="52:54:00:00:00:aa")
    host["interfaces"] = {**host["interfaces"], "x\npwn": bond}
    _, problems = describe(host)
    assert "interface 'x\\npwn': the name has '\\n' in it" in "\n".join(map(str, problems))


def test_a_system_without_a_bridge_gets_nothing_whatever_it_has() -> None:
    for value in hostile.VALUES:
        for interfaces in (value, {"eth0": value}, {"eth0": {"interface_type": value}}):
            data = {"system_name": "web1", "interfaces": interfaces, "name_servers": value}
            assert [snippet(data) for snippet in SNIPPETS.values()] == ["", "", ""]


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters()),
        st.binary(max_size=4),
        st.sampled_from(hostile.TEXTS[:40]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(hostile.hosts()),
    st.dictionaries(st.sampled_from(hostile.VARIABLES + hostile.FIELDS), JSON, max_size=3),
    st.dictionaries(st.sampled_from(hostile.RECORD), JSON, max_size=3),
    st.one_of(st.sampled_from(["br0", "eth0", "bond0", "br0:1"]), st.text(max_size=12)),
)
def test_any_data_end_nothing(
    host: hostile.Data, top: hostile.Data, record: hostile.Data, name: str
) -> None:
    interfaces = dict(host["interfaces"])
    interfaces[name] = dict(interfaces.get(name, {}), **record)
    for kind, snippet in SNIPPETS.items():
        examine(kind, snippet({**host, "interfaces": interfaces, **top}))


@pytest.fixture
def canary(tmp_path: Path) -> Dict[str, str]:
    """An environment in which whatever runs the canary leaves a trace, in ``tmp_path/ran``."""
    tools = tmp_path / "tools"
    tools.mkdir()
    program = tools / hostile.CANARY
    program.write_text("#!/bin/sh\necho x >> '%s'\n" % (tmp_path / "ran"))
    program.chmod(0o755)
    path = "%s:%s" % (tools, os.environ["PATH"])
    return dict(os.environ, PATH=path, BRIDGE_ROOT=str(tmp_path / "root"))


@pytest.mark.parametrize("sh", machine.SHELLS.values(), ids=machine.SHELLS)
def test_no_canary_runs(sh: List[str], canary: Dict[str, str], tmp_path: Path) -> None:
    built(tmp_path / "root")
    texts = {bridge_setup(data) for data in sample(150)}
    texts |= {
        "\n".join(line for line in bridge_network(data).splitlines() if line not in OURS) + "\n"
        for data in sample(50)
    }
    script = "".join("(\n:\n%s\n)\n" % text for text in sorted(texts)) + "echo at the end\n"
    done = subprocess.run(
        [*sh, "-s"],
        input=script.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=canary,
        timeout=HANGS,
        check=False,
    )
    assert done.stdout.endswith(b"at the end\n")
    assert b"not found" not in done.stderr
    assert b"yntax" not in done.stderr
    assert not (tmp_path / "ran").exists()


KICKSTART = "%%packages\n%s%%end\n%%post\necho before\n%s\necho after\n%%end\n"


def test_a_kickstart_has_the_same_sections() -> None:
    pytest.importorskip("pykickstart.parser", reason="pykickstart is for the newest Pythons only")
    parser = importlib.import_module("pykickstart.parser")
    version = importlib.import_module("pykickstart.version")
    for data in sample(20):
        reader = parser.KickstartParser(version.makeVersion("RHEL9"), followIncludes=False)
        network = bridge_network(data)
        reader.readKickstartFromString(
            network + KICKSTART % (bridge_packages(data), bridge_setup(data))
        )
        before = 1 if begins_with_percent(network) else 0
        assert len(reader.handler.scripts) == 1 + before
        body = str(reader.handler.scripts[-1].script)
        assert body.startswith("echo before\n")
        assert body.endswith("echo after\n")


CONTENTS = (
    "EOF\n",
    "EOF\nEOF1\nEOF2\n",
    "a\nEOF\npwn\n",
    "%end\n%pre\npwn\n",
    " %include /x\n\x0c%end\n\x85%end\n\u2028%end\n",
    "@@server@@ @@@@ ]]> ]]]>>\n",
    "# *** ERROR ***\n# system not found\n",
    "$(pwn) `pwn` ${0##*} \\$0\n",
    "\\\n%end\n",
)


@pytest.mark.parametrize("sh", machine.SHELLS.values(), ids=machine.SHELLS)
def test_any_content_of_a_file_arrives(sh: List[str], tmp_path: Path) -> None:
    name = Fact("port1", "$port1")
    contents: List[List[Word]] = [[text] for text in CONTENTS]
    contents += [["\n", "%end\n", name, "%x ]", "]>@", "@\n"]]
    files = [File(("/etc/f%d" % n,), 0o644, tuple(text)) for n, text in enumerate(contents)]
    script = render.script(plan_of(*files))
    assert begins_with_percent(script) == []
    assert marks_in(script) == []
    run = machine.run(script, built(tmp_path), sh)
    assert (run.status, run.errors) == (0, "")
    for number, text in enumerate(contents):
        wanted = "".join("eth0" if isinstance(word, Fact) else word for word in text)
        assert (tmp_path / ("etc/f%d" % number)).read_bytes() == wanted.encode()


@given(st.text("EOF123\n", max_size=40))
def test_an_end_mark_is_no_line(text: str) -> None:
    assert render.end_mark(text) not in text.split("\n")
    assert render.end_mark(text) == render.end_mark(text)


@pytest.mark.parametrize("content", ["", "x", "x\n\0\n"])
def test_a_content_that_no_here_document_holds_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="a here-document holds lines"):
        render.script(plan_of(File(("/x",), 0o644, (content,))))


@given(st.text(), st.text(), st.text(), st.text())
def test_a_problem_is_one_printable_line(subject: str, field: str, wrong: str, right: str) -> None:
    problem = Problem(subject, field, wrong, right)
    for each in (problem, problem._replace(subject=wrong, wrong=subject)):
        assert all(text.isprintable() for text in each[:4])
        assert str(each).isprintable()
        str(each).encode()
        assert each._replace() == each == Problem(*each)


def test_a_shown_value_is_one_short_line() -> None:
    for value in hostile.VALUES:
        text = shown(value)
        assert text.isprintable()
        assert len(text) < 120
        text.encode()


def test_huge_values_are_shown_in_a_moment() -> None:
    begin = time.perf_counter()
    huge = ["x" * 2_000_000, "\ud800" * 2_000_000, ["x"] * 200_000, hostile.deep(100_000)]
    huge += [dict.fromkeys(map(str, range(200_000))), b"x" * 2_000_000, 1 << 8_000_000]
    begin = time.perf_counter()
    for value in huge:
        assert len(shown(value)) < 120
    for value in huge[:2]:
        assert len(Problem("kvm1", value, value, value)[1]) <= 1000
    assert time.perf_counter() - begin < 5


NO_ADDRESSES = (
    *(text for text in hostile.TEXTS if text),
    "192.0.2.1 ",
    " 192.0.2.1",
    "192.0.2.1\n",
    "192.0.2.01",
    "192.0.2",
    "3221225985",
    "0xc0000201",
    "192.0.2.256",
    "192.0.2.\u0661",
    "::ffff:192.0.2.01",
    "::1%1",
    "fe80::1%",
    "fe80::1%eth0",
    "[::1]",
    "1::2::3",
    "12345::",
    ":::",
    "::g",
    ":",
    "1" * 100_000,
    ":" * 100_000,
)


def test_what_is_no_address() -> None:
    readers: List[Callable[[str], Any]] = [addresses.address, addresses.ipv4, addresses.ipv6]
    readers += [addresses.netmask, lambda text: addresses.network(text + "/24")]
    for text in NO_ADDRESSES:
        for read in readers:
            with pytest.raises(ValueError, match=r"\Ais "):
                read(text)


@pytest.mark.parametrize(
    "text", ["192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "::1", "FE80::1", "::ffff:192.0.2.1"]
)
def test_what_is_an_address(text: str) -> None:
    assert addresses.address(text) == addresses.address(str(addresses.address(text)))


def test_one_module_reads_addresses() -> None:
    for path in (ROOT / "cobbler_bridge").rglob("*.py"):
        found = re.findall(r"ipaddress\.\w+\(|IPv[46]\w+\(|ip_\w+\(", path.read_text("utf-8"))
        assert not found or path.name == "addresses.py", path


class Server:
    """What Cobbler answers over XML-RPC, with one more system."""

    def __init__(self, more: Optional[hostile.Data] = None) -> None:
        meta = {"bridge": "br0", "bridge_record": "br1/installed/2026-01-31T12:00:00Z"}
        eth0 = {"mac_address": "52:54:00:00:00:01", "virt_bridge": "", "interface_type": "na"}
        self.systems: Dict[str, hostile.Data] = {
            "kvm1": _system("kvm1", {"eth0": eth0}, meta),
            "web1": _system("web1", {"eth0": eth0}, {"bridge_host": "kvm1"}),
        }
        if more is not None:
            self.systems["bad"] = dict(_system("bad", {}, {}), **more)

    def extended_version(self) -> hostile.Data:
        return {"version_tuple": [3, 3, 10]}

    def get_settings(self) -> hostile.Data:
        return {"default_virt_bridge": "xenbr0", "run_install_triggers": True}

    def get_items(self, kind: str) -> List[hostile.Data]:
        profile = {"name": "hosts", "parent": "", "distro": "el9", "autoinstall_meta": {}}
        distro = {"name": "el9", "breed": "redhat", "os_version": "rhel9", "autoinstall_meta": {}}
        known = {"system": list(self.systems.values()), "profile": [profile], "distro": [distro]}
        return known.get(kind, [])

    def get_item(self, kind: str, name: str) -> Any:
        found = {each["name"]: each for each in self.get_items(kind)}
        return self.systems.get(name) if kind == "system" else found.get(name)

    def has_item(self, kind: str, name: str) -> bool:
        return self.get_item(kind, name) is not None

    def get_item_names(self, kind: str) -> List[str]:
        return [each["name"] for each in self.get_items(kind)]

    def generate_script(self, profile: str, system: str, name: str) -> str:
        return '# script template "%s" not found' % name

    def generate_profile_autoinstall(self, name: str) -> str:
        return "%post\n"

    generate_system_autoinstall = generate_profile_autoinstall

    def get_blended_data(self, profile: str, system: str) -> hostile.Data:
        common = {"breed": "redhat", "os_version": "rhel9", "http_server": "192.0.2.2"}
        return dict(common, **self.get_item("system" if system else "profile", system or profile))


def _system(name: str, interfaces: hostile.Data, meta: hostile.Data) -> hostile.Data:
    return {
        "name": name,
        "profile": "hosts",
        "autoinstall_meta": meta,
        "interfaces": interfaces,
        "ctime": 1.0,
        "autoinstall": "/x.ks",
        "gateway": "",
        "name_servers": [],
    }


def store(more: Optional[hostile.Data] = None) -> XmlRpc:
    known = XmlRpc("http://127.0.0.1:1")
    known._server = Server(more)
    return known


def can_arrive(more: hostile.Data) -> bool:
    """Whether XML-RPC can carry it: Cobbler takes anything in any field."""
    try:
        xmlrpc.client.dumps((more,), allow_none=True)
    except (TypeError, OverflowError, RecursionError):
        return False
    return True


def of_the_others(known: XmlRpc) -> List[Problem]:
    """What check finds of the good systems; what it finds of the bad one has to be printable."""
    found = check.problems(gather(known, here=False))
    for problem in found:
        assert str(problem).isprintable()
    return [each for each in found if each.subject in ("kvm1", "web1")]


def test_one_bad_system_costs_the_others_nothing() -> None:
    good = of_the_others(store())
    assert {each.subject for each in good} == {"kvm1", "web1"}
    fields = ("profile", "autoinstall_meta", "interfaces", "ctime", "autoinstall", "gateway")
    bad = [{field: value} for field in fields for value in hostile.VALUES]
    chance = random.Random(10)
    for value in hostile.VALUES:
        host = chance.choice(hostile.hosts())
        meta = {"bridge": "br0", chance.choice(hostile.VARIABLES): value, "bridge_host": "kvm1"}
        record = {chance.choice(hostile.RECORD): value, "interface_type": "bonded_bridge_slave"}
        bad.append({"autoinstall_meta": meta, "interfaces": host["interfaces"]})
        bad.append({"autoinstall_meta": {"bridge": "br0"}, "interfaces": {"eth0": record}})
        if isinstance(value, str):
            bad.append({"interfaces": {value: {"interface_type": "bridge"}}})
            bad.append({"interfaces": {value: {}}, "autoinstall_meta": {"bridge_host": "kvm1"}})
    arriving = [more for more in bad if can_arrive(more)]
    assert len(arriving) > len(bad) // 2
    for more in arriving:
        known = store(more)
        assert of_the_others(known) == good
        rows = listing.hosts(known.systems())
        assert "kvm1" in [row.name for row in rows]
        listing.as_text(rows).encode()
        json.dumps(listing.as_data(rows)).encode()
        page.html(rows, [], 0).encode()
        placed = by_hand.place(known, None, dry_run=True)
        assert "web1" in [move.guest for move in placed.moves]


def test_a_bad_system_is_named() -> None:
    port = {"a": {"interface_type": "bonded_bridge_slave"}}
    bad: List[hostile.Data] = [
        {"interfaces": {"br0": {"interface_type": "bridge", "mtu": [5]}}},
        {"autoinstall_meta": {"bridge": ["br0"]}},
        {"interfaces": port, "autoinstall_meta": {"bridge": "br0", "bridge_port": "a"}},
    ]
    for more in bad:
        found = check.problems(gather(store(more), here=False))
        assert "bad" in {each.subject for each in found}
