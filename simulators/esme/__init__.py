"""The ESME simulator: settings, what it sends (workload), what it expects (tally), the wire (client), the report.

Start reading at settings.py. House style point 12: simulators are products.
What must not enter: anything of the gateway except gateway.smpp.
"""

from simulators.esme.client import SimulatedEsme
from simulators.esme.run import run_esme
from simulators.esme.settings import EsmeSettings

__all__ = ["EsmeSettings", "SimulatedEsme", "run_esme"]
