"""docs/metrics.md: every metric of the daemon, and every alert on them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.metrics import MetricWrapperBase

from duckback.daemon.metrics import Metrics
from tools.markdown import code, filled, table

_ALERTS = Path(__file__).parents[1] / "deploy" / "prometheus-alerts.yaml"
_LABEL = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
_SUFFIXES = {"counter": "_total", "info": "_info"}


def metrics() -> str:
    """The document."""
    return filled(
        "metrics.md",
        metrics=table(("Metric", "Kind", "Labels", "Meaning"), _metrics()),
        alerts=table(("Alert", "Severity", "What it says", "What to do first"), _alerts()),
    )


def _metrics() -> Iterator[tuple[str, str, str, str]]:
    found = [one for one in vars(Metrics({}, lambda: datetime.now(UTC))).values() if isinstance(one, MetricWrapperBase)]
    yield code("duckback_build_info"), "info", "`version`", "The version"
    for one in found:
        family = next(iter(one.describe()))
        labels = ", ".join(map(code, one._labelnames))  # noqa: SLF001 -- it has no public name
        yield code(f"{family.name}{_SUFFIXES.get(family.type, '')}"), family.type, labels, family.documentation


def _alerts() -> Iterator[tuple[str, str, str, str]]:
    groups: list[dict[str, Any]] = yaml.safe_load(_ALERTS.read_text(encoding="utf-8"))["groups"]
    for rule in (rule for group in groups for rule in group["rules"]):
        told = rule["annotations"]
        summary = _LABEL.sub(r"*\1*", told["summary"])
        yield code(rule["alert"]), rule["labels"]["severity"], summary, told["description"]
