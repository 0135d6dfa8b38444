"""Starts a training: when a person asks, or when an alarm says that the served model no longer fits the world."""

import hashlib
import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions import lineage_words as words
from pipeline_scripts.functions.dataset_pointer import NoDataset, current_dataset
from pipeline_scripts.functions.lineage import Lineage, action, artifact, open_lineage
from pipeline_scripts.functions.training_brake import Brake

logger = Logger(service="start_training")

MANUAL = "manual"
"""The reason of a start that a person asked for; the brake never holds a person back."""

METADATA_CHARACTERS = "_.:/=+-@"
"""What a model package's metadata may hold besides letters, digits and spaces; the registry refuses everything else."""

METADATA_LENGTH = 256

DATASET_FACTS = ("dataset_uri", "dataset_hash")
"""What a training is told of its data set."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A wish for a training. Two requests with one `token` are the same wish, told twice.

    A wish that is `lasting` was given its token by whoever asks, and is granted once for all time: the data set may lie
    elsewhere when it is told again, and SageMaker compares all parameters. `alarm` is the ARN of the alarm that wishes.
    """

    reason: str
    author: str | None
    token: str
    lasting: bool = False
    alarm: str = ""

    @property
    def manual(self) -> bool:
        """Whether a person asked."""
        return self.reason == MANUAL


@dataclass(frozen=True, kw_only=True)
class Training:
    """What there is to start, and where its data lies."""

    pipeline: str
    model: str
    bucket: str
    table: str
    cooldown_hours: int
    max_per_week: int


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Start the pipeline on the current dataset, or say why not."""
    training = Training(
        pipeline=os.environ["PIPELINE_NAME"],
        model=os.environ["MODEL_NAME"],
        bucket=os.environ["CURATED_BUCKET"],
        table=os.environ["STARTS_TABLE"],
        cooldown_hours=int(os.environ["COOLDOWN_HOURS"]),
        max_per_week=int(os.environ["MAX_PER_WEEK"]),
    )
    answer = answer_to(
        event,
        request_id=context.aws_request_id,
        training=training,
        s3=boto3.client("s3"),
        dynamodb=boto3.client("dynamodb"),
        sagemaker=boto3.client("sagemaker"),
        lineage=open_lineage(),
        clock=lambda: datetime.now(timezone.utc).timestamp(),
    )
    logger.info("training", extra={"model": training.model, **answer})
    return answer


def answer_to(
    event: Any,
    *,
    request_id: str,
    training: Training,
    s3: Any,
    dynamodb: Any,
    sagemaker: Any,
    lineage: Lineage,
    clock: Callable[[], float],
) -> dict[str, Any]:
    """Start the pipeline for `event`, unless it asks for nothing, there is no dataset, or the brake holds.

    Args:
        event: `{"reason", "author"?, "token"?}`, or a CloudWatch Alarm State Change. Events with one `token` are one
            wish, whoever repeats it.
        request_id: Names a direct call, so that its retries start nothing twice.
        training: What to start.
        s3: Reads the pointer to the current dataset.
        dynamodb: Holds the brake and the record of starts.
        sagemaker: Starts the pipeline.
        lineage: Is told the cause.
        clock: Seconds since the epoch.
    """
    request = read_request(event, request_id=request_id)
    if isinstance(request, str):
        return {"started": False, "why": request}
    try:
        dataset = current_dataset(s3, bucket=training.bucket, model=training.model, facts=DATASET_FACTS)
    except NoDataset as absent:
        return {"started": False, "why": str(absent)}
    brake = Brake(client=dynamodb, table=training.table, model=training.model, clock=clock)
    earlier = brake.granted(request.token) if request.lasting else None
    if earlier is not None:
        return {"started": True, "execution_arn": earlier, "why": f"{request.reason}; this wish was granted before"}
    if not request.manual:
        refusal = brake.take(request.token, cooldown_hours=training.cooldown_hours, max_per_week=training.max_per_week)
        if refusal is not None:
            return {"started": False, "why": refusal}
    arn = _start(sagemaker, training, request, dataset, brake)
    if request.lasting:
        brake.grant(request.token, arn)
    brake.record(
        request.token,
        {"reason": request.reason, "author": request.author or "none", "execution_arn": arn, **dataset},
    )
    _tell(lineage, arn, request, dataset)
    return {"started": True, "execution_arn": arn, "why": request.reason}


def _tell(lineage: Lineage, arn: str, request: Request, dataset: dict[str, str]) -> None:
    execution = action(words.EXECUTION, arn, name=arn, reason=request.reason, author=request.author or "")
    data = artifact(words.DATASET, words.dataset_address(dataset["dataset_uri"]), name=dataset["dataset_hash"])
    links = [(data, execution)]
    if request.alarm:
        links.append((artifact(words.ALARM, request.alarm, name=request.alarm.rpartition(":")[2]), execution))
    lineage.tell(links)


def read_request(event: Any, *, request_id: str) -> Request | str:
    """What the event asks for, or why it asks for nothing."""
    if not isinstance(event, dict):
        return f"an event must be an object, got {type(event).__name__}"
    if event.get("detail-type") == "CloudWatch Alarm State Change":
        return _alarm_request(event)
    reason, author, token = event.get("reason"), event.get("author"), event.get("token", request_id)
    if not isinstance(reason, str) or not reason.strip():
        return "the event has no reason and is no alarm, so it asks for nothing"
    if author is not None and not isinstance(author, str):
        return f"author must be a text, got {type(author).__name__}"
    if not isinstance(token, str) or not token:
        return f"token must be a text, got {token!r}"
    return Request(
        reason=_as_metadata(reason),
        author=_as_metadata(author) if author else None,
        token=_token(token),
        lasting="token" in event,
    )


def _alarm_request(event: dict[str, Any]) -> Request | str:
    detail = event.get("detail")
    state = detail.get("state") if isinstance(detail, dict) else None
    if not isinstance(detail, dict) or not isinstance(state, dict) or not isinstance(event.get("id"), str):
        return "the alarm's event lacks its id, its detail or its state"
    name = str(detail.get("alarmName"))
    if state.get("value") != "ALARM":
        return f"alarm {name} is {state.get('value')}, so there is nothing to mend"
    named = event.get("resources")
    alarm = str(named[0]) if isinstance(named, list) and named else ""
    return Request(reason=_as_metadata(f"alarm: {name}"), author=None, token=_token(event["id"]), alarm=alarm)


def _start(sagemaker: Any, training: Training, request: Request, dataset: dict[str, str], brake: Brake) -> str:
    values = {
        "DatasetUri": dataset["dataset_uri"],
        "DatasetHash": dataset["dataset_hash"],
        "Reason": request.reason,
        **({"Author": request.author} if request.author else {}),
    }
    try:
        response = sagemaker.start_pipeline_execution(
            PipelineName=training.pipeline,
            PipelineExecutionDescription=request.reason,
            PipelineParameters=[{"Name": name, "Value": value} for name, value in values.items()],
            ClientRequestToken=request.token,
        )
    except ClientError as error:
        # A fault of the service may have started it; the retry of this event, with the same token, will tell.
        if not request.manual and error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
            brake.release(request.token)
        raise
    return str(response["PipelineExecutionArn"])


def _token(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()


def _as_metadata(text: str) -> str:
    """The text as the registry accepts it, which refuses a version for one bracket in its reason."""
    allowed = (
        character if character in METADATA_CHARACTERS or unicodedata.category(character)[0] in "LNZ" else "-"
        for character in text.strip()
    )
    return "".join(allowed)[:METADATA_LENGTH].strip() or "none"
