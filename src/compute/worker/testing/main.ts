/** A worker process with the test registry. `CONVSCOPE_TEST_WORKER` makes it misbehave before or after its hello. */
import '../reserve-stdout.ts'
import { writeSync } from 'node:fs'
import { FRAME_MAGIC } from '../../../shared/wire/framing.ts'
import { PROTOCOL_VERSION } from '../../../shared/wire/protocol.ts'
import { startWorkerProcess } from '../worker-process.ts'

const STANDARD_OUTPUT = 1
const behaviour = process.env['CONVSCOPE_TEST_WORKER'] ?? ''

/** Bytes on standard output after the hello, by behaviour. */
const AFTER_HELLO: Readonly<Record<string, Uint8Array>> = {
  'wrong-magic': new TextEncoder().encode('a library prints here\n'),
  oversized: new Uint8Array([...FRAME_MAGIC, 0xff, 0xff, 0xff, 0xff]),
  'bad-messagepack': new Uint8Array([...FRAME_MAGIC, 0, 0, 0, 2, 0x92, 0x01]),
  'wrong-schema': new Uint8Array([...FRAME_MAGIC, 0, 0, 0, 1, 0x01]),
  truncated: new Uint8Array([...FRAME_MAGIC, 0, 0, 0, 100, 0x92, 0x01]),
}

if (behaviour === 'silent') {
  process.stdin.resume()
} else if (behaviour === 'die') {
  process.stderr.write('cannot find libtensorflow\n')
  process.exit(3)
} else {
  if (behaviour === 'banner') writeSync(STANDARD_OUTPUT, 'Welcome to host seven\n')
  startWorkerProcess({
    engineThread: new URL('./engine-thread.ts', import.meta.url),
    program: 'ConvScope test',
    protocol: behaviour === 'version' ? PROTOCOL_VERSION + 1 : PROTOCOL_VERSION,
  })
  const extra = AFTER_HELLO[behaviour]
  if (extra) writeSync(STANDARD_OUTPUT, extra)
  if (behaviour === 'truncated') process.exit(0)
}
