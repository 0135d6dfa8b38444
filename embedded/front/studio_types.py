"""The resource types of SageMaker Studio, each over SageMaker's own API."""

from embedded.front.resource_type import ApiCall, Properties, ResourceType, only, renamed, without

# What no update takes; a template that changes one of the first two replaces the domain.
_DOMAIN_AT_BIRTH = ("DomainName", "AuthMode", "KmsKeyId", "Tags")


def _domain_update(properties: Properties) -> Properties:
    """A domain is found by its id, and its settings have a name of their own in an update."""
    names = {"PhysicalId": "DomainId", "DomainSettings": "DomainSettingsForUpdate"}
    return renamed(names)(without(*_DOMAIN_AT_BIRTH)(properties))


STUDIO_TYPES = (
    ResourceType(
        name="AWS::SageMaker::Domain",
        service="sagemaker",
        create=ApiCall(operation="CreateDomain"),
        update=ApiCall(operation="UpdateDomain", adapt=_domain_update),
        delete=ApiCall(operation="DeleteDomain", adapt=lambda p: {"DomainId": p["PhysicalId"]}),
        identify=lambda p, r: str(r["DomainId"]),
        attributes=lambda p, r: {
            "DomainArn": r["DomainArn"],
            "DomainId": r["DomainArn"].rpartition("/")[2],
        },
        immutable=("DomainName", "AuthMode", "KmsKeyId"),
        by_id=True,
    ),
    ResourceType(
        name="AWS::SageMaker::UserProfile",
        service="sagemaker",
        create=ApiCall(operation="CreateUserProfile"),
        update=ApiCall(operation="UpdateUserProfile", adapt=only("DomainId", "UserProfileName", "UserSettings")),
        delete=ApiCall(operation="DeleteUserProfile", adapt=only("DomainId", "UserProfileName")),
        identify=lambda p, r: f"{p['UserProfileName']}|{p['DomainId']}",
        attributes=lambda p, r: {"UserProfileArn": r["UserProfileArn"]},
        immutable=("DomainId", "UserProfileName", "SingleSignOnUserIdentifier", "SingleSignOnUserValue"),
    ),
)
