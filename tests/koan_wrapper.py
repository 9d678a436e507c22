"""The command koan-bridge as it comes to a host."""

from pathlib import Path

from cobbler_bridge import shipped
from cobbler_bridge.plan.koan_operator import CHOOSER, WRAPPER

FILES = {
    WRAPPER: shipped.on_a_host("koan-bridge.sh"),
    CHOOSER: shipped.on_a_host("koan_bridge.py"),
}


def write(folder: Path) -> Path:
    """Write its files below a folder; the path of the command there."""
    for path, text in FILES.items():
        place = folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        place.chmod(0o755)
    return folder / WRAPPER.lstrip("/")
