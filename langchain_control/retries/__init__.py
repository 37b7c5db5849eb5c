"""What to do after a failed attempt: the remedies, their corrections, and what bounds them."""
