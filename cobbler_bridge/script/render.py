"""Turns a plan into the POSIX sh script that a snippet pastes into an install file.

The script stands in a kickstart's %post, a preseed's late script or an AutoYaST script, so
nothing in it may end such a section, and Cobbler's ``@@name@@`` replacement must not see it.
"""

import functools
import re
from typing import Sequence, Tuple

from cobbler_bridge import __version__, shipped
from cobbler_bridge.plan import Branch, Call, Either, Fact, File, Plan, Stage, Word, flat, plain
from cobbler_bridge.problem import Problem, one_line

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
_PERCENT = re.compile(r"(?<=\s)%")
_NO_WORD = re.compile(r"[^A-Za-z0-9]+")
_PLAIN = re.compile(r"[A-Za-z0-9_./:-]+\Z")


def quote(text: str) -> str:
    """One shell word that is exactly ``text``, whatever carries the script.

    Raises ``ValueError`` for a NUL character, which no shell word can hold.
    """
    if "\0" in text:
        raise ValueError("a shell word can't hold a NUL character")
    if _PLAIN.match(text):
        return text
    quoted = _PERCENT.sub("''%", text.replace("'", "'\\''"))
    for mark, cut in _CUTS:
        while mark in quoted:
            quoted = quoted.replace(mark, mark[:cut] + "''" + mark[cut:])
    return "'%s'" % quoted


def script(plan: Plan) -> str:
    """The script that carries out a plan: first what is written, then the helpers it calls."""
    lines = [_rule("%s, for %s" % (plan.title, _name(plan.subject))), "(", "bridge_setup() {"]
    for step in plan.steps:
        lines.append(_step(step))
    lines += ["commit", "}", "", "# What follows is the same in every script.", ""]
    fixed = [step for _, step in flat(plan.steps) if isinstance(step, File) and step.does]
    lines += [_definition(file) for file in dict.fromkeys(fixed)]
    lines += [_helpers(plan.helpers), "bridge_setup", ")", _rule("end of bridge_setup"), ""]
    return "\n".join(lines)


def refusal(subject: str, problems: Sequence[Problem]) -> str:
    """A script that touches nothing, prints each problem and exits with 1."""
    lines = [_rule("no bridge for %s" % _name(subject)), "("]
    lines += ["printf 'cobbler-bridge: %%s\\n' %s >&2" % quote(str(each)) for each in problems]
    lines.append("printf 'cobbler-bridge: %s\\n' 'the network stays as it is' >&2")
    return "\n".join(lines + ["exit 1", ")", _rule("end of bridge_setup"), ""])


def comments(title: str, subject: str, problems: Sequence[Problem]) -> str:
    """The problems as comments, for a place where no script can stand."""
    lines = [_rule("%s for %s" % (title, _name(subject)))]
    for problem in problems:
        line = str(problem)
        for mark, cut in _CUTS:
            while mark in line:
                line = line.replace(mark, mark[:cut] + " " + mark[cut:])
        lines.append("# cobbler-bridge: %s" % line)
    return "\n".join(lines) + "\n"


def files(plan: Plan) -> str:
    """The files of a plan as a person reads them; $port1 and $mac1 are what the machine finds."""
    lines = ["# %s, for %s" % (plan.title, one_line(plan.subject))]
    after_file = True
    machine = ""
    for name, step in flat(plan.steps):
        if name != machine:
            lines.append("\n# ---- on %s ----" % name)
            machine = name
        if isinstance(step, File) and not step.does:
            heading = "\n# %s (mode %o)\n" % (plain(step.path), step.mode)
            lines.append(heading + plain(step.content).rstrip("\n"))
            after_file = True
        else:
            lines.append("\n" * after_file + "# " + step.does)
            after_file = False
    return "\n".join(lines) + "\n"


def _rule(text: str) -> str:
    return "# ---- cobbler-bridge %s: %s ----" % (__version__, text)


def _name(subject: str) -> str:
    """A name for a comment: a newline would end it, and the shell would run the rest."""
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
    return _put(step) if step.does else _write(step)


def _put(file: File) -> str:
    """The function that writes a file whose content is the same on every machine."""
    return "put" + _NO_WORD.sub("_", plain(file.path))


@functools.lru_cache(maxsize=None)
def _definition(file: File) -> str:
    return "%s() {\n%s\n}\n" % (_put(file), _write(file))


def _write(step: File) -> str:
    path = "".join(_in_path(part) for part in step.path)
    quoted = '"%s"' % path if any(isinstance(part, Fact) for part in step.path) else quote(path)
    body = "".join(_in_here_document(part) for part in step.content)
    return "write_file %o %s <<EOF\n%sEOF" % (step.mode, quoted, body)


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


@functools.lru_cache(maxsize=None)
def _helpers(names: Tuple[str, ...]) -> str:
    return "\n".join(shipped.text("runtime", name + ".sh") for name in names)
