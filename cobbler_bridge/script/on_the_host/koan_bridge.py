"""Prints the bridges that koan is to be given, one for each NIC that it makes; else nothing.

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
    raise ValueError("no server")


def is_nic(name, record):
    """Whether koan makes a NIC of an interface: virtinstall.py, _sanitize_nics."""
    made = record.get("interface_type") in ("bond", "bridge", "bonded_bridge_slave")
    return not (made or ":" in name or re.match("[a-zA-Z0-9]+[.][0-9]+", name))


def one(data, bridges):
    """The bridge of a guest that has no interfaces; none is a guest without a network."""
    return (data["virt_bridge"] in bridges + ["none"] and [""] or [bridges[0]])[0]


def choose(options, bridges):
    """What --virt-bridge is to be; empty where koan finds out itself."""
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
    records = data.get("interfaces")
    if not records:
        return one(data, bridges)
    default = server.get_settings().get("default_virt_bridge")
    unset = ["", "<<inherit>>", None] + [each for each in ("xenbr0", "virbr0") if each == default]
    # of what is no NIC koan takes no notice
    own = [is_nic(nic, records[nic]) and records[nic].get("virt_bridge") for nic in sorted(records)]
    names = [each is not False and each not in unset and each or bridges[0] for each in own]
    if not [each for each in own if each in unset] or [each for each in names if "," in each]:
        return ""
    return ",".join(names)


socket.setdefaulttimeout(20)
sys.stdout.write(choose(read(sys.argv[1:]), os.environ.get("COBBLER_BRIDGE", "").split(",")))
