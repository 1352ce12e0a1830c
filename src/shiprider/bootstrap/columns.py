"""Column maps: what the columns of an operator's table mean."""

from shiprider.bootstrap.files import read_text
from shiprider.formats.csv.layouts import CsvLayout


def column_map(path: str) -> str:
    """The text of a declared column map, once it is known to be one. Raises UsageError, InputError."""
    from shiprider.formats.csv.layouts import declared

    text = read_text(path)
    declared(text, path)
    return text


def layouts(path: str) -> tuple[CsvLayout, ...]:
    """The layout that a TOML file declares. Raises UsageError, InputError."""
    from shiprider.formats.csv.layouts import declared

    return (declared(read_text(path), path),)
