"""PostgreSQL: one database per service, opened the same way everywhere."""

from shared.db.engine import DatabaseNotReady, create_engine, database_name, database_url
from shared.db.tables import document, moment, registry_for

__all__ = [
    "DatabaseNotReady",
    "create_engine",
    "database_name",
    "database_url",
    "document",
    "moment",
    "registry_for",
]
