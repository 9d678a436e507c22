"""Hosts, bridges and guests as a picture: SVG, and the language of Graphviz.

In the SVG each host is a card with a bar for each bridge and a box for each guest that has a NIC on
it; see https://www.w3.org/TR/SVG11/ and https://graphviz.org/doc/info/lang.html.
"""

import math
from typing import Dict, List, NamedTuple, Sequence, Tuple
from xml.sax.saxutils import escape

from cobbler_bridge.show.listing import NO_BRIDGE, NO_SYSTEM, NOT_INSTALLED, GuestRow, HostRow
from cobbler_bridge.store.host_record import (
    APPLYING,
    BY_HAND,
    FAILED,
    INSTALLED,
    INSTALLING,
    ROLLED_BACK,
    VERIFIED,
)

# Of a monospaced font, so that a text's width is known here; all in pixels
_SIZE, _LETTER = 11, 7.05
_TITLE_LETTER = _LETTER * 13 / _SIZE
_CARD, _GAP, _PAD = 330, 16, 10
_BOX, _BETWEEN = 19, 5
_HEAD, _BAR = 42, 24
_MARGIN, _TITLE = 24, 58
# of the whole picture: about that of a screen
_RATIO = 1.6

_STATES = {
    VERIFIED: "#1b7f4b",
    INSTALLED: "#2b6cb0",
    BY_HAND: "#2c7a7b",
    INSTALLING: "#b7791f",
    APPLYING: "#b7791f",
    ROLLED_BACK: "#c53030",
    FAILED: "#c53030",
    NOT_INSTALLED: "#718096",
    NO_BRIDGE: "#c53030",
    NO_SYSTEM: "#c53030",
}
_DRIFTED = "#b7791f"
# Fill, line and text of a guest's box
_PLACED = ("#ebf4ff", "#90cdf4", "#1a365d")
_UNPLACED = ("#fff5f5", "#fc8181", "#9b2c2c")
_NO_BRIDGE_BAR = "on no bridge of this host"


class _Row(NamedTuple):
    """A bar of a card and the boxes below it."""

    title: str
    well: bool
    boxes: List[str]


def svg(rows: Sequence[HostRow]) -> str:
    """A picture of all hosts, in columns, in the order of their names from top to bottom."""
    cards = [(row, _rows(row)) for row in rows]
    heights = [_height(each) for _, each in cards]
    columns = _columns(heights)
    width = 2 * _MARGIN + len(columns) * (_CARD + _GAP) - _GAP
    tallest = max((sum(heights[i] + _GAP for i in column) for column in columns), default=0)
    height = _TITLE + tallest + _MARGIN
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="%d">'
        % (width, height, width, height, _SIZE),
        '<rect width="100%" height="100%" fill="#f7fafc"/>',
    ]
    parts += _legend(rows)
    for number, column in enumerate(columns):
        y = float(_TITLE)
        for index in column:
            host, each = cards[index]
            parts += _card(host, each, _MARGIN + number * (_CARD + _GAP), y, heights[index])
            y += heights[index] + _GAP
    return "\n".join([*parts, "</svg>", ""])


def _rows(host: HostRow) -> List[_Row]:
    """The bars of a card: a bridge each, and one for NICs that are on none of them."""
    boxes: Dict[str, List[str]] = {bridge.name: [] for bridge in host.bridges}
    lost: List[str] = []
    for guest in host.guests:
        for bridge, nics in _by_bridge(guest):
            # one NIC needs no name
            text = guest.name if len(guest.nics) < 2 else "%s %s" % (guest.name, ",".join(nics))
            if bridge in boxes:
                boxes[bridge].append(text)
            else:
                lost.append("%s: %s" % (text, bridge or "-") if nics else "%s: no NIC" % text)
    found = [
        _Row(
            "%s  ⇠  %s" % (each.name, ", ".join(each.ports)) if each.ports else each.name, True, []
        )
        for each in host.bridges
    ]
    found = [row._replace(boxes=boxes[each.name]) for row, each in zip(found, host.bridges)]
    return found + ([_Row(_NO_BRIDGE_BAR, False, lost)] if lost else [])


def _by_bridge(guest: GuestRow) -> List[Tuple[str, List[str]]]:
    found: Dict[str, List[str]] = {}
    for nic, bridge in guest.nics:
        found.setdefault(bridge, []).append(nic)
    return list(found.items()) or [("", [])]


def _height(rows: Sequence[_Row]) -> float:
    lines = [len(_lines(row.boxes)) for row in rows]
    return _HEAD + sum(_BAR + count * (_BOX + _BETWEEN) + _BETWEEN for count in lines) + _PAD / 2


def _lines(boxes: Sequence[str]) -> List[List[Tuple[str, float, float]]]:
    """Boxes in lines that are as wide as a card: the text, the place and the width of each."""
    room = _CARD - 2 * _PAD
    lines: List[List[Tuple[str, float, float]]] = []
    x = 0.0
    for text in boxes:
        width = min(len(_cut(text)) * _LETTER + 12, room)
        if not lines or x + width > room:
            lines.append([])
            x = 0.0
        lines[-1].append((text, x, width))
        x += width + _BETWEEN
    return lines


def _columns(heights: Sequence[float]) -> List[List[int]]:
    """Which card stands in which column, so that the whole has about the shape of a screen."""
    total = sum(height + _GAP for height in heights)
    wanted = max(1, round(math.sqrt(_RATIO * total / (_CARD + _GAP))))
    columns: List[List[int]] = [[]]
    filled = 0.0
    for index, height in enumerate(heights):
        # the middle of a card decides
        if columns[-1] and filled + height / 2 > total / wanted * len(columns):
            columns.append([])
        columns[-1].append(index)
        filled += height + _GAP
    return columns


def _legend(rows: Sequence[HostRow]) -> List[str]:
    guests = sum(len(row.guests) for row in rows)
    title = "%d host%s, %d guest%s" % (
        len(rows),
        "" if len(rows) == 1 else "s",
        guests,
        "" if guests == 1 else "s",
    )
    parts = [_text(title, _MARGIN, 26, "#1a202c", 'font-size="15" font-weight="bold"')]
    x = float(_MARGIN)
    for state, colour in _STATES.items():
        count = sum(row.state == state for row in rows)
        if count:
            text = "%s %d" % (state, count)
            parts.append(_dot(x + 4, 42, colour))
            parts.append(_text(text, x + 13, 46, "#2d3748"))
            x += len(text) * _LETTER + 32
    return parts


def _card(host: HostRow, rows: Sequence[_Row], x: float, y: float, height: float) -> List[str]:
    colour = _DRIFTED if host.drift else _STATES[host.state]
    state = " ".join(filter(None, [host.unbridged, host.how, host.since]))
    parts = [
        "<g>",
        '<rect x="%g" y="%g" width="%g" height="%g" rx="6" fill="#ffffff" stroke="#cbd5e0"/>'
        % (x, y, _CARD, height),
        '<rect x="%g" y="%g" width="4" height="%g" rx="2" fill="%s"/>' % (x, y, height, colour),
        _text(
            _cut(host.name, _TITLE_LETTER),
            x + _PAD + 2,
            y + 18,
            "#1a202c",
            'font-size="13" font-weight="bold"',
            whole=host.name,
        ),
        _dot(x + _PAD + 6, y + 31, colour),
        _text(_cut(state), x + _PAD + 15, y + 35, colour, whole=state),
    ]
    top = y + _HEAD
    for row in rows:
        fill = "#2d3748" if row.well else "#9b2c2c"
        parts.append(
            '<rect x="%g" y="%g" width="%g" height="%d" rx="3" fill="%s"/>'
            % (x + _PAD, top, _CARD - 2 * _PAD, _BAR - 6, fill)
        )
        parts.append(_text(_cut(row.title), x + _PAD + 6, top + 13, "#ffffff", whole=row.title))
        top += _BAR
        for line in _lines(row.boxes):
            for text, left, width in line:
                parts += _box(text, x + _PAD + left, top, width, row.well)
            top += _BOX + _BETWEEN
        top += _BETWEEN
    return [*parts, "</g>"]


def _box(text: str, x: float, y: float, width: float, well: bool) -> List[str]:
    fill, line, colour = _PLACED if well else _UNPLACED
    return [
        '<rect x="%g" y="%g" width="%g" height="%d" rx="3" fill="%s" stroke="%s"/>'
        % (x, y, width, _BOX, fill, line),
        _text(_cut(text), x + 6, y + 13, colour, whole=text),
    ]


def _dot(x: float, y: float, colour: str) -> str:
    return '<circle cx="%g" cy="%g" r="4" fill="%s"/>' % (x, y, colour)


def _text(text: str, x: float, y: float, colour: str, more: str = "", whole: str = "") -> str:
    title = "<title>%s</title>" % _plain(whole) if whole not in ("", text) else ""
    return '<text x="%g" y="%g" fill="%s"%s>%s%s</text>' % (
        x,
        y,
        colour,
        more and " " + more,
        title,
        _plain(text),
    )


def _cut(text: str, letter: float = _LETTER) -> str:
    """A text that fits on a card: without its middle, for names differ at their ends."""
    letters = int((_CARD - 2 * _PAD - 12) / letter)
    end = letters // 3
    return text if len(text) <= letters else text[: letters - end - 1] + "…" + text[-end:]


def _plain(text: str) -> str:
    """A text as XML can carry it: there is no way to write most control characters."""
    return escape("".join(letter if letter.isprintable() else "�" for letter in text))


def dot(rows: Sequence[HostRow]) -> str:
    """The same as a graph: a cluster for each host, a line for each NIC."""
    lines = ["graph cobbler_bridge {", "  rankdir=LR;", "  node [shape=box];"]
    names: Dict[Tuple[str, str], str] = {}
    for number, host in enumerate(rows):
        label = "%s (%s)" % (host.name, host.how)
        lines.append("  subgraph cluster_%d {" % number)
        lines.append("    label=%s;" % _quoted(label))
        lines.append("    h%d [shape=point style=invis];" % number)
        for each, there in enumerate(host.bridges):
            names[host.name, there.name] = "b%d_%d" % (number, each)
            text = "\n".join(filter(None, [there.name, ", ".join(there.ports)]))
            lines.append("    b%d_%d [style=filled label=%s];" % (number, each, _quoted(text)))
        lines.append("  }")
    for number, host in enumerate(rows):
        for each, guest in enumerate(host.guests):
            node = "g%d_%d" % (number, each)
            lines.append("  %s [label=%s];" % (node, _quoted(guest.name)))
            for nic, bridge in guest.nics:
                end = names.get((host.name, bridge))
                text = nic if end else "%s: %s" % (nic, bridge or "-")
                style = "" if end else " style=dashed color=red"
                lines.append(
                    "  %s -- %s [label=%s%s];" % (end or "h%d" % number, node, _quoted(text), style)
                )
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    """A string of Graphviz, where a backslash begins what it puts in itself."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"%s"' % "".join(letter if letter.isprintable() else "�" for letter in text)
