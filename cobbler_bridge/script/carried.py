"""The fixed shell functions of ``helpers/``: which of them a script needs, and their text.

A helper is a function of POSIX sh that begins with ``NAME() {`` at the start of a line and ends
with the next ``}`` there; the comment before it belongs to it. What stands in a file outside of
functions goes with any of the file's functions; ``# needs: NAME...`` there names what these call
that is not of this file: other helpers, and programs.
"""

import functools
import os
import re
from typing import Dict, FrozenSet, List, NamedTuple, Set, Tuple

from cobbler_bridge import layout, shipped

FOLDER = "script/helpers"
_FUNCTION = re.compile(r"(?:^#.*\n)*^([a-z_0-9]+)\(\) \{\n(?:.*\n)*?^\}.*\n", re.MULTILINE)
_NEEDS = re.compile(r"^# needs: (.*)\n", re.MULTILINE)
_COMMENT = re.compile(r"^ *#.*\n", re.MULTILINE)
# of awk's, in quotes that go on over lines
_PROGRAM = re.compile(r"((?<=[^'] )|(?<=[\"=]))'\n[^']*'")
# what a case is about
_PATTERN = re.compile(r"^ *[^()\n]*\)", re.MULTILINE)
_WORD = re.compile(r"[a-z_][a-z_0-9]*")
# A word where a command may stand; those that only look like one (of awk, of a message) are no
# program, or ask for what is there anyway
_CALLED = re.compile(
    r"(?:^|[|&;()!]|(?<!\$)\{|\b(?:then|else|do|if|elif|while|until|in)\b)"
    r"(?=[ \t]*(?:[A-Za-z_]+=\S*[ \t]+)*([a-z_0-9]+)\b(?![=(]))",
    re.MULTILINE,
)
# once for the script, and for what it writes; a shell that can't hand them over is seen by check
_FUNCTIONS = """\
functions() {
cat <<'EOF'
%sEOF
} 2> /dev/null
eval "$(functions)"
"""
_LAST = "process"
_CHECK = """\
for each in %s; do
    command -v "$each" > /dev/null && continue
    echo "cobbler-bridge: there is no $each; the network stays as it is" >&2; exit 0
done"""


class Helper(NamedTuple):
    """A function: its text with its comment, and the helpers and programs that it calls."""

    name: str
    text: str
    calls: FrozenSet[str]


class HelperFile(NamedTuple):
    """A file of helpers, in their order.

    ``begin`` is what stands outside of functions, ``needs`` what is said there to be called.
    """

    name: str
    begin: str
    needs: FrozenSet[str]
    helpers: Tuple[Helper, ...]


@functools.lru_cache(maxsize=None)
def files() -> Tuple[HelperFile, ...]:
    """Every file of helpers, in the order in which they stand in a script."""
    names = sorted(name for name in os.listdir(shipped.folder(FOLDER)) if name.endswith(".sh"))
    texts = {name: shipped.text(FOLDER, name) for name in names}
    known = {match.group(1) for text in texts.values() for match in _FUNCTION.finditer(text)}
    found = [_file(name, text, known) for name, text in texts.items()]
    # what is done at once comes first
    return tuple(sorted(found, key=lambda file: not _COMMENT.sub("", file.begin).strip()))


def _file(name: str, text: str, known: Set[str]) -> HelperFile:
    needs = frozenset(word for line in _NEEDS.findall(text) for word in line.split())
    own = {match.group(1) for match in _FUNCTION.finditer(text)}
    helpers = []
    for match in _FUNCTION.finditer(text):
        shell = _COMMENT.sub("", match.group())
        # a helper may be named by another one's argument
        calls = (own | needs & known).intersection(_WORD.findall(shell))
        calls |= (needs - known).intersection(called(shell))
        helpers.append(Helper(match.group(1), match.group(), frozenset(calls)))
    begin = _FUNCTION.sub("", text).strip("\n")
    return HelperFile(name, begin, needs, tuple(helpers))


def called(shell: str) -> Set[str]:
    """Every word of a text that stands where a command may."""
    for apart in (_COMMENT, _PROGRAM, _PATTERN):
        shell = apart.sub("", shell)
    return set(_CALLED.findall(shell))


@functools.lru_cache(maxsize=None)
def programs() -> FrozenSet[str]:
    """What helpers call that is neither theirs nor the shell's own."""
    return frozenset(name for file in files() for name in file.needs) - helpers()


@functools.lru_cache(maxsize=None)
def helpers() -> FrozenSet[str]:
    """The names of all helpers."""
    return frozenset(each.name for file in files() for each in file.helpers)


@functools.lru_cache(maxsize=256)
def reached(names: FrozenSet[str]) -> FrozenSet[str]:
    """All that is called, by these helpers and by those that they call: programs too."""
    calls: Dict[str, FrozenSet[str]] = {
        each.name: each.calls for file in files() for each in file.helpers
    }
    found: Set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += calls.get(name, ())
    return frozenset(found)


@functools.lru_cache(maxsize=256)
def text(names: FrozenSet[str], shares: bool = False) -> str:
    """The text of these helpers and of all that they need, in the order of the files.

    ``shares`` says that a program which the script writes begins with some of them.
    """
    wanted = reached(names)
    parts: List[str] = []
    for file in files():
        used = [each.text for each in file.helpers if each.name in wanted]
        if shares and file.name == "shared.sh":
            parts.append(_FUNCTIONS % shipped.functions())
        elif used:
            parts.append(layout.shell("\n".join([file.begin, *used])))
    return "".join(parts)


@functools.lru_cache(maxsize=256)
def check(names: FrozenSet[str], shares: bool = False) -> str:
    """Shell that ends where a program that these helpers need isn't there to be called.

    The shell itself would only print that it isn't found, and go on with the next line. Of helpers
    the last one is looked for that comes by a program; the others stand above in the same text.
    """
    wanted = sorted(reached(names) & programs())
    return _CHECK % " ".join(wanted + [_LAST] * shares)
