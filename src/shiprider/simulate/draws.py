"""The distributions that event parameters are drawn from, each with its source.

Always true: nothing here is a detector's threshold, and every distribution reaches well below and well
above the durations and distances at which encounters and silences are usually reported.

Sources. (D) the domain page of this project, figures marked (V): conveyances, speeds, sizes. (M) Miller
et al. 2018, Frontiers in Marine Science 5:240, "Identifying global patterns of transshipment behavior":
meetings at sea in AIS last from minutes to a day, most of them hours, at distances of tens to hundreds
of metres. (W) Welch et al. 2022, Science Advances 8: eabq2109, "Hot spots of unseen fishing vessels":
AIS disabled for hours to days. (B) Bergman 2021, SkyTruth, "Systematic data analysis reveals false
vessel tracks", and Bergman 2019 on circles near ports: false positions on circles, fixed offsets and
far-away clusters. (C) our choice, where no public figure gives a distribution.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np


@dataclass(frozen=True, slots=True)
class Draw:
    """A lognormal distribution by its median and sigma, clipped; units are in the name of the constant."""

    median: float
    sigma: float
    low: float
    high: float

    def sample(self, rng: np.random.Generator) -> float:
        """One value."""
        return float(np.clip(np.exp(rng.normal(np.log(self.median), self.sigma)), self.low, self.high))


#: Handing over alongside: minutes (go-fast loads of about a tonne, D; spread C) and metres apart (M, C).
HANDOVER_MINUTES: Final = Draw(45.0, 0.9, 5.0, 360.0)
HANDOVER_METRES: Final = Draw(60.0, 1.0, 8.0, 900.0)
#: Refuelling by drums or hose: minutes and metres (C).
REFUEL_MINUTES: Final = Draw(60.0, 0.9, 8.0, 480.0)
REFUEL_METRES: Final = Draw(45.0, 0.9, 8.0, 600.0)
#: A rendezvous of two larger vessels: minutes (M).
RENDEZVOUS_MINUTES: Final = Draw(150.0, 0.9, 15.0, 1200.0)
#: Silence around a rendezvous, and in a dark transit: hours (W; spread C).
SILENCE_HOURS: Final = Draw(9.0, 0.9, 1.0, 60.0)
TRANSIT_SILENCE_HOURS: Final = Draw(16.0, 0.8, 1.5, 96.0)
#: Drift while alongside: knots (C; current and wind of the open sea).
DRIFT_KNOTS: Final = Draw(0.9, 0.6, 0.1, 3.5)
#: Go-fast: 35 to 50 kn (D), slower when loaded or in a sea way (C).
GO_FAST_KNOTS: Final = Draw(34.0, 0.25, 18.0, 50.0)
#: Silence between two identities: minutes (C).
SWAP_PAUSE_MINUTES: Final = Draw(40.0, 1.1, 1.0, 480.0)
#: False positions: hours, share of circle, offset and teleport; kilometres (B for the kinds, C for the spread).
SPOOF_HOURS: Final = Draw(6.0, 0.9, 0.5, 60.0)
SPOOF_SHARES: Final = (0.35, 0.35, 0.30)
CIRCLE_RADIUS_KM: Final = Draw(2.0, 0.9, 0.1, 18.0)
CIRCLE_AWAY_KM: Final = Draw(60.0, 1.2, 1.0, 900.0)
OFFSET_KM: Final = Draw(18.0, 1.1, 0.8, 250.0)

#: Who carries: fishing vessels first of all (UNODC Global Report on Cocaine 2023; shares C).
MOTHERSHIP_KINDS: Final = {"fishing": 0.65, "cargo": 0.2, "yacht": 0.15}
REFUELLER_KINDS: Final = {"fishing": 0.6, "service": 0.25, "tanker": 0.15}
PARTNER_KINDS: Final = {"fishing": 0.55, "cargo": 0.3, "yacht": 0.15}
TRANSIT_KINDS: Final = {"fishing": 0.45, "cargo": 0.35, "yacht": 0.2}
SWAP_KINDS: Final = {"cargo": 0.4, "tanker": 0.25, "fishing": 0.35}
#: Shares that transmit (C): go-fasts hardly ever do.
GO_FAST_WITH_AIS: Final = 0.12
REFUELLED_WITH_AIS: Final = 0.2
PARTNER_WITH_AIS: Final = 0.6

#: Cruising speed by kind, knots.
CRUISE_KNOTS: Final = {
    "fishing": (7.0, 10.0),
    "cargo": (10.0, 14.5),
    "tanker": (9.5, 13.0),
    "yacht": (6.0, 14.0),
    "service": (8.5, 12.0),
}
