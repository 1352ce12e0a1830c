"""The world around the vessels: coast, ports, receivers, watchlists, areas."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from shiprider.bootstrap.files import read_text
from shiprider.flow.view import seen
from shiprider.flow.working.adopting import adopted_orders
from shiprider.model.errors import UsageError
from shiprider.model.orders import WatchedArea, Watchlist
from shiprider.model.world import Area, World
from shiprider.model.world import Watch as WatchedVessel
from shiprider.ports.ledger import Ledger


def given_world(
    *,
    anchorages: str = "",
    receivers: str = "",
    watchlist: Sequence[WatchedVessel] = (),
    areas: Sequence[Area] = (),
) -> World:
    """Coast and ports as packaged, anchorages and receivers from the operator's CSV where given."""
    from shiprider.adapters.geography.anchorages import packaged_ports, read_anchorages, read_receivers
    from shiprider.adapters.geography.coast import load_coast

    coast = load_coast()
    return World(
        coast=coast,
        anchorages=read_anchorages(read_text(anchorages), anchorages)
        if anchorages
        else packaged_ports(coast),
        receivers=read_receivers(read_text(receivers), receivers) if receivers else None,
        watchlist=tuple(watchlist),
        areas=tuple(areas),
    )


def read_watchlist(path: str) -> tuple[WatchedVessel, ...]:
    """A watchlist: our CSV, or OFAC's list, told apart by the first line. Raises InputError."""
    from shiprider.formats.ofac_sdn import parse_sdn
    from shiprider.formats.watchlist_csv import parse_watchlist

    if path.endswith(".gz"):
        try:
            text = gzip.decompress(Path(path).read_bytes()).decode("utf-8", "replace")
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or "it is not whole gzip"
            raise UsageError(f"{path} cannot be read ({reason}): check the file.") from error
    else:
        text = read_text(path)
    first = text.split("\n", 1)[0]
    if first.count(",") >= 11 and first[:1].isdigit():
        return parse_sdn(text)
    # errors name the path, findings the list: a path says nothing to a partner
    return tuple(replace(watch, list_name=Path(path).name) for watch in parse_watchlist(text, path))


def read_areas(path: str) -> tuple[Area, ...]:
    """Areas from GeoJSON. Raises InputError."""
    from shiprider.formats.area_geojson import parse_areas

    return parse_areas(read_text(path), path)


def with_orders(base: World, ledger: Ledger) -> World:
    """The world with the watchlists and areas that are active in the ledger."""
    # A partner's orders are shown, and followed where somebody here adopted them: what this node looks for its own
    # people decide.
    own = [r for kind in ("watchlist", "area") for r in ledger.of_kind(kind) if r.origin == ledger.origin]
    lists = [seen(r, Watchlist).body for r in own if r.kind == "watchlist" and r.body is not None]
    marked = [seen(r, WatchedArea).body for r in own if r.kind == "area" and r.body is not None]
    for each in adopted_orders(ledger):
        named = structs.replace(each.body, name=each.called)
        if isinstance(named, Watchlist):
            lists.append(named)
        else:
            marked.append(named)
    return replace(
        base,
        watchlist=tuple(
            WatchedVessel(
                list_name=each.name,
                mmsi=entry.mmsi,
                imo=entry.imo,
                name=entry.name,
                callsign=entry.callsign,
                reason=entry.reason,
            )
            for each in lists
            if each.active
            for entry in each.entries
        ),
        areas=tuple(Area(each.name, each.ring) for each in marked if each.active),
    )
