"""The shapes as protobuf messages: what the type checker of expressions understands."""

from collections.abc import Iterable
from functools import lru_cache

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from policies.typing.shape import Items, Scalar, Shape, Struct, evidence_shapes, item

PACKAGE = "lineward.evidence.v1"

_KINDS = {
    Scalar.STRING: FieldDescriptorProto.TYPE_STRING,
    Scalar.BOOL: FieldDescriptorProto.TYPE_BOOL,
    Scalar.INT: FieldDescriptorProto.TYPE_INT64,
    Scalar.DOUBLE: FieldDescriptorProto.TYPE_DOUBLE,
}


def file_descriptor() -> FileDescriptorProto:
    """Every message of the evidence. Names of fields are those of the document."""
    file = FileDescriptorProto(name="lineward/evidence/v1.proto", package=PACKAGE, syntax="proto3")
    for struct in _structs(evidence_shapes().values()):
        file.message_type.append(_message(struct))
    return file


@lru_cache(maxsize=256)
def _pool(fields: tuple[tuple[str, Shape], ...]) -> DescriptorPool:
    pool = DescriptorPool()
    pool.Add(file_descriptor())
    file = FileDescriptorProto(name="lineward/params.proto", package=PACKAGE, syntax="proto3")
    file.message_type.append(_message(Struct("Params", dict(fields))))
    pool.Add(file)
    return pool


def pool(params: Struct) -> DescriptorPool:
    """The messages of the evidence, and one named Params with the parameters of a pack."""
    return _pool(tuple(params.fields.items()))


def _structs(shapes: Iterable[Shape]) -> list[Struct]:
    """Every struct that occurs, once, in the order of first occurrence."""
    found: dict[str, Struct] = {}
    waiting = list(shapes)
    while waiting:
        shape = item(waiting.pop(0))
        if isinstance(shape, Struct) and shape.name not in found:
            found[shape.name] = shape
            waiting.extend(shape.fields.values())
    return list(found.values())


def _message(struct: Struct) -> DescriptorProto:
    message = DescriptorProto(name=struct.name)
    for number, (name, shape) in enumerate(struct.fields.items(), start=1):
        field = message.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
        if isinstance(shape, Items):
            field.label = FieldDescriptorProto.LABEL_REPEATED
            shape = shape.of
        if isinstance(shape, Struct):
            field.type = FieldDescriptorProto.TYPE_MESSAGE
            field.type_name = f".{PACKAGE}.{shape.name}"
        elif isinstance(shape, Scalar):
            field.type = _KINDS[shape]
        else:
            raise TypeError(f"{struct.name}.{name}: a list of lists has no counterpart in a message")
    return message
