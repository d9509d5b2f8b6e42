/**
 * The part of onnx.proto (ONNX IR version 8) that model files made here use; field numbers are ONNX's. Fields
 * that are not listed are skipped when reading.
 */
import protobuf from 'protobufjs';

const float = (id: number) => ({ type: 'float', id });
const int64 = (id: number) => ({ type: 'int64', id });
const int32 = (id: number) => ({ type: 'int32', id });
const text = (id: number) => ({ type: 'string', id });
const many = (type: string, id: number) => ({ rule: 'repeated', type, id });
const one = (type: string, id: number) => ({ type, id });

const modelFields = (graph: string) => ({
  irVersion: int64(1),
  producerName: text(2),
  graph: one(graph, 7),
  opsetImport: many('OperatorSetIdProto', 8),
  metadataProps: many('StringStringEntryProto', 14),
});

const root = protobuf.Root.fromJSON({
  nested: {
    StringStringEntryProto: { fields: { key: text(1), value: text(2) } },
    OperatorSetIdProto: { fields: { domain: text(1), version: int64(2) } },
    TensorProto: {
      fields: {
        dims: many('int64', 1),
        dataType: int32(2),
        name: text(8),
        rawData: one('bytes', 9),
      },
    },
    Dimension: { fields: { dimValue: int64(1), dimParam: text(2) } },
    TensorShapeProto: { fields: { dim: many('Dimension', 1) } },
    TensorTypeProto: { fields: { elemType: int32(1), shape: one('TensorShapeProto', 2) } },
    TypeProto: { fields: { tensorType: one('TensorTypeProto', 1) } },
    ValueInfoProto: { fields: { name: text(1), type: one('TypeProto', 2) } },
    AttributeProto: {
      fields: {
        name: text(1),
        f: float(2),
        i: int64(3),
        s: one('bytes', 4),
        ints: many('int64', 8),
        type: int32(20),
      },
    },
    NodeProto: {
      fields: {
        input: many('string', 1),
        output: many('string', 2),
        name: text(3),
        opType: text(4),
        attribute: many('AttributeProto', 5),
        domain: text(7),
      },
    },
    GraphProto: {
      fields: {
        node: many('NodeProto', 1),
        name: text(2),
        initializer: many('TensorProto', 5),
        input: many('ValueInfoProto', 11),
        output: many('ValueInfoProto', 12),
      },
    },
    ModelProto: { fields: modelFields('GraphProto') },
    // A message lies in a file as its bytes do.
    SealedModelProto: { fields: modelFields('bytes') },
  },
});

export const modelProto = root.lookupType('ModelProto');

/** What is in it. */
export const graphProto = root.lookupType('GraphProto');

/** The same with the graph as bytes, which are neither read nor changed. */
export const sealedModelProto = root.lookupType('SealedModelProto');

/** ONNX's numbers for element types. */
export const elementType = { float32: 1, int64: 7, bool: 9 } as const;

/** ONNX's numbers for attribute types. */
export const attributeType = { float: 1, int: 2, string: 3, ints: 7 } as const;
