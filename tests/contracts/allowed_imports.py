"""A contract for import-linter: these modules import what is listed, and nothing else.

import-linter can forbid modules by name; a domain is better described by the little it may use.
"""

from __future__ import annotations

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class AllowedImports(Contract):
    """`source_modules`, with all inside them, may import themselves and `allowed_modules`.

    The standard library is allowed except for `refused_modules` (what talks to the outside).
    """

    # Fields of the contract, lists of names in its instances.
    source_modules: Any = fields.ListField(subfield=fields.StringField())
    allowed_modules: Any = fields.ListField(
        subfield=fields.StringField(), required=False, default=[]
    )
    refused_modules: Any = fields.ListField(
        subfield=fields.StringField(), required=False, default=[]
    )

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every direct import of every module inside the sources."""
        broken = []
        for source in self.source_modules:
            if source not in graph.modules:
                raise ValueError(f"there is no module {source}")
            for module in sorted(graph.find_descendants(source) | {source}):
                broken += [
                    (module, imported, _lines(graph, module, imported))
                    for imported in sorted(graph.find_modules_directly_imported_by(module))
                    if not self._may(imported, source)
                ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Each import that may not be, with its lines."""
        for module, imported, lines in check.metadata["broken"]:
            output.print_error(f"{module} may not import {imported} (l.{lines})")

    def _may(self, imported: str, source: str) -> bool:
        if _inside(imported, [source, *self.allowed_modules]):
            return True
        standard = imported.partition(".")[0] in sys.stdlib_module_names
        return standard and not _inside(imported, self.refused_modules)


def _inside(module: str, packages: list[Any]) -> bool:
    return any(module == p or module.startswith(f"{p}.") for p in packages)


def _lines(graph: ImportGraph, importer: str, imported: str) -> str:
    details = graph.get_import_details(importer=importer, imported=imported)
    return ", ".join(str(d["line_number"]) for d in details)
