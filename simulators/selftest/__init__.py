"""The judge of SMSCs: every situation of the table as octets (cases.toml), played against a port, and what came back.

What belongs here: the names that tests and the command line use. SMPP v3.4 and v5.0 are the law it judges by.
What must not enter: gateway.smpp, or any other code of the server that is judged.
"""

from simulators.selftest.cases import Case, load_cases
from simulators.selftest.runner import Outcome, Subject, Timers, Verdict, judge

__all__ = ["Case", "Outcome", "Subject", "Timers", "Verdict", "judge", "load_cases"]
