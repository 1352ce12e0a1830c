"""Decoders: of a source in the spool, and of a recording to be printed."""

from collections.abc import Iterator

from shiprider.bootstrap.feeds import recording
from shiprider.formats.csv.layouts import CsvLayout
from shiprider.formats.decoded import Decoder
from shiprider.model.errors import InputError
from shiprider.ports.spool import Source


def open_decoder(source: Source, head: bytes, layouts: tuple[CsvLayout, ...] = ()) -> Decoder:
    """The decoder of a source, told by its first bytes. Raises InputError."""
    from shiprider.flow.decoding import context_of
    from shiprider.formats.sniffing import open_decoder as sniffed

    declared = source.declaration
    context = context_of(source)
    if declared.columns:
        from shiprider.formats.csv.layouts import declared as layout

        layouts = (layout(declared.columns, f"The column map of feed {declared.name!r}"), *layouts)
    try:
        if declared.format != "nmea":
            # What is read from a pipe has a name of its own in the spool, which says nothing to people.
            piped = source.origin.file.startswith("stdin-") and not source.origin.digest
            shown = "Standard input" if piped else source.origin.file or declared.name
            return sniffed(head, context, layouts, shown)
    except InputError:
        # A line that never ends may begin with anything; what is no sentence of it is refused line by line.
        if declared.received_clock != "wall" or declared.format or layouts:
            raise
    from shiprider.formats.ais.decoder import AisDecoder

    return AisDecoder(context)


def message_lines(path: str) -> Iterator[bytes]:
    """Every message of an AIS recording as JSON, one object a line."""
    from shiprider.formats.ais.fields import decode_lines

    feed = recording(path)
    return decode_lines(chunk.data for chunk in feed.chunks(()))
