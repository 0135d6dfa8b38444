"""Lets the CDK's command line see a finished deployment at once: it looks only every five seconds."""

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import parse_qs

from ministack import app
from ministack.services.cloudformation import _stacks

from embedded.front.api import Answer

_ACTIONS = (b"Action=ExecuteChangeSet", b"Action=DeleteStack")
_LIMIT = 20.0


def install() -> None:
    """Answer the command line's calls when the stack is done, or after a bounded wait."""
    original = app.SERVICE_HANDLERS["cloudformation"]

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Mapping[str, list[str]]
    ) -> Answer:
        answer: Answer = await original(method, path, headers, body, query)
        if answer[0] == 200 and any(action in body for action in _ACTIONS):
            await _settled(parse_qs(body.decode()).get("StackName", [""])[0])
        return answer

    app.SERVICE_HANDLERS["cloudformation"] = handle


async def _settled(reference: str) -> None:
    deadline = time.monotonic() + _LIMIT
    while time.monotonic() < deadline:
        stack = _stacks.get(reference.split("/")[1] if reference.startswith("arn:") else reference)
        if stack is None or not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return
        await asyncio.sleep(0.05)
