"""The version that a new one has to measure up to: the highest that a compliance officer approved."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from pipeline_scripts.functions.events import S3_URI, objects, takes
from pipeline_scripts.functions.reconcile_choose import desired_version

logger = Logger(service="find_champion")

NONE = "0"
"""The number of a champion that does not exist."""


EVENT_SCHEMA = objects({"challenger_uri": S3_URI})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Answer the champion's number, artefact and registered hash; the challenger's artefact comes with the event."""
    answer = find_champion(event, sagemaker=boto3.client("sagemaker"), group=os.environ["MODEL_PACKAGE_GROUP"])
    logger.info("found", extra={"champion": answer})
    return answer


def find_champion(event: dict[str, Any], *, sagemaker: Any, group: str) -> dict[str, str]:
    """Look the champion up while the pipeline runs, for a version may have been decided on since it began.

    A job cannot have an input that does not exist, so where there is no champion, the challenger stands in with the
    number 0.
    """
    champion = desired_version(sagemaker, group=group, quarantined=set())
    if champion is None:
        return {"version": NONE, "artifact_uri": str(event["challenger_uri"]), "artifact_sha256": "none"}
    return {
        "version": champion["version"],
        "artifact_uri": champion["artifact_uri"],
        "artifact_sha256": champion["artifact_sha256"] or "none",
    }
