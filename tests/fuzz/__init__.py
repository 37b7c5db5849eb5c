"""What holds for any text, and a search for texts for which it does not."""
