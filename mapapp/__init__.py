"""mapapp: the map for renovating old residential compounds and linking them to the sewer."""

__version__ = "0.1.0"
