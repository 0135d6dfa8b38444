"""From what a model's file says to what serves it."""

from dataclasses import dataclass
from typing import assert_never

import aws_cdk as cdk
from constructs import Construct

from baton.platform import Platform
from baton.serving.approved_model import ENDPOINT_LOGS, ApprovedModel
from baton.serving.asynchronous_endpoint import AsynchronousEndpoint
from baton.serving.backlog_scaling import BacklogScaling
from baton.serving.batch_transform import TRANSFORM_LOGS, BatchTransform
from baton.serving.deployment import GuardedDeployment
from baton.serving.endpoint import endpoint_name_of
from baton.serving.fleet import Fleet
from baton.serving.kind import ServingKind
from baton.serving.online_explainer import OnlineExplainer
from baton.serving.realtime_endpoint import RealtimeEndpoint
from baton.serving.scaling import TrafficScaling
from baton.serving.second_variant import SecondVariant
from baton.serving.served_version import ServedVersion
from baton.serving.serverless_endpoint import ServerlessEndpoint
from baton.specification.capacity import ServingCapacity
from baton.specification.model import ModelSpecification
from baton.specification.serving import AsynchronousServing, BatchServing, RealtimeServing, ServerlessServing


@dataclass(frozen=True, kw_only=True)
class Serving:
    """Makes the parts of the kind that the model's file names, directly in the serving stack.

    They stand there, and not below one construct, because their ids are what deployed stacks know them by.

    Args:
        stack: Where they belong.
        platform: The environment's foundation.
        specification: The model.
        capacity: How many instances are paid for.
        version: Which version is served.
        poll: How long a workflow of it waits before it looks again.
    """

    stack: Construct
    platform: Platform
    specification: ModelSpecification
    capacity: ServingCapacity
    version: ServedVersion
    poll: cdk.Duration

    def make(self) -> ServingKind:
        """The model, what serves it, and what scales that."""
        serving = self.specification.serving
        match serving:
            case RealtimeServing():
                return self._realtime(serving)
            case AsynchronousServing():
                return self._asynchronous(serving)
            case ServerlessServing():
                return self._serverless(serving)
            case BatchServing():
                return self._batch(serving)
        assert_never(serving)

    def _realtime(self, serving: RealtimeServing) -> RealtimeEndpoint:
        fleet, model = self._fleet(serving.instance_type), self._model()
        endpoint = RealtimeEndpoint(
            self.stack,
            "Endpoint",
            platform=self.platform,
            specification=self.specification,
            serving=serving,
            model=model,
            version=self.version,
            fleet=fleet,
            deployment=GuardedDeployment(rollout=serving.deployment.on(self.capacity)),
            second=self._second(serving, model),
            explainer=self._explainer(serving, model),
        )
        TrafficScaling(
            self.stack,
            "Scaling",
            endpoint=endpoint,
            fleet=fleet,
            capacity=self.capacity,
            scaling=serving.scaling,
            invocations_per_instance=serving.invocations_per_instance,
        )
        return endpoint

    def _asynchronous(self, serving: AsynchronousServing) -> AsynchronousEndpoint:
        fleet = self._fleet(serving.instance_type)
        endpoint = AsynchronousEndpoint(
            self.stack,
            "Endpoint",
            platform=self.platform,
            specification=self.specification,
            serving=serving,
            model=self._model(),
            version=self.version,
            fleet=fleet,
            deployment=GuardedDeployment(rollout=serving.deployment.on(self.capacity)),
        )
        BacklogScaling(
            self.stack,
            "Scaling",
            endpoint=endpoint,
            fleet=fleet,
            max_instances=self.capacity.max_instance_count,
            backlog_per_instance=serving.backlog_per_instance,
        )
        return endpoint

    def _serverless(self, serving: ServerlessServing) -> ServerlessEndpoint:
        return ServerlessEndpoint(
            self.stack,
            "Endpoint",
            platform=self.platform,
            specification=self.specification,
            serving=serving,
            model=self._model(on_instances=False),
            version=self.version,
        )

    def _batch(self, serving: BatchServing) -> BatchTransform:
        return BatchTransform(
            self.stack,
            "Transform",
            platform=self.platform,
            specification=self.specification,
            serving=serving,
            model=self._model(log_group_prefix=TRANSFORM_LOGS),
            version=self.version,
            poll=self.poll,
        )

    def _model(self, *, on_instances: bool = True, log_group_prefix: str = ENDPOINT_LOGS) -> ApprovedModel:
        return ApprovedModel(
            self.stack,
            "Model",
            platform=self.platform,
            specification=self.specification,
            version=self.version,
            name=endpoint_name_of(self.platform, self.specification),
            on_instances=on_instances,
            log_group_prefix=log_group_prefix,
        )

    def _fleet(self, instance_type: str) -> Fleet:
        return Fleet(self.stack, "Fleet", instance_type=instance_type, version=self.version)

    def _second(self, serving: RealtimeServing, model: ApprovedModel) -> SecondVariant | None:
        wanted = serving.challenger or serving.shadow
        if wanted is None:
            return None
        return SecondVariant(
            self.stack,
            "Second",
            platform=self.platform,
            specification=self.specification,
            beside=model,
            version=self.version,
            endpoint_name=endpoint_name_of(self.platform, self.specification),
            wanted=wanted,
        )

    def _explainer(self, serving: RealtimeServing, model: ApprovedModel) -> OnlineExplainer | None:
        if serving.explainer is None:
            return None
        return OnlineExplainer(
            self.stack,
            "Explainer",
            platform=self.platform,
            specification=self.specification,
            explainer=serving.explainer,
            container=model.container,
            version=self.version,
        )
