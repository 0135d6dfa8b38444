"""Lambda as the platform's handlers expect it: an error keeps its type, and workers stay inside the state folder."""

import threading
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

_SENT = '"error": str(e), "trace": traceback.format_exc()'
_TYPED = f'{_SENT}, "error_type": type(e).__name__'
_LAST = threading.local()


def install() -> None:
    """Let an error in a handler be named by its class, as Lambda names it; Step Functions catches by that name."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if _SENT not in script:
        raise RuntimeError(
            "ministack's Lambda worker has changed: embedded/front/functions.py no longer fits its version"
        )
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_SENT, _TYPED)
    _remember_error_types()
    _report_error_types()


def _remember_error_types() -> None:
    invoke = lambda_runtime.Worker.invoke

    def remembering(self: Any, *arguments: Any, **named: Any) -> Any:
        result = invoke(self, *arguments, **named)
        _LAST.error_type = result.get("error_type")
        return result

    lambda_runtime.Worker.invoke = remembering


def _report_error_types() -> None:
    """The invocation and its report run on one thread, one after the other."""
    execute = lambda_svc._execute_function_warm

    def typed(*arguments: Any, **named: Any) -> Any:
        _LAST.error_type = None
        result = execute(*arguments, **named)
        if result.get("error") and _LAST.error_type:
            result["body"]["errorType"] = _LAST.error_type
        return result

    lambda_svc._execute_function_warm = typed


def stop_workers() -> None:
    """End all worker processes."""
    lambda_runtime.reset()
