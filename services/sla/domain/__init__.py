"""Decides about promises: pure functions over frozen values, no clock call, no I/O."""
