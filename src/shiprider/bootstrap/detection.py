"""Tracker and detectors, and recordings looked through without a node."""

import hashlib
from collections.abc import Sequence
from functools import partial

from shiprider import __version__
from shiprider.bootstrap.decoding import open_decoder
from shiprider.bootstrap.files import read_text
from shiprider.detect.catalogue import make_detectors
from shiprider.detect.user_presets import parse_user_presets
from shiprider.flow.folds import Folds
from shiprider.flow.recording import DayStore, Progress, Tally, detect, read_rows
from shiprider.formats.csv.layouts import CsvLayout
from shiprider.model.finding import Finding
from shiprider.model.world import World
from shiprider.ports.feed import Feed
from shiprider.track.cooperative import CooperativeTracker


def folds(presets: Sequence[str] = (), user_presets: str = "") -> Folds:
    """Tracker and detectors. Raises UsageError where a preset is none."""
    user = parse_user_presets(read_text(user_presets), user_presets) if user_presets else ()
    return Folds(CooperativeTracker, make_detectors(presets, user))


def fold_version(pieces: Folds) -> str:
    """Names the code and the presets: a state of others is not taken up."""
    names = [f"{d.behaviour}.{d.preset}:{getattr(d, 'numbers', '')}" for d in pieces.detectors]
    return hashlib.sha256("\n".join([__version__, *names]).encode()).hexdigest()


def detect_recordings(
    feeds: Sequence[Feed],
    pieces: Folds,
    world: World,
    progress: Progress,
    tables: tuple[CsvLayout, ...] = (),
) -> tuple[Tally, list[Finding]]:
    """All findings of some recordings, as a node would give them; `tables` are declared layouts, tried first."""
    store = DayStore()
    try:
        opener = partial(open_decoder, layouts=tables)
        tally = read_rows(feeds, opener, store, lambda part, text: progress(part * 0.6, text))
        return tally, detect(store, pieces, world, lambda part, text: progress(0.6 + part * 0.4, text))
    finally:
        store.close()
