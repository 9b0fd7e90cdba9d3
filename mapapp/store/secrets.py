"""This module makes and checks secrets: passwords, pass codes, share tokens. Only hashes are ever stored."""

from __future__ import annotations

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

_TOKEN_BYTES = 24  # 192 random bits


def new_token() -> str:
    """Return a fresh share token of 192 random bits that fits in an address."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> str:
    """Return what is stored of a token: its SHA-256, which is enough for something that nobody can guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def password_hash(password: str) -> str:
    """Return the argon2id hash of a password or pass code, salt and cost included."""
    return PasswordHasher().hash(password)


def password_matches(stored: str | None, password: str) -> bool:
    """Whether a password or pass code fits; False for a hash that is missing or damaged."""
    try:
        return stored is not None and PasswordHasher().verify(stored, password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
