"""What is written for wicked breaks none of the rules by which it reads its files."""

import re
from typing import Any, Dict, List, Mapping, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import golden
import scratch_machine as machine
import wicked_rules
from cobbler_bridge.plan.plan import Fact, File, flat
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.problem import Problem
from cobbler_bridge.snippet import bridge_setup

MADE = [each for each in golden.each_target() if each[0].name.startswith("wicked_")]
GOOD = {
    "etc/sysconfig/network/ifcfg-br0": "STARTMODE='auto'\nBOOTPROTO='static'\nBRIDGE='yes'\n"
    "BRIDGE_PORTS='eth0'\nBRIDGE_STP='off'\nBRIDGE_FORWARDDELAY='0'\nIPADDR='192.0.2.10/24'\n",
    "etc/sysconfig/network/ifcfg-eth0": "STARTMODE='hotplug'\nBOOTPROTO='none'\n",
    "etc/sysconfig/network/ifroute-br0": "default 192.0.2.1 - br0\n",
}


def written(tree: golden.Tree) -> Dict[str, str]:
    """The text of every file that is there."""
    return {path: entry.text for path, entry in tree.items() if entry is not None}


@pytest.mark.parametrize(("case", "target"), MADE, ids=[each.name for each, _ in MADE])
def test_no_case_breaks_a_rule(case: golden.Case, target: str) -> None:
    tree = written(golden.expected(case, target).tree)
    assert wicked_rules.broken(tree) == []


# what breaks each rule, in files that break no other
BROKEN: Dict[str, Mapping[str, str]] = {
    "addresses_have_a_prefix": {"ifcfg-br0": "IPADDR_1='192.0.2.11'"},
    "bonds_watch_their_links": {
        "ifcfg-bond0": "STARTMODE='auto'\nBOOTPROTO='static'\nBONDING_MASTER='yes'\n"
        "BONDING_SLAVE_0='eth1'\nBONDING_MODULE_OPTS='mode=active-backup'"
    },
    "bridges_are_taken": {"ifcfg-br0": "BRIDGE_STP='maybe'"},
    "bridges_without_port_wait_for_no_link": {
        "ifcfg-br1": "STARTMODE='auto'\nBOOTPROTO='static'\nBRIDGE='yes'\nBRIDGE_STP='off'\n"
        "BRIDGE_FORWARDDELAY='0'"
    },
    "delay_is_said": {
        "ifcfg-br1": "STARTMODE='auto'\nBOOTPROTO='static'\nBRIDGE='yes'\nBRIDGE_STP='off'\n"
        "BRIDGE_PORTS='eth1'"
    },
    "devices_are_of_one_kind": {"ifcfg-br0": "ETHERDEVICE='eth1'\nVLAN_ID='7'"},
    "devices_start": {"ifcfg-br0": "STARTMODE='yes'"},
    "hardware_addresses_are_read": {"ifcfg-br0": "LLADDR='port'"},
    "keys_are_known": {"ifcfg-br0": "TYPE='Bridge'"},
    "lines_are_assignments": {"ifcfg-br0": "BRIDGE yes"},
    "mtu_is_a_number": {"ifcfg-br0": "MTU='jumbo'"},
    "names_are_taken": {"ifcfg-br0.old": "STARTMODE='auto'\nBOOTPROTO='static'"},
    "ports_are_one_masters": {
        "ifcfg-br1": "STARTMODE='auto'\nBOOTPROTO='static'\nBRIDGE='yes'\nBRIDGE_STP='off'\n"
        "BRIDGE_FORWARDDELAY='0'\nBRIDGE_PORTS='eth0'"
    },
    "ports_have_no_address": {"ifcfg-eth0": "BOOTPROTO='dhcp'"},
    "protocols_are_known": {"ifcfg-br0": "BOOTPROTO='static+dhcp6'"},
    "routes_have_a_device": {"ifroute-eth0": "default 192.0.2.1"},
    "routes_have_four_words": {"ifroute-br0": "default via 192.0.2.1"},
    "scripts_are_there": {"ifcfg-br0": "POST_UP_SCRIPT='compat:suse:cobbler-bridge-br0'"},
    "settings_name_their_device": {"ifsysctl-br0": "net.ipv6.conf.br1.accept_ra = 0"},
    "vlans_have_a_tag": {
        "ifcfg-vlan9": "STARTMODE='auto'\nBOOTPROTO='static'\nETHERDEVICE='eth0'\nVLAN_ID='4095'"
    },
    "what_is_below_is_there": {
        "ifcfg-vlan9": "STARTMODE='auto'\nBOOTPROTO='static'\nETHERDEVICE='bond7'\nVLAN_ID='9'"
    },
}


@pytest.mark.parametrize("rule", wicked_rules.RULES, ids=lambda rule: rule.__name__)
def test_each_rule_can_be_broken(rule: Any) -> None:
    assert wicked_rules.broken(GOOD) == []
    tree = dict(GOOD)
    for name, text in BROKEN[rule.__name__].items():
        path = wicked_rules.FOLDER + name
        tree[path] = tree.get(path, "") + text + "\n"
    assert rule.__doc__
    names = {each.partition(":")[0] for each in wicked_rules.broken(tree)}
    assert rule.__name__ in names
    # a line that nothing reads is no known key either
    assert names <= {rule.__name__, "keys_are_known"}


NAMES = st.sampled_from(["br0", "lan", "eth0", "br-a", "b.1", "br0.bak", "_x", "br.20"])
WORDS = {
    "bridge_port": st.sampled_from(["auto", "eth0", "eth0,eth1", "52:54:00:aa:00:02"]),
    "bridge_ipv4": st.sampled_from(["auto", "dhcp", "keep", "none", "192.0.2.9/24,192.0.2.1"]),
    "bridge_ipv6": st.sampled_from(
        ["auto", "dhcp", "keep", "none", "2001:db8::9/64", "2001:db8::9/64,fe80::1"]
    ),
    "bridge_vlan": st.integers(1, 4094),
    "bridge_mtu": st.integers(576, 9216),
    "bridge_mac": st.sampled_from(["port", "none", "52:54:00:00:00:07"]),
    "bridge_stp": st.sampled_from(["on", "off"]),
    "bridge_forward_delay": st.integers(0, 40),
    "bridge_opts": st.lists(
        st.one_of(
            st.builds("ageing_time={}".format, st.integers(0, 1000000)),
            st.builds("priority={}".format, st.integers(0, 65535)),
            st.builds("hello_time={}".format, st.integers(1, 10)),
            st.builds("max_age={}".format, st.integers(6, 40)),
            st.sampled_from(["multicast_snooping=off", "vlan_filtering=on"]),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda word: str(word).split("=")[0],
    ).map(" ".join),
    "bridge_zone": st.sampled_from(["internal", "public"]),
    "name_servers": st.lists(st.sampled_from(["192.0.2.53", "2001:db8::53"]), unique=True),
}
ASKED = st.fixed_dictionaries({"bridge": NAMES}, optional=WORDS)
METHODS = st.sampled_from(["auto", "dhcp", "keep", "none"])
MAC = "52:54:00:aa:00:01"
THERE = {"nics": {"eth0": {"mac": MAC}}, "route": "eth0"}
FILES = {
    "/etc/os-release": 'ID="sles"\nVERSION_ID="15.6"\n',
    "/etc/systemd/system/network.service@": "/usr/lib/systemd/system/wicked.service",
}
LEFT = [
    "STARTMODE='auto'\nBOOTPROTO='dhcp'\n",
    "STARTMODE='auto'\nBOOTPROTO='static'\nIPADDR='192.0.2.77/24'\nIPADDR_1='2001:db8::77/64'\n",
    "STARTMODE='auto'\nBOOTPROTO='dhcp4+auto6'\nIPADDR='192.0.2.77'\nNETMASK='255.255.255.0'\n",
]


# what only the machine knows, as it is here
FACTS = {"port1": "em1", "port2": "em2"}


def planned(data: Mapping[str, Any]) -> Tuple[Dict[str, str], List[Problem]]:
    """The files that a plan has, for the machine that reads them by wicked."""
    plan, problems = make_plan({**data, "bridge_backend": "wicked"})
    tree: Dict[str, str] = {}
    for _, step in flat(plan.steps if plan is not None else ()):
        if isinstance(step, File):
            path, text = (
                "".join(_known(word) if isinstance(word, Fact) else word for word in words)
                for words in (step.path, step.content)
            )
            tree[path.lstrip("/")] = text
    return tree, problems


def _known(fact: Fact) -> str:
    tag = re.match(r"vlan([0-9]+)", fact.name)
    return "em%s.7" % tag.group(1) if tag else FACTS.get(fact.name, MAC)


DATA = {"breed": "suse", "os_version": "sles15sp6", "profile_name": "hosts"}


@settings(max_examples=100, deadline=None)
@given(asked=ASKED)
def test_what_anybody_asks_for_is_refused_or_breaks_no_rule(asked: Dict[str, Any]) -> None:
    tree, problems = planned({**DATA, **asked})
    assert bool(problems) != bool(tree)
    assert wicked_rules.broken(tree) == []


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    asked=st.fixed_dictionaries(
        {"bridge": st.just("br0"), "bridge_ipv4": METHODS, "bridge_ipv6": METHODS},
        optional={"bridge_opts": WORDS["bridge_opts"]},
    ),
    left=st.sampled_from(LEFT),
)
def test_what_is_kept_beside_it_breaks_no_rule(
    asked: Dict[str, Any], left: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("root")
    machine.build(root, {**THERE, "files": {**FILES, "/etc/sysconfig/network/ifcfg-eth0": left}})
    before = golden.read_tree(root)
    run = machine.run(bridge_setup({**DATA, **asked}), root, machine.SHELLS["dash"])
    after = golden.read_tree(root)
    assert run.refused == (after == before), run
    if not run.refused:
        assert wicked_rules.broken(written(after)) == []


BONDED = {
    "br0": {"interface_type": "bridge"},
    "eth0": {"interface_type": "bond_slave", "interface_master": "bond0", "mac_address": MAC},
}


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ("mode=active-backup miimon=100 primary=eth0 fail_over_mac=active", ""),
        ("mode=4 lacp_rate=1 xmit_hash_policy=layer3+4 min_links=1", ""),
        ("mode=balance-rr packets_per_slave=2 resend_igmp=5", ""),
        ("mode=active-backup arp_interval=1000 arp_ip_target=192.0.2.1,192.0.2.2", ""),
        ("mode=802.3ad lacp_rate=often", "lacp_rate=often"),
        ("mode=active-backup lacp_rate=fast", "lacp_rate=fast with mode active-backup"),
        ("mode=balance-rr primary=eth0", "primary=eth0 with mode balance-rr"),
        ("mode=802.3ad peer_notif_delay=3", "it knows no peer_notif_delay"),
        ("mode=1 num_grat_arp=300", "num_grat_arp=300"),
        ("mode=1 miimon=0", "miimon=0"),
        ("mode=1 miimon=100 updelay=50", "updelay=50 below miimon=100"),
        ("mode=1 arp_interval=100", "one of arp_interval and arp_ip_target without the other"),
        ("mode=1 miimon=1 arp_interval=9 arp_ip_target=192.0.2.1", "miimon beside arp_interval"),
        ("mode=4 arp_interval=9 arp_ip_target=192.0.2.1", "arp_interval with mode 802.3ad"),
        # the first and the last that it takes, and the next
        ("mode=5 lp_interval=1", ""),
        ("mode=5 lp_interval=0", "lp_interval=0"),
        ("mode=1 min_links=0", ""),
        ("mode=1 min_links=1", "min_links=1 with mode active-backup"),
        ("mode=4 ad_actor_sys_prio=65535 ad_user_port_key=1023", ""),
        ("mode=4 ad_actor_sys_prio=0", "ad_actor_sys_prio=0"),
        ("mode=4 ad_user_port_key=1024", "ad_user_port_key=1024"),
    ],
)
def test_a_bond_that_wicked_would_leave_out_is_refused(options: str, wrong: str) -> None:
    bond = {"interface_type": "bonded_bridge_slave", "interface_master": "br0"}
    records = {**BONDED, "bond0": {**bond, "bonding_opts": options}}
    data = {"breed": "suse", "os_version": "sles15sp6", "system_name": "kvm1"}
    tree, problems = planned({**data, "interfaces": records})
    if wrong:
        (problem,) = problems
        assert problem.field == "interface bond0"
        assert problem.wrong.startswith("wicked would leave out the bond: " + wrong)
    else:
        assert problems == []
        assert wicked_rules.broken(tree) == []


EVERY_MODE = (
    "balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb balance-alb".split()
)


@pytest.mark.parametrize(
    ("option", "modes"),
    [
        ("active_slave=eth0", "active-backup balance-tlb balance-alb"),
        ("ad_select=bandwidth", "802.3ad"),
        ("fail_over_mac=active", "active-backup"),
        ("lacp_rate=fast", "802.3ad"),
        ("min_links=2", "802.3ad"),
        ("num_grat_arp=2", "active-backup"),
        ("num_unsol_na=2", "active-backup"),
        ("packets_per_slave=2", "balance-rr"),
        ("primary=eth0", "active-backup balance-tlb balance-alb"),
        ("primary_reselect=better", "active-backup balance-tlb balance-alb"),
        ("resend_igmp=5", "balance-rr active-backup balance-tlb balance-alb"),
        ("tlb_dynamic_lb=0", "balance-tlb"),
        ("xmit_hash_policy=layer2+3", "balance-xor 802.3ad"),
    ],
)
def test_the_modes_of_an_option(option: str, modes: str) -> None:
    bond = {"interface_type": "bonded_bridge_slave", "interface_master": "br0"}
    data = {"breed": "suse", "os_version": "sles15sp6", "system_name": "kvm1"}
    taken = []
    for mode in EVERY_MODE:
        records = {**BONDED, "bond0": {**bond, "bonding_opts": "mode=%s %s" % (mode, option)}}
        if not planned({**data, "interfaces": records})[1]:
            taken.append(mode)
    assert taken == modes.split()
