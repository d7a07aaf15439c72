import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ESLint } from 'eslint'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const repository = join(import.meta.dirname, '..')

/** The files that the snippets import. They are empty: only where they lie matters. */
const targets = [
  'src/shared/errors.ts',
  'src/compute/engines/engine.ts',
  'src/compute/engines/engine.test.ts',
  'src/main/platform/folders.ts',
  'src/main/project/database.ts',
  'src/main/jobs/queue.ts',
  'src/main/sessions/supervisor.ts',
  'src/main/services/runs.ts',
  'src/main/rpc/router.ts',
  'src/main/http/host.ts',
  'src/main/electron/window.ts',
  'src/main/cli/options.ts',
  'src/main/server.ts',
  'src/renderer/lib/colour.ts',
  'src/renderer/rpc/client.ts',
  'src/renderer/ui/button.vue',
  'src/renderer/features/deconvnet/store.ts',
  'src/renderer/features/library/store.ts',
  'src/renderer/tabs/deconvnet/tab.vue',
  'src/renderer/tabs/library/tab.vue',
  'src/renderer/app/shell.vue',
  'e2e/fixtures/workstation.ts',
  'scripts/lib/paths.mjs',
]

let folder: string
let eslint: ESLint

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convscope-lint-'))
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'), 'junction')
  for (const target of targets) {
    mkdirSync(dirname(join(folder, target)), { recursive: true })
    writeFileSync(join(folder, target), '')
  }
  eslint = new ESLint({
    cwd: folder,
    overrideConfigFile: join(repository, 'eslint.config.js'),
    overrideConfig: { settings: { 'boundaries/root-path': folder } },
  })
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

async function violations(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(folder, file) })
  return (result?.messages ?? []).map((message) => message.ruleId ?? message.message)
}

function importing(file: string, source: string): [string, string] {
  const code = `import * as it from '${source}'\nexport const kept = it\n`
  return [
    file,
    file.endsWith('.vue') ? `<script setup lang="ts">\n${code.split('\n', 1)[0]}\nvoid it\n</script>\n` : code,
  ]
}

describe('allowed imports', () => {
  it.each([
    ['src/shared/experiments/run.ts', '../errors.ts'],
    ['src/shared/experiments/run.ts', 'zod'],
    ['src/shared/contract/runs.ts', '@orpc/contract'],
    ['src/compute/network/walk.ts', '../../shared/errors.ts'],
    ['src/compute/network/walk.ts', '../engines/engine.ts'],
    ['src/compute/network/walk.ts', '@tensorflow/tfjs'],
    ['src/compute/network/walk.ts', 'node:fs'],
    ['src/main/project/artifacts.ts', '../platform/folders.ts'],
    ['src/main/project/artifacts.ts', 'node:sqlite'],
    ['src/main/jobs/worker.ts', '../project/database.ts'],
    ['src/main/services/units.ts', '../sessions/supervisor.ts'],
    ['src/main/services/units.ts', '../jobs/queue.ts'],
    ['src/main/rpc/runs.ts', '../services/runs.ts'],
    ['src/main/rpc/runs.ts', '@orpc/server'],
    ['src/main/http/upgrade.ts', '../rpc/router.ts'],
    ['src/main/http/upgrade.ts', 'ws'],
    ['src/main/electron/menu.ts', 'electron'],
    ['src/main/index.ts', './electron/window.ts'],
    ['src/main/index.ts', 'electron'],
    ['src/main/server.ts', './http/host.ts'],
    ['src/main/cli.ts', './cli/options.ts'],
    ['src/main/cli.ts', './server.ts'],
    ['src/main/cli/run.ts', 'commander'],
    ['src/preload/index.ts', 'electron'],
    ['src/preload/index.ts', '../shared/errors.ts'],
    ['src/renderer/lib/draw.ts', './colour.ts'],
    ['src/renderer/rpc/port.ts', '@orpc/client'],
    ['src/renderer/ui/select.vue', 'element-plus'],
    ['src/renderer/ui/curve.vue', 'echarts/core'],
    ['src/renderer/features/deconvnet/form.vue', './store.ts'],
    ['src/renderer/features/deconvnet/form.vue', '../../ui/button.vue'],
    ['src/renderer/features/deconvnet/form.vue', '../../rpc/client.ts'],
    ['src/renderer/features/deconvnet/form.vue', 'vue'],
    ['src/renderer/tabs/deconvnet/main.vue', '../../features/library/store.ts'],
    ['src/renderer/app/rail.vue', '../tabs/library/tab.vue'],
    ['src/renderer/main.ts', './app/shell.vue'],
    ['e2e/specs/open.ts', '../fixtures/workstation.ts'],
    ['e2e/specs/open.ts', '../../src/shared/errors.ts'],
    ['scripts/start.mjs', './lib/paths.mjs'],
    ['bin/convscope.mjs', '../scripts/lib/paths.mjs'],
  ])('%s imports %s', async (file, source) => {
    expect(await violations(...importing(file, source))).toEqual([])
  })
})

describe('refused imports', () => {
  it.each([
    ['src/shared/experiments/run.ts', 'node:fs'],
    ['src/shared/experiments/run.ts', 'vue'],
    ['src/shared/experiments/run.ts', '@tensorflow/tfjs'],
    ['src/shared/experiments/run.ts', '../../compute/engines/engine.ts'],
    ['src/compute/network/walk.ts', '../../main/project/database.ts'],
    ['src/compute/network/walk.ts', '../../renderer/lib/colour.ts'],
    ['src/compute/network/walk.ts', '../engines/engine.test.ts'],
    ['src/compute/network/walk.ts', 'vue'],
    ['src/compute/network/walk.ts', 'node:sqlite'],
    ['src/main/platform/lock.ts', '../project/database.ts'],
    ['src/main/project/artifacts.ts', '../jobs/queue.ts'],
    ['src/main/project/artifacts.ts', '../../compute/engines/engine.ts'],
    ['src/main/jobs/worker.ts', '../sessions/supervisor.ts'],
    ['src/main/sessions/launch.ts', '../jobs/queue.ts'],
    ['src/main/sessions/launch.ts', '../../compute/engines/engine.ts'],
    ['src/main/services/units.ts', '../rpc/router.ts'],
    ['src/main/services/units.ts', '../../renderer/lib/colour.ts'],
    ['src/main/rpc/runs.ts', '../http/host.ts'],
    ['src/main/http/upgrade.ts', '../electron/window.ts'],
    ['src/main/electron/menu.ts', '../http/host.ts'],
    ['src/main/cli/run.ts', '../electron/window.ts'],
    ['src/main/server.ts', './electron/window.ts'],
    ['src/main/cli.ts', './electron/window.ts'],
    ['src/preload/index.ts', '../main/rpc/router.ts'],
    ['src/preload/index.ts', 'node:fs'],
    ['src/renderer/lib/draw.ts', 'vue'],
    ['src/renderer/rpc/port.ts', '../features/deconvnet/store.ts'],
    ['src/renderer/ui/select.vue', '../rpc/client.ts'],
    ['src/renderer/ui/select.vue', '../features/deconvnet/store.ts'],
    ['src/renderer/features/deconvnet/form.vue', '../library/store.ts'],
    ['src/renderer/features/deconvnet/form.vue', '../../tabs/library/tab.vue'],
    ['src/renderer/features/deconvnet/form.vue', '../../app/shell.vue'],
    ['src/renderer/features/deconvnet/form.vue', '../../../main/project/database.ts'],
    ['src/renderer/features/deconvnet/form.vue', 'echarts'],
    ['src/renderer/tabs/deconvnet/main.vue', '../library/tab.vue'],
    ['src/renderer/tabs/deconvnet/main.vue', '../../app/shell.vue'],
    ['src/renderer/app/rail.vue', '../../main/rpc/router.ts'],
    ['e2e/specs/open.ts', '../../src/main/rpc/router.ts'],
    ['scripts/start.mjs', 'zod'],
    ['scripts/start.mjs', '../src/shared/errors.ts'],
  ])('%s does not import %s', async (file, source) => {
    expect(await violations(...importing(file, source))).toContain('boundaries/dependencies')
  })

  it.each([
    ['src/main/server.ts', 'electron'],
    ['src/main/cli.ts', 'electron'],
    ['src/main/services/units.ts', 'electron'],
    ['src/main/services/units.test.ts', 'electron'],
    ['src/renderer/features/deconvnet/form.vue', 'element-plus'],
    ['src/renderer/features/deconvnet/form.test.ts', 'element-plus/es/components'],
    ['src/main/services/units.ts', './runs'],
  ])('%s does not import %s, not even in a test', async (file, source) => {
    expect(await violations(...importing(file, source))).toContain('no-restricted-imports')
  })

  it('also sees dynamic imports, exports and types', async () => {
    const file = 'src/main/project/artifacts.ts'
    expect(await violations(file, "export const it = await import('../jobs/queue.ts')\n")).toContain(
      'boundaries/dependencies',
    )
    expect(await violations(file, "export * from '../jobs/queue.ts'\n")).toContain('boundaries/dependencies')
    expect(await violations(file, "export type { Job } from '../jobs/queue.ts'\n")).toContain('boundaries/dependencies')
  })

  it('knows no source file outside the zones', async () => {
    expect(await violations('src/elsewhere/file.ts', 'export const kept = 1\n')).toContain(
      'boundaries/no-unknown-files',
    )
  })
})

describe('other rules', () => {
  it('refuses any, console and comments that switch rules off', async () => {
    const file = 'src/main/services/units.ts'
    expect(await violations(file, 'export const kept = (value: any) => value\n')).toContain(
      '@typescript-eslint/no-explicit-any',
    )
    expect(await violations(file, "console.log('here')\n")).toContain('no-console')
    expect(await violations(file, "// eslint-disable-next-line no-console\nconsole.log('here')\n")).toContain(
      'no-console',
    )
    expect(await violations(file, '// @ts-ignore\nexport const kept = 1\n')).toContain(
      '@typescript-eslint/ban-ts-comment',
    )
    expect(await violations('scripts/start.mjs', "console.log('here')\n")).toEqual([])
  })
})
