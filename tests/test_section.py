"""The section around our part, whatever its shell was told: our part does what it promises, the
lines behind it run, and the status is 0. What our part calls is there, or nothing is begun."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Mapping, Sequence, Set

import pytest

import golden
import scratch_machine as machine
from cobbler_bridge import shipped
from cobbler_bridge.script import carried
from cobbler_bridge.snippet import bridge_setup
from strangers import STRANGER, is_known
from waiting import HANGS

DATA = {
    "breed": "redhat",
    "os_version": "generic26",
    "profile_name": "hosts",
    "bridge": "br0",
    "http_server": "192.0.2.1",
}
MACHINE: Mapping[str, Any] = {
    "nics": {"eth0": {"mac": "52:54:00:aa:00:01"}},
    "files": {
        "/etc/os-release": 'ID="rhel"\nVERSION_ID="8.4"\n',
        "/etc/sysconfig/network-scripts/ifcfg-eth0": "DEVICE=eth0\n",
        "/etc/sysconfig/iptables": "*filter\n-A FORWARD -j REJECT\nCOMMIT\n",
    },
}
SCRIPTS = {
    "well": bridge_setup(DATA),
    # found out on the server, and on the machine
    "refused": bridge_setup(dict(DATA, bridge="br 0")),
    "left": bridge_setup(dict(DATA, bridge_port="eth7")),
}
NAMES = "root state new nic name mac bridges each path kept chosen owned LC_ALL IFS".split()
PROGRAMS = sorted(carried.programs())
OVERRIDDEN = (*PROGRAMS, *"leave_alone say commit bridge_setup nic write_file printf echo".split())
BASH_OVERRIDDEN = (*OVERRIDDEN, "command", "read", "[", "umask", "env", "sh")
FUNCTIONS = "".join("%s() { echo OURS; exit 9; }\n" % name for name in OVERRIDDEN)
EVERYWHERE = {
    "errexit and nounset": "set -eu\n",
    "noclobber and noglob": "set -efC\n",
    "allexport": "set -ea\n",
    "a letter between words": "set -e\nIFS=e\n",
    "a slash between words": "set -e\nIFS=/\n",
    "nothing between words": "set -e\nIFS=\n",
    "readonly": "set -e\n" + "".join("readonly %s\n" % name for name in NAMES),
    "readonly with values": "set -e\n" + "".join("readonly %s=x\n" % name for name in NAMES[:-2]),
    "functions": "set -e\n" + FUNCTIONS,
    "umask": "set -e\numask 077\n",
    "language": "set -e\nexport LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 LC_COLLATE=et_EE.UTF-8\n",
    "no path": "set -e\nPATH=\n",
    "path unset": "set -e\nunset PATH\n",
    "temporary folder": "set -e\nexport TMPDIR=/nonexistent\n",
    "no standard input": "set -e\nexec < /dev/null\n",
    "deaf to children": "set -e\ntrap '' CHLD\n",
    "exit trap": "set -e\ntrap 'echo left' EXIT\n",
    "options in the environment": (
        "set -e\nexport GREP_OPTIONS=-v POSIXLY_CORRECT=1 CDPATH=/ ENV=/nonexistent "
        "BASH_ENV=/nonexistent root=/x state=/x new=/x\n"
    ),
    "an alias": "set -e\nalias env=exit printf=exit cat=exit\n",
}
BASH = {
    "error trap": "trap 'exit 9' ERR\nset -eE\n",
    "error trap and pipefail": "trap 'exit 9' ERR\nset -eE -o pipefail\n",
    "options exported": "set -efuC -o posix\nexport SHELLOPTS\n",
    "more options exported": "set -e\nshopt -s failglob nocasematch extdebug\nexport BASHOPTS\n",
    "functions exported": "set -e\n"
    + "".join(
        "%s() { echo OURS; return 9; }\nexport -f %s\n" % (name, name) for name in BASH_OVERRIDDEN
    ),
    "a function called :": "set -e\n:() { return 9; }\nexport -f :\n",
    "assignments everywhere": "set -ek\n",
    "jobs": "set -em\n",
}
TOLD = [(name, told, each) for name in machine.SHELLS for told, each in EVERYWHERE.items()]
TOLD += [("bash", told, each) for told, each in BASH.items()]


def section(script: str, root: Path, outer: Sequence[str], before: str, after: str) -> machine.Run:
    """A section with the script between these lines, in a shell that is told nothing else."""
    folder = root.parent
    text = "%s%s%s" % (before, machine.in_shell(script, machine.SHELLS[outer[0]]), after)
    (folder / "section").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [*outer, str(folder / "section")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=dict(os.environ, BRIDGE_ROOT=str(root)),
        timeout=HANGS,
        check=False,
    )
    return machine.Run(done.returncode, done.stdout, done.stderr)


def fresh(root: Path) -> Path:
    machine.build(root, MACHINE)
    return root


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Dict[str, str]]:
    """What each script leaves behind where nobody told the shell anything."""
    left = {}
    for kind, script in SCRIPTS.items():
        root = fresh(tmp_path_factory.mktemp(kind))
        machine.run(script, root, machine.SHELLS["dash"])
        left[kind] = modes(root)
    return left


def modes(root: Path) -> Dict[str, str]:
    return {
        path: "%o %s" % ((root / path).lstat().st_mode, text)
        for path, text in machine.tree(root).items()
    }


@pytest.mark.parametrize(("shell_name", "told", "before"), TOLD)
def test_whatever_the_section_was_told(
    shell_name: str,
    told: str,
    before: str,
    plain: Dict[str, Dict[str, str]],
    tmp_path: Path,
    whole: bool,
) -> None:
    outer = ["busybox", "sh"] if shell_name == "busybox" else [shell_name]
    for kind in SCRIPTS if whole else ("well", "refused"):
        script = SCRIPTS[kind]
        folder = tmp_path / kind
        root = fresh(folder / "root")
        after = "builtin echo still here\n" if shell_name == "bash" else ""
        after += "> %s\n" % (folder / "behind")
        run = section(script, root, outer, before, after)
        assert run.status == 0, (told, run)
        assert (folder / "behind").exists(), run
        assert modes(root) == plain[kind], run
        assert run.refused == (kind != "well"), run
        assert "OURS" not in run.output


CLOSED = ("exec <&-", "exec >&-", "exec 2>&-", "exec >&- 2>&-", "exec <&- >&- 2>&-")


@pytest.mark.parametrize("closed", CLOSED)
@pytest.mark.parametrize("shell_name", machine.SHELLS)
def test_nobody_listens(
    shell_name: str, closed: str, plain: Dict[str, Dict[str, str]], tmp_path: Path
) -> None:
    """A file that is opened in the place of a closed stream must not get what is said."""
    outer = ["busybox", "sh"] if shell_name == "busybox" else [shell_name]
    for kind, script in SCRIPTS.items():
        root = fresh(tmp_path / kind / "root")
        behind = tmp_path / kind / "behind"
        run = section(script, root, outer, "set -eu\n%s\n" % closed, "> %s\n" % behind)
        assert run.status == 0
        assert behind.exists()
        assert modes(root) == plain[kind]


@pytest.mark.parametrize("shell_name", machine.SHELLS)
@pytest.mark.parametrize("killed", ["kill -9 $$", "exit 3", "("])
def test_a_shell_that_does_not_come_to_its_end(
    killed: str, shell_name: str, tmp_path: Path
) -> None:
    root = fresh(tmp_path / "root")
    before = modes(root)
    sh = machine.SHELLS[shell_name]
    run = machine.run("set -e\n" + SCRIPTS["well"] + "echo behind\n", root, sh, killed + "\n")
    assert (run.status, run.output) == (0, "behind\n")
    assert run.errors.endswith("cobbler-bridge: the script did not run to its end\n")
    assert modes(root) == before


# One description for each part that may be in a script
PLANS: Sequence[Dict[str, Any]] = (
    DATA,
    dict(DATA, os_version="rhel5", bridge="eth0", bridge_vlan="7", bridge_port="eth0"),
    dict(DATA, os_version="rhel6", bridge_firewall="iptables", bridge_ipv4="keep"),
    dict(DATA, os_version="rhel9", bridge_ipv4="keep", bridge_verify="no"),
    dict(DATA, os_version="rhel5", bridge_xen="network-bridge", bridge="xenbr0"),
    dict(DATA, os_version="rhel7", bridge_xen="vif-bridge", bridge="xenbr0"),
    dict(DATA, os_version="rhel5", bridge_ipv6="2001:db8::10/64", name_servers=["192.0.2.53"]),
    dict(DATA, os_version="rhel8", bridge_stp="on", bridge_forward_delay="4"),
    dict(DATA, os_version="rhel6", bridge_firewall="sysctl"),
    dict(DATA, os_version="rhel7", bridge_vlan="10", bridge_ipv4="none"),
    dict(
        DATA,
        os_version="rhel5",
        interfaces={
            "br0": {"interface_type": "bridge"},
            "bond0": {"interface_type": "bonded_bridge_slave", "interface_master": "br0"},
            "eth0": {"interface_type": "bond_slave", "interface_master": "bond0"},
        },
    ),
)
FUNCTION = r"(?m)^([a-z_0-9]+)\(\)"
# what writes a file of the package, named by its path
PUT = ("put_etc_", "put_usr_", "part_")


def functions(script: str) -> Set[str]:
    """Every helper that a script brings along; what it writes has functions too."""
    folder = shipped.folder("script/helpers")
    known = "".join(shipped.text("script/helpers", path) for path in os.listdir(folder))
    names = set(re.findall(r"(?m)^([a-z_0-9]+)\(\)", script))
    put = {name for name in names if name.startswith(PUT)}
    return put | names.intersection(re.findall(r"(?m)^([a-z_0-9]+)\(\)", known))


def left_untouched(script: str, root: Path, sh: Sequence[str], name: str) -> None:
    before = modes(root)
    run = machine.run("set -e\n" + script + "echo behind\n", root, sh)
    said = "cobbler-bridge: there is no %s; the network stays as it is\n" % name
    assert run == machine.Run(0, "behind\n", said)
    assert modes(root) == before


@pytest.mark.parametrize("number", range(len(PLANS)))
def test_no_helper_is_missing(number: int) -> None:
    """Whatever a script calls stands in it: of helpers, and of what is written for its steps."""
    script = bridge_setup(PLANS[number])
    folder = shipped.folder("script/helpers")
    texts = [shipped.text("script/helpers", path) for path in os.listdir(folder)]
    known = {name for text in texts for name in re.findall(FUNCTION, text)}
    words = carried.called(script)
    assert len(words & known) > 30
    assert words & known | {word for word in words if word.startswith(PUT)} <= functions(script)


@pytest.mark.parametrize("shell_name", machine.SHELLS)
def test_what_comes_by_a_here_document_is_there(shell_name: str, tmp_path: Path) -> None:
    """A shell can't hand it over where the disk is full."""
    root = fresh(tmp_path)
    script = bridge_setup(DATA)
    # its end, and all of it
    left_untouched(
        script.replace("\nprocess() {", "\nmissing() {"),
        root,
        machine.SHELLS[shell_name],
        "process",
    )
    without = script.replace(
        "cat <<'EOF'\n#!/bin/sh\n# Part", "cat < /nonexistent <<'EOF'\n#!/bin/sh\n# Part"
    )
    assert without != script
    left_untouched(without, root, machine.SHELLS[shell_name], "process")


def test_every_helper_is_called_in_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    # what a format without it has instead, and every one of ours can do
    called = functions(bridge_setup(is_known(monkeypatch, STRANGER)))
    for case, target in golden.each_target():
        called |= functions(bridge_setup(case.data_of(target)))
    for path in os.listdir(shipped.folder("script/helpers")):
        assert functions(shipped.text("script/helpers", path)) <= called


def test_what_helpers_call_is_looked_for_and_nothing_else_is_there() -> None:
    names = frozenset(["qemu_allow"])
    check = carried.check(names)
    assert re.search(r"\bwc\b", check)
    assert not re.search(r"\bln\b", check)
    assert functions(carried.text(names)) == carried.reached(names) - carried.programs()


# The shell's own, what only some machines have, and words of awk's and of messages
NOT_NEEDED = frozenset(
    "curl diff echo ip printf sh systemctl wget"
    " link last size file which bridge init domain".split()
)


@pytest.mark.parametrize("file", carried.files(), ids=lambda file: str(file.name))
def test_a_file_of_helpers_says_what_it_needs(file: carried.HelperFile) -> None:
    own = {each.name for each in file.helpers}
    helpers = {each.name for other in carried.files() for each in other.helpers}
    words = {word for each in file.helpers for word in carried.called(each.text)} - own
    # what another one is to call
    handed = re.findall(r"\bset -- .*", "".join(each.text for each in file.helpers))
    words |= helpers.intersection(" ".join(handed).split())
    programs = {word for word in words - helpers - NOT_NEEDED if shutil.which(word)}
    assert sorted(file.needs) == sorted(words & helpers | programs)


BUILTINS = frozenset(
    "break case cd command continue do done echo elif else esac eval exec exit export fi for if in "
    "local printf read return set shift then trap umask unset wait while until".split()
)
# what looks like a command in patterns, lists, and messages that have a command in them
NO_COMMANDS = frozenset(
    "0 1 2 4 9 a and asked bridge can card connection count cut dev disable_ipv6 ended files "
    "generate hosts hw iptables ipv issue its linkdown list net now old pause ports q route s "
    "slave systemd the there todo turns whole wicked without".split()
)
QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")


def commands(shell: str) -> Set[str]:
    """Every word where a command may stand, but for those of messages."""
    bare = carried._PROGRAM.sub("''", carried._COMMENT.sub("", shell))
    return carried.called(QUOTED.sub(lambda it: it.group() if "$(" in it.group() else "''", bare))


@pytest.mark.parametrize("file", carried.files(), ids=lambda file: str(file.name))
def test_a_helper_calls_nothing_that_is_not_known(file: carried.HelperFile) -> None:
    """A misspelt name would only be found where what it is for happens."""
    known = {each.name for each in file.helpers} | file.needs | BUILTINS | NO_COMMANDS
    for each in file.helpers:
        assert commands(each.text) <= known | {
            "curl",
            "diff",
            "ethtool",
            "ip",
            "modprobe",
            "sh",
            "systemctl",
            "wget",
        }, each.name


# not on every host: the check looks first, or does without
MAY_BE_MISSING = frozenset(
    "arping bash brctl curl date dhclient flock getent ifdown ifup ip journalctl kill netconfig "
    "netplan nft od pidof ping ping6 reboot sh shutdown sync sysctl systemctl tail timeout "
    "wget".split()
)


def test_the_check_calls_nothing_that_is_not_known() -> None:
    folder = Path(shipped.folder(shipped.ON_A_HOST))
    texts = [
        path.read_text("utf-8")
        for path in (*folder.glob("firstboot/*.sh"), folder / "firstboot.sh")
    ]
    shared = next(file for file in carried.files() if file.name == "shared.sh")
    known = {name for text in texts for name in re.findall(r"(?m)^([A-Za-z_0-9]+)\(\)", text)}
    known |= {each.name for each in shared.helpers} | carried.programs()
    for text in texts:
        assert commands(text) <= known | BUILTINS | NO_COMMANDS | MAY_BE_MISSING


def only(folder: Path, names: Sequence[str]) -> Path:
    """A PATH with nothing but these programs, and the shells that stand for /bin/sh."""
    folder.mkdir()
    for name in (*names, "bash", "dash", "busybox"):
        found = [os.path.join(each, name) for each in ("/bin", "/usr/bin")]
        (folder / name).symlink_to(next(each for each in found if os.path.exists(each)))
    return folder


def with_path(script: str, folder: Path) -> str:
    script = script.replace('"PATH=${PATH-}"', "PATH=%s" % folder, 1)
    completed = "PATH=${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin"
    assert completed in script
    return script.replace(completed, ":")


@pytest.mark.parametrize("shell_name", machine.SHELLS)
def test_no_program_may_be_missing(shell_name: str, tmp_path: Path) -> None:
    root = fresh(tmp_path / "root")
    for name in PROGRAMS:
        there = only(tmp_path / name, [each for each in PROGRAMS if each != name])
        script = with_path(SCRIPTS["well"], there)
        left_untouched(script, root, machine.SHELLS[shell_name], name)


@pytest.mark.parametrize("number", range(len(PLANS)))
def test_no_other_program_is_called(number: int, tmp_path: Path) -> None:
    files = {
        "/usr/sbin/brctl!": "",
        "/sbin/vconfig!": "",
        "/sbin/brctl!": "",
        "/etc/modprobe.conf": "alias eth0 e1000\n",
        "/etc/xen/xend-config.sxp": "(vif-script vif-bridge)\n",
        "/etc/xen/xl.conf": "# none\n",
        "/etc/xen/scripts/network-bridge!": "#!/bin/sh\n",
        "/etc/xen/scripts/vif-bridge!": "#!/bin/sh\n",
        "/etc/sysconfig/network": "GATEWAYDEV=eth0\n",
        "/etc/sysconfig/network-scripts/ifcfg-eth0": "DEVICE=eth0\nBOOTPROTO=dhcp\n",
        "/etc/NetworkManager/system-connections/eth0.nmconnection": (
            "[connection]\ninterface-name=eth0\n[ipv4]\nmethod=auto\n"
        ),
        "/etc/qemu-kvm/bridge.conf": "# none\n",
        "/etc/sysctl.conf": "x = 1\n",
    }
    root = tmp_path / "root"
    machine.build(root, dict(MACHINE, files=dict(MACHINE["files"], **files)))
    script = with_path(bridge_setup(PLANS[number]), only(tmp_path / "bin", PROGRAMS))
    for _ in range(2):
        run = machine.run(script, root, machine.SHELLS["dash"])
        assert (run.status, run.errors) == (0, "")


@pytest.mark.parametrize("shell_name", machine.SHELLS)
def test_a_file_that_the_shell_cannot_hand_over(shell_name: str, tmp_path: Path) -> None:
    root = fresh(tmp_path)
    before = {path for path in machine.tree(root) if path.startswith("etc/")}
    script = bridge_setup(dict(DATA, os_version="rhel8"))
    calls = [
        match.start() for match in re.finditer("<< ?'?EOF'?(?=[ ]|\n# (?:Part|Proves))", script)
    ]
    assert len(calls) > 5
    for at in calls:
        broken = script[:at] + "< /nonexistent " + script[at:]
        run = machine.run("set -e\n" + broken + "echo behind\n", root, machine.SHELLS[shell_name])
        assert (run.status, run.refused) == (0, True)
        assert run.errors.endswith(" can't be prepared; the network stays as it is\n")
        assert run.output.endswith("behind\n")
        assert {path for path in machine.tree(root) if path.startswith("etc/")} == before


def test_a_reader_that_is_gone_ends_no_section(tmp_path: Path) -> None:
    """Whoever reads the log may be gone: the lines behind ours run all the same."""
    script = bridge_setup(dict(DATA, bridge_mtu="1"))
    section = "exec 2> >(true); sleep 0.2\n%secho behind > %s/behind\n" % (script, tmp_path)
    done = subprocess.run(["bash", "-c", section], check=False)
    assert done.returncode == 0
    assert (tmp_path / "behind").read_text() == "behind\n"


REFUSED = """
runs() { [ "$runs" = yes ]; }
new=%s
tells http://192.0.2.1/cblr/svc/op/trig/mode/firstboot/system/kvm1
leave_alone "there is no NIC 'eth7', $(printf 'x\\n%%s' '; id')"
"""


@pytest.mark.parametrize("shell_name", machine.SHELLS)
@pytest.mark.parametrize(("program", "how"), [("curl", ""), ("wget", ""), ("wget", "yes")])
def test_an_installation_that_is_refused_tells_why(
    program: str, how: str, shell_name: str, tmp_path: Path
) -> None:
    """At its own root; a host that runs is not left without the bridge that it has."""
    told = tmp_path / "told"
    there = only(tmp_path / "bin", [*carried.programs() - {"sh", "flock"}])
    (there / program).write_text('#!/bin/sh\nfor last; do :; done\necho "$last" > %s\n' % told)
    (there / program).chmod(0o755)
    helpers = "".join(shipped.text("script/helpers", each) for each in ("shared.sh", "begin.sh"))
    run = subprocess.run(
        machine.SHELLS[shell_name],
        input=helpers + REFUSED % (tmp_path / "new"),
        env={"PATH": str(there), "runs": how},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=HANGS,
        check=False,
    )
    assert run.returncode == 1
    assert "the network stays as it is" in run.stderr
    if how:
        assert not told.exists()
    else:
        words = "there_is_no_NIC_eth7_x_id"
        assert told.read_text().endswith("/firstboot/system/kvm1,rolled-back,%s\n" % words)
