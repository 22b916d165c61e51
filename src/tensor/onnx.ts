import { create, toBinary } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf'
import type { Attribute, ElementType, Graph, Port, Weight } from './graph.js'

/** A graph written down: the protocol buffer, and the large weights beside it, which the runtime takes without a copy of ours. */
export interface OnnxModel {
  readonly bytes: Uint8Array
  readonly external: readonly ExternalWeight[]
}

/** A weight outside the protocol buffer, which says that it begins at byte `offset` of the file `path`. */
export interface ExternalWeight {
  readonly path: string
  readonly offset: number
  readonly data: Uint8Array
}

const irVersion = 10n
const opset = 21n
/** Weights of at least so many bytes stay outside the protocol buffer, which cannot exceed 2 GB. */
const externalFrom = 1024

const dataTypes: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  float16: TensorProto_DataType.FLOAT16,
  bfloat16: TensorProto_DataType.BFLOAT16,
  int64: TensorProto_DataType.INT64,
  int32: TensorProto_DataType.INT32,
  int8: TensorProto_DataType.INT8,
  uint8: TensorProto_DataType.UINT8,
}

/** Where weights begin in a file: systems map whole pages. */
const page = 4096

/** Writes a graph as an ONNX model. `file`: the one file that holds all large weights; without it each has a file named as itself. */
export function writeOnnx(graph: Graph, file?: string): OnnxModel {
  const external: ExternalWeight[] = []
  let end = 0
  const initializer = graph.weights.map((weight) => {
    const data = new Uint8Array(weight.data.buffer as ArrayBuffer, weight.data.byteOffset, weight.data.byteLength)
    if (data.byteLength < externalFrom) return tensor(weight, data)
    const placed =
      file === undefined ? { path: weight.name, offset: 0, data } : { path: file, offset: Math.ceil(end / page) * page, data }
    end = placed.offset + data.byteLength
    external.push(placed)
    return externalTensor(weight, placed)
  })
  const model = create(ModelProtoSchema, {
    irVersion,
    producerName: 'smcc',
    opsetImport: [
      create(OperatorSetIdProtoSchema, { domain: '', version: opset }),
      create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }),
    ],
    graph: create(GraphProtoSchema, {
      name: 'smcc',
      node: graph.operations.map((operation) =>
        create(NodeProtoSchema, {
          opType: operation.operator,
          domain: operation.domain,
          input: [...operation.inputs],
          output: [...operation.outputs],
          attribute: Object.entries(operation.attributes).map(([name, value]) => attribute(name, value)),
        }),
      ),
      initializer,
      input: graph.inputs.map(port),
      output: graph.outputs.map(port),
    }),
  })
  return { bytes: toBinary(ModelProtoSchema, model), external }
}

function tensor(weight: Weight, rawData: Uint8Array<ArrayBuffer>): TensorProto {
  return create(TensorProtoSchema, {
    name: weight.name,
    dataType: dataTypes[weight.type],
    dims: weight.shape.map(BigInt),
    rawData,
  })
}

function externalTensor(weight: Weight, { path, offset, data }: ExternalWeight): TensorProto {
  const entries = { location: path, offset: String(offset), length: String(data.byteLength) }
  return create(TensorProtoSchema, {
    name: weight.name,
    dataType: dataTypes[weight.type],
    dims: weight.shape.map(BigInt),
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  })
}

function attribute(name: string, value: Attribute): AttributeProto {
  switch (value.kind) {
    case 'int':
      return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value.value) })
    case 'ints':
      return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: value.value.map(BigInt) })
    case 'float':
      return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value.value })
    case 'string':
      return create(AttributeProtoSchema, {
        name,
        type: AttributeProto_AttributeType.STRING,
        s: new TextEncoder().encode(value.value),
      })
  }
}

function port({ name, type, shape }: Port): ValueInfoProto {
  const dim = shape.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof size === 'string' ? { case: 'dimParam', value: size } : { case: 'dimValue', value: BigInt(size) },
    }),
  )
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, {
      value: {
        case: 'tensorType',
        value: create(TypeProto_TensorSchema, { elemType: dataTypes[type], shape: create(TensorShapeProtoSchema, { dim }) }),
      },
    }),
  })
}
