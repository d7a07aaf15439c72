import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as after } from 'node:timers/promises'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { findNode } from './launcher.ts'

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

it('a worker that computes without a break is gone 10 s after its main was killed', async () => {
  const main = spawn(findNode(), [join(import.meta.dirname, 'testing/doomed-main.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(main.stdout), 'line')) as [string]
  const { pid, folder } = z.object({ pid: z.number(), folder: z.string() }).parse(JSON.parse(line))
  expect(isAlive(pid)).toBe(true)
  const killedAt = performance.now()
  main.kill('SIGKILL')
  while (isAlive(pid) && performance.now() - killedAt < 10_000) await after(50)
  expect(isAlive(pid)).toBe(false)
  await rm(folder, { recursive: true, force: true })
})
