"""Every error as one JSON form: a code, one sentence, what to do.

Always true: no answer carries a stack trace or a path of the program; what a person may not see and what
is not there give the same answer.
"""

import logging
import math
from collections.abc import Callable
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec

from shiprider.api.schemas.base import Failure
from shiprider.api.taxii_form import MEDIA_TYPE, error_message
from shiprider.api.tokens import is_taxii
from shiprider.model import errors

_log = logging.getLogger("shiprider.api")

#: Status and code of what the house raises on purpose; the first class that fits wins.
_OURS: Final[tuple[tuple[type[errors.ShipriderError], int, str], ...]] = (
    (errors.NotFound, 404, "not_found"),
    (errors.Conflict, 409, "conflict"),
    (errors.NotRecognised, 401, "not_recognised"),
    (errors.NoPurpose, 403, "no_purpose"),
    (errors.Forbidden, 403, "forbidden"),
    (errors.NotYet, 429, "not_yet"),
    (errors.UsageError, 400, "bad_request"),
    (errors.InputError, 400, "bad_input"),
    (errors.NotLogged, 503, "not_logged"),
    (errors.DiskFull, 507, "disk_full"),
    (errors.NodeBusy, 503, "node_busy"),
    (errors.StorageError, 500, "storage"),
)

_HTTP: Final = {
    400: ("bad_request", "The request cannot be understood.", "See /api/v1/openapi.json."),
    404: ("not_found", "There is nothing here.", "See /api/v1/openapi.json."),
    405: ("bad_method", "This is not done with this method.", "See /api/v1/openapi.json."),
    406: (
        "not_acceptable",
        "Nothing is answered in that form.",
        "Accept application/taxii+json;version=2.1.",
    ),
    413: ("too_large", "The body is too large.", "Send less at once."),
    415: ("not_json", "The body must be JSON.", "Send it with `Content-Type: application/json`."),
}


def _failure(status: int, error: str, message: str, hint: str) -> Response[Failure]:
    return Response(
        Failure(error=error, message=message, hint=hint), status_code=status, media_type="application/json"
    )


def _sentence(text: str) -> tuple[str, str]:
    """The message and, after its colon, what to do (the form of `model/errors.py`)."""
    message, colon, hint = text.rpartition(": ")
    if not colon:
        return text, ""
    return message + ".", hint[:1].upper() + hint[1:]


def on_ours(_: Request[Any, Any, Any], error: errors.ShipriderError) -> Response[Failure]:
    """What the house raised on purpose."""
    for kind, status, code in _OURS:
        if isinstance(error, kind):
            answer = _failure(status, code, *_sentence(str(error)))
            if isinstance(error, errors.NotYet):
                answer.headers["retry-after"] = str(max(math.ceil(error.wait_s), 1))
            return answer
    return _failure(500, "failed", *_sentence(str(error)))


def on_validation(_: Request[Any, Any, Any], error: ValidationException) -> Response[Failure]:
    """A parameter or a body that does not have its form."""
    where = "; ".join(
        f"{item.get('key', 'body')}: {item.get('message', '')}"
        for item in (error.extra or [])
        if isinstance(item, dict)
    )
    return _failure(
        400, "bad_request", f"The request cannot be meant ({where or error.detail}).", _HTTP[400][2]
    )


def on_http(_: Request[Any, Any, Any], error: HTTPException) -> Response[Failure]:
    """What the framework refuses."""
    code, message, hint = _HTTP.get(error.status_code, ("failed", "The request failed.", "Try again."))
    if error.status_code >= 500:
        _log.error("request failed", exc_info=error)
        message, hint = "Something failed inside.", "The node's log says what."
    return _failure(error.status_code, code, message, hint)


def on_anything(_: Request[Any, Any, Any], error: Exception) -> Response[Failure]:
    """What nobody meant: logged with its trace, answered without."""
    _log.error("request failed", exc_info=error)
    return _failure(500, "failed", "Something failed inside.", "The node's log says what.")


def on_unreadable(_: Request[Any, Any, Any], __: Exception) -> Response[Failure]:
    """A body that is no text, or nested too deeply."""
    return _failure(400, "bad_request", "The body is no JSON text of ours.", _HTTP[400][2])


def _shaped(handler: Callable[[Request[Any, Any, Any], Any], Response[Failure]]) -> Any:
    """The same error in the form of who is asked: the API's, or TAXII's."""

    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        answer = handler(request, error)
        path, status = request.scope["path"], answer.status_code or 500
        if not is_taxii(path):
            return answer
        headers = {name: value for name, value in answer.headers.items() if value is not None}
        content = error_message(status, answer.content)
        return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)

    return handle


HANDLERS: Final[dict[int | type[Exception], Any]] = {
    errors.ShipriderError: _shaped(on_ours),
    ValidationException: _shaped(on_validation),
    HTTPException: _shaped(on_http),
    UnicodeDecodeError: _shaped(on_unreadable),
    RecursionError: _shaped(on_unreadable),
    Exception: _shaped(on_anything),
}


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """Errors of a route for the API's description; those that every route has included."""
    described = {
        400: "The request cannot be meant.",
        401: "No session and no token.",
        403: "Wrong origin, or not allowed.",
        404: "No such thing, or not for this observer.",
        409: "Someone else decided in the meantime.",
        413: "The body is too large.",
        415: "The body is not JSON.",
        421: "Wrong Host.",
        429: "Too many tries: wait.",
        500: "Something failed inside.",
        503: "The access cannot be logged, or the node is busy.",
        507: "The disk is full.",
    }
    wanted = sorted({400, 401, 403, 421, 500, 503, *statuses})
    return {
        status: ResponseSpec(Failure, description=described[status], generate_examples=False)
        for status in wanted
    }


#: Errors of a route that changes something.
CHANGING: Final = (409, 413, 415, 507)
