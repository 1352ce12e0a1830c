"""The map under load: frames of the live push with as many vessels as are asked for, written as docs/api.md says.

The push is fed from here through the page's own WebSocket, so that the number in view is known exactly;
the frame times of panning are printed, and only a frozen page fails.
"""

import json
from typing import Any

import numpy as np
import pytest

#: A measurement under load: with `make soak`, where nothing else runs beside it.
pytestmark = [pytest.mark.browser, pytest.mark.slow]
TIME_US = 1_772_495_975_000_000
#: A page that does not answer for so long is frozen, on any machine.
FROZEN_MS = 2_000


def snapshot(view: int, count: int, box: tuple[float, float, float, float]) -> bytes:
    """`count` vessels under way, evenly spread over a box; 28 bytes each."""
    random = np.random.default_rng(5)
    west, south, east, north = box
    head = (
        b"SRP1"
        + bytes([0, 2, 0, 0])
        + np.array([view, count, 0, count], "<u4").tobytes()
        + np.array([TIME_US], "<i8").tobytes()
    )
    columns = (
        np.arange(count, dtype="<i4"),
        (random.uniform(south, north, count) * 1e7).astype("<i4"),
        (random.uniform(west, east, count) * 1e7).astype("<i4"),
        (200_000_000 + np.arange(count)).astype("<i4"),
        random.integers(0, 36000, count).astype("<u2"),
        random.integers(0, 36000, count).astype("<u2"),
        random.integers(0, 1200, count).astype("<u2"),
        random.integers(0, 900, count).astype("<u2"),
        random.integers(10, 300, count).astype("<u2"),
        random.integers(0, 9, count).astype("u1"),
        np.ones(count, "u1"),
    )
    return head + b"".join(column.tobytes() for column in columns)


PAN = """async () => {
  const box = document.querySelector('.map canvas');
  const gaps = [];
  const {x, y, width, height} = box.getBoundingClientRect();
  const at = (kind, dx) => box.dispatchEvent(new MouseEvent(kind, {bubbles: true, button: 0, buttons: 1,
    clientX: x + width / 2 + dx, clientY: y + height / 2, view: window}));
  at('mousedown', 0);
  let last = performance.now();
  for (let i = 1; i <= 40; i++) {
    window.dispatchEvent(new MouseEvent('mousemove', {bubbles: true, buttons: 1, clientX: x + width / 2 - 6 * i, clientY: y + height / 2}));
    document.dispatchEvent(new MouseEvent('mousemove', {bubbles: true, buttons: 1, clientX: x + width / 2 - 6 * i, clientY: y + height / 2}));
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }
  window.dispatchEvent(new MouseEvent('mouseup', {bubbles: true, clientX: x + width / 2 - 240, clientY: y + height / 2}));
  return gaps;
}"""


@pytest.mark.parametrize("count", [5_000, 50_000])
def test_panning(desk: Any, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    page = desk.page

    def serve(socket: Any) -> None:
        def answer(message: str) -> None:
            asked = json.loads(message)
            socket.send(snapshot(asked["view"], count, (-95.0, 2.0, -62.0, 26.0)))

        socket.on_message(answer)

    page.route_web_socket("**/api/v1/live*", serve)
    desk.open(f"{desk.origin}/")
    page.wait_for_function(
        f"() => document.querySelector('[data-testid=shown]').textContent.replace(/\\D/g, '') === '{count}'"
    )
    page.wait_for_timeout(1500)
    before = page.url
    gaps = np.array(page.evaluate(PAN))
    with capsys.disabled():
        print(
            f"\n{count} vessels in view, panning: median {np.median(gaps):.0f} ms, "
            f"p95 {np.percentile(gaps, 95):.0f} ms, worst {gaps.max():.0f} ms"
        )
    page.wait_for_url(lambda url: url != before)
    assert gaps.max() < FROZEN_MS
