"""Promise 11: a package verifies offline with an independent program, and any changed byte fails.

The time stamps are those of a real authority (the openssl program); forgeries are made by somebody who
packs everything again properly, and for the inner checks even holds the key that seals.
"""

import hashlib
import importlib.util
import io
import json
import random
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from shiprider.adapters.timestamps.rfc3161 import Rfc3161
from shiprider.flow.evidence import Sources, export
from shiprider.flow.evidence_package import canonical, seal_statement, zipped
from shiprider.model.errors import NotFound, StorageError, UsageError

HERE = Path(__file__).parent
VERIFIER = HERE.parents[1] / "verifier"
support: Any = runpy.run_path(str(HERE / "evidence_support.py"), run_name="support")
FINDING, CUSTODIAN = support["FINDING"], support["CUSTODIAN"]
FLIPS = 1200


def _verifier() -> Any:
    sys.path.insert(0, str(VERIFIER))
    try:
        spec = importlib.util.spec_from_file_location("verify", VERIFIER / "verify.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(VERIFIER))


VERIFY = _verifier()
Lines = list[str]


def verified(data: bytes, key: str = "", authorities: Any = (), language: str = "en") -> tuple[int, Lines]:
    lines: Lines = []
    return VERIFY.verify(data, key, authorities, language, lines.append), lines


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("tsa")
    support["make_authority"](folder)
    made = support["Authority"](folder)
    yield made
    made.close()


@pytest.fixture(scope="module")
def trusted(authority: Any) -> Any:
    return x509.load_pem_x509_certificates((authority.folder / "ca.pem").read_bytes())


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, authority: Any) -> Iterator[tuple[Sources, Any]]:
    sources, signed, close = support["make_node"](tmp_path_factory.mktemp("node"), Rfc3161(authority.url))
    yield sources, signed
    close()


@pytest.fixture(scope="module")
def package(node: tuple[Sources, Any]) -> bytes:
    return export(node[0], FINDING, observer=CUSTODIAN, reason="case 12").data


def contents(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_verifies_with_everything_shown(package: bytes, node: tuple[Sources, Any], trusted: Any) -> None:
    for key in (node[1].second.id, node[1].first.id):
        code, lines = verified(package, key, trusted)
        assert code == 0, lines
    names = [line.split()[1] for line in lines if line.startswith("PASS")]
    assert names == ["container", "manifest", "keys", "records", "head", "signatures", "log", "observations",
                     "sealed", "custody", "stamp", "seal", "trust"]  # fmt: skip
    assert [line.split()[1] for line in lines if line.startswith("NOTE")] == ["unwitnessed"]
    assert "unwitnessed since 2026-01-01T00:01:00Z" in lines[-4]


def test_without_a_key_to_compare_it_is_never_called_verified(package: bytes) -> None:
    code, lines = verified(package)
    assert code == 2 and "NOT COMPARED" in lines[-1]
    assert verified(package, "", (), "es")[1][-1].startswith("ÍNTEGRO, PERO SIN COMPARAR")


def test_openssl_agrees_about_the_time_stamp(package: bytes, authority: Any, tmp_path: Path) -> None:
    files = contents(package)
    (tmp_path / "manifest.json").write_bytes(files["manifest.json"])
    (tmp_path / "stamp").write_bytes(files["timestamp.tsr"])
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-data", str(tmp_path / "manifest.json"), "-in", str(tmp_path / "stamp"),
         "-CAfile", str(authority.folder / "ca.pem")], capture_output=True, text=True,
    )  # fmt: skip
    assert "Verification: OK" in done.stdout, done.stderr


def test_the_program_needs_nothing_of_ours(package: bytes, node: tuple[Sources, Any], tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(package)
    code = (
        f"import sys; sys.path.insert(0, {str(VERIFIER)!r}); import verify;"
        "code = verify.main(sys.argv[1:]);"
        "ours = [n for n in sys.modules if n.startswith('shiprider')];"
        "sys.exit(9 if ours else code)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tmp_path / "p.zip"), "--key", node[1].second.id],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for path in VERIFIER.glob("*.py"):
        imports = {line.split()[1].split(".")[0] for line in path.read_text().splitlines()
                   if line.startswith(("import ", "from "))}  # fmt: skip
        assert imports <= {*sys.stdlib_module_names, "cryptography", "time_stamps", "words"}


def test_any_flipped_byte_fails(package: bytes, node: tuple[Sources, Any], trusted: Any) -> None:
    draw = random.Random(7)
    places = set(draw.sample(range(len(package)), FLIPS))
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        for entry in archive.infolist():  # every part's header, first and last byte, and its directory entry
            start = entry.header_offset
            body = start + 30 + len(entry.filename)
            places |= {start, start + 10, start + 14, body, body + entry.file_size - 1}
        directory = archive.start_dir
    places |= set(range(directory, len(package), 7)) | set(range(len(package) - 22, len(package)))
    passed = []
    for place in sorted(p for p in places if p < len(package)):
        changed = bytearray(package)
        changed[place] ^= 1 << draw.randrange(8)
        if verified(bytes(changed), node[1].second.id, trusted)[0] != 1:
            passed.append(place)
    assert passed == []
    for changed_size in (package[:-1], package + b"\0", b"\0" + package, b"", package[: len(package) // 2]):
        assert verified(changed_size, node[1].second.id, trusted)[0] == 1


def test_any_flipped_byte_of_a_file_fails_when_all_is_packed_again(
    package: bytes, node: tuple[Sources, Any], trusted: Any
) -> None:
    """Every kind of file, hashes in manifest and custody made again; only the seal cannot be."""
    draw = random.Random(8)
    files = contents(package)
    passed = []
    for name, data in files.items():
        for _ in range(12):
            at, bit = draw.randrange(len(data)), 1 << draw.randrange(8)
            changed = {**files, name: data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]}
            if name not in ("manifest.json", "seal.json", "timestamp.tsr"):
                changed = rehashed(changed)
                if changed == files:
                    # The flip was in a hash that was made again: it is the package itself.
                    assert name == "custody.jsonld"
                    continue
            if verified(zipped(changed), node[1].second.id, trusted)[0] != 1:
                passed.append((name, at, bit))
    assert passed == []


def rehashed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Custody and manifest made again over what is there now."""
    changed = dict(files)
    try:
        graph = json.loads(changed["custody.jsonld"])
        for each in graph["@graph"]:
            if each["@type"] == "uco-observable:File":
                name, content = each["uco-core:hasFacet"]
                data = changed.get(name["uco-observable:filePath"], b"")
                stated = content["uco-observable:hash"][0]["uco-types:hashValue"]
                stated["@value"] = hashlib.sha256(data).hexdigest().upper()
        changed["custody.jsonld"] = canonical(graph)
    except (ValueError, KeyError, TypeError):
        pass
    manifest = json.loads(changed["manifest.json"])
    manifest["files"] = [
        {"path": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in sorted(changed.items())
        if name not in ("manifest.json", "seal.json", "timestamp.tsr")
    ]
    changed["manifest.json"] = canonical(manifest)
    return changed


def resealed(files: dict[str, bytes], key: Any, *, stamp: bool = False) -> bytes:
    """Sealed anew by somebody with that key; without the authority there is no new time stamp."""
    changed = rehashed(files)
    token = changed["timestamp.tsr"] if stamp else None
    if token is None:
        changed.pop("timestamp.tsr", None)
    name, signature = key.sign(seal_statement(changed["manifest.json"], token))
    changed["seal.json"] = canonical(
        {
            "form": "shiprider-evidence-seal-1",
            "key": name,
            "signature": signature.hex(),
            "time_stamp": token is not None,
        }
    )
    return zipped(changed)


def edited(path: str, change: Callable[[Any], Any]) -> Callable[[dict[str, bytes]], None]:
    def forge(files: dict[str, bytes]) -> None:
        item = json.loads(files[path])
        item = change(item) or item
        files[path] = canonical(item)

    return forge


def body_edited(files: dict[str, bytes]) -> None:
    name = next(n for n in files if n.endswith("1.body"))
    files[name] = files[name].replace(b'"score":0.5', b'"score":0.9')


def envelope_edited(files: dict[str, bytes]) -> None:
    files["records/0001.envelope"] = files["records/0001.envelope"].replace(b"5:watch", b"5:other")


def envelope_and_digest(files: dict[str, bytes]) -> None:
    old = hashlib.sha256(files["records/0001.body"]).hexdigest().encode()
    body_edited(files)
    new = hashlib.sha256(files["records/0001.body"]).hexdigest().encode()
    files["records/0001.envelope"] = files["records/0001.envelope"].replace(old, new)


def signature_of_another(files: dict[str, bytes]) -> None:
    files["records/0001.signature"] = files["records/0002.signature"]


def signature_dropped(files: dict[str, bytes]) -> None:
    files["records/0001.signature"] = b""


def revision_dropped(files: dict[str, bytes]) -> None:
    listed = json.loads(files["records.json"])
    gone = listed.pop(0)
    files["records.json"] = canonical(listed)
    for kind in ("envelope", "signature", "body"):
        del files[gone[kind]]
    graph = json.loads(files["custody.jsonld"])
    graph["@graph"] = [n for n in graph["@graph"] if "0001" not in json.dumps(n)]
    files["custody.jsonld"] = canonical(graph)


def raw_edited(files: dict[str, bytes]) -> None:
    name = next(n for n in files if n.endswith(".raw"))
    files[name] = files[name].replace(b"x", b"y", 1)


def raw_edited_and_hashed(files: dict[str, bytes]) -> None:
    """As the spool's bytes would be, had somebody changed them before the export."""
    name = next(n for n in files if n.endswith(".raw"))
    files[name] = files[name].replace(b"x", b"y", 1)
    listed = json.loads(files["observations.json"])
    for each in listed:
        if each.get("file") == name:
            each["sha256"] = hashlib.sha256(files[name]).hexdigest()
    files["observations.json"] = canonical(listed)


def proof(number: int, **changes: Callable[[Any], Any]) -> Callable[[dict[str, bytes]], None]:
    """Fields of the proof of one observation changed."""

    def change(listed: Any) -> None:
        piece = listed[number]["sealed"][0]
        piece.update({name: made(piece[name]) for name, made in changes.items()})

    return edited("observations.json", change)


def arrival_edited(files: dict[str, bytes]) -> None:
    """Another feed wherever it is told."""
    files["observations.json"] = files["observations.json"].replace(b'"feed":"coast"', b'"feed":"other"')
    files["custody.jsonld"] = files["custody.jsonld"].replace(b"feed coast", b"feed other")


def seal_edited(files: dict[str, bytes]) -> None:
    files["seals/0001.body"] = files["seals/0001.body"].replace(b'"length":', b'"length":9')


def seal_of_another(files: dict[str, bytes]) -> None:
    """The seal of one record, the signature of another."""
    files["seals/0001.signature"] = files["records/0002.signature"]


def seal_moved(files: dict[str, bytes]) -> None:
    listed = json.loads(files["seals.json"])
    listed[0]["index"] += 1
    files["seals.json"] = canonical(listed)


def seal_that_is_a_finding(files: dict[str, bytes]) -> None:
    listed = json.loads(files["seals.json"])
    listed[0] = json.loads(files["records.json"])[0]
    files["seals.json"] = canonical(listed)


def seals_dropped(files: dict[str, bytes]) -> None:
    for name in [n for n in files if n.startswith("seals")]:
        del files[name]


def sealing_unsaid(files: dict[str, bytes]) -> None:
    """One observation of which nothing is said."""
    listed = json.loads(files["observations.json"])
    del listed[0]["sealed"]
    files["observations.json"] = canonical(listed)


def sealed_in_part(files: dict[str, bytes]) -> None:
    """An observation with bytes added behind those that were sealed."""
    name = next(n for n in files if n.endswith(".raw"))
    files[name] += b"more"
    listed = json.loads(files["observations.json"])
    for each in listed:
        if each.get("file") == name:
            each.update(sha256=hashlib.sha256(files[name]).hexdigest(), length=len(files[name]))
    files["observations.json"] = canonical(listed)


def raw_swapped(files: dict[str, bytes]) -> None:
    names = [n for n in files if n.endswith(".raw")]
    files[names[0]], files[names[1]] = files[names[1]], files[names[0]]


def raw_added(files: dict[str, bytes]) -> None:
    files["observations/00000009-0000000000.raw"] = b"!AIVDM"


def record_added(files: dict[str, bytes]) -> None:
    files["records/0009.body"] = b"{}"


def stranger(files: dict[str, bytes]) -> None:
    files["extra.txt"] = b"read me"


FORGERIES: list[tuple[str, Callable[[dict[str, bytes]], Any]]] = [
    ("records", body_edited),
    ("signatures", envelope_edited),
    ("signatures", envelope_and_digest),
    ("signatures", signature_of_another),
    ("signatures", signature_dropped),
    ("records", revision_dropped),
    ("records", record_added),
    ("observations", raw_edited),
    ("observations", raw_swapped),
    ("observations", raw_added),
    ("observations", edited("observations.json", lambda listed: listed[:-1])),
    ("observations", edited("observations.json", lambda listed: listed[0].update(offset=listed[0]["offset"] + 1))),
    ("sealed", raw_edited_and_hashed),
    ("sealed", proof(0, salt=lambda salt: "0" * 64)),
    ("sealed", proof(0, salt=lambda salt: salt[:-2])),
    ("sealed", proof(0, index=lambda index: index + 1)),
    ("sealed", proof(0, size=lambda size: size + 9)),
    ("sealed", proof(0, path=lambda path: [*path, "0" * 64])),
    ("sealed", proof(0, path=lambda path: path[:-1])),
    ("sealed", proof(0, length=lambda length: length - 1)),
    ("sealed", proof(0, received_us=lambda time: time + 1)),
    ("sealed", edited("observations.json", lambda listed: listed[0].update(received_us=listed[0]["received_us"] + 1))),
    ("sealed", edited("observations.json", lambda listed: listed[0].update(feed="other"))),
    ("sealed", edited("observations.json", lambda listed: listed[0].update(origin="other.nmea"))),
    ("sealed", arrival_edited),
    ("sealed", proof(0, offset=lambda offset: offset + 1)),
    ("sealed", proof(-1, covered=lambda place: 0, fixed=lambda place: 0)),
    ("sealed", edited("observations.json", lambda listed: listed[0].update(sealed=listed[1]["sealed"]))),
    ("sealed", edited("observations.json", lambda listed: listed[0].update(sealed=[]))),
    ("sealed", sealing_unsaid),
    ("sealed", sealed_in_part),
    ("sealed", seal_edited),
    ("sealed", seal_of_another),
    ("sealed", seal_moved),
    ("sealed", seal_that_is_a_finding),
    ("sealed", seals_dropped),
    ("log", edited("records.json", lambda listed: listed[0].update(index=listed[0]["index"] + 1))),
    ("log", edited("records.json", lambda listed: listed[0]["path"].pop() and None)),
    ("log", edited("records.json", lambda listed: listed[0]["path"].append("0" * 64))),
    ("log", edited("records.json", lambda listed: listed[0].update(path=listed[1]["path"]))),
    ("head", edited("log/head.json", lambda head: head.update(size=head["size"] + 1))),
    ("head", edited("log/head.json", lambda head: head.update(root="0" * 64))),
    ("head", edited("log/head.json", lambda head: head.update(origin="other"))),
    ("head", edited("log/head.json", lambda head: head.update(first_signed=99))),
    ("keys", edited("log/keys.json", lambda keys: keys[1].update(endorsement="0" * 128))),
    ("keys", edited("log/keys.json", lambda keys: keys[0].update(key_id="0" * 32))),
    ("head", edited("log/keys.json", lambda keys: keys[1].update(to_us=keys[1]["from_us"]))),
    ("witnesses", edited("log/witnesses.json", lambda told: told.update(unwitnessed_since_us=None))),
    ("custody", edited("custody.jsonld", lambda graph: graph["@graph"].remove(
        next(n for n in graph["@graph"] if n["@type"] == "case-investigation:InvestigativeAction")))),
]  # fmt: skip


@pytest.mark.parametrize(("check", "forge"), FORGERIES, ids=lambda each: getattr(each, "__name__", each))
def test_each_check_holds_even_against_who_holds_the_sealing_key(
    package: bytes, node: tuple[Sources, Any], check: str, forge: Callable[[dict[str, bytes]], Any]
) -> None:
    files = contents(package)
    assert verified(resealed(files, node[1].second), node[1].second.id)[0] == 0
    forge(files)
    code, lines = verified(resealed(files, node[1].second), node[1].second.id)
    assert code == 1
    failed = [line for line in lines if line.startswith("FAIL")]
    assert failed[0].split()[1] == check, lines


def test_a_file_that_nobody_listed_fails(package: bytes, node: tuple[Sources, Any]) -> None:
    files = contents(package)
    code, lines = verified(zipped({**files, "extra.txt": b"read me"}), node[1].second.id)
    assert code == 1 and "manifest" in lines[-2]


def test_another_key_cannot_seal(package: bytes, node: tuple[Sources, Any]) -> None:
    thief = support["Key"](b"thief")
    files = contents(package)
    assert verified(resealed(files, thief), node[1].second.id)[0] == 1
    keys = json.loads(files["log/keys.json"])
    keys.append({**keys[0], "key_id": thief.id, "public": thief.public.hex(), "from_us": 0, "to_us": None})
    files["log/keys.json"] = canonical(keys)
    code, lines = verified(resealed(files, thief), node[1].second.id)
    assert code == 1 and any("not the key you gave" in line for line in lines)
    # Whole in itself, it is told to be compared, and which key was endorsed by none.
    code, lines = verified(resealed(files, thief))
    assert code == 2 and any(line.startswith("NOTE  keys") for line in lines)


def test_the_time_stamp_must_be_over_this_manifest_and_vouched_for(
    package: bytes, node: tuple[Sources, Any], authority: Any, trusted: Any, tmp_path: Path
) -> None:
    sources, signed = node
    files = contents(package)
    other = contents(export(sources, FINDING, observer=CUSTODIAN, reason="case 13").data)
    files["timestamp.tsr"] = other["timestamp.tsr"]
    code, lines = verified(resealed(files, signed.second, stamp=True), signed.second.id, trusted)
    assert code == 1 and any("over something else" in line for line in lines)
    support["make_authority"](tmp_path / "other")
    stranger = x509.load_pem_x509_certificates((tmp_path / "other" / "ca.pem").read_bytes())
    code, lines = verified(package, signed.second.id, stranger)
    assert code == 1 and any("vouches" in line for line in lines)


@pytest.mark.parametrize("part", ["tail", "middle", "imprint"])
def test_a_changed_time_stamp_fails_even_if_it_is_sealed_again(
    package: bytes, node: tuple[Sources, Any], trusted: Any, part: str
) -> None:
    """Without the seal: what openssl refuses, the verifier refuses too."""
    files = contents(package)
    token = bytearray(files["timestamp.tsr"])
    digest = hashlib.sha256(files["manifest.json"]).digest()
    at = {"tail": len(token) - 10, "middle": len(token) // 3, "imprint": token.index(digest) + 3}[part]
    token[at] ^= 1
    stamps = sys.modules["time_stamps"]
    with pytest.raises(stamps.Wrong):
        stamps.check(bytes(token), digest, trusted)


def test_with_no_authority_or_one_that_fails_the_package_says_so(
    tmp_path: Path, authority: Any, node: tuple[Sources, Any]
) -> None:
    sources, signed = node
    gone = replace(sources, stamper=Rfc3161("http://127.0.0.1:9/"))
    for each, why in ((replace(sources, stamper=None), "no authority"), (gone, "gave no answer")):
        made = export(each, FINDING, observer=CUSTODIAN, reason="case 12")
        assert why in made.no_stamp
        code, lines = verified(made.data, signed.second.id)
        assert code == 0 and any(line.startswith("NOTE  no") and "no time stamp" in line for line in lines)


def test_wrong_answers_of_an_authority_are_refused(authority: Any) -> None:
    stamper = Rfc3161(authority.url)
    digest = hashlib.sha256(b"x").digest()
    stamper.stamp(digest)
    old = authority.reply((authority.folder / "request.tsq").read_bytes())
    real = authority.answer
    try:
        for answer, told in (
            (lambda _: old, "something else"),
            (lambda _: b"", "wrongly"),
            (lambda _: b"<html>busy</html>", "wrongly"),
            (lambda _: old[:100], "wrongly"),
            (lambda _: b"\x30\x05\x30\x03\x02\x01\x02", "not granted"),
            (lambda _: b"\0" * 100_000, "too long"),
        ):
            authority.answer = answer
            with pytest.raises(StorageError, match=told):
                stamper.stamp(digest)
    finally:
        authority.answer = real
    for url in ("file:///etc/passwd", "ftp://127.0.0.1/", "http:///x", "tsa"):
        with pytest.raises(UsageError):
            Rfc3161(url)


def test_a_witness_of_this_head_is_shown_and_an_older_one_dates_the_doubt(
    node: tuple[Sources, Any],
) -> None:
    sources, signed = node
    root = signed.root(1)
    partner = support["Key"](b"partner")
    quiet = replace(sources, stamper=None)
    try:
        signed.witnessed = [support["witness"](root, "partner", partner, root.recorded_us + 5_000_000)]
        code, lines = verified(export(quiet, FINDING, observer=CUSTODIAN, reason="x").data, signed.second.id)
        assert code == 0 and any(line.startswith("PASS  witness") for line in lines)
        assert not any("unwitnessed" in line for line in lines)
        older = replace(root, size=20, root="1" * 64, recorded_us=root.recorded_us - 120_000_000)
        older = replace(older, signature=signed.second.private.sign(support["statement"](older)).hex())
        signed.witnessed = [support["witness"](older, "partner", partner, root.recorded_us)]
        made = export(quiet, FINDING, observer=CUSTODIAN, reason="x").data
        code, lines = verified(made, signed.second.id)
        doubted = datetime.fromtimestamp(older.recorded_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert code == 0 and any(f"unwitnessed since {doubted}" in line for line in lines)
        files = contents(made)
        told = json.loads(files["log/witnesses.json"])
        told["witnesses"][0]["at_us"] += 1
        files["log/witnesses.json"] = canonical(told)
        assert verified(resealed(files, signed.second), signed.second.id)[0] == 1
    finally:
        signed.witnessed = []


def test_an_erased_body_and_a_lost_observation_are_said(tmp_path: Path) -> None:
    sources, signed, close = support["make_node"](tmp_path / "node", erased=True)
    row_of = sources.row_of
    first = sorted(raw for raw in range(1 << 32, (1 << 32) + 8000) if row_of(raw) is not None)[3]
    lossy = replace(sources, row_of=lambda raw: None if raw == first else row_of(raw))
    made = export(lossy, FINDING, observer=CUSTODIAN, reason="x")
    assert made.missing == 1
    code, lines = verified(made.data, signed.second.id)
    assert code == 0, lines
    assert any("NOTE  erased" in line for line in lines) and any("NOTE  missing" in line for line in lines)
    close()


def test_a_package_without_seals_says_so(tmp_path: Path) -> None:
    sources, signed, close = support["make_node"](tmp_path / "node", sealed=False)
    made = export(sources, FINDING, observer=CUSTODIAN, reason="x")
    assert made.unsealed == made.observations == 5
    code, lines = verified(made.data, signed.second.id)
    assert code == 0, lines
    assert sum("is not sealed in the log" in line for line in lines) == 5
    files = contents(made.data)
    # One of before there were seals at all has no such file, and says nothing of its observations.
    listed = [
        {k: v for k, v in each.items() if k != "unsealed"} for each in json.loads(files["observations.json"])
    ]
    files["observations.json"] = canonical(listed)
    del files["seals.json"]
    graph = json.loads(files["custody.jsonld"])
    graph["@graph"] = [each for each in graph["@graph"] if "seals.json" not in json.dumps(each)]
    files["custody.jsonld"] = canonical(graph)
    code, lines = verified(resealed(files, signed.second), signed.second.id)
    assert code == 0 and any("NOTE  sealed" in line and "no seals" in line for line in lines), lines
    close()


def test_the_same_evidence_gives_the_same_bytes(node: tuple[Sources, Any]) -> None:
    quiet = replace(node[0], stamper=None, clock=lambda: 1_767_300_000_000_000)
    one, other = (export(quiet, FINDING, observer=CUSTODIAN, reason="x").data for _ in range(2))
    assert one == other


def test_only_findings_are_exported(node: tuple[Sources, Any]) -> None:
    with pytest.raises(NotFound):
        export(node[0], "a" * 32, observer=CUSTODIAN, reason="x")
    with pytest.raises(NotFound):
        export(node[0], "9" * 32, observer=CUSTODIAN, reason="x")
