"""`shiprider demo`: a simulated day, from bytes to a map with alerts."""

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shiprider.cli.compiling import announced

if TYPE_CHECKING:
    from shiprider.cli.demo_coalition import DemoPartners

#: The first so many hours are taken in at once; the rest comes live.
_TAKEN_HOURS = 22


@click.command(epilog="Example: shiprider demo --no-browser")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("demo"), show_default=True)
@click.option(
    "--seed", type=click.IntRange(0), default=7, show_default=True, help="Another seed, another day."
)
@click.option(
    "--speed", type=click.FloatRange(min=0.1), default=20.0, show_default=True, help="Of the live hours."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8750, show_default=True, help="0 takes a free one."
)
@click.option(
    "--coalition", is_flag=True, help="Beside it three partners' nodes, one of them a ship on a slow link."
)
@click.option("--browser/--no-browser", default=True, help="Open the page.")
@click.option("--fresh", is_flag=True, help="Throw the demo folder away and begin anew.")
@click.option("--json", "as_json", is_flag=True, help="Print one object with the address when it is up.")
@announced
def command(
    folder: Path,
    seed: int,
    speed: float,
    port: int,
    coalition: bool,
    browser: bool,
    fresh: bool,
    as_json: bool,
) -> None:
    """Simulate a day at sea, take its bytes in, detect, and open the watch floor.

    The day ends live: its last hours are played at --speed. Everything shown is simulated and marked so. With
    --coalition, three other nations' nodes run beside it, get what labels allow, and one alert is taken back.
    """
    from shiprider import settings
    from shiprider.bootstrap.coalition import DAY_LABEL, LIVE_LABEL, lay_out, members, settings_text
    from shiprider.bootstrap.feeds import paced_recording, recording
    from shiprider.bootstrap.folder import load_settings
    from shiprider.bootstrap.node import open_node
    from shiprider.bootstrap.simulations import simulation
    from shiprider.cli.output import progress, say
    from shiprider.cli.run import serve
    from shiprider.cli.stopping import stop_on_signal
    from shiprider.measure.clock import HOUR_US, MINUTE_US
    from shiprider.model.codes import Nature
    from shiprider.model.errors import UsageError

    began = time.monotonic()
    mark = folder / f"demo-{seed}.nmea"
    made_for = (folder / "partners").exists()
    if folder.exists() and (fresh or not mark.exists() or made_for != coalition):
        # A node that is none of ours has settings too, and what it holds is nowhere else.
        if any(folder.iterdir()) and not any(folder.glob("demo-*.nmea")):
            raise UsageError(f"{folder} is not a demo's folder: choose another with --folder.")
        shutil.rmtree(folder)
    if not mark.exists():
        folder.mkdir(parents=True, exist_ok=True)
        text = settings.TEMPLATE.format(node="demo").replace("# [access]", "[access]\ndemo = true")
        if coalition:
            nodes = members(folder)
            (folder / settings.FILE_NAME).write_text(settings_text(nodes[0], nodes), encoding="utf-8")
            lay_out(nodes)
        else:
            (folder / settings.FILE_NAME).write_text(text, encoding="utf-8")
        # The day ends about now, so that clocks and ages on the page are what a watch would see.
        now_us = time.time_ns() // 1000
        play = simulation("demo", seed, (now_us - 24 * HOUR_US) // (10 * MINUTE_US) * (10 * MINUTE_US))
        begin, end = play.scenario.start_us, play.scenario.end_us
        live = folder / f"demo-{seed}-live.nmea"
        with (
            progress("simulate") as advance,
            (folder / "new.nmea").open("wb") as taken,
            live.open("wb") as rest,
        ):
            for piece in play.slices(begin, end, 10 * MINUTE_US):
                out = taken if piece.end_us <= begin + _TAKEN_HOURS * HOUR_US else rest
                out.write(piece.data)
                advance((piece.end_us - begin) / (end - begin), "")
        (folder / "new.nmea").rename(mark)
    elif not load_settings(folder).access.demo:
        # Made by a Shiprider that knew no accounts: the newcomer is signed in by itself there too.
        with (folder / settings.FILE_NAME).open("a", encoding="utf-8") as text_out:
            text_out.write("\n[access]\ndemo = true\n")
    with open_node(folder) as opened, stop_on_signal(opened.node.stop) as stopped:
        with progress("ingest") as advance:
            label = DAY_LABEL if coalition else ""
            opened.node.ingest([recording(str(mark), label=label)], advance)
        with progress("detect") as advance:
            opened.node.catch_up(advance)
        if stopped():
            return
        say(f"Ready after {time.monotonic() - began:.0f} s. All data is SIMULATED.")
        say("The address below signs you in by itself, as a demo user, on this machine only.")
        feed = paced_recording(
            folder / f"demo-{seed}-live.nmea",
            speed=speed,
            nature=Nature.SIMULATED,
            label=LIVE_LABEL if coalition else "",
        )
        partners: DemoPartners | None = None
        if coalition:
            from shiprider.cli import demo_coalition

            partners = demo_coalition.DemoPartners(opened, members(folder), port, as_json=as_json)

        def ready(url: str) -> None:
            if browser:
                _open(url)
            if partners is not None:
                partners.begin()

        try:
            serve(opened, folder, [feed], port, as_json=as_json, demo=True, ready=ready)
        finally:
            if partners is not None:
                partners.end()


def _open(url: str) -> None:
    import webbrowser

    webbrowser.open(url)
