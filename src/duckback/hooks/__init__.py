"""Hooks: commands and web addresses that are told when a route begins, and how it ends."""

from duckback.hooks.hooks import Hooks, failures
from duckback.hooks.telling import Telling, has_been_told, is_good, run_id_of, stopped, words
from duckback.hooks.told import Told

__all__ = ["Hooks", "Telling", "Told", "failures", "has_been_told", "is_good", "run_id_of", "stopped", "words"]
