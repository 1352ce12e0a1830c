"""The head file says how far the ledger was acknowledged: emptying it must not let its last records go unnoticed."""

from pathlib import Path

import pytest

from shiprider.adapters.keys.files import FileKeys
from shiprider.adapters.ledger.log import now_us
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.model.errors import CorruptStore
from shiprider.model.record import Draft


def _note(number: int) -> Draft:
    return Draft(
        id=f"{number:032x}", kind="note", expected_revision=0, schema=1, author="a", valid_from_us=1, body=b"{}"
    )  # fmt: skip


@pytest.mark.parametrize("emptied", [True, False])
@pytest.mark.parametrize("commits", [1, 2, 5])
def test_an_emptied_head_is_no_beginning(tmp_path: Path, commits: int, emptied: bool) -> None:
    keys = FileKeys(tmp_path / "keys", clock=now_us)
    path = tmp_path / "ledger.sqlite"
    ledger = SqliteLedger(path, origin="node", keys=keys)
    for number in range(commits):
        ledger.append([_note(number)])
    ledger.close()
    head = path.with_suffix(".head")
    head.write_bytes(bytes(8192)) if emptied else head.unlink()
    if commits == 1:
        # A stop right after the very first commit leaves just this.
        again = SqliteLedger(path, origin="node", keys=keys)
        assert again.head().sequence == 1
        again.close()
        return
    with pytest.raises(CorruptStore, match="head file is empty"):
        SqliteLedger(path, origin="node", keys=keys)
