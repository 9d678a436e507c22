"""Writes what completes ``cobbler-bridge`` in bash and zsh from the command's own parser."""

import argparse
import re
import sys
from pathlib import Path
from typing import Iterator

import shtab

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cobbler_bridge import cli  # noqa: E402

FOLDER = ROOT / "packaging/completion"
# as each shell looks for them
NAMES = {"bash": "cobbler-bridge", "zsh": "_cobbler-bridge"}
_COMPLETE = "complete -o bashdefault -F _shtab_cobbler_bridge cobbler-bridge"
# shtab's part does not know of it
_APART = """\
# bash takes --option=WORD for three words
_cobbler_bridge() {
  local -a words=()
  local at here=0 cut=no
  for ((at = 0; at < ${#COMP_WORDS[@]}; at++)); do
    if [[ "${COMP_WORDS[at]}" == "=" ]]; then
      cut=yes
      # nothing of the word is there yet
      ((at == COMP_CWORD)) && words+=("") && here=$((${#words[@]} - 1))
      continue
    fi
    words+=("${COMP_WORDS[at]}")
    ((at == COMP_CWORD)) && here=$((${#words[@]} - 1))
  done
  [[ $cut == no ]] || local -a COMP_WORDS=("${words[@]}") COMP_CWORD=$here
  _shtab_cobbler_bridge
}

"""


def completion(shell: str) -> str:
    """The text for a shell, without what shtab says of where to put it."""
    parser = cli.parser()
    for action in _actions(parser):
        if action.metavar == "FILE":
            setattr(action, "complete", shtab.FILE)  # noqa: B010, argparse knows no such attribute
        elif action.choices and not isinstance(action.choices, dict):
            # of words with blanks shtab makes several, and bash can't be told otherwise
            zsh = shell == "zsh"
            words = [each for each in action.choices if zsh or " " not in each]
            action.choices = [each.replace(" ", "\\ ") for each in words]
    text = shtab.complete(parser, shell)
    if shell == "zsh":
        # behind = too, as this documentation writes it
        text = re.sub(r"(?m)^(  \"\*?--[a-z-]+)(\[.*\]:)", r"\1=\2", text)
    else:
        ours = _COMPLETE.replace("_shtab", "")
        text = text.replace(_COMPLETE, _APART + ours + "\n")
    return re.sub(r"(?m)^# (Usage:|1\) .*|2\) .*|   source .*|See also: .*)\n", "", text)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every option and word, of the calls too."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _actions(each)


if __name__ == "__main__":
    for shell, name in NAMES.items():
        (FOLDER / name).write_text(completion(shell), encoding="utf-8")
