"""Everything in the inventory that will not work: what ``cobbler-bridge check`` prints.

A check is a function of a ``Site`` that yields problems: one module a subject, one line here each.
"""

from typing import Callable, Collection, Iterable, List, Tuple

from cobbler_bridge.check import guests, hosts, kickstarts, server
from cobbler_bridge.check.site import Site
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


def problems(site: Site, names: Collection[str] = ()) -> List[Problem]:
    """Every problem of a site once, or those of some systems and profiles."""
    found = [problem for check in CHECKS for problem in check(site)]
    wanted = set(map(line, names))
    return [each for each in dict.fromkeys(found) if not names or each.subject in wanted]
