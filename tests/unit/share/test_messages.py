"""Fixed messages: whole in every language, filled with what fits, and a partner's nonsense never shown as one."""

import string
import tomllib
from pathlib import Path
from typing import Any

import pytest

from shiprider.model.errors import InputError
from shiprider.model.wording import MESSAGE_LANGUAGES, Wording
from shiprider.share import messages

TABLES: dict[str, Any] = tomllib.loads((Path(messages.__file__).parent / "messages.toml").read_text())
VALUES = {
    "vessel": 211234560, "time": 1_767_225_600_000_000, "place": "16.0866,-74.5", "duration": 5400, "count": 7, "text": "PATROL",
}  # fmt: skip


def test_every_message_is_there_in_every_language_with_the_same_gaps() -> None:
    names = set(TABLES["arguments"])
    assert {each for listed in TABLES["uses"].values() for each in listed} == names
    for language in MESSAGE_LANGUAGES:
        assert set(TABLES[language]) == names, language
        for name, text in TABLES[language].items():
            gaps = {gap for _, gap, _, _ in string.Formatter().parse(text) if gap is not None}
            assert gaps == set(TABLES["arguments"][name]), (language, name)
    # No two languages say a message alike: a copy that was never translated shows here.
    for name in names:
        assert len({TABLES[language][name] for language in MESSAGE_LANGUAGES}) == len(MESSAGE_LANGUAGES), name


@pytest.mark.parametrize("name", TABLES["arguments"])
def test_each_is_filled_and_read_back_in_every_language(name: str) -> None:
    given = {gap: VALUES[kind] for gap, kind in messages.arguments_of(name).items()}
    for written in MESSAGE_LANGUAGES:
        said = messages.fixed(name, given, written)
        assert "{" not in said.text and said.language == written
        for language in MESSAGE_LANGUAGES:
            text, of = messages.read(said, language)
            assert of == language and text == messages.fixed(name, given, language).text


def test_how_arguments_are_said() -> None:
    """Worked by hand: 0.0866 degrees are 5.196 minutes; 1,767,225,600 s is 2026-01-01 by the calendar."""
    said = messages.fixed("arrives", {"place": VALUES["place"], "at": VALUES["time"]}, "en")
    assert said.text == "Our unit arrives at 16°05.2'N 074°30.0'W at 2026-01-01 00:00 UTC."
    near = messages.fixed("unit_near", {"place": "-1,0", "within": 5400}, "fr")
    assert near.text == "Avez-vous une unité à moins de 1 h 30 min de 01°00.0'S 000°00.0'E ?"
    sent = messages.fixed("our_flag", {"vessel": 5}, "nl")
    assert sent.text == "5 vaart onder onze vlag.", "what its sender calls it stays with him"
    assert (
        messages.read(sent, "nl", lambda mmsi: f"SEA FOX ({mmsi})")[0] == "SEA FOX (5) vaart onder onze vlag."
    )


@pytest.mark.parametrize(
    ("template", "arguments"),
    [
        ("no_such", {}),
        ("who_is", {}),
        ("understood", {"vessel": 5}),
        ("who_is", {"vessel": "SEA FOX"}),
        ("who_is", {"vessel": 10**9}),
        ("who_is", {"vessel": -1}),
        ("who_is", {"vessel": 1.5}),
        ("answer_by", {"by": 2**63}),
        ("on_scene", {"place": "91,0"}),
        ("on_scene", {"place": "nan,nan"}),
        ("on_scene", {"place": "here"}),
        ("list_reason", {"vessel": 5, "list": ""}),
        ("list_reason", {"vessel": 5, "list": "a\nb"}),
        ("list_reason", {"vessel": 5, "list": "x" * 201}),
    ],
)
def test_what_does_not_fit_is_refused_and_a_partners_is_shown_as_he_wrote_it(
    template: str, arguments: Any
) -> None:
    with pytest.raises(InputError):
        messages.fixed(template, arguments, "en")
    sent = Wording(text="as sent", language="pt", template=template, arguments=arguments)
    assert messages.read(sent, "en") == ("as sent", "pt")


def test_free_text_stays_in_its_senders_language() -> None:
    assert messages.read(Wording(text="Hay niebla.", language="es"), "en") == ("Hay niebla.", "es")


def test_braces_in_what_is_filled_in_are_letters() -> None:
    said = messages.fixed("list_reason", {"vessel": 5, "list": "{vessel.__class__}"}, "en")
    assert said.text == "Why is 5 on your list {vessel.__class__}?"
