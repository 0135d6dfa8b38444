"""Studio's domains and user profiles: kept as records, for no app of theirs runs here."""

import uuid
from typing import Any

from embedded.front.api import ApiError, Caller, Handler
from embedded.sagemaker.listing import Listing
from embedded.sagemaker.store import Record, Store, now

_DOMAIN, _PROFILE = "Domain", "UserProfile"


class Studio:
    """The actions of domains and of the user profiles in them."""

    def __init__(self, *, store: Store) -> None:
        self._store = store
        self._domains = Listing(action="ListDomains", name_key="DomainName")
        self._profiles = Listing(action="ListUserProfiles", name_key="UserProfileName")

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "CreateDomain": self._create_domain,
            "DescribeDomain": lambda request, caller: dict(self._domain(request)),
            "UpdateDomain": self._update_domain,
            "DeleteDomain": self._delete_domain,
            "ListDomains": lambda request, caller: self._domains.answer(request, self._store.kind(_DOMAIN).values()),
            "CreateUserProfile": self._create_profile,
            "DescribeUserProfile": lambda request, caller: dict(self._profile(request)),
            "UpdateUserProfile": self._update_profile,
            "DeleteUserProfile": self._delete_profile,
            "ListUserProfiles": self._list_profiles,
        }

    def _create_domain(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            name = request["DomainName"]
            if any(domain["DomainName"] == name for domain in self._store.kind(_DOMAIN).values()):
                raise ApiError("ResourceInUse", f"A domain named {name} exists already.")
            if request.get("AppNetworkAccessType") == "VpcOnly" and not _groups(request):
                raise ApiError("ValidationException", "SecurityGroups are required in the network access type VpcOnly.")
            key = f"d-{uuid.uuid4().hex[:12]}"
            arn = self._store.arn(f"domain/{key}")
            record = {
                **request,
                "DomainId": key,
                "DomainArn": arn,
                "Url": f"https://{key}.studio.{self._store.region}.sagemaker.aws",
                **_in_service(),
            }
            self._store.kind(_DOMAIN)[key] = record
            self._store.tag(arn, request.get("Tags", []))
            return {"DomainArn": arn, "DomainId": key, "Url": record["Url"]}

    def _update_domain(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            domain = self._domain(request)
            settings = {"DomainSettings": request.pop("DomainSettingsForUpdate", domain.get("DomainSettings", {}))}
            domain.update({**request, **settings, "LastModifiedTime": now()})
            return {"DomainArn": domain["DomainArn"]}

    def _delete_domain(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            domain = self._domain(request)
            if any(profile["DomainId"] == domain["DomainId"] for profile in self._store.kind(_PROFILE).values()):
                raise ApiError("ResourceInUse", f"Domain {domain['DomainId']} still holds user profiles.")
            self._store.forget_tags(domain["DomainArn"])
            del self._store.kind(_DOMAIN)[domain["DomainId"]]
            return {}

    def _create_profile(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            path = f"{self._domain(request)['DomainId']}/{request['UserProfileName']}"
            if path in self._store.kind(_PROFILE):
                raise ApiError("ResourceInUse", f"User profile {path} exists already.")
            arn = self._store.arn(f"user-profile/{path}")
            self._store.kind(_PROFILE)[path] = {**request, "UserProfileArn": arn, **_in_service()}
            self._store.tag(arn, request.get("Tags", []))
            return {"UserProfileArn": arn}

    def _update_profile(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            profile = self._profile(request)
            profile.update({**request, "LastModifiedTime": now()})
            return {"UserProfileArn": profile["UserProfileArn"]}

    def _delete_profile(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            profile = self._profile(request)
            self._store.forget_tags(profile["UserProfileArn"])
            del self._store.kind(_PROFILE)[f"{profile['DomainId']}/{profile['UserProfileName']}"]
            return {}

    def _list_profiles(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        domain, part = request.get("DomainIdEquals"), request.get("UserProfileNameContains", "")
        with self._store.locked():
            chosen = [
                profile
                for profile in self._store.kind(_PROFILE).values()
                if domain in (None, profile["DomainId"]) and part in profile["UserProfileName"]
            ]
            return self._profiles.answer(request, chosen)

    def _domain(self, request: dict[str, Any]) -> Record:
        return self._find(_DOMAIN, request["DomainId"])

    def _profile(self, request: dict[str, Any]) -> Record:
        return self._find(_PROFILE, f"{request['DomainId']}/{request['UserProfileName']}")

    def _find(self, kind: str, key: str) -> Record:
        with self._store.locked():
            record = self._store.kind(kind).get(key)
        if record is None:
            raise ApiError("ResourceNotFound", f"{kind} {key} does not exist.")
        return record


def _in_service() -> Record:
    return {"Status": "InService", "CreationTime": now(), "LastModifiedTime": now()}


def _groups(request: dict[str, Any]) -> list[str]:
    return list(request["DefaultUserSettings"].get("SecurityGroups", []))
