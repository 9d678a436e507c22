"""Lines in columns, as the command prints them."""

from typing import List, Sequence


def text(rows: Sequence[Sequence[str]]) -> str:
    """Rows of the same number of cells; the last column is not filled up."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines: List[str] = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        lines.append("  ".join([*cells, row[-1]]).rstrip() + "\n")
    return "".join(lines)
