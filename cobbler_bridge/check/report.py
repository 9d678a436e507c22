"""What the checks found, as a person, a script and a monitoring system read it. Pure."""

from collections import Counter
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple
from xml.etree import ElementTree

from cobbler_bridge.check.site import Site
from cobbler_bridge.findings import ERROR, KINDS, SEVERITIES, WAITING, WARNING
from cobbler_bridge.placement.which_bridge import is_to_have_bridge
from cobbler_bridge.problem import Problem, line
from cobbler_bridge.store.host_record import STATES

# of guests that have the same in common
_NAMED = 3
_NOT_INSTALLED = "not installed"
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
# ECMA-48: red, yellow, faint
_COLOURS = {ERROR: "31", WARNING: "33", WAITING: "2"}


class Report(NamedTuple):
    """What was found, of which ``systems`` and ``profiles``; ``hosts`` are those of the guests, by
    name, ``asked`` says whether anybody at all asks for a bridge."""

    found: Sequence[Problem]
    systems: Sequence[str]
    profiles: Sequence[str]
    hosts: Dict[str, str]
    asked: bool

    @property
    def is_bad(self) -> bool:
        """Whether there is anything that waiting doesn't mend."""
        return any(each.kind.severity != WAITING for each in self.found)


def as_text(report: Report, colours: bool = False) -> str:
    """A line a finding, the worst first, one for all guests of a host that have it; then sums."""
    lines = []
    for severity in SEVERITIES:
        word = severity
        if colours:
            word = "\033[%sm%s\033[0m" % (_COLOURS[severity], severity)
        for subject, problem in _folded(report, severity):
            text = str(problem._replace(subject=subject))
            lines.append("%s: %s [%s]\n" % (word, text, problem.kind.id))
    return "".join(lines) + _sums(report)


def _folded(report: Report, severity: str) -> Iterator[Tuple[str, Problem]]:
    """Findings, each with those that it is said of: guests of one host are said together."""
    groups: Dict[Any, List[Problem]] = {}
    for each in report.found:
        if each.kind.severity == severity:
            host = report.hosts.get(each.subject)
            key = each if host is None else (host, each[1:])
            groups.setdefault(key, []).append(each)
    for group in groups.values():
        names = [each.subject for each in group]
        subject = names[0]
        if len(names) > 1:
            words = ", ".join(names[:_NAMED]), len(names) - _NAMED
            several = "%s and %d more" % words if words[1] > 0 else words[0]
            subject = "%s on %s" % (several, report.hosts[names[0]])
        yield subject, group[0]


def _sums(report: Report) -> str:
    counts = Counter(each.kind.severity for each in report.found)
    said = [_counted(counts[each], each) for each in (ERROR, WARNING) if counts[each]]
    if counts[WAITING]:
        hosts = {
            report.hosts.get(each.subject, each.subject)
            for each in report.found
            if each.kind.severity == WAITING
        }
        said.append("%d waiting for %s" % (counts[WAITING], _counted(len(hosts), "host")))
    found = ", ".join(said) or "No problem was found"
    if not report.systems and not report.profiles:
        return found + "; Cobbler has no systems and no profiles.\n"
    what = [
        _counted(len(names), word)
        for names, word in ((report.systems, "system"), (report.profiles, "profile"))
        if names
    ]
    asked = "" if report.asked else ", and none of them asks for a bridge"
    return "%s; %s looked at%s.\n" % (found, " and ".join(what), asked)


def _counted(number: int, word: str) -> str:
    return "%d %s%s" % (number, word, "s" * (number != 1))


def as_data(report: Report) -> List[Dict[str, str]]:
    """The findings for JSON. The keys are part of the public interface."""
    return [dict(each.as_data(), host=report.hosts.get(each.subject, "")) for each in report.found]


def as_junit(report: Report) -> str:
    """A test case for each finding, and one for each system and profile that has none."""
    suite = ElementTree.Element("testsuite", name="cobbler-bridge check")
    of_each: Dict[str, List[Problem]] = {
        line(name): [] for name in (*report.systems, *report.profiles)
    }
    for each in report.found:
        of_each.setdefault(each.subject, []).append(each)
    for subject, problems in of_each.items():
        if not problems:
            ElementTree.SubElement(suite, "testcase", classname=subject, name="check")
        for each in problems:
            name = "%s: %s" % (each.kind.id, each.field)
            case = ElementTree.SubElement(suite, "testcase", classname=subject, name=name)
            waits = each.kind.severity == WAITING
            words = {"message": "%s; %s" % (each.wrong, each.right), "type": each.kind.severity}
            ElementTree.SubElement(case, "skipped" if waits else "failure", words)
    failed = len(suite.findall("*/failure"))
    skipped = len(suite.findall("*/skipped"))
    counts = {"tests": len(suite), "failures": failed, "errors": 0, "skipped": skipped}
    suite.attrib.update({name: str(number) for name, number in counts.items()})
    return _XML + ElementTree.tostring(suite, encoding="unicode") + "\n"


def as_prometheus(report: Report, site: Site) -> str:
    """Numbers for a node_exporter's textfile collector: every series there is, also where it is 0,
    so that an alert can ask for each."""
    kinds = Counter(each.kind for each in report.found)
    states = Counter(_state(site, name) for name in report.systems)
    by_kind = [('{id="%s",severity="%s"}' % each, kinds[each]) for each in KINDS]
    by_state = [('{state="%s"}' % each, states[each]) for each in (*STATES, _NOT_INSTALLED)]
    return (
        _metric("findings", "Findings by their id and severity.", by_kind)
        + _metric("hosts", "Hosts by the state of their bridges.", by_state)
        + _metric("systems", "Systems that were looked at.", [("", len(report.systems))])
        + _metric("profiles", "Profiles that were looked at.", [("", len(report.profiles))])
        + _metric("checked_seconds", "When it was, in seconds since 1970.", [("", int(site.now))])
    )


def _metric(name: str, text: str, samples: Iterable[Tuple[str, int]]) -> str:
    name = "cobbler_bridge_" + name
    lines = ["# HELP %s %s" % (name, text), "# TYPE %s gauge" % name]
    lines += ["%s%s %d" % (name, labels, number) for labels, number in samples]
    return "\n".join(lines) + "\n"


def _state(site: Site, name: str) -> str:
    system = site.systems[name]
    if system.record is not None:
        return system.record.state
    return _NOT_INSTALLED if is_to_have_bridge(system) else ""
