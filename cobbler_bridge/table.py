"""Lines in columns, as the command prints them."""

from typing import List, Sequence

from cobbler_bridge.problem import one_line


def text(rows: Sequence[Sequence[str]]) -> str:
    """Rows of the same number of cells, a line each; the last column is not filled up."""
    plain = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in plain) for column in range(len(plain[0]) - 1)]
    lines: List[str] = []
    for row in plain:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        lines.append("  ".join([*cells, row[-1]]).rstrip() + "\n")
    return "".join(lines)
