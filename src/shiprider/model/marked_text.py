"""Text whose parts carry their own labels: paragraphs of spans.

Always true: the whole carries the combination of its spans' labels; spans are trimmed, none is empty, and what is
shown to somebody who may not see all of it is byte for byte what would be shown if the rest had never been written.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from shiprider.model.label import AnyLabel, combine, parse


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Words under one label (its stored text)."""

    text: str
    label: str = ""


class Paragraph(msgspec.Struct, frozen=True, kw_only=True):
    """Spans that are read one after the other."""

    spans: tuple[Span, ...]


class MarkedText(msgspec.Struct, frozen=True, kw_only=True):
    """A text in paragraphs; make it with `marked`."""

    paragraphs: tuple[Paragraph, ...] = ()

    @property
    def label(self) -> AnyLabel:
        """The label of the whole."""
        return combine(*(parse(span.label) for each in self.paragraphs for span in each.spans))

    @property
    def plain(self) -> str:
        """The words alone: spans joined by a space, paragraphs by an empty line."""
        return "\n\n".join(" ".join(span.text for span in each.spans) for each in self.paragraphs)


def marked(paragraphs: Iterable[Iterable[tuple[str, str]]]) -> MarkedText:
    """A marked text from (text, label text) pairs: white space evened, empty parts dropped, equal neighbours joined.

    So no seam tells where something else stood.
    """
    made = []
    for given in paragraphs:
        spans: list[Span] = []
        for text, label in given:
            words = " ".join(text.split())
            if not words:
                continue
            if spans and spans[-1].label == label:
                spans[-1] = Span(text=f"{spans[-1].text} {words}", label=label)
            else:
                spans.append(Span(text=words, label=label))
        if spans:
            made.append(Paragraph(spans=tuple(spans)))
    return MarkedText(paragraphs=tuple(made))


def reading(text: MarkedText, sees: Callable[[str], bool]) -> MarkedText:
    """What somebody reads of it: the spans whose label `sees` allows; of the others, nothing, not even a gap."""
    return marked(
        ((span.text, span.label) for span in each.spans if sees(span.label)) for each in text.paragraphs
    )


class TextPart(msgspec.Struct, frozen=True, kw_only=True):
    """What of a marked text stands under one label, for a row of its own: a store's filter works by rows.

    `places` are (key of the paragraph, key of the span): keys grow along the text and say nothing else.
    """

    text_id: str
    label: str
    places: tuple[tuple[int, int], ...]
    texts: tuple[str, ...]


def split(text: MarkedText, text_id: str, keys: Sequence[int]) -> list[TextPart]:
    """One part per label. `keys`: distinct random numbers, at least as many as paragraphs and spans together.

    Numbers that counted would tell a reader of some parts how much lies between them.
    """
    ordered = iter(sorted(keys))
    found: dict[str, list[tuple[tuple[int, int], str]]] = {}
    for paragraph in text.paragraphs:
        place = next(ordered)
        for span in paragraph.spans:
            found.setdefault(span.label, []).append(((place, next(ordered)), span.text))
    return [
        TextPart(
            text_id=text_id,
            label=label,
            places=tuple(place for place, _ in spans),
            texts=tuple(words for _, words in spans),
        )
        for label, spans in sorted(found.items())
    ]


def assembled(parts: Iterable[TextPart]) -> MarkedText:
    """The text of the parts that somebody has: `reading`, made from rows."""
    spans = sorted(
        (place, words, part.label)
        for part in parts
        for place, words in zip(part.places, part.texts, strict=True)
    )
    paragraphs: dict[int, list[tuple[str, str]]] = {}
    for (paragraph, _), words, label in spans:
        paragraphs.setdefault(paragraph, []).append((words, label))
    return marked(paragraphs.values())
