"""The picture of a control graph."""

from __future__ import annotations

import re
from typing import Any

from langchain_core.runnables.graph import Graph

__all__ = ["Drawing"]


class Drawing(Graph):
    """Nodes and edges that Mermaid can draw: `call` begins a callback in its language."""

    def draw_mermaid(self, **style: Any) -> str:
        """Write the picture in Mermaid, with the name `call` and another id. See `Graph`."""
        return _CALL.sub("call_", super().draw_mermaid(**style))


_CALL = re.compile(r"(?<=\t)call(?=[ (])|(?<=> )call(?=;)")
"""The id where the node is made, and at both ends of an edge."""
