"""The signature of a bundle: made and verified by KMS, whose private key nobody holds."""

import base64
import binascii
import json
from typing import Any

from botocore.exceptions import ClientError

from pipeline_scripts.functions.evidence_objects import Refused, as_json

ALGORITHM = "ECDSA_SHA_256"


def sign(kms: Any, *, key_arn: str, digest: str) -> bytes:
    """Sign a SHA-256: the content of signature.json."""
    answer = kms.sign(KeyId=key_arn, Message=bytes.fromhex(digest), MessageType="DIGEST", SigningAlgorithm=ALGORITHM)
    return _canonical(
        {
            "key_arn": key_arn,
            "algorithm": ALGORITHM,
            "digest": digest,
            "signature": base64.b64encode(answer["Signature"]).decode(),
        }
    )


def check_signature(content: bytes, *, kms: Any, key_arn: str, digest: str) -> None:
    """Verify signature.json.

    The file has one spelling, so that no byte of it can change unnoticed.

    Args:
        content: The file's.
        kms: The client.
        key_arn: The key that must have signed, whatever the file names.
        digest: The hash that must have been signed.

    Raises:
        Refused: It is no signature of this hash by this key.
    """
    said = as_json(content, where="its signature")
    if content != _canonical(said):
        raise Refused("its signature is not written as Baton writes it")
    for name, expected in (("key_arn", key_arn), ("algorithm", ALGORITHM), ("digest", digest)):
        if said.get(name) != expected:
            raise Refused(f"its signature has another {name}: {said.get(name)}, not {expected}")
    try:
        answer = kms.verify(
            KeyId=key_arn,
            Message=bytes.fromhex(digest),
            MessageType="DIGEST",
            Signature=_decoded(said.get("signature")),
            SigningAlgorithm=ALGORITHM,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("KMSInvalidSignatureException", "ValidationException"):
            raise Refused("its signature was not made by this environment's key for this bundle") from error
        raise
    if not answer["SignatureValid"]:
        raise Refused("its signature was not made by this environment's key for this bundle")


def _decoded(text: Any) -> bytes:
    """Base64 has several spellings of some bytes; only the usual one is taken."""
    try:
        signature = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except binascii.Error:
        signature = b""
    if not signature or base64.b64encode(signature).decode() != text:
        raise Refused("its signature is no base64")
    return signature


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
