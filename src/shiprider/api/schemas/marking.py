"""The label of a record, in words."""

from typing import Literal

from shiprider.api.schemas.base import Struct


class Marking(Struct):
    """A label in words: `banner` for a page, `portion` for a paragraph, `level` its classification for programs.

    `level` "UNLABELLED": its originator's own; "UNKNOWN": nobody understands it.
    """

    level: Literal[
        "UNLABELLED", "UNKNOWN", "UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP_SECRET"
    ]
    banner: str
    portion: str
