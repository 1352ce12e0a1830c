"""The exchange of one node with its partners, put together."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.node import OpenNode
from shiprider.bootstrap.partners import open_partners
from shiprider.model.errors import UsageError

if TYPE_CHECKING:
    from shiprider.adapters.bus.server import Broker
    from shiprider.adapters.certificates.link import LinkCertificate
    from shiprider.flow.desk_steps import DeskSteps
    from shiprider.flow.exchange.exchange import Exchange
    from shiprider.flow.exchange.liaison import Liaison
    from shiprider.flow.exchange.links import LinkState
    from shiprider.flow.exchange.partners import Partners
    from shiprider.model.introduction import Introduction
    from shiprider.model.partner import Partner
    from shiprider.ports.bus import Link

#: In the node's folder: the key of the links, the broker's store, what was refused.
FOLDER = "exchange"


def link_certificate(folder: Path) -> "LinkCertificate":
    """What this node shows on links; made where it is missing."""
    from shiprider.adapters.certificates.link import LinkCertificate

    return LinkCertificate(folder / FOLDER)


def own_introduction(opened: OpenNode) -> "Introduction":
    """What a partner is given of this node."""
    from shiprider.flow.exchange.partners import introduce

    return introduce(
        opened.keys,
        node=opened.settings.node,
        name=opened.settings.exchange.name or opened.settings.node,
        nation=opened.home.nation,
        organisation=opened.home.organisation,
        certificate=link_certificate(opened.folder).pem,
        at_us=wall_us(),
    )


def open_liaison(
    opened: OpenNode, steps: "DeskSteps", links: "Callable[[], Sequence[LinkState]]" = tuple
) -> "Liaison":
    """The exchange as people see it. `links`: how the exchange with each partner stands."""
    from shiprider.adapters.keys.files import ed25519_signed
    from shiprider.flow.exchange.dispatching import Dispatching
    from shiprider.flow.exchange.liaison import Liaison

    return Liaison(
        steps,
        open_partners(opened.ledger, opened.settings),
        Dispatching(opened.ledger, opened.sight, opened.keys, node=opened.settings.node, clock=steps.clock),
        own=partial(own_introduction, opened),
        links=links,
        verify=ed25519_signed,
    )


def open_exchange(opened: OpenNode) -> "Exchange":
    """The exchange of a node; nothing goes or comes before it is started."""
    from shiprider.flow.exchange.dispatching import Dispatching
    from shiprider.flow.exchange.exchange import Exchange
    from shiprider.flow.exchange.links import Pace, PartnerLink
    from shiprider.flow.exchange.receiving import Receiving

    settings, node = opened.settings, opened.settings.node
    partners = open_partners(opened.ledger, settings)
    dispatching = Dispatching(opened.ledger, opened.sight, opened.keys, node=node, clock=wall_us)
    receiving = Receiving(opened.ledger, partners, node=node, clock=wall_us)
    ways = _Ways(opened)

    def link_to(partner: str) -> PartnerLink:
        way = settings.exchange.way(partner)
        return PartnerLink(
            partner=partner,
            partners=partners,
            dispatching=dispatching,
            receiving=receiving,
            keys=opened.keys,
            node=node,
            open_link=partial(ways.open, partners, partner),
            refused_folder=opened.folder / FOLDER / "refused",
            clock=wall_us,
            pace=Pace.of(way.kbit_s) if way.kbit_s else Pace(),
        )

    return Exchange(partners, receiving, link_to, admit=ways.admit, tend=ways.tend, close=ways.close)


class _Ways:
    """The broker of this node, and the ways to partners."""

    def __init__(self, opened: OpenNode) -> None:
        self._opened = opened
        self._broker: Broker | None = None
        self._own: LinkCertificate | None = None

    def admit(self, partners: "list[Partner]") -> None:
        """Let these come to the broker, and no others. Raises StorageError, UsageError."""
        from shiprider.adapters.bus.server import Broker, Guest
        from shiprider.adapters.certificates.link import LinkCertificate, link_name

        place = self._opened.settings.exchange.place
        if place is None:
            return
        guests = [
            Guest(each.node, link_name(each.introduction.certificate), each.introduction.certificate)
            for each in partners
            if not each.place and each.introduction.certificate
        ]
        if self._broker is None:
            folder = self._opened.folder / FOLDER / "broker"
            self._broker = Broker(
                folder, self._certificate(), guests, LinkCertificate, host=place[0], port=place[1]
            )
        else:
            self._broker.admit(guests)

    def tend(self) -> None:
        """Start the broker again where it ended by itself. Raises StorageError."""
        if self._broker is not None:
            self._broker.tend()

    def open(self, partners: "Partners", name: str) -> "Link":
        """The way to a partner: a stick, his broker, or ours. Raises UsageError."""
        from shiprider.adapters.bus.files import FolderLink
        from shiprider.adapters.bus.nats import NatsLink, Place
        from shiprider.adapters.certificates.link import link_name

        opened = self._opened
        way = opened.settings.exchange.way(name)
        if way.stick:
            stick = opened.folder / way.stick
            return FolderLink(stick, stick, node=opened.settings.node)
        partner = partners.partner(name)[1]
        theirs = partner.introduction.certificate
        own = self._certificate()
        if partner.place:
            host, _, port = partner.place.rpartition(":")
            return NatsLink(
                Place(
                    host.strip("[]"),
                    int(port),
                    link_name(theirs),
                    own.name.partition(".")[0],
                    False,
                    partial(own.client_context, theirs),
                )
            )
        if self._broker is None:
            raise UsageError(
                f"There is no way to {name!r}: give its broker's address, or let this node listen (`[exchange] listen`)."
            )
        guest = link_name(theirs)
        shown = self._broker.host_identity(guest)
        place = opened.settings.exchange.place
        host = "127.0.0.1" if place is None or place[0] in ("0.0.0.0", "::") else place[0]  # noqa: S104
        return NatsLink(
            Place(
                host,
                self._broker.port,
                own.name,
                guest.partition(".")[0],
                True,
                partial(shown.client_context, own.pem),
            )
        )

    def close(self) -> None:
        """End the broker."""
        if self._broker is not None:
            self._broker.close()

    def _certificate(self) -> "LinkCertificate":
        if self._own is None:
            self._own = link_certificate(self._opened.folder)
        return self._own
