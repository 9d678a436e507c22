"""``cobbler-bridge install`` on the real Cobbler's own files."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import yaml

from private_cobbler import FIXED_PATHS, PrivateCobbler
from real.server import MINIMAL, Server

SNIPPET = "/var/lib/cobbler/snippets/bridge_setup"
SNIPPETS = ("/var/lib/cobbler/snippets/bridge_network", SNIPPET)
SETTINGS = "/etc/cobbler/settings.yaml"
OWN = "/etc/cobbler/settings.d/cobbler_bridge.settings"
TRIGGERS = (
    "add_system_post",
    "add_system_pre",
    "change",
    "install_firstboot",
    "install_post",
    "install_pre",
)
WHITELIST = "cheetah_import_whitelist"
RESTART = "Restart cobblerd to load the triggers, for example: systemctl restart cobblerd"


def ours(server: Server) -> List[str]:
    """Every path that is to be written, in the order in which it is said."""
    modules = [
        "%s/modules/cobbler_bridge/%s.py" % (server.cobbler.package, name) for name in TRIGGERS
    ]
    return [*SNIPPETS, *modules, OWN]


def files(server: Server) -> Dict[str, Tuple[str, bytes, int]]:
    """Every file that Cobbler has, with kind, content and time of change; no logs, no caches."""
    found = {}
    for top in [*FIXED_PATHS, str(server.cobbler.package)]:
        folder = server.cobbler.path(top)
        for path in folder.rglob("*"):
            name = os.path.join(top, str(path.relative_to(folder)))
            if "__pycache__" in name or name.startswith("/var/log") or path.is_dir():
                continue
            content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
            kind = oct(path.lstat().st_mode)
            found[name] = (kind, content, path.lstat().st_mtime_ns)
    return found


def changed(before: Dict[str, Any], after: Dict[str, Any]) -> List[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def test_writes_exactly_these(fresh: Server) -> None:
    before = files(fresh)
    dry = fresh.command("install", "--dry-run")
    assert files(fresh) == before
    said = "".join("%s: written\n" % path for path in ours(fresh))
    assert dry.stdout == said + "Nothing was written.\n"

    done = fresh.command("install")
    assert (done.stdout, done.stderr) == (said + RESTART + "\n", "")
    after = files(fresh)
    assert changed(before, after) == sorted(ours(fresh))
    assert {after[path][0] for path in ours(fresh)} == {"0o100644"}

    for arguments in (["install"], ["install", "--dry-run"]):
        again = fresh.command(*arguments)
        assert files(fresh) == after
        said = "".join("%s: unchanged\n" % path for path in ours(fresh))
        assert again.stdout == said + "Everything is in place already.\n"


def test_what_is_missing_or_changed_comes_back(fresh: Server) -> None:
    fresh.command("install")
    after = files(fresh)
    lost, old = ours(fresh)[2], ours(fresh)[3]
    fresh.cobbler.path(lost).unlink()
    fresh.cobbler.path(old).write_text("# of an older version\n")
    done = fresh.command("install")
    assert lost + ": written\n" in done.stdout
    assert old + ": replaced\n" in done.stdout
    assert done.stdout.count(": unchanged\n") == len(ours(fresh)) - 2
    for path in (lost, old):
        assert files(fresh)[path][:2] == after[path][:2]


def test_changed_snippet_is_kept(fresh: Server) -> None:
    fresh.command("install")
    shipped = fresh.cobbler.path(SNIPPET).read_bytes()
    fresh.cobbler.path(SNIPPET).write_text("# mine\n")
    done = fresh.command("install")
    beside = SNIPPET + ".cobbler-bridge"
    assert done.stdout.splitlines()[1] == (
        "%s: written, because %s was changed and is kept" % (beside, SNIPPET)
    )
    assert fresh.cobbler.path(SNIPPET).read_text() == "# mine\n"
    assert fresh.cobbler.path(beside).read_bytes() == shipped
    before = files(fresh)
    again = fresh.command("install")
    assert files(fresh) == before
    assert again.stdout.endswith("Everything is in place already.\n")


def test_cobblerd_loads_it_all(fresh: Server) -> None:
    listed = yaml.safe_load(fresh.cobbler.path(SETTINGS).read_text())[WHITELIST]
    fresh.install()
    own = yaml.safe_load(fresh.cobbler.path(OWN).read_text())
    assert listed
    assert own == {WHITELIST: [*listed, "cobbler_bridge.snippet"]}
    settings = fresh.cobbler.rpc("get_settings", fresh.cobbler.token)
    assert settings[WHITELIST] == own[WHITELIST]
    # one authentication module of Cobbler's lacks its library here; none of ours lacks anything
    failed = re.findall("Exception raised when loading module (.*)", fresh.cobbler.log())
    assert set(failed) <= {"authentication.ldap"}
    output = (Path(str(fresh.cobbler.directory)) / "cobblerd.out").read_text()
    assert "cobbler_bridge" not in output
    fresh.add_releases()
    fresh.system("kvm1", meta={"bridge": "br0"})
    fresh.installed("kvm1")
    assert fresh.state("kvm1") == "br0/installed"


def test_loading_errors_are_noticed(fresh: Server) -> None:
    """The check above can fail."""
    fresh.command("install")
    fresh.cobbler.path(ours(fresh)[2]).write_text("import no_such_module\n")
    fresh.cobbler.restart()
    expected = "Exception raised when loading module cobbler_bridge.add_system_post"
    assert expected in fresh.cobbler.log()


IMPORTING = """\
#import cobbler_bridge.snippet
{}
%post
$cobbler_bridge.snippet.bridge_setup($template_universe)
%end
""".format(MINIMAL.partition("%post\n")[0])


def test_import_in_a_template_of_ones_own(fresh: Server) -> None:
    fresh.add_releases()
    fresh.template("importing", IMPORTING)
    fresh.profile("hosts", meta={"bridge": "br0"}, template="importing")
    with pytest.raises(AssertionError):
        assert "bridge br0 on EL 7" in fresh.kickstart("hosts", "profile")
    fresh.install()
    assert "bridge br0 on EL 7" in fresh.kickstart("hosts", "profile")


def test_whitelist_of_the_administrators_own() -> None:
    with PrivateCobbler({WHITELIST: ["json", "os.path"]}) as cobbler:
        server = Server(cobbler)
        server.install()
        expected = ["json", "os.path", "cobbler_bridge.snippet"]
        assert cobbler.rpc("get_settings", cobbler.token)[WHITELIST] == expected
        # it follows a later change
        text = cobbler.path(SETTINGS).read_text()
        cobbler.path(SETTINGS).write_text(text.replace("- json\n", "- base64\n"))
        assert OWN + ": replaced\n" in server.command("install").stdout
        own = yaml.safe_load(cobbler.path(OWN).read_text())
        assert own == {WHITELIST: ["base64", "os.path", "cobbler_bridge.snippet"]}


def test_whitelist_that_has_it_already() -> None:
    with PrivateCobbler({WHITELIST: ["re", "cobbler_bridge.snippet"]}) as cobbler:
        server = Server(cobbler)
        assert OWN not in server.command("install").stdout
        assert not cobbler.path(OWN).exists()


def test_snippets_elsewhere() -> None:
    with PrivateCobbler({"autoinstall_snippets_dir": "/var/lib/cobbler/ours"}) as cobbler:
        server = Server(cobbler)
        done = server.command("install")
        assert "/var/lib/cobbler/ours/bridge_setup: written\n" in done.stdout
        assert not cobbler.path(SNIPPET).exists()


def refused(done: "subprocess.CompletedProcess[str]", error: str) -> None:
    assert (done.returncode, done.stderr) == (3, "cobbler-bridge: %s\n" % error)


def test_no_settings(fresh: Server) -> None:
    fresh.cobbler.path(SETTINGS).unlink()
    before = files(fresh)
    missing = SETTINGS + ": No such file or directory; run this on the Cobbler server, as root"
    for arguments in (["install"], ["install", "--dry-run"]):
        refused(fresh.command(*arguments, check=False), missing)
    assert files(fresh) == before


def test_settings_that_are_none(fresh: Server) -> None:
    settings = fresh.cobbler.path(SETTINGS)
    for text in ("- a\n- b\n", "just words\n", ""):
        settings.write_text(text)
        before = files(fresh)
        done = fresh.command("install", check=False)
        refused(done, SETTINGS + ": is no YAML mapping; correct it")
        assert files(fresh) == before
    for content in (b"a: [\n", b"a: b: c\n", b"a: \xff\n", b"a: \x00\n"):
        settings.write_bytes(content)
        before = files(fresh)
        done = fresh.command("install", check=False)
        assert done.returncode == 3
        line = "cobbler-bridge: %s: is no YAML: [^\n]+; correct it\n" % re.escape(SETTINGS)
        assert re.fullmatch(line, done.stderr), done.stderr
        assert files(fresh) == before


def test_not_root(fresh: Server) -> None:
    """A user who may read Cobbler's files and not write them: no rights, and not the owner."""
    before = files(fresh)
    folder = fresh.cobbler.path(os.path.dirname(SNIPPET))
    folder.chmod(0o555)
    command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "cobbler-bridge", "install"]
    done = fresh.cobbler.run(command, check=False)
    folder.chmod(0o755)
    refused(done, SNIPPETS[0] + ": Permission denied; run this as root")
    assert done.stdout == ""
    assert files(fresh) == before


def test_read_only(fresh: Server) -> None:
    before = files(fresh)
    script = "mount --bind {0} {0} && mount -o remount,ro,bind {0} && exec cobbler-bridge install"
    folder = os.path.dirname(OWN)
    command = ["unshare", "--mount", "sh", "-c", script.format(folder)]
    done = fresh.cobbler.run(command, check=False)
    refused(done, OWN + ": Read-only file system; run this as root")
    # what was written before is whole, and nothing half-written is left
    assert changed(before, files(fresh)) == sorted(ours(fresh)[:-1])
    assert fresh.command("install").stdout.count(": written\n") == 1
