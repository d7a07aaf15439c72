/**
 * The live view: frames/s of a camera's pixels and of a folder's photographs (JPEG, 640 × 480) through the built-in networks, from the services' door to the answer with the channels and one projection, one frame
 * after another as the page asks for them; the worker is a process of its own. Exit code 1 below the goal of 10. `node bench/live.ts [engine]`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { EngineWish } from '../src/shared/engines.ts'
import { LiveFrameRequest } from '../src/shared/live.ts'
import { RandomStream } from '../src/compute/random.ts'
import { cacheFolder } from '../src/main/platform/folders.ts'
import { openProject } from '../src/main/project/project.ts'
import { createServices } from '../src/main/services/index.ts'
import { median } from './setting.ts'

const GOAL = 10
const WARM_UP = 10
const FRAMES = 60
const VIEWS = [
  { network: 'mnist-convnet', layer: 'conv2', side: 28 },
  { network: 'cifar-alexnet', layer: 'conv3', side: 32 },
]

const folder = await mkdtemp(join(tmpdir(), 'convscope-bench-live-'))
const project = await openProject(join(folder, 'project'), { create: true })
const services = await createServices({
  project,
  workerPath: join(import.meta.dirname, '../src/compute/worker/main.ts'),
  cacheFolder: cacheFolder(),
  configFolder: join(folder, 'config'),
  engineWish: EngineWish.parse(process.argv[2] ?? 'auto'),
  shell: 'command',
  fetchEngine: false,
})
const noise = new RandomStream(1, 'order')
const noisy = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, () => noise.below(256))
const photograph = await sharp(noisy(160 * 120 * 3), { raw: { width: 160, height: 120, channels: 3 } })
  .resize(640, 480)
  .jpeg({ quality: 90 })
  .toBuffer()
let slowest = Infinity
try {
  for (const { network, layer, side } of VIEWS) {
    const sources = {
      camera: () => ({ height: side, width: side, channels: 4, pixels: noisy(side * side * 4) }),
      folder: () => ({ file: new Uint8Array(photograph) }),
    }
    for (const [source, frame] of Object.entries(sources)) {
      const times: number[] = []
      for (let index = 0; index < WARM_UP + FRAMES; index++) {
        const request = LiveFrameRequest.parse({ view: { network, layer }, frame: frame() })
        const startedAt = performance.now()
        await services.live.frame(request)
        if (index >= WARM_UP) times.push(performance.now() - startedAt)
      }
      const perSecond = 1000 / median(times)
      slowest = Math.min(slowest, perSecond)
      const text = `${network} / ${layer}, ${source}: ${perSecond.toFixed(1)} frames/s (median of ${FRAMES}), ${(perSecond / GOAL).toFixed(1)} times the goal`
      process.stdout.write(`${text}\n`)
    }
  }
} finally {
  await services.close()
  await project.close()
  await rm(folder, { recursive: true, force: true })
}
process.exitCode = slowest >= GOAL ? 0 : 1
