"""What ``cobbler-bridge check`` finds, and that it finds nothing where nothing is wrong."""

import calendar
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple
from zlib import crc32

import pytest

from cobbler_bridge.check import problems, report
from cobbler_bridge.check.site import Installed, Machine, Planned, Site, plan_all
from cobbler_bridge.check.wanted import Wanted
from cobbler_bridge.placement.placer import Placer
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.problem import Problem
from cobbler_bridge.snippet import bridge_setup
from cobbler_bridge.store.host_record import BY_HAND, FAILED, ROLLED_BACK, VERIFIED, Record
from cobbler_bridge.store.inventory import Interface, Profile, System
from noted import noted

SINCE = "2026-01-31T12:00:00Z"
NOW = calendar.timegm((2026, 1, 31, 12, 10, 0))
DAY = 24 * 3600
TARGET = {"breed": "redhat", "os_version": "rhel9"}
OURS = bridge_setup({**TARGET, "name": "kvm1", "bridge": "br0"})
DONE = 'curl "http://192.0.2.1/cblr/svc/op/trig/mode/post/system/kvm1" -o /dev/null\n'
KICKSTART = "%%post\n%s%s%%end\n" % (OURS, DONE)
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
    return noted(System(name, "hosts", meta, own, interfaces, 1.0, "/hosts.ks"))


def guest(*interfaces: Interface, name: str = "web1", of: str = "kvm1", placed: str = "") -> System:
    own = {"bridge_host": of, **({"bridge_placed": placed} if placed else {})}
    return noted(System(name, "guests", own, own, interfaces, 2.0, "/bare.ks"))


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
            each.name: {
                "interface_type": each.kind,
                "interface_master": each.master,
                "mac_address": each.mac,
            }
            for each in getattr(item, "interfaces", ())
        }
        return {**TARGET, "name": name, **item.meta, "interfaces": records}


def site(
    *systems: System,
    profiles: Sequence[Profile] = (),
    texts: Mapping[str, str] = {"/hosts.ks": KICKSTART},
    files: Sequence[Installed] = (Installed(TRIGGER, "", 10.0),),
    started: Optional[float] = 20.0,
    now: float = NOW,
    damaged: Sequence[str] = (),
    moved: bool = False,
    **settings: Any,
) -> Site:
    known = {system.name: system for system in systems}
    parents = {profile.name: profile for profile in profiles}
    store: Any = Store(known, parents)
    placer = Placer(store, known)
    planned = plan_all(known, parents, store.blended)
    items: Dict[str, Mapping[str, Any]] = {"system": known, "profile": parents}
    rendered = {each: texts.get(items[each[0]][each[1]].template) for each in planned}
    return Site(
        systems=known,
        profiles=parents,
        settings={**SETTINGS, **settings},
        placements={each.name: placer.look(each) for each in systems if each.host is not None},
        planned=planned,
        rendered={each: text for each, text in rendered.items() if text is not None},
        machine=Machine(files, started),
        now=now,
        damaged=damaged,
        moved=moved,
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
    assert [str(each) for each in problems(site(*CLEAN, profiles=PROFILES))] == [
        "web3: bridge_host: 'kvm4' is being installed; wait until it is done"
    ]
    clean = report(site(*CLEAN, profiles=PROFILES))
    assert not clean.is_bad


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


def test_an_address_that_is_known_and_not_written() -> None:
    """It stands in nobody's way, and is said."""
    address = {"ip_address": "192.0.2.10", "netmask": "255.255.255.0"}
    plan, stands_in_the_way = make_plan(
        {**TARGET, "name": "kvm1", "bridge": "br0", "interfaces": {"eth0": address}}
    )
    assert stands_in_the_way == []
    assert plan is not None
    known = site(host())._replace(planned={("system", "kvm1"): Planned(plan, [])})
    (remark,) = problems(known)
    assert (remark.subject, remark.field) == ("kvm1", "static of eth0")
    assert remark.wrong.startswith("is not set, and so '192.0.2.10' is no static address: br0 asks")


@pytest.mark.parametrize(
    ("record", "later", "wrong_"),
    [
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


def test_a_host_that_put_its_old_network_back() -> None:
    record = Record(("br0",), ROLLED_BACK, SINCE, reason="the gateway does not answer")
    back = host()._replace(record=record)
    (lost, waits) = problems(site(back, guest(nic(bridge=""))))
    assert str(lost) == (
        "kvm1: record: the host is rolled back since %s: the gateway does not answer; correct its "
        "description, and run its script again or install it" % SINCE
    )
    assert (waits.subject, waits.field) == ("web1", "bridge_host")
    failed = host()._replace(record=record._replace(state=FAILED, reason=""))
    assert wrong(failed) == ["the host is failed since %s" % SINCE]


@pytest.mark.parametrize(
    ("drift", "reason", "later", "said"),
    [
        (
            "file",
            "br0.nmconnection",
            0,
            "a file was changed on the host since its bridge was "
            "proved: br0.nmconnection; run its script again, or describe it as it is meant",
        ),
        (
            "network",
            "eth0 is not in br0",
            9,
            "the host's ports or addresses are not as they were proved: eth0 is not in br0; look "
            "at the host, or describe it as it is meant and run its script again",
        ),
        (
            "description",
            "",
            0,
            "the host is described otherwise than when its bridge was proved; "
            "run its script again or install it, or correct its description",
        ),
        (
            "",
            "",
            4,
            "the host has not told since %s that its bridge works; see that it runs and "
            "reaches this server, or set bridge_watch=no" % SINCE,
        ),
    ],
)
def test_a_host_that_has_drifted(drift: str, reason: str, later: int, said: str) -> None:
    record = Record(("br0",), VERIFIED, SINCE, seen=SINCE, reason=reason, drift=drift)
    drifted = host(record="")._replace(record=record)
    (found,) = problems(site(drifted, now=NOW + later * DAY))
    assert str(found) == "kvm1: record: " + said
    assert wrong(drifted._replace(record=record._replace(drift="", reason="")), now=NOW) == []
    if drift == "description":
        # what it is described with says more
        other = drifted._replace(record=record._replace(bridges=("br1",)))
        assert wrong(other) == ["the host has br1, and is described with br0"]


def test_a_proved_host_that_has_a_port_without_a_link() -> None:
    record = Record(("br0",), VERIFIED, SINCE, reason="em2 has no link")
    assert wrong(host()._replace(record=record)) == [
        "the host has proved its bridge, and says: em2 has no link"
    ]
    assert wrong(host()._replace(record=record._replace(reason=""))) == []


def test_what_was_said_by_hand_is_no_problem() -> None:
    record = Record(("br7", "br8"), BY_HAND, SINCE)
    debian = host(record="")._replace(record=record, meta={}, own_meta={})
    assert wrong(debian, guest(nic(bridge="br8")), now=NOW + 90 * DAY) == []


def test_what_nobody_can_read_costs_one_line() -> None:
    (problem,) = problems(site(host(), damaged=["kvm9"]))
    assert (problem.subject, problem.field) == ("kvm9", "record")


@pytest.mark.parametrize("variable", ["bridge_record", "bridge_placed"])
def test_what_is_not_read_any_more(variable: str) -> None:
    written = host(record="")._replace(own_meta={variable: "br0/installed/x"})
    (problem,) = problems(site(written, moved=True))
    assert str(problem) == (
        "kvm1: %s: is not read any more; take it away; cobbler-bridge record says by hand what a "
        "host has" % variable
    )
    # until it is moved it counts
    assert problems(site(written)) == []


def test_a_bridge_that_the_host_had_once() -> None:
    record = Record(("br0",), BY_HAND, SINCE, before=("old0",))
    (problem,) = problems(site(host()._replace(record=record), guest(nic(bridge="old0"))))
    assert problem.wrong == "'kvm1' has no bridge 'old0' any more"


def test_a_template_that_is_not_set() -> None:
    said = wrong(host()._replace(template=""))
    assert said == ["is not set: nothing sets up the bridge"]


NETWORK = ": > /tmp/cobbler-bridge.network\n" + OURS
IFCFG = "/etc/sysconfig/network-scripts/ifcfg-eth0"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# automatic installation file x not found at /y", "is no file"),
        (
            "# This autoinstall had errors that prevented it from being rendered",
            "can't be rendered",
        ),
        ("# *** ERROR ***\n#\n# There is a templating error", "can't be rendered"),
        ("d-i preseed/early_command string true\n", "has no preseed/late_command that fetches"),
        ("%post\n" + DONE, "as Cobbler renders it has no $SNIPPET('bridge_setup')"),
        ("%post\n# Error: no snippet data for bridge_setup\n" + DONE, "has no such snippet"),
        ("%post\n# " + OURS + DONE, "behind something else on its line"),
        ("%post\n  " + OURS + DONE, "behind something else on its line"),
        ("%pre\n" + OURS + "%end\n%post\n" + DONE, "in its section '%pre'"),
        ("%pre-install\n" + OURS + "%end\n%post\n" + DONE, "in its section '%pre-install'"),
        ("%post\n" + DONE + "%end\n" + OURS, "in no section"),
        ("%post --nochroot\n" + OURS + DONE, "in its section '%post --nochroot'"),
        (
            "%post --interpreter=/usr/bin/python3\n" + OURS + "%end\n%post\n" + DONE,
            "in its section '%post --interpreter=/usr/bin/python3'",
        ),
        ("%post --log=/x --interpreter /usr/bin/perl\n" + OURS + DONE, "--interpreter /usr/bin/p"),
        ("%post --interpreter=/bin/bash --log=/x\n" + OURS + DONE, None),
        ("%pre\n%post --log=x\n" + OURS + DONE, None),
        ("%post\n%macro 1\n%include /x\n" + OURS + DONE, None),
        ("%post\necho\nexit 0\n" + OURS + DONE, "behind an exit"),
        ("%post\nexit\n%end\n%post\n" + OURS + DONE, None),
        ("%post\n" + OURS, "doesn't tell Cobbler that it is installed"),
        ("%post\n" + OURS + "#" + DONE, "doesn't tell Cobbler that it is installed"),
        ("%post\nnmcli con add type bridge\n" + OURS + DONE, None),
        (
            "%post\n" + OURS + DONE + "cat > " + IFCFG + " <<EOF\n",
            "'cat > %s <<EOF' behind" % IFCFG,
        ),
        ("%post\n" + OURS + DONE + "%end\n%post\necho x >>" + IFCFG + "\n", "overwrites the br"),
        ("%post\n" + OURS + DONE + "%end\n%pre\necho x >" + IFCFG + "\n", None),
        ("%post\n" + OURS + DONE + "# cat > " + IFCFG + "\n", None),
        ("%post\n" + OURS + DONE + "cat " + IFCFG + " > /root/x\n", None),
        ("%post\n" + OURS + DONE + "cp " + IFCFG + " /root/\n", None),
        ("%post\n" + OURS + DONE + "cp /root/x " + IFCFG + "\n", "overwrites the bridge"),
        ("%post\n" + OURS + DONE + "rm -f /x " + IFCFG + " /y\n", "overwrites the bridge"),
        ("%post\n" + OURS + DONE + "sed -i s/a/b/ " + IFCFG + "\n", "overwrites the bridge"),
        ("%post\n" + OURS + DONE + "sed -n s/a/b/p " + IFCFG + "\n", None),
        ("%post\n" + OURS + DONE + "nmcli con mod eth0 ipv4.method auto\n", "overwrites the bri"),
        ("%post\n" + OURS + DONE + "nmcli connection show\n", None),
        (
            "%post\n" + OURS + DONE + "cd /etc/sysconfig/network-scripts\necho > ifcfg-eth0\n",
            "overwrites the bridge",
        ),
        (
            "%%post --nochroot\n%s%%end\n%%post --nochroot\n%%end\n" % DONE + "%post\n" + OURS,
            None,
        ),
        (
            "%post\n"
            + OURS
            + DONE
            + "# Start post_install_network_config generated code\nrm -f "
            + IFCFG
            + "\n",
            "has $SNIPPET('post_install_network_config') behind $SNIPPET('bridge_setup'), and",
        ),
        (
            "%post\n# Start post_install_network_config generated code\nrm "
            + IFCFG
            + "\n"
            + KICKSTART,
            None,
        ),
        ("%include /tmp/cobbler-bridge.network\n%pre\n" + NETWORK + "%end\n" + KICKSTART, None),
        (
            "network --hostname=kvm1\n%include /tmp/cobbler-bridge.network\n%pre\n"
            + NETWORK
            + "%end\n"
            + KICKSTART,
            None,
        ),
        (
            "network --bootproto=dhcp --device=link\n%include /tmp/cobbler-bridge.network\n%pre\n"
            + NETWORK
            + "%end\n"
            + KICKSTART,
            "has 'network --bootproto=dhcp --device=link' beside $SNIPPET('bridge_network')",
        ),
        ("network --bootproto=dhcp\n" + KICKSTART, None),
    ],
)
def test_kickstarts(text: str, words: Optional[str]) -> None:
    said = wrong(host(), texts={"/hosts.ks": text})
    assert len(said) == (words is not None), said
    assert words is None or words in said[0]


def test_that_nobody_calls_is_asked_for() -> None:
    texts = {"/hosts.ks": "%post\n" + OURS}
    assert found(host(), texts=texts, run_install_triggers=False) == [
        ("settings", "run_install_triggers")
    ]


@pytest.mark.parametrize(
    ("packages", "words"),
    [
        ("", None),
        ("%packages\n@core\n%end\n", "has no bridge-utils among its packages"),
        ("%packages\n@core\nbridge-utils\n%end\n", None),
        ("%packages\n-bridge-utils\n%end\n", "has no bridge-utils among its packages"),
    ],
)
def test_packages(packages: str, words: Optional[str]) -> None:
    old = host(os_version="rhel7", breed="redhat")
    said = wrong(old, texts={"/hosts.ks": packages + KICKSTART})
    assert len(said) == (words is not None), said
    assert words is None or words in said[0]


FETCH = (
    "wget -O /target/x http://192.0.2.1/cblr/svc/op/script/system/kvm1/?script=cobbler_bridge_setup"
)
LATE = "d-i preseed/late_command string "
GOOD = LATE + FETCH + "; in-target sh /x < /dev/null; true"
# what Cobbler's sample has
COBBLERS = (
    "; wget -O- \\\n http://192.0.2.1/x/?script=preseed_late_default | \\\n chroot /target sh -s"
)
AUTOINSTALL = "#cloud-config\nautoinstall:\n  late-commands:\n"
TOLD = "    - wget http://192.0.2.1/cblr/svc/op/trig/mode/post/system/kvm1\n"
CURTIN = "    - %s && curtin in-target -- sh /x\n" % FETCH
DEBIAN = {"breed": "debian", "os_version": "buster"}
RENDERED = bridge_setup({"name": "kvm1", "bridge": "br0", **DEBIAN})


@pytest.mark.parametrize(
    ("text", "wrong_"),
    [
        ("d-i netcfg/enable boolean true\n" + GOOD + "; wget -O- u | chroot /target sh -s", None),
        (LATE + COBBLERS[2:] + "; " + GOOD[len(LATE) :], None),
        (GOOD.replace("; in-target", "; \\\n  in-target"), None),
        ("# " + GOOD + "\nd-i x/y string z\n", "has no preseed/late_command that fetches"),
        (LATE + "wget -O- u | chroot /target sh -s\n", "has no preseed/late_command that fetches"),
        (GOOD + "\n" + LATE + "true\n", "has preseed/late_command 2 times"),
        (GOOD + COBBLERS, "runs cobbler_bridge_setup before preseed_late_default, which writes"),
        (LATE + FETCH + " -O- | chroot /target /bin/sh -s\n", "in a bare chroot"),
        (LATE + "chroot /target wget -O- cobbler_bridge_setup\n", "in a bare chroot"),
        (LATE + "true\n" + RENDERED, "a preseed can't carry a script"),
        (AUTOINSTALL + CURTIN + TOLD, None),
        (AUTOINSTALL + CURTIN, "doesn't tell Cobbler that it is installed"),
        (AUTOINSTALL + TOLD, "has no late command that fetches"),
        (AUTOINSTALL + TOLD + "# " + CURTIN, "has no late command that fetches"),
        (AUTOINSTALL + TOLD + "    - chroot /target sh -c '%s'\n" % FETCH, "in a bare chroot"),
        (AUTOINSTALL + TOLD + "    - |\n      " + RENDERED, "in YAML, where its first line alone"),
        # for something else it is not known
        ("<profile/>\n", None),
    ],
)
def test_installation_files_of_debian(text: str, wrong_: Optional[str]) -> None:
    said = wrong(host(**DEBIAN), texts={"/hosts.ks": text})
    assert len(said) == (wrong_ is not None), said
    assert wrong_ is None or wrong_ in said[0]


def test_a_kickstart_of_an_unknown_target() -> None:
    bad = host(record="", os_version="sles11sp4", breed="suse")._replace(template="/bare.ks")
    assert found(bad) == [("kvm1", "os_version")]


def test_what_all_hosts_of_a_profile_have_is_said_of_the_profile() -> None:
    texts = {"/hosts.ks": KICKSTART, "/bare.ks": "%post\n" + DONE, "/pre.ks": "%pre\n" + KICKSTART}
    profile = Profile("hosts", {"bridge": "br0"}, "/bare.ks", "")
    systems = [host("kvm%d" % number)._replace(template="/bare.ks") for number in range(3)]
    assert found(*systems, profiles=(profile,), texts=texts) == [("hosts", "autoinstall")]
    other = profile._replace(meta={})
    assert found(*systems, profiles=(other,), texts=texts) == [
        (each.name, "autoinstall") for each in systems
    ]
    own = host("kvm9")._replace(template="")
    assert found(*systems, own, profiles=(profile,), texts=texts) == [
        ("hosts", "autoinstall"),
        ("kvm9", "autoinstall"),
    ]
    # which only systems have, as what Cobbler's own snippet writes
    fine = profile._replace(template="/hosts.ks")
    assert found(*systems, profiles=(fine,), texts=texts) == [("hosts", "autoinstall")]


@pytest.mark.parametrize("server", ["127.0.0.1", "localhost", "127.0.0.1:8080", "::1", "[::1]"])
def test_a_server_that_every_machine_is(server: str) -> None:
    assert found(server=server) == [("settings", "server")]
    assert found(server="cobbler.example.org") == []


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
    looked_at = site(files=(Installed(TRIGGER, "is not installed", 0.0),))
    assert len(problems(looked_at)) == 1
    assert problems(looked_at._replace(machine=None)) == []


def test_only_what_was_asked_for() -> None:
    systems = (host(), guest(nic(bridge="br9")), guest(nic(bridge="br9"), name="web2"))
    assert [each.subject for each in problems(site(*systems))] == ["web1", "web2"]
    only = report(site(*systems), Wanted(["web2", "kvm1"]))
    assert [each.subject for each in only.found] == ["web2"]


def test_every_problem_says_what_would_be_right() -> None:
    systems = (host(record="x"), guest(nic(bridge="br9"), nic("eth1", "")), guest(name="web2"))
    for problem in problems(site(*systems, run_install_triggers=False)):
        assert isinstance(problem, Problem)
        assert all(problem)
        assert "\n" not in str(problem)


ADDRESSED = nic(mac="52:54:00:00:01:01")._replace(
    kind="na", addresses=("192.0.2.10", "2001:db8::1")
)
UNUSED = "is not set: br0 asks a DHCP server, and %s '192.0.2.10'"


def test_an_address_that_nobody_hands_out() -> None:
    kvm1 = host()._replace(interfaces=(ADDRESSED,))
    assert found(kvm1) == [("kvm1", "static of eth0")]
    assert wrong(kvm1) == [UNUSED % "with manage_dhcp off Cobbler tells no DHCP server of"]
    assert wrong(kvm1._replace(interfaces=(ADDRESSED._replace(mac=""),)), manage_dhcp=True) == [
        UNUSED % "without a mac_address Cobbler tells its DHCP server nothing of"
    ]


def test_an_address_without_static_that_is_meant() -> None:
    kvm1 = host()._replace(interfaces=(ADDRESSED,))
    assert found(kvm1, manage_dhcp=True) == []
    assert found(kvm1, manage_dhcp_v4=True) == []
    assert found(host(bridge_ipv4="dhcp")._replace(interfaces=(ADDRESSED,))) == []
    only_ipv6 = ADDRESSED._replace(addresses=("2001:db8::1",))
    assert found(host()._replace(interfaces=(only_ipv6,))) == []
    for other in ("eth0:1", "eth0.10"):
        assert found(host()._replace(interfaces=(ADDRESSED._replace(name=other),))) == []


def test_the_address_of_a_bridges_record() -> None:
    bridge = nic("br0", "", "bridge")._replace(addresses=("192.0.2.10",))
    port = nic("eth0", "", "bridge_slave", mac="52:54:00:00:01:01")._replace(master="br0")
    kvm1 = host()._replace(interfaces=(bridge, port))
    assert found(kvm1) == [("kvm1", "static of br0")]
    assert found(kvm1, manage_dhcp=True) == []
