"""How the files of pipeline_scripts/ reach AWS: as files, never as imports."""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sns as sns
from constructs import Construct

from baton.observability.dead_letters import DeadLetters
from baton.specification.model import ModelSpecification

PACKAGE = "pipeline_scripts"
HANDLERS = "functions"
LOCK = "requirements.lock"
SHIPPED_SUFFIXES = (".py", ".html", ".css")  # code, and the templates of the pages that it makes
# Git's patterns: a folder has to be let in before its content can be.
HANDLER_FILES = [
    "/*",
    f"!/{PACKAGE}",
    f"/{PACKAGE}/*",
    f"!/{PACKAGE}/__init__.py",
    f"!/{PACKAGE}/{HANDLERS}",
    f"/{PACKAGE}/{HANDLERS}/*",
    f"!/{PACKAGE}/{HANDLERS}/*.py",
]


class JobCode(Construct):
    """The code of one model's jobs, and the libraries their containers lack, as two zips in S3.

    The code is all of `pipeline_scripts/` but its Lambda handlers, with its templates and lock, and the model beside
    it as `model.json`. Its hash depends on nothing but those contents, so equal code is uploaded once, whoever asks.

    Args:
        model: The model the jobs work for.
        source: The folder that holds `pipeline_scripts/`.
        wheels: The folder of wheels that `make install` fills from `pipeline_scripts/requirements.lock`.

    Raises:
        FileNotFoundError: A wheel is missing.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, model: ModelSpecification, source: Path, wheels: Path
    ) -> None:
        super().__init__(scope, construct_id)
        # The asset copies the folder at once, so it need not outlive this block.
        with tempfile.TemporaryDirectory(prefix="baton-code-") as folder:
            _stage_code(model=model, source=source, target=Path(folder))
            self.code = s3_assets.Asset(self, "Code", path=folder)
        self.code_file = f"{self.code.asset_hash}.zip"
        lock = source / PACKAGE / LOCK
        self.wheels = s3_assets.Asset(
            self,
            "Wheels",
            path=str(wheels),
            exclude=["*", *(f"!{name}" for name in _locked_wheels(lock=lock, wheels=wheels))],
            ignore_mode=cdk.IgnoreMode.GIT,
            asset_hash=sha256(lock),
            asset_hash_type=cdk.AssetHashType.CUSTOM,
        )

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` download these two zips, and nothing else of the bucket they lie in."""
        for asset in (self.code, self.wheels):
            iam.Grant.add_to_principal(
                grantee=grantee,
                actions=["s3:GetObject"],
                resource_arns=[asset.bucket.arn_for_objects(asset.s3_object_key)],
            )


@dataclass(frozen=True, kw_only=True)
class HandlerLayer:
    """The libraries of the Lambda handlers.

    Every stack has a layer version of its own, made of the same asset: a version cannot be changed, only replaced,
    and CloudFormation refuses to replace what another stack imports.

    `source` is the folder that holds `pipeline_scripts/`; `folder` holds `python/`, as Lambda wants it.
    """

    source: Path
    folder: Path

    def version_for(self, scope: Construct) -> lambda_.LayerVersion:
        """The layer version of the stack that `scope` is in.

        Raises:
            FileNotFoundError: Nothing is installed in `folder`.
        """
        stack = cdk.Stack.of(scope)
        existing = stack.node.try_find_child("HandlerLayer")
        if isinstance(existing, lambda_.LayerVersion):
            return existing
        if not (self.folder / "python").is_dir():
            raise FileNotFoundError(f"{self.folder}/python: the handlers' libraries are missing; run `make install`")
        code = lambda_.Code.from_asset(
            str(self.folder),
            exclude=["bin", "__pycache__"],
            ignore_mode=cdk.IgnoreMode.GIT,
            asset_hash=sha256(self.source / PACKAGE / HANDLERS / "requirements.lock"),
            asset_hash_type=cdk.AssetHashType.CUSTOM,
        )
        return lambda_.LayerVersion(
            stack,
            "HandlerLayer",
            code=code,
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_14],
            compatible_architectures=[lambda_.Architecture.ARM_64],
            description="Libraries of Baton's handlers",
        )


class HandlerFunction(Construct):
    """One handler of `pipeline_scripts/functions` as a Lambda function that fails loudly.

    An event that it cannot handle goes to its dead-letter queue, and an event in there raises an alarm.

    Args:
        handler: The module's name: `start_training` is `pipeline_scripts/functions/start_training.py`.
        source: The folder that holds `pipeline_scripts/`.
        layer: The handlers' libraries.
        key: Encrypts the environment, the logs and the queue.
        log_retention: How long the logs are kept.
        alarm_topic: Whom to tell about lost events.
        description: What the function does, in one sentence.
        environment: What the handler reads from its environment.
        timeout: How long one event may take.

    Raises:
        FileNotFoundError: There is no such handler.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        source: Path,
        layer: HandlerLayer,
        key: kms.IKey,
        log_retention: logs.RetentionDays,
        alarm_topic: sns.ITopic,
        description: str,
        environment: Mapping[str, str] | None = None,
        timeout: cdk.Duration | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        module = source / PACKAGE / HANDLERS / f"{handler}.py"
        if not module.is_file():
            raise FileNotFoundError(f"{module}: there is no such handler; write it, or mend the name {handler!r}")
        log_group = logs.LogGroup(self, "Logs", encryption_key=key, retention=log_retention)
        self.dead_letter_queue = DeadLetters(
            self, "DeadLetters", key=key, topic=alarm_topic, lost=f"{handler} could not handle an event."
        ).queue
        self.role = self._role(log_group)
        self.function = lambda_.Function(
            self,
            "Resource",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"{PACKAGE}.{HANDLERS}.{handler}.handler",
            code=lambda_.Code.from_asset(str(source), exclude=HANDLER_FILES, ignore_mode=cdk.IgnoreMode.GIT),
            layers=[layer.version_for(self)],
            role=self.role,
            environment={"POWERTOOLS_SERVICE_NAME": handler, **(environment or {})},
            environment_encryption=key,
            log_group=log_group,
            dead_letter_queue=self.dead_letter_queue,
            tracing=lambda_.Tracing.ACTIVE,
            timeout=timeout or cdk.Duration.seconds(60),
            memory_size=256,
        )
        # Lambda reads the environment and fills the encrypted queue as the function's own role.
        self.role.add_to_principal_policy(
            iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key.key_arn])
        )

    def _role(self, log_group: logs.LogGroup) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="X-Ray's PutTraceSegments and PutTelemetryRecords know no resource to be scoped to.",
            )
        )
        return role


def _stage_code(*, model: ModelSpecification, source: Path, target: Path) -> None:
    package = source / PACKAGE
    scripts = [path for path in sorted(package.rglob("*")) if path.suffix in SHIPPED_SUFFIXES]
    # The lock goes along to be read: a job records which libraries it may have had.
    for file in (*scripts, package / LOCK):
        relative = file.relative_to(package)
        if relative.parts[0] != HANDLERS:
            copy = target / PACKAGE / relative
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    # Not sorted by key: the order of columns and facets is the order of a request's fields.
    content = json.dumps(model.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (target / PACKAGE / "model.json").write_text(content + "\n", encoding="utf-8")


def _locked_wheels(*, lock: Path, wheels: Path) -> list[str]:
    """The files in `wheels` of the projects that `lock` pins: what an older lock left there does not ship."""
    available = {path.name: path.name.split("-")[:2] for path in sorted(wheels.glob("*.whl"))}
    names = []
    for project, version in locked_versions(lock):
        wanted = [project, version]
        matches = [name for name, (stem, pin) in available.items() if [stem.lower(), pin] == wanted]
        if not matches:
            raise FileNotFoundError(f"{wheels}: there is no wheel of {project} {version}; run `make install`")
        names += matches
    return names


def locked_versions(lock: Path) -> list[tuple[str, str]]:
    """Every project that a lock file pins, by the name its files bear once installed, and the version."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return [(re.sub(r"[-_.]+", "_", project).lower(), version) for project, version in pins]


def sha256(path: Path) -> str:
    """The hash of a file, in hex digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
