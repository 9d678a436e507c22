"""What some Cobblers can't do, whatever this package does; said by ``install`` and in docs/."""

from typing import List, NamedTuple, Tuple

Numbers = Tuple[int, ...]


class Limit(NamedTuple):
    """A sentence that holds from one version on until before another."""

    since: Numbers
    before: Numbers
    sentence: str


LIMITS = (
    Limit(
        (3, 3, 0),
        (3, 3, 4),
        "every new system gets an interface 'default' too, and Koan makes a NIC of it; it is put "
        "on the host's bridge like the others, and left out of a host's description",
    ),
    Limit(
        (4, 0),
        (4, 1),
        "no settings file of ours is read: a template of your own that says "
        "'#import cobbler_bridge.snippet' needs that name in cheetah_import_whitelist in "
        "/etc/cobbler/settings.yaml (the snippet does not)",
    ),
    Limit(
        (4, 0),
        (4, 1),
        "Koan 3.0.1 finds no system there: it asks by name, and Cobbler 4.0 answers to uids",
    ),
)


def limits_of(version: Numbers) -> List[str]:
    """What a Cobbler can't do, each as a sentence."""
    return [limit.sentence for limit in LIMITS if limit.since <= version < limit.before]
