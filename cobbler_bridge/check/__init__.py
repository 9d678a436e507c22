"""Everything in the inventory that will not work: what ``cobbler-bridge check`` prints.

A check is a function of a ``Site`` that yields problems: one module a subject, one line here each.
"""

from typing import Any, Callable, Dict, Iterable, List, Sequence, Tuple

from cobbler_bridge.check import guests, hosts, kickstarts, server
from cobbler_bridge.check.report import Report
from cobbler_bridge.check.site import Site
from cobbler_bridge.check.wanted import EVERYTHING, Wanted, chosen
from cobbler_bridge.findings import SEVERITIES, WAITING
from cobbler_bridge.problem import Problem, line

Check = Callable[[Site], Iterable[Problem]]

CHECKS: Tuple[Check, ...] = (
    server.settings,
    server.files,
    server.daemon,
    hosts.descriptions,
    hosts.unused_addresses,
    hosts.fields,
    hosts.records,
    hosts.notes,
    kickstarts.kickstarts,
    guests.variables,
    guests.placements,
    guests.interfaces,
    guests.names,
)


def problems(site: Site) -> List[Problem]:
    """Every problem of a site, once, whichever checks find it."""
    found: Dict[Sequence[Any], Problem] = {}
    for check in CHECKS:
        for each in check(site):
            found.setdefault(each[:4], each)
    return list(found.values())


def report(site: Site, wanted: Wanted = EVERYTHING, severity: str = WAITING) -> Report:
    """What was found of what is wanted, without what is less bad than ``severity``."""
    names = chosen(site, wanted)
    lines = None if names is None else set(map(line, names))
    bad = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return Report(
        found=[
            each
            for each in problems(site)
            if each.kind.severity in bad and (lines is None or each.subject in lines)
        ],
        systems=[each for each in site.systems if names is None or each in names],
        profiles=[each for each in site.profiles if names is None or each in names],
        hosts={line(each.name): line(each.host or "") for each in site.guests},
        asked=bool(site.planned or site.guests),
    )
