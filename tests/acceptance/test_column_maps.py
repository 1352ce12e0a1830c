"""A table of the operator's own, declared by a column map: detect, ingest, a feed, a rebuild, a copy."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three positions in columns of no published layout."""
    path = tmp_path / "positions.csv"
    rows = [f"2024-01-31 06:{10 * i:02d}:00;201234567;{10 + i / 10:.1f};-60.0;5.0" for i in range(3)]
    path.write_text("\n".join(["when;ship;y;x;v", *rows]) + "\n")
    return path


@pytest.fixture
def columns(tmp_path: Path) -> Path:
    """The map as docs/node.md shows it."""
    page = (ROOT / "docs" / "node.md").read_text()
    path = tmp_path / "map.toml"
    blocks = [block.split("```", 1)[0] for block in page.split("```toml\n")[1:]]
    (block,) = [block for block in blocks if "[columns]" in block]
    path.write_text(block)
    return path


def observations(folder: Path) -> list[tuple[int, float, float]]:
    from shiprider.bootstrap.node import open_node

    with open_node(folder) as opened:
        found = opened.lake.scan("observations", ["claimed_id", "latitude_deg", "speed_mps"]).collect()
    return sorted(found.rows())


# 5 knots are 5 * 1852 / 3600 m/s
EXPECTED = [(201234567, lat, pytest.approx(5 * 1852 / 3600)) for lat in (10.0, 10.1, 10.2)]


def test_ingest_reads_a_declared_table_and_a_rebuild_reads_it_again(shiprider, table, columns, tmp_path):  # type: ignore[no-untyped-def]
    folder = tmp_path / "node"
    assert shiprider("init", folder).code == 0
    refused = shiprider("ingest", table, "--node", folder)
    assert refused.code == 3
    assert "declare its columns" in refused.err
    told = shiprider("ingest", table, "--columns", columns, "--node", folder, "--json")
    assert told.code == 0, told.err
    assert told.objects()[0]["rows"]["observations"] == 3
    assert observations(folder) == EXPECTED
    columns.unlink()
    assert shiprider("rebuild", folder).code == 0
    assert observations(folder) == EXPECTED
    again = shiprider("ingest", table, "--node", folder, "--json")
    assert again.code == 0
    assert sum(again.objects()[0]["rows"].values()) == 0


def test_a_feed_of_the_settings_has_its_column_map_and_a_copy_has_it_too(  # type: ignore[no-untyped-def]
    shiprider, table, columns, tmp_path, sealing
):
    from shiprider.bootstrap.feeds import live_feed
    from shiprider.bootstrap.folder import load_settings
    from shiprider.bootstrap.node import open_node

    folder = tmp_path / "node"
    assert shiprider("init", folder).code == 0
    (folder / "maps").mkdir()
    shutil.copy(columns, folder / "maps" / "map.toml")
    with (folder / "shiprider.toml").open("a") as settings:
        settings.write(
            f'[[feeds]]\nname = "own"\nkind = "file"\npath = "{table}"\ncolumns = "maps/map.toml"\n'
        )
    with open_node(folder) as opened:
        status = opened.node.ingest([live_feed(load_settings(folder).feeds[0], folder)], lambda *_: None)
    assert dict(status.stopped_feeds) == {}
    assert observations(folder) == EXPECTED
    assert shiprider("backup", tmp_path / "copy", *sealing, "--node", folder).code == 0
    assert shiprider("restore", tmp_path / "copy", tmp_path / "node2", *sealing).code == 0
    declared = load_settings(tmp_path / "node2").feeds[0]
    assert live_feed(declared, tmp_path / "node2").declaration.columns == columns.read_text()


@pytest.mark.parametrize("command", ["ingest", "detect"])
@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[columns]\ntime = 'when'\n", "'latitude'"),
        ("not toml", "no TOML"),
        ("delimiter = 'é'\n[columns]\ntime = 'a'\nlatitude = 'b'\nlongitude = 'c'\n", "delimiter"),
    ],
)
def test_a_broken_column_map_is_one_sentence(shiprider, table, tmp_path, command, text, word):  # type: ignore[no-untyped-def]
    path = tmp_path / "broken.toml"
    path.write_text(text)
    where = ["--node", tmp_path / "node"] if command == "ingest" else []
    if where:
        assert shiprider("init", tmp_path / "node").code == 0
    told = shiprider(command, table, "--columns", path, *where)
    assert told.code == 3, told.err
    assert word in told.err
    assert len(told.err.strip().splitlines()) == 1


def test_decoding_a_table_says_that_it_holds_no_message(shiprider, table):  # type: ignore[no-untyped-def]
    told = shiprider("decode", table, "--json")
    assert told.code == 3
    assert "no AIS message" in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("command", "kept"), [("decode", False), ("detect", False), ("simulate", False), ("ingest", True)]
)
def test_an_interruption_says_what_is_true_of_the_command(  # type: ignore[no-untyped-def]
    shiprider, monkeypatch, table, tmp_path, command, kept
):
    from shiprider.bootstrap import decoding, feeds, simulations

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for module, name in ((feeds, "recording"), (decoding, "message_lines"), (simulations, "simulation")):
        monkeypatch.setattr(module, name, interrupted)
    words = {"simulate": ["demo", "--out", tmp_path / "x.nmea"]}.get(command, [table])
    told = shiprider(command, *words)
    assert told.code == 130
    assert ("kept" in told.err) is kept
    assert told.err.startswith("Interrupted: ")
