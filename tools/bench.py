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

from cobbler_bridge.store.host_record import VERIFIED, Record
from cobbler_bridge.store.ledger import FOLDER as LEDGER
from cobbler_bridge.store.ledger import Entry, Ledger

THEIRS = "post_install_network_config"
TEMPLATES = {
    "bare": "",
    "one_line": "$SNIPPET('one_line')\n",
    "bridge_setup": "$SNIPPET('bridge_setup')\n",
    THEIRS: "$SNIPPET('%s')\n" % THEIRS,
}
KICKSTART = "url --url=$tree\nreboot\n%packages\n%end\n%post\n{}echo done\n%end\n"
ONE = "install/post, one guest placed"
PROFILE = "Cobbler's save of a profile"
CHANGED = "the same, what our trigger adds"
FIFTY = "install/post, fifty guests placed"
AGAIN = "the same, placed once before"
WHOLE_SAVE = "Cobbler's save, boot files too"
FOLDER = Path("/var/lib/cobbler/templates")
SNIPPETS = Path("/var/lib/cobbler/snippets")


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
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--systems", type=int, nargs="+", default=[100, 10000, 50000])
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    api = CobblerAPI(is_cobblerd=True)
    add_profile(api)
    add_system(api, "kvm1", {"bridge": "br0"})
    rendering(api, options.rounds)
    triggers(api, max(5, options.rounds // 5), sorted(options.systems))
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
    # past the searches for duplicates, which take longer with every system
    system.modify_interface({"virtbridge-eth0": ""})
    vars(system.interfaces["eth0"])["_mac_address"] = mac
    api.systems().add(system)
    return system


def rendering(api: Any, rounds: int) -> None:
    """Systems' kickstarts, bare and with each of the snippets."""
    (SNIPPETS / "one_line").write_text("echo one\n")
    for name, text in TEMPLATES.items():
        (FOLDER / ("%s.ks" % name)).write_text(KICKSTART.format(text))
    for kind, add in (("a bridge by variables", add_simple), ("a bond and two bridges", add_rich)):
        systems = [add(api, each) for each in range(max(rounds, 2))]
        rendering_of(api, kind, systems)


def add_simple(api: Any, number: int) -> Any:
    """A host of a profile's kind, each with its own static address."""
    system = add_system(api, "simple%d" % number, {"bridge": "br0"}, 1000 + number)
    address = "198.18.%d.%d" % (number // 200, number % 200 + 1)
    _static(system, "eth0", address, "198.18.255.254")
    return system


def add_rich(api: Any, number: int) -> Any:
    """A host whose interface records describe a bond, and two bridges; Cobbler's own snippet
    writes these too."""
    system = add_system(api, "rich%d" % number, {}, 2000 + number)
    bonded = {"interfacetype": "bond_slave", "interfacemaster": "bond0"}
    mac = "52:54:02:%02x:%02x:0%d"
    records: Dict[str, Dict[str, str]] = {
        "eth0": bonded,
        "eth1": dict(bonded, macaddress=mac % (number >> 8, number & 255, 1)),
        "bond0": {"interfacetype": "bonded_bridge_slave", "interfacemaster": "br0"},
        "eth2": {"interfacetype": "bridge_slave", "interfacemaster": "br1"},
        "br0": {"interfacetype": "bridge"},
        "br1": {"interfacetype": "bridge"},
    }
    records["bond0"]["bondingopts"] = "mode=active-backup miimon=100"
    records["eth2"]["macaddress"] = mac % (number >> 8, number & 255, 2)
    for name, fields in records.items():
        system.modify_interface({"%s-%s" % (field, name): fields[field] for field in fields})
    _static(system, "br0", "198.19.%d.%d" % (number // 200, number % 200 + 1), "198.19.255.254")
    _static(system, "br1", "198.20.%d.%d" % (number // 200, number % 200 + 1), "")
    return system


def _static(system: Any, interface: str, address: str, gateway: str) -> None:
    fields = {"ipaddress": address, "netmask": "255.255.0.0", "static": True}
    system.modify_interface({"%s-%s" % (name, interface): fields[name] for name in fields})
    system.gateway = gateway or system.gateway


def rendering_of(api: Any, kind: str, systems: List[Any]) -> None:
    """Each system once with each template: what is asked of it is new then, but for the second
    time of ours."""
    names = [*TEMPLATES, "bridge_setup"]
    times: List[List[float]] = [[] for _ in names]
    for system in systems:
        for found, name in zip(times, names):
            system.autoinstall = "%s.ks" % name
            begin = time.thread_time()
            api.autoinstallgen.generate_autoinstall_for_system(system.name)
            found.append((time.thread_time() - begin) * 1000)
    # the first one compiles the templates
    took = [statistics.median(each[1:]) for each in times]
    bare, theirs = took[0], took[names.index(THEIRS)] - took[0]
    titles = [*names[:-1], "bridge_setup, the second time"]
    print("Rendering %s: CPU, median of %d systems" % (kind, len(systems) - 1))
    for title, each in zip(titles, took):
        words = title, each, each - bare, (each - bare) / theirs
        print("  %-34s %8.2f ms   adds %8.2f ms, %5.2f times %s" % (*words, THEIRS))


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


def _unset(guest: Any) -> None:
    """Have it on no bridge."""
    guest.interfaces["eth0"].virt_bridge = ""
    # an interface's setter leaves what Cobbler remembers of the system
    guest.mtime = guest.mtime


def _fifty(api: Any, modules: Dict[str, Any]) -> Dict[str, Callable[[], object]]:
    """A host of many guests is installed, for the first time and once more."""
    host = add_system(api, "kvm2", {"bridge": "br0"}, 3)
    many = [
        add_system(api, "guest%d" % each, {"bridge_host": "kvm2"}, 4 + each) for each in range(50)
    ]

    def again() -> None:
        for each in many:
            _unset(each)
        _forget(host)
        modules["install_post"].run(api, ["system", "kvm2", "127.0.0.1"])

    def anew() -> None:
        # quickly, for that is no part of it
        for path in Path(LEDGER).glob("guest*.json"):
            path.unlink()
        again()

    return {FIFTY: anew, AGAIN: again}


def _profile_saved(api: Any, modules: Dict[str, Any]) -> Dict[str, Callable[[], object]]:
    """A profile is saved of which no system is: then Cobbler has nothing else to do."""
    profile = api.new_profile()
    profile.name, profile.distro = "alone", "bench"

    def save() -> None:
        api.profiles().add(profile, save=True, with_triggers=False)

    return {PROFILE: save, CHANGED: lambda: modules["change"].run(api, ["alone"])}


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
    hosts = {"kvm1": api.find_system("kvm1")}

    def install_pre() -> None:
        _forget(hosts["kvm1"])
        modules["install_pre"].run(api, ["system", "kvm1", "?"])

    def unplace() -> None:
        _unset(guest)

    def install_post() -> None:
        unplace()
        _forget(hosts["kvm1"])
        modules["install_post"].run(api, ["system", "kvm1", "127.0.0.1"])

    def unrelated() -> None:
        """What is called when a system is saved that is neither host nor guest."""
        for name in ("change", "add_system_post"):
            modules[name].run(api, ["other"])

    def guest_saved() -> None:
        unplace()
        modules["add_system_post"].run(api, ["web1"])

    return {
        "Cobbler's save, file only": _save(api, other, with_sync=False),
        WHOLE_SAVE: _save(api, other),
        "install/pre": install_pre,
        ONE: install_post,
        **_fifty(api, modules),
        "add/system/post, guest placed": guest_saved,
        "a save, neither host nor guest": unrelated,
        **_profile_saved(api, modules),
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
    fifty = rows.pop(FIFTY) / table[WHOLE_SAVE][-1], rows.pop(AGAIN) / table[WHOLE_SAVE][-1]
    profile = rows.pop(CHANGED) / table[PROFILE][-1]
    slowest = max(rows.values())
    print(
        "  the slowest trigger but for fifty takes %.2f times Cobbler's own save"
        % (slowest / saves)
    )
    print("  fifty guests: %.1f of Cobbler's saves with boot files, %.1f later" % fifty)
    print("  a profile's save takes %.0f %% longer" % (100 * profile))


if __name__ == "__main__":
    raise SystemExit(main())
