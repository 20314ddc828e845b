"""What schemathesis does not know by itself."""

from pathlib import Path

import graphql
import schemathesis

SCHEMA = graphql.build_schema(Path(__file__).parents[2].joinpath("schema.graphql").read_text("utf-8"))


class OneKey(graphql.Visitor):
    """An input with @oneOf takes exactly one of its keys, and no null."""

    def __init__(self, types):
        super().__init__()
        self.types = types

    def enter_object_value(self, node, *_):
        if not graphql.get_named_type(self.types.get_input_type()).is_one_of:
            return None
        given = tuple(field for field in node.fields if not isinstance(field.value, graphql.NullValueNode))
        return graphql.ObjectValueNode(fields=given[:1]) if given else graphql.REMOVE


@schemathesis.hook
def map_body(_, body):
    if not isinstance(body, graphql.DocumentNode):
        return body
    types = graphql.TypeInfo(SCHEMA)
    return graphql.visit(body, graphql.TypeInfoVisitor(types, OneKey(types)))


@schemathesis.check
def nobody_learns_nothing(_, response, case):
    """Without a cookie no GraphQL operation is answered with data."""
    if case.operation.path != "/graphql" or "Cookie" in response.request.headers:
        return
    answer = response.json()
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes in ({"UNAUTHENTICATED"}, {"GRAPHQL_VALIDATION_FAILED"}), codes
    assert not any((answer.get("data") or {}).values()), answer["data"]
