"""An observer's scores come from what he may see, or from the shipped prior."""

from shiprider.model.label import combined_text, written
from shiprider.share.learning import learnt, model_for, teaching

OPEN = written("policy=COALITION class=UNCLASSIFIED rel=*").text
SECRET = written("policy=COALITION class=SECRET rel=nations:USA").text


def test_a_model_carries_the_combination_of_its_inputs() -> None:
    assert learnt("m", [OPEN, SECRET, OPEN]).label == combined_text([OPEN, SECRET])


def test_who_may_not_see_every_input_gets_the_prior() -> None:
    fitted = learnt("fitted", [OPEN, SECRET])
    assert model_for(fitted, "prior", lambda label: label == fitted.label) == "fitted"
    assert model_for(fitted, "prior", lambda label: label == OPEN) == "prior"
    assert model_for(None, "prior", lambda label: True) == "prior"


def test_what_he_may_see_may_teach_him() -> None:
    assert teaching([("a", OPEN), ("b", SECRET), ("c", OPEN)], lambda label: label == OPEN) == ["a", "c"]
