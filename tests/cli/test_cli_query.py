"""duckback query --metadata; what is asked of a backup itself is in test_cli_query_backup.py."""

from support.place import Place

SQL = "SELECT id, status, backup_size_bytes FROM backup_metadata ORDER BY start_time"


def test_rows_are_a_table_of_text(full: Place) -> None:
    (backup,) = full.backup_ids()
    written = sum(path.stat().st_size for path in full.objects())
    assert full.run("query --metadata", SQL).worked().out == f"{backup}\tcompleted\t{written}\n"


def test_json_has_names_types_and_exact_values(full: Place) -> None:
    shown = full.run(
        "query --metadata",
        "SELECT 1::TINYINT a, 2::BIGINT b, 'nan'::DOUBLE c, 0.5::DOUBLE d, true e, NULL::VARCHAR f, 'ab'::BLOB g, 1.50 h, [1] i",
        "--json",
    )
    assert shown.worked().json == {
        "schema": "duckback.query/1",
        "columns": [
            {"name": name, "type": kind}
            for name, kind in zip(
                "abcdefghi",
                ["TINYINT", "BIGINT", "DOUBLE", "DOUBLE", "BOOLEAN", "VARCHAR", "BLOB", "DECIMAL(3,2)", "INTEGER[]"],
                strict=True,
            )
        ],
        "rows": [[1, "2", "nan", 0.5, True, None, "6162", "1.50", "[1]"]],
    }


def test_a_wrong_query_is_a_wrong_call_and_names_the_columns(full: Place) -> None:
    full.run("query --metadata", "SELECT nothing FROM backup_metadata").failed(2, "nothing", "retention_until")
    full.run("query --metadata", "SELECT error('late') FROM backup_metadata").failed(2, "late")
    full.run("query --metadata", "DROP TABLE backup_metadata").failed(2, "not one SELECT")
    full.run("query --metadata", "SELECT 1; SELECT 2").failed(2, "not one SELECT")
    full.run("query --metadata", "SELEKT 1").failed(2, "SELEKT")


def test_a_query_reads_no_file_and_changes_nothing(full: Place) -> None:
    full.run("query --metadata", "FROM read_csv('/etc/passwd')").failed(2, "disabled")
    full.run("query --metadata", "SET enable_external_access = true").failed(2)
    full.run("query --metadata", SQL).worked()


def test_a_database_by_name(full: Place) -> None:
    full.run("backup", full.database, "--name", "other").worked()
    assert len(full.run("query --metadata", SQL).worked().out.splitlines()) == 2
    assert len(full.run("query --metadata", SQL, "--name", "other").worked().out.splitlines()) == 1
