"""The stream: same seed same bytes, cut anywhere; real NMEA by an independent decoder; marked."""

import hashlib
import re
from collections import Counter

import numpy as np
import pyais
import pytest

from shiprider.simulate.geography import Geography
from shiprider.simulate.scenario import Fleet, Plots, Reception, Scenario
from shiprider.simulate.stream import Simulation, stream

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US


def brief(seed: int = 5, **changes: object) -> Scenario:
    values: dict[str, object] = {
        "name": "brief",
        "seed": seed,
        "duration_us": 30 * HOUR_US,
        "fleet": Fleet(
            cargo=10, tanker=4, cruise=1, ferry=3, fishing=20, yacht=8, tug=4, service=3, patrol=2, pilot=1
        ),
        "plots": Plots(
            mothership_go_fast=1,
            dark_rendezvous=1,
            dark_transit=1,
            spoofed_position=1,
            identity_swap=1,
            refuelling_meet=1,
        ),
        "reception": Reception(stations=16),
        "hubs": 8,
    }
    return Scenario(**(values | changes))  # type: ignore[arg-type]


def digest(scenario: Scenario, geography: Geography, slice_us: int, start_us: int = 0, hours: int = 6) -> str:
    begin = scenario.start_us + start_us
    whole = hashlib.sha256()
    for data in stream(scenario, geography, begin, scenario.start_us + hours * HOUR_US, slice_us):
        whole.update(data)
    return whole.hexdigest()


def test_same_seed_same_bytes_in_slices_of_any_length(geography: Geography) -> None:
    scenario = brief()
    first = digest(scenario, geography, 600 * SECOND_US)
    assert digest(scenario, geography, 600 * SECOND_US) == first
    assert digest(scenario, geography, 7 * SECOND_US * 61) == first
    assert digest(scenario, geography, 100 * HOUR_US) == first
    assert digest(brief(seed=6), geography, 600 * SECOND_US) != first


def test_begun_in_the_middle_it_is_the_rest_of_the_whole(geography: Geography) -> None:
    scenario = brief()
    cut = scenario.start_us + 25 * HOUR_US + 1234 * SECOND_US
    end = scenario.start_us + 27 * HOUR_US
    whole = b"".join(stream(scenario, geography, scenario.start_us, end))
    head = b"".join(stream(scenario, geography, scenario.start_us, cut))
    tail = b"".join(stream(scenario, geography, cut, end))
    assert head + tail == whole
    assert len(tail) > 10_000


@pytest.fixture(scope="module")
def lines(geography: Geography) -> list[bytes]:
    scenario = brief()
    whole = b"".join(stream(scenario, geography, scenario.start_us, scenario.start_us + 12 * HOUR_US))
    assert whole.endswith(b"\r\n")
    return whole.split(b"\r\n")[:-1]


def test_slices_count_their_messages_and_carry_their_times(geography: Geography) -> None:
    scenario = brief()
    play = Simulation.of(scenario, geography)
    pieces = list(play.slices(scenario.start_us, scenario.start_us + 2 * HOUR_US, 600 * SECOND_US))
    assert [p.start_us for p in pieces] == [scenario.start_us + k * 600 * SECOND_US for k in range(12)]
    assert pieces[-1].end_us == scenario.start_us + 2 * HOUR_US
    for piece in pieces:
        sentences = piece.data.count(b"\r\n")
        second_parts = len(re.findall(rb"AIVDM,2,2,", piece.data))
        assert piece.messages == sentences - second_parts


def test_every_line_is_marked_simulated_and_has_good_checksums(lines: list[bytes]) -> None:
    for line in lines:
        match = re.fullmatch(rb"\\([^*\\]+)\*([0-9A-F]{2})\\!([^*]+)\*([0-9A-F]{2})", line)
        assert match, line
        for body, given in ((match[1], match[2]), (match[3], match[4])):
            total = 0
            for byte in body:
                total ^= byte
            assert total == int(given, 16)
        # Of a group, the first line names the station; the second one refers to it.
        assert b"s:SIM-" in match[1] or re.search(rb"g:2-2-\d+", match[1])


def test_an_independent_decoder_reads_every_message(lines: list[bytes]) -> None:
    kinds: Counter[int] = Counter()
    parts: list[bytes] = []
    vessels: set[int] = set()
    for line in lines:
        parts.append(line[line.index(b"!") :])
        total = int(parts[0].split(b",")[1])
        if len(parts) < total:
            continue
        message = pyais.decode(*parts)
        parts = []
        kinds[message.msg_type] += 1
        vessels.add(message.mmsi)
        if message.msg_type in (1, 3, 18, 27):
            assert -7.0 < message.lat < 32.0
            assert -119.0 < message.lon < -56.0
            assert message.speed < 60.0
        if message.msg_type == 5 and message.imo:
            assert message.imo >= 1_000_000
            digits = f"{message.imo:07d}"
            if sum(int(d) * w for d, w in zip(digits, range(7, 1, -1), strict=False)) % 10 != int(digits[-1]):
                kinds[-1] += 1
    assert not parts
    assert set(kinds) - {-1} == {1, 3, 4, 5, 18, 21, 24, 27}
    # Wrong IMO numbers are typing errors: rare.
    assert kinds[-1] < 0.1 * kinds[5]
    assert len(vessels) > 50


def test_satellite_messages_come_2_to_25_minutes_late(lines: list[bytes]) -> None:
    clock = 0
    late: list[int] = []
    for line in lines:
        station, second = re.search(rb"s:([^,]+)", line), re.search(rb"c:(\d+)", line)
        if not station or not second:
            continue
        if b"SAT" in station[1]:
            late.append(clock - int(second[1]))
        else:
            # Terrestrial lines come within seconds, so they tell the time.
            assert int(second[1]) >= clock - 4
            clock = max(clock, int(second[1]))
    lateness = np.array(late[200:])
    assert len(lateness) > 500
    # The clock of the ground stations is itself some seconds behind.
    assert lateness.min() >= 110
    assert lateness.max() <= 1510
    assert lateness.max() - lateness.min() > 600


def test_one_transmission_heard_by_two_stations_has_one_payload(lines: list[bytes]) -> None:
    heard: dict[bytes, set[bytes]] = {}
    for line in lines:
        station = re.search(rb"s:([^,]+)", line)
        if station and b"AIVDM,1,1" in line:
            heard.setdefault(line.split(b",")[-2], set()).add(station[1])
    assert sum(len(stations) > 1 for stations in heard.values()) > 10


def test_memory_does_not_grow_with_the_days(geography: Geography) -> None:
    """A shortened year: 20 days; what is held after day 20 is what was held after day 6."""
    scenario = brief(duration_us=20 * 24 * HOUR_US, reception=Reception(stations=4, satellites=1))
    play = Simulation.of(scenario, geography)
    held = {}
    for number, _ in enumerate(play.slices(scenario.start_us, scenario.end_us, 24 * HOUR_US)):
        play.settled_truth()
        legs = sum(knots.nbytes for unit in play.units for legs in unit.legs for knots in legs)
        notes = sum(len(unit.notes) for unit in play.units)
        heard = sum(t.nbytes for parts in play.witness._heard.values() for t in parts)
        held[number] = (legs, notes, heard)
    assert len(held) == 20
    for kind, slack in enumerate((1_000_000, 100, 200_000)):
        early = max(held[day][kind] for day in range(3, 8))
        late = max(held[day][kind] for day in range(15, 20))
        assert late <= 1.5 * early + slack


def test_one_vessel_more_moves_no_other(geography: Geography) -> None:
    scenario = brief()
    more = brief(
        fleet=Fleet(
            cargo=11, tanker=4, cruise=1, ferry=3, fishing=21, yacht=8, tug=4, service=3, patrol=2, pilot=1
        )
    )
    before, after = Simulation.of(scenario, geography), Simulation.of(more, geography)

    def movement(play: Simulation) -> dict[int, bytes]:
        knots, first = play.plan_day(0)
        hulls = [hull for unit in play.units for hull in unit.hulls]
        return {hull.vessel: knots[first[i] : first[i + 1]].tobytes() for i, hull in enumerate(hulls)}

    one, two = movement(before), movement(after)
    assert len(two) == len(one) + 2
    assert {vessel for vessel in one if one[vessel] != two.get(vessel)} == set()
