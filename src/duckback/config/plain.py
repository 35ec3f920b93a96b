"""Options as JSON can hold them."""

from typing import Any

from duckback.config.options import Options


def plain(options: Options) -> dict[str, Any]:
    """Every option, nested; what is secret, in clear: for a pipe or a private file, never for a log."""
    values = options.model_dump(mode="json")
    for name in ("webhook", "ping"):
        secret = getattr(options.hooks, name)
        values["hooks"][name] = secret.get_secret_value() if secret is not None else None
    return values
