"""The fault proxy: a TCP connection between two peers, made as bad as networks are.

Start reading at settings.py: each fault it can show is a setting; faults.py is what becomes of octets, pure.
What must not enter: what the octets mean, beyond the length that begins an SMPP PDU (v3.4 section 3.2).
"""

from simulators.fault_proxy.proxy import FaultProxy
from simulators.fault_proxy.run import run_proxy
from simulators.fault_proxy.settings import ProxySettings

__all__ = ["FaultProxy", "ProxySettings", "run_proxy"]
