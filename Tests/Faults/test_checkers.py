"""The checkers themselves: a right limiter passes, and each kind of wrong one does not. `python3 -m unittest test_checkers`"""
from __future__ import annotations

import random
import unittest
from typing import Callable

import check
import linearize
import states
from history import Clock, Limit, Loss, Record

SECOND = 1_000_000
LIMITS = [
    Limit("log", "sliding_window_log", 5, SECOND),
    Limit("bucket", "token_bucket", 5, SECOND + 7),
    Limit("fixed", "fixed_window", 5, SECOND),
    Limit("counter", "sliding_window_counter", 5, SECOND),
]
PLAIN = Clock(offset=0)


def history(limit: Limit, wrong: Callable[[int, bool], bool] = lambda _, fits: fits, seed: int = 1) -> list[Record]:
    """What a limiter did that decides as `wrong` says, from its number of the call and whether it fits."""
    generator, state, t, records = random.Random(seed), states.state(limit), 10 * SECOND, []
    for number in range(180):
        t += generator.randrange(20_000, 120_000)
        fits = state.level(t) + state.unit <= state.full
        admits = wrong(number, fits)
        if admits:
            state.add(t, 1)
        left = states.left(limit, state.level(t), state.unit, state.full)
        start, end = t - generator.randrange(100, 9_000), t + generator.randrange(100, 9_000)
        records.append(Record("w", number, limit.id, "a", 1, start * 1000, end * 1000, "A" if admits else "D", t, (left,)))
    return records


class Checkers(unittest.TestCase):
    def test_right(self) -> None:
        for limit in LIMITS:
            self.assertEqual(check.verify(history(limit), LIMITS, (), PLAIN), [], limit.id)
            self.assertIsNone(linearize.linearizable(history(limit), limit, PLAIN)[1] if limit.id != "counter" else None)

    def test_one_too_many(self) -> None:
        for limit in LIMITS:
            slips = iter([True])
            records = history(limit, lambda n, fits, slips=slips: fits or (n > 90 and next(slips, False)))
            self.assertTrue(any("over" in p for p in check.verify(records, LIMITS, (), PLAIN)), limit.id)
            if limit.id != "counter":
                self.assertIsNotNone(linearize.linearizable(records, limit, PLAIN)[1], limit.id)

    def test_denies_everything(self) -> None:
        for limit in LIMITS:
            records = history(limit, lambda _n, _fits: False)
            self.assertTrue(any("without need" in p for p in check.verify(records, LIMITS, (), PLAIN)), limit.id)
            if limit.id != "counter":
                self.assertIsNotNone(linearize.linearizable(records, limit, PLAIN)[1], limit.id)

    def test_false_remaining(self) -> None:
        records = history(LIMITS[0])
        records[50] = Record(**{**vars(records[50]), "r": (records[50].r[0] + 1,)})  # type: ignore[index]
        self.assertTrue(any("remaining" in p for p in check.verify(records, LIMITS, (), PLAIN)))

    def test_false_time(self) -> None:
        records = history(LIMITS[0])
        records[50] = Record(**{**vars(records[50]), "t": records[50].t + 60_000})  # type: ignore[operator]
        self.assertTrue(any("from its call" in p for p in check.verify(records, LIMITS, (), PLAIN)))

    def test_losses(self) -> None:
        """What is lost may be admitted again, once and no more."""
        for limit in LIMITS:
            first = history(limit)[:60]
            at = first[-1].e + 1_000_000
            shift = at - first[0].s + 1_000_000
            second = [Record(**{**vars(r), "n": r.n + 1000, "s": r.s + shift, "e": r.e + shift, "t": r.t + shift // 1000}) for r in first]
            loss = Loss(first[-1].e, at)
            problems = check.verify(first + second, LIMITS, [loss], PLAIN)
            self.assertFalse(any("over" in p for p in problems), problems[:2])

    def test_two_masters(self) -> None:
        """Each of two masters may admit all that the limit says, and no more."""
        def second(records: list[Record]) -> list[Record]:
            return [Record(**{**vars(r), "w": "v"}) for r in records]

        for limit in LIMITS:
            two = history(limit) + second(history(limit, seed=2))
            self.assertFalse(any("over" in p for p in check.verify(two, LIMITS, (), PLAIN, masters=2)), limit.id)
            self.assertTrue(any("over" in p for p in check.verify(two, LIMITS, (), PLAIN)), limit.id)
            three = two + [Record(**{**vars(r), "w": "u"}) for r in history(limit, seed=3)]
            self.assertTrue(any("over" in p for p in check.verify(three, LIMITS, (), PLAIN, masters=2)), limit.id)

    def test_leases(self) -> None:
        slots = Limit("slots", "concurrency", 2, 5 * SECOND)
        taken = [Record("w", n, "slots", "a", 1, n * 10**7, n * 10**7 + 10**6, "A", n * 10_000 + 500, (0,), lease=str(n)) for n in range(3)]
        self.assertTrue(any("leases at once" in p for p in check.verify(taken, [slots], (), PLAIN)))
        freed = Record("w", 9, "slots", "a", 1, 11 * 10**6, 12 * 10**6, "R", lease="0")
        self.assertEqual(check.verify(taken[:2] + [freed] + [taken[2]], [slots], (), PLAIN), [])
        denied = Record("w", 10, "slots", "a", 1, 10**9, 10**9 + 10**6, "D", 1_000_500, (1,))
        self.assertTrue(any("without need" in p for p in check.verify(taken[:1] + [denied], [slots], (), PLAIN)))


if __name__ == "__main__":
    unittest.main()
