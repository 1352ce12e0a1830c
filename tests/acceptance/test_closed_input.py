"""Standard input that is not there, can only be written, or is empty: one sentence."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("<&-", "Standard input is closed"),
        ("0>/dev/null", "Standard input"),
        ("</dev/null", "is empty"),
    ],
)
def test_standard_input_of_every_wrong_kind_is_one_sentence(given: str, words: str) -> None:
    told = subprocess.run(
        ["sh", "-c", f'"$0" -m shiprider detect - {given}', sys.executable],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 3, told.stderr
    assert words in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1
