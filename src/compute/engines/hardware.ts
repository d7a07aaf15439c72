/** What the machine computes with. */
import { readdir, readFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'

export function cpuModel(): string {
  return cpus()[0]?.model.trim() || `unknown ${process.arch} processor`
}

/** Cores this process may use: respects CPU affinity. */
export function coreCount(): number {
  return Math.max(1, availableParallelism())
}

/** Number of threads for a wish: all cores by default, never more than there are. */
export function threadCount(wished: number | undefined): number {
  const cores = coreCount()
  return wished === undefined ? cores : Math.max(1, Math.min(Math.floor(wished), cores))
}

/** Names of the NVIDIA GPUs that the Linux driver lists, empty where there is none or on other systems. */
export async function nvidiaGpus(): Promise<string[]> {
  const folder = '/proc/driver/nvidia/gpus'
  const entries = await readdir(folder).catch(() => [])
  const files = await Promise.all(
    entries.sort().map((entry) => readFile(`${folder}/${entry}/information`, 'utf8').catch(() => '')),
  )
  return files.map((text) => /^Model:\s*(.+)$/m.exec(text)?.[1]?.trim() ?? '').filter((name) => name !== '')
}
