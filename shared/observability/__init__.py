"""Logs, metrics and health: how the system says how it is."""
