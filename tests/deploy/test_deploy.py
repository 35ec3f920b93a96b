"""What is in deploy/ fits the code: units, manifests, images and alert rules."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import kubernetes_validate
import promql_parser
import pytest
import yaml
from support.place import Place

import duckback
from duckback import Duckback
from duckback.config.load import environment_name, load_all, option_names, validated
from duckback.config.unit import unit
from duckback.daemon.metrics import Metrics
from duckback.daemon.outcome import Outcome
from duckback.model.schedule import Task
from duckback.routes import ROUTES

DEPLOY = Path(duckback.__file__).parents[2] / "deploy"
KUBERNETES = "1.31"


def alerts() -> list[dict[str, Any]]:
    document = yaml.safe_load((DEPLOY / "prometheus-alerts.yaml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def selectors(expression: object) -> Iterator[Any]:
    """The vector selectors in a PromQL expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    for name in ("lhs", "rhs", "expr", "args", "vector_selector", "param"):
        inner = getattr(expression, name, None)
        for one in inner if isinstance(inner, list) else [inner]:
            if one is not None:
                yield from selectors(one)


@pytest.fixture
def metrics(full: Place) -> Metrics:
    """Metrics of which everything has happened once."""
    found = Metrics({"small": validated({"state_dir": full.state})}, lambda: datetime.now(UTC))
    view = Duckback(full.repo, state_dir=full.state, threads=1)
    view.verify()
    view.test_restore()
    found.looked("small", view.health.past("small"))
    found.started("small")
    for task in Task:
        found.ended("small", task, Outcome(ok=task is Task.FULL, steps={"a": 1.0}, hook_failures=1))
    found.ended("small", None, Outcome(ok=False))
    return found


def test_every_alert_asks_for_metrics_and_labels_that_there_are(metrics: Metrics) -> None:
    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    labels: dict[str, set[str]] = {}
    for sample in samples:
        labels.setdefault(sample.name, set()).update(sample.labels)
    routes = {route.name for route in ROUTES}
    rules = alerts()
    assert len(rules) >= 10
    for rule in rules:
        found = list(selectors(promql_parser.parse(rule["expr"])))
        assert found, rule["alert"]
        for selector in found:
            assert selector.name in labels, (rule["alert"], selector.name)
            for matcher in selector.matchers.matchers:
                assert matcher.name in labels[selector.name], (rule["alert"], matcher.name)
                if matcher.name == "route":
                    assert matcher.value in routes
                if matcher.name == "result":
                    assert matcher.value in {"success", "failure"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]


def test_a_name_that_no_metric_has_would_be_found() -> None:
    (selector,) = selectors(promql_parser.parse('increase(duckback_runs{result="x"}[1h]) > 0'))
    assert selector.name == "duckback_runs"


def test_metrics_say_what_has_happened(metrics: Metrics) -> None:
    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"duckback_{name}", labels)

    one = {"database": "small"}
    assert value("runs_total", **one, route="duckdb-full-export", result="success") == 1
    assert value("runs_total", **one, route="duckdb-verification", result="failure") == 1
    assert value("backup_rows", **one) == 450
    assert value("backup_objects", **one) == 2
    assert value("unverified_backups", **one) == 0
    assert value("hook_failures_total", **one) == 4
    assert value("looks_failed_total", **one) == 1
    assert value("rpo_seconds", **one) == 6.5 * 3600
    age = value("newest_backup_age_seconds", **one)
    assert age is not None
    assert 0 <= age < 24 * 3600
    rto = value("test_restore_duration_seconds", **one)
    assert rto is not None
    assert 0 < rto < 60
    assert value("last_failure_timestamp_seconds", **one, route="duckdb-full-export") is None
    assert not [name for name in _names(metrics) if name.endswith("_created")]


def _names(metrics: Metrics) -> set[str]:
    return {sample.name for family in metrics.registry.collect() for sample in family.samples}


def test_the_unit_is_the_one_that_init_writes() -> None:
    text = unit(
        executable=Path("/opt/duckback/bin/duckback"),
        config=Path("/etc/duckback/duckback.toml"),
        user="duckback",
        stop_within=timedelta(seconds=60),
    )
    assert (DEPLOY / "duckback.service").read_text() == text


def test_the_kubernetes_manifests_have_valid_fields_and_their_configuration_loads(tmp_path: Path) -> None:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes-sidecar.yaml").read_text()))
    for document in documents:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    configuration, stateful_set = documents
    file = tmp_path / "duckback.toml"
    file.write_text(configuration["data"]["duckback.toml"])
    (loaded,) = load_all({}, {}, file=file)
    assert loaded.options.name == "hot"
    pod = stateful_set["spec"]["template"]["spec"]
    sidecar = pod["initContainers"][0]
    mounted = {mount["mountPath"] for mount in sidecar["volumeMounts"]}
    assert {str(loaded.database and loaded.database.parent), "/scratch", "/state"} <= mounted
    assert str(loaded.options.image_dir).startswith("/scratch/")
    assert pod["terminationGracePeriodSeconds"] > loaded.options.daemon.stop_within.total_seconds()
    ours = {mount["name"]: mount.get("readOnly", False) for mount in sidecar["volumeMounts"]}
    theirs = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
    assert ours["data"] is True
    assert theirs == {"data"}


def test_a_field_that_kubernetes_does_not_know_would_be_found() -> None:
    document = next(yaml.safe_load_all((DEPLOY / "kubernetes-sidecar.yaml").read_text()))
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**document, "dataa": {}}, KUBERNETES, strict=True)


def test_the_image_sets_options_that_there_are_and_copies_files_that_there_are() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    known = {environment_name(name) for name in option_names()}
    given = {word.partition("=")[0] for line in lines for word in line.split() if word.startswith("DUCKBACK_")}
    assert given
    assert given <= known
    copied = [word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]
    assert copied
    assert all((DEPLOY.parent / name).exists() for name in copied)


def test_hadolint_finds_nothing_in_the_image_s_file_and_would_find_something(tmp_path: Path) -> None:
    def findings(path: Path) -> str:
        hadolint = Path(sys.executable).with_name("hadolint")
        return subprocess.run([hadolint, path], check=False, capture_output=True, text=True).stdout

    assert findings(DEPLOY / "Dockerfile") == ""
    loose = tmp_path / "Dockerfile"
    loose.write_text((DEPLOY / "Dockerfile").read_text().replace(":3.13-slim", ""))
    assert "DL3006" in findings(loose), "an image without a tag"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_accepts_the_unit_that_init_writes(place: Place) -> None:
    directory = place.root / "a directory"
    place.run("init", place.root / "b.duckdb", "--directory", directory).worked()
    done = subprocess.run(
        ["systemd-analyze", "verify", directory / "duckback.service"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "duckback" not in done.stderr, done.stderr


def test_init_writes_what_the_daemon_reads_and_every_comment_is_a_valid_option(place: Place) -> None:
    flags = ("--schedule-full", "12h", "--hooks-ping", f"https://hc.example/{uuid4()}")
    place.run("init", place.root / "a.duckdb", place.root / "b.duckdb", "--directory", place.root, *flags).worked()
    file = place.root / "duckback.toml"
    assert file.stat().st_mode & 0o777 == 0o600
    found = load_all({}, {}, file=file)
    assert [one.options.name for one in found] == ["a", "b"]
    assert found[0].options.schedule.full == "12h"
    assert found[0].options.hooks.ping is not None
    assert found[0].options.hooks.ping.get_secret_value() == flags[3]
    assert found[0].options.state_dir == place.state
    text = file.read_text()
    assert tomllib.loads(text)
    lines = [line.removeprefix("# ") if " = " in line and '"…"' not in line else line for line in text.splitlines()]
    file.write_text("\n".join(lines))
    assert load_all({}, {}, file=file)[1].options.model_dump() == found[1].options.model_dump()


def test_init_replaces_nothing_unless_it_is_told_to(place: Place) -> None:
    arguments = (place.root / "a.duckdb", "--directory", place.root)
    assert place.run("init", *arguments, "--json").worked().json["configuration"] == str(place.root / "duckback.toml")
    place.run("init", *arguments).failed(2, "is there already", "--force")
    place.run("init", *arguments, "--force").worked()
    place.run("init", "--directory", place.root).failed(2)


def test_init_writes_nothing_that_would_be_refused(place: Place) -> None:
    (place.root / "other").mkdir()
    twins = (place.root / "a.duckdb", place.root / "other" / "a.duckdb")
    place.run("init", *twins, "--directory", place.root).failed(2, "two databases are called 'a'")
    assert not (place.root / "duckback.toml").exists()
    place.run("init", twins[0], "--directory", place.root).worked()


def test_init_keeps_secrets_to_the_owner_and_those_of_the_environment_out(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place.root / "duckback.toml"
    file.write_text("")
    file.chmod(0o644)
    monkeypatch.setenv("DUCKBACK_HOOKS_WEBHOOK", "https://hooks.example/of-the-environment")
    monkeypatch.setenv("DUCKBACK_THREADS", "3")
    given = ("--hooks-ping", "https://hc.example/of-a-flag")
    ran = place.run("init", place.root / "a.duckdb", "--directory", place.root, "--force", *given).worked()
    assert "DUCKBACK_HOOKS_WEBHOOK is a secret of the environment" in ran.err
    assert "of-the-environment" not in file.read_text() + ran.err
    assert "of-a-flag" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_init_writes_absolute_paths_because_a_service_runs_elsewhere(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.root)
    place.run("init", "a.duckdb", "--staging-dir", "stage", "--image-dir", "images").worked()
    (found,) = load_all({}, {}, file=place.root / "duckback.toml")
    assert found.options.staging_dir == place.root / "stage"
    assert found.options.image_dir == place.root / "images"
