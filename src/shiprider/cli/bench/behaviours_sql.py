# ruff: noqa: S608 - the only things put into the text are numbers of presets
"""The movement presets as DuckDB SQL: the peer of our folds, with the same definitions.

Always true: a query takes its numbers from the preset, reads the table `p` (track, t, lat, lon, sog;
t in microseconds) and `anchorages` (lat, lon), and gives one row per event. Distances use the same
ellipsoidal formula as ours, so that both sides fall on the same side of a threshold.
"""

from collections.abc import Mapping
from typing import Any, Final

#: WGS 84 distance over short ranges (measure/geodesy.py, `local_one`).
MACROS: Final = """
CREATE OR REPLACE MACRO short(d) AS ((d + 180.0) % 360.0 + 360.0) % 360.0 - 180.0;
CREATE OR REPLACE MACRO bend(m) AS 1.0 - 6.694379990141316e-3 * sin(radians(m)) * sin(radians(m));
CREATE OR REPLACE MACRO metres(a, b, c, d) AS sqrt(
  pow(6378137.0 * (1.0 - 6.694379990141316e-3) / (bend((a + c) / 2) * sqrt(bend((a + c) / 2)))
      * radians(c - a), 2)
  + pow(6378137.0 / sqrt(bend((a + c) / 2)) * cos(radians((a + c) / 2)) * radians(short(d - b)), 2));
"""


def gap(n: Mapping[str, Any]) -> str:
    """(track, start, end) of every silence of at least `silence_s`."""
    return f"""
SELECT track, t0 AS s, t AS e FROM (
  SELECT track, t, lag(t) OVER (PARTITION BY track ORDER BY t) AS t0 FROM p)
WHERE t - t0 >= {int(n["silence_s"]) * 1_000_000}"""


def loitering(n: Mapping[str, Any]) -> str:
    """(track, start, end) of every run: gaps and islands over slow legs, then the mean over the run."""
    return f"""
WITH q AS (
  SELECT track, t, lat, lon, sog, lag(t) OVER w AS t0, lag(lat) OVER w AS lat0, lag(lon) OVER w AS lon0,
         lag(sog) OVER w AS sog0 FROM p WINDOW w AS (PARTITION BY track ORDER BY t)),
paced AS (
  SELECT track, t0, t, CASE WHEN t - t0 < {int(n["chord_s"] * 1e6)} AND NOT isnan(sog) AND NOT isnan(sog0)
         THEN (sog + sog0) / 2 ELSE metres(lat0, lon0, lat, lon) / ((t - t0) / 1e6) END AS pace
  FROM q WHERE t > t0),
legs AS (
  SELECT *, sum(pace * (t - t0) / 1e6) OVER (PARTITION BY track ORDER BY t ROWS UNBOUNDED PRECEDING) AS way
  FROM paced),
slow AS (
  SELECT track, t0, t, CASE WHEN t0 - lag(t) OVER w <= {int(n["burst_s"] * 1e6)}
           OR (t0 - lag(t) OVER w <= 3600000000
             AND way - pace * (t - t0) / 1e6 - lag(way) OVER w
               + (3600 - (t0 - lag(t) OVER w) / 1e6) * (pace + lag(pace) OVER w) / 2 < {n["speed_mps"] * 3600.0})
         THEN 0 ELSE 1 END AS fresh
  FROM legs WHERE pace < {n["speed_mps"]} AND t - t0 <= {int(n["max_gap_s"] * 1e6)}
  WINDOW w AS (PARTITION BY track ORDER BY t)),
islands AS (
  SELECT track, t0, t, sum(fresh) OVER (PARTITION BY track ORDER BY t ROWS UNBOUNDED PRECEDING) AS run FROM slow),
runs AS (
  SELECT track, run, min(t0) AS s, max(t) AS e FROM islands GROUP BY ALL
  HAVING max(t) - min(t0) >= {int(n["duration_s"] * 1e6)})
SELECT r.track, r.s, r.e FROM runs r JOIN legs l ON l.track = r.track AND l.t0 >= r.s AND l.t <= r.e
GROUP BY ALL HAVING sum(l.pace * (l.t - l.t0)) / (r.e - r.s) < {n["speed_mps"]}"""


def port_visit(n: Mapping[str, Any]) -> str:
    """(track, start, end, confidence): hysteresis by carrying the last definite value forward."""
    # Cells of a tenth of a degree: 4 km reach the next cell only, up to 60 degrees of latitude.
    return f"""
WITH cells AS (
  SELECT lat AS y, lon AS x, floor(lat * 10)::INT + i AS r, floor(lon * 10)::INT + j AS c
  FROM anchorages, (VALUES (-1), (0), (1)) a(i), (VALUES (-1), (0), (1)) b(j)),
d AS (
  SELECT track, t, any_value(sog) AS sog, min(metres(lat, lon, y, x)) AS d
  FROM p LEFT JOIN cells ON floor(lat * 10)::INT = r AND floor(lon * 10)::INT = c GROUP BY track, t),
i AS (
  SELECT track, t, sog, coalesce(last_value(CASE WHEN d <= {n["entry_m"]} THEN 1
      WHEN d IS NULL OR d >= {n["exit_m"]} THEN 0 END IGNORE NULLS) OVER w, 0) AS inside
  FROM d WINDOW w AS (PARTITION BY track ORDER BY t ROWS UNBOUNDED PRECEDING)),
l AS (
  SELECT *, lag(inside) OVER w AS was, lag(t) OVER w AS t0 FROM i WINDOW w AS (PARTITION BY track ORDER BY t)),
spells AS (
  SELECT *, sum(CASE WHEN was = inside THEN 0 ELSE 1 END)
      OVER (PARTITION BY track ORDER BY t ROWS UNBOUNDED PRECEDING) AS spell FROM l),
stops AS (
  SELECT *, CASE WHEN inside = 1 THEN coalesce(last_value(CASE WHEN sog <= {n["stop_begin_mps"]} THEN 1
      WHEN sog >= {n["stop_end_mps"]} THEN 0 END IGNORE NULLS)
      OVER (PARTITION BY track, spell ORDER BY t ROWS UNBOUNDED PRECEDING), 0) ELSE 0 END AS stopped FROM spells),
events AS (
  SELECT track, t, t0, was = 0 AND inside = 1 AS entered, was = 1 AND inside = 0 AS left_it,
         was = 1 AND t - t0 > {int(n["gap_s"] * 1e6)} AS silent,
         lag(stopped) OVER w IS NOT NULL AND lag(stopped) OVER w <> stopped AS stop
  FROM stops WINDOW w AS (PARTITION BY track ORDER BY t)),
visits AS (
  SELECT *, sum(CASE WHEN left_it THEN 1 ELSE 0 END)
      OVER (PARTITION BY track ORDER BY t ROWS UNBOUNDED PRECEDING) - CASE WHEN left_it THEN 1 ELSE 0 END AS v
  FROM events)
SELECT track, min(CASE WHEN silent THEN t0 + {int(n["gap_s"] * 1e6)} ELSE t END) AS s, max(t) AS e,
       CASE WHEN bool_or(stop OR silent) THEN 2 + bool_or(entered)::INT + bool_or(left_it)::INT ELSE 1 END AS confidence
FROM visits WHERE entered OR left_it OR silent OR stop GROUP BY track, v"""


def encounter(n: Mapping[str, Any], *, loose_steps: int = 0) -> str:
    """(a, b, start, end) of every contact, on ticks; `loose_steps` shortens the duration by so many steps."""
    step = int(n["step_s"] * 1e6)
    cell = n["within_m"] / 110_500.0
    slack = loose_steps * step
    kn01 = 0.1 * 1852.0 / 3600.0
    median = n["median_speed_mps"] - 1e-6
    return f"""
WITH q AS (
  SELECT track, t, lat, lon, sog, lag(t) OVER w AS t0, lag(lat) OVER w AS lat0, lag(lon) OVER w AS lon0
  FROM p WINDOW w AS (PARTITION BY track ORDER BY t)),
ticks AS (
  SELECT track, sog, t0, t, lat0, lon0, lat, lon, unnest(range(t0 // {step} + 1, t // {step} + 1)) AS k
  FROM q WHERE t > t0 AND t - t0 <= {int(n["max_gap_s"] * 1e6)} AND t0 // {step} < t // {step}),
placed AS (
  SELECT track, k, sog, lat0 + (lat - lat0) * (k * {step} - t0) / (t - t0) AS y,
         short(lon0 + short(lon - lon0) * (k * {step} - t0) / (t - t0)) AS x FROM ticks),
ports AS (
  SELECT lat, lon, floor(lat * 5)::INT + i AS r, floor(lon * 5)::INT + j AS c
  FROM anchorages, (VALUES (-1), (0), (1)) a(i), (VALUES (-1), (0), (1)) b(j)),
away AS (
  SELECT * FROM placed WHERE NOT EXISTS (
    SELECT 1 FROM ports WHERE r = floor(y * 5)::INT AND c = floor(x * 5)::INT
    AND metres(y, x, lat, lon) <= {n["anchorage_m"]})),
paced AS (
  SELECT track, k, y, x, floor(CASE WHEN lag(k) OVER w = k - 1
      THEN metres(lag(y) OVER w, lag(x) OVER w, y, x) / {step / 1e6} ELSE sog END / {kn01} + 1e-9) AS pace,
      floor((y + 90) / {cell})::INT AS r, floor((x + 180) / {cell * 1.5})::INT AS c
  FROM away WINDOW w AS (PARTITION BY track ORDER BY k)),
nine AS (
  SELECT track, k, y, x, pace, r + i AS r, c + j AS c
  FROM paced, (VALUES (-1), (0), (1)) a(i), (VALUES (-1), (0), (1)) b(j)),
near AS (
  SELECT a.track AS a, b.track AS b, a.k AS k, a.pace AS pa, b.pace AS pb
  FROM paced a JOIN nine b ON a.k = b.k AND a.r = b.r AND a.c = b.c AND a.track < b.track
  WHERE metres(a.y, a.x, b.y, b.x) <= {n["within_m"]}),
fresh AS (
  SELECT *, CASE WHEN (k - lag(k) OVER w) * {step} <= {int(n["flicker_s"] * 1e6)} THEN 0 ELSE 1 END AS new
  FROM near WINDOW w AS (PARTITION BY a, b ORDER BY k)),
runs AS (
  SELECT *, sum(new) OVER (PARTITION BY a, b ORDER BY k ROWS UNBOUNDED PRECEDING) AS run FROM fresh),
paces AS (
  SELECT a, b, run, k, unnest([pa, pb]) AS pace FROM runs)
SELECT a, b, min(k) * {step} AS s, max(k) * {step} AS e FROM paces GROUP BY a, b, run
HAVING (max(k) - min(k)) * {step} >= {int(n["duration_s"] * 1e6) - slack}
   AND quantile_disc(pace, 0.5) * {kn01} < {median}"""
