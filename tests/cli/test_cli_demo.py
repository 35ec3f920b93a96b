"""duckback demo: the whole story on this machine alone."""

from pathlib import Path

from support.place import Place

TABLES = [
    "backup_metadata", "investigation_events", "investigation_notes", "notification_configs",
    "rules", "signals", "tenants", "users",
]  # fmt: skip


def demo(place: Place, *options: str) -> list[str]:
    return ["demo", "--signals", "2000", "--directory", str(place.root / "demo"), *options]


def test_every_table_comes_back_the_same(place: Place) -> None:
    ran = place.spawn(" ".join(demo(place)), repo="s3://not/used").worked()
    assert [line.strip() for line in ran.out.splitlines() if line.endswith(": the same")] == [
        f"main.{table}: the same" for table in TABLES
    ]
    for word in ("backup", "list", "disaster", "restore", "compared", "rows/s", str(place.root / "demo")):
        assert word in ran.out
    assert not (place.state / "ledger.sqlite").exists()


def test_json_has_rates_and_no_difference(place: Place) -> None:
    answer = place.run(" ".join(demo(place, "--json"))).worked().json
    assert answer["schema"] == "duckback.demo/1"
    assert answer["differing_rows"] == {f"main.{table}": 0 for table in TABLES}
    assert answer["rows"] > 2000
    assert Path(answer["directory"]) == place.root / "demo"


def test_it_does_not_write_over_a_database_that_is_there(place: Place) -> None:
    (place.root / "demo").mkdir()
    (place.root / "demo" / "hot.duckdb").write_bytes(b"precious")
    place.run(" ".join(demo(place))).failed(30, "exists already", "--directory")
    assert (place.root / "demo" / "hot.duckdb").read_bytes() == b"precious"
