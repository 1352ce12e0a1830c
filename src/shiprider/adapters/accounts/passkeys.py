"""Passkeys by the webauthn library.

Always true: the person is verified by the device (PIN, finger, face), so a passkey is two factors; the
challenge, the origin and the party are those that we asked for.
"""

import json
from collections.abc import Sequence
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from shiprider.model.account import Passkey
from shiprider.model.errors import Forbidden

_WRONG = "This passkey was not accepted: try again, or sign in another way."


class WebauthnPasskeys:
    """See `ports.proofs.Passkeys`."""

    def creation(
        self, rp_id: str, account_id: str, login: str, name: str, known: Sequence[bytes], challenge: bytes
    ) -> dict[str, Any]:
        """See `ports.proofs.Passkeys.creation`."""
        options = webauthn.generate_registration_options(
            rp_id=rp_id,
            rp_name="Shiprider",
            user_id=account_id.encode(),
            user_name=login,
            user_display_name=name,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        )
        made: dict[str, Any] = json.loads(options_to_json(options))
        return made

    def created(
        self, credential: dict[str, Any], *, challenge: bytes, rp_id: str, origin: str
    ) -> tuple[bytes, bytes, int]:
        """See `ports.proofs.Passkeys.created`."""
        try:
            made = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=rp_id,
                expected_origin=origin,
                require_user_verification=True,
            )
        except _FAULTS as error:
            raise Forbidden(_WRONG) from error
        return made.credential_id, made.credential_public_key, made.sign_count

    def request(self, rp_id: str, challenge: bytes) -> dict[str, Any]:
        """See `ports.proofs.Passkeys.request`."""
        options = webauthn.generate_authentication_options(
            rp_id=rp_id, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
        )
        made: dict[str, Any] = json.loads(options_to_json(options))
        return made

    def answered(
        self, credential: dict[str, Any], passkey: Passkey, *, challenge: bytes, rp_id: str, origin: str
    ) -> int:
        """See `ports.proofs.Passkeys.answered`."""
        try:
            answer = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=rp_id,
                expected_origin=origin,
                credential_public_key=passkey.public_key,
                # The counter is compared and set in one commit (`use_passkey`).
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except _FAULTS as error:
            raise Forbidden(_WRONG) from error
        return answer.new_sign_count

    def credential_id(self, credential: dict[str, Any]) -> bytes:
        """See `ports.proofs.Passkeys.credential_id`."""
        given = credential.get("rawId") or credential.get("id")
        if not isinstance(given, str) or not 0 < len(given) < 2048:
            raise Forbidden(_WRONG)
        try:
            return base64url_to_bytes(given)
        except _FAULTS as error:
            raise Forbidden(_WRONG) from error


#: What the library, its CBOR and its keys raise over what a browser can send.
_FAULTS = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)
