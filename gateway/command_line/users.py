"""`passerelle user` and `passerelle audit`: who may sign in to the console, and whether its log was changed.

What belongs here: making the first superadmin, helping who lost a password or a second factor; the check of the chain.
What must not enter: what roles may do (admin_api/roles.py), SQL, a password in clear beyond its hashing.
"""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Any, Final

import asyncpg
import typer

from gateway.command_line.accounts import hash_password, read_password
from gateway.command_line.finding import find_account, find_open_account
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, show_json, show_rows
from gateway.command_line.refusals import Refusal, unknown
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import users as rows
from gateway.storage.audit import ChainFault, Checked, asked_by_command, check_chain, record

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")  # schema: users.name
SHORTEST_PASSWORD: Final = 12  # as the API asks (admin_api/models_operators.py)
GIVEN_OCTETS: Final = 12  # chosen: 96 bits, sixteen characters, for one login
MOST_USERS: Final = 10_000  # chosen: rows of one list
HEAD: Final = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")

users = typer.Typer(help="Who signs in to the console.", no_args_is_help=True)
audit = typer.Typer(help="What operators changed.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Name of the user.")]
RoleOption = Annotated[str, typer.Option("--role", help="superadmin, operator, finance, reseller, support, read_only.")]
NewRoleOption = Annotated[
    str | None, typer.Option("--role", help="superadmin, operator, finance, reseller, support, read_only.")
]
ResellerOption = Annotated[str | None, typer.Option("--account", help="A reseller's account; he sees those below it.")]
EmailOption = Annotated[str | None, typer.Option("--email", help="Where he is told of things.")]
PhoneOption = Annotated[str | None, typer.Option("--phone", help="His phone number, with + and country code.")]
LanguageOption = Annotated[str | None, typer.Option("--language", help="Language he is spoken to in: fr or en.")]
StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin; else one is made.")]


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="A new name, in small letters.")],
    role: RoleOption,
    account: ResellerOption = None,
    email: EmailOption = None,
    phone: PhoneOption = None,
    spoken: LanguageOption = None,
    password_stdin: StdinOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Make a user; he must change the password at his first login."""
    if not NAME.fullmatch(name):
        raise Refusal(
            say("{name} cannot be the name of a user", name=repr(name)),
            say("write 2 to 64 of: small letters, digits, . _ @ -"),
        )
    _check(role, account, spoken)
    password = _password(password_stdin)
    contacts = {"email": email or "", "phone": phone or "", "language": spoken or "fr"}
    password_hash = hash_password(password)

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        account_id = None if account is None else (await find_open_account(connection, account)).account_id
        new = rows.NewUser(name=name, role=role, account_id=account_id, password_hash=password_hash, **contacts)
        async with connection.transaction():
            user_id = await rows.add_user(connection, new)
            if user_id is None:
                raise Refusal(say("user {name} exists already", name=name), "passerelle user list")
            await _record(connection, "user.added", await _load(connection, name))

    with_database(config, work)
    _show_password(name, password, password_stdin, as_json)


@users.command("list")
def list_users(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show who may sign in."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[dict[str, Any]]:
        found = await rows.list_users(connection, "", MOST_USERS)
        return [
            rows.audited_user(each)
            | {"email": each.email or None, "phone": each.phone or None, "second_factor": each.has_totp}
            for each in found
        ]

    columns = ("name", "role", "account_id", "email", "phone", "language", "state", "second_factor")
    show_rows(with_database(config, work), columns, as_json)


@users.command("set")
def set_user(
    name: NameArgument,
    role: NewRoleOption = None,
    account: ResellerOption = None,
    email: EmailOption = None,
    phone: PhoneOption = None,
    spoken: LanguageOption = None,
    no_second_factor: Annotated[
        bool, typer.Option("--no-second-factor", help="His phone is lost: he enrols another.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Change a user; what is not named stays."""
    _check(role, account if role is not None else None, spoken)
    given: dict[str, Any] = {"role": role, "email": email, "phone": phone, "language": spoken}
    given = {key: value for key, value in given.items() if value is not None}
    if not given and account is None and not no_second_factor:
        raise Refusal(say("nothing to change was named"), "passerelle user set --help")

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        more = {} if account is None else {"account_id": (await find_account(connection, account)).account_id}
        async with connection.transaction():
            await _change(connection, name, given | more)
            if no_second_factor:
                user = await _load(connection, name)
                await rows.remove_totp(connection, user.user_id)
                await rows.end_sessions(connection, user.user_id)
                await _record(connection, "user.removed_second_factor", user)

    with_database(config, work)
    changed = [*given, *(["account"] if account else []), *(["second_factor"] if no_second_factor else [])]
    answer(as_json, "user {name} is changed: {changed}", name=name, changed=sorted(changed))


@users.command("suspend")
def suspend_user(
    name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Sign a user out everywhere and let him in no more."""
    _move(name, "suspended", config)
    answer(as_json, "user {name} is suspended", name=name, state="suspended")


@users.command("resume")
def resume_user(
    name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Let a suspended user in again."""
    _move(name, "active", config)
    answer(as_json, "user {name} may sign in again", name=name, state="active")


@users.command("reset-password")
def reset_password(
    name: NameArgument,
    password_stdin: StdinOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give a user a new password, to be changed at his next login."""
    password = _password(password_stdin)
    password_hash = hash_password(password)

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        async with connection.transaction():
            user = await _load(connection, name)
            await rows.set_password(connection, user.user_id, password_hash, must_change=True)
            await rows.end_sessions(connection, user.user_id)
            await _record(connection, "user.reset_password", user)

    with_database(config, work)
    _show_password(name, password, password_stdin, as_json)


@audit.command("verify")
def verify_audit(
    noted: Annotated[
        list[str] | None, typer.Option("--noted", help="NUMBER:MAC, as a former check wrote it; several times.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Find rows of the audit log that were changed, removed or put elsewhere."""
    heads = dict(_parse_head(each) for each in noted or [])

    async def work(connection: asyncpg.Connection, _: Configuration) -> Checked:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await check_chain(connection, heads)

    found = with_database(config, work)
    head = f"{found.seq}:{found.mac}" if found.rows else "-"
    if found.faults:
        told = "\n".join(_say_fault(fault) for fault in found.faults)
        raise Refusal(told, say("compare with a backup, and find out who may write to the database"))
    answer(
        as_json,
        "{rows} rows, none changed, removed or put elsewhere; note the newest: {head}",
        rows=found.rows,
        head=head,
    )


# ---------------------------------------------------------------- what they share


def _parse_head(text: str) -> tuple[int, str]:
    found = HEAD.fullmatch(text)
    if found is None:
        raise Refusal(say("{text} is no NUMBER:MAC", text=repr(text)), say("write it as passerelle audit verify did"))
    return int(found[1]), found[2]


def _say_fault(fault: ChainFault) -> str:
    if fault.kind == "removed":
        last = fault.seq + fault.count - 1
        return say("audit log: rows {first} to {last} are missing", first=fault.seq, last=last)
    if fault.kind == "head":
        return say("audit log: the head of the chain does not fit its newest row {seq}", seq=fault.seq)
    return say("audit log: row {seq} was changed or put elsewhere", seq=fault.seq)


def _check(role: str | None, account: str | None, spoken: str | None) -> None:
    if role is not None and role not in rows.ROLES:
        raise Refusal(
            say("role {name} is unknown", name=role), say("write one of {names}", names=", ".join(rows.ROLES))
        )
    if role is not None and (role == "reseller") != (account is not None):
        raise Refusal(say("a reseller has an account, and nobody else"), say("write --role reseller --account NAME"))
    if spoken not in (None, "fr", "en"):
        raise Refusal(say("language {name} is unknown", name=spoken), say("write one of {names}", names="fr, en"))


def _password(from_stdin: bool) -> str:
    if not from_stdin:
        return secrets.token_urlsafe(GIVEN_OCTETS)
    password = read_password(from_stdin)
    if len(password) < SHORTEST_PASSWORD:
        raise Refusal(
            say("the password is too short"), say("write at least {count} characters", count=SHORTEST_PASSWORD)
        )
    return password


def _show_password(name: str, password: str, was_given: bool, as_json: bool) -> None:
    if was_given:
        answer(as_json, "user {name} signs in with it once, and then chooses another", name=name)
    elif as_json:
        show_json({"name": name, "password": password})
    else:
        typer.echo(password)
        typer.echo(
            say("it is shown this once; user {name} signs in with it, and then chooses another", name=name), err=True
        )


async def _load(connection: asyncpg.Connection, name: str) -> rows.UserRow:
    user_id = await rows.user_id_of_name(connection, name)
    user = None if user_id is None else await rows.load_user(connection, user_id)
    if user is None:
        known = [each.name for each in await rows.list_users(connection, "", MOST_USERS)]
        raise unknown(say("user {name} is unknown", name=name), name, known, "passerelle user add NAME --role ROLE")
    return user


def _move(name: str, state: str, config: ConfigOption) -> None:
    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        async with connection.transaction():
            await _change(connection, name, {"state": state})

    with_database(config, work)


async def _change(connection: asyncpg.Connection, name: str, given: dict[str, Any]) -> None:
    """Inside a transaction. Raises Refusal."""
    superadmins = await rows.active_superadmins(connection)
    user = await _load(connection, name)
    changed = rows.changed_user(user, given)
    if (changed.role == "reseller") != (changed.account_id is not None):
        raise Refusal(say("a reseller has an account, and nobody else"), say("write --role reseller --account NAME"))
    if not rows.keeps_a_superadmin(superadmins, changed):
        raise Refusal(
            say("user {name} is the last superadmin who is active", name=name), say("make another one superadmin first")
        )
    if changed == user:
        return
    await rows.change_user(connection, changed)
    if changed.state == "suspended":
        await rows.end_sessions(connection, user.user_id)
    await _record(connection, "user.changed", changed, user)


async def _record(
    connection: asyncpg.Connection, action: str, user: rows.UserRow, former: rows.UserRow | None = None
) -> None:
    told = rows.audited_user(user) if action in ("user.added", "user.changed") else None
    before = None if former is None else rows.audited_user(former)
    asked = asked_by_command()
    await record(connection, asked, action=action, subject=f"user:{user.user_id}", before=before, after=told)
