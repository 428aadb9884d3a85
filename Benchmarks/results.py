"""Figures by case and round."""
import statistics
import typing


class Case(typing.NamedTuple):
    """What was measured."""
    limiter: str
    workload: str
    algorithm: str
    callers: typing.Any


class Results:
    """The figures of all rounds."""

    def __init__(self):
        self.rounds = {}

    def add(self, case, figures):
        self.rounds.setdefault(case, []).append(figures)

    def __iter__(self):
        return iter(self.rounds)

    def last(self, case):
        return self.rounds[case][-1]

    def median(self, case, name):
        """The median over the rounds; None when it was not measured."""
        if case not in self.rounds or name not in self.rounds[case][0]:
            return None
        return statistics.median(figures[name] for figures in self.rounds[case])

    def ratio(self, case, to, name):
        """The median of the rounds' ratios; None when either was not measured."""
        if self.median(case, name) is None or self.median(to, name) is None:
            return None
        pairs = zip(self.rounds[case], self.rounds[to])
        return statistics.median(ours[name] / max(theirs[name], 1e-9) for ours, theirs in pairs)

    def errors(self, case):
        return sum(figures["errors"] for figures in self.rounds[case])
