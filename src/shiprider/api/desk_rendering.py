"""The release desk's proposals as its reader sees them.

Always true: lines about classes that the reader may not read himself are not there, and nothing that is said beside
them depends on these: whether it widens, is stale or may be agreed to is said of what he may know. Only the act of
agreeing asks about the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from shiprider.api import permissions
from shiprider.api.authorising import Asker
from shiprider.api.rendering import Rendering
from shiprider.api.schemas import desk as s
from shiprider.api.words import word
from shiprider.flow.desk import Desk
from shiprider.flow.desk_steps import Person
from shiprider.flow.policy_desk import shown_of
from shiprider.flow.tear_lines import Previewed, Unmade
from shiprider.flow.view import Seen
from shiprider.measure.clock import iso_from_us
from shiprider.model.errors import Forbidden
from shiprider.model.label import Label
from shiprider.model.proposals import PolicyChange, Relabelling, ReleaseCount
from shiprider.model.release_class import Action
from shiprider.model.tear_line import (
    CoarsenPosition,
    CoarsenTime,
    Delay,
    DropFields,
    DropSource,
    Pseudonyms,
    ReplaceText,
    SanitisingRule,
)
from shiprider.share.shown_change import ShownChange
from shiprider.share.tear_line import Prepared


def person_of(asker: Asker) -> Person:
    """Who acts. Raises Forbidden where nobody has proved who he is: two names are not two people."""
    if asker.session.kind != "account":
        raise Forbidden("What is released is decided by people with accounts: sign in with yours.")
    return Person(observer=asker.observer, login=asker.session.login)


@dataclass(frozen=True, slots=True)
class DeskRendering:
    """What one person sees at the desk, in his language."""

    desk: Desk
    rendering: Rendering
    asker: Asker

    def effect(self, shown: ShownChange) -> s.PolicyEffect:
        """What of a change he may know, and whether that widens."""
        shown = self.desk.policy.visible(self.asker.observer, shown)
        return s.PolicyEffect(
            released=self._lines(shown.released),
            withheld=self._lines(shown.withheld),
            unsampled=shown.unsampled,
            widens=shown.widens,
            people_needed=2 if shown.widens else 1,
        )

    def policy_change(self, item: Seen[PolicyChange]) -> s.PolicyChangeOut:
        """A proposed policy; while it is open, whether it has to be shown again."""
        body, desk = item.body, self.desk
        shown = desk.policy.visible(self.asker.observer, shown_of(body))
        open_ = body.state == "proposed"
        stale = open_ and (
            body.replaces != desk.policies.now().digest
            or desk.policy.visible(self.asker.observer, desk.policy.try_out(body.rules)).more_than(shown)
        )
        mine = body.proposed_by == self.asker.observer.name
        return s.PolicyChangeOut(
            id=item.record.id,
            revision=item.record.revision,
            state=body.state,
            rules=body.rules,
            why=body.why,
            proposed_by=body.proposed_by,
            decided_by=body.decided_by,
            shown_us=body.shown_us,
            recorded_us=item.record.recorded_us,
            effect=self.effect(shown),
            stale=stale,
            may_agree=open_ and self._releases and not stale and not (shown.widens and mine),
        )

    def preview(self, original: Seen[Any], prepared: Prepared) -> s.TearLinePreview:
        """Side by side."""
        kind: Any = prepared.of_kind
        return s.TearLinePreview(
            kind=kind,
            original=original.record.id,
            original_revision=original.record.revision,
            original_marking=self.rendering.marking(original.record.label),
            marking=self.rendering.marking(prepared.label.text),
            recipient=prepared.recipient,
            not_before_us=prepared.not_before_us,
            rows=[
                s.SideBySide(
                    field=row.field,
                    original=_shown(row.field, row.original),
                    released=None if row.released is None else _shown(row.field, row.released),
                    why=row.why,
                    why_text=word("tear_line", row.why, self.rendering.language) if row.why else "",
                )
                for row in prepared.preview
            ],
        )

    def tear_line(self, found: Previewed | Unmade) -> s.TearLineProposalOut:
        """A proposed tear-line, as its rules would make it of the original now."""
        item, body = found.proposal, found.proposal.body
        open_, made = body.state == "proposed", isinstance(found, Previewed)
        stale = open_ and isinstance(found, Previewed) and found.stale
        return s.TearLineProposalOut(
            id=item.record.id,
            revision=item.record.revision,
            state=body.state,
            why=body.why,
            proposed_by=body.proposed_by,
            decided_by=body.decided_by,
            recorded_us=item.record.recorded_us,
            tear_line=body.tear_line,
            preview=self.preview(found.original, found.prepared) if isinstance(found, Previewed) else None,
            trouble="" if isinstance(found, Previewed) else found.trouble,
            stale=stale,
            may_agree=open_ and made and self._releases and not stale and not self._is_me(body.proposed_by),
        )

    def relabelling(self, item: Seen[Relabelling], subject: Seen[Any] | None = None) -> s.RelabellingOut:
        """Another label for a record that the reader sees."""
        body = item.body
        open_ = body.state == "proposed"
        stale = open_ and subject is not None and subject.record.revision != body.subject_revision
        kind: Any = body.subject_kind
        return s.RelabellingOut(
            id=item.record.id,
            revision=item.record.revision,
            state=body.state,
            kind=kind,
            subject=body.subject,
            subject_revision=body.subject_revision,
            was=self.rendering.marking(body.was),
            to=self.rendering.marking(body.to),
            why=body.why,
            proposed_by=body.proposed_by,
            decided_by=body.decided_by,
            recorded_us=item.record.recorded_us,
            stale=stale,
            may_agree=open_ and self._releases and not stale and not self._is_me(body.proposed_by),
        )

    @property
    def _releases(self) -> bool:
        return self.asker.session.kind == "account" and permissions.may(self.asker.roles, "release")

    def _is_me(self, name: str) -> bool:
        return name == self.asker.observer.name

    def _lines(self, lines: Sequence[ReleaseCount]) -> list[s.ReleaseLine]:
        return [
            s.ReleaseLine(
                nation=line.nation,
                organisation=line.organisation,
                purposes=list(line.purposes),
                actions=msgspec.convert(line.actions, list[Action]),
                kind=line.kind,
                marking=self.rendering.marking(line.label),
                origin=line.origin,
                case=line.case,
                count=line.count,
                from_us=line.from_us,
            )
            for line in lines
        ]


def rules_of(asked: s.TearLineRules, recipient: str) -> list[SanitisingRule]:
    """The rules that somebody asked for."""
    rules: list[SanitisingRule] = []
    if asked.coarsen_position_deg is not None:
        rules.append(CoarsenPosition(step_deg=asked.coarsen_position_deg))
    if asked.coarsen_time_s is not None:
        rules.append(CoarsenTime(step_s=asked.coarsen_time_s))
    if asked.drop_source:
        rules.append(DropSource())
    if asked.drop_fields:
        rules.append(DropFields(fields=tuple(asked.drop_fields)))
    if asked.delay_s is not None:
        rules.append(Delay(delay_s=asked.delay_s))
    if asked.pseudonyms:
        rules.append(Pseudonyms(recipient=recipient))
    return [*rules, *(ReplaceText(field=each.field, text=each.text) for each in asked.replace_text)]


def written_text(label: Label) -> str:
    """A label as a person would write it: its stored text without its form, parts apart by spaces."""
    return " ".join(label.text.split("|")[1:])


def _shown(field: str, value: Any) -> str:
    if field.endswith("_us") and isinstance(value, int):
        return iso_from_us(value)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
