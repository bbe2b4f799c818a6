"""What Spark's errors are made of: Java exceptions, their causes, conditions and parameters. Repeats no message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_CAUSES_AT_MOST = 20


def java_causes(error: BaseException) -> Iterator[Any]:
    """Gives the Java exception behind a Python one, and its causes."""
    throwable = getattr(error, "_origin", None) or getattr(error, "java_exception", None)
    for _ in range(_CAUSES_AT_MOST):
        if throwable is None:
            return
        yield throwable
        throwable = called(throwable, "getCause")


def names_of(error: BaseException) -> Iterator[str]:
    """Gives the class names and error conditions of an error and of its Java causes."""
    yield f"{type(error).__module__}.{type(error).__name__}"
    for throwable in java_causes(error):
        yield java_class(throwable)
        condition = condition_of(throwable)
        if condition:
            yield condition


def java_class(throwable: Any) -> str:
    """Returns the name of a Java exception's class."""
    return str(throwable.getClass().getName())


def condition_of(error: Any) -> str:
    """Returns Spark's name of an error's condition (DIVIDE_BY_ZERO, ...), or nothing."""
    return str(called(error, "getCondition") or called(error, "getErrorClass") or "")


def parameters_of(throwable: Any) -> dict[str, str]:
    """Returns the parameters of a Java exception's message. They may quote a record: use only those that cannot."""
    parameters = called(throwable, "getMessageParameters")
    return {} if parameters is None else {str(key): str(parameters[key]) for key in parameters}


def message_of(throwable: Any) -> str:
    """Returns a Java exception's message, to be searched and never shown."""
    return str(called(throwable, "getMessage") or "")


def called(thing: Any, method: str) -> Any:
    """Calls a getter that not every exception has; None where it has none, or Java has ended."""
    try:
        return getattr(thing, method)()
    except Exception:
        return None
