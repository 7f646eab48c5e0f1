# Types of the promised names; the module itself loads them on first use.

from provisioner.addresses import Endpoint as Endpoint
from provisioner.addresses import NodeName as NodeName
from provisioner.addresses import ResourceId as ResourceId
from provisioner.addresses import RoleName as RoleName
from provisioner.addresses import SecretRef as SecretRef
from provisioner.configuration.model import Artifact as Artifact
from provisioner.configuration.model import Configuration as Configuration
from provisioner.configuration.model import Resource as Resource
from provisioner.diagnostics import Diagnostic as Diagnostic
from provisioner.diagnostics import Diagnostics as Diagnostics
from provisioner.diagnostics import SourceRange as SourceRange
from provisioner.engine.executor import RunSummary as RunSummary
from provisioner.errors import AuthenticationError as AuthenticationError
from provisioner.errors import CommandError as CommandError
from provisioner.errors import ConnectError as ConnectError
from provisioner.errors import InputError as InputError
from provisioner.errors import LcmError as LcmError
from provisioner.errors import LocalProtocolError as LocalProtocolError
from provisioner.errors import LockHeld as LockHeld
from provisioner.errors import NodeError as NodeError
from provisioner.errors import ProvisionerError as ProvisionerError
from provisioner.errors import RebootRefused as RebootRefused
from provisioner.errors import RebootTimeout as RebootTimeout
from provisioner.errors import RemoteProtocolError as RemoteProtocolError
from provisioner.errors import SchemaTooNew as SchemaTooNew
from provisioner.errors import SecretError as SecretError
from provisioner.errors import StateError as StateError
from provisioner.errors import TransportError as TransportError
from provisioner.errors import TransportTimeout as TransportTimeout
from provisioner.errors import UsageError as UsageError
from provisioner.events import Event as Event
from provisioner.events import Recorded as Recorded
from provisioner.inventory.model import Inventory as Inventory
from provisioner.inventory.model import Node as Node
from provisioner.project import ApplyRequest as ApplyRequest
from provisioner.project import Compilation as Compilation
from provisioner.project import Project as Project
from provisioner.reports.base import Reporter as Reporter
from provisioner.roles.model import Role as Role
from provisioner.state.base import StateStore as StateStore
from provisioner.transport.base import Command as Command
from provisioner.transport.base import Pipeline as Pipeline
from provisioner.transport.base import Result as Result
from provisioner.transport.base import Transport as Transport

__version__: str
__all__: list[str]  # noqa: PYI035 - computed; a test compares it with the names above
_HOME_OF: dict[str, str]
