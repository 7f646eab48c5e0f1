"""What goes wrong between us and a controller, as our own errors.

The rule of the room: no error of the SDK leaves it, since what hangs on one may hold the password that was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from keystoneauth1 import exceptions as keystone
from openstack import exceptions as sdk

from provisioner.errors import CloudError, CloudRefused

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_HELP_TLS: Final = (
    "Name the authority that issued it: 'ca_certificates: PATH' in the inventory, or 'cacert: PATH' in "
    "clouds.yaml."
)
_TLS: Final = "CERTIFICATE_VERIFY_FAILED"
_LONGEST: Final = 400


@contextmanager
def answering(asked: str) -> Iterator[None]:
    """Turn what is raised inside into CloudError and CloudRefused; ``asked`` is what was asked, as a noun.

    Raises:
        CloudRefused: the controller answers with a status from 400 on.
        CloudError: it does not answer, cannot be trusted, or answers with something else than was asked for.
    """
    failure: CloudError
    try:
        yield
    except (CloudError, KeyboardInterrupt):
        raise
    except (sdk.HttpException, keystone.HttpError) as error:
        failure = _refused(asked, error)
    except keystone.SSLError as error:
        failure = _untrusted(asked, error)
    except (keystone.ConnectFailure, keystone.ConnectTimeout, keystone.RetriableConnectionFailure) as error:
        help_ = "Check the address, and that this machine may reach it."
        failure = CloudError(f"{asked}: no answer: {_short(error)}", help_)
    except keystone.DiscoveryFailure as error:
        help_ = "Check that the address is that of Keystone, usually with /v3 at the end."
        failure = CloudError(f"{asked}: what answers there is no OpenStack service: {_short(error)}", help_)
        if _TLS in str(error):
            # Keystone is looked for twice, and what went wrong is wrapped in what went wrong then.
            failure = _untrusted(asked, error)
    except (keystone.CatalogException, keystone.EndpointNotFound) as error:
        help_ = "Check 'region:' and 'interface:'."
        failure = CloudError(f"{asked}: the cloud does not offer it: {_short(error)}", help_)
    except (sdk.SDKException, keystone.ClientException) as error:
        failure = CloudError(f"{asked} failed: {_short(error)}")
    except (ValueError, KeyError, TypeError, AttributeError, LookupError) as error:
        # What the SDK stumbles over when an answer has another form than the reference says.
        kind = type(error).__name__
        failure = CloudError(f"{asked}: the answer cannot be understood ({kind}).", "Is a proxy in between?")
    else:
        return
    raise failure from None


def _untrusted(asked: str, error: Exception) -> CloudError:
    return CloudError(f"{asked}: the certificate is not trusted: {_short(error)}", _HELP_TLS)


def _refused(asked: str, error: sdk.HttpException | keystone.HttpError) -> CloudRefused:
    status = int(getattr(error, "http_status", None) or getattr(error, "status_code", None) or 0)
    said = _short(getattr(error, "details", None) or getattr(error, "message", None) or error)
    help_ = ""
    if status == _UNAUTHORIZED:
        help_ = "Check the user, the password, the project and their domains."
    elif status == _FORBIDDEN:
        help_ = "The user needs the role admin in the project."
    return CloudRefused(asked, status, said, help_)


def _short(said: object) -> str:
    """Return the sentence of an error on one line."""
    text = " ".join(str(said).split())
    text = "".join(character for character in text if character.isprintable())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"
