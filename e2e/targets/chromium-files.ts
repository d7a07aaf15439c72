import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { cacheFolder } from '../../scripts/lib/folders.mjs'

/** Where the parts of the unpacked browser lie. */
export interface ChromiumFiles {
  executable: string
  /** What the browser needs in its environment: its own libraries and fonts, whatever the machine has or lacks. */
  environment: Record<string, string>
}

const archives = ['chromium.br', 'al2023.tar.br', 'fonts.tar.br', 'swiftshader.tar.br']

async function unpackInto(folder: string, packageFolder: string): Promise<void> {
  // The package unpacks into the system's temporary folder, under fixed names that users would share.
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  try {
    const { inflate } = await import('@sparticuz/chromium')
    await Promise.all(archives.map((name) => inflate(join(packageFolder, 'bin', name))))
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}

/** fontconfig takes absolute folders only; the file is written anew for the folder that the fonts have come to. */
function fontConfiguration(folder: string): string {
  const fonts = join(folder, 'fonts')
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    `<fontconfig><dir>${fonts}</dir><cachedir>${join(folder, 'fonts-cache')}</cachedir></fontconfig>`,
    '',
  ].join('\n')
}

/**
 * The Chromium that the npm package @sparticuz/chromium carries, unpacked once for each version into the cache folder.
 * Linux x64.
 */
export async function chromiumFiles(): Promise<ChromiumFiles> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`The packaged Chromium is for linux-x64, and this is ${process.platform}-${process.arch}.`)
  }
  const packageFolder = dirname(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')))
  const description: unknown = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'))
  const { version } = description as { version: string }
  const folder = join(cacheFolder(), `chromium-${version}`)
  if (!existsSync(folder)) {
    const draft = `${folder}.${process.pid}`
    await mkdir(draft, { recursive: true })
    try {
      await unpackInto(draft, packageFolder)
      await writeFile(join(draft, 'fonts.conf'), fontConfiguration(folder))
      await rename(draft, folder)
    } catch (error) {
      // Another process was quicker.
      if (!existsSync(folder)) throw error
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
  }
  return {
    executable: join(folder, 'chromium'),
    environment: {
      LD_LIBRARY_PATH: [join(folder, 'al2023', 'lib'), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':'),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
    },
  }
}
