"""A node with one finding, signed by hand: records, spool, tree and keys as the published formats say.

The tree is RFC 6962's recursive definition, not the way the verifier walks it.
"""

import hashlib
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.adapters.policy.cedar import CedarPolicy
from shiprider.adapters.spool.segmented import SegmentedSpool
from shiprider.flow import terms
from shiprider.flow.evidence import Sources, envelope_of
from shiprider.flow.evidence_scope import RawRow
from shiprider.flow.pieces import Pieces
from shiprider.flow.sealing import SpoolSeals
from shiprider.flow.sight import Sight
from shiprider.model.agreement import Agreement, Party, SharingClause, Standing, book
from shiprider.model.alert import Alert
from shiprider.model.disposition import Disposition
from shiprider.model.finding import Evidence, Finding
from shiprider.model.label import number_of
from shiprider.model.observer import Observer
from shiprider.model.publication import Publication
from shiprider.model.record import Draft, Record
from shiprider.model.rules import Home, Rules, own_observer
from shiprider.ports.feed import Declaration, Origin
from shiprider.ports.ledger import Filed
from shiprider.ports.vouching import SignedRoot, VouchingKey, Witness

START_US = 1_767_225_600_000_000
FINDING = "f" * 32


_HOLDS = (Standing(from_us=0, status="in_force"),)
_ACCORD = Agreement(
    id="accord",
    title="Accord",
    from_us=0,
    parties=(
        Party(name="col", nation="COL", standings=_HOLDS),
        Party(name="usa", nation="USA", standings=_HOLDS),
    ),
    sharing=(
        SharingClause(
            id="all",
            shared_by=("col",),
            shared_with=("usa",),
            kinds=("*",),
            purposes=("*",),
            highest="SECRET",
        ),
    ),
)
HOME = Home(node="node", nation="COL")
ENGINE = CedarPolicy(Rules("node", (HOME,), book([_ACCORD])))
#: One of the node's own, who may export all of it.
CUSTODIAN = own_observer("custodian", HOME, "evidence", roles=("evidence_custodian",))
#: A liaison officer of the other nation at this node.
GUEST = Observer(name="Ann", roles=("liaison_officer",), nation="USA", clearance="SECRET", purpose="evidence")


def net(*fields: bytes) -> bytes:
    return b"".join(b"%d:%b," % (len(f), f) for f in fields)


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def tree_hash(entries: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1."""
    if len(entries) == 1:
        return sha(b"\0" + entries[0])
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha(b"\1" + tree_hash(entries[:k]) + tree_hash(entries[k:]))


def audit_path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    if len(entries) == 1:
        return []
    k = 1
    while k * 2 < len(entries):
        k *= 2
    if m < k:
        return [*audit_path(m, entries[:k]), tree_hash(entries[k:])]
    return [*audit_path(m - k, entries[k:]), tree_hash(entries[:k])]


class Key:
    """An Ed25519 key."""

    def __init__(self, seed: bytes) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(sha(seed))
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = sha(self.public).hex()[:32]

    def sign(self, message: bytes) -> tuple[str, bytes]:
        return self.id, self.private.sign(message)


class SignedNode:
    """Ledger, vouching and signer in one: what the node's ledger and keys will be."""

    origin = "node"

    def __init__(self, ledger: SqliteLedger, first: Key, second: Key, *, first_signed: int = 4) -> None:
        self.first, self.second, self.first_signed = first, second, first_signed
        self._ledger = ledger
        self.records: list[Record] = []
        stored = ledger.since(0, limit=10_000)
        # The first three are older than signatures; then bundles of seven; the second key follows on half-way.
        self.change_us = stored[len(stored) // 2].recorded_us
        signed: dict[int, bytes] = {}
        rest = [r for r in stored if r.sequence >= first_signed]
        for key, mine in (
            (first, [r for r in rest if r.recorded_us < self.change_us]),
            (second, [r for r in rest if r.recorded_us >= self.change_us]),
        ):
            for at in range(0, len(mine), 7):
                bundle = mine[at : at + 7]
                leaves = [envelope_of(r) for r in bundle]
                size = len(leaves)
                root = tree_hash(leaves)
                signature = key.private.sign(
                    net(b"shiprider-bundle-1", key.id.encode(), str(size).encode(), root)
                )
                for index, record in enumerate(bundle):
                    path = b"".join(audit_path(index, leaves))
                    head = b"\1" + bytes.fromhex(key.id) + signature
                    signed[record.sequence] = head + index.to_bytes(2, "big") + size.to_bytes(2, "big") + path
        self.records = [msgspec.structs.replace(r, signature=signed.get(r.sequence, b"")) for r in stored]
        self.witnessed: list[Witness] = []

    def _sign_newer(self) -> None:
        """What an export itself recorded (seals): each a bundle of one, by the second key."""
        for record in self._ledger.since(len(self.records), limit=10_000):
            message = net(
                b"shiprider-bundle-1", self.second.id.encode(), b"1", tree_hash([envelope_of(record)])
            )
            signature = b"\1" + bytes.fromhex(self.second.id) + self.second.private.sign(message)
            self.records.append(
                msgspec.structs.replace(record, signature=signature + b"\0\0" + (1).to_bytes(2, "big"))
            )

    # -- what is asked of the ledger

    def history(self, record_id: str, *, allowed: Any = None) -> list[Record]:
        self._sign_newer()
        return [self.records[r.sequence - 1] for r in self._ledger.history(record_id, allowed=allowed)]

    def classes(self) -> Any:
        return self._ledger.classes()

    def find(self, query: Any) -> list[Record]:
        return [self.records[r.sequence - 1] for r in self._ledger.find(query)]

    # -- vouching

    def signing_keys(self) -> list[VouchingKey]:
        message = b"shiprider-successor-1," + bytes.fromhex(self.first.id) + self.second.public
        return [
            VouchingKey(
                key_id=self.first.id, public=self.first.public.hex(), from_us=0, to_us=self.change_us - 1
            ),
            VouchingKey(
                key_id=self.second.id,
                public=self.second.public.hex(),
                from_us=self.change_us,
                predecessor=self.first.id,
                endorsement=self.first.private.sign(message).hex(),
            ),
        ]

    def _entries(self) -> list[bytes]:
        return [net(envelope_of(r), r.signature) for r in self.records]

    def root(self, size: int) -> SignedRoot:
        last = self.records[-1]
        bare = SignedRoot(
            origin="node",
            size=len(self.records),
            root=tree_hash(self._entries()).hex(),
            link="0" * 64,
            first_signed=self.first_signed,
            recorded_us=last.recorded_us,
            key_id=self.second.id,
            signature="",
        )
        from dataclasses import replace

        return replace(bare, signature=self.second.private.sign(statement(bare)).hex())

    def path(self, sequence: int, root: SignedRoot) -> list[str]:
        return [each.hex() for each in audit_path(sequence - 1, self._entries())]

    def witnesses(self) -> list[Witness]:
        return self.witnessed

    def since(self) -> int:
        return self.records[0].recorded_us


def statement(head: SignedRoot) -> bytes:
    fields = ("shiprider-tree-head-1", head.origin, str(head.size), head.root, head.link, str(head.first_signed),
              str(head.recorded_us), head.key_id)  # fmt: skip
    return net(*(f.encode() for f in fields))


def witness(root: SignedRoot, partner: str, key: Key, at_us: int) -> Witness:
    salt = sha(b"salt")
    commitment = sha(
        net(b"shiprider-commitment-1", salt, statement(root), bytes.fromhex(root.signature))
    ).hex()
    message = net(b"shiprider-cosignature-1", partner.encode(), commitment.encode(), str(at_us).encode())
    return Witness(
        partner=partner,
        public=key.public.hex(),
        salt=salt.hex(),
        at_us=at_us,
        signature=key.private.sign(message).hex(),
        root=root,
    )


def make_node(
    folder: Path,
    stamper: Any = None,
    *,
    erased: bool = False,
    labels: Mapping[str, str] | None = None,
    sealed: bool = True,
    followed: bool = True,
    sealed_after_us: int = 0,
) -> tuple[Sources, SignedNode, Callable[[], None]]:
    """Sources of a node with one finding of two revisions, its alert and what was decided on it.

    `labels` of "finding 1", "finding 2", "alert 1", "alert 2", "disposition 1", and of the feed "radar", whose lines
    are every second one from 50 on; what is not named is unlabelled.
    """
    labels = labels or {}
    spool = SegmentedSpool(folder / "spool", segment_bytes=1 << 12)
    coast = spool.source(Declaration(name="coast", standard="IEC 61162-1"), Origin(file="coast.nmea"))
    radar = spool.source(
        Declaration(name="radar", standard="IEC 61162-1", label=labels.get("radar", "")), Origin(file="radar.nmea")
    )  # fmt: skip
    places: list[tuple[int, int]] = []
    for number in range(120):
        source = radar if number >= 50 and number % 2 else coast
        line = b"!AIVDM,1,1,,A,%06d%s,0*00\r\n" % (number, b"x" * 40)
        stored = spool.append(
            source.number, line, file_offset=number * len(line), received_us=START_US + number
        )
        places.append((stored.raw, len(line) - 2))
    spool.sync()
    number = number_of(labels.get("radar", ""))
    rows = {
        raw: RawRow("observations", number if at >= 50 and at % 2 else number_of(""), length)
        for at, (raw, length) in enumerate(places)
    }
    clock = [START_US]

    def tick() -> int:
        clock[0] += 60_000_000
        return clock[0]

    ledger = SqliteLedger(folder / "ledger.sqlite", origin="node", clock=tick)

    def note(n: int) -> Draft:
        return Draft(id=f"{n:032x}", kind="note", expected_revision=0, schema=1, author="officer",
                     valid_from_us=n, body=b'{"n":%d}' % n)  # fmt: skip

    def add(record_id: str, kind: str, revision: int, author: str, body: msgspec.Struct, made: Any) -> None:
        draft = Draft(id=record_id, kind=kind, expected_revision=revision, schema=1, author=author,
                      valid_from_us=START_US, valid_to_us=START_US + 5, body=msgspec.json.encode(body),
                      label=labels.get(f"{kind} {revision + 1}", ""))  # fmt: skip
        ledger.append([Filed(draft=draft, terms=made)])

    def finding(raws: Sequence[int], score: float) -> Publication:
        shown = Evidence(
            track=1, claimed_id=224000001, start_us=START_US, end_us=START_US + 5, raws=tuple(raws)
        )
        return Publication(
            finding=Finding(behaviour="encounter", preset="gfw", participants=(224000001, 224000002),
                            start_us=START_US, end_us=START_US + 5, latitude_deg=1.0, longitude_deg=2.0,
                            score=score, reason_key="encounter", facts={"distance_m": 40.0}, evidence=(shown,))
        )  # fmt: skip

    for n in range(5):
        ledger.append([note(n + 1)])
    raws = [places[at][0] for at in (3, 4, 50, 51, 118)]
    first, second = finding(raws[:3], 0.5), finding(raws, 0.75)
    add(FINDING, "finding", 0, "watch", first, terms.of_finding(first))
    ledger.append([note(n + 100) for n in range(11)])
    add(FINDING, "finding", 1, "watch", second, terms.of_finding(second))
    alert = Alert(finding=FINDING, finding_revision=2, findings=(FINDING,), behaviours=("encounter",),
                  watch_us=START_US, state="new", event="raised", behaviour="encounter", preset="gfw", subtype="",
                  participants=(224000001, 224000002), start_us=START_US, end_us=START_US + 5, latitude_deg=1.0,
                  longitude_deg=2.0, score=0.75, probability=0.4, model="prior", raised_us=START_US,
                  simulated=False)  # fmt: skip
    add("a" * 32, "alert", 0, "watch", alert, terms.of_alert(alert))
    taken = msgspec.structs.replace(alert, state="escalated", event="escalated", holder="officer")
    add("a" * 32, "alert", 1, "officer", taken, terms.of_alert(taken))
    decided = Disposition(alert="a" * 32, finding=FINDING, finding_revision=2, behaviour="encounter", preset="gfw",
                          subtype="", score=0.75, probability=0.4, outcome="confirmed")  # fmt: skip
    add("d" * 32, "disposition", 0, "officer", decided, ("alert:" + "a" * 32,))
    ledger.append([note(n + 200) for n in range(6)])
    if erased:
        ledger.erase(FINDING, 1, author="officer", authority="court", reason="order 1")
    pieces = Pieces(SpoolSeals(spool, ledger, tick), lambda asked: {raw: rows[raw].length for raw in asked if raw in rows}, lambda: 1 << 40)  # fmt: skip
    clock[0] += sealed_after_us
    if followed:
        pieces.seals.seal()
        pieces.follow()
    node = SignedNode(ledger, Key(b"first"), Key(b"second"))
    sources = Sources(
        node="node",
        ledger=node,  # type: ignore[arg-type]
        spool=spool,
        sight=Sight(lambda: ENGINE, ledger, node="node", sources=spool.sources, clock=tick),
        row_of=rows.get,
        vouching=node,
        signer=node.second,
        stamper=stamper,
        clock=tick,
        pieces=pieces if sealed else None,
    )

    def close() -> None:
        ledger.close()
        spool.close()

    return sources, node, close


# -- a real time-stamping authority: the openssl program -------------------------------------------------

CONFIG = """
[tsa]
default_tsa = here
[here]
dir = {folder}
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = yes
ess_cert_id_alg = sha256
crypto_device = builtin
"""


def openssl(*words: str) -> None:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def make_authority(folder: Path) -> None:
    """A certificate authority and a time-stamping certificate of it, made by openssl."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
    at = str(folder)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{at}/ca.key", "-out", f"{at}/ca.pem",
            "-subj", "/O=Example authority", "-days", "30", "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{at}/tsa.key", "-out", f"{at}/tsa.csr",
            "-subj", "/O=Example authority/CN=Time stamps")  # fmt: skip
    (folder / "ext").write_text("extendedKeyUsage=critical,timeStamping\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", f"{at}/tsa.csr", "-CA", f"{at}/ca.pem", "-CAkey", f"{at}/ca.key", "-out",
            f"{at}/tsa.pem", "-days", "20", "-extfile", f"{at}/ext", "-set_serial", "77")  # fmt: skip


class Authority:
    """`openssl ts -reply` behind HTTP on the loopback. `answer` may be replaced by a wrong one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answer: Callable[[bytes], bytes] = self.reply
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                answer = outer.answer(data)
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reply(self, request: bytes) -> bytes:
        (self.folder / "request.tsq").write_bytes(request)
        openssl("ts", "-reply", "-config", str(self.folder / "tsa.cnf"), "-queryfile",
                str(self.folder / "request.tsq"), "-out", str(self.folder / "reply.tsr"))  # fmt: skip
        return (self.folder / "reply.tsr").read_bytes()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
