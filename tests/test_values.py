"""What each parser of ``description.values`` takes, and what it says about the rest."""

import ipaddress
import re
from typing import Any, Callable, Dict, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobbler_bridge.description import keys, values
from cobbler_bridge.description.describe import describe
from cobbler_bridge.description.values import Ipv4, Ipv6, PortChoice

Parser = Callable[[str], Any]

MTU = keys.MTU.parse
# One for each way in which a value could break out of what carries it
STRANGE = (
    "$(reboot)",
    "`reboot`",
    "a b",
    "br0\n",
    "\nbr0",
    "br0\n%end",
    "%end",
    "@@server@@",
    "]]>",
    "a'b",
    'a"b',
    "a\\b",
    "br\u00f6",
    "b\u0660",
    "br0\0",
    "\u2028",
    "<<inherit>>",
)
NAMES_IN_REACH = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}\Z")


def refused(parse: Parser, text: str) -> str:
    """What a parser says of a value that it refuses."""
    with pytest.raises(ValueError, match=r"\A(is|has|begins) ") as caught:
        parse(text)
    message = str(caught.value)
    assert len(message) < 200, "a huge value is not repeated"
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "text", ["br0", "b", "lan-br.7", "_x", ".x", "a" * 15, "ALL", "lo0", "0", "..."]
)
def test_device_name(text: str) -> None:
    assert values.device_name(text) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("a" * 16, "has 16 characters"),
        ("\u00e9" * 16, "has 16 characters"),
        ("a" * 1_000_000, "has 1000000 characters"),
        ("-br0", "begins with -"),
        ("-", "begins with -"),
        ("a/b", "has '/' in it"),
        ("../../etc", "has '/' in it"),
        ("br0:1", "has ':' in it"),
        ("a-b c", "has ' ' in it"),
        ("br\u00f6", "has '\u00f6' in it"),
        ("br0\n", "has '\\n' in it"),
        ("b\u0660", "has '\u0660' in it"),
        ("$(reboot)", "has '$' in it"),
        ("%end", "has '%' in it"),
        ("@@x@@", "has '@' in it"),
        ("]]>", "has ']' in it"),
        ("lo", "is a reserved word"),
        ("all", "is a reserved word"),
        ("default", "is a reserved word"),
        ("none", "is a reserved word"),
        (".", "is a reserved word"),
        ("..", "is a reserved word"),
    ],
)
def test_no_device_name(text: str, why: str) -> None:
    assert refused(values.device_name, text) == why


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("52:54:00:12:34:56", "52:54:00:12:34:56"),
        ("52-54-00-AB-CD-EF", "52:54:00:ab:cd:ef"),
        ("02:00:00:00:00:00", "02:00:00:00:00:00"),
        ("00:00:00:00:00:01", "00:00:00:00:00:01"),
        ("fe:ff:ff:ff:ff:ff", "fe:ff:ff:ff:ff:ff"),
    ],
)
def test_mac_address(text: str, mac: str) -> None:
    assert values.mac_address(text) == mac
    assert values.bridge_mac(text) == mac
    assert values.ports(text) == (PortChoice(mac=mac),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not six bytes in hexadecimal"),
        ("52:54:00:12:34", "is not six bytes in hexadecimal"),
        ("52:54:00:12:34:56:78", "is not six bytes in hexadecimal"),
        ("5:54:00:12:34:56", "is not six bytes in hexadecimal"),
        ("525400123456", "is not six bytes in hexadecimal"),
        ("52:54:00:12:34:5g", "is not six bytes in hexadecimal"),
        ("52:54:00:12:34:56\n", "is not six bytes in hexadecimal"),
        (" 52:54:00:12:34:56", "is not six bytes in hexadecimal"),
        ("\u0665\u0662:54:00:12:34:56", "is not six bytes in hexadecimal"),
        ("52:54:00:12:34:56" * 60_000, "is not six bytes in hexadecimal"),
        ("01:00:5e:00:00:01", "is a multicast address"),
        ("ff:ff:ff:ff:ff:ff", "is a multicast address"),
        ("53:54:00:12:34:56", "is a multicast address"),
        ("00:00:00:00:00:00", "is no card's address"),
    ],
)
def test_no_mac_address(text: str, why: str) -> None:
    assert refused(values.mac_address, text) == why
    assert refused(values.bridge_mac, text) == why


def test_words_of_the_bridge_mac() -> None:
    assert values.bridge_mac("port") == "port"
    assert values.bridge_mac("none") == "none"


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("auto", (PortChoice(),)),
        ("eth0", (PortChoice("eth0"),)),
        ("eth1,eth0", (PortChoice("eth1"), PortChoice("eth0"))),
        (
            "eth0 , 52-54-00-AA-00-02",
            (PortChoice("eth0"), PortChoice(mac="52:54:00:aa:00:02")),
        ),
        ("525400123456", (PortChoice("525400123456"),)),
    ],
)
def test_ports(text: str, choices: Tuple[PortChoice, ...]) -> None:
    assert values.ports(text) == choices


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has a port '' that is empty"),
        ("eth0,", "has a port '' that is empty"),
        (",", "has a port '' that is empty"),
        ("eth0,eth0", "names a port twice"),
        ("52:54:00:aa:00:02,52-54-00-AA-00-02", "names a port twice"),
        ("eth0,auto", "has auto beside other ports"),
        ("auto,auto", "has auto beside other ports"),
        ("eth0;reboot", "has a port 'eth0;reboot' that has ';' in it"),
        ("eth0\nreboot", "has a port 'eth0\\nreboot' that has '\\n' in it"),
        ("$(reboot)", "has a port '$(reboot)' that has '$' in it"),
        ("eth0:1", "is not six bytes in hexadecimal"),
        ("01:00:5e:00:00:01", "is a multicast address"),
        (
            "a" * 1_000_000,
            "has a port '" + "a" * 59 + "\u2026 (1000000 characters) that has 1000000 characters",
        ),
    ],
)
def test_no_ports(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        values.ports(text)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("text", "address", "gateway"),
    [
        ("192.0.2.10/24", "192.0.2.10/24", None),
        ("192.0.2.10/24,192.0.2.1", "192.0.2.10/24", "192.0.2.1"),
        ("192.0.2.10/30", "192.0.2.10/30", None),
        ("192.0.2.10/31,192.0.2.11", "192.0.2.10/31", "192.0.2.11"),
        ("192.0.2.11/31,192.0.2.10", "192.0.2.11/31", "192.0.2.10"),
        ("10.0.0.255/23", "10.0.0.255/23", None),
        ("10.0.1.0/23", "10.0.1.0/23", None),
        ("10.0.0.1/1", "10.0.0.1/1", None),
        ("169.254.7.7/16", "169.254.7.7/16", None),
    ],
)
def test_static_ipv4(text: str, address: str, gateway: Optional[str]) -> None:
    ipv4 = values.ipv4(text)
    assert ipv4.method == "static"
    assert str(ipv4.address) == address
    assert (None if ipv4.gateway is None else str(ipv4.gateway)) == gateway


@pytest.mark.parametrize("word", ["auto", "dhcp", "none"])
def test_words_of_ipv4(word: str) -> None:
    assert values.ipv4(word) == Ipv4(word, None, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has no /PREFIX"),
        ("DHCP", "has no /PREFIX"),
        ("192.0.2.10", "has no /PREFIX"),
        ("192.0.2.10/", "has a prefix that is not a number from 1 to 31"),
        ("192.0.2.10/0", "has a prefix that is not a number from 1 to 31"),
        ("192.0.2.10/32", "has a prefix that is not a number from 1 to 31"),
        ("192.0.2.10/-1", "has a prefix that is not a number from 1 to 31"),
        ("192.0.2.10/255.255.255.0", "has a prefix that is not a number from 1 to 31"),
        ("192.0.2.10/24\n", "has a prefix that is not a number from 1 to 31"),
        ("192.0.2.10/24/24", "has a prefix that is not a number from 1 to 31"),
        ("192.0.2.10/\u0662\u0664", "has a prefix that is not a number from 1 to 31"),
        ("192.0.2.256/24", "is not an IPv4 address"),
        ("192.0.2/24", "is not an IPv4 address"),
        ("192.0.2.010/24", "is not an IPv4 address"),
        (" 192.0.2.10/24", "is not an IPv4 address"),
        ("$(id)/24", "is not an IPv4 address"),
        ("/24", "is not an IPv4 address"),
        ("2001:db8::1/24", "is not an IPv4 address"),
        ("a" * 1_000_000 + "/24", "is not an IPv4 address"),
        ("127.0.0.1/8", "is not an address that a host can have"),
        ("224.0.0.5/24", "is not an address that a host can have"),
        ("0.0.0.0/8", "is not an address that a host can have"),
        ("192.0.2.0/24", "is its network's own or broadcast address"),
        ("192.0.2.255/24", "is its network's own or broadcast address"),
        ("192.0.2.8/30", "is its network's own or broadcast address"),
        ("192.0.2.11/30", "is its network's own or broadcast address"),
        ("192.0.2.10/24,", "has a gateway '' that is not an IPv4 address"),
        ("192.0.2.10/24,gw", "has a gateway 'gw' that is not an IPv4 address"),
        ("192.0.2.10/24, 192.0.2.1", "has a gateway ' 192.0.2.1' that is not an IPv4 address"),
        ("192.0.2.10/24,192.0.2.01", "has a gateway '192.0.2.01' that is not an IPv4 address"),
        (
            "192.0.2.10/24,192.0.2.1,192.0.2.2",
            "has a gateway '192.0.2.1,192.0.2.2' that is not an IPv4 address",
        ),
        ("192.0.2.10/24,192.0.2.1\n", "has a gateway '192.0.2.1\\n' that is not an IPv4 address"),
        (
            "192.0.2.10/24,192.0.3.1",
            "has a gateway 192.0.3.1 that is no neighbour in 192.0.2.0/24",
        ),
        (
            "192.0.2.10/24,192.0.2.10",
            "has a gateway 192.0.2.10 that is no neighbour in 192.0.2.0/24",
        ),
        (
            "192.0.2.10/24,192.0.2.255",
            "has a gateway 192.0.2.255 that is no neighbour in 192.0.2.0/24",
        ),
        (
            "192.0.2.10/24,192.0.2.0",
            "has a gateway 192.0.2.0 that is no neighbour in 192.0.2.0/24",
        ),
        (
            "192.0.2.10/31,192.0.2.12",
            "has a gateway 192.0.2.12 that is no neighbour in 192.0.2.10/31",
        ),
    ],
)
def test_no_ipv4(text: str, why: str) -> None:
    assert refused(values.ipv4, text) == why


@pytest.mark.parametrize("mtu", [576, 1500, 9216])
def test_mtu(mtu: int) -> None:
    assert MTU(str(mtu)) == mtu


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a whole number"),
        ("575", "is too small"),
        ("0", "is too small"),
        ("9217", "is too large"),
        ("999999999", "is too large"),
        ("9" * 1_000_000, "is not a whole number"),
        ("-576", "is not a whole number"),
        ("+1500", "is not a whole number"),
        ("1500.0", "is not a whole number"),
        ("1_500", "is not a whole number"),
        ("0x5dc", "is not a whole number"),
        ("1500\n", "is not a whole number"),
        (" 1500", "is not a whole number"),
        ("\u0661\u0665\u0660\u0660", "is not a whole number"),
    ],
)
def test_no_mtu(text: str, why: str) -> None:
    assert refused(MTU, text) == why


def test_forward_delay() -> None:
    read = keys.FORWARD_DELAY.parse
    assert (read("0"), read("30")) == (0, 30)
    assert refused(read, "31") == "is too large"
    assert refused(read, "-1") == "is not a whole number"


def test_on_off() -> None:
    assert values.on_off("on") is True
    assert values.on_off("off") is False
    for text in ("", "On", "yes", "1", "true", "on\n", "on" * 500_000):
        assert refused(values.on_off, text) == "is none of the values it can have"


def test_choice() -> None:
    read = values.choice("auto", "iptables")
    assert read("iptables") == "iptables"
    for text in ("", "IPTABLES", "auto,iptables", "iptables ", "a" * 1_000_000):
        assert refused(read, text) == "is none of the values it can have"


PARSERS: Dict[str, Parser] = {key.name: key.parse for key in keys.HOST_KEYS}


@pytest.mark.parametrize("text", STRANGE)
@pytest.mark.parametrize("name", PARSERS)
def test_nothing_strange_gets_through(name: str, text: str) -> None:
    refused(PARSERS[name], text)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        (None, "has no value"),
        ("~", "has no value"),
        (True, "True is not a text"),
        (1500.0, "1500.0 is not a text"),
        (["1500", "9000"], "is set 2 times: ['1500', '9000']"),
        ({"a": 1}, "{'a': 1} is not a text"),
        (b"1500", "b'1500' is not a text"),
        ("", "'' is not a whole number"),
        (575, "'575' is too small"),
        ("1" * 1_000_000, "'" + "1" * 59 + "\u2026 (1000000 characters) is not a whole number"),
        (
            ["x" * 1_000_000],
            "is set 1 times: ['" + "x" * 58 + "\u2026",
        ),
    ],
)
def test_a_value_of_a_wrong_type_is_a_problem(value: Any, wrong: str) -> None:
    description, problems = describe({"name": "kvm1", "bridge": "br0", "bridge_mtu": value})
    assert description is None
    assert [problem[:4] for problem in problems] == [
        ("kvm1", "bridge_mtu", wrong, "it can be a whole number from 576 to 9216")
    ]


def test_a_number_is_as_good_as_its_text() -> None:
    description, problems = describe({"name": "kvm1", "bridge": "br0", "bridge_mtu": 9000})
    assert problems == []
    assert description is not None
    assert description.bridges[0].mtu == 9000


def printed(value: Any) -> str:
    """A parsed value as an administrator would write it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (Ipv4, Ipv6)):
        if value.address is None:
            return value.method
        return str(value.address) + ("" if value.gateway is None else ",%s" % value.gateway)
    if isinstance(value, tuple):
        return ",".join(each.name or each.mac or "auto" for each in value)
    return str(value)


OCTETS = st.integers(0, 300).map(str)
ADDRESSES = st.lists(OCTETS, min_size=3, max_size=5).map(".".join)
MACS = st.lists(
    st.integers(0, 255).map(lambda byte: "%02X" % byte), min_size=5, max_size=7
).flatmap(lambda parts: st.sampled_from(":-").map(lambda mark: mark.join(parts)))
WORDS = st.sampled_from(
    ["auto", "dhcp", "none", "port", "on", "off", "iptables", "ifcfg", "eth0", "br0", "lo"]
)
PIECES = st.one_of(
    st.text(max_size=20),
    st.text("abz09_.-", max_size=17),
    st.integers(-10, 10_000).map(str),
    WORDS,
    MACS,
    st.tuples(ADDRESSES, st.integers(0, 33)).map(lambda pair: "%s/%d" % pair),
    st.tuples(ADDRESSES, st.integers(0, 33), ADDRESSES).map(lambda each: "%s/%d,%s" % each),
)
TEXTS = st.one_of(PIECES, st.lists(PIECES, min_size=2, max_size=3).map(",".join))


@given(TEXTS)
def test_a_value_is_refused_or_read_the_same_when_printed(text: str) -> None:
    for parse in PARSERS.values():
        try:
            value = parse(text)
        except ValueError:
            continue
        assert parse(printed(value)) == value


@given(st.one_of(TEXTS, st.from_regex(NAMES_IN_REACH)))
def test_a_device_name_has_no_other_characters(text: str) -> None:
    try:
        name = values.device_name(text)
    except ValueError:
        assert not NAMES_IN_REACH.match(text) or text in (
            "lo",
            "all",
            "default",
            "none",
            ".",
            "..",
        )
    else:
        assert name == text
        assert NAMES_IN_REACH.match(name)


@pytest.mark.parametrize("key", keys.HOST_KEYS, ids=lambda key: str(key.name))
def test_every_example_and_default_can_be_read(key: "keys.Key[Any]") -> None:
    key.parse(key.example)
    if key.default is not None:
        assert key.default_value == key.parse(key.default)


@pytest.mark.parametrize(
    ("text", "address", "gateway"),
    [
        ("2001:db8::10/64", "2001:db8::10/64", None),
        ("2001:DB8:0::10/64,2001:db8::1", "2001:db8::10/64", "2001:db8::1"),
        ("2001:db8::10/128,fe80::1", "2001:db8::10/128", "fe80::1"),
        ("fd00::1/1", "fd00::1/1", None),
    ],
)
def test_static_ipv6(text: str, address: str, gateway: Optional[str]) -> None:
    ipv6 = values.ipv6(text)
    assert ipv6.method == "static"
    assert ipv6.address == ipaddress.IPv6Interface(address)
    assert ipv6.gateway == (None if gateway is None else ipaddress.IPv6Address(gateway))


def test_ipv6_auto() -> None:
    assert values.ipv6("auto") == values.Ipv6("auto")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "has no /PREFIX"),
        ("2001:db8::10", "has no /PREFIX"),
        ("2001:db8::10/0", "has a prefix that is not a number from 1 to 128"),
        ("2001:db8::10/129", "has a prefix that is not a number from 1 to 128"),
        ("2001:db8::10/ffff::", "has a prefix that is not a number from 1 to 128"),
        ("2001:db8::10/64/64", "has a prefix that is not a number from 1 to 128"),
        ("192.0.2.1/24", "is not an IPv6 address"),
        ("2001:db8::g/64", "is not an IPv6 address"),
        ("2001:db8::1%eth0/64", "is not an IPv6 address"),
        ("$(reboot)/64", "is not an IPv6 address"),
        ("::1/64", "is not an address that a host can have"),
        ("::/64", "is not an address that a host can have"),
        ("ff02::1/64", "is not an address that a host can have"),
        ("fe80::1/64", "is not an address that a host can have"),
        ("2001:db8::10/64,", "has a gateway '' that is not an IPv6 address"),
        ("2001:db8::10/64,192.0.2.1", "has a gateway '192.0.2.1' that is not an IPv6 address"),
        ("2001:db8::10/64,fe80::1%br0", "has a gateway 'fe80::1%br0' that is not an IPv6 address"),
        (
            "2001:db8::10/64,fe80::1\nX=y",
            "has a gateway 'fe80::1\\nX=y' that is not an IPv6 address",
        ),
        (
            "2001:db8::10/64,2001:db8:1::1",
            "has a gateway 2001:db8:1::1 that is no neighbour in 2001:db8::/64",
        ),
        (
            "2001:db8::10/64,2001:db8::10",
            "has a gateway 2001:db8::10 that is no neighbour in 2001:db8::/64",
        ),
    ],
)
def test_refused_ipv6(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=re.escape(error) + r"\Z"):
        values.ipv6(text)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("mode=1 miimon=50", "mode=1 miimon=50"),
        ("mode=1,miimon=50", "mode=1 miimon=50"),
        (" mode=1, miimon=50 ,", "mode=1 miimon=50"),
        ("mode=1,,miimon=50", "mode=1 miimon=50"),
        ("mode=1", "mode=1 miimon=100"),
        (
            "arp_ip_target=192.0.2.1,192.0.2.2,arp_interval=9",
            "arp_ip_target=192.0.2.1,192.0.2.2 arp_interval=9",
        ),
    ],
)
def test_bond_options(text: str, options: str) -> None:
    found = values.bond_options(text)
    assert " ".join("%s=%s" % pair for pair in found) == options


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mode=1;miimon=50", "has 'mode=1;miimon=50', which is no option of a bond"),
        ("mode=1,fast", "has 'mode=1,fast', with a comma that no option follows"),
        ("mode=7", "has an unknown mode '7'"),
        ("mode=1,mode=2", "has mode twice"),
        ("MODE=1", "has 'MODE=1', which is no option of a bond"),
    ],
)
def test_no_bond_options(text: str, why: str) -> None:
    assert refused(values.bond_options, text) == why


@pytest.mark.parametrize("name", ["internal", "public_2", "a-b", "0", "x" * 17])
def test_zone(name: str) -> None:
    assert values.zone(name) == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no plain word"),
        ("x" * 18, "has 18 characters"),
        ("-x", "is no plain word"),
        ("a/b", "is no plain word"),
        ("a b", "is no plain word"),
        ("x\n", "is no plain word"),
        ("$(reboot)", "is no plain word"),
        ("\u00e9", "is no plain word"),
    ],
)
def test_no_zone(text: str, why: str) -> None:
    assert refused(values.zone, text) == why
