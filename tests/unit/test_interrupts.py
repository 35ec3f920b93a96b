"""An interrupt stays one, whatever error a library makes of it."""

import subprocess
import sys
import textwrap

IN_A_SERIALIZER = """
    import os, signal, sys
    from dataclasses import replace
    from pydantic import BaseModel, field_serializer
    from duckback import interrupts
    from duckback.routes.engine import run
    from duckback.routes.exchange import Exchange
    from duckback.routes.route import Route
    from datetime import UTC, datetime

    class Interrupted(BaseModel):
        number: int

        @field_serializer("number")
        def _write(self, number):
            os.kill(os.getpid(), getattr(signal, sys.argv[1]))

    class Writes:
        name = "writes"

        def process(self, exchange):
            Interrupted(number=1).model_dump_json()
            return exchange

    class Tells:
        name = "tells"

        def process(self, exchange):
            print(exchange.error_message, flush=True)
            return exchange

    interrupts.answer()
    route = Route(name="r", on_start=(), processors=("writes",), on_completion=("tells",))
    try:
        run(route, Exchange(database="a", start_time=datetime.now(UTC)), {"writes": Writes(), "tells": Tells()})
    except KeyboardInterrupt as error:
        print("interrupted, from", type(error.__cause__).__name__)
"""


def told(sent: str) -> list[str]:
    command = [sys.executable, "-c", textwrap.dedent(IN_A_SERIALIZER), sent]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_an_interrupt_inside_a_serializer_is_recorded_and_raised_as_an_interrupt() -> None:
    for sent in ("SIGINT", "SIGTERM"):
        assert told(sent) == ["KeyboardInterrupt", "interrupted, from PydanticSerializationError"]
