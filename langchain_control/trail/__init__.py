"""Reading an audit trail: figures, and the story of one request."""

from langchain_control.trail.file import FileTrail
from langchain_control.trail.reports import AuditReports
from langchain_control.trail.summary import AuditSummary

__all__ = ["AuditReports", "AuditSummary", "FileTrail"]
