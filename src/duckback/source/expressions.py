"""What expressions say, however they are worded."""

import json
import re
from collections.abc import Callable

import duckdb

_PLACES = re.compile(r'"query_location(?:_length)?":\d+')


def parsed_by(con: duckdb.DuckDBPyConnection) -> Callable[[str], str]:
    """How a connection's DuckDB parses the text of an expression, as JSON without the places in that text.

    DuckDB 1.5 words a type in a cast in another way when it has read it from a file than when it has parsed it. The
    text may be of anybody: it is parsed and never run. One that is no expression is given back as it is.
    """

    def parsed(text: str) -> str:
        answer = str(con.execute("SELECT json_serialize_sql(?::VARCHAR)", [f"SELECT {text}"]).fetchall()[0][0])
        return text if json.loads(answer)["error"] else _PLACES.sub("", answer)

    return parsed
