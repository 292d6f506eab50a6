"""The router: which connector takes a message, and why.

Start at choose.py (`choose`, `explain`), then table.py (what an operator may write and how it is compiled).
Routes are ordered rules over destination, account, sender, class and minute of the week (architecture, "The
way of a message"). Pure: no clock, no chance, no storage and no other package of this distribution may
enter.
"""
