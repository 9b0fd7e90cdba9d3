"""This package audits a county: what does not join, what drains to no plant, which compounds have no working sewer."""

from mapapp.audit.engine import AuditResult, run
from mapapp.audit.settings import AuditSettings

__all__ = ["AuditResult", "AuditSettings", "run"]
