import { join } from 'node:path'
import { build } from 'vite'
import type { Plugin, Rolldown } from 'vite'
import { describe, expect, it } from 'vitest'

const source = join(import.meta.dirname, '..', 'src')

/** As if Electron were not there: whoever imports it stops the build. */
const withoutElectron: Plugin = {
  name: 'without-electron',
  enforce: 'pre',
  resolveId(id, importer) {
    if (id === 'electron' || id.startsWith('electron/'))
      throw new Error(`electron is imported by ${importer ?? 'an entry'}`)
    return null
  },
}

/** Builds an entry as the program is built, without writing it; npm packages stay outside. */
async function modulesOf(entry: string): Promise<string[]> {
  const output = (await build({
    configFile: false,
    root: source,
    logLevel: 'silent',
    plugins: [withoutElectron],
    build: { ssr: join(source, entry), write: false, rolldownOptions: { external: [/^node:/] } },
  })) as Rolldown.RolldownOutput
  return output.output.flatMap((chunk) => (chunk.type === 'chunk' ? Object.keys(chunk.modules) : []))
}

describe('without Electron', () => {
  it.each(['main/server.ts', 'main/cli.ts', 'compute/worker/main.ts', 'compute/worker/engine-thread.ts'])(
    '%s builds',
    async (entry) => {
      const modules = await modulesOf(entry)
      expect(modules).toContain(join(source, entry))
      expect(modules.filter((path) => path.includes(join('main', 'electron')))).toEqual([])
    },
  )

  it('would notice an import of Electron', async () => {
    await expect(modulesOf('main/index.ts')).rejects.toThrow(/electron is imported by/)
  })
})
