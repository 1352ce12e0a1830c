"""The map under load: frames of the live push with as many vessels as are asked for, written as docs/api.md says.

The push is fed from here through the page's own WebSocket, so that the number in view is known exactly;
the frame times of panning are printed, and only a frozen page fails.
"""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

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


#: Collects the gaps between frames until it is asked for them.
WATCH = """() => {
  window.gaps = [];
  let last = performance.now();
  const frame = (now) => { window.gaps.push(now - last); last = now; window.frame = requestAnimationFrame(frame); };
  window.frame = requestAnimationFrame((now) => { last = now; window.frame = requestAnimationFrame(frame); });
}"""
STEPS, STEP_PX = 40, 6


def pan(page: Any) -> Any:
    """Drag the map with the mouse, a step a frame; the gaps between frames meanwhile, milliseconds."""
    box = page.locator(".map canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(WATCH)
    for step in range(1, STEPS + 1):
        page.mouse.move(x - STEP_PX * step, y)
    gaps = page.evaluate("() => { cancelAnimationFrame(window.frame); return window.gaps; }")
    page.mouse.up()
    return np.array(gaps)


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
    gaps = pan(page)
    # The drag moved the map by as much as the mouse: the address says where it looks now.
    desk.until(lambda: page.url != before, tries=120)
    moved = [float(parse_qs(urlsplit(url).query)["lon"][0]) for url in (before, page.url)]
    zoom = float(parse_qs(urlsplit(before).query)["z"][0])
    assert moved[1] - moved[0] == pytest.approx(STEPS * STEP_PX * 360 / (512 * 2**zoom), rel=0.1)
    with capsys.disabled():
        print(
            f"\n{count} vessels in view, panning: {len(gaps)} frames, median {np.median(gaps):.0f} ms, "
            f"p95 {np.percentile(gaps, 95):.0f} ms, worst {gaps.max():.0f} ms"
        )
    assert len(gaps) > 5 and gaps.max() < FROZEN_MS
