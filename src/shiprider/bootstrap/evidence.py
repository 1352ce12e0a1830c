"""A finding taken out as a package of evidence."""

from pathlib import Path
from typing import TYPE_CHECKING

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.files import write_new
from shiprider.bootstrap.folder import ACCOUNTS
from shiprider.bootstrap.node import OpenNode
from shiprider.flow.logged_access import Accesses
from shiprider.model.errors import UsageError
from shiprider.model.observer import Observer
from shiprider.model.rules import own_observer

if TYPE_CHECKING:
    from shiprider.flow.evidence import Package


def evidence_taker(opened: OpenNode, login: str, purpose: str) -> Observer:
    """Who takes evidence out: an account of the node; where nobody works with content whoever sits at its machine.

    Raises UsageError.
    """
    from shiprider.adapters.accounts.sqlite import SqliteAccounts
    from shiprider.flow.access import Authority, observer_of
    from shiprider.model.account import CONTENT_ROLES

    purposes = opened.settings.access.purposes
    if purpose not in purposes:
        raise UsageError(f"{purpose[:40]!r} is no purpose here: use one of {', '.join(purposes)}.")
    if not (opened.folder / ACCOUNTS).exists():
        return own_observer(login, opened.home, purpose, login=login)
    accounts = SqliteAccounts(opened.folder / ACCOUNTS)
    try:
        if not any(set(CONTENT_ROLES) & set(each.roles) for each in accounts.all()):
            return own_observer(login, opened.home, purpose, login=login)
        account = accounts.find(login=login)
        if account is None or account.disabled:
            raise UsageError(f"{login[:40]!r} is no account here: name the login of whoever takes it out.")
        authority = Authority(account, tuple(accounts.grants(account.id, wall_us())))
        return observer_of(authority, opened.home, purpose)
    finally:
        accounts.close()


def export_evidence(
    opened: OpenNode, finding: str, target: Path, *, by: str, reason: str, purpose: str = "evidence"
) -> "Package":
    """Write the package of a finding to a new file and record that it was taken out.

    `by` is a login. Raises NotFound, Forbidden, CorruptStore, StorageError, UsageError.
    """
    from shiprider.adapters.timestamps.rfc3161 import Rfc3161
    from shiprider.flow.evidence import Sources, export, recorded
    from shiprider.flow.evidence_scope import RawRow
    from shiprider.flow.ids import new_id

    url = opened.settings.evidence.time_stamp_url

    def row_of(raw: int) -> RawRow | None:
        for table in ("observations", "statements", "messages"):
            columns = ["raw", "raw_length", "label_id"]
            rows = opened.lake.scan(table, columns, raw_start=raw, raw_end=raw + 1).head(1).collect()
            if rows.height:
                return RawRow(table, int(rows["label_id"][0] or 0), int(rows["raw_length"][0] or 0))
        return None

    accesses = Accesses(opened.access_log, wall_us)
    observer = evidence_taker(opened, by, purpose)
    sources = Sources(
        node=opened.settings.node,
        ledger=opened.ledger,
        spool=opened.spool,
        sight=opened.sight,
        row_of=row_of,
        vouching=opened.vouching,
        signer=opened.signer,
        stamper=Rfc3161(url) if url else None,
        clock=wall_us,
        pieces=opened.node.stores.pieces,
    )
    package = accesses.give(
        observer,
        "export",
        "evidence",
        lambda: export(sources, finding, observer=observer, reason=reason),
        lambda _: [finding],
        why=reason,
    )
    draft = recorded(package, finding, by=observer.name, reason=reason, at_us=wall_us(), record_id=new_id())
    opened.ledger.append([draft])
    write_new(target, package.data)
    return package
