"""Who may do what: one table from route to permission, one from permission to roles.

Always true: a route that stands in no table is answered to nobody and keeps the application from starting;
a permission without roles is nobody's; whoever runs the node holds no permission over content, and the
auditor holds none but the audit's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from shiprider.api.tokens import TAXII, is_taxii
from shiprider.model.access_entry import Act
from shiprider.model.account import CONTENT_ROLES, ROLES, Role

Permission = Literal[
    "public",
    "enrol",
    "self",
    "say_name",
    "see_status",
    "see_content",
    "see_raw",
    "decide",
    "overrule",
    "annotate",
    "ask_partners",
    "keep_watch",
    "give_orders",
    "hold_for_law",
    "see_policy",
    "prepare_release",
    "release",
    "choose_looks",
    "break_glass",
    "see_partners",
    "introduce_partners",
    "administer",
    "audit",
    "measure",
    "interchange",
    "export",
    "hand_in",
]

#: Those who work with alerts and vessels; a community liaison has the map and the alerts, not the bytes.
_CONTENT: Final = frozenset(CONTENT_ROLES)
_DESK: Final[frozenset[Role]] = frozenset({"watch_officer", "intelligence_analyst"})

#: Whom each permission belongs to. `public` is anybody's, `enrol` and `self` whoever has signed in.
ROLES_OF: Final[dict[Permission, frozenset[Role]]] = {
    "public": frozenset(ROLES),
    "enrol": frozenset(ROLES),
    "self": frozenset(ROLES),
    "say_name": _CONTENT,
    "see_status": _CONTENT | {"node_administrator"},
    "see_content": _CONTENT,
    "see_raw": _DESK | {"liaison_officer", "legal_adviser", "evidence_custodian", "evaluator"},
    "decide": _DESK,
    "overrule": frozenset({"intelligence_analyst"}),
    "annotate": _DESK | {"liaison_officer", "planner", "legal_adviser", "evidence_custodian"},
    "ask_partners": _DESK | {"liaison_officer", "legal_adviser"},
    "keep_watch": frozenset({"watch_officer"}),
    "give_orders": _DESK | {"planner"},
    "hold_for_law": frozenset({"legal_adviser", "evidence_custodian"}),
    "see_policy": _CONTENT,
    "prepare_release": frozenset({"intelligence_analyst", "liaison_officer", "legal_adviser"}),
    "release": frozenset({"liaison_officer", "legal_adviser"}),
    "choose_looks": _CONTENT,
    "break_glass": _CONTENT,
    "see_partners": _CONTENT | {"node_administrator"},
    "introduce_partners": frozenset({"liaison_officer", "node_administrator"}),
    "administer": frozenset({"node_administrator"}),
    "audit": frozenset({"auditor"}),
    "measure": frozenset({"auditor", "node_administrator"}),
    "interchange": _DESK | {"liaison_officer", "legal_adviser", "evidence_custodian"},
    "export": frozenset({"intelligence_analyst", "liaison_officer", "legal_adviser", "evidence_custodian"}),
    "hand_in": _DESK | {"liaison_officer"},
}

#: Reading content needs a purpose.
NEEDS_PURPOSE: Final[frozenset[Permission]] = frozenset(
    {
        "see_content",
        "see_raw",
        "decide",
        "annotate",
        "ask_partners",
        "keep_watch",
        "give_orders",
        "hold_for_law",
        "prepare_release",
        "release",
        "export",
        "hand_in",
    }
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route asks for. `act` is what the access log calls it; None: nothing of anybody is shown.

    `by_hand`: what was allowed is logged by what does it, with its reason; a refusal is logged as all are. `streams`:
    the answer leaves in pieces, each of which was logged before it.
    """

    permission: Permission
    act: Act | None = None
    by_hand: bool = False
    streams: bool = False


_SELF: Final = Rule("self")
_READ: Final = Rule("see_content", "read")
_SEARCH: Final = Rule("see_content", "search")
_DECIDE: Final = Rule("decide", "change")
_ADMINISTER: Final = Rule("administer", "administer", by_hand=True)
_POLICY: Final = Rule("release", "policy", by_hand=True)
_RELEASE: Final = Rule("release", "release", by_hand=True)
_PREPARE: Final = Rule("prepare_release", "release", by_hand=True)
_BREAK: Final = Rule("break_glass", "break_glass", by_hand=True)

#: (method, path) as the application's route table has them; WS is a WebSocket. Under /api/v1.
_API: Final[dict[tuple[str, str], Rule]] = {
    ("GET", "/openapi.json"): _SELF,
    ("GET", "/description"): _SELF,
    ("GET", "/description/openapi.json"): _SELF,
    ("GET", "/description/{path}"): _SELF,
    # Coming in.
    ("GET", "/sign-in"): Rule("public"),
    ("POST", "/sign-in/password"): Rule("public", "sign_in", by_hand=True),
    ("POST", "/sign-in/code"): Rule("public", "sign_in", by_hand=True),
    ("POST", "/sign-in/passkey/options"): Rule("public"),
    ("POST", "/sign-in/passkey"): Rule("public", "sign_in", by_hand=True),
    ("POST", "/session"): Rule("public", "sign_in", by_hand=True),
    # Oneself.
    ("GET", "/session"): Rule("enrol"),
    ("PUT", "/session"): Rule("say_name"),
    ("POST", "/sign-out"): Rule("enrol", "sign_out"),
    ("POST", "/me/authenticator"): Rule("enrol"),
    ("POST", "/me/password"): Rule("enrol", "administer", by_hand=True),
    ("POST", "/me/passkeys/options"): Rule("enrol"),
    ("POST", "/me/passkeys"): Rule("enrol", "administer", by_hand=True),
    ("GET", "/me"): _SELF,
    ("PUT", "/me/purpose"): Rule("self", "change"),
    ("GET", "/me/sessions"): _SELF,
    ("POST", "/me/sessions/{session_id}/revoke"): Rule("self", "sign_out"),
    ("GET", "/me/tokens"): _SELF,
    ("POST", "/me/tokens"): Rule("self", "administer", by_hand=True),
    ("POST", "/me/tokens/{token_id}/revoke"): Rule("self", "administer", by_hand=True),
    ("GET", "/me/notices"): _SELF,
    ("POST", "/me/notices/{notice_id}/seen"): Rule("self", "change"),
    ("GET", "/break-glass"): Rule("break_glass"),
    ("POST", "/break-glass"): _BREAK,
    ("POST", "/break-glass/end"): _BREAK,
    # Running the node.
    ("GET", "/accounts"): Rule("administer", "administer"),
    ("POST", "/accounts"): _ADMINISTER,
    ("PUT", "/accounts/{account_id}"): _ADMINISTER,
    ("POST", "/accounts/{account_id}/code"): _ADMINISTER,
    ("GET", "/accounts/{account_id}/sessions"): Rule("administer", "administer"),
    ("POST", "/accounts/{account_id}/sign-out"): Rule("administer", "administer"),
    ("GET", "/status"): Rule("see_status"),
    ("GET", "/keys"): Rule("administer", "administer"),
    ("POST", "/keys/rotate"): _ADMINISTER,
    ("POST", "/keys/lost"): _ADMINISTER,
    # Release.
    ("GET", "/policy"): Rule("see_policy", "read"),
    ("POST", "/policy/effect"): Rule("release", "policy"),
    ("GET", "/policy/changes"): Rule("see_policy", "read"),
    ("POST", "/policy/changes"): _POLICY,
    ("POST", "/policy/changes/{change_id}/agree"): _POLICY,
    ("POST", "/policy/changes/{change_id}/show-again"): _POLICY,
    ("POST", "/policy/changes/{change_id}/refuse"): _POLICY,
    ("POST", "/policy/changes/{change_id}/withdraw"): _POLICY,
    ("POST", "/tear-lines/preview"): Rule("prepare_release", "read"),
    ("GET", "/tear-lines"): _SEARCH,
    ("POST", "/tear-lines"): _PREPARE,
    ("POST", "/tear-lines/{proposal_id}/agree"): _RELEASE,
    ("POST", "/tear-lines/{proposal_id}/refuse"): _RELEASE,
    ("POST", "/tear-lines/{proposal_id}/withdraw"): _PREPARE,
    ("GET", "/labels/{kind}/{record_id}"): _READ,
    ("GET", "/relabellings"): _SEARCH,
    ("POST", "/relabellings"): _PREPARE,
    ("POST", "/relabellings/{proposal_id}/agree"): _RELEASE,
    ("POST", "/relabellings/{proposal_id}/refuse"): _RELEASE,
    ("POST", "/relabellings/{proposal_id}/withdraw"): _PREPARE,
    ("POST", "/view-as"): _READ,
    # Partners. A second person confirms, and it is one of those who answer for releases.
    ("GET", "/partners"): Rule("see_partners", "read"),
    ("GET", "/partners/own"): Rule("introduce_partners", "read"),
    ("POST", "/partners"): Rule("introduce_partners", "administer", by_hand=True),
    ("POST", "/partners/{partner_id}/confirm"): _POLICY,
    ("POST", "/partners/{partner_id}/end"): _POLICY,
    ("GET", "/partners/{partner_id}/shared"): _SEARCH,
    ("GET", "/partners/of/{kind}/{record_id}"): _READ,
    ("GET", "/recalls"): _SEARCH,
    ("POST", "/recalls"): _RELEASE,
    ("GET", "/recalls/of-partners"): _SEARCH,
    ("GET", "/metrics"): Rule("measure"),
    # Looking it over: what was allowed is logged with what was asked.
    ("GET", "/audit/entries"): Rule("audit", "read", by_hand=True),
    ("GET", "/audit/people"): Rule("audit", "read", by_hand=True),
    ("GET", "/audit/alarms"): Rule("audit", "read", by_hand=True),
    ("GET", "/audit/head"): Rule("audit", "read", by_hand=True),
    ("GET", "/audit/check"): Rule("audit", "read", by_hand=True),
    # Content.
    ("GET", "/settings"): Rule("see_status"),
    ("PUT", "/settings"): Rule("choose_looks", "change"),
    ("GET", "/alerts"): _SEARCH,
    ("GET", "/alerts/{alert_id}"): _READ,
    ("POST", "/alerts/{alert_id}/take"): _DECIDE,
    ("POST", "/alerts/{alert_id}/escalate"): _DECIDE,
    ("POST", "/alerts/{alert_id}/reopen"): _DECIDE,
    ("POST", "/alerts/{alert_id}/undo"): _DECIDE,
    ("POST", "/alerts/{alert_id}/dismiss"): _DECIDE,
    ("POST", "/alerts/{alert_id}/merge"): _DECIDE,
    ("GET", "/findings"): _SEARCH,
    ("GET", "/findings/{finding_id}"): _READ,
    ("GET", "/findings/{finding_id}/history"): _READ,
    ("GET", "/vessels"): _SEARCH,
    ("GET", "/vessels/names"): _READ,
    ("GET", "/vessels/{mmsi}"): _READ,
    ("GET", "/vessels/{mmsi}/tracks"): _READ,
    ("GET", "/observations/{raw}"): Rule("see_raw", "read"),
    ("GET", "/picture"): _READ,
    ("GET", "/reception"): _READ,
    ("GET", "/quarantine"): Rule("see_raw", "read"),
    ("GET", "/calibration"): Rule("see_content", "count"),
    ("GET", "/areas"): _READ,
    ("POST", "/areas"): Rule("give_orders", "change"),
    ("GET", "/watchlists"): _READ,
    ("POST", "/watchlists"): Rule("give_orders", "change"),
    ("GET", "/legal-holds"): _READ,
    ("POST", "/legal-holds"): Rule("hold_for_law", "change"),
    # By hand: what others wrote must not name records in the log that nobody was shown.
    ("GET", "/foreign-reports"): Rule("see_content", "search", by_hand=True),
    ("POST", "/foreign-reports"): Rule("hand_in", "change"),
    ("GET", "/foreign-reports/{report_id}"): Rule("see_content", "read", by_hand=True),
    ("GET", "/foreign-reports/{report_id}/raw"): Rule("see_raw", "read"),
    ("GET", "/export"): Rule("export", "export", by_hand=True, streams=True),
    ("GET", "/notes"): _READ,
    ("POST", "/notes"): Rule("annotate", "change"),
    ("GET", "/watch-log"): _READ,
    ("POST", "/watch-log"): Rule("keep_watch", "change"),
    ("GET", "/handover/summary"): _READ,
    ("GET", "/handover"): _READ,
    ("POST", "/handover"): Rule("keep_watch", "change"),
    # Working together.
    ("GET", "/correspondents"): _READ,
    ("GET", "/fixed-messages"): Rule("see_content"),
    ("GET", "/requests"): _SEARCH,
    ("POST", "/requests"): Rule("ask_partners", "change"),
    ("GET", "/requests/{request_id}"): _READ,
    ("POST", "/requests/{request_id}/answers"): Rule("ask_partners", "change"),
    ("POST", "/requests/{request_id}/end"): Rule("ask_partners", "change"),
    ("GET", "/answer-times"): Rule("see_content", "count"),
    ("GET", "/cases"): _SEARCH,
    ("GET", "/timeline"): _READ,
    ("GET", "/chat"): _READ,
    ("POST", "/chat"): Rule("annotate", "change"),
    ("GET", "/alerts/{alert_id}/acknowledgements"): _READ,
    ("POST", "/alerts/{alert_id}/acknowledge"): Rule("annotate", "change"),
    ("GET", "/adoptions"): _READ,
    ("POST", "/adoptions"): Rule("give_orders", "change"),
    ("POST", "/adoptions/{adoption_id}/end"): Rule("give_orders", "change"),
    ("WS", "/live"): Rule("see_content", "live", by_hand=True),
}

_EXPORT: Final = Rule("export", "export", by_hand=True)
#: Under /taxii2 (TAXII 2.1, 4 and 5).
_TAXII: Final[dict[tuple[str, str], Rule]] = {
    ("GET", ""): Rule("interchange"),
    ("GET", "/api"): Rule("interchange"),
    ("GET", "/api/status/{status_id}"): Rule("hand_in"),
    ("GET", "/api/collections"): Rule("interchange"),
    ("GET", "/api/collections/{collection}"): Rule("interchange"),
    ("GET", "/api/collections/{collection}/manifest"): _EXPORT,
    ("GET", "/api/collections/{collection}/objects"): _EXPORT,
    ("POST", "/api/collections/{collection}/objects"): Rule("hand_in", "change"),
    ("GET", "/api/collections/{collection}/objects/{object_id}"): _EXPORT,
    ("GET", "/api/collections/{collection}/objects/{object_id}/versions"): _EXPORT,
}

#: Every route. The page itself holds nothing of the node; what it shows it asks for.
TABLE: Final[dict[tuple[str, str], Rule]] = {
    **{(method, f"/api/v1{path}"): rule for (method, path), rule in _API.items()},
    **{(method, f"{TAXII}{path}"): rule for (method, path), rule in _TAXII.items()},
    ("GET", "/"): Rule("public"),
    ("GET", "/{path}"): Rule("public"),
    ("GET", "/sign-in/with/{provider}"): Rule("public"),
    ("GET", "/sign-in/return"): Rule("public", "sign_in", by_hand=True),
}

#: What of the API is answered without a session.
OPEN: Final = frozenset(key for key, rule in TABLE.items() if rule.permission == "public")


#: Largest body of a request, bytes: a form, a decision, an area, ten thousand vessels held for a court.
BODY_BYTES: Final = 256 << 10
#: Of the routes that take a whole list or file: a watchlist of 50,000 lines, a policy of 500,000 letters.
WATCHLIST_BYTES: Final = 12 << 20
POLICY_BYTES: Final = 3 << 20
#: Of what others hand in by TAXII at once.
TAXII_BYTES: Final = 8 << 20
#: Of a file that other software wrote.
IMPORT_BYTES: Final = 32 << 20
_LARGE: Final = {
    ("POST", "/api/v1/watchlists"): WATCHLIST_BYTES,
    ("POST", "/api/v1/foreign-reports"): IMPORT_BYTES,
    ("POST", "/api/v1/policy/effect"): POLICY_BYTES,
    ("POST", "/api/v1/policy/changes"): POLICY_BYTES,
}


def body_bytes(method: str, path: str) -> int:
    """The largest body that is taken there. Each of `_LARGE` says the same where it stands (`request_max_body_size`)."""
    if is_taxii(path):
        return TAXII_BYTES
    return _LARGE.get((method, path), BODY_BYTES)


def may(roles: Iterable[str], permission: Permission) -> bool:
    """Whether any of these roles holds the permission."""
    return not ROLES_OF.get(permission, frozenset()).isdisjoint(roles)


def permissions_of(roles: Iterable[str]) -> list[Permission]:
    """All that these roles may do."""
    held = tuple(roles)
    return [permission for permission in ROLES_OF if permission != "public" and may(held, permission)]


def roles_for(permission: Permission) -> list[str]:
    """Whose it is, in the order of the domain."""
    return [role for role in ROLES if role in ROLES_OF[permission]]


def routes_of(application: Any) -> set[tuple[str, str]]:
    """(method, path) of every route of an application, its WebSockets too."""
    found: set[tuple[str, str]] = set()
    for route in application.routes:
        methods = getattr(route, "methods", None) or {"WS"}
        # An answer to OPTIONS is made by the framework for every path; the gate lets none through.
        found |= {(method, route.path_format) for method in methods if method != "OPTIONS"}
    return found


def check_complete(application: Any) -> None:
    """Raises RuntimeError where a route is in no table, or the table names a route that is none."""
    routes = routes_of(application)
    if routes != set(TABLE):
        lacking, idle = sorted(routes - set(TABLE)), sorted(set(TABLE) - routes)
        raise RuntimeError(
            f"api/permissions.py: routes in no table {lacking}, entries without a route {idle}"
        )
