"""A generated secret keeps to every rule of its template."""

import json
import re
from typing import Any

import pytest

from embedded.front.generated_secrets import secret_string

HEX_KEY: dict[str, Any] = {
    "SecretStringTemplate": "{}",
    "GenerateStringKey": "key",
    "ExcludeCharacters": "ghijklmnopqrstuvwxyz",
    "ExcludeUppercase": True,
    "ExcludePunctuation": "true",
    "PasswordLength": 64,
}


def test_generated_key_has_hexadecimal_digits_only() -> None:
    key = json.loads(secret_string({"GenerateSecretString": HEX_KEY}))["key"]
    assert re.fullmatch(r"[0-9a-f]{64}", key)


def test_template_keeps_its_other_members() -> None:
    rules = {**HEX_KEY, "SecretStringTemplate": '{"username": "reader"}'}
    assert json.loads(secret_string({"GenerateSecretString": rules}))["username"] == "reader"


def test_plain_secret_stays_as_declared() -> None:
    assert secret_string({"SecretString": "declared"}) == "declared"
    assert len(secret_string({"GenerateSecretString": {}})) == 32


def test_fails_when_every_character_is_excluded() -> None:
    rules = {"ExcludeCharacters": "0123456789abcdef", **{k: v for k, v in HEX_KEY.items() if k != "ExcludeCharacters"}}
    with pytest.raises(ValueError, match="excludes every character"):
        secret_string({"GenerateSecretString": {**rules, "ExcludeLowercase": True, "ExcludeNumbers": True}})
