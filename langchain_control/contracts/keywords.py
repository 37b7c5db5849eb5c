"""The keywords of JSON Schema, by which a schema is told from any other mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["refuse_without_keyword"]

_DEMANDING = frozenset(
    """
    $dynamicRef $recursiveRef $ref additionalItems additionalProperties allOf anyOf const contains
    contentEncoding contentMediaType contentSchema dependencies dependentRequired dependentSchemas
    else enum exclusiveMaximum exclusiveMinimum format if items maxContains maxItems maxLength
    maxProperties maximum minContains minItems minLength minProperties minimum multipleOf not oneOf
    pattern patternProperties prefixItems properties propertyNames required then type
    unevaluatedItems unevaluatedProperties uniqueItems
    """.split()  # noqa: SIM905  (one word a line is long)
)
"""What says something of a value, in any draft from 4 to 2020-12."""

_REMARKING = frozenset(
    """
    $anchor $comment $defs $dynamicAnchor $id $recursiveAnchor $schema $vocabulary default
    definitions deprecated description examples id readOnly title writeOnly
    """.split()  # noqa: SIM905  (one word a line is long)
)
"""What says something of the schema, and stands in one that takes any value, too."""


def refuse_without_keyword(schema: Mapping[str, Any]) -> None:
    """Refuse a mapping that holds names but demands nothing, such as names of fields.

    JSON Schema ignores what it does not know, so every answer would meet it. An empty schema is
    one that takes any value.

    Raises:
        ValueError: The mapping is no JSON Schema.
    """
    if _DEMANDING.isdisjoint(schema) and not _REMARKING.issuperset(schema):
        msg = (
            "not a JSON Schema: it has no keyword that demands anything, such as `type` or "
            "`properties`, so every answer would meet it"
        )
        raise ValueError(msg)
