"""``make cases`` and ``make case NAME=…``: write the expected files of ``tests/cases`` anew.

What they were before isn't read, so that they may be in any state, as after a merge. Then each
distinct change is shown once, however many files have it. The last commit is what it is compared
with.
"""

import collections
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Set, Tuple

import golden
import scratch_machine as machine

ROOT = golden.CASES.parent.parent
# how many of the files, and of the paths in them, that have a change are named
NAMED = 6


class Hunk(NamedTuple):
    """Lines that were changed together: in which expected file, and of which path there."""

    file: str
    path: str
    lines: str


def main(names: Sequence[str]) -> int:
    """Write the expected files of these cases anew, or of all, and show what that changed."""
    if "CI" in os.environ:
        print("CI shows what changed and never writes it", file=sys.stderr)
        return 2
    unknown = sorted(set(names) - {each.name for each in golden.cases()})
    if unknown:
        print("there is no case %s" % ", ".join(unknown), file=sys.stderr)
        return 2
    write(names)
    print(summary(names), end="")
    return 0


def write(names: Sequence[str]) -> None:
    """Carry out cases, and write what came out; without names all, and what is usual with them."""
    wanted = [(each, target) for each, target in golden.each_target() if each.name in names]
    wanted = wanted or list(golden.each_target())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda pair: _carry_out(*pair), wanted))
    usual = golden.usual() if names else golden.what_is_usual(outcomes)
    _clear([golden.CASES / name for name in names] or [golden.CASES])
    golden.USUAL.write_bytes(golden.write_usual(usual).encode("utf-8"))
    for (each, target), done in zip(wanted, outcomes):
        each.expected(target).write_bytes(golden.write(each, done, usual).encode("utf-8"))


def summary(names: Sequence[str]) -> str:
    """What these cases, or all, changed since the last commit; the same change stands once."""
    of = ["tests/cases/%s/*.txt" % name for name in names] or ["tests/cases/*.txt"]
    text = ""
    for title, state in (("new", "A"), ("gone", "D")):
        paths = _git(
            "diff", "--name-only", "--diff-filter=" + state, "HEAD", "--", *of
        ).splitlines()
        if state == "A":
            paths += _git("ls-files", "--others", "--exclude-standard", "--", *of).splitlines()
        text += "".join("%s: %s\n" % (title, path) for path in sorted(set(paths)))
    options = "--unified=0 --no-color --no-ext-diff --diff-filter=M".split()
    diff = _git("diff", *options, "HEAD", "--", *of)
    return text + shown(hunks(diff))


def hunks(diff: str) -> List[Hunk]:
    """The hunks of a diff of expected files, without their numbers."""
    found: List[Hunk] = []
    for part in re.split("(?m)^diff ", diff)[1:]:
        head, *those = re.split("(?m)^@@ ", part)
        file = re.findall(r"(?m)^\+\+\+ b/tests/cases/(.*)\.txt$", head)[0]
        for each in those:
            numbers, lines = each.split("\n", 1)
            # a path that is in the lines says where they are
            path = "" if re.match(r"[-+][^ \\]", lines) else numbers.split("@@")[1].strip()
            found.append(Hunk(file, path, lines))
    return found


def shown(found: Sequence[Hunk]) -> str:
    """Each distinct change once, those that most files have first."""
    places: Dict[str, List[Tuple[str, str]]] = collections.defaultdict(list)
    for hunk in found:
        places[hunk.lines].append((hunk.file, hunk.path))
    text = ""
    for lines, those in sorted(places.items(), key=lambda pair: -len(pair[1])):
        files = {file for file, _ in those}
        paths = {path for _, path in those if path}
        text += "\n=== %d × in %d: %s\n" % (len(those), len(files), _some(files))
        text += ("    %s\n" % _some(paths) if paths else "") + lines
    total = sum(len(those) for those in places.values())
    return text + "\n%d changes, %d of them distinct\n" % (total, len(places))


def _some(names: Set[str]) -> str:
    return ", ".join(sorted(names)[:NAMED]) + (", …" if len(names) > NAMED else "")


def _carry_out(each: golden.Case, target: str) -> golden.Outcome:
    # the tests hold the other shells to what this one does
    with tempfile.TemporaryDirectory() as folder:
        return golden.carry_out(each, target, Path(folder), machine.SHELLS["dash"])


def _clear(folders: Sequence[Path]) -> None:
    """Remove all but what cases are made from, whatever left it there."""
    written = {golden.CASES / each.name / "case.yaml" for each in golden.cases()}
    for folder in folders:
        for at, _, files in os.walk(str(folder), topdown=False):
            for path in {Path(at, name) for name in files} - written:
                path.unlink()
            if not os.listdir(at):
                os.rmdir(at)


def _git(*words: str) -> str:
    command = ["git", *words]
    return subprocess.run(
        command, stdout=subprocess.PIPE, encoding="utf-8", cwd=str(ROOT), check=True
    ).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
