"""Pure vocabulary of the trade: numbers, addresses, alphabets, headers, parts, TPDUs, money.

Start at parts.py (what a message costs), numbers.py (whom it reaches) and alphabets.py (what it is written in).
Each file names the specification it follows. Nothing of the other packages, no clock, no chance and no input or
output may enter: everything here is a value or a function of values.
"""
