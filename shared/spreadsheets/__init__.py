"""Tables as people keep them: CSV and XLSX, in and out, a row at a time."""

from shared.spreadsheets.reading import Table, UnreadableTable, open_table
from shared.spreadsheets.writing import (
    MEDIA_TYPES,
    Cell,
    CsvWriter,
    TableWriter,
    XlsxWriter,
    writer_for,
)

__all__ = [
    "MEDIA_TYPES",
    "Cell",
    "CsvWriter",
    "Table",
    "TableWriter",
    "UnreadableTable",
    "XlsxWriter",
    "open_table",
    "writer_for",
]
