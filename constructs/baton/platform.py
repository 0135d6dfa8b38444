"""What every station of the platform is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from baton.foundation.encryption import PlatformKeys
from baton.foundation.images import Images, images_in
from baton.foundation.network import PrivateNetwork
from baton.foundation.runtime_code import HandlerFunction, HandlerLayer
from baton.lake.version_files import VersionFiles
from baton.lake.zones import LakeZones
from baton.observability.notifications import NotificationTopic


@dataclass(frozen=True, kw_only=True)
class Platform:
    """One environment's shared foundation, and the choices that constructs read instead of the configuration.

    `source` is the folder that holds `pipeline_scripts/`; `wheels` the folder of wheels that SageMaker's jobs bring
    along, `etl_libraries` that of the packages that Glue's do. `database_name` is the catalogue's. `version_files` says
    where the versions lie that may be served: in the zones, or in those of the environment that trains them.
    `commit` and `author` say which state of the code is deployed, and whose it is. `xgboost_digest` pins the container
    of our scripts to one build.
    """

    keys: PlatformKeys
    network: PrivateNetwork
    zones: LakeZones
    version_files: VersionFiles
    topic: NotificationTopic
    layer: HandlerLayer
    source: Path
    wheels: Path
    etl_libraries: Path
    log_retention: logs.RetentionDays
    removal_policy: cdk.RemovalPolicy
    environment_name: str
    database_name: str
    region: str
    analysis_backend: Literal["open", "managed"]
    commit: str
    author: str
    xgboost_digest: str | None = None

    @property
    def images(self) -> Images:
        """AWS's containers in this region.

        Raises:
            ValueError: The region is not in the table.
        """
        return images_in(self.region, xgboost_digest=self.xgboost_digest)

    def handler_function(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        description: str,
        environment: Mapping[str, str] | None = None,
        timeout: cdk.Duration | None = None,
    ) -> HandlerFunction:
        """One of the handlers as a function of this environment: its key, its log retention, its operators."""
        return HandlerFunction(
            scope,
            construct_id,
            handler=handler,
            source=self.source,
            layer=self.layer,
            key=self.keys.operations,
            log_retention=self.log_retention,
            alarm_topic=self.topic.topic,
            description=description,
            environment=environment,
            timeout=timeout,
        )
