"""Writes web/openapi.json, the description of the API that the client's types are generated from.

Run as `.venv/bin/python web/scripts/openapi.py`; tests/e2e/test_web_description.py holds the file and the application together.
"""

import json
from pathlib import Path
from typing import Any

from shiprider.api.app import make_litestar


def description() -> dict[str, Any]:
    """The application's own description; no node is needed to describe it."""
    made: dict[str, Any] = make_litestar(None).openapi_schema.to_schema()  # type: ignore[arg-type]
    return made


if __name__ == "__main__":
    target = Path(__file__).resolve().parents[1] / "openapi.json"
    target.write_text(json.dumps(description(), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
