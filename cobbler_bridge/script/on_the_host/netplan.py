#!/usr/bin/python3
"""Reads netplan's files, which no shell can, and takes out of them what would work against ours.

    netplan there ROOT    prints what each definition makes, as rank_files has it; what "layers"
                          can't tell from that goes into the file "netplan"
    netplan write ROOT    gives ours the ids of the cards and what is kept; prints what becomes of
                          each file, whose text lies below "netplan.d"

Standard input has the cards, what is ours and what is kept: see netplan.sh. What is not changed
stays to the letter, but for remarks. Python 3.6 and PyYAML 3.12.
"""

import copy
import fnmatch
import glob
import os
import subprocess
import sys
from typing import Any, Dict, Iterable, List, NamedTuple, NoReturn, Optional, Set, Tuple

try:
    import yaml
except ImportError:
    sys.exit("python3 has no yaml on this machine: install python3-yaml")

FOLDER = "/etc/netplan/"
SHIPPED = "/lib/netplan/"
RUN = "/run/netplan/"
# a file hides those of its name in the folders before it
FOLDERS = [SHIPPED, FOLDER]
OURS = FOLDER + "90-cobbler-bridge.yaml"
CLOUD = FOLDER + "50-cloud-init.yaml"
NO_CLOUD = "/etc/cloud/cloud.cfg.d/99-cobbler-bridge.cfg"
DROP_INS = "/etc/cloud/cloud.cfg.d/*.cfg"
STATE = "/var/lib/cobbler-bridge"
ANYWHERE = {"default", "0.0.0.0/0", "::/0", "0/0"}
# libyaml is netplan's own reader, and takes tabs
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LISTS = ("addresses", "routes", "routing-policy")
# what is the card's own business, or a VLAN's; the bridge gets its mtu too
CARD = (
    "id match set-name wakeonlan macaddress emit-lldp auth link virtual-function-count "
    "receive-checksum-offload transmit-checksum-offload tcp-segmentation-offload "
    "tcp6-segmentation-offload generic-segmentation-offload generic-receive-offload "
    "large-receive-offload embedded-switch-mode delay-virtual-functions-rebind infiniband-mode"
).split()
OF_VERSION = {
    "4": "dhcp4 dhcp4-overrides gateway4".split(),
    "6": "dhcp6 dhcp6-overrides gateway6 accept-ra ipv6-privacy ipv6-mtu".split(),
}

# a node of YAML, as PyYAML has it: its scalars are the text that stands there
Node = Any
# the cards of the machine, and the driver of each, where that is known
CARDS: Dict[str, str] = {}
# by the path where netplan looks for it: the root node, and where it lies
Files = Dict[str, Tuple[Node, str]]


class Nic(NamedTuple):
    """A card: its name now and as it will be; ``left`` is one whose own files stay as they are."""

    now: str
    port: str
    mac: str
    left: bool


class Definition(NamedTuple):
    """A device of a file; its name, MAC address or pattern say which devices it is for."""

    file: str
    section: str
    id: str
    node: Node
    name: str
    mac: str
    pattern: str
    renderer: str


def refuse(why: str) -> NoReturn:
    """End here; paths are as the machine has them."""
    root = sys.argv[2]
    sys.exit(why.replace(root + "/", "/") if root else why)


def read(path: str) -> Node:
    """The root of a file of YAML, which may say nothing; ends here where it is none."""
    try:
        with open(path, encoding="utf-8") as file:
            # netplan reads no second document
            return next(yaml.compose_all(file.read(), Loader=LOADER), None) or mapping()
    except (OSError, ValueError, yaml.YAMLError) as error:
        refuse("%s can't be read: %s" % (path, " ".join(str(error).split())))


def pairs(node: Node) -> List[Node]:
    """The keys of a mapping with their values; nothing where it is none."""
    return node.value if isinstance(node, yaml.MappingNode) else []


def child(node: Node, *names: str) -> Node:
    """What stands under these names, each below the one before."""
    for name in names:
        node = next((value for key, value in pairs(node) if key.value == name), None)
    return node


def text(node: Node, *names: str) -> str:
    """The scalar there, or ""."""
    found = child(node, *names)
    return found.value if isinstance(found, yaml.ScalarNode) else ""


def is_on(node: Node, name: str) -> bool:
    """Whether a key is true, as YAML 1.1 has it."""
    return text(node, name).lower() in ("true", "on", "yes", "y")


def each(node: Node, *names: str) -> List[Node]:
    """The elements of the list there."""
    found = child(node, *names)
    return found.value if isinstance(found, yaml.SequenceNode) else []


def drop(node: Node, names: Iterable[str]) -> None:
    """Take keys away."""
    node.value = [pair for pair in pairs(node) if pair[0].value not in names]


def word(value: str, style: Optional[str] = '"') -> Node:
    """A scalar."""
    return yaml.ScalarNode("tag:yaml.org,2002:str", value, style=style)


def put(node: Node, name: str, value: Node) -> None:
    """Set a key."""
    drop(node, [name])
    node.value.append((word(name, None), value))


def mapping(*content: Tuple[Node, Node]) -> Node:
    """A mapping."""
    return yaml.MappingNode("tag:yaml.org,2002:map", list(content))


def in_folder(folder: str) -> Files:
    """The files of a folder."""
    files = sorted(glob.glob(folder + "*.yaml"))
    return {FOLDER + os.path.basename(file): (read(file), file) for file in files}


def documents(root: str) -> Tuple[Files, Files]:
    """The files in place, and those that an earlier run took away."""
    kept = root + STATE + "/kept"
    now: Files = {}
    before = in_folder(kept + FOLDER)
    for folder in FOLDERS:
        now.update(in_folder(root + folder))
    later = cloud(root)
    if later is not None and CLOUD not in now:
        now[CLOUD] = (later, root + CLOUD)
    elif later is not None and os.path.exists(root + NO_CLOUD):
        before.setdefault(CLOUD, (later, kept + CLOUD))
    for files in (now, before):
        files.pop(OURS, None)
    return dict(sorted(now.items())), dict(sorted(before.items()))


def cloud(root: str) -> Node:
    """What cloud-init would write at its first start, if we let it."""
    found = None
    places = [root + "/etc/cloud/cloud.cfg", *sorted(glob.glob(root + DROP_INS))]
    runs = os.path.exists(root + "/usr/bin/cloud-init")
    if not runs or os.path.exists(root + "/etc/cloud/cloud-init.disabled"):
        return None
    for place in places:
        try:
            with open(place, encoding="utf-8") as file:
                network = child(yaml.compose(file.read(), Loader=LOADER), "network")
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if place == root + NO_CLOUD:
            continue
        if text(network, "config") == "disabled":
            return None
        if child(network, "ethernets") is not None:
            found = mapping((word("network", None), network))
    return found


def usual_of(files: Files) -> str:
    """What renders a device of which nothing is said: the last file that says it decides."""
    said = [text(node, "network", "renderer") for node, _ in files.values()]
    return [one for one in ["networkd", *said] if one][-1]


def definitions(files: Files, usual: str) -> List[Definition]:
    """Every device of these files; ``usual`` renders one of which they say nothing."""
    found = []
    for node, file in files.values():
        network = child(node, "network")
        for section, devices in pairs(network):
            here = text(devices, "renderer") or usual
            for key, value in pairs(devices):
                if isinstance(value, yaml.MappingNode):
                    who = names(section.value, key.value, value)
                    renderer = text(value, "renderer") or here
                    found.append(Definition(file, section.value, key.value, value, *who, renderer))
    return found


def whole(devices: List[Definition]) -> List[Definition]:
    """Each device once, as netplan has it: what files say of one id is one definition."""
    found: Dict[Tuple[str, str], Definition] = {}
    for one in devices:
        had = found.setdefault((one.section, one.id), one)
        if had is not one:
            node = both(had.node, one.node)
            who = names(one.section, one.id, node)
            alike = Definition(had.file, one.section, one.id, node, *who, one.renderer)
            found[one.section, one.id] = alike
    return list(found.values())


def both(earlier: Node, later: Node) -> Node:
    """Lists are added up; of two scalars the later one holds."""
    if isinstance(earlier, yaml.SequenceNode) and isinstance(later, yaml.SequenceNode):
        return yaml.SequenceNode(earlier.tag, earlier.value + later.value)
    if not isinstance(earlier, yaml.MappingNode) or not isinstance(later, yaml.MappingNode):
        return later
    node = mapping(*pairs(earlier))
    for key, value in pairs(later):
        had = child(node, key.value)
        put(node, key.value, value if had is None else both(had, value))
    return node


def names(section: str, own: str, node: Node) -> Tuple[str, str, str]:
    """The name, the MAC address, or the pattern of what a definition is for."""
    match = child(node, "match")
    if section not in ("ethernets", "wifis", "modems") or match is None:
        return own, "", ""
    mac, name = text(match, "macaddress").lower(), text(match, "name")
    called = text(node, "set-name")
    # what gives a name is for one card
    if not mac and not called and (not name or set(name) & set("*?[")):
        return "", "", name or "*"
    return called or name, mac, ""


def is_for(one: Definition, nic: Nic) -> bool:
    """Whether a definition is a card's own."""
    if one.section != "ethernets" or one.pattern:
        return False
    called = {one.name, text(one.node, "match", "name"), *becomes(one)}
    return one.mac == nic.mac or (not one.mac and bool(called & {nic.now, nic.port}))


def becomes(one: Definition) -> List[str]:
    """The cards of which one gets the name of a definition at the next start."""
    name, pattern = text(one.node, "set-name"), text(one.node, "match", "name") or "*"
    free = CARDS if name and not one.mac and name not in CARDS else ()
    return [card for card in free if fits_name(one, pattern, card)]


def fits(one: Definition, nic: Nic) -> bool:
    """Whether it is for many, and for this card too."""
    return one.section == "ethernets" and fits_name(one, one.pattern, nic.now)


def fits_name(one: Definition, pattern: str, name: str) -> bool:
    """Whether a pattern, and the drivers that a definition is for, are those of a device."""
    driver, wanted = CARDS.get(name, ""), drivers(one) or ["*"]
    of_driver = not driver or any(fnmatch.fnmatchcase(driver, each) for each in wanted)
    return of_driver and fnmatch.fnmatchcase(name, pattern or "/")


def drivers(one: Definition) -> List[str]:
    """The patterns of drivers that a definition is for; nothing where it is for any."""
    found = [child(one.node, "match", "driver"), *each(one.node, "match", "driver")]
    return [driver.value for driver in found if isinstance(driver, yaml.ScalarNode)]


def of_card(nic: Nic, *tiers: List[Definition]) -> Optional[Definition]:
    """The definition by which netplan starts a card."""
    found = [one for which in (is_for, fits) for tier in tiers for one in tier if which(one, nic)]
    return found[0] if found else None


def renderer_of(
    nics: List[Nic], now: List[Definition], before: List[Definition], usual: str
) -> str:
    """What renders the first card."""
    mine = of_card(nics[0], now, before) if nics else None
    return mine.renderer if mine else usual


def there(root: str, nics: List[Nic]) -> None:
    """See ``rank_files`` and ``file_layers``."""
    files, files_before = documents(root)
    usual = usual_of(files)
    now, before = (whole(definitions(those, usual)) for those in (files, files_before))
    owners = [nic for nic in nics if any(is_for(one, nic) for one in now + before)]
    facts = ["renderer " + renderer_of(nics, now, before, usual)]
    for devices in (now, before):
        called = {one.id: one.name for one in devices}
        masters = {port.value: one.name for one in devices for port in each(one.node, "interfaces")}
        for one in devices:
            tag = text(one.node, "id") if one.section == "vlans" else ""
            parent = called.get(text(one.node, "link"), "") if tag else ""
            given = [version_of(address)[::-1] for address in each(one.node, "addresses")]
            ipv4, ipv6 = (dict(reversed(given)).get(version, "") for version in "46")
            if is_on(one.node, "dhcp4"):
                ipv4 = "dhcp"
            # not what is for many, where a card has its own, or had it before our first run
            if any(fits(one, nic) for nic in owners):
                continue
            name = [*(nic.now for nic in nics if is_for(one, nic)), one.name][0]
            pattern = one.pattern
            if pattern and drivers(one):
                pattern = " ".join(nic.now for nic in nics if fits(one, nic)) or "/"
            line = (one.file, "", "", "0", name, pattern, one.mac, parent, tag)
            print("\t".join((*line, masters.get(one.id, ""), ipv4, ipv6)))
    for one in now:
        routes = [text(route, "to") for route in each(one.node, "routes")]
        if child(one.node, "gateway4") or child(one.node, "gateway6") or set(routes) & ANYWHERE:
            facts.append("route " + one.name)
        if one.section == "bridges":
            facts.append("bridge " + one.name)
    save(root, "netplan", "\n".join(facts) + "\n")


def version_of(node: Node) -> Tuple[str, str]:
    """An address, a route or a rule, with the version of IP that it is of."""
    to, via = text(node, "to"), text(node, "via") or text(node, "from")
    said = via if to in ("", "default") else to
    if not said:
        said = node.value if isinstance(node, yaml.ScalarNode) else pairs(node)[0][0].value
    return said, "6" if ":" in said else "4"


def save(root: str, name: str, content: str) -> None:
    """Write a file below what lies ready."""
    path = root + STATE + "/new/" + name
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)


def merge(bridge: Node, source: Node, whole: str, rest: str) -> None:
    """What a definition says of the versions ``whole`` is the bridge's, and what it says of
    ``rest`` where the bridge has nothing."""
    for version in whole:
        drop(bridge, OF_VERSION[version])
        for name in LISTS:
            left = [one for one in each(bridge, name) if version_of(one)[1] != version]
            put_list(bridge, name, left)
    for key, value in list(pairs(source)):
        name = key.value
        versions = [version for version in "46" if name in OF_VERSION[version]] or list("46")
        if name in LISTS:
            had = {version_of(one)[1] for one in each(bridge, name)}
            wanted = set(whole + rest) - had
            more = [one for one in each(source, name) if version_of(one)[1] in wanted]
            put_list(bridge, name, each(bridge, name) + more)
        elif name not in CARD and child(bridge, name) is None and set(versions) & set(whole + rest):
            # the same node at two places would be an anchor
            put(bridge, name, copy.copy(value))


def alike_overrides(bridge: Node) -> None:
    """networkd has one of them for both versions."""
    both = [name for name in ("dhcp4", "dhcp6") if is_on(bridge, name)]
    found = child(bridge, "dhcp4-overrides") or child(bridge, "dhcp6-overrides")
    for name in both if len(both) == 2 and found else ():
        put(bridge, name + "-overrides", copy.deepcopy(found))


def put_list(node: Node, name: str, elements: List[Node]) -> None:
    """Set a list, or take it away where it is empty."""
    drop(node, [name])
    if elements:
        put(node, name, yaml.SequenceNode("tag:yaml.org,2002:seq", elements))


def rename(network: Node, old: str, new: str) -> None:
    """A card gets another id."""
    for section, devices in pairs(network):
        for key, device in pairs(devices):
            if section.value == "ethernets" and key.value == old:
                key.value = new
            places = [child(device, "link"), child(device, "parameters", "primary")]
            for place in each(device, "interfaces") + places:
                if place is not None and place.value == old:
                    place.value = new


def take_card(network: Node, nic: Nic, now: List[Definition], before: List[Definition]) -> None:
    """Ours has what is the card's own business, under the id that it has already."""
    source = of_card(nic, now, before)
    if source and not source.pattern:
        next_name(nic, source, made(network))
    called = nic.port
    # one of NetworkManager's own names its profile by its id
    mine = source and not source.pattern and source.id[:3] != "NM-"
    if source and mine and source.id not in made(network):
        called = source.id
    if nic.left and source in now and called != nic.port:
        rename(network, nic.port, called)
    if nic.left and source in now and source and not source.pattern:
        return
    if child(network, "ethernets") is None:
        put(network, "ethernets", mapping())
    cards = child(network, "ethernets")
    if child(cards, nic.port) is None:
        put(cards, nic.port, mapping())
    card = child(cards, nic.port)
    for key, value in pairs(source.node) if source else ():
        if (nic.left or key.value in (*CARD, "mtu")) and child(card, key.value) is None:
            put(card, key.value, copy.copy(value))
    if source and source.pattern:
        drop(card, ["match", "set-name"])
    rename(network, nic.port, matched(network, card, nic, called, now))


def next_name(nic: Nic, source: Definition, ours: List[str]) -> None:
    """The check knows a card by the name that it has from the next start on."""
    name = text(source.node, "set-name")
    alike = becomes(source)
    if len(alike) > 1:
        why = "%s calls one of %s %s from the next start on: match its macaddress there"
        refuse(why % (source.file, " and ".join(sorted(alike)), name))
    if name not in ("", nic.now) and nic.port == nic.now:
        if name in ours or RUN in FOLDERS:
            why = "%s calls %s %s from the next start on: start the machine again first"
            refuse(why % (source.file, nic.now, name) + ", or take this set-name away")
        print("renamed %s %s" % (nic.now, name))


def matched(network: Node, card: Node, nic: Nic, called: str, now: List[Definition]) -> str:
    """Has ours match the card where its name doesn't, or another would come first: the id."""
    if nic.port[:1] == "p" and child(network, "bridges", nic.port[1:]) is not None:
        put(card, "match", mapping((word("macaddress", None), word(nic.mac))))
        put(card, "set-name", word(nic.port))
        called = nic.port
    # of two files that match a card networkd takes the first
    if any(fits(one, nic) and one.id <= called for one in now):
        if child(card, "match") is None:
            put(card, "match", mapping((word("name", None), word(nic.now))))
        called = "0" + called
    return called


def write(root: str, nics: List[Nic], owned: List[str], kept: List[List[str]]) -> None:
    """All files as they will be."""
    files, files_before = documents(root)
    usual = usual_of(files)
    stands = definitions(files, usual)
    now, before = whole(stands), whole(definitions(files_before, usual))
    if CLOUD in files and not os.path.exists(files[CLOUD][1]):
        # what would have been there at the next start
        save(root, "stood" + CLOUD, serialized(files[CLOUD][0]))
    ours = read(root + STATE + "/new/files" + OURS)
    network = child(ours, "network")
    for each_kept in kept:
        keep(network, nics, now + before, each_kept)
    renderer = renderer_of(nics, now, before, usual)
    if renderer == "NetworkManager":
        silence(root, network)
    for nic in nics:
        take_card(network, nic, now, before)
    # netplan looks at ours before it has read the files behind it
    so_far = usual_of({path: files[path] for path in files if path < OURS})
    for device in devices_of(network) if {renderer} != {usual, so_far} else ():
        put(device, "renderer", word(renderer))
    mine = [nic for nic in nics if not nic.left]
    gone = going(stands, now, mine, owned)
    temporary(root, gone)
    final = {OURS: put_out(root, "write 600", OURS, ours)}
    for path, (node, file) in files.items():
        final[path] = less(root, path, node, file, {(one.section, one.id) for one in gone})
    if os.path.isdir(root + "/etc/cloud"):
        save(root, "netplan.d" + NO_CLOUD, "# cobbler-bridge\nnetwork: {config: disabled}\n")
        print("write 644 " + NO_CLOUD)
    if renderer == "networkd":
        rivals(network, now)
        networkd(root, mine, owned, network)
    check(root, final)


def going(
    stands: List[Definition], now: List[Definition], mine: List[Nic], owned: List[str]
) -> List[Definition]:
    """What is written anew, in each file that has some of it."""
    gone = [one for one in now if one.name in owned or any(is_for(one, nic) for nic in mine)]
    ids = {(one.section, one.id) for one in gone}
    return [one for one in stands if (one.section, one.id) in ids]


def devices_of(network: Node) -> List[Node]:
    """What stands for each device."""
    return [device for _, section in pairs(network) for _, device in pairs(section)]


def silence(root: str, network: Node) -> None:
    """NetworkManager gives what is to have no address one of 169.254.0.0/16, and the kernel one of
    a router's, and it starts a card by what it used last, be that for many: unless a netplan that
    can do it passes NetworkManager's own words through."""
    libraries = glob.glob(root + "/usr/lib/*/libnetplan.so*")
    if subprocess.call(["grep", "-qs", "passthrough", "/dev/null", *libraries]) != 0:
        return
    cards = [device for _, device in pairs(child(network, "ethernets"))]
    for device in devices_of(network):
        given = [version_of(address)[1] for address in each(device, "addresses")]
        words = [("connection.autoconnect-priority", "100")] * (device in cards)
        # a port, of which NetworkManager asks nothing, has no link-local
        for version, method in ("4", "disabled"), ("6", "link-local"):
            silent = text(device, "dhcp" + version) == "false" and version not in given
            if silent and child(device, "link-local") is None:
                words.append(("ipv%s.method" % version, method))
        passed = [(word(name, None), word(value)) for name, value in words]
        if passed:
            passthrough = mapping((word("passthrough", None), mapping(*passed)))
            put(device, "networkmanager", passthrough)


def temporary(root: str, gone: List[Definition]) -> None:
    """No file of ours hides one below /run."""
    for one in gone:
        if one.file.startswith(root + RUN):
            why = "%s has %s too, and each start writes it anew: take ip= off the kernel's line"
            refuse(why % (one.file, one.name or one.id) + " and start the machine again")


def keep(network: Node, nics: List[Nic], those: List[Definition], asked: List[str]) -> None:
    """A bridge gets what a file says of a device: see ``merge``."""
    bridge, whole, rest, device, file = asked
    cards = [nic for nic in nics if nic.now == device]
    for one in those:
        of_pattern = fits_name(one, one.pattern, device)
        its_own = one.name == device or any(is_for(one, nic) for nic in cards)
        if one.file == file and (its_own or of_pattern):
            merge(child(network, "bridges", bridge), one.node, whole[1:], rest[1:])
            if child(one.node, "macaddress") is not None:
                why = "unfollowed - %s does not get all that %s has: macaddress"
                print(why % (bridge, FOLDER + os.path.basename(file)))
            break
    alike_overrides(child(network, "bridges", bridge))


def less(root: str, path: str, node: Node, file: str, gone: Set[Tuple[str, str]]) -> str:
    """A file without these sections' ids: its text."""
    network, changed = child(node, "network"), not os.path.exists(file)
    for name, section in pairs(network):
        left = [pair for pair in pairs(section) if (name.value, pair[0].value) not in gone]
        if len(left) < len(pairs(section)):
            section.value, changed = left, True
    if not changed:
        return serialized(node)
    network.value = [pair for pair in pairs(network) if pair[1].value != []]
    nothing = {key.value for key, _ in pairs(network)} <= {"version"}
    shadows = os.path.exists(root + SHIPPED + os.path.basename(path))
    if nothing and file == root + path and os.path.exists(file) and not shadows:
        print("aside 0 " + path)
        return "{}\n"
    return put_out(root, "edit 600", path, node)


def put_out(root: str, what: str, path: str, node: Node) -> str:
    """Lay a file ready, and say so."""
    content = ("# cobbler-bridge\n" if path == OURS else "") + serialized(node)
    save(root, "netplan.d" + path, content)
    print("%s %s" % (what, path))
    return content


def serialized(node: Node) -> str:
    """A document as text."""
    return yaml.serialize(node, Dumper=yaml.SafeDumper, width=1000)


def made(network: Node) -> List[str]:
    """The names of all that is no card."""
    sections = [section for name, section in pairs(network) if name.value != "ethernets"]
    return [key.value for section in sections for key, _ in pairs(section)]


def rivals(network: Node, now: List[Definition]) -> None:
    """networkd takes the first file that matches a device, and what we make has no other id."""
    for one in now:
        for name in [] if drivers(one) else fnmatch.filter(made(network), one.pattern or "/"):
            if one.id <= name:
                why = "%s in %s is for %s too, by its pattern: it has to match less"
                refuse(why % (one.id, one.file, name))


def networkd(root: str, nics: List[Nic], owned: List[str], network: Node) -> None:
    """Files of networkd's own that it would take for one of our devices."""
    ids = [key.value for _, section in pairs(network) for key, _ in pairs(section)]
    for file in sorted(glob.glob(root + "/etc/systemd/network/*.network")):
        with open(file, encoding="utf-8", errors="replace") as lines:
            match = lines.read().partition("[Match]")[2].partition("\n[")[0]
        words: Dict[str, List[str]] = {}
        for line in match.splitlines():
            key, _, value = line.partition("=")
            words.setdefault(key.strip(), []).extend(value.lower().split())
        names = owned + [nic.now for nic in nics]
        macs = words.get("MACAddress", []) + words.get("PermanentMACAddress", [])
        if set(words.get("Name", [])) & set(names) or {nic.mac for nic in nics} & set(macs):
            print("aside 0 " + file[len(root) :])
        elif os.path.basename(file) < "10-netplan-" + max(ids) and any(
            fnmatch.filter(names, name) for name in words.get("Name", [])
        ):
            refuse("%s comes before what netplan writes, and is for its devices too" % file)


def check(root: str, files: Dict[str, str]) -> None:
    """What netplan can't read is no network at all at the next start."""
    copy = root + STATE + "/new/netplan.copy"
    for path, content in files.items():
        save(root, "netplan.copy" + path, content)
    command = [root + "/usr/sbin/netplan", "generate", "--root-dir", copy]
    with open(os.devnull) as nothing:
        run = subprocess.Popen(
            command, stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said = run.communicate()[0].decode("utf-8", "replace").replace(copy, "")
    if run.returncode != 0:
        lines = (
            [line for line in said.splitlines() if "error" in line.lower()]
            or said.splitlines()
            or ["it does not say why"]
        )
        refuse("netplan does not take what would be written: %s" % lines[0])


def main() -> None:
    """See above."""
    command, root = sys.argv[1:]
    nics: List[Nic] = []
    owned: List[str] = []
    kept: List[List[str]] = []
    for line in sys.stdin:
        what, _, said = line.rstrip("\n").partition(" ")
        if what == "nic":
            now, port, mac = said.split()[:3]
            nics.append(Nic(now, port, mac, said.endswith(" left")))
        elif what == "card":
            name, _, CARDS[name] = said.partition(" ")
        elif what == "runs":
            # an installer's /run is not the machine's
            FOLDERS.append(RUN)
        elif what == "owned":
            owned += said.split()
        elif what == "keep":
            kept.append(said.split(" ", 4))
    if command == "there":
        there(root, nics)
    else:
        write(root, nics, owned, kept)


main()
