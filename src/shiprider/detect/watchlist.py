"""Watchlist: a vessel that somebody asked to be told of is seen.

Always true: an IMO number decides before an MMSI, an MMSI before a name (hulls keep their IMO number,
MMSIs are re-assigned, names are shared); a name matches only where no stated IMO number or MMSI of
the list speaks against it; a sighting is told once, and again after the vessel was away.
"""

from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final

import msgspec
import numpy as np

from shiprider.detect import scoring
from shiprider.detect.preset import Preset, form
from shiprider.detect.statements import changed_rows
from shiprider.model.codes import Nature
from shiprider.model.finding import Evidence, Fact, Finding
from shiprider.model.rows import Rows, StatementRows
from shiprider.model.world import Watch, World

#: What a match by each identifier is worth, in log-odds (P).
_WEIGHTS: Final = {"imo": 1.5, "mmsi": 0.8, "callsign": 0.3, "name": -1.5}
_RANK: Final = {"imo": 3, "mmsi": 2, "callsign": 1, "name": 0}
_SHORTEST_CALLSIGN: Final = 4


class WatchlistForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The numbers of a watchlist preset."""

    again_s: float
    name_likeness: float


@dataclass(frozen=True, slots=True)
class Stated:
    """What an identity stated so far."""

    imo: int = 0
    name: str = ""
    callsign: str = ""


@dataclass(slots=True)
class WatchlistState:
    """Matches by identity: by what, which line, when last seen. Dicts are copied before they change."""

    stated: dict[int, Stated] = field(default_factory=dict)
    matched: dict[int, tuple[str, Watch]] = field(default_factory=dict)
    last_seen: dict[int, int] = field(default_factory=dict)


def comparable(text: str | None) -> str:
    """Letters and digits only, upper case: `M/V "Santa-Rita"` and `SANTA RITA` are one name."""
    if not text:
        return ""
    plain = text.upper()
    for prefix in ("M/V ", "MV ", "M/T ", "MT ", "F/V ", "FV ", "S/Y ", "SY ", "M/Y ", "MY "):
        plain = plain.removeprefix(prefix)
    return "".join(letter for letter in plain if letter.isalnum())


@dataclass(frozen=True, slots=True)
class Lists:
    """The watchlist, indexed."""

    by_imo: dict[int, Watch]
    by_mmsi: dict[int, Watch]
    by_name: dict[str, tuple[Watch, ...]]
    #: Lines that give a call sign and no name.
    by_callsign: dict[str, Watch]

    @classmethod
    def of(cls, watches: tuple[Watch, ...]) -> "Lists":
        """Indexes over the lines; the first line with an identifier has it."""
        by_name: dict[str, tuple[Watch, ...]] = {}
        for watch in watches:
            if name := comparable(watch.name):
                by_name[name] = (*by_name.get(name, ()), watch)
        return cls(
            {watch.imo: watch for watch in reversed(watches) if watch.imo},
            {watch.mmsi: watch for watch in reversed(watches) if watch.mmsi},
            by_name,
            {
                sign: watch
                for watch in reversed(watches)
                if not watch.name and len(sign := comparable(watch.callsign)) >= _SHORTEST_CALLSIGN
            },
        )

    def match(self, mmsi: int, stated: Stated, likeness: float) -> tuple[str, Watch] | None:
        """The strongest match of an identity and what it stated: by what, and the line."""
        if stated.imo in self.by_imo:
            return "imo", self.by_imo[stated.imo]
        watch = self.by_mmsi.get(mmsi)
        if watch is not None and not (watch.imo and stated.imo and watch.imo != stated.imo):
            return "mmsi", watch
        for candidate in self._named(stated.name, likeness):
            if candidate.imo and stated.imo and candidate.imo != stated.imo:
                continue
            if candidate.mmsi and candidate.mmsi != mmsi and not candidate.imo:
                continue
            if candidate.callsign and len(stated.callsign) >= _SHORTEST_CALLSIGN:
                if comparable(candidate.callsign) == stated.callsign:
                    return "callsign", candidate
                continue
            return "name", candidate
        watch = self.by_callsign.get(stated.callsign)
        if watch is not None and watch.mmsi in (None, mmsi) and (not watch.imo or not stated.imo):
            return "callsign", watch
        return None

    def _named(self, name: str, likeness: float) -> tuple[Watch, ...]:
        if not name:
            return ()
        if likeness >= 1.0:
            return self.by_name.get(name, ())
        return tuple(
            watch
            for known, watches in self.by_name.items()
            if SequenceMatcher(None, known, name).ratio() >= likeness
            for watch in watches
        )


@dataclass(frozen=True, slots=True)
class WatchlistDetector:
    """Sightings under one preset."""

    preset_of: Preset
    numbers: WatchlistForm

    @property
    def behaviour(self) -> str:
        return "watchlist"

    @property
    def preset(self) -> str:
        return self.preset_of.name

    def start(self) -> WatchlistState:
        """Nobody matched."""
        return WatchlistState()

    def fold(self, state: WatchlistState, rows: Rows, world: World) -> tuple[WatchlistState, list[Finding]]:
        """Sightings in these rows."""
        if not world.watchlist:
            return state, []
        lists = Lists.of(world.watchlist)
        state = WatchlistState(dict(state.stated), dict(state.matched), dict(state.last_seen))
        # what was stated before the list had the vessel counts as well
        for mmsi in (*state.stated, *lists.by_mmsi):
            self._now(
                state, mmsi, lists.match(mmsi, state.stated.get(mmsi, Stated()), self.numbers.name_likeness)
            )
        return state, self._sighted(state, rows, self._listen(state, lists, rows.statements))

    def finish(self, state: WatchlistState, world: World) -> list[Finding]:
        """Nothing is held back."""
        del state, world
        return []

    def _now(self, state: WatchlistState, mmsi: int, found: tuple[str, Watch] | None) -> None:
        """What an identity matches from now on; by something stronger, it is a new sighting."""
        known = state.matched.get(mmsi)
        if found is None:
            state.matched.pop(mmsi, None)
            state.last_seen.pop(mmsi, None)
        elif known is None or known[1] != found[1] or _RANK[found[0]] > _RANK[known[0]]:
            state.matched[mmsi] = found
            state.last_seen.pop(mmsi, None)

    def _listen(
        self, state: WatchlistState, lists: Lists, rows: StatementRows
    ) -> list[tuple[int, int, tuple[str, Watch] | None]]:
        """Changes of what identities match, in order: (time, identity, match)."""
        changes = []
        for i in changed_rows(rows).tolist():
            mmsi = int(rows.claimed_id[i])
            old = state.stated.get(mmsi, Stated())
            name, callsign = comparable(rows.name[i]), comparable(rows.callsign[i])
            new = Stated(int(rows.imo[i]) or old.imo, name or old.name, callsign or old.callsign)
            if new != old:
                state.stated[mmsi] = new
                changes.append(
                    (int(rows.time_us[i]), mmsi, lists.match(mmsi, new, self.numbers.name_likeness))
                )
        return sorted(changes, key=lambda change: change[0])

    def _sighted(
        self, state: WatchlistState, rows: Rows, changes: list[tuple[int, int, tuple[str, Watch] | None]]
    ) -> list[Finding]:
        points = rows.points
        findings: list[Finding] = []
        of_interest = {*state.matched, *(mmsi for _, mmsi, found in changes if found is not None)}
        rows_of = np.flatnonzero(np.isin(points.claimed_id, np.array(sorted(of_interest), np.int64)))
        told = 0
        for i in rows_of.tolist():
            mmsi, time_us = int(points.claimed_id[i]), int(points.time_us[i])
            while told < len(changes) and changes[told][0] <= time_us:
                self._now(state, changes[told][1], changes[told][2])
                told += 1
            if mmsi not in state.matched:
                continue
            how, watch = state.matched[mmsi]
            last = state.last_seen.get(mmsi)
            state.last_seen[mmsi] = time_us
            if last is not None and time_us - last < round(self.numbers.again_s * 1e6):
                continue
            facts: dict[str, Fact] = {
                "list": watch.list_name,
                "by": how,
                "name": watch.name or watch.callsign or str(watch.imo or mmsi),
                "why": watch.reason,
            }
            findings.append(
                Finding(
                    behaviour="watchlist",
                    preset=self.preset,
                    subtype=how,
                    participants=(mmsi,),
                    start_us=time_us,
                    end_us=time_us,
                    latitude_deg=float(points.latitude_deg[i]),
                    longitude_deg=float(points.longitude_deg[i]),
                    score=scoring.score(self.preset_of.prior, {how: _WEIGHTS[how]}),
                    reason_key=f"by_{how}",
                    facts=facts,
                    evidence=(
                        Evidence(
                            track=int(points.track[i]),
                            claimed_id=mmsi,
                            start_us=time_us,
                            end_us=time_us,
                            raws=(int(points.raw[i]),),
                        ),
                    ),
                    simulated=int(points.nature[i]) == Nature.SIMULATED,
                )
            )
        for _, mmsi, found in changes[told:]:
            self._now(state, mmsi, found)
        return findings


def build(preset: Preset) -> WatchlistDetector:
    """The detector of a watchlist preset; raises UsageError in one sentence."""
    return WatchlistDetector(preset, form(preset, WatchlistForm))
