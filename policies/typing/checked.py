"""The wire form of a checked expression: `cel.expr.CheckedExpr` (cel-spec: proto/cel/expr/checked.proto, syntax.proto).

Only what static analysis reads is declared; the rest is skipped as unknown fields.
"""

from functools import cache
from typing import Any

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

_SCALARS = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "bool": FieldDescriptorProto.TYPE_BOOL,
}

# Message → field → (number, type). A type that begins with * is repeated, one with % a map from int64.
_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "CheckedExpr": {
        "reference_map": (2, "%Reference"),
        "type_map": (3, "%Type"),
        "expr": (4, "Expr"),
        "source_info": (5, "SourceInfo"),
    },
    "Reference": {"name": (1, "string")},
    "Type": {
        "dyn": (1, "Empty"),
        "list_type": (6, "ListType"),
        "map_type": (7, "Empty"),
        "message_type": (9, "string"),
        "abstract_type": (14, "Empty"),
    },
    "ListType": {"elem_type": (1, "Type")},
    "Empty": {},
    "SourceInfo": {"positions": (4, "%int32")},
    "Expr": {
        "id": (2, "int64"),
        "const_expr": (3, "Constant"),
        "ident_expr": (4, "Ident"),
        "select_expr": (5, "Select"),
        "call_expr": (6, "Call"),
        "list_expr": (7, "CreateList"),
        "struct_expr": (8, "CreateStruct"),
        "comprehension_expr": (9, "Comprehension"),
    },
    "Constant": {"string_value": (6, "string")},
    "Ident": {"name": (1, "string")},
    "Select": {"operand": (1, "Expr"), "field": (2, "string"), "test_only": (3, "bool")},
    "Call": {"target": (1, "Expr"), "function": (2, "string"), "args": (3, "*Expr")},
    "CreateList": {"elements": (1, "*Expr")},
    "CreateStruct": {"message_name": (1, "string"), "entries": (2, "*Entry")},
    "Entry": {"map_key": (3, "Expr"), "value": (4, "Expr")},
    "Comprehension": {
        "iter_var": (1, "string"),
        "iter_range": (2, "Expr"),
        "accu_var": (3, "string"),
        "accu_init": (4, "Expr"),
        "loop_condition": (5, "Expr"),
        "loop_step": (6, "Expr"),
        "result": (7, "Expr"),
    },
}


def checked(serialized: bytes) -> Any:
    """The CheckedExpr in what the engine serialises (an Any). Its attributes are named as in the specification.

    Raises ValueError for one that is nested deeper than messages may be (100 levels, two for most operators).
    """
    packed = Packed.FromString(serialized)
    try:
        return _checked_expr().FromString(packed.value)
    except DecodeError as error:
        raise ValueError("nested too deeply") from error


@cache
def _checked_expr() -> Any:
    file = FileDescriptorProto(name="cel/expr/checked.proto", package="cel.expr", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _add(message, field, number, kind)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("cel.expr.CheckedExpr"))


def _add(message: DescriptorProto, name: str, number: int, kind: str) -> None:
    repeated = kind[0] in "*%"
    field = message.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
    if repeated:
        field.label = FieldDescriptorProto.LABEL_REPEATED
    if kind.startswith("%"):
        entry = message.nested_type.add(name="".join(part.title() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        _add(entry, "key", 1, "int64")
        _add(entry, "value", 2, kind[1:])
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".cel.expr.{message.name}.{entry.name}"
        return
    plain = kind.lstrip("*")
    if plain in _SCALARS:
        field.type = _SCALARS[plain]
    else:
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".cel.expr.{plain}"
