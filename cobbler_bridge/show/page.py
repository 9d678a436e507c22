"""Hosts, bridges, guests and findings as one page that needs nothing from elsewhere."""

import json
import time
from typing import Any, Dict, Iterable, List, Mapping, Sequence

from cobbler_bridge import shipped
from cobbler_bridge.problem import Problem, line
from cobbler_bridge.show import listing
from cobbler_bridge.show.listing import HostRow
from cobbler_bridge.store.host_record import SURE, UNSEEN


def html(rows: Sequence[HostRow], found: Iterable[Problem], now: float) -> str:
    """The page; ``now`` is in seconds since 1970."""
    of_each: Dict[str, List[Dict[str, str]]] = {}
    for problem in found:
        of_each.setdefault(problem.subject, []).append(problem.as_data())
    hosts = [_host(row, data, of_each) for row, data in zip(rows, listing.as_data(rows))]
    said = {
        "now": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "hosts": hosts,
        # of the server, of profiles, and of systems that are neither host nor guest of one
        "findings": [each for several in of_each.values() for each in several],
    }
    # nothing in it ends the element that it stands in
    text = json.dumps(said, separators=(",", ":")).replace("<", "\\u003c")
    before, _, behind = shipped.text("show", "page.html").partition("@DATA@")
    return before + text + behind


def _host(
    row: HostRow, data: Mapping[str, Any], of_each: Dict[str, List[Dict[str, str]]]
) -> Dict[str, Any]:
    """A host with its findings, and those of its guests, which are taken away."""
    guests = [dict(each, findings=of_each.pop(line(each["guest"]), [])) for each in data["guests"]]
    # when it was seen has a place of its own
    drift = "silent" if row.drift == UNSEEN else listing.drifted(row)
    own = of_each.pop(line(row.name), [])
    return dict(data, guests=guests, findings=own, sure=row.state in SURE, drift=drift)
