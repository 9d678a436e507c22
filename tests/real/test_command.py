"""The command on the server: exit statuses, errors of one line, ``show`` and ``render``."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml

from cobbler_bridge import __version__
from real.server import LEDGER, Server, part

SETTINGS = "/etc/cobbler/settings.yaml"


@pytest.fixture
def kvm1(server: Server) -> Server:
    """One host, kvm1, of the profile hosts."""
    server.profile("hosts", meta={"bridge": "br0"})
    server.system("kvm1", "hosts")
    return server


@pytest.fixture
def hosts(kvm1: Server) -> Server:
    """Two hosts that are installed, one that is not, guests of these and of nobody."""
    kvm1.system("kvm2", meta={"bridge": "br2"})
    kvm1.system("kvm3", "hosts")
    kvm1.system("plain")
    kvm1.installed("kvm1", "kvm2")
    kvm1.system("web1", meta={"bridge_host": "kvm1"})
    kvm1.system("web2", meta={"bridge_host": "kvm1"}, nics=("eth0", "eth1"))
    kvm1.edit("system", "web2", modify_interface={"virtbridge-eth1": "br9"})
    kvm1.system("web3", meta={"bridge_host": "kvm3"})
    kvm1.system("web4", meta={"bridge_host": "gone"})
    kvm1.add("system", "web5", profile="rhel7", autoinstall_meta={"bridge_host": "plain"})
    return kvm1


def since(server: Server, name: str) -> str:
    record = server.record(name)
    assert record is not None
    return str(record["since"])


def expected(server: Server) -> List[Dict[str, Any]]:
    def row(host: str, ports: Dict[str, Any], state: str, since: str, **guests: Any) -> Any:
        listed = [{"guest": guest, "nics": nics} for guest, nics in guests.items()]
        return {
            "host": host,
            "bridges": list(ports),
            "ports": ports,
            "state": state,
            "since": since,
            "reason": "",
            "drift": "",
            "seen": "",
            "guests": listed,
        }

    return [
        row("gone", {}, "no such system", "", web4={"eth0": ""}),
        row(
            "kvm1",
            {"br0": ["eth0"]},
            "installed",
            since(server, "kvm1"),
            web1={"eth0": "br0"},
            web2={"eth0": "br0", "eth1": "br9"},
        ),
        row("kvm2", {"br2": ["eth0"]}, "installed", since(server, "kvm2")),
        row("kvm3", {"br0": []}, "not installed", "", web3={"eth0": ""}),
        row("plain", {}, "no bridge", "", web5={}),
    ]


def test_show_as_data(hosts: Server) -> None:
    rows = expected(hosts)
    done = hosts.command("show", "--format=json")
    assert (json.loads(done.stdout), done.stderr) == (rows, "")
    assert yaml.safe_load(hosts.command("show", "--format=yaml").stdout) == rows
    hosts.cobbler.restart()
    assert json.loads(hosts.command("show", "--format=json").stdout) == rows
    picked = hosts.command("show", "kvm3", "kvm1", "--format=json")
    assert json.loads(picked.stdout) == [rows[1], rows[3]]


def test_show_as_text(hosts: Server) -> None:
    first, second = since(hosts, "kvm1"), since(hosts, "kvm2")
    table = [
        "HOST    BRIDGES               PORTS  STATE                      SINCE",
        "gone    -                     -      no such system             -",
        "  web4  eth0: -",
        "kvm1    br0                   eth0   installed, never verified  " + first,
        "  web1  eth0: br0",
        "  web2  eth0: br0, eth1: br9",
        "kvm2    br2                   eth0   installed, never verified  " + second,
        "kvm3    br0                   -      not installed              -",
        "  web3  eth0: -",
        "plain   -                     -      no bridge                  -",
        "  web5  no NIC",
    ]
    assert hosts.command("show").stdout.splitlines() == table
    assert hosts.command("show", "kvm2").stdout.splitlines() == [
        "HOST  BRIDGES  PORTS  STATE                      SINCE",
        "kvm2  br2      eth0   installed, never verified  " + second,
    ]
    assert hosts.command("show", "web1", "--state=installed").stdout.splitlines()[1:] == [
        "kvm1    br0        eth0   installed, never verified  " + first,
        "  web1  eth0: br0",
    ]
    assert "kvm1" not in hosts.command("show", "--bridge=br2").stdout


def test_show_as_a_page(hosts: Server) -> None:
    path = hosts.cobbler.path("/var/www/cobbler/pub/bridges.html")
    words = ("show", "--format=html", "--output=/var/www/cobbler/pub/bridges.html")
    assert hosts.command(*words).stdout == ""
    text = path.read_text(encoding="utf-8")
    assert '"guest":"web1"' in text
    assert '"id":"server-itself"' in text


def test_show_nothing(server: Server) -> None:
    assert server.command("show").stdout == "HOST  BRIDGES  PORTS  STATE  SINCE\n"
    assert json.loads(server.command("show", "--format=json").stdout) == []


def fails(done: "subprocess.CompletedProcess[str]", status: int, error: str) -> None:
    """The status, nothing on standard output, and one line of error."""
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr == "cobbler-bridge: %s\n" % error


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["show", "plain2", "kvm1", "nobody"], "no such host or guest: 'nobody', 'plain2'"),
        (["show", "a\nb"], r"no such host or guest: 'a\nb'"),
        (["render", "nobody"], "Cobbler has no system 'nobody'"),
        (["render", "--system=hosts"], "Cobbler has no system 'hosts'"),
        (["render", "--profile=kvm1"], "Cobbler has no profile 'kvm1'"),
        (["render", "--profile=$(id)\n"], r"Cobbler has no profile '$(id)\n'"),
        (["render", "--profile=" + "x" * 5000], None),
    ],
)
def test_unknown_names(kvm1: Server, arguments: List[str], error: Any) -> None:
    long = "Cobbler has no profile '%s… (5000 characters)" % ("x" * 59)
    fails(kvm1.command(*arguments, check=False), 1, error or long)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "the following arguments are required: COMMAND (see cobbler-bridge --help)"),
        (["destroy"], None),
        (
            ["render"],
            "one of the arguments HOST --system --profile is required "
            "(see cobbler-bridge render --help)",
        ),
        (
            ["render", "--system=a", "--profile=b"],
            "argument --profile: not allowed with argument --system "
            "(see cobbler-bridge render --help)",
        ),
        (["render", "--system=a", "--format=xml"], None),
        (["show", "--format"], None),
        (
            ["install", "now"],
            "cobbler-bridge install takes no 'now' (see cobbler-bridge install --help)",
        ),
    ],
)
def test_wrong_usage(server: Server, arguments: List[str], error: Any) -> None:
    done = server.command(*arguments, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    # which choices there are is said differently by each Python
    text = r"[^\n]+ \(see cobbler-bridge( \w+)? --help\)" if error is None else re.escape(error)
    assert re.fullmatch("cobbler-bridge: " + text + "\n", done.stderr)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1", "Connection refused"),
        ("http://127.0.0.1:80/", "404 Not Found; did you mean http://127.0.0.1:80/cobbler_api?"),
        # answers, but not as Cobbler's XML-RPC does
        ("http://127.0.0.1/cblr/svc/op/index", None),
        ("http://127.0.0.1:port/", None),
        ("http://127.0.0.1:99999/", None),
        ("http://no-such-host.invalid/", None),
        ("http://[::1", None),
        ("http:", None),
        ("ftp://127.0.0.1/", None),
        ("127.0.0.1", None),
        # names that no name can be, and one that is not one line
        ("http://..", None),
        ("http://" + 64 * "x", None),
        ("http://a\nb", None),
    ],
)
@pytest.mark.parametrize("command", [["show"], ["render", "--system=kvm1"]], ids=" ".join)
def test_wrong_server(server: Server, url: str, reason: Any, command: List[str]) -> None:
    done = server.command(*command, "--server=" + url, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    text = "[^\n]+" if reason is None else re.escape(reason)
    named = url if url.isprintable() else repr(url)
    line = "cobbler-bridge: no answer from Cobbler at %s: %s\n" % (re.escape(named), text)
    assert re.fullmatch(line, done.stderr), done.stderr


def test_right_server(kvm1: Server) -> None:
    """Cobbler's own ways in, through the web front and directly."""
    table = kvm1.command("show").stdout
    for url in ("http://127.0.0.1/cobbler_api", "http://127.0.0.1:25151"):
        assert kvm1.command("show", "--server=" + url).stdout == table


def test_no_cobblerd(fresh: Server) -> None:
    """Without options, the port is the one in Cobbler's own settings."""
    settings = fresh.cobbler.path(SETTINGS)
    text = settings.read_text()
    assert text.count("xmlrpc_port: 25151\n") == 1
    settings.write_text(text.replace("xmlrpc_port: 25151\n", "xmlrpc_port: 25199\n"))
    refused = "no answer from Cobbler at http://127.0.0.1:25199: Connection refused"
    fails(fresh.command("show", check=False), 3, refused)
    fails(fresh.command("render", "--profile=x", check=False), 3, refused)
    # settings that nobody can read: Cobbler's own default
    settings.write_text("a: [\n")
    assert fresh.command("show").stdout.startswith("HOST ")


def test_cobbler_refuses(fresh: Server) -> None:
    """A fault of Cobbler's is one line too."""
    fresh.add_releases()
    fresh.system("kvm1", meta={"bridge": "br0"})
    remote = fresh.cobbler.path(fresh.cobbler.package / "remote.py")
    with remote.open("a") as file:
        file.write("\n\ndef broken(self, *rest, **more):\n    raise CX('broken\\nin two lines')\n")
        file.write("\n\nCobblerXMLRPCInterface.get_blended_data = broken\n")
    fresh.cobbler.restart()
    done = fresh.command("render", "--system=kvm1", check=False)
    # of the one item that was asked for
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("kvm1: ")
    assert "broken" in done.stderr


def test_render_without_a_bridge(server: Server) -> None:
    server.system("plain")
    for form in ("sh", "files", "json"):
        done = server.command("render", "--system=plain", "--format=" + form)
        assert (done.stdout, done.stderr) == (
            "",
            "cobbler-bridge: plain: bridge: is not set; nothing is written\n",
        )


def test_render_forms(kvm1: Server) -> None:
    before = kvm1.disk()
    script = kvm1.command("render", "--system=kvm1", "--format=sh").stdout
    assert script == part(kvm1.kickstart("kvm1"))
    done = kvm1.command("render", "kvm1")
    assert done.stdout == kvm1.command("render", "--system=kvm1", "--format=files").stdout
    assert done.stdout.startswith("# bridge br0 on EL 7 (ifcfg), for kvm1\n")
    data = json.loads(kvm1.command("render", "--system=kvm1", "--format=json").stdout)
    assert sorted(data) == ["actions", "files", "problems", "subject", "title"]
    assert (data["subject"], data["problems"]) == ("kvm1", [])
    paths = [file["path"] for file in data["files"]]
    assert "/etc/sysconfig/network-scripts/ifcfg-br0" in paths
    for file in data["files"]:
        block = "\n# %s (mode %s)\n%s" % (file["path"], file["mode"], file["content"])
        # of what comes with the package it only says what it is for
        purposes = ("checks the bridge", "starts that", "runs koan", "chooses them")
        hidden = ["\n# %s %s" % (file["path"], purpose) for purpose in purposes]
        assert any(words in done.stdout for words in (block, *hidden))
    # the record is the host's own and not the profile's
    assert "kvm1" not in kvm1.command("render", "--profile=hosts").stdout
    assert kvm1.disk() == before


def test_render_problems(server: Server) -> None:
    server.system("kvm1", meta={"bridge": "br 0", "bridge_mtu": "12"})
    lines = [
        "kvm1: bridge: 'br 0' has ' ' in it; it can be 1 to 15 letters, digits, '_', '-' or '.', "
        "not beginning with '-', and not ., .., lo, all, default or none",
        "kvm1: bridge_mtu: '12' is too small; it can be a whole number from 576 to 9216",
    ]
    for form in ("files", "json", "sh"):
        done = server.command("render", "--system=kvm1", "--format=" + form, check=False)
        assert done.returncode == 1
        assert done.stderr.splitlines() == lines
        if form == "files":
            assert done.stdout == ""
        if form == "json":
            data = json.loads(done.stdout)
            assert (data["title"], data["files"], data["actions"]) == ("", [], [])
            found = ["%(subject)s: %(field)s: %(wrong)s; %(right)s" % e for e in data["problems"]]
            assert found == lines


def test_non_ascii_in_a_plain_locale(server: Server) -> None:
    """A terminal that can't show a letter is no reason for a traceback."""
    server.system("kvm1", meta={"bridge": "brücke"})
    for env in ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"LC_ALL": "C"}):
        command = ["cobbler-bridge", "render", "--system=kvm1"]
        done = server.cobbler.run(command, check=False, env=env)
        assert done.returncode == 1
        assert done.stderr.startswith("kvm1: bridge: ")
        assert done.stderr.count("\n") == 1


def test_what_is_printed_is_utf8(server: Server) -> None:
    """A locale that knows no such letters, as cron may have, ends nothing."""
    server.profile("hosts", meta={"bridge": "brücke"})
    server.system("kvm1", "hosts")
    for words in (["check"], ["render", "--system=kvm1", "--format=sh"], ["show"]):
        run = ["cobbler-bridge", *words]
        done = server.cobbler.run(run, check=False, env={"PYTHONIOENCODING": "ascii"})
        expected = server.cobbler.run(run, check=False, env={"PYTHONIOENCODING": "utf-8"})
        assert (done.returncode, done.stdout) == (expected.returncode, expected.stdout)
        assert "Traceback" not in done.stderr


def test_reader_that_has_seen_enough(kvm1: Server) -> None:
    script = "cobbler-bridge render --system=kvm1 --format=sh | { read -r line; echo $line; }"
    done = kvm1.cobbler.run(["bash", "-o", "pipefail", "-c", script])
    assert done.stderr == ""
    assert done.stdout.startswith("# ---- cobbler-bridge ")


def test_version_and_help(server: Server) -> None:
    assert server.command("--version").stdout == __version__ + "\n"
    text = server.command("--help").stdout
    for word in ("install", "render", "show"):
        assert re.search(r"^    %s +\w" % word, text, re.MULTILINE)


def test_from_a_folder_with_strange_modules(server: Server, tmp_path: Path) -> None:
    """The command takes its modules from where it is installed, not from where it is called."""
    for name in ("json", "yaml", "cobbler_bridge"):
        (tmp_path / (name + ".py")).write_text("raise SystemExit('the wrong %s')\n" % name)
    command = [os.path.join(sys.prefix, "bin", "cobbler-bridge"), "show"]
    done = server.cobbler.run(command, cwd=tmp_path)
    assert done.stdout == "HOST  BRIDGES  PORTS  STATE  SINCE\n"


def test_what_is_remembered_cannot_be_read(kvm1: Server) -> None:
    """No trigger goes on as if nothing was remembered, and the command names the place."""
    kvm1.installed("kvm1")
    before = kvm1.ledger()
    folder = kvm1.cobbler.path(LEDGER)
    folder.rename(folder.with_name("kept"))
    folder.write_text("")
    try:
        for words in (["show"], ["check"], ["record", "kvm1"]):
            done = kvm1.command(*words, check=False)
            said = "cobbler-bridge: %s: Not a directory\n" % LEDGER
            assert (done.returncode, done.stdout, done.stderr) == (3, "", said)
        assert kvm1.trigger("firstboot", "kvm1").status == 500
        kvm1.kickstart("kvm1")
    finally:
        folder.unlink()
        folder.with_name("kept").rename(folder)
    assert kvm1.ledger() == before
    assert kvm1.trigger("firstboot", "kvm1").text == "True"
