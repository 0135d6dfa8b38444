"""Endpoints: their records, their states through deployments, and the events these raise."""

from collections.abc import Callable, Mapping
from typing import Any

from embedded.front.api import ApiError, Caller, Handler
from embedded.front.events import EventSink
from embedded.sagemaker.announcing import announce
from embedded.sagemaker.deployments import Deployments
from embedded.sagemaker.endpoint_rules import check_scaled, check_sizes
from embedded.sagemaker.fleet import as_sized, capture_of, images_of, resize, retain, variants_of, with_status
from embedded.sagemaker.lineage_records import LineageRecords
from embedded.sagemaker.listing import Listing
from embedded.sagemaker.plain import ENDPOINT_CONFIG, already_exists, find
from embedded.sagemaker.store import Record, Store, name_of, now
from embedded.sagemaker.workshop import Workshop

_SETTLED = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
_EVENT_STATUS = {
    "InService": "IN_SERVICE",
    "RollingBack": "ROLLING_BACK",
    "OutOfService": "OUT_OF_SERVICE",
    "UpdateRollbackFailed": "UPDATE_ROLLBACK_FAILED",
}
# A tag of an endpoint that lets its roll-backs fail, which nothing else brings about here.
_FAULT = {"Key": "embedded-aws:fault", "Value": "UpdateRollbackFailed"}
_INTERNAL = ("Serving", "InstanceTypes", "PendingDeploymentSummary")


class Endpoints:
    """The actions of endpoints. A host of `embedded.compute` serves each one.

    Args:
        store: The control plane's records.
        workshop: Where deployments go on.
        events: Hears of each change of a state.
        lineage: Keeps what was deployed where.
        is_scaled: Whether a variant, by its endpoint's name and its own, is a registered scalable target.
    """

    def __init__(
        self,
        *,
        store: Store,
        workshop: Workshop,
        events: EventSink,
        lineage: LineageRecords,
        is_scaled: Callable[[str, str], bool],
    ) -> None:
        self._store = store
        self._workshop = workshop
        self._events = events
        self._lineage = lineage
        self._is_scaled = is_scaled
        self._deployments = Deployments(client=workshop.client)
        self._hosts: dict[str, Any] = {}
        self._listing = Listing(action="ListEndpoints", name_key="EndpointName", status_key="EndpointStatus")

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "CreateEndpoint": self._create,
            "UpdateEndpoint": self._update,
            "UpdateEndpointWeightsAndCapacities": self._reweigh,
            "DescribeEndpoint": self._describe,
            "DeleteEndpoint": self._delete,
            "ListEndpoints": self._list,
        }

    def host(self, name: str) -> Any | None:
        """The host that serves an endpoint now, or None."""
        with self._store.locked():
            record = self._store.kind("Endpoint").get(name)
            serving = record is not None and record.get("Serving", False)
            return self._hosts.get(name) if serving else None

    def variants(self, name: str) -> set[str]:
        """The names of an endpoint's variants; none where there is no endpoint."""
        with self._store.locked():
            record = self._store.kind("Endpoint").get(name, {})
            return {variant["VariantName"] for variant in record.get("ProductionVariants", [])}

    def close(self) -> None:
        """Stop every host."""
        with self._store.locked():
            hosts = list(self._hosts.values())
            self._hosts.clear()
        for host in hosts:
            host.stop()

    def _create(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        name = request["EndpointName"]
        arn = self._store.arn(f"endpoint/{name}")
        with self._store.locked():
            if name in self._store.kind("Endpoint"):
                raise already_exists("CreateEndpoint", "endpoint", arn)
            config = self._config(request["EndpointConfigName"], "CreateEndpoint")
            record: Record = {
                "EndpointName": name,
                "EndpointArn": arn,
                "EndpointStatus": "Creating",
                "CreationTime": now(),
                "LastModifiedTime": now(),
                **self._fleet(config),
            }
            if "DeploymentConfig" in request:
                record["LastDeploymentConfig"] = request["DeploymentConfig"]
            self._store.kind("Endpoint")[name] = record
            self._store.tag(arn, request.get("Tags", []))
            host = self._hosts[name] = self._new_host(name)
        self._announce(record)
        self._workshop.start_coordinator(arn, host, lambda: self._bring_up(record, host, config))
        return {"EndpointArn": arn}

    def _bring_up(self, record: Record, host: Any, config: Record) -> None:
        reason = self._deployments.begin(host, config)
        if reason is None:
            self._settle(record, {"EndpointStatus": "InService", "Serving": True, "FailureReason": None})
        else:
            self._settle(record, {"EndpointStatus": "Failed", "FailureReason": reason})

    def _update(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request["EndpointName"])
            if record["EndpointStatus"] not in _SETTLED:
                raise ApiError("ValidationException", f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
            config = self._config(request["EndpointConfigName"], "UpdateEndpoint")
            name = record["EndpointName"]
            check_scaled(record["InstanceTypes"], config, is_scaled=lambda variant: self._is_scaled(name, variant))
            deployment = request.get("DeploymentConfig")
            if deployment is None and request.get("RetainDeploymentConfig"):
                deployment = record.get("LastDeploymentConfig")
            fleet = self._fleet(config)
            if request.get("RetainAllVariantProperties"):
                left_out = request.get("ExcludeRetainedVariantProperties", [])
                excluded = [item["VariantPropertyType"] for item in left_out]
                retain(fleet["ProductionVariants"], record["ProductionVariants"], excluded=excluded)
            fleet["LastDeploymentConfig"] = deployment
            record.update({"EndpointStatus": "Updating", "LastModifiedTime": now(), "FailureReason": None})
            self._pend(record, fleet, "Creating")
            host = self._hosts[record["EndpointName"]]
        self._announce(record)
        self._workshop.start_coordinator(record["EndpointArn"], host, lambda: self._shift(record, host, config, fleet))
        return {"EndpointArn": record["EndpointArn"]}

    def _shift(self, record: Record, host: Any, config: Record, fleet: Record) -> None:
        """Move the traffic to the new fleet, or leave it with the old one and say why."""
        sized = as_sized(config, fleet["ProductionVariants"])

        def report(status: str) -> None:
            with self._store.locked():
                self._pend(record, fleet, "Deleting" if status == "RollingBack" else status)
                if status == "RollingBack":
                    record["EndpointStatus"] = status
            if status == "RollingBack":
                self._announce(record)

        previous = record.get("Serving", False)
        if previous:
            reason = self._deployments.replace(host, sized, fleet["LastDeploymentConfig"], report)
        else:
            reason = self._deployments.begin(host, sized)
        if reason is None:
            self._settle(record, {**fleet, "EndpointStatus": "InService", "Serving": True})
        else:
            status = self._fallen_back(record) if previous else "Failed"
            self._settle(record, {"EndpointStatus": status, "FailureReason": reason})

    def _fallen_back(self, record: Record) -> str:
        """The state after a roll-back."""
        with self._store.locked():
            fault = _FAULT in self._store.tags(record["EndpointArn"])
        return "UpdateRollbackFailed" if fault else "InService"

    @staticmethod
    def _pend(record: Record, fleet: Record, status: str) -> None:
        """Say in the record what is being deployed, and how far it is."""
        known: Record = record.get("PendingDeploymentSummary", {"StartTime": now()})
        members = ("ProductionVariants", "ShadowProductionVariants")
        pending = {member: with_status(fleet[member], status) for member in members if fleet.get(member)}
        name = fleet["EndpointConfigName"]
        record["PendingDeploymentSummary"] = {**pending, "EndpointConfigName": name, "StartTime": known["StartTime"]}

    def _settle(self, record: Record, outcome: Record) -> None:
        with self._store.locked():
            record.update(outcome)
            record.pop("PendingDeploymentSummary", None)
            if record["EndpointStatus"] == "InService":
                self._lineage.endpoint(record)
            record["LastModifiedTime"] = now()
        self._announce(record)

    def _reweigh(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        wanted = {item["VariantName"]: item for item in request["DesiredWeightsAndCapacities"]}
        with self._store.locked():
            record = self._find(request["EndpointName"])
            if record["EndpointStatus"] != "InService":
                message = f'Cannot update in-progress endpoint "{record["EndpointArn"]}".'
                raise ApiError("ValidationException", message)
            check_sizes(record, wanted)
            host = self._hosts[record["EndpointName"]]
        counts = {n: item["DesiredInstanceCount"] for n, item in wanted.items() if "DesiredInstanceCount" in item}
        reason = self._deployments.resize(host, counts)
        with self._store.locked():
            record.update({"LastModifiedTime": now(), "FailureReason": reason})
            if reason is None:
                weights = self._resized(record, wanted)
                host.update_weights(weights)
        return {"EndpointArn": record["EndpointArn"]}

    @staticmethod
    def _resized(record: Record, wanted: Mapping[str, Record]) -> dict[str, float]:
        """Note the new sizes of an endpoint's variants; answers the weights of all of them."""
        for variant in record["ProductionVariants"]:
            item = wanted.get(variant["VariantName"], {})
            resize(variant, count=item.get("DesiredInstanceCount"), weight=item.get("DesiredWeight"))
        return {variant["VariantName"]: variant["CurrentWeight"] for variant in record["ProductionVariants"]}

    def _describe(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return dict(self._find(request["EndpointName"]))

    def _delete(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request["EndpointName"])
            if record["EndpointStatus"] not in _SETTLED:
                message = f'Cannot delete in-progress endpoint "{record["EndpointArn"]}".'
                raise ApiError("ValidationException", message)
            record["EndpointStatus"] = "Deleting"
            del self._store.kind("Endpoint")[record["EndpointName"]]
            self._store.forget_tags(record["EndpointArn"])
            host = self._hosts.pop(record["EndpointName"])
        host.stop()
        self._announce(record)
        return {}

    def _list(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return self._listing.answer(request, self._store.kind("Endpoint").values())

    def _new_host(self, name: str) -> Any:
        from embedded.compute.endpoint import EndpointHost

        return EndpointHost(
            name=name,
            client=self._workshop.client,
            workdir=self._workshop.folder("endpoint", name),
            environment=self._workshop.environment,
        )

    def _config(self, name: str, action: str) -> Record:
        return dict(find(self._store, ENDPOINT_CONFIG, name, action))

    def _fleet(self, config: Mapping[str, Any]) -> Record:
        images = images_of(self._store.kind("Model"), config)
        return {
            "EndpointConfigName": config["EndpointConfigName"],
            "ProductionVariants": variants_of(config, images),
            "ShadowProductionVariants": variants_of(config, images, member="ShadowProductionVariants") or None,
            "DataCaptureConfig": capture_of(config),
            "AsyncInferenceConfig": config.get("AsyncInferenceConfig"),
            "InstanceTypes": {v["VariantName"]: v.get("InstanceType") for v in config["ProductionVariants"]},
        }

    def _find(self, reference: str) -> Record:
        record: Record | None = self._store.kind("Endpoint").get(name_of(reference))
        if record is None:
            arn = self._store.arn(f"endpoint/{name_of(reference)}")
            raise ApiError("ValidationException", f'Could not find endpoint "{arn}".')
        return record

    def _announce(self, record: Record) -> None:
        with self._store.locked():
            status = record["EndpointStatus"]
            told = {key: value for key, value in record.items() if key not in _INTERNAL}
        told["EndpointStatus"] = _EVENT_STATUS.get(status, status.upper())
        announce(
            told,
            arn=record["EndpointArn"],
            detail_type="SageMaker Endpoint State Change",
            store=self._store,
            events=self._events,
        )
