"""Runs in the background: an engine process per device trains them, the registry keeps what came out."""
