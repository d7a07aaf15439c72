/** Outputs on their way from a worker into the project: nothing is taken over before its hash was checked. */
import { lstat, readFile, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'
import type { OutputRecord } from '../../shared/runs.ts'
import type { OutputDelivery } from '../../shared/wire/protocol.ts'
import { hashFile, sha256 } from '../platform/hash.ts'

/** Takes a verified output over: bytes are written, a file is moved (`artifacts.put`, `artifacts.adopt`). */
export type KeepOutput = (delivery: OutputDelivery) => Promise<OutputRecord>

/**
 * Keeps all outputs of an answer; when one is refused, the files of the others are removed.
 * @throws ConvScopeError 'damaged' where hash, size or place of an output are not what the worker said
 */
export async function receiveOutputs(
  deliveries: readonly OutputDelivery[],
  scratchFolder: string,
  keep: KeepOutput,
): Promise<OutputRecord[]> {
  const records: OutputRecord[] = []
  try {
    for (const delivery of deliveries) {
      await verifyDelivery(delivery, scratchFolder)
      records.push(await keep(delivery))
    }
    return records
  } finally {
    await Promise.all(deliveries.map((delivery) => removeFile(delivery, scratchFolder)))
  }
}

/** The outputs' bytes, for answers that are shown and not kept. */
export async function readOutputs(
  deliveries: readonly OutputDelivery[],
  scratchFolder: string,
): Promise<{ record: OutputRecord; bytes: Uint8Array }[]> {
  const outputs: { record: OutputRecord; bytes: Uint8Array }[] = []
  try {
    for (const delivery of deliveries) {
      await verifyDelivery(delivery, scratchFolder)
      outputs.push({
        record: delivery.record,
        bytes: 'bytes' in delivery ? delivery.bytes : await readFile(delivery.file),
      })
    }
    return outputs
  } finally {
    await Promise.all(deliveries.map((delivery) => removeFile(delivery, scratchFolder)))
  }
}

/** Removes the files of outputs that nobody wants. */
export async function discardOutputs(deliveries: readonly OutputDelivery[], scratchFolder: string): Promise<void> {
  await Promise.all(deliveries.map((delivery) => removeFile(delivery, scratchFolder)))
}

/** @throws ConvScopeError 'damaged'; see `receiveOutputs` */
export async function verifyDelivery(delivery: OutputDelivery, scratchFolder: string): Promise<void> {
  const { record } = delivery
  const found =
    'bytes' in delivery
      ? { sha256: sha256(delivery.bytes), bytes: delivery.bytes.length }
      : await measure(delivery.file, scratchFolder)
  if (found?.sha256 === record.sha256 && found.bytes === record.bytes) return
  throw new ConvScopeError('damaged', `The output "${record.name}" did not arrive as the compute worker wrote it`, {
    remedy: 'Run it again; if it happens again, check the disk.',
    details: `announced ${record.sha256} (${record.bytes} bytes), found ${found ? `${found.sha256} (${found.bytes} bytes)` : 'no such file'}`,
  })
}

/** Undefined for what is not a plain file directly in the session's scratch folder: a worker must not make main take other files. */
async function measure(file: string, scratchFolder: string): Promise<{ sha256: string; bytes: number } | undefined> {
  if (!isInside(file, scratchFolder)) return undefined
  const entry = await lstat(file).catch(() => undefined)
  return entry?.isFile() ? hashFile(file) : undefined
}

async function removeFile(delivery: OutputDelivery, scratchFolder: string): Promise<void> {
  if ('file' in delivery && isInside(delivery.file, scratchFolder)) await rm(delivery.file, { force: true })
}

function isInside(file: string, folder: string): boolean {
  return dirname(resolve(file)) === resolve(folder)
}
