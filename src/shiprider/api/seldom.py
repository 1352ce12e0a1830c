"""What strangers can make the server say is said once a minute, and how often it was meant to be said.

Always true: the first of its kind is written at once and whole; of those that follow within the minute their number is
written when it is over, none left out of the count; another place in the program, or another error, is another kind.
"""

import logging
import threading
from typing import Final

#: The loggers that a connection can make speak: the server's own, and that of requests that fail.
LOGGERS: Final = ("uvicorn.error", "shiprider.api")

EVERY_S: Final = 60.0
#: Kinds that are told apart; they are places in the program.
_MOST: Final = 1000

_Kind = tuple[str, str, int, str, str]


class Seldom(logging.Filter):
    """A filter of loggers. Any thread."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        super().__init__()
        self._every_s = every_s
        self._lock = threading.Lock()
        #: How many were held back of each kind since it was said, and the last of them.
        self._held: dict[_Kind, int] = {}
        self._last: dict[_Kind, logging.LogRecord] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is written now."""
        if getattr(record, "of_many", False):
            return True
        kind = _kind(record)
        with self._lock:
            if kind in self._held:
                self._held[kind] += 1
                self._last[kind] = record
                return False
            if len(self._held) >= _MOST:
                return True
            self._held[kind] = 0
        self._later(kind)
        return True

    def _later(self, kind: _Kind) -> None:
        timer = threading.Timer(self._every_s, self._over, (kind,))
        timer.daemon = True
        timer.start()

    def _over(self, kind: _Kind) -> None:
        """The minute is over: what was held back is told in one line, which begins the next minute."""
        with self._lock:
            count, last = self._held.pop(kind), self._last.pop(kind, None)
            if last is not None:
                self._held[kind] = 0
        if last is None:
            return
        self._later(kind)
        last.of_many, last.count = True, count
        last.exc_info = last.exc_text = None
        logging.getLogger(last.name).handle(last)


def _kind(record: logging.LogRecord) -> _Kind:
    error = place = ""
    if record.exc_info and record.exc_info[0] is not None:
        error, trace = record.exc_info[0].__name__, record.exc_info[2]
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    return record.name, record.pathname, record.lineno, error, place


def speak_seldom(every_s: float = EVERY_S) -> Seldom:
    """From now on, for the whole process; whatever stood before is replaced."""
    made = Seldom(every_s)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.filters[:] = [each for each in logger.filters if not isinstance(each, Seldom)]
        logger.addFilter(made)
    return made
