"""What holds for the repository as a whole: its style, its reach and its completeness."""

import ast
import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

import pytest

import golden
from cobbler_bridge import shipped
from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import describe
from cobbler_bridge.plan.backends import BACKENDS
from cobbler_bridge.plan.families import EVERY, targets_of
from cobbler_bridge.plan.firewalls import FIREWALLS
from cobbler_bridge.script import carried
from cobbler_bridge.snippet import bridge_setup
from environments import PYTHONS, find_python

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "cobbler_bridge"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TRIGGERS = sorted((ROOT / "triggers").glob("*.py"))
PROVIDERS = sorted((ROOT / "providers").glob("*.py"))


SHIPPED = ("cobbler_bridge", "providers", "triggers")


def tool(*command: str, text: Optional[str] = None) -> None:
    """A tool of requirements/test.txt finds nothing."""
    program = str(Path(sys.executable).parent / command[0])
    done = subprocess.run(
        [program, *command[1:]],
        cwd=str(ROOT),
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_ruff_finds_nothing() -> None:
    tool("ruff", "check", ".")


def test_ruff_would_format_nothing() -> None:
    tool("ruff", "format", "--check", ".")


def test_mypy_finds_nothing() -> None:
    tool("mypy")


def meant_so() -> str:
    """What the sources say of single lines, which a script doesn't repeat."""
    folders = ("helpers", "on_the_host")
    texts = [
        path.read_text("utf-8")
        for name in folders
        for path in (PACKAGE / "script" / name).rglob("*.*")
    ]
    lines = re.findall("shellcheck disable=(.*)", "".join(texts))
    return ",".join(sorted(set(re.findall("SC[0-9]+", "".join(lines)))))


def test_shellcheck_finds_nothing_in_the_helpers() -> None:
    # as a script has them: one behind the other
    parts = [shipped.text(carried.FOLDER, file.name) for file in carried.files()]
    text = "#!/bin/sh\n" + "".join(parts)
    tool("shellcheck", "-s", "sh", "-", text=text)


def test_no_helper_has_anothers_name() -> None:
    """In a script they stand one behind the other, and the last one would count."""
    names: List[str] = []
    for path in sorted((PACKAGE / "script/helpers").glob("*.sh")):
        names += re.findall(r"^([a-z_0-9]+)\(\)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) > 40
    assert sorted(names) == sorted(set(names))


def test_shellcheck_finds_nothing_in_what_a_host_runs() -> None:
    paths = [
        path
        for path in (PACKAGE / "script/on_the_host").iterdir()
        if path.suffix in (".sh", ".init") and path.name != "firstboot.sh"
    ]
    assert len(paths) == 2
    for path in paths:
        text = path.read_text(encoding="utf-8")
        tool("shellcheck", "-s", "sh", "-e", "SC2329", "-", text=text)
        # as it comes there
        text = shipped.on_a_host(path.name)
        tool("shellcheck", "-s", "sh", "-e", meant_so(), "-", text=text)


@pytest.mark.slow
def test_shellcheck_finds_nothing_in_a_check() -> None:
    programs = golden.checks(EVERY)
    assert len(programs) > 2
    # all parts once: the last of each program is the one that ends
    parts = {part: None for program in programs for part in program.parts[:-1]}
    parts.update((program.parts[-1], None) for program in programs)
    texts = [shipped.text(shipped.ON_A_HOST, part + ".sh") for part in parts]
    text = "".join([shipped.text(carried.FOLDER, "shared.sh"), *texts])
    tool("shellcheck", "-s", "sh", "-e", "SC2329", "-", text=text)
    for program in programs:
        # as it comes there
        text = shipped.program(program.parts)
        tool("shellcheck", "-s", "sh", "-e", meant_so(), "-", text=text)


def test_shellcheck_finds_nothing_in_a_script() -> None:
    data = {"breed": "redhat", "os_version": "rhel6", "name": "hosts", "bridge": "eth0"}
    script = bridge_setup(dict(data, bridge_firewall="iptables"))
    assert "iptables_bridged /etc" in script
    # port1 and mac1 are set by eval, and not every script calls every helper
    exempt = "SC2154,SC2329," + meant_so()
    tool("shellcheck", "-s", "sh", "-e", exempt, "-", text="#!/bin/sh\n" + script)
    # it doesn't look into a here-document
    inside = script.split("\ncat <<'EOF2'\n", 1)[1].rpartition("\nEOF2\n")[0]
    tool("shellcheck", "-s", "sh", "-e", exempt, "-", text="#!/bin/sh\n%s\n" % inside)


def test_shellcheck_finds_nothing_in_the_tools() -> None:
    paths = sorted((ROOT / "tools").glob("*.sh"))
    assert paths
    tool("shellcheck", "-s", "sh", *map(str, paths))


def test_nothing_is_newer_than_python_3_6() -> None:
    tool("vermin", "-t=3.6-", "--no-tips", *SHIPPED, "setup.py")


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest) -> Tuple[str, str]:
    """A Python's version and path; continuous integration must have each."""
    found = find_python(request.param)
    if found is None and not os.environ.get("CI"):
        pytest.skip("no Python %s here: vermin alone looks for what is newer" % request.param)
    return request.param, str(found)


def test_what_koans_python_runs_is_read_by_its_oldest() -> None:
    program = str(Path(sys.executable).parent / "vermin")
    path = PACKAGE / "script/on_the_host/koan_bridge.py"
    said = subprocess.check_output([program, "--no-tips", str(path)], encoding="utf-8")
    # nothing in it is newer than the first 2 and 3
    assert "Minimum required versions: ~2, ~3" in said


COMPILE = """
import sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        compile(file.read(), path, "exec")
print(sys.version_info[:2])
"""


def test_every_python_reads_every_module(python: Tuple[str, str]) -> None:
    paths = [str(path) for path in (*SOURCES, *TRIGGERS, *PROVIDERS, ROOT / "setup.py")]
    said = subprocess.check_output([python[1], "-W", "error", "-c", COMPILE, *paths])
    assert said.decode() == "(%s)\n" % python[0].replace(".", ", ")


RENDER = """
import json, sys
sys.path.insert(0, ".")
sys.dont_write_bytecode = True
sys.modules["yaml"] = None
from cobbler_bridge.snippet import bridge_setup
print(json.dumps([bridge_setup(data) for data in json.load(sys.stdin)]))
"""


@functools.lru_cache(maxsize=None)
def rendered_by(python: str) -> List[str]:
    """The scripts of every case, and of values that Pythons could read differently."""
    data = [case.data_of(target) for case, target in golden.each_target()]
    good = {"breed": "redhat", "os_version": "rhel7", "name": "hosts", "bridge": "br0"}
    for name in ("bridge", "bridge_port", "bridge_ipv4", "bridge_mtu", "name"):
        for value in (
            "192.0.2.010/24",
            "192.0.2.10/24,192.0.2.01",
            "\u0661",
            "\x85%end",
            "\U0001f600",
            "1_500",
            "@@x@@\n",
        ):
            data.append(dict(good, **{name: value}))
    done = subprocess.run(
        [python, "-c", RENDER],
        input=json.dumps(data),
        cwd=str(ROOT),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    scripts: List[str] = json.loads(done.stdout)
    return scripts


@pytest.mark.slow
def test_every_python_renders_the_same_bytes(python: Tuple[str, str]) -> None:
    scripts = rendered_by(python[1])
    assert len(scripts) > 50
    assert scripts == rendered_by(sys.executable)


def test_a_rendering_needs_the_standard_library_only() -> None:
    """Cobbler's process imports it from a template."""
    assert len(rendered_by(sys.executable)) > 50


def files_of_the_repository() -> List[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing says which files are the repository's")
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=str(ROOT)
    )
    paths = [ROOT / os.fsdecode(name) for name in listed.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


# in pieces: this file is one of the repository's too
FOREIGN = ("/wo" + "rk/", "/fa" + "rm/", ".lib" + "rary", "pyth" + "onhosted")


def foreign_words(text: str) -> List[str]:
    return [word for word in FOREIGN if word in text]


def test_no_file_speaks_of_one_machine() -> None:
    found = {
        str(path.relative_to(ROOT)): foreign_words(path.read_bytes().decode("utf-8", "replace"))
        for path in files_of_the_repository()
    }
    assert len(found) > 100
    assert {path: words for path, words in found.items() if words} == {}
    assert foreign_words("x /wo" + "rk/x") == ["/wo" + "rk/"]


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node


def test_no_function_is_long() -> None:
    lengths = {
        "%s: %s" % (path.name, each.name): (each.end_lineno or 0) - each.lineno + 1
        for path in SOURCES
        for each in _functions(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert len(lengths) > 100
    assert {name: length for name, length in lengths.items() if length > 60} == {}


def _imported(path: Path) -> Set[str]:
    names: Set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import in %s" % path
            names.add((node.module or "").partition(".")[0])
    return names - sys.stdlib_module_names - {"cobbler_bridge"}


# each folder imports from those before it, and from the ground: the modules beside the folders
ROOMS = (
    "description",
    "plan",
    "script",
    "store",
    "placement",
    "show",
    "install",
    "check",
    "apply",
    "command",
)
DOORS = ("snippet", "events", "cli", "__main__")


def _rooms_of(path: Path) -> Set[str]:
    """The folders and the modules beside them that a module imports from."""
    found: Set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cobbler_bridge"):
            below = str(node.module).split(".")[1:]
            found.update(below[:1] or [alias.name for alias in node.names])
    return found


def test_data_walk_down() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == set(ROOMS)
    ground = {path.stem for path in PACKAGE.glob("*.py")} - set(DOORS)
    for number, room in enumerate(ROOMS):
        for path in (PACKAGE / room).rglob("*.py"):
            above = _rooms_of(path) - set(ROOMS[: number + 1]) - ground
            assert above in (set(), {"__version__"}), path
    for name in ground:
        assert _rooms_of(PACKAGE / (name + ".py")) <= ground, name


def test_what_is_imported_from_elsewhere() -> None:
    found = {path.name: _imported(path) for path in (*SOURCES, *TRIGGERS, *PROVIDERS)}
    assert {name: names for name, names in found.items() if names} == {
        # the only module that knows Cobbler's API
        "in_process.py": {"cobbler"},
        # for a host's Python, which may be 2
        "koan_bridge.py": {"xmlrpclib"},
        # for a host's Python, which netplan needs with it
        "netplan.py": {"yaml"},
        # Cobbler 4.0 imports this one itself
        "cobbler_bridge.py": {"cobbler"},
        # the command and the installation read Cobbler's settings
        "server.py": {"yaml"},
        "show.py": {"yaml"},
        "changes.py": {"yaml"},
        "this_cobbler.py": {"yaml"},
    }


def test_a_trigger_has_what_cobbler_calls_and_nothing_else() -> None:
    assert len(TRIGGERS) >= 4
    for path in TRIGGERS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert [each.name for each in _functions(tree)] == ["register", "run"]


def test_cobbler_4_is_given_every_snippet() -> None:
    """The provider of templates imports nothing of ours, so it has their names."""
    tree = ast.parse(PROVIDERS[0].read_text(encoding="utf-8"))
    (names,) = (
        ast.literal_eval(each.value)
        for each in ast.walk(tree)
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "SNIPPETS"
    )
    assert list(names) == sorted(
        path.name for folder in ("scripts", "snippets") for path in (ROOT / folder).iterdir()
    )


@functools.lru_cache(maxsize=None)
def _successes() -> List[Dict[str, Any]]:
    """The blended data of each case and target whose script sets up a bridge."""
    refused = "the network stays as it is\nexit status 0\n"
    return [
        case.data_of(target)
        for case, target in golden.each_target()
        if not golden.expected(case, target).said.endswith(refused)
    ]


@pytest.mark.parametrize("key", [key.name for key in keys.HOST_KEYS])
def test_every_variable_is_in_a_case_that_succeeds(key: str) -> None:
    assert [data for data in _successes() if key in data]


@pytest.mark.parametrize("key", [key.name for key in keys.HOST_KEYS])
def test_every_variable_is_in_a_case_that_refuses(key: str) -> None:
    refused = [case.data for case in golden.cases() if describe(case.data)[0] is None]
    assert [data for data in refused if key in data]


def test_every_backend_firewall_and_target_is_in_a_case_that_succeeds() -> None:
    backends: Set[str] = set()
    firewalls: Set[str] = set()
    targets: Set[str] = set()
    for data in _successes():
        description, _ = describe(data)
        candidates = targets_of(data)[0].candidates
        assert description is not None
        automatic = description.backend == "auto"
        backends.update(
            target.backends[0] if automatic else description.backend for _, target in candidates
        )
        firewalls.add(description.firewall)
        targets.update(_family(target.name) for _, target in candidates)
    assert backends >= set(BACKENDS)
    assert firewalls == set(FIREWALLS)
    assert targets == {_family(target.name) for target in EVERY}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("key", [key.name for key in keys.HOST_KEYS])
def test_every_variable_is_in_a_case_of_every_backend(key: str, backend: str) -> None:
    """Or refused by name with a reason: bridge_xen itself stands for its scripts."""
    names = {key, keys.XEN.name} if key.startswith(keys.XEN.name) else {key}
    written = [data for data in _successes() if _backend(data) == backend and key in data]
    refused = [said for said in _said(backend) for name in names if ": %s: " % name in said]
    assert written or refused


@functools.lru_cache(maxsize=None)
def _said(backend: str) -> List[str]:
    """What the script of each case of a backend said."""
    return [
        golden.expected(case, version).said
        for case, version in golden.each_target()
        if _backend(case.data_of(version)) == backend
    ]


def _backend(data: Dict[str, Any]) -> Optional[str]:
    candidates = targets_of(data)[0].candidates
    chosen = data.get(keys.BACKEND.name, "auto")
    return candidates[0].target.backends[0] if candidates and chosen == "auto" else chosen


def test_every_value_of_bridge_xen_is_in_a_case_that_succeeds() -> None:
    found = {data.get("bridge_xen", "none") for data in _successes()}
    assert found == set(re.split(", | or ", keys.XEN.accepts))


def test_every_firewall_and_format_that_can_be_asked_for_is_written() -> None:
    assert set(re.split(", | or ", keys.FIREWALL.accepts)) == set(FIREWALLS)
    assert set(re.split(", | or ", keys.BACKEND.accepts)) == {"auto", *BACKENDS}


def _family(name: str) -> str:
    """The releases of Fedora differ in nothing but their number."""
    return name.split()[0] if name.startswith("Fedora") else name
