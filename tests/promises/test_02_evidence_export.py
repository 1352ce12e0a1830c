"""Promise 2 at the way out: nothing goes into a package of evidence that its exporter may not export.

Each record, row and chunk of bytes is asked of the policy for the action `export`. What may not go is left out and said
to be; what the exporter may not even read is, in the package, not there.
"""

import dataclasses
import io
import json
import runpy
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from shiprider.flow.evidence import export
from shiprider.flow.evidence_scope import RawRow
from shiprider.model.errors import Forbidden, NotFound
from shiprider.model.label import number_of, written

HERE = Path(__file__).parent
support: Any = runpy.run_path(str(HERE / "evidence_support.py"), run_name="support")
FINDING, CUSTODIAN, GUEST = support["FINDING"], support["CUSTODIAN"], support["GUEST"]
ALERT, DECIDED = "a" * 32, "d" * 32

SHARED = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA").text
#: May be read by the guest and not passed on by him.
ORCON = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA caveats=ORCON").text
SECRET = written("policy=COALITION class=TOP_SECRET rel=nations:COL").text
NO_COURT = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA caveats=NO-COURT-USE").text
PARTS = ("finding 1", "finding 2", "alert 1", "alert 2", "disposition 1", "radar")


class Packed:
    """A package made of a node with these labels, opened."""

    def __init__(self, folder: Path, observer: Any = GUEST, **labels: str) -> None:
        given = {part: labels.get(part.replace(" ", "_"), SHARED) for part in PARTS}
        sources, self.signed, close = support["make_node"](folder, labels=given)
        try:
            self.made = export(sources, FINDING, observer=observer, reason="order 7")
        finally:
            close()
        with zipfile.ZipFile(io.BytesIO(self.made.data)) as archive:
            self.files = {name: archive.read(name) for name in archive.namelist()}
        self.manifest = json.loads(self.files["manifest.json"])
        self.observations = json.loads(self.files["observations.json"])

    @property
    def ids(self) -> list[str]:
        """Of the records, in order."""
        listed = json.loads(self.files["records.json"])
        return [self.files[each["envelope"]].split(b",")[1].split(b":")[1].decode() for each in listed]

    def verified(self) -> list[str]:
        """Lines of the independent verifier, which must pass."""
        sys.path.insert(0, str(HERE.parents[1] / "verifier"))
        try:
            verify = runpy.run_path(str(HERE.parents[1] / "verifier" / "verify.py"), run_name="verifier")
        finally:
            sys.path.pop(0)
        lines: list[str] = []
        assert verify["verify"](self.made.data, self.signed.second.id, (), "en", lines.append) == 0, lines
        return lines


def test_whoever_may_export_all_gets_all_and_nothing_is_said_to_be_left_out(tmp_path: Path) -> None:
    made = Packed(tmp_path, CUSTODIAN)
    assert made.ids == [FINDING, FINDING, ALERT, ALERT, DECIDED]
    assert (made.made.records, made.made.observations, made.made.missing) == (5, 5, 0)
    assert made.manifest["withheld"] == {"observations": False, "records": False}
    assert made.manifest["purpose"] == "evidence"
    assert not [line for line in made.verified() if line.startswith("NOTE  withheld")]


def test_what_may_be_read_and_not_exported_is_left_out_and_said(tmp_path: Path) -> None:
    made = Packed(tmp_path, disposition_1=ORCON, alert_2=ORCON)
    assert made.ids == [FINDING, FINDING, ALERT]
    assert made.made.withheld_records == 2
    assert made.manifest["withheld"]["records"] is True
    assert not [data for data in made.files.values() if DECIDED.encode() in data]
    assert [line for line in made.verified() if line.startswith("NOTE  withheld")]


def test_what_may_not_be_read_is_not_there_and_not_counted(tmp_path: Path) -> None:
    made = Packed(tmp_path, disposition_1=SECRET)
    assert made.ids == [FINDING, FINDING, ALERT, ALERT]
    assert made.made.withheld_records == 0 and made.manifest["withheld"]["records"] is False
    assert not [data for data in made.files.values() if DECIDED.encode() in data]
    assert not [line for line in made.verified() if line.startswith("NOTE  withheld")]


def test_a_finding_that_may_not_be_read_is_like_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as hidden:
        Packed(tmp_path, finding_1=SECRET, finding_2=SECRET)
    assert str(hidden.value) == f"There is no finding {FINDING}: look the list up again."


@pytest.mark.parametrize("which", ["finding_1", "finding_2"])
def test_a_finding_of_which_a_revision_may_not_go_is_refused(tmp_path: Path, which: str) -> None:
    with pytest.raises(Forbidden, match="export every revision"):
        Packed(tmp_path, **{which: ORCON})


def test_a_finding_with_a_hole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Forbidden, match="gap would mislead"):
        Packed(tmp_path, finding_1=SECRET)


def test_a_later_revision_that_is_hidden_is_not_there(tmp_path: Path) -> None:
    made = Packed(tmp_path, finding_2=SECRET)
    assert made.ids.count(FINDING) == 1
    made.verified()


def test_nobody_without_a_role_that_exports_takes_anything(tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        Packed(tmp_path, replace(CUSTODIAN, roles=("watch_officer",)))
    with pytest.raises(NotFound):
        Packed(tmp_path / "b", replace(CUSTODIAN, roles=("node_administrator",)))


@pytest.mark.parametrize("whose", [CUSTODIAN, GUEST])
def test_what_may_not_be_used_in_court_is_not_in_evidence(tmp_path: Path, whose: Any) -> None:
    made = Packed(tmp_path, whose, disposition_1=NO_COURT, radar=NO_COURT)
    assert DECIDED not in made.ids and made.manifest["withheld"] == {"observations": True, "records": True}
    assert not [data for data in made.files.values() if b"000051" in data]


def test_bytes_of_a_feed_that_may_be_read_and_not_exported_are_named_as_such(tmp_path: Path) -> None:
    made = Packed(tmp_path, CUSTODIAN, radar=NO_COURT)
    told = [each for each in made.observations if "missing" in each]
    assert [each["missing"] for each in told] == ["it may not be exported"]
    assert (made.made.withheld_observations, made.made.missing, made.made.observations) == (1, 0, 4)
    assert [line for line in made.verified() if line.startswith("NOTE  missing") and "may not be" in line]


def test_bytes_that_may_not_be_read_are_like_bytes_that_are_gone(tmp_path: Path) -> None:
    low = replace(CUSTODIAN, clearance="RESTRICTED")
    hidden = Packed(tmp_path, low, radar=SECRET)
    assert [e["missing"] for e in hidden.observations if "missing" in e] == [
        "the lake no longer holds its row"
    ]
    assert not [data for data in hidden.files.values() if b"radar" in data or b"000051" in data]
    assert hidden.manifest["withheld"]["observations"] is False
    hidden.verified()


def test_bytes_of_another_feed_between_a_messages_parts_stay_out(tmp_path: Path) -> None:
    """A message of two sentences of the coast's, with one of the radar's between them."""
    low = replace(CUSTODIAN, clearance="RESTRICTED")
    sources, _, close = support["make_node"](tmp_path, labels={"radar": SECRET})
    row_of = sources.row_of

    def long(raw: int) -> RawRow | None:
        row = row_of(raw)
        stored = sources.spool.locate(raw)
        if row is None or b"000050" not in sources.spool.read(stored.raw, 25):
            return row
        return RawRow("observations", number_of(""), 2 * stored.length + row.length)

    try:
        made = export(dataclasses.replace(sources, row_of=long), FINDING, observer=low, reason="order 7")
    finally:
        close()
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        listed = json.loads(archive.read("observations.json"))
        (entry,) = (each for each in listed if "parts" in each)
        data = archive.read(entry["file"])
    assert b"000050" in data and b"000052" in data and b"000051" not in data
    assert len(entry["parts"]) == 2 and entry["parts"][1][0] > sum(entry["parts"][0])
    assert entry["length"] == len(data) == sum(length for _, length in entry["parts"])
