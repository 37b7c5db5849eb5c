"""Graphs for `langgraph dev` and Studio: each chooses a model and a policy, and compiles."""
