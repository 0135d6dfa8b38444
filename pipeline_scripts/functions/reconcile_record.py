"""Last step of every branch: write down what happened, tell the people, and give the endpoint's lock back."""

import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from pipeline_scripts.functions import caught
from pipeline_scripts.functions import lineage_words as words
from pipeline_scripts.functions.events import RUN, TARGET, TEXT, objects, takes
from pipeline_scripts.functions.lineage import Entity, Lineage, Link, action, artifact, open_lineage
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger

logger = Logger(service="reconcile_record")

NAMESPACE = "Baton/Serving"
SUBJECTS = {
    "served": "{endpoint} serves version {version}",
    "withdrawn": "{endpoint} was taken out of service",
    "quarantined": "{endpoint}: version {version} was refused",
    "failed": "{endpoint}: reconciling failed",
}


EVENT_SCHEMA = {
    "anyOf": [
        objects({"record": {"const": "failed"}, "state": objects({"execution": TEXT})}),
        objects({"record": {"const": "withdrawn"}, "state": objects(RUN)}),
        objects({"record": {"enum": ["served", "quarantined"]}, "state": objects({**RUN, "target": TARGET})}),
    ]
}


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Record `event["record"]` (served, withdrawn, quarantined or failed) of the run's `event["state"]`."""
    state = record(
        event["record"],
        event["state"],
        ledger=open_ledger(),
        sns=boto3.client("sns"),
        lineage=open_lineage(),
        topic_arn=os.environ["TOPIC_ARN"],
        endpoint_name=os.environ["ENDPOINT_NAME"],
        clock=time.time,
    )
    logger.info("recorded", extra={"record": event["record"], "outcome": state["outcome"]})
    return state


def record(
    kind: str,
    state: dict[str, Any],
    *,
    ledger: Ledger,
    sns: Any,
    lineage: Lineage,
    topic_arn: str,
    endpoint_name: str,
    clock: Callable[[], float],
) -> dict[str, Any]:
    """Keep the outcome, notify, and answer whether the run is `finished` or must choose `again`.

    Raises:
        LeaseLost: Another run has taken over, so that what this one found may no longer be true.
    """
    entry = _entry(kind, state, moment=datetime.fromtimestamp(clock(), timezone.utc).isoformat(timespec="seconds"))
    generation = int(state.get("generation", 0))
    if kind != "failed":
        ledger.confirm(state["execution"], generation)
    if kind == "served":
        ledger.serve(entry)
        _mark(endpoint_name, entry["version"])
    elif kind == "withdrawn":
        ledger.withdraw()
    elif kind == "quarantined":
        ledger.quarantine(entry["version"], entry)
    ledger.remember(entry["at"], generation, entry)
    subject = SUBJECTS[kind].format(endpoint=endpoint_name, version=entry.get("version", ""))
    lines = [subject + ".", *(f"{name}: {value}" for name, value in entry.items())]
    sns.publish(TopicArn=topic_arn, Subject=subject[:100], Message="\n".join(lines))
    outcome = _leave(kind, state, ledger=ledger, generation=generation)
    if kind in ("served", "quarantined") and "package_arn" in entry:
        lineage.tell(_links(entry, endpoint_name=endpoint_name))
    return {**state, "outcome": outcome}


def _mark(endpoint_name: str, version: str) -> None:
    """Print a metric in CloudWatch's embedded format: the dashboard shows by it when which version came."""
    metrics = EphemeralMetrics(namespace=NAMESPACE, service="")
    metrics.add_dimension("EndpointName", endpoint_name)
    metrics.add_metric("ServedVersion", MetricUnit.NoUnit, int(version))
    metrics.flush_metrics()


def _links(entry: dict[str, str], *, endpoint_name: str) -> list[Link]:
    """Who approved a version on which evidence, and where it was brought to serve."""
    package_arn = entry["package_arn"]
    package = artifact("ModelPackage", package_arn)
    links: list[Link] = []
    if "approver" in entry:
        note = entry.get("approval_note", "")
        approval = action(words.APPROVAL, package_arn, name=entry["approver"], comment=note)
        links.append((approval, package))
        if "evidence_uri" in entry:
            address = words.evidence_address(entry["evidence_uri"])
            links.append((artifact(words.EVIDENCE, address, name=entry["evidence_uri"]), approval))
    if entry["kind"] == "served":
        config = words.of_sagemaker("endpoint-config", entry["config_name"], package_arn=package_arn)
        deployment = action(
            words.DEPLOYMENT,
            config,
            name=entry["config_name"],
            endpoint=endpoint_name,
            served=entry["at"],
            run=entry["execution"],
        )
        endpoint = words.of_sagemaker("endpoint", endpoint_name, package_arn=package_arn)
        links += [(package, deployment), (deployment, Entity(noun="Context", kind="Endpoint", address=endpoint))]
    return links


def _leave(kind: str, state: dict[str, Any], *, ledger: Ledger, generation: int) -> str:
    if kind == "quarantined":
        return "again"
    if kind == "failed":
        ledger.abandon(state["execution"])
        return "finished"
    return "finished" if ledger.finish(state["execution"], generation) else "again"


def _entry(kind: str, state: dict[str, Any], *, moment: str) -> dict[str, str]:
    reason = caught.sentence(state["error"]) if "error" in state else state["reason"]
    facts = {"kind": kind, "at": moment, "reason": reason, "execution": state["execution"]}
    target = state.get("target") or {}
    wanted = ("package_arn", "version", "evidence_uri", "commit", "approver", "approval_note")
    facts |= {name: target[name] for name in wanted if target.get(name)}
    if kind == "served":
        facts["config_name"] = state["config_name"]
    return facts
