"""The error tree. A docstring is what it means; the name says what the loop does.

Always true: the message of an error that a user can cause is one sentence: what was wrong, where
(file, line, byte), what to do.
"""


class ShipriderError(Exception):
    """The root: everything Shiprider raises on purpose. `exit_code` is what a command ends with."""

    exit_code = 1


class UsageError(ShipriderError):
    """What was asked for cannot be meant: a wrong option, file name or value."""

    exit_code = 2


class InputError(ShipriderError):
    """An input cannot be read as what it claims to be."""

    exit_code = 3


class UnstampedRecording(InputError):
    """A recording carries no time: give a start time, or only decode it."""


class SkipRecord(InputError):
    """One record is unusable: it goes to quarantine with the reason, the stream goes on."""


class StopFeed(ShipriderError):
    """A feed cannot go on: it stops, its spool is kept, the others go on."""

    exit_code = 4


class StorageError(ShipriderError):
    """A store refused."""

    exit_code = 5


class DiskFull(StorageError):
    """The disk is full: free space and ingest goes on by itself; nothing acknowledged was lost."""


class CorruptStore(StorageError):
    """A store's bytes do not match their hash or chain."""


class NodeBusy(ShipriderError):
    """Another process holds the node's lock."""

    exit_code = 6


class Conflict(ShipriderError):
    """The record was changed by someone else in the meantime: look again and decide again."""

    exit_code = 7


class NotFound(ShipriderError):
    """No such thing, or not for this observer: the two are never told apart."""

    exit_code = 8


class Forbidden(ShipriderError):
    """This observer may not do this."""

    exit_code = 9


class NotRecognised(Forbidden):
    """Whoever signs in was not recognised: which part was wrong is never said."""


class NotYet(ShipriderError):
    """Too many tries: wait `wait_s` seconds, then try again."""

    exit_code = 11
    wait_s = 0.0


class NoPurpose(Forbidden):
    """Content is read for a purpose: say which first."""


class NotLogged(StorageError):
    """The access cannot be written to the access log: so it is refused."""


class MissingExtra(ShipriderError):
    """An optional dependency is not installed: says which extra to install."""

    exit_code = 10


class LinkDown(ShipriderError):
    """A partner cannot be reached now: what is for it waits, and goes when the way is open again."""

    exit_code = 12
