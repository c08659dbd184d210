"""PostgreSQL: one database per service, opened the same way everywhere."""

from shared.db.address import Address, parse_address
from shared.db.engine import create_engine, database_name, service_address
from shared.db.errors import DatabaseNotReady
from shared.db.tables import document, moment, own_registry, table_of

__all__ = [
    "Address",
    "DatabaseNotReady",
    "create_engine",
    "database_name",
    "document",
    "moment",
    "own_registry",
    "parse_address",
    "service_address",
    "table_of",
]
