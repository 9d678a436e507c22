"""The picture of hosts, bridges and guests: well formed, nothing lost, nothing covered."""

import re
from typing import Any, Dict, List, Tuple
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobbler_bridge.show.listing import ALL_STATES, BridgeRow, GuestRow, HostRow
from cobbler_bridge.show.picture import dot, svg

SVG = "{http://www.w3.org/2000/svg}"
SINCE = "2026-01-31T12:00:00Z"
HOSTS = [
    HostRow(
        "kvm1",
        (BridgeRow("br0", ("eth0",)), BridgeRow("br1")),
        "verified",
        SINCE,
        (
            GuestRow("web1", (("eth0", "br0"), ("eth1", "br1"))),
            GuestRow("web2", (("eth0", "br0"),)),
            GuestRow("web3", (("eth0", "br9"), ("eth1", ""))),
            GuestRow("web4", ()),
        ),
    ),
    HostRow("gone", (), "no such system", "", (GuestRow("web5", (("eth0", ""),)),)),
]


def site(number: int) -> List[HostRow]:
    return [
        HostRow(
            "kvm%03d.example.org" % each,
            tuple(
                BridgeRow("br%d" % bridge, ("eth%d" % bridge,)) for bridge in range(each % 3 + 1)
            ),
            "verified",
            SINCE,
            tuple(
                GuestRow("web%d-%d.example.org" % (each, guest), (("eth0", "br0"),))
                for guest in range(each % 12)
            ),
        )
        for each in range(number)
    ]


def texts(image: str) -> List[str]:
    return [each.text or "" for each in ElementTree.fromstring(image).iter(SVG + "text")]


def test_what_is_on_it() -> None:
    found = texts(svg(HOSTS))
    assert found[0] == "2 hosts, 5 guests"
    for text in (
        "verified 1",
        "no such system 1",
        "verified " + SINCE,
        "br0  ⇠  eth0",
        "web1 eth0",
        "web1 eth1",
        "web2",
        "web3 eth0: br9",
        "web3 eth1: -",
        "web4: no NIC",
        "web5: -",
    ):
        assert found.count(text) == 1, text
    assert found.count("on no bridge of this host") == 2


def boxes(image: str) -> List[Tuple[float, ...]]:
    """Place and size of every rectangle but the first, which is the ground."""
    found = list(ElementTree.fromstring(image).iter(SVG + "rect"))[1:]
    return [
        tuple(float(each.attrib[name]) for name in ("x", "y", "width", "height")) for each in found
    ]


@pytest.mark.parametrize("number", [0, 1, 5, 200])
def test_it_has_the_shape_of_a_screen(number: int) -> None:
    image = svg(site(number))
    root = ElementTree.fromstring(image)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert all(x >= 0 and x + wide <= width for x, _, wide, _ in boxes(image))
    assert all(y >= 0 and y + high <= height for _, y, _, high in boxes(image))
    if number > 1:
        assert 0.8 < width / height < 2.4
    assert len(texts(image)) == len(re.findall("<text ", image))


def test_nothing_covers_another() -> None:
    """Boxes of guests; a letter is 7 pixels wide at most."""
    image = svg(site(40))
    small = sorted(each for each in boxes(image) if each[3] == 19)
    assert len(small) == sum(each % 12 for each in range(40))
    for number, (x, y, width, _) in enumerate(small):
        for left, top, _, _ in small[number + 1 :]:
            assert left >= x + width or abs(top - y) >= 19 or left < x
    for each in ElementTree.fromstring(image).iter(SVG + "text"):
        assert len(each.text or "") * 7 < 330


def test_a_long_name_is_cut_and_said_whole() -> None:
    name = "x" * 200
    host = HostRow(
        "kvm1", (BridgeRow("br0"),), "installed", SINCE, (GuestRow(name, (("eth0", "br0"),)),)
    )
    image = svg([host])
    titles = [each.text for each in ElementTree.fromstring(image).iter(SVG + "title")]
    assert titles == [name]
    assert name not in texts(image)


def test_long_names_stay_on_their_card() -> None:
    name = "first-" + "x" * 60 + "-last"
    ports = tuple("eth%d" % number for number in range(20))
    guest = GuestRow(name, (("eth0", "br0"), ("eth1", "br9")))
    image = svg([HostRow(name, (BridgeRow("br0", ports),), "installed", SINCE, (guest,))])
    drawn = [each for each in ElementTree.fromstring(image).iter(SVG + "text") if len(each)]
    assert len(drawn) == 4
    for each in drawn:
        # the first child says it whole
        shown = each[0].tail or ""
        # of DejaVu Sans Mono, in parts of its size
        width = len(shown) * float(each.get("font-size", 11)) * 0.641
        assert float(each.attrib["x"]) + width < 24 + 330, shown
        assert "…" in shown
    heads = [(each[0].tail or "")[:6] for each in drawn]
    ends = [(each[0].tail or "")[-4:] for each in drawn]
    assert heads == ["first-", "br0  ⇠", "first-", "first-"]
    assert ends == ["last", "th19", "eth0", " br9"]


ROWS = st.builds(
    HostRow,
    st.text(max_size=20),
    st.lists(st.builds(BridgeRow, st.text(max_size=8)), max_size=3).map(tuple),
    st.sampled_from(ALL_STATES),
    st.just(SINCE),
    st.lists(
        st.builds(
            GuestRow,
            st.text(max_size=12),
            st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=3).map(tuple),
        ),
        max_size=4,
    ).map(tuple),
)


@given(st.lists(ROWS, max_size=4))
def test_any_name_is_drawn(rows: Any) -> None:
    ElementTree.fromstring(svg(rows))
    graph = dot(rows)
    for line in graph.splitlines():
        # every string is closed, and nothing stands outside of one that a name could have brought
        rest = re.sub(r'"(?:[^"\\]|\\.)*"', "S", line)
        assert re.fullmatch(r"[A-Za-z0-9_ =;{}\[\]-]*", rest), line
    assert graph.isprintable() or set(graph) - {"\n"} == {c for c in graph if c.isprintable()}


def test_the_graph() -> None:
    graph = dot(HOSTS)
    nodes: Dict[str, str] = dict(
        re.findall(r'^ *(\w+) \[(?:style=filled )?label="([^"]*)"', graph, re.M)
    )
    lines = re.findall(r"^  (\w+) -- (\w+) \[label=\"([^\"]*)\"", graph, re.M)
    assert [(nodes.get(a, a), nodes[b], text) for a, b, text in lines] == [
        (r"br0\neth0", "web1", "eth0"),
        ("br1", "web1", "eth1"),
        (r"br0\neth0", "web2", "eth0"),
        ("h0", "web3", "eth0: br9"),
        ("h0", "web3", "eth1: -"),
        ("h1", "web5", "eth0: -"),
    ]
    assert graph.count("subgraph cluster_") == 2


def test_it_says_why_a_host_has_no_bridge() -> None:
    why = "the gateway 192.0.2.1 does not answer; eth1 has no link"
    row = HOSTS[0]._replace(state="rolled back", reason=why)
    whole = "rolled back: %s %s" % (why, SINCE)
    assert "<title>%s</title>" % whole in svg([row])
    assert "kvm1 (rolled back: %s)" % why in dot([row])
