"""Stores, judged by contract."""
