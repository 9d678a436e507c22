"""Options that several calls have."""

import argparse
import difflib
import re
from typing import Any, Callable, Iterable, List, NoReturn, Sequence

from cobbler_bridge.command.ending import WRONG_USAGE, FailError
from cobbler_bridge.problem import shown
from cobbler_bridge.store import wire


class Parser(argparse.ArgumentParser):
    """One line for wrong usage, as for every other error."""

    def options(self) -> List[str]:
        """The names of all options."""
        return re.findall(r"(?<![\w-])--?[a-z][a-z-]*", self.format_help())

    def refuse_unknown(self, words: Sequence[str], calls: Iterable["Parser"]) -> None:
        """End the command at a word that looks like an option and is none; of another call, say."""
        words = [word for word in words if re.match("-[-a-zA-Z]", word)]
        if not words:
            # which is usual, and the help of every call takes its time
            return
        known = self.options()
        elsewhere = [name for call in calls for name in call.options() if name not in known]
        for word in words:
            name = word.partition("=")[0]
            if any(each.startswith(name) for each in known):
                continue
            if name in elsewhere:
                self.error("%s takes no %s" % (self.prog, shown(name)))
            else:
                self.error("there is no option %s%s" % (shown(name), near(name, known)))

    def error(self, message: str) -> NoReturn:
        """End the command."""
        wrong = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)$", message)
        if wrong:
            message += near(wrong.group(1), re.findall(r"[\w-]+", wrong.group(2)))
        raise FailError(WRONG_USAGE, "%s (see %s --help)" % (message, self.prog))


def near(word: str, known: Sequence[str]) -> str:
    """What may have been meant by a word, to be added to what is wrong with it."""
    found = difflib.get_close_matches(word, known, 1)
    return "; did you mean %s?" % found[0] if found else ""


def add(
    commands: Any, name: str, run: Callable[..., int], sentence: str, example: str
) -> argparse.ArgumentParser:
    """Add a call of the command, with a sentence of what it does and an example of its use."""
    added: argparse.ArgumentParser = commands.add_parser(
        name,
        help=sentence,
        description=sentence[0].upper() + sentence[1:] + ".",
        epilog="Example: cobbler-bridge " + example,
    )
    added.set_defaults(run=run)
    return added


def add_dry_run(command: argparse.ArgumentParser) -> None:
    """Whether anything is done at all."""
    command.add_argument("--dry-run", action="store_true", help="only say what would change")


def add_user(command: argparse.ArgumentParser) -> None:
    """As whom Cobbler is changed."""
    command.add_argument("--user", metavar="NAME", help="log in by this name")
    command.add_argument("--password-file", metavar="FILE", help="the file has its password")


def add_server(command: argparse.ArgumentParser) -> None:
    """Which Cobbler is spoken to, and for how long."""
    command.add_argument(
        "--server", metavar="URL", help="Cobbler's XML-RPC (default: this machine's cobblerd)"
    )
    command.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=wire.TIMEOUT,
        help="how long Cobbler may take for one answer (default: %(default)g)",
    )


def name(text: str) -> str:
    """The name of a system or profile, or a pattern: a variable of a shell may be unset."""
    if not text:
        raise argparse.ArgumentTypeError("'' is no name")
    return text


def _number(kind: Callable[[str], float], most: int, meant: str) -> Callable[[str], float]:
    """The reader of a number above 0."""

    def read(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = 0
        if not 0 < number <= most:
            raise argparse.ArgumentTypeError("%s is no %s %d" % (shown(text), meant, most))
        return number

    return read


count = _number(int, 1000, "whole number from 1 to")
seconds = _number(float, 24 * 3600, "number of seconds up to")
