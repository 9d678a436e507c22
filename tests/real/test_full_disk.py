"""Signals on a disk that is full, nearly full, or read-only: on each kind of Cobbler."""

import json
from typing import Any, Dict, Iterator

import pytest

from real.server import COLLECTIONS, Answer, Server
from real.versions import with_the_pack

TRIED = ("3.2.3", "3.3.3", "3.3.10", "4.0.0b7")
ROOT = "/var/lib/cobbler"
# what it has is there, in a file system of its own
MOUNT = """
set -e
cp -a "$1" /tmp/kept
mount -t tmpfs -o size=4m,mode=755 tmpfs "$1"
cp -a /tmp/kept/. "$1"
rm -r /tmp/kept
"""
# all of it, but for some bytes
FILL = """
! cat /dev/zero > "$1/filling" 2> /dev/null || exit 1
[ "$2" = 0 ] || truncate -s -"$2" "$1/filling"
"""
READ = """
import json, os, sys
found = {}
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(folder, name)
        if name not in ("filling", "lock"):
            with open(path, encoding="utf-8") as file:
                found[path] = [file.read(), os.stat(path).st_mtime_ns]
print(json.dumps(found))
"""


@pytest.fixture(scope="module", params=TRIED)
def each_cobbler(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def cobbler(each_cobbler: str) -> Iterator[Server]:
    """A Cobbler of this version, with a profile of hosts."""
    with with_the_pack(each_cobbler) as server:
        server.profile("hosts", meta={"bridge": "br0"})
        yield server


@pytest.fixture(params=[COLLECTIONS, ROOT])
def disk(cobbler: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """A folder that is a small file system, under a Cobbler with a host and a guest."""
    folder: str = request.param
    cobbler.system("kvm1", "hosts")
    cobbler.system("web1", "rhel7", {"bridge_host": "kvm1"})
    cobbler.cobbler.run(["sh", "-c", MOUNT, "sh", folder])
    yield folder
    cobbler.cobbler.run(["umount", folder])
    # and what is below it is what cobblerd has again
    cobbler.cobbler.restart()
    for name in ("kvm1", "web1"):
        cobbler.remove("system", name)
    # which would be those of the next ones of these names
    for path in cobbler.ledger():
        path.unlink()


def version_of(server: Server) -> str:
    return str(server.cobbler.rpc("extended_version")["version"])


def on_disk(server: Server) -> Dict[str, Any]:
    """Every file of Cobbler's objects, and the time of their last change."""
    words = ["python3", "-c", READ]
    found: Dict[str, Any] = json.loads(server.cobbler.run([*words, COLLECTIONS]).stdout)
    mtime = server.cobbler.run(["cat", ROOT + "/.mtime"]).stdout
    return dict(found, mtime=mtime)


def in_memory(server: Server) -> Any:
    """What cobblerd says of every object."""
    kinds = ["system", "profile"]
    if "4.0" in version_of(server):
        kinds.append("network_interface")
    items = [item for kind in kinds for item in server.cobbler.rpc("get_items", kind)]
    # Cobbler's own blending adds old names to what it remembers
    return [
        {field: item[field] for field in item if field not in ("kickstart", "ks_meta")}
        for item in items
    ]


def told(server: Server, *modes: str) -> None:
    for mode in modes:
        assert server.trigger(mode, "kvm1").status == 500, mode


def state(server: Server) -> str:
    """The record, without its time."""
    (host,) = json.loads(server.command("show", "kvm1", "--format=json").stdout)
    return "%s/%s" % (",".join(host["bridges"]), host["state"])


@pytest.mark.parametrize("how", ["full", "60 KiB", "read-only"])
def test_nothing_is_lost(cobbler: Server, disk: str, how: str) -> None:
    before = on_disk(cobbler), in_memory(cobbler)
    if how == "read-only":
        cobbler.cobbler.run(["mount", "-o", "remount,ro", disk])
    else:
        left = {"full": 0, "60 KiB": 61440}[how]
        cobbler.cobbler.run(["sh", "-c", FILL, "sh", disk, str(left)])
    told(cobbler, "post", "firstboot", "firstboot", "post")
    if disk == ROOT and how != "60 KiB":
        # which saves nothing but the record
        told(cobbler, "pre")
    assert (on_disk(cobbler), in_memory(cobbler)) == before
    if disk == COLLECTIONS and version_of(cobbler) != "3.3.3":
        # others write their objects as they start, and every one to the other folder
        cobbler.cobbler.restart()
        assert on_disk(cobbler) == before[0]
    cobbler.cobbler.run(["mount", "-o", "remount,rw", disk])
    cobbler.cobbler.run(["rm", "-f", disk + "/filling"])
    if disk == COLLECTIONS:
        cobbler.cobbler.restart()
    assert cobbler.trigger("firstboot", "kvm1") == Answer(200, "True")
    assert state(cobbler) == "br0/verified"
    assert '"br0"' in json.dumps(on_disk(cobbler)).replace("\\", "")


def test_it_fills_up_in_between(cobbler: Server, disk: str) -> None:
    """What was saved stays; what could not be saved is as before; then all of it comes."""
    assert cobbler.trigger("pre", "kvm1") == Answer(200, "True")
    cobbler.cobbler.run(["sh", "-c", FILL, "sh", disk, "0"])
    before = on_disk(cobbler)
    told(cobbler, "post", "firstboot")
    assert on_disk(cobbler) == before
    assert state(cobbler) == "br0/installing"
    cobbler.cobbler.run(["rm", disk + "/filling"])
    # the lost post is not missed
    assert cobbler.trigger("firstboot", "kvm1") == Answer(200, "True")
    assert state(cobbler) == "br0/verified"
