"""This module offers the demo county: a generated county seat, its renovation programme, its sewers and their gaps."""

from mapapp.demo.assembly import County, county
from mapapp.demo.delivery import files
from mapapp.demo.past import past
from mapapp.demo.pictures import draw as picture
from mapapp.demo.story import Month, Story, month_files, months

__all__ = ["County", "Month", "Story", "county", "files", "month_files", "months", "past", "picture"]
