"""Outcomes of many captures in a few lines."""

from collections import Counter
from collections.abc import Sequence

from support.stress.driver import Outcome


def summary(title: str, outcomes: Sequence[Outcome]) -> str:
    """What came of them, and what they took."""
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    passes = [outcome.passes for outcome in outcomes]
    seconds = [outcome.seconds for outcome in outcomes]
    lines = [
        f"{title}: {len(outcomes)} captures: " + ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()),
        f"  passes   mean {_mean(passes):.2f}, most {max(passes, default=0)}",
        f"  seconds  mean {_mean(seconds):.2f}, most {max(seconds, default=0.0):.2f}",
    ]
    return "\n".join(lines + [f"  {one.verdict}: {one.why}" for one in outcomes if one.why][:10])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
