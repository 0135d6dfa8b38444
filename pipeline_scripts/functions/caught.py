"""What Step Functions caught, in words."""

import json
from collections.abc import Mapping
from typing import Any


def sentence(caught: Mapping[str, Any]) -> str:
    """A caught error as `type: message`.

    The cause of a function's error is JSON with a stack trace, which the log has; that of a Glue job is the job's run.
    """
    cause = str(caught.get("Cause", ""))
    try:
        told = json.loads(cause)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return f"{caught['Error']}: {cause}"
    if "JobRunState" in told:
        return f"job run {told.get('Id')} ended {told['JobRunState']}: {told.get('ErrorMessage') or 'no reason given'}"
    return f"{caught['Error']}: {told.get('errorMessage', cause)}"
