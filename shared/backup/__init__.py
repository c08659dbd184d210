"""Backups of the services' databases, and putting them back. See the README beside this."""
