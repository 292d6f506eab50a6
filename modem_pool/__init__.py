"""SIM cards as a carrier: modems, their SIMs, and the sharing of consented traffic within each SIM's plan.

Start at at/channel.py, the conversation with one modem. Promise P10: no change of an IMEI, no imitation of a person, no
evasion of detection may enter; nor prices, accounts and routes, which are the gateway's.
"""
