"""What is known about the model that is called, and the ways to call it another way."""
