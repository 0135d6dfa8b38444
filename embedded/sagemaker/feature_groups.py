"""Feature groups: created, extended, described, listed and deleted."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from embedded.front.api import ApiError, Caller, Handler
from embedded.sagemaker.feature_store import FeatureStore
from embedded.sagemaker.feature_values import RESERVED
from embedded.sagemaker.listing import Listing
from embedded.sagemaker.plain import already_exists, not_found
from embedded.sagemaker.store import Record, Store, name_of, now

_KIND = "FeatureGroup"
_DATABASE = "sagemaker_featurestore"
_GLUE_TYPES = {"Integral": "bigint", "Fractional": "double", "String": "string"}
_SERVICE_COLUMNS = {"write_time": "timestamp", "api_invocation_time": "timestamp", "is_deleted": "boolean"}
_PARTITIONS = ("year", "month", "day", "hour")


class FeatureGroups:
    """The control plane of the Feature Store. What is asked for is done at once, where AWS takes minutes."""

    def __init__(self, *, store: Store, features: FeatureStore, client: Callable[[str], Any]) -> None:
        self._store = store
        self._features = features
        self._client = client
        self._listing = Listing(
            action="ListFeatureGroups", name_key="FeatureGroupName", status_key="FeatureGroupStatus"
        )

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "CreateFeatureGroup": self._create,
            "DescribeFeatureGroup": self._describe,
            "UpdateFeatureGroup": self._update,
            "ListFeatureGroups": self._list,
            "DeleteFeatureGroup": self._delete,
        }

    def _create(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        name = request["FeatureGroupName"]
        arn = self._store.arn(f"feature-group/{name}")
        _check(request)
        record = {
            **request,
            "FeatureGroupArn": arn,
            "CreationTime": now(),
            "LastModifiedTime": now(),
            "FeatureGroupStatus": "Created",
            "NextToken": "",
        }
        with self._store.locked():
            if name in self._records():
                raise already_exists("CreateFeatureGroup", "Feature Group", arn)
            self._place(record)
            self._records()[name] = record
            self._store.tag(arn, request.get("Tags", []))
            self._features.open(record)
        self._make_table(record)
        return {"FeatureGroupArn": arn}

    def _describe(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return dict(self._find(request, "DescribeFeatureGroup"))

    def _update(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request, "UpdateFeatureGroup")
            known = {item["FeatureName"] for item in record["FeatureDefinitions"]}
            for added in request.get("FeatureAdditions", []):
                if added["FeatureName"] in known:
                    raise ApiError("ValidationException", f"Feature {added['FeatureName']} already exists.")
            definitions = [*record["FeatureDefinitions"], *request.get("FeatureAdditions", [])]
            _check({**record, "FeatureDefinitions": definitions})
            record["FeatureDefinitions"] = definitions
            if online := request.get("OnlineStoreConfig"):
                record["OnlineStoreConfig"] = {**record.get("OnlineStoreConfig", {}), **online}
            record |= {"LastModifiedTime": now(), "LastUpdateStatus": {"Status": "Successful"}}
            return {"FeatureGroupArn": record["FeatureGroupArn"]}

    def _list(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        status = request.get("FeatureGroupStatusEquals")
        with self._store.locked():
            asked = {**request, "StatusEquals": status} if status else request
            return self._listing.answer(asked, self._records().values())

    def _delete(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """The offline store and its table stay, as they do on AWS."""
        with self._store.locked():
            record = self._find(request, "DeleteFeatureGroup")
            self._store.forget_tags(record["FeatureGroupArn"])
            del self._records()[record["FeatureGroupName"]]
        self._features.drop(record["FeatureGroupName"])
        return {}

    def _records(self) -> dict[str, Record]:
        return self._store.kind(_KIND)

    def _find(self, request: dict[str, Any], action: str) -> Record:
        name = name_of(request["FeatureGroupName"])
        record = self._records().get(name)
        if record is None:
            raise not_found(action, f"Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {name}")
        return record

    def _place(self, record: Record) -> None:
        """Give the offline store its folder and its table, as the service makes them up."""
        offline = record.get("OfflineStoreConfig")
        if offline is None:
            return
        place = f"{record['FeatureGroupName']}-{int(record['CreationTime'].timestamp())}"
        storage = offline["S3StorageConfig"]
        root = f"{storage['S3Uri'].rstrip('/')}/{self._store.account}/sagemaker/{self._store.region}/offline-store"
        catalog = offline.get("DataCatalogConfig")
        if catalog is None and not offline.get("DisableGlueTableCreation"):
            table = place.replace("-", "_")
            catalog = {"Catalog": "AwsDataCatalog", "Database": _DATABASE, "TableName": table}
        record["OfflineStoreConfig"] = {
            **offline,
            "S3StorageConfig": {**storage, "ResolvedOutputS3Uri": f"{root}/{place}/data"},
            **({"DataCatalogConfig": catalog} if catalog else {}),
        }
        record["OfflineStoreStatus"] = {"Status": "Active"}

    def _make_table(self, record: Record) -> None:
        offline = record.get("OfflineStoreConfig", {})
        catalog = offline.get("DataCatalogConfig")
        if catalog is None or offline.get("DisableGlueTableCreation"):
            return
        types = {item["FeatureName"]: _GLUE_TYPES[item["FeatureType"]] for item in record["FeatureDefinitions"]}
        table = {
            "Name": catalog["TableName"],
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": name, "Type": "string"} for name in _PARTITIONS],
            "StorageDescriptor": {
                "Columns": [
                    {"Name": name.lower(), "Type": kind} for name, kind in {**_SERVICE_COLUMNS, **types}.items()
                ],
                "Location": offline["S3StorageConfig"]["ResolvedOutputS3Uri"],
            },
        }
        glue = self._client("glue")
        if catalog["Database"] == _DATABASE:
            try:
                glue.create_database(DatabaseInput={"Name": _DATABASE})
            except ClientError as error:
                if error.response["Error"]["Code"] != "AlreadyExistsException":
                    raise
        try:
            glue.create_table(DatabaseName=catalog["Database"], TableInput=table)
        except ClientError as error:
            # A table outlives its group; the next group of that name takes it over.
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                self._forget(record)
                raise ApiError("ValidationException", f"The table of the offline store: {error}") from error
            glue.update_table(DatabaseName=catalog["Database"], TableInput=table)

    def _forget(self, record: Record) -> None:
        with self._store.locked():
            self._records().pop(record["FeatureGroupName"], None)
        self._features.drop(record["FeatureGroupName"])


def _check(request: dict[str, Any]) -> None:
    """What the service refuses of a group, beyond the shape of the request."""
    kinds = {item["FeatureName"]: item["FeatureType"] for item in request["FeatureDefinitions"]}
    identifier, event_time = request["RecordIdentifierFeatureName"], request["EventTimeFeatureName"]
    if len(kinds) != len(request["FeatureDefinitions"]):
        raise ApiError("ValidationException", "FeatureDefinitions name a feature twice.")
    for name in RESERVED & kinds.keys():
        raise ApiError("ValidationException", f"Feature name {name} is reserved.")
    if identifier not in kinds:
        raise ApiError("ValidationException", f"RecordIdentifierFeatureName {identifier} is not a feature.")
    if kinds.get(event_time) not in ("String", "Fractional"):
        raise ApiError(
            "ValidationException", f"EventTimeFeatureName {event_time} must be a String or Fractional feature."
        )
    online = request.get("OnlineStoreConfig", {}).get("EnableOnlineStore", False)
    if not online and "OfflineStoreConfig" not in request:
        raise ApiError(
            "ValidationException", "A FeatureGroup needs an OnlineStoreConfig, an OfflineStoreConfig or both."
        )
    if "OfflineStoreConfig" in request and "RoleArn" not in request:
        raise ApiError("ValidationException", "RoleArn is needed to write the OfflineStore.")
