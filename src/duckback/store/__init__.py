"""Bytes under keys: what a store promises, and the drivers that keep it."""
