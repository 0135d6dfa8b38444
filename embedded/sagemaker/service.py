"""SageMaker as one service: the control plane and two runtime APIs behind one signing name."""

from collections.abc import Callable

from embedded.front.api import Answer, Caller, HttpRequest, ModelledService
from embedded.front.events import EventSink
from embedded.sagemaker.endpoints import Endpoints
from embedded.sagemaker.feature_groups import FeatureGroups
from embedded.sagemaker.feature_records import FeatureRecords
from embedded.sagemaker.feature_store import FeatureStore
from embedded.sagemaker.jobs import PROCESSING, TRAINING, TRANSFORM, Jobs
from embedded.sagemaker.lineage_entities import LineageEntities
from embedded.sagemaker.lineage_graph import LineageGraph
from embedded.sagemaker.lineage_records import LineageRecords
from embedded.sagemaker.packages import ModelPackages
from embedded.sagemaker.pipeline_events import PipelineEvents
from embedded.sagemaker.pipelines import Pipelines
from embedded.sagemaker.plain import PlainResources
from embedded.sagemaker.runtime import Runtime
from embedded.sagemaker.schedules import MonitoringSchedules
from embedded.sagemaker.store import Store
from embedded.sagemaker.studio import Studio
from embedded.sagemaker.tagging import Tagging
from embedded.sagemaker.tuning import TuningJobs
from embedded.sagemaker.workshop import Workshop


class SageMaker:
    """Everything of SageMaker that the platform uses.

    Args:
        account: The account's id.
        region: The region's name.
        workshop: Where started work goes on.
        events: Where changes are reported.
        is_scaled: Whether an endpoint's variant is a registered scalable target.
    """

    def __init__(
        self,
        *,
        account: str,
        region: str,
        workshop: Workshop,
        events: EventSink,
        is_scaled: Callable[[str, str], bool],
    ) -> None:
        store = Store(account=account, region=region)
        lineage = LineageRecords(store=store)
        self._endpoints = Endpoints(store=store, workshop=workshop, events=events, lineage=lineage, is_scaled=is_scaled)
        self._runtime = Runtime(endpoints=self._endpoints, account=account)
        self._feature_store = FeatureStore(client=workshop.client)
        self._feature_records = FeatureRecords(store=self._feature_store)
        training = Jobs(kind=TRAINING, store=store, workshop=workshop, events=events, lineage=lineage)
        parts = (
            PlainResources(store=store),
            ModelPackages(store=store, events=events, lineage=lineage),
            Jobs(kind=PROCESSING, store=store, workshop=workshop, events=events, lineage=lineage),
            Jobs(kind=TRANSFORM, store=store, workshop=workshop, events=events, lineage=lineage),
            training,
            TuningJobs(store=store, workshop=workshop, events=events, training=training),
            Pipelines(store=store, workshop=workshop, events=PipelineEvents(events=events)),
            self._endpoints,
            MonitoringSchedules(store=store),
            FeatureGroups(store=store, features=self._feature_store, client=workshop.client),
            LineageEntities(store=store),
            LineageGraph(store=store),
            Studio(store=store),
            Tagging(store=store),
        )
        actions = {action: handler for part in parts for action, handler in part.actions().items()}
        self._control_plane = ModelledService(name="sagemaker", actions=actions)

    def answer(self, request: HttpRequest, caller: Caller) -> Answer:
        """Answer one HTTP request of any of the three APIs."""
        if self._runtime.claims(request.path):
            return self._runtime.answer(path=request.path, headers=request.headers, body=request.body)
        if self._feature_records.claims(request.path):
            return self._feature_records.answer(request)
        target = request.headers.get("x-amz-target", "")
        return self._control_plane.answer(target=target, body=request.body, caller=caller)

    def has_variant(self, endpoint: str, variant: str) -> bool:
        """Whether an endpoint is there and has a variant of this name."""
        return variant in self._endpoints.variants(endpoint)

    def close(self) -> None:
        """Stop the endpoints' hosts, and what writes the offline stores."""
        self._feature_store.close()
        self._endpoints.close()
