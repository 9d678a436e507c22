"""What every device of a description will be called, and the MAC address that it is known by."""

import re
from typing import NamedTuple, Optional, Sequence, Tuple, Union

from cobbler_bridge.description import keys
from cobbler_bridge.description.describe import Description, once
from cobbler_bridge.description.network import CARD_NAMES, Bond, Bridge, Device, Master, Nic, Vlan
from cobbler_bridge.description.values import NAME_CHARACTERS
from cobbler_bridge.plan.plan import Fact, Word

_NIC_NAME = re.compile(r"(%s)\Z" % CARD_NAMES)


class Named(NamedTuple):
    """A device as the files name it, and what it is a port of.

    ``mac`` is the MAC address of the NIC below it, the first one of several.
    """

    device: Device
    name: Word
    mac: Optional[Word]
    master: Optional[Master]


@once
def named(description: Description) -> Tuple[Named, ...]:
    """Every device with the name that it will have, each behind those that it is made of."""
    bridges = description.bridge_names
    return tuple(
        Named(device, name_of(device, bridges), mac_of(device), master)
        for device, master in description.devices
    )


def name_of(device: Union[Device, str], bridges: Sequence[str]) -> Word:
    """The name that a device will have beside these bridges."""
    if isinstance(device, Nic):
        return _nic_name(device, bridges)
    if not isinstance(device, Vlan):
        return device if isinstance(device, str) else device.name
    parent = name_of(device.parent, bridges)
    if isinstance(parent, Fact):
        return Fact("vlan%d" % device.number, "%s.%d" % (parent.shown, device.tag))
    name = "%s.%d" % (parent, device.tag)
    return name if len(name) <= NAME_CHARACTERS else "vlan%d" % device.tag


def field_of(device: Device) -> str:
    """The field that the name of a device comes from, for a problem."""
    # a bridge's may be of either
    if isinstance(device, Bridge):
        return keys.BRIDGE.name
    if device.interface is None:
        return keys.VLAN.name if isinstance(device, Vlan) else keys.PORT.name
    return "interface %s" % device.interface


def bond_options(bond: Bond, bridges: Sequence[str]) -> Tuple[Tuple[str, Word], ...]:
    """The options of a bond; a port's record named as primary becomes the name it will have."""
    names = {nic.interface: name_of(nic, bridges) for nic in bond.ports}
    return tuple(
        (option, names.get(value, value) if option == "primary" else value)
        for option, value in bond.options
    )


def _nic_name(nic: Nic, bridges: Sequence[str]) -> Word:
    if nic.choice.name is None:
        usual = ["p" + name for name in bridges if _NIC_NAME.match(name)]
        shown = usual[0] if len(usual) == 1 else "$port%d" % nic.number
        return Fact("port%d" % nic.number, shown)
    return "p" + nic.choice.name if nic.choice.name in bridges else nic.choice.name


@once
def renamed_nics(description: Description) -> Tuple[Nic, ...]:
    """The NICs that the machine may call otherwise than the files do."""
    bridges = description.bridge_names

    def may_be(name: Optional[str]) -> bool:
        return name is None or name in bridges or (name[0] == "p" and name[1:] in bridges)

    return tuple(
        device
        for device, _ in description.devices
        if isinstance(device, Nic) and not device.left and may_be(device.choice.name)
    )


def mac_of(device: Union[Device, str]) -> Optional[Word]:
    """The MAC address of the (first) NIC that a device is made of, where there is one."""
    if isinstance(device, Nic):
        return device.choice.mac or Fact("mac%d" % device.number, "$mac%d" % device.number)
    if isinstance(device, (Bond, Bridge)):
        return mac_of(device.ports[0]) if device.ports else None
    return mac_of(device.parent) if isinstance(device, Vlan) else None


def names_now(device: Union[Device, str]) -> Tuple[Word, ...]:
    """The names that the installer may have used for a port: its own, and its NICs'.

    Behind a "/" are those of what a VLAN is one of.
    """
    if isinstance(device, Nic):
        return (Fact("nic%d" % device.number, "$nic%d" % device.number),)
    if isinstance(device, Vlan):
        return (name_of(device, ()), "/", *(n for n in names_now(device.parent) if n != "/"))
    if isinstance(device, Bond):
        return (device.name, *(name for nic in device.ports for name in names_now(nic)))
    return (device if isinstance(device, str) else device.name,)
