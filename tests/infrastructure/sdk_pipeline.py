"""The sample model's pipeline as the SageMaker SDK builds it; run as a process of its own, it prints the definition.

A process of its own, because the SDK wants environment variables before it is imported and changes global state.
Nothing leaves the machine: the session has made-up credentials, and telemetry and role lookups are off.
"""

import json
import os
import sys

os.environ.update(
    AWS_ACCESS_KEY_ID="none",
    AWS_SECRET_ACCESS_KEY="none",
    AWS_DEFAULT_REGION="eu-west-1",
    AWS_EC2_METADATA_DISABLED="true",
    SAGEMAKER_VALIDATE_ROLE="false",
)

import boto3
import pipeline_samples as sample
from sagemaker.core.config.config_manager import SageMakerConfig
from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.model_metrics import FileSource, MetricsSource, ModelMetrics
from sagemaker.core.network import NetworkConfig
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import (
    ModelPackageModelCard,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    StoppingCondition,
)
from sagemaker.core.training.configs import Compute, InputData, Networking, OutputDataConfig
from sagemaker.core.workflow.conditions import ConditionEquals
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import SageMakerJobExceptionTypeEnum as Job
from sagemaker.mlops.workflow.retry import SageMakerJobStepRetryPolicy, StepRetryPolicy
from sagemaker.mlops.workflow.retry import StepExceptionTypeEnum as Fault
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train.model_trainer import ModelTrainer

WORKPLACE = sample.sample_workplace()
MODEL = sample.sample_model()
INPUT, OUTPUT, CHANNELS = "/opt/ml/processing/input", "/opt/ml/processing/output", "/opt/ml/input/data"
CACHE = CacheConfig(enable_caching=True, expire_after="P7D")
EXECUTION = ExecutionVariables.PIPELINE_EXECUTION_ID


def offline_session() -> PipelineSession:
    # Each lookup would validate the whole configuration again, 30 s in all.
    SageMakerConfig.validate_sagemaker_config = lambda *_, **__: None
    options = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
    session = PipelineSession(
        boto_session=boto3.Session(region_name="eu-west-1"), default_bucket="unused", sagemaker_config=options
    )
    session._default_bucket = "unused"
    return session


SESSION = offline_session()


def evidence(*names: str) -> Join:
    return Join(on="/", values=[WORKPLACE.evidence_uri, EXECUTION, *names])


def retries() -> list:
    return [service_retry(), job_retry()]


def service_retry() -> StepRetryPolicy:
    kinds = [Fault.SERVICE_FAULT, Fault.THROTTLING]
    return StepRetryPolicy(exception_types=kinds, interval_seconds=10, backoff_rate=2.0, max_attempts=5)


def job_retry() -> SageMakerJobStepRetryPolicy:
    kinds = [Job.INTERNAL_ERROR, Job.CAPACITY_ERROR, Job.RESOURCE_LIMIT]
    return SageMakerJobStepRetryPolicy(exception_types=kinds, interval_seconds=60, backoff_rate=2.0, max_attempts=5)


def job_input(name: str, uri: object, path: str) -> ProcessingInput:
    source = ProcessingS3Input(
        s3_uri=uri,
        local_path=path,
        s3_data_type="S3Prefix",
        s3_input_mode="File",
        s3_data_distribution_type="FullyReplicated",
        s3_compression_type="None",
    )
    return ProcessingInput(input_name=name, s3_input=source)


def script(
    name: str, module: str, reads: dict, writes: dict, key: str, facts: dict | None = None, **options: object
) -> ProcessingStep:
    folders = [(f"--{item}", f"{INPUT}/{item}") for item in reads] + [
        (f"--{item}", f"{OUTPUT}/{item}") for item in writes
    ]
    processor = Processor(
        role=sample.ROLE,
        image_uri=WORKPLACE.image,
        instance_count=1,
        instance_type=WORKPLACE.instance_type,
        entrypoint=["python3", "-m", "pipeline_scripts", module, *(part for pair in folders for part in pair)],
        volume_size_in_gb=30,
        volume_kms_key=key,
        output_kms_key=key,
        max_runtime_in_seconds=3600,
        sagemaker_session=SESSION,
        env={"PYTHONPATH": f"{INPUT}/code/{sample.CODE_FILE}", "BATON_WHEELS": f"{INPUT}/wheels", **(facts or {})},
        network_config=NetworkConfig(
            enable_network_isolation=True,
            security_group_ids=list(WORKPLACE.security_group_ids),
            subnets=list(WORKPLACE.subnet_ids),
            encrypt_inter_container_traffic=True,
        ),
    )
    arguments = processor.run(
        inputs=[
            *(job_input(item, uri, f"{INPUT}/{item}") for item, uri in reads.items()),
            job_input("code", WORKPLACE.code.s3_uri, f"{INPUT}/code"),
            job_input("wheels", WORKPLACE.code.wheels_s3_uri, f"{INPUT}/wheels"),
        ],
        outputs=[
            ProcessingOutput(
                output_name=item,
                s3_output=ProcessingS3Output(s3_uri=uri, local_path=f"{OUTPUT}/{item}", s3_upload_mode="EndOfJob"),
            )
            for item, uri in writes.items()
        ],
        kms_key=key,
    )
    return ProcessingStep(name=name, step_args=arguments, retry_policies=retries(), **options)


def output(step: ProcessingStep, name: str = "output") -> object:
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def channels(preprocess: ProcessingStep) -> dict:
    return {
        **{name: output(preprocess, name) for name in ("train", "validation", "transformer")},
        "code": WORKPLACE.code.s3_uri,
        "wheels": WORKPLACE.code.wheels_s3_uri,
    }


def trainer(
    hyperparameters: dict, output_path: object, environment: dict | None = None, **options: object
) -> ModelTrainer:
    spot = "checkpoint_config" in options
    wait = {"max_wait_time_in_seconds": 7200} if spot else {}
    return ModelTrainer(
        role=sample.ROLE,
        sagemaker_session=SESSION,
        training_image=WORKPLACE.image,
        training_input_mode="File",
        compute=Compute(
            instance_type=WORKPLACE.instance_type,
            instance_count=1,
            volume_size_in_gb=30,
            volume_kms_key_id=sample.MODELS_KEY,
            **({"enable_managed_spot_training": True} if spot else {}),
        ),
        networking=Networking(
            subnets=list(WORKPLACE.subnet_ids),
            security_group_ids=list(WORKPLACE.security_group_ids),
            enable_network_isolation=True,
            enable_inter_container_traffic_encryption=True,
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=3600, **wait),
        output_data_config=OutputDataConfig(s3_output_path=output_path, kms_key_id=sample.MODELS_KEY),
        hyperparameters=dict(hyperparameters),
        environment={
            "PYTHONPATH": f"{CHANNELS}/code/{sample.CODE_FILE}",
            "BATON_WHEELS": f"{CHANNELS}/wheels",
            **(environment or {}),
        },
        **options,
    )


def train_step(preprocess: ProcessingStep) -> TrainingStep:
    output_path = Join(on="/", values=[WORKPLACE.models_uri, EXECUTION])
    arguments = trainer(MODEL.training.hyperparameters, output_path).train(
        input_data_config=[InputData(channel_name=name, data_source=uri) for name, uri in channels(preprocess).items()]
    )
    return TrainingStep(name="Train", step_args=arguments, cache_config=CACHE, retry_policies=retries())


def compare_steps(judged: dict) -> tuple[LambdaStep, ProcessingStep]:
    names = ("version", "artifact_uri", "artifact_sha256")
    champion = LambdaStep(
        name="Champion",
        lambda_func=Lambda(function_arn=sample.CHAMPION_FINDER),
        inputs={"challenger_uri": judged["model"]},
        outputs=[LambdaOutput(output_name=name, output_type=LambdaOutputTypeEnum.String) for name in names],
    )
    found = champion.properties.Outputs
    compare = script(
        "Compare",
        "training.compare",
        {"model": judged["model"], "champion": found["artifact_uri"], "holdout": judged["holdout"]},
        {"output": evidence("comparison")},
        sample.MODELS_KEY,
        {"BATON_CHAMPION_VERSION": found["version"], "BATON_CHAMPION_SHA256": found["artifact_sha256"]},
    )
    return champion, compare


SERVED_WITH = (
    '{"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT":"text/csv","SAGEMAKER_PROGRAM":"inference.py",'
    '"SAGEMAKER_SUBMIT_DIRECTORY":"/opt/ml/model/code"}'
)


def evidence_steps(parameters: dict, gate: ProcessingStep, artifact: object) -> tuple[ProcessingStep, LambdaStep]:
    origin = {
        "COMMIT": parameters["CommitId"],
        "AUTHOR": parameters["Author"],
        "REASON": parameters["Reason"],
        "DATASET_URI": parameters["DatasetUri"],
        "DATASET_HASH": parameters["DatasetHash"],
        "EXECUTION": ExecutionVariables.PIPELINE_EXECUTION_ARN,
        "IMAGE": WORKPLACE.image,
        "CONTAINER_ENVIRONMENT": SERVED_WITH,
        "EVIDENCE_URI": evidence(),
    }
    manifest = Join(on="", values=[parameters["DatasetUri"], "_manifest.json"])
    bundle = script(
        "Evidence",
        "training.evidence",
        {"evidence": evidence(), "model": artifact, "manifest": manifest},
        {"output": evidence("evidence")},
        sample.MODELS_KEY,
        {f"BATON_ORIGIN_{name}": value for name, value in origin.items()},
        property_files=[PropertyFile(name="ModelCard", output_name="output", path="model_card.json")],
    )
    sign = LambdaStep(
        name="Sign",
        lambda_func=Lambda(function_arn=sample.SIGNER),
        inputs={
            "execution": ExecutionVariables.PIPELINE_EXECUTION_ARN,
            "commit": parameters["CommitId"],
            "dataset_hash": parameters["DatasetHash"],
            "evidence_uri": evidence(),
            "artifact_uri": artifact,
            "artifact_sha256": report(gate, "artifact_sha256"),
            "image": WORKPLACE.image,
            "container_environment": SERVED_WITH,
        },
        outputs=[LambdaOutput(output_name="bundle_sha256", output_type=LambdaOutputTypeEnum.String)],
        depends_on=["Evidence"],
    )
    return bundle, sign


def register_step(
    parameters: dict, steps: dict, gate: ProcessingStep, artifact: object, bundle: ProcessingStep, sign: LambdaStep
) -> ModelStep:
    def file(step: str, name: str, of: str = "output") -> MetricsSource:
        uri = Join(on="/", values=[output(steps[step], of), name])
        return MetricsSource(content_type="application/json", s3_uri=uri)

    quality = (
        file("Evaluate", "statistics.json", "model-quality"),
        file("Evaluate", "constraints.json", "model-quality"),
    )
    data = file("DataQualityBaseline", "statistics.json"), file("DataQualityBaseline", "constraints.json")
    bias, attributions = file("Bias", "analysis.json"), file("Explain", "analysis.json")
    builder = ModelBuilder(
        role_arn=sample.ROLE,
        sagemaker_session=SESSION,
        image_uri=WORKPLACE.image,
        s3_model_data_url=artifact,
        env_vars=json.loads(SERVED_WITH),
    )
    arguments = builder.register(
        model_package_group_name=sample.GROUP,
        content_types=["text/csv", "application/json"],
        response_types=["text/csv", "application/json"],
        inference_instances=[MODEL.serving.instance_type],
        transform_instances=[MODEL.serving.instance_type],
        approval_status="PendingManualApproval",
        model_metrics=ModelMetrics(
            model_statistics=quality[0],
            model_constraints=quality[1],
            model_data_statistics=data[0],
            model_data_constraints=data[1],
            bias=bias,
            bias_pre_training=bias,
            bias_post_training=bias,
            explainability=attributions,
        ),
        drift_check_baselines=DriftCheckBaselines(
            model_statistics=quality[0],
            model_constraints=quality[1],
            model_data_statistics=data[0],
            model_data_constraints=data[1],
            bias_config_file=FileSource(content_type="application/json", s3_uri=sample.DRIFT.bias),
            bias_pre_training_constraints=bias,
            bias_post_training_constraints=bias,
            explainability_constraints=attributions,
            explainability_config_file=FileSource(content_type="application/json", s3_uri=sample.DRIFT.explainability),
        ),
        model_card=ModelPackageModelCard(
            model_card_content=JsonGet(step_name=bundle.name, property_file="ModelCard", json_path="ModelCardContent"),
            model_card_status="PendingReview",
        ),
        customer_metadata_properties={
            "commit": parameters["CommitId"],
            "author": parameters["Author"],
            "dataset_hash": parameters["DatasetHash"],
            "dataset_uri": parameters["DatasetUri"],
            "evidence_uri": evidence(),
            "evidence_sha256": sign.properties.Outputs["bundle_sha256"],
            "image": WORKPLACE.image,
            "artifact_sha256": report(gate, "artifact_sha256"),
            "pipeline_execution": ExecutionVariables.PIPELINE_EXECUTION_ARN,
            "reason": parameters["Reason"],
        },
    )
    return ModelStep(name="Register", step_args=arguments, retry_policies=[service_retry()])


def report(gate: ProcessingStep, path: str) -> JsonGet:
    return JsonGet(step_name=gate.name, property_file="GateReport", json_path=path)


def build() -> Pipeline:
    defaults = {
        "DatasetUri": "none",
        "DatasetHash": "none",
        "CommitId": "0123abc",
        "Author": "ada@bank.example",
        "Reason": "none",
    }
    parameters = {name: ParameterString(name=name, default_value=value) for name, value in defaults.items()}
    folders = ("train", "validation", "holdout", "baseline", "analysis", "transformer")
    features = {name: Join(on="/", values=[WORKPLACE.features_uri, EXECUTION, name]) for name in folders}
    preprocess = script(
        "Preprocess",
        "training.preprocess",
        {"dataset": parameters["DatasetUri"]},
        features,
        sample.DATA_KEY,
        cache_config=CACHE,
    )
    train = train_step(preprocess)
    artifact = train.properties.ModelArtifacts.S3ModelArtifacts
    judged = {"model": artifact, "holdout": output(preprocess, "holdout")}
    wanted = [
        (
            "Evaluate",
            "training.evaluate",
            judged,
            {"output": evidence("evaluation"), "model-quality": evidence("model_quality")},
        ),
        (
            "DataQualityBaseline",
            "training.baseline",
            {"baseline": output(preprocess, "baseline")},
            {"output": evidence("data_quality")},
        ),
        ("Bias", "training.bias", {**judged, "train": output(preprocess, "train")}, {"output": evidence("bias")}),
        ("Explain", "training.explain", judged, {"output": evidence("explainability")}),
    ]
    steps = {name: script(name, module, reads, writes, sample.MODELS_KEY) for name, module, reads, writes in wanted}
    champion, compare = compare_steps(judged)
    gate = script(
        "Gate",
        "training.gate",
        {
            "evaluation": output(steps["Evaluate"]),
            "bias": output(steps["Bias"]),
            "explainability": output(steps["Explain"]),
            "data-quality": output(steps["DataQualityBaseline"]),
            "model-quality": output(steps["Evaluate"], "model-quality"),
            "comparison": output(compare),
            "model": artifact,
        },
        {"output": evidence("gate")},
        sample.MODELS_KEY,
        {"BATON_STARTED_AT": ExecutionVariables.START_DATETIME, "BATON_COMMIT_AUTHOR": "ada@bank.example"},
        property_files=[PropertyFile(name="GateReport", output_name="output", path="gate.json")],
        depends_on=["DataQualityBaseline", "Bias", "Explain"],
    )
    message = [
        "The gate refused this version: ",
        report(gate, "reasons"),
        " Report: ",
        Join(on="/", values=[output(gate), "gate.json"]),
    ]
    bundle, sign = evidence_steps(parameters, gate, artifact)
    passed = ConditionStep(
        name="Passed",
        conditions=[ConditionEquals(left=report(gate, "passed"), right=1)],
        if_steps=[bundle, sign, register_step(parameters, steps, gate, artifact, bundle, sign)],
        else_steps=[FailStep(name="Refuse", error_message=Join(on="", values=message))],
    )
    return Pipeline(
        name=sample.GROUP,
        parameters=list(parameters.values()),
        steps=[preprocess, train, *steps.values(), champion, compare, gate, passed],
        sagemaker_session=SESSION,
    )


if __name__ == "__main__":
    definition = build().definition()
    sys.stdout.write("\n" + json.dumps(json.loads(definition), sort_keys=True) + "\n")
