import { describe, expect, test } from 'vitest'
import { OperationList } from './operation-list.ts'
import { protobufFields, protobufText, ProtobufWriter } from './protobuf.ts'

describe('protocol buffers', () => {
  test('are written as the format asks', () => {
    const inner = new ProtobufWriter().string(1, 'é').integer(3, 300)
    const bytes = new ProtobufWriter().message(2, inner).float(4, 1).integer(16, -1).finish()
    const minusOne = [255, 255, 255, 255, 255, 255, 255, 255, 255, 1]
    expect([...bytes]).toEqual([
      0x12,
      7,
      0x0a,
      2,
      0xc3,
      0xa9,
      0x18,
      0xac,
      2,
      0x25,
      0,
      0,
      0x80,
      0x3f,
      0x80,
      1,
      ...minusOne,
    ])
  })

  test('are read field by field, and refused when they are cut off', () => {
    const bytes = new ProtobufWriter()
      .integer(1, 2 ** 40)
      .string(2, 'two')
      .float(3, 1)
      .finish()
    const fields = [...protobufFields(bytes)]
    expect(fields.map(({ field }) => field)).toEqual([1, 2, 3])
    expect(fields[0]?.value).toBe(2 ** 40)
    expect(protobufText(fields[1]?.bytes ?? new Uint8Array())).toBe('two')
    for (const size of [1, 3, 9, bytes.length - 1])
      expect(() => [...protobufFields(bytes.subarray(0, size))]).toThrow('a protocol buffer ends')
  })

  test('describe operations', () => {
    const argument = new ProtobufWriter().string(1, 'values').string(4, 'T').string(5, 'N')
    const attribute = new ProtobufWriter().string(1, 'N').string(2, 'int')
    const operation = new ProtobufWriter()
      .string(1, 'Pack')
      .message(2, argument)
      .message(3, new ProtobufWriter().string(1, 'output').string(4, 'T'))
      .message(4, attribute)
      .integer(17, 1)
    const list = new OperationList(new ProtobufWriter().message(1, operation).finish())
    expect(list.get('Pack')).toEqual({
      name: 'Pack',
      inputs: [{ name: 'values', typeAttribute: 'T', numberAttribute: 'N', typeListAttribute: '' }],
      outputs: [{ name: 'output', typeAttribute: 'T', numberAttribute: '', typeListAttribute: '' }],
      attributes: new Map([['N', { type: 'int', hasDefault: false }]]),
      stateful: true,
    })
    expect(list.get('Unpack')).toBeUndefined()
  })
})
