"""The node's keys and certificate: for the node administrator."""

from typing import Final

from litestar import get, post

from shiprider.api.asking import Here, Who
from shiprider.api.desk_rendering import person_of
from shiprider.api.failures import CHANGING, documented
from shiprider.api.schemas import desk as s
from shiprider.api.site import Site
from shiprider.model.errors import Conflict

TAG: Final = ["keys"]


def _keys(site: Site) -> s.NodeKeys:
    desk = site.desk.keys
    certificate = desk.certificate()
    return s.NodeKeys(
        now_us=desk.access.clock(),
        keys=[
            s.SigningKeyOut(
                key_id=key.key_id,
                state=key.state,
                from_us=key.from_us,
                to_us=key.to_us,
                predecessor=key.predecessor,
                endorsed=bool(key.endorsement),
                reason=key.reason,
                due_us=desk.due_us(key) if key.state == "active" else None,
            )
            for key in desk.signing_keys()
        ],
        certificate=None
        if certificate is None
        else s.CertificateOut(
            ends_us=certificate.ends_us,
            fingerprint=certificate.fingerprint,
            names=list(certificate.names),
        ),
    )


def _check_active(site: Site, looked_at: str) -> None:
    active = next(key.key_id for key in site.desk.keys.signing_keys() if key.state == "active")
    if active != looked_at:
        raise Conflict("Another key signs in the meantime: look again and decide again.")


@get(
    "/keys",
    operation_id="list_keys",
    summary="Signing keys and the certificate, with their validity",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def list_keys(site: Here) -> s.NodeKeys:
    """Public halves only."""
    return _keys(site)


@post(
    "/keys/rotate",
    operation_id="rotate_key",
    summary="Make the next signing key",
    status_code=200,
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=True,
)
def rotate(site: Here, data: s.RotateKey, asker: Who) -> s.NodeKeys:
    """It is announced under the one before, then signs."""
    _check_active(site, data.active)
    site.desk.keys.rotate(person_of(asker))
    return _keys(site)


@post(
    "/keys/lost",
    operation_id="report_key_lost",
    summary="Write the signing key off as lost",
    status_code=200,
    tags=TAG,
    responses=documented(*CHANGING),
    sync_to_thread=True,
)
def report_lost(site: Here, data: s.KeyLost, asker: Who) -> s.NodeKeys:
    """Another signs from now on, and the log says why."""
    _check_active(site, data.active)
    site.desk.keys.report_lost(person_of(asker), data.why)
    return _keys(site)


HANDLERS = [list_keys, rotate, report_lost]
