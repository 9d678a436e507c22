"""Writes the man page of ``cobbler-bridge`` from the command's own parser: ``make docs``."""

import argparse
import sys
from pathlib import Path
from typing import Iterator, List

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cobbler_bridge import __version__, cli  # noqa: E402
from cobbler_bridge.install import manifest, this_cobbler  # noqa: E402

PAGE = ROOT / "packaging/cobbler-bridge.8"
_BEGIN = """\
.\\" Written by "make docs" from the command's own parser; don't edit it here.
.Dd $Mdocdate$
.Dt COBBLER-BRIDGE 8
.Os
.Sh NAME
.Nm cobbler-bridge
.Nd bridges on the hosts that Cobbler installs
.Sh SYNOPSIS
"""
_DESCRIPTION = """\
.Sh DESCRIPTION
A profile or system of Cobbler that says
.Ql bridge=br0
in its autoinstall_meta, and whose template names
.Ql $SNIPPET('bridge_setup') ,
is installed with a bridge.
.Nm
puts what does that into Cobbler, shows what it will do, and what it has done.
.Bl -tag -width Ds
"""
_END = """\
.El
.Sh FILES
.Bl -tag -width Ds
.It Pa {settings}
Cobbler's settings: where its snippets are, and the port of cobblerd.
.It Pa {own_settings}
A setting that allows the snippets' import, written by
.Ql install .
.It Pa {manifest}
What
.Ql install
has put where.
.El
.Sh EXIT STATUS
.Bl -tag -width Ds
.It 0
Well.
.It 1
Problems were found: each is a line on standard error, or on standard output where
.Ql check
lists them.
What only waits is none.
.It 2
Wrong usage.
.It 3
Cobbler can't be reached, refused, or is not on this machine.
.El
.Sh EXAMPLES
.Dl cobbler-bridge install --restart
.Dl cobbler-bridge set --profile kvm-hosts bridge=br0
.Dl cobbler-bridge render --profile kvm-hosts
.Sh SEE ALSO
.Xr cobbler 1 ,
.Pa /usr/share/doc/cobbler-bridge
"""


def page() -> str:
    """The man page, in mdoc(7)."""
    commands = list(_commands(cli.parser()))
    lines = [_BEGIN]
    for command in commands:
        lines.append(".Nm\n.Cm %s\n" % command.prog.split()[-1])
        lines += _synopsis(command)
    lines.append(_DESCRIPTION)
    for command in commands:
        lines.append(".It Cm %s\n%s\n" % (command.prog.split()[-1], _sentence(command)))
        described = [action for action in _arguments(command) if action.help]
        if described:
            lines.append(".Bl -tag -width Ds\n")
            lines += [_item(action) for action in described]
            lines.append(".El\n")
    files = {"settings": this_cobbler.SETTINGS, "own_settings": this_cobbler.OWN_SETTINGS}
    lines.append(_END.format(manifest=manifest.MANIFEST, **files))
    return (
        "".join(lines)
        .replace("$Mdocdate$", "January 1, 2026")
        .replace(".Os\n", ".Os cobbler-bridge %s\n" % __version__)
    )


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help for each in action._choices_actions}
            for name, command in action.choices.items():
                command.description = command.description or helps.get(name)
                yield command


def _sentence(command: argparse.ArgumentParser) -> str:
    text = command.description or ""
    return _plain(text[:1].upper() + text[1:].rstrip(".")) + "."


def _arguments(command: argparse.ArgumentParser) -> List[argparse.Action]:
    return [action for action in command._actions if action.dest != "help"]


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.choices:
        return " Ar " + " Ns | Ns ".join(map(str, action.choices))
    several = " ..." if action.nargs == "+" else ""
    if action.nargs == "?":
        return " Op Ar %s" % action.metavar
    return " Ar %s%s" % (action.metavar or action.dest.upper(), several)


def _synopsis(command: argparse.ArgumentParser) -> Iterator[str]:
    groups = [each for each in command._mutually_exclusive_groups if each.required]
    required = [action for group in groups for action in group._group_actions]
    for group in groups:
        # one of them
        yield "." + " | ".join(map(_name, group._group_actions)) + "\n"
    for action in _arguments(command):
        if action.nargs == "+" and not action.option_strings:
            yield ".%s ...\n" % _name(action)
        elif action not in required:
            several = "" if action.option_strings else " ..."
            yield ".Op %s%s\n" % (_name(action), several)


def _name(action: argparse.Action) -> str:
    if not action.option_strings:
        return "Ar %s" % action.metavar
    return "Fl -%s%s" % (action.option_strings[-1][2:], _value(action))


def _item(action: argparse.Action) -> str:
    name = "Ar %s" % action.metavar
    if action.option_strings:
        name = "Fl -" + action.option_strings[-1][2:]
    value = _value(action) if action.option_strings else ""
    text = (action.help or "") % {"default": action.default}
    return ".It %s%s\n%s\n" % (name, value, _plain(text[:1].upper() + text[1:]) + ".")


def _plain(text: str) -> str:
    text = text.replace("\\", "\\e")
    return "\\&" + text if text[:1] in ".'" else text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
