"""Whom a source's certificate must be signed by."""

import tempfile
import zipfile
from pathlib import Path
from typing import Literal

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

CLASS_PATH_NAME = "certificate_authority.pem"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold: the same certificate makes the same file


class CertificateAuthority(Construct):
    """A company's own certificate authority, as a file that travels with the job.

    Spark's JDBC reader opens connections on every executor, so a driver must find the file on the class path, in a jar.
    Python readers are given it in the folder of the script and pass its text on.

    Args:
        pem: The file with the certificate.
        reader: Who checks with it.

    See:
        https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, pem: Path, reader: Literal["jdbc", "python"]) -> None:
        super().__init__(scope, construct_id)
        # The asset copies the file at once, so it need not outlive this block.
        with tempfile.TemporaryDirectory(prefix="baton-certificate-") as folder:
            file = _jar_of(pem, Path(folder)) if reader == "jdbc" else pem
            self._asset = s3_assets.Asset(self, "Resource", path=str(file))
        self.file_name = f"{self._asset.asset_hash}{file.suffix}"
        self.arguments = {"--extra-jars" if reader == "jdbc" else "--extra-files": self._asset.s3_object_url}

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` download this file, and nothing else of the bucket it lies in."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:GetObject"],
            resource_arns=[self._asset.bucket.arn_for_objects(self._asset.s3_object_key)],
        )


def _jar_of(pem: Path, folder: Path) -> Path:
    jar = folder / "certificate_authority.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr(zipfile.ZipInfo(CLASS_PATH_NAME, LONG_AGO), pem.read_bytes())
    return jar
