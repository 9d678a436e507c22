"""What ``cobbler-bridge check`` finds, and that it finds nothing where nothing is wrong."""

import calendar
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple
from zlib import crc32

import pytest

from cobbler_bridge.check import problems
from cobbler_bridge.check.site import Installed, Machine, Site, plan_all
from cobbler_bridge.guests import Placer
from cobbler_bridge.inventory import Interface, Profile, System
from cobbler_bridge.problem import Problem

SINCE = "2026-01-31T12:00:00Z"
NOW = calendar.timegm((2026, 1, 31, 12, 10, 0))
DAY = 24 * 3600
TARGET = {"breed": "redhat", "os_version": "rhel9"}
KICKSTART = "%post\n$SNIPPET('network')\n%end\n"
TEXTS = {"/hosts.ks": KICKSTART, "network": "$SNIPPET('bridge_setup')\n", "/bare.ks": "%post\n"}
SETTINGS = {
    "run_install_triggers": True,
    "default_virt_bridge": "xenbr0",
    "cheetah_import_whitelist": ["re", "cobbler_bridge.snippet"],
}
TRIGGER = "/site-packages/cobbler/modules/cobbler_bridge/change.py"


def nic(name: str = "eth0", bridge: str = "br0", kind: str = "na", mac: str = "") -> Interface:
    return Interface(
        name, kind, bridge, (), mac or "52:54:00:00:00:%02x" % (crc32(name.encode()) % 251)
    )


def host(name: str = "kvm1", record: str = "br0/installed/" + SINCE, **meta: Any) -> System:
    own = {"bridge_record": record} if record else {}
    meta = {"bridge": "br0", **meta, **own}
    interfaces = (nic(mac="52:54:00:00:01:01"),)
    return System(name, "hosts", meta, own, interfaces, 1.0, "/hosts.ks")


def guest(*interfaces: Interface, name: str = "web1", of: str = "kvm1", placed: str = "") -> System:
    own = {"bridge_host": of, **({"bridge_placed": placed} if placed else {})}
    return System(name, "guests", own, own, interfaces, 2.0, "/bare.ks")


class Store:
    """Blended data made of what the systems say, as Cobbler's are."""

    def __init__(self, systems: Mapping[str, System], profiles: Mapping[str, Profile]) -> None:
        self.known: Dict[Tuple[str, str], Any] = {}
        self.known.update((("system", name), each) for name, each in systems.items())
        self.known.update((("profile", name), each) for name, each in profiles.items())

    def default_bridge(self) -> str:
        return "xenbr0"

    def blended(self, kind: str, name: str) -> Optional[Dict[str, Any]]:
        item = self.known[kind, name]
        records = {
            each.name: {"interface_type": each.kind, "mac_address": each.mac}
            for each in getattr(item, "interfaces", ())
        }
        return {**TARGET, "name": name, **item.meta, "interfaces": records}


def site(
    *systems: System,
    profiles: Sequence[Profile] = (),
    texts: Mapping[str, str] = TEXTS,
    files: Sequence[Installed] = (Installed(TRIGGER, "", 10.0),),
    started: Optional[float] = 20.0,
    now: float = NOW,
    **settings: Any,
) -> Site:
    known = {system.name: system for system in systems}
    parents = {profile.name: profile for profile in profiles}
    store: Any = Store(known, parents)
    placer = Placer(store, known)
    return Site(
        systems=known,
        profiles=parents,
        settings={**SETTINGS, **settings},
        placements={each.name: placer.look(each) for each in systems if each.host is not None},
        planned=plan_all(known, parents, store.blended),
        machine=Machine(lambda folder, name: texts.get(name), files, started),
        now=now,
    )


def found(*systems: System, **more: Any) -> List[Tuple[str, str]]:
    return [(each.subject, each.field) for each in problems(site(*systems, **more))]


def wrong(*systems: System, **more: Any) -> List[str]:
    return [each.wrong for each in problems(site(*systems, **more))]


CLEAN = (
    host(),
    host("kvm2", "br0/verified/" + SINCE),
    host("kvm3", record=""),
    host("kvm4", "br0/installing/" + SINCE),
    guest(nic(), placed="eth0:br0"),
    guest(nic(), nic("eth1"), name="web2", of="kvm2"),
    guest(nic(bridge=""), name="web3", of="kvm4"),
    guest(
        nic(),
        nic("eth0.20", "", mac="52:54:00:00:00:01"),
        nic("eth0:1", "", mac="52:54:00:00:00:01"),
        nic("bond0", "", "bond"),
        nic("eth1", "br0", "bond_slave"),
        name="web4",
    ),
    System("plain", "guests", {}, {}, (nic(bridge="<<inherit>>"), nic("eth1", "br7")), 3.0, ""),
    guest(nic("default"), name="web5"),
)
PROFILES = (
    Profile("hosts", {"bridge": "br0"}, "/hosts.ks", "<<inherit>>"),
    Profile("guests", {}, "/bare.ks", "none"),
    Profile("others", {}, "", "br0"),
)


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert problems(site(*CLEAN, profiles=PROFILES)) == []


@pytest.mark.parametrize(
    ("bridge", "wrong_", "right"),
    [
        ("<<inherit>>", "is <<inherit>>, which Koan would pass on as it stands", "place"),
        ("", "is not set", "place"),
        ("xenbr0", "is Cobbler's own default, 'xenbr0'", "place"),
        ("virbr0", "'virbr0' is libvirt's own network behind NAT: nobody can reach the guest", ""),
        ("eth0", "'eth0' is a network card of 'kvm1', and no bridge", ""),
        ("enp3s0", "'enp3s0' is a network card of 'kvm1', and no bridge", ""),
        ("p2p1", "'p2p1' is a network card of 'kvm1', and no bridge", ""),
        ("eth1.20", "'eth1.20' is a network card of 'kvm1', and no bridge", ""),
        ("br9", "'kvm1' has no bridge 'br9'", ""),
        (
            "br0,model=e1000",
            "'br0,model=e1000' has ',' in it: Koan would pass it on as it stands",
            "",
        ),
        ("br 0", "'br 0' has ' ' in it: Koan would pass it on as it stands", ""),
        ("none", "'none' is a reserved word: Koan would pass it on as it stands", ""),
    ],
)
def test_a_bridge_that_will_not_do(bridge: str, wrong_: str, right: str) -> None:
    (problem,) = problems(site(host(), guest(nic(bridge=bridge))))
    assert (problem.subject, problem.field) == ("web1", "virt_bridge of eth0")
    assert problem.wrong == wrong_
    assert right in problem.right


def test_a_guest_that_was_placed_and_whose_host_has_another_bridge() -> None:
    moved = host(record="br1/installed/" + SINCE, bridge="br1")
    (problem,) = problems(site(moved, guest(nic(), placed="eth0:br0")))
    assert problem.wrong == "is 'br0', which was placed and does not fit any more"
    assert problem.right == "it can be br1: run cobbler-bridge place"


@pytest.mark.parametrize(
    ("of", "wrong_"),
    [
        ("nobody", "'nobody' is no system"),
        ("web1", "'web1' is the guest itself"),
        ("kvm1", "Cobbler knows no bridge of 'kvm1'"),
        ("plain", "Cobbler knows no bridge of 'plain'"),
    ],
)
def test_a_host_that_is_none(of: str, wrong_: str) -> None:
    plain = System("plain", "guests", {}, {}, (), 1.0, "")
    systems = (host(record=""), plain, guest(nic(bridge="br0"), of=of))
    assert problems(site(*systems))[0][:3] == ("web1", "bridge_host", wrong_)
    assert len(problems(site(*systems))) == 1


def test_a_host_whose_xen_routes_its_guests() -> None:
    record = "xen:network-nat/installed/" + SINCE
    router = host(record=record)
    router = router._replace(
        meta={"bridge_xen": "network-nat", "bridge_record": record, "os_version": "rhel5"}
    )
    lost = "'kvm1' gives its guests no bridge, with bridge_xen=network-nat"
    assert wrong(router, guest(nic(bridge=""), nic("eth1", "br9"))) == [lost]
    assert wrong(router, guest(nic(), placed="eth0:br0")) == [lost]
    # what the problem asks for
    assert wrong(router, guest(nic(bridge="br8"), nic("eth1", "br9"))) == []
    assert wrong(router, guest(nic(bridge="br8"), nic("eth1", "br 9"))) == [
        "'br 9' has ' ' in it: Koan would pass it on as it stands"
    ]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("bridge_hots", "kvm1", "is no variable of cobbler-bridge"),
        ("Bridge-Host", "kvm1", "is no variable of cobbler-bridge"),
        ("bridge_host", ["kvm1", "kvm2"], "is set 2 times: ['kvm1', 'kvm2']"),
        ("bridge_host", None, "has no value"),
        ("bridge_host", "", None),
        ("!bridge_host", "", None),
        ("bridge_ports", "eth0", None),
        ("bridge_hostname", "x", None),
    ],
)
def test_a_host_that_is_not_named_as_it_should(
    variable: str, value: Any, said: Optional[str]
) -> None:
    meta = {variable: value}
    system = System("web1", "guests", meta, meta, (nic(),), 2.0, "/bare.ks")
    profile = Profile("guests", meta, "/bare.ks", "")
    expected = [] if said is None else [(variable, said)]
    assert [each[1:3] for each in problems(site(system))] == expected
    assert [each[1:3] for each in problems(site(profiles=(profile,)))] == expected
    assert [each.subject for each in problems(site(profiles=(profile,)))] == ["guests"] * len(
        expected
    )
    # inherited: said where it stands
    heir = System("web2", "guests", meta, {}, (nic(),), 2.0, "/bare.ks")
    assert problems(site(heir)) == []


def test_an_unknown_variable_of_a_host_is_said_once() -> None:
    bad = host(record="", bridge_hots="kvm1")
    bad = bad._replace(own_meta={"bridge_hots": "kvm1"})
    assert found(bad) == [("kvm1", "bridge_hots")]


def test_interfaces_that_koan_makes_too_many_nics_of() -> None:
    stray = Interface("default", "na", "br0", (), "")
    assert found(host(), guest(stray, nic())) == [("web1", "interface default")]
    one = "52:54:00:00:00:07"
    twice = (nic(mac=one), nic("vlan20", mac=one.upper()), nic("eth9", mac="random"))
    assert found(host(), guest(*twice, nic("eth8", mac="random"))) == [
        ("web1", "mac_address of vlan20")
    ]
    assert found(host(), guest(nic(), nic("mgmt", kind="bmc"))) == [
        ("web1", "interface_type of mgmt")
    ]
    assert found(host(), guest(nic("bond0", "", "bond"))) == [("web1", "interfaces")]


def test_a_vlan_that_no_bridge_is_on() -> None:
    lost = guest(nic(bridge=""))
    lost = lost._replace(meta={**lost.meta, "bridge_vlan": "7"})
    assert wrong(host(), lost) == ["'kvm1' has no bridge on VLAN 7"]


def test_profiles_of_guests() -> None:
    profile = Profile("guests", {}, "/bare.ks", "br0,br1")
    assert found(profiles=(profile,)) == [("guests", "virt_bridge")]


def test_descriptions() -> None:
    bad = host("kvm2", record="", bridge="br 0", bridge_mtu="1")
    assert found(bad) == [("kvm2", "bridge"), ("kvm2", "bridge_mtu")]
    # what the profile has wrong is said once
    profile = Profile("hosts", {"bridge": "br0", "bridge_mtu": "1"}, "/hosts.ks", "")
    systems = [host("kvm%d" % number, "", bridge_mtu="1") for number in range(3)]
    assert found(*systems, profiles=(profile,)) == [("hosts", "bridge_mtu")]
    old = host("old", record="", bridge_firewall="firewalld", os_version="rhel6")
    assert wrong(old) == ["EL 6 has no 'firewalld'"]
    assert found(host("new", record="", os_version="rhel4")) == [("new", "os_version")]


@pytest.mark.parametrize(
    ("record", "later", "wrong_"),
    [
        ("nonsense", 0, "'nonsense' is no record"),
        ("br1/installed/x", 0, "the host has br1, and is described with br0"),
        ("br0,br1/verified/x", 0, "the host has br0 and br1, and is described with br0"),
        ("/verified/x", 0, "the host has no bridge, and is described with br0"),
        ("br1/installing/" + SINCE, 0, None),
        ("br0/installing/" + SINCE, DAY / 2, None),
        (
            "br0/installing/" + SINCE,
            2 * DAY,
            "the host began to install itself at %s and never said that it is done" % SINCE,
        ),
        ("br0/installing/", 2 * DAY, None),
    ],
)
def test_records(record: str, later: float, wrong_: Optional[str]) -> None:
    said = wrong(host(record=record), now=NOW + later)
    assert said == ([] if wrong_ is None else [wrong_])


def test_a_record_of_a_host_that_describes_nothing() -> None:
    bare = host()._replace(meta={})
    assert wrong(bare) == ["the host has br0, and is described with no bridge"]


def test_a_bridge_that_no_boot_has_proved() -> None:
    late = NOW + DAY
    assert wrong(host(), now=NOW) == []
    proved = "the host is installed since %s, and no boot has proved its bridge" % SINCE
    assert proved in wrong(host(), now=late)
    assert proved not in wrong(host(bridge_verify="no"), now=late)
    assert proved not in wrong(host(record="br0/verified/" + SINCE), now=late)


def test_a_record_that_came_with_a_copy() -> None:
    copy = host("kvm9")._replace(created=5.0, interfaces=())
    (problem,) = problems(site(host(), copy))
    assert (problem.subject, problem.wrong) == (
        "kvm9",
        "is the record of 'kvm1', of which this is a copy",
    )
    # of the one that it is like, and not of the first of that record
    first = host("kvm0")._replace(created=0.5, interfaces=(nic(mac="52:54:00:00:01:07"),))
    twin = copy._replace(interfaces=host().interfaces)
    assert wrong(first, host(), twin) == ["is the record of 'kvm1', of which this is a copy"]
    # two that were installed in the same second
    other = host("kvm9")._replace(created=5.0, interfaces=(nic(mac="52:54:00:00:01:02"),))
    assert problems(site(host(), other)) == []


@pytest.mark.parametrize(
    ("template", "texts", "wrong_"),
    [
        ("/hosts.ks", {"network": "## $SNIPPET('bridge_setup')\n"}, "no $SNIPPET"),
        ("/hosts.ks", {"network": "SNIPPET::bridge_setup\n"}, None),
        ("/hosts.ks", {"/hosts.ks": "#set global $wrappedscript = 'bridge_setup'\n"}, None),
        ("/hosts.ks", {"network": "$SNIPPET('network')\n"}, "no $SNIPPET"),
        ("/bare.ks", {}, "'/bare.ks' has no $SNIPPET('bridge_setup')"),
        ("/gone.ks", {}, "'/gone.ks' is no file"),
        ("", {}, "is not set: nothing sets up the bridge"),
        ("http://192.0.2.1/x.ks", {}, None),
        ("/hosts.ks", {"network": "#* $SNIPPET('bridge_setup')\n*#\n"}, "no $SNIPPET"),
        ("/hosts.ks", {"network": "echo bridge_setup\n"}, "no $SNIPPET"),
        ("/hosts.ks", {"/hosts.ks": '%post\n${SNIPPET( "bridge_setup" )}\n%end\n'}, None),
        ("/hosts.ks", {"/hosts.ks": "%pre\n$SNIPPET('network')\n%end\n"}, "in its %pre section"),
        ("/hosts.ks", {"/hosts.ks": "%post\n%end\n$SNIPPET('network')\n"}, "in no section"),
        (
            "/hosts.ks",
            {"/hosts.ks": "%post --nochroot\n$SNIPPET('network')\n%end\n"},
            "in its %post --nochroot section",
        ),
        ("/hosts.ks", {"/hosts.ks": "%pre\n%post --log=x\n$SNIPPET('network')\n"}, None),
        (
            "/hosts.ks",
            {"/hosts.ks": "%post\n%macro 1\n%include /x\n$SNIPPET('network')\n%end\n"},
            None,
        ),
        ("/hosts.ks", {"network": "%end\n%post\n$SNIPPET('bridge_setup')\n"}, None),
        (
            "/hosts.ks",
            {"network": "SNIPPET::bridge_setup\nSNIPPET::post_install_network_config\n"},
            "has $SNIPPET('post_install_network_config') behind $SNIPPET('bridge_setup'), and",
        ),
        (
            "/hosts.ks",
            {"network": "SNIPPET::post_install_network_config\nSNIPPET::bridge_setup\n"},
            None,
        ),
        # a text of its own, of one system or for all of a profile
        ("/hosts.ks", {"per_system/network/kvm1": "true\n"}, "no $SNIPPET"),
        ("/hosts.ks", {"per_system/network/kvm2": "true\n"}, None),
    ],
)
def test_kickstarts(template: str, texts: Dict[str, str], wrong_: Optional[str]) -> None:
    said = wrong(host()._replace(template=template), texts={**TEXTS, **texts})
    assert len(said) == (wrong_ is not None)
    assert wrong_ is None or wrong_ in said[0]


def test_snippets_of_a_profile_or_distro() -> None:
    texts = {**TEXTS, "network": "true\n"}
    profile = Profile("hosts", {"bridge": "br0"}, "/hosts.ks", "", "el9")
    assert found(profiles=(profile,), texts=texts) == [("hosts", "autoinstall")]
    for place in ("per_profile/network/hosts", "per_distro/network/el9"):
        own = {**texts, place: TEXTS["network"]}
        assert found(host(), profiles=(profile,), texts=own) == []
        other = profile._replace(meta={})
        assert found(host(), profiles=(other,), texts=own) == []


def test_a_kickstart_of_an_unknown_target() -> None:
    bad = host(record="", os_version="sles15", breed="suse")._replace(template="/bare.ks")
    assert found(bad) == [("kvm1", "os_version")]


def test_a_kickstart_of_a_profile_is_looked_at_once() -> None:
    profile = Profile("hosts", {"bridge": "br0"}, "/bare.ks", "")
    systems = [host("kvm%d" % number)._replace(template="/bare.ks") for number in range(3)]
    assert found(*systems, profiles=(profile,)) == [("hosts", "autoinstall")]
    own = host("kvm9")._replace(template="/gone.ks")
    assert found(*systems, own, profiles=(profile,)) == [
        ("hosts", "autoinstall"),
        ("kvm9", "autoinstall"),
    ]


def test_settings() -> None:
    assert found(run_install_triggers=False) == [("settings", "run_install_triggers")]
    assert found(cheetah_import_whitelist=["re"]) == [("settings", "cheetah_import_whitelist")]
    assert found(cheetah_import_whitelist=None) == []


def test_files_of_the_pack() -> None:
    files = (Installed("/snippets/bridge_setup", "is not that of this version", 30.0),)
    assert found(files=files) == [("server", "/snippets/bridge_setup")]
    assert found(files=(Installed(TRIGGER, "is not installed", 0.0),)) == [("server", TRIGGER)]


def test_a_server_that_has_not_loaded_the_pack() -> None:
    assert found(files=(Installed(TRIGGER, "", 30.0),)) == [("server", "cobblerd")]
    assert found(files=(Installed(TRIGGER, "", 30.0),), started=None) == []
    assert found(files=(Installed("/snippets/bridge_setup", "", 30.0),)) == []


def test_elsewhere_than_on_the_server() -> None:
    looked_at = site(host()._replace(template="/bare.ks"))
    assert len(problems(looked_at)) == 1
    assert problems(looked_at._replace(machine=None)) == []


def test_only_what_was_asked_for() -> None:
    systems = (host(), guest(nic(bridge="br9")), guest(nic(bridge="br9"), name="web2"))
    assert [each.subject for each in problems(site(*systems))] == ["web1", "web2"]
    assert [each.subject for each in problems(site(*systems), ["web2", "kvm1"])] == ["web2"]


def test_every_problem_says_what_would_be_right() -> None:
    systems = (host(record="x"), guest(nic(bridge="br9"), nic("eth1", "")), guest(name="web2"))
    for problem in problems(site(*systems, run_install_triggers=False)):
        assert isinstance(problem, Problem)
        assert all(problem)
        assert "\n" not in str(problem)
