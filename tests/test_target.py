"""A target is an identity: what differs by family or release is refused where it is not known."""

from typing import Any, Dict, List, Optional

import pytest

from cobbler_bridge.description.describe import Description
from cobbler_bridge.plan import anaconda, families, target
from cobbler_bridge.plan.backends import BACKENDS
from cobbler_bridge.plan.plan import File, Need, Parts, Plan, Shipped, flat, plain
from cobbler_bridge.plan.planner import make_plan
from cobbler_bridge.plan.target import EL, FEDORA, ByTarget, Family, SavedRules, Target
from cobbler_bridge.problem import Problem
from cobbler_bridge.script.render import script

# its number is one that Red Hat's tables have too
STRANGER = Target(
    family="Stranger",
    release=6,
    backends=("thin",),
    readers=(target.NETWORKD,),
    init=target.SYSTEMD,
    installer="apt-get",
    saved_rules=SavedRules("/etc/iptables/rules.v4", "/etc/iptables/rules.v6"),
    name="Stranger 6",
)


_FAMILIES = families.FAMILIES


def _thin(description: Description, target: Target) -> Any:
    name = description.bridges[0].name
    need = Need("/sbin/tool", "the stranger needs it", "tools", target.installer)
    return Parts((need,), (File(("/etc/thin/" + name,), 0o644, (name + "\n",)),)), []


def _is_known(monkeypatch: pytest.MonkeyPatch, stranger: Target) -> None:
    family = Family(("strange",), {"stranger6": stranger}, (), (), "(?!)", "breed strange")
    monkeypatch.setattr(families, "FAMILIES", (*_FAMILIES, family))


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Dict[str, Any]:
    """Blended data of a host whose family no table knows, with a format of its own."""
    _is_known(monkeypatch, STRANGER)
    monkeypatch.setitem(BACKENDS, "thin", _thin)
    base = {"breed": "strange", "os_version": "stranger6", "profile_name": "hosts", "bridge": "br0"}
    return dict(base, bridge_firewall="none")


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
    assert "need /sbin/tool 'the stranger needs it' tools apt-get\n" in script(plan)


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
    ],
)
def test_what_is_not_known_of_a_stranger_is_refused(
    stranger: Dict[str, Any], key: str, value: str
) -> None:
    problems = _refused(stranger, **{key: value})
    assert [problem.field for problem in problems] == [key]
    assert "Stranger 6" in problems[0].wrong


@pytest.mark.parametrize("backend", ["ifcfg", "keyfile"])
def test_a_strangers_formats_are_those_of_its_row(stranger: Dict[str, Any], backend: str) -> None:
    (problem,) = _refused(stranger, bridge_backend=backend)
    assert str(problem).endswith(
        "'%s' is not what Stranger 6 reads; it can be auto or thin" % backend
    )


def test_ifcfg_files_of_a_stranger_are_refused(
    stranger: Dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = STRANGER._replace(backends=("ifcfg",))
    _is_known(monkeypatch, reading)
    (problem,) = _refused(stranger)
    assert problem.wrong == "it is not known how Stranger 6 reads ifcfg files"


def test_another_init_system_starts_no_check(
    stranger: Dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    runit = STRANGER._replace(init="runit")
    _is_known(monkeypatch, runit)
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
    _is_known(monkeypatch, bare)
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


def test_releases_that_do_the_same_share_a_branch() -> None:
    data = {"breed": "generic", "profile_name": "hosts", "bridge": "br0", "bridge_firewall": "none"}
    text = script(_planned(data))
    assert "el9 | el[1-9][0-9] | fedora3[3-9] | fedora[4-9][0-9] | fedora[1-9][0-9][0-9])" in text
