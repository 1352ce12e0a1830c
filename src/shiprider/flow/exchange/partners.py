"""Partners: introduced by a file, confirmed by people who compared fingerprints, revoked at once.

Always true: an introduction is only believed to be unaltered, never to be somebody's, until its fingerprint was
typed in by a second person; a partner's name is one node's for ever; what a revoked key signed is not taken.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import structs

from shiprider.flow.bodies import FORMS, read_body
from shiprider.model.errors import Conflict, Forbidden, InputError, NotFound, UsageError
from shiprider.model.feed_bundle import NewKey
from shiprider.model.introduction import Introduction, fault_of, fingerprint, same_fingerprint
from shiprider.model.observer import Observer
from shiprider.model.partner import STEPS, Partner, PartnerState
from shiprider.model.record import Draft, Record
from shiprider.model.signature import Check
from shiprider.model.signing_key import SigningKey, endorsement_bytes, key_id_of
from shiprider.ports.keys import Keys
from shiprider.ports.ledger import Ledger

KIND: Final = "partner"

#: (public bytes, message, signature) -> whether that Ed25519 key signed it.
Verify = Callable[[bytes, bytes, bytes], bool]


def partner_id(node: str) -> str:
    """The id of a partner's record: one per node's name."""
    return hashlib.sha256(b"shiprider-partner-1," + node.encode()).hexdigest()[:32]


def introduce(
    keys: Keys, *, node: str, name: str, nation: str, organisation: str, certificate: str, at_us: int
) -> Introduction:
    """This node's own introduction, signed by the key that signs now."""
    with keys.signing() as signer:
        key = next(each for each in keys.public() if each.key_id == signer.key_id)
        told = Introduction(
            node=node,
            name=name,
            nation=nation,
            organisation=organisation,
            key=structs.replace(key, predecessor="", endorsement="", reason=""),
            certificate=certificate,
            made_us=max(at_us, signer.from_us),
        )
        signature = signer.sign(told.statement(), told.made_us)
    return structs.replace(told, signature=signature.hex())


def read_introduction(data: bytes, verify: Verify) -> Introduction:
    """An introduction from a file's bytes. Raises InputError in one sentence."""
    try:
        told = msgspec.json.decode(data, type=Introduction)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(
            f"This is no introduction of a node ({error}): ask the partner for its file again."
        ) from None
    fault = fault_of(told)
    if fault:
        raise InputError(f"The introduction cannot be used, because {fault}: ask the partner for another.")
    try:
        signature = bytes.fromhex(told.signature)
    except ValueError:
        signature = b""
    if not verify(bytes.fromhex(told.key.public), told.statement(), signature):
        raise InputError("The introduction was altered on its way: ask the partner for it again.")
    return told


def check_place(place: str) -> None:
    """Raises UsageError where a broker's place is no address and port."""
    host, _, port = place.rpartition(":")
    if place and (not host or not port.isdecimal() or not 0 < int(port) < 65536):
        raise UsageError(f"{place!r} is no address and port: write 192.0.2.7:4250.")


class Partners:
    """One node's partners. `node` is its own name, `clock` gives microseconds since 1970 UTC."""

    def __init__(self, ledger: Ledger, *, node: str, clock: Callable[[], int], verify: Verify) -> None:
        self._ledger = ledger
        self._node = node
        self._clock = clock
        self._verify = verify

    # -- who there is ---------------------------------------------------------------------------------

    def all(self) -> list[tuple[Record, Partner]]:
        """Every partner there ever was, oldest first."""
        found = self._ledger.of_kind(KIND)
        return [
            (each, self._read(each)) for each in found if each.body is not None and each.origin == self._node
        ]

    def confirmed(self) -> list[Partner]:
        """With whom anything is exchanged."""
        return [partner for _, partner in self.all() if partner.state == "confirmed"]

    def partner(self, node: str) -> tuple[Record, Partner]:
        """One. Raises NotFound."""
        record = self._ledger.latest_of([partner_id(node)]).get(partner_id(node))
        if record is None or record.body is None or record.kind != KIND:
            raise NotFound(f"There is no partner {node!r}: look the list up again.")
        return record, self._read(record)

    def check_of(self, node: str) -> Check:
        """Who can check that partner's signatures: every key it ever had, each within its time."""
        try:
            return self.checker(self.partner(node)[1].keys)
        except NotFound:
            return self.checker(())

    def checker(self, keys: Sequence[SigningKey]) -> Check:
        """Who can check what these keys signed, each within its time."""
        known = {key.key_id: key for key in keys}

        def check(key_id: str, message: bytes, signature: bytes, at_us: int | None) -> bool:
            key = known.get(key_id)
            if key is None or (at_us is not None and not key.valid_at(at_us)):
                return False
            return self._verify(bytes.fromhex(key.public), message, signature)

        return check

    # -- what people do -------------------------------------------------------------------------------

    def propose(self, told: Introduction, *, place: str, who: str, why: str = "") -> Partner:
        """Take an introduction in; nothing is exchanged yet. Raises Conflict, UsageError."""
        if told.node == self._node:
            raise UsageError("That is this node's own introduction: give the partner's file.")
        known = self._ledger.latest_of([partner_id(told.node)]).get(partner_id(told.node))
        keys: tuple[SigningKey, ...] = ()
        if known is not None and known.body is not None:
            before = self._read(known)
            if before.state == "confirmed":
                raise Conflict(
                    f"{told.node!r} is a confirmed partner: revoke it first if its keys are others now."
                )
            keys = tuple(key for key in before.keys if key.key_id != told.key.key_id)
        made = Partner(
            introduction=told,
            state="introduced",
            keys=(*keys, told.key),
            place=place,
            introduced_by=who,
            why=why,
        )
        self._write(made, 0 if known is None else known.revision, who)
        return made

    def confirm(
        self,
        node: str,
        typed: str,
        *,
        who: str,
        clearance: str = "",
        communities: Sequence[str] = (),
        purposes: Sequence[str] = (),
    ) -> Partner:
        """Exchange with it from now on. Raises Forbidden, UsageError, NotFound, Conflict."""
        record, partner = self.partner(node)
        self._check_step(partner, "confirmed")
        if partner.introduced_by == who:
            raise Forbidden("You brought this introduction in: another person compares the fingerprints.")
        if not same_fingerprint(typed, fingerprint(partner.introduction)):
            raise UsageError("That is not its fingerprint: read it again with the partner, digit by digit.")
        made = structs.replace(
            partner,
            state="confirmed",
            confirmed_by=who,
            clearance=clearance,
            communities=tuple(communities),
            purposes=tuple(purposes),
        )
        self._write(made, record.revision, who)
        return made

    def into_case(self, node: str, case: str, *, who: str, second: str) -> Partner:
        """Take a partner into a case: what of it is labelled for that partner goes there from now on.

        Raises Forbidden where no second person agrees, NotFound, Conflict, UsageError.
        """
        if not second.strip() or second.strip() == who.strip():
            raise Forbidden("It widens what the partner is sent: a second person must agree to it.")
        if not case.strip() or not case.isprintable() or len(case) > 120:
            raise UsageError("A case is named in 120 printable letters: name it as its records do.")
        record, partner = self._confirmed(node)
        if case in partner.cases:
            raise Conflict(f"The partner {node!r} is in the case {case!r} already.")
        made = structs.replace(partner, cases=(*partner.cases, case))
        self._write(made, record.revision, f"{who}, {second}")
        return made

    def out_of_case(self, node: str, case: str, *, who: str) -> Partner:
        """Nothing more of a case goes to a partner; what went stays there until it is recalled.

        Raises NotFound, Conflict.
        """
        record, partner = self._confirmed(node)
        if case not in partner.cases:
            raise Conflict(f"The partner {node!r} is not in the case {case!r}: look the list up again.")
        made = structs.replace(partner, cases=tuple(each for each in partner.cases if each != case))
        self._write(made, record.revision, who)
        return made

    def _confirmed(self, node: str) -> tuple[Record, Partner]:
        record, partner = self.partner(node)
        if partner.state != "confirmed":
            raise Conflict(f"The partner {node!r} is {partner.state}: only a confirmed one has cases.")
        return record, partner

    def end(self, node: str, state: PartnerState, *, who: str, why: str) -> Partner:
        """It is revoked, or it left: nothing more goes there or is taken from there. Raises NotFound, Conflict."""
        record, partner = self.partner(node)
        self._check_step(partner, state)
        now_us = self._clock()
        ended = tuple(
            structs.replace(key, state="retired", to_us=now_us, reason=why) if key.to_us is None else key
            for key in partner.keys
        )
        made = structs.replace(partner, state=state, keys=ended, why=why)
        self._write(made, record.revision, who)
        return made

    def with_next(self, keys: tuple[SigningKey, ...], news: Sequence[NewKey]) -> tuple[SigningKey, ...]:
        """A partner's keys with the next ones, each endorsed by the one before, which then signs no more.

        Raises InputError where one is not: a lost key is followed by a new introduction.
        """
        for new in news:
            if any(key.key_id == new.key_id for key in keys):
                continue
            last = keys[-1]
            try:
                raw, endorsed = bytes.fromhex(new.public), bytes.fromhex(new.endorsement)
            except ValueError:
                raw, endorsed = b"", b""
            good = (
                len(raw) == 32
                and new.key_id == key_id_of(raw)
                and new.from_us >= last.from_us
                and self._verify(bytes.fromhex(last.public), endorsement_bytes(last.key_id, raw), endorsed)
            )
            if not good:
                raise InputError("A partner's next key is not endorsed by the one before: it is not taken.")
            made = SigningKey(
                key_id=new.key_id,
                public=new.public,
                state="active",
                from_us=new.from_us,
                predecessor=last.key_id,
                endorsement=new.endorsement,
            )
            keys = (*keys[:-1], structs.replace(last, state="retired", to_us=new.from_us), made)
        return keys

    def keys_draft(self, partner: Partner, keys: tuple[SigningKey, ...]) -> Draft:
        """The record of a partner with these keys."""
        record, _ = self.partner(partner.node)
        return self._draft(structs.replace(partner, keys=keys), record.revision, partner.node)

    # -- how it is written ----------------------------------------------------------------------------

    def _check_step(self, partner: Partner, to: PartnerState) -> None:
        if to not in STEPS[partner.state]:
            raise Conflict(f"The partner {partner.node!r} is {partner.state}: look again and decide again.")

    def _read(self, record: Record) -> Partner:
        body: Partner = read_body(record, record.body or b"", FORMS[KIND]).body
        return body

    def _write(self, partner: Partner, revision: int, who: str) -> None:
        self._ledger.append([self._draft(partner, revision, who)])

    def _draft(self, partner: Partner, revision: int, who: str) -> Draft:
        return Draft(
            id=partner_id(partner.node),
            kind=KIND,
            expected_revision=revision,
            schema=FORMS[KIND].schema,
            author=who,
            valid_from_us=self._clock(),
            body=msgspec.json.encode(partner),
        )


def observers(partner: Partner) -> list[Observer]:
    """The partner's node as the policy sees it: once for each purpose that it reads for."""
    return [
        Observer(
            name=partner.node,
            roles=("partner",),
            nation=partner.introduction.nation,
            organisation=partner.introduction.organisation,
            communities=partner.communities,
            clearance=partner.clearance,
            purpose=purpose,
            cases=partner.cases,
        )
        for purpose in partner.purposes or ("",)
    ]
