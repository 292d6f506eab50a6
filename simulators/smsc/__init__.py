"""The SMSC simulator: settings, rules (behaviour), deliveries, the wire (server), the control port.

Start reading at settings.py: each fault it can show is a setting. House style point 12: simulators are products.
What must not enter: anything of the gateway except gateway.smpp.
"""

from simulators.smsc.run import run_smsc
from simulators.smsc.server import SimulatedSmsc
from simulators.smsc.settings import SmscSettings

__all__ = ["SimulatedSmsc", "SmscSettings", "run_smsc"]
