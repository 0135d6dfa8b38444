"""Generated secrets as their template asks for them: ministack heeds the length and the excluded characters alone."""

import json
import secrets
import string
from collections.abc import Mapping
from typing import Any

from ministack.services.cloudformation import provisioners

_KINDS = {
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
}


def install() -> None:
    """Let AWS::SecretsManager::Secret generate by all of its rules."""
    provisioners._sm_secret_string = secret_string


def secret_string(properties: Mapping[str, Any]) -> str:
    """The value that a template declares, or one generated from its GenerateSecretString."""
    rules = properties.get("GenerateSecretString")
    if rules is None or properties.get("SecretString"):
        return str(properties.get("SecretString", ""))
    allowed = _allowed(rules)
    generated = "".join(secrets.choice(allowed) for _ in range(int(rules.get("PasswordLength", 32))))
    if "SecretStringTemplate" not in rules:
        return generated
    content = json.loads(rules["SecretStringTemplate"])
    return json.dumps({**content, rules["GenerateStringKey"]: generated})


def _allowed(rules: Mapping[str, Any]) -> str:
    kinds = "".join(kind for rule, kind in _KINDS.items() if not _true(rules.get(rule)))
    space = " " if _true(rules.get("IncludeSpace")) else ""
    allowed = "".join(sign for sign in kinds + space if sign not in rules.get("ExcludeCharacters", ""))
    if not allowed:
        raise ValueError("GenerateSecretString excludes every character; allow some")
    return allowed


def _true(value: Any) -> bool:
    return str(value).lower() == "true"
