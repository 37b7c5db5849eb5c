"""A control layer around LLM calls for LangChain and LangGraph.

Whatever the model or its provider does, the application gets an answer that meets its contract, or
a named failure, within limits on attempts, time, tokens and cost that it sets, and can prove
afterwards what happened.

Names are loaded when they are first used, so that importing the package costs next to nothing and a
component can be used without langgraph.
"""

from importlib import import_module

TYPE_CHECKING = False  # checkers take the name for granted; `typing` is most of the import's cost
if TYPE_CHECKING:
    from langchain_control.components.audit import AuditLogger
    from langchain_control.components.breaker import CircuitBreaker
    from langchain_control.components.budget import TokenBudget
    from langchain_control.components.bulkhead import Bulkhead
    from langchain_control.components.fallback import FallbackRouter
    from langchain_control.components.guard import InputGuard
    from langchain_control.components.limiter import RateLimiter
    from langchain_control.components.prompt import PromptBuilder
    from langchain_control.components.retry import RetryEngine
    from langchain_control.components.validator import ResponseValidator
    from langchain_control.detectors import Detector
    from langchain_control.errors import ControlError
    from langchain_control.graph import ControlState, create_control_graph
    from langchain_control.middleware import ControlMiddleware as ControlMiddleware
    from langchain_control.outcomes import Attempt, ControlResult, FailureMode, ValidationResult
    from langchain_control.policy import ControlPolicy
    from langchain_control.rules import Rule
    from langchain_control.runnable import with_control
    from langchain_control.sinks import AuditSink
    from langchain_control.stores import CircuitStore
    from langchain_control.strategies import FallbackStrategy

_MODULE_OF = {
    "Attempt": "outcomes",
    "AuditLogger": "components.audit",
    "AuditSink": "sinks",
    "Bulkhead": "components.bulkhead",
    "CircuitBreaker": "components.breaker",
    "CircuitStore": "stores",
    "ControlError": "errors",
    "ControlMiddleware": "middleware",
    "ControlPolicy": "policy",
    "ControlResult": "outcomes",
    "ControlState": "graph",
    "Detector": "detectors",
    "FailureMode": "outcomes",
    "FallbackRouter": "components.fallback",
    "FallbackStrategy": "strategies",
    "InputGuard": "components.guard",
    "PromptBuilder": "components.prompt",
    "RateLimiter": "components.limiter",
    "ResponseValidator": "components.validator",
    "RetryEngine": "components.retry",
    "Rule": "rules",
    "TokenBudget": "components.budget",
    "ValidationResult": "outcomes",
    "create_control_graph": "graph",
    "with_control": "runnable",
}

__all__ = [
    "Attempt",
    "AuditLogger",
    "AuditSink",
    "Bulkhead",
    "CircuitBreaker",
    "CircuitStore",
    "ControlError",
    "ControlPolicy",
    "ControlResult",
    "ControlState",
    "Detector",
    "FailureMode",
    "FallbackRouter",
    "FallbackStrategy",
    "InputGuard",
    "PromptBuilder",
    "RateLimiter",
    "ResponseValidator",
    "RetryEngine",
    "Rule",
    "TokenBudget",
    "ValidationResult",
    "create_control_graph",
    "with_control",
]
"""What `import *` brings. `ControlMiddleware` stays out: it needs the extra `agents`."""


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    if name == "__version__":
        return _version()
    if name not in _MODULE_OF:
        msg = f"module `langchain_control` has no attribute `{name}`"
        raise AttributeError(msg)
    value = getattr(import_module(f"langchain_control.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def _version() -> str:
    from importlib import metadata  # noqa: PLC0415  (costs time nobody asked for)

    try:
        return metadata.version("langchain-control")
    except metadata.PackageNotFoundError as exc:
        msg = "`langchain_control` runs from its source, and has no `__version__`"
        raise AttributeError(msg) from exc


def __dir__() -> list[str]:
    """List the public names, loaded or not, that can be had: `help` asks for each."""
    from importlib.util import find_spec  # noqa: PLC0415  (costs time nobody asked for)

    names = _MODULE_OF if find_spec("langchain") else __all__
    return [*names, "__version__"]
