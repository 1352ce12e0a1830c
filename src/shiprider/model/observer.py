"""The observer: who reads, and every attribute that a release may depend on.

Always true: an attribute that is not known is empty, and empty never widens what is seen.
"""

import msgspec


class Observer(msgspec.Struct, frozen=True, kw_only=True):
    """Who reads, as what, and for what purpose.

    `nation` is an ISO 3166-1 alpha-3 code; `clearance` a classification (model/label.py); `cases` are
    the cases this person is assigned to; `session` ties every read to one sign-in. `owner` sits at the node's own
    machine, without an account: he is assigned to every case there is. `login` is what the access log calls him: no
    answer depends on it.
    """

    name: str
    roles: tuple[str, ...] = ("watch_officer",)
    nation: str = ""
    organisation: str = ""
    communities: tuple[str, ...] = ()
    clearance: str = ""
    purpose: str = ""
    cases: tuple[str, ...] = ()
    session: str = ""
    owner: bool = False
    login: str = ""
