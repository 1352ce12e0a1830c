"""The live push."""

from typing import Any

from litestar import WebSocket, websocket
from litestar.datastructures import State

from shiprider.api.live import serve_live


@websocket("/live", name="live")
async def live(socket: WebSocket[Any, Any, Any], state: State) -> None:
    """See docs/api.md, live push."""
    await serve_live(socket, state.site)


HANDLERS = [live]
