"""The OpenAPI description as a file, from which the web client is generated.

Always true: it is made from the routes themselves, needs no node, and is the same bytes every time.
`python -m shiprider.api.describe` writes it to standard output.
"""

import json
import sys
from typing import Any

from shiprider.api.app import described, make_litestar


def document() -> dict[str, Any]:
    """The description."""
    return described(make_litestar(None))


def text() -> str:
    """The description as JSON, keys sorted."""
    return json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
