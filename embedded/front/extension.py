"""Puts our own services and actions in front of ministack's."""

import asyncio
from collections.abc import Callable, Mapping

from ministack import app
from ministack.core import router

from embedded.front.api import Answer, Caller, HttpRequest, ModelledService
from embedded.front.identity import caller_of

Respond = Callable[[HttpRequest, Caller], Answer]
Query = Mapping[str, list[str]]


def add_service(name: str, *, target_prefix: str, respond: Respond) -> None:
    """Let the front door answer a service that ministack does not have.

    Args:
        name: The service's signing name.
        target_prefix: How its `X-Amz-Target` headers begin.
        respond: Answers a request of a caller; it may block.
    """

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Query) -> Answer:
        request = HttpRequest(method=method, path=path, headers=headers, query=query, body=body)
        return await asyncio.to_thread(respond, request, caller_of(headers, query))

    router.SERVICE_PATTERNS[name] = {"target_prefixes": [target_prefix], "host_patterns": []}
    app.SERVICE_HANDLERS[name] = handle


def add_actions(name: str, *, actions: frozenset[str], service: ModelledService) -> None:
    """Answer some actions of a service that ministack has; it keeps the others.

    Args:
        name: ministack's name of the service.
        actions: What `service` answers.
        service: Our own part of it.
    """
    original = app.SERVICE_HANDLERS[name]

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Query) -> Answer:
        target = headers.get("x-amz-target", "")
        if target.rpartition(".")[2] not in actions:
            answer: Answer = await original(method, path, headers, body, query)
            return answer
        return await asyncio.to_thread(service.answer, target=target, body=body, caller=caller_of(headers, query))

    app.SERVICE_HANDLERS[name] = handle
