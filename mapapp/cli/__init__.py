"""This module is the command line: each command parses its options, calls one service, prints the answer.

Answers go to stdout, progress and errors to stderr. Exit codes: 0 done; 2 the input or the request is wrong (one clear
message, nothing written); 1 our fault. Rooms are imported inside the commands, so that ``mapapp --help`` is quick.
"""

from mapapp.cli import access, county, output, serving
from mapapp.cli.group import main
from mapapp.cli.terminal import language

__all__ = ["access", "county", "language", "main", "output", "serving"]
