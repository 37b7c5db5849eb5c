"""Fine-tune a small transformer for tier 3 of the guard: `python -m benchmarks.train_semantic`."""
