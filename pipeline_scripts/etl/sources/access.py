"""AWS from an executor: each opens its own clients, because a client does not travel."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.session import get_session

SESSION_NAME = "baton-etl"
PATIENCE = Config(retries={"mode": "adaptive", "max_attempts": 10})  # of a table with little capacity


@dataclass(frozen=True, kw_only=True)
class AwsAccess:
    """Which AWS answers, and as whom: the job itself, or `role_arn`, which it assumes and renews."""

    region: str | None = None
    endpoint_url: str | None = None
    role_arn: str | None = None

    def client(self, service: str) -> Any:
        """A client of its own for whoever asks."""
        session: Any = self._session()  # its stubs know each service by a name of its own
        return session.client(service, endpoint_url=self.endpoint_url, config=PATIENCE)

    def _session(self) -> boto3.Session:
        session = _regional_session()
        if self.role_arn is None:
            return boto3.Session(botocore_session=session, region_name=self.region)
        credentials = RefreshableCredentials.create_from_metadata(
            metadata=self._assume(), refresh_using=self._assume, method="sts-assume-role"
        )
        session._credentials = credentials  # botocore offers no public way
        return boto3.Session(botocore_session=session, region_name=self.region)

    def _assume(self) -> dict[str, str]:
        session = boto3.Session(botocore_session=_regional_session(), region_name=self.region)
        sts = session.client("sts", endpoint_url=self.endpoint_url)
        given = sts.assume_role(RoleArn=self.role_arn, RoleSessionName=SESSION_NAME)["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }


def _regional_session() -> Any:
    """A session that asks the region's own STS: the global one lies outside of a private network."""
    session = get_session()
    session.set_config_variable("sts_regional_endpoints", "regional")
    return session
