"""Where the files are that come with the package and are not Python modules of it."""

import functools
import os
import re
from typing import Sequence, Tuple

from cobbler_bridge import layout

# the folder of the whole package
PACKAGE = os.path.dirname(os.path.abspath(__file__))
ON_A_HOST = "script/on_the_host"
_NEEDS = re.compile(r"^# needs: (.*)\n", re.MULTILINE)


def folder(name: str) -> str:
    """The path of a shipped folder: in the installed package, or in the source tree.

    Raises ``FileNotFoundError`` where the installation is incomplete.
    """
    for base in (PACKAGE, os.path.dirname(PACKAGE)):
        path = os.path.join(base, name)
        if os.path.isdir(path):
            return path
    raise FileNotFoundError("cobbler-bridge was installed without its folder %s" % name)


def text(folder_name: str, file_name: str) -> str:
    """The text of a shipped file."""
    with open(os.path.join(folder(folder_name), file_name), encoding="utf-8") as file:
        return file.read()


@functools.lru_cache(maxsize=None)
def functions() -> str:
    """The functions that a script shares with a program that it writes, as that begins."""
    return "#!/bin/sh\n" + layout.shell(text("script/helpers", "shared.sh"))


@functools.lru_cache(maxsize=None)
def on_a_host(file_name: str) -> str:
    """The text of a file of ``script/on_the_host`` as it comes to a host."""
    whole = text(ON_A_HOST, file_name)
    if file_name.endswith((".sh", ".init")):
        return layout.shell(whole)
    if file_name.endswith(".service"):
        return layout.without_remarks(whole)
    return layout.python(whole) if file_name.endswith(".py") else whole


@functools.lru_cache(maxsize=None)
def with_needs(names: Tuple[str, ...]) -> Tuple[str, ...]:
    """These parts of a program, each behind those of its folder that its ``# needs:`` names."""
    found: Tuple[str, ...] = ()
    for name in names:
        beside = name.rpartition("/")[0] + "/"
        for line in _NEEDS.findall(text(ON_A_HOST, name + ".sh")):
            found += with_needs(tuple(beside + each for each in line.split()))
        found += (name,)
    return tuple(dict.fromkeys(found))


def program(names: Sequence[str]) -> str:
    """A program for a host: ``functions``, and then these parts."""
    return functions() + "".join(on_a_host(name + ".sh") for name in names)
