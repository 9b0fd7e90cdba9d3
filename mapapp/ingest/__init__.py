"""This module is the room that reads what planners really have into the columns of our layers.

`read` opens a foreign file and returns a `Reading`: rows in our columns and one metric CRS, how each column was
recognised, what was not used, what was changed, and where each value came from. Nothing is guessed in silence.
"""

from mapapp.ingest.columns import load_mapping, save_mapping
from mapapp.ingest.names import match_names
from mapapp.ingest.reading import read
from mapapp.ingest.result import Match, Note, Reading

__all__ = ["Match", "Note", "Reading", "load_mapping", "match_names", "read", "save_mapping"]
