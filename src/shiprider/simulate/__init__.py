"""Makes scenarios with known truth, as real NMEA bytes that say that they are simulated.

`scenario.preset("demo" | "week")` -> `Simulation.of(scenario, geography)` -> `.slices(...)`, `.truth()`;
`stream` for plain bytes; `steady.steady_stream` for load; `columns.track_points` without bytes. The
heavy modules are imported on first use.
"""
