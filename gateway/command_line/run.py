"""`passerelle run` and `passerelle demo`: a gateway, a simulated carrier and a simulated client, by one word.

What belongs here: preparing everything in the order it is needed, and ending everything in the reverse order.
With a configuration it is the node alone, its tables prepared. What must not enter: how a simulator or a node works.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from pathlib import Path
from typing import Annotated, Final

import asyncpg
import msgspec
import typer

from gateway.command_line import checking, demo_api
from gateway.command_line.accounts import hash_password
from gateway.command_line.children import Child, find_free_port, running_child
from gateway.command_line.connecting import open_database, running_server
from gateway.command_line.logs import log_to
from gateway.command_line.looping import run_on_loop
from gateway.command_line.node import prepare_tables
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, find_config, read_configuration
from gateway.command_line.output import show_json
from gateway.command_line.passing import PassingMessages
from gateway.command_line.refusals import Refusal
from gateway.command_line.words import say
from gateway.daemon.configuration import default_configuration
from gateway.daemon.configuration_schema import (
    Configuration,
    Endpoint,
    Metrics,
    Secret,
    SmppConnector,
    SmppServer,
)
from gateway.message import ID_TIME_SHIFT
from gateway.storage import facts
from gateway.storage.check import Verdict

DEMO: Final = "demo"  # account and system_id
DEMO_PASSWORD: Final = "demo1234"  # no secret: the server listens on 127.0.0.1 and the account is a toy
DEMO_SENDER: Final = "PASSERELLE"
DEMO_CONNECTOR: Final = "carrier"
DEMO_CREDIT_MICROS: Final = 1_000_000_000_000  # chosen: a million parts
DEMO_LOW_MICROS: Final = 100_000_000_000  # chosen: topped up below this
SMPP_PORT: Final = 2775  # IANA: smpp
SMSC_PORT: Final = 2776  # the example of a carrier
METRICS_PORT: Final = 9464  # defaults page, Operations
READY_TIMEOUT_S: Final = 30.0  # chosen: recovery of 100,000 open messages takes 3 s
LOOK_S: Final = 0.25  # chosen: a person sees no difference below
DEMO_MESSAGES: Final = 200
CARRIER: Final = "the simulated carrier"
CLIENT: Final = "the simulated client"


def run(
    messages: Annotated[int, typer.Option("--messages", min=0, help="End after so many receipts; 0: at Ctrl-C.")] = 0,
    rate: Annotated[float, typer.Option("--rate", min=0, help="Messages a second; 0: as fast as they pass.")] = 5,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Run a gateway with a simulated carrier and client; with a configuration: its node alone."""
    if find_config(config) is not None:
        configuration = read_configuration(config)
        log_to(None)
        run_on_loop(_run_configured(configuration))
        return
    raise typer.Exit(run_on_loop(_run_demonstration(messages, rate, as_json, with_api=True)))


def demo(
    messages: Annotated[int, typer.Option("--messages", min=1, help="End after so many receipts.")] = DEMO_MESSAGES,
    rate: Annotated[float, typer.Option("--rate", min=0, help="Messages a second; 0: as fast as they pass.")] = 40,
    as_json: JsonOption = False,
    lang: LangOption = None,
    config: ConfigOption = None,
) -> None:
    """Pass some messages through a gateway and prove that all went well."""
    raise typer.Exit(run_on_loop(_run_demonstration(messages, rate, as_json, with_api=False)))


async def _run_configured(configuration: Configuration) -> None:
    from gateway.daemon.node import run_node

    async with running_server(configuration):
        await prepare_tables(configuration)
        await run_node(configuration)


class _Show(msgspec.Struct):
    """One demonstration: its node's configuration, where logs go, how much is to pass, and since when it runs."""

    configuration: Configuration
    folder: Path
    messages: int  # receipts until the end; 0: none
    rate: float
    as_json: bool
    began: float
    api_key: str = ""  # "": without the HTTP API

    def tell(self, sentence: str) -> None:
        """Say it to people; programs wait for the summary."""
        if not self.as_json:
            typer.echo(sentence)

    def seconds(self) -> str:
        """How long it has run."""
        return f"{time.monotonic() - self.began:.1f}"


async def _run_demonstration(messages: int, rate: float, as_json: bool, with_api: bool) -> int:
    """Prepare, show, end, prove; the exit code."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    configuration = demo_configuration(Path.cwd())
    folder = configuration.node.data_dir / "run"
    show = _Show(configuration, folder, messages, rate, as_json, time.monotonic())
    folder.mkdir(parents=True, exist_ok=True)
    log_to(folder / "node.jsonl")
    show.tell(say("PostgreSQL and its tables in {folder} ...", folder=configuration.node.data_dir))
    async with open_database(configuration) as connection:
        account_id = await prepare_demo_facts(connection)
        if with_api:
            show.api_key = await demo_api.give_key(connection, account_id, DEMO)
        view = PassingMessages(connection, int(time.time() * 1000) << ID_TIME_SHIFT, quiet=as_json)
        reached = False
        try:
            reached = await _pass_messages(show, view)
        except asyncio.CancelledError:
            task.uncancel()  # Ctrl-C or SIGTERM: everything has ended in order; what is left is to say how it went
        verdicts = await checking.prove(connection, [folder / "carrier.jsonl"], [folder / "client.jsonl"])
        tally = await view.tally()
    _tell_end(show, tally, verdicts)
    return 1 if any(verdict.failed for verdict in verdicts) or (messages and not reached) else 0


def _tell_end(show: _Show, tally: dict[str, int], verdicts: list[Verdict]) -> None:
    if show.as_json:
        ok = not any(verdict.failed for verdict in verdicts)
        show_json({"ok": ok, "seconds": float(show.seconds()), **tally, "proofs": verdicts})
        return
    facts_of_end = {name: tally[name] for name in ("accepted", "delivered", "receipts")}
    show.tell(
        say(
            "{accepted} messages accepted, {delivered} delivered, {receipts} receipts back, in {seconds} s",
            seconds=show.seconds(),
            **facts_of_end,
        )
    )
    checking.show_verdicts(verdicts, as_json=False)


async def _pass_messages(show: _Show, view: PassingMessages) -> bool:
    """Carrier, node and client run until enough receipts are back, or something ends; whether they are."""
    from gateway.daemon.node import run_node

    carrier, server = show.configuration.connectors[0].address[0], show.configuration.smpp_server.listen
    ready = asyncio.Event()
    async with (
        running_child(CARRIER, carrier_words(carrier, show.folder), show.folder / "carrier.out") as smsc,
        asyncio.TaskGroup() as tasks,
    ):
        node = tasks.create_task(run_node(show.configuration, ready), name="node")
        try:
            await _until_ready(ready, node, smsc)
            show.tell(say("carrier (simulated) {carrier}, gateway {server}", carrier=carrier, server=server))
            show.tell(say("metrics http://{metrics}/metrics", metrics=show.configuration.metrics.listen))
            show.tell(say("ready after {seconds} s; Ctrl-C ends", seconds=show.seconds()))
            words = client_words(server, show.folder, show.messages, show.rate)
            async with contextlib.AsyncExitStack() as beside:
                api = [await beside.enter_async_context(_api(show))] if show.api_key else []
                esme = await beside.enter_async_context(running_child(CLIENT, words, show.folder / "client.out"))
                return await _watch(view, show.messages, node, (smsc, esme, *api))
        finally:
            node.cancel()  # it drains before it ends


def _api(show: _Show) -> contextlib.AbstractAsyncContextManager[Child]:
    def tell(url: str) -> None:
        for line in demo_api.first_sms(url, show.api_key, DEMO_SENDER):
            show.tell(line)

    return demo_api.running_api(show.configuration.node.data_dir, show.folder, tell)


async def _watch(view: PassingMessages, messages: int, node: asyncio.Task[None], children: tuple[Child, ...]) -> bool:
    """Show facts as they come; True when `messages` receipts are back. Raises Refusal when a part ends too early."""
    while not node.done():
        await view.show_news()
        if messages and view.receipts >= messages:
            return True
        for child in children:
            if child.exit_code is not None and not (child.exit_code == 0 and child.name == CLIENT):
                raise Refusal(say("{name} ended: {words}", name=say(child.name), words=child.last_words()))
            if child.exit_code == 0 and view.idle:
                return not messages or view.receipts >= messages
        await asyncio.sleep(LOOK_S)
    if not node.cancelled():
        node.result()
    return False


async def _until_ready(ready: asyncio.Event, node: asyncio.Task[None], smsc: Child) -> None:
    """Wait until the node of this process has opened its ports. Raises Refusal, or what ended the node."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_TIMEOUT_S):
            while not ready.is_set() and not node.done():
                if smsc.exit_code is not None:
                    raise Refusal(say("{name} ended: {words}", name=say(smsc.name), words=smsc.last_words()))
                await asyncio.wait((node,), timeout=LOOK_S / 10)
    if node.done():
        node.result()
    if not ready.is_set():
        raise Refusal(say("the node is not ready after {seconds} s", seconds=READY_TIMEOUT_S), "passerelle doctor")


def demo_configuration(folder: Path) -> Configuration:
    """The configuration of a demonstration in this folder: free ports, one simulated carrier."""
    carrier = SmppConnector(
        name=DEMO_CONNECTOR,
        kind="smpp",
        address=(Endpoint("127.0.0.1", find_free_port(SMSC_PORT)),),
        system_id="gw",
        password=Secret("gw"),
        binds=2,
        window=50,
    )
    return msgspec.structs.replace(
        default_configuration(folder),
        smpp_server=SmppServer(listen=Endpoint("127.0.0.1", find_free_port(SMPP_PORT))),
        metrics=Metrics(listen=Endpoint("127.0.0.1", find_free_port(METRICS_PORT))),
        connectors=(carrier,),
    )


async def prepare_demo_facts(connection: asyncpg.Connection) -> int:
    """The toy account with credit, its login, its sender name, a route and a rate; what is there stays. Its id."""
    async with connection.transaction():
        await facts.add_account(connection, DEMO, 0, None)
        account = next(each for each in await facts.load_accounts(connection) if each.name == DEMO)
        if account.balance_micros < DEMO_LOW_MICROS:
            await facts.top_up(connection, account.account_id, DEMO_CREDIT_MICROS, "demonstration")
        if all(each.system_id != DEMO for each in await facts.load_esmes(connection)):
            password_hash = hash_password(DEMO_PASSWORD)
            await facts.add_esme(
                connection, facts.NewEsme(DEMO, account.account_id, password_hash, 10, 100, 0, [], "transactional")
            )
        await facts.add_sender_name(connection, account.account_id, DEMO_SENDER, "approved")
        connector_id = await facts.ensure_connector(connection, DEMO_CONNECTOR, "smpp")
        if not await facts.load_routes(connection):
            await facts.add_route(
                connection, facts.NewRoute(100, "*", None, None, None, None, None, [], connector_id, 1)
            )
        if not await facts.list_rates(connection, history=False):
            await facts.replace_rate(connection, None, "*", 1_000_000)
    return account.account_id


def carrier_words(listen: Endpoint, folder: Path) -> list[str]:
    """What the simulated carrier is told: a little latency, receipts after a moment."""
    log = str(folder / "carrier.jsonl")
    return ["simulate", "smsc", "--listen", str(listen), "--log", log, "--latency-ms", "5", "--receipt-delay-ms", "300"]


def client_words(connect: Endpoint, folder: Path, messages: int, rate: float) -> list[str]:
    """What the simulated client is told: to send, and to wait for the receipts."""
    # a seed of this moment: texts and numbers differ from those of the run before
    words = ["simulate", "esme", "--connect", str(connect), "--system-id", DEMO, "--password", DEMO_PASSWORD]
    words += ["--source", DEMO_SENDER, "--rate", str(rate), "--messages", str(messages), "--verify-receipts"]
    return [*words, "--seed", str(int(time.time())), "--log", str(folder / "client.jsonl")]
