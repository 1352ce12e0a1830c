"""OpenID Connect Core 1.0 as a relying party: authorization code with PKCE (RFC 7636), state and nonce.

Always true: the ID token is signed by a key of the issuer with an algorithm of ours, for us, for this
sign-in and now, or it is not believed; the issuer's own description must say that it is the issuer.
"""

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shiprider.adapters.identity.fetching import Fetcher, origin_of
from shiprider.model.errors import Forbidden
from shiprider.ports.identity import Asking
from shiprider.settings import ProviderSettings

#: Signatures with a public key only: a shared secret or none proves nothing.
_ALGORITHMS: Final = ["RS256", "PS256", "ES256", "RS384", "PS384", "ES384", "RS512", "PS512", "EdDSA"]

#: Clocks differ; seconds.
_LEEWAY_S: Final = 60

#: A description and its keys are asked anew after so long, seconds; keys also where one is not known.
_KEPT_S: Final = 3600.0

#: A provider that does not answer is not asked again so soon, and nobody queues for it, seconds: strangers can
#: ask for the way out, and must not take every thread of the node with a provider that is down.
_RESTED_S: Final = 15.0
_QUEUE_S: Final = 1.0


class OpenIdProvider:
    """See `ports.identity.IdentityProvider`. `clock` gives seconds since 1970 UTC."""

    def __init__(
        self, settings: ProviderSettings, client_secret: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._secret = client_secret
        self._clock = clock
        scheme = urlsplit(settings.issuer).scheme
        origins = [origin_of(settings.issuer), *(f"{scheme}://{host}".lower() for host in settings.hosts)]
        self._fetcher = Fetcher(settings.name, origins, settings.private_addresses)
        self._lock = threading.Lock()
        self._kept: tuple[float, Mapping[str, Any], KeySet] | None = None
        self._rests_until = 0.0

    @property
    def name(self) -> str:
        """See `ports.identity.IdentityProvider.name`."""
        return self._settings.name

    def address(self, asking: Asking, redirect: str) -> str:
        """See `ports.identity.IdentityProvider.address`."""
        described, _ = self._described()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(asking.verifier.encode()).digest()).rstrip(b"=")
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(self._settings.scopes),
            "state": asking.state,
            "nonce": asking.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        endpoint = self._fetcher.check(described.get("authorization_endpoint"))
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def claims(self, asking: Asking, code: str, redirect: str) -> Mapping[str, Any]:
        """See `ports.identity.IdentityProvider.claims`."""
        described, keys = self._described()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": asking.verifier,
            "client_id": self._settings.client_id,
        }
        # RFC 6749, 2.3.1: both are encoded before they are joined.
        auth = (
            (quote(self._settings.client_id, safe=""), quote(self._secret, safe="")) if self._secret else None
        )
        answer = self._fetcher.post(described.get("token_endpoint"), form, auth)
        token = answer.get("id_token")
        if not isinstance(token, str) or len(token) > 65_536:
            raise self._unproven()
        claims = self._proven(token, keys, asking)
        if claims is None:
            # The issuer may have changed its keys since.
            _, keys = self._described(anew=True)
            claims = self._proven(token, keys, asking)
        if claims is None:
            raise self._unproven()
        return claims

    def _proven(self, token: str, keys: KeySet, asking: Asking) -> Mapping[str, Any] | None:
        """OpenID Connect Core 1.0, 3.1.3.7."""
        try:
            claims: dict[str, Any] = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
        except (JoseError, ValueError, TypeError, KeyError):
            return None
        client, now = self._settings.client_id, self._clock()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        party = claims.get("azp", client if len(audiences) == 1 else None)
        times = [claims.get("exp"), claims.get("iat")]
        if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in times):
            raise self._unproven()
        right = (
            claims.get("iss") == self._settings.issuer
            and client in audiences
            and party == client
            and claims["exp"] > now - _LEEWAY_S
            and claims["iat"] < now + _LEEWAY_S
            and claims.get("nbf", 0) <= now + _LEEWAY_S
            and claims.get("nonce") == asking.nonce
        )
        if not right:
            raise self._unproven()
        return claims

    def _described(self, *, anew: bool = False) -> tuple[Mapping[str, Any], KeySet]:
        kept = self._kept
        if kept is not None and not anew and self._clock() - kept[0] < _KEPT_S:
            return kept[1], kept[2]
        if self._clock() < self._rests_until or not self._lock.acquire(timeout=_QUEUE_S):
            raise Forbidden(f"The provider {self.name} does not answer: try again, or sign in another way.")
        try:
            if self._kept is not kept and self._kept is not None:
                return self._kept[1], self._kept[2]
            self._kept = found = self._ask()
            return found[1], found[2]
        except Forbidden:
            self._rests_until = self._clock() + _RESTED_S
            raise
        finally:
            self._lock.release()

    def _ask(self) -> tuple[float, Mapping[str, Any], KeySet]:
        issuer = self._settings.issuer
        described = self._fetcher.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if described.get("issuer") != issuer:
            raise self._unproven()
        try:
            keys = KeySet.import_key_set(self._fetcher.get(described.get("jwks_uri")))  # type: ignore[arg-type]
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise self._unproven() from error
        return self._clock(), described, keys

    def _unproven(self) -> Forbidden:
        return Forbidden(f"The provider {self.name} did not prove who you are: try again.")
