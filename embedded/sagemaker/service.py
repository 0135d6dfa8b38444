"""SageMaker as one service: the control plane and the runtime API behind one signing name."""

from collections.abc import Mapping

from embedded.front.api import Answer, Caller, ModelledService
from embedded.front.events import EventSink
from embedded.sagemaker.endpoints import Endpoints
from embedded.sagemaker.jobs import PROCESSING, TRAINING, Jobs
from embedded.sagemaker.packages import ModelPackages
from embedded.sagemaker.pipeline_events import PipelineEvents
from embedded.sagemaker.pipelines import Pipelines
from embedded.sagemaker.plain import PlainResources
from embedded.sagemaker.runtime import Runtime
from embedded.sagemaker.schedules import MonitoringSchedules
from embedded.sagemaker.store import Store
from embedded.sagemaker.tagging import Tagging
from embedded.sagemaker.workshop import Workshop


class SageMaker:
    """Everything of SageMaker that the platform uses."""

    def __init__(self, *, account: str, region: str, workshop: Workshop, events: EventSink) -> None:
        store = Store(account=account, region=region)
        self._endpoints = Endpoints(store=store, workshop=workshop, events=events)
        self._runtime = Runtime(endpoints=self._endpoints, account=account)
        parts = (
            PlainResources(store=store),
            ModelPackages(store=store, events=events),
            Jobs(kind=PROCESSING, store=store, workshop=workshop, events=events),
            Jobs(kind=TRAINING, store=store, workshop=workshop, events=events),
            Pipelines(store=store, workshop=workshop, events=PipelineEvents(events=events)),
            self._endpoints,
            MonitoringSchedules(store=store),
            Tagging(store=store),
        )
        actions = {action: handler for part in parts for action, handler in part.actions().items()}
        self._control_plane = ModelledService(name="sagemaker", actions=actions)

    def answer(self, *, path: str, headers: Mapping[str, str], body: bytes, caller: Caller) -> Answer:
        """Answer one HTTP request of either API."""
        if self._runtime.claims(path):
            return self._runtime.answer(path=path, headers=headers, body=body)
        return self._control_plane.answer(target=headers.get("x-amz-target", ""), body=body, caller=caller)

    def has_variant(self, endpoint: str, variant: str) -> bool:
        """Whether an endpoint is there and has a variant of this name."""
        return variant in self._endpoints.variants(endpoint)

    def close(self) -> None:
        """Stop the endpoints' hosts."""
        self._endpoints.close()
