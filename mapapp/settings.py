"""This module reads the settings of one run, once, at a door, into a frozen value that is handed down."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from mapapp.core.errors import InputError
from mapapp.core.text import LANGS, Lang, Text

BaseMap = Literal["none", "xyz", "tianditu"]
TIANDITU_KINDS = ("vec", "img", "ter", "cva", "cia")


@dataclass(frozen=True, slots=True)
class Settings:
    """How one county is served.

    Parameters
    ----------
    database : str
        A GeoPackage path or a ``postgresql://`` URL.
    host, port
        Where the server listens. On a loopback address nobody has to log in; see `local`.
    workers : int
        Server processes sharing one socket.
    threads : int
        Threads in each of them.
    secret_key : str, optional
        Signs sessions. Made and kept beside the database when absent.
    public_url : str, optional
        The address that links and QR codes carry, such as ``https://map.county.example``; where absent, the address
        that the request came in by.
    hosts : tuple of str
        Host names that requests may name besides those of the listening address. Guards against DNS rebinding.
    tiles_folder : Path, optional
        Where tile caches lie; ``<database>.tiles`` for a file.
    basemap : str
        ``none`` (default), ``tianditu`` (through our proxy, the token stays here) or the same-origin path template of an
        own tile server.
    basemap_url : str
        Upstream template for ``xyz``, with ``{z}``, ``{x}``, ``{y}``.
    tianditu_token : str
        Never leaves the server and is never printed.
    upload_mb : int
        Largest upload in megabytes.
    language : {"zh", "en"}
        The language where the browser asks for neither.
    behind_https : bool
        Whether people reach us by https (a proxy in front): cookies are then marked Secure and HSTS is sent.
    """

    database: str
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    threads: int = 4
    secret_key: str = field(default="", repr=False)
    public_url: str = ""
    hosts: tuple[str, ...] = ()
    tiles_folder: Path | None = None
    basemap: BaseMap = "none"
    basemap_url: str = ""
    tianditu_token: str = field(default="", repr=False)
    upload_mb: int = 200
    language: Lang = "zh"
    behind_https: bool = False
    login_on_loopback: bool = False

    def __post_init__(self) -> None:
        problems = [
            (not self.database, "database", Text("没有给出数据库。", "No database is given.")),
            (not 0 <= self.port <= 65535, "port", Text(f"端口 {self.port} 无效。", f"Port {self.port} is not valid.")),
            (self.workers < 1, "workers", Text("至少要 1 个进程。", "At least 1 worker is needed.")),
            (self.threads < 1, "threads", Text("至少要 1 个线程。", "At least 1 thread is needed.")),
            (self.upload_mb < 1, "upload_mb", Text("上传上限至少 1 MB。", "The upload limit is at least 1 MB.")),
            (self.language not in LANGS, "language", Text("语言只能是 zh 或 en。", "The language is zh or en.")),
            (
                self.basemap not in ("none", "xyz", "tianditu"),
                "basemap",
                Text(f"底图“{self.basemap}”未知。", f"Base map {self.basemap!r} is unknown: none, xyz or tianditu."),
            ),
            (
                self.basemap == "tianditu" and not re.fullmatch(r"[0-9A-Za-z]{8,64}", self.tianditu_token),
                "tianditu_token",
                Text("使用天地图需要密钥 MAPAPP_TIANDITU_TOKEN。", "Tianditu needs the key MAPAPP_TIANDITU_TOKEN."),
            ),
            (
                self.basemap == "xyz" and not _is_template(self.basemap_url),
                "basemap_url",
                Text(
                    "底图地址须是带 {z}{x}{y} 的 http(s) 地址。",
                    "The base map's address is an http(s) one with {z}, {x} and {y}.",
                ),
            ),
            (
                bool(self.public_url) and not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", self.public_url),
                "public_url",
                Text("对外地址须以 http:// 或 https:// 开头。", "The public address starts with http:// or https://."),
            ),
        ]
        for bad, where, saw in problems:
            if bad:
                raise InputError(saw, where=where)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the listening address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def local(self) -> bool:
        """Whether everybody who can reach us is the person at this machine, who then needs no login."""
        return self.loopback and not self.login_on_loopback and not self.public_url

    @property
    def allowed_hosts(self) -> frozenset[str] | None:
        """Host names a request may carry, without port; None for any (a wildcard address and no list)."""
        named = {h.lower() for h in self.hosts}
        if self.public_url:
            named.add((urlsplit(self.public_url).hostname or "").lower())
        if self.loopback:
            return frozenset(named | {"localhost", "127.0.0.1", "::1", self.host.strip("[]").lower()})
        return frozenset(named | {"localhost", "127.0.0.1", self.host.lower()}) if named else None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], **given: object) -> Settings:
        """Return the settings of ``MAPAPP_…`` variables, overlaid with what was ``given`` on the command line.

        Raises
        ------
        InputError
            When a value cannot be used; the message names the variable, the value and what is wanted.
        """
        kinds: Mapping[str, type] = {
            "secret_key": str, "public_url": str, "hosts": tuple, "tiles_folder": Path, "basemap": str,
            "basemap_url": str, "tianditu_token": str, "upload_mb": int, "threads": int, "language": str,
            "behind_https": bool, "login_on_loopback": bool,
        }  # fmt: skip
        values: dict[str, object] = {}
        for name, kind in kinds.items():
            raw = environ.get(f"MAPAPP_{name.upper()}", "").strip()
            if raw:
                values[name] = _parse(f"MAPAPP_{name.upper()}", raw, kind)
        return cls(**{**values, **given})  # type: ignore[arg-type]  # each value was parsed to its field's type


def _is_template(url: str) -> bool:
    return bool(re.match(r"https?://", url)) and all(f"{{{part}}}" in url for part in "zxy")


def _parse(name: str, raw: str, kind: type) -> object:
    if kind is tuple:
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if kind is bool:
        if raw.lower() in ("1", "true", "yes", "on", "0", "false", "no", "off"):
            return raw.lower() in ("1", "true", "yes", "on")
        raise InputError(Text(f"“{raw}”不是 1 或 0。", f"{raw!r} is neither 1 nor 0."), where=name)
    if kind is int:
        if not re.fullmatch(r"\d{1,9}", raw):
            raise InputError(Text(f"“{raw}”不是整数。", f"{raw!r} is not a whole number."), where=name)
        return int(raw)
    return kind(raw)
