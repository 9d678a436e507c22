"""The command koan-bridge as it comes to a host."""

from pathlib import Path

from cobbler_bridge import shipped

_END = "END_OF_KOAN_BRIDGE"


def text() -> str:
    """The script, out of the helper that writes it."""
    return shipped.text("runtime", "koan.sh").split("<<'%s'\n" % _END)[1].split(_END)[0]


def write(folder: Path) -> Path:
    """Write the script into a folder."""
    path = folder / "koan-bridge"
    path.write_text(text(), encoding="utf-8")
    path.chmod(0o755)
    return path
