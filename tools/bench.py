"""What the pack costs, beside what Cobbler does anyway: ``make bench``.

Runs inside a private Cobbler, on Cobbler's own Python API. Every ratio compares medians of one
run, taken in turns, so that a busy machine slows both sides.
"""

import argparse
import importlib
import logging
import statistics
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

from cobbler.api import CobblerAPI

from cobbler_bridge import snippet
from cobbler_bridge.store.host_record import VERIFIED, Record
from cobbler_bridge.store.ledger import Entry, Ledger

TEMPLATES = {
    "bare": "",
    "bridge_setup": "$SNIPPET('bridge_setup')\n",
    "post_install_network_config": "$SNIPPET('post_install_network_config')\n",
}
KICKSTART = "url --url=$tree\nreboot\n%packages\n%end\n%post\n{}echo done\n%end\n"
ONE = "install/post, one guest placed"
FOLDER = Path("/var/lib/cobbler/templates")


def in_turns(calls: Dict[str, Callable[[], object]], rounds: int) -> Dict[str, float]:
    """The median time of each call in milliseconds; the first round only warms up."""
    times: Dict[str, List[float]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            begin = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - begin) * 1000)
    return {name: statistics.median(each[1:]) for name, each in times.items()}


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--systems", type=int, nargs="+", default=[100, 1000, 10000])
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    api = CobblerAPI(is_cobblerd=True)
    add_profile(api)
    add_system(api, "kvm1", {"bridge": "br0"})
    rendering(api, options.rounds)
    triggers(api, options.rounds, sorted(options.systems))
    return 0


def add_profile(api: Any) -> None:
    """A distro and a profile to hang systems on."""
    tree = Path("/var/www/cobbler/distro_mirror/bench")
    tree.mkdir(parents=True)
    for name in ("vmlinuz", "initrd.img"):
        (tree / name).write_text(name)
    distro = api.new_distro()
    distro.name, distro.breed, distro.os_version = "bench", "redhat", "rhel7"
    distro.kernel, distro.initrd = str(tree / "vmlinuz"), str(tree / "initrd.img")
    distro.autoinstall_meta = {"tree": "http://127.0.0.1/cblr/links/bench"}
    api.distros().add(distro, save=True, with_triggers=False, with_sync=False)
    profile = api.new_profile()
    profile.name, profile.distro = "bench", "bench"
    api.profiles().add(profile, save=True, with_triggers=False, with_sync=False)


def add_system(api: Any, name: str, meta: Dict[str, str], number: int = 0) -> Any:
    """A system with one interface, kept in memory as cobblerd keeps it."""
    system = api.new_system()
    system.name, system.profile, system.autoinstall_meta = name, "bench", meta
    mac = "52:54:00:%02x:%02x:%02x" % (number >> 16, number >> 8 & 255, number & 255)
    system.modify_interface({"macaddress-eth0": mac})
    # past the search for duplicates, which takes longer with every system
    api.systems().add(system)
    return system


def rendering(api: Any, rounds: int) -> None:
    """A system's kickstart, bare and with each of the snippets."""
    for name, text in TEMPLATES.items():
        (FOLDER / ("%s.ks" % name)).write_text(KICKSTART.format(text))
    system = api.find_system("kvm1")

    def render(name: str) -> Callable[[], object]:
        def call() -> object:
            system.autoinstall = "%s.ks" % name
            return api.autoinstallgen.generate_autoinstall_for_system("kvm1")

        return call

    def render_anew() -> object:
        snippet._script.cache_clear()
        return again()

    again = render("bridge_setup")
    calls = {name: render(name) for name in TEMPLATES}
    calls["bridge_setup, never seen before"] = render_anew
    took = in_turns(calls, rounds)
    print("Rendering one system's kickstart (median of %d, in turns)" % rounds)
    for name, each in took.items():
        print("  %-34s %8.2f ms   adds %8.2f ms" % (name, each, each - took["bare"]))
    theirs = took["post_install_network_config"] - took["bare"]
    for name in ("bridge_setup", "bridge_setup, never seen before"):
        ours = took[name] - took["bare"]
        print("  %s: %.2f times what post_install_network_config adds" % (name, ours / theirs))


def _save(api: Any, item: Any, **how: bool) -> Callable[[], object]:
    return lambda: api.systems().add(item, save=True, with_triggers=False, **how)


def _forget(host: Any) -> None:
    """Take its record away."""
    Ledger().write(Entry(host.uid, host.name), Entry(host.uid, host.name))


def _remember(host: Any) -> None:
    """Its bridge is proved."""
    Ledger().write(Entry(host.uid, host.name, Record(("br0",), VERIFIED, "x")))


def _forged(api: Any, modules: Dict[str, Any]) -> Dict[str, Callable[[], object]]:
    """Signals that change nothing, of each kind."""
    verified = add_system(api, "kvm3", {"bridge": "br0"}, 54)
    _remember(verified)
    verified.interfaces["eth0"].ip_address = "192.0.2.60"
    profile = api.new_profile()
    profile.name, profile.distro = "forged", "bench"
    profile.autoinstall_meta = {"bridge": "br9"}
    api.profiles().add(profile, save=True, with_triggers=False, with_sync=False)

    def signal(mode: str, *words: Any) -> Callable[[], object]:
        return lambda: modules["install_" + mode].run(api, list(words))

    return {
        "forged: a verified host's post": signal("post", "system", "kvm3", "192.0.2.60"),
        "forged: its firstboot again": signal("firstboot", "system", "kvm3", "192.0.2.60"),
        "forged: another profile's post": signal("post", "profile", "forged", "192.0.2.60"),
        "forged: from nobody's address": signal("post", "profile", "forged", "192.0.2.61"),
        "forged: a name nobody has": signal("pre", "system", "*", "192.0.2.60"),
        "forged: a name that is none": signal("pre", "profile", ["kvm1"], {"a": 1}),
    }


def _trigger_calls(api: Any) -> Dict[str, Callable[[], object]]:
    modules = {
        name: importlib.import_module("cobbler.modules.cobbler_bridge." + name)
        for name in (
            *("install_pre", "install_post", "install_firstboot"),
            *("add_system_post", "change"),
        )
    }
    guest = add_system(api, "web1", {"bridge_host": "kvm1"}, 1)
    other = add_system(api, "other", {}, 2)
    # saved as Cobbler does: who is about to be saved may be on disk
    api.systems().add(other, save=True, with_triggers=False, with_sync=False)
    add_system(api, "kvm2", {"bridge": "br0"}, 3)
    many = [
        add_system(api, "guest%d" % each, {"bridge_host": "kvm2"}, 4 + each) for each in range(50)
    ]

    hosts = {name: api.find_system(name) for name in ("kvm1", "kvm2")}

    def install_pre() -> None:
        _forget(hosts["kvm1"])
        modules["install_pre"].run(api, ["system", "kvm1", "?"])

    def unset(item: Any) -> None:
        item.interfaces["eth0"].virt_bridge = ""
        # an interface's setter leaves what Cobbler remembers of the system
        item.mtime = item.mtime

    def unplace() -> None:
        unset(guest)

    def install_post() -> None:
        unplace()
        _forget(hosts["kvm1"])
        modules["install_post"].run(api, ["system", "kvm1", "127.0.0.1"])

    def fifty() -> None:
        for each in many:
            unset(each)
        _forget(hosts["kvm2"])
        modules["install_post"].run(api, ["system", "kvm2", "127.0.0.1"])

    def unrelated() -> None:
        """What is called when a system is saved that is neither host nor guest."""
        for name in ("change", "add_system_post"):
            modules[name].run(api, ["other"])

    def guest_saved() -> None:
        unplace()
        modules["add_system_post"].run(api, ["web1"])

    return {
        "Cobbler's save, file only": _save(api, other, with_sync=False),
        "Cobbler's save, boot files too": _save(api, other),
        "install/pre": install_pre,
        ONE: install_post,
        "install/post, fifty guests placed": fifty,
        "add/system/post, guest placed": guest_saved,
        "a save, neither host nor guest": unrelated,
        **_forged(api, modules),
    }


def triggers(api: Any, rounds: int, sizes: List[int]) -> None:
    """A call of each trigger, beside Cobbler's own save of one system."""
    calls = _trigger_calls(api)
    table: Dict[str, List[float]] = {name: [] for name in calls}
    first: List[float] = []
    for size in sizes:
        for number in range(len(api.systems()), size):
            add_system(api, "system%d" % number, {}, number)
        begin = time.perf_counter()
        calls[ONE]()
        first.append((time.perf_counter() - begin) * 1000)
        for name, each in in_turns(calls, rounds).items():
            table[name].append(each)
    print("\nOne call of a trigger in milliseconds (median of %d, in turns)" % rounds)
    print("  %-34s" % "systems" + "".join("%10d" % size for size in sizes) + "   last : first")
    for name, row in table.items():
        cells = "".join("%10.2f" % each for each in row)
        print("  %-34s%s %10.2f" % (name, cells, row[-1] / row[0]))
    cells = "".join("%10.2f" % each for each in first)
    print("  %-34s%s" % ("the first install/post of them all", cells))
    saves = table["Cobbler's save, file only"][-1]
    rows = {name: row[-1] for name, row in table.items() if "Cobbler" not in name}
    slowest = max(each for name, each in rows.items() if "fifty" not in name)
    print(
        "  the slowest trigger but for fifty takes %.2f times Cobbler's own save"
        % (slowest / saves)
    )


if __name__ == "__main__":
    raise SystemExit(main())
