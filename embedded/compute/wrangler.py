"""A processing job whose image is Data Wrangler's: its own program takes the image's place."""

import sys
from dataclasses import replace
from pathlib import Path

from embedded.compute.container_job import ContainerSpec, Verdict
from embedded.compute.container_process import ProcessEnd
from embedded.compute.job import REASON_LENGTH
from embedded.compute.processing import ProcessingRun
from embedded.compute.spark import spark_environment

_ROOT = Path(__file__).resolve().parents[2]
_REPOSITORY = "sagemaker-data-wrangler-container"


def is_data_wrangler(image: str) -> bool:
    """Whether an image is the one that AWS publishes for flows."""
    return image.rpartition("/")[2].partition(":")[0] == _REPOSITORY


class WranglerRun(ProcessingRun):
    """Runs a flow. Why one is refused stands in the job's own reason, so that nobody must look for it in the log."""

    def _spec(self) -> ContainerSpec:
        spec = super()._spec()
        return replace(
            spec,
            entrypoint=(sys.executable, "-m", "embedded.wrangler"),
            environment={
                **spec.environment,
                **spark_environment(scratch=self._opt_ml.scratch),
                "PYTHONPATH": str(_ROOT),
            },
        )

    def _judge(self, end: ProcessEnd) -> Verdict:
        verdict, said = super()._judge(end), self._opt_ml.text("message")
        if verdict.status == "Failed" and end.exit_code == 1 and said:
            return replace(verdict, failure_reason=f"AlgorithmError: {said}"[:REASON_LENGTH])
        return verdict
