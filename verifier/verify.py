"""Checks an evidence package of Shiprider, offline, with nothing of Shiprider's own software.

    python verify.py package.zip --key KEY_ID [--tsa-ca authority.pem] [--lang es]

One line for each check: PASS, NOTE (what the package does not show) or FAIL. Ends with 0 (verified), 1 (a check
failed) or 2 (whole, but no key was given to compare it with). The form is published in docs/evidence.md.
"""

import argparse
import hashlib
import io
import json
import re
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import time_stamps
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from words import WORDS

#: A package holds some records and sentences; what is larger is none.
MOST_BYTES = 256 << 20
LAST = ("manifest.json", "timestamp.tsr", "seal.json")

#: A seal that follows so long after the bytes came in says nothing about the time between.
LATE_US = 3_600_000_000


class Failed(Exception):
    """A check failed; the text says why."""


# -- the formats ------------------------------------------------------------------------------------------


def sha256(data):
    """64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def netstrings(*fields):
    """Fields as `length:bytes,`."""
    return b"".join(b"%d:%b," % (len(field), field) for field in fields)


def parse_netstrings(data):
    """The fields of netstrings, and nothing else."""
    fields, at = [], 0
    while at < len(data):
        colon = data.find(b":", at)
        digits = data[at:colon] if colon > 0 else b""
        if not re.fullmatch(rb"0|[1-9][0-9]{0,8}", digits):
            raise Failed("an envelope is not in netstrings")
        end = colon + 1 + int(digits)
        if data[end : end + 1] != b",":
            raise Failed("an envelope is not in netstrings")
        fields.append(data[colon + 1 : end])
        at = end + 1
    return fields


def canonical(data):
    """JSON that is written in the one way that counts."""
    item = json.loads(data)
    text = json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if text.encode() + b"\n" != data:
        raise Failed("a JSON file is not written in the one way that counts")
    return item


def unhex(text, size=None):
    """Bytes from lower-case hex digits."""
    if not re.fullmatch(r"([0-9a-f]{2})*", text) or (size is not None and len(text) != 2 * size):
        raise Failed("a value is not in lower-case hex digits")
    return bytes.fromhex(text)


def merkle_root(entry, index, size, path):
    """The root that an audit path leads to (RFC 9162, 2.1.3.2, for the tree of RFC 6962)."""
    if not 0 <= index < size:
        raise Failed("a record's place is outside the log")
    place, last, found = index, size - 1, hashlib.sha256(b"\x00" + entry).digest()
    for beside in path:
        if last == 0:
            raise Failed("a proof is too long")
        if place & 1 or place == last:
            found = hashlib.sha256(b"\x01" + beside + found).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + beside).digest()
        place, last = place >> 1, last >> 1
    if last:
        raise Failed("a proof is too short")
    return found


def signed_by(public, message, signature):
    """Raises Failed unless the key signed exactly this."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Failed("a signature does not hold") from None


def when(microseconds):
    """ISO 8601 in UTC."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- the checks -------------------------------------------------------------------------------------------


class Package:
    """What is known of the package so far; each check adds to it or raises."""

    def __init__(self, data, key, authorities, say):
        self.data, self.trusted, self.authorities, self.say = data, key, authorities, say
        self.files, self.manifest, self.keys, self.records = {}, {}, {}, []

    def container(self):
        files = {}
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            for entry in archive.infolist():
                plain = entry.compress_type == zipfile.ZIP_STORED and not entry.flag_bits & 1
                if entry.filename in files or not plain or entry.file_size != entry.compress_size:
                    raise Failed("a part is doubled, compressed or encrypted")
                files[entry.filename] = archive.read(entry)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                entry.create_system, entry.external_attr = 3, 0o100644 << 16
                archive.writestr(entry, files[name])
        if out.getvalue() != self.data:
            raise Failed("the file is not in the published form: it was changed or packed again")
        self.files = files
        self.say("PASS", "container")

    def check_manifest(self):
        self.manifest = canonical(self.files["manifest.json"])
        if self.manifest["form"] != "shiprider-evidence-1":
            raise Failed(f"the form {self.manifest['form']!r} is not known: get a newer verifier")
        listed = {each["path"]: each for each in self.manifest["files"]}
        if set(listed) | set(LAST) != set(self.files) | {"timestamp.tsr"}:
            raise Failed("a file is missing or not in the manifest")
        for name, each in listed.items():
            if sha256(self.files[name]) != each["sha256"] or len(self.files[name]) != each["size"]:
                raise Failed(f"{name} does not match its SHA-256")
        self.say("PASS", "manifest", files=len(listed))

    def check_keys(self):
        before = ""
        for key in canonical(self.files["log/keys.json"]):
            public = unhex(key["public"], 32)
            if key["key_id"] != sha256(public)[:32]:
                raise Failed(f"the key {key['key_id']} is named wrongly")
            if key["predecessor"]:
                if key["predecessor"] not in self.keys:
                    raise Failed(f"the key {key['key_id']} is endorsed by a key that is not given")
                message = b"shiprider-successor-1," + unhex(key["predecessor"]) + public
                signed_by(self.keys[key["predecessor"]]["bytes"], message, unhex(key["endorsement"], 64))
            elif before:
                self.say("NOTE", "keys_unendorsed", key=key["key_id"], reason=key["reason"])
            before = key["key_id"]
            self.keys[before] = {**key, "bytes": public}
        self.say("PASS", "keys", keys=len(self.keys))

    def key(self, key_id, at_us):
        """The public bytes of a key that was valid then."""
        key = self.keys.get(key_id)
        if key is None:
            raise Failed(f"the key {key_id} is not one of the node's")
        if at_us < key["from_us"] or (key["to_us"] is not None and at_us > key["to_us"]):
            raise Failed(f"the key {key_id} was not valid at {when(at_us)}")
        return key["bytes"]

    def check_trust(self, key_id):
        """The key that seals is the one given, or endorsed by it through keys in between."""
        if not self.trusted:
            self.say("NOTE", "no_trust", key=key_id)
            return
        line, current = [], key_id
        while current and current not in line:
            line.append(current)
            current = self.keys[current]["predecessor"] if current in self.keys else ""
        if self.trusted not in line:
            raise Failed(f"the package is sealed by {key_id}, which is not the key you gave, nor endorsed by it")
        self.say("PASS", "trust", key=key_id)

    def check_records(self):
        used, revisions = set(), []
        for each in canonical(self.files["records.json"]):
            record = self.record(each)
            if record["body"] is None:
                self.say("NOTE", "erased", envelope=each["envelope"])
            used |= {each["envelope"], each["signature"], each["body"]}
            if record["id"] == self.manifest["finding"]:
                if record["kind"] != "finding":
                    raise Failed("what the package is of is no finding")
                revisions.append(record["revision"])
            self.records.append(record)
        if revisions != list(range(1, len(revisions) + 1)) or not revisions:
            raise Failed("revisions of the finding are missing")
        if {name for name in self.files if name.startswith("records/")} - used:
            raise Failed("there is a record that is not listed")
        if self.manifest.get("withheld", {}).get("records"):
            self.say("NOTE", "withheld")
        self.say("PASS", "records", records=len(self.records), revisions=len(revisions))

    def record(self, listed):
        """A record by its envelope, its body against the digest in it (None: erased)."""
        envelope, signature = self.files[listed["envelope"]], self.files[listed["signature"]]
        fields = parse_netstrings(envelope)
        if len(fields) != 14 or fields[0] != b"shiprider-envelope-1":
            raise Failed(f"{listed['envelope']} is no envelope")
        (_, id_, kind, revision, _, origin, _, _, _, recorded, _, _, _, digest) = (f.decode() for f in fields)
        if origin != self.manifest["node"]:
            raise Failed(f"{listed['envelope']} is of another node")
        body = None if listed["body"] is None else self.files[listed["body"]]
        if body is not None and sha256(body) != digest:
            raise Failed(f"{listed['body']} does not match the digest in its envelope")
        return {
            "envelope": envelope, "signature": signature, "body": body, "id": id_, "kind": kind,
            "revision": int(revision), "recorded": int(recorded), "index": listed["index"], "path": listed["path"],
        }  # fmt: skip

    def check_head(self):
        head = canonical(self.files["log/head.json"])
        if head["origin"] != self.manifest["node"]:
            raise Failed("the head is of another node")
        public = self.key(head["key_id"], head["recorded_us"])
        signed_by(public, head_statement(head), unhex(head["signature"], 64))
        self.head = head
        self.say("PASS", "head", time=when(head["recorded_us"]))

    def check_signatures(self):
        signed = unsigned = 0
        for record in self.records:
            if not record["signature"] and record["index"] + 1 < self.head["first_signed"]:
                unsigned += 1
                continue
            self.check_signature(record)
            signed += 1
        if unsigned:
            self.say("NOTE", "unsigned", unsigned=unsigned)
        self.say("PASS", "signatures", signed=signed)

    def check_signature(self, record):
        """Form 1: one signature over the Merkle root of a bundle of envelopes, and the way to that root."""
        data = record["signature"]
        if len(data) < 85 or (len(data) - 85) % 32 or data[0] != 1:
            raise Failed("a record is not signed")
        key_id, signature = data[1:17].hex(), data[17:81]
        index, size = int.from_bytes(data[81:83], "big"), int.from_bytes(data[83:85], "big")
        path = [data[at : at + 32] for at in range(85, len(data), 32)]
        root = merkle_root(record["envelope"], index, size, path)
        message = netstrings(b"shiprider-bundle-1", key_id.encode(), b"%d" % size, root)
        signed_by(self.key(key_id, record["recorded"]), message, signature)

    def check_log(self):
        for record in self.records:
            self.check_place(record)
        self.say("PASS", "log", size=self.head["size"], root=self.head["root"][:16] + "…")

    def check_place(self, record):
        entry = netstrings(record["envelope"], record["signature"])
        path = [unhex(each, 32) for each in record["path"]]
        if merkle_root(entry, record["index"], self.head["size"], path).hex() != self.head["root"]:
            raise Failed("a record is not under the signed head")

    def check_sealed(self):
        """The bytes are those that the log says the spool had: each piece under the root of a seal of its segment."""
        if "seals.json" not in self.files:
            if any("sealed" in each for each in canonical(self.files["observations.json"])):
                raise Failed("the seals of the bytes are missing")
            self.say("NOTE", "sealed_none")
            return
        seals, used = self.seals(), set()
        sealed, last, late = 0, 0, 0
        for each in canonical(self.files["observations.json"]):
            if "missing" in each:
                continue
            if ("sealed" in each) == ("unsealed" in each):
                raise Failed(f"of observation {each['raw']} it is not said whether it is sealed")
            if "unsealed" in each:
                self.say("NOTE", "sealed_not", raw=each["raw"], reason=each["unsealed"])
                continue
            data, begin, after = self.files[each["file"]], 0, 0
            for piece in each["sealed"]:
                offset, length = piece["offset"], piece["length"]
                if length < 1 or offset < after or (offset != after and "parts" not in each):
                    raise Failed(f"the pieces of observation {each['raw']} do not lie one after the other")
                covered, fixed = seals[piece["covered"]], seals[piece["fixed"]]
                at = each["offset"] + offset
                if {covered["segment"], fixed["segment"]} != {each["segment"]} or covered["length"] < at + length:
                    raise Failed(f"the seal of observation {each['raw']} is not over it")
                arrival = piece["received_us"], piece["feed"], piece["origin"]
                if offset == 0 and arrival != (each["received_us"], each["feed"], each["origin"]):
                    raise Failed(f"observation {each['raw']} is said to have come in otherwise than was sealed")
                salt, raw = unhex(piece["salt"], 32), b"%d" % (each["raw"] + offset)
                came = b"%d" % arrival[0], arrival[1].encode(), arrival[2].encode()
                entry = netstrings(b"shiprider-spool-piece-1", salt, raw, *came, data[begin : begin + length])
                path = [unhex(beside, 32) for beside in piece["path"]]
                if merkle_root(entry, piece["index"], piece["size"], path).hex() != fixed.get("pieces"):
                    raise Failed(f"the bytes of observation {each['raw']} are not those that were sealed")
                begin, after = begin + length, offset + length
                used |= {piece["covered"], piece["fixed"]}
                last = max(last, fixed["recorded"])
                late = max(late, covered["recorded"] - each["received_us"])
            if begin != len(data) or each.get("parts", [[0, len(data)]]) != joined(each["sealed"], each):
                raise Failed(f"a part of observation {each['raw']} is not sealed")
            sealed += 1
        if used != set(range(len(seals))):
            raise Failed("there is a seal that nothing rests on")
        if sealed:
            self.say("PASS", "sealed", files=sealed, time=when(last))
        if late > LATE_US:
            self.say("NOTE", "sealed_late", hours=late // 3_600_000_000)

    def seals(self):
        """The bodies of the seals, each with when it was recorded; checked like the records."""
        found, used = [], set()
        for each in canonical(self.files["seals.json"]):
            record = self.record(each)
            if record["kind"] != "spool_seal" or record["body"] is None:
                raise Failed(f"{each['envelope']} is no seal")
            self.check_signature(record)
            self.check_place(record)
            found.append({**json.loads(record["body"]), "recorded": record["recorded"]})
            used |= {each["envelope"], each["signature"], each["body"]}
        if {name for name in self.files if name.startswith("seals/")} != used:
            raise Failed("there is a seal that is not listed")
        return found

    def check_observations(self):
        named, listed, held = set(), set(), set()
        for record in self.records:
            if record["id"] == self.manifest["finding"] and record["body"] is not None:
                for shown in json.loads(record["body"])["finding"]["evidence"]:
                    named |= set(shown.get("raws", ()))
        for each in canonical(self.files["observations.json"]):
            if each["raw"] != each["segment"] << 32 | each["offset"]:
                raise Failed(f"observation {each['raw']} is placed wrongly")
            listed.add(each["raw"])
            if "missing" in each:
                self.say("NOTE", "missing", raw=each["raw"], reason=each["missing"])
                continue
            data = self.files[each["file"]]
            if sha256(data) != each["sha256"] or len(data) != each["length"]:
                raise Failed(f"{each['file']} does not match its hash")
            held.add(each["file"])
        if named != listed:
            raise Failed("an observation that the finding names is not listed, or one that it does not name is")
        if {name for name in self.files if name.startswith("observations/")} != held:
            raise Failed("there is an observation that is not listed")
        self.say("PASS", "observations", files=len(held))

    def check_custody(self):
        graph = canonical(self.files["custody.jsonld"])["@graph"]
        acts = [each for each in graph if each["@type"] == "case-investigation:InvestigativeAction"]
        ids = {each["@id"] for each in graph}
        for each in graph:
            if each["@type"] != "uco-observable:File":
                continue
            name, content = each["uco-core:hasFacet"]
            path = name["uco-observable:filePath"]
            stated = content["uco-observable:hash"][0]["uco-types:hashValue"]["@value"]
            if path not in self.files or sha256(self.files[path]).upper() != stated:
                raise Failed(f"the custody of {path} does not match the package")
        before = None
        for act in acts:
            linked = act.get("case-investigation:wasInformedBy", {}).get("@id")
            things = [*act.get("uco-action:object", ()), *act.get("uco-action:result", ()), act["uco-action:performer"]]
            if linked != before or any(thing["@id"] not in ids for thing in things):
                raise Failed("the chain of custody has a gap")
            before = act["@id"]
        self.say("PASS", "custody", acts=len(acts))

    def check_stamp(self):
        stamp = self.files.get("timestamp.tsr")
        if stamp is None:
            self.say("NOTE", "no_stamp")
            return
        digest = hashlib.sha256(self.files["manifest.json"]).digest()
        try:
            time, name, vouched = time_stamps.check(stamp, digest, self.authorities)
        except time_stamps.Wrong as error:
            raise Failed(f"the time stamp: {error}") from None
        self.say("PASS", "stamp", time=time.strftime("%Y-%m-%dT%H:%M:%SZ"), name=name)
        if not vouched:
            self.say("NOTE", "stamp_unvouched")

    def check_witnesses(self):
        told = canonical(self.files["log/witnesses.json"])
        covering, newest = False, None
        for each in told["witnesses"]:
            root = each["root"]
            public = self.key(root["key_id"], root["recorded_us"])
            signed_by(public, head_statement(root), unhex(root["signature"], 64))
            parts = (unhex(each["salt"], 32), head_statement(root), unhex(root["signature"], 64))
            commitment = sha256(netstrings(b"shiprider-commitment-1", *parts))
            fields = (each["partner"].encode(), commitment.encode(), b"%d" % each["at_us"])
            statement = netstrings(b"shiprider-cosignature-1", *fields)
            signed_by(unhex(each["public"], 32), statement, unhex(each["signature"], 64))
            newest = max(newest or 0, root["recorded_us"])
            if root == self.head:
                covering = True
                self.say("PASS", "witness", partner=each["partner"], time=when(each["at_us"]))
        since = told["unwitnessed_since_us"]
        if covering != (since is None) or (newest is not None and since not in (None, newest)):
            raise Failed("what the package says of its witnesses does not match them")
        if since is not None:
            self.say("NOTE", "unwitnessed", time=when(since))

    def check_seal(self):
        seal = canonical(self.files["seal.json"])
        stamp = self.files.get("timestamp.tsr")
        if seal["form"] != "shiprider-evidence-seal-1" or seal["time_stamp"] != (stamp is not None):
            raise Failed("the seal is not in the published form")
        manifest = sha256(self.files["manifest.json"]).encode()
        statement = netstrings(seal["form"].encode(), manifest, sha256(stamp).encode() if stamp is not None else b"")
        signed_by(self.key(seal["key"], self.manifest["made_us"]), statement, unhex(seal["signature"], 64))
        self.say("PASS", "seal", key=seal["key"])
        self.check_trust(seal["key"])


def joined(pieces, observation):
    """Where the pieces lie, as `parts` says it; where it says nothing they are all of the bytes from the address on."""
    if "parts" in observation:
        return [[piece["offset"], piece["length"]] for piece in pieces]
    return [[0, sum(piece["length"] for piece in pieces)]]


def head_statement(head):
    """The exact bytes of a head that are signed."""
    return netstrings(
        b"shiprider-tree-head-1",
        head["origin"].encode(),
        b"%d" % head["size"],
        head["root"].encode(),
        head["link"].encode(),
        b"%d" % head["first_signed"],
        b"%d" % head["recorded_us"],
        head["key_id"].encode(),
    )


CHECKS = (
    "container", "check_manifest", "check_keys", "check_records", "check_head", "check_signatures", "check_log",
    "check_observations", "check_sealed", "check_custody", "check_stamp", "check_witnesses", "check_seal",
)  # fmt: skip


def verify(data, key="", authorities=(), language="en", write=print):
    """0, 1 or 2 (see the module); writes one line for each check."""

    def tell(text):
        # Texts in a package are somebody else's: they must not move a terminal.
        write("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))

    def say(state, word, **values):
        tell(f"{state}  {word.partition('_')[0]:<13} {WORDS[language][word].format(**values)}")

    package = Package(data, key, authorities, say)
    for name in CHECKS:
        try:
            getattr(package, name)()
        except Failed as error:
            tell(f"FAIL  {name.removeprefix('check_'):<13} {error}")
        except Exception as error:  # what was changed can break a form in any way: none of them is a pass
            tell(f"FAIL  {name.removeprefix('check_'):<13} {type(error).__name__}: not in the published form")
        else:
            continue
        write(WORDS[language]["failed"])
        return 1
    told = package.manifest
    words = {name: told[name] for name in ("finding", "node", "by", "reason")}
    tell(WORDS[language]["verified" if key else "unanchored"].format(**words, time=when(told["made_us"])))
    return 0 if key else 2


def main(arguments=None):
    """The command."""
    parser = argparse.ArgumentParser(description="Checks an evidence package of Shiprider, offline.")
    parser.add_argument("package", type=Path)
    parser.add_argument("--key", default="", help="id of the node's key, got by another way than the package")
    parser.add_argument("--tsa-ca", type=Path, help="PEM file of the time-stamping authorities you trust")
    parser.add_argument("--lang", choices=sorted(WORDS), default="en")
    given = parser.parse_args(arguments)
    try:
        if given.package.stat().st_size > MOST_BYTES:
            parser.error(f"{given.package} is larger than any package: it is none")
        data = given.package.read_bytes()
        authorities = x509.load_pem_x509_certificates(given.tsa_ca.read_bytes()) if given.tsa_ca else []
    except (OSError, ValueError) as error:
        parser.error(str(error))
    return verify(data, given.key, authorities, given.lang)


if __name__ == "__main__":
    sys.exit(main())
