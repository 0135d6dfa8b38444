"""A SageMaker transform job: a model's container, fed with the records of objects in S3."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from embedded.compute.hosted_model import HostedModel, Place
from embedded.compute.invocation import Request
from embedded.compute.job import REASON_LENGTH, ClientFactory, Environment, JobRefused, JobResult, now
from embedded.compute.model_server import Reply
from embedded.compute.served_model import EndpointFailure
from embedded.compute.transform_join import Association, JoinFailed
from embedded.compute.transform_objects import Source, capture, read, sources, write
from embedded.compute.transform_records import PayloadTooLarge, assemble, payloads, split

_PAYLOAD_MB = 6  # SageMaker's own default
_TIMEOUT_S = 600.0
_RETRIES = 3


class _Stopped(Exception):
    """The job was told to stop."""


class TransformRun:
    """Runs what CreateTransformJob asks for. One container stands for all of its instances.

    Args:
        request: The request.
        client: Gives boto3 clients of the front door.
        workdir: A folder of the job's own.
        environment: How the container reaches AWS.
    """

    def __init__(
        self, *, request: Mapping[str, Any], client: ClientFactory, workdir: Path, environment: Environment
    ) -> None:
        self._request, self._client, self._workdir = request, client, workdir
        self._strategy = request.get("BatchStrategy", "MultiRecord")
        self._limit_mb = int(request.get("MaxPayloadInMB", _PAYLOAD_MB))
        self._workers = max(1, int(request.get("MaxConcurrentTransforms", 1)))
        self._instances = int(request["TransformResources"]["InstanceCount"])
        self._stopped = threading.Event()
        place = Place(
            client=client,
            workdir=workdir,
            environment=environment,
            log_group="/aws/sagemaker/TransformJobs",
            log_stream=f"{request['TransformJobName']}/algo-1",
        )
        self._model = HostedModel(
            owner=request, name=request["TransformJobName"], place=place, environment=self._variables()
        )

    def execute(self) -> JobResult:
        """Run the job; answer how it ended."""
        started = now()
        status, reason = "Completed", None
        try:
            self._transform()
        except _Stopped:
            status = "Stopped"
        except (JobRefused, EndpointFailure, JoinFailed, PayloadTooLarge) as error:
            status, reason = "Failed", str(error)[:REASON_LENGTH]
        return JobResult(
            status=status,
            secondary_status=status,
            failure_reason=reason,
            exit_message=None,
            exit_code=None,
            log_path=self._workdir / "container.log",
            started=started,
            ended=now(),
        )

    def stop(self) -> None:
        """Stop it after the payloads under way."""
        self._stopped.set()

    def _transform(self) -> None:
        given, output = self._request["TransformInput"], self._request["TransformOutput"]
        if given.get("SplitType", "None") not in ("None", "Line"):
            raise JobRefused(f"ClientError: embedded AWS splits by Line or not at all, not by {given['SplitType']}")
        s3 = self._client("s3")
        captured = self._request.get("DataCaptureConfig", {})
        association = Association(
            processing=self._request.get("DataProcessing", {}),
            content_type=given.get("ContentType", ""),
            identified=bool(captured.get("GenerateInferenceId")),
        )
        found = sources(s3, given)
        self._refuse_if_stopped()
        self._model.start()
        try:
            written = [self._transform_object(s3, source, association) for source in found]
        finally:
            self._model.stop()
        if captured:
            uris = [source.uri for source in found]
            capture(s3, captured, inputs=uris, outputs=(output["S3OutputPath"], written), at=now())

    def _transform_object(self, s3: Any, source: Source, association: Association) -> str:
        given, output = self._request["TransformInput"], self._request["TransformOutput"]
        content = read(s3, source, compression=given.get("CompressionType", "None"))
        records = split(content, split_type=given.get("SplitType", "None"))
        groups = self._groups(records, association)
        with ThreadPoolExecutor(max_workers=self._workers * self._instances) as pool:
            answers = list(pool.map(lambda group: self._answer(group[0], group[1], association), groups))
        return write(s3, output, source, assemble(answers, assemble_with=output.get("AssembleWith", "None")))

    def _groups(self, records: list[bytes], association: Association) -> list[tuple[list[bytes], bytes]]:
        """The records that go together, each group with the payload that the container gets."""
        sent = [association.sent(record) for record in records]
        groups, position = [], 0
        for group in payloads(sent, strategy=self._strategy, limit_mb=self._limit_mb):
            groups.append((records[position : position + len(group)], b"\n".join(group)))
            position += len(group)
        return groups

    def _answer(self, records: list[bytes], payload: bytes, association: Association) -> bytes:
        client = self._request.get("ModelClientConfig", {})
        request = Request(
            body=payload,
            content_type=self._request["TransformInput"].get("ContentType", "application/octet-stream"),
            accept=self._request["TransformOutput"].get("Accept"),
            timeout_s=float(client.get("InvocationsTimeoutInSeconds", _TIMEOUT_S)),
        )
        reply = self._post(request)
        for _ in range(int(client.get("InvocationsMaxRetries", _RETRIES))):
            if reply.status < 500:
                break
            reply = self._post(request)
        if reply.status != 200:
            side = "ClientError" if reply.status < 500 else "AlgorithmError"
            said = reply.body.decode("utf-8", "replace")[:200]
            raise JobRefused(
                f"{side}: See job logs for more information; the container answered {reply.status}: {said}"
            )
        return association.stored(records, reply.body)

    def _post(self, request: Request) -> Reply:
        self._refuse_if_stopped()
        return self._model.server.post(body=request.body, headers=request.headers, timeout_s=request.timeout_s)

    def _refuse_if_stopped(self) -> None:
        if self._stopped.is_set():
            raise _Stopped

    def _variables(self) -> dict[str, str]:
        """What tells a container that it transforms batches, and what the job adds to its environment."""
        return {
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_BATCH_STRATEGY": {"MultiRecord": "MULTI_RECORD"}.get(self._strategy, "SINGLE_RECORD"),
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(self._limit_mb),
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(self._workers),
            **self._request.get("Environment", {}),
        }
