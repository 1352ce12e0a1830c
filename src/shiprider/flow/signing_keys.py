"""The life of the node's signing keys as facts in its own log.

Always true: every key that ever signed has its record; the next key is announced under the one before
it signs; a lost key is written off by a record under the new one, and the log goes on.
"""

from collections.abc import Callable

import msgspec

from shiprider.model.record import Draft
from shiprider.model.signing_key import SigningKey
from shiprider.ports.keys import Keys
from shiprider.ports.ledger import Ledger

#: Who writes these records where no person does.
PROCESS = "signing keys"


def record_keys(ledger: Ledger, keys: Keys, author: str = PROCESS) -> None:
    """Bring the log's records of keys up to what the keys are. A record's id is the key's."""
    public = keys.public()
    known = ledger.latest_of([each.key_id for each in public])
    drafts: list[Draft] = []
    for key in public:
        body = msgspec.json.encode(key)
        before = known.get(key.key_id)
        if before is None or before.body != body:
            drafts.append(
                Draft(
                    id=key.key_id,
                    kind="signing_key",
                    expected_revision=0 if before is None else before.revision,
                    schema=1,
                    author=author,
                    valid_from_us=key.from_us,
                    valid_to_us=key.to_us,
                    body=body,
                )
            )
    if drafts:
        ledger.append(drafts)


def rotate(ledger: Ledger, keys: Keys, clock: Callable[[], int], author: str) -> SigningKey:
    """Announce the next key under the one that signs, then let it sign. Done again, it ends what a crash began."""
    keys.prepare()
    record_keys(ledger, keys, author)
    made = keys.activate(clock())
    record_keys(ledger, keys, author)
    return made


def write_off(ledger: Ledger, keys: Keys, clock: Callable[[], int], author: str, reason: str) -> SigningKey:
    """The active key is lost: from now on another signs, and the log says so."""
    made = keys.lost(clock(), reason)
    record_keys(ledger, keys, author)
    return made


def settle(ledger: Ledger, keys: Keys, clock: Callable[[], int]) -> None:
    """At start: what a crash left between the keys' folder and the log is brought together."""
    if any(each.state == "prepared" for each in keys.public()):
        rotate(ledger, keys, clock, PROCESS)
    else:
        record_keys(ledger, keys)
