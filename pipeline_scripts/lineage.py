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


def commit_address(commit: str) -> str:
    """A commit of the code."""
    return f"commit:{commit}"


def evidence_address(evidence_uri: str) -> str:
    """The signed bundle of a version."""
    return f"{evidence_uri.rstrip('/')}/evidence/bundle.json"
