"""What a terminal is sent: somebody else's text never moves it, whichever way it is printed."""

import json
import unicodedata
from typing import Any

import pytest

from shiprider.cli.output import json_line, say, table

#: Escape, the one-character CSI, a bell, delete, right-to-left override, line separator, a tag character.
HOSTILE = "MAR\x1b[2J\x9b2J\x07\x7f\u202e\u2028\U000e0041 ÑANDÚ 海"


@pytest.mark.parametrize("how", ["json", "table", "say"])
def test_no_control_character_of_a_name_is_printed(capsys: pytest.CaptureFixture[str], how: str) -> None:
    show: Any = {
        "json": lambda: json_line({"name": HOSTILE}),
        "table": lambda: table(("name",), [(HOSTILE,)]),
        "say": lambda: say(HOSTILE),
    }[how]
    show()
    printed = "".join(capsys.readouterr())
    assert not [c for c in printed if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]
    assert "ÑANDÚ 海" in printed
    if how == "json":
        assert json.loads(printed) == {"name": HOSTILE}
