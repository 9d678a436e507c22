"""What single functions of the transaction do, each called alone on a scratch root.

``test_runtime`` and ``test_firstboot_faults`` run whole scripts in which calls fail.
"""

from pathlib import Path
from typing import List

import pytest

import scratch_machine as machine
from cobbler_bridge import shipped
from test_firstboot import ON_EVERY_SHELL, STATE
from test_functions_of_the_check import has

HELPERS = ("shared", "prepare", "transaction", "firstboot")
BEGIN = """
root=$BRIDGE_ROOT state=$root/%s new=$root/%s/new bridges=br0 now_at=now_at gone=
mkdir -p "$new/files"
for each in list written todo aside; do [ -e "$new/$each" ] || : > "$new/$each"; done
now_at() { echo "now $1"; }
runs() { [ -e "$root/runs" ]; }
leave_alone() { echo "left alone: $1"; exit 1; }
"""
BEGIN %= (STATE, STATE)
OURS, OTHERS = "/usr/libexec/cobbler-bridge/firstboot", "/etc/network-file"
NEW = STATE + "/new/"


def says(root: Path, sh: List[str], call: str) -> List[str]:
    text = BEGIN + "".join(shipped.text("script/helpers", name + ".sh") for name in HELPERS)
    run = machine.run(text + call + "\n", root, sh)
    assert run.errors == ""
    return run.output.splitlines()


@ON_EVERY_SHELL
@pytest.mark.parametrize("stuck", [True, False])
def test_what_goes_on_with_an_undo_is_the_last_that_goes(
    stuck: bool, sh: List[str], tmp_path: Path
) -> None:
    """Where something of the network can't be put back, the check is needed for it."""
    has(tmp_path, {NEW + "todo": OURS + "\n" + OTHERS + "\n", NEW + "aside": OTHERS + ".aside\n"})
    fails = ' && [ "$1" != %s ]' % OTHERS if stuck else ""
    call = 'put_back() { echo "back $1"%s; }\n' % fails
    call += 'take_away() { echo "away $1"; }\nundo "it fails" 2> /dev/null'
    each = [OTHERS, OTHERS + ".aside"]
    done = ["%s %s" % (what, path) for what in ("back", "away") for path in each]
    if not stuck:
        done += ["back " + OURS, "away " + OURS, "now taken_back", "left alone: it fails"]
    assert says(tmp_path, sh, call) == done


@ON_EVERY_SHELL
def test_what_a_check_lays_ready_stays(sh: List[str], tmp_path: Path) -> None:
    old = "etc/.cobbler-bridge.old.network-file"
    has(tmp_path, {NEW + "list": OTHERS + "\n", old: "x\n", STATE + "/laid": ""})
    says(tmp_path, sh, "no_old")
    assert (tmp_path / old).exists()
    (tmp_path / STATE / "laid").unlink()
    says(tmp_path, sh, "no_old")
    assert not (tmp_path / old).exists()


@ON_EVERY_SHELL
def test_what_a_run_would_change(sh: List[str], tmp_path: Path) -> None:
    """Of a file that is new and one that goes too, and what would keep a run from it."""
    assert says(tmp_path, sh, "looks=diff\nwould_change") == []
    files = {NEW + "todo": OURS + "\n" + OTHERS + "\n", NEW + "aside": "/etc/rival\n"}
    has(tmp_path, {NEW + "files" + OTHERS: "new\n", "etc/rival": "old\n", **files})
    diff = ["--- " + OTHERS, "+++ " + OTHERS, "@@ -0,0 +1 @@", "+new"]
    diff += ["--- /etc/rival", "+++ /etc/rival", "@@ -1 +0,0 @@", "-old"]
    call = '\nnow_at() { cat "$new/todo" > "$root/seen"; echo "now $1"; }\nwould_change'
    found = says(tmp_path, sh, "looks=diff" + call)
    assert found == [*diff, "now wanted"]
    has(tmp_path, files)
    assert says(tmp_path, sh, "looks=look" + call) == [OURS, OTHERS, "/etc/rival", "now wanted"]
    assert not (tmp_path / NEW).exists()


@ON_EVERY_SHELL
def test_what_an_earlier_run_wrote_is_set_aside_once(sh: List[str], tmp_path: Path) -> None:
    """And only where it is there."""
    names = ("wanted", "aside", "there", "link", "gone")
    has(tmp_path, {"etc/" + name: "x\n" for name in names[:3]})
    (tmp_path / "etc/link").symlink_to("nowhere")
    has(tmp_path, {STATE + "/written": "".join("/etc/%s\n" % name for name in names)})
    has(tmp_path, {NEW + "files/etc/wanted": "", NEW + "aside": "/etc/aside\n"})
    says(tmp_path, sh, "set_aside_earlier")
    assert (tmp_path / NEW / "aside").read_text() == "/etc/aside\n/etc/there\n/etc/link\n"


@ON_EVERY_SHELL
def test_what_is_written_is_remembered_as_ours(sh: List[str], tmp_path: Path) -> None:
    """A link too; what was prepared and then is not written is not."""
    call = "link_files nowhere /etc/a\necho x | write_file 644 /etc/b\nwill_not_write %s"
    says(tmp_path, sh, call % "/etc/b")
    for name in ("list", "written"):
        assert (tmp_path / NEW / name).read_text() == "/etc/a\n"
    assert [path.name for path in (tmp_path / NEW / "files/etc").iterdir()] == ["a"]


@ON_EVERY_SHELL
def test_what_a_check_of_another_time_knew_goes(sh: List[str], tmp_path: Path) -> None:
    beside = ["etc/.cobbler-bridge.%s.network-file" % which for which in ("old", "ours")]
    has(tmp_path, dict.fromkeys(beside, "x\n"))
    changes = {"changes": "had %s\nend 1\n" % OTHERS, "unfinished": ""}
    has(tmp_path, {"%s/%s" % (STATE, name): text for name, text in changes.items()})
    says(tmp_path, sh, "end_changes")
    assert not [path for path in beside if (tmp_path / path).exists()]


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("known", "runs", "was"),
    [
        ("", True, ["was eth0 1500"]),
        ("", False, []),
        ("mtu eth0 9000\nwas eth0 1496\n", True, ["was eth0 1496"]),
        ("mtu eth0 9000\nwas eth0 1496\n", False, ["was eth0 1496"]),
        # it is what an earlier description has made it
        ("mtu eth0 9000\n", True, []),
        ("mtu eth1 9000\nwas eth1 1496\n", True, ["was eth0 1500"]),
    ],
)
def test_the_mtu_of_before(
    known: str, runs: bool, was: List[str], sh: List[str], tmp_path: Path
) -> None:
    has(tmp_path, {"sys/class/net/eth0/mtu": "1500\n", STATE + "/proved": known})
    has(tmp_path, {NEW + "files/var/lib/cobbler-bridge/expected": "mtu eth0 1400\n"})
    if runs:
        has(tmp_path, {"runs": ""})
    says(tmp_path, sh, "chosen=eth0\nfirstboot_nics")
    lines = (tmp_path / NEW / "files/var/lib/cobbler-bridge/expected").read_text().splitlines()
    assert lines == ["mtu eth0 1400", "nic eth0", *was, "end %d" % (2 + len(was))]


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("bonded", "tagged", "modules"),
    [("", "", ["bridge"]), ("yes", "", ["bridge", "bonding"]), ("", "yes", ["bridge", "8021q"])],
)
def test_the_modules_that_a_switch_needs(
    bonded: str, tagged: str, modules: List[str], sh: List[str], tmp_path: Path
) -> None:
    has(tmp_path, {"runs": "", NEW + "ports": "", NEW + "files" + OURS: "exit 1\n"})
    call = 'has_module() { echo "$1"; }\nbonded=%s tagged=%s\ncan_begin' % (bonded, tagged)
    assert says(tmp_path, sh, call)[:-1] == modules
