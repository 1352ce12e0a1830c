"""A coalition on one machine, to be shown: nodes with keys, brokers and rules of their own, introduced to each other.

Always true: nothing of it is a node that anybody works with: its introductions are confirmed by the machine that made
them, which no real node allows.
"""

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shiprider.bootstrap.node import OpenNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A node to be: `kbit_s` is how wide its ways are (0: as wide as they come); `port` its broker's."""

    node: str
    name: str
    nation: str
    folder: Path
    port: int
    kbit_s: float = 0.0


#: The nodes of the demonstration, whose own is first: name, what people call it, nation, how wide its ways are.
DEMONSTRATION: Final = (
    ("demo", "Watch floor", "COL", 0.0),
    ("usa", "Joint task force", "USA", 0.0),
    ("nld", "Coast guard centre", "NLD", 0.0),
    ("cutter", "Cutter at sea", "FRA", 9.6),
)
#: Who goes to whose broker.
_WAYS: Final = (("usa", "demo"), ("nld", "demo"), ("cutter", "demo"), ("nld", "usa"))
#: What the day before is labelled, and what comes live.
DAY_LABEL: Final = "policy=COALITION class=RESTRICTED rel=nations:COL,NLD,USA"
LIVE_LABEL: Final = "policy=COALITION class=RESTRICTED rel=nations:COL,FRA,NLD,USA"

_POLICY: Final = """schema = 1
node = "{node}"
{homes}
[[agreements]]
id = "demonstration"
title = "An agreement made up for the demonstration"
from = 2020-01-01
source = "shiprider demo"
{parties}
[[agreements.sharing]]
id = "1"
shared_by = [{names}]
shared_with = [{names}]
kinds = ["*"]
purposes = ["*"]
highest = "SECRET"
"""


def members(folder: Path) -> list[Member]:
    """The nodes of the demonstration, in and beside a folder, with free ports."""
    return [
        Member(
            node=node,
            name=name,
            nation=nation,
            folder=folder if at == 0 else folder / "partners" / node,
            port=_free_port(),
            kbit_s=kbit_s,
        )
        for at, (node, name, nation, kbit_s) in enumerate(DEMONSTRATION)
    ]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def policy_text(member: Member, of: Sequence[Member]) -> str:
    """The rules of one node: whose nodes are whose, and one agreement among all."""
    homes = "\n".join(f'[[homes]]\nnode = "{each.node}"\nnation = "{each.nation}"\n' for each in of)
    parties = "\n".join(
        f'[[agreements.parties]]\nname = "{each.node}"\nnation = "{each.nation}"\n'
        'standings = [{ from = 2020-01-01, status = "in_force" }]\n'
        for each in of
    )
    names = ", ".join(f'"{each.node}"' for each in of)
    return _POLICY.format(node=member.node, homes=homes, parties=parties, names=names)


def exchange_text(member: Member, of: Sequence[Member]) -> str:
    """What stands in a node's settings of the exchange."""
    text = f'\n[exchange]\nlisten = "127.0.0.1:{member.port}"\nname = "{member.name}"\n'
    for guest, host in _WAYS:
        if member.node not in (guest, host):
            continue
        other = next(each for each in of if each.node == (host if member.node == guest else guest))
        kbit_s = min((each.kbit_s for each in (member, other) if each.kbit_s), default=0.0)
        if kbit_s:
            text += f'\n[[exchange.ways]]\npartner = "{other.node}"\nkbit_s = {kbit_s}\n'
    return text


def lay_out(of: Sequence[Member]) -> None:
    """Settings and rules of every node but the first, which has its own; then all are introduced to each other."""
    from shiprider import settings
    from shiprider.bootstrap.node import open_node

    for member in of:
        member.folder.mkdir(parents=True, exist_ok=True)
        (member.folder / "policy.toml").write_text(policy_text(member, of), encoding="utf-8")
        if member is not of[0]:
            text = settings_text(member, of)
            (member.folder / settings.FILE_NAME).write_text(text, encoding="utf-8")
    with ExitStack() as stack:
        opened = {each.node: stack.enter_context(open_node(each.folder)) for each in of}
        for guest, host in _WAYS:
            port = next(each.port for each in of if each.node == host)
            _meet(opened[guest], opened[host], f"127.0.0.1:{port}")
            _meet(opened[host], opened[guest], "")


def settings_text(member: Member, of: Sequence[Member]) -> str:
    """The settings of one node of the demonstration."""
    from shiprider import settings

    return (
        settings.TEMPLATE.format(node=member.node)
        .replace("language =", f'nation = "{member.nation}"\nlanguage =', 1)
        .replace("# policy =", "policy =", 1)
        .replace("# [access]", "[access]\ndemo = true", 1)
    ) + exchange_text(member, of)


def _meet(one: "OpenNode", other: "OpenNode", place: str) -> None:
    from shiprider.bootstrap.exchange import own_introduction
    from shiprider.bootstrap.partners import open_partners
    from shiprider.model.introduction import fingerprint

    told = own_introduction(other)
    partners = open_partners(one.ledger, one.settings)
    partners.propose(told, place=place, who="demonstration")
    partners.confirm(
        told.node,
        fingerprint(told),
        who="demonstration, second",
        clearance="SECRET",
        purposes=(one.settings.access.purposes[0],),
    )
