"""The pen: how one person writes a record that partners are to read.

Always true: nobody writes what he could not read himself; a label that is not given is made from whom it is for; what
is said of something is not known more widely than the thing; whoever is addressed can read it, or it is not written.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from shiprider.flow import terms
from shiprider.flow.bodies import FORMS
from shiprider.flow.exchange.partners import observers
from shiprider.flow.ids import new_id
from shiprider.flow.view import Seen, View
from shiprider.model.errors import Forbidden, InputError, UsageError
from shiprider.model.label import combined_text, held_by, label, parse, written
from shiprider.model.partner import Partner
from shiprider.model.record import Draft, Record
from shiprider.model.release_class import ReleaseClass
from shiprider.model.wording import Argument, MessageLanguage, Wording
from shiprider.ports.ledger import Filed, Ledger
from shiprider.share.messages import fixed

_LONGEST_TEXT: Final = 4000


class Pen:
    """One person's. `clock` gives microseconds since 1970 UTC."""

    def __init__(self, ledger: Ledger, clock: Callable[[], int], ids: Callable[[], str], view: View) -> None:
        self.ledger = ledger
        self.clock = clock
        self.view = view
        self._new_id = ids

    @property
    def node(self) -> str:
        """Whose records are written."""
        return self.ledger.origin

    # -- for whom -------------------------------------------------------------------------------------

    def partners(self) -> list[Partner]:
        """Confirmed partners, as far as the person may know of them, by name."""
        return partners_seen(self.view)

    def addressed(self, names: Sequence[str]) -> list[Partner]:
        """These partners. Raises UsageError where one is none."""
        known = {each.node: each for each in self.partners()}
        missing = next((name for name in names if name not in known), None)
        if missing is not None:
            raise UsageError(
                f"{missing[:40]!r} is no confirmed partner: use one of {', '.join(known) or 'none yet'}."
            )
        return [known[name] for name in dict.fromkeys(names)]

    def label_for(self, partners: Sequence[Partner], classification: str, agreement: str = "") -> str:
        """The label that releases to these partners and nobody else. Raises InputError."""
        if not partners:
            return ""
        told = [each.introduction for each in partners]
        by_nation = all(each.nation for each in told)
        if not by_nation and any(each.nation and not each.organisation for each in told):
            raise InputError(
                "Some of them are named by nation, some by organisation: write the label yourself."
            )
        own = [self.view.observer.nation] if self.view.at_home and self.view.observer.nation else []
        names = [each.nation for each in told] if by_nation else [each.organisation for each in told]
        named = {"nations" if by_nation else "organisations": (*names, *own) if by_nation else names}
        plain = written(f"policy=COALITION class={classification}")
        try:
            made = label(
                policies=plain.policies,
                classification=plain.classification,
                agreements=(agreement,) if agreement else (),
                nations=named.get("nations"),
                organisations=named.get("organisations"),
                communities=None,
            )
        except ValueError as error:
            raise InputError(
                f"The label cannot be made ({error}): correct it, or write it yourself."
            ) from None
        return made.text

    def label_of(self, given: str, about: Iterable[Record]) -> str:
        """What a label (none: theirs) comes to when it is said of these records: each originator keeps its say.

        Raises InputError.
        """
        texts = [written(given).text] if given else []
        for each in about:
            mine = each.origin == self.node
            texts.append(each.label if mine else held_by(parse(each.label), each.origin).text)
        return combined_text(texts)

    def check_reach(self, partners: Iterable[Partner], of: ReleaseClass, what: str) -> None:
        """Raises Forbidden where one of them could not read it."""
        for partner in partners:
            if not reaches(self.view, partner, of):
                raise Forbidden(
                    f"The policy does not let {partner.node} read {what}: look at its label, its case and the "
                    "agreement, or prepare a tear-line."
                )

    # -- words ----------------------------------------------------------------------------------------

    def wording(
        self,
        text: str,
        language: MessageLanguage,
        template: str,
        arguments: dict[str, Argument],
        *,
        may_be_empty: bool = False,
    ) -> Wording:
        """What the person says: a fixed message, else his text. Raises InputError, UsageError.

        A vessel in a fixed message goes by its MMSI: what this node calls it is known here, and maybe not to be told.
        """
        if template:
            if text.strip():
                raise UsageError("A fixed message is sent as it is: leave the text out, or the message.")
            return fixed(template, arguments, language)
        if not text.strip() and not may_be_empty:
            raise UsageError("The text is empty: write it, or choose a fixed message.")
        if len(text) > _LONGEST_TEXT:
            raise UsageError(f"The text is longer than {_LONGEST_TEXT} letters: say it in two.")
        return Wording(text=text.strip(), language=language)

    # -- writing --------------------------------------------------------------------------------------

    def check_write(self, of: ReleaseClass) -> None:
        """Raises Forbidden where the person could not read or may not write this."""
        view = self.view
        if not all(view.sight.may(view.observer, action, of) for action in ("read", "change")):
            what = of.kind.replace("_", " ")
            raise Forbidden(f"The policy does not let you write this {what}: look at its label and its case.")

    def of_kind(self, kind: str, label: str, *, purpose: str = "", case: str = "") -> ReleaseClass:
        """The class of what is about to be written."""
        return self.view.sight.own_class(kind, label, purpose=purpose, case=case)

    def write(
        self,
        of: ReleaseClass,
        body: msgspec.Struct,
        author: str,
        *,
        record_id: str = "",
        revision: int = 0,
        valid_from_us: int | None = None,
    ) -> Record:
        """Durable on return. Raises Forbidden, UsageError, Conflict."""
        if not author.strip() or not author.isprintable() or len(author) > 80:
            raise UsageError(
                "It needs the name of the person who writes it: say who you are (80 characters)."
            )
        self.check_write(of)
        draft = Draft(
            id=record_id or self._new_id(),
            kind=of.kind,
            expected_revision=revision,
            schema=FORMS[of.kind].schema,
            author=author,
            valid_from_us=self.clock() if valid_from_us is None else valid_from_us,
            label=of.label,
            purpose=of.purpose,
            case=of.case,
            body=msgspec.json.encode(body),
        )
        return self.ledger.append([Filed(draft=draft, terms=terms.of_body(body))])[0]


def pen(ledger: Ledger, clock: Callable[[], int], view: View, ids: Callable[[], str] = new_id) -> Pen:
    """A person's pen."""
    return Pen(ledger, clock, ids, view)


def partners_seen(view: View) -> list[Partner]:
    """Confirmed partners, as far as the observer may know of them, by name."""
    found: list[Seen[Partner]] = view.of_kind("partner", Partner)
    own = [each.body for each in found if each.record.origin == view.ledger.origin]
    return sorted((each for each in own if each.state == "confirmed"), key=lambda each: each.node)


def reaches(view: View, partner: Partner, of: ReleaseClass) -> bool:
    """Whether the policy lets that partner's node read it now."""
    return any(view.sight.may(each, "read", of) for each in observers(partner))
