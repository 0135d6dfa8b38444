"""The model registry: versions of a model package group, their approval, and the event each change raises."""

import json
from typing import Any

from embedded.front.api import ApiError, Caller, Handler
from embedded.front.events import EventSink, iso_times
from embedded.sagemaker.lineage_records import LineageRecords
from embedded.sagemaker.listing import Listing
from embedded.sagemaker.plain import PACKAGE_GROUP, find
from embedded.sagemaker.store import Record, Store, name_of, now

_CHANGEABLE = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
_SILENT = ("Tags", "ClientToken", "CreatedBy", "LastModifiedBy")


class ModelPackages:
    """The actions of model packages and of their groups' policies."""

    def __init__(self, *, store: Store, events: EventSink, lineage: LineageRecords) -> None:
        self._store = store
        self._events = events
        self._lineage = lineage
        self._listing = Listing(action="ListModelPackages", name_key="ModelPackageName")

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "CreateModelPackage": self._create,
            "DescribeModelPackage": self._describe,
            "UpdateModelPackage": self._update,
            "DeleteModelPackage": self._delete,
            "ListModelPackages": self._list,
            "PutModelPackageGroupPolicy": self._put_policy,
            "GetModelPackageGroupPolicy": self._get_policy,
            "DeleteModelPackageGroupPolicy": self._delete_policy,
        }

    def _create(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._new_record(request, caller)
            arn: str = record["ModelPackageArn"]
            self._store.kind("ModelPackage")[arn] = record
            self._store.tag(arn, request.get("Tags", []))
            self._lineage.version(record)
        self._announce(record)
        return {"ModelPackageArn": arn}

    def _new_record(self, request: dict[str, Any], caller: Caller) -> Record:
        created = now()
        record: Record = {
            "CertifyForMarketplace": False,
            **request,
            "CreationTime": created,
            "CreatedBy": caller.context(),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        }
        if "ModelPackageGroupName" not in request:
            return self._unversioned(record)
        group = name_of(request["ModelPackageGroupName"])
        if group not in self._store.kind(PACKAGE_GROUP.noun):
            arn = self._store.arn(f"{PACKAGE_GROUP.path}/{group}")
            raise ApiError("ValidationException", f"Model Package Group does not exist: {arn}.")
        counters = self._store.kind("ModelPackageCounter")
        version = counters.setdefault(group, {"last": 0})["last"] + 1
        counters[group]["last"] = version
        return {
            "ModelApprovalStatus": "PendingManualApproval",
            **record,
            "ModelPackageGroupName": group,
            "ModelPackageVersion": version,
            "ModelPackageArn": self._store.arn(f"model-package/{group}/{version}"),
        }

    def _unversioned(self, record: Record) -> Record:
        if "ModelPackageName" not in record:
            message = "Either ModelPackageName or ModelPackageGroupName must be provided."
            raise ApiError("ValidationException", message)
        arn = self._store.arn(f"model-package/{record['ModelPackageName']}")
        if arn in self._store.kind("ModelPackage"):
            raise ApiError("ValidationException", f"Model Package already exists: {arn}.")
        return {**record, "ModelPackageArn": arn}

    def _describe(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return dict(self._find(request["ModelPackageName"]))

    def _update(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request["ModelPackageArn"])
            changed = [key for key in _CHANGEABLE if key in request]
            record.update({key: request[key] for key in changed})
            self._update_metadata(record, request, changed)
            record["LastModifiedTime"] = now()
            record["LastModifiedBy"] = caller.context()
            self._lineage.version(record)
            snapshot = dict(record)
        self._announce(snapshot, changed)
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def _update_metadata(self, record: Record, request: dict[str, Any], changed: list[str]) -> None:
        added = request.get("CustomerMetadataProperties", {})
        removed = request.get("CustomerMetadataPropertiesToRemove", [])
        if not added and not removed:
            return
        kept = {**record.get("CustomerMetadataProperties", {}), **added}
        record["CustomerMetadataProperties"] = {key: value for key, value in kept.items() if key not in removed}
        changed.append("CustomerMetadataProperties")

    def _delete(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request["ModelPackageName"])
            self._store.forget_tags(record["ModelPackageArn"])
            del self._store.kind("ModelPackage")[record["ModelPackageArn"]]
        return {}

    def _list(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        group = request.get("ModelPackageGroupName")
        status = request.get("ModelApprovalStatus")
        with self._store.locked():
            if group is not None:
                find(self._store, PACKAGE_GROUP, group, "ListModelPackages")
            chosen = [
                record
                for record in self._store.kind("ModelPackage").values()
                if (group is None or record.get("ModelPackageGroupName") == name_of(group))
                and (status is None or record.get("ModelApprovalStatus") == status)
                and self._of_type(record, request, grouped=group is not None)
            ]
            return self._listing.answer(request, chosen)

    @staticmethod
    def _of_type(record: Record, request: dict[str, Any], *, grouped: bool) -> bool:
        """Without a group only unversioned packages are listed, unless the request asks for the others."""
        wanted = request.get("ModelPackageType", "Versioned" if grouped else "Unversioned")
        versioned = "ModelPackageVersion" in record
        return bool(wanted == "Both" or versioned == (wanted == "Versioned"))

    def _find(self, reference: str) -> Record:
        arn = reference if reference.startswith("arn:") else self._store.arn(f"model-package/{reference}")
        record = self._store.kind("ModelPackage").get(arn)
        if record is None:
            raise ApiError("ValidationException", f"ModelPackage {arn} does not exist.")
        return record

    def _announce(self, record: Record, changed: list[str] | None = None) -> None:
        detail = iso_times({key: value for key, value in record.items() if key not in _SILENT})
        if changed is not None:
            detail["UpdatedModelPackageFields"] = changed
        self._events(
            source="aws.sagemaker",
            detail_type="SageMaker Model Package State Change",
            detail=detail,
            resources=[record["ModelPackageArn"]],
        )

    def _put_policy(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            group = self._group(request, "PutModelPackageGroupPolicy")
            try:
                json.loads(request["ResourcePolicy"])
            except json.JSONDecodeError as error:
                raise ApiError("ValidationException", f"ResourcePolicy is not JSON: {error}.") from error
            group["ResourcePolicy"] = request["ResourcePolicy"]
            return {"ModelPackageGroupArn": group["ModelPackageGroupArn"]}

    def _get_policy(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            group = self._group(request, "GetModelPackageGroupPolicy")
            if "ResourcePolicy" not in group:
                raise ApiError("ValidationException", "Cannot find resource policy for the model package group.")
            return {"ResourcePolicy": group["ResourcePolicy"]}

    def _delete_policy(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            self._group(request, "DeleteModelPackageGroupPolicy").pop("ResourcePolicy", None)
        return {}

    def _group(self, request: dict[str, Any], action: str) -> Record:
        return find(self._store, PACKAGE_GROUP, request["ModelPackageGroupName"], action)
