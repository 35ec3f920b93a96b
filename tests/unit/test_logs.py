"""Log lines: one run's id on each, and no secret in any."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from support.place import Place

from duckback import logs

PLANTED = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYplanted",
    "AWS_SESSION_TOKEN": "FwoGZXIvYXdzEPlanted//////////",
    "DATABASE_PASSWORD": "correct horse battery planted",
    "DUCKBACK_HOOKS_PING": "https://hc.example/planted-uuid",
}


@pytest.fixture(autouse=True)
def _silent_again() -> Iterator[None]:
    yield
    logging.getLogger("duckback").handlers.clear()


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    return PLANTED


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_planted_secrets_are_in_no_line(log_format: logs.LogFormat, planted: dict[str, str]) -> None:
    out = io.StringIO()
    logs.log_to(out, log_format=log_format)
    logs.conceal("told-by-hand-planted")
    log = logs.logger()
    for value in planted.values():
        message = f"a message with {value} in it"
        log.info(message, field=value, deep={"list": [{"x": value}], "error": OSError(value)})
    log.info("told-by-hand-planted")
    log.info("urls", a="https://user:planted@host/x", b="s3://b?X-Amz-Signature=planted&x=1", c="token=planted")
    log.info("header", h="Authorization: Bearer planted")
    log.error("it failed", exc_info=ValueError(f"password = {planted['DATABASE_PASSWORD']}"))
    logging.getLogger("duckback.other").warning("of a child: %s", planted["AWS_SESSION_TOKEN"])
    text = out.getvalue()
    assert text.count("[redacted]") > 15
    assert "planted" not in text
    assert "it failed" in text


def test_json_lines_carry_level_time_and_what_was_said() -> None:
    out = io.StringIO()
    logs.log_to(out, log_format="json")
    logs.logger().warning("something", count=3, ratio=0.5, flag=True, nothing=None)
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["count"], line["ratio"]) == ("something", "warning", 3, 0.5)
    assert (line["flag"], line["nothing"]) == (True, None)
    assert line["timestamp"].endswith("Z")


def test_lines_below_the_level_are_not_written_and_a_second_call_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.log_to(first, level=logging.DEBUG)
    logs.log_to(second, level=logging.WARNING)
    logs.logger().info("quiet")
    logs.logger().warning("loud")
    assert first.getvalue() == ""
    assert "loud" in second.getvalue()
    assert "quiet" not in second.getvalue()


def test_short_values_of_secret_variables_are_left_alone() -> None:
    assert logs.redacted("a key of 12 and no more", {"API_KEY": "12"}) == "a key of 12 and no more"
    assert logs.redacted("path=/home/me", {"HOME": "/home/me"}) == "path=/home/me"


def test_every_line_of_a_run_has_its_id(place: Place) -> None:
    ran = place.run("backup", place.database, "-v", "--log-format", "json").worked()
    lines = [json.loads(line) for line in ran.err.splitlines() if line.startswith("{")]
    assert len(lines) > 10
    assert len({line["run_id"] for line in lines}) == 1
    assert {line["database"] for line in lines} == {"small"}
    assert {line["route"] for line in lines} == {"duckdb-full-export"}
