"""JSON files as this project writes them: keys in the given order, no NaN, the same bytes for the same content."""

import json
import math
from pathlib import Path
from typing import Any

from pipeline_scripts.analysis.job import JobError


def write_json(path: Path, content: Any) -> None:
    """Write `content`; numpy scalars become numbers, and NaN and infinity null, because JSON has neither."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(plain(content), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        JobError: The file is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise JobError(f"{path.name} is missing in {path.parent}; was the step that writes it left out?") from error
    except ValueError as error:
        raise JobError(f"{path} is not JSON: {error}") from error


def plain(value: Any) -> Any:
    """The value as JSON types alone."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
