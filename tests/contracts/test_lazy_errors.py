"""Errors of schemas that refer to themselves: as many as are asked for, not as there could be."""

from importlib.metadata import version
from itertools import pairwise

import pytest
from packaging.version import Version

from langchain_control.contracts import MAX_VIOLATIONS, JsonSchemaContract
from langchain_control.contracts.conversion import Mistyped
from langchain_control.contracts.lazy_errors import LazyErrors
from langchain_control.outcomes import Violation

DRAFTS = {
    "draft-04": "http://json-schema.org/draft-04/schema#",
    "draft-07": "http://json-schema.org/draft-07/schema#",
    "2019-09": "https://json-schema.org/draft/2019-09/schema",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}
KINDS = ("row", "column", "card")


def element(child, tags=KINDS, alternatives="anyOf"):
    """Return a schema of elements that are told apart by a tag, with elements inside."""
    return {
        alternatives: [
            *(
                {
                    "type": "object",
                    "properties": {"type": {"enum": [tag]}, "child": child},
                    "required": ["type", "child"],
                }
                for tag in tags
            ),
            {
                "type": "object",
                "properties": {"type": {"enum": ["text"]}, "text": {"type": "string"}},
                "required": ["type", "text"],
            },
        ]
    }


def nested(depth, leaf):
    """Return a card in a card, so many deep."""
    for _ in range(depth):
        leaf = {"type": "card", "child": leaf}
    return leaf


TREES = {
    **{
        f"{draft}, {alternatives}": {
            "$schema": uri,
            "$ref": "#/definitions/node",
            "definitions": {"node": element({"$ref": "#/definitions/node"}, KINDS, alternatives)},
        }
        for draft, uri in DRAFTS.items()
        for alternatives in ("anyOf", "oneOf")
    },
    "no tags": {
        "$ref": "#/$defs/node",
        "$defs": {"node": element({"$ref": "#/$defs/node"}, ["card"] * 3)},
    },
    "below an unknown keyword": {
        "$ref": "#/components/schemas/a%20node",
        "components": {"schemas": {"a node": element({"$ref": "#/components/schemas/a%20node"})}},
    },
    "the document itself": element({"$ref": "#"}),
    "alternatives behind references": {
        "anyOf": [{"$ref": f"#/$defs/{n}"} for n in range(4)],
        "$defs": {str(n): each for n, each in enumerate(element({"$ref": "#"})["anyOf"])},
    },
    "by an anchor": {
        "$ref": "#node",
        "$defs": {"node": {"$anchor": "node", **element({"$ref": "#node"})}},
    },
    "a dynamic reference": {"$dynamicAnchor": "node", **element({"$dynamicRef": "#node"})},
    "a recursive reference": {
        "$schema": DRAFTS["2019-09"],
        "$recursiveAnchor": True,
        **element({"$recursiveRef": "#"}),
    },
    "a document with an id": {"$id": "https://example.com/node", **element({"$ref": "#"})},
    "a part with an id": {
        "$ref": "node",
        "$id": "https://example.com/tree",
        "$defs": {
            "a node/~%": {
                "$id": "node",
                "$ref": "#/$defs/own",
                "$defs": {"own": element({"$ref": "#"})},
            }
        },
    },
    "twice the same": {
        "allOf": [{"properties": {"child": {"$ref": "#"}, "text": {"type": "string"}}}] * 2
    },
}


@pytest.fixture
def looked_at(monkeypatch):
    """Count the errors that are looked at."""
    seen, genuine = [], LazyErrors._error
    monkeypatch.setattr(
        LazyErrors, "_error", lambda self, *args: seen.append(1) or genuine(self, *args)
    )
    return seen


told_by_newer = pytest.mark.skipif(
    Version(version("jsonschema-rs")) < Version("0.61"),
    reason="an older jsonschema-rs refuses the value without saying where it is wrong",
)


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(schema, id=name, marks=told_by_newer if name == "a part with an id" else ())
        for name, schema in TREES.items()
    ],
)
def test_what_is_wrong_deep_inside_is_found_step_by_step(schema, looked_at):
    """Each level costs what the one before did: nothing multiplies."""
    contract, counts = JsonSchemaContract(schema), []
    for depth in range(4, 10):
        looked_at.clear()
        assert contract.judge(nested(depth, {"type": "text", "text": 5}))
        counts.append(len(looked_at))

    assert counts[0] > 0
    assert len({more - less for less, more in pairwise(counts)}) == 1
    assert contract.judge(nested(200, {"type": "text", "text": 5}))


def test_a_property_without_a_name_breaks_nothing():
    """`jsonschema-rs` leaves it out of its paths, so that a path may lead nowhere."""
    contract = JsonSchemaContract({"type": "object", "additionalProperties": {"$ref": "#"}})

    assert len(contract.judge({"": {"": {"a": {"": 5}}}})) == 1


def test_a_value_too_deep_to_explain_is_refused():
    """It is refused without a place, and nothing is raised."""
    contract = JsonSchemaContract(TREES["the document itself"])

    [violation] = contract.judge(nested(400, {"type": "text", "text": 5}))

    assert violation == Violation("schema", "what the schema demands", "object of 2 keys")


@pytest.mark.parametrize("uri", DRAFTS.values(), ids=DRAFTS)
def test_the_place_deep_inside_is_told(uri):
    """Where types tell the alternatives apart, a correction names the leaf, not only the tree."""
    schema = {
        "$schema": uri,
        "$ref": "#/definitions/node",
        "definitions": {
            "node": {"anyOf": [{"$ref": f"#/definitions/{kind}"} for kind in ("card", "none")]},
            "card": {
                "type": "object",
                "properties": {"child": {"$ref": "#/definitions/node"}, "text": {"type": "string"}},
            },
            "none": {"type": "null"},
        },
    }

    [violation] = JsonSchemaContract(schema).judge(nested(9, {"text": 5}))
    [nothing] = JsonSchemaContract(schema).judge(nested(9, 5))

    assert violation == Violation("type", "string", "5", "/child" * 9 + "/text")
    assert nothing == Violation("anyOf", "object or null", "5", "/child" * 9)


def test_many_wrong_leaves_cost_no_more_than_are_listed(looked_at):
    """The list ends at `MAX_VIOLATIONS`, and with it the work."""
    schema = {"items": {"$ref": "#"}, "properties": {"child": {"$ref": "#"}}, "type": "object"}
    schema["properties"]["leaves"] = {"type": "array", "items": {"$ref": "#"}}

    found = JsonSchemaContract(schema).judge({"leaves": [nested(3, None)] * 2_000})

    assert len(found) == MAX_VIOLATIONS
    assert len(looked_at) < 200


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "anyOf": [{"$ref": "#"}, {"$ref": "#/$defs/a"}], "$defs": {"a": False}},
        {
            "$ref": "#/$defs/a",
            "type": "object",
            "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
        },
        {
            "$ref": "#/$defs/a",
            "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}, {"type": "object"}]}},
        },
    ],
)
def test_references_that_go_in_circles_end(schema):
    """A schema that says of a value what it says of it is followed once."""
    assert JsonSchemaContract(schema).judge(5)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": {"$ref": "#"}}, {"$ref": "#"}),
        ({"enum": [{"$ref": "#/a"}]}, {"$ref": "#/a"}),
        ({"properties": {"const": {"$ref": "#/$defs/a"}}, "$defs": {"a": {}}}, {"const": 1}),
        ({"properties": {"$ref": {"type": "string"}}}, {"$ref": "x"}),
    ],
)
def test_what_looks_like_a_reference_is_none(schema, value):
    """Values and names of properties are no keywords."""
    contract = JsonSchemaContract({**schema, "required": ["no"]})

    assert contract.judge(value) == (Violation("required", 'the property "no"'),)


def test_references_do_not_hide_what_was_evaluated():
    """Properties that a schema behind a reference speaks of are not surplus."""
    contract = JsonSchemaContract(
        {
            "$ref": "#/$defs/a",
            "required": ["no"],
            "unevaluatedProperties": False,
            "$defs": {"a": {"properties": {"a": {}}}},
        }
    )

    assert [v.rule for v in contract.judge({"a": 1})] == ["required"]
    assert {v.rule for v in contract.judge({"b": 1})} == {"required", "unevaluatedProperties"}


REFERENCE = {"$ref": "#/components/examples/Order"}


@pytest.mark.parametrize(
    "data",
    [
        {"default": REFERENCE},
        {"example": REFERENCE},
        {"examples": [REFERENCE]},
        {"const": REFERENCE},
        {"x-source": {"properties": {"n": {"$ref": "https://example.com/order.json"}}}},
    ],
    ids=lambda data: next(iter(data)),
)
def test_a_reference_that_is_data_leads_nowhere(data):
    """What is below a keyword that holds no schema does not keep violations from being told."""
    schema = {"properties": {"n": {"type": "integer"}, "other": data}, "required": ["who"]}
    found = JsonSchemaContract(schema).judge({"n": "7"})
    assert {(each.rule, each.path) for each in found} == {("type", "/n"), ("required", "")}


METASCHEMA = {"$ref": DRAFTS["2020-12"]}


def test_references_to_a_metaschema_are_told_with_the_rest():
    """A schema that refers to a metaschema tells of all that is wrong."""
    schema = {
        "properties": {"schema": METASCHEMA, "n": {"$ref": "#/$defs/n"}},
        "$defs": {"n": {"type": "integer"}},
    }
    found = JsonSchemaContract(schema).judge({"schema": {"type": 3}, "n": "7"})
    assert {(each.rule, each.path) for each in found} == {("anyOf", "/schema/type"), ("type", "/n")}


@told_by_newer
def test_a_tree_that_refers_to_a_metaschema_is_told_of_lazily():
    """A reference to a metaschema does not cost a schema its conditions."""
    contract = JsonSchemaContract({**element({"$ref": "#"}), "properties": {"schema": METASCHEMA}})
    (violation,) = contract.judge(nested(60, 7))
    assert violation.rule == "anyOf"


@pytest.fixture
def no_conditions(monkeypatch):
    """Let no schema with conditions be compiled."""

    def refuse(*_):
        raise ValueError

    monkeypatch.setattr("langchain_control.contracts.lazy_errors.jsonschema_rs.Registry", refuse)


@pytest.mark.usefixtures("no_conditions")
def test_without_conditions_all_errors_are_listed_at_once():
    """What cannot be told lazily is told at once."""
    schema = {"properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}
    contract = JsonSchemaContract(schema)
    (violation,) = contract.judge({"n": "7"})
    assert (violation.rule, violation.path) == ("type", "/n")
    assert list(contract.mistyped({"n": "7"})) == [Mistyped(("n",), int)]


@pytest.mark.usefixtures("no_conditions")
@pytest.mark.parametrize("schema", TREES.values(), ids=TREES)
def test_without_conditions_a_tree_is_judged_but_not_told_of(schema):
    """Errors whose number may grow exponentially are not listed, and nothing is raised."""
    contract = JsonSchemaContract(schema)
    value = nested(60, {"type": "text", "text": 7})
    (violation,) = contract.judge(value)
    assert violation.rule == "schema"
    assert list(contract.mistyped(value)) == []


def test_types_due_inside_alternatives_are_not_told_of_the_whole():
    """An object is not to be replaced by the integer that one of its properties has to be."""
    kinds = [
        {"properties": {kind: {"type": "string"}, "n": {"type": "integer"}}}
        for kind in ("order", "parcel")
    ]
    (violation,) = JsonSchemaContract({"anyOf": kinds}).judge({"n": "3"})
    assert violation.expected == "one of 2 alternatives"
