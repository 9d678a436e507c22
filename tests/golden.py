"""The cases of ``tests/cases``: the one reader of them, and of what is expected of each.

A folder is a case. Its ``case.yaml`` has ``why`` (one sentence), ``data`` (blended data),
``machine`` (see ``scratch_machine.build``), ``targets`` (values of os_version), and ``later`` where
the machine looks different after it was started again. Beside it, ``TARGET.txt`` is what comes out:
what the script ``said``, and every path that it wrote, changed or removed. A path stands at the
beginning of its line and what is in it below, four spaces in (git shows the path above a hunk).
What is known already is named instead:

``PATH = shipped NAME``   the text of a file that comes with the package
``PATH = the machine's``  byte for byte what the machine had where the end of PATH says
``PATH = as usual``       the text that stands once in ``tests/cases/usual.txt``
``PATH -> TARGET``        a symbolic link
``PATH removed``          it was on the machine and is no more

Behind a path is its mode, where that is not 644.
"""

import collections
import functools
import os
import re
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple

import yaml

import scratch_machine as machine
from cobbler_bridge import shipped
from cobbler_bridge.plan import first_boot
from cobbler_bridge.plan.families import EVERY
from cobbler_bridge.plan.plan import Program, plain
from cobbler_bridge.plan.target import Target
from cobbler_bridge.snippet import bridge_setup

# libyaml's, where there is one, reads all of them in a moment
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CASES = Path(__file__).parent / "cases"
USUAL = CASES / "usual.txt"
INDENT = "    "
UNENDED = "\\ no newline at the end"
KEPT = first_boot.KEPT.lstrip("/")
THE_SCRIPT = "the script that was run\n"
# said by a case, and not a path
SAID = "said"
# of these the text that most hosts have stands once, in USUAL
USUALLY_THE_SAME = (
    "etc/profile.d/cobbler-bridge.csh",
    "etc/profile.d/cobbler-bridge.sh",
    "etc/sysctl.d/cobbler-bridge.conf",
    "etc/udev/rules.d/99-cobbler-bridge.rules",
    "var/lib/cobbler-bridge/ports",
)
_HEAD = re.compile(
    r"(?P<path>\S.*?)(?: \(mode (?P<mode>[0-7]+)\))?"
    r"(?: = (?P<known>.+)| -> (?P<link>.+)|(?P<removed> removed))?"
)


class Case(NamedTuple):
    """What was written, and the machine that it is for."""

    name: str
    why: str
    targets: Sequence[str]
    data: Mapping[str, Any]
    machine: Mapping[str, Any]
    later: Optional[Mapping[str, Any]] = None

    def data_of(self, target: str) -> Dict[str, Any]:
        """The blended data of the system on a target."""
        return dict({"breed": "redhat", "os_version": target}, **self.data)

    def expected(self, target: str) -> Path:
        """The file that says what comes out on a target."""
        return CASES / self.name / (target + ".txt")


class Entry(NamedTuple):
    """One path of a tree: a file with its text, or a symbolic link with where it leads."""

    text: str
    mode: int = 0o644
    is_link: bool = False


# None is for a path that is no more
Tree = Mapping[str, Optional[Entry]]


class Outcome(NamedTuple):
    """What a script said and what it did to a tree."""

    said: str
    tree: Tree


@functools.lru_cache(maxsize=None)
def cases() -> Sequence[Case]:
    """Every case, by name."""
    return [
        Case(path.parent.name, **yaml.load(path.read_text(encoding="utf-8"), LOADER))
        for path in sorted(CASES.glob("*/case.yaml"))
    ]


def case(name: str) -> Case:
    """The case of a name."""
    (found,) = (each for each in cases() if each.name == name)
    return found


def each_target() -> Iterator[Tuple[Case, str]]:
    """Every case with each of its targets."""
    for each in cases():
        for target in each.targets:
            yield each, target


def read_tree(root: Path) -> Dict[str, Entry]:
    """Every file and link of a scratch root but the kernel's."""
    found = {}
    for folder, folders, files in os.walk(str(root)):
        at = os.path.relpath(folder, str(root))
        if at == ".":
            folders[:] = sorted(set(folders) - {"sys", "proc"})
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in [*files, *links]:
            path = Path(folder, name)
            relative = os.path.normpath(os.path.join(at, name))
            if path.is_symlink():
                found[relative] = Entry(os.readlink(str(path)), is_link=True)
            else:
                mode = path.stat().st_mode & 0o7777
                text = path.read_bytes().decode("utf-8")
                # which has all the others in it
                found[relative] = Entry(THE_SCRIPT if relative == KEPT else text, mode)
    return found


def outcome(before: Mapping[str, Entry], after: Mapping[str, Entry], run: machine.Run) -> Outcome:
    """What a run did, from the tree before it and after it."""
    said = run.output + run.errors + "exit status %d\n" % run.status
    changed = {path: after.get(path) for path in sorted({*before, *after})}
    return Outcome(said, {path: now for path, now in changed.items() if now != before.get(path)})


def carry_out(each: Case, target: str, root: Path, shell: Sequence[str]) -> Outcome:
    """Build the machine of a case in an empty folder, and run its script there once."""
    machine.build(root, each.machine)
    before = read_tree(root)
    run = machine.run(bridge_setup(each.data_of(target)), root, shell)
    return outcome(before, read_tree(root), run)


@functools.lru_cache(maxsize=None)
def _shipped() -> Mapping[str, str]:
    """The text of each file that comes to a host as it is → its name."""
    names = [
        entry.name for entry in os.scandir(shipped.folder("script/on_the_host")) if entry.is_file()
    ]
    found = {shipped.on_a_host(name): name for name in names}
    for program, target in checks(EVERY).items():
        name = "check of %s, %s" % (target.init, ", ".join(target.readers))
        found[plain(program.content)] = name
    return found


def checks(targets: Sequence[Target]) -> Dict[Program, Target]:
    """Each check that there is for some of these, and a target that has it."""
    return {first_boot.program(each): each for each in targets if first_boot.has_check(each)}


@functools.lru_cache(maxsize=None)
def usual() -> Mapping[str, str]:
    """The texts that stand once, by path."""
    found = {}
    for path, match, text in _sections(USUAL.read_text(encoding="utf-8")):
        assert match.group() == path, match.group()
        found[path] = text
    return found


def what_is_usual(outcomes: Sequence[Outcome]) -> Dict[str, str]:
    """The text that most have: where it changes, that is one change and not one in every case."""
    found = {}
    for path in USUALLY_THE_SAME:
        entries = [done.tree.get(path) for done in outcomes]
        texts = collections.Counter(entry.text for entry in entries if entry is not None)
        if texts:
            found[path] = texts.most_common(1)[0][0]
    return found


def write_usual(texts: Mapping[str, str]) -> str:
    """The text of the file that has what is usual."""
    return "".join(path + "\n" + _indented(texts[path]) for path in sorted(texts))


def write(each: Case, done: Outcome, known: Mapping[str, str]) -> str:
    """An outcome as the text of an expected file; ``known`` is what is usual."""
    text = SAID + "\n" + _indented(done.said)
    for path, entry in sorted(done.tree.items()):
        text += _section(each, path, entry, known)
    assert read(each, text, known) == done, "what this case writes can't be shown as text"
    return text


def read(each: Case, text: str, known: Mapping[str, str]) -> Outcome:
    """The outcome that an expected file stands for."""
    names = {name: content for content, name in _shipped().items()}
    said = ""
    tree: Dict[str, Optional[Entry]] = {}
    for path, match, content in _sections(text):
        mode = int(match.group("mode") or "644", 8)
        name = match.group("known")
        if path == SAID:
            said = content
        elif match.group("removed"):
            tree[path] = None
        elif match.group("link"):
            tree[path] = Entry(match.group("link"), is_link=True)
        elif name == "the machine's":
            tree[path] = Entry(str(_machines(each, path)), mode)
        elif name == "as usual":
            tree[path] = Entry(known[path], mode)
        elif name:
            kind, _, file = name.partition(" ")
            assert kind == "shipped", name
            assert file in names, name
            tree[path] = Entry(names[file], mode)
        else:
            tree[path] = Entry(content, mode)
    return Outcome(said, tree)


def expected(each: Case, target: str) -> Outcome:
    """What has to come out."""
    return read(each, each.expected(target).read_bytes().decode("utf-8"), usual())


def _section(each: Case, path: str, entry: Optional[Entry], usual_texts: Mapping[str, str]) -> str:
    if entry is None:
        return "%s removed\n" % path
    if entry.is_link:
        return "%s -> %s\n" % (path, entry.text)
    head = path if entry.mode == 0o644 else "%s (mode %o)" % (path, entry.mode)
    known = _known(path, entry, each, usual_texts)
    return head + "\n" + _indented(entry.text) if known is None else "%s = %s\n" % (head, known)


def _known(path: str, entry: Entry, each: Case, usual_texts: Mapping[str, str]) -> Optional[str]:
    """How the text of a file is named where it is known already."""
    if entry.text in _shipped():
        return "shipped " + _shipped()[entry.text]
    if entry.text == _machines(each, path):
        return "the machine's"
    return "as usual" if entry.text == usual_texts.get(path) else None


def _machines(each: Case, path: str) -> Optional[str]:
    """What the machine had in the file that the end of a path names."""
    for file, text in (each.machine.get("files") or {}).items():
        if path.endswith("/" + file.rstrip("!").lstrip("/")):
            return str(text)
    return None


def _indented(text: str) -> str:
    lines = text.split("\n")
    end = lines.pop()
    shown = "".join((INDENT + line if line else "") + "\n" for line in lines)
    return shown + ("%s%s\n%s\n" % (INDENT, end, UNENDED) if end else "")


def _sections(text: str) -> "Iterator[Tuple[str, re.Match[str], str]]":
    """Each line that is no content, taken apart, and the content below it."""
    match: "Optional[re.Match[str]]" = None
    content = ""
    for line in text.split("\n")[:-1]:
        if line == UNENDED:
            content = content[:-1]
        elif not line or line.startswith(INDENT):
            content += line[len(INDENT) :] + "\n"
        else:
            if match is not None:
                yield match.group("path"), match, content
            match, content = _HEAD.fullmatch(line), ""
            assert match is not None, line
    if match is not None:
        yield match.group("path"), match, content
