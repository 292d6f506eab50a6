"""Throughput: messages a second end to end, their receipts included, and what a message costs; Kannel in turn with us.

The work: M submit_sm of 160 GSM characters with registered_delivery 1 from 4 binds of window 50, to a carrier behind
4 binds of window 50, receipts back to the client; PostgreSQL durable.
What must not enter: latencies at a given rate (latency.py).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.bench import kannel
from tests.bench.figures import Section
from tests.bench.installation import Installation
from tests.bench.processes import quiet
from tests.bench.rounds import Rounds
from tests.bench.scale import Scale

WARM_UP = 5000  # messages before the count begins: memos and plans are there then


async def measure(folder: Path, tools: Path, scale: Scale, with_kannel: bool) -> Section:
    """Rounds of us, Kannel, Kannel with its spool, in turn."""
    section = Section("Throughput end to end, with receipts")
    rate = section.figure("messages a second, one node", "1/s", least=8000)
    response_rate = section.figure("of these submit_sm_resp", "1/s")
    gateway_us = section.figure("CPU of the gateway", "us a message", most=130)
    postgres_us = section.figure("CPU of PostgreSQL, all its processes", "us a message", most=40)
    harness_us = section.figure("CPU of the load tool, both ends", "us a message")
    ratio = section.figure("times Kannel without store", "x", least=1.8, decimals=2)
    plain_rate = section.figure("Kannel, no store", "1/s")
    plain_us = section.figure("CPU of Kannel, no store", "us a message")
    spool_rate = section.figure("Kannel, spool", "1/s")
    spool_us = section.figure("CPU of Kannel, spool", "us a message")
    beside = with_kannel and kannel.is_installed()
    if not beside:
        why = "Kannel is not installed" if with_kannel else "left out as wished"
        section.notes.append(f"{why}: nothing to compare with")
        for figure in (ratio, plain_rate, plain_us, spool_rate, spool_us):
            figure.absent = why
    installation = Installation(folder / "throughput", tools)
    try:
        await installation.prepare()
        async with installation.carrier() as carrier:
            await installation.start_node()
            await installation.submit(WARM_UP)
            rounds = Rounds(installation, carrier, section, scale.patience_s)
            for _ in range(scale.rounds):
                ours = await rounds.run(scale.messages)
                section.faults += await installation.leftovers()
                rate.add(ours.client["receipt_rate"])
                response_rate.add(ours.client["rate"])
                gateway_us.add(ours.gateway_us)
                postgres_us.add(ours.postgres_us)
                harness_us.add(ours.harness_us)
                if beside:
                    await quiet(scale.patience_s)
                    plain = await kannel.run(folder / "kannel", tools, "none", scale.kannel_messages)
                    spool = await kannel.run(folder / "kannel", tools, "spool", scale.spool_messages)
                    section.faults += plain.faults + spool.faults
                    section.other_cpu += [plain.other_cpu, spool.other_cpu]
                    ratio.add(ours.client["receipt_rate"] / plain.rate)
                    plain_rate.add(plain.rate)
                    plain_us.add(plain.cpu_us)
                    spool_rate.add(spool.rate)
                    spool_us.add(spool.cpu_us)
    finally:
        await installation.close()
        shutil.rmtree(folder / "kannel", ignore_errors=True)
    return section
