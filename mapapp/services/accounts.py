"""This module keeps accounts: who may log in with which role, and the log-in itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from mapapp.core.errors import ForbiddenError, InputError, NotFoundError
from mapapp.core.text import Text
from mapapp.services import attempts
from mapapp.services.scope import ROLES, Role

if TYPE_CHECKING:
    from mapapp.store import Database

SHORTEST_PASSWORD: Final = 10
_nobodies = attempts.Notepad()


class WrongError(ForbiddenError):
    """The name or the password is wrong; which one is not said."""


class LockedError(ForbiddenError):
    """Too many wrong passwords or pass codes; the message says how long to wait."""

    def __init__(self, left: timedelta) -> None:
        minutes = max(1, round(left.total_seconds() / 60))
        super().__init__(
            Text(f"尝试次数过多，请 {minutes} 分钟后再试。", f"Too many attempts; try again in {minutes} min.")
        )


@dataclass(frozen=True, slots=True)
class Account:
    """A user as the rest of the house knows them.

    Parameters
    ----------
    name, role, unit : str
    mark : str
        Changes with the password and when the account is made anew; sessions that carry an older one are over.
    """

    name: str
    role: Role
    unit: str | None
    mark: str


def find(db: Database, name: str) -> Account | None:
    """Return an account that may log in; None when there is none or it was disabled."""
    try:
        user = db.users.get(name)
    except NotFoundError:
        return None
    if user.disabled:
        return None
    epoch = db.setting(_epoch(name)) or ""
    mark = hashlib.sha256(f"{user.name}|{user.created_at}|{epoch}".encode()).hexdigest()[:16]
    return Account(user.name, user.role, user.unit, mark)


def _epoch(name: str) -> str:
    return f"password_epoch.{name}"


def log_in(db: Database, name: str, password: str) -> Account:
    """Return the account whose password this is.

    Raises
    ------
    WrongError
        With one message for an unknown name, a wrong password and a disabled account, after the same work.
    LockedError
        After five wrong passwords for one name, with the time to wait; a right one does not help before.
    """
    name = name.strip()
    what = f"user:{name}"
    # names that nobody has are not written down, and wait like the others: a wait would tell that there is such a user
    book: attempts.Book = db if find(db, name) is not None else _nobodies
    if (left := attempts.claim(book, what)) is not None:
        raise LockedError(left)
    if db.users.verify(name, password) is None:
        raise WrongError(Text("用户名或密码不对。", "The name or the password is wrong."))
    attempts.right(db, what)
    account = find(db, name)
    assert account is not None  # verify() returns users that may log in
    return account


def add(db: Database, *, name: str, password: str, role: str, unit: str | None = None) -> Account:
    """Add a user.

    Raises
    ------
    InputError
        For a blank name, a role that does not exist or a password shorter than ten characters.
    ConflictError
        When the name is taken.
    """
    name = name.strip()
    _check(password)
    db.users.add(name, password, _role(role), unit=unit or None)
    account = find(db, name)
    assert account is not None  # it was just made
    return account


def _role(role: str) -> Role:
    for known in ROLES:
        if role == known:
            return known
    raise InputError(
        Text(f"没有角色“{role}”。", f"There is no role {role!r}."),
        Text("可用：viewer、editor、administrator。", "Use viewer, editor or administrator."),
        where="role",
    )


def _check(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise InputError(
            Text(f"密码至少 {SHORTEST_PASSWORD} 位。", f"A password has at least {SHORTEST_PASSWORD} characters."),
            where="password",
        )


def listed(db: Database) -> list[dict[str, object]]:
    """Return all users by name: name, role, unit, disabled. Never a hash."""
    return [{"name": u.name, "role": u.role, "unit": u.unit, "disabled": u.disabled} for u in db.users.list()]


def set_password(db: Database, name: str, password: str) -> None:
    """Change a password and end the user's sessions.

    Raises
    ------
    InputError, NotFoundError
    """
    _check(password)
    db.users.update(name, password=password)
    db.set_setting(_epoch(name), datetime.now(UTC).isoformat())
    attempts.right(db, f"user:{name}")


def remove(db: Database, name: str, *, by: str) -> None:
    """Remove a user; nobody removes themselves, and one administrator stays.

    Raises
    ------
    NotFoundError, InputError
    """
    users = db.users.list()
    user = db.users.get(name)
    others = [u for u in users if u.role == "administrator" and u.name != name and not u.disabled]
    if name == by or (user.role == "administrator" and not others):
        raise InputError(
            Text("不能移除自己或最后一位管理员。", "You cannot remove yourself or the last administrator."),
            where="name",
        )
    db.users.remove(name)
