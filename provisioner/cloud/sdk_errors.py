"""What goes wrong between us and a controller, as our own errors.

The rule of the room: no error of the SDK leaves it, since what hangs on one may hold the password that was sent.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from keystoneauth1 import exceptions as keystone
from openstack import exceptions as sdk

from provisioner.errors import CloudError, CloudRefused, UsageError
from provisioner.inventory.model import Cloud

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_HELP_TLS: Final = (
    "Name the authority that issued it: 'ca_certificates: PATH' in the inventory, or 'cacert: PATH' in "
    "clouds.yaml."
)
_TLS: Final = "CERTIFICATE_VERIFY_FAILED"
_LONGEST: Final = 400


#: What the SDK stumbles over when an answer has another form than the reference says.
_STUMBLES: Final = (ValueError, KeyError, TypeError, AttributeError, LookupError)
_KINDS: Final = (
    (
        (keystone.ConnectFailure, keystone.ConnectTimeout, keystone.RetriableConnectionFailure),
        "no answer",
        "Check the address, and that this machine may reach it.",
    ),
    (
        (keystone.DiscoveryFailure,),
        "what answers there is no OpenStack service",
        "Check that the address is that of Keystone, usually with /v3 at the end.",
    ),
    (
        (keystone.CatalogException, keystone.EndpointNotFound, sdk.ServiceDisabledException),
        "the cloud does not offer it",
        "Check 'region:' and 'interface:'.",
    ),
)


#: What openstacksdk and keystoneauth stumble over in a clouds.yaml of a wrong form.
_OF_CLOUDS_YAML: Final = (
    sdk.SDKException,
    keystone.ClientException,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    RecursionError,
)


@contextmanager
def usable(cloud: Cloud, folder: Path) -> Iterator[None]:
    """Turn what openstacksdk raises over a clouds.yaml into UsageError."""
    try:
        yield
    except UsageError:
        raise
    except _OF_CLOUDS_YAML as error:
        # The text of a parser quotes lines, and those of a clouds.yaml hold passwords.
        is_quotable = isinstance(error, sdk.ConfigException | keystone.ClientException)
        said_by = str(error).partition("\n")[0] if is_quotable else ""
        failure = UsageError(
            f"{cloud.where}: clouds.yaml cannot be used for '{cloud.name}': {said_by or type(error).__name__}",
            f"Check {folder / 'clouds.yaml'}.",
        )
    else:
        return
    raise failure from None


@contextmanager
def answering(asked: str) -> Iterator[None]:
    """Turn what is raised inside into CloudError and CloudRefused; ``asked`` is what was asked, as a noun.

    Raises:
        CloudRefused: the controller answers with a status from 400 on.
        CloudError: it does not answer, cannot be trusted, or answers with something else than was asked for.
    """
    try:
        yield
    except CloudError:
        raise
    except (sdk.SDKException, keystone.ClientException, OSError, *_STUMBLES) as error:
        # requests raises OSError itself where a file of certificates is missing.
        failure = _failure(asked, error)
    else:
        return
    raise failure from None


def _failure(asked: str, error: Exception) -> CloudError:
    if isinstance(error, sdk.HttpException | keystone.HttpError):
        return _refused(asked, error)
    if isinstance(error, _STUMBLES):
        kind = type(error).__name__
        return CloudError(f"{asked}: the answer cannot be understood ({kind}).", "Is a proxy in between?")
    said = _short(error)
    if isinstance(error, keystone.SSLError) or _TLS in str(error):
        # Keystone is looked for twice, and the first failure is wrapped in the second.
        return CloudError(f"{asked}: the certificate is not trusted: {said}", _HELP_TLS)
    for kinds, what, help_ in _KINDS:
        if isinstance(error, kinds):
            return CloudError(f"{asked}: {what}: {said}", help_)
    return CloudError(f"{asked} failed: {said}")


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


class NeverTwice:
    """A lock that fails where it would wait for itself.

    Where the address of Keystone answers 401, keystoneauth asks for a token in order to get one, for ever.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0

    def __enter__(self) -> None:
        if self._owner == threading.get_ident():
            raise keystone.DiscoveryFailure("It wants a token before it gives one (401).")
        self._lock.acquire()
        self._owner = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._owner = 0
        self._lock.release()
