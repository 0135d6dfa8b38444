"""Runs a notebook of ours in a kernel of its own, and notes what it asks of AWS."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient

# What stands before the notebook's own cells: every call of every client is written down, as IAM names the service.
LISTEN = """
import botocore.client as _client
_call = _client.BaseClient._make_api_call
def _noted(self, operation, arguments):
    with open({path!r}, "a") as file:
        file.write(f"{{self.meta.service_model.signing_name}}:{{operation}}\\n")
    return _call(self, operation, arguments)
_client.BaseClient._make_api_call = _noted
"""


class Performed:
    """A notebook after it ran: the last result of each cell, and the calls it made."""

    def __init__(self, notebook: Any, calls: set[str]) -> None:
        self._cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        self.calls = calls

    def shown(self, after: str) -> str:
        """What the cell whose source holds `after` showed, as text."""
        [cell] = [cell for cell in self._cells if after in cell.source]
        return "\n".join(output.data["text/plain"] for output in cell.outputs if output.output_type == "execute_result")


def perform(
    path: Path, folder: Path, *, environment: Mapping[str, str], parameters: Mapping[str, object], seconds: int
) -> Performed:
    """Run a notebook's cells in order.

    Args:
        path: The notebook; it is not changed.
        folder: Where the kernel works.
        environment: AWS variables of the kernel.
        parameters: Replace values that the first code cell gives.
        seconds: How long one cell may take.

    Raises:
        CellExecutionError: A cell raised.
        CellTimeoutError: A cell took too long.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    calls = folder / "calls.txt"
    first = next(number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    overridden = "\n".join(f"{name} = {json.dumps(value)}" for name, value in parameters.items())
    listening = nbformat.v4.new_code_cell(overridden + LISTEN.format(path=str(calls)))  # type: ignore[no-untyped-call]
    notebook.cells.insert(first + 1, listening)
    with patch.dict(os.environ, environment):
        NotebookClient(notebook, timeout=seconds, resources={"metadata": {"path": str(folder)}}).execute()
    return Performed(notebook, set(calls.read_text(encoding="utf-8").split()))
