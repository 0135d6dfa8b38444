"""One request to a model and what came of it."""

from dataclasses import dataclass

from embedded.compute.model_server import Reply

_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller sends to a model.

    Attributes:
        body: The payload.
        content_type: What the payload is.
        accept: What the answer should be; None leaves that to the container.
        inference_id: The caller's own name for it, which data capture keeps.
        custom_attributes: Passed to the container, and back from it.
        target_variant: The variant that must answer; None leaves that to the weights.
        explanations: Which rows to explain, by a JMESPath expression; None leaves that to the endpoint.
        timeout_s: How long the container may take; None is a real-time request's limit.
    """

    body: bytes
    content_type: str = "application/octet-stream"
    accept: str | None = None
    inference_id: str | None = None
    custom_attributes: str | None = None
    target_variant: str | None = None
    explanations: str | None = None
    timeout_s: float | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the container sees."""
        headers = {"Content-Type": self.content_type, "Accept": self.accept or "*/*"}
        if self.custom_attributes:
            headers[_ATTRIBUTES] = self.custom_attributes
        if self.inference_id:
            headers["X-Amzn-SageMaker-Inference-Id"] = self.inference_id
        return headers


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What InvokeEndpoint answers, or, with a status of 400 and more, what its ModelError says."""

    status: int
    body: bytes
    content_type: str
    variant: str
    custom_attributes: str | None
    inference_id: str | None

    @classmethod
    def of(cls, request: Request, reply: Reply, *, variant: str) -> "Invocation":
        """The container's reply to a request, as its caller sees it."""
        return cls(
            status=reply.status,
            body=reply.body,
            content_type=reply.content_type,
            variant=variant,
            custom_attributes=reply.headers.get(_ATTRIBUTES.lower()),
            inference_id=request.inference_id,
        )
