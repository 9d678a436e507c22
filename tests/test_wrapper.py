"""koan-bridge on a host: what it gives Koan, where no server answers."""

import subprocess
from pathlib import Path
from typing import Dict, List

import pytest

import koan_wrapper
import scratch_machine as machine
from waiting import HANGS

KOAN = """\
#!/bin/sh
printf '%s|' "$@"
"""


def called(wrapper: Path, shell: List[str], words: List[str], bridges: str = "br0,br1") -> str:
    """What a koan gets that needs no server to say so: the wrapper can't ask one either."""
    bin_ = wrapper.parent / "bin"
    bin_.mkdir(exist_ok=True)
    (bin_ / "koan").write_text(KOAN)
    (bin_ / "koan").chmod(0o755)
    env: Dict[str, str] = {"PATH": "%s:/usr/bin:/bin" % bin_, "COBBLER_BRIDGE": bridges}
    command = [*shell, str(wrapper), *words, "--server=127.0.0.1", "--port=1"]
    return subprocess.check_output(command, env=env, encoding="utf-8", timeout=HANGS)


@pytest.mark.parametrize("shell", machine.SHELLS.values(), ids=machine.SHELLS)
@pytest.mark.parametrize(
    ("words", "bridge"),
    [
        (["--virt", "--profile=p"], "br0"),
        (["-v", "-p", "p"], "br0"),
        (["-vpp"], "br0"),
        (["--vir", "--prof", "p"], None),
        (["--virt", "--prof", "p"], "br0"),
        (["--virt", "--image=i"], "br0"),
        (["--virt", "--profile=p", "--kopts", "--virt-bridge=x"], "br0"),
        (["--virt", "--profile=p", "-k", "-B x"], "br0"),
        (["--virt", "--profile=p", "--virt-bridge=x"], None),
        (["--virt", "--profile=p", "--virt-bridge", "x"], None),
        (["--virt", "--profile=p", "--virt-br=x"], None),
        (["--virt", "--profile=p", "-Bx"], None),
        (["--virt", "--profile=p", "-B", "x"], None),
        (["-vBx", "-pp"], None),
        (["--replace-self", "--profile=p"], None),
        (["--list=systems"], None),
        (["--help"], None),
        ([], None),
        # nobody answers
        (["--virt", "--system=web1"], None),
        (["--virt", "--profile=a b;$(id)'\"\\"], "br0"),
    ],
)
def test_what_koan_gets(
    tmp_path: Path, words: List[str], bridge: "str | None", shell: List[str]
) -> None:
    wrapper = koan_wrapper.write(tmp_path)
    given = [] if bridge is None else ["--virt-bridge=" + bridge]
    expected = [*given, *words, "--server=127.0.0.1", "--port=1"]
    assert called(wrapper, shell, words) == "".join(word + "|" for word in expected)


def test_a_machine_without_koan(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    wrapper = koan_wrapper.write(tmp_path)
    done = subprocess.run(
        ["/bin/sh", str(wrapper), "--virt"],
        env={"PATH": str(tmp_path / "none")},
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (127, "koan-bridge: koan is not installed\n")
