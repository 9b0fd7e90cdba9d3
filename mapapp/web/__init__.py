"""This module is the web door: Flask is imported in this package alone."""

from mapapp.web.app import create_app

__all__ = ["create_app"]
