"""Rows carry their feed's label, findings and alerts the combination of what they were made from."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from msgspec import structs

from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.bootstrap.decoding import open_decoder
from shiprider.bootstrap.feeds import live_feed
from shiprider.detect.ranking import Budget
from shiprider.flow.decoding import open_by_content
from shiprider.flow.labelling import Labelling, labels_by_number
from shiprider.flow.review import Review
from shiprider.flow.view import seen
from shiprider.flow.watch import Watch
from shiprider.measure.clock import HOUR_US
from shiprider.model.alert import Alert
from shiprider.model.errors import InputError
from shiprider.model.finding import Finding
from shiprider.model.label import OWN, combined_text, number_of, parse, written
from shiprider.ports.feed import Declaration, Origin
from shiprider.ports.spool import Source
from shiprider.settings import FeedSettings
from shiprider.settings import parse as parse_settings

OPEN = written("policy=COALITION class=UNCLASSIFIED rel=* tlp=CLEAR").text
RADAR = written("policy=COALITION class=SECRET rel=nations:COL,USA caveats=ORCON").text
T0 = 1_790_000_000_000_000
AIS = b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\n"


def _sources(*labels: str) -> tuple[Source, ...]:
    return tuple(
        Source(at, Declaration(name=f"f{at}", standard="", label=label), Origin())
        for at, label in enumerate(labels)
    )


def _rows(*rows: tuple[int, str]) -> pa.Table:
    return pa.table(
        {
            "claimed_id": pa.array([vessel for vessel, _ in rows], pa.int64()),
            "label_id": pa.array([number_of(label) for _, label in rows], pa.int32()),
        }
    )


def _finding(*vessels: int, **changes: object) -> Finding:
    made = Finding(
        behaviour="loitering", preset="gfw", participants=vessels, start_us=T0, end_us=T0 + HOUR_US, latitude_deg=16.0,
        longitude_deg=-74.5, score=0.5, reason_key="gfw", facts={}, evidence=(),
    )  # fmt: skip
    return structs.replace(made, **changes)


def _nobody(_: int) -> Iterable[int]:
    return ()


@pytest.mark.parametrize("label", ["", OPEN, RADAR])
def test_decoded_rows_carry_the_number_of_their_feeds_label(label: str) -> None:
    csv = (
        b"MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,"
        b"Cargo,TransceiverClass\n"
        b"367000001,2022-03-31T00:00:01,29.78339,-95.08078,10.0,133.9,511.0,FOO,IMO9074729,WDC1,31,12,20,8,2.5,57,B\n"
    )
    for data, form in ((AIS, "nmea"), (csv, "csv")):
        declared = Declaration(name="f", standard="", format=form, label=label)
        source = Source(0, declared, Origin(file="f", digest="d"))
        for opened in (open_by_content(source, data), open_decoder(source, data)):
            rows = opened.decode(data, 0, T0, True).observations
            assert rows.num_rows == 1
            assert rows["label_id"].to_pylist() == [number_of(label)]


def test_numbers_are_made_from_the_text_alone_and_fit_the_column() -> None:
    assert number_of("") == 0
    assert number_of(RADAR) == number_of(parse(RADAR).text)
    assert 0 < number_of(RADAR) < 2**31
    assert labels_by_number([OPEN, RADAR]) == {0: "", number_of(OPEN): OPEN, number_of(RADAR): RADAR}


def test_two_labels_with_one_number_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shiprider.flow.labelling.number_of", lambda text: 7 if text else 0)
    assert labels_by_number([OPEN, RADAR]) == {0: "", 7: "unknown"}


def test_with_one_label_on_the_node_everything_carries_it() -> None:
    labelling = Labelling(lambda: _sources(OPEN, OPEN), _nobody)
    assert labelling.of_finding(_finding(1)) == OPEN
    assert Labelling(lambda: (), _nobody).of_finding(_finding(1)) == OWN.text


def test_a_finding_carries_what_was_heard_of_its_vessels() -> None:
    labelling = Labelling(lambda: _sources(OPEN, RADAR), _nobody)
    labelling.saw(_rows((1, OPEN), (1, OPEN), (2, RADAR), (2, OPEN), (3, RADAR)))
    assert labelling.of_finding(_finding(1)) == OPEN
    assert labelling.of_finding(_finding(2)) == combined_text([OPEN, RADAR])
    assert labelling.of_finding(_finding(1, 3)) == combined_text([OPEN, RADAR])
    # Nobody knows where it comes from: everything the node has.
    assert labelling.of_finding(_finding(4)) == combined_text([OPEN, RADAR])
    assert labelling.of_finding(_finding()) == combined_text([OPEN, RADAR])


def test_what_came_in_before_this_run_counts() -> None:
    asked: list[int] = []

    def heard(vessel: int) -> Iterable[int]:
        asked.append(vessel)
        return (number_of(RADAR),)

    labelling = Labelling(lambda: _sources(OPEN, RADAR), heard)
    labelling.saw(_rows((1, OPEN)))
    assert labelling.of_finding(_finding(1)) == combined_text([OPEN, RADAR])
    labelling.of_finding(_finding(1))
    assert asked == [1]


def test_what_was_learnt_carries_what_it_was_learnt_from() -> None:
    labelling = Labelling(lambda: _sources(OPEN, RADAR), _nobody)
    labelling.saw(_rows((1, OPEN)))
    assert labelling.of_finding(_finding(1, versions={"anchorages": "a"})) == OPEN
    assert labelling.of_finding(_finding(1, versions={"reception": "r"})) == combined_text([OPEN, RADAR])


def test_a_number_nobody_knows_is_an_unknown_label() -> None:
    labelling = Labelling(lambda: _sources(OPEN, RADAR), lambda _: (12345,))
    assert labelling.of_finding(_finding(1)) == "unknown"


def test_findings_alerts_and_decisions_in_the_ledger_are_labelled(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "l.sqlite", origin="n", clock=iter(range(T0, T0 + 10**6)).__next__)
    labelling = Labelling(lambda: _sources(OPEN, RADAR), _nobody)
    watch = Watch(ledger, lambda: T0, budget=Budget(per_watch=9), watch_us=8 * HOUR_US, labelling=labelling)
    both = combined_text([OPEN, RADAR])
    watch.saw(_rows((1, OPEN), (2, RADAR), (2, OPEN)))
    records = watch.advance([_finding(1), _finding(2)])
    labels = {(record.kind, record.label) for record in records}
    assert labels == {("finding", OPEN), ("finding", both), ("alert", OPEN), ("alert", both)}
    # A finding of the same vessel and hour joins the matter: its alert becomes narrower.
    watch.saw(_rows((1, RADAR)))
    records = watch.advance([_finding(1, behaviour="gap", preset="disabling", score=0.9)])
    (alert,) = [record for record in records if record.kind == "alert"]
    assert {record.label for record in records} == {both}
    review = Review(ledger, lambda: T0)
    review.note("alert", alert.id, "seen before", author="a person")
    review.dismiss(alert.id, alert.revision, author="a person", reason="known_vessel")
    made = ledger.since(records[-1].sequence)
    assert {record.kind for record in made} == {"note", "alert", "watch_log", "disposition"}
    assert {record.label for record in made} == {both}
    ledger.close()


def test_what_is_hidden_takes_no_room_in_the_budget_of_what_is_not(tmp_path: Path) -> None:
    """The same alerts of the open feed, with and without stronger matters of the radar in the same watch."""
    shown = []
    for hidden in (0, 5):
        ledger = SqliteLedger(
            tmp_path / f"{hidden}.sqlite", origin="n", clock=iter(range(T0, T0 + 10**6)).__next__
        )
        labelling = Labelling(lambda: _sources(OPEN, RADAR), _nobody)
        watch = Watch(
            ledger, lambda: T0, budget=Budget(per_watch=2), watch_us=8 * HOUR_US, labelling=labelling
        )
        vessels = range(10, 10 + hidden)
        watch.saw(_rows(*((each, OPEN) for each in (1, 2, 3)), *((each, RADAR) for each in vessels)))
        watch.advance([_finding(each, score=0.7) for each in vessels])
        watch.advance([_finding(each, score=0.1 * each) for each in (1, 2, 3)])
        alerts = [seen(record, Alert) for record in ledger.of_kind("alert")]
        shown.append(
            [
                (a.body.participants, a.body.budgeted, a.record.revision)
                for a in alerts
                if a.record.label == OPEN
            ]
        )
        # Who sees the radar too has one budget for both: it decides what of the radar is raised.
        assert len(alerts) - len(shown[-1]) == min(hidden, 2)
        ledger.close()
    assert shown[0] == shown[1] and sorted(each[0] for each in shown[0]) == [(2,), (3,)]


def test_a_feeds_label_is_written_by_a_person_and_stored_in_canonical_form(tmp_path: Path) -> None:
    text = '[[feeds]]\nname = "r"\nkind = "tcp"\nport = 4000\nlabel = "class=SECRET policy=COALITION rel=nations:USA"\n'
    (declared,) = parse_settings(text, "shiprider.toml").feeds
    feed = live_feed(declared, tmp_path)
    assert feed.declaration.label == written("policy=COALITION class=SECRET rel=nations:USA").text
    with pytest.raises(InputError, match="The label of feed 'r' has no policy"):
        live_feed(FeedSettings(name="r", kind="tcp", port=4000, label="class=SECRET"), tmp_path)
    bare = live_feed(FeedSettings(name="r", kind="tcp", port=4000), tmp_path)
    assert bare.declaration.label == ""


def test_the_lake_is_asked_for_a_vessels_labels(tmp_path: Path) -> None:
    from shiprider.flow.labelling import heard_in

    class Lake:
        def scan(self, table: str, columns: list[str], *, claimed_ids: tuple[int, ...]) -> pl.LazyFrame:
            assert columns == ["label_id"]
            rows = {"observations": [(1, 5), (1, None), (2, 6)], "statements": [(1, 9)]}[table]
            frame = pl.DataFrame(rows, schema={"claimed_id": pl.Int64, "label_id": pl.Int32}, orient="row")
            return frame.lazy().filter(pl.col("claimed_id").is_in(claimed_ids)).select(columns)

    assert heard_in(Lake())(1) == {0, 5, 9}  # type: ignore[arg-type]


def test_tracks_carry_the_labels_of_their_points() -> None:
    from shiprider.observe.cleaner import Cleaner
    from shiprider.track.cooperative import CooperativeTracker

    parts = []
    for at, label in enumerate((OPEN, RADAR)):
        source = Source(at, Declaration(name=f"f{at}", standard="", format="nmea", label=label), Origin())
        decoded = open_by_content(source, AIS).decode(AIS, at << 32, T0 + at * 60_000_000, True)
        parts.append(Cleaner(None).clean(decoded.observations, decoded.statements, decoded.messages)[0])
    points = CooperativeTracker().fold(pa.concat_tables(parts)).full
    assert points["label_id"].to_pylist() == [number_of(OPEN), number_of(RADAR)]


def test_a_spool_written_before_feeds_had_labels_is_read(tmp_path: Path) -> None:
    import msgspec

    source = _sources(RADAR)[0]
    old = msgspec.json.decode(msgspec.json.encode(source))
    assert old["declaration"].pop("label") == RADAR
    assert msgspec.convert(old, Source).declaration.label == ""
