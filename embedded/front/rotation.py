"""Secret rotation as a setting: kept and described, and cancelled when its schedule goes."""

from typing import Any

from ministack.core.responses import request_scope
from ministack.services import secretsmanager

from embedded.front.api import ApiError, Caller, ModelledService


class SecretRotation:
    """RotateSecret and CancelRotateSecret. No rotation runs here, so a secret's value stays as it is."""

    def __init__(self, *, account: str, region: str) -> None:
        self._scope = (account, region)

    def service(self) -> ModelledService:
        """These actions behind the service's protocol."""
        actions = {"RotateSecret": self._rotate, "CancelRotateSecret": self._cancel}
        return ModelledService(name="secretsmanager", actions=actions)

    def _rotate(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if request.get("RotateImmediately", True):
            message = "embedded AWS runs no rotation; set RotateImmediately (RotateImmediatelyOnUpdate) to false."
            raise ApiError("InvalidRequestException", message)
        secret = self._secret(request)
        for key in ("RotationLambdaARN", "RotationRules"):
            if key in request:
                secret[key] = request[key]
        secret["RotationEnabled"] = True
        return {"ARN": secret["ARN"], "Name": secret["Name"]}

    def _cancel(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        secret = self._secret(request)
        secret["RotationEnabled"] = False
        return {"ARN": secret["ARN"], "Name": secret["Name"]}

    def _secret(self, request: dict[str, Any]) -> dict[str, Any]:
        with request_scope(*self._scope):
            _, secret = secretsmanager._resolve(request["SecretId"])
        if secret is None:
            message = "Secrets Manager can't find the specified secret."
            raise ApiError("ResourceNotFoundException", message)
        known: dict[str, Any] = secret
        return known
