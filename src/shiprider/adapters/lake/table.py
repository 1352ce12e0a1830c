"""One Delta table under one writer lock.

Always true: a commit returns only when its files and its log entry are durable; a commit that
failed is found out by looking at the table, never assumed.
"""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
from deltalake import DeltaTable
from deltalake import Schema as DeltaSchema
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import (
    AddAction,
    CommitProperties,
    PostCommitHookProperties,
    RemoveAction,
    Transaction,
)

from shiprider.adapters.lake import parquet
from shiprider.adapters.lake.disk import Place, make_folder, storage_error, sync_file, sync_folder
from shiprider.model.errors import CorruptStore

#: After so many commits the log is summed up in a checkpoint.
CHECKPOINT_EVERY: Final = 100

_CONFIGURATION: Final[dict[str, str | None]] = {
    # Checkpoints are made by us, because ours are synced before anything relies on them.
    "delta.checkpointInterval": "1000000",
    "delta.logRetentionDuration": "interval 1 days",
    "delta.deletedFileRetentionDuration": "interval 1 hours",
}
_NO_HOOKS: Final = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


class LakeTable:
    """A table of the lake."""

    def __init__(self, name: str, schema: pa.Schema, place: Place) -> None:
        self.name = name
        self.schema = schema
        self.place = place
        self.lock = threading.RLock()
        self._copies = 0
        self._delta_schema = DeltaSchema.from_arrow(_with_day(parquet.stored_schema(schema)))
        self._table = self._open()
        self._files: tuple[int, pl.DataFrame] | None = None

    def _open(self) -> DeltaTable:
        try:
            return DeltaTable(self.place.url, storage_options=self.place.options)
        except TableNotFoundError:
            return self._create()
        except (DeltaError, OSError) as error:
            raise CorruptStore(
                f"The lake table {self.name} cannot be opened ({str(error).splitlines()[0]}): "
                "rebuild it with `shiprider rebuild`."
            ) from error

    def _create(self) -> DeltaTable:
        try:
            if self.place.folder is not None:
                make_folder(self.place.folder)
            table = DeltaTable.create(
                self.place.url,
                schema=self._delta_schema,
                partition_by=["day"],
                name=self.name,
                configuration=_CONFIGURATION,
                storage_options=self.place.options,
            )
            self.place.sync_log(0)
            if self.place.folder is not None:
                sync_folder(self.place.folder)
        except (DeltaError, OSError) as error:
            raise storage_error(error, self.place.url) from error
        return table

    @property
    def version(self) -> int:
        """The last durable version."""
        return int(self._table.version())

    def transaction(self, stream: str) -> int:
        """The position a stream last committed here, 0 if never."""
        with self.lock:
            return int(self._table.transaction_version(stream) or 0)

    def commit(
        self,
        adds: Sequence[AddAction],
        removes: Sequence[str] = (),
        *,
        transaction: tuple[str, int] | None = None,
    ) -> None:
        """One atomic change. Raises DiskFull, StorageError; then the table is as before."""
        with self.lock:
            actions: list[Any] = [*self._remove_actions(removes), *adds]
            properties = CommitProperties(
                app_transactions=[Transaction(*transaction)] if transaction else None
            )
            before = self.version
            try:
                self._table.create_write_transaction(
                    actions,
                    mode="append",
                    schema=self._delta_schema,
                    partition_by=["day"],
                    commit_properties=properties,
                    post_commithook_properties=_NO_HOOKS,
                )
            except (DeltaError, OSError) as error:
                self._table.update_incremental()
                if self.version == before:
                    raise storage_error(error, self.place.url) from error
            else:
                self._table.update_incremental()
            self.sync()
            if self.version % CHECKPOINT_EVERY == 0:
                self._sum_up()

    def sync(self) -> None:
        """Make the newest entry of the log durable. Raises DiskFull, StorageError."""
        try:
            self.place.sync_log(self.version)
        except OSError as error:
            raise storage_error(error, self.place.url) from error

    def _remove_actions(self, paths: Sequence[str]) -> list[RemoveAction]:
        if not paths:
            return []
        known = self.files()
        gone = known.filter(pl.col("path").is_in(list(paths)))
        if len(gone) != len(set(paths)):
            raise CorruptStore(f"The lake table {self.name} does not name a file that is to be replaced.")
        return [_remove_action(row) for row in gone.iter_rows(named=True)]

    def _sum_up(self) -> None:
        if self._copies:
            return
        # A failed checkpoint loses nothing: the log entries are still there.
        try:
            self._table.create_checkpoint()
            if self.place.folder is not None:
                log = self.place.folder / "_delta_log"
                for path in log.glob(f"{self.version:020d}.checkpoint*"):
                    sync_file(path)
                sync_file(log / "_last_checkpoint")
                sync_folder(log)
            self._table.cleanup_metadata()
        except (DeltaError, OSError):
            return

    def files(self) -> pl.DataFrame:
        """The files of the newest version: path, size, rows, day, least and greatest values."""
        with self.lock:
            if self._files is None or self._files[0] != self.version:
                self._files = (self.version, _as_frame(self._table))
            return self._files[1]

    def refresh(self) -> None:
        """See what another process committed (readers only)."""
        with self.lock:
            self._table.update_incremental()

    def vacuum(self, older_than_s: float) -> int:
        """Delete files no longer named; none while a copy is being made."""
        with self.lock:
            if self._copies:
                return 0
            try:
                return len(
                    self._table.vacuum(
                        retention_hours=round(older_than_s / 3600),
                        dry_run=False,
                        enforce_retention_duration=False,
                        full=True,
                    )
                )
            except (DeltaError, OSError) as error:
                raise storage_error(error, self.place.url) from error

    def copy_to(self, folder: Path) -> None:
        """The table as of now into an empty folder. Raises OSError."""
        with self.lock:
            self._copies += 1
            files = self.files()["path"].to_list()
            log = self.place.log_names(self.version)
        try:
            for name in (*files, *log):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                self.place.copy(name, target)
        finally:
            with self.lock:
                self._copies -= 1


def _with_day(schema: pa.Schema) -> pa.Schema:
    return schema.append(pa.field("day", pa.date32()))


def _remove_action(row: dict[str, Any]) -> RemoveAction:
    return RemoveAction(
        path=row["path"],
        deletion_timestamp=int(time.time() * 1000),
        data_change=True,
        partition_values={"day": row["day"].isoformat()},
        size=row["size"],
    )


def _as_frame(table: DeltaTable) -> pl.DataFrame:
    actions = pa.table(table.get_add_actions(flatten=True))
    frame = pl.DataFrame(pl.from_arrow(actions))
    wanted = {"path": "path", "size_bytes": "size", "num_records": "rows", "partition.day": "day"}
    for end, short in (("min", "min"), ("max", "max")):
        for name in ("time", "received", "claimed_id", "raw"):
            wanted[f"{end}.{name}"] = f"{short}_{name}"
    return frame.select(pl.col(name).alias(short) for name, short in wanted.items() if name in frame.columns)
