"""A text in parts: what is hidden leaves no gap, no seam and no length."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from shiprider.model.label import combine, parse, written
from shiprider.model.marked_text import MarkedText, assembled, marked, reading, split

A = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA").text
B = written("policy=COALITION class=SECRET rel=nations:USA caveats=ORCON").text
C = written("policy=COALITION class=CONFIDENTIAL rel=nations:COL,NLD,USA tlp=AMBER").text

paragraphs = st.lists(
    st.lists(st.tuples(st.text(alphabet="ab \n", max_size=6), st.sampled_from((A, B, C))), max_size=4),
    max_size=4,
)


def _sees(*labels: str) -> Callable[[str], bool]:
    return lambda label: label in labels


def test_the_whole_carries_the_combination() -> None:
    text = marked([[("seen", A), ("how we know", B)], [("more", C)]])
    assert text.label == combine(parse(A), parse(B), parse(C))
    assert marked([]).label == parse("")


def test_a_reader_gets_the_rest_without_a_gap() -> None:
    text = marked(
        [[("A go-fast", A), ("(source 14)", B), ("left at dusk.", A)], [("He is ours.", B)], [("End.", A)]]
    )
    assert text.plain == "A go-fast (source 14) left at dusk.\n\nHe is ours.\n\nEnd."
    seen = reading(text, _sees(A))
    assert seen.plain == "A go-fast left at dusk.\n\nEnd."
    # As if nobody had ever written the rest: not two spans where one would be.
    assert seen == marked([[("A go-fast left at dusk.", A)], [("End.", A)]])
    assert seen.label == parse(A)


@given(paragraphs, paragraphs)
def test_what_is_hidden_does_not_show(
    given_: list[list[tuple[str, str]]], other: list[list[tuple[str, str]]]
) -> None:
    """Two texts that differ only in hidden spans are one text to the reader."""
    public = [[(text, label) for text, label in spans if label != B] for spans in given_]
    hidden = [text for spans in other for text, _ in spans] or ["x"]
    filled = [
        [part for span in spans for part in (span, (hidden[at % len(hidden)], B))]
        for at, spans in enumerate(public)
    ]
    filled = [piece for spans in filled for piece in (spans, [(hidden[0], B)])]
    assert reading(marked(filled), _sees(A, C)) == marked(public)


@given(paragraphs, st.randoms())
def test_rows_of_parts_give_the_same_readings(given_: list[list[tuple[str, str]]], rng: object) -> None:
    text = marked(given_)
    keys = rng.sample(range(2**40), 40)  # type: ignore[attr-defined]
    parts = split(text, "t", keys)
    assert {part.label for part in parts} == {span.label for each in text.paragraphs for span in each.spans}
    assert assembled(parts) == text
    for labels in ((A,), (A, C), (B,), ()):
        assert assembled(part for part in parts if part.label in labels) == reading(text, _sees(*labels))


def test_no_text_at_all() -> None:
    assert marked([[("  \n", A)], []]) == MarkedText()
    assert reading(MarkedText(), _sees(A)).plain == ""
