"""This module sends files that the services made."""

from __future__ import annotations

import io

from flask import Response, send_file

from mapapp.services.download import File


def file(made: File, *, download: bool = True) -> Response:
    """Send a file, to be kept; without ``download`` to be shown."""
    return send_file(io.BytesIO(made.body), mimetype=made.mimetype, as_attachment=download, download_name=made.name)
