"""The steps of a flow and of what follows it as the SageMaker SDK builds them; run as a process of its own."""

import json
import sys

# First, because it sets what the SDK wants of the environment before it is imported.
from sdk_pipeline import CACHE, EXECUTION, SESSION, WORKPLACE, job_input, retries, script  # isort: split

import pipeline_samples as sample
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

from baton.foundation.images import images_in

OUTPUT = f"{sample.NODE}.default"
FOLDERS = ("train", "validation", "holdout", "baseline", "analysis", "transformer")


def network() -> object:
    from sagemaker.core.network import NetworkConfig

    return NetworkConfig(
        enable_network_isolation=False,
        security_group_ids=list(WORKPLACE.security_group_ids),
        subnets=list(WORKPLACE.subnet_ids),
        encrypt_inter_container_traffic=True,
    )


def features(name: str) -> Join:
    return Join(on="/", values=[WORKPLACE.features_uri, EXECUTION, name])


def wrangle_step(dataset: ParameterString) -> ProcessingStep:
    processor = Processor(
        role=sample.ROLE,
        image_uri=images_in(sample.REGION).data_wrangler,
        instance_count=1,
        instance_type="ml.m5.4xlarge",
        volume_size_in_gb=30,
        volume_kms_key=sample.DATA_KEY,
        output_kms_key=sample.DATA_KEY,
        max_runtime_in_seconds=3600,
        sagemaker_session=SESSION,
        network_config=network(),
    )
    written = ProcessingS3Output(
        s3_uri=features("wrangled"), local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob"
    )
    configuration = json.dumps({OUTPUT: {"content_type": "PARQUET"}})
    arguments = processor.run(
        inputs=[
            job_input("flow", sample.FLOW, "/opt/ml/processing/flow"),
            job_input("bank_churn", dataset, "/opt/ml/processing/bank_churn"),
        ],
        outputs=[ProcessingOutput(output_name=OUTPUT, s3_output=written)],
        arguments=[f"--output-config '{configuration}'"],
        kms_key=sample.DATA_KEY,
    )
    return ProcessingStep(name="Wrangle", step_args=arguments, retry_policies=retries(), cache_config=CACHE)


def build() -> Pipeline:
    dataset = ParameterString(name="DatasetUri", default_value="none")
    wrangle = wrangle_step(dataset)
    written = wrangle.properties.ProcessingOutputConfig.Outputs[OUTPUT].S3Output.S3Uri
    rows = Join(on="/", values=[written, wrangle.properties.ProcessingJobName])
    reads = {"dataset": dataset, "wrangled": rows}
    writes = {name: features(name) for name in FOLDERS}
    preprocess = script("Preprocess", "training.preprocess", reads, writes, sample.DATA_KEY, cache_config=CACHE)
    return Pipeline(name=sample.GROUP, parameters=[dataset], steps=[wrangle, preprocess], sagemaker_session=SESSION)


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(json.loads(build().definition()), sort_keys=True) + "\n")
