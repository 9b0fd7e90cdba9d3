"""This module sends files that the services made."""

from __future__ import annotations

import io

from flask import Response, send_file

from mapapp.services.download import File


def file(made: File) -> Response:
    """Send a file, to be kept under its name."""
    return send_file(io.BytesIO(made.body), mimetype=made.mimetype, as_attachment=True, download_name=made.name)
