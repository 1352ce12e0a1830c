"""The exact bytes of an envelope, its digest and its link in the chain.

Always true: the bytes depend on the envelope's fields alone (each as UTF-8, preceded by its length, in
the order below), so any program can make them again; the body is in them only by its digest.
`sequence` and `previous` are this node's own and are not in them: they enter the link.
"""

import hashlib
from typing import Final

import msgspec

#: First field of every envelope's bytes: which order and encoding of fields follows.
FORM: Final = "shiprider-envelope-1"

#: `previous` of the first record of a log.
GENESIS: Final = "0" * 64


def digest_of(body: bytes) -> str:
    """SHA-256 of a body's exact bytes, 64 hex digits."""
    return hashlib.sha256(body).hexdigest()


def envelope_bytes(
    *,
    id: str,
    kind: str,
    revision: int,
    schema: int,
    origin: str,
    author: str,
    valid_from_us: int,
    valid_to_us: int | None,
    recorded_us: int,
    label: str,
    purpose: str,
    case: str,
    digest: str,
) -> bytes:
    """What is signed and chained: fields as `length:text,` (netstrings); no end of validity is empty."""
    number, form, begin, made = str(revision), str(schema), str(valid_from_us), str(recorded_us)
    end = "" if valid_to_us is None else str(valid_to_us)
    text = (
        f"{len(FORM)}:{FORM},{len(id)}:{id},{len(kind)}:{kind},{len(number)}:{number},{len(form)}:{form},"
        f"{len(origin)}:{origin},{len(author)}:{author},{len(begin)}:{begin},{len(end)}:{end},{len(made)}:{made},"
        f"{len(label)}:{label},{len(purpose)}:{purpose},{len(case)}:{case},{len(digest)}:{digest},"
    )
    if text.isascii():  # characters are bytes: the usual case, three times as fast
        return text.encode("ascii")
    fields = (FORM, id, kind, number, form, origin, author, begin, end, made, label, purpose, case, digest)
    return b"".join(b"%d:%b," % (len(data), data) for data in (field.encode() for field in fields))


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """What an envelope's bytes say."""

    id: str
    kind: str
    revision: int
    schema: int
    origin: str
    author: str
    valid_from_us: int
    valid_to_us: int | None
    recorded_us: int
    label: str
    purpose: str
    case: str
    digest: str


def bytes_of(fields: Fields) -> bytes:
    """The envelope's exact bytes."""
    return envelope_bytes(
        id=fields.id,
        kind=fields.kind,
        revision=fields.revision,
        schema=fields.schema,
        origin=fields.origin,
        author=fields.author,
        valid_from_us=fields.valid_from_us,
        valid_to_us=fields.valid_to_us,
        recorded_us=fields.recorded_us,
        label=fields.label,
        purpose=fields.purpose,
        case=fields.case,
        digest=fields.digest,
    )


def parse_envelope(data: bytes) -> Fields:
    """The fields of exactly these bytes. Raises ValueError where they are not an envelope in its one form."""
    texts: list[str] = []
    at = 0
    while at < len(data):
        colon = data.find(b":", at, at + 8)
        number = data[at:colon] if colon > at else b""
        if not number.isdigit():
            raise ValueError("a field has no length")
        end = colon + 1 + int(number)
        if data[end : end + 1] != b",":
            raise ValueError("a field is cut off")
        texts.append(data[colon + 1 : end].decode())
        at = end + 1
    if len(texts) != len(Fields.__struct_fields__) + 1 or texts[0] != FORM:
        raise ValueError("it is not of this form")
    _, id_, kind, revision, schema, origin, author, begin, end_, made, label, purpose, case, digest = texts
    fields = Fields(
        id=id_,
        kind=kind,
        revision=int(revision),
        schema=int(schema),
        origin=origin,
        author=author,
        valid_from_us=int(begin),
        valid_to_us=int(end_) if end_ else None,
        recorded_us=int(made),
        label=label,
        purpose=purpose,
        case=case,
        digest=digest,
    )
    # Numbers have many spellings, an envelope has one.
    if bytes_of(fields) != data:
        raise ValueError("it is not in its one form")
    return fields


def link(previous: str, sequence: int, envelope: bytes, signature: bytes) -> str:
    """The hash of one entry of a log: SHA-256 over the hash before it, its place, its envelope and signature."""
    entry = b"%d:%b,%d:%b," % (len(envelope), envelope, len(signature), signature)
    return link_entry(previous, sequence, entry)


def link_entry(previous: str, sequence: int, entry: bytes) -> str:
    """The same, where envelope and signature are already together (`model.tree_head.leaf_entry`)."""
    return hashlib.sha256(bytes.fromhex(previous) + sequence.to_bytes(8, "big") + entry).hexdigest()
