# What Koan's operator finds on a host.

# koan_wrapper: the command koan-bridge; it doesn't depend on the host
koan_wrapper() {
    write_file 755 /usr/local/bin/koan-bridge <<'END_OF_KOAN_BRIDGE'
#!/bin/sh
# koan-bridge: runs koan, with this host's bridge for each NIC that has none of its own in Cobbler.
# Takes what koan takes; a --virt-bridge that is given stays. What can't be found out is left to
# koan. Part of cobbler-bridge.

for file in cobbler-bridge cobbler; do
    case $file in
    cobbler) known=${COBBLER_SERVER:-} ;;
    *) known=${COBBLER_BRIDGE:-} ;;
    esac
    # shellcheck disable=SC1090 # the login environment, where this is no login
    [ -n "$known" ] || [ ! -r "/etc/profile.d/$file.sh" ] || . "/etc/profile.d/$file.sh"
done
export COBBLER_BRIDGE COBBLER_SERVER

koan=$(command -v koan) || {
    echo 'koan-bridge: koan is not installed' >&2
    exit 127
}
first=
read -r first < "$koan" || :
case $first in
'#!'*python*) python=${first#??} ;;
*) python=$(command -v python3 || command -v python) ;;
esac

# Koan's own Python, from 2.4 on
program='
import os, socket, sys
try:
    import xmlrpc.client as rpc
except ImportError:
    import xmlrpclib as rpc

# what koan 3.0.1 takes a value for, and its short names
VALUES = """kopts list virt-name profile system image server static-interface port virt-path
    virt-type virt-bridge graphics qemu-disk-type qemu-net-type qemu-machine-type wait""".split()
FLAGS = """virt update-files update-config summary replace-self display force-path vm-poll nogfx
    virt-auto-boot virt-pxe-boot add-reinstall-entry livecd kexec no-copy-default embed noreboot
    import""".split()
SHORT = {"k": "kopts", "l": "list", "V": "virt-name", "p": "profile", "y": "system", "i": "image",
    "s": "server", "S": "static-interface", "t": "port", "P": "virt-path", "T": "virt-type",
    "B": "virt-bridge", "g": "graphics", "v": "virt"}

def read(words):
    found, words = {}, list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            break
        if word[:2] == "--":
            name, value = (word[2:].split("=", 1) + [None])[:2]
            if name not in VALUES + FLAGS:
                # a part of a name that begins no other
                near = [each for each in VALUES + FLAGS if each.startswith(name)]
                name = (len(near) == 1 and near or [name])[0]
            if name in VALUES and value is None and words:
                value = words.pop(0)
            found[name] = value
        elif word[:1] == "-":
            letters = word[1:]
            while letters:
                name, letters = SHORT.get(letters[0], letters[0]), letters[1:]
                if name in VALUES:
                    found[name] = letters or (words and words.pop(0)) or None
                    break
                found[name] = None
    return found

def connect(options):
    for scheme, port in (("https", "443"), ("http", "80")):
        place = (options.get("server") or os.environ.get("COBBLER_SERVER", ""),
                 options.get("port") or port)
        server = rpc.ServerProxy(scheme + "://%s:%s/cobbler_api" % place)
        try:
            server.ping()
            return server
        except Exception:
            pass
    raise ValueError("no server")

def is_nic(name, record):
    # as koan has it: virtinstall.py, _sanitize_nics
    import re
    return not (record.get("interface_type") in ("bond", "bridge", "bonded_bridge_slave")
                or re.match("[a-zA-Z0-9]+[.][0-9]+", name) or ":" in name)

def one(data, bridges):
    # none: a guest without a network
    return (data["virt_bridge"] in bridges + ["none"] and [""] or [bridges[0]])[0]

def choose(options, bridges):
    if "virt-bridge" in options or "virt" not in options or not bridges[0]:
        return ""
    name = options.get("system")
    if not name:
        try:
            return one(connect(options).get_profile_as_rendered(options["profile"]), bridges)
        except Exception:
            return bridges[0]
    server = connect(options)
    data = server.get_system_as_rendered(name)
    default = server.get_settings().get("default_virt_bridge")
    unset = ["", "<<inherit>>", None]
    if default in ("xenbr0", "virbr0"):
        unset.append(default)
    records = data.get("interfaces") or {}
    if not records:
        return one(data, bridges)
    names, missing = [], False
    for nic in sorted(records):
        bridge = records[nic].get("virt_bridge")
        if not is_nic(nic, records[nic]):
            bridge = bridges[0]
        elif bridge in unset:
            bridge, missing = bridges[0], True
        names.append(bridge)
    if not missing or [each for each in names if "," in each]:
        return ""
    return ",".join(names)

socket.setdefaulttimeout(20)
sys.stdout.write(choose(read(sys.argv[1:]), os.environ.get("COBBLER_BRIDGE", "").split(",")))
'
# shellcheck disable=SC2086 # the first line of a script may have an argument
bridge=$([ -z "$python" ] || $python -c "$program" "$@" 2> /dev/null) || bridge=
[ -z "$bridge" ] || set -- "--virt-bridge=$bridge" "$@"
exec "$koan" "$@"
END_OF_KOAN_BRIDGE
}
