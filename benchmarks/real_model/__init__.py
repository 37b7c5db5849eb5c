"""A real language model, called as it is, under control, and through other libraries."""
