"""Either way to Cobbler, for what works through both."""

from typing import Union

from cobbler_bridge.store.in_process import InProcess
from cobbler_bridge.store.over_xmlrpc import XmlRpc

Store = Union[InProcess, XmlRpc]
