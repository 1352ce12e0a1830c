"""Recording: what left the node, to whom and for what, before it leaves.

Always true: an answer of a route that shows content is held until its line in the access log is durable;
where it cannot be written the answer is thrown away and refused; the line names ids that stand in the
answer itself, so that no handler can forget one, and what was asked for, as the request says it.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from shiprider.api.authorising import Asker, entry
from shiprider.api.permissions import Rule
from shiprider.api.schemas.base import Failure
from shiprider.api.taxii_form import refused
from shiprider.flow.access import Access
from shiprider.model.access_entry import bounded
from shiprider.model.errors import NotLogged

Message = Any
Send = Callable[[Message], Awaitable[None]]

#: Ids of records and of vessels in an answer, under whatever name; the form is that of api/schemas, written by
#: msgspec. A vessel is a number, the key of its name, or what a note is about.
_OBJECTS: Final = re.compile(rb'"([0-9a-f]{32})"|"mmsi":(\d{1,9})\b|[{,]"(\d{1,9})":|"subject":"(\d{1,9})"')

#: Ids in one line of the log; an answer with more takes more lines, `count` says how many it has in all.
MOST_OBJECTS: Final = 500
#: Of a query so much is read, before what it says is cut to what the log takes.
_QUERY_BYTES: Final = 8192
#: Lines of one answer; only a picture of a whole ocean has more ids.
MOST_LINES: Final = 20

_REFUSED: Final = (401, 403, 404, 421)


def recorded(app: Callable[..., Awaitable[None]], access: Access) -> Callable[..., Awaitable[None]]:
    """The application, its answers held until they are in the log."""

    async def application(scope: Any, receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        held: list[Message] = []

        async def holding(message: Message) -> None:
            rule: Rule | None = scope["state"].get("rule")
            if rule is None or rule.act is None:
                await send(message)
                return
            if rule.streams and message["type"] == "http.response.start" and message["status"] < 400:
                scope["state"]["streaming"] = True
            if scope["state"].get("streaming"):
                await send(message)
                return
            held.append(message)
            if message["type"] != "http.response.body" or message.get("more_body"):
                return
            try:
                await _record(scope, access, rule, held)
            except NotLogged as error:
                await _refuse(send, scope["path"], str(error))
                return
            for each in held:
                await send(each)

        await app(scope, receive, holding)

    return application


async def _record(scope: Any, access: Access, rule: Rule, held: list[Message]) -> None:
    state = scope["state"]
    status = held[0].get("status", 500)
    asker: Asker | None = state.get("asker")
    asked = asked_for(scope["query_string"])
    if status < 400:
        if rule.by_hand or state.get("logged"):
            return
        content = b"".join(message.get("body", b"") for message in held[1:])
        objects = objects_in(content)
        path = [str(value) for value in scope.get("path_params", {}).values()]
        named = tuple(dict.fromkeys((*path, *objects)))
        at_us = access.clock()
        parts = [named[at : at + MOST_OBJECTS] for at in range(0, max(len(named), 1), MOST_OBJECTS)]
        lines = [
            entry(asker, rule, state["what"], "allowed", at_us, objects=part, count=len(named))
            for part in parts[:MOST_LINES]
        ]
        lines[0] = msgspec.structs.replace(lines[0], asked=asked)
    elif asker is None:
        # Strangers are counted where they sign in; a flood of them must not fill the log.
        return
    else:
        outcome = "denied" if status in _REFUSED else "failed"
        path_objects = tuple(str(value)[:64] for value in scope.get("path_params", {}).values())
        why = state.get("why", str(status))
        lines = [
            entry(
                asker,
                rule,
                state["what"],
                outcome,
                access.clock(),
                objects=path_objects,
                why=why,
                asked=asked,
            )
        ]
    await asyncio.to_thread(access.record, *lines)


def asked_for(query: bytes) -> str:
    """What was searched for, and the filters, as `q="SEA FOX" limit="20"`; never longer than the log takes."""
    given = parse_qsl(query[:_QUERY_BYTES].decode("latin-1"), errors="replace")
    return bounded(" ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given))


def objects_in(content: bytes) -> list[str]:
    """Ids in an answer, each once."""
    found = dict.fromkeys(b"".join(each) for each in _OBJECTS.findall(content))
    return [each.decode() for each in found]


async def _refuse(send: Send, path: str, sentence: str) -> None:
    message, _, hint = sentence.rpartition(": ")
    failure = Failure(error="not_logged", message=f"{message}.", hint=hint[:1].upper() + hint[1:])
    kind, body, _ = refused(path, 503, failure)
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", b"5"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
