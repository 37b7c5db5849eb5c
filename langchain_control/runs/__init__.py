"""What the steps are made of: the state of a run, one call, one attempt, and how it ends."""
