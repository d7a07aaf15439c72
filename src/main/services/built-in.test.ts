import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { action } from '../../shared/actions.ts'
import { configureLogging } from '../platform/logger.ts'
import { networkHash } from '../project/networks.ts'
import { openProject, type Project } from '../project/project.ts'
import { addBuiltIns, isBuiltInNetwork } from './built-in.ts'
import { halveSplit } from './dataset-imports.ts'
import { programFolder } from './program-folder.ts'

let folder: string
let project: Project
beforeEach(async () => {
  configureLogging({ stderr: 'off' })
  folder = await mkdtemp(join(tmpdir(), 'convscope-built-in-'))
  project = await openProject(join(folder, 'project'), { create: true })
})
afterEach(async () => {
  await project.close()
  await rm(folder, { recursive: true, force: true })
})

const network = () => project.networks.get('mnist-convnet')

describe('addBuiltIns', () => {
  it('adds what ships with the program, under reserved names, and changes nothing the second time', async () => {
    expect(await addBuiltIns(project, programFolder())).toEqual([])
    const before = [network(), project.datasets.get('mnist')]
    expect(before).toMatchObject([{ source: 'built-in' }, { source: 'built-in' }])
    expect(project.networks.list().items.every(({ name }) => isBuiltInNetwork(name))).toBe(true)
    expect(await addBuiltIns(project, programFolder())).toEqual([])
    expect([network(), project.datasets.get('mnist')]).toEqual(before)
  })

  it("says that the project has something else of a built-in's name, and leaves it", async () => {
    await addBuiltIns(project, programFolder())
    const { spec, title, addedAt } = network()
    const { sha256: weights } = await project.artifacts.put(Buffer.from('own'))
    const own = { name: 'mnist-convnet', title, spec, weights, source: 'trained' as const, addedAt }
    project.networks.save({ ...own, hash: networkHash(own) }, { replace: true })
    expect(await addBuiltIns(project, programFolder())).toEqual([
      'The network mnist-convnet that comes with the program is not available: the project has another "mnist-convnet". ' +
        action('remove-own-entry'),
    ])
    expect(network().source).toBe('trained')
    project.networks.remove('mnist-convnet')
    expect(await addBuiltIns(project, programFolder())).toEqual([])
    expect(network().source).toBe('built-in')
  })

  it('keeps halves that were added to a built-in data set', async () => {
    await addBuiltIns(project, programFolder())
    const halves = { name: 'mnist', split: 'train', halves: ['P1', 'P2'] as const, seed: 1 }
    const { hash } = halveSplit(halves, project)
    expect(await addBuiltIns(project, programFolder())).toEqual([])
    expect(project.datasets.get('mnist')).toMatchObject({ hash, splits: { length: 4 } })
  })

  it('replaces a damaged entry', async () => {
    await addBuiltIns(project, programFolder())
    project.database.run("UPDATE network SET title = 'x', spec = '{}' WHERE name = 'mnist-convnet'")
    expect(() => network()).toThrow(/Network mnist-convnet/)
    expect(await addBuiltIns(project, programFolder())).toEqual([])
    expect(network()).toMatchObject({ source: 'built-in', title: 'MNIST convnet' })
  })

  it('names each whose files are missing or damaged', async () => {
    const program = join(folder, 'program')
    const shipped = join(program, 'resources', 'networks', 'mnist-convnet')
    await mkdir(program, { recursive: true })
    await symlink(join(programFolder(), 'node_modules'), join(program, 'node_modules'))
    await cp(join(programFolder(), 'resources/networks'), join(program, 'resources/networks'), { recursive: true })
    await cp(join(programFolder(), 'resources/datasets'), join(program, 'resources/datasets'), { recursive: true })
    await writeFile(join(shipped, 'weights.safetensors'), 'cut off')
    expect(await addBuiltIns(project, program)).toEqual([
      expect.stringMatching(/^The network mnist-convnet .* other contents/),
    ])
    await rm(join(program, 'node_modules'))
    expect(await addBuiltIns(project, program)).toEqual([
      expect.stringMatching(/^The data set mnist that comes with the program is not available: /),
      expect.stringMatching(/^The network mnist-convnet /),
    ])
  })
})
