"""Tests of reading the audit trail."""
