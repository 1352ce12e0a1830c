"""The form of an evidence package: one zip file whose every byte is fixed by what is in it.

Always true: the same contents give the same bytes; every file but the last two is in the manifest with its
SHA-256, the time stamp is over the manifest, and the seal is signed over both; so any changed byte is found
(docs/evidence.md is the published form; `verifier/` checks it without a part of ours).
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, Final

from shiprider.model.errors import StorageError
from shiprider.ports.signing import Signer
from shiprider.ports.timestamps import TimeStamper

FORM: Final = "shiprider-evidence-1"
SEAL_FORM: Final = "shiprider-evidence-seal-1"
MANIFEST: Final = "manifest.json"
STAMP: Final = "timestamp.tsr"
SEAL: Final = "seal.json"

#: The earliest date a zip file can bear: no package tells by its entries when it was written.
_DATE: Final = (1980, 1, 1, 0, 0, 0)

#: A file that its owner may read and write, others read (0644), as Unix zip programs keep it.
_MODE: Final = 0o100644 << 16


def canonical(item: Any) -> bytes:
    """JSON in the one way that counts: keys sorted, no spaces, UTF-8, one line break at the end."""
    text = json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def seal_statement(manifest: bytes, stamp: bytes | None) -> bytes:
    """What the node signs: the digests of the manifest and of the time stamp (empty where there is none)."""
    fields = (
        SEAL_FORM.encode(),
        hashlib.sha256(manifest).hexdigest().encode(),
        hashlib.sha256(stamp).hexdigest().encode() if stamp is not None else b"",
    )
    return b"".join(b"%d:%b," % (len(field), field) for field in fields)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The zip file: stored, in order of name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3
            entry.external_attr = _MODE
            archive.writestr(entry, files[name])
    return out.getvalue()


def sealed(
    files: Mapping[str, bytes], head: Mapping[str, Any], signer: Signer, stamper: TimeStamper | None
) -> tuple[bytes, str]:
    """The package, and why it bears no time stamp ("" where it does). `head` goes into the manifest.

    Raises StorageError where the node cannot sign. An authority that does not answer is no reason to keep
    evidence back: the package then says that it has no time stamp.
    """
    listed = [
        {"path": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in sorted(files.items())
    ]
    manifest = canonical({"form": FORM, **head, "files": listed})
    stamp: bytes | None = None
    why = "no authority is named"
    if stamper is not None:
        try:
            stamp, why = stamper.stamp(hashlib.sha256(manifest).digest()), ""
        except StorageError as error:
            why = str(error)
    key, signature = signer.sign(seal_statement(manifest, stamp))
    seal = canonical(
        {"form": SEAL_FORM, "key": key, "signature": signature.hex(), "time_stamp": stamp is not None}
    )
    whole = {**files, MANIFEST: manifest, SEAL: seal, **({STAMP: stamp} if stamp is not None else {})}
    return zipped(whole), why
