"""A preset: one behaviour's definition as numbers, named and frozen.

Always true: a preset's numbers carry their unit in the name and are checked, by name and type,
against the form its detector declares; a wrong one is refused in one sentence.
"""

import math
from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec

from shiprider.model.errors import UsageError

Form = TypeVar("Form", bound=msgspec.Struct)

#: A number that cannot be zero.
Positive = Annotated[float, msgspec.Meta(gt=0.0)]


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """One definition. `source` says whose it is; `prior` is the score before any evidence of context.

    `numbers` is what the detector's form asks for; `file` is where it was read, for messages.
    """

    behaviour: str
    name: str
    source: str
    text: str
    prior: float
    numbers: Mapping[str, object]
    file: str = "shiprider/detect/presets.toml"

    def where(self) -> str:
        """Where a reader of a message finds it."""
        return f"[{self.behaviour}.{self.name}] in {self.file}"


def form(preset: Preset, kind: type[Form]) -> Form:
    """The preset's numbers in the detector's form; raises UsageError in one sentence.

    Every number must be finite and not negative; forms forbid unknown names.
    """
    for name, value in preset.numbers.items():
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float) and (not math.isfinite(value) or value < 0):
            raise UsageError(f"{preset.where()}: {name} is {value}, but must be a number of at least 0.")
    try:
        return msgspec.convert(dict(preset.numbers), kind)
    except msgspec.ValidationError as error:
        detail = (
            str(error).replace("Object contains", "there is an").replace("Object missing", "it lacks the")
        )
        raise UsageError(
            f"{preset.where()}: {detail}; the names are {', '.join(kind.__struct_fields__)}."
        ) from None
