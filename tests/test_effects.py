"""What each variable and each kind of network changes on every release, to the line.

``tests/effects`` has one page for each format: under every change of the description, and the
releases for which it is the same, the lines that go (-) and come (+) in each file and among the
helpers' calls, or the problem that refuses it by name. A cell that changes nothing fails, and so
does a backend without its page.

``make cases`` writes the pages anew; look at the difference before you commit it.
"""

import os
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import pytest

from cobbler_bridge.description import keys
from cobbler_bridge.plan import first_boot
from cobbler_bridge.plan.backends import BACKENDS
from cobbler_bridge.plan.families import EVERY, targets_of
from cobbler_bridge.plan.firewalls import sysctl
from cobbler_bridge.plan.plan import Call, File, Plan, Program, Shipped, flat, plain
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.plan.target import ByTarget, Target
from cobbler_bridge.problem import Problem
from strangers import OTHER, STRANGER, is_known

PAGES = Path(__file__).parent / "effects"
_MARK = re.compile(r"description \S+\Z")
ANEW = os.environ.get("CASES") == "anew"

# every row of the tables that go by release, in each format that it reads
TARGETS = {
    "ifcfg": ("rhel5", "rhel6", "rhel7", "rhel8", "rhel9"),
    "ifupdown": ("bookworm",),
    "keyfile": ("rhel8", "rhel9", "rhel10", "fedora45", "bookworm", "sles15sp6"),
    "netplan": ("jammy",),
    "wicked": ("sles15sp6",),
}
BREEDS = {"bookworm": "debian", "jammy": "ubuntu", "sles15sp6": "suse"}

Data = Dict[str, Any]


class Change(NamedTuple):
    """A change of a description: what is there before, and what is set then.

    ``about`` is the variable, or the kind of network, that the change is about; ``fields`` are
    those that a problem may name when it refuses the change. ``plain`` is the change for a format
    that can't have what is there before: from ``PLAIN`` to this.
    """

    about: str
    before: Mapping[str, Any]
    then: Mapping[str, Any]
    fields: Tuple[str, ...] = ()
    plain: Optional[Mapping[str, Any]] = None


VARIABLES: Data = {
    "profile_name": "hosts",
    "breed": "redhat",
    "bridge": "br0",
    "bridge_port": "eth0",
    "http_server": "192.0.2.1",
}
_VIF_BRIDGE = {"bridge_xen": "vif-bridge"}
_AUTO = {"bridge_backend": "auto"}
_XEN = ("bridge_xen",)
_NETWORK_BRIDGE = {"bridge_xen": "network-bridge", **_AUTO}
CHANGES: List[Change] = [
    Change(key, before, {key: value})
    for key, before, values in (
        ("bridge", {}, ["br7"]),
        ("bridge_port", {}, ["eth1", "eth.0", "52:54:00:00:00:01", "auto", "eth0,eth1"]),
        ("bridge_ipv4", {}, ["192.0.2.10/24,192.0.2.1", "192.0.2.10/24", "none", "keep"]),
        # with auto, a static address that the machine's own file has stays
        ("bridge_ipv4", {"bridge_ipv4": "dhcp"}, ["auto"]),
        ("bridge_ipv6", {}, ["2001:db8::10/64,fe80::1", "2001:db8::10/64", "dhcp", "none", "keep"]),
        ("bridge_vlan", {}, [10]),
        ("bridge_mtu", {}, [9000]),
        ("bridge_mtu", {"bridge_vlan": 10}, [9000]),
        ("bridge_mac", {}, ["52:54:00:00:00:07", "none"]),
        ("bridge_stp", {}, ["on"]),
        ("bridge_forward_delay", {}, [4]),
        ("bridge_forward_delay", {"bridge_stp": "on"}, [4]),
        (
            "bridge_opts",
            {},
            [
                "ageing_time=60",
                "group_forward_mask=8",
                "hello_time=3",
                "max_age=30",
                "multicast_snooping=off",
                "priority=4096",
                "vlan_filtering=on",
            ],
        ),
        ("bridge_opts", {"bridge_stp": "on"}, ["hello_time=3", "max_age=30", "priority=4096"]),
        ("bridge_firewall", {}, ["iptables", "sysctl", "firewalld", "nftables", "none"]),
        ("bridge_zone", {}, ["internal"]),
        ("bridge_backend", {}, [*BACKENDS]),
        ("bridge_xen", {}, ["vif-bridge"]),
        ("bridge_xen", _AUTO, ["network-bridge"]),
        ("bridge_xen_network_script", _NETWORK_BRIDGE, ["network-ours"]),
        ("bridge_xen_vif_script", _VIF_BRIDGE, ["vif-ours"]),
        ("bridge_verify", {}, ["no"]),
        ("bridge_rollback", {}, ["no"]),
        ("bridge_timeout", {}, [60]),
        ("bridge_watch", {}, ["no"]),
    )
    for value in values
]


def _record(**fields: Any) -> Data:
    return fields


def _with(records: Mapping[str, Data], **more: Data) -> Data:
    """Interface records with other fields, or with further records."""
    changed = {name: dict(fields) for name, fields in records.items()}
    for name, fields in more.items():
        changed.setdefault(name, {}).update(fields)
    return {"interfaces": changed}


_BONDED = {
    "br0": _record(
        interface_type="bridge", static=True, ip_address="192.0.2.10", netmask="255.255.255.0"
    ),
    "bond0": _record(
        interface_type="bonded_bridge_slave",
        interface_master="br0",
        bonding_opts="mode=active-backup miimon=100",
    ),
    "eth0": _record(
        interface_type="bond_slave", interface_master="bond0", mac_address="52:54:00:00:00:01"
    ),
    "eth1": _record(
        interface_type="bond_slave", interface_master="bond0", mac_address="52:54:00:00:00:02"
    ),
}
_PORT = _record(interface_type="bridge_slave", interface_master="br0")
PLAIN = {"br0": _BONDED["br0"], "eth0": dict(_PORT, mac_address="52:54:00:00:00:01")}
RECORDS: Data = {"system_name": "kvm1", "breed": "redhat", "gateway": "192.0.2.1"}
_LAN = _record(interface_type="bridge", ip_address="198.51.100.1", netmask="255.255.255.0")
_ALIAS = _record(ip_address="192.0.2.11", netmask="255.255.255.0", static=True)
_TAGGED = _record(interface_type="", static=True, ip_address="203.0.113.1", netmask="255.255.255.0")
for _about, _more in (
    ("a bond's options", {"bond0": {"bonding_opts": "mode=802.3ad lacp_rate=fast"}}),
    ("a bond's mtu", {"bond0": {"mtu": "9000"}}),
    ("a bridge's mtu", {"br0": {"mtu": "9000"}}),
    ("a bridge's options", {"br0": {"bridge_opts": "stp=on forward_delay=4"}}),
    ("a further port", {"eth2": dict(_PORT, mac_address="52:54:00:00:00:03")}),
    ("a further address", {"br0:1": _ALIAS}),
    ("an ipv6 address", {"br0": {"ipv6_address": "2001:db8::10", "ipv6_prefix": "64"}}),
    (
        "further ipv6 addresses",
        {
            "br0": {
                "ipv6_address": "2001:db8::10",
                "ipv6_prefix": "64",
                "ipv6_secondaries": ["2001:db8::11"],
                "ipv6_default_gateway": "fe80::1",
            }
        },
    ),
    ("a route", {"br0": {"static_routes": ["198.51.100.0/24:192.0.2.254"]}}),
    (
        "an ipv6 route",
        {
            "br0": {
                "ipv6_address": "2001:db8::10",
                "ipv6_prefix": "64",
                "ipv6_static_routes": ["2001:db8:1::/64,2001:db8::1"],
            }
        },
    ),
    (
        "a VLAN of the bond as port",
        {"bond0": {"interface_type": "bond", "interface_master": ""}, "bond0.20": _PORT},
    ),
    ("a VLAN over the bridge", {"br0.30": _TAGGED}),
    (
        "a second bridge",
        {
            "br1": dict(_LAN, static=True),
            "eth2": dict(_PORT, interface_master="br1", mac_address="52:54:00:00:00:03"),
        },
    ),
    ("a bridge without port", {"br1": dict(_LAN, static=True)}),
):
    _of_a_bond = not {"bond0", "bond0.20"}.isdisjoint(_more)
    CHANGES.append(
        Change(
            _about,
            {"interfaces": _BONDED},
            _with(_BONDED, **_more),
            ("interface", "bridge", "mtu"),
            _with(_BONDED if _of_a_bond else PLAIN, **_more),
        )
    )
CHANGES += [
    Change("name servers", {}, {"name_servers": ["192.0.2.53", "2001:db8::53"]}),
    Change("search domains", {}, {"name_servers_search": ["example.org"]}),
    Change(
        "name servers",
        {"bridge_ipv4": "192.0.2.10/24"},
        {"name_servers": ["192.0.2.53"], "name_servers_search": ["example.org"]},
    ),
    Change("a NIC that is left", {"bridge_vlan": 10}, {"bridge_ipv4": "none"}, ("bridge_vlan",)),
    Change("the port's own name", {}, {"bridge": "eth0"}, ("bridge",)),
    Change("routed guests", {}, {"bridge": None, "bridge_xen": "network-route", **_AUTO}, _XEN),
    Change("guests behind NAT", {}, {"bridge": None, "bridge_xen": "network-nat", **_AUTO}, _XEN),
]

Lines = Dict[str, Set[str]]


def _lines(plan: Plan) -> Lines:
    """The lines of each file, with its mode, and the calls of helpers."""
    found: Lines = {"calls": set()}
    for _, step in flat(plan.steps):
        if isinstance(step, File):
            # the mark of a description differs with whatever is asked for
            lines = {each for each in plain(step.content).splitlines() if not _MARK.match(each)}
            found[plain(step.path)] = lines | {"(mode %o)" % step.mode}
        elif isinstance(step, Shipped):
            found[plain(step.path)] = {"(mode %o)" % step.mode, "shipped: " + step.source}
        elif isinstance(step, Program):
            found[plain(step.path)] = {"(mode %o)" % step.mode, "of " + ", ".join(step.parts)}
        elif isinstance(step, Call):
            words = [plain((word,)) for word in step.arguments]
            found["calls"].add(" ".join([step.helper, *words]))
        else:
            tool = os.path.basename(step.tool.path)
            found["calls"].add("need %s %s %s" % (step.program, step.package, tool))
    return found


# what is about the check; elsewhere nothing is asked of it where there is none
_OF_A_CHECK = ("bridge_verify", "bridge_rollback", "bridge_timeout", "bridge_watch")


def _data(change: Change, target: Data) -> Tuple[Data, Data, Data]:
    """The data of a target before a change, without what is set for the change, and then."""
    base = {**(RECORDS if "interfaces" in change.before else VARIABLES), **target}
    asked: Data = {}
    if not all(first_boot.has_check(each.target) for each in targets_of(base)[0].candidates):
        base["bridge_verify"] = "no"
        asked = {"bridge_verify": "yes"} if change.about in _OF_A_CHECK else {}
    if "interfaces" in change.before:
        base["interfaces"] = PLAIN
    before = {**base, **change.before}
    then = {**before, **change.then, **asked}
    for data in (before, then):
        # which is proved by nobody
        if str(data.get("bridge_xen")).startswith("network-"):
            data.pop("bridge_verify", None)
    # what is None isn't set
    return base, before, {name: value for name, value in then.items() if value is not None}


def _effect(before: Lines, after: Lines) -> Iterator[str]:
    for path in sorted(set(before) | set(after)):
        old, new = before.get(path, set()), after.get(path, set())
        if old == new:
            continue
        if not new:
            yield "  - " + path
            continue
        yield "  %s%s" % ("" if old else "+ ", path)
        yield from ("    - " + line for line in sorted(old - new))
        yield from ("    + " + line for line in sorted(new - old))


def _shown(change: Change) -> str:
    if "interfaces" in change.then:
        return change.about
    settings = " ".join("%s=%s" % pair for pair in sorted(change.then.items()))
    beside = " ".join("%s=%s" % pair for pair in sorted(change.before.items()))
    return settings + (" beside %s" % beside if beside else "")


def _checked(change: Change, target: Data) -> Tuple[str, ...]:
    """The lines of what a change comes to: its effect, or what refuses it by name."""
    base, before, then = _data(change, target)
    old, already = make_plan(before)
    if old is None and change.plain is not None:
        instead = Change(change.about, {"interfaces": PLAIN}, change.plain, change.fields)
        return _checked(instead, target)
    if old is None:
        # nothing is tried beside what is refused: that must be what is set for this change
        assert make_plan(base)[0] is not None, already
        _is_by_name(already, tuple(change.before))
        return tuple("  refused before: %s" % str(problem) for problem in already)
    new, problems = make_plan(then)
    if new is None:
        of_a_check = ("bridge_verify",) if change.about in _OF_A_CHECK else ()
        named = (change.about, *change.then, *change.before, *change.fields, *of_a_check)
        _is_by_name(problems, named)
        return tuple("  refused: %s" % str(problem) for problem in problems)
    lines = tuple(_effect(_lines(old), _lines(new)))
    assert lines, "%s changes nothing on %s" % (_shown(change), target["os_version"])
    return lines


def _is_by_name(problems: Sequence[Problem], fields: Tuple[str, ...]) -> None:
    for problem in problems:
        assert problem.field.startswith(fields), problem


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_change_has_its_effect_or_is_refused_by_name(backend: str) -> None:
    page = []
    for change in CHANGES:
        if change.then.get("bridge_backend") == backend:
            continue
        alike: Dict[Tuple[str, ...], List[str]] = {}
        for os_version in TARGETS[backend]:
            target = {"breed": BREEDS.get(os_version, "redhat"), "os_version": os_version}
            target["bridge_backend"] = backend
            alike.setdefault(_checked(change, target), []).append(os_version)
        page.append("\n%s" % _shown(change))
        for lines, versions in alike.items():
            page += [" on %s" % " ".join(versions), *lines]
    text = "# What changes with %s\n%s\n" % (backend, "\n".join(page))
    path = PAGES / (backend + ".txt")
    if ANEW:
        assert "CI" not in os.environ, "CI shows what changed and never writes it"
        PAGES.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_every_variable_of_a_host_is_changed() -> None:
    assert {key.name for key in keys.HOST_KEYS} <= {change.about for change in CHANGES}


def _of_pages() -> Iterator[Tuple[str, str]]:
    for backend, versions in TARGETS.items():
        for os_version in versions:
            data = {"breed": BREEDS.get(os_version, "redhat"), "os_version": os_version}
            yield from ((each.target.family, backend) for each in targets_of(data)[0].candidates)


def test_every_format_of_every_family_is_on_a_page() -> None:
    written = {(each.family, backend) for each in EVERY for backend in each.backends}
    assert {pair for pair in written if pair[1] in BACKENDS} <= set(_of_pages())


# what a boot of each does
_ROWS = {
    ("Stranger", 6): sysctl.Kernel(sysctl.UDEV, ("nftables", "sysctl")),
    ("Other", 3): sysctl.Kernel(None, ()),
}


@pytest.mark.parametrize("change", CHANGES, ids=_shown)
@pytest.mark.parametrize("target", [STRANGER, OTHER], ids=lambda each: str(each.name))
def test_each_change_of_a_stranger_has_its_effect_or_is_refused_by_name(
    target: Target, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a format that has no bonds, on a family with nothing but a row of settings, of which one
    has no check."""
    data = is_known(monkeypatch, target)
    monkeypatch.setattr(sysctl, "_KERNELS", ByTarget(_ROWS))
    assert _checked(change, {name: data[name] for name in ("breed", "os_version")})


def test_every_backend_has_its_page() -> None:
    assert set(TARGETS) == set(BACKENDS)
    assert {path.stem for path in PAGES.iterdir()} == set(BACKENDS)
