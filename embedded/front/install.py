"""Joins the parts: our services in front of ministack, our resource types in its CloudFormation."""

import re
from pathlib import Path

from ministack.services import eventbridge, scheduler, stepfunctions

from embedded.front import (
    complements,
    embedded_metrics,
    functions,
    generated_secrets,
    job_tasks,
    object_encryption,
    prompt_stacks,
)
from embedded.front.alarms import AlarmWatch
from embedded.front.anomaly_detectors import AnomalyDetectors
from embedded.front.clients import Clients, environment
from embedded.front.data_quality import DataQuality
from embedded.front.events import DefaultBus
from embedded.front.extension import add_actions, add_service
from embedded.front.glue_runs import GlueRuns
from embedded.front.other_types import OTHER_TYPES
from embedded.front.provisioning import register
from embedded.front.rotation import SecretRotation
from embedded.front.sagemaker_types import SAGEMAKER_TYPES
from embedded.front.scaler import Scaler
from embedded.front.scaling import ApplicationAutoScaling
from embedded.front.studio_types import STUDIO_TYPES
from embedded.sagemaker.service import SageMaker
from embedded.sagemaker.workshop import Workshop

_VARIANT = re.compile(r"^endpoint/([^/]+)/variant/([^/]+)$")


class FrontDoor:
    """Everything that is added to ministack in this process.

    Args:
        url: Where the process answers.
        access_key: The access key of its own calls.
        account: The account's id.
        region: The one region it stands for.
        folder: Where jobs and endpoints work.
        clock: Whether schedules fire by the clock; otherwise they only exist.
    """

    def __init__(self, *, url: str, access_key: str, account: str, region: str, folder: Path, clock: bool) -> None:
        self._clients = Clients(url=url, access_key=access_key, region=region)
        self._workshop = Workshop(
            client=self._clients,
            environment=environment(url=url, access_key=access_key, region=region),
            folder=folder / "runs",
        )
        events = DefaultBus(account=account, region=region)
        self._scaling = ApplicationAutoScaling(account=account, region=region, exists=self._is_scalable)
        self._sagemaker = SageMaker(
            account=account,
            region=region,
            workshop=self._workshop,
            events=events,
            is_scaled=lambda endpoint, variant: self._scaling.registered(f"endpoint/{endpoint}/variant/{variant}"),
        )
        self._add_services(account, region, events)
        AlarmWatch(events=events).install()
        functions.install()
        embedded_metrics.install()
        job_tasks.install(self._clients)
        generated_secrets.install()
        object_encryption.install()
        prompt_stacks.install()
        complements.register(client=self._clients)
        register((*SAGEMAKER_TYPES, *STUDIO_TYPES, *OTHER_TYPES), client=self._clients)
        self._scaler = Scaler(scaling=self._scaling, client=self._clients, scope=(account, region), clock=clock)
        self._scaler.start()
        if not clock:
            _stop_the_clock()

    def close(self) -> None:
        """Stop what scales, jobs, endpoints and Lambda workers."""
        self._scaler.close()
        self._workshop.close()
        self._sagemaker.close()
        functions.stop_workers()

    def _add_services(self, account: str, region: str, events: DefaultBus) -> None:
        add_service("sagemaker", target_prefix="SageMaker.", respond=self._sagemaker.answer)
        stepfunctions._AWS_SDK_SERVICE_MAP["sagemaker"] = {"target_prefix": "SageMaker", "protocol": "json"}
        stepfunctions._AWS_SDK_ERROR_PREFIX["sagemaker"] = "SageMaker"
        scaling = self._scaling.service()
        add_service(
            "application-autoscaling",
            target_prefix="AnyScaleFrontendService.",
            respond=lambda request, caller: scaling.answer(
                target=request.headers.get("x-amz-target", ""), body=request.body, caller=caller
            ),
        )
        glue = GlueRuns(account=account, region=region, workshop=self._workshop, events=events)
        add_actions("glue", actions=frozenset(glue.actions()), service=glue.service())
        quality = DataQuality(workshop=self._workshop)
        add_actions("glue", actions=frozenset(quality.actions()), service=quality.service())
        detectors = AnomalyDetectors()
        add_actions("monitoring", actions=frozenset(detectors.actions()), service=detectors.service())
        rotation = SecretRotation(account=account, region=region).service()
        add_actions("secretsmanager", actions=frozenset({"RotateSecret", "CancelRotateSecret"}), service=rotation)

    def _is_scalable(self, resource_id: str) -> bool:
        """Whether a resource id names a variant of an endpoint that is there."""
        match = _VARIANT.match(resource_id)
        return match is not None and self._sagemaker.has_variant(*match.groups())


def _stop_the_clock() -> None:
    """Ministack starts both of these when it begins to serve."""
    eventbridge.start_scheduler = _do_not_start
    scheduler.start_scheduler = _do_not_start


def _do_not_start() -> None:
    return None
