"""Prints the bridges that koan is to be given, one for each NIC that it makes; else nothing.

Standard error has which they are and why, and which of them this host has not.

For Koan's own Python, from 2.4 on. Part of cobbler-bridge.
"""

import getopt
import os
import re
import socket
import sys

try:
    import xmlrpc.client as rpc
except ImportError:
    import xmlrpclib as rpc

DEVICES = "/sys/class/net/"
# what koan 3.0.1 takes, and the short names of what is looked at
LONG = """kopts= list= virt-name= profile= system= image= server= static-interface= port= virt-path=
    virt-type= virt-bridge= graphics= qemu-disk-type= qemu-net-type= qemu-machine-type= wait= virt
    update-files update-config summary replace-self display force-path vm-poll nogfx virt-auto-boot
    virt-pxe-boot add-reinstall-entry livecd kexec no-copy-default embed noreboot import help"""
SHORT = "k:l:V:p:y:i:s:S:t:P:T:B:g:vucrDwnCh"
NAMES = {"p": "profile", "y": "system", "s": "server", "t": "port", "B": "virt-bridge", "v": "virt"}


def read(words):
    """The options that koan is called with, by their long names."""
    pairs = getopt.gnu_getopt(words, SHORT, LONG.split())[0]
    names = [name.lstrip("-") for name, _ in pairs]
    return dict(zip([NAMES.get(name, name) for name in names], [value for _, value in pairs]))


def connect(options):
    """The server, as koan finds it."""
    name = options.get("server") or os.environ.get("COBBLER_SERVER", "")
    for scheme, port in (("https", "443"), ("http", "80")):
        place = (scheme, name, options.get("port") or port)
        server = rpc.ServerProxy("%s://%s:%s/cobbler_api" % place)
        try:
            server.ping()
            return server
        except Exception:
            pass
    raise ValueError("no Cobbler answers at %s" % (name or "--server or COBBLER_SERVER"))


def is_nic(name, record):
    """Whether koan makes a NIC of an interface: virtinstall.py, _sanitize_nics."""
    made = record.get("interface_type") in ("bond", "bridge", "bonded_bridge_slave")
    return not (made or ":" in name or re.match("[a-zA-Z0-9]+[.][0-9]+", name))


def say(text):
    """A line for who runs koan, whatever the server sent."""
    sys.stderr.write("koan-bridge: %s\n" % re.sub("[^ -~]", "?", text))


def told(nic, bridge, why, bridges):
    """Says which bridge a NIC is on, and when there is none of that name, whoever made it."""
    say("%s: %s, %s" % (nic, bridge, why))
    name = bridge.split(",")[0]
    place = DEVICES + name.replace("/", "?")
    made = os.path.exists(place) and not os.path.exists(place + "/device")
    if name not in bridges + ["none"] and not made:
        known = " and ".join([each for each in bridges if each]) or "none that is known"
        say("%s: %s is no bridge here, its guest will not start; there is %s" % (nic, name, known))


def one(data, guest, bridges):
    """The bridge of a guest that has no interfaces; none is a guest without a network."""
    own = data["virt_bridge"]
    if own in bridges + ["none"]:
        told(guest, own, "as Cobbler has it", bridges)
        return ""
    told(guest, bridges[0], "this host's first: Cobbler has none of this host's", bridges)
    return bridges[0]


def choose(options, bridges):
    """What --virt-bridge is to be; empty where koan finds out itself."""
    if "virt" not in options:
        return ""
    if "virt-bridge" in options:
        for bridge in options["virt-bridge"].split(","):
            told("--virt-bridge", bridge, "as it is given", bridges)
        return ""
    if not bridges[0]:
        say("no bridge of this host is known (COBBLER_BRIDGE); koan is run as it is")
        return ""
    name = options.get("system")
    if not name:
        name = options.get("profile", "")
        try:
            return one(connect(options).get_profile_as_rendered(name), name, bridges)
        except Exception:
            guest = name or "the guest"
            told(guest, bridges[0], "this host's first: Cobbler could not be asked", bridges)
            return bridges[0]
    return of_system(connect(options), name, bridges)


def of_system(server, name, bridges):
    """The same for a system, one for each of its interfaces."""
    data = server.get_system_as_rendered(name)
    records = data.get("interfaces")
    if not records:
        return one(data, name, bridges)
    default = server.get_settings().get("default_virt_bridge")
    unset = ["", "<<inherit>>", None] + [each for each in ("xenbr0", "virbr0") if each == default]
    names = []
    asked = False
    for nic in sorted(records):
        own = records[nic].get("virt_bridge")
        names.append(bridges[0])
        # of what is no NIC koan takes no notice, but counts it
        if not is_nic(nic, records[nic]):
            continue
        why = "this host's first: Cobbler has none for it"
        if own in unset:
            asked = True
        else:
            names[-1] = own
            why = "as Cobbler has it"
        told("%s %s" % (name, nic), names[-1], why, bridges)
    if asked and [each for each in names if "," in each]:
        say("%s: a value with a comma is no name; koan is run as it is" % name)
        return ""
    return asked and ",".join(names) or ""


def main():
    """Never keeps koan from being run: what is wrong is koan's to say, or a line here."""
    try:
        options = read(sys.argv[1:])
    except getopt.GetoptError:
        return
    try:
        sys.stdout.write(choose(options, os.environ.get("COBBLER_BRIDGE", "").split(",")))
    except Exception:
        say("which bridge it is can't be found out (%s); koan is run as it is" % sys.exc_info()[1])


socket.setdefaulttimeout(20)
main()
