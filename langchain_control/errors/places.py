"""What the place where an exception was raised says of it.

Integrations and clients tell what they cannot read by plain built-in exceptions, which say nothing
by themselves.
"""

from __future__ import annotations

from itertools import takewhile
from traceback import walk_tb
from typing import NamedTuple

from langchain_control.errors.codes import told_in
from langchain_control.errors.names import known_as
from langchain_control.outcomes import FailureMode

__all__ = ["by_place"]


class _Place(NamedTuple):
    module: str
    function: str

    @property
    def package(self) -> str:
        """The top-level package."""
        return self.module.split(".")[0]

    @property
    def is_of_langchain(self) -> bool:
        """Whether it is in LangChain, in an integration, or in what they make messages with."""
        package = self.package
        is_integration = package.startswith("langchain_") and package != "langchain_control"
        return is_integration or package in ("ollama", "pydantic")


_READERS = frozenset(
    {
        "_construct_lc_result_from_responses_api",
        "_convert_chunk_to_generation_chunk",
        "_convert_chunk_to_message_chunk",
        "_convert_responses_chunk_to_generation_chunk",
        "_create_chat_result",
        "_extract_content_and_thinking",
        "_format_output",
        "_get_generation_info_v2",
        "_get_stream_info_v2",
        "_make_message_chunk_from_anthropic_event",
        "_parse_response",
        "_parse_stream_event",
        "_response_to_result",
    }
)
"""Functions in which LangChain's integrations make a message of a response.

What they cannot read (a proxy's page, an error with status 200, a choice without a message) they
tell by plain built-in exceptions, their own or those of whatever they call.
"""

_SDK_READERS = frozenset({_Place("ollama._client", "_request"), _Place("ollama._client", "inner")})
"""Functions that do so in an SDK."""

_DECODERS = frozenset(
    {
        _Place("aiohttp.client_reqrep", "json"),
        _Place("httpx._models", "json"),
        _Place("openai._streaming", "_decode_lines"),
        _Place("openai._streaming", "aiter_bytes"),
        _Place("openai._streaming", "iter_bytes"),
        _Place("openai._streaming", "json"),
        _Place("requests.models", "json"),
    }
)
"""Functions in which clients read bytes as JSON: not all of them are text, and not all text has an
end to its brackets or numbers that Python takes."""

_CHAT_MODELS = "langchain_core.language_models.chat_models"

_MISSES: dict[_Place, type[Exception]] = {
    _Place(_CHAT_MODELS, "invoke"): LookupError,
    _Place(_CHAT_MODELS, "ainvoke"): LookupError,
    _Place(_CHAT_MODELS, "stream"): ValueError,
    _Place(_CHAT_MODELS, "astream"): ValueError,
    _Place(_CHAT_MODELS, "generate_from_stream"): ValueError,
    _Place("botocore.parsers", "_parse_payload"): TypeError,
    _Place("huggingface_hub.inference._generated.types.base", "parse_obj"): ValueError,
    _Place("langchain_fireworks.chat_models", "_raise_empty_stream"): Exception,
    _Place("langchain_ollama.chat_models", "_chat_stream_with_aggregation"): ValueError,
    _Place("langchain_ollama.chat_models", "_achat_stream_with_aggregation"): ValueError,
}
"""Functions that miss an answer, and what they raise then. What they call may fail of mistakes."""

_PARSERS = frozenset(
    {
        _Place("langchain_core.output_parsers.openai_functions", "parse_result"),
        _Place("langchain_core.output_parsers.openai_tools", "parse_result"),
        _Place("openai._compat", "model_parse_json"),
    }
)
"""Functions that make pydantic's objects of answers, and let its `ValidationError` out.

LangChain's other parsers raise `OutputParserException` in its place.
"""


def by_place(exc: BaseException) -> FailureMode | None:
    """Say what an exception means by the functions it came through, from the innermost."""
    outwards = [
        _Place(str(frame.f_globals.get("__name__", "")), frame.f_code.co_name)
        for frame, _ in walk_tb(exc.__traceback__)
    ][::-1]
    is_missed = isinstance(exc, tuple(_MISSES[p] for p in outwards[:1] if p in _MISSES))
    is_plain = isinstance(
        exc, AttributeError | LookupError | RecursionError | TypeError | ValueError
    )
    if not is_missed and not is_plain:
        return None
    if _is_undecodable(exc, outwards):
        return FailureMode.MODEL_ERROR
    maker = next((place for place in outwards if place.package != "pydantic"), None)
    if maker in _PARSERS and isinstance(exc, ValueError):
        return FailureMode.SCHEMA_VIOLATION
    within = takewhile(lambda place: place.is_of_langchain, outwards)  # not in anybody's own code
    is_unreadable = any(p.function in _READERS or p in _SDK_READERS for p in within)
    if not is_missed and not is_unreadable:
        return None
    return told_in(exc) or FailureMode.MODEL_ERROR


def _is_undecodable(exc: BaseException, outwards: list[_Place]) -> bool:
    client = next((place for place in outwards if place.package != "json"), None)
    if client is None or not isinstance(exc, RecursionError | ValueError):
        return False
    return client._replace(module=known_as(client.module)) in _DECODERS
