"""The operational log: one JSON object a line, without personal data by construction.

Always true: a line has the event's fixed words and the named facts that are allowed here, nothing else: values
put into a message, an exception's text and a request's address never reach it, because names, call signs and
MMSI travel in those. Who did what is in the access log.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, TextIO

#: Facts that a line may carry: numbers, and names that the operator gave.
FACTS: Final = frozenset(
    {
        "bytes", "condition", "count", "days", "error", "feed", "messages", "method", "port", "seconds", "segment",
        "sequence", "sign", "status",
    }
)  # fmt: skip

#: Loggers whose fixed words are ours or known; of others only that something was said.
_KNOWN: Final = ("shiprider",)


class JsonLines(logging.Formatter):
    """Formats a record."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        ours = record.name.split(".", 1)[0] in _KNOWN
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            # A literal of the program: what is put into it by arguments stays out.
            "event": record.msg
            if ours and isinstance(record.msg, str) and not _filled(record)
            else "message",
            "line": f"{record.module}:{record.lineno}",
        }
        for name in FACTS:
            value = record.__dict__.get(name)
            if value is not None:
                line[name] = value if isinstance(value, int | float) else str(value)[:100]
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["trace"] = _places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def _filled(record: logging.LogRecord) -> bool:
    return bool(record.args)


def _places(trace: TracebackType | None) -> list[str]:
    """Where, innermost last: files and lines, no values and no text."""
    return [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}:{frame.name}"
        for frame in traceback.extract_tb(trace)[-12:]
    ]


def log_json(stream: TextIO | None = None) -> None:
    """Send everything that is logged, from information up, to standard error as JSON lines."""
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
