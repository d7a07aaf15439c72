/** The desktop window: assembles the workstation behind Electron. */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { app } from 'electron'
import { EngineWish } from '../shared/engines.ts'
import { openWorkstation } from './assemble.ts'
import { runDesktop } from './electron/desktop.ts'
import { hasDisplay } from './http/open-browser.ts'
import { dataFolder, defaultProjectFolder } from './platform/folders.ts'
import { sha256 } from './platform/hash.ts'
import { configureLogging } from './platform/logger.ts'
import { programFolder } from './services/program-folder.ts'

// Unpacked, the first argument is the program's folder. Chromium's own switches are among the arguments too.
const { values, positionals } = parseArgs({
  args: process.argv.slice(app.isPackaged ? 1 : 2),
  options: { project: { type: 'string' }, engine: { type: 'string' }, threads: { type: 'string' } },
  allowPositionals: true,
  strict: false,
})
const text = (value: string | boolean | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
const projectFolder = resolve(text(values.project) ?? positionals[0] ?? defaultProjectFolder())
const threads = Number(text(values.threads))

if (hasDisplay({ platform: process.platform, environment: process.env })) {
  const logFolder = join(dataFolder(), 'logs')
  configureLogging({ path: join(logFolder, 'window.log'), file: 'info' })
  await runDesktop({
    userDataFolder: join(dataFolder(), 'window', sha256(projectFolder).slice(0, 12)),
    logFolder,
    preloadPath: join(programFolder(), 'out', 'preload', 'index.cjs'),
    open: () =>
      openWorkstation({
        projectFolder,
        shell: 'window',
        engine: EngineWish.safeParse(values.engine).data,
        threads: Number.isInteger(threads) && threads > 0 ? threads : undefined,
      }),
  })
} else {
  process.stderr.write('There is no display for a window. "convscope serve" serves the same as a page.\n')
  app.exit(1)
}
