import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { findNode, localLaunch } from './launcher.ts'

afterEach(() => vi.unstubAllEnvs())

describe('localLaunch', () => {
  it('runs the worker on a plain Node of at least version 24', () => {
    const version = execFileSync(findNode(), ['--version'], { encoding: 'utf8' })
    expect(Number.parseInt(version.slice(1), 10)).toBeGreaterThanOrEqual(24)
    expect(localLaunch({ workerPath: '/p/worker.js' }).argv).toEqual([findNode(), '/p/worker.js'])
  })

  it('leaves out what changes Node and Electron, and keeps the rest', () => {
    vi.stubEnv('NODE_OPTIONS', '--inspect')
    vi.stubEnv('ELECTRON_RUN_AS_NODE', '1')
    vi.stubEnv('CONVSCOPE_CACHE', '/cache')
    const { env } = localLaunch({ workerPath: 'w' })
    expect(env).not.toHaveProperty('NODE_OPTIONS')
    expect(env).not.toHaveProperty('ELECTRON_RUN_AS_NODE')
    expect(env).toMatchObject({ CONVSCOPE_CACHE: '/cache', PATH: process.env['PATH'] })
  })

  it('tells native libraries the number of threads in the real environment', () => {
    expect(localLaunch({ workerPath: 'w', threads: 3 }).env).toMatchObject({ TF_NUM_INTRAOP_THREADS: '3' })
    expect(localLaunch({ workerPath: 'w' }).env).not.toHaveProperty('TF_NUM_INTRAOP_THREADS')
  })
  it('keeps compiled code where the environment says, or else where it is told', () => {
    const compiled = () => localLaunch({ workerPath: 'w', compileCacheFolder: '/own' }).env['NODE_COMPILE_CACHE']
    vi.stubEnv('NODE_COMPILE_CACHE', '/theirs')
    expect(compiled()).toBe('/theirs')
    vi.stubEnv('NODE_COMPILE_CACHE', undefined)
    expect(compiled()).toBe('/own')
  })
})
