"""The one reader of IP addresses, stricter than Python's own.

Python's takes anything at all for a scope behind a %, and with some versions numbers that other
programs take for octal. What is read here is safe in any file: digits, letters, dots and colons.
Each function raises ``ValueError`` with the rest of a sentence that begins with the text.
"""

import functools
import ipaddress
import re
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Union

Address = Union[IPv4Address, IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,2})\Z")
_IPV4_TEXT = r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})\Z"
_IPV4 = re.compile(_IPV4_TEXT)
# the last 32 bits may be written as an IPv4 address
_IPV6 = re.compile(r"(?:[0-9A-Fa-f:]{2,39}\Z|[0-9A-Fa-f:]{2,30}(?<=:)%s)" % _IPV4_TEXT)

# one rendering asks for each of its addresses many times
_remembered = functools.lru_cache(maxsize=256)


@_remembered
def ipv4(text: str) -> IPv4Address:
    """An IPv4 address."""
    try:
        return IPv4Address(text if _IPV4.match(text) else "")
    except ValueError:
        raise ValueError("is not an IPv4 address") from None


@_remembered
def ipv6(text: str) -> IPv6Address:
    """An IPv6 address, without a scope: that belongs to one machine."""
    try:
        return IPv6Address(text if _IPV6.match(text) else "")
    except ValueError:
        raise ValueError("is not an IPv6 address") from None


def address(text: str) -> Address:
    """An address of either version."""
    return ipv6(text) if ":" in text else ipv4(text)


def prefix(text: str) -> int:
    """The length of a network's prefix, of either version."""
    if not _NUMBER.match(text) or int(text) > 128:
        raise ValueError("is not a prefix")
    return int(text)


@_remembered
def netmask(text: str) -> int:
    """The length of the prefix that a netmask stands for: 24 for 255.255.255.0."""
    bits = "{:032b}".format(int(ipv4(text)))
    if "01" in bits or "1" not in bits:
        raise ValueError("is not a netmask")
    return bits.count("1")


@_remembered
def ipv4_interface(host: str, length: int) -> IPv4Interface:
    """An IPv4 address in a network of this prefix."""
    return IPv4Interface((int(ipv4(host)), "%d" % length))


@_remembered
def ipv6_interface(host: str, length: int) -> IPv6Interface:
    """An IPv6 address in a network of this prefix."""
    return IPv6Interface((int(ipv6(host)), "%d" % length))


def interface(host: str, mask: str) -> Union[IPv4Interface, IPv6Interface]:
    """An address of either version in a network, by its prefix or its netmask."""
    length = netmask(mask) if "." in mask else prefix(mask)
    return ipv6_interface(host, length) if ":" in host else ipv4_interface(host, length)


def network(text: str) -> Network:
    """NETWORK/PREFIX of either version; an address of a host in it is none."""
    host, _, length = text.partition("/")
    found = interface(host, "%d" % prefix(length)).network
    if found.network_address != address(host):
        raise ValueError("is not a network")
    return found
