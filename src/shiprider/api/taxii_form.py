"""TAXII 2.1 on the wire: media types, and every error as TAXII's error message.

Always true: an error says what an error of the API says, in TAXII's words (TAXII 2.1, 3.6.1).
"""

from typing import Any, Final

import msgspec

from shiprider.api.schemas.base import Failure
from shiprider.api.tokens import is_taxii

TAXII_TYPE: Final = "application/taxii+json"
MEDIA_TYPE: Final = f"{TAXII_TYPE};version=2.1"
STIX_MEDIA_TYPE: Final = "application/stix+json;version=2.1"


def error_message(status: int, failure: Failure) -> dict[str, Any]:
    """An error in TAXII's words."""
    message = {"title": failure.message, "error_code": failure.error, "http_status": str(status)}
    return {**message, "description": failure.hint} if failure.hint else message


def refused(path: str, status: int, failure: Failure) -> tuple[str, bytes, list[tuple[bytes, bytes]]]:
    """Media type, body and more headers of a refusal, for who asked that path."""
    if not is_taxii(path):
        return "application/json", msgspec.json.encode(failure), []
    more = [(b"www-authenticate", b'Bearer realm="TAXII", Basic realm="TAXII"')] if status == 401 else []
    return MEDIA_TYPE, msgspec.json.encode(error_message(status, failure)), more
