"""How many ways the roles of the templates leave to approve one's own model, and how many cells were asked."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measurement import Measurement, timed
from tests.conftest import read_assembly
from tests.infrastructure.template_roles import Templates
from tests.infrastructure.truth_table import by_name, evaluate, self_approval_paths

COMMAND = "python -m benchmarks self_approval"


def measure() -> Iterator[Measurement]:
    """Synthesise the development environment, ask the evaluator for every cell, and count."""
    with tempfile.TemporaryDirectory() as folder:
        timed(
            [sys.executable, "app.py"],
            {"CDK_CONTEXT_JSON": '{"environment": "dev"}', "CDK_OUTDIR": folder, "CDK_VALIDATION": "false"},
        )
        templates = Templates(read_assembly(Path(folder)).templates["dev"])
    roles = by_name(list(templates.roles()))
    table = evaluate(roles, templates)
    paths = self_approval_paths(table)
    yield Measurement(
        name="self_approval_paths", value=len(paths), unit="paths", command=COMMAND, detail={"paths": paths}
    )
    yield Measurement(
        name="truth_table_cells",
        value=sum(len(row) for row in table.values()),
        unit="cells",
        command=COMMAND,
        detail={"roles": len(table)},
    )
