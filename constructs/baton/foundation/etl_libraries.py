"""The packages that Glue's workers lack."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from baton.foundation.runtime_code import PACKAGE, locked_versions, sha256


class EtlLibraries(Construct):
    """The locked packages as a zip that Python imports from, on the driver and on every executor.

    Compiled extensions stay out, as nothing is imported from inside a zip but Python; these packages do without.

    Args:
        source: The folder that holds `pipeline_scripts/`.
        folder: The packages that `make install` puts there from `pipeline_scripts/etl/requirements.lock`.

    Raises:
        FileNotFoundError: A package is missing, or of another version than the lock's.
    """

    def __init__(self, scope: Construct, construct_id: str, *, source: Path, folder: Path) -> None:
        super().__init__(scope, construct_id)
        lock = source / PACKAGE / "etl" / "requirements.lock"
        for project, version in locked_versions(lock):
            if not (folder / f"{project}-{version}.dist-info").is_dir():
                raise FileNotFoundError(f"{folder}: there is no {project} {version}; run `make install`")
        self.asset = s3_assets.Asset(
            self,
            "Resource",
            path=str(folder),
            exclude=["bin", "__pycache__", "*.so", ".lock"],
            ignore_mode=cdk.IgnoreMode.GIT,
            asset_hash=sha256(lock),
            asset_hash_type=cdk.AssetHashType.CUSTOM,
        )

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` download this zip, and nothing else of the bucket it lies in."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:GetObject"],
            resource_arns=[self.asset.bucket.arn_for_objects(self.asset.s3_object_key)],
        )
