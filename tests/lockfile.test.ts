import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

interface LockedPackage {
  version?: string
  resolved?: string
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

const text = readFileSync(join(import.meta.dirname, '..', 'package-lock.json'), 'utf8')
const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> }

/** Looks a name up as Node does: beside the package, then in every folder above. */
function isLocked(from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.includes('/') ? dirname(folder) : '') {
    if (packages[join(folder, 'node_modules', name).replaceAll('\\', '/')]) return true
    if (folder === '') return false
  }
}

describe('package-lock.json', () => {
  it('is complete for every system', () => {
    // `npm ci` refuses a lockfile that lacks a dependency, even one that is for another system.
    const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !isLocked(path, name)),
    )
    expect(missing).toEqual([])
  })

  it('names no host', () => {
    expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([])
    expect(text).not.toMatch(/https?:\/\/[^"]*\.tgz/)
  })
})
