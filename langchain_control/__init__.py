"""A control layer around LLM calls for LangChain and LangGraph."""
