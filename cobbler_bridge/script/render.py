"""Turns a plan into the POSIX sh script that a snippet pastes into an install file.

The script stands in a kickstart's %post, a preseed's late script or an AutoYaST script, so
nothing in it may end such a section, and Cobbler's ``@@name@@`` replacement must not see it. A
shell of its own runs it: what the section's shell was told (``set -e``, a trap, IFS, a readonly
name, a function called ``cp``) doesn't reach it, and whatever becomes of it, the section goes on.
"""

import functools
import itertools
import re
from typing import AbstractSet, Dict, FrozenSet, List, NamedTuple, Sequence, Set, Tuple, Union

from cobbler_bridge import __version__, shipped
from cobbler_bridge.plan.delivery import Line
from cobbler_bridge.plan.plan import (
    Branch,
    Call,
    Either,
    Fact,
    File,
    Need,
    Plan,
    Program,
    Shipped,
    Stage,
    Word,
    flat,
    plain,
)
from cobbler_bridge.problem import Problem, one_line
from cobbler_bridge.script import carried

# What an install file, Cobbler or its web service would take for its own, with where to cut it
_CUTS = (
    ("@@", 1),
    ("]]>", 2),
    ("# *** ERROR ***", 2),
    ("# profile not found", 2),
    ("# system not found", 2),
    ("# object not found", 2),
)
_HERE_DOCUMENT = {ord(letter): "\\" + letter for letter in "\\$`"}
# A line that begins with %, blanks before it or not, may end a kickstart's section; and what
# begins a line there is up to Python, for which a form feed ends one
_ENDS_A_LINE = r"\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
_PERCENT = re.compile(r"([%s][^\S%s]*)%%" % (_ENDS_A_LINE, _ENDS_A_LINE))
# Nothing, in a here-document: what a shell leaves of its own name without all of it
_NOTHING = "${0##*}"
_UNPREPARED = 'leave_alone "a file can\'t be prepared"'
_NO_WORD = re.compile(r"[^A-Za-z0-9]+")
_PLAIN = re.compile(r"[A-Za-z0-9_./:-]+\Z")
# a line that a here-document could end with, between two others
_MARK = re.compile(r"\n(EOF[0-9]*)(?=\n)")
# a script that is kept on the host has its own text; a part of it is not run
_WHOLE = "whole() {\ncat <<'%s'\n"
_RUN_WHOLE = """\
%s
}
PATH=${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin
command -v cat > /dev/null || {
    echo "cobbler-bridge: there is no cat; the network stays as it is" >&2
    exit 0
}
text=$(whole) || text='
    echo "cobbler-bridge: the script cannot be read; the network stays as it is" >&2
    [ "${1:-}" != apply ]'
eval "$text"
"""
# Of the environment no more than these, and no option or function that was exported in it. The
# here-document is whole before the shell begins, and nothing that it calls reads on in it. The
# sentence is a subshell's to say, which dies of it where nobody reads any more.
_FRAME = """\
/usr/bin/env -i "PATH=${PATH-}" "BRIDGE_ROOT=${BRIDGE_ROOT-}" \\
    "http_proxy=${http_proxy-}" "https_proxy=${https_proxy-}" \\
    /bin/sh <<'%s' || (echo 'cobbler-bridge: the script did not run to its end' >&2) || :
"""
# a refusal ends with 1, and has said why
_CALL = '(bridge_setup) < /dev/null || { [ $? -eq 1 ] && [ "${1:-}" != apply ]; }\n'
# By which a script is found in a whole install file: it stands in its first line and in its last,
# and behind the first comes this
RULE = "---- cobbler-bridge "
FIRST = _FRAME.split("\n", 1)[0]
_END = "end of bridge_setup"
LAST = ": %s ----" % _END


def quote(text: str) -> str:
    """One shell word that is exactly ``text``, whatever carries the script.

    Raises ``ValueError`` for a NUL character, which no shell word can hold.
    """
    if "\0" in text:
        raise ValueError("a shell word can't hold a NUL character")
    if _PLAIN.match(text):
        return text
    return "'%s'" % _cut(text.replace("'", "'\\''"), "''")


def _cut(text: str, nothing: str) -> str:
    """A text in which nothing is what an install file or Cobbler would take for its own: it is cut
    there by what the shell makes ``nothing`` of. It stands behind something else on its line."""
    text = _PERCENT.sub(lambda match: match.group(1) + nothing + "%", text)
    for mark, cut in _CUTS:
        while mark in text:
            text = text.replace(mark, mark[:cut] + nothing + mark[cut:])
    return text


class _Part(NamedTuple):
    """A part of a script, with the lines of it that no here-document around it may end with."""

    text: str
    marks: FrozenSet[str]


def _part(text: str) -> _Part:
    return _Part(text, frozenset(_MARK.findall("\n%s\n" % text)))


def _mark(marks: AbstractSet[str]) -> str:
    """The end of a here-document that has these lines in it."""
    possible = itertools.chain(["EOF"], map("EOF{}".format, itertools.count(2)))
    return next(mark for mark in possible if mark not in marks)


def end_mark(text: str) -> str:
    """A word that is no line of ``text``: the end of the here-document that holds it."""
    return _mark(_part(text).marks)


def script(plan: Plan) -> str:
    """The script that carries out a plan, in a shell of its own and in any section."""
    return "".join(script_parts(plan))


def script_parts(plan: Plan) -> Tuple[str, ...]:
    """The same in parts, of which the largest is shared by all hosts of a kind."""
    return _framed("%s, for %s" % (plan.title, _name(plan.subject)), _program(plan))


def program(plan: Plan) -> str:
    """The same as a file of its own, which takes a word (``begin.sh``)."""
    return "".join(part.text for part in _program(plan))


def _program(plan: Plan) -> List[_Part]:
    """First what is written, then the helpers that this calls."""
    about = "by_check" if plan.proved else "unproved"
    lines = ["bridge_setup() {", *map(_step, plan.steps), "commit " + about, "}", ""]
    lines += ["# What follows is the same in every script.", "", ""]
    # in the order of the steps, each once
    parts: Dict[str, None] = {}
    fixed: Dict[Shipped, None] = {}
    words: Set[Word] = set()
    for _, step in flat(plan.steps):
        if isinstance(step, Call):
            # a helper may be an argument of another one
            words.update((step.helper, *step.arguments))
        elif isinstance(step, Shipped):
            fixed[step] = None
        elif isinstance(step, Program):
            parts.update(dict.fromkeys(step.parts))
            words.add("put_program")
        elif isinstance(step, Need):
            words.add("need")
    calls = carried.helpers().intersection(words)
    called = calls.union(("commit", about, "leave_alone", "write_file"))
    whole = [_part("\n".join(lines)), _fixed(tuple(parts), tuple(fixed), called)]
    if "keep_script" in calls:
        mark = _mark(whole[0].marks | whole[1].marks)
        return [_part(_WHOLE % mark), *whole, _part(_CALL), _part(_RUN_WHOLE % mark)]
    return [*whole, _part(_CALL)]


# it is by far the most of a script, and the same for all hosts of a kind
@functools.lru_cache(maxsize=256)
def _fixed(parts: Tuple[str, ...], fixed: Tuple[Shipped, ...], called: FrozenSet[str]) -> _Part:
    """What is the same in every script that has these parts, files and helpers."""
    lines = [*map(_part_of_program, parts), *map(_definition, fixed)]
    lines.append(carried.text(called, shares=bool(parts)))
    lines.append(carried.check(called, shares=bool(parts)))
    return _part("\n".join(lines) + "\n")


def refusal(subject: str, problems: Sequence[Problem]) -> str:
    """A script that touches nothing and prints each problem."""
    lines = ["printf 'cobbler-bridge: %%s\\n' %s >&2" % quote(str(each)) for each in problems]
    lines.append("printf 'cobbler-bridge: %s\\n' 'the network stays as it is' >&2\n")
    return "".join(_framed("no bridge for %s" % _name(subject), [_part("\n".join(lines))]))


def _framed(title: str, parts: Sequence[_Part]) -> Tuple[str, ...]:
    """The parts for a shell of its own, in a section whose status is 0 behind it."""
    mark = _mark(frozenset().union(*(part.marks for part in parts)))
    text = (part.text for part in parts)
    return (_rule(title), "\n", _FRAME % mark, *text, mark, "\n", _rule(_END), "\n")


def comments(title: str, subject: str, problems: Sequence[Problem]) -> str:
    """The problems as comments, for a place where no script can stand."""
    lines = [_rule("%s for %s" % (title, _name(subject)))]
    lines += [_comment("cobbler-bridge: " + str(problem)) for problem in problems]
    return "\n".join(lines) + "\n"


def files(plan: Plan, fetched: Sequence[Line] = ()) -> str:
    """The files of a plan as a person reads them; $port1 and $mac1 are what the machine finds.

    ``fetched`` are the lines that have a machine fetch it.
    """
    lines = ["# %s, for %s" % (plan.title, one_line(plan.subject))]
    lines += ["\n# %s:\n%s" % (where, one_line(text)) for where, text in fetched]
    after_file = True
    machine = ""
    for name, step in flat(plan.steps):
        if name != machine:
            lines.append("\n# ---- on %s ----" % name)
            machine = name
        if isinstance(step, File):
            heading = "\n# %s (mode %o)\n" % (plain(step.path), step.mode)
            lines.append(heading + plain(step.content).rstrip("\n"))
            after_file = True
        else:
            lines.append("\n" * after_file + "# " + step.does)
            after_file = False
    return "\n".join(lines) + "\n"


def _rule(text: str) -> str:
    return _comment("%s%s: %s ----" % (RULE, __version__, text))


def _comment(text: str) -> str:
    """A comment, whatever the text is: a newline would end it, and the shell would run the rest."""
    return _cut("# " + one_line(text), " ")


def _name(subject: str) -> str:
    """A name in a comment, in quotes where it could be taken for more than a name."""
    return quote(one_line(subject))


@functools.lru_cache(maxsize=256)
def _step(step: Stage) -> str:
    """The lines of one step; remembered, for most steps are the same on every machine."""
    if isinstance(step, Either):
        branches = [_branch(branch) for branch in step.branches]
        why = "it is not known what a machine of the release '$release' reads"
        return "\n".join(["case $release in", *branches, '*) leave_alone "%s" ;;' % why, "esac"])
    if isinstance(step, Call):
        return " ".join([step.helper] + [_word(word) for word in step.arguments])
    if isinstance(step, Need):
        return " ".join(map(quote, step.words))
    if isinstance(step, Program):
        words = ("%o" % step.mode, quote(plain(step.path)), "functions")
        return " ".join(("put_program", *words, *map(_part_name, step.parts)))
    return _put(step) if isinstance(step, Shipped) else _write(step)


def _put(file: Shipped) -> str:
    """The function that writes a file whose content is the same on every machine."""
    return "put" + _NO_WORD.sub("_", plain(file.path))


@functools.lru_cache(maxsize=None)
def _definition(file: Shipped) -> str:
    return "%s() {\n%s\n}" % (_put(file), _write(file))


def _part_name(part: str) -> str:
    """The function that prints a part of a program."""
    return "part_" + _NO_WORD.sub("_", part)


@functools.lru_cache(maxsize=None)
def _part_of_program(part: str) -> str:
    text = shipped.on_a_host(part + ".sh")
    if _cut("\n" + text, _NOTHING) != "\n" + text:
        raise ValueError("%s has what a here-document can't hold as it is" % part)
    return "%s() {\ncat <<'EOF'\n%sEOF\n}" % (_part_name(part), text)


def _write(step: Union[File, Shipped]) -> str:
    path = "".join(_in_path(part) for part in step.path)
    quoted = '"%s"' % path if any(isinstance(part, Fact) for part in step.path) else quote(path)
    words = [part for part in step.content if isinstance(part, str)]
    # nothing is filled in
    text = "".join(words) if len(words) == len(step.content) else ""
    # the line before it is a command
    if text and _cut("\n" + text, _NOTHING) == "\n" + text:
        body, mark = text, end_mark(text)
        end = "'%s'" % mark
    else:
        body = _cut("\n" + "".join(map(_in_here_document, step.content)), _NOTHING)[1:]
        mark = end = end_mark(body)
    if "\0" in body or not body.endswith("\n"):
        raise ValueError("a here-document holds lines, and no NUL character")
    # where the shell can't hold a here-document, on a full disk, it doesn't call write_file at all
    call = "write_file %o %s <<%s" % (step.mode, quoted, end)
    return "%s || %s\n%s%s" % (call, _UNPREPARED, body, mark)


def _branch(branch: Branch) -> str:
    return "\n".join(["%s)" % branch.release, *map(_step, branch.steps), ";;"])


def _word(word: Word) -> str:
    return '"$%s"' % word.name if isinstance(word, Fact) else quote(word)


def _in_path(part: Word) -> str:
    return "${%s}" % part.name if isinstance(part, Fact) else part


def _in_here_document(part: Word) -> str:
    if isinstance(part, Fact):
        return "${%s}" % part.name
    return part.translate(_HERE_DOCUMENT)
