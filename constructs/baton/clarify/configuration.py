"""A configuration of Clarify's, as an object in S3."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct


class ClarifyConfiguration(Construct):
    """One analysis_config.json, deployed together with whatever uses it.

    Its place in S3 follows from its content, so a changed question never changes the record of an older version.

    Args:
        question: What to analyse, from `baton.clarify.questions`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, question: Mapping[str, Any]) -> None:
        super().__init__(scope, construct_id)
        with TemporaryDirectory() as folder:
            file = Path(folder) / "analysis_config.json"
            file.write_text(json.dumps(question, indent=2, sort_keys=True), encoding="utf-8")
            self._asset = s3_assets.Asset(self, "Resource", path=str(file))
        self.s3_uri = self._asset.s3_object_url

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` read this configuration, and nothing else of the bucket it lies in."""
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:GetObject"],
            resource_arns=[self._asset.bucket.arn_for_objects(self._asset.s3_object_key)],
        )
