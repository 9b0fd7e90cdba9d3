"""This module keeps users and shares: who may come in, and what was shared with whom until when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from mapapp.core.errors import ConflictError, GoneError, InputError, NotFoundError
from mapapp.core.text import Text
from mapapp.store import secrets, tables
from mapapp.store.session import Session, now

Role = Literal["viewer", "editor", "administrator"]
ROLES: tuple[Role, ...] = ("viewer", "editor", "administrator")
MIN_PASSWORD = 8


@dataclass(frozen=True)
class User:
    """A person who may log in. The password's hash stays in the database."""

    name: str
    role: Role
    unit: str | None
    created_at: str
    disabled: bool


@dataclass(frozen=True)
class Share:
    """Something shared by a link. The token itself is known to its holders alone."""

    id: int
    spec: Mapping[str, Any]
    title: str | None
    recipient: str | None
    created_by: str
    created_at: str
    expires_at: str | None
    has_passcode: bool
    attempts: int
    views: int
    last_viewed_at: str | None
    revoked_at: str | None

    def over(self, moment: datetime | None = None) -> bool:
        """Whether it expired or was revoked at ``moment`` (default: now)."""
        if self.revoked_at is not None:
            return True
        moment = moment or datetime.now(UTC)
        return self.expires_at is not None and _moment(self.expires_at) <= moment


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise InputError(
            Text(f"时间“{text}”没有时区。", f"The time {text!r} has no zone."),
            Text("请写成 2026-12-09T18:00:00+08:00。", "Write it like 2026-12-09T18:00:00+08:00."),
        )
    return moment


class Users:
    """The users of a database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, name: str, password: str, role: Role = "viewer", *, unit: str | None = None) -> User:
        """Add a user.

        Raises
        ------
        InputError
            For a blank name, an unknown role or a password shorter than 8 characters.
        ConflictError
            When the name is taken.
        """
        name = name.strip()
        if not name or len(name) > 60:
            raise InputError(Text("用户名不能为空，且不超过 60 字。", "A user needs a name of at most 60 characters."))
        values = {
            "password_hash": _hashed(password),
            "role": _role(role),
            "unit": unit,
            "created_at": now(),
            "disabled": False,
        }
        with self._session.writing(name, "user") as write:
            if self._row(write.connection, name) is not None:
                raise ConflictError(Text(f"用户“{name}”已存在。", f"There is a user {name!r} already."))
            write.connection.execute(sa.insert(tables.users).values(name=name, **values))
        return self.get(name)

    def get(self, name: str) -> User:
        """Return a user; NotFoundError when there is none."""
        with self._session.reading() as connection:
            row = self._row(connection, name)
        if row is None:
            raise NotFoundError(Text(f"没有用户“{name}”。", f"There is no user {name!r}."))
        return self._user(row)

    def list(self) -> list[User]:
        """Return all users by name."""
        with self._session.reading() as connection:
            rows = connection.execute(sa.select(tables.users).order_by(tables.users.c.name)).all()
        return [self._user(r) for r in rows]

    def update(
        self,
        name: str,
        *,
        password: str | None = None,
        role: Role | None = None,
        unit: str | None = None,
        disabled: bool | None = None,
    ) -> User:
        """Change what is given; NotFoundError when there is no such user."""
        given = {
            "password_hash": _hashed(password) if password is not None else None,
            "role": _role(role) if role is not None else None,
            "unit": unit,
            "disabled": disabled,
        }
        values = {k: v for k, v in given.items() if v is not None}
        self.get(name)
        if values:
            with self._session.writing(name, "user") as write:
                write.connection.execute(sa.update(tables.users).where(tables.users.c.name == name).values(values))
        return self.get(name)

    def remove(self, name: str) -> None:
        """Remove a user; what they did stays in the history. NotFoundError when there is no such user."""
        self.get(name)
        with self._session.writing(name, "user") as write:
            write.connection.execute(sa.delete(tables.users).where(tables.users.c.name == name))

    def verify(self, name: str, password: str) -> User | None:
        """Return the user whose password this is; None for anything else, after the same work."""
        with self._session.reading() as connection:
            row = self._row(connection, name)
        # an unknown name costs a hash too, so that the time taken does not tell which names exist
        stored = row.password_hash if row is not None else _nobody()
        fits = secrets.password_matches(stored, password)
        return self._user(row) if row is not None and fits and not row.disabled else None

    @staticmethod
    def _row(connection: sa.Connection, name: str) -> Any:
        return connection.execute(sa.select(tables.users).where(tables.users.c.name == name)).first()

    @staticmethod
    def _user(row: Any) -> User:
        return User(row.name, row.role, row.unit, row.created_at, bool(row.disabled))


def _nobody() -> str:
    global _NOBODY  # made once, on first use, because it takes some 50 ms
    if _NOBODY is None:
        _NOBODY = secrets.password_hash(secrets.new_token())
    return _NOBODY


_NOBODY: str | None = None


def _role(role: str) -> str:
    if role not in ROLES:
        raise InputError(
            Text(f"没有角色“{role}”。", f"There is no role {role!r}."),
            Text(f"可用：{'、'.join(ROLES)}。", f"Use one of {', '.join(ROLES)}."),
        )
    return role


def _hashed(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise InputError(
            Text(f"口令至少 {MIN_PASSWORD} 个字符。", f"A password needs at least {MIN_PASSWORD} characters.")
        )
    return secrets.password_hash(password)


class Shares:
    """The shares of a database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        spec: Mapping[str, Any],
        *,
        by: str,
        title: str | None = None,
        recipient: str | None = None,
        expires_at: str | None = None,
        passcode: str | None = None,
    ) -> tuple[Share, str]:
        """Make a share and return it with its token, which is not stored and cannot be asked for again.

        Parameters
        ----------
        spec : mapping
            What is shared; anything that JSON holds.
        expires_at : str, optional
            ISO 8601 with zone; the hour is kept. None: never.
        passcode : str, optional
            Stored as an argon2id hash.
        """
        if expires_at is not None:
            try:
                _moment(expires_at)
            except ValueError as error:
                raise InputError(Text(f"“{expires_at}”不是时间。", f"{expires_at!r} is not a time.")) from error
        token = secrets.new_token()
        values = {
            "token_hash": secrets.token_hash(token),
            "spec": json.dumps(spec, ensure_ascii=False),
            "title": title,
            "recipient": recipient,
            "created_by": by,
            "created_at": now(),
            "expires_at": expires_at,
            "passcode_hash": secrets.password_hash(passcode) if passcode else None,
            "attempts": 0,
            "views": 0,
        }
        with self._session.writing(by, "share") as write:
            done = write.connection.execute(sa.insert(tables.shares).values(values))
            assert done.inserted_primary_key is not None
        return self.get(int(done.inserted_primary_key[0])), token

    def get(self, number: int) -> Share:
        """Return a share by number; NotFoundError when there is none."""
        return self._share(self._one(tables.shares.c.id == number))

    def by_token(self, token: str) -> Share:
        """Return the share that a token opens, in whatever state; NotFoundError when no share has it."""
        return self._share(self._one(tables.shares.c.token_hash == secrets.token_hash(token)))

    def open(self, token: str, *, moment: datetime | None = None) -> Share:
        """Return the share that a token opens at ``moment`` (default: now).

        Raises
        ------
        NotFoundError
            When no share has this token.
        GoneError
            When it expired or was revoked.
        """
        share = self.by_token(token)
        if share.over(moment):
            raise GoneError(
                Text("这个分享已结束。", "This share is over."),
                Text("请向发送人要新的链接。", "Ask its sender for a new link."),
            )
        return share

    def list(self) -> list[Share]:
        """Return all shares, newest first."""
        with self._session.reading() as connection:
            rows = connection.execute(sa.select(tables.shares).order_by(tables.shares.c.id.desc())).all()
        return [self._share(r) for r in rows]

    def update(self, number: int, *, by: str, **values: Any) -> Share:
        """Change ``spec``, ``title``, ``recipient`` or ``expires_at``; NotFoundError when there is no such share."""
        unknown = set(values) - {"spec", "title", "recipient", "expires_at"}
        if unknown:
            raise TypeError(f"a share has no {sorted(unknown)}")
        if "spec" in values:
            values["spec"] = json.dumps(values["spec"], ensure_ascii=False)
        self.get(number)
        self._set(number, by, values)
        return self.get(number)

    def revoke(self, number: int, *, by: str) -> Share:
        """End a share at once; the first revocation counts. NotFoundError when there is no such share."""
        if self.get(number).revoked_at is None:
            self._set(number, by, {"revoked_at": now()})
        return self.get(number)

    def count_view(self, number: int) -> None:
        """Count one view."""
        views = tables.shares.c.views
        self._set(number, "share", {"views": views + 1, "last_viewed_at": now()})

    def check_passcode(self, number: int, passcode: str) -> bool:
        """Whether the pass code fits. Each wrong one in a row is counted in ``attempts`` before the answer.

        How long a guesser has to wait is decided by who asks: a count that shut the share for good would let anybody
        who holds the link shut it for its recipient.
        """
        row = self._one(tables.shares.c.id == number)
        if row.passcode_hash is None:
            return True
        # counted first and given back when right: many guesses at once cannot outrun the count
        self._set(number, "share", {"attempts": tables.shares.c.attempts + 1})
        if not secrets.password_matches(row.passcode_hash, passcode):
            return False
        self._set(number, "share", {"attempts": 0})
        return True

    def _set(self, number: int, by: str, values: Mapping[str, Any]) -> None:
        if values:
            with self._session.writing(by, "share") as write:
                write.connection.execute(sa.update(tables.shares).where(tables.shares.c.id == number).values(**values))

    def _one(self, condition: sa.ColumnElement[bool]) -> Any:
        with self._session.reading() as connection:
            row = connection.execute(sa.select(tables.shares).where(condition)).first()
        if row is None:
            raise NotFoundError(Text("没有这个分享。", "There is no such share."))
        return row

    @staticmethod
    def _share(row: Any) -> Share:
        return Share(
            row.id,
            json.loads(row.spec),
            row.title,
            row.recipient,
            row.created_by,
            row.created_at,
            row.expires_at,
            row.passcode_hash is not None,
            row.attempts,
            row.views,
            row.last_viewed_at,
            row.revoked_at,
        )
