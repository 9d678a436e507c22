"""A site that has Ansible write its systems, with Cobbler's own module: a second run changes
nothing, whatever has become of hosts and guests."""

import json
import re
import sys
from pathlib import Path
from typing import Any, Dict, List

from environments import ENVIRONMENTS
from real.server import Server

PROGRAM = Path(sys.executable).parent / "ansible-playbook"


class Playbook:
    """Systems, each a task, and Ansible to see to them."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.systems: Dict[str, Dict[str, Any]] = {
            name: {
                "properties": {"profile": "rhel7", "comment": "x", "autoinstall_meta": meta},
                "interfaces": {"eth0": {"macaddress": server.mac()}},
            }
            for name, meta in {
                "kvm1": {"bridge": "br0"},
                "web1": {"bridge_host": "kvm1", "colour": "red"},
            }.items()
        }

    def run(self) -> List[str]:
        """See to all systems; which of them it changed."""
        secret = self.server.cobbler.path("/var/lib/cobbler/web.ss").read_text()
        login = {"host": "127.0.0.1", "use_ssl": False, "username": "", "password": secret}
        tasks = [
            {"name": name, "community.general.cobbler_system": {**login, "name": name, **system}}
            for name, system in self.systems.items()
        ]
        play = [{"hosts": "localhost", "connection": "local", "gather_facts": False}]
        (self.folder / "play.yml").write_text(json.dumps([{**play[0], "tasks": tasks}]))
        env = {
            "ANSIBLE_COLLECTIONS_PATH": str(ENVIRONMENTS / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOME": str(self.folder),
            "ANSIBLE_LOCAL_TEMP": str(self.folder),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "LC_ALL": "C.UTF-8",
        }
        done = self.server.cobbler.run(
            [str(PROGRAM), "-i", "localhost,", "play.yml"], env=env, cwd=self.folder, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        return re.findall(r"TASK \[(\w+)\] \*+\nchanged: \[localhost\]\n", said)


def stays(playbook: Playbook) -> None:
    """Nothing is to be done, and no note of ours is in the variables."""
    assert playbook.run() == []
    for name, system in playbook.systems.items():
        assert playbook.server.meta(name) == system["properties"]["autoinstall_meta"]


def test_a_second_run_changes_nothing(server: Server, tmp_path: Path) -> None:
    playbook = Playbook(server, tmp_path)
    assert playbook.run() == list(playbook.systems)
    server.installed("kvm1")
    server.trigger("firstboot", "kvm1")
    assert server.state("kvm1") == "br0/verified"
    placed = [server.bridges(name) for name in playbook.systems]
    assert placed == [{"eth0": "br0"}] * 2
    record = server.record("kvm1")
    stays(playbook)
    # another host, and one that is made anew
    server.edit("system", "kvm1", comment="somebody else's")
    server.remove("system", "web1")
    assert playbook.run() == ["kvm1", "web1"]
    assert [server.bridges(name) for name in playbook.systems] == placed
    assert server.record("kvm1") == record
    stays(playbook)
