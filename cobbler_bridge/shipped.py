"""Where the files are that come with the package and are not Python modules of it."""

import os

_HERE = os.path.dirname(os.path.abspath(__file__))


def folder(name: str) -> str:
    """The path of a shipped folder: in the installed package, or in the source tree.

    Raises ``FileNotFoundError`` where the installation is incomplete.
    """
    for base in (_HERE, os.path.dirname(_HERE)):
        path = os.path.join(base, name)
        if os.path.isdir(path):
            return path
    raise FileNotFoundError("cobbler-bridge was installed without its folder %s" % name)


def text(folder_name: str, file_name: str) -> str:
    """The text of a shipped file."""
    with open(os.path.join(folder(folder_name), file_name), encoding="utf-8") as file:
        return file.read()
