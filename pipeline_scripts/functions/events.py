"""What a function is called with is checked first: a malformed event changes nothing, and says why."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import fastjsonschema
from aws_lambda_powertools import Logger

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
OPTIONAL_TEXT: Schema = {"type": "string"}
MOMENT: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
S3_URI: Schema = {"type": "string", "pattern": r"^s3://[a-z0-9.-]+/.+$"}
SHA256: Schema = {"type": "string", "pattern": r"^[0-9a-f]{64}$"}


class MalformedEvent(ValueError):
    """The event is not what the function takes; the message says where and why."""


def objects(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Objects with these keys; others are let through, for a workflow's state grows from step to step."""
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


RUN: Mapping[str, Schema] = {"execution": TEXT, "generation": {"type": "integer"}, "deadline": {"type": "integer"}}
"""What every step of a reconciliation after the first finds in the workflow's state."""

MOVE: Mapping[str, Schema] = {
    "instance_type": OPTIONAL_TEXT,
    "previous_type": OPTIONAL_TEXT,
    "proven_before": {"type": "boolean"},
}
"""What the steps that move and prove a version find beside it: the machines to have, those to return to if these are on
trial, and whether the version was proven in this place before."""

VERSION: Schema = {"type": "string", "pattern": "^[0-9]+$"}
TOLD_OF_A_VERSION = (
    "package_arn",
    "version",
    "evidence_uri",
    "artifact_uri",
    "artifact_sha256",
    "evidence_sha256",
    "image",
    "environment_sha256",
    "unsigned",
    "execution",
    "dataset_hash",
    "commit",
    "author",
    "approver",
    "approval_note",
)
TARGET = objects({**dict.fromkeys(TOLD_OF_A_VERSION, OPTIONAL_TEXT), "package_arn": TEXT, "version": VERSION})
"""The version that a reconciliation is about, as the registry tells it; a version of other origin lacks much of it."""

STANDING: Schema = {"type": "object", "additionalProperties": TARGET}
LEAVING: Schema = {"type": "object", "additionalProperties": TEXT}
"""The versions beside it by the parameter that names each: what the registry tells of one, or why one has to go."""


def takes(schema: Schema) -> Callable[[Handler], Handler]:
    """Let a handler be called with events of this JSON schema alone.

    Its caller hears of another by the error: Step Functions catches it, and an asynchronous event goes to the
    dead-letter queue, which rings. It is not logged whole, for it may name a person.

    Raises:
        MalformedEvent: By the handler, before it does anything.
    """
    check = fastjsonschema.compile(dict(schema), use_default=False)

    def decorate(handler: Handler) -> Handler:
        logger = Logger(service=handler.__module__.rpartition(".")[2])

        @wraps(handler)
        def checked(event: dict[str, Any], context: Any) -> dict[str, Any]:
            try:
                check(event)
            except fastjsonschema.JsonSchemaValueException as error:
                reason = f"event{error.name.removeprefix('data')}: {error.message.removeprefix(error.name).strip()}"
                logger.error("malformed", extra={"reason": reason})
                raise MalformedEvent(reason) from error
            return handler(event, context)

        return checked

    return decorate
