"""A data engineer's flow as the first step of the pipeline, run by AWS's container of Data Wrangler.

See:
    https://docs.aws.amazon.com/sagemaker/latest/dg/data-wrangler-data-export.html
"""

import json
from dataclasses import replace
from pathlib import Path

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from baton.specification.flow import OUTPUT, dataset_name, read_flow
from baton.specification.wrangler import Wrangler
from baton.training.jobs import PROCESSING_OUTPUT, JobInput, JobOutput, ProcessingJob
from baton.training.references import Join, Value
from baton.training.steps import ProcessingStep
from baton.training.workplace import CACHED_FOR, JOB_RETRY, SERVICE_RETRY, Workplace

PROCESSING = "/opt/ml/processing"
WRANGLED = "wrangled"


class FlowFile(Construct):
    """A flow, deployed together with the pipeline that runs it.

    Its place in S3 follows from its content, so a changed flow is never mistaken for the one a result was made with.

    Args:
        folder: The folder of flows.
        wrangler: Which of them, and which of its nodes.

    Raises:
        FlowError: The flow cannot be run.
    """

    def __init__(self, scope: Construct, construct_id: str, *, folder: Path, wrangler: Wrangler) -> None:
        super().__init__(scope, construct_id)
        flow = read_flow(folder / wrangler.flow)
        end = flow.end(wrangler.node)
        self.node_id = end.node_id
        self.dataset_name = dataset_name(flow.way_to(end))
        self._asset = s3_assets.Asset(self, "Resource", path=str(folder / wrangler.flow))
        self.s3_uri = self._asset.s3_object_url

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` read this flow, and nothing else of the bucket it lies in."""
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:GetObject"],
            resource_arns=[self._asset.bucket.arn_for_objects(self._asset.s3_object_key)],
        )


def wrangle_step(
    workplace: Workplace,
    *,
    image: str,
    flow_s3_uri: str,
    node_id: str,
    dataset_name: str,
    dataset: Value,
    instance_type: str,
) -> ProcessingStep:
    """Runs the flow up to one node, on the data set of this execution instead of the one it was drawn on.

    The container takes a data set that lies under the name of the flow's source instead of that source. It writes to S3
    itself, so it needs a network, and it lies in the private subnets. What the flow has learnt in Studio is kept:
    nothing is fitted again, so the same flow and data set give the same rows, and an earlier result may be reused.
    """
    output = f"{node_id}.{OUTPUT}"
    job = ProcessingJob(
        image=image,
        role_arn=workplace.job_role_arn,
        machine=replace(workplace.machine(purpose="data"), instance_type=instance_type),
        network=workplace.network(isolated=False),
        output_key_arn=workplace.data_key_arn,
        max_runtime_seconds=workplace.max_runtime_seconds,
        arguments=(f"--output-config '{json.dumps({output: {'content_type': 'PARQUET'}})}'",),
        inputs=(
            JobInput(name="flow", s3_uri=flow_s3_uri, local_path=f"{PROCESSING}/flow"),
            JobInput(name=dataset_name, s3_uri=dataset, local_path=f"{PROCESSING}/{dataset_name}"),
        ),
        outputs=(JobOutput(name=output, s3_uri=workplace.features(WRANGLED), local_path=PROCESSING_OUTPUT),),
    )
    return ProcessingStep(name="Wrangle", job=job, retries=(SERVICE_RETRY, JOB_RETRY), cache_for=CACHED_FOR)


def wrangled_rows(wrangle: ProcessingStep) -> Join:
    """Where the rows lie: the container makes a folder of the job's name, so an attempt that failed leaves no rows."""
    return Join("/", (wrangle.output(wrangle.job.outputs[0].name), wrangle.job_name))
