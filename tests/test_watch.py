"""What a host that has proved its bridge looks at, at each boot and once a day.

On the scratch machines of ``test_firstboot``; ``tests/real`` has it with real readers and Cobbler.
"""

import re
import subprocess
from pathlib import Path
from typing import List

import pytest

import scratch_machine as machine
from cobbler_bridge import shipped
from cobbler_bridge.snippet import bridge_setup
from test_firstboot import (
    CHECK,
    DATA,
    ON_EVERY_SHELL,
    SCRIPTS,
    STATE,
    URL,
    Machine,
    broken,
)
from waiting import HANGS

TIMER = "etc/systemd/system/cobbler-bridge-watch.timer"


def watched(root: Path, sh: List[str], **data: str) -> Machine:
    """A machine that has proved its bridge, and goes on looking."""
    host = Machine(root, sh, **{"bridge_watch": "yes", **data})
    host.booted()
    run = host.check()
    assert (run.status, run.output.count("is proved after")) == (0, 1)
    (root / "calls").unlink()
    return host


def said(host: Machine) -> List[str]:
    """What Cobbler was told, without the digest."""
    urls = [call.split()[-1] for call in host.calls("curl")]
    assert all(re.fullmatch(r"[!-~]+", url) and url.startswith(URL + ",") for url in urls), urls
    return [re.sub(r",1-[0-9a-f]{16}", "", url[len(URL) + 1 :]) for url in urls]


@ON_EVERY_SHELL
def test_all_is_well(sh: List[str], tmp_path: Path) -> None:
    host = watched(tmp_path, sh)
    assert host.state() == ["kept", "ports", "proved", "script", "undo", "written"]
    before = machine.tree(tmp_path)
    run = host.check_with("watch")
    assert run == machine.Run(
        0,
        "cobbler-bridge: the bridge br0 is looked at: seen\ncobbler-bridge: Cobbler was told\n",
        "",
    )
    assert said(host) == ["seen"]
    # it changes nothing, and the script has nothing to do
    after = {path: text for path, text in machine.tree(tmp_path).items() if path != "calls"}
    assert after == {path: text for path, text in before.items() if path != "calls"}
    assert host.set_up(bridge_watch="yes").output.endswith("br0 is set up already\n")
    assert (tmp_path / STATE / "proved").exists()


@ON_EVERY_SHELL
@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("no port", "eth0_is_not_in_br0"),
        ("no link", "eth0_has_no_link"),
        ("no address", "br0_has_no_IPv4_address"),
        ("gateway dead", "the_gateway_10.0.0.1_does_not_answer"),
    ],
)
def test_the_network(how: str, why: str, sh: List[str], tmp_path: Path) -> None:
    host = watched(tmp_path, sh)
    broken(host, how)
    before = host.etc()
    assert host.check_with("watch").status == 0
    assert said(host) == ["drift,network," + why]
    assert host.etc() == before


@ON_EVERY_SHELL
@pytest.mark.parametrize("how", ["changed", "removed", "a rival", "proved"])
def test_a_file(how: str, sh: List[str], tmp_path: Path) -> None:
    host = watched(tmp_path, sh)
    name = "ifcfg-br0"
    file = tmp_path / SCRIPTS / name
    if how == "changed":
        file.write_text(file.read_text() + "MTU=1400\n")
    elif how == "removed":
        file.unlink()
    elif how == "a rival":
        name = "ifcfg-mine"
        (tmp_path / SCRIPTS / name).write_text("DEVICE=eth0\nONBOOT=yes\nBOOTPROTO=dhcp\n")
    else:
        name = "proved"
        lines = (tmp_path / STATE / name).read_text().splitlines(keepends=True)
        (tmp_path / STATE / name).write_text("".join(lines[:-1]))
    before = host.etc()
    host.check_with("watch")
    assert said(host) == ["drift,file," + name]
    assert host.etc() == before


@ON_EVERY_SHELL
def test_the_script_is_run_meanwhile(sh: List[str], tmp_path: Path) -> None:
    """What was proved before is nobody's business any more."""
    host = watched(tmp_path, sh)
    ping = tmp_path / "bin/ping"
    ping.write_text('#!/bin/sh\nrm -f "$BRIDGE_ROOT/%s/proved"\n' % STATE)
    assert host.check_with("watch").output == ""
    assert said(host) == []
    assert host.check_with("watch").output == ""


def test_each_day_another_time(tmp_path: Path) -> None:
    """At a boot it looks at once; the daily look waits for up to two hours."""
    pauses = set()
    host = watched(tmp_path, ["dash"])
    for _ in range(6):
        (tmp_path / "proc/uptime").write_text("90000.00 0\n")
        host.check_with("watch")
        pauses.add(int(float((tmp_path / "proc/uptime").read_text().split()[0])) - 90000)
    assert len(pauses) > 3
    assert all(0 <= each < 7200 for each in pauses)
    for _ in range(2):
        (tmp_path / "proc/uptime").write_text("3599.00 0\n")
        host.check_with("watch")
        assert (tmp_path / "proc/uptime").read_text() == "3599.00 0\n"


@pytest.mark.parametrize("target", ["rhel6", "rhel8"])
def test_nothing_goes_on_where_it_is_not_wanted(target: str, tmp_path: Path) -> None:
    host = Machine(tmp_path, ["dash"], os_version=target, bridge_watch="no")
    assert not [path for path in host.etc() if "watch" in path or "cron.daily" in path]
    assert "watch no" in host.expected()
    host.booted()
    host.check()
    assert host.is_clean()


def test_what_starts_it(tmp_path: Path) -> None:
    host = watched(tmp_path, ["dash"])
    assert (tmp_path / TIMER).exists()
    # the timer may have been read before it was there
    assert (tmp_path / CHECK).exists()
    timer = shipped.on_a_host("watch.timer")
    assert "OnBootSec=" in timer
    assert "OnCalendar=daily" in timer
    # whoever wants it no more has the script run again
    host.set_up(bridge_watch="no")
    assert not (tmp_path / TIMER).exists()


def test_cron_of_old_releases(tmp_path: Path) -> None:
    """The init script is what cron starts, without a word."""
    watched(tmp_path, ["dash"], os_version="rhel6")
    daily = tmp_path / "etc/cron.daily/cobbler-bridge-firstboot"
    init = tmp_path / "etc/rc.d/init.d/cobbler-bridge-firstboot"
    assert daily.resolve() == init.resolve()
    text = init.read_text().replace("/var/lib", str(tmp_path / "var/lib"))
    text = text.replace("/bin/sh /usr/libexec", "echo %s" % tmp_path)
    text = text.replace("logger -t cobbler-bridge > /dev/null 2>&1 &", "cat")

    def calls(*words: str) -> str:
        done = subprocess.run(
            ["sh", "-s", *words],
            input=text,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            timeout=HANGS,
            check=False,
        )
        return "%s%d" % (done.stdout.replace(str(tmp_path), ""), done.returncode)

    program = "/cobbler-bridge/firstboot"
    assert calls() == calls("start") == program + " watch\n0"
    assert calls("status") == calls("stop") == "0"
    proved = tmp_path / STATE / "proved"
    proved.rename(tmp_path / STATE / "expected")
    assert calls("start") == program + "\n0"
    assert calls() == "0"
    (tmp_path / STATE / "expected").rename(tmp_path / STATE / "rolled-back")
    assert calls("start") == program + "\n0"
    assert calls("status").endswith(
        "the old network is back; see /var/lib/cobbler-bridge/report\n1"
    )


def test_the_kept_script_is_the_one_that_was_run(tmp_path: Path) -> None:
    host = Machine(tmp_path, ["dash"])
    kept = (tmp_path / STATE / "script").read_text()
    assert kept[: kept.rindex("(bridge_setup)")] in bridge_setup(DATA)
    assert kept.startswith("bridge_setup() {\n")
    assert host.expected()[-1].startswith("end ")
