"""``cobbler-bridge install`` on the real Cobbler's own files."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml

from private_cobbler import PrivateCobbler
from real.server import MINIMAL, REPOSITORY, TEMPLATES, Server
from waiting import wait_for

FOLDER = "/var/lib/cobbler/snippets/"
SNIPPET = FOLDER + "bridge_setup"
SNIPPETS = sorted(FOLDER + path.name for path in (REPOSITORY / "snippets").iterdir())
SCRIPTS = sorted(
    "/var/lib/cobbler/scripts/" + path.name for path in (REPOSITORY / "scripts").iterdir()
)
SETTINGS = "/etc/cobbler/settings.yaml"
OWN = "/etc/cobbler/settings.d/cobbler_bridge.settings"
MANIFEST = "/var/lib/cobbler/cobbler_bridge.installed"
TRIGGERS = sorted(path.stem for path in (REPOSITORY / "triggers").glob("*.py"))
WHITELIST = "cheetah_import_whitelist"
RESTART = "Restart cobblerd to load the triggers, for example: systemctl restart cobblerd"


def ours(server: Server) -> List[str]:
    """Every path that is to be written, in the order in which it is said."""
    modules = ["%s/%s.py" % (modules_of(server), name) for name in TRIGGERS]
    return [*SNIPPETS, *SCRIPTS, *modules, OWN]


def modules_of(server: Server) -> str:
    """The folder of the trigger modules."""
    return "%s/modules/cobbler_bridge" % server.cobbler.package


def changed(before: Dict[str, Any], after: Dict[str, Any]) -> List[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def test_writes_exactly_these(fresh: Server) -> None:
    before = fresh.files()
    dry = fresh.command("install", "--dry-run")
    assert fresh.files() == before
    said = "".join("%s: written\n" % path for path in ours(fresh))
    assert dry.stdout == said + "Nothing was changed; without --dry-run this would be done.\n"

    done = fresh.command("install")
    assert (done.stdout, done.stderr) == (said + RESTART + "\n", "")
    after = fresh.files()
    assert changed(before, after) == sorted([*ours(fresh), MANIFEST])
    assert {after[path][0] for path in ours(fresh)} == {"0o100644"}

    said = "".join("%s: unchanged\n" % path for path in ours(fresh))
    # it has not been started again
    assert fresh.command("install").stdout == said + RESTART + "\n"
    fresh.cobbler.restart()
    after = fresh.files()
    for arguments in (["install"], ["install", "--dry-run"], ["install", "--restart"]):
        again = fresh.command(*arguments)
        assert fresh.files() == after
        assert again.stdout == said + "Everything is in place already.\n"


def test_the_page_is_off_until_somebody_asks_for_it(fresh: Server) -> None:
    page = fresh.cobbler.path("/var/www/cobbler/pub/cobbler_bridge/index.html")
    before = fresh.files(), fresh.folders()
    fresh.command("install")
    assert not page.parent.exists()
    page.parent.mkdir()
    page.write_text("mine")
    refused = fresh.command("install", "--page", check=False)
    assert refused.returncode == 3
    assert "is no page of cobbler-bridge; move it away" in refused.stderr
    assert page.read_text() == "mine"
    page.unlink()
    page.parent.rmdir()
    assert "index.html: written, and again" in fresh.command("install", "--page").stdout
    assert page.stat().st_mode & 0o777 == 0o644
    assert "index.html: removed" in fresh.command("install", "--no-page").stdout
    assert not page.parent.exists()
    fresh.command("install", "--page")
    fresh.command("uninstall")
    assert (fresh.files(), fresh.folders()) == before


def test_a_page_that_cannot_be_written_is_in_nobodys_way(fresh: Server) -> None:
    fresh.command("install", "--page")
    fresh.cobbler.restart()
    fresh.add_releases()
    page = fresh.cobbler.path("/var/www/cobbler/pub/cobbler_bridge/index.html")
    page.unlink()
    page.parent.rmdir()
    page.parent.write_text("no folder")
    fresh.profile("hosts", meta={"bridge": "br0"})
    fresh.system("kvm1", "hosts")
    fresh.installed("kvm1")
    assert fresh.state("kvm1") == "br0/installed"
    assert wait_for(lambda: "the page is not written" in fresh.cobbler.log())
    page.parent.unlink()
    page.parent.mkdir()
    # what is recorded by hand is written past the triggers
    fresh.command("record", "kvm1", "--bridge", "br7")
    assert wait_for(lambda: page.exists() and '"br7"' in page.read_text())


def test_what_is_missing_or_changed_comes_back(fresh: Server) -> None:
    fresh.command("install")
    after = fresh.files()
    lost, old = ours(fresh)[len(SNIPPETS) :][:2]
    fresh.cobbler.path(lost).unlink()
    fresh.cobbler.path(old).write_text("# of an older version\n")
    done = fresh.command("install")
    assert lost + ": written\n" in done.stdout
    assert old + ": replaced\n" in done.stdout
    assert done.stdout.count(": unchanged\n") == len(ours(fresh)) - 2
    for path in (lost, old):
        assert fresh.files()[path][:2] == after[path][:2]


def test_changed_snippet_is_kept(fresh: Server) -> None:
    fresh.command("install")
    shipped = fresh.cobbler.path(SNIPPET).read_bytes()
    fresh.cobbler.path(SNIPPET).write_text("# mine\n")
    done = fresh.command("install")
    beside = SNIPPET + ".cobbler-bridge"
    assert done.stdout.splitlines()[SNIPPETS.index(SNIPPET)] == (
        "%s: written, because %s was changed and is kept" % (beside, SNIPPET)
    )
    assert fresh.cobbler.path(SNIPPET).read_text() == "# mine\n"
    assert fresh.cobbler.path(beside).read_bytes() == shipped
    before = fresh.files()
    again = fresh.command("install")
    assert fresh.files() == before
    assert again.stdout.splitlines()[SNIPPETS.index(SNIPPET)] == (
        "%s: unchanged, because %s was changed and is kept" % (beside, SNIPPET)
    )
    # what is theirs stays, what is ours goes
    assert SNIPPET + ": kept, because it was changed; remove it yourself\n" in (
        fresh.command("uninstall").stdout
    )
    assert fresh.cobbler.path(SNIPPET).read_text() == "# mine\n"
    assert not fresh.cobbler.path(beside).exists()


def older(server: Server, path: str, content: str) -> None:
    """Let a file be what an older version of the pack has written."""
    server.cobbler.path(path).write_text(content)
    manifest = json.loads(server.cobbler.path(MANIFEST).read_text())
    manifest["version"] = "0.0.9"
    manifest["files"][path] = hashlib.sha256(content.encode()).hexdigest()
    server.cobbler.path(MANIFEST).write_text(json.dumps(manifest))


def test_upgrade(fresh: Server) -> None:
    before = fresh.files()
    fresh.command("install")
    shipped = fresh.cobbler.path(SNIPPET).read_bytes()
    gone = os.path.join(modules_of(fresh), "gone.py")
    old, edited = ours(fresh)[len(SNIPPETS) :][:2]
    older(fresh, SNIPPET, "# older\n")
    for path in (old, edited, gone):
        older(fresh, path, "# older\n")
    said = fresh.command("install").stdout
    for path in (SNIPPET, old, edited):
        assert path + ": replaced\n" in said
    assert gone + ": removed, because nothing needs it any more\n" in said
    assert not fresh.cobbler.path(gone).exists()
    assert fresh.cobbler.path(SNIPPET).read_bytes() == shipped
    # the same with a snippet that was changed, in a version that came and went
    older(fresh, SNIPPET, "# older\n")
    fresh.cobbler.path(SNIPPET).write_text("# mine\n")
    fresh.command("install")
    beside = SNIPPET + ".cobbler-bridge"
    older(fresh, beside, "# older\n")
    said = fresh.command("install").stdout
    assert "%s: replaced, because %s was changed and is kept\n" % (beside, SNIPPET) in said
    assert fresh.cobbler.path(beside).read_bytes() == shipped
    # given up: ours is back, and the one beside it goes
    fresh.cobbler.path(SNIPPET).unlink()
    said = fresh.command("install").stdout
    assert SNIPPET + ": written\n" in said
    assert beside + ": removed, because nothing needs it any more\n" in said
    fresh.command("uninstall")
    assert fresh.files() == before


def test_another_version_means_a_restart(fresh: Server) -> None:
    """cobblerd has the modules of the older package in its memory."""
    fresh.install()
    older(fresh, SNIPPET, fresh.cobbler.path(SNIPPET).read_text())
    assert fresh.command("install").stdout.endswith(": unchanged\n" + RESTART + "\n")
    assert '"version": "0.0.9"' not in fresh.cobbler.path(MANIFEST).read_text()


def test_settings_that_were_changed(fresh: Server) -> None:
    fresh.command("install")
    fresh.cobbler.path(OWN).write_text("%s: [json, cobbler_bridge.snippet]\n" % WHITELIST)
    assert OWN + ": kept, because it was changed\n" in fresh.command("install").stdout
    assert OWN + ": kept, because it was changed" in fresh.command("uninstall").stdout


def test_settings_of_ones_own(fresh: Server) -> None:
    """Written before the pack came, by whatever writes an administrator's files."""
    own = "%s: [json, cobbler_bridge.snippet]\n" % WHITELIST
    fresh.cobbler.path(OWN).write_text(own)
    before = fresh.files()
    assert OWN + ": kept, because it was changed\n" in fresh.command("install").stdout
    fresh.command("uninstall")
    assert fresh.files() == before
    # one that only speaks of it does not do what ours is for
    fresh.command("install")
    fresh.cobbler.path(OWN).write_text("# cobbler_bridge.snippet\n")
    assert OWN + ": replaced\n" in fresh.command("install").stdout


# the Nth call that changes something is the last
INTERRUPTED = """\
import os, sys, tempfile
from cobbler_bridge.cli import main
left = [int(sys.argv.pop(1))]
def until_then(module, name):
    real = getattr(module, name)
    def call(*args, **more):
        left[0] -= 1
        if left[0] == 0:
            os._exit(137)
        return real(*args, **more)
    setattr(module, name, call)
for module, names in ((os, "mkdir replace unlink rmdir"), (tempfile, "mkstemp")):
    for name in names.split():
        until_then(module, name)
sys.exit(main(sys.argv[1:]))
"""


def interrupted(server: Server, command: str, calls: int) -> bool:
    """Run the command until it has made so many changes; whether it came that far."""
    run = ["python", "-I", "-c", INTERRUPTED, str(calls), command]
    return server.cobbler.run(run, check=False).returncode == 137


@pytest.mark.parametrize("then", [[], ["install"]])
def test_interrupted(fresh: Server, then: List[str]) -> None:
    """Killed anywhere, of a first installation, an upgrade or a removal: nothing is left."""
    before, folders = fresh.files(), fresh.folders()
    reached = 0
    for step in range(1 + 3 * len(then), 30, 8):
        for command in ("first", "upgrade", "uninstall"):
            if command != "first":
                fresh.command("install")
            if command == "upgrade":
                for path in ours(fresh)[2:5]:
                    older(fresh, path, "# older\n")
            reached += interrupted(fresh, command.replace("first", "install"), step)
            for again in [*then, "uninstall"]:
                fresh.command(again)
            assert (fresh.files(), fresh.folders()) == (before, folders), (command, step)
    assert reached > 6


def test_several_at_once(fresh: Server) -> None:
    """Each does all of it or finds it done."""
    before, folders = fresh.files(), fresh.folders()
    script = "for each in 1 2 3 4 5 6; do cobbler-bridge install & done; wait"
    said = fresh.cobbler.run(["sh", "-c", script]).stdout
    assert said.count(": written\n") == len(ours(fresh))
    fresh.command("uninstall")
    assert (fresh.files(), fresh.folders()) == (before, folders)


def test_another_python_of_cobblers(fresh: Server) -> None:
    """What stands in the folders of the one before goes, with what that Python made of it."""
    fresh.command("install")
    modules = modules_of(fresh)
    manifest = fresh.cobbler.path(MANIFEST)
    old = "/var/lib/cobbler/python3.6/cobbler_bridge"
    place = fresh.cobbler.path(old)
    shutil.copytree(fresh.cobbler.path(modules), place)
    (place / "__pycache__").mkdir(exist_ok=True)
    (place / "__pycache__/change.cpython-36.pyc").write_text("compiled")
    manifest.write_text(manifest.read_text().replace(modules, old))
    shutil.rmtree(fresh.cobbler.path(modules))
    said = fresh.command("install").stdout
    assert old + "/change.py: removed, because nothing needs it any more\n" in said
    assert not place.exists()
    assert old not in manifest.read_text()


def test_a_linked_folder(fresh: Server) -> None:
    """It stays, and is no reason to stop."""
    modules = fresh.cobbler.path(modules_of(fresh))
    elsewhere = fresh.cobbler.path("/var/lib/cobbler/elsewhere")
    elsewhere.mkdir()
    modules.symlink_to("/var/lib/cobbler/elsewhere")
    before = fresh.files()
    fresh.command("install")
    assert (elsewhere / "change.py").is_file()
    fresh.command("uninstall")
    assert fresh.files() == before
    assert modules.is_symlink()


def test_uninstall() -> None:
    # Python leaves what it made of the modules
    with PrivateCobbler(env={"PYTHONDONTWRITEBYTECODE": ""}) as cobbler:
        it_leaves_nothing(Server(cobbler))


def it_leaves_nothing(fresh: Server) -> None:
    """Neither files nor folders, but for what cobblerd itself writes at every start."""
    before, folders = fresh.files(), fresh.folders()
    nothing = "Nothing of cobbler-bridge is in this Cobbler.\n"
    assert fresh.command("uninstall").stdout == nothing
    fresh.install()
    fresh.template("asking", MINIMAL)
    compiled = fresh.cobbler.path(modules_of(fresh) + "/__pycache__")
    assert list(compiled.iterdir())
    after = fresh.files()
    assert "\nNothing was changed; without" in fresh.command("uninstall", "--dry-run").stdout
    assert fresh.files() == after
    lines = fresh.command("uninstall").stdout.splitlines()
    assert {path + ": removed" for path in ours(fresh)} <= set(lines)
    assert "%s/asking.ks: still asks for the snippet bridge_setup; take that out" % TEMPLATES in (
        lines
    )
    assert "Restart cobblerd to do without the triggers" in lines[-2]
    assert lines[-1].startswith("Each virt_bridge stays, ")
    fresh.cobbler.path(TEMPLATES + "/asking.ks").unlink()
    started = {"/var/lib/cobbler/.mtime", "/var/lib/cobbler/web.ss"}
    assert set(changed(before, fresh.files())) <= started
    assert fresh.folders() == folders
    assert not compiled.exists()
    assert fresh.command("uninstall").stdout == nothing


def test_uninstall_without_a_manifest(fresh: Server) -> None:
    """What is exactly ours is ours."""
    before, folders = fresh.files(), fresh.folders()
    fresh.command("install")
    fresh.cobbler.path(MANIFEST).unlink()
    fresh.command("uninstall")
    assert (fresh.files(), fresh.folders()) == (before, folders)


def test_uninstall_after_cobbler(fresh: Server) -> None:
    fresh.command("install")
    for path in (SETTINGS, "/etc/cobbler/version"):
        fresh.cobbler.path(path).unlink()
    fresh.command("uninstall")
    assert not [path for path in [*ours(fresh), MANIFEST] if fresh.cobbler.path(path).exists()]


def test_restart(fresh: Server, tmp_path: Path) -> None:
    """With the command of the machine, once, and only where something needs it."""
    noting = tmp_path / "noted"
    for name in ("systemctl", "service"):
        (tmp_path / name).write_text('#!/bin/sh\necho "$0 $*" >> "%s"\n' % noting)
        (tmp_path / name).chmod(0o755)
    search = {"PATH": "%s:%s/bin:/usr/bin:/bin" % (tmp_path, sys.prefix)}
    run = ["cobbler-bridge", "install", "--restart"]
    assert fresh.cobbler.run([*run, "--dry-run"], env=search).stdout.endswith("be done.\n")
    assert not noting.exists()
    assert fresh.cobbler.run(run, env=search).stdout.endswith("cobblerd was restarted.\n")
    assert re.fullmatch("[^ ]+ (restart cobblerd|cobblerd restart)\n", noting.read_text())
    fresh.cobbler.restart()
    noting.unlink()
    assert fresh.cobbler.run(run, env=search).stdout.endswith("in place already.\n")
    assert not noting.exists()
    for name in ("systemctl", "service"):
        (tmp_path / name).write_text("#!/bin/sh\necho Unit is masked.; exit 1\n")
    done = fresh.cobbler.run(["cobbler-bridge", "uninstall", "--restart"], env=search, check=False)
    assert re.fullmatch(
        "cobbler-bridge: '[^']+' failed: Unit is masked.; restart cobblerd yourself\n", done.stderr
    )
    assert done.returncode == 3


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
    fresh.cobbler.path(modules_of(fresh) + "/add_system_post.py").write_text(
        "import no_such_module\n"
    )
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
    before = fresh.files()
    missing = SETTINGS + ": No such file or directory; run this on the Cobbler server, as root"
    for arguments in (["install"], ["install", "--dry-run"]):
        refused(fresh.command(*arguments, check=False), missing)
    assert fresh.files() == before


def test_settings_that_are_none(fresh: Server) -> None:
    settings = fresh.cobbler.path(SETTINGS)
    for text in ("- a\n- b\n", "just words\n", ""):
        settings.write_text(text)
        before = fresh.files()
        done = fresh.command("install", check=False)
        refused(done, SETTINGS + ": is no YAML mapping; correct it")
        assert fresh.files() == before
    for content in (b"a: [\n", b"a: b: c\n", b"a: \xff\n", b"a: \x00\n"):
        settings.write_bytes(content)
        before = fresh.files()
        done = fresh.command("install", check=False)
        assert done.returncode == 3
        line = "cobbler-bridge: %s: is no YAML: [^\n]+; correct it\n" % re.escape(SETTINGS)
        assert re.fullmatch(line, done.stderr), done.stderr
        assert fresh.files() == before


def test_unsupported_versions(fresh: Server) -> None:
    version = fresh.cobbler.path("/etc/cobbler/version")
    before = fresh.files()
    for text, said in (
        ("[cobbler]\nversion = 2.8.5\n", "this is Cobbler 2.8.5; cobbler-bridge needs "),
        ("[cobbler]\nversion = 4.1.0\n", "this is Cobbler 4.1.0; cobbler-bridge needs "),
        ("", "/etc/cobbler/version says no version of Cobbler; cobbler-bridge needs "),
    ):
        version.write_text(text)
        needs = "Cobbler 3.2.2 or later, 3.3 or 4.0"
        refused(fresh.command("install", check=False), said + needs)
    version.write_bytes(before["/etc/cobbler/version"][1])
    assert set(changed(before, fresh.files())) <= {"/etc/cobbler/version"}


def with_cobblerd_of(server: Server, tmp_path: Path, first_line: str) -> Any:
    """Run ``install`` where cobblerd is a script that begins like this."""
    (tmp_path / "cobblerd").write_text(first_line + "\n")
    (tmp_path / "cobblerd").chmod(0o755)
    search = {"PATH": "%s:%s/bin:/usr/bin:/bin" % (tmp_path, sys.prefix)}
    return server.cobbler.run(["cobbler-bridge", "install"], env=search, check=False)


def test_cobblerd_of_another_python(fresh: Server, tmp_path: Path) -> None:
    """A package that cobblerd's own Python lacks is of no use to it."""
    before = fresh.files()
    other = tmp_path / "python3"
    for answer, said in (
        (
            '[["/usr/lib/cobbler"], null]',
            "cobblerd runs on {0} -s, which has no cobbler-bridge; install it there, for example "
            "in the folder of its sources: {0} -m pip install .",
        ),
        (
            '[["/usr/lib/cobbler"], ["/usr/lib/cobbler_bridge"]]',
            "cobblerd runs on {0} -s, which has another cobbler-bridge; run this: "
            "{0} -m cobbler_bridge install",
        ),
        ("no JSON", "cobblerd runs on {0} -s, which does not run"),
    ):
        other.write_text("#!/bin/sh\necho '%s'\n" % answer)
        other.chmod(0o755)
        done = with_cobblerd_of(fresh, tmp_path, "#!%s -s" % other)
        refused(done, said.format(other))
    assert fresh.files() == before
    # the same Python under another name, and a start that no Python is in
    for line in ("#!%s" % sys.executable, "#!/usr/bin/env %s" % sys.executable, "#!/bin/sh"):
        assert with_cobblerd_of(fresh, tmp_path, line).stdout.endswith(RESTART + "\n")


def test_no_cobbler(fresh: Server, tmp_path: Path) -> None:
    """As on any machine that is no Cobbler server."""
    script = (
        "import sys; sys.modules['cobbler'] = None; from cobbler_bridge.__main__ import run; run()"
    )
    command = [sys.executable, "-c", script, "install"]
    (tmp_path / "cobblerd").write_text("#!/bin/sh\n")
    (tmp_path / "cobblerd").chmod(0o755)
    search = {"PATH": "%s:/usr/bin:/bin" % tmp_path}
    done = fresh.cobbler.run(command, env=search, check=False)
    refused(
        done,
        "there is no Cobbler in %s, nor in the Python of a cobblerd; run this on the Cobbler "
        "server, as root" % sys.executable,
    )


def test_not_root(fresh: Server) -> None:
    """A user who may read Cobbler's files and not write them: no rights, and not the owner."""
    before = fresh.files()
    folder = fresh.cobbler.path(os.path.dirname(SNIPPET))
    folder.chmod(0o555)
    command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "cobbler-bridge", "install"]
    done = fresh.cobbler.run(command, check=False)
    folder.chmod(0o755)
    refused(done, SNIPPETS[0] + ": Permission denied; run this as root")
    assert done.stdout == ""
    assert fresh.files() == before


def test_read_only(fresh: Server) -> None:
    before = fresh.files()
    script = "mount --bind {0} {0} && mount -o remount,ro,bind {0} && exec cobbler-bridge install"
    folder = os.path.dirname(OWN)
    command = ["unshare", "--mount", "sh", "-c", script.format(folder)]
    done = fresh.cobbler.run(command, check=False)
    refused(done, OWN + ": Read-only file system; nothing was changed")
    # all of it or nothing
    assert fresh.files() == before
    assert not fresh.cobbler.path(modules_of(fresh)).exists()
    assert fresh.command("install").stdout.count(": written\n") == len(ours(fresh))
