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
from pipeline_scripts.functions.events import (
    LEAVING,
    MOVE,
    OPTIONAL_TEXT,
    RUN,
    TARGET,
    TEXT,
    TOLD_OF_A_VERSION,
    Schema,
    objects,
    takes,
)
from pipeline_scripts.functions.lineage import Entity, Lineage, Link, action, artifact, open_lineage
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.reconcile_stack import endpoint_to_watch

logger = Logger(service="reconcile_record")

NAMESPACE = "Baton/Serving"
SUBJECTS = {
    "served": "{endpoint} serves version {version}",
    "withdrawn": "{endpoint} was taken out of service",
    "kept": "{endpoint} keeps version {version}, which is no longer approved",
    "quarantined": "{endpoint}: version {version} was refused",
    "unfit": "{endpoint}: {instance_type} was refused for version {version}",
    "failed": "{endpoint}: reconciling failed",
}

ALSO_TOLD: dict[str, tuple[str, ...]] = {
    "served": ("config_name", "instance_type", "chosen"),
    "withdrawn": (),
    "kept": (),
    "quarantined": (),
    "unfit": ("instance_type", "previous_type"),
    "failed": (),
}
"""What a line of the history says beside the run, the reason and the version."""

BESIDE: dict[str, Schema] = {"beside": LEAVING, "beside_sha256": OPTIONAL_TEXT}

EVENT_SCHEMA = {
    "anyOf": [
        objects({"record": {"const": "failed"}, "state": objects({"execution": TEXT})}),
        objects({"record": {"const": "withdrawn"}, "state": objects(RUN, BESIDE)}),
        objects(
            {
                "record": {"enum": ["served", "quarantined", "kept"]},
                "state": objects({**RUN, "target": TARGET}, BESIDE),
            }
        ),
        objects({"record": {"const": "unfit"}, "state": objects({**RUN, **MOVE, "target": TARGET}, BESIDE)}),
    ]
}


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Record `event["record"]` (a key of SUBJECTS) of the run's `event["state"]`."""
    state = record(
        event["record"],
        event["state"],
        ledger=open_ledger(),
        sns=boto3.client("sns"),
        lineage=open_lineage(),
        topic_arn=os.environ["TOPIC_ARN"],
        endpoint_name=os.environ["ENDPOINT_NAME"],
        deployed="endpoint-config" if endpoint_to_watch() else "model",
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
    deployed: str = "endpoint-config",
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
    elif kind == "unfit":
        ledger.refuse_machines(entry)
    elif kind == "kept":
        ledger.keep(entry["at"])
    ledger.remember(entry["at"], generation, entry)
    subject = SUBJECTS[kind].format_map({"version": "", "instance_type": "", **entry, "endpoint": endpoint_name})
    lines = [subject + ".", *(f"{name}: {value}" for name, value in entry.items())]
    sns.publish(TopicArn=topic_arn, Subject=subject[:100], Message="\n".join(lines))
    outcome = _leave(kind, state, ledger=ledger, generation=generation)
    if kind in ("served", "quarantined") and "package_arn" in entry:
        lineage.tell(_links(entry, endpoint_name=endpoint_name, beside=topic_arn, deployed=deployed))
    return {**state, "outcome": outcome}


def _mark(endpoint_name: str, version: str) -> None:
    """Print a metric in CloudWatch's embedded format: the dashboard shows by it when which version came."""
    metrics = EphemeralMetrics(namespace=NAMESPACE, service="")
    metrics.add_dimension("EndpointName", endpoint_name)
    metrics.add_metric("ServedVersion", MetricUnit.NoUnit, int(version))
    metrics.flush_metrics()


def _links(entry: dict[str, str], *, endpoint_name: str, beside: str, deployed: str) -> list[Link]:
    """Who approved a version on which evidence, and where it was brought to serve: where `beside` is.

    The version may lie in another account than the endpoint.
    """
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
        config = words.of_sagemaker(deployed, entry["config_name"], beside=beside)
        deployment = action(
            words.DEPLOYMENT,
            config,
            name=entry["config_name"],
            endpoint=endpoint_name,
            served=entry["at"],
            run=entry["execution"],
        )
        links.append((package, deployment))
        if deployed == "endpoint-config":  # a batch has no endpoint
            endpoint = words.of_sagemaker("endpoint", endpoint_name, beside=beside)
            links.append((deployment, Entity(noun="Context", kind="Endpoint", address=endpoint)))
    return links


def _leave(kind: str, state: dict[str, Any], *, ledger: Ledger, generation: int) -> str:
    if kind in ("quarantined", "unfit"):
        return "again"
    if kind == "failed":
        ledger.abandon(state["execution"])
        return "finished"
    return "finished" if ledger.finish(state["execution"], generation) else "again"


def _entry(kind: str, state: dict[str, Any], *, moment: str) -> dict[str, str]:
    """What is written down and told; what is not known of a version is left out."""
    target = state.get("target") or {}
    told = {_renamed(name): target.get(name, "") for name in TOLD_OF_A_VERSION}
    more = {name: state.get(name, "") for name in ALSO_TOLD[kind]}
    run = {"kind": kind, "at": moment, "reason": _reason(state), "execution": state["execution"]}
    facts = {**run, **told, **more, "beside_sha256": state.get("beside_sha256", "")}
    return {name: value for name, value in facts.items() if value or name in more}


def _reason(state: dict[str, Any]) -> str:
    """Why it came so, and why versions beside it had to go; of a run that failed, the error alone."""
    if "error" in state:
        return caught.sentence(state["error"])
    return "; ".join([state["reason"], *state.get("beside", {}).values()])


def _renamed(name: str) -> str:
    """A version's own execution is that of the pipeline; a line's is that of the workflow."""
    return "pipeline_execution" if name == "execution" else name
