"""``make demo``: what it shows, in a pipe and in a terminal."""

import os
import pty
import re
import subprocess
import sys
from typing import Dict, Tuple

from real.server import REPOSITORY
from waiting import HANGS

DEMO = [sys.executable, str(REPOSITORY / "tools/demo.py")]
NETWORK = re.compile(r"^  virt-install … --network (bridge=[^,]*),mac=52:54:00:bb:00:01$", re.M)
COLOUR = re.compile(r"\033\[[0-9;]*m")


def environment(term: str) -> Dict[str, str]:
    return dict(os.environ, TERM=term, PYTHONUNBUFFERED="1")


def in_a_terminal(term: str) -> Tuple[int, str]:
    """The exit status and what the terminal got."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        DEMO, stdin=theirs, stdout=theirs, stderr=theirs, env=environment(term)
    ) as process:
        os.close(theirs)
        output = b""
        try:
            while True:
                output += os.read(ours, 65536)
        except OSError:
            # the last one to have it open has ended
            os.close(ours)
        status = process.wait(HANGS)
    return status, output.decode().replace("\r\n", "\n")


def check_story(text: str) -> None:
    """The steps in order, and the guest's bridge before and after."""
    steps = re.findall(r"^(\d)\. ", text, re.MULTILINE)
    assert steps == [str(number) for number in range(1, len(steps) + 1)]
    assert len(steps) == 7
    before, after = NETWORK.findall(text)
    assert before in ("bridge=<<inherit>>", "bridge=xenbr0")
    assert after == "bridge=br0"
    assert "\n→ web1 is on br0 of kvm1\n" in text
    assert "\n  BRIDGE=br0\n" in text
    assert "\n  DEVICE=br0\n" in text
    assert re.search(r"^  kvm1 +br0 +eth0 +verified +20\S+Z$", text, re.MULTILINE)
    assert re.search(r"^    web1 +eth0: br0$", text, re.MULTILINE)
    assert re.search(r"\n\n\d+ seconds; nothing of it is left on this machine\.\n\Z", text)


def without_time(text: str) -> str:
    return re.sub(r"20\S+Z", "TIME", text)


def test_in_a_pipe() -> None:
    done = subprocess.run(
        DEMO,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment("xterm"),
        timeout=HANGS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\033" not in done.stdout
    check_story(done.stdout)
    the_readme_shows(done.stdout)


def the_readme_shows(story: str) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    block = readme.split("<!-- make demo -->\n```\n")[1].split("```")[0]
    printed = without_time(story).splitlines()
    shown = without_time(block).splitlines()
    assert len(shown) > 15
    assert [line for line in shown if line not in printed] == []


def test_in_a_terminal() -> None:
    status, text = in_a_terminal("xterm")
    assert status == 0
    assert len(re.findall(r"^\033\[1;36m\d\. [^\033]*\033\[0m$", text, re.MULTILINE)) == 7
    assert "\n\033[1m$ cobbler-bridge show\033[0m\n" in text
    assert "\033[32m→ web1 is on br0 of kvm1\033[0m" in text
    check_story(COLOUR.sub("", text))
