"""What LangChain and instructor offer for the same: each as its documentation shows it."""

from __future__ import annotations

import logging
from typing import Any, Literal

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import convert_to_openai_messages
from langchain_core.output_parsers import PydanticOutputParser
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable
from pydantic import BaseModel, ValidationError

from benchmarks.real_model.desk import ATTEMPTS, MAX_TOKENS, TEMPERATURE, Desk, render
from langchain_control.demo.contest import Answer, Contestant

__all__ = [
    "instructor_in",
    "parser_with_retry",
    "retry_with_error",
    "structured",
    "structured_once",
]


def structured_once(desk: Desk) -> Contestant:
    """Use the server's schema mode through LangChain, and ask once."""
    return _given_by(desk.model.with_structured_output(desk.task.contract, method="json_schema"))


def structured(
    desk: Desk, method: Literal["json_schema", "function_calling", "json_mode"]
) -> Contestant:
    """Use `with_structured_output`, and ask again if it raises."""
    chain = desk.model.with_structured_output(desk.task.contract, method=method)
    return _given_by(chain.with_retry(stop_after_attempt=ATTEMPTS, wait_exponential_jitter=False))


def parser_with_retry(desk: Desk) -> Contestant:
    """Parse what comes, and ask the same again if that fails."""
    chain = desk.model | PydanticOutputParser(pydantic_object=desk.task.contract)
    return _given_by(chain.with_retry(stop_after_attempt=ATTEMPTS, wait_exponential_jitter=False))


def retry_with_error(desk: Desk) -> Contestant:
    """Let LangChain's classic parser show the model its answer and the error."""
    from langchain_classic.output_parsers import RetryWithErrorOutputParser  # noqa: PLC0415  (optional)

    parser = RetryWithErrorOutputParser.from_llm(
        llm=desk.model,
        parser=PydanticOutputParser(pydantic_object=desk.task.contract),
        max_retries=ATTEMPTS - 1,
    )

    async def ask(question: str) -> Answer | None:
        messages = render(question)
        completion = await desk.model.ainvoke(messages)
        try:
            parsed = await parser.aparse_with_prompt(
                completion.text, ChatPromptValue(messages=messages)
            )
        except OutputParserException:
            return None
        return _answer(parsed)

    return ask


def instructor_in(desk: Desk, mode: str) -> Contestant:
    """Use instructor, which shows the model its answer and the error."""
    import instructor  # noqa: PLC0415  (optional)
    from instructor.core.exceptions import InstructorError  # noqa: PLC0415  (optional)

    logging.getLogger("instructor").setLevel(logging.CRITICAL)  # it reports each lost answer
    client = instructor.from_openai(desk.model.root_async_client, mode=instructor.Mode[mode])

    async def ask(question: str) -> Answer | None:
        try:
            parsed = await client.chat.completions.create(
                response_model=desk.task.contract,
                max_retries=ATTEMPTS - 1,  # after the first call
                messages=convert_to_openai_messages(render(question)),
                model=desk.model.model_name,
                temperature=TEMPERATURE,
                max_completion_tokens=MAX_TOKENS,
            )
        except (InstructorError, ValidationError):
            return None
        return _answer(parsed)

    return ask


def _given_by(chain: Runnable[Any, Any]) -> Contestant:
    async def ask(question: str) -> Answer | None:
        try:
            return _answer(await chain.ainvoke(render(question)))
        except ValueError:  # of a parser, of pydantic, and LangChain's for an empty answer
            return None

    return ask


def _answer(parsed: BaseModel | None) -> Answer | None:
    return None if parsed is None else Answer(parsed.model_dump())
