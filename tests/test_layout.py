"""What comes to a host are the same commands as in the sources, on fewer lines."""

import ast
import os
import re
import subprocess
from typing import Any, List, Mapping, Sequence

import pytest

import golden
from cobbler_bridge import layout, shipped
from cobbler_bridge.plan import first_boot
from cobbler_bridge.plan.families import EVERY
from cobbler_bridge.plan.families.redhat import FAMILY as REDHAT
from cobbler_bridge.plan.target import Target
from cobbler_bridge.script import carried
from cobbler_bridge.snippet import bridge_setup

HELPERS = [("script/helpers", name) for name in os.listdir(shipped.folder("script/helpers"))]
PARTS = ["firstboot/" + name for name in os.listdir(shipped.folder("script/on_the_host/firstboot"))]
ON_A_HOST = [("script/on_the_host", name) for name in ("firstboot.sh", "firstboot.init", *PARTS)]
FUNCTION = r"(?m)^([A-Za-z_0-9]+)\(\) \{"
AWK = carried._PROGRAM
BARE = re.compile(r" *(\} )?((else )?(if|for|while) \(.*\)|else)\Z")


def declared(text: str) -> str:
    """All functions of a text, as bash writes them, which has its own layout."""
    functions = re.findall(r"(?m)^[A-Za-z_0-9]+\(\) \{(?: .*|\n(?:.*\n)*?\}.*)", text)
    assert functions or "()" not in text
    command = ["bash", "-c", "\n".join(functions) + "\ndeclare -f"]
    said = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    return AWK.sub(lambda match: statements(match.group()), said)


def statements(program: str) -> str:
    """A program of awk with one semicolon between two statements, and no remarks."""
    lines = [line for line in program.split("\n") if line.strip() and line.strip()[0] != "#"]
    text = ""
    for line, after in zip(lines, [*lines[1:], ""]):
        deeper = len(line) - len(line.lstrip()) < len(after) - len(after.lstrip())
        text += line.strip() + (" " if deeper and BARE.match(line) else ";")
    for these, by in ((r"; ", ";"), (r" *([{}]) *", r"\1"), (r";\}", "}"), (r"([{}]);", r"\1")):
        text = re.sub(these, by, text)
    return text


@pytest.mark.parametrize(("folder", "name"), HELPERS + ON_A_HOST)
def test_the_commands_are_the_same(folder: str, name: str) -> None:
    text = shipped.text(folder, name)
    laid = layout.shell(text)
    assert laid.count("\n") < text.count("\n") or name.startswith("firstboot/")
    assert max(map(len, laid.split("\n"))) <= max(100, *map(len, text.split("\n")))
    assert declared(laid) == declared(text)


@pytest.mark.parametrize("name", ["koan_bridge.py", "netplan.py"])
def test_a_program_is_the_same(name: str) -> None:
    """But for what it says of itself, and of what is in it."""
    whole, laid = (
        ast.parse(text)
        for text in (shipped.text("script/on_the_host", name), shipped.on_a_host(name))
    )
    for node in ast.walk(whole):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            del node.body[0]
    assert list(map(ast.dump, whole.body[1:])) == list(map(ast.dump, laid.body[1:]))
    assert ast.get_docstring(laid)
    assert not re.search(r"(?m)^ *(#[^!]|\n)", shipped.on_a_host(name))


def test_the_check_begins_with_what_the_script_has_too() -> None:
    script = bridge_setup({"breed": "redhat", "os_version": "rhel8", "bridge": "br0"})
    parts = first_boot.program(REDHAT.targets["rhel8"]).parts
    assert shipped.program(parts).startswith(shipped.functions())
    assert script.count(shipped.functions()) == 1
    for part in parts:
        # as it is, with nothing escaped
        assert script.count(shipped.on_a_host(part + ".sh")) == 1


@pytest.mark.parametrize("target", golden.checks(EVERY).values())
def test_a_check_has_all_that_its_parts_call(target: Target) -> None:
    text = shipped.program(first_boot.program(target).parts)
    every = "".join(shipped.text(*each) for each in ON_A_HOST if each[1].endswith(".sh"))
    known = set(re.findall(FUNCTION, every + shipped.functions()))
    called = carried.called(text) & known
    assert len(called) > 50
    assert called <= set(re.findall(FUNCTION, text))
    assert re.findall(r'(?m)^readers=("\$readers )?(.*?)"?$', text) == [
        ("", ""),
        *(('"$readers ', reader) for reader in target.readers),
    ]


TEXT = """\
# one: says a thing, or if it can
# another one
one() {
    say "x"
}

# several
two() {
    # why
    say "$1" # not a remark of its own
    # shellcheck disable=SC2086
    if [ -n $1 ]; then
        say "a"
    else
        say "b"
    fi
    # shellcheck disable=SC2086
    if [ -n $1 ]; then
        say "a message that is too long for a line with both"
    elif x; then
        x=1
        shift
    else
        say "another message that is just as long"
    fi
    case $1 in
    # never
    a | b)
        say "c"
        ;;
    *) ;;
    esac
    case $1 in
    a)
        x="a value that is too long for one line"
        say "c"
        ;;
    *) a && b && c && d && e && f && g && h && i && j && k ;;
    esac
    awk '
        # why
        function f(x) {
            sub(/a/, "b", x)
            return x
        }
        /x/ {
            if (a)
                b = f(c)
            else {
                c = 1
                d = 2
            }
            e[$1] = 3
            f = 4
            g(5)
            next
        }
        { if (a) { print; x++ } else y++ }' "$1"
    for each; do
        if x; then
            say "it's
d"
        fi
    done
    cat << EOF
if

    # kept
EOF
    while read -r each; do
        say "e" ||
            say "f"
    done < "$1"
}
"""
LAID = """\
# one: says a thing
one() { say "x"; }
# several
two() {
    say "$1" # not a remark of its own
    if [ -n $1 ]; then say "a"; else say "b"; fi
    if [ -n $1 ]; then say "a message that is too long for a line with both"
    elif x; then x=1; shift
    else say "another message that is just as long"
    fi
    case $1 in a | b) say "c" ;; *) ;; esac
    case $1 in
    a) x="a value that is too long for one line"; say "c" ;;
    *) a && b && c && d && e && f && g && h && i && j && k ;;
    esac
    awk '
        function f(x) { sub(/a/, "b", x); return x }
        /x/ {
            if (a) b = f(c)
            else { c = 1; d = 2 }
            e[$1] = 3; f = 4; g(5); next
        }
        { if (a) { print; x++ } else y++ }' "$1"
    for each; do
        if x; then
            say "it's
d"
        fi
    done
    cat << EOF
if

    # kept
EOF
    while read -r each; do
        say "e" ||
            say "f"
    done < "$1"
}
"""


def test_what_goes_and_what_stays() -> None:
    assert layout.shell(TEXT) == LAID


# All that may be asked for at once, for each family of readers
NETWORK = {"bridge_vlan": "7", "bridge_port": "eth0", "bridge_ipv4": "keep", "bridge_ipv6": "keep"}
RECORDS = {
    "br0": {
        "interface_type": "bridge",
        "static": True,
        "ip_address": "192.0.2.10",
        "netmask": "255.255.255.0",
        "ipv6_address": "2001:db8::10/64",
    },
    "bond0": {"interface_type": "bonded_bridge_slave", "interface_master": "br0"},
    "eth0": {"interface_type": "bond_slave", "interface_master": "bond0"},
    "eth1": {"interface_type": "bond_slave", "interface_master": "bond0"},
}
LARGEST = (
    ("rhel5", "ifcfg", "none"),
    ("rhel5", "ifcfg", "vif-bridge"),
    ("rhel6", "ifcfg", "none"),
    ("rhel6", "ifcfg", "vif-bridge"),
    ("rhel7", "ifcfg", "none"),
    ("rhel7", "ifcfg", "vif-bridge"),
    ("rhel9", "ifcfg", "none"),
    ("rhel9", "keyfile", "none"),
    ("fedora40", "keyfile", "vif-bridge"),
)


def lines_of(
    os_version: str, backend: str, xen: str, verify: str, breed: str = "redhat"
) -> List[int]:
    base = {
        "breed": breed,
        "os_version": os_version,
        "profile_name": "hosts",
        "http_server": "192.0.2.1",
        "bridge": "br0",
        "bridge_mtu": "1500",
        "bridge_backend": backend,
        "bridge_xen": xen,
        "bridge_verify": verify,
    }
    found = {**NETWORK, "bridge_port": "auto"}
    each_way: Sequence[Mapping[str, Any]] = (NETWORK, found, {"interfaces": RECORDS})
    scripts = [bridge_setup({**base, **each}) for each in each_way]
    # some of this is refused for some readers
    return [script.count("\n") for script in scripts if "\nbridge_setup() {" in script]


# Lines of a script for a host with all of this, with the check and without it
LIMITS = {"yes": 3090, "no": 1740}


@pytest.mark.parametrize(("os_version", "backend", "xen"), LARGEST)
def test_a_script_can_be_read(os_version: str, backend: str, xen: str) -> None:
    for verify, limit in LIMITS.items():
        assert max(lines_of(os_version, backend, xen, verify)) <= limit


# Where only the machine tells what reads its network: a script has all of it
UNTOLD = (
    ("debian", 3985, 2580),
    ("ubuntu", 3985, 2580),
    ("suse", 3270, 1950),
    ("generic", 5160, 3585),
)


@pytest.mark.parametrize(("breed", "proved", "unproved"), UNTOLD)
def test_a_script_for_several_readers(breed: str, proved: int, unproved: int) -> None:
    for verify, limit in (("yes", proved), ("no", unproved)):
        assert max(lines_of("unknown", "auto", "none", verify, breed)) <= limit
