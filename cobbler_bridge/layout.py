"""How shell of the package stands in a script: the same commands, on fewer lines.

The sources are laid out for who works on them, a script for who reads it on a host. What goes are
blank lines, remarks inside of functions, of those before them all but the first line, and what is
meant for shellcheck; a block of a few short commands stands on one line, where that is not too
long. The same of awk, in quotes of its own.
"""

import functools
import re
from typing import Iterator, List, Optional, Tuple

# as the sources
_WIDTH = 100
# of a block on one line
_COMMANDS = 3
_HERE_DOCUMENT = re.compile(r"<<-? ?'?([A-Z_0-9]+)'?")
_REMARK = re.compile(r" *#(?!!)")
_FOR_PROGRAMS = re.compile(r"# (chkconfig|description): ")
# of a remark of several lines, what its first one says only half
_WHOLE = re.compile(r"([;,.:] [^;,.:]*|[;,.:])\Z")
# what is said to who works on the sources
_FOR_US = re.compile(r" *# (shellcheck|needs: )")
# of a function or a class, which has more in it
_DOCSTRING = re.compile(r'^ +"""(?:.*\n)*?.*"""\n', re.MULTILINE)
_PYTHON_REMARK = re.compile(r"^ *#(?!!).*\n", re.MULTILINE)
_INDENT = re.compile(r" *")
# What a line begins that is ended by another one; and that one
_BLOCKS = (
    (re.compile(r"[A-Za-z_0-9]+\(\) \{\Z"), re.compile(r"\}")),
    (re.compile(r" *(.* )?\{\Z"), re.compile(r" *\}")),
    (re.compile(r" *if .*; then\Z"), re.compile(r" *fi\b")),
    (re.compile(r" *(for|while|until) .*; do\Z"), re.compile(r" *done\b")),
    (re.compile(r" *for [a-z]+; do\Z"), re.compile(r" *done\b")),
    (re.compile(r" *case .* in\Z"), re.compile(r" *esac\b")),
)
_BRANCH = re.compile(r" *[^ ()][^()]*\)\Z")
# what stands alone: it is more than a command, or where it goes on elsewhere
_ALONE = re.compile(
    r" *((case|if|for|while|until|then|else|elif|do|done|fi|esac|exec|return)\b|\{|\}|\()"
    r"|.*(\|\||&&| \| |;;)"
)
# behind these words a command begins without a semicolon
_BEFORE_A_COMMAND = re.compile(r"(\bthen|\bdo|\belse|\bin|\{|;;)\Z")
# A line that the next one goes on, or that begins what another one ends
_GOES_ON = re.compile(r"(\\|\||&|\{|\(|\b(then|do|in))\Z|\A *case\b(?!.*esac)")
_CONTROL = re.compile(r" *(case|if|for|while|until|\{)\b")
# one thing that is done or another
_ARM = re.compile(r" *(if .*; then|elif .*; then|else)\Z")
_NEXT_ARM = re.compile(r" *(elif .*; then|else)")
_END_OF_ARMS = re.compile(r" *fi\b")
_NO_COMMAND = re.compile(r" *(else\Z|elif\b|#)")
# of awk
_AWKS_CONTROL = re.compile(r" *((else )?(if|for|while) (\(.*\))|else)\Z")
_AWK_GOES_ON = re.compile(r"(\\|\||&&|\{|,)\Z")
_AWKS_STATEMENT = re.compile(
    r" *([a-z]\w*(\[[^]]*\])? = |[a-z_]+\([^()]*\)\Z|g?sub\("
    r"|[a-z]+(\+\+|--)\Z|next\Z|(return|delete) )"
)
_SHELL, _AWK, _FIXED = "shell", "awk", "fixed"


@functools.lru_cache(maxsize=256)
def shell(text: str) -> str:
    """The text of a shell file as it stands in a script."""
    lines: List[str] = []
    before = ""
    for line, kind in _lines(text):
        above, before = before, line if kind == _SHELL else ""
        if kind != _FIXED and (not line.strip() or _FOR_US.match(line)):
            continue
        if kind != _FIXED and _REMARK.match(line) and not _FOR_PROGRAMS.match(line):
            if line.startswith(" "):
                continue
            if _REMARK.match(above):
                if lines[-1] == above:
                    lines[-1] = _WHOLE.sub("", above)
                continue
        lines.append(line)
        if kind == _SHELL:
            _join(lines)
        elif kind == _AWK:
            _join_awk(lines)
    return "\n".join(lines) + "\n"


def python(text: str) -> str:
    """A program of Python as it stands in a script, without what is said inside of it."""
    for said in (_DOCSTRING, _PYTHON_REMARK):
        text = said.sub("", text)
    return "".join(line for line in text.splitlines(keepends=True) if line.strip())


def without_remarks(text: str) -> str:
    """A text without blank lines and remarks, but for the first one: a unit of systemd."""
    first, *lines = text.splitlines(keepends=True)
    return first + "".join(line for line in lines if line.strip() and not line.startswith("#"))


def _lines(text: str) -> Iterator[Tuple[str, str]]:
    """Each line, and whether it is of shell, of awk, or of a here-document or another string."""
    mark = quote = ""
    string = _FIXED
    for line in text.rstrip("\n").split("\n"):
        before = quote
        if mark:
            yield line, _FIXED
            mark = "" if line == mark else mark
            continue
        quote = _open_quote(line, quote)
        if quote and not before:
            string = _AWK if quote == "'" and "bash -c" not in line else _FIXED
        yield line, (string if before else _FIXED) if before or quote else _SHELL
        begun = _HERE_DOCUMENT.search(line)
        mark = begun.group(1) if begun and not quote else ""


def _join(lines: List[str]) -> None:
    """Puts what the last line ends on one line, if there are few commands in it."""
    end = lines[-1]
    if end.strip() == ";;":
        begin = _begin_of_branch(lines)
        if begin is not None and _are_few(lines[begin + 1 : -1]):
            _replace(lines, begin, _joined(lines[begin:-1]) + " ;;")
        return
    indent = _indent(end)
    for opens, closes in _BLOCKS:
        if closes.match(end):
            begin = _begin(lines, opens, indent)
            if begin is not None and _are_few(lines[begin + 1 : -1]):
                _replace(lines, begin, _joined(lines[begin:]))
                break
    if _END_OF_ARMS.match(end):
        _join_arms(lines)
    if len(lines) > 1 and _indent(lines[-2]) == indent and all(map(_is_simple, lines[-2:])):
        _replace(lines, len(lines) - 2, _joined(lines[-2:]))


def _is_simple(line: str) -> bool:
    """Whether this may stand beside others: a command that decides nothing."""
    return line.startswith(" ") and _is_one(line) and not _ALONE.match(line)


def _join_arms(lines: List[str]) -> None:
    """What is done if, or else, behind the word, where that is one command."""
    indent = _indent(lines[-1])
    number = len(lines) - 2
    while number > 0 and (_indent(lines[number]) > indent or _NEXT_ARM.match(lines[number])):
        command = lines[number]
        between = _indent(lines[number - 1]) == _indent(lines[number + 1]) == indent
        if between and _ARM.match(lines[number - 1]) and _is_one(command):
            line = _joined([lines[number - 1], command])
            if len(line) <= _WIDTH and not _CONTROL.match(command):
                lines[number - 1 : number + 1] = [line]
        number -= 1


def _join_awk(lines: List[str]) -> None:
    """The same for a program of awk."""
    above, before, end = ["", "", *lines][-3:]
    goes_on = _AWK_GOES_ON.search(before) or _AWK_GOES_ON.search(end)
    if _AWKS_STATEMENT.match(end) and _AWKS_STATEMENT.match(before):
        if _indent(end) == _indent(before) and not _is_bare(above) and not goes_on:
            _replace(lines, len(lines) - 2, "%s; %s" % (before, end.strip()))
    elif _is_bare(before) and _indent(end) > _indent(before):
        if not goes_on:
            _replace(lines, len(lines) - 2, "%s %s" % (before, end.strip()))
    elif end.lstrip().startswith("}"):
        _join_awks_block(lines)


def _join_awks_block(lines: List[str]) -> None:
    end = lines[-1]
    begin = _begin(lines, re.compile(r".*\{\Z"), _indent(end))
    if begin is None:
        return
    inside = lines[begin + 1 : -1]
    if len(inside) > _COMMANDS or any(_AWK_GOES_ON.search(line) for line in inside):
        return
    if len(inside) > 1 and any(line.endswith("}") or " else " in line for line in inside):
        return
    brace, rest = end.strip(), ""
    if brace.startswith("} else"):
        brace, rest = "}", " " * _indent(end) + brace[2:]
    line = "%s %s %s" % (lines[begin], "; ".join(map(str.strip, inside)), brace)
    if len(line) <= _WIDTH and not any(map(_is_bare, inside)):
        lines[begin:] = [line, rest] if rest else [line]


def _is_bare(line: str) -> bool:
    """Whether what this line of awk is about stands on the next one."""
    match = _AWKS_CONTROL.match(line)
    if match is None or match.group(4) is None:
        return match is not None
    depth = 0
    for at, letter in enumerate(match.group(4)):
        depth += (letter == "(") - (letter == ")")
        if not depth:
            return at == len(match.group(4)) - 1
    return True


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _begin(lines: List[str], opens: "re.Pattern[str]", indent: int) -> Optional[int]:
    """The line that begins what the last one ends: the nearest one that stands as far to the left.

    What is between them is further to the right, but for words like else.
    """
    nearest = reversed(list(enumerate(lines[:-1]))[-3 * _COMMANDS :])
    for number, line in nearest:
        if _indent(line) <= indent and not _NO_COMMAND.match(line) and not line.endswith(";;"):
            return number if _indent(line) == indent and opens.match(line) else None
    return None


def _begin_of_branch(lines: List[str]) -> Optional[int]:
    """The same of the pattern of a case, which stands less far to the right than its end."""
    for number, line in reversed(list(enumerate(lines[:-1]))[-3 * _COMMANDS :]):
        if _indent(line) < _indent(lines[-1]):
            return number if _BRANCH.match(line) else None
    return None


def _are_few(lines: List[str]) -> bool:
    """Whether these may stand on one line: some short commands, or one that has others in it."""
    commands = [line for line in lines if not _NO_COMMAND.match(line)]
    if not commands or any(line.lstrip().startswith("#") for line in lines):
        return False
    alone = len(commands) == 1
    return len(commands) <= _COMMANDS and all(
        _is_one(line) and (alone or not _CONTROL.match(line)) for line in commands
    )


def _joined(lines: List[str]) -> str:
    text = lines[0]
    for line in lines[1:]:
        begun = _BEFORE_A_COMMAND.search(text) or _BRANCH.match(text)
        text += (" " if begun else "; ") + line.strip()
    return text


def _replace(lines: List[str], begin: int, line: str) -> None:
    if len(line) <= _WIDTH:
        lines[begin:] = [line]


def _is_one(line: str) -> bool:
    return not _GOES_ON.search(line) and "<<" not in line and not _open_quote(line)


def _open_quote(line: str, quote: str = "") -> str:
    """The kind of quotes that is open at the end of a line, ``quote`` at its begin."""
    before = " "
    letters = iter(line)
    for letter in letters:
        if letter == "\\" and quote != "'":
            next(letters, None)
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#" and before == " ":
            break
        before = letter
    return quote
