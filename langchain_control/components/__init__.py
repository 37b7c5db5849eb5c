"""The components, one Runnable per file."""
