"""`python -m gateway.command_line`: the same command where no script is installed, and for the children of `run`.

What belongs here: the call of main, whose answer is the exit code.
What must not enter: anything but the call.
"""

import sys

from gateway.command_line.main import main

sys.exit(main())
