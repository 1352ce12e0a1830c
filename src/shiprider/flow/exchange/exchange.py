"""The exchange with all partners: one thread each, begun when people confirm a partner, ended when they revoke it."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from shiprider.flow.exchange.links import LinkState, PartnerLink
from shiprider.flow.exchange.partners import Partners
from shiprider.flow.exchange.receiving import Receiving
from shiprider.model.errors import ShipriderError
from shiprider.model.partner import Partner

_log: Final = logging.getLogger("shiprider.node")

#: How often partners are looked up: a revoked one is cut off within that time.
_LOOK_S: Final = 2.0


class Exchange:
    """`link_to` makes the exchange with a partner; `admit` tells the broker who may come, `tend` starts it again where it
    ended by itself, `close` ends it."""

    def __init__(
        self,
        partners: Partners,
        receiving: Receiving,
        link_to: Callable[[str], PartnerLink],
        *,
        admit: Callable[[list[Partner]], None],
        tend: Callable[[], None],
        close: Callable[[], None],
    ) -> None:
        self.partners = partners
        self._receiving = receiving
        self._link_to = link_to
        self._admit = admit
        self._tend = tend
        self._close = close
        self._stop = threading.Event()
        self._links: dict[str, tuple[PartnerLink, threading.Thread, threading.Event]] = {}
        self._known: list[Partner] | None = None
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="exchange", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once what was begun is done."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def states(self) -> list[LinkState]:
        """How the exchange with each confirmed partner stands."""
        return [link.state() for link, _, _ in list(self._links.values())]

    @property
    def trouble(self) -> str:
        """One sentence while the broker or the partners cannot be looked after."""
        return self._trouble

    def _run(self) -> None:
        try:
            self._receiving.carry_out()
            while True:
                self._look()
                if self._stop.wait(_LOOK_S):
                    return
        finally:
            for name in list(self._links):
                self._end(name)
            self._close()

    def _look(self) -> None:
        try:
            confirmed = self.partners.confirmed()
            if confirmed == self._known:
                self._tend()
                self._trouble = ""
                return
            self._admit(confirmed)
        except ShipriderError as error:
            self._trouble = str(error)
            _log.error("exchange not begun", extra={"error": type(error).__name__})
            return
        self._trouble = ""
        self._known = confirmed
        names = {each.node for each in confirmed}
        for name in [each for each in self._links if each not in names]:
            self._end(name)
        for name in sorted(names - set(self._links)):
            link, stop = self._link_to(name), threading.Event()
            thread = threading.Thread(target=link.run, args=(stop,), name=f"exchange {name}", daemon=True)
            self._links[name] = (link, thread, stop)
            thread.start()

    def _end(self, name: str) -> None:
        _, thread, stop = self._links.pop(name)
        stop.set()
        thread.join()
