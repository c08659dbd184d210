"""Logs, metrics and health: how the house says how it is."""
