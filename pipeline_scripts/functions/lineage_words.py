"""The words in which the platform speaks to SageMaker Lineage: what its functions record, and `baton trace` reads.

An entity is known by its type and by the address of what it stands for. The addresses are chosen so that none is one
that SageMaker records by itself: the data set has no slash at its end, as the jobs' inputs have.
"""

SOURCE_TABLE = "SourceTable"
INGESTION = "Ingestion"
DATASET = "CuratedDataset"
COMMIT = "Commit"
ALARM = "Alarm"
EXECUTION = "PipelineExecution"
EVIDENCE = "Evidence"
APPROVAL = "Approval"
DEPLOYMENT = "Deployment"


def dataset_address(dataset_uri: str) -> str:
    """A version of the data set: the folder of its run."""
    return dataset_uri.rstrip("/")


def source_address(source: str) -> str:
    """A table or whatever else rows come from, behind the connection it is reached by."""
    return f"source:{source}"


def commit_address(commit: str) -> str:
    """A commit of the code."""
    return f"commit:{commit}"


def of_sagemaker(kind: str, name: str, *, beside: str) -> str:
    """The ARN of an endpoint or an endpoint config in the account and region of what has the ARN `beside`."""
    _, partition, _, region, account, _ = beside.split(":", 5)
    return f"arn:{partition}:sagemaker:{region}:{account}:{kind}/{name}"


def evidence_address(evidence_uri: str) -> str:
    """The signed bundle of a version."""
    return f"{evidence_uri.rstrip('/')}/evidence/bundle.json"
