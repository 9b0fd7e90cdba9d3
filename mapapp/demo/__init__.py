"""This module offers the demo county: a generated county seat with a renovation programme, sewers and every kind of gap."""

from mapapp.demo.county import County, county

__all__ = ["County", "county"]
